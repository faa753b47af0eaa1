"""Looks at the whole picture for plates, read or not: what calibration goes by. Knows no region and keeps no tracks.

Where nothing is found in a picture that should show something, it is looked at once more brightened, turned and in
parts: what then appears was lost for want of just that.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from edge.core.camera.measured_plate import PlateSight
from edge.core.camera.region import Polygon, inside
from edge.core.camera.view_settings import Aim, Picture
from edge.core.plate.vote import USUAL
from edge.ports import Detector, Frame, Image, Reader
from edge.vision import measure
from edge.vision.adjust import adjusted, moved

AIDS: tuple[tuple[str, Picture], ...] = (
    ("brighter", Picture(gamma=0.4)),
    ("turned", Picture(turn_deg=-25.0)),
    ("turned", Picture(turn_deg=25.0)),
)
TILES = 4
"""The last aid: half-size parts of the picture, this many in each direction less one, overlapping by half. A detector
shrinks what it is given; plates that are too small in the whole picture are found in a part of it."""
LIKELY = 0.3
"""An unread detection counts only from this score on: grilles and lamps lie below."""


class Surveyor:
    """`sure`: the confidence that this reader's vote asks of a reading."""

    def __init__(self, detector: Detector, reader: Reader, sure: float = USUAL.sure) -> None:
        self._whole = Aimed(detector, reader, Aim(), sure)
        self._aids = [(name, Aimed(detector, reader, Aim(picture=picture), sure)) for name, picture in AIDS]
        self._aids += [("closer", Aimed(detector, reader, Aim(region=tile), sure)) for tile in _tiles()]

    def look(self, frame: Frame, *, aided: bool = False) -> list[PlateSight]:
        """Every plate of the frame. `aided`: try the aids where there is none. Raises ModelError."""
        found = self._whole.look(frame)
        for name, eye in self._aids if aided and not found else ():
            found = [replace(sight, aid=name) for sight in eye.look(frame) if sight.text]
            if found:
                return found
        return found


def _tiles() -> list[Polygon]:
    steps = [i / TILES for i in range(TILES - 1)]
    return [((x, y), (x + 0.5, y), (x + 0.5, y + 0.5), (x, y + 0.5)) for y in steps for x in steps]


class Aimed:
    """Looks as the pipeline does under an `Aim`: only in its region, on the corrected picture."""

    def __init__(self, detector: Detector, reader: Reader, aim: Aim, sure: float = USUAL.sure) -> None:
        self._detector, self._reader = adjusted(detector, reader, aim.picture)
        self._region, self._sure = aim.reads_in, sure

    def look(self, frame: Frame) -> list[PlateSight]:
        """Raises ModelError."""
        x1, y1, x2, y2 = hull(self._region, frame.image)
        found = self._detector.detect(np.ascontiguousarray(frame.image[y1:y2, x1:x2]))
        detections = [moved(detection, np.array([[1.0, 0, x1], [0, 1, y1], [0, 0, 1]])) for detection in found]
        reads = self._reader.read(frame.image, detections)
        sights = [
            measure.sight(frame, detection, read, self._sure)
            for detection, read in zip(detections, reads, strict=True)
            if read is not None or detection.score >= LIKELY
        ]
        return [sight for sight in sights if self._region is None or inside(sight.middle, self._region)]


def hull(region: Polygon | None, image: Image) -> tuple[int, int, int, int]:
    """The region's upright hull in whole pixels of a picture: (x1, y1, x2, y2), 32 px wide and high at least."""
    height, width = image.shape[:2]
    if region is None:
        return 0, 0, width, height
    xs, ys = [x for x, _ in region], [y for _, y in region]
    x1, y1 = min(int(min(xs) * width), width - 32), min(int(min(ys) * height), height - 32)
    return x1, y1, max(x1 + 32, round(max(xs) * width)), max(y1 + 32, round(max(ys) * height))
