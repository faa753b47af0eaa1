"""A boom, its loops and the traffic before it, as physics. No clock of its own: `advance` says how much time went by.

Boom position: 0 down, 1 up. Nothing here knows the safety gate; the boom has no protection of its own, so that whatever
is hit was hit by our doing.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from random import Random
from typing import Literal

from firmware_io.sim_traffic import (
    BEGIN_M,
    EXIT_LOOP_M,
    PHOTOCELL_M,
    PRESENCE_M,
    SAFETY_LOOP_M,
    Gap,
    Moving,
    SimVehicle,
    VehicleState,
)
from firmware_io.terms import INPUTS, InputName, OutputName

__all__ = ["Counters", "Gap", "Knobs", "SimVehicle", "VehicleState", "World", "WorldSettings", "WorldState"]

REACTION_S = 0.3
"""Coming down onto something for longer than this is a hit: no board and no person turns an arm round in less."""
STEP_S = 0.025
AT_LIMIT = 0.03

Motor = Literal["up", "down", "off"]


@dataclass(frozen=True, slots=True)
class WorldSettings:
    """Travel times; `own_closing_s`: the boom's controller lowers it by its own loop so long after that came clear."""

    open_s: float = 1.8
    close_s: float = 2.4
    own_closing_s: float | None = None


@dataclass(frozen=True, slots=True)
class Counters:
    """`lowered_onto_something`: the arm came down on what was there. `opened_without_command`: it rose by no relay."""

    openings: int = 0
    passed: int = 0
    lowered_onto_something: int = 0
    opened_without_command: int = 0


@dataclass(frozen=True, slots=True)
class WorldState:
    """`vehicle` is the first one that is not gone."""

    at_s: float
    boom_position: float
    motor: Motor
    vehicle: VehicleState | None
    vehicles: tuple[VehicleState, ...]
    relays: frozenset[OutputName]
    counters: Counters

    @property
    def boom_angle_deg(self) -> float:
        return 90.0 * self.boom_position


@dataclass(slots=True)
class Knobs:
    """Faults, turned at will: `jam` the motor does not turn; `slow` times its speed; `stuck` inputs keep a value;
    `bouncing` inputs flicker; `by_hand` someone lifts (True) or pulls down (False) the arm."""

    jam: bool = False
    slow: float = 1.0
    stuck: dict[InputName, bool] = field(default_factory=dict)
    bouncing: set[InputName] = field(default_factory=set)
    by_hand: bool | None = None
    ignores: set[OutputName] = field(default_factory=set)
    """Relays that the controller does not act on."""
    set: dict[InputName, bool] = field(default_factory=dict)
    """Inputs that no physics drives: arm_torn, tamper, mains_ok, fire, manual_key, safety_edge."""
    person_under_arm: bool = False


