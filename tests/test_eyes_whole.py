"""A plate's reading says whether the plate was seen whole, whatever the weights are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from edge.core.model import PlateRead, PlateText, Point
from edge.core.wholeness import within
from edge.ports import Detection, Image
from edge.vision.wholeness import WholeReader

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


def test_what_a_reader_says_is_not_whole_until_it_was_judged() -> None:
    picture = np.zeros((360, 640, 3), np.uint8)
    (read,) = Says().read(picture, [Detection(quad(590, 100, 640, 130), 0.9)])
    assert read is not None
    assert not read.whole
    (judged,) = WholeReader(Says()).read(picture, [Detection(quad(590, 100, 640, 130), 0.9)])
    assert judged is not None
    assert not judged.whole
