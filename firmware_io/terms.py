"""The nouns of the barrier side: frozen values that tell their own contradictions. Imports nothing of ours.

Times ending in `_s` are seconds; instants are seconds of the monotonic clock. An input is True while what it is named
after is so (beam broken, vehicle on the loop, boom fully up), False while it is not, None while nobody knows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal, get_args

InputName = Literal[
    "presence",  # loop before the arm, where a vehicle waits
    "safety_loop",  # loop under the arm
    "exit_loop",  # loop behind the arm
    "photocell",  # beam under the arm: True = broken
    "safety_edge",  # rubber edge of the arm: True = pressed
    "limit_open",
    "limit_closed",
    "arm_torn",
    "tamper",  # cabinet door open
    "mains_ok",
    "fire",
    "manual_key",
]
OutputName = Literal["open", "close", "stop", "green", "siren", "sign"]
"""`green`: the traffic light, red where released; `sign`: the message sign that tells a waiting driver to wait."""
Phase = Literal["closed", "opening", "open", "lowering", "stopped", "unknown"]
Cause = Literal["none", "permit", "emergency", "reopen", "fire", "manual_key"]
NoticeKind = Literal[
    "permit_accepted", "permit_refused", "opening", "opened", "not_opened", "assumed_open", "arrived", "left",
    "through", "tailgate", "lowering", "lower_refused", "closed", "assumed_closed", "not_closed", "reopened", "stopped",
    "still_open", "opened_unasked", "observed", "fault", "fault_cleared",
]  # fmt: skip

INPUTS: tuple[InputName, ...] = get_args(InputName)
OUTPUTS: tuple[OutputName, ...] = get_args(OutputName)
UNDER_ARM: tuple[InputName, ...] = ("safety_loop", "photocell", "safety_edge")
"""What must be known, fresh and clear before and while the arm comes down."""
LOOPS: tuple[InputName, ...] = ("presence", "safety_loop", "exit_loop", "photocell")
"""What every passage must have changed; one that never does is stuck."""


@dataclass(frozen=True, slots=True)
class Inputs:
    """One reading of all inputs, taken at `at_s`; wiring (normally closed, channel) is already undone."""

    at_s: float
    presence: bool | None = None
    safety_loop: bool | None = None
    exit_loop: bool | None = None
    photocell: bool | None = None
    safety_edge: bool | None = None
    limit_open: bool | None = None
    limit_closed: bool | None = None
    arm_torn: bool | None = None
    tamper: bool | None = None
    mains_ok: bool | None = None
    fire: bool | None = None
    manual_key: bool | None = None

    def get(self, name: InputName) -> bool | None:
        value: bool | None = getattr(self, name)
        return value


@dataclass(frozen=True, slots=True)
class Permit:
    """Leave for one opening. `serial` rises strictly; `expires_s` is at most 2 s after `offered_s`.

    `emergency`: a person wants the boom up whoever stands there or not, and up until a person lowers it.
    """

    serial: int
    offered_s: float
    expires_s: float
    emergency: bool = False

    def flaw(self, last_serial: int, started_s: float, now_s: float, permit_max_s: float) -> str:
        """What is wrong with the permit itself, whatever the lane looks like; empty where nothing is."""
        if self.serial <= last_serial:
            return "used"
        if not 0 < self.expires_s - self.offered_s <= permit_max_s + 1e-6 or self.offered_s > now_s:
            return "bad_permit"
        if self.offered_s < started_s:
            return "before_start"
        return "expired" if now_s > self.expires_s else ""


@dataclass(frozen=True, slots=True)
class Requests:
    """What reached the loop since the last tick. `beat_s`: the gate process's last heartbeat. `trouble`: faults of the
    loop itself that pass by themselves (board_lost, tick_late)."""

    permits: tuple[Permit, ...] = ()
    stop: bool = False
    lower: bool = False
    reset: bool = False
    hold: bool = False
    beat_s: float | None = None
    trouble: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Outputs:
    """`open`, `close` and `stop` are true for the one tick in which a pulse shall start; the lights are levels."""

    open: bool = False
    close: bool = False
    stop: bool = False
    green: bool = False
    siren: bool = False
    sign: bool = False


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that happened, for the record. `serial` is the opening's permit or 0; `code` says why."""

    kind: NoticeKind
    serial: int
    code: str
    at_s: float


@dataclass(frozen=True, slots=True)
class Fault:
    """A permanent one waits for a person's reset; a passing one goes some time after it was last seen."""

    code: str
    permanent: bool
    seen_s: float


