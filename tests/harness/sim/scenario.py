"""Scenarios for the simulated barrier, as data (config/scenarios/*.toml): what happens when, and what must come of it.

The real safety gate against the simulated boom, on simulated time; the same world as the demo's and the tests'.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from edge.errors import ConfigError
from firmware_io.safety import BarrierSettings, Notice, Permit
from firmware_io.sim_traffic import SimVehicle
from firmware_io.terms import InputName, Phase
from tests.harness.sim.rig import Rig

INPUTS: tuple[InputName, ...] = ("presence", "safety_loop", "photocell", "limit_open", "limit_closed")
READY_S = 10.0


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Event(_Section):
    """`wait_s` after the first notice of this kind ("opening", or with its code: "fault:board_lost"), or after the
    start, everything that is set here is done. Knobs keep their setting until another event changes them."""

    after: str = "start"
    wait_s: Annotated[float, Field(ge=0)] = 0.0
    vehicle: SimVehicle | None = None
    leave: bool = False
    permit: bool = False
    stop: bool = False
    lower: bool = False
    reset: bool = False
    hold: bool | None = None
    board: Literal["here", "gone"] | None = None
    host: Literal["here", "gone"] | None = None
    jam: bool | None = None
    slow: float | None = None
    by_hand: Literal["lifts", "pulls_down", "lets_go"] | None = None
    person_under_arm: bool | None = None
    stuck: dict[InputName, bool] | None = None
    bouncing: set[InputName] | None = None
    inputs: dict[InputName, bool] | None = None
    """What no physics drives: fire, manual_key, arm_torn, tamper, mains_ok, safety_edge."""


class Expected(_Section):
    """`in_order`: notices that come in this order, others between them or not; `never`: notices that do not come."""

    in_order: tuple[str, ...] = ()
    never: tuple[str, ...] = ()
    boom: Phase = "closed"
    faults: tuple[str, ...] = ()
    through: int = 0
    at_guard: int = 0


class Scenario(_Section):
    about: Annotated[str, Field(min_length=1)]
    seconds: Annotated[float, Field(gt=0, le=3600)] = 60.0
    barrier: BarrierSettings = BarrierSettings(inputs=INPUTS)
    event: Annotated[list[Event], Field(min_length=1)]
    expect: Expected

    @model_validator(mode="after")
    def _fits(self) -> Scenario:
        if faults := self.barrier.faults():
            raise ValueError("; ".join(f"barrier.{fault}" for fault in faults))
        return self


def load_scenario(path: Path) -> Scenario:
    """Raises ConfigError with every fault, each naming its key."""
    try:
        return Scenario.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(str(path), [f"cannot be read as a scenario: {error}"]) from error
    except ValidationError as error:
        faults = [f"{'.'.join(map(str, e['loc'])) or 'scenario'}: {e['msg']}" for e in error.errors(include_url=False)]
        raise ConfigError(str(path), faults) from error


class Play:
    """One run of a scenario. `told` is every notice as text; `wrong` what did not come as expected."""

    def __init__(self, scenario: Scenario, seed: int = 0) -> None:
        self.scenario = scenario
        self.rig = Rig(scenario.barrier, seed)
        self.told: list[str] = []
        self._vehicles = self._serial = 0
        self._due: list[tuple[float, Event]] = []
        self._waiting = list(scenario.event)

    def run(self) -> list[str]:
        """What is wrong, in words; empty where everything came as expected."""
        ready_s = self.rig.now_s + READY_S
        while (self.rig.state.faults or self.rig.state.phase != "closed") and self.rig.now_s < ready_s:
            self.rig.tick()
        self._hear("start")
        end_s = self.rig.now_s + self.scenario.seconds
        while self.rig.now_s < end_s:
            for event in [event for at_s, event in self._due if at_s <= self.rig.now_s]:
                self._do(event)
            self._due = [(at_s, event) for at_s, event in self._due if at_s > self.rig.now_s]
            for notice in self.rig.tick():
                self._note(notice)
        return self._wrong()

    def figures(self) -> dict[str, int]:
        """Counts, by the names of `run_passages`."""
        counters = self.rig.world.state().counters
        return {
            "passages": self._vehicles,
            "through": counters.passed,
            "at_guard": self._vehicles - counters.passed,
            "lowered_onto_something": counters.lowered_onto_something,
            "opened_without_permit": self.rig.harm.opened_without_permit,
            "opened_twice": self.rig.harm.opened_twice,
        }

    def _note(self, notice: Notice) -> None:
        text = f"{notice.kind}:{notice.code}" if notice.code else notice.kind
        self.told.append(text)
        self._hear(text)
        self._hear(notice.kind)

    def _hear(self, what: str) -> None:
        heard = [event for event in self._waiting if event.after == what]
        self._waiting = [event for event in self._waiting if event.after != what]
        self._due += [(self.rig.now_s + event.wait_s, event) for event in heard]

    # ------------------------------------------------------------ deeds

    def _do(self, event: Event) -> None:
        rig = self.rig
        if event.vehicle is not None:
            self._vehicles += 1
            rig.world.arrive(event.vehicle)
        if event.leave:
            rig.world.leave()
        if event.permit:
            self._serial += 1
            rig.ask(permits=(Permit(self._serial, rig.now_s, rig.now_s + 2.0),))
        rig.ask(stop=event.stop, lower=event.lower, reset=event.reset)
        if event.hold is not None:
            rig.ask(hold=event.hold)
        rig.board_ok = rig.board_ok if event.board is None else event.board == "here"
        rig.host_ok = rig.host_ok if event.host is None else event.host == "here"
        self._turn_knobs(event)

    def _turn_knobs(self, event: Event) -> None:
        knobs, inputs = self.rig.world.knobs, event.inputs or {}
        for name in ("jam", "slow", "person_under_arm", "stuck", "bouncing"):
            if (value := getattr(event, name)) is not None:
                setattr(knobs, name, value)
        knobs.set |= inputs
        if event.by_hand is not None:
            knobs.by_hand = {"lifts": True, "pulls_down": False, "lets_go": None}[event.by_hand]
        lifted = event.by_hand == "lifts" or inputs.get("fire") or inputs.get("manual_key")
        self.rig.excused = self.rig.excused or bool(lifted)  # it may rise without a permit: fire, key, or a hand

    # ------------------------------------------------------------ what must come of it

    def _wrong(self) -> list[str]:
        wanted, found = self.scenario.expect, self.figures()
        state = self.rig.state
        faults = tuple(fault.code for fault in state.faults)
        left = iter(self.told)
        missing = [text for text in wanted.in_order if not any(_is(told, text) for told in left)]
        wrong = [f"in_order: {text} did not come" for text in missing[:1]]
        wrong += [f"never: {text} came" for text in wanted.never if any(_is(told, text) for told in self.told)]
        wrong += [f"boom: {state.phase}, expected {wanted.boom}"] if state.phase != wanted.boom else []
        wrong += [f"faults: {faults}, expected {wanted.faults}"] if set(faults) != set(wanted.faults) else []
        wrong += [f"event after {event.after}: that never came" for event in self._waiting]
        for name in ("through", "at_guard"):
            if found[name] != getattr(wanted, name):
                wrong.append(f"{name}: {found[name]}, expected {getattr(wanted, name)}")
        return wrong


def _is(told: str, text: str) -> bool:
    """A notice by its kind alone, or with its code."""
    return told == text or told.partition(":")[0] == text


def harm(figures: dict[str, Any]) -> list[str]:
    """The counts that must be 0 and are not."""
    names = ("lowered_onto_something", "opened_without_permit", "opened_twice", "relay_past_its_pulse")
    return [f"{name}: {figures[name]}" for name in names if figures.get(name)]
