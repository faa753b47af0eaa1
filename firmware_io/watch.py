"""What the inputs say: faults, and vehicles coming, entering and going. The half of the safety gate that moves nothing.

Pure. `Watch` holds the state of one tick while it is being replaced; `safety` adds position, motion and permits.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from firmware_io.terms import (
    INPUTS,
    BarrierSettings,
    Fault,
    InputName,
    Inputs,
    Notice,
    NoticeKind,
    Phase,
    Requests,
    Seen,
    State,
)

PERMANENT = ("arm_torn", "both_limits", "repeated_reversal", "input_stuck")
"""Fault codes (before any colon) that only a person's reset clears, and only once their cause is gone."""
LOST_POSITION = ("not_opened", "not_closed")
"""Kept for as long as nobody knows where the boom is."""


CARELESS = ("input_unproven", "test_failed")
"""Faults under which the arm may go up, and down where a person asks: only it does not come down by itself."""
EMPTY_S = 0.2
"""The whole lane clear for so long at one time: what comes now is another vehicle."""
LIKELY = 0.85
"""A descent that seems to be over after less than this share of its usual time is not believed to be."""
LEARNED = 3
PLACE: dict[InputName, int] = {name: place for place, name in enumerate(INPUTS)}
ENDS: tuple[InputName, ...] = ("presence", "exit_loop")
SURE_READS = 2
"""So many readings on end make fire or key: a glitch of one opens no border."""


