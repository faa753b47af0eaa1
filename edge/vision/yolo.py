"""A site's own ultralytics YOLO (AGPL-3.0) with a pose head of four key points, behind `Detector`.

`detector = "ultralytics"` with `detector_file` and its `detector_sha256`. An exported `.onnx` runs on onnxruntime,
without the package; a `.pt` checkpoint needs it (an extra, imported only when asked for). Key points: the plate's
corners, clockwise from the top left. `models/tools/yolo.py` trains and exports such a model.
"""

from __future__ import annotations

import ast
import hashlib
import importlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from edge.errors import ModelError
from edge.ports import Detection, Detector, Image
from edge.vision.weights import FAULTS

Floats = NDArray[np.float32]
LONG_SIDE_PX, STEP_PX, GREY = 640, 32, 114
THRESHOLD, SAME = 0.25, 0.5
PACKAGE_FAULTS = (ImportError, OSError, RuntimeError, ValueError, TypeError, AttributeError, KeyError)


def detector(file: str | None, sha256: str | None, threads: int) -> Detector:
    """The site's model, ready. Raises ModelError: no file named, not the file with that hash, or not a pose model."""
    if not file:
        raise ModelError('detector "ultralytics": name the model in detector_file')
    path = Path(file)
    _check(path, sha256)
    return OnnxPose(path, threads) if path.suffix == ".onnx" else PackagePose(path, threads)


def _check(path: Path, sha256: str | None) -> None:
    """A checkpoint is a program that runs when loaded: only the very file that the site named is."""
    try:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise ModelError(f"detector_file {path}: cannot be read: {error.strerror}") from error
    if digest != (sha256 or "").lower():
        said = f"is not detector_sha256 {sha256[:12]}…" if sha256 else "is not in the configuration"
        raise ModelError(f"detector_file {path}: its sha256 {digest} {said}; set detector_sha256 if this is the file")


class OnnxPose:
    """An exported pose model on onnxruntime."""

    def __init__(
        self, path: Path, threads: int = 1, long_side_px: int = LONG_SIDE_PX, threshold: float = THRESHOLD
    ) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads, options.log_severity_level = threads, 1, 3
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            self._session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except FAULTS as error:
            raise ModelError(f"detector_file {path}: cannot be loaded: {type(error).__name__}") from error
        _check_pose(path, self._session.get_modelmeta().custom_metadata_map)
        given = self._session.get_inputs()[0]
        self._name, self._input, self._threshold = path.name, given.name, threshold
        fixed = [side for side in given.shape[2:] if isinstance(side, int)]
        self._size = (int(given.shape[3]), int(given.shape[2])) if len(fixed) == 2 else None
        self._long_side_px = max(fixed, default=long_side_px)

    def detect(self, image: Image) -> list[Detection]:
        if min(image.shape[:2]) < STEP_PX:
            return []
        picture, scale = letterboxed(image, self._long_side_px, self._size)
        batch = np.ascontiguousarray(picture[:, :, ::-1].transpose(2, 0, 1)[None], np.float32) / 255
        try:
            rows = np.asarray(self._session.run(None, {self._input: batch})[0], np.float32)[0]
        except FAULTS as error:
            raise ModelError(f"{self._name}: failed on input {batch.shape}: {type(error).__name__}") from error
        return detections(rows, scale, self._threshold)


