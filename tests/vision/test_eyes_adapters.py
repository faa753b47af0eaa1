"""The adapters for other people's models: a YOLO pose file of the site's own, and EasyOCR, both with stub weights.

`eyes/pose-stub.onnx` says the same four places whatever it sees; `eyes/detect-stub.onnx` claims no key points.
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from edge.errors import ModelError
from edge.ports import Detection, Image
from edge.vision import models
from edge.vision.yolo import OnnxPose, detections, letterboxed

STUBS = Path(__file__).parent / "eyes"
POSE, DETECT = STUBS / "pose-stub.onnx", STUBS / "detect-stub.onnx"


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def frame(width: int = 640, height: int = 360) -> Image:
    return np.full((height, width, 3), 90, np.uint8)


# ---------------------------------------------------------------- ultralytics


def test_a_pose_models_places_are_suppressed_ranked_and_given_as_corners() -> None:
    found = OnnxPose(POSE).detect(frame())
    assert [round(d.score, 2) for d in found] == [0.9, 0.5]
    assert found[0].corners == ((60.0, 50.0), (140.0, 52.0), (140.0, 72.0), (60.0, 70.0))


def test_corners_come_back_in_pixels_of_the_frame_that_was_shrunk() -> None:
    found = OnnxPose(POSE).detect(frame(1280, 720))
    assert found[0].corners[0] == (120.0, 100.0)


def test_a_picture_is_shrunk_never_enlarged_and_padded_to_whole_steps() -> None:
    padded, scale = letterboxed(frame(1280, 700), 640, None)
    assert (padded.shape, scale) == ((352, 640, 3), 0.5)
    padded, scale = letterboxed(frame(100, 50), 640, None)
    assert (padded.shape, scale) == ((64, 128, 3), 1.0)
    padded, scale = letterboxed(frame(1280, 640), 0, (640, 640))
    assert (padded.shape, scale) == ((640, 640, 3), 0.5)


def test_a_model_that_suppresses_itself_gives_rows_with_a_class_and_how_sure_each_point_is() -> None:
    row = np.array([10, 10, 50, 20, 0.8, 0, 10, 10, 1, 50, 10, 1, 50, 20, 1, 10, 20, 1], np.float32)
    found = detections(np.stack([row, row * 0]), 0.5)
    assert [d.corners for d in found] == [((20.0, 20.0), (100.0, 20.0), (100.0, 40.0), (20.0, 40.0))]
    assert detections(np.stack([row, row * 0]), 0.5, threshold=0.8) == [], "a score must be above it"


def test_a_sites_own_detector_goes_with_our_reader() -> None:
    other = models.OtherDetector("ultralytics", str(POSE), sha256(POSE))
    detector, _ = models.build("own", other=other)
    assert isinstance(detector, OnnxPose)
    with pytest.raises(ModelError, match='goes with reader "own", not "rapidocr"'):
        models.build("rapidocr", other=other)


@pytest.mark.parametrize(
    ("name", "file", "digest", "said"),
    [
        ("ultralytics", None, None, "name the model in detector_file"),
        ("ultralytics", str(POSE), None, "its sha256 [0-9a-f]{64} is not in the configuration"),
        ("ultralytics", str(POSE), "00" * 32, "is not detector_sha256 000000000000"),
        ("ultralytics", str(DETECT), sha256(DETECT), "not a pose model with four key points .*'detect'"),
        ("ultralytics", "/nowhere/plates.onnx", "00", "cannot be read: No such file"),
        ("tea-leaves", None, None, 'detector "tea-leaves" is not known; known is ultralytics'),
    ],
)
def test_a_detector_that_cannot_be_trusted_or_used_is_refused_and_named(
    name: str, file: str | None, digest: str | None, said: str
) -> None:
    with pytest.raises(ModelError, match=said):
        models.build("own", other=models.OtherDetector(name, file, digest))


def test_a_checkpoint_wants_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "plates.pt"
    path.write_bytes(b"not really")
    monkeypatch.setitem(sys.modules, "ultralytics", None)
    with pytest.raises(ModelError, match=r"plates\.pt needs the package .*docs/maintain"):
        models.build("own", other=models.OtherDetector("ultralytics", str(path), sha256(path)))


def test_a_checkpoint_is_run_by_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "plates.pt"
    path.write_bytes(b"stub")
    points = np.array([[[1, 2], [9, 2], [9, 5], [1, 5]], [[2, 2], [8, 2], [8, 5], [2, 5]]], np.float32)
    boxes = SimpleNamespace(conf=Numbers(np.array([0.4, 0.7], np.float32)))
    result = SimpleNamespace(boxes=boxes, keypoints=SimpleNamespace(xy=Numbers(points)))
    package = SimpleNamespace(YOLO=lambda name: SimpleNamespace(predict=lambda *_, **__: [result]))
    monkeypatch.setitem(sys.modules, "ultralytics", package)
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(set_num_threads=lambda count: None))
    detector, _ = models.build("own", other=models.OtherDetector("ultralytics", str(path), sha256(path)))
    found = detector.detect(frame())
    assert [round(d.score, 1) for d in found] == [0.7, 0.4]
    assert found[0].corners[0] == (2.0, 2.0)


class Numbers(np.ndarray[Any, Any]):
    """An array with torch's way of coming to the CPU."""

    def __new__(cls, values: np.ndarray[Any, Any]) -> Numbers:
        return values.view(cls)

    def cpu(self) -> Numbers:
        return self


