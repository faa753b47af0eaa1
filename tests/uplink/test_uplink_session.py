"""What the uplink does with everything that is not an event: commands, bad payloads, refusals, wills, old brokers."""

from __future__ import annotations

import json
import queue
import resource
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from edge.errors import BadMessageError
from edge.store import Store
from edge.technician.free_port import free_port
from edge.uplink.connection import Link, LinkSettings
from edge.uplink.mailbox import Arrived, Connected, Mailbox, Subscribed
from edge.uplink.topics import Topics
from edge.uplink.window import SHRUNK, Window
from tests.record.world import SITE, Centre, open_store, payload, record, uplink
from tests.uplink.brokers import MOSQUITTO, Broker, Iotcore, Mosquitto, broker, mosquitto, until

__all__ = ["broker", "mosquitto"]
TOPICS = Topics(SITE)


class Watcher:
    """A plain client beside the gate, by the same link."""

    def __init__(self, port: int, topic: str = f"ckso/v1/{SITE}/#") -> None:
        self.mailbox = Mailbox()
        self.link = Link(LinkSettings("127.0.0.1", port, f"watcher-{time.monotonic_ns()}"), "5", self.mailbox)
        self.link.open()
        self._await(Connected)
        self.link.subscribe([(topic, False)])
        self._await(Subscribed)
        self.seen: list[Arrived] = []

    def _await(self, kind: type[Any]) -> None:
        until(lambda: isinstance(self.mailbox.take(0.1), kind), f"watcher got {kind.__name__}")

    def pull(self) -> list[Arrived]:
        while (letter := self.mailbox.take(0.01)) is not None:
            if isinstance(letter, Arrived):
                self.link.done(letter)
                self.seen.append(letter)
        return self.seen

    def last(self, topic: str) -> dict[str, Any]:
        payloads = [letter.payload for letter in self.pull() if letter.topic == topic]
        return dict(json.loads(payloads[-1])) if payloads else {}


@pytest.fixture
def store(tmp_path: Path) -> Any:
    one = open_store(tmp_path / "gate", lanes=("b1", "b2"))
    yield one
    one.close()


@pytest.mark.broker
def test_bad_payloads_are_set_aside_and_change_nothing(broker: Broker, store: Store, tmp_path: Path) -> None:
    watcher = Watcher(broker.port)
    record(store, 3)
    store.put_declaration("CKS-1", payload(version=3))
    watcher.link.publish(TOPICS.declaration("CKS-1"), payload(version=3), retain=True)
    bad = [
        (TOPICS.declaration("CKS-1"), b"{"),
        (TOPICS.declaration("CKS-1"), payload(version=2)),
        (TOPICS.declaration("CKS-2"), payload("CKS-3")),
        (TOPICS.declaration("CKS-4"), b"\xff" * 5000),
        (TOPICS.declaration("CKS-5"), b"[" * 100_000),
        (TOPICS.watchlist, b'{"plates": 1}'),
        (TOPICS.ack("b1"), b'{"seq": 4}'),
        (TOPICS.ack("b1"), b'{"seq": -1}'),
        (TOPICS.ack("b2"), b"null"),
        (TOPICS.command("b1"), b"rubbish"),
    ]

    def refuse(lane: str, content: bytes, retained: bool) -> None:
        raise BadMessageError("command: no JSON")

    link = uplink(store, broker.port, on_command=refuse)
    link.start()
    until(lambda: link.counters()["copies"] == 1, "copy complete")
    for topic, content in bad:
        watcher.link.publish(topic, content)
    until(lambda: store.set_aside_count() == len(bad), "all set aside")
    rows = store._reader.execute("SELECT topic, why FROM set_aside ORDER BY id").fetchall()
    assert sorted(topic for topic, _ in rows) == sorted(topic for topic, _ in bad)
    assert all(why for _, why in rows)
    here = store.declaration("CKS-1")
    assert here is not None
    assert here.version == 3
    assert [store.declaration(f"CKS-{number}") for number in (2, 3, 4, 5)] == [None] * 4
    # The one that was above our last is evidence of a fork: told by an event, and the three are recorded once more.
    assert store.unacknowledged("b1").waiting == 4
    watcher.link.publish(TOPICS.ack("b1"), b'{"seq": 1008}')
    until(lambda: store.unacknowledged("b1").waiting == 0, "the next good message is taken")
    assert link.state() == ("up", "")
    link.stop()
    watcher.link.close()


