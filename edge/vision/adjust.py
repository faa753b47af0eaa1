"""Corrections of a camera's picture before plates are looked for: light, tilt, sharpness, size.

Set by calibration where the camera itself cannot be put right at once (`[lane.camera.picture]`); the guard's picture
and the photos on record stay as the camera gave them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.core.camera.view_settings import AS_IT_COMES, Picture
from edge.core.model import Box, PlateRead, Point
from edge.ports import Detection, Detector, Image, Reader

Matrix = NDArray[np.floating[Any]]
Quad = tuple[Point, Point, Point, Point]

SOFT_PX = 3.0
"""Sigma of the blur that sharpening takes away."""


def adjusted(detector: Detector, reader: Reader, picture: Picture) -> tuple[Detector, Reader]:
    """Both behind the correction; themselves where there is nothing to correct."""
    if picture == AS_IT_COMES:
        return detector, reader
    both = Adjusted(detector, reader, picture)
    return both, both


class Adjusted:
    """A detector and a reader behind the same ports, that see the corrected picture and answer in pixels of the
    original."""

    def __init__(self, detector: Detector, reader: Reader, change: Picture) -> None:
        self._detector, self._reader, self._change = detector, reader, change

    def detect(self, image: Image) -> list[Detection]:
        pixels, there = corrected(image, self._change)
        back = np.linalg.inv(there)
        height, width = image.shape[:2]
        found = (moved(detection, back) for detection in self._detector.detect(pixels))
        return [one for one in found if _touches(_box(one.corners), width, height)]

    def read(self, image: Image, detections: Sequence[Detection]) -> list[PlateRead | None]:
        if not detections:
            return []
        pixels, there = corrected(image, self._change)
        reads = self._reader.read(pixels, [moved(detection, there) for detection in detections])
        back = np.linalg.inv(there)
        return [None if read is None else _read_moved(read, back) for read in reads]


def corrected(image: Image, change: Picture) -> tuple[Image, Matrix]:
    """The picture as it is looked at, and the 3x3 matrix from pixels of `image` to pixels of it."""
    matrix: Matrix = np.eye(3)
    pixels = image
    if change.gamma != 1.0:
        pixels = np.asarray(cv2.LUT(pixels, _brightness(change.gamma)), np.uint8)
    if change.turn_deg or change.enlarge != 1.0:
        pixels, matrix = _turned(pixels, change.turn_deg, change.enlarge)
    if change.sharpen:
        soft = cv2.GaussianBlur(pixels, (0, 0), SOFT_PX)
        pixels = np.asarray(cv2.addWeighted(pixels, 1 + change.sharpen, soft, -change.sharpen, 0), np.uint8)
    return pixels, matrix


@lru_cache(maxsize=8)
def _brightness(gamma: float) -> NDArray[np.uint8]:
    return np.round(255 * (np.arange(256) / 255) ** gamma).astype(np.uint8)


def _turned(image: Image, turn_deg: float, enlarge: float) -> tuple[Image, Matrix]:
    """Turned about its middle and enlarged, on a picture just large enough that no corner is cut off."""
    height, width = image.shape[:2]
    matrix = np.vstack([cv2.getRotationMatrix2D((width / 2, height / 2), -turn_deg, enlarge), [0, 0, 1]])
    corners = matrix @ np.array([[0, width, width, 0], [0, 0, height, height], [1, 1, 1, 1]], np.float64)
    low, high = corners[:2].min(1), corners[:2].max(1)
    matrix = np.array([[1, 0, -low[0]], [0, 1, -low[1]], [0, 0, 1]]) @ matrix
    size = (max(1, round(high[0] - low[0])), max(1, round(high[1] - low[1])))
    pixels = cv2.warpAffine(image, matrix[:2], size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(pixels, np.uint8), matrix


def _points(corners: Quad, matrix: Matrix) -> Quad:
    moved = np.column_stack([np.asarray(corners, np.float64), np.ones(4)]) @ matrix[:2].T
    a, b, c, d = ((float(x), float(y)) for x, y in moved)
    return a, b, c, d


def moved(detection: Detection, matrix: Matrix) -> Detection:
    """The same detection in the pixels that the 3x3 `matrix` leads to."""
    lines = tuple(_points(line, matrix) for line in detection.lines)
    return replace(detection, corners=_points(detection.corners, matrix), lines=lines)


def _read_moved(read: PlateRead, matrix: Matrix) -> PlateRead:
    corners = _points(read.corners, matrix)
    return replace(read, corners=corners, box=_box(corners))


def _box(quad: Quad) -> Box:
    xs, ys = [x for x, _ in quad], [y for _, y in quad]
    return min(xs), min(ys), max(xs), max(ys)


def _touches(box: Box, width: int, height: int) -> bool:
    """Not wholly in the border that turning added."""
    return box[0] < width and box[1] < height and box[2] > 0 and box[3] > 0
