"""The project's own detector (four corners) and reader (both countries, one and two lines) behind the vision ports."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.core.model import Box, Layout, PlateRead, PlateText, Point
from edge.core.plate.decode import decode
from edge.core.plate.table import OTHER, PlateTable
from edge.core.plate.track import overlap
from edge.ports import Detection, Image
from edge.vision.geometry import as_corners, rectify
from edge.vision.weights import FOLDER, Model, find

Floats = NDArray[np.float32]
Quad = tuple[Point, Point, Point, Point]

STEP_PX = 32
"""The detector takes any size that is a multiple of this."""
STRIDE_PX = 8
LAYOUTS: tuple[Layout, Layout] = ("one_line", "two_line")
CLOSER_SIZE, CLOSER_PX = (256, 160), 130
"""The second look's patch (width, height), and how wide the plate is made in it."""
MOST = 8
"""Places looked at twice in one frame."""
MOST_FAINT = 3
"""Of them, those whose heat alone would not count: where nothing is sure, the reader is to judge the likeliest few."""
LEAST = 0.04
"""Below this the reader guesses: lamps and grilles end here, no right reading of the real development images did."""
PLAIN_HEAT = 0.2
"""A place with less heat than this counts only by what the reader finds in it."""
FAINT_LEAST = 0.5
"""Of such a place: a plate pattern's text, at this confidence at least. Chosen by judgement: on the real development
images the number of wrong texts did not change with it; a grille or a lamp has none."""
SURE_AT_ONCE, HOPELESS = 0.999, 0.02
"""One view of the reader is enough from the first on, and below the second."""
COLOURS = ("white", "yellow", "blue", "green", "red", "black")
READER_SIZE = (160, 48)


class OwnDetector:
    """Plates as four corners, found in the frame shrunk to `long_side_px`; smaller frames are not enlarged.

    Where something is there, however faint, but nothing is sure, the frame is searched once more at `second_side_px`:
    most frames cost the small size only, and an empty lane does. A place with less heat than `threshold` is proposed
    too, down to `faint`, where nothing is sure: the reader judges it.
    """

    def __init__(
        self, threads: int = 1, folder: Path = FOLDER, long_side_px: int | None = None, threshold: float | None = None
    ) -> None:
        weights = find("plate-detector", folder)
        self._model = Model(weights, threads)
        self._long_side_px = long_side_px or int(weights.setting("long_side_px", int))
        self._threshold = threshold if threshold is not None else float(weights.setting("threshold", float))
        self._second_side_px = int(weights.setting("second_side_px", int))
        self._second_threshold = float(weights.setting("second_threshold", float))
        self._unsure = float(weights.setting("unsure", float))
        self._faint = float(weights.setting("faint", float)) if threshold is None else threshold

    def detect(self, image: Image) -> list[Detection]:
        """Every plate, the likeliest first."""
        if min(image.shape[:2]) < STEP_PX:
            return []
        found = self._search(image, self._long_side_px, self._threshold)
        if found and found[0].score < self._unsure:
            found += self._search(image, self._second_side_px, min(self._second_threshold, self._threshold))
        return _distinct(sorted(found, key=lambda d: -d.score))

    def _search(self, image: Image, long_side_px: int, threshold: float) -> list[Detection]:
        """Two looks: the whole frame, then each place found once more at a fixed scale: finer corners, fewer errors."""
        height, width = image.shape[:2]
        scale = min(1.0, long_side_px / max(height, width))
        small = image if scale == 1 else cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        ratio = (small.shape[1] / width, small.shape[0] / height)
        faint = min(self._faint, threshold)
        found = _distinct(self._peaks(_padded(np.asarray(small, np.uint8)), (0.0, 0.0), ratio, faint))[:MOST]
        plain = sum(detection.score > threshold for detection in found)
        closer = self._closest(image, found[:plain])
        if not closer or max(detection.score for detection in closer) < self._unsure:
            closer += self._closest(image, found[plain : plain + MOST_FAINT])
        return _distinct(sorted(closer, key=lambda d: -d.score))

    def _closest(self, image: Image, found: Sequence[Detection]) -> list[Detection]:
        return [closer for one in found if (closer := self._closer(image, one)) is not None]

    def _peaks(self, pixels: Image, origin: Point, ratio: Point, threshold: float) -> list[Detection]:
        """Every peak of the heat, best first; `origin` and `ratio` lead from model pixels back to the frame."""
        heat, vectors, layout = self._model.run(pixels[None])
        found = []
        for y, x in np.argwhere(heat > threshold):
            middle = (np.array([x, y], np.float32) + 0.5) * STRIDE_PX
            corners = (vectors[:, y, x].reshape(4, 2) + middle) / np.array(ratio) + np.array(origin)
            found.append(Detection(_quad(corners), float(heat[y, x]), LAYOUTS[int(layout[:, y, x].argmax())]))
        return sorted(found, key=lambda d: -d.score)

    def _closer(self, image: Image, first: Detection) -> Detection | None:
        """The same plate at the scale that the model knows best, or None where a closer look finds none there."""
        x1, y1, x2, y2 = _box(first.corners)
        scale = CLOSER_PX / max(x2 - x1, 1.5 * (y2 - y1), 1.0)
        left, top = (x1 + x2) / 2 - CLOSER_SIZE[0] / scale / 2, (y1 + y2) / 2 - CLOSER_SIZE[1] / scale / 2
        region = as_corners((left, top, left + CLOSER_SIZE[0] / scale, top + CLOSER_SIZE[1] / scale))
        patch, _ = rectify(image, region, CLOSER_SIZE, 0.0, 0.0)
        again = self._peaks(patch, (left, top), (scale, scale), min(self._faint, self._threshold))
        same = [d for d in again if overlap(_box(d.corners), _box(first.corners)) > 0.4]
        if not same:
            return None
        # A plate hung above or below this one shares an edge with it, and may be the likelier plate: it is another.
        best = max(same, key=lambda d: d.score * _alike(_box(d.corners), _box(first.corners)))
        return replace(best, score=(best.score + first.score) / 2)


