"""One plate over many frames: boxes joined by where they are. Time is an argument; nothing here looks at a clock.

A plate on a truck moves less than its own width between two looks, or it is too fast to be stopping at a barrier.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from edge.core.model import Box


@dataclass(frozen=True, slots=True)
class TrackRules:
    """`reach`: how far a plate's middle may move between looks, in its own widths. `lost_s` and `lost_looks`: both must
    have passed unseen before a track is gone."""

    reach: float = 1.2
    widen_per_s: float = 1.5
    """Reach grows with the time since the last look: widths a second."""
    scale_most: float = 1.7
    lost_s: float = 0.8
    lost_looks: int = 3


@dataclass(frozen=True, slots=True)
class Track:
    """A plate followed. Times are seconds of the caller's clock; `read_box` is where it was last read."""

    id: int
    box: Box
    first_s: float
    last_s: float
    missed: int = 0
    read_box: Box | None = None

    def moved(self) -> float:
        """How far it went since it was last read, in its own widths; infinite when never read."""
        return float("inf") if self.read_box is None else _apart(self.box, self.read_box)


@dataclass(frozen=True, slots=True)
class Tracks:
    """All tracks of one camera. Immutable: every step gives the next state."""

    rules: TrackRules = TrackRules()
    live: dict[int, Track] = field(default_factory=dict)
    next_id: int = 1

    def match(self, boxes: Sequence[Box], now_s: float) -> list[int | None]:
        """For each box the track that it continues, or None. One box for each track; the nearest pair goes first."""
        pairs = sorted(
            (distance, track.id, i)
            for track in self.live.values()
            for i, box in enumerate(boxes)
            if (distance := self._distance(track, box, now_s)) is not None
        )
        found: list[int | None] = [None] * len(boxes)
        for _, track_id, i in pairs:
            if found[i] is None and track_id not in found:
                found[i] = track_id
        return found

    def seen(self, track_id: int, box: Box, now_s: float, read: bool) -> Tracks:
        """The track stands at `box` now; `read` says that its text was read there."""
        track = self.live[track_id]
        new = replace(track, box=box, last_s=now_s, missed=0, read_box=box if read else track.read_box)
        return replace(self, live={**self.live, track_id: new})

    def born(self, box: Box, now_s: float) -> tuple[Tracks, int]:
        """A new track that was read at `box`, and its id. Ids are never used again."""
        track = Track(self.next_id, box, now_s, now_s, 0, box)
        return replace(self, live={**self.live, track.id: track}, next_id=self.next_id + 1), track.id

    def missed(self, seen: set[int], now_s: float) -> tuple[Tracks, list[int]]:
        """After a look at the whole region: tracks not in `seen` missed it; those gone for good are given by id."""
        aged = {i: t if i in seen else replace(t, missed=t.missed + 1) for i, t in self.live.items()}
        rules = self.rules
        gone = [i for i, t in aged.items() if t.missed >= rules.lost_looks and now_s - t.last_s >= rules.lost_s]
        return replace(self, live={i: t for i, t in aged.items() if i not in gone}), gone

    def without(self, track_id: int) -> Tracks:
        return replace(self, live={i: t for i, t in self.live.items() if i != track_id})

    def _distance(self, track: Track, box: Box, now_s: float) -> float | None:
        """How ill the box continues the track, or None where it cannot."""
        old, new = max(1.0, track.box[2] - track.box[0]), max(1.0, box[2] - box[0])
        apart = _apart(track.box, box)
        reach = self.rules.reach + self.rules.widen_per_s * max(0.0, now_s - track.last_s)
        scale = max(old / new, new / old)
        return apart + (scale - 1) if apart <= reach and scale <= self.rules.scale_most else None


def _apart(a: Box, b: Box) -> float:
    """Distance of the middles in widths of the wider box."""
    dx, dy = (a[0] + a[2] - b[0] - b[2]) / 2, (a[1] + a[3] - b[1] - b[3]) / 2
    return float((dx * dx + dy * dy) ** 0.5) / max(1.0, a[2] - a[0], b[2] - b[0])


def overlap(a: Box, b: Box) -> float:
    """Shared area over the smaller box's area, 0..1."""
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    return width * height / max(1e-9, min((a[2] - a[0]) * (a[3] - a[1]), (b[2] - b[0]) * (b[3] - b[1])))
