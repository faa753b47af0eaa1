"""From a text detector's score map to text lines, and from lines to places where a plate may stand.

A quad is a float32 array (4, 2) of corners in pixels, clockwise from the top left.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.core.model import Layout, Point
from edge.ports import Detection

Floats = NDArray[np.float32]

MIN_HEIGHT_PX = 7.0
LINE_ASPECT = (0.9, 9.5)
"""Width over height of a plate's line: "12C" alone is narrow, a long plate's seven or eight characters are wide."""
SPLIT_ASPECT = (1.0, 2.4)
"""A region of this shape may be both lines of a small two-line plate run together."""
LINES_MOST = 10


@dataclass(frozen=True, slots=True)
class Line:
    """One line of text. `height` and `width` are of the quad's own sides, in pixels."""

    quad: Floats
    score: float

    @property
    def width(self) -> float:
        return float(np.linalg.norm(self.quad[1] - self.quad[0]) + np.linalg.norm(self.quad[2] - self.quad[3])) / 2

    @property
    def height(self) -> float:
        return float(np.linalg.norm(self.quad[3] - self.quad[0]) + np.linalg.norm(self.quad[2] - self.quad[1])) / 2

    @property
    def middle(self) -> tuple[float, float]:
        x, y = self.quad.mean(axis=0)
        return float(x), float(y)


def lines_of(
    scores: Floats, scale: tuple[float, float], threshold: float = 0.3, box_threshold: float = 0.45
) -> list[Line]:
    """Text lines in a score map (height, width) of 0..1; `scale` turns map pixels into image pixels (x, y).

    The detector is trained on shrunken lines (differentiable binarisation), so each found region is grown again by
    area / perimeter, the inverse of that shrinking.
    """
    mask = (scores > threshold).astype(np.uint8)
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    lines = []
    for contour in contours:
        (cx, cy), (a, b), angle = cv2.minAreaRect(contour)
        if min(a, b) < 2:
            continue
        score = _mean_inside(scores, np.asarray(contour, np.int32))
        if score < box_threshold:
            continue
        grown = 1.6 * (a * b) / (a + b)
        quad = cv2.boxPoints(((cx, cy), (a + grown, b + grown), angle)).astype(np.float32)
        lines.append(Line(_clockwise(quad) * np.array(scale, np.float32), score))
    return lines


def _mean_inside(scores: Floats, contour: NDArray[np.int32]) -> float:
    x, y, width, height = cv2.boundingRect(contour)
    inside = np.zeros((height, width), np.uint8)
    cv2.drawContours(inside, [contour - (x, y)], -1, 1, cv2.FILLED)
    return float(cv2.mean(scores[y : y + height, x : x + width], inside)[0])


def _clockwise(quad: Floats) -> Floats:
    """Start at the top left: of the two leftmost points the upper one; lines lie within 45 degrees of level."""
    order = np.argsort(quad[:, 0], kind="stable")
    left, right = quad[order[:2]], quad[order[2:]]
    left, right = left[np.argsort(left[:, 1])], right[np.argsort(right[:, 1])]
    return np.stack([left[0], right[0], right[1], left[1]])


def candidates(found: list[Line]) -> list[Detection]:
    """Where a plate may stand: single lines, lines split by a gap and joined again, and one line over another."""
    plausible = [line for line in found if line.height >= MIN_HEIGHT_PX and line.width >= line.height * 0.6]
    plausible = sorted(plausible, key=lambda line: -line.score)[:LINES_MOST]
    rows = plausible + list(_joined_rows(plausible))
    rows = [line for line in rows if LINE_ASPECT[0] <= line.width / line.height <= LINE_ASPECT[1]]
    pairs = [_two_lines(upper, lower) for upper in rows for lower in rows if _stacked(upper, lower)]
    pairs += [_split(line) for line in plausible if SPLIT_ASPECT[0] <= line.width / line.height <= SPLIT_ASPECT[1]]
    return sorted([*pairs, *(_one_line(line) for line in rows)], key=lambda detection: -detection.score)


def _joined_rows(lines: list[Line]) -> Iterator[Line]:
    for left in lines:
        for right in lines:
            size = max(left.height, right.height)
            gap = float(right.quad[0, 0] - left.quad[1, 0])
            level = abs(float(right.quad[:, 1].mean() - left.quad[:, 1].mean())) < 0.4 * size
            alike = min(left.height, right.height) > 0.6 * size
            if left is not right and level and alike and -0.4 * size < gap < 1.2 * size:
                quad = np.stack([left.quad[0], right.quad[1], right.quad[2], left.quad[3]])
                yield Line(quad, min(left.score, right.score))


def _stacked(upper: Line, lower: Line) -> bool:
    """True where two lines stand one over the other as on a two-line plate."""
    if upper is lower or not 0.35 < upper.height / lower.height < 2.2 or lower.width < 0.75 * upper.width:
        return False
    (ux, uy), (lx, ly) = upper.middle, lower.middle
    width, height = max(upper.width, lower.width), (upper.height + lower.height) / 2
    tall = lower.width / (ly - uy + height) if ly > uy else 0.0
    return abs(ux - lx) < 0.3 * width and 0.55 * height < ly - uy < 1.8 * height and 0.8 < tall < 3.2


def _one_line(line: Line) -> Detection:
    quad = _points(line.quad)
    return Detection(quad, line.score, "one_line", (quad,))


def _two_lines(upper: Line, lower: Line) -> Detection:
    hull = np.concatenate([upper.quad, lower.quad])
    (cx, cy), (a, b), angle = cv2.minAreaRect(hull)
    quad = _points(_clockwise(cv2.boxPoints(((cx, cy), (a, b), angle)).astype(np.float32)))
    layout: Layout = "two_line"
    return Detection(quad, min(upper.score, lower.score), layout, (_points(upper.quad), _points(lower.quad)))


def _split(line: Line) -> Detection:
    a, b, c, d = line.quad
    upper = np.stack([a, b, b + (c - b) * 0.5, a + (d - a) * 0.5])
    lower = np.stack([a + (d - a) * 0.48, b + (c - b) * 0.48, c, d])
    return Detection(_points(line.quad), line.score * 0.9, "two_line", (_points(upper), _points(lower)))


def _points(quad: Floats) -> tuple[Point, Point, Point, Point]:
    a, b, c, d = ((round(float(x), 1), round(float(y), 1)) for x, y in quad)
    return a, b, c, d
