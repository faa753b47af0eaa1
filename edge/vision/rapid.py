"""The first reader: RapidOCR's PP-OCRv6 text models (Apache-2.0, from its wheel) behind `Detector` and `Reader`.

Only the two ONNX files of the wheel are used, run by onnxruntime here: its own package takes 1.4 s to import and would
fetch what it misses from the network. Nothing is ever downloaded. The plate grammar picks the plates among the texts.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from edge.core.model import PlateRead, PlateText, Point
from edge.core.plate import OTHER, PlateTable
from edge.errors import ModelError
from edge.ports import Detection, Image
from edge.vision.geometry import rectify
from edge.vision.textlines import Floats, candidates, lines_of
from edge.vision.weights import FAULTS

DETECTOR_FILE, READER_FILE = "PP-OCRv6_det_small.onnx", "PP-OCRv6_rec_small.onnx"
LONG_SIDE_PX = 704
"""The detector's picture is shrunk to this long side: 0.3 s on one thread, where 1280 px takes 1.1 s."""
LINE_HEIGHT_PX, LINE_WIDTH_PX = 48, (96, 320)
END_ROOM = 0.15
"""Added to a line at both ends, in heights of the line."""
ALPHABET = (
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZĐ"
    "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼挂学警港澳领使应急"
    ".-·•:"
)

Quad = tuple[Point, Point, Point, Point]


def model_folder() -> Path:
    """Where the wheel keeps its models, found without importing it. Raises ModelError."""
    spec = importlib.util.find_spec("rapidocr")
    if spec is None or not spec.submodule_search_locations:
        raise ModelError('reader "rapidocr": the package rapidocr is not installed; set it up from the lock file')
    return Path(spec.submodule_search_locations[0]) / "models"


def session(path: Path, threads: int) -> ort.InferenceSession:
    """A model on `threads` CPU threads. Raises ModelError that names the file."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # Spinning threads would burn a whole core between two frames.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if not path.is_file():
        raise ModelError(f"model file {path.name} is missing from {path.parent}")
    try:
        return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except FAULTS as error:
        raise ModelError(f"model file {path.name} cannot be loaded: {type(error).__name__}") from error


def _run(model: ort.InferenceSession, batch: Floats) -> Floats:
    try:
        return np.asarray(model.run(None, {model.get_inputs()[0].name: batch})[0], np.float32)
    except FAULTS as error:
        raise ModelError(f"model failed on input {batch.shape}: {type(error).__name__}") from error


def _normalised(image: Image) -> Floats:
    """(3, height, width), -1..1."""
    return np.ascontiguousarray(image.transpose(2, 0, 1), np.float32) / 127.5 - 1


class RapidDetector:
    """Text lines of a picture, grouped into places where a plate may stand."""

    def __init__(self, threads: int = 1, folder: Path | None = None, long_side_px: int = LONG_SIDE_PX) -> None:
        self._model = session((folder or model_folder()) / DETECTOR_FILE, threads)
        self._long_side_px = long_side_px

    def detect(self, image: Image) -> list[Detection]:
        height, width = image.shape[:2]
        if min(height, width) < 8:
            return []
        shrink = min(1.0, self._long_side_px / max(height, width))
        size = tuple(max(32, round(side * shrink / 32) * 32) for side in (width, height))
        small = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
        scores = _run(self._model, _normalised(small)[None])[0, 0]
        return candidates(lines_of(scores, (width / size[0], height / size[1])))


class RapidReader:
    """Recognition of text lines, and the grammar's word on which of them are plates."""

    def __init__(self, table: PlateTable, threads: int = 1, folder: Path | None = None) -> None:
        self._table = table
        self._model = session((folder or model_folder()) / READER_FILE, threads)
        characters = self._model.get_modelmeta().custom_metadata_map.get("character", "").splitlines()
        missing = [c for c in ALPHABET if c not in characters]
        if missing:
            raise ModelError(f"model file {READER_FILE} cannot read {''.join(missing)!r}: not the expected model")
        # Column 0 is CTC's blank. Reading only what plates are made of costs nothing and keeps 18,700 characters out.
        self._columns = np.array([0, *(characters.index(c) + 1 for c in ALPHABET)])

    def read(self, image: Image, detections: Sequence[Detection]) -> list[PlateRead | None]:
        """One entry for each detection: its plate, or None where it shows none or another one shows it better."""
        quads = sorted({line for detection in detections for line in detection.lines})
        texts = dict(zip(quads, self._recognise(image, quads), strict=True))
        plates = [self._plate(image, detection, texts) for detection in detections]
        plates = [self._widened(image, d, p) for d, p in zip(detections, plates, strict=True)]
        chosen = _strongest(detections, plates)
        return [
            PlateRead(plate, _box(detection.corners), detection.corners) if plate is not None and i in chosen else None
            for i, (detection, plate) in enumerate(zip(detections, plates, strict=True))
        ]

    def _plate(self, image: Image, detection: Detection, texts: dict[Quad, tuple[str, float]]) -> PlateText | None:
        lines = [texts[quad] for quad in detection.lines]
        raw, confidence = "\n".join(text for text, _ in lines), min(sure for _, sure in lines)
        plate = self._table.read(raw, detection.layout, round(confidence, 4), _ground(image, detection.corners))
        return plate if plate.kind != OTHER or _plate_like(plate.text) else None

    def _widened(self, image: Image, detection: Detection, plate: PlateText | None) -> PlateText | None:
        """A line that lost its first character, as Chinese plates do, is read once more from further left."""
        if plate is None or plate.kind != OTHER or len(detection.lines) != 1:
            return plate
        (a, b, c, d) = detection.lines[0]
        share = 0.16
        quad = (_beyond(b, a, share), b, c, _beyond(c, d, share))
        again = self._plate(image, replace(detection, lines=(quad,)), {quad: self._recognise(image, [quad])[0]})
        return again if again is not None and again.kind != OTHER else plate

    def _recognise(self, image: Image, quads: Sequence[Quad]) -> list[tuple[str, float]]:
        """Text and confidence of each line, one run each: batches would pad all to the widest."""
        return [self._line(_cut(image, quad)) for quad in quads]

    def _line(self, crop: Image) -> tuple[str, float]:
        canvas = np.zeros((1, 3, LINE_HEIGHT_PX, max(LINE_WIDTH_PX[0], crop.shape[1])), np.float32)
        canvas[0, :, :, : crop.shape[1]] = _normalised(crop)
        return _ctc(_run(self._model, canvas)[0][:, self._columns])


