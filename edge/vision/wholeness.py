"""Says of each reading whether its plate was seen whole. Stands between any reader and whoever asks it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from edge.core.model import PlateRead
from edge.core.wholeness import within
from edge.ports import Detection, Image, Reader

NAME = "plate-ends"
SIZE = (160, 48)
MARGIN = (0.28, 0.3)
"""The crop that the ends are judged on: (width, height) px, and how much is seen of what is around the plate, in widths
and heights of it: part of the weights."""


class WholeReader:
    """A reader behind the same port, whose readings say whether the plate was seen whole in the picture given."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def read(self, image: Image, detections: Sequence[Detection]) -> list[PlateRead | None]:
        height, width = image.shape[:2]
        return [
            read if read is None else replace(read, whole=within(read.corners, (0, 0, width, height)))
            for read in self._reader.read(image, detections)
        ]
