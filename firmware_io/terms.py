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
    "high_beam",  # second beam under the arm, at the height of a container chassis
]
OutputName = Literal["open", "close", "stop", "green", "siren", "sign", "beam_test"]
"""`green`: the traffic light, red where released; `sign`: the message sign that tells a waiting driver to wait;
`beam_test`: takes the transmitters of the tested sensors off their supply (EN 12453, type 2 / D)."""
Phase = Literal["closed", "opening", "open", "lowering", "stopped", "unknown"]
Cause = Literal["none", "permit", "emergency", "reopen", "fire", "manual_key"]
NoticeKind = Literal[
    "permit_accepted", "permit_refused", "opening", "opened", "not_opened", "assumed_open", "arrived", "left",
    "through", "tailgate", "lowering", "lower_refused", "closed", "assumed_closed", "not_closed", "reopening",
    "reopened", "stopping", "stopped", "still_open", "unproven", "opened_unasked", "observed", "fault", "fault_cleared",
]  # fmt: skip
"""`opening`, `lowering`, `reopening`, `stopping`: it was asked for. `opened`, `closed`, `reopened`: a limit switch said
so. `stopped`: the board acknowledged it."""

INPUTS: tuple[InputName, ...] = get_args(InputName)
OUTPUTS: tuple[OutputName, ...] = get_args(OutputName)
UNDER_ARM: tuple[InputName, ...] = ("safety_loop", "photocell", "high_beam", "safety_edge")
"""What must be known, fresh and clear before and while the arm comes down."""
PROVING: tuple[InputName, ...] = ("safety_loop", "photocell", "high_beam", "exit_loop")
"""What each passage must have changed before the arm lowers by itself (an edge is only pressed where something went
wrong: UL 325 and EN 12453 want it monitored by its resistor, and by a test by hand)."""
TESTABLE: tuple[InputName, ...] = ("photocell", "high_beam", "safety_edge")
"""What has a transmitter, or a test input, that an output can switch off."""
Testing = Literal["", "dark", "light"]
"""A test of sensors: the transmitters are off, the transmitters are on again."""
KEPT_UP: tuple[Cause, ...] = ("emergency", "fire", "manual_key")
"""What raised it for these keeps it up until a person lowers it."""


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
    high_beam: bool | None = None

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
    loop itself that pass by themselves (board_lost, tick_late). `done`: the motion outputs that the board acknowledged
    since the last tick. `can_stop`: the board has a stop output. `test`: of the sensors, where the arm is up."""

    permits: tuple[Permit, ...] = ()
    stop: bool = False
    lower: bool = False
    reset: bool = False
    test: bool = False
    hold: bool = False
    beat_s: float | None = None
    trouble: tuple[str, ...] = ()
    done: tuple[OutputName, ...] = ()
    can_stop: bool = True


@dataclass(frozen=True, slots=True)
class Memory:
    """What a restart must not forget of the boom. `is_out`: an opening or a lowering of ours that no limit switch has
    seen to be over. `took_s`: how long the last descents from the top took. `obstacles`: how often an arm that came
    down met something, ever."""

    cause: Cause = "none"
    is_out: bool = False
    took_s: tuple[float, ...] = ()
    obstacles: int = 0


@dataclass(frozen=True, slots=True)
class Outputs:
    """`open`, `close` and `stop` are true for the one tick in which a pulse shall start; the others are levels."""

    open: bool = False
    close: bool = False
    stop: bool = False
    green: bool = False
    siren: bool = False
    sign: bool = False
    beam_test: bool = False


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
    """One input's value since when and in how many readings on end, and how many passages have gone by without it
    changing. `was`: while nobody knows it, what it was before."""

    value: bool | None = None
    since_s: float = 0.0
    quiet: int = 0
    reads: int = 0
    was: bool | None = None


@dataclass(frozen=True, slots=True)
class State:
    """All that the safety gate remembers. `phase` is what it holds the boom to be doing, since `since_s`.

    Of the present opening: `cause` why it rose, `serial` and `expires_s` of its permit, `entered_s` when something
    first came under the arm and how many `entries` there were, `exited` the exit loop saw it, `followed` a second
    vehicle came before the first was clear, `passed` through was said, `abandoned` its vehicle left without entering,
    `tended` it may be ended without a person, `warned` still_open was said, `proven` which inputs have been broken and
    clear again since it began, `emptied` the whole lane has been seen empty since the entry, `doubted` the passage was
    counted against an input.

    Of the descent: `lowered_s` when we asked for it, None once it is over; `watch_until_s` how long it is ours at least
    (silence makes that longer), `from_top` whether it began at the upper limit, `at_rest` the lower limit says down and
    the time that it took is one that this arm can take (`took_s`). `stop_asked` a stop awaits the board's word.

    Of the sensors' test: `testing` since `test_since_s`; `tested_s` when it was passed last, `failed` what did not go
    dark in the last one, `retest` this opening has not seen a test to its end. `obstacles`: see Memory.
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
    proven: tuple[InputName, ...] = ()
    emptied: bool = False
    doubted: bool = False
    reversals: int = 0
    lowered_s: float | None = None
    watch_until_s: float = 0.0
    from_top: bool = False
    at_rest: bool = False
    took_s: tuple[float, ...] = ()
    stop_asked: bool = False
    testing: Testing = ""
    test_since_s: float = 0.0
    tested_s: float = float("-inf")
    failed: tuple[InputName, ...] = ()
    retest: bool = True
    obstacles: int = 0
    read_s: float = float("-inf")
    pulse_ends_s: float = 0.0
    siren_until_s: float = 0.0
    held: bool = False
    faults: tuple[Fault, ...] = ()


