"""A plate's reading says whether the plate was seen whole, whatever the weights are."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest

from edge.core.model import Country, PlateRead, PlateText, Point
from edge.core.plate.wholeness import may_be_longer, within
from edge.ports import Detection, Image
from edge.vision.weights import FOLDER
from edge.vision.wholeness import Ends, WholeReader

cuts, testworld = (importlib.import_module(f"models.tools.{name}") for name in ("cuts", "testworld"))
WORLD = (1,)
"""Passages whose nearest picture is stated surely."""

Quad = tuple[Point, Point, Point, Point]


def quad(x1: float, y1: float, x2: float, y2: float) -> Quad:
    return (x1, y1), (x2, y1), (x2, y2), (x1, y2)


@pytest.mark.parametrize(
    ("corners", "inside"),
    [
        (quad(100, 100, 200, 130), True),
        (quad(0.5, 100, 100, 130), False),
        (quad(560, 100, 640, 130), False),
        (quad(560, 100, 639, 130), False),
        (quad(560, 100, 645, 130), False),
        (quad(100, 0, 200, 30), False),
        (quad(100, 332, 200, 360), False),
        (quad(10, 10, 630, 350), False),
        (((100, 100), (638.9, 90), (600, 130), (100, 130)), False),
    ],
)
def test_a_plate_that_touches_the_edge_of_the_picture_is_not_whole(corners: Quad, inside: bool) -> None:
    assert within(corners, (0, 0, 640, 360)) is inside


class Says:
    """A reader that reads the same text at every place."""

    def read(self, image: Image, detections: Sequence[Detection]) -> list[PlateRead | None]:
        plate = PlateText("12C12345", "12C12345", 0.99, "VN", "vn_vehicle", "one_line")
        return [PlateRead(plate, (0, 0, 1, 1), detection.corners) for detection in detections]


@dataclass
class Sees:
    """A judge that says the same of every plate."""

    yes: bool

    def whole(self, image: Image, reads: Sequence[PlateRead]) -> list[bool]:
        return [self.yes] * len(reads)


INSIDE, ACROSS = quad(100, 100, 200, 130), quad(590, 100, 640, 130)


@pytest.mark.parametrize(
    ("corners", "judge", "whole"),
    [
        (INSIDE, Sees(yes=True), True),
        (INSIDE, Sees(yes=False), False),
        (ACROSS, Sees(yes=True), False),
    ],
)
def test_a_plate_is_whole_where_picture_and_judge_both_say_so(corners: Quad, judge: Sees, whole: bool) -> None:
    picture = np.zeros((360, 640, 3), np.uint8)
    (bare,) = Says().read(picture, [Detection(corners, 0.9)])
    assert bare is not None
    assert not bare.whole  # nobody looked yet
    (read,) = WholeReader(Says(), judge).read(picture, [Detection(corners, 0.9)])
    assert read is not None
    assert read.whole is whole


def test_places_without_a_text_keep_their_order() -> None:
    class Some(Says):
        def read(self, image: Image, detections: Sequence[Detection]) -> list[PlateRead | None]:
            found = super().read(image, detections)
            return [None, *found[1:]]

    picture = np.zeros((360, 640, 3), np.uint8)
    reads = WholeReader(Some(), Sees(yes=True)).read(picture, [Detection(INSIDE, 0.9), Detection(INSIDE, 0.9)])
    assert [read and read.whole for read in reads] == [None, True]
    assert WholeReader(Says(), Sees(yes=True)).read(picture, []) == []


@pytest.mark.vision
def test_a_plate_of_the_test_world_cut_and_covered_in_every_way_is_never_stated_wrongly() -> None:
    """The short form of `python -m models.tools.cuts`."""
    figures, eyes = cuts.Figures(), cuts.Eyes(FOLDER)
    for number in WORLD:
        cuts.sweep(eyes, testworld.passage("vn-truck-two-line", number)[1][-1], figures)
    assert (figures.plates, figures.refused) == (len(WORLD), 0)
    assert sum(count.tries for count in figures.counts.values()) == 96 * len(WORLD)
    assert sum(count.stated_whole for count in figures.counts.values()) == 0


@pytest.mark.vision
@pytest.mark.parametrize("kind", testworld.PARTLY)
def test_of_plates_partly_seen_nothing_wrong_is_decided(kind: str) -> None:
    (score,) = testworld.scores([kind], 3, FOLDER)
    assert (score.passages, score.decided_wrong, score.frames_sure_wrong_whole) == (3, 0, 0)


def text(raw: str, country: Country = "VN") -> PlateText:
    return PlateText(raw.replace("\n", ""), raw, 0.99, country, "vn_vehicle")


@pytest.mark.parametrize(
    ("plate", "longer"),
    [
        (text("29H6789"), True),
        (text("29H67893"), False),
        (text("12A1\n2345"), True),
        (text("12A\n12345"), False),
        (text("12A1\n234.56"), False),
        (text("桂FA6382", "CN"), False),
        (text("12C"), False),
    ],
)
def test_a_vietnamese_number_of_four_digits_may_have_lost_one(plate: PlateText, longer: bool) -> None:
    assert may_be_longer(plate) is longer


@pytest.mark.vision
@pytest.mark.parametrize(
    ("raw", "ends", "whole"),
    [
        ("29H67893", (0.999, 0.999), True),
        ("29H67893", (0.999, 0.2), False),
        ("29H67893", (0.2, 0.999), False),
        ("29H67893", (0.93, 0.999), True),
        ("29H6789", (0.93, 0.999), False),
        ("29H6789", (0.999, 0.999), True),
    ],
)
def test_more_is_asked_of_a_number_that_may_have_lost_a_digit(raw: str, ends: tuple[float, float], whole: bool) -> None:
    read = PlateRead(text(raw), (0, 0, 9, 9), INSIDE)
    assert Ends().seen(read, np.array(ends, np.float32)) is whole