@pytest.mark.broker
def test_commands_reach_their_lane_once_and_say_if_they_were_retained(mosquitto: Mosquitto, store: Store) -> None:
    commands: queue.Queue[tuple[str, bytes, bool]] = queue.Queue()
    watcher = Watcher(mosquitto.port)
    watcher.link.publish(TOPICS.command("b2"), b"old", retain=True)
    link = uplink(store, mosquitto.port, on_command=lambda *one: commands.put(one))
    link.start()
    assert commands.get(timeout=10) == ("b2", b"old", True)
    until(lambda: link.state()[0] == "up", "up")
    watcher.link.publish(TOPICS.command("b1"), b"stop", expiry_s=2)
    assert commands.get(timeout=10) == ("b1", b"stop", False)
    watcher.link.publish(TOPICS.command("b1"), b"retained live", retain=True)
    assert commands.get(timeout=10) == ("b1", b"retained live", True)
    link.stop()
    watcher.link.publish(TOPICS.command("b1"), b"", retain=True)
    watcher.link.publish(TOPICS.command("b2"), b"", retain=True)
    watcher.link.publish(TOPICS.command("b1"), b"sent while away")
    again = uplink(store, mosquitto.port, on_command=lambda *one: commands.put(one))
    again.start()
    until(lambda: again.counters()["copies"] == 1, "copy complete")
    assert commands.empty()
    again.stop()
    watcher.link.close()


@pytest.mark.broker
def test_status_is_retained_for_every_lane_and_says_offline_at_the_end(broker: Broker, store: Store) -> None:
    watcher = Watcher(broker.port)
    link = uplink(store, broker.port)
    link.start()
    for lane in ("b1", "b2"):
        until(lambda lane=lane: watcher.last(TOPICS.status(lane)).get("online") is True, "online")  # type: ignore[misc]
    assert watcher.last(TOPICS.status("b2")) == {"version": "test", "online": True, "lanes": ["b1", "b2"]}
    began_s = time.monotonic()
    link.stop()
    assert time.monotonic() - began_s < 1.5
    for lane in ("b1", "b2"):
        until(lambda lane=lane: watcher.last(TOPICS.status(lane)).get("online") is False, "offline")  # type: ignore[misc]
    late = Watcher(broker.port)
    until(lambda: late.last(TOPICS.status("b1")).get("online") is False, "retained")
    assert all(letter.retained for letter in late.pull())
    watcher.link.close()
    late.link.close()


