"""What to turn at a camera, worst first, from measured sights of plates and the stream's own pace. Pure.

A finding is a code with its numbers; words for people stand in the message catalogue under `calibrate.<code>`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median

from edge.core.camera.measured_plate import CHARACTER_SHARE, NEEDS, Needs, PlateSight, shortfalls
from edge.core.camera.region import Polygon, inside
from edge.core.model import Point

Edge = str
NEAR = 0.6
"""Sights at least this large, measured against the largest, show the vehicle where it should be read: a truck that is
still far away is small at every camera."""
SMEARED = 1.6
"""Upright edges this much softer than level ones: the vehicle moves during the exposure."""
NEARLY, JUST_SHORT = 0.6, 1.05
"""What is beyond this share of its limit may be why plates are not read; and how far it is then said to fall short."""
FPS_LEAST = 6.0
JITTER_MOST_MS = 250.0
DELAY_MOST_MS = 300.0
OUTSIDE_WEIGHT = 8.0
"""How a share of good plates outside the region weighs against the other faults."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How frames came. `jitter_ms`: 95th percentile of the distance from the usual interval. `delay_ms`: 95th
    percentile of how much later than the quickest a frame came; None for a clip, which has no arrival."""

    fps: float
    jitter_ms: float
    delay_ms: float | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """`weight`: 1 is just what is needed, 2 twice as bad. `numbers` fill the places of its text."""

    code: str
    weight: float
    numbers: dict[str, str | float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Travel:
    """How vehicles move on the picture: `step` in fractions a second, `grows` above 1 where they come nearer."""

    step: Point
    grows: float

    @property
    def direction(self) -> str:
        """ "towards" the camera, "away" from it, or "across"."""
        if abs(self.step[0]) > 2 * abs(self.step[1]) and 0.8 < self.grows < 1.25:
            return "across"
        return "towards" if self.grows >= 1 else "away"


def findings(
    sights: Sequence[PlateSight], region: Polygon | None, pace: Pace | None = None, needs: Needs = NEEDS
) -> list[Finding]:
    """Everything worth turning, worst first; empty where all is well. Without sights the one finding is `unseen`."""
    found = _pace_findings(pace) if pace is not None else []
    close = near(sights)
    if not close:
        found.append(Finding("unseen", 10.0))
    else:
        found += _judged(close, needs) + _outside(sights, region)
    return sorted((finding for finding in found if finding.weight > 1.0), key=lambda finding: -finding.weight)


def _judged(close: Sequence[PlateSight], needs: Needs) -> list[Finding]:
    """By every rule. Where most plates are not read although nothing falls short, more is asked until the nearest does:
    what a reader needs is no sharp line, and it needs more where two things are only just good enough."""
    found = [finding for finding in (rule(close, needs) for rule in _RULES) if finding is not None]
    worst = max(finding.weight for finding in found)
    if NEARLY < worst <= 1.0 and 2 * sum(sight.read for sight in close) < len(close):
        return _judged(close, needs.tighter(JUST_SHORT / worst))
    return found


def near(sights: Sequence[PlateSight]) -> list[PlateSight]:
    """Those of vehicles that are as close as they come; all alike where only small ones were seen."""
    if not sights:
        return []
    largest = max(_width_px(sight) for sight in sights)
    return [sight for sight in sights if _width_px(sight) >= NEAR * largest]


def _width_px(sight: PlateSight) -> float:
    """The width, not the height: two-line plates are higher and no nearer."""
    (x1, y1), (x2, y2) = sight.corners[0], sight.corners[1]
    return float(((x2 - x1) ** 2 + (y2 - y1) ** 2) ** 0.5)


def _typical(sights: Sequence[PlateSight], fault: str, needs: Needs) -> float:
    return median(shortfalls(sight, needs)[fault] for sight in sights)  # type: ignore[index]  # one of the faults


def _small(sights: Sequence[PlateSight], needs: Needs) -> Finding:
    share = CHARACTER_SHARE[max((s.layout for s in sights), key=[s.layout for s in sights].count)]
    now = median(sight.height_px for sight in sights)
    numbers: dict[str, str | float] = {"need": round(needs.character_px / share), "now": round(now)}
    return Finding("small", _typical(sights, "small", needs), numbers)


def _blurred(sights: Sequence[PlateSight], needs: Needs) -> Finding:
    now = median(sight.blur_px for sight in sights)
    weight = _typical(sights, "blurred", needs)
    numbers: dict[str, str | float] = {"now": round(now, 1), "need": round(now / max(weight, 0.1), 1)}
    moves = median(sight.smear for sight in sights) > SMEARED
    return Finding("smeared" if moves else "blurred", weight, numbers)


def _dark(sights: Sequence[PlateSight], needs: Needs) -> Finding:
    now = median(sight.light for sight in sights)
    return Finding("dark", _typical(sights, "dark", needs), {"now": round(now), "need": round(needs.light)})


def _glare(sights: Sequence[PlateSight], needs: Needs) -> Finding:
    now = median(sight.glare for sight in sights)
    return Finding("glare", _typical(sights, "glare", needs), {"now": round(100 * now)})


def _tilted(sights: Sequence[PlateSight], needs: Needs) -> Finding:
    now = median(sight.tilt_deg for sight in sights)
    numbers: dict[str, str | float] = {"now": round(abs(now)), "need": round(needs.tilt_deg)}
    return Finding("tilted_right" if now > 0 else "tilted_left", abs(now) / needs.tilt_deg, numbers)


def _flat(sights: Sequence[PlateSight], needs: Needs) -> Finding:
    now = median(sight.contrast for sight in sights)
    numbers: dict[str, str | float] = {"now": round(100 * now), "need": round(100 * needs.contrast)}
    return Finding("flat", _typical(sights, "flat", needs), numbers)


Rule = Callable[[Sequence[PlateSight], Needs], Finding | None]
_RULES: tuple[Rule, ...] = (_small, _blurred, _dark, _glare, _tilted, _flat)


def _outside(sights: Sequence[PlateSight], region: Polygon | None) -> list[Finding]:
    """Edges of the region that good plates lie beyond, each with where it should be."""
    good = [sight for sight in sights if sight.read]
    lost = [sight.middle for sight in good if region is not None and not inside(sight.middle, region)]
    if region is None or not lost:
        return []
    xs, ys = [x for x, _ in region], [y for _, y in region]
    sides: dict[Edge, tuple[list[float], float, float]] = {
        "left": ([x for x, _ in lost if x < min(xs)], min(xs), min(x for x, _ in lost)),
        "right": ([x for x, _ in lost if x > max(xs)], max(xs), max(x for x, _ in lost)),
        "top": ([y for _, y in lost if y < min(ys)], min(ys), min(y for _, y in lost)),
        "bottom": ([y for _, y in lost if y > max(ys)], max(ys), max(y for _, y in lost)),
    }
    found = []
    for side, (over, now, to) in sides.items():
        if over:
            numbers: dict[str, str | float] = {"now": round(100 * now), "to": round(100 * to)}
            found.append(Finding(f"region_{side}", 1 + OUTSIDE_WEIGHT * len(over) / len(good), numbers))
    if not found:  # beyond a slanting edge
        found.append(Finding("region", 1 + OUTSIDE_WEIGHT * len(lost) / len(good), {"lost": len(lost)}))
    return found


def _pace_findings(pace: Pace) -> list[Finding]:
    found = [Finding("slow", FPS_LEAST / max(pace.fps, 0.1), {"now": round(pace.fps, 1), "need": FPS_LEAST})]
    found.append(Finding("jitter", pace.jitter_ms / JITTER_MOST_MS, {"now": round(pace.jitter_ms)}))
    if pace.delay_ms is not None:
        found.append(Finding("delay", pace.delay_ms / DELAY_MOST_MS, {"now": round(pace.delay_ms)}))
    return found


# ---------------------------------------------------------------- where plates are read


def pace_of(taken_s: Sequence[float], arrived_s: Sequence[float] | None = None) -> Pace | None:
    """From the frames' own times and, for a live stream, when each arrived. None for fewer than three frames."""
    if len(taken_s) < 3:
        return None
    steps = [b - a for a, b in pairwise(taken_s)]
    usual = median(steps)
    jitter_s = _p95([abs(step - usual) for step in steps])
    delay_ms = None
    if arrived_s is not None:
        late = [arrived - taken for arrived, taken in zip(arrived_s, taken_s, strict=True)]
        delay_ms = 1000 * _p95([one - min(late) for one in late])
    span_s = taken_s[-1] - taken_s[0]
    fps = (len(taken_s) - 1) / span_s if span_s > 0 else 0.0
    return Pace(round(fps, 2), round(1000 * jitter_s, 1), None if delay_ms is None else round(delay_ms, 1))


def _p95(values: Sequence[float]) -> float:
    return sorted(values)[min(len(values) - 1, int(0.95 * len(values)))]


def heat(sights: Sequence[PlateSight], columns: int = 16, rows: int = 9) -> list[list[tuple[int, int]]]:
    """(read, lost) plates for each field of the picture, row by row from the top."""
    fields = [[(0, 0)] * columns for _ in range(rows)]
    for sight in sights:
        column = min(columns - 1, max(0, int(sight.middle[0] * columns)))
        row = min(rows - 1, max(0, int(sight.middle[1] * rows)))
        read, lost = fields[row][column]
        fields[row][column] = (read + sight.read, lost + (not sight.read))
    return fields


def rate(sights: Sequence[PlateSight], region: Polygon | None = None) -> tuple[int, int]:
    """(read, all) of the plates in a region; the whole picture where it is None."""
    within = [sight for sight in sights if region is None or inside(sight.middle, region)]
    return sum(sight.read for sight in within), len(within)
