"""An emergency at the agent: the boom is asked up with nobody there, under a name and a reason, and stays up."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edge.core.record.history import fold
from tests.lane.world import GUARD, World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with closing(World(tmp_path)) as one:
        yield one


def test_in_an_emergency_the_boom_is_asked_up_with_nobody_there_under_a_name_and_a_reason(world: World) -> None:
    world.barrier.now = replace(world.barrier.now, inputs={"presence": False})
    assert "emergency_open" in world.view()["actions"]
    assert world.run(world.press("emergency_open")).code == "reason_needed"
    assert world.barrier.offers == []
    answer = world.run(world.press("emergency_open", reason="people", words="cháy kho 2"))
    assert (answer.done, answer.code) == (True, "emergency_opened")
    (permit,) = world.barrier.offers
    assert permit.emergency
    (event,) = world.events("override")
    said = {key: event["body"][key] for key in ("stage", "reason", "words", "by", "role", "permit")}
    assert said == {
        "stage": "emergency",
        "reason": "people",
        "words": "cháy kho 2",
        "by": GUARD.id,
        "role": GUARD.role,
        "permit": permit.serial,
    }


def test_an_ordinary_opening_is_no_emergency(world: World) -> None:
    world.declares_ready()
    world.arrives()
    assert world.run(world.press("confirm")).done
    assert not world.barrier.offers[0].emergency


@pytest.mark.parametrize(
    ("boom", "code"),
    [({"faults": ("tamper",)}, "boom_fault"), ({"held": True}, "held_shut"), ({"board_ok": False}, "board_down")],
)
def test_an_emergency_that_the_barrier_would_refuse_is_told_and_not_recorded(
    world: World, boom: dict[str, Any], code: str
) -> None:
    world.barrier.now = replace(world.barrier.now, **boom)
    assert world.run(world.press("emergency_open", reason="people")).code == code
    assert world.events("override") == []
    assert world.barrier.offers == []


def test_while_the_boom_is_up_for_an_emergency_no_vehicle_is_let_through_by_a_press(world: World) -> None:
    world.declares_ready()
    world.arrives()
    world.barrier.now = replace(world.barrier.now, boom="open", cause="emergency")
    assert "confirm" not in world.passage()["actions"]
    assert world.run(world.press("confirm")).code == "emergency_stands"
    assert not world.actor.would_accept(), "nor by the system itself"


def test_a_boom_that_does_not_come_down_when_asked_says_why_until_it_moves(world: World) -> None:
    assert world.run(world.press("close")).done
    world.run(world.notice("lower_refused", "lane_not_clear"))
    assert world.view()["not_lowered"] == "lane_not_clear"
    assert [e["body"]["code"] for e in world.events("barrier") if e["body"]["stage"] == "lower_refused"] == [
        "lane_not_clear"
    ]
    assert world.run(world.press("close")).done
    assert world.view()["not_lowered"] == "", "asked anew"
    world.run(world.notice("lower_refused", "lane_not_clear"), world.notice("lowering"))
    assert world.view()["not_lowered"] == ""


def test_a_vehicle_that_goes_through_in_an_emergency_is_on_record_with_its_reason(world: World) -> None:
    world.arrives()
    assert world.run(world.press("emergency_open", reason="ambulance")).done
    world.passes()
    passage = world.events("override")[0]["body"]["passage"]
    mine = [event for event in world.events() if event["body"].get("passage") == passage]
    row = None
    for event in mine:
        row = fold(row, event)
    assert row is not None
    assert (row.how, row.reason, row.outcome) == ("overridden", "emergency", "through")
