"""Vehicles as a boom meets them: long ones, gaps over the chassis, trailers, tailgaters. Physics, no clock of its own.

Metres along the lane, the arm at 0, traffic towards larger values; a vehicle's `front_m` is where its bumper is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

PRESENCE_M = (-4.0, -1.5)
SAFETY_LOOP_M = (-0.8, 1.2)
PHOTOCELL_M = (0.3, 0.3)
EXIT_LOOP_M = (3.0, 5.0)
STOP_LINE_M = -2.0
BEGIN_M = -12.0
GONE_M = EXIT_LOOP_M[1] + 1.0
GOES_AT = 0.97
"""The boom position (0 down, 1 up) at which a driver trusts that it is up."""

VehiclePhase = Literal["approaching", "standing", "passing", "leaving", "gone"]


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch of the vehicle, from its front, that loops do not see; `see_through`: nor does the photocell."""

    start_m: float
    length_m: float
    see_through: bool = False


@dataclass(frozen=True, slots=True)
class SimVehicle:
    """What drives up. `follows_m`: distance it keeps. `tailgates`: does not wait at an open boom. `pause`: stops with
    its front at (m) for (s)."""

    name: str = "truck"
    length_m: float = 12.0
    speed_mps: float = 2.0
    reaction_s: float = 1.0
    follows_m: float = 3.0
    gaps: tuple[Gap, ...] = ()
    tailgates: bool = False
    pause: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class VehicleState:
    name: str
    position_m: float
    phase: VehiclePhase


class Moving:
    """One vehicle under way."""

    def __init__(self, what: SimVehicle, front_m: float) -> None:
        self.what = what
        self.front_m = front_m
        self.phase: VehiclePhase = "approaching"
        self._saw_down = False
        self._go_in_s = what.reaction_s
        self._pause_s = what.pause[1] if what.pause else 0.0

    @property
    def rear_m(self) -> float:
        return self.front_m - self.what.length_m

    def on(self, zone: tuple[float, float], *, by_light: bool = False) -> bool:
        """Whether metal (or, `by_light`, anything opaque) of it is within the zone."""
        seen, at_m = [], 0.0
        for gap in sorted(self.what.gaps, key=lambda gap: gap.start_m):
            if gap.see_through or not by_light:
                seen.append((at_m, gap.start_m))
                at_m = gap.start_m + gap.length_m
        seen.append((at_m, self.what.length_m))
        return any(self.front_m - end <= zone[1] and self.front_m - begin >= zone[0] for begin, end in seen)

    def under_arm(self) -> bool:
        """Whether any of it, gaps included, is where the arm comes down."""
        return self.rear_m <= 0.0 <= self.front_m

    def drive(self, ahead: Moving | None, boom: float, green: bool, dt_s: float) -> None:
        """One step of time. `boom` is its position, `green` the lane's light."""
        match self.phase:
            case "standing":
                self._wait_at_line(ahead, boom, green, dt_s)
            case "leaving":
                self.front_m -= self.what.speed_mps * dt_s
                self.phase = "gone" if self.front_m < BEGIN_M else "leaving"
            case "passing" if self._pauses(dt_s):
                pass
            case _:
                self._roll(ahead, boom, dt_s)

    def _roll(self, ahead: Moving | None, boom: float, dt_s: float) -> None:
        limit_m = ahead.rear_m - self.what.follows_m if ahead else float("inf")
        self.front_m = max(self.front_m, min(self.front_m + self.what.speed_mps * dt_s, limit_m))
        if self.phase == "approaching" and self.front_m >= STOP_LINE_M:
            self.phase = "passing" if self.what.tailgates and boom > GOES_AT else "standing"
        if self.rear_m > GONE_M:
            self.phase = "gone"

    def _pauses(self, dt_s: float) -> bool:
        if self.what.pause is None or self.front_m < self.what.pause[0] or self._pause_s <= 0:
            return False
        self._pause_s -= dt_s
        return True

    def _wait_at_line(self, ahead: Moving | None, boom: float, green: bool, dt_s: float) -> None:
        """An honest driver goes on green, or when the boom rose for him: he has seen it down since he stands there."""
        self._saw_down = self._saw_down or boom < 0.5
        is_free = ahead is None or ahead.rear_m > self.front_m + 1.0
        may_go = boom >= GOES_AT and is_free and (self._saw_down or green or self.what.tailgates)
        self._go_in_s = self._go_in_s - dt_s if may_go else self.what.reaction_s
        if self._go_in_s <= 0:
            self.phase = "passing"
