"""The project's own detector and reader, on pictures rendered here of plates that are invented."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.errors import ModelError
from edge.ports import Detection, Image
from edge.vision.models import plate_table
from edge.vision.own import OwnDetector, OwnReader
from edge.vision.weights import FOLDER

PICTURES = Path(__file__).parent / "eyes"
EXPECTED = {
    "long-vn.jpg": ("12C12345", "one_line"),
    "bike-vn.jpg": ("12B167890", "two_line"),
    "rear-cn.jpg": ("桂F1234挂", "two_line"),
    "blue-cn.jpg": ("桂F60718", "one_line"),
}

pytestmark = pytest.mark.vision


def picture(name: str) -> Image:
    image = cv2.imread(str(PICTURES / name), cv2.IMREAD_COLOR)
    assert image is not None, name
    return np.asarray(image, np.uint8)


@pytest.fixture(scope="module")
def eyes() -> tuple[OwnDetector, OwnReader]:
    return OwnDetector(), OwnReader(plate_table())


@pytest.mark.parametrize("name", EXPECTED)
def test_an_invented_plate_is_found_and_read(eyes: tuple[OwnDetector, OwnReader], name: str) -> None:
    detector, reader = eyes
    image = picture(name)
    reads = [read for read in reader.read(image, detector.detect(image)) if read is not None]
    assert (EXPECTED[name]) in [(read.plate.text, read.plate.layout) for read in reads]


def test_corners_run_clockwise_from_the_top_left_and_box_holds_them(eyes: tuple[OwnDetector, OwnReader]) -> None:
    detector, reader = eyes
    image = picture("long-vn.jpg")
    best = detector.detect(image)[0]
    (ax, ay), (bx, by), (cx, cy), (dx, dy) = best.corners
    assert ax < bx
    assert dx < cx
    assert ay < dy
    assert by < cy
    read = reader.read(image, [best])[0]
    assert read is not None
    assert read.box == (min(ax, dx), min(ay, by), max(bx, cx), max(cy, dy))


def test_one_entry_for_each_detection_and_none_for_none(eyes: tuple[OwnDetector, OwnReader]) -> None:
    detector, reader = eyes
    image = picture("blue-cn.jpg")
    best = detector.detect(image)[0]
    assert len(reader.read(image, [best, best, best])) == 3
    assert reader.read(image, []) == []


@pytest.mark.parametrize("shape", [(1, 1, 3), (31, 400, 3), (65, 33, 3), (2200, 3000, 3)])
def test_any_size_of_an_empty_picture_gives_no_plate(
    eyes: tuple[OwnDetector, OwnReader], shape: tuple[int, int, int]
) -> None:
    assert eyes[0].detect(np.full(shape, 127, np.uint8)) == []


def test_a_changed_weight_file_is_refused(tmp_path: Path) -> None:
    for path in (*FOLDER.glob("*.onnx"), FOLDER / "manifest.toml"):
        shutil.copy(path, tmp_path)
    with (tmp_path / "plate-reader.onnx").open("ab") as file:
        file.write(b"\0")
    OwnDetector(folder=tmp_path)
    with pytest.raises(ModelError, match="sha256"):
        OwnReader(plate_table(), folder=tmp_path)


def test_a_closer_look_keeps_to_its_plate_where_another_hangs_above(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one above reaches into this one, and what holds both is taken for one: each is the likelier plate, but the
    first look meant this one."""

    def at(x1: float, y1: float, x2: float, y2: float, score: float) -> Detection:
        return Detection(((x1, y1), (x2, y1), (x2, y2), (x1, y2)), score)

    first, this = at(100, 150, 200, 200, 0.6), at(102, 152, 202, 200, 0.5)
    above, both = at(100, 122, 200, 172, 0.8), at(90, 110, 210, 210, 0.7)
    detector = OwnDetector()
    monkeypatch.setattr(detector, "_peaks", lambda *_: [above, both, this])
    looked = detector._closer(np.zeros((300, 300, 3), np.uint8), first)
    assert looked is not None
    assert looked.corners == this.corners
    assert looked.score == pytest.approx(0.55)


def test_a_place_of_little_heat_counts_where_the_reader_is_sure_and_only_there(
    eyes: tuple[OwnDetector, OwnReader],
) -> None:
    detector, reader = eyes
    image = picture("long-vn.jpg")
    found = detector.detect(image)[0]
    faint = replace(found, score=0.08)
    grille = replace(faint, corners=((10, 10), (110, 10), (110, 34), (10, 34)))
    read, none = reader.read(image, [faint, grille])
    assert read is not None
    assert read.plate.text == EXPECTED["long-vn.jpg"][0]
    assert none is None


def test_what_the_heat_alone_would_throw_away_is_proposed_to_the_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    detector = OwnDetector()
    image, low = picture("long-vn.jpg"), np.float32(0.12)
    run = detector._model.run
    monkeypatch.setattr(detector._model, "run", lambda pixels: [np.minimum(run(pixels)[0], low), *run(pixels)[1:]])
    reads = OwnReader(plate_table()).read(image, detector.detect(image))
    assert [read.plate.text for read in reads if read is not None] == [EXPECTED["long-vn.jpg"][0]]
