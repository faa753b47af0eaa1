"""What a camera's stream says of the camera: does it go on, does it repeat itself, does it show anything. Pure.

Equal pictures alone say little. At night a smart codec (H.264+, H.265+ and their like) sends "nothing has changed" for
seconds, in packets of a few dozen bytes, and the decoder gives the very same picture again and again: that camera is
well. One that hangs sends its last picture once more in full, or stamps its packets with one and the same time, or its
key frames, which a live sensor's noise always changes, stay the same for half a minute.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

SKIPPED_BYTES, SKIPPED_SHARE = 300, 0.02
"""A packet up to so large, or up to this share of the last key frame, that changes nothing says just that."""
REPEATS_S = 2.4
"""A camera that repeats itself for so long is frozen: below the 3 s in which a fault is promised to be seen."""
UNCHANGED_MOST_S = 30.0
"""No sample of the picture changed for so long: smart codecs send a key frame every 2 to 20 s, whatever they skip."""
SHOWS_LEAST = 0.02
"""Share of the picture that holds some edge: a lane by night has four times as much, a covered lens half of it, from
the clock that the camera writes into it."""
BLIND_S = 2.0
"""Pictures that show nothing for so long: a truck's side that goes past is sooner over."""

Sight = Literal["up", "frozen", "blind"]


@dataclass(frozen=True, slots=True)
class Arrived:
    """One packet and the picture that came of it. Times in seconds: `now_s` of the host's monotonic clock, `stamp_s`
    the camera's own (None where it gave none). `size_bytes` as sent; `key`: it stands alone. `same`: its picture is
    that before it, sample by sample."""

    now_s: float
    stamp_s: float | None
    size_bytes: int
    key: bool
    same: bool


@dataclass(frozen=True, slots=True)
class Stream:
    """Since when what holds. Immutable: every packet and every look gives the next one."""

    changed_s: float
    """When the picture last changed."""
    alive_s: float
    """When the camera last said anything that a hung one does not say."""
    shown_s: float
    """When the picture last showed anything."""
    now_s: float
    """When it last was heard of: what sends nothing at all is down, and neither frozen nor blind."""
    key_bytes: int = 0
    stamp_s: float | None = None

    @classmethod
    def begun(cls, now_s: float) -> Stream:
        """A new connection: nothing is known against it."""
        return cls(now_s, now_s, now_s, now_s)

    def came(self, one: Arrived) -> Stream:
        moved = one.stamp_s is None or one.stamp_s != self.stamp_s
        most_bytes = max(SKIPPED_BYTES, SKIPPED_SHARE * self.key_bytes)
        skipped = one.same and not one.key and one.size_bytes <= most_bytes and moved
        return replace(
            self,
            changed_s=self.changed_s if one.same else one.now_s,
            alive_s=one.now_s if skipped or not one.same else self.alive_s,
            now_s=one.now_s,
            key_bytes=one.size_bytes if one.key else self.key_bytes,
            stamp_s=one.stamp_s,
        )

    def looked(self, shows: float, now_s: float) -> Stream:
        """`shows`: share of the picture that holds some edge."""
        return replace(self, shown_s=now_s, now_s=now_s) if shows >= SHOWS_LEAST else self

    @property
    def sight(self) -> Sight:
        """A picture that shows nothing is blind rather than frozen: black is black, however often it is sent."""
        if self.now_s - self.shown_s > BLIND_S:
            return "blind"
        frozen = self.now_s - self.alive_s > REPEATS_S or self.now_s - self.changed_s > UNCHANGED_MOST_S
        return "frozen" if frozen else "up"
