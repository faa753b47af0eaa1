"""One plate in one frame as a technician sees it: how large, how sharp, how bright, how straight, and was it read.

Pure: the numbers come from edge.vision.measure; here they are held against what reading needs. The limits were found
on this project's clips, shrunk, blurred, darkened and turned step by step until reading failed; each is set where the
reader still has some margin.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from edge.core.model import Box, Layout, Point
from edge.core.plate.table import OTHER
from edge.core.plate.vote import USUAL

Fault = Literal["small", "blurred", "dark", "glare", "tilted", "flat"]
"""What a picture of a plate may suffer from: too few pixels, soft edges, too little light, burnt out by light, not
level, ink and ground too much alike."""

Cause = Literal["small", "blurred", "dark", "glare", "tilted", "flat", "outside", "grammar", "unsure", "unseen", "few"]
"""Why a plate was not read: one of the faults; it stood outside the region; its text fits no pattern; readings were
too unsure or contradicted each other; no plate was found at all; it was in view for too few looks."""

CHARACTER_SHARE = {"one_line": 0.73, "two_line": 0.38, "unknown": 0.73}
"""Height of the characters over the height of the plate, by layout (Circular 79/2024, annexes; GA 36-2018)."""


@dataclass(frozen=True, slots=True)
class Needs:
    """What reading asks of a picture. A character 16 px high is a one-line plate of 22 px, a two-line one of 42 px."""

    character_px: float = 16.0
    blur_share: float = 0.05
    """Width of an edge (sigma) over the height of a character."""
    blur_least_px: float = 1.0
    """Edges are never asked to be finer: no camera's compression keeps more."""
    light: float = 60.0
    """Brightness of the plate's ground, 0..255."""
    glare: float = 0.3
    """Share of the plate and its surroundings that is burnt out."""
    tilt_deg: float = 12.0
    contrast: float = 0.18
    """(ground - ink) / (ground + ink)."""

    def tighter(self, by: float) -> Needs:
        """So many times as much of everything is asked."""
        return Needs(
            character_px=self.character_px * by,
            blur_share=self.blur_share / by,
            blur_least_px=self.blur_least_px / by,
            light=self.light * by,
            glare=self.glare / by,
            tilt_deg=self.tilt_deg / by,
            contrast=self.contrast * by,
        )


NEEDS = Needs()


@dataclass(frozen=True, slots=True)
class PlateSight:
    """A plate found in one frame, measured. `corners` clockwise from the top left, in pixels of a frame of `size` =
    (width, height). `text` is "" where nothing plate-like was read. `aid` says how the picture had to be changed before
    anything was found ("" as it came). `sure`: the confidence from which on a reading counts in the vote of the reader
    that made it (core.vote)."""

    at_s: float
    size: tuple[int, int]
    corners: tuple[Point, Point, Point, Point]
    layout: Layout
    height_px: float
    tilt_deg: float
    blur_px: float
    smear: float
    """How much softer upright edges are than level ones: well above 1 where the vehicle moves during the exposure."""
    contrast: float
    light: float
    glare: float
    text: str = ""
    kind: str = OTHER
    confidence: float = 0.0
    aid: str = ""
    sure: float = USUAL.sure

    @property
    def box(self) -> Box:
        xs, ys = [x for x, _ in self.corners], [y for _, y in self.corners]
        return min(xs), min(ys), max(xs), max(ys)

    @property
    def middle(self) -> Point:
        """In fractions of the frame's width and height."""
        x1, y1, x2, y2 = self.box
        return (x1 + x2) / 2 / self.size[0], (y1 + y2) / 2 / self.size[1]

    @property
    def character_px(self) -> float:
        return self.height_px * CHARACTER_SHARE[self.layout]

    @property
    def read(self) -> bool:
        """A plate's text, surely read from the picture as it came."""
        return not self.aid and self.kind != OTHER and self.confidence >= self.sure


def sight_from(fields: Mapping[str, Any]) -> PlateSight:
    """A sight that crossed between processes as JSON, where tuples became lists."""
    a, b, c, d = ((float(x), float(y)) for x, y in fields["corners"])
    width, height = fields["size"]
    return PlateSight(**{**fields, "corners": (a, b, c, d), "size": (width, height)})


def shortfalls(sight: PlateSight, needs: Needs = NEEDS) -> dict[Fault, float]:
    """By fault how far the sight falls short: 1 is just what is needed, 2 twice as bad, below 1 good."""
    blur_most_px = max(needs.blur_least_px, needs.blur_share * sight.character_px)
    return {
        "small": needs.character_px / max(sight.character_px, 0.1),
        "blurred": sight.blur_px / blur_most_px,
        "dark": needs.light / max(sight.light, 1.0),
        "glare": sight.glare / needs.glare,
        "tilted": abs(sight.tilt_deg) / needs.tilt_deg,
        "flat": needs.contrast / max(sight.contrast, 0.01),
    }


def cause(sight: PlateSight, needs: Needs = NEEDS) -> Cause | None:
    """Why this sight was not read: the worst of its faults; None where it was."""
    if sight.read:
        return None
    short = shortfalls(sight, needs)
    worst: Fault = max(short, key=lambda fault: short[fault])
    if short[worst] > 1.0:
        return worst
    return "grammar" if sight.text and sight.kind == OTHER else "unsure"
