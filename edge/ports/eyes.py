"""What reading plates is joined by: frames, detectors, readers.

Images are `numpy.uint8` arrays of shape (height, width, 3) in BGR order unless a name says otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any, Protocol

from edge.core.model import Layout, PlateRead, Point

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Image = NDArray[np.uint8]
else:
    Image = Any


@dataclass(frozen=True, slots=True)
class Detection:
    """Where a plate may stand. `corners` clockwise from the top left in frame pixels.

    `lines` are the quads of its text lines, top to bottom, where the detector works by text lines; empty otherwise.
    """

    corners: tuple[Point, Point, Point, Point]
    score: float
    layout: Layout = "unknown"
    lines: tuple[tuple[Point, Point, Point, Point], ...] = ()


class Frame:
    """One decoded picture. `captured_mono_ns` and `captured_at` are stamped when it came off the wire, before
    anything waits.

    A picture may be given as a way to make it: on an empty lane most frames are only compared in grey, and turning
    them into colour would cost more than that. `image` raises ValueError where it cannot be made. Several threads may
    ask for it; one of them makes it (FFmpeg's converter stops for ever where two use it on one picture).
    """

    __slots__ = ("_image", "_luma", "_make", "_making", "captured_at", "captured_mono_ns", "number")

    def __init__(
        self,
        image: Image | Callable[[], Image],
        number: int,
        captured_mono_ns: int,
        captured_at: str,
        luma: Image | None = None,
    ) -> None:
        self._make = image if callable(image) else None
        self._image: Image | None = None if callable(image) else image
        self._luma = luma
        self._making = Lock()
        self.number = number
        self.captured_mono_ns = captured_mono_ns
        self.captured_at = captured_at

    @property
    def image(self) -> Image:
        with self._making:
            if self._image is None:
                assert self._make is not None
                self._image = self._make()
            return self._image

    @property
    def luma(self) -> Image:
        """How bright it is, (height, width)."""
        if self._luma is not None:
            return self._luma
        image = self.image
        return image[:, :, 0] // 8 + image[:, :, 1] // 2 + image[:, :, 2] // 4


class Detector(Protocol):
    def detect(self, image: Image) -> list[Detection]:
        """Plates in one frame, best first. Raises ModelError; an empty list means that the model ran and found none."""
        ...


class Reader(Protocol):
    def read(self, image: Image, detections: Sequence[Detection]) -> list[PlateRead | None]:
        """One entry for each detection, None where its text is not plate-like. Raises ModelError."""
        ...