@dataclass(frozen=True, slots=True)
class Seen:
    """One input's value since when, and how many passages have gone by without it changing."""

    value: bool | None = None
    since_s: float = 0.0
    quiet: int = 0


@dataclass(frozen=True, slots=True)
class State:
    """All that the safety gate remembers. `phase` is what it holds the boom to be doing, since `since_s`.

    Of the present opening: `cause` why it rose, `serial` and `expires_s` of its permit, `entered_s` when something
    first came under the arm and how many `entries` there were, `exited` the exit loop saw it, `followed` a second
    vehicle came before the first was clear, `passed` through was said, `abandoned` its vehicle left without entering,
    `tended` it may be ended without a person, `warned` still_open was said.
    """

    started_s: float
    phase: Phase = "unknown"
    since_s: float = 0.0
    cause: Cause = "none"
    serial: int = 0
    expires_s: float = 0.0
    last_serial: int = 0
    seen: tuple[Seen, ...] = (Seen(),) * len(INPUTS)
    here: bool = False
    entered_s: float | None = None
    entries: int = 0
    exited: bool = False
    followed: bool = False
    passed: bool = False
    abandoned: bool = False
    tended: bool = False
    warned: bool = False
    reversals: int = 0
    pulse_ends_s: float = 0.0
    siren_until_s: float = 0.0
    held: bool = False
    faults: tuple[Fault, ...] = ()


@dataclass(frozen=True, slots=True)
class BarrierSettings:
    """How this boom is built and how long things may take. Defaults suit a 3 m arm and trucks at walking pace.

    An input that is not in `inputs` does not exist here; nothing is ever concluded from it. Without limit switches the
    boom's position is assumed from `travel_s`; without anything under the arm this software never lowers it.
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    inputs: tuple[InputName, ...] = ("presence", "safety_loop", "photocell", "limit_open", "limit_closed")
    closes_by: Literal["relay", "controller"] = "relay"
    manual_key: Literal["opens", "hands_off"] = "opens"
    needs_vehicle: bool = True
    pulse_s: float = 0.5
    permit_max_s: float = 2.0
    host_timeout_s: float = 3.0
    stale_s: float = 0.3
    settle_s: float = 2.0
    debounce_s: float = 0.1
    fault_clear_s: float = 1.0
    open_timeout_s: float = 8.0
    close_timeout_s: float = 8.0
    travel_s: float = 6.0
    presence_off_s: float = 1.0
    min_clear_s: float = 1.5
    large_after_s: float = 4.0
    large_clear_s: float = 4.0
    open_unpassed_s: float = 20.0
    open_alarm_s: float = 120.0
    siren_s: float = 5.0
    max_reversals: int = 3
    stuck_after: int = 20

    def has(self, name: InputName) -> bool:
        return name in self.inputs

    @property
    def presence(self) -> bool:
        """Whether there is a loop that says that a vehicle waits."""
        return self.has("presence")

    def under_arm(self) -> tuple[InputName, ...]:
        return tuple(name for name in UNDER_ARM if name in self.inputs)

    def sees_gaps(self) -> bool:
        """Whether a vehicle standing with a gap under the arm is seen all the same: by the beam, or by the loop."""
        return {"safety_loop", "photocell"} <= set(self.inputs)

    def faults(self) -> list[str]:
        """Contradictions, each naming its key; an empty list means that the barrier may be driven with these."""
        found = [f"{name}: must be more than 0, is {value}" for name, value in self._times().items() if not value > 0]
        if self.permit_max_s > 2.0:
            found.append(f"permit_max_s: a permit lives 2 s at most, is {self.permit_max_s}")
        if self.pulse_s > 2.0:
            found.append(f"pulse_s: 2 s at most, is {self.pulse_s}; no output may stay on for longer by itself")
        if self.settle_s < self.permit_max_s:
            found.append("settle_s: must not be shorter than permit_max_s, or a permit could outlive a restart")
        if self.host_timeout_s > 3.0:
            found.append(f"host_timeout_s: 3 s at most, is {self.host_timeout_s}")
        if self.large_clear_s < self.min_clear_s:
            found.append("large_clear_s: must not be shorter than min_clear_s")
        if self.closes_by == "relay" and not {"safety_loop", "photocell"} & set(self.inputs):
            found.append('closes_by: "relay" needs safety_loop or photocell in inputs; else let the "controller" close')
        found += [f"inputs: {name} stands twice" for name in INPUTS if self.inputs.count(name) > 1]
        return found + [f"{n}: must be 1 or more" for n in ("max_reversals", "stuck_after") if getattr(self, n) < 1]

    def _times(self) -> dict[str, float]:
        return {name: getattr(self, name) for name in self.__slots__ if name.endswith("_s")}