def _padded(image: Image) -> Image:
    """Grey added at the right and below, up to the next multiple of STEP_PX: no coordinate moves."""
    right, below = -image.shape[1] % STEP_PX, -image.shape[0] % STEP_PX
    grey = (114, 114, 114)
    return np.asarray(cv2.copyMakeBorder(image, 0, below, 0, right, cv2.BORDER_CONSTANT, value=grey), np.uint8)


def _quad(corners: NDArray[Any]) -> Quad:
    a, b, c, d = ((float(x), float(y)) for x, y in corners)
    return a, b, c, d


def _box(quad: Quad) -> Box:
    xs, ys = [x for x, _ in quad], [y for _, y in quad]
    return min(xs), min(ys), max(xs), max(ys)


def _distinct(ranked: list[Detection]) -> list[Detection]:
    """Best first, without those that lie mostly on a better one."""
    kept: list[Detection] = []
    for detection in ranked:
        if not any(overlap(_box(detection.corners), _box(other.corners)) > 0.45 for other in kept):
            kept.append(detection)
    return kept


def _alike(a: Box, b: Box) -> float:
    """Common area over that of both together, 0..1."""
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    common = max(0.0, width) * max(0.0, height)
    return common / max(1e-6, (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - common)


class OwnReader:
    """One model for both layouts and both countries; the plate table has the last word on what a text may be."""

    def __init__(self, table: PlateTable, threads: int = 1, folder: Path = FOLDER) -> None:
        weights = find("plate-reader", folder)
        self._table = table
        self._model = Model(weights, threads)
        self._alphabet = str(weights.setting("alphabet", str))
        self._views = [(float(x), float(y)) for x, y in weights.setting("views", list)]

    def read(self, image: Image, detections: Sequence[Detection]) -> list[PlateRead | None]:
        """One entry for each detection; None where the reader sees nothing that could be a plate's text."""
        if not detections:
            return []
        letters, layout, _country, colour, rows = self.look(image, detections)
        reads: list[PlateRead | None] = []
        for i, detection in enumerate(detections):
            plate = self._plate(letters[i], layout[i], colour[i], rows[i])
            counts = _plate_like(plate) if detection.score >= PLAIN_HEAT else _certain(plate)
            reads.append(PlateRead(plate, _box(detection.corners), detection.corners) if counts else None)
        return reads

    def look(self, image: Image, detections: Sequence[Detection]) -> list[Floats]:
        """The model's outputs, (n, …) each: of the first view (a narrow crop) where that settles it, else the mean over
        the views (narrow and wide)."""
        quads = [np.array(d.corners, np.float32) for d in detections]
        first, *others = self._views
        outputs = self._view(image, quads, first)
        open_ = [i for i, letters in enumerate(outputs[0]) if not _settled(letters)]
        if open_ and others:
            more = [self._view(image, [quads[i] for i in open_], view) for view in others]
            for part, seen in zip(outputs, zip(*more, strict=True), strict=True):
                part[open_] = np.mean([part[open_], *seen], axis=0)
        return outputs

    def _view(self, image: Image, quads: Sequence[Floats], margin: tuple[float, float]) -> list[Floats]:
        crops = np.stack([rectify(image, quad, READER_SIZE, *margin)[0] for quad in quads])
        return [np.array(o, np.float32) for o in self._model.run(crops)]

    def _plate(self, letters: Floats, layout: Floats, colour: Floats, rows: Floats) -> PlateText:
        ground = COLOURS[int(colour.argmax())] if colour.max() > 0.7 else None
        kind = LAYOUTS[int(layout.argmax())]
        return decode(self._table, letters.tolist(), self._alphabet, rows.tolist(), kind, ground)


def _settled(letters: Floats) -> bool:
    """Whether a second view could hardly change what comes of it: surely read, or no text at all."""
    likeliest = float(letters.max(axis=-1).prod())
    return likeliest >= SURE_AT_ONCE or likeliest < HOPELESS


def _plate_like(plate: PlateText) -> bool:
    """A text that fits no pattern is worth a guard's look only if it has a plate's length and some digits."""
    if plate.confidence < LEAST:
        return False
    return plate.kind != OTHER or (5 <= len(plate.text) <= 11 and sum(c.isdigit() for c in plate.text) >= 3)


def _certain(plate: PlateText) -> bool:
    return plate.kind != OTHER and plate.confidence >= FAINT_LEAST