@pytest.mark.broker
def test_the_last_will_speaks_for_all_lanes(broker: Broker, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    watcher = Watcher(broker.port)
    link = uplink(store, broker.port)
    link.start()
    until(lambda: watcher.last(TOPICS.status("b1")).get("online") is True, "online")
    monkeypatch.setattr(link, "_next_delay_s", lambda before_s: 600.0)
    _socket_of(link).shutdown(2)
    until(lambda: watcher.last(TOPICS.status("b1")).get("why") == "connection lost", "the will")
    assert watcher.last(TOPICS.status("b1"))["lanes"] == ["b1", "b2"]
    link.stop()
    watcher.link.close()


def _socket_of(link: Any) -> Any:
    """The uplink's own TCP socket, cut from outside as a network would."""
    import gc

    for one in gc.get_objects():
        if isinstance(one, Link) and one._settings.client_id == link._client_id and one._client.socket() is not None:
            return one._client.socket()
    raise AssertionError("no open link")


@pytest.mark.broker
def test_a_wrong_password_is_said_in_words(tmp_path: Path, store: Store) -> None:
    if MOSQUITTO is None:
        pytest.skip("mosquitto is not installed")
    (tmp_path / "passwords").write_text("")
    secured = Mosquitto(tmp_path, extra=f"allow_anonymous false\npassword_file {tmp_path / 'passwords'}\n")
    secured.start()
    (tmp_path / "secret").write_text("wrong\n")
    link = uplink(store, secured.port, username="gate-1", password_file=str(tmp_path / "secret"))
    link.start()
    until(lambda: link.state()[0] == "refused", "refused")
    assert "broker refused: Not authorized; check mqtt.username and mqtt.password_file" in link.state()[1]
    link.stop()
    secured.stop()


@pytest.mark.broker
def test_no_broker_at_all_is_said_with_the_keys_to_check(store: Store) -> None:
    port = free_port()
    link = uplink(store, port)
    link.start()
    until(lambda: "check mqtt.host, mqtt.port" in link.state()[1], "said")
    assert link.state()[0] == "down"
    assert f"127.0.0.1:{port}" in link.state()[1]
    began_s = time.monotonic()
    link.stop()
    assert time.monotonic() - began_s < 1.5


@pytest.mark.broker
def test_a_broker_that_only_knows_3_1_1_is_spoken_to(tmp_path: Path, store: Store) -> None:
    old = Iotcore(tmp_path)
    old.start()
    record(store, 5)
    assert old.port_v3 is not None
    centre = Centre(old.port_v3, tmp_path, protocol="3.1.1")
    until(lambda: bool(centre.said("connected")), "centre connected")
    link = uplink(store, old.port_v3)
    link.start()
    until(lambda: store.unacknowledged("b1").waiting == 0, "drained over 3.1.1", 40.0)
    assert centre.whole("b1", 5)
    link.stop()
    centre.stop()
    old.stop()


@pytest.mark.broker
def test_a_message_that_cannot_be_stored_keeps_the_copy_from_counting(mosquitto: Mosquitto, store: Store) -> None:
    """No room on the disk: the copy has a hole, so it is not called complete; with room again everything is asked
    for."""
    watcher = Watcher(mosquitto.port)
    for number in range(30):
        content = payload(f"CKS-{number}", goods=[{"name": "x" * 3000}])
        watcher.link.publish(TOPICS.declaration(f"CKS-{number}"), content, retain=True)
    until(lambda: len(watcher.pull()) == 30, "all published")
    pages = store._db.execute("PRAGMA page_count").fetchone()[0]
    store._db.execute(f"PRAGMA max_page_count = {pages + 10}")
    link = uplink(store, mosquitto.port)
    link.start()
    until(lambda: "no room left" in link.state()[1], "said")
    assert store.copy_seen_at() is None
    store._db.execute(f"PRAGMA max_page_count = {pages + 1000}")
    until(lambda: store.copy_seen_at() is not None, "complete after all")
    assert len(store.declarations_for_plate("12C12345")) == 30
    link.stop()
    watcher.link.close()


@pytest.mark.broker
def test_a_wiped_broker_proves_nothing_and_is_asked_again_until_it_shows_something(
    mosquitto: Mosquitto, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"CKS-{number}" for number in range(3)]

    def publish(link: Link) -> None:
        for name in names:
            link.publish(TOPICS.declaration(name), payload(name), retain=True)

    first = Watcher(mosquitto.port)
    publish(first.link)
    until(lambda: len(first.pull()) == 3, "all published")
    link = uplink(store, mosquitto.port)
    link.start()
    until(lambda: store.copy_seen_at() is not None, "a first copy")
    seen_at = store.copy_seen_at()
    asked: list[int | None] = []
    complete = store.mark_copy_complete

    def counted(*, fresh: bool) -> int | None:
        asked.append(complete(fresh=fresh))
        return asked[-1]

    monkeypatch.setattr(store, "mark_copy_complete", counted)
    mosquitto.kill(wipe=True)
    until(lambda: link.state()[0] == "down", "the loss is seen")
    mosquitto.start()
    until(lambda: asked == [None], "the empty broker proved nothing")
    assert not link.copied()
    assert store.copy_seen_at() == seen_at
    assert len(store.declarations_for_plate("12C12345")) == 3
    again = Watcher(mosquitto.port)
    publish(again.link)
    until(lambda: store.copy_seen_at() != seen_at, "a copy that counts, on the same connection")
    link.stop()
    first.link.close()
    again.link.close()


# ---------------------------------------------------------------- the window, pure


def test_the_window_goes_back_to_the_last_acknowledgement_and_shrinks_until_the_next() -> None:
    window = Window(100, 10.0)
    for seq in range(7, 107):
        window.published(seq, 0.0)
    assert (window.room(), window.outstanding) == (0, 100)
    window.acknowledged(56, 5.0, settle_s=1.0)
    assert (window.room(), window.outstanding) == (50, 50)
    assert not window.overdue(14.9)
    assert window.overdue(15.0)
    assert (window.sent, window.resent, window.room()) == (56, 50, SHRUNK)
    for seq in range(57, 77):
        window.published(seq, 15.0)
    assert not window.overdue(34.9)
    assert window.overdue(35.0)
    window.published(57, 35.0)
    window.acknowledged(57, 36.0, settle_s=1.0)
    assert window.room() == 2 * SHRUNK


def test_an_acknowledgement_that_repeats_itself_shows_a_gap_once_things_have_settled() -> None:
    window = Window(100, 10.0)
    for seq in (1, 2, 3):
        window.published(seq, 0.0)
    window.acknowledged(1, 0.1, settle_s=1.0)
    window.acknowledged(1, 0.2, settle_s=1.0)
    assert window.sent == 3
    window.acknowledged(1, 1.5, settle_s=1.0)
    assert (window.sent, window.resent) == (1, 2)


def test_topics_read_back_as_they_were_made() -> None:
    made = {
        TOPICS.declaration("CKS-1"): ("declaration", "CKS-1"),
        TOPICS.watchlist: ("watchlist", ""),
        TOPICS.command("b1"): ("command", "b1"),
        TOPICS.ack("b1"): ("ack", "b1"),
        TOPICS.event("b1"): ("event", "b1"),
        TOPICS.evidence("b1", "id"): ("evidence", "b1"),
        TOPICS.status("b1"): ("status", "b1"),
        TOPICS.echo("b1"): ("echo", "b1"),
        "ckso/v1/other/watchlist": ("", ""),
        f"{TOPICS.root}/b1/nonsense": ("", ""),
        f"{TOPICS.root}/a/b/c/d": ("", ""),
    }
    assert {topic: TOPICS.parse(topic) for topic in made} == made


@pytest.mark.broker
def test_a_process_with_more_than_a_thousand_open_files_still_connects(mosquitto: Mosquitto, store: Store) -> None:
    """select(2) ends at 1,024, and a gate with many cameras and browsers may get there."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 2_000:
        pytest.skip("this user may not open that many files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 2_000), hard))
    with ExitStack() as files:
        for _ in range(1_100):
            files.enter_context(Path("/dev/null").open("rb"))
        link = uplink(store, mosquitto.port)
        link.start()
        until(lambda: link.state()[0] == "up", "connected")
        link.stop()
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_lower_number_is_believed_when_it_is_said_twice_and_nothing_higher_between() -> None:
    window = Window(100, 30.0)
    for seq in range(1, 11):
        window.published(seq, 0.0)
    window.acknowledged(10, 1.0, settle_s=1.0)
    assert not window.regressed(4, 2.0, settle_s=1.0), "once may be a message that was late"
    assert not window.regressed(10, 2.5, settle_s=1.0), "and here it was"
    assert not window.regressed(4, 3.5, settle_s=1.0)
    assert not window.regressed(4, 4.0, settle_s=1.0), "too soon"
    assert window.regressed(4, 4.6, settle_s=1.0)
    window.restart(6, 5.0)
    assert (window.outstanding, window.sent, window.resent) == (0, 6, 4)
    assert not window.regressed(6, 9.0, settle_s=1.0), "that is where it is now"
