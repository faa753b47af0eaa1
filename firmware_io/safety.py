"""The last gate before the relay: says which output may be energised now. Pure; trusts nobody above it; default deny.

`step` is called 20 times a second with the inputs, what was asked for and the time. Faults are judged before anything
else. `recheck` looks once more, by its own few rules, at every output just before it is written.
Terms follow EN 12453 (powered gates), UL 325 and EN ISO 13849; docs/safety.md says which rule answers which hazard.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from firmware_io.terms import (
    INPUTS,
    UNDER_ARM,
    BarrierSettings,
    Cause,
    Inputs,
    Notice,
    NoticeKind,
    Outputs,
    Permit,
    Phase,
    Requests,
    Seen,
    State,
)
from firmware_io.watch import Watch

__all__ = [
    "BarrierSettings", "Inputs", "Notice", "Outputs", "Permit", "Phase", "Requests", "State",
    "recheck", "start", "step",
]  # fmt: skip

MAY_LOWER_WITH = ("host_lost", "tamper")
"""Faults that allow nothing new but let a passage that has begun be ended: shutting an empty lane needs no host."""
REVERSAL_S = 0.5
"""Sooner after lowering began than this, limit_open still says where the boom has been."""
GAP_S = 0.2
"""Between the end of an opening pulse and the start of a closing one, so that two relays never touch in time."""
URGENT_REPEAT_S = 2.0
"""Fire and key ask again this long after a pulse that has not brought the boom up."""


def start(now_s: float) -> State:
    """The state at start: nothing is known, nothing may move until inputs were seen for `settle_s`."""
    return State(started_s=now_s, since_s=now_s, seen=tuple(Seen(None, now_s) for _ in INPUTS))


def step(
    state: State, inputs: Inputs, requests: Requests, now_s: float, settings: BarrierSettings
) -> tuple[State, Outputs, tuple[Notice, ...]]:
    """One tick: the new state, what to energise, what happened. Each permit in `requests` gets exactly one answer."""
    tick = _Tick(state, inputs, requests, now_s, settings)
    tick.judge()
    tick.observe()
    tick.follow()
    tick.act()
    tick.answer()
    return tick.state, tick.outputs(), tuple(tick.notices)


def recheck(outputs: Outputs, inputs: Inputs, state: State, now_s: float, settings: BarrierSettings) -> Outputs:
    """Drop what must not be energised, whatever the reasoning above came to. Never adds anything."""
    lane = [inputs.get(name) for name in UNDER_ARM if settings.has(name)]
    lane_clear = 0 <= now_s - inputs.at_s <= settings.stale_s and bool(lane) and all(value is False for value in lane)
    fire_or_key = any(settings.has(name) and inputs.get(name) is True for name in ("fire", "manual_key"))
    may_close = state.phase == "lowering" and lane_clear and not fire_or_key and now_s >= state.pulse_ends_s
    permitted = state.cause in ("permit", "emergency")
    in_time = now_s <= state.expires_s if permitted else state.cause != "none"
    may_open = state.phase == "opening" and in_time
    both = outputs.open and outputs.close
    return replace(outputs, open=outputs.open and may_open and not both, close=outputs.close and may_close and not both)


class _Tick(Watch):
    """Position, motion and permits, on top of what the inputs say."""

    open = close = stop = False

    # ------------------------------------------------------------ where the boom is

    def follow(self) -> None:
        """Move the phase on by what the limit switches (or, without them, the travel time) say."""
        if self.both_limits():
            return
        up = self.steady("limit_open", True, self.set.debounce_s)
        down = self.steady("limit_closed", True, self.set.debounce_s)
        match self.state.phase:
            case "opening":
                self.follow_opening(up)
            case "lowering":
                self.follow_lowering(down)
            case "open" if down or self.steady("limit_open", False, self.set.debounce_s):
                self.go("lowering", "lowering", "controller" if self.set.closes_by == "controller" else "unasked")
            case "closed" if up or self.steady("limit_closed", False, self.set.debounce_s):
                self.alarm("opened_unasked", "open" if up else "moving")
                self.state = replace(self.state, phase="unknown", since_s=self.now)
            case "unknown" | "stopped" if up or down:
                self.find(up)

    def follow_opening(self, up: bool) -> None:
        if up and self.elapsed_s() >= self.set.pulse_s:
            self.go("open", "opened")
        elif not self.set.has("limit_open") and self.elapsed_s() >= self.set.travel_s:
            self.go("open", "assumed_open")
        elif self.set.has("limit_open") and self.elapsed_s() >= self.set.open_timeout_s:
            self.give_up("not_opened", "still_closed" if self.is_on("limit_closed") else "no_limit")

    def follow_lowering(self, down: bool) -> None:
        up_again = self.seen("limit_open").since_s > self.state.since_s + REVERSAL_S
        if down:
            self.shut("closed")
        elif self.obstructed():
            return  # act() turns it round, whatever else could be said of this tick
        elif not self.set.has("limit_closed") and self.elapsed_s() >= self.set.travel_s:
            self.shut("assumed_closed")
        elif up_again and self.steady("limit_open", True, self.set.debounce_s):
            self.state = replace(self.state, tended=False)  # it felt something that our inputs do not show
            self.count_reversal()
            self.go("open", "reopened", "controller")
        elif self.set.has("limit_closed") and self.elapsed_s() >= self.set.close_timeout_s:
            self.give_up("not_closed", "still_open" if self.is_on("limit_open") else "no_limit")

    def give_up(self, kind: Literal["not_opened", "not_closed"], code: str) -> None:
        """The drive ran its time: stop it, or what jams it now would let it move later, when nobody expects it."""
        self.stop = True
        self.go("unknown", kind, code)
        self.fail(kind)

    def find(self, up: bool) -> None:
        """The boom was found at a limit with no motion of ours under way: at start, moved by hand, or late."""
        late = self.state.serial > 0
        if up:
            self.go("open", "opened" if late else "observed", "late" if late else "open")
        else:
            self.shut("closed" if late else "observed", "late" if late else "closed")

    def shut(self, kind: NoticeKind, code: str = "") -> None:
        """The boom is down: this opening is over, and so is its permit."""
        self.go("closed", kind, code)
        self.forget()

    def forget(self) -> None:
        self.state = replace(
            self.state, cause="none", serial=0, expires_s=0.0, entered_s=None, entries=0, exited=False, followed=False,
            passed=False, abandoned=False, tended=False, reversals=0,
        )  # fmt: skip

    # ------------------------------------------------------------ motion

    def urgent(self) -> Cause | None:
        if self.is_on("fire"):
            return "fire"
        return "manual_key" if self.is_on("manual_key") and self.set.manual_key == "opens" else None

    def act(self) -> None:
        """Fire and key first, then stop, then obstruction, then the end of a passage, then what a person asks."""
        urgent = self.urgent()
        if urgent:
            self.rise_for(urgent)
        elif self.asked.stop:
            self.halt()
        elif self.is_on("manual_key"):
            self.state = replace(self.state, tended=False)
        elif self.state.phase == "lowering" and self.obstructed() and not self.is_on("limit_closed"):
            self.reopen()  # not once the arm is at rest: rising again would be a second opening
        elif self.state.phase == "open":
            self.end_passage()
        if self.asked.lower:
            self.lower_by_person()

    def rise_for(self, cause: Cause) -> None:
        """Up, and up until a person lowers it; asked again for as long as the boom has not been seen to be up."""
        self.state = replace(self.state, cause=cause, tended=False)
        if self.state.phase not in ("opening", "open"):
            self.rise(cause)
        elif self.state.phase == "opening" and self.now >= self.state.pulse_ends_s + URGENT_REPEAT_S:
            self.energise_open()

    def rise(self, code: str) -> None:
        self.go("opening", "opening", code)
        self.energise_open()

    def energise_open(self) -> None:
        self.open, self.close, self.stop = True, False, False
        self.state = replace(self.state, pulse_ends_s=self.now + self.set.pulse_s)

    def halt(self) -> None:
        self.stop = True
        self.state = replace(self.state, tended=False)
        if self.state.phase in ("opening", "lowering"):
            self.go("stopped", "stopped")

    def reopen(self) -> None:
        self.note("reopened", "obstructed")
        self.state = replace(self.state, cause="reopen")
        self.count_reversal()
        self.rise("reopen")

    def count_reversal(self) -> None:
        self.state = replace(self.state, reversals=self.state.reversals + 1)
        if self.state.reversals >= self.set.max_reversals:
            self.fail("repeated_reversal")

    def end_passage(self) -> None:
        """See the vehicle through; lower once the lane is clear; say so where the boom stays up for too long."""
        if self.state.entries and not self.state.passed and self.is_through():
            self.see_through()
        if self.state.tended:
            self.lower_when_over()
        if not self.state.warned:
            self.warn_still_open()

    def lower_when_over(self) -> None:
        nobody = not self.state.entries and not self.state.here and self.elapsed_s() >= self.set.open_unpassed_s
        over = self.state.passed or (self.state.abandoned and not self.state.entries)
        if (nobody or over) and self.clear_s() >= self.needed_s() and not self.lower_refusal():
            self.lower("nobody_passed" if nobody else "")

    def warn_still_open(self) -> None:
        """Once for each opening; a boom that closes unseen (no limits, own controller) is unknown from then on."""
        wait_s = self.set.open_unpassed_s if not self.state.entries else self.set.open_alarm_s
        if self.elapsed_s() < wait_s:
            return
        unseen = self.set.closes_by == "controller" and not (self.set.has("limit_open") or self.set.has("limit_closed"))
        self.note("still_open", "unseen" if unseen else "not_clear" if self.state.entries else "nobody_passed")
        self.state = replace(self.state, warned=True, phase="unknown" if unseen else "open")

    # ------------------------------------------------------------ lowering

    def lower_refusal(self) -> str:
        """Why the arm may not come down now; empty where it may. Holds for the machine and for a person alike."""
        blocking = [fault.code for fault in self.state.faults if fault.code not in MAY_LOWER_WITH]
        if self.is_on("fire") or self.is_on("manual_key"):
            return "fire" if self.is_on("fire") else "manual_key"
        if self.set.closes_by == "controller":
            return "controller"
        if self.state.phase not in ("open", "stopped", "unknown") or self.now < self.state.pulse_ends_s + GAP_S:
            return self.state.phase
        if blocking:
            return f"fault:{blocking[0]}"
        return "" if self.clear_s() >= self.set.min_clear_s else "lane_not_clear"

    def lower_by_person(self) -> None:
        refusal = "stopped" if self.asked.stop else self.lower_refusal()
        if refusal:
            self.note("lower_refused", refusal)
        else:
            self.lower("asked")

    def lower(self, code: str) -> None:
        self.close = True
        self.go("lowering", "lowering", code)

    # ------------------------------------------------------------ permits

    def answer(self) -> None:
        """Exactly one notice for each permit; a serial once seen is used up, whatever the answer was."""
        for permit in self.asked.permits:
            refusal = self.refusal(permit)
            self.state = replace(self.state, last_serial=max(self.state.last_serial, permit.serial))
            if refusal:
                self.notices.append(Notice("permit_refused", permit.serial, refusal, self.now))
            else:
                self.accept(permit)

    def accept(self, permit: Permit) -> None:
        self.forget()  # whatever opening there was, this is a new one
        cause: Cause = "emergency" if permit.emergency else "permit"
        self.state = replace(self.state, cause=cause, serial=permit.serial, expires_s=permit.expires_s)
        self.state = replace(self.state, tended=not permit.emergency)
        self.note("permit_accepted")
        self.rise(cause)

    def refusal(self, permit: Permit) -> str:
        """Why this permit opens nothing; empty where it opens."""
        flaw = permit.flaw(self.state.last_serial, self.state.started_s, self.now, self.set.permit_max_s)
        return flaw or self.lane_refusal(emergency=permit.emergency)

    def lane_refusal(self, *, emergency: bool) -> str:
        """In an emergency nobody need stand on the loop, and a boom that is up for a vehicle is kept up."""
        state = self.state
        kept_up = state.tended or state.cause == "emergency"
        checks = {
            "fire": self.is_on("fire"),
            "manual_key": self.is_on("manual_key"),
            f"fault:{state.faults[0].code if state.faults else ''}": bool(state.faults),
            "held": state.held,
            "stopped": self.asked.stop,
            "busy": not emergency and (state.phase == "opening" or (state.phase == "open" and kept_up)),
            "no_vehicle": not emergency and self.set.needs_vehicle and self.set.has("presence") and not state.here,
        }
        return next((code for code, is_so in checks.items() if is_so), "")

    def outputs(self) -> Outputs:
        state = self.state
        green = state.phase == "open" and state.tended and not (state.entries or state.faults)
        siren, sign = self.now < state.siren_until_s, state.here and not green
        return Outputs(self.open, self.close, self.stop, green, siren, sign)
