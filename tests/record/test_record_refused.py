"""What the broker refuses, what another machine of our id does to us, and what a command that nobody can read is
answered: seen at the gate and told, on a real broker."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import pytest

from edge.agent.inbox import GateInbox
from edge.core.alarm.sources import Beside, gate_conditions
from edge.core.view import BoxView, LinkView
from edge.store import Store
from edge.uplink.connection import RECEIVE_MAXIMUM, Link, LinkSettings
from edge.uplink.mailbox import Connected, Lost, Mailbox
from edge.uplink.mqtt import Uplink
from edge.uplink.topics import Topics
from edge.uplink.twin import MANY, SHORT_S, STANDS_S, TWIN, TwinWatch
from tests.lane.world import World
from tests.panel.views import HEALTHY
from tests.record.world import FAST, SITE, Centre, mqtt, open_store, record, uplink
from tests.uplink.brokers import MOSQUITTO, Broker, Iotcore, Mosquitto, broker, mosquitto, until
from tests.uplink.test_uplink_session import Watcher

__all__ = ["broker", "mosquitto"]
TOPICS = Topics(SITE)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(open_store(tmp_path / "gate")) as one:
        yield one


def alarms(link: Uplink) -> set[str]:
    """The alarms of the link as the alarm list of the gate sees it."""
    state, detail = link.state()
    health = replace(HEALTHY, link=LinkView(state=state, detail=detail))
    return {one.code for one in gate_conditions(health, Beside(BoxView()), 3600.0)} - {"link_down"}


@pytest.mark.broker
@pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed")
def test_events_that_the_brokers_acl_refuses_are_an_alarm_until_they_are_taken(tmp_path: Path, store: Store) -> None:
    acl = tmp_path / "acl"
    rights = ["read #", "write +/echo", "write +/status", "write declaration/#"]  # no event, no refusal
    acl.write_text("".join(f"topic {one.replace(' ', f' ckso/v1/{SITE}/')}\n" for one in rights))
    broker = Mosquitto(tmp_path, extra=f"allow_anonymous true\nacl_file {acl}\n")
    broker.start()
    record(store, 3)
    link = uplink(store, broker.port)
    link.start()
    until(lambda: alarms(link) == {"events_refused"}, "the alarm stands")
    watcher, before = Watcher(broker.port), link.counters()
    watcher.link.publish(TOPICS.declaration("CKS-1"), b"[]")
    until(lambda: link.counters()["set_aside"] > before["set_aside"], "a bad declaration, answered")
    until(lambda: link.counters()["broker_refused"] > before["broker_refused"] + 3, "events sent and refused again")
    assert alarms(link) == {"events_refused"}, "that its answer is refused too does not hide it"
    watcher.link.close()
    assert link.state()[0] == "up"
    assert "check its ACL" in link.state()[1]
    assert store.unacknowledged("b1").waiting == 3, "kept here"
    broker.stop()
    acl.write_text(f"topic readwrite ckso/v1/{SITE}/#\n")
    broker.start()
    centre = Centre(broker.port, tmp_path)
    until(lambda: store.unacknowledged("b1").waiting == 0, "taken once the broker lets them")
    until(lambda: alarms(link) == set(), "over")
    centre.stop()
    link.stop()
    broker.stop()


@pytest.mark.broker
def test_a_command_that_nobody_can_read_is_answered_and_the_next_one_is_done(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    calls: list[Any] = []

    class Loop:
        def call_soon_threadsafe(self, call: Any, *arguments: Any) -> None:
            calls.append(arguments)

    with closing(World(tmp_path / "gate")) as world:
        lane = world.config.id
        inbox = GateInbox(world.store, {lane: world.actor}, lambda name: True, Loop())  # type: ignore[arg-type]
        watcher = Watcher(mosquitto.port)
        link = Uplink(SITE, mqtt(mosquitto.port), world.store, inbox, lambda lane: {}, pace=FAST)
        link.start()
        until(link.copied, "up")
        good = {
            "id": "c-1",
            "issued_at": "2026-11-29T08:00:00+07:00",
            "action": "stop",
            "by": "HQ-1",
            "reason": "drill",
        }
        bad = [b"{", b"[]", json.dumps(good | {"action": "fly"}).encode(), json.dumps(good | {"issued_at": 7}).encode()]
        for payload in bad:
            watcher.link.publish(TOPICS.command(lane), payload)
        watcher.link.publish(TOPICS.command(lane), json.dumps(good).encode())

        def told() -> list[dict[str, Any]]:
            return [json.loads(one.payload) for one in watcher.pull() if one.topic == TOPICS.refused(lane)]

        until(lambda: len(told()) == len(bad), "one answer each")
        assert [one["topic"] for one in told()] == [TOPICS.command(lane)] * len(bad)
        assert all(one["reason"] for one in told())
        assert "action" in told()[2]["reason"]
        until(lambda: any(call and getattr(call[0], "id", "") == "c-1" for call in calls), "the good one is done")
        link.stop()
        watcher.link.close()


@pytest.mark.broker
def test_a_flood_waits_at_the_broker_and_not_in_our_memory(mosquitto: Mosquitto) -> None:
    """2,000 messages for one who is busy: no more than the receive maximum are here, and none is lost."""
    many, topic = 2_000, TOPICS.declaration("CKS-1")
    busy, centre = Watcher(mosquitto.port, topic), Watcher(mosquitto.port, TOPICS.watchlist)
    most = 0
    for number in range(many):
        centre.link.publish(topic, str(number).encode())
        if number % 50 == 0:
            centre.mailbox.take(0.01)
            busy.mailbox._look(0.0)
            most = max(most, busy.mailbox.waiting)

    def full() -> bool:
        centre.pull()
        busy.mailbox._look(0.01)
        return busy.mailbox.waiting >= RECEIVE_MAXIMUM

    until(full, "as much as may be here")
    for _ in range(20):
        busy.mailbox._look(0.01)
        most = max(most, busy.mailbox.waiting)
    assert most == RECEIVE_MAXIMUM

    def all_came() -> bool:
        centre.pull()
        return len(busy.pull()) == many

    until(all_came, "every one once it has time")
    assert [int(one.payload) for one in busy.seen] == list(range(many))
    busy.link.close()
    centre.link.close()


@pytest.mark.broker
@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_two_gates_of_one_id_are_told_by_their_flapping(
    broker: Broker, tmp_path: Path, protocol: Literal["5", "3.1.1"]
) -> None:
    """The brokers here close the older connection without a reason, in MQTT 5 too."""
    port = (broker.port_v3 or broker.port) if isinstance(broker, Iotcore) and protocol == "3.1.1" else broker.port
    stores = [open_store(tmp_path / name) for name in ("one", "two")]
    links = [uplink(one, port, protocol=protocol) for one in stores]
    for link in links:
        link.start()
    until(lambda: all(alarms(link) == {"twin"} for link in links), "both say so", 40.0)
    assert all("or a bad network" in link.state()[1] for link in links), "it is no proof"
    links.pop().stop()
    until(lambda: links[0].state()[0] == "up" and links[0].copied(), "the one that is left works")
    assert alarms(links[0]) == {"twin"}, "and it stays told for a while"
    links.pop().stop()
    for one in stores:
        one.close()


def test_a_broker_that_gives_the_reason_names_the_twin() -> None:
    """By hand: no broker here sends it. CONNACK, then DISCONNECT with 0x8E."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        mailbox = Mailbox()
        link = Link(LinkSettings("127.0.0.1", server.getsockname()[1], "gate"), "5", mailbox)
        link.open()
        peer, _ = server.accept()
        peer.sendall(bytes.fromhex("2003000000" + "e0028e00"))
        letters = [mailbox.take(5.0), mailbox.take(5.0)]
        peer.close()
        link.close()
    assert letters == [Connected("", None, False), Lost(TWIN)]
    watch = TwinWatch()
    watch.lost(f"connection lost: {TWIN}", SHORT_S * 9, 1000.0)
    assert (watch.word(1001.0), watch.word(1000.0 + STANDS_S)) == (TWIN, "")


def test_a_broker_that_ends_a_long_connection_now_and_then_is_no_twin() -> None:
    watch, now_s = TwinWatch(), time.monotonic()
    for lasted_s in (SHORT_S, 2.0, 2.0, 2.0, SHORT_S * 3, 2.0, 2.0, 2.0):
        now_s += lasted_s
        watch.lost("connection lost: Unspecified error", lasted_s, now_s)
        assert watch.word(now_s) == ""
    watch.lost("connection lost: Unspecified error", 2.0, now_s)
    assert str(MANY) in watch.word(now_s)
    assert watch.word(now_s + STANDS_S) == "", "forgotten when it has not come again"
