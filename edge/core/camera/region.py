"""Polygons on a camera's picture, in fractions of its width and height: where plates are read, and from which line on.

Pure geometry. A line goes from its first to its second point; plates are read on its right-hand side, so that a line
drawn from left to right on the picture reads what is below it: vehicles that have come close enough.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from edge.core.model import Point

Polygon = tuple[Point, ...]
Line = tuple[Point, Point]
WHOLE: Polygon = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))
LEAST_SIDE = 0.05
"""No region is narrower or lower than this share of the picture."""


def inside(point: Point, polygon: Sequence[Point]) -> bool:
    """By the crossing rule; a point on an edge may count either way."""
    x, y = point
    within = False
    for (x1, y1), (x2, y2) in zip(polygon, (*polygon[1:], polygon[0]), strict=True):
        if (y1 > y) != (y2 > y) and x < (x2 - x1) * (y - y1) / (y2 - y1) + x1:
            within = not within
    return within


def beyond(point: Point, line: Line) -> float:
    """How far right of the line a point lies, in units of the picture times the line's length; negative: left of it."""
    (x1, y1), (x2, y2) = line
    return (x2 - x1) * (point[1] - y1) - (y2 - y1) * (point[0] - x1)


def past(polygon: Sequence[Point], line: Line) -> Polygon:
    """The part of a polygon on the line's right-hand side (Sutherland-Hodgman); empty where all of it lies left."""
    kept: list[Point] = []
    for a, b in zip(polygon, (*polygon[1:], polygon[0]), strict=True):
        from_a, from_b = beyond(a, line), beyond(b, line)
        if from_a >= 0:
            kept.append(a)
        if (from_a >= 0) != (from_b >= 0):
            share = from_a / (from_a - from_b)
            kept.append((a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share))
    return tuple(kept) if len(kept) >= 3 else ()


def reading_region(region: Sequence[Point] | None, line: Line | None) -> Polygon | None:
    """Where plates are read: the region up to its line; None reads everywhere. A line beyond the whole region is left
    out of account: a camera that reads nothing at all is never what was meant."""
    if line is None:
        return None if region is None else tuple(region)
    return past(tuple(region) if region is not None else WHOLE, line) or (None if region is None else tuple(region))


def around(points: Iterable[Point], margin: Point) -> Polygon:
    """The upright rectangle around points, grown by `margin` (x, y) on every side, within the picture; three decimals.
    Raises ValueError without points."""
    xs, ys = zip(*points, strict=True)
    left, right = _span(min(xs) - margin[0], max(xs) + margin[0])
    top, bottom = _span(min(ys) - margin[1], max(ys) + margin[1])
    return ((left, top), (right, top), (right, bottom), (left, bottom))


def _span(low: float, high: float) -> tuple[float, float]:
    """Within 0..1, rounded, and never less than LEAST_SIDE apart."""
    low, high = max(0.0, low), min(1.0, high)
    if high - low < LEAST_SIDE:
        middle = min(1 - LEAST_SIDE / 2, max(LEAST_SIDE / 2, (low + high) / 2))
        low, high = middle - LEAST_SIDE / 2, middle + LEAST_SIDE / 2
    return round(low, 3), round(high, 3)


def area(polygon: Sequence[Point]) -> float:
    """Share of the picture; the shoelace rule."""
    doubled = sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in zip(polygon, (*polygon[1:], polygon[0]), strict=True))
    return abs(doubled) / 2