class PackagePose:
    """A `.pt` checkpoint through the package itself."""

    def __init__(self, path: Path, threads: int = 1) -> None:
        try:
            ultralytics = importlib.import_module("ultralytics")
            importlib.import_module("torch").set_num_threads(threads)
        except PACKAGE_FAULTS as error:
            advice = "docs/maintain.md says how it is set up; a model exported to ONNX needs nothing"
            raise ModelError(f'detector "ultralytics": {path.name} needs the package ({error}); {advice}') from error
        try:
            self._model = ultralytics.YOLO(str(path))
        except PACKAGE_FAULTS as error:
            raise ModelError(f"detector_file {path}: cannot be loaded: {type(error).__name__}") from error
        self._name = path.name

    def detect(self, image: Image) -> list[Detection]:
        if min(image.shape[:2]) < STEP_PX:
            return []
        try:
            found: Any = self._model.predict(image, imgsz=LONG_SIDE_PX, conf=THRESHOLD, verbose=False)[0]
            scores, points = np.asarray(found.boxes.conf.cpu()), np.asarray(found.keypoints.xy.cpu(), np.float32)
        except PACKAGE_FAULTS as error:
            raise ModelError(f"{self._name}: failed on {image.shape}: {type(error).__name__}") from error
        order = np.argsort(-scores)
        return [_detection(points[i], float(scores[i])) for i in order if points[i].shape == (4, 2)]


def _check_pose(path: Path, notes: dict[str, str]) -> None:
    """Exported models say what they are; one that finds other things would look as if there were no plates."""
    try:
        shape = ast.literal_eval(notes.get("kpt_shape", "None"))
    except (ValueError, SyntaxError):
        shape = None
    if notes.get("task") != "pose" or not isinstance(shape, list | tuple) or list(shape)[:1] != [4]:
        said = f"task {notes.get('task')!r}, key points {notes.get('kpt_shape')!r}"
        raise ModelError(
            f"detector_file {path}: not a pose model with four key points ({said}); train with kpt_shape [4, 2]"
        )


def letterboxed(image: Image, long_side_px: int, size: tuple[int, int] | None) -> tuple[Image, float]:
    """The picture shrunk (never enlarged), grey added at the right and below, and the scale."""
    height, width = image.shape[:2]
    wide, tall = size or (long_side_px, long_side_px)
    scale = min(1.0, wide / width, tall / height)
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else image
    right = (wide if size else -(-small.shape[1] // STEP_PX) * STEP_PX) - small.shape[1]
    below = (tall if size else -(-small.shape[0] // STEP_PX) * STEP_PX) - small.shape[0]
    padded = cv2.copyMakeBorder(small, 0, below, 0, right, cv2.BORDER_CONSTANT, value=(GREY, GREY, GREY))
    return np.asarray(padded, np.uint8), scale


def detections(rows: Floats, scale: float, threshold: float = THRESHOLD) -> list[Detection]:
    """From the model's output: (values, places), suppressed here, or (places, values) where the model does that itself.

    Values of a place: box, score (in the second form also a class), then x and y of each corner and perhaps how sure.
    """
    if rows.shape[0] < rows.shape[1] and rows.shape[0] in (13, 17):
        table, boxes = rows.T, "middle"
    else:
        table, boxes = rows, "corners"
    table = table[table[:, 4] > threshold]
    first = 5 if boxes == "middle" else 6
    step = (table.shape[1] - first) // 4
    found: list[Detection] = []
    kept: list[Floats] = []
    for row in table[np.argsort(-table[:, 4])]:
        box = row[:4] if boxes == "corners" else np.concatenate([row[:2] - row[2:4] / 2, row[:2] + row[2:4] / 2])
        if any(_overlap(box, other) > SAME for other in kept):
            continue
        kept.append(box)
        points = row[first:].reshape(4, step)[:, :2]
        found.append(_detection(points / scale, float(row[4])))
    return found


def _detection(points: Floats, score: float) -> Detection:
    a, b, c, d = ((float(x), float(y)) for x, y in points)
    return Detection((a, b, c, d), score)


def _overlap(a: Floats, b: Floats) -> float:
    """Common area over joint area of two boxes (x1, y1, x2, y2)."""
    low, high = np.maximum(a[:2], b[:2]), np.minimum(a[2:], b[2:])
    common = float(np.prod(np.clip(high - low, 0, None)))
    areas = [float((box[2] - box[0]) * (box[3] - box[1])) for box in (a, b)]
    return common / max(sum(areas) - common, 1e-6)
