"""The pipeline on invented pictures, with a detector and a reader that say what the test wants."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from edge.core.model import Box, PlateRead, PlateText
from edge.core.plate.table import parse
from edge.errors import ModelError
from edge.ports import Detection, Frame, Image
from edge.vision.pipeline import Gone, Pipeline, PipelineRules, Seen

TABLE = parse((Path(__file__).parents[2] / "config" / "plates.toml").read_text(encoding="utf-8"), "plates.toml")
STEP_S = 0.25


@dataclass
class Scene:
    """Detector and reader in one: what stands in the picture now, and how often they were asked."""

    plates: list[tuple[Box, str]] = field(default_factory=list)
    looks: int = 0
    reads: int = 0
    broken: bool = False
    whole: bool = True
    aside: str = ""
    """What is read in place of the text where it was asked for not quite where the plate stands."""
    asked_aside: int = 0

    def detect(self, image: Image) -> list[Detection]:
        if self.broken:
            raise ModelError("the model is broken")
        self.looks += 1
        # The picture carries its own corner's place, so that a window's detections can be told apart from the frame's.
        low_x, low_y, high = (int(v) for v in image[0, 0])
        dx, dy = low_x + 256 * (high & 7), low_y + 256 * (high >> 3 & 7)
        return [
            Detection(((x1 - dx, y1 - dy), (x2 - dx, y1 - dy), (x2 - dx, y2 - dy), (x1 - dx, y2 - dy)), 0.9, "one_line")
            for (x1, y1, x2, y2), _ in self.plates
            if dx <= x1 and dy <= y1 and x2 <= dx + image.shape[1] and y2 <= dy + image.shape[0]
        ]

    def read(self, image: Image, detections: Sequence[Detection]) -> list[PlateRead | None]:
        found: list[PlateRead | None] = []
        for detection in detections:
            self.reads += 1
            (x1, y1), _, (x2, y2), _ = detection.corners
            off = {text: max(abs(place[0] - x1), abs(place[1] - y1)) for place, text in self.plates}
            text = min(off, key=lambda one: off[one])
            self.asked_aside += off[text] > 0.1
            text = self.aside if self.aside and off[text] > 0.1 else text
            plate = PlateText(text, text, 0.95, "VN", "vn_vehicle", "one_line") if TABLE.fits(text) else None
            found.append(None if plate is None else PlateRead(plate, (x1, y1, x2, y2), detection.corners, self.whole))
        return found


class Film:
    """Feeds frames; `moving` frames differ from the one before."""

    def __init__(self, scene: Scene, region: Sequence[tuple[float, float]] | None = None) -> None:
        self.scene = scene
        self.pipeline = Pipeline("front", scene, scene, TABLE, region, PipelineRules(look_every_s=STEP_S - 0.01))
        self.number = 0
        self.flip = 0

    def frames(self, count: int, moving: bool) -> list[Seen | Gone]:
        told: list[Seen | Gone] = []
        for _ in range(count):
            self.number += 1
            self.flip = 1 - self.flip if moving else self.flip
            told += self.pipeline.step(self.frame())
        return told

    def frame(self) -> Frame:
        image = np.zeros((720, 1280, 3), np.uint8)
        x, y = np.arange(1280)[None, :], np.arange(720)[:, None]
        image[..., 0], image[..., 1] = x % 256, y % 256
        image[..., 2] = (x // 256) | (y // 256) << 3 | self.flip << 7
        now_ns = round(self.number * STEP_S * 1e9)
        return Frame(image, self.number, now_ns, f"t{self.number}")


PLACE = (600.0, 400.0, 700.0, 430.0)


def readings(told: Sequence[Seen | Gone]) -> list[Seen]:
    return [item for item in told if isinstance(item, Seen)]


def test_a_plate_is_told_with_its_own_frame_and_decided_after_three_votes() -> None:
    film = Film(Scene([(PLACE, "12C12345")]))
    told = readings(film.frames(4, moving=True))
    assert [(one.reading.votes, one.reading.decided) for one in told] == [(1, False), (2, False), (3, True)]
    last = told[-1].reading
    assert (last.frame, last.captured_at, last.captured_mono_ns) == (3, "t3", round(3 * STEP_S * 1e9))
    assert (last.read.box, last.read.plate.text, last.frame_size) == (PLACE, "12C12345", (1280, 720))


def test_a_frame_that_read_something_else_is_never_told_as_the_leader() -> None:
    """Two stray readings of a moving plate take its decision back, and are themselves not told."""
    film = Film(Scene())
    told: list[tuple[int, str, bool]] = []
    for i, text in enumerate(["12C12345"] * 3 + ["12C12346"] * 2 + ["12C12345"] * 3):
        film.scene.plates = [((300.0 + 70 * i, 400.0, 400.0 + 70 * i, 430.0), text)]
        told += [
            (s.reading.frame, s.reading.read.plate.text, s.reading.decided) for s in readings(film.frames(1, True))
        ]
    assert [text for _, text, _ in told] == ["12C12345"] * len(told)
    assert not {4, 5} & {frame for frame, _, _ in told}
    assert [decided for _, _, decided in told] == [False, False, True, False, False, True]


def test_a_decided_plate_that_stands_is_neither_read_nor_looked_at_any_more() -> None:
    film = Film(Scene([(PLACE, "12C12345")]))
    film.frames(4, moving=True)
    reads = film.scene.reads
    film.frames(12, moving=True)  # a person walks about
    assert film.scene.reads == reads
    film.frames(10, moving=False)
    looks = film.scene.looks
    assert film.frames(40, moving=False) == []
    assert film.scene.looks == looks


def test_a_plate_seen_cut_and_then_whole_is_decided_as_the_whole_one() -> None:
    """A car that stops with its last digit outside, stands there until nobody reads any more, and rolls on a little."""
    film = Film(Scene([(PLACE, "12C1234")], whole=False))
    told = readings(film.frames(40, moving=False))
    assert [(one.reading.votes, one.reading.decided, one.reading.read.whole) for one in told] == [(0, False, False)]
    film.scene.plates, film.scene.whole = [((590.0, 400.0, 702.0, 430.0), "12C12345")], True
    told = readings(film.frames(4, moving=True))
    assert [(one.reading.read.plate.text, one.reading.decided) for one in told] == [
        ("12C12345", False),
        ("12C12345", False),
        ("12C12345", True),
    ]


def test_a_plate_across_the_edge_of_the_region_is_never_decided() -> None:
    """The detector is shown the region only: there the plate ends."""
    film = Film(Scene([(PLACE, "12C12345")]), region=[(0.1, 0.1), (700.5 / 1280, 0.1), (700.5 / 1280, 0.9), (0.1, 0.9)])
    assert [(one.reading.read.whole, one.reading.decided) for one in readings(film.frames(6, moving=True))] == [
        (False, False)
    ]


def test_one_unmoved_picture_is_one_piece_of_evidence_however_often_it_is_read() -> None:
    """Read from aside the text does not hold: then nothing is decided, and the picture is left alone."""
    film = Film(Scene([(PLACE, "12C12345")], aside="12C12346"))
    told = readings(film.frames(20, moving=False))
    assert not any(one.reading.decided for one in told)
    looks = film.scene.looks
    film.frames(20, moving=False)
    assert film.scene.looks == looks


def test_a_truck_that_stands_in_one_picture_is_decided_when_its_text_holds_from_aside() -> None:
    film = Film(Scene([(PLACE, "12C12345")]))
    told = readings(film.frames(20, moving=False))
    assert [(one.reading.votes, one.reading.decided) for one in told] == [(1, False), (2, False), (3, True)]
    assert {one.reading.read.box for one in told} == {PLACE}
    assert film.scene.asked_aside == 2


def test_an_idle_lane_is_never_looked_at() -> None:
    film = Film(Scene())
    film.frames(10, moving=False)
    looks = film.scene.looks
    film.frames(50, moving=False)
    assert film.scene.looks == looks
    film.frames(1, moving=True)
    assert film.scene.looks == looks + 1


def test_a_plate_that_leaves_is_gone_once() -> None:
    film = Film(Scene([(PLACE, "12C12345")]))
    film.frames(4, moving=True)
    film.scene.plates = []
    told = film.frames(8, moving=True)
    assert [one for one in told if isinstance(one, Gone)] == [Gone(1)]


def test_the_next_truck_at_the_same_place_is_another_track() -> None:
    film = Film(Scene([(PLACE, "12C12345")]))
    film.frames(4, moving=True)
    x1, y1, x2, y2 = PLACE
    film.scene.plates = [((x1 + 80, y1, x2 + 80, y2), "29H67893")]
    told = film.frames(6, moving=True)
    assert Gone(1) in told
    decided = [one.reading for one in readings(told) if one.reading.decided]
    assert [(one.read.plate.text, one.track) for one in decided] == [("29H67893", 2)]


def test_a_plate_that_jumped_far_keeps_its_track_by_its_text() -> None:
    film = Film(Scene([((100.0, 100.0, 150.0, 115.0), "12C12345")]))
    film.frames(1, moving=True)
    film.scene.plates = [(PLACE, "12C12345")]
    told = readings(film.frames(4, moving=True))
    assert {one.reading.track for one in told} == {1}
    assert told[-1].reading.decided


def test_an_undecided_plate_is_left_alone_after_its_tries() -> None:
    scene = Scene([(PLACE, "12C12345")])
    film = Film(scene)
    told = 0
    for i in range(40):  # the reader wavers between two texts
        scene.plates = [(PLACE, "12C12345" if i % 2 else "12C12346")]
        told += sum(one.reading.decided for one in readings(film.frames(1, moving=False)))
    assert told == 0
    assert scene.reads <= PipelineRules().tries_most + 1


def test_only_the_region_is_looked_at() -> None:
    region = [(0.0, 0.5), (1.0, 0.5), (1.0, 1.0), (0.0, 1.0)]
    film = Film(Scene([((600.0, 100.0, 700.0, 130.0), "12C12345"), (PLACE, "29H67893")]), region)
    told = readings(film.frames(5, moving=True))
    assert {one.reading.read.plate.text for one in told} == {"29H67893"}
    assert told[0].reading.read.box == PLACE


def test_a_broken_model_is_an_error_and_not_an_empty_lane() -> None:
    film = Film(Scene(broken=True))
    with pytest.raises(ModelError):
        film.frames(1, moving=True)


def test_the_same_frames_tell_the_same() -> None:
    def told() -> list[tuple[object, ...]]:
        film = Film(Scene([(PLACE, "12C12345"), ((200.0, 420.0, 290.0, 450.0), "29H67893")]))
        return [(one.reading,) if isinstance(one, Seen) else (one,) for one in film.frames(12, moving=True)]

    assert told() == told()
