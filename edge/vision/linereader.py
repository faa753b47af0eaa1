"""Reading by text lines: any recogniser of single lines becomes a plate reader, and the grammar picks the plates."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import cv2
import numpy as np

from edge.core.model import PlateRead, PlateText, Point
from edge.core.plate.table import OTHER, PlateTable
from edge.ports import Detection, Image
from edge.vision.geometry import rectify

Quad = tuple[Point, Point, Point, Point]
Recogniser = Callable[[Image, Sequence[Quad]], list[tuple[str, float]]]
"""Picture and lines to the text and confidence of each line."""

LINE_HEIGHT_PX, LINE_WIDTH_PX = 48, (96, 320)
END_ROOM = 0.15
"""Added to a line at both ends, in heights of the line."""
ALPHABET = (
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZĐ"
    "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼挂学警港澳领使应急"
    ".-·•:"
)


class LineReader:
    """Text lines read one by one, and the grammar's word on which of them are plates."""

    def __init__(self, table: PlateTable, recognise: Recogniser) -> None:
        self._table = table
        self._recognise = recognise

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


def _beyond(start: Point, end: Point, share: float) -> Point:
    return end[0] + (end[0] - start[0]) * share, end[1] + (end[1] - start[1]) * share


def cut(image: Image, quad: Quad) -> Image:
    """The line upright, with some room at both ends: the detector likes to cut a last thin character off."""
    corners = np.array(quad, np.float32)
    aspect = float(np.linalg.norm(corners[1] - corners[0])) / max(1.0, float(np.linalg.norm(corners[3] - corners[0])))
    width = int(np.clip(round(LINE_HEIGHT_PX * (aspect + 2 * END_ROOM)), 16, LINE_WIDTH_PX[1]))
    return rectify(image, corners, (width, LINE_HEIGHT_PX), END_ROOM / max(aspect, 0.5), 0.04)[0]


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
