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
from edge.core.plate.wholeness import may_be_longer, within
from edge.ports import Detection, Image, Reader
from edge.vision.geometry import rectify
from edge.vision.weights import FOLDER, Model, find

NAME = "plate-ends"
SIZE = (160, 48)
MARGIN = (0.28, 0.3)
"""The crop that the ends are judged on: (width, height) px, and how much is seen of what is around the plate, in widths
and heights of it: part of the weights."""


class Ends:
    """The judge of ends: the probability from which on an end counts as seen, and that of a number that may have lost a
    digit. Raises ModelError."""

    def __init__(self, threads: int = 1, folder: Path = FOLDER) -> None:
        weights = find(NAME, folder)
        self._model = Model(weights, threads)
        self._least = float(weights.setting("least", float))
        self._least_short = float(weights.setting("least_short", float))

    def look(self, image: Image, reads: Sequence[PlateRead]) -> NDArray[np.float32]:
        """Per plate (n, 2): how surely its left and its right end are in the picture and uncovered."""
        if not reads:
            return np.empty((0, 2), np.float32)
        quads = [np.array(read.corners, np.float32) for read in reads]
        (ends,) = self._model.run(np.stack([rectify(image, quad, SIZE, *MARGIN)[0] for quad in quads]))
        return ends

    def whole(self, image: Image, reads: Sequence[PlateRead]) -> list[bool]:
        """Of each plate whether both its ends were seen."""
        return [self.seen(read, ends) for read, ends in zip(reads, self.look(image, reads), strict=True)]

    def seen(self, read: PlateRead, ends: NDArray[np.float32]) -> bool:
        """What `look` says of a reading as a yes or no. A number that may have lost a digit is asked more of: where a
        text cannot be part of a longer one, only a guess could go wrong."""
        least = self._least_short if may_be_longer(read.plate) else self._least
        return float(ends.min()) >= least


class Judge(Protocol):
    """Whoever says of plates whether both their ends were seen."""

    def whole(self, image: Image, reads: Sequence[PlateRead]) -> list[bool]: ...


class WholeReader:
    """A reader behind the same port, whose readings say whether the plate was seen whole in the picture given."""

    def __init__(self, reader: Reader, ends: Judge) -> None:
        self.inner, self._ends = reader, ends

    def read(self, image: Image, detections: Sequence[Detection]) -> list[PlateRead | None]:
        reads = self.inner.read(image, detections)
        height, width = image.shape[:2]
        inside = [read for read in reads if read is not None and within(read.corners, (0, 0, width, height))]
        whole = {id(read) for read, yes in zip(inside, self._ends.whole(image, inside), strict=True) if yes}
        return [read if read is None else replace(read, whole=id(read) in whole) for read in reads]