class World:
    """Thread safe: the board's thread advances it, others look and let vehicles arrive."""

    def __init__(self, settings: WorldSettings | None = None, seed: int = 0) -> None:
        self.settings = settings or WorldSettings()
        self.knobs = Knobs()
        self._random = Random(seed)
        self._lock = threading.RLock()
        self._at_s = 0.0
        self._boom = 0.0
        self._motor: Motor = "off"
        self._relays: set[OutputName] = set()
        self._queue: list[Moving] = []
        self._clear_for_s: float | None = None
        self._onto_s = 0.0
        self._was_down = True
        self._openings = self._passed = self._hits = self._unasked = 0

    # ------------------------------------------------------------ from outside

    def arrive(self, vehicle: SimVehicle) -> None:
        """Drives up to the stop line (or the next one's rear), stands until the boom is up, drives through, is gone."""
        with self._lock:
            rear_m = min((v.rear_m for v in self._queue), default=0.0)
            self._queue.append(Moving(vehicle, min(BEGIN_M, rear_m - vehicle.follows_m)))

    def leave(self) -> None:
        """The first vehicle that has not entered reverses out."""
        with self._lock:
            for vehicle in self._queue:
                if vehicle.phase in ("approaching", "standing"):
                    vehicle.phase = "leaving"
                    return

    def set_relay(self, output: OutputName, on: bool) -> None:
        """A relay closes or opens. The controller acts on the closing edge; stop wins, and both at once stop it too."""
        with self._lock:
            if not on:
                self._relays.discard(output)
                return
            is_edge = output not in self._relays
            self._relays.add(output)
            if output in self.knobs.ignores:
                return
            if {"open", "close"} <= self._relays or "stop" in self._relays - self.knobs.ignores:
                self._motor = "off"
            elif is_edge and output in ("open", "close"):
                self._motor = "up" if output == "open" else "down"

    def inputs(self) -> dict[InputName, bool]:
        """What the sensors say now, faults included."""
        with self._lock:
            real = self._sensed() | self.knobs.set | self.knobs.stuck
            return {
                name: value != (name in self.knobs.bouncing and self._random.random() < 0.5)
                for name, value in real.items()
            }

    def is_under_arm(self) -> bool:
        """Whether somebody is where the arm comes down, seen or not."""
        with self._lock:
            return any(v.under_arm() for v in self._queue) or self.knobs.person_under_arm

    def relays(self) -> frozenset[OutputName]:
        with self._lock:
            return frozenset(self._relays)

    def openings(self) -> int:
        return self._openings

    def hits(self) -> int:
        return self._hits

    def comes_down(self) -> bool:
        with self._lock:
            return self._motor == "down" and 0 < self._boom < 1 - AT_LIMIT and not self.knobs.jam

    def state(self) -> WorldState:
        with self._lock:
            seen = tuple(VehicleState(v.what.name, v.front_m, v.phase) for v in self._queue)
            counters = Counters(self._openings, self._passed, self._hits, self._unasked)
            first = seen[0] if seen else None
            return WorldState(self._at_s, self._boom, self._motor, first, seen, frozenset(self._relays), counters)

    def advance(self, dt_s: float) -> None:
        """Let time go by, in steps of at most STEP_S."""
        with self._lock:
            left_s = dt_s
            while left_s > 1e-9:
                step_s = min(STEP_S, left_s)
                self._step(step_s)
                left_s -= step_s

    # ------------------------------------------------------------ physics

    def _sensed(self) -> dict[InputName, bool]:
        zones: dict[InputName, tuple[float, float]] = {
            "presence": PRESENCE_M, "safety_loop": SAFETY_LOOP_M, "exit_loop": EXIT_LOOP_M, "photocell": PHOTOCELL_M,
        }  # fmt: skip
        real: dict[InputName, bool] = dict.fromkeys(INPUTS, False)
        for name, zone in zones.items():
            real[name] = any(v.on(zone, by_light=name == "photocell") for v in self._queue)
        dark = self.knobs.person_under_arm or "beam_test" in self._relays
        real["photocell"] |= dark
        real["high_beam"] = any(v.under_arm() for v in self._queue) or dark
        return real | {
            "mains_ok": True,
            "limit_open": self._boom >= 1 - AT_LIMIT,
            "limit_closed": self._boom <= AT_LIMIT,
        }

    def _step(self, dt_s: float) -> None:
        self._at_s += dt_s
        self._turn_motor(dt_s)
        self._close_by_itself(dt_s)
        for index, vehicle in enumerate(self._queue):
            vehicle.drive(self._queue[index - 1] if index else None, self._boom, "green" in self._relays, dt_s)
        self._passed += sum(vehicle.phase == "gone" and vehicle.front_m > 0 for vehicle in self._queue)
        self._queue = [vehicle for vehicle in self._queue if vehicle.phase != "gone"]
        self._count(dt_s)

    def _turn_motor(self, dt_s: float) -> None:
        if self.knobs.by_hand is not None:
            self._boom += dt_s / 2.0 if self.knobs.by_hand else -dt_s / 2.0
        elif not self.knobs.jam and self._motor == "up":
            self._boom += self.knobs.slow * dt_s / self.settings.open_s
        elif not self.knobs.jam and self._motor == "down":
            self._boom -= self.knobs.slow * dt_s / self.settings.close_s
        at_end = (self._boom >= 1 and self._motor == "up") or (self._boom <= 0 and self._motor == "down")
        self._motor = "off" if at_end else self._motor
        self._boom = min(1.0, max(0.0, self._boom))

    def _close_by_itself(self, dt_s: float) -> None:
        if self.settings.own_closing_s is None or self._boom < 1:
            self._clear_for_s = None
            return
        sensed = self._sensed()
        if sensed["safety_loop"] or sensed["photocell"]:
            self._clear_for_s = 0.0
        elif self._clear_for_s is not None:
            self._clear_for_s += dt_s
            if self._clear_for_s >= self.settings.own_closing_s:
                self._motor = "down"

    def _count(self, dt_s: float) -> None:
        """A hit is counted once for each time the arm comes down onto something, an opening when it leaves its rest."""
        self._onto_s = self._onto_s + dt_s if self.comes_down() and self.is_under_arm() else 0.0
        self._hits += self._onto_s > REACTION_S >= self._onto_s - dt_s
        if self._was_down and self._boom > 2 * AT_LIMIT:
            self._was_down = False
            self._openings += 1
            self._unasked += self._motor != "up"
        elif self._boom <= AT_LIMIT:
            self._was_down = True
