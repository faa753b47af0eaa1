"""From measured sights to a better setting of one camera: region, line, picture correction. Pure.

Proposals only: what they gain is measured on the clip itself, and what gains nothing is not proposed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from math import log
from statistics import median

from edge.core.camera.calibrate import Finding, Travel, near
from edge.core.camera.measured_plate import PlateSight
from edge.core.camera.region import WHOLE, Line, Polygon, around
from edge.core.camera.view_settings import Aim
from edge.core.model import Point

Change = Callable[[Aim], Aim]

MARGIN = 1.5
"""Room left around the plates seen, in widths and heights of a plate: the next truck carries it elsewhere."""
MARGIN_LEAST = (0.06, 0.08)
"""Shares of the picture's width and height that this room is at least."""
GROUND_WANTED = 170.0
GAMMA = (0.3, 0.9)
SHARPEN = 4.0
TURN_LEAST_DEG = 4.0
RELIABLE = 0.9
"""From the trigger line on so many of the plates are read."""
LINE_LEAST = 6
STILL = 0.004
"""Plates that move less than this share of the picture between two looks tell no direction."""


def region_around(sights: Sequence[PlateSight]) -> Polygon | None:
    """A rectangle that holds every plate that could be read or nearly was, with room to spare; None without any."""
    useful = [sight for sight in sights if sight.text] or list(sights)
    if not useful:
        return None
    points, widths, heights = [], [], []
    for sight in useful:
        width, height = sight.size
        x1, y1, x2, y2 = sight.box
        points += [(x1 / width, y1 / height), (x2 / width, y2 / height)]
        widths.append((x2 - x1) / width)
        heights.append((y2 - y1) / height)
    margin = (max(MARGIN_LEAST[0], MARGIN * max(widths)), max(MARGIN_LEAST[1], MARGIN * max(heights)))
    return around(points, margin)


def gamma_for(sights: Sequence[PlateSight]) -> float:
    """What brings the plates' ground from where it is to GROUND_WANTED, within bounds; two decimals."""
    light = min(max(median(sight.light for sight in sights), 2.0), 250.0)
    wanted = log(GROUND_WANTED / 255) / log(light / 255)
    return round(min(GAMMA[1], max(GAMMA[0], wanted)), 2)


def turn_for(sights: Sequence[PlateSight]) -> float:
    """What makes the plates level, in whole degrees."""
    return float(-round(median(sight.tilt_deg for sight in sights)))


def changes(sights: Sequence[PlateSight], found: Sequence[Finding]) -> list[Change]:
    """Single changes to an `Aim`, in the order in which they are worth trying: the worst finding's cure first."""
    close = near(sights)
    if not close:
        return []
    region, codes = region_around(sights), [finding.code for finding in found]
    where: list[Change] = [] if region is None else [lambda aim: replace(aim, region=region, line=None)]
    cures: list[Change] = [_CURES[code](close) for code in codes if code in _CURES]
    if "small" in codes:
        cures.append(_picture(enlarge=2.0))
    first = bool(codes) and (codes[0].startswith("region") or codes[0] == "small")
    return where + cures if first else cures + where


def _picture(**values: float) -> Change:
    return lambda aim: replace(aim, picture=replace(aim.picture, **values))


_CURES: dict[str, Callable[[Sequence[PlateSight]], Change]] = {
    "dark": lambda sights: _picture(gamma=gamma_for(sights)),
    "blurred": lambda sights: _picture(sharpen=SHARPEN),
    "smeared": lambda sights: _picture(sharpen=SHARPEN),
    "tilted_left": lambda sights: _picture(turn_deg=turn_for(sights)),
    "tilted_right": lambda sights: _picture(turn_deg=turn_for(sights)),
}


# ---------------------------------------------------------------- direction and line


def travel(passes: Sequence[Sequence[PlateSight]]) -> Travel | None:
    """How plates move, from sights of one plate in the order of time, for each vehicle. None where nothing moved."""
    steps: list[Point] = []
    growths: list[float] = []
    for sights in passes:
        for a, b in pairwise(sights):
            span_s = b.at_s - a.at_s
            dx, dy = b.middle[0] - a.middle[0], b.middle[1] - a.middle[1]
            if span_s > 0 and abs(dx) + abs(dy) > STILL:
                steps.append((dx / span_s, dy / span_s))
                growths.append((b.box[2] - b.box[0]) / max(1.0, a.box[2] - a.box[0]))
    if not steps:
        return None
    return Travel((median(x for x, _ in steps), median(y for _, y in steps)), median(growths))


def trigger_line(sights: Sequence[PlateSight], way: Travel | None, region: Polygon | None) -> Line | None:
    """The line across the way from which on plates are read reliably, reading side to its right; None where too little
    was seen, or where plates are read from the start."""
    if way is None or len(sights) < LINE_LEAST:
        return None
    dx, dy = way.step if way.grows >= 1 else (-way.step[0], -way.step[1])
    length = (dx * dx + dy * dy) ** 0.5 or 1.0
    ux, uy = dx / length, dy / length
    ranked = sorted((sight.middle[0] * ux + sight.middle[1] * uy, sight.read) for sight in sights)
    cut = _reliable_from([read for _, read in ranked])
    if cut == 0 or cut >= len(ranked) - 2:
        return None
    at = (ranked[cut - 1][0] + ranked[cut][0]) / 2
    return _across((ux, uy), at, region or WHOLE)


def _reliable_from(reads: Sequence[bool]) -> int:
    """The first place from which on RELIABLE of the rest are read."""
    good = 0
    first = len(reads)
    for i in range(len(reads) - 1, -1, -1):
        good += reads[i]
        if reads[i] and good >= RELIABLE * (len(reads) - i):
            first = i
    return first


def _across(along: Point, at: float, region: Polygon) -> Line:
    """The line square to `along` at the distance `at`, as long as the region; its right-hand side is further along."""
    ux, uy = along
    over = (uy, -ux)  # a walker along it has `along` on the right-hand side (y points down)
    reach = [x * over[0] + y * over[1] for x, y in region]
    ends = [(at * ux + side * over[0], at * uy + side * over[1]) for side in (min(reach), max(reach))]
    a, b = ((round(min(1.0, max(0.0, x)), 3), round(min(1.0, max(0.0, y)), 3)) for x, y in ends)
    return a, b
