"""A large copy arrives in one subscribe, quickly: what comes again by itself does not wait for the disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.store import Store
from edge.uplink.connection import Link, LinkSettings
from edge.uplink.mailbox import Connected, Mailbox, Published
from edge.uplink.topics import Topics
from tests.harness.bench import store as bench_store
from tests.harness.bench import uplink as bench_uplink
from tests.record.world import SITE, open_store, uplink
from tests.uplink.brokers import MOSQUITTO, Mosquitto, until

pytestmark = pytest.mark.broker
DECLARATIONS = 3_000


def publish_all(port: int) -> None:
    mailbox, topics = Mailbox(), Topics(SITE)
    link = Link(LinkSettings("127.0.0.1", port, "publisher"), "5", mailbox)
    link.open()
    until(lambda: isinstance(mailbox.take(0.1), Connected), "publisher connected")
    left = 0
    for number in range(DECLARATIONS):
        link.publish(topics.declaration(f"D-{number}"), bench_store.declaration(number), retain=True)
        left += 1
        while left >= 20:
            left -= isinstance(mailbox.take(5.0), Published)
    link.publish(topics.watchlist, b"[]", retain=True)
    left += 1
    while left:
        left -= isinstance(mailbox.take(5.0), Published)
    link.close()


@pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed")
def test_thousands_of_retained_declarations_are_one_complete_copy(tmp_path: Path) -> None:
    broker = Mosquitto(tmp_path, autosave=False)
    broker.start()
    publish_all(broker.port)
    store = open_store(tmp_path / "gate")
    link = uplink(store, broker.port)
    link.start()
    until(lambda: store.copy_seen_at() is not None, "the copy is complete", 60.0)
    numbers = (0, DECLARATIONS // 2, DECLARATIONS - 1)
    assert all(store.declaration(f"D-{number}") is not None for number in numbers)
    assert store.set_aside_count() == 0
    link.stop()
    store.close()
    broker.stop()


def test_what_came_with_the_copy_waits_for_no_fsync_but_the_complete_copy_does(
    tmp_path: Path,
) -> None:
    store = open_store(tmp_path)
    modes: list[int] = []

    def mode() -> int:
        return int(store._db.execute("PRAGMA synchronous").fetchone()[0])

    for act in (store.begin_copy, lambda: store.put_declaration("D-1", bench_store.declaration(1))):
        act()
        modes.append(mode())
    store.mark_copy_complete()
    modes.append(mode())
    store.set_aside("t", b"x", "why")
    with store.transaction("b1") as tx:
        tx.event("passage", {})
    modes.append(mode())
    assert modes == [1, 1, 2, 2], "1: NORMAL, 2: FULL"
    store.close()


def test_the_drain_bench_really_drains_in_order(tmp_path: Path) -> None:
    found = list(bench_uplink.figures(400))
    assert [one["figure"] for one in found] == [
        "uplink.drain_vs_plain_publish_ratio",
        "uplink.decision_while_draining_ratio",
    ]
    assert all(one["value"] > 0 for one in found)


def test_the_store_bench_gives_its_figures() -> None:
    found = list(bench_store.figures(20, 200))
    names = [one["figure"] for one in found]
    assert names[0] == bench_store.RATIO
    assert names[-1] == "store.lookup_ms_p99"


def test_sending_gives_way_to_a_decision(tmp_path: Path) -> None:
    store: Store = open_store(tmp_path)
    with store.transaction("b1") as tx:
        tx.event("passage", {})
        assert store.pending("b1", 0, 10) == [], "waited a moment, and saw nothing that is not on disk"
    assert len(store.pending("b1", 0, 10)) == 1
    store.close()
