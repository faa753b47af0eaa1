"""Whether a plate was seen whole: with both its ends, and nothing over the outer characters. Pure.

A plate whose end is not in the picture reads, surely, as another lawful plate: a five-digit Vietnamese number without
its last digit is a four-digit one. Grammar cannot see that. What lies beyond the plate's ends can.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from edge.core.model import Box, PlateText, Point

ROOM = 0.02
"""Least distance between a plate and what bounds the picture, in widths of the plate: a detector's corners are good to
about that."""
ROOM_LEAST_PX = 1.5


def within(corners: Sequence[Point], bounds: Box) -> bool:
    """True where the whole plate lies inside the bounds, with some room on every side.

    `corners` and `bounds` (x1, y1, x2, y2) in pixels of one frame: the picture's edges, or those of the part of it that
    was looked at.
    """
    xs, ys = [x for x, _ in corners], [y for _, y in corners]
    room = max(ROOM_LEAST_PX, ROOM * (max(xs) - min(xs)))
    x1, y1, x2, y2 = bounds
    return min(xs) - x1 >= room and min(ys) - y1 >= room and x2 - max(xs) >= room and y2 - max(ys) >= room


_DIGITS = re.compile(r"\d+$")
SHORT = 4


def may_be_longer(plate: PlateText) -> bool:
    """True where a plate that lost its last digit would read like this: a Vietnamese number of four digits. Those of
    five came in 2010; both are lawful. Of two lines the lower one is the number, whatever stands above it: `12A1` over
    `2345` is a motorcycle's four, `12A` over `12345` a car's five."""
    digits = _DIGITS.search("".join(c for c in plate.raw.split("\n")[-1] if c.isalnum()))
    return plate.country == "VN" and digits is not None and len(digits.group()) <= SHORT
