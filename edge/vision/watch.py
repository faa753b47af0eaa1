"""Who looks over the pipeline's shoulder: every look, every reading and every vote, for a technician's report.

Whatever is told here changes nothing in the pipeline's own answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from edge.core.model import PlateRead
from edge.core.plate.vote import Tally
from edge.ports import Detection, Frame


class Watch(Protocol):
    def looked(self, frame: Frame, inside: Sequence[Detection], outside: Sequence[Detection]) -> None:
        """One look: what was found in the region, and what was found beyond it and left alone."""
        ...

    def read(self, frame: Frame, detections: Sequence[Detection], reads: Sequence[PlateRead | None]) -> None:
        """What the reader made of the places that it was asked about, one entry for each."""
        ...

    def voted(self, frame: Frame, track: int, read: PlateRead, tally: Tally) -> None:
        """One reading given to its track, and the votes of that track from now on."""
        ...
