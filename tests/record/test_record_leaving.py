"""What the centre has leaves the record slowly, counted, no more than a day's cap, and only once the centre has said
twice that it has it."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.errors import StoreError
from edge.store import Clocks, Store, leaving
from tests.record.world import open_store, record

DAY_MS = leaving.DAY_MS
BEGAN_MS = 1_795_140_000_000


class World:
    """A gate that keeps what the centre has for ten days. Both clocks go on together unless a test says otherwise."""

    def __init__(self, folder: Path) -> None:
        self.wall_ms, self.mono_ms, self.folder = BEGAN_MS, 1_000_000, folder
        self.store = self.open()

    def open(self) -> Store:
        clocks = Clocks(
            wall_ms=lambda: self.wall_ms, mono_ns=lambda: self.mono_ms * 10**6, state=lambda: "synced", boot_id="one"
        )
        return open_store(self.folder, clocks=clocks, keep_acknowledged_s=10 * 86_400)

    def later(self, ms: int) -> None:
        self.wall_ms, self.mono_ms = self.wall_ms + ms, self.mono_ms + ms

    def here(self) -> int:
        return len(self.store.recent("b1", 100_000))


@pytest.fixture
def world(tmp_path: Path) -> World:
    one = World(tmp_path)
    record(one.store, 20)
    one.store.acknowledge("b1", 20)
    one.store.prune()
    one.later(11 * DAY_MS)
    return one


def test_nothing_goes_on_one_acknowledgement(world: World) -> None:
    assert [world.store.prune() for _ in range(5)] == [0] * 5
    world.store.acknowledge("b1", 20)
    assert world.store.prune() == 20
    assert world.store.verify() == []
    world.store.close()


def test_an_acknowledgement_that_does_not_cover_what_is_marked_lets_nothing_go(world: World) -> None:
    world.store.prune()
    world.store.acknowledge("b1", 19)
    assert [world.store.prune() for _ in range(3)] == [0] * 3
    world.store.close()


def test_the_mark_outlives_a_restart_and_so_does_the_second_word(world: World) -> None:
    world.store.prune()
    world.store.acknowledge("b1", 20)
    world.store.close()
    world.store = world.open()
    assert world.store.prune() == 20
    world.store.close()


def test_a_centre_that_went_back_gets_again_what_was_marked(world: World) -> None:
    world.store.prune()
    world.store.acknowledge("b1", 20)
    assert world.store.go_back("b1", 0) == 0
    world.store.acknowledge("b1", 20)
    assert world.store.prune() == 0, "marked anew"
    assert world.here() == 20
    world.store.close()


def test_a_fork_keeps_what_was_marked(world: World) -> None:
    world.store.prune()
    world.store.acknowledge("b1", 20)
    world.store.forked("b1", 500, "0" * 64)
    assert world.store.prune() == 0
    assert world.here() > 20
    world.store.close()


def test_longer_limits_keep_what_was_marked(world: World) -> None:
    world.store.prune()
    world.store.acknowledge("b1", 20)
    world.store.keep(30 * 86_400, 20_000)
    assert world.store.prune() == 0
    assert world.store.notes(leaving.LEAVING) == {}
    assert world.here() == 20
    world.store.close()


def test_a_day_takes_no_more_than_its_cap_and_little_by_little(tmp_path: Path) -> None:
    world = World(tmp_path)
    store = world.store
    with store._writing("many") as connection:
        tx = store._transaction(connection, "b1")
        for number in range(leaving.LEAST_EVENTS + 900):
            tx.event("passage", {"number": number})
    count = leaving.LEAST_EVENTS + 900
    store.acknowledge("b1", count)
    store.prune()
    for _ in range(12):
        world.later(DAY_MS)
        store.prune()
    store.acknowledge("b1", count)
    went = [store.prune() for _ in range(8)]
    assert max(went) == leaving.EVENTS_TOGETHER
    assert sum(went) == leaving.LEAST_EVENTS
    assert store.notes(leaving.CAP)["cap"]["reached"] is True
    world.wall_ms += 300 * DAY_MS
    assert sum(store.prune() for _ in range(3)) == 0, "no step of a clock makes it another day"
    world.wall_ms -= 300 * DAY_MS
    world.later(DAY_MS)
    assert sum(store.prune() for _ in range(4)) == 900
    assert store.verify() == []
    store.close()


def test_a_busy_gate_lets_go_twice_what_comes(tmp_path: Path) -> None:
    """Whatever the site's limits, a record that is full of days keeps its size."""
    world = World(tmp_path)
    with world.store._writing("cap") as connection:
        leaving.cap(connection, world.wall_ms).keep(connection)
        connection.execute("UPDATE lane SET next_seq = next_seq + 9000")
        assert leaving.cap(connection, world.wall_ms + DAY_MS).events == 18_000
        connection.execute("UPDATE lane SET next_seq = 1")
    world.store.close()


def test_a_budget_that_was_mistyped_costs_a_days_cap_of_photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leaving, "LEAST_PHOTOS", 7)
    monkeypatch.setattr(leaving, "PHOTOS_TOGETHER", 3)
    world = World(tmp_path)
    for number in range(30):
        photo = world.store.stage_evidence(bytes(100_000))
        with world.store.transaction("b1") as tx:
            tx.event("passage", {"number": number}, photos=[photo])
    world.store.prune()
    world.later(2 * DAY_MS)
    world.store.keep(10 * 86_400, 1)
    left = []
    for _ in range(5):
        world.store.prune()
        left.append(len(list((tmp_path / "evidence").glob("*/*.jpg"))))
    assert left == [27, 24, 23, 23, 23]
    world.store.close()


def test_a_press_made_under_a_clock_of_long_ago_is_done_once_all_the_same(world: World) -> None:
    """Its answer was labelled 2020, and what is a week old is forgotten."""
    world.store.prune()
    world.wall_ms -= 6 * 365 * DAY_MS
    with world.store.transaction("b1") as tx:
        tx.action("press/b1/1", {"code": "done"})
    world.wall_ms += 6 * 365 * DAY_MS
    world.store.prune()
    assert world.store.action("press/b1/1") is not None
    with pytest.raises(StoreError, match="done already"), world.store.transaction("b1") as tx:
        tx.action("press/b1/1", {"code": "done"})
    world.store.close()


def test_a_clock_of_long_ago_that_nobody_trusts_does_not_turn_housekeeping_back(tmp_path: Path) -> None:
    """A PC without a battery for its clock starts in 2020 until it hears the time: what is old stays as old."""
    world = World(tmp_path)
    state = ["synced"]
    clocks = Clocks(wall_ms=lambda: world.wall_ms, mono_ns=lambda: world.mono_ms * 10**6, boot_id="one",
                    state=lambda: state[0])  # type: ignore[arg-type,return-value]  # fmt: skip
    world.store.close()
    store = open_store(tmp_path, clocks=clocks, keep_acknowledged_s=10 * 86_400)
    store.prune()
    before = store.notes("patient")["clock"]["ms"]
    state[0], world.wall_ms = "unset", world.wall_ms - 6 * 365 * DAY_MS
    store.prune()
    assert store.notes("patient")["clock"]["ms"] == before
    store.close()