@dataclass(frozen=True, slots=True)
class BarrierSettings:
    """How this boom is built and how long things may take. Defaults suit a 3 m arm and trucks at walking pace.

    An input that is not in `inputs` does not exist here; nothing is ever concluded from it. Without limit switches the
    boom's position is assumed from `travel_s`; without anything under the arm this software never lowers it.
    `skeletal`: an empty container chassis may come, whose gap no loop and no low beam sees; false only where none can.
    `tested`: the inputs that the board's output `beam_test` makes dark, each time before the arm comes down by itself.
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    inputs: tuple[InputName, ...] = ("presence", "safety_loop", "photocell", "limit_open", "limit_closed")
    closes_by: Literal["relay", "controller"] = "relay"
    manual_key: Literal["opens", "hands_off"] = "opens"
    needs_vehicle: bool = True
    skeletal: bool = True
    tested: tuple[InputName, ...] = ()
    pulse_s: float = 0.5
    permit_max_s: float = 2.0
    host_timeout_s: float = 3.0
    stale_s: float = 0.3
    settle_s: float = 2.0
    debounce_s: float = 0.1
    discrepancy_s: float = 0.3
    test_s: float = 0.5
    fault_clear_s: float = 1.0
    open_timeout_s: float = 8.0
    close_timeout_s: float = 8.0
    travel_s: float = 6.0
    presence_off_s: float = 1.0
    min_clear_s: float = 1.5
    large_after_s: float = 4.0
    large_clear_s: float = 4.0
    skeletal_clear_s: float = 12.0
    ambiguous_s: float = 30.0
    open_unpassed_s: float = 20.0
    open_alarm_s: float = 120.0
    siren_s: float = 5.0
    max_reversals: int = 3
    stuck_after: int = 20
    unproven_after: int = 2

    def has(self, name: InputName) -> bool:
        return name in self.inputs

    @property
    def presence(self) -> bool:
        """Whether there is a loop that says that a vehicle waits."""
        return self.has("presence")

    def under_arm(self) -> tuple[InputName, ...]:
        return tuple(name for name in UNDER_ARM if name in self.inputs)

    def proving(self) -> tuple[InputName, ...]:
        """The inputs that a passage must have changed."""
        return tuple(name for name in PROVING if name in self.inputs)

    def sees_gaps(self) -> bool:
        """Whether a vehicle standing with a gap under the arm is seen all the same: by the beam, or by the loop; an
        empty container chassis only by what `sees_skeletons`."""
        return {"safety_loop", "photocell"} <= set(self.inputs) and self.sees_skeletons()

    def sees_skeletons(self) -> bool:
        """A beam at the height of the chassis cuts it; a gap is shorter than the way from presence to exit loop."""
        return not self.skeletal or self.has("high_beam") or self.has("exit_loop")

    def faults(self) -> list[str]:
        """Contradictions, each naming its key; an empty list means that the barrier may be driven with these."""
        found = [
            f"{name}: must be between {least:g} and {most:g}, is {getattr(self, name)}; {why}"
            for name, (least, most, why) in BOUNDS.items()
            if not least <= getattr(self, name) <= most
        ]
        if self.settle_s < self.permit_max_s:
            found.append("settle_s: must not be shorter than permit_max_s, or a permit could outlive a restart")
        if self.large_clear_s < self.min_clear_s:
            found.append("large_clear_s: must not be shorter than min_clear_s")
        if self.skeletal_clear_s < self.large_clear_s:
            found.append("skeletal_clear_s: must not be shorter than large_clear_s")
        if self.stale_s <= self.debounce_s:
            found.append("stale_s: must be longer than debounce_s, or nothing would ever be steady")
        if self.closes_by == "relay" and not {"safety_loop", "photocell"} & set(self.inputs):
            found.append('closes_by: "relay" needs safety_loop or photocell in inputs; else let the "controller" close')
        found += [
            f"tested: {name} has no transmitter that could be switched off; {', '.join(TESTABLE)} may have"
            if name not in TESTABLE
            else f"tested: {name} is not in inputs"
            for name in self.tested
            if name not in TESTABLE or name not in self.inputs
        ]
        return found + [f"inputs: {name} stands twice" for name in INPUTS if self.inputs.count(name) > 1]


BOUNDS: dict[str, tuple[float, float, str]] = {
    "pulse_s": (0.1, 2.0, "no relay may stay on for longer by itself, and no controller surely acts on less"),
    "permit_max_s": (0.5, 2.0, "a permit is for the vehicle that stands there now"),
    "host_timeout_s": (0.5, 3.0, "a gate process silent for longer decides nothing; its beat comes every 0.25 s"),
    "stale_s": (0.15, 0.5, "an arm falls 20 degrees in half a second; three readings of 0.05 s may be lost"),
    "settle_s": (0.5, 60.0, "the inputs are looked at before anything is believed"),
    "debounce_s": (0.05, 0.3, "two readings at least, and a limit switch is passed in less than half a second"),
    "discrepancy_s": (0.05, 1.0, "the two contacts of a pair change within some hundredths; longer, one has failed"),
    "test_s": (0.1, 1.0, "a receiver says dark, and light again, within some tenths; the arm waits for it"),
    "fault_clear_s": (0.5, 60.0, "a fault that comes and goes is one fault"),
    "open_timeout_s": (2.0, 30.0, "no arm is up sooner; a drive that runs for longer is jammed"),
    "close_timeout_s": (2.0, 30.0, "no arm is down sooner; a drive that runs for longer is jammed"),
    "travel_s": (1.0, 30.0, "no arm takes less; one without limit switches is taken to be there after this"),
    "presence_off_s": (0.3, 5.0, "an axle gap is no departure"),
    "min_clear_s": (1.0, 60.0, "the gap between two axles, or a step of a person, at walking pace"),
    "large_after_s": (0.5, 10.0, "a truck at walking pace is under the arm for longer"),
    "large_clear_s": (2.0, 120.0, "a drawbar of 2 m at 1 m/s"),
    "skeletal_clear_s": (10.0, 300.0, "a chassis gap of 6 m, and a stop of 8 s in it"),
    "ambiguous_s": (15.0, 600.0, "a sensor may be dead, and a truck that nobody saw go may stand there"),
    "open_unpassed_s": (5.0, 600.0, "a driver needs some seconds; a boom that nobody drives through is told"),
    "open_alarm_s": (5.0, 3600.0, "a boom that stays up is told within the hour"),
    "siren_s": (0.5, 60.0, "heard, and not for ever"),
    "max_reversals": (1, 10, "an arm that comes down on the same thing again and again has a blind sensor"),
    "stuck_after": (1, 100, "so many passages that a loop did not see"),
    "unproven_after": (1, 2, "a sensor that did not see two passages on end sees nobody"),
}
"""Least and most of each setting, and why (docs/safety.md)."""