class Watch:
    """One tick's inputs beside the state. Lives for one call of `safety.step`."""

    def __init__(self, state: State, inputs: Inputs, asked: Requests, now_s: float, settings: BarrierSettings) -> None:
        self.state, self.asked, self.now, self.set = state, asked, now_s, settings
        self.fresh = 0 <= now_s - inputs.at_s <= settings.stale_s and "board_lost" not in asked.trouble
        self.raw = inputs if self.fresh else Inputs(at_s=inputs.at_s)
        self.inputs = self.unmasked() if state.testing and self.fresh else self.raw
        self.notices: list[Notice] = []

    def unmasked(self) -> Inputs:
        """What the lane looks like behind a test that we made: a beam that we took the light from is no vehicle."""
        dark: dict[str, Any] = {name: False for name in self.set.tested if self.raw.get(name) is not False}
        return replace(self.raw, **dark)

    def note(self, kind: NoticeKind, code: str = "") -> None:
        self.notices.append(Notice(kind, self.state.serial, code, self.now))

    def go(self, phase: Phase, kind: NoticeKind, code: str = "") -> None:
        self.state = replace(self.state, phase=phase, since_s=self.now, warned=False)
        self.note(kind, code)

    # ------------------------------------------------------------ looking

    def seen(self, name: InputName) -> Seen:
        return self.state.seen[PLACE[name]]

    def is_on(self, name: InputName) -> bool:
        return self.set.has(name) and self.inputs.get(name) is True

    def steady(self, name: InputName, value: bool, for_s: float) -> bool:
        """The input exists and has been `value` without a break for `for_s`."""
        seen = self.seen(name)
        return self.set.has(name) and seen.value is value and self.now - seen.since_s >= for_s

    def obstructed(self) -> bool:
        """Something is under the arm, or nobody knows whether something is."""
        return any(self.inputs.get(name) is not False for name in self.set.under_arm())

    def sure(self, name: InputName) -> bool:
        """On, and in more than one reading on end."""
        return self.is_on(name) and self.seen(name).reads >= SURE_READS

    def clear_s(self) -> float:
        """For how long everything under and behind the arm has been known to be clear; 0 where anything is not."""
        lane = [*self.set.under_arm(), *(("exit_loop",) if self.set.has("exit_loop") else ())]
        if not self.set.under_arm() or any(self.inputs.get(name) is not False for name in lane):
            return 0.0
        return self.now - max(self.seen(name).since_s for name in lane)

    def elapsed_s(self) -> float:
        return self.now - self.state.since_s

    def both_limits(self) -> bool:
        return all(self.steady(name, True, self.set.debounce_s) for name in ("limit_open", "limit_closed"))

    # ------------------------------------------------------------ faults first

    def judge(self) -> None:
        """Faults are found, kept or dropped before any rule may look at them."""
        found = self.found()
        old = {fault.code: fault for fault in self.state.faults}
        kept = {code: fault for code, fault in old.items() if self.keeps(fault)}
        now = kept | {code: self.fault(code) for code in sorted(found)}
        faults = tuple(now.values())
        if faults != self.state.faults or self.asked.hold is not self.state.held:
            self.state = replace(self.state, faults=faults, held=self.asked.hold)
        for code in sorted(now.keys() - old.keys()):
            self.note("fault", code)
        for code in sorted(old.keys() - now.keys()):
            self.note("fault_cleared", code)
        if "board_lost" in found:
            self.lose_board()
        if self.asked.reset:  # EN ISO 13849-1, 5.2.2: a reset starts no motion by itself
            self.state = replace(self.state, reversals=0, tended=False, failed=())

    def lose_board(self) -> None:
        """Once it is back, it must see no motion that nobody asks for then; where the boom is must be seen anew. A
        descent stays ours: what is asked of it now is asked until the board hears it."""
        is_moving = self.state.phase in ("opening", "lowering") and self.state.lowered_s is None
        self.state = replace(self.state, tended=False, phase="unknown" if is_moving else self.state.phase)

    def fault(self, code: str) -> Fault:
        return Fault(code, code.split(":")[0] in PERMANENT, self.now)

    def keeps(self, fault: Fault) -> bool:
        if self.asked.reset:
            return False
        lost = fault.code in LOST_POSITION and self.state.phase in ("unknown", "opening")
        return fault.permanent or lost or self.now - fault.seen_s < self.set.fault_clear_s

    def found(self) -> set[str]:
        """Codes of all that is wrong at this tick."""
        beat_s = self.asked.beat_s
        checks = {
            "starting": self.now - self.state.started_s < self.set.settle_s,
            "host_lost": beat_s is None or self.now - beat_s > self.set.host_timeout_s,
            "inputs_stale": not self.fresh,
            "mains_lost": self.set.has("mains_ok") and self.inputs.mains_ok is False,
            "tamper": self.is_on("tamper"),
            "arm_torn": self.is_on("arm_torn"),
            "both_limits": self.both_limits(),
        }
        told = self.unknown() | self.stuck() | set(self.asked.trouble)
        return {code for code, is_so in checks.items() if is_so} | told

    def unknown_now(self) -> list[InputName]:
        """What the board answers without saying how it is: the two contacts of a pair say different things. Nothing is
        permitted and nothing comes down meanwhile."""
        return [name for name in self.set.inputs if self.fresh and self.inputs.get(name) is None]

    def unknown(self) -> set[str]:
        """A fault is what lasts for longer than the contacts of a pair take to change."""
        lasting = [name for name in self.unknown_now() if self.seen(name).value is None]
        return {f"input_unknown:{n}" for n in lasting if self.now - self.seen(n).since_s >= self.set.discrepancy_s}

    def stuck(self) -> set[str]:
        """Inputs that every passage must have changed and that did not: under and behind the arm in two on end, before
        it in many (whoever drives up fast is hardly on it)."""
        if self.asked.reset:
            return set()
        found = {f"input_unproven:{n}" for n in self.set.proving() if self.seen(n).quiet >= self.set.unproven_after}
        if self.set.has("presence") and self.seen("presence").quiet >= self.set.stuck_after:
            found.add("input_stuck:presence")
        return found | {f"test_failed:{name}" for name in self.state.failed}

    def fail(self, code: str) -> None:
        """Add a fault that was found while following the motion."""
        if code not in [fault.code for fault in self.state.faults]:
            self.note("fault", code)
            self.state = replace(self.state, faults=(*self.state.faults, self.fault(code)))

    # ------------------------------------------------------------ vehicles

    def observe(self) -> None:
        """Remember since when each input has its value; see vehicles come, enter and go."""
        seen = tuple(self.look(name, self.seen(name)) for name in INPUTS)
        if self.state.phase != "closed":
            self.prove(seen)
        self.state = replace(self.state, seen=seen, read_s=self.inputs.at_s)
        if not self.state.here and self.steady("presence", True, self.set.debounce_s):
            self.arrive()
        elif self.state.here and self.steady("presence", False, self.set.presence_off_s):
            self.depart()
        if self.state.phase != "closed" and any(self.is_on(name) for name in self.set.under_arm()):
            self.enter()
        if self.state.entries and not self.state.exited and self.is_on("exit_loop"):
            self.state = replace(self.state, exited=True)
        if self.state.entries and not self.state.emptied and self.lane_empty():
            self.state = replace(self.state, emptied=True)

    def look(self, name: InputName, seen: Seen) -> Seen:
        value = self.inputs.get(name)
        if value is not seen.value:
            return self.changed(seen, value)
        if seen.reads < SURE_READS and self.inputs.at_s > self.state.read_s:
            seen = replace(seen, reads=seen.reads + 1)
        return replace(seen, quiet=0) if seen.quiet and self.asked.reset else seen

    def changed(self, seen: Seen, value: bool | None) -> Seen:
        """Becoming unknown is no sign of life: only a change between two known values shows that a loop works. A single
        reading that it is on is forgotten."""
        known = seen.was if seen.value is None else seen.value
        if value is None:
            is_sure = seen.value is not True or seen.reads >= SURE_READS
            return Seen(None, self.now, seen.quiet, 1, known if is_sure else None)
        return Seen(value, self.now, 0 if known is (not value) else seen.quiet, 1)

    def prove(self, now: tuple[Seen, ...]) -> None:
        """An input that was on for some readings of this opening and is off again works."""
        for name in self.set.proving():
            before, after = self.seen(name), now[PLACE[name]]
            was_on = before.was if before.value is None else before.value and before.reads >= SURE_READS
            if was_on and after.value is False and name not in self.state.proven:
                self.state = replace(self.state, proven=(*self.state.proven, name))

    def unproven(self) -> tuple[InputName, ...]:
        return tuple(name for name in self.set.proving() if name not in self.state.proven)

    def lane_empty(self) -> bool:
        """Nothing before, under and behind the arm, and the stretch is longer than the gap of any vehicle."""
        lane = (*self.set.under_arm(), *(name for name in ENDS if self.set.has(name)))
        is_long = self.set.has("exit_loop") or not self.set.skeletal
        return is_long and all(self.steady(name, False, EMPTY_S) for name in lane)

    def needed_s(self) -> float:
        """How long the lane must be clear: longer after a large vehicle (gaps), where a second may be a trailer, and
        longest where the gap of an empty container chassis deceives all that there is."""
        state = self.state
        if not self.set.sees_skeletons():
            return self.set.skeletal_clear_s
        begun_s = state.entered_s if state.entered_s is not None else self.now
        is_large = self.now - self.clear_s() - begun_s >= self.set.large_after_s
        careful = is_large or state.here or state.followed or state.abandoned or state.entries != 1
        return self.set.large_clear_s if careful else self.set.min_clear_s

    def unseen_s(self) -> float:
        """For how long the lane has been clear where nobody was seen to go: since the boom was up, or the loop free."""
        since_s = max(self.state.since_s, self.seen("presence").since_s if self.set.has("presence") else 0.0)
        return min(self.clear_s(), self.now - since_s)

    def is_through(self) -> bool:
        """The lane is clear for long enough, and what is on the presence loop is another vehicle.

        A loop held without a break is the next one closed up, or this one's trailer with a gap under the arm: only beam
        and loop together, whom no gap deceives both, may tell them apart. Else a person has to look.
        """
        is_other = not self.state.here or (self.state.followed and self.set.sees_skeletons()) or self.set.sees_gaps()
        return is_other and self.clear_s() >= self.needed_s()

    def see_through(self) -> None:
        if self.set.has("exit_loop") and not self.state.exited:
            self.note("left", "backed_out")
            self.state = replace(self.state, entries=0, entered_s=None, abandoned=True)
            return
        self.note("through", "tailgater" if self.state.entries > 1 else "")
        seen = tuple(replace(seen, quiet=seen.quiet + (name == "presence")) for name, seen in self.named())
        self.state = replace(self.state, passed=True, seen=seen)

    def named(self) -> list[tuple[InputName, Seen]]:
        return list(zip(INPUTS, self.state.seen, strict=True))

    def doubt(self) -> None:
        """Once for each opening that ends: what did not see it is counted, and is told."""
        if self.state.doubted:
            return
        blind = self.unproven()
        seen = tuple(replace(seen, quiet=seen.quiet + (name in blind)) for name, seen in self.named())
        self.state = replace(self.state, seen=seen, doubted=True)
        for name in blind:
            self.note("unproven", name)

    def arrive(self) -> None:
        """The next one closed up, or this one's trailer: neither is a tailgater before it is under the arm."""
        self.state = replace(self.state, here=True)
        self.note("arrived")
        if self.state.entries and not self.state.passed:
            self.state = replace(self.state, followed=True)

    def depart(self) -> None:
        """The waiting vehicle is off the presence loop: under the arm now, or gone without passing."""
        self.state = replace(self.state, here=False)
        if self.state.entries and not self.state.passed:
            return
        is_up = self.state.phase in ("opening", "open")
        self.note("left", "unseen" if is_up and not self.set.under_arm() else "")
        self.state = replace(self.state, abandoned=is_up and not self.state.entries)

    def enter(self) -> None:
        """A second one comes under the arm after the first was through, or after the whole lane had been empty."""
        is_second = self.state.passed or self.state.emptied
        if is_second:
            self.alarm("tailgate", "second_entry")
        if is_second or not self.state.entries:
            self.state = replace(
                self.state, entered_s=self.now, entries=self.state.entries + 1, passed=False, exited=False,
                emptied=False,
            )  # fmt: skip

    def alarm(self, kind: NoticeKind, code: str) -> None:
        self.note(kind, code)
        self.state = replace(self.state, siren_until_s=self.now + self.set.siren_s)
