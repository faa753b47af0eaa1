"""Photos on their way up: kept until the centre itself has them, never in the way of events, told where they cannot go.

Mutants that no test noticed once: photos not sent again after a centre went back, a photo refused by the broker counted
as sent, a silent broker never left, photos before their events' acknowledgement.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, nullcontext
from pathlib import Path
from typing import Any, cast

import pytest

from edge import clock
from edge.store import Store, StoreInbox
from edge.uplink.connection import Link
from edge.uplink.liveness import CentreWatch
from edge.uplink.mailbox import Arrived, Connected, Mailbox, Published, Subscribed
from edge.uplink.parts import Pace, Parts
from edge.uplink.session import Session
from edge.uplink.topics import Topics
from tests.record.world import SITE, Centre, open_store, record, uplink
from tests.uplink.brokers import MOSQUITTO, Mosquitto, mosquitto, until
from tests.uplink.test_uplink_session import Watcher

__all__ = ["mosquitto"]
TOPICS = Topics(SITE)
PHOTO = b"\xff\xd8 a photo \xff\xd9"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(open_store(tmp_path / "gate", keep_acknowledged_s=3600)) as one:
        yield one


def photographed(store: Store, count: int = 1, size: int = 200) -> list[str]:
    """The hashes of so many photos, each with its event."""
    hashes = []
    for number in range(count):
        jpeg = PHOTO + f"{number:06d}".encode() + os.urandom(16) + bytes(size)
        with store.transaction("b1") as tx:
            tx.event("passage", {"number": number}, photos=[store.stage_evidence(jpeg)])
        hashes.append(hashlib.sha256(jpeg).hexdigest())
    return hashes


def states(store: Store) -> dict[str, int]:
    return dict(store._reader.execute("SELECT sha256, sent FROM evidence").fetchall())


def alarms(store: Store) -> list[dict[str, Any]]:
    return [event["body"] for event in store.recent("b1", 1000) if event["kind"] == "alarm"]


# ---------------------------------------------------------------- one session, its link played


class Played:
    """A link and its broker: what was published, each taken at once; photos not if it `refuses` or is `silent`."""

    def __init__(self, store: Store, limit_bytes: int | None = None, *, acks: bool = True) -> None:
        self.published: list[tuple[str, bytes]] = []
        self.refuses, self.silent, self._mid = "", False, 0
        self.said: list[str] = []
        self.mailbox = Mailbox()
        self.store = store
        pace = Pace(status_s=1e9, poll_s=0.0, settle_s=0.0, quiet_s=0.0)
        inbox = StoreInbox(store, lambda *_: None)
        self.parts = Parts(Topics(SITE), store, inbox, lambda lane: {}, self.mailbox, pace, 20, 1e9, CentreWatch())
        self.parts.centre.acks_photos = acks
        self.session = Session(cast(Link, self), self.parts, self.said.append)
        self.mailbox.put(Connected("", packet_bytes=limit_bytes))
        self.mailbox.put(Subscribed(()))
        self.session.start(lambda: False)

    def subscribe(self, topics: object) -> None:
        pass

    def done(self, letter: Arrived) -> None:
        pass

    def gathered(self) -> AbstractContextManager[None]:
        return nullcontext()

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> int:
        self._mid += 1
        self.published.append((topic, payload))
        if not (self.silent and "/evidence/" in topic):
            self.mailbox.put(Published(self._mid, self.refuses if "/evidence/" in topic else ""))
        return self._mid

    def turn(self, times: int = 6) -> None:
        for _ in range(times):
            self.session.turn()

    def hear(self, topic: str, **said: Any) -> None:
        self.mailbox.put(Arrived(topic, json.dumps(said).encode(), False, 0, 0))
        self.turn()

    def photos(self) -> list[str]:
        return [hashlib.sha256(payload).hexdigest() for topic, payload in self.published if "/evidence/" in topic]

    def events(self) -> list[int]:
        return [json.loads(payload)["seq"] for topic, payload in self.published if topic.endswith("/event")]


def test_no_photo_goes_before_the_centre_has_its_event_nor_while_a_later_event_waits(store: Store) -> None:
    first, second = photographed(store, 2)
    played = Played(store)
    played.turn()
    assert (played.events(), played.photos()) == ([1, 2], [])
    played.hear(TOPICS.ack("b1"), seq=1)
    assert played.photos() == [], "an event is still on its way"
    played.hear(TOPICS.ack("b1"), seq=2)
    assert played.photos() == [first, second]


def test_a_photo_that_the_broker_refuses_is_not_counted_as_sent(store: Store) -> None:
    photographed(store)
    played = Played(store, acks=False)
    played.refuses = "Not authorized"
    played.turn()
    played.hear(TOPICS.ack("b1"), seq=1)
    assert len(played.photos()) == 1
    assert store.next_evidence("b1") is not None
    assert (played.parts.counts.photos, played.parts.counts.broker_refused) == (0, 1)
    assert "broker refused photo: Not authorized" in played.said[-1]


def test_with_a_centre_that_acknowledges_photos_the_brokers_word_is_not_enough(store: Store) -> None:
    (digest,) = photographed(store)
    played = Played(store)
    played.turn()
    played.hear(TOPICS.ack("b1"), seq=1)
    assert (played.photos(), states(store)) == ([digest], {digest: 0})
    played.turn()
    assert played.photos() == [digest], "not again at once"
    played.hear(TOPICS.evidence_ack("b1"), sha256=[digest])
    assert states(store) == {digest: 3}
    assert store.photos_acknowledged()


def test_with_an_older_centre_the_brokers_word_has_to_do(store: Store) -> None:
    (digest,) = photographed(store)
    played = Played(store, acks=False)
    played.turn()
    played.hear(TOPICS.ack("b1"), seq=1)
    assert (played.photos(), states(store)) == ([digest], {digest: 1})


def test_one_that_is_not_acknowledged_goes_again_and_stands_in_nobodys_way(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashes = photographed(store, 3)
    played = Played(store)
    played.turn()
    played.hear(TOPICS.ack("b1"), seq=3)
    played.hear(TOPICS.evidence_ack("b1"), sha256=hashes[1:])
    assert played.photos() == hashes
    played.parts.resend_s = 30.0
    now_s = clock.mono_s() + 2e9
    monkeypatch.setattr(clock, "mono_s", lambda: now_s)
    played.turn()
    assert played.photos() == [*hashes, hashes[0]]


def test_photos_wait_while_the_centre_is_known_to_be_gone(store: Store) -> None:
    photographed(store)
    played = Played(store)
    played.turn()
    played.parts.centre.tells = True
    played.hear(TOPICS.ack("b1"), seq=1)
    assert played.photos() == []


def test_a_wish_brings_a_photo_again_and_what_is_not_here_is_told(store: Store) -> None:
    (digest,) = photographed(store)
    event = store.recent("b1")[0]["event_id"]
    played = Played(store)
    played.turn()
    played.hear(TOPICS.ack("b1"), seq=1)
    played.hear(TOPICS.evidence_ack("b1"), sha256=[digest])
    played.hear(TOPICS.evidence_ack("b1"), want=[event, "unknown"])
    assert played.photos() == [digest, digest]
    (told,) = [json.loads(payload) for topic, payload in played.published if topic == TOPICS.refused("b1")]
    assert (told["topic"], told["rows"]) == (TOPICS.evidence_ack("b1"), ["unknown"])
    assert store.set_aside_count() == 0


@pytest.mark.parametrize("acks", [True, False], ids=["acknowledged", "by the broker"])
def test_after_a_centre_went_back_its_photos_go_again(store: Store, acks: bool) -> None:
    (digest,) = photographed(store)
    played = Played(store, acks=acks)
    played.turn()
    played.hear(TOPICS.ack("b1"), seq=1)
    if acks:
        played.hear(TOPICS.evidence_ack("b1"), sha256=[digest])
    assert store.next_evidence("b1") is None
    for _ in range(2):
        played.hear(TOPICS.ack("b1"), seq=0)
    played.hear(TOPICS.ack("b1"), seq=1)
    assert played.photos() == [digest, digest]


def test_one_too_large_for_the_broker_is_set_aside_and_told_and_the_next_goes(store: Store) -> None:
    """Seen: it flapped the link for ever at the head of the queue."""
    large, small = *photographed(store, size=30_000), *photographed(store)
    played = Played(store, 20_000)
    played.turn()
    played.hear(TOPICS.ack("b1"), seq=2)
    played.hear(TOPICS.ack("b1"), seq=3)  # the event that tells of it
    assert played.photos() == [small]
    assert states(store) == {large: 5, small: 0}
    (told,) = alarms(store)
    assert (told["code"], told["photos"][0]["sha256"]) == ("photos_aside", large)
    assert "20000" in told["why"]
    played = Played(store, 100_000)  # the broker was set up anew
    played.turn()
    played.hear(TOPICS.ack("b1"), seq=3)
    assert played.photos() == [large, small]


def test_one_that_the_broker_calls_too_large_is_set_aside(store: Store) -> None:
    (digest,) = photographed(store)
    played = Played(store)
    played.refuses = "Packet too large"
    played.turn()
    played.hear(TOPICS.ack("b1"), seq=1)
    assert states(store) == {digest: 5}


def test_one_that_ends_every_connection_is_set_aside(store: Store) -> None:
    """A broker that says no limit and hangs up over it."""
    digest, other = photographed(store, 2)
    losses: dict[str, int] = {}
    for _ in range(3):
        assert states(store)[digest] == 0
        played = Played(store)
        played.parts.photo_losses, played.silent = losses, True
        played.turn()
        played.hear(TOPICS.ack("b1"), seq=2)
        assert played.photos() == [digest]
        played.session.ended()
    assert states(store) == {digest: 5, other: 0}


def test_an_event_too_large_for_the_broker_is_told_and_nothing_overtakes_it(store: Store) -> None:
    record(store, 1)
    with store.transaction("b1") as tx:
        tx.event("passage", {"words": "x" * 30_000})
    record(store, 1)
    played = Played(store, 20_000)
    played.turn()
    played.hear(TOPICS.ack("b1"), seq=1)
    assert played.events() == [1]
    assert "broker refused event: a packet of" in played.said[-1]


# ---------------------------------------------------------------- real brokers


@pytest.mark.broker
def test_a_broker_that_falls_silent_is_left(mosquitto: Mosquitto, store: Store) -> None:
    """It holds the connection and acknowledges nothing any more."""
    link = uplink(store, mosquitto.port)
    link.start()
    until(lambda: link.counters()["copies"] > 0, "connected")
    os.kill(mosquitto.pid, signal.SIGSTOP)
    try:
        record(store, 1)
        link.wake()
        until(lambda: link.state()[0] == "down", "left")
        assert "did not answer" in link.state()[1] or "stopped acknowledging" in link.state()[1]
    finally:
        os.kill(mosquitto.pid, signal.SIGCONT)
    until(lambda: link.state()[0] == "up" and link.counters()["connects"] > 1, "and found again")
    link.stop()


@pytest.mark.broker
def test_photos_that_a_dying_centre_took_come_again(mosquitto: Mosquitto, store: Store, tmp_path: Path) -> None:
    """Seen: 300 events with photos, the centre killed after it had acknowledged the events: 0 photos there, 300 counted
    as sent here, nothing ever sent again."""
    hashes = photographed(store, 12)
    dying = Watcher(mosquitto.port)
    word = {"online": True, "at": clock.wall_iso(), "instance": "dying", "evidence_ack": True}
    dying.link.publish(TOPICS.centre, json.dumps(word).encode(), retain=True)
    link = uplink(store, mosquitto.port)
    link.start()
    until(lambda: any(one.topic == TOPICS.event("b1") for one in dying.pull()), "the events come")
    dying.link.publish(TOPICS.centre, json.dumps({**word, "at": "2026-11-20T12:00:00Z"}).encode(), retain=True)
    dying.link.publish(TOPICS.ack("b1"), b'{"seq": 12}')
    until(lambda: sum("/evidence/" in one.topic for one in dying.pull()) >= 12, "and the photos")
    dying.link.close()
    assert set(states(store).values()) == {0}
    centre = Centre(mosquitto.port, tmp_path)
    until(lambda: set(states(store).values()) == {3}, "acknowledged at last", 60.0)
    there = {hashlib.sha256(path.read_bytes()).hexdigest() for path in (tmp_path / "central-evidence").glob("*.jpg")}
    assert there == set(hashes)
    link.stop()
    centre.stop()


@pytest.mark.broker
@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
@pytest.mark.parametrize("limit", ["max_packet_size", "message_size_limit"])
def test_a_broker_with_a_20_kb_limit_keeps_its_link_and_the_events_in_order(
    tmp_path: Path, store: Store, limit: str, protocol: str
) -> None:
    """A photo that is too large, a command meanwhile, a photo behind it."""
    if MOSQUITTO is None:
        pytest.skip("mosquitto is not installed")
    broker = Mosquitto(tmp_path, extra=f"allow_anonymous true\n{limit} 20000\n")
    broker.start()
    commands: list[bytes] = []
    large, small = *photographed(store, size=50_000), *photographed(store)
    centre = Centre(broker.port, tmp_path)
    link = uplink(store, broker.port, protocol=protocol, on_command=lambda *one: commands.append(one[1]))
    link.start()
    until(lambda: states(store)[small] == 3, "the photo behind it is there", 60.0)
    watcher = Watcher(broker.port, TOPICS.ack("b1"))
    watcher.link.publish(TOPICS.command("b1"), b"stop", expiry_s=2)
    until(lambda: commands == [b"stop"], "the command")
    record(store, 3)
    link.wake()
    until(lambda: store.unacknowledged("b1").waiting == 0, "the events")
    assert states(store)[large] in ((5,) if (protocol, limit) != ("3.1.1", "message_size_limit") else (0,))
    # The other two brokers hang up without a word why; after three times it is set aside there, too.
    assert link.counters()["connects"] == (1 if (protocol == "5") == (limit == "max_packet_size") else 4)
    assert [event["body"].get("code") for event in store.recent("b1") if event["kind"] == "alarm"] == (
        ["photos_aside"] if states(store)[large] == 5 else []
    )
    assert sorted(set(centre.seqs())) == list(range(1, max(centre.seqs()) + 1))
    link.stop()
    centre.stop()
    watcher.link.close()
    broker.stop()
