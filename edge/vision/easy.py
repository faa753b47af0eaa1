"""EasyOCR (Apache-2.0) behind `Detector` and `Reader`, for a site that wants it: `reader = "easyocr"`.

It imports torch (over 700 MB), so it is an extra, imported only when asked for. Its weights must be on the machine
already (EASYOCR_MODULE_PATH, by default ~/.EasyOCR/model): nothing is ever downloaded at run time.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np

from edge.core.plate.table import PlateTable
from edge.errors import ModelError
from edge.ports import Detection, Image
from edge.vision.linereader import ALPHABET, LineReader, Quad, cut
from edge.vision.textlines import Floats, Line, candidates

LANGUAGES = ["ch_sim", "en"]
"""One recogniser for hanzi, letters and digits; EasyOCR offers none that adds Đ to them."""
FAULTS = (ImportError, OSError, RuntimeError, ValueError, TypeError, AttributeError, KeyError)
"""What the package was seen to raise: no torch, no weights, weights of another version."""


def engine(threads: int) -> Any:
    """The package's reader, its two models loaded. Raises ModelError that says what is missing."""
    try:
        easyocr = importlib.import_module("easyocr")
        importlib.import_module("torch").set_num_threads(threads)
    except FAULTS as error:
        raise ModelError(
            f'reader "easyocr": not installed ({error}); docs/maintain.md says how it is set up'
        ) from error
    try:
        return easyocr.Reader(LANGUAGES, gpu=False, verbose=False, download_enabled=False)
    except FAULTS as error:
        raise ModelError(
            f'reader "easyocr": its models do not load ({error}); put craft_mlt_25k.pth and zh_sim_g2.pth into '
            "EASYOCR_MODULE_PATH/model (by default ~/.EasyOCR/model)"
        ) from error


class EasyDetector:
    """EasyOCR's text boxes, grouped into places where a plate may stand."""

    def __init__(self, found: Any) -> None:
        self._engine = found

    def detect(self, image: Image) -> list[Detection]:
        if min(image.shape[:2]) < 16:
            return []
        try:
            level, free = self._engine.detect(image, min_size=8)
        except FAULTS as error:
            raise ModelError(f"easyocr: its detector failed on {image.shape}: {type(error).__name__}") from error
        quads = [_upright(box) for box in level[0]] + [np.asarray(quad, np.float32) for quad in free[0]]
        return candidates([Line(quad, 0.9) for quad in quads])


def _upright(box: Sequence[float]) -> Floats:
    """EasyOCR's (x1, x2, y1, y2) as corners, clockwise from the top left."""
    x1, x2, y1, y2 = (float(v) for v in box)
    return np.array([[x1, y1], [x2, y1], [x2, y2], [x1, y2]], np.float32)


class EasyReader(LineReader):
    """EasyOCR's recogniser on each line, and the grammar's word on which of them are plates."""

    def __init__(self, table: PlateTable, found: Any) -> None:
        super().__init__(table, self._lines)
        self._engine = found

    def _lines(self, image: Image, quads: Sequence[Quad]) -> list[tuple[str, float]]:
        return [self._line(cut(image, quad)) for quad in quads]

    def _line(self, crop: Image) -> tuple[str, float]:
        grey = cv2.cvtColor(crop, cv2.COLOR_BGR2GRAY)
        height, width = grey.shape
        try:
            found = self._engine.recognize(
                grey, horizontal_list=[[0, width, 0, height]], free_list=[], allowlist=ALPHABET, detail=1
            )
        except FAULTS as error:
            raise ModelError(f"easyocr: its recogniser failed on {crop.shape}: {type(error).__name__}") from error
        if not found:
            return "", 0.0
        _, text, sure = max(found, key=lambda row: float(row[2]))
        return str(text), float(sure)
