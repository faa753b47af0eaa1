"""No step of a clock erases a record: housekeeping's time follows the monotonic clock."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.clock import ClockState
from edge.store import Clocks, Store
from tests.record.world import open_store, record

DAY_S = 86_400
BEGAN_MS = 1_795_140_000_000


class World:
    """A gate that keeps what the centre has for 30 days, 50 acknowledged events on it."""

    def __init__(self, folder: Path) -> None:
        self.wall_s, self.mono_s, self.boot, self.folder = 0.0, 1_000.0, "one", folder
        self.state: ClockState = "synced"
        self.store = self.open()
        record(self.store, 50)
        self.store.acknowledge("b1", 50)
        self.store.prune()

    def open(self) -> Store:
        clocks = Clocks(
            wall_ms=lambda: BEGAN_MS + int(self.wall_s * 1000),
            mono_ns=lambda: int(self.mono_s * 1e9),
            state=lambda: self.state,
            boot_id=self.boot,
        )
        return open_store(self.folder, clocks=clocks, keep_acknowledged_s=30 * DAY_S)

    def go_on(self, seconds: float, step_s: float = 0.0) -> int:
        """How many events the next look at the clock deletes."""
        self.wall_s, self.mono_s = self.wall_s + seconds + step_s, self.mono_s + seconds
        marked = self.store.prune()
        self.store.acknowledge("b1", 50)
        return marked + self.store.prune()

    def restart(self) -> None:
        self.store.close()
        self.boot, self.mono_s = self.boot + "+", 5.0
        self.store = self.open()


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.mark.parametrize("days", [-1, 31, 365])
def test_a_clock_that_is_wrong_for_a_minute_deletes_nothing(world: World, days: int) -> None:
    assert world.go_on(60, days * DAY_S) == 0
    assert world.go_on(10) == 0
    assert world.go_on(60, -days * DAY_S) == 0
    world.restart()
    assert world.go_on(60) == 0
    world.store.close()


def test_a_clock_that_is_wrong_from_the_start_of_the_machine_deletes_nothing(world: World) -> None:
    for _ in range(5):
        world.restart()
        assert world.go_on(60, 100 * DAY_S) == 0
    world.store.close()


def test_an_untrusted_clock_deletes_nothing(world: World) -> None:
    world.state = "holdover"
    assert world.go_on(31 * DAY_S) == 0
    world.state = "synced"
    assert world.go_on(60) == 0, "it makes up for that time slowly"
    world.store.close()


def test_what_is_really_old_goes(world: World) -> None:
    assert sum(world.go_on(DAY_S) for _ in range(29)) == 0
    assert sum(world.go_on(DAY_S) for _ in range(3)) == 50
    world.store.close()


def test_a_machine_that_was_off_makes_up_for_it(world: World) -> None:
    world.store.close()
    world.wall_s += 20 * DAY_S
    world.boot, world.mono_s = "two", 5.0
    world.store = world.open()
    assert sum(world.go_on(DAY_S) for _ in range(12)) == 0
    assert sum(world.go_on(DAY_S) for _ in range(5)) == 50
    world.store.close()
