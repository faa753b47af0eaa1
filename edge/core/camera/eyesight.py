"""How well a camera reads over weeks: by hour and light, and a lens that gets dirty seen as a trend. Pure.

Passages of one light are compared with passages of the same light: every camera reads worse at night, and a season's
nights grow longer. A fall is told only when it is large, steady over several days and against enough passages.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Literal

from edge.core.instant import instant

Light = Literal["day", "dusk", "night"]
LIGHTS: tuple[Light, ...] = ("day", "dusk", "night")
Reason = Literal["lens", "lamp", "sun", "slow"]
"""What a fall looks like: in every light the lens (dirt, focus, a moved camera); only at night the lamp; only by day
the sun; or decisions take longer while as many are read."""

RECENT_DAYS, BASE_DAYS = 3, 14
LEAST_RECENT, LEAST_BASE = 15, 40
"""Passages below which a share says nothing."""
DROP = 0.12
"""The read rate must have fallen by so much: of a hundred vehicles twelve more are typed by hand."""
SLOWER = 1.8
SLOW_LEAST_S = 1.5


@dataclass(frozen=True, slots=True)
class Sample:
    """One passage at one camera. `read`: its plate was decided by reading; `rejected`: what was read was replaced by a
    person; `waited_s`: from the first reading to the decision, None where there was none."""

    camera: str
    day: str
    hour: int
    read: bool
    rejected: bool = False
    waited_s: float | None = None


@dataclass(frozen=True, slots=True)
class Share:
    """Figures of some passages. `waited_s` is the median, None where nothing was decided."""

    passages: int
    read: int
    rejected: int
    waited_s: float | None

    @property
    def rate(self) -> float:
        return self.read / self.passages if self.passages else 0.0


@dataclass(frozen=True, slots=True)
class Trend:
    """A camera that reads worse than it did. `was` and `now` are read rates, or seconds where the reason is "slow"."""

    camera: str
    reason: Reason
    was: float
    now: float
    lights: tuple[Light, ...]


def light_of(hour: int) -> Light:
    """By the local clock at the border (about 22 degrees north): day 7 to 16, night 19 to 4, dusk between."""
    return "day" if 7 <= hour < 17 else "night" if hour >= 19 or hour < 5 else "dusk"


def share(samples: Sequence[Sample]) -> Share:
    waits = [one.waited_s for one in samples if one.waited_s is not None]
    read, rejected = sum(one.read for one in samples), sum(one.rejected for one in samples)
    return Share(len(samples), read, rejected, round(median(waits), 2) if waits else None)


def table(samples: Iterable[Sample]) -> dict[tuple[str, int], Share]:
    """By camera and hour of the day."""
    rows: dict[tuple[str, int], list[Sample]] = defaultdict(list)
    for one in samples:
        rows[(one.camera, one.hour)].append(one)
    return {key: share(found) for key, found in sorted(rows.items())}


def by_light(samples: Iterable[Sample]) -> dict[tuple[str, Light], Share]:
    rows: dict[tuple[str, Light], list[Sample]] = defaultdict(list)
    for one in samples:
        rows[(one.camera, light_of(one.hour))].append(one)
    return {key: share(found) for key, found in sorted(rows.items())}


def trends(samples: Iterable[Sample]) -> list[Trend]:
    """Cameras that read worse in their last RECENT_DAYS than in the BASE_DAYS before, each with its likeliest reason;
    the worst first. Days are those on which the camera saw anything at all."""
    cameras: dict[str, list[Sample]] = defaultdict(list)
    for one in samples:
        cameras[one.camera].append(one)
    found = [trend for camera, rows in cameras.items() if (trend := _trend(camera, rows)) is not None]
    return sorted(found, key=lambda trend: (trend.reason == "slow", trend.now - trend.was))


def _trend(camera: str, rows: Sequence[Sample]) -> Trend | None:
    days = sorted({one.day for one in rows})
    recent, base = set(days[-RECENT_DAYS:]), set(days[-RECENT_DAYS - BASE_DAYS : -RECENT_DAYS])
    falls: dict[Light, tuple[Share, Share]] = {}
    enough: list[Light] = []
    for light in LIGHTS:
        of = [one for one in rows if light_of(one.hour) == light]
        old, new = share([o for o in of if o.day in base]), share([o for o in of if o.day in recent])
        if old.passages < LEAST_BASE or new.passages < LEAST_RECENT:
            continue
        enough.append(light)
        if old.rate - new.rate >= DROP and _steady([o for o in of if o.day in recent], old.rate):
            falls[light] = (old, new)
    if falls:
        return _fall(camera, falls, enough)
    return _slow(camera, [o for o in rows if o.day in base], [o for o in rows if o.day in recent])


def _steady(recent: Sequence[Sample], was: float) -> bool:
    """Every one of the days was worse: one day of fog or a broken lorry is no trend."""
    days = {one.day for one in recent}
    return len(days) == RECENT_DAYS and all(share([o for o in recent if o.day == day]).rate < was for day in days)


def _fall(camera: str, falls: Mapping[Light, tuple[Share, Share]], enough: Sequence[Light]) -> Trend:
    lights = tuple(falls)
    old, new = (sum(pair[i].read for pair in falls.values()) for i in (0, 1))
    of_old, of_new = (sum(pair[i].passages for pair in falls.values()) for i in (0, 1))
    reason: Reason = "lens"
    if len(enough) > 1 and lights == ("night",):
        reason = "lamp"
    elif len(enough) > 1 and "night" in enough and "night" not in lights:
        reason = "sun"
    return Trend(camera, reason, round(old / of_old, 2), round(new / of_new, 2), lights)


def _slow(camera: str, base: Sequence[Sample], recent: Sequence[Sample]) -> Trend | None:
    old, new = share(base), share(recent)
    if old.passages < LEAST_BASE or new.passages < LEAST_RECENT or old.waited_s is None or new.waited_s is None:
        return None
    if new.waited_s < SLOW_LEAST_S or new.waited_s < SLOWER * old.waited_s:
        return None
    return Trend(camera, "slow", old.waited_s, new.waited_s, ())


# ---------------------------------------------------------------- from the record


def samples(events: Iterable[Mapping[str, Any]], cameras: Mapping[str, str]) -> list[Sample]:
    """One sample for each passage of the record's envelopes, in any order.

    `cameras`: lane -> the camera that stands for it where an event names none (the lane's first). A passage counts
    once: by its last event that says what was seen.
    """
    seen: dict[str, tuple[Mapping[str, Any], Mapping[str, Any]]] = {}
    for event in events:
        body = event.get("body", {})
        if event.get("kind") == "passage" and body.get("stage") == "seen" and body.get("passage"):
            seen[str(body["passage"])] = (event, body)
    return [one for event, body in seen.values() if (one := _sample(event, body, cameras)) is not None]


def _sample(event: Mapping[str, Any], body: Mapping[str, Any], cameras: Mapping[str, str]) -> Sample | None:
    at = str(event.get("captured_at") or event.get("recorded_at") or "")
    camera = body.get("camera") or cameras.get(str(event.get("lane")))
    if camera is None or instant(at) is None:
        return None
    plates = body.get("plates", ())
    read = any(one.get("decided") and not one.get("typed") for one in plates)
    rejected = any(one.get("typed") for one in plates) and any(not one.get("typed") for one in plates)
    return Sample(str(camera), at[:10], int(at[11:13]), read and not rejected, rejected, body.get("waited_s"))
