"""Says of each reading whether its plate was seen whole. Stands between any reader and whoever asks it.

Two kinds of evidence: where the plate lies in the picture, and what a small net of its own (models/plate-ends.md) sees
beyond the plate's ends: ground, border and what the plate hangs on, or a picture's edge, a post, mud, a strip.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from edge.core.model import PlateRead
from edge.core.wholeness import within
from edge.ports import Detection, Image, Reader
from edge.vision.geometry import rectify
from edge.vision.weights import FOLDER, Model, find

NAME = "plate-ends"
SIZE = (160, 48)
MARGIN = (0.28, 0.3)
"""The crop that the ends are judged on: (width, height) px, and how much is seen of what is around the plate, in widths
and heights of it: part of the weights."""


class Ends:
    """The judge of ends. `least`: from which probability on an end counts as seen. Raises ModelError."""

    def __init__(self, threads: int = 1, folder: Path = FOLDER) -> None:
        weights = find(NAME, folder)
        self._model = Model(weights, threads)
        self.least = float(weights.setting("least", float))

    def look(self, image: Image, reads: Sequence[PlateRead]) -> NDArray[np.float32]:
        """Per plate the probability (n, 2) that its left and its right end are in the picture and uncovered."""
        if not reads:
            return np.empty((0, 2), np.float32)
        quads = [np.array(read.corners, np.float32) for read in reads]
        (ends,) = self._model.run(np.stack([rectify(image, quad, SIZE, *MARGIN)[0] for quad in quads]))
        return ends


class Judge(Protocol):
    """Whoever says how surely a plate's ends are seen; from `least` on they are."""

    @property
    def least(self) -> float: ...

    def look(self, image: Image, reads: Sequence[PlateRead]) -> NDArray[np.float32]:
        """Per plate (n, 2): left and right, 0..1."""
        ...


class WholeReader:
    """A reader behind the same port, whose readings say whether the plate was seen whole in the picture given."""

    def __init__(self, reader: Reader, ends: Judge) -> None:
        self._reader, self._ends = reader, ends

    def read(self, image: Image, detections: Sequence[Detection]) -> list[PlateRead | None]:
        reads = self._reader.read(image, detections)
        height, width = image.shape[:2]
        inside = [read for read in reads if read is not None and within(read.corners, (0, 0, width, height))]
        whole = {
            id(read) for read, ends in zip(inside, self._ends.look(image, inside), strict=True) if self._seen(ends)
        }
        return [read if read is None else replace(read, whole=id(read) in whole) for read in reads]

    def _seen(self, ends: NDArray[np.float32]) -> bool:
        return bool(ends.min() >= self._ends.least)