# ---------------------------------------------------------------- EasyOCR


class StubEasy:
    """EasyOCR's reader as far as it is used: one box per line, and texts by the width of the line."""

    def __init__(self, languages: list[str], **options: Any) -> None:
        self.languages, self.options = languages, options

    def detect(self, image: Image, min_size: int) -> tuple[list[Any], list[Any]]:
        return [[[100, 160, 50, 80], [90, 170, 84, 114]]], [[]]

    def recognize(self, grey: Image, **options: Any) -> list[tuple[Any, str, float]]:
        assert grey.ndim == 2
        assert "桂" in options["allowlist"]
        assert "Đ" in options["allowlist"]
        return [([], "12C" if grey.shape[1] < 125 else "123.45", 0.9)]


@pytest.fixture
def easyocr(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    package = SimpleNamespace(Reader=StubEasy)
    monkeypatch.setitem(sys.modules, "easyocr", package)
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(set_num_threads=lambda count: None))
    return package


def test_easyocrs_two_lines_become_one_plate(easyocr: SimpleNamespace) -> None:
    detector, reader = models.build("easyocr")
    image = frame()
    places = [d for d in detector.detect(image) if d.layout == "two_line" and len(d.lines) == 2]
    (read,) = reader.read(image, places[:1])
    assert read is not None
    assert (read.plate.text, read.plate.raw, read.plate.layout) == ("12C12345", "12C\n123.45", "two_line")
    assert read.plate.confidence == 0.9


def test_easyocr_may_download_nothing(easyocr: SimpleNamespace) -> None:
    from edge.vision.easy import engine

    made = engine(1)
    assert made.options["download_enabled"] is False
    assert made.options["gpu"] is False


def test_easyocr_without_weights_says_where_they_belong(easyocr: SimpleNamespace) -> None:
    def missing(*_: object, **__: object) -> None:
        raise FileNotFoundError("Missing craft_mlt_25k.pth and downloads disabled")

    easyocr.Reader = missing
    with pytest.raises(ModelError, match="EASYOCR_MODULE_PATH"):
        models.build("easyocr")


def test_easyocr_that_is_not_installed_says_how_to_set_it_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "easyocr", None)
    with pytest.raises(ModelError, match=r"docs/maintain.md says how"):
        models.build("easyocr")


def test_a_line_that_easyocr_cannot_work_on_is_an_error_not_an_empty_answer(easyocr: SimpleNamespace) -> None:
    detector, reader = models.build("easyocr")
    image = frame()
    found: list[Detection] = detector.detect(image)

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("no kernel")

    StubEasy.recognize, kept = broken, StubEasy.recognize  # type: ignore[method-assign, assignment]
    try:
        with pytest.raises(ModelError, match="recogniser failed"):
            reader.read(image, found)
    finally:
        StubEasy.recognize = kept  # type: ignore[method-assign]


# ---------------------------------------------------------------- the vote


def test_each_reader_decides_at_its_own_confidence(tmp_path: Path) -> None:
    assert models.vote_rules("rapidocr").sure == 0.6
    assert models.vote_rules("own").sure >= 0.8
    with pytest.raises(ModelError, match="manifest"):
        models.vote_rules("own", str(tmp_path))
