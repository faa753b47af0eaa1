"""A boom, its road and what stands on it, as the makers' manuals describe such barriers: geometry in degrees and
metres, a drive with inertia, push-button inputs, contacts. It shares no code and no thought with what it tests, and the
drive has no protection of its own: whoever is touched was touched by what was ordered.

Manuals of 3 to 4 m toll and parking barriers: dedicated open, close and stop inputs that act on the closing edge; stop
wins; open and close together stop the drive; 1.3 to 6 s for 90 degrees; the drive brakes and turns round in some
tenths of a second; limit switches at both ends. An arm is pivoted at about 0.9 m.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

PIVOT_M = 0.9
STEP_S = 0.005
PERSON = (1.5, 1.7)
"""Reach from the pivot and height (m) of a person in the middle of the lane."""
TRUCK = (0.6, 3.6)
ZONES = {"presence": (-5.0, -2.0), "safety_loop": (-1.0, 1.0), "photocell": (0.2, 0.2), "exit_loop": (3.0, 5.0)}
LINE_M, BEGIN_M, END_M = -2.5, -12.0, 6.5


def touches_deg(what: tuple[float, float]) -> float:
    """The angle of an arm that just lies on it."""
    reach_m, height_m = what
    return math.degrees(math.atan2(height_m - PIVOT_M, reach_m))


@dataclass
class Truck:
    """`gap`: from and to, in metres behind its bumper, where nothing is that a loop or a low beam could see."""

    length_m: float = 9.0
    speed_mps: float = 2.0
    gap: tuple[float, float] | None = None
    stops: tuple[float, float] | None = None
    """With its bumper here (m), for so long (s)."""
    front_m: float = BEGIN_M
    waited_s: float = 0.0

    @property
    def rear_m(self) -> float:
        return self.front_m - self.length_m

    def seen(self, zone: tuple[float, float]) -> bool:
        solid = [(0.0, self.length_m)] if self.gap is None else [(0.0, self.gap[0]), (self.gap[1], self.length_m)]
        return any(self.front_m - to <= zone[1] and self.front_m - begin >= zone[0] for begin, to in solid)

    def is_under(self) -> bool:
        return self.rear_m <= 0.0 <= self.front_m

    def drive(self, angle_deg: float, dt_s: float) -> None:
        at_line = LINE_M - 0.1 <= self.front_m <= LINE_M + 0.1
        if at_line and angle_deg < 80.0:
            return
        if self.stops and self.front_m >= self.stops[0] and self.waited_s < self.stops[1]:
            self.waited_s += dt_s
            return
        self.front_m += self.speed_mps * dt_s


@dataclass
class Boom:
    """`buttons` are the relay contacts wired to the controller. `deaf` ones it does not act on."""

    open_s: float = 1.8
    close_s: float = 2.4
    run_on_s: float = 0.15
    angle_deg: float = 0.0
    rate: float = 0.0
    """Degrees a second, up positive."""
    deaf: set[str] = field(default_factory=set)
    person: bool = False
    trucks: list[Truck] = field(default_factory=list)
    contacts: list[tuple[float, str]] = field(default_factory=list)
    """When, and what, the arm came down onto."""
    opened: int = 0
    through: int = 0
    at_s: float = 0.0
    wants: str = ""
    buttons: set[str] = field(default_factory=set)

    def press(self, pressed: set[str]) -> None:
        """The contacts as they are now."""
        edges = pressed - self.buttons - self.deaf
        self.buttons = set(pressed)
        if "stop" in pressed - self.deaf or {"open", "close"} <= pressed:
            self.wants = ""
        elif "open" in edges:
            self.wants = "open"
        elif "close" in edges:
            self.wants = "close"

    def go_on(self, dt_s: float) -> None:
        left_s = dt_s
        while left_s > 1e-9:
            step_s = min(STEP_S, left_s)
            self._step(step_s)
            left_s -= step_s

    def _step(self, dt_s: float) -> None:
        self.at_s += dt_s
        was_down, before = self.is_down(), self.angle_deg
        aim = {"open": 90.0 / self.open_s, "close": -90.0 / self.close_s}.get(self.wants, 0.0)
        most = max(90.0 / self.open_s, 90.0 / self.close_s) / self.run_on_s * dt_s
        self.rate += max(-most, min(most, aim - self.rate))
        self.angle_deg += self.rate * dt_s
        if not 0.0 < self.angle_deg < 90.0:
            self.angle_deg, self.rate = min(90.0, max(0.0, self.angle_deg)), 0.0
        self.opened += was_down and not self.is_down()
        for what, name in self._under():
            if before > touches_deg(what) >= self.angle_deg:
                self.contacts.append((round(self.at_s, 2), name))
        for truck in self.trucks:
            truck.drive(self.angle_deg, dt_s)
        self.through += sum(truck.rear_m > END_M for truck in self.trucks)
        self.trucks = [truck for truck in self.trucks if truck.rear_m <= END_M]

    def _under(self) -> list[tuple[tuple[float, float], str]]:
        people = [(PERSON, "person")] if self.person else []
        return people + [(TRUCK, "truck") for truck in self.trucks if truck.is_under()]

    def is_down(self) -> bool:
        return self.angle_deg <= 2.0

    def contact(self, name: str) -> bool:
        """What a sensor says: True where it sees something, or the arm is at that limit."""
        if name == "limit_open":
            return self.angle_deg >= 87.0
        if name == "limit_closed":
            return self.is_down()
        return any(truck.seen(ZONES[name]) for truck in self.trucks) or (name == "photocell" and self.person)
