"""Presentation attacks: a plate on paper or on a screen, held before the camera, opens nothing by itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.config import LawConfig
from tests.lane.world import PLATE, World

GATES = ["yard_in", "yard_out"]


@pytest.mark.parametrize("gate", GATES)
def test_a_plate_without_a_vehicle_on_the_loop_opens_nothing(tmp_path: Path, gate: str) -> None:
    world = World(tmp_path, gate)
    world.declares_ready()
    world.barrier.now.inputs["presence"] = False  # type: ignore[index]
    for frame in range(20):
        world.run(world.reads(track=frame // 5 + 1), world.tick())
    assert world.barrier.offers == []
    world.close()


@pytest.mark.parametrize("gate", GATES)
def test_the_same_plate_on_a_vehicle_opens(tmp_path: Path, gate: str) -> None:
    world = World(tmp_path, gate)
    world.declares_ready()
    world.arrives()
    world.run(world.tick())
    assert len(world.barrier.offers) == 1
    world.close()


def test_a_replayed_video_after_the_passage_opens_nothing_again(tmp_path: Path) -> None:
    world = World(tmp_path, "yard_in")
    world.declares_ready()
    world.arrives()
    world.passes()
    assert len(world.barrier.offers) == 1
    for frame in range(20):
        world.run(world.reads(track=frame // 5 + 2), world.tick())
    world.run(world.notice("arrived"), world.reads(track=9), world.tick())
    assert len(world.barrier.offers) == 1
    world.close()


def test_two_plates_before_one_vehicle_are_left_to_a_guard(tmp_path: Path) -> None:
    """A declared plate held beside the one that is on the vehicle: both are sights of one passage."""
    world = World(tmp_path, "yard_in", LawConfig())
    world.declares_ready()
    world.run(world.notice("arrived"), world.reads("29C54321", track=1), world.reads(PLATE, track=2), world.tick())
    assert world.barrier.offers == []
    world.close()


def test_a_plate_that_few_frames_agree_on_opens_nothing(tmp_path: Path) -> None:
    """Motion blurs, a picture in a hand tilts: what the vote has not decided is never a match."""
    world = World(tmp_path, "yard_in")
    world.declares_ready()
    world.run(world.notice("arrived"), *(world.reads(decided=False) for _ in range(10)), world.tick())
    assert world.barrier.offers == []
    world.close()
