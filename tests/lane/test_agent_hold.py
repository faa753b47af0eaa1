"""What a restart of the gate process must not forget of the boom: who holds the lane, and what rose and is not down."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from edge.agent.lane import boom_memory
from firmware_io.safety import Memory
from tests.lane.world import GUARD, World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with closing(World(tmp_path)) as one:
        yield one


def test_a_held_lane_is_held_after_a_restart_and_says_since_when_and_by_whom(world: World) -> None:
    lane = world.config.id
    assert boom_memory.hold(world.store, lane) is None
    assert world.run(world.press("hold")).done
    note = boom_memory.hold(world.store, lane)
    assert note is not None
    assert (note.by, note) == (GUARD.id, world.actor.hold)
    assert world.run(world.press("release_hold")).done
    assert boom_memory.hold(world.store, lane) is None


def test_what_the_loop_remembers_of_an_opening_outlives_the_process(world: World) -> None:
    lane = world.config.id
    assert boom_memory.remembered(world.store, lane) == Memory()
    emergency = Memory("emergency", True, (2.35, 2.4))
    world.run(boom_memory.remember(world.store, lane, emergency))
    assert boom_memory.remembered(world.store, lane) == emergency
