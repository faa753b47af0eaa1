"""The ground that was seen: from the reader to the screen, the record and the verdict. Every plate here is invented."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from edge.config import LawConfig
from edge.panel.plate_look import look
from edge.vision.models import plate_table
from tests.lane.world import PLATE, World, reading
from tests.panel.views import plate_text

TABLE = plate_table()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with closing(World(tmp_path)) as one:
        yield one


@pytest.fixture
def smart(tmp_path: Path) -> Iterator[World]:
    with closing(World(tmp_path, law=LawConfig(smart_lane="on"), smart=True)) as one:
        yield one


async def reads(world: World, ground: str | None, text: str = PLATE) -> None:
    seen = reading(text, 1)
    plate = TABLE.read(text, "one_line", 0.99, ground)
    world.actor.on_reading(replace(seen, read=replace(seen.read, plate=plate)), b"photo", b"crop")


@pytest.mark.parametrize(
    ("text", "ground", "drawn"),
    [
        (PLATE, "yellow", "yellow"),
        (PLATE, "blue", "blue"),
        (PLATE, None, "white"),
        ("12LB00012", "yellow", "yellow_red"),
        ("桂F12345D", "green", "yellow_green"),
        ("桂FA1234", "blue", "blue"),
        ("12LB00012", "white", "white"),
    ],
)
def test_a_plate_is_drawn_on_the_ground_that_was_seen(text: str, ground: str | None, drawn: str) -> None:
    assert look(TABLE.read(text, "one_line", 0.99, ground)).ground == drawn


def test_a_plate_of_an_older_record_has_no_ground_and_is_drawn_as_its_kind_is() -> None:
    assert look(plate_text(PLATE, kind="vn_vehicle", country="VN")).ground == "white"


@pytest.mark.parametrize(
    ("text", "ground", "odd"),
    [(PLATE, "yellow", False), (PLATE, None, False), (PLATE, "green", True), ("AB1234", "white", True)],
)
def test_a_ground_that_no_plate_of_the_kind_has_is_odd(text: str, ground: str | None, odd: bool) -> None:
    plate = TABLE.read(text, "one_line", 0.99, ground)
    assert (plate.ground, plate.ground_odd) == (ground, odd)


def test_the_ground_stands_on_the_screen_and_in_the_record(world: World) -> None:
    world.declares_ready()
    world.run(world.notice("arrived"), reads(world, "yellow"))
    assert world.passage()["plates"][0]["ground"] == "yellow"
    assert world.codes() == ["guard_opens"]
    bodies = [event["body"] for event in world.events()]
    assert {body["plates"][0]["ground"] for body in bodies if body.get("plates")} == {"yellow"}


def test_an_odd_ground_is_a_reason_to_look_before_a_press_counts(world: World) -> None:
    world.declares_ready()
    world.run(world.notice("arrived"), reads(world, "green"))
    assert "plate_ground" in world.codes()
    assert world.passage()["needs_check"]
    assert world.run(world.press("confirm")).code == "look_needed"
    assert world.run(world.press("confirm", value="checked")).done
    (event,) = world.events("confirmation")
    assert event["body"]["looked_at"] == [PLATE]
    assert event["body"]["who"]["odd_grounds"] == [PLATE]


def test_a_smart_lane_stays_shut_for_an_odd_ground_and_says_so(smart: World) -> None:
    smart.declares_ready()
    smart.run(smart.notice("arrived"), reads(smart, "green"))
    assert smart.barrier.offers == []
    (shut,) = [event["body"] for event in smart.events("refusal") if event["body"]["stage"] == "stays_shut"]
    assert (shut["code"], shut["detail"]) == ("note_outstanding", "plate_ground")


def test_a_smart_lane_opens_for_a_lawful_ground(smart: World) -> None:
    smart.declares_ready()
    smart.run(smart.notice("arrived"), reads(smart, "yellow"))
    assert len(smart.barrier.offers) == 1
