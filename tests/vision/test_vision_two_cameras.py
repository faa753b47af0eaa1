"""Front and rear camera of one lane on the real agent: a tractor and its trailer are one passage with two plates."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edge.demo.camera import cut
from firmware_io.sim_world import SimVehicle
from tests.harness.bench.guarded_lane import House, house
from tests.vision.world import SAMPLES

FRONT, REAR = "b1-out-tractor-front", "b1-out-tractor-rear"
WITHIN_S = 120.0
GROUP_S = 0.96

pytestmark = [pytest.mark.vision, pytest.mark.slow]


def standing(clip: str, into: Path) -> str:
    """The part of the clip in which its vehicle stands, played in a loop from the next round on; its plate."""
    passage = json.loads((SAMPLES / f"{clip}.expected.json").read_text(encoding="utf-8"))["passages"][0]
    first = -(-passage["stands_s"][0] // GROUP_S) * GROUP_S
    staged = into.with_suffix(".staged.mp4")
    cut(SAMPLES / f"{clip}.mp4", staged, first, first + GROUP_S)
    staged.replace(into)
    return str(passage["plate"])


def wait(one: House, condition: Callable[[dict[str, Any]], bool], what: str) -> dict[str, Any]:
    deadline_s = time.monotonic() + WITHIN_S
    while not condition(passage := one.passage()):
        assert time.monotonic() < deadline_s, f"{what}: {passage.get('plates')}"
        time.sleep(0.1)
    return passage


def decided(passage: dict[str, Any]) -> set[str]:
    return {plate["text"] for plate in passage.get("plates", ()) if plate["decided"]}


def test_tractor_and_trailer_are_one_passage(tmp_path: Path) -> None:
    with house(tmp_path, [FRONT, REAR]) as one:
        tractor = standing(FRONT, tmp_path / "video" / f"{one.name}.mp4")
        trailer = standing(REAR, tmp_path / "video" / f"{one.name}-1.mp4")
        one.lane.world.arrive(SimVehicle())
        passage = wait(one, lambda seen: decided(seen) >= {tractor, trailer}, "both plates in one passage")
        first = passage["id"]
        assert decided(passage) == {tractor, trailer}
        cameras = {camera["id"]: camera["state"] for camera in one.view()["cameras"]}
        assert list(cameras.values()) == ["up", "up"]
        # Both go on being read: nothing of it begins another passage while the vehicle stands.
        until_s = time.monotonic() + 3 * GROUP_S
        while time.monotonic() < until_s:
            assert one.passage()["id"] == first
            time.sleep(0.2)
        assert decided(one.passage()) == {tractor, trailer}
