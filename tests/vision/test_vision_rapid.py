"""The first reader on real pixels of the sample clips, and how it refuses."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edge.core.model import Layout
from edge.core.plate.table import PlateTable
from edge.errors import ModelError
from edge.ports import Detection, Detector, Image, Reader
from edge.vision import models
from edge.vision.capture import clip_frames
from edge.vision.rapid import RapidDetector
from edge.vision.textlines import Line, candidates
from tests.vision.world import SAMPLES

pytestmark = pytest.mark.vision


@pytest.fixture(scope="module")
def table() -> PlateTable:
    return models.plate_table()


@pytest.fixture(scope="module")
def eye(table: PlateTable) -> tuple[Detector, Reader]:
    return models.build("rapidocr", table, threads=2)


def standing(clip: str, count: int) -> list[Image]:
    """Frames of the stretch in which the truck stands."""
    frames = [frame.image for frame in clip_frames(SAMPLES / f"{clip}.mp4") if 50 <= frame.number <= 80]
    return frames[:: len(frames) // count][:count]


@pytest.mark.parametrize(
    ("clip", "text", "layout", "code"),
    [
        ("b1-out-vn-two-line", "12C12345", "two_line", None),
        ("yard-in-cn-yellow", "桂FA6382", "one_line", "01"),
        ("b1-out-undeclared", "29H67893", "one_line", None),
    ],
)
def test_standing_trucks_are_read_from_the_clip(
    eye: tuple[Detector, Reader], clip: str, text: str, layout: Layout, code: str | None
) -> None:
    detector, reader = eye
    for image in standing(clip, 3):
        reads = [read for read in reader.read(image, detector.detect(image)) if read is not None]
        assert [(r.plate.text, r.plate.layout, r.plate.class_code) for r in reads] == [(text, layout, code)]
        x1, y1, x2, y2 = reads[0].box
        assert 480 < x1 < x2 < 720
        assert 440 < y1 < y2 < 540
        assert reads[0].plate.confidence > 0.8


def test_an_empty_lane_shows_no_plate_and_its_clock_is_none(eye: tuple[Detector, Reader]) -> None:
    detector, reader = eye
    image = next(iter(clip_frames(SAMPLES / "yard-in-cn-yellow.mp4"))).image
    assert not any(reader.read(image, detector.detect(image)))
    clock = ((20.0, 16.0), (345.0, 16.0), (345.0, 52.0), (20.0, 52.0))
    assert reader.read(image, [Detection(clock, 0.9, "one_line", (clock,))]) == [None]


def test_tiny_and_grey_pictures_show_none(eye: tuple[Detector, Reader]) -> None:
    assert eye[0].detect(np.zeros((1, 1, 3), np.uint8)) == []
    assert eye[0].detect(np.full((40, 300, 3), 128, np.uint8)) == []
    assert eye[1].read(np.zeros((1, 1, 3), np.uint8), []) == []


def test_an_unknown_reader_names_the_known_ones(table: PlateTable) -> None:
    with pytest.raises(ModelError, match=r'"tea-leaves".*rapidocr'):
        models.build("tea-leaves", table)


def test_a_missing_or_broken_model_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"PP-OCRv6_det_small\.onnx is missing"):
        RapidDetector(folder=tmp_path)
    (tmp_path / "PP-OCRv6_det_small.onnx").write_bytes(b"not a model")
    with pytest.raises(ModelError, match="cannot be loaded"):
        RapidDetector(folder=tmp_path)


# ---------------------------------------------------------------- lines to candidates


def line(x: float, y: float, width: float, height: float = 20) -> Line:
    return Line(np.array([[x, y], [x + width, y], [x + width, y + height], [x, y + height]], np.float32), 0.9)


def layouts(*lines: Line) -> list[tuple[str, int]]:
    return [(found.layout, len(found.lines)) for found in candidates(list(lines))]


def test_one_line_over_another_is_offered_as_a_pair() -> None:
    assert ("two_line", 2) in layouts(line(118, 100, 44), line(100, 126, 80))


def test_lines_far_apart_or_side_by_side_are_no_pair() -> None:
    wide = line(100, 100, 120)
    assert layouts(wide, line(100, 180, 120)) == [("one_line", 1)] * 2
    assert ("two_line", 2) not in layouts(wide, line(400, 102, 120))


def test_a_line_split_at_its_gap_is_joined_again() -> None:
    found = candidates([line(100, 100, 40), line(152, 100, 90)])
    assert ((100.0, 100.0), (242.0, 100.0), (242.0, 120.0), (100.0, 120.0)) in [one.corners for one in found]


def test_specks_and_banners_are_left_out() -> None:
    assert layouts(line(0, 0, 30, 5), line(0, 50, 600, 30)) == []
