"""Does anything move where plates are read? A cheap look that keeps the models asleep while the lane is still, and
tells a new picture of a plate from the same one again."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.core.model import Box
from edge.ports import Image

GREY_WIDTH_PX = 160
STEP = 12
"""Grey levels (of 255) that a pixel must change by; averaging 8 by 8 pixels leaves sensor noise far below."""
SHARE = 0.003
"""Share of the picture that must have changed: more than the digits of a camera's clock."""
REFERENCE_S = 0.6
"""Age at which the picture compared with is renewed: a creeping truck moves a grey pixel in that time."""


SAME = 0.5
"""Mean difference, in grey levels, up to which the pixels of a plate are those of the picture before: what a codec adds
where it repeats a picture stays below, a sensor's noise does not."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a plate's place looked like, to tell a new picture of it from the same one again."""

    place: tuple[slice, slice]
    pixels: Image

    @classmethod
    def of(cls, luma: Image, box: Box) -> Evidence:
        x1, y1, x2, y2 = box
        place = slice(max(0, int(y1)), max(1, round(y2))), slice(max(0, int(x1)), max(1, round(x2)))
        return cls(place, luma[place].copy())

    def still(self, luma: Image) -> bool:
        """True where the place looks the very same: it is the same picture, or a repeated one."""
        pixels = luma[self.place]
        if pixels.shape != self.pixels.shape or not pixels.size:
            return False
        return float(cv2.absdiff(pixels, self.pixels).mean()) <= SAME


class MotionGate:
    """Compares small grey pictures. The first picture, and one of another size, counts as movement."""

    def __init__(self) -> None:
        self._reference: NDArray[np.uint8] | None = None
        self._reference_s = 0.0

    def moving(self, luma: Image, now_s: float) -> bool:
        """`luma`: (height, width), grey levels. True where enough of it changed since the picture compared with."""
        height = max(8, round(luma.shape[0] * GREY_WIDTH_PX / luma.shape[1]))
        # The nearest of every second row and column is enough: averaging does the rest.
        small = cv2.resize(luma[::2, ::2], (GREY_WIDTH_PX, height), interpolation=cv2.INTER_AREA)
        grey = np.asarray(small, np.uint8)
        reference = self._reference
        if reference is None or reference.shape != grey.shape:
            self._reference, self._reference_s = grey, now_s
            return True
        changed = float((cv2.absdiff(grey, reference) > STEP).mean()) > SHARE
        if changed or now_s - self._reference_s >= REFERENCE_S:
            self._reference, self._reference_s = grey, now_s
        return changed