def _beyond(start: Point, end: Point, share: float) -> Point:
    return end[0] + (end[0] - start[0]) * share, end[1] + (end[1] - start[1]) * share


def _cut(image: Image, quad: Quad) -> Image:
    """The line upright, with some room at both ends: the detector likes to cut a last thin character off."""
    corners = np.array(quad, np.float32)
    aspect = float(np.linalg.norm(corners[1] - corners[0])) / max(1.0, float(np.linalg.norm(corners[3] - corners[0])))
    width = int(np.clip(round(LINE_HEIGHT_PX * (aspect + 2 * END_ROOM)), 16, LINE_WIDTH_PX[1]))
    return rectify(image, corners, (width, LINE_HEIGHT_PX), END_ROOM / max(aspect, 0.5), 0.04)[0]


def _ctc(steps: NDArray[np.float32]) -> tuple[str, float]:
    """The best path through (steps, columns): repeats and blanks fall away. The least sure character counts."""
    best = steps.argmax(axis=1)
    starts = [i for i, column in enumerate(best) if column and (i == 0 or best[i - 1] != column)]
    text = "".join(ALPHABET[best[i] - 1] for i in starts)
    # A character may peak later in its run of steps than where it starts.
    sure = [float(steps[i : _run_end(best, i), best[i]].max()) for i in starts if ALPHABET[best[i] - 1].isalnum()]
    return text, min(sure, default=0.0)


def _run_end(best: NDArray[np.intp], start: int) -> int:
    end = start
    while end < len(best) and best[end] == best[start]:
        end += 1
    return end


def _plate_like(text: str) -> bool:
    """A text that fits no pattern is worth a guard's look only if it has a plate's length, digits, and some letter."""
    return 6 <= len(text) <= 10 and 3 <= sum(c.isdigit() for c in text) < len(text)


def _strongest(detections: Sequence[Detection], plates: Sequence[PlateText | None]) -> set[int]:
    """Of detections that share a line only one shows the plate: a pattern beats none, more characters beat fewer."""
    order = sorted(
        (i for i, plate in enumerate(plates) if plate is not None),
        key=lambda i: _rank(plates[i]),
        reverse=True,
    )
    taken: set[Quad] = set()
    chosen: set[int] = set()
    for i in order:
        if not any(_overlap(line, other) for line in detections[i].lines for other in taken):
            chosen.add(i)
            taken |= set(detections[i].lines)
    return chosen


def _rank(plate: PlateText | None) -> tuple[bool, bool, int, float]:
    if plate is None:
        return False, False, 0, 0.0
    return plate.kind != OTHER, plate.country == "CN", len(plate.text), plate.confidence


def _overlap(a: Quad, b: Quad) -> bool:
    ax1, ay1, ax2, ay2 = _box(a)
    bx1, by1, bx2, by2 = _box(b)
    width, height = min(ax2, bx2) - max(ax1, bx1), min(ay2, by2) - max(ay1, by1)
    return width > 0 and height > 0 and width * height > 0.4 * min((ax2 - ax1) * (ay2 - ay1), (bx2 - bx1) * (by2 - by1))


def _box(quad: Quad) -> tuple[float, float, float, float]:
    xs, ys = [x for x, _ in quad], [y for _, y in quad]
    return min(xs), min(ys), max(xs), max(ys)


def _ground(image: Image, corners: Quad) -> str | None:
    """The plate's ground colour, where it is plain: the median hue of its well-lit, well-coloured pixels."""
    crop, _ = rectify(image, np.array(corners, np.float32), (64, 32), 0.0, 0.0)
    hue, saturation, value = (channel.ravel() for channel in cv2.split(cv2.cvtColor(crop, cv2.COLOR_BGR2HSV)))
    coloured = (saturation > 80) & (value > 60)
    if coloured.mean() < 0.35:
        return None
    middle = float(np.median(hue[coloured]))
    for name, low, high in (("yellow", 15, 38), ("green", 38, 90), ("blue", 95, 130)):
        if low <= middle < high:
            return name
    return "red" if middle < 8 or middle > 170 else None
