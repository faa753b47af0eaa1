"""Whether the centre, and not only its broker, is there: what it says on its own topic, what the gate makes of it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from edge.core.instant import instant
from edge.errors import BadMessageError
from edge.store import Store
from edge.uplink.liveness import GONE_S, CentreWatch
from edge.uplink.topics import Topics
from edge.wire import CentreWord, parse_centre
from tests.record.world import FAST, SITE, Centre, open_store, payload, record, uplink
from tests.uplink.brokers import Mosquitto, mosquitto, until
from tests.uplink.test_uplink_session import Watcher

__all__ = ["mosquitto"]
TOPICS = Topics(SITE)
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
NOW = instant(NOON)


def word(at_s: float, *, online: bool = True, instance: str = "a") -> CentreWord:
    return CentreWord(online=online, at=(NOON + timedelta(seconds=at_s)).isoformat(), instance=instance)


# ---------------------------------------------------------------- the watch, pure


def test_a_centre_that_never_said_a_word_is_one_that_does_not_tell() -> None:
    assert CentreWatch().reach(0.0) == "untold"
    assert CentreWatch(tells=True).reach(0.0) == "gone", "the record knows that it tells"


def test_a_centre_that_falls_silent_is_missed_within_45_s() -> None:
    watch = CentreWatch()
    watch.heard(word(0), 100.0, NOW)
    watch.heard(word(15), 115.0, NOW)
    assert watch.reach(115.0 + GONE_S - 0.1) == "reached"
    assert watch.reach(115.0 + GONE_S) == "gone"
    assert GONE_S < 45.0
    assert watch.last_s == 115.0


def test_what_the_broker_kept_of_a_centre_that_is_gone_is_no_sign_of_life() -> None:
    watch = CentreWatch()
    watch.heard(word(-3600), 100.0, NOW)
    assert (watch.reach(100.0), watch.last_s) == ("gone", None)
    watch.heard(word(-3600), 101.0, NOW)  # a bridge hands it on once more
    assert watch.reach(101.0) == "gone"
    watch.heard(word(-3585), 115.0, NOW)  # its clock is an hour behind, but it speaks
    assert watch.reach(115.0) == "reached"


def test_with_a_clock_that_is_not_trusted_only_a_second_word_counts() -> None:
    watch = CentreWatch()
    watch.heard(word(0), 100.0, None)
    assert watch.reach(100.0) == "gone"
    watch.heard(word(15), 115.0, None)
    assert watch.reach(115.0) == "reached"


def test_a_first_word_is_as_old_as_it_says() -> None:
    watch = CentreWatch()
    watch.heard(word(-30), 100.0, NOW)
    assert watch.reach(100.0) == "reached"
    assert watch.reach(111.0) == "gone"


def test_one_of_two_instances_may_go() -> None:
    watch = CentreWatch()
    watch.heard(word(0, instance="a"), 100.0, NOW)
    watch.heard(word(0, instance="b"), 101.0, NOW)
    watch.heard(word(2, instance="a", online=False), 102.0, NOW)
    assert watch.reach(102.0) == "reached"
    watch.heard(word(3, instance="b", online=False), 103.0, NOW)
    assert (watch.reach(103.0), watch.last_s) == ("gone", 101.0)


def test_any_number_of_instances_is_remembered_in_little_room() -> None:
    watch = CentreWatch()
    for number in range(1000):
        watch.heard(word(number / 10, instance=str(number)), 100.0, NOW)
    assert len(watch._said) <= 16
    assert watch.reach(100.0) == "reached"


@pytest.mark.parametrize("bad", [b"{", b"[]", b'{"online": 1, "at": "2026-11-20T12:00:00Z"}', b'{"online": true}'])
def test_a_word_that_says_nothing_is_set_aside(bad: bytes) -> None:
    with pytest.raises(BadMessageError, match="centre"):
        parse_centre(bad)


# ---------------------------------------------------------------- a gate and its broker


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(open_store(tmp_path / "gate")) as one:
        yield one


class CentreProcess:
    """`barie central`, to be killed."""

    def __init__(self, port: int, folder: Path) -> None:
        command = [sys.executable, "-m", "edge", "central", "--broker", f"127.0.0.1:{port}", "--site", SITE]
        self.process = subprocess.Popen([*command, "--db", str(folder / "c.db")], stdout=subprocess.DEVNULL)

    def kill(self) -> None:
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()


@pytest.mark.broker
def test_a_centre_that_dies_behind_its_broker_is_gone_and_the_copy_grows_old(
    mosquitto: Mosquitto, tmp_path: Path, store: Store
) -> None:
    """Seen: centre dead, broker alive: `link: up`, `copy_age_s: 0.0`, no alarm."""
    store.put_declaration("CKS-1", payload())
    centre = CentreProcess(mosquitto.port, tmp_path)
    link = uplink(store, mosquitto.port)
    link.start()
    until(lambda: link.reach() == "reached" and link.copied(), "the centre is reached")
    assert link.state() == ("up", "")
    record(store, 3)
    link.wake()
    until(lambda: store.unacknowledged("b1").waiting == 0, "acknowledged")
    centre.kill()
    until(lambda: link.state()[0] == "broker", "the centre's last will is heard")
    heard_s = link.heard_s()
    assert not link.copied()
    record(store, 2)
    link.wake()
    centre = CentreProcess(mosquitto.port, tmp_path)
    until(lambda: link.state()[0] == "up" and link.copied(), "it is back")
    assert heard_s is not None
    assert (link.heard_s() or 0.0) > heard_s
    until(lambda: store.unacknowledged("b1").waiting == 0, "what waited for it is there")
    centre.kill()
    link.stop()


@pytest.mark.broker
def test_a_centre_that_only_falls_silent_is_gone_after_its_time(mosquitto: Mosquitto, store: Store) -> None:
    """Frozen, or its broker behind a bridge cut off: there is no last will then."""
    centre = Watcher(mosquitto.port)
    link = uplink(store, mosquitto.port, pace={"gone_s": 1.0})
    link.start()
    speak(centre, 0)
    until(lambda: link.counters()["copies"] > 0, "subscribed")
    speak(centre, 1)
    until(lambda: link.state()[0] == "up" and link.reach() == "reached", "reached")
    until(lambda: link.state()[0] == "broker", "gone")
    speak(centre, 2)
    until(lambda: link.state()[0] == "up", "and back")
    link.stop()
    centre.link.close()


def speak(centre: Watcher, at_s: int, *, online: bool = True) -> None:
    said = {"online": online, "at": (NOON + timedelta(seconds=at_s)).isoformat(), "instance": "x"}
    centre.link.publish(TOPICS.centre, json.dumps(said).encode(), retain=True)
    centre.pull()


@pytest.mark.broker
def test_a_gate_that_starts_while_its_centre_is_gone_does_not_call_its_copy_fresh(
    mosquitto: Mosquitto, store: Store
) -> None:
    """Seen on the way: everything retained was seen, so the copy counted as new, hours after the centre had died."""
    centre = Watcher(mosquitto.port)
    speak(centre, 0, online=False)
    centre.link.publish(TOPICS.declaration("CKS-1"), payload(), retain=True)
    centre.link.publish(TOPICS.watchlist, b'{"plates": []}', retain=True)
    until(lambda: len(centre.pull()) == 3, "all published")
    link = uplink(store, mosquitto.port)
    link.start()
    until(lambda: link.counters()["copies"] == 1, "everything retained was seen")
    assert store.declaration("CKS-1") is not None
    assert store.copy_age_s() is None
    assert (link.state()[0], link.copied()) == ("broker", False)
    speak(centre, 1)
    until(lambda: store.copy_age_s() is not None, "fresh with its word")
    assert link.copied()
    link.stop()
    centre.link.close()


@pytest.mark.broker
def test_a_gate_remembers_that_its_centre_tells_over_a_restart_and_a_wiped_broker(
    mosquitto: Mosquitto, store: Store
) -> None:
    centre = Watcher(mosquitto.port)
    speak(centre, 0)
    link = uplink(store, mosquitto.port)
    link.start()
    until(store.centre_tells, "remembered")
    link.stop()
    mosquitto.kill(wipe=True)
    mosquitto.start()
    again = uplink(store, mosquitto.port)
    again.start()
    until(lambda: again.state()[0] == "broker", "a broker, and nobody behind it")
    other = Watcher(mosquitto.port)
    other.link.publish(TOPICS.centre, b"", retain=True)
    until(lambda: again.state()[0] == "up", "an older centre has taken over")
    assert (again.reach(), store.centre_tells()) == ("untold", False)
    again.stop()
    centre.link.close()
    other.link.close()


@pytest.mark.broker
def test_an_older_centre_is_as_it_was(mosquitto: Mosquitto, store: Store) -> None:
    link = uplink(store, mosquitto.port)
    link.start()
    until(lambda: link.state()[0] == "up" and link.copied(), "up")
    assert (link.reach(), link.heard_s()) == ("untold", None)
    link.stop()


@pytest.mark.broker
def test_the_stand_in_says_that_it_is_there_and_that_it_goes(mosquitto: Mosquitto, tmp_path: Path) -> None:
    centre = Centre(mosquitto.port, tmp_path)
    watcher = Watcher(mosquitto.port)
    until(lambda: watcher.last(TOPICS.centre).get("online") is True, "there")
    centre.stop()
    until(lambda: watcher.last(TOPICS.centre).get("online") is False, "gone")
    watcher.link.close()


def test_the_pace_of_the_tests_is_that_of_a_gate_where_it_matters() -> None:
    assert FAST.gone_s == GONE_S
