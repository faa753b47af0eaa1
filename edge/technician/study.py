"""What a camera's picture shows of plates, frame by frame: from a clip or from the live stream, the whole picture."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from edge import clock
from edge.core.camera.calibrate import Finding, Pace, Travel, findings, pace_of, rate
from edge.core.camera.measured_plate import PlateSight
from edge.core.camera.proposal import changes, travel, trigger_line
from edge.core.camera.view_settings import Aim
from edge.core.plate.track import Tracks
from edge.core.plate.vote import USUAL
from edge.ports import Detector, Frame, Reader
from edge.technician.film import live_frames
from edge.vision.capture import CameraSource
from edge.vision.motion import MotionGate
from edge.vision.survey import Aimed, Surveyor

T = TypeVar("T")

LOOK_EVERY_S = 0.24
SETTLE_S = 1.0
TRIALS_MOST = 10
"""Frames that a proposal is tried on."""
AIDED_MOST = 8
"""Frames in which nothing was found that are looked at once more with aids."""
EMPTY_MOST = 4
"""Frames without a plate that a proposal is tried on too: it may find one there."""
BETTER = 1
"""So many more of the frames must be read before a change is proposed."""


@dataclass(slots=True)
class Study:
    """`shown`: frames with a plate in them, a sample, each with its sights. `empty`: frames in which something moved
    and nothing was found, a sample."""

    sights: list[PlateSight] = field(default_factory=list)
    passes: list[list[PlateSight]] = field(default_factory=list)
    shown: list[tuple[Frame, list[PlateSight]]] = field(default_factory=list)
    empty: list[Frame] = field(default_factory=list)
    taken_s: list[float] = field(default_factory=list)
    looked: int = 0
    live_pace: Pace | None = None
    """Of a live stream, measured while no model was at work."""
    sure: float = USUAL.sure
    """What this reader's vote asks of a reading."""

    @property
    def pace(self) -> Pace | None:
        return self.live_pace or pace_of(self.taken_s)

    @property
    def way(self) -> Travel | None:
        return travel(self.passes)


@dataclass(frozen=True, slots=True)
class Proposal:
    """`before` and `after`: (frames read, frames tried) of the same frames under the old and the new aim."""

    aim: Aim
    before: tuple[int, int]
    after: tuple[int, int]

    @property
    def gains(self) -> int:
        return self.after[0] - self.before[0]


def study(frames: Iterable[Frame], detector: Detector, reader: Reader, sure: float = USUAL.sure) -> Study:
    """Looks at the moving parts of a film, the whole picture, and at some of the rest with aids. Raises CameraError,
    ModelError."""
    surveyor, found, tracks = Surveyor(detector, reader, sure), Study(sure=sure), _Passes()
    for frame in _moving(frames, found):
        found.looked += 1
        sights = surveyor.look(frame)
        if sights:
            tracks.add(sights)
            _keep(found, frame, sights)
        else:
            found.empty = _sample([*found.empty, frame], 2 * AIDED_MOST)
    for frame in _sample(found.empty, AIDED_MOST) if not any(sight.read for sight in found.sights) else ():
        if sights := surveyor.look(frame, aided=True):
            _keep(found, frame, sights)
    found.passes = tracks.all()
    return found


def propose(found: Study, aim: Aim, judged: Sequence[Finding], detector: Detector, reader: Reader) -> Proposal:
    """One change after the other is tried on the study's own frames, and kept where it reads more of them, or where it
    reads as many in a region that is drawn closer."""
    shown = [frame for frame, _ in _sample(found.shown, TRIALS_MOST)]
    frames = shown + [frame for frame in _sample(found.empty, EMPTY_MOST) if frame not in shown]

    def read(tried: Aim) -> int:
        eye = Aimed(detector, reader, tried, found.sure)
        return sum(any(sight.read for sight in eye.look(frame)) for frame in frames)

    best, before = aim, read(aim)
    most = before
    for change in changes(found.sights, judged):
        tried = change(best)
        now = read(tried)
        closer = tried.region != best.region and aim.region is None
        if now >= most + BETTER or (closer and now >= most):
            best, most = tried, now
    line = trigger_line([s for s in found.sights if not s.aid], found.way, best.region)
    if line is not None and best.line is None and read(replace(best, line=line)) >= most:
        best = replace(best, line=line)
    return Proposal(best, (before, len(frames)), (most, len(frames)))


def judge(found: Study, aim: Aim) -> list[Finding]:
    return findings(found.sights, aim.reads_in, found.pace)


def rates(found: Study, aim: Aim) -> tuple[tuple[int, int], tuple[int, int]]:
    """(read, all) plates of the region now configured, and of the whole picture."""
    return rate(found.sights, aim.reads_in), rate(found.sights)


def _moving(frames: Iterable[Frame], found: Study) -> Iterator[Frame]:
    """Frames in which something moves or did a moment ago, at most one each LOOK_EVERY_S. All are counted in."""
    gate, looked_s, awake_s = MotionGate(), float("-inf"), 0.0
    for frame in frames:
        now_s = frame.captured_mono_ns / 1e9
        found.taken_s.append(now_s)
        if gate.moving(frame.luma, now_s):
            awake_s = now_s + SETTLE_S
        if now_s <= awake_s and now_s - looked_s >= LOOK_EVERY_S:
            looked_s = now_s
            yield frame


def _keep(found: Study, frame: Frame, sights: list[PlateSight]) -> None:
    found.sights += sights
    found.shown.append((frame, sights))
    if len(found.shown) > 4 * TRIALS_MOST:  # a long film: every second one, which stays evenly spread
        found.shown = found.shown[::2]


def _sample(items: list[T], most: int) -> list[T]:
    """Evenly spread."""
    if len(items) <= most:
        return items
    return [items[i * len(items) // most] for i in range(most)]


class _Passes:
    """Sights of one plate after the other, joined by where they are."""

    def __init__(self) -> None:
        self._tracks = Tracks()
        self._sights: dict[int, list[PlateSight]] = {}

    def add(self, sights: Sequence[PlateSight]) -> None:
        now_s, seen = sights[0].at_s, set()
        for sight, near in zip(sights, self._tracks.match([s.box for s in sights], now_s), strict=True):
            track = near
            if track is None:
                self._tracks, track = self._tracks.born(sight.box, now_s)
            self._tracks = self._tracks.seen(track, sight.box, now_s, read=True)
            self._sights.setdefault(track, []).append(sight)
            seen.add(track)
        self._tracks, _ = self._tracks.missed(seen, now_s)

    def all(self) -> list[list[PlateSight]]:
        return list(self._sights.values())


def live_pace(source: CameraSource, seconds: float) -> Pace | None:
    """How frames come while nobody is busy with them; `delay_ms` is how long they waited to be taken."""
    taken_s, arrived_s = [], []
    for frame in live_frames(source, seconds):
        taken_s.append(frame.captured_mono_ns / 1e9)
        arrived_s.append(clock.mono_s())
    return pace_of(taken_s, arrived_s)
