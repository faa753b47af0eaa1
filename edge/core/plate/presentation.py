"""Whether a plate was shown as a vehicle shows it: where something opens by itself, a plate on paper or on a screen
must not be enough. Pure.

The loop asks for a vehicle, the region for the place, the vote for several frames, every plate that was read for being
declared (front and rear). Here are two more that a site may ask for where it knows its camera: size and motion.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from edge.core.model import Box

Odd = Literal["", "size", "still"]


@dataclass(frozen=True, slots=True)
class Usual:
    """How plates come at one camera. `width`: (least, most) share of the picture's width where they are read. `moves`:
    how far a plate went, or grew, since it was first read, in its own widths. None: anything will do."""

    width: tuple[float, float] | None = None
    moves: float | None = None


ANYTHING = Usual()


def odd(box: Box, first: Box | None, frame_width: int, usual: Usual) -> Odd:
    """Why the plate at `box` is not as usual, "" where it is. `first`: where its track was first read; pixels."""
    width = max(1.0, box[2] - box[0])
    if usual.width is not None and not usual.width[0] <= width / frame_width <= usual.width[1]:
        return "size"
    if usual.moves is not None and (first is None or moved(first, box) < usual.moves):
        return "still"
    return ""


def moved(first: Box, now: Box) -> float:
    """How far the middle went or how much the plate grew or shrank, whichever is more, in widths of the larger box."""
    old, new = max(1.0, first[2] - first[0]), max(1.0, now[2] - now[0])
    dx, dy = (now[0] + now[2] - first[0] - first[2]) / 2, (now[1] + now[3] - first[1] - first[3]) / 2
    return max(float((dx * dx + dy * dy) ** 0.5), abs(new - old)) / max(old, new)
