"""Commands have a connection of their own: what stands before them on the uplink's does not hold them up."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from edge.errors import BadMessageError
from edge.store import Store, StoreInbox
from edge.uplink.connection import LinkError
from edge.uplink.mqtt import Uplink
from tests.record.world import FAST, SITE, mqtt, open_store, payload
from tests.uplink.brokers import Broker, broker, until
from tests.uplink.test_uplink_session import TOPICS, Watcher

__all__ = ["broker"]
pytestmark = pytest.mark.broker


class Slow(StoreInbox):
    """Takes no declaration before `go`."""

    def __init__(self, store: Store) -> None:
        super().__init__(store, self.take)
        self.go, self.stuck = threading.Event(), threading.Event()
        self.commands: queue.Queue[tuple[str, bytes, bool]] = queue.Queue()

    def take(self, lane: str, content: bytes, retained: bool) -> None:
        if content == b"rubbish":
            raise BadMessageError("command: no JSON")
        self.commands.put((lane, content, retained))

    def declaration(self, declaration_id: str, payload: bytes) -> bool:
        self.stuck.set()
        assert self.go.wait(60)
        return super().declaration(declaration_id, payload)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(open_store(tmp_path / "gate", lanes=("b1", "b2"))) as one:
        yield one


def test_a_command_overtakes_every_declaration_that_is_still_to_come(broker: Broker, store: Store) -> None:
    inbox, watcher = Slow(store), Watcher(broker.port)
    link = Uplink(SITE, mqtt(broker.port), store, inbox, lambda lane: {}, pace=FAST)
    link.start()
    until(lambda: link._parts.commands_apart, "commands apart")
    for number in range(20):
        watcher.link.publish(TOPICS.declaration(f"N-{number}"), payload(f"N-{number}"))
    assert inbox.stuck.wait(30)
    watcher.link.publish(TOPICS.command("b2"), b"stop", expiry_s=2)
    assert inbox.commands.get(timeout=30) == ("b2", b"stop", False)
    assert not inbox.go.is_set(), "while the first declaration was still being taken"
    watcher.link.publish(TOPICS.command("b1"), b"rubbish", expiry_s=2)
    until(lambda: any(TOPICS.refused("b1") == one.topic for one in watcher.pull()), "the centre hears of a bad one")
    inbox.go.set()
    until(lambda: store.declaration("N-19") is not None, "and everything else is taken")
    assert inbox.commands.empty(), "once, not by both connections"
    assert store.set_aside_count() == 1
    link.stop()
    watcher.link.close()


def test_where_they_get_no_connection_of_their_own_they_come_with_everything_else(
    broker: Broker, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise LinkError("broker refused: Not authorized", refused=True)

    monkeypatch.setattr(Uplink, "_open_commands", refused)
    inbox, watcher = Slow(store), Watcher(broker.port)
    inbox.go.set()
    link = Uplink(SITE, mqtt(broker.port), store, inbox, lambda lane: {}, pace=FAST)
    link.start()
    until(lambda: link.state()[0] == "up", "up")
    watcher.link.publish(TOPICS.command("b1"), b"stop", expiry_s=2)
    assert inbox.commands.get(timeout=30) == ("b1", b"stop", False)
    link.stop()
    watcher.link.close()
