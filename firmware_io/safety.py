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
    KEPT_UP,
    UNDER_ARM,
    BarrierSettings,
    Cause,
    Inputs,
    Memory,
    Notice,
    NoticeKind,
    Outputs,
    Permit,
    Phase,
    Requests,
    Seen,
    State,
)
from firmware_io.watch import CARELESS, LEARNED, LIKELY, Watch

__all__ = [
    "BarrierSettings", "Inputs", "Memory", "Notice", "Outputs", "Permit", "Phase", "Requests", "State",
    "memory", "open_pulse_s", "recheck", "start", "step",
]  # fmt: skip

MAY_LOWER_WITH = ("host_lost", "tamper")
"""Faults that allow nothing new but let a passage that has begun be ended: shutting an empty lane needs no host."""
REVERSAL_S = 0.5
"""Sooner after lowering began than this, limit_open still says where the boom has been."""
GAP_S = 0.2
"""Between the end of an opening pulse and the start of a closing one, so that two relays never touch in time."""
URGENT_REPEAT_S = 2.0
"""Fire and key ask again this long after a pulse that has not brought the boom up."""
REVERSAL_PULSE_S = 0.3
"""With GAP_S after it, a reversal is asked for anew every 0.5 s, each time with an edge."""
RESTART_S = 60.0
"""For so long after a start a descent of before is ours at least, if no limit says that it is over."""
TESTED_S = 1.0
"""For so long a passed test of the sensors lets the arm come down."""
LEAST_TRAVEL_S = 0.6
"""No arm is down sooner than this after it was up (the fastest toll barriers); its own time is learned."""


def start(now_s: float, remembered: Memory | None = None) -> State:
    """The state at start: nothing is known, nothing may move until inputs were seen for `settle_s`; but for an arm that
    may be coming down by our asking, as the record has it."""
    mind = remembered or Memory()
    state = State(started_s=now_s, since_s=now_s, seen=tuple(Seen(None, now_s) for _ in INPUTS))
    state = replace(state, cause=mind.cause, took_s=mind.took_s, obstacles=mind.obstacles)
    state = replace(state, watch_until_s=now_s + RESTART_S)
    return replace(state, lowered_s=float("-inf")) if mind.is_out else state


def memory(state: State) -> Memory:
    """What a restart has to know of this state."""
    is_out = state.cause != "none" or state.lowered_s is not None
    return Memory(state.cause, is_out, state.took_s, state.obstacles)


def open_pulse_s(state: State, settings: BarrierSettings) -> float:
    """How long an opening pulse lasts: while a descent is ours it is short, so that the next one is an edge again."""
    return settings.pulse_s if state.lowered_s is None else min(settings.pulse_s, REVERSAL_PULSE_S)


def step(
    state: State, inputs: Inputs, requests: Requests, now_s: float, settings: BarrierSettings
) -> tuple[State, Outputs, tuple[Notice, ...]]:
    """One tick: the new state, what to energise, what happened. Each permit in `requests` gets exactly one answer."""
    tick = _Tick(state, inputs, requests, now_s, settings)
    tick.judge()
    tick.observe()
    tick.hear_stop()
    tick.follow()
    tick.test()
    tick.act()
    tick.answer()
    return tick.state, tick.outputs(), tuple(tick.notices)


def recheck(outputs: Outputs, inputs: Inputs, state: State, now_s: float, settings: BarrierSettings) -> Outputs:
    """Drop what must not be energised, whatever the reasoning above came to. Never adds anything."""
    if not (outputs.open or outputs.close):
        return outputs
    lane = [inputs.get(name) for name in UNDER_ARM if settings.has(name)]
    lane_clear = 0 <= now_s - inputs.at_s <= settings.stale_s and bool(lane) and all(value is False for value in lane)
    fire_or_key = any(settings.has(name) and inputs.get(name) is True for name in ("fire", "manual_key"))
    is_at_rest = now_s >= state.pulse_ends_s and not state.testing
    may_close = state.phase == "lowering" and lane_clear and not fire_or_key and is_at_rest
    ours = state.lowered_s is not None
    in_time = ours or (now_s <= state.expires_s if state.cause in ("permit", "emergency") else state.cause != "none")
    rises = state.phase == "opening" or (state.phase == "open" and ours)
    may_open = rises and in_time and not (state.cause == "reopen" and state.at_rest)
    both = outputs.open and outputs.close
    return replace(outputs, open=outputs.open and may_open and not both, close=outputs.close and may_close and not both)


class _Tick(Watch):
    """Position, motion and permits, on top of what the inputs say."""

    open = close = stop = False

    # ------------------------------------------------------------ where the boom is

    def follow(self) -> None:
        """Move the phase on by what the limit switches (or, without them, the travel time) say."""
        self.rest()
        if self.both_limits():
            return
        up = self.steady("limit_open", True, self.set.debounce_s)
        down = self.steady("limit_closed", True, self.set.debounce_s)
        match self.state.phase:
            case "opening":
                self.follow_opening(up, down)
            case "lowering":
                self.follow_lowering(down)
            case "open" if down or self.steady("limit_open", False, self.set.debounce_s):
                self.follow_falling()
            case "closed" if up or self.steady("limit_closed", False, self.set.debounce_s):
                self.alarm("opened_unasked", "open" if up else "moving")
                self.state = replace(self.state, phase="unknown", since_s=self.now)
            case "unknown" | "stopped" if up or (down and self.state.at_rest):
                self.find(up)
        self.end_watch()

    def rest(self) -> None:
        """Whether the arm is down: the lower limit says so, alone, and not sooner than this arm can be down."""
        if not self.fresh:
            return  # what was seen last holds
        state = self.state
        usual_s = sorted(state.took_s)[len(state.took_s) // 2] if state.took_s else LEAST_TRAVEL_S
        is_likely = not state.from_top or state.lowered_s is None or self.now - state.lowered_s >= LIKELY * usual_s
        is_down = self.is_on("limit_closed") and not self.is_on("limit_open")
        if state.at_rest is not (is_down and is_likely):
            self.state = replace(state, at_rest=is_down and is_likely)

    def end_watch(self) -> None:
        """A descent is ours until a limit says that it is over, or its time went by twice with the board answering."""
        state = self.state
        if state.lowered_s is None:
            return
        if not self.fresh:
            until_s = self.now + 2 * self.set.close_timeout_s
            since_s = self.now if state.phase == "opening" else state.since_s
            self.state = replace(state, watch_until_s=until_s, since_s=since_s)
        elif self.now >= state.watch_until_s and state.phase not in ("opening", "lowering"):
            self.state = replace(state, lowered_s=None)

    def watch_descent(self) -> None:
        until_s = self.now + 2 * self.set.close_timeout_s
        from_top = self.is_on("limit_open")
        self.state = replace(
            self.state, lowered_s=self.now, watch_until_s=until_s, from_top=from_top, at_rest=False, stop_asked=False
        )

    def follow_falling(self) -> None:
        """It comes down and we did not ask now: its controller, or a hand. Ours only while an opening of ours lasts."""
        if self.state.cause != "none" and self.state.lowered_s is None:
            self.watch_descent()
        self.go("lowering", "lowering", "controller" if self.set.closes_by == "controller" else "unasked")

    def follow_opening(self, up: bool, down: bool) -> None:
        ours = self.state.lowered_s is not None
        reversing = ours and self.state.cause == "reopen"
        is_over = self.now >= self.state.pulse_ends_s + GAP_S
        if up and self.elapsed_s() >= self.set.pulse_s:
            self.go("open", "reopened" if reversing else "opened", "obstructed" if reversing else "")
        elif reversing and down and self.state.at_rest and is_over:
            self.shut("closed", "late")  # it was down before anybody could turn it round
        elif not self.set.has("limit_open") and self.elapsed_s() >= self.set.travel_s:
            self.go("open", "assumed_open")
        elif self.set.has("limit_open") and self.elapsed_s() >= self.set.open_timeout_s:
            if ours and self.obstructed():
                self.fail("not_opened")  # and asked for all the same, for as long as something is under it
            else:
                self.give_up("not_opened", "still_closed" if self.is_on("limit_closed") else "no_limit")

    def follow_lowering(self, down: bool) -> None:
        up_again = self.seen("limit_open").since_s > self.state.since_s + REVERSAL_S
        if down and self.state.at_rest:
            self.learn()
            self.shut("closed")
        elif self.obstructed() and self.state.lowered_s is not None:
            return  # act() turns it round, whatever else could be said of this tick
        elif not self.set.has("limit_closed") and self.elapsed_s() >= self.set.travel_s:
            self.shut("assumed_closed")
        elif up_again and self.steady("limit_open", True, self.set.debounce_s):
            self.state = replace(self.state, tended=False)  # it felt something that our inputs do not show
            self.count_reversal()
            self.go("open", "reopened", "controller")
        elif self.set.has("limit_closed") and self.elapsed_s() >= self.set.close_timeout_s:
            self.give_up("not_closed", "still_open" if self.is_on("limit_open") else "no_limit")

    def learn(self) -> None:
        """How long this arm takes from the top to the bottom."""
        state = self.state
        if state.from_top and state.lowered_s is not None and not state.reversals:
            took_s = (*state.took_s, round(self.now - state.lowered_s, 3))[-LEARNED:]
            self.state = replace(state, took_s=took_s)

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
        self.state = replace(self.state, lowered_s=None, stop_asked=False)

    def forget(self) -> None:
        self.state = replace(
            self.state, cause="none", serial=0, expires_s=0.0, entered_s=None, entries=0, exited=False, followed=False,
            passed=False, abandoned=False, tended=False, reversals=0, proven=(), emptied=False, doubted=False,
            retest=True,
        )  # fmt: skip

    # ------------------------------------------------------------ motion

    def urgent(self) -> Cause | None:
        if self.sure("fire"):
            return "fire"
        return "manual_key" if self.sure("manual_key") and self.set.manual_key == "opens" else None

    def act(self) -> None:
        """Fire and key first, then stop, then the end of a passage; then the descent that is ours, whatever else is
        asked; last what a person asks."""
        urgent = self.urgent()
        if urgent:
            self.rise_for(urgent)
        elif self.asked.stop:
            self.halt("asked")
        elif self.is_on("manual_key"):
            self.hands_off()
        elif self.state.phase == "open":
            self.end_passage()
        self.guard_descent()
        if self.asked.lower:
            self.lower_by_person()
        elif self.asked.test:
            self.begin_test()

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
        ends_s = self.now + open_pulse_s(self.state, self.set)
        self.state = replace(self.state, pulse_ends_s=ends_s, stop_asked=False)

    def hear_stop(self) -> None:
        if self.state.stop_asked and "stop" in self.asked.done:
            self.note("stopped")
            self.state = replace(self.state, stop_asked=False)

    def halt(self, code: str) -> None:
        """Stop. Where nothing is wired that could, only going up ends a descent."""
        self.state = replace(self.state, tended=False)
        if not self.asked.can_stop:
            if self.state.phase == "lowering" and self.state.lowered_s is not None and not self.state.at_rest:
                self.reopen("no_stop")
            return
        self.stop = True
        if self.state.phase in ("opening", "lowering"):
            self.go("stopped", "stopping", code)
            self.state = replace(self.state, stop_asked=True)

    def hands_off(self) -> None:
        """The key is turned, and nobody is sure yet or somebody works at the arm: what moves is stopped."""
        self.state = replace(self.state, tended=False)
        if self.set.manual_key == "hands_off" and self.state.phase in ("opening", "lowering"):
            self.halt("manual_key")

    # ------------------------------------------------------------ the descent that is ours

    def guard_descent(self) -> None:
        """Something is under the arm, or nobody knows: up, asked for every half second until the limit says so. It
        outlasts silence, faults, STOP and restarts; only an arm that is down is left down: rising again would be a
        second opening."""
        state = self.state
        if state.lowered_s is None or state.phase == "closed" or state.at_rest or self.open or self.stop:
            return
        is_due = self.now >= state.pulse_ends_s + GAP_S
        if state.phase == "opening":
            self.ask_again() if is_due else None
        elif self.obstructed() and (self.fresh or state.phase == "lowering"):
            if state.phase != "open":
                self.reopen("obstructed")
            elif is_due:
                self.ask_again()

    def ask_again(self) -> None:
        """Where the board does not take the opening, every second time a stop."""
        if "write_failed" in self.asked.trouble and self.asked.can_stop and not self.state.stop_asked:
            self.open, self.close, self.stop = False, False, True
            self.state = replace(self.state, stop_asked=True, pulse_ends_s=self.now + REVERSAL_PULSE_S)
        else:
            self.energise_open()

    def reopen(self, code: str) -> None:
        self.note("reopening", code)
        self.state = replace(self.state, cause="reopen")
        self.count_reversal()
        self.rise("reopen")

    def count_reversal(self) -> None:
        self.state = replace(self.state, reversals=self.state.reversals + 1, obstacles=self.state.obstacles + 1)
        if self.state.reversals >= self.set.max_reversals:
            self.fail("repeated_reversal")

    # ------------------------------------------------------------ the end of a passage

    def end_passage(self) -> None:
        """See the vehicle through; lower once the lane is clear; say so where the boom stays up for too long."""
        if self.state.entries and not self.state.passed and self.is_through():
            self.see_through()
        if self.state.tended:
            self.lower_when_over()
        if not self.state.warned:
            self.warn_still_open()

    def lower_when_over(self) -> None:
        """Behind a vehicle that every input saw. Where none saw it go, it has gone back, or nothing sees anything: that
        is counted, and the arm waits for long; where only some saw it, the arm waits for a person."""
        state = self.state
        if state.passed:
            if self.clear_s() >= self.needed_s():
                self.doubt()
                if not self.unproven():
                    self.lower_by_itself("")
        elif not state.entries and not state.here and "exit_loop" not in state.proven:
            nobody = self.elapsed_s() >= self.set.open_unpassed_s
            if state.abandoned or nobody:
                self.doubt()
                if self.unseen_s() >= self.set.ambiguous_s:
                    self.lower_by_itself("" if state.abandoned else "nobody_passed")

    def lower_by_itself(self, code: str) -> None:
        """Past no sensor that does not prove itself; one that failed its test may try again with each opening."""
        careless = [fault.code.split(":")[0] for fault in self.state.faults]
        again = ("test_failed",) if self.state.retest else ()
        if any(kind in CARELESS and kind not in again for kind in careless) or self.lower_refusal():
            return
        if not self.set.tested or self.now - self.state.tested_s <= TESTED_S:
            self.lower(code)
        else:
            self.begin_test()

    # ------------------------------------------------------------ the sensors' test

    def begin_test(self) -> None:
        if self.set.tested and self.state.phase == "open" and not self.state.testing:
            self.state = replace(self.state, testing="dark", test_since_s=self.now)

    def test(self) -> None:
        """Without light each receiver has to say "broken", with light "clear" again (EN 12453, type 2 / D). Who comes
        meanwhile, or a board that is lost, ends it without a verdict."""
        state = self.state
        if not state.testing:
            return
        said = [self.raw.get(name) for name in self.set.tested]
        is_over = self.now - state.test_since_s >= self.set.test_s
        if state.phase != "open" or self.asked.stop or self.lower_refusal():
            self.end_test()
        elif state.testing == "dark" and all(said):
            self.state = replace(state, testing="light", test_since_s=self.now)
        elif state.testing == "dark" and is_over:
            blind = tuple(name for name, value in zip(self.set.tested, said, strict=True) if not value)
            self.end_test()
            self.state = replace(self.state, failed=blind, retest=False)
        elif state.testing == "light" and all(value is False for value in said):
            self.end_test()
            self.state = replace(self.state, tested_s=self.now, failed=())
        elif is_over:
            self.end_test()  # still dark: that is somebody

    def end_test(self) -> None:
        self.inputs = self.raw
        self.state = replace(self.state, testing="")

    def warn_still_open(self) -> None:
        """Once for each opening; a boom that closes unseen (no limits, own controller) is unknown from then on."""
        blind = self.state.passed and self.state.doubted and self.unproven() and self.set.closes_by == "relay"
        wait_s = 0.0 if blind else self.set.open_alarm_s if self.state.entries else self.set.open_unpassed_s
        if self.elapsed_s() < wait_s:
            return
        unseen = self.set.closes_by == "controller" and not (self.set.has("limit_open") or self.set.has("limit_closed"))
        why = "unproven" if blind else "not_clear" if self.state.entries else "nobody_passed"
        self.note("still_open", "unseen" if unseen else why)
        self.state = replace(self.state, warned=True, phase="unknown" if unseen else "open")

    # ------------------------------------------------------------ lowering

    def lower_refusal(self) -> str:
        """Why the arm may not come down now; empty where it may. Holds for the machine and for a person alike."""
        blocking = [f.code for f in self.state.faults if f.code.split(":")[0] not in (*MAY_LOWER_WITH, *CARELESS)]
        if self.is_on("fire") or self.is_on("manual_key"):
            return "fire" if self.is_on("fire") else "manual_key"
        if self.set.closes_by == "controller":
            return "controller"
        if self.state.phase not in ("open", "stopped", "unknown") or self.now < self.state.pulse_ends_s + GAP_S:
            return self.state.phase
        blocking += [f"input_unknown:{name}" for name in self.unknown_now()]
        if blocking:
            return f"fault:{blocking[0]}"
        return "" if self.clear_s() >= self.set.min_clear_s else "lane_not_clear"

    def lower_by_person(self) -> None:
        refusal = "stopped" if self.asked.stop else self.lower_refusal() or ("testing" if self.state.testing else "")
        if refusal:
            self.note("lower_refused", refusal)
        else:
            self.lower("asked")

    def lower(self, code: str) -> None:
        self.close = True
        self.watch_descent()
        if self.state.cause in KEPT_UP:
            self.state = replace(self.state, cause="reopen")  # who kept it up has ended that
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
        kept_up = (state.phase == "open" and state.tended) or self.stays_up()
        blocking = [fault.code for fault in state.faults if fault.code.split(":")[0] not in CARELESS]
        blocking += [f"input_unknown:{name}" for name in self.unknown_now()]
        checks = {
            "fire": self.is_on("fire"),
            "manual_key": self.is_on("manual_key"),
            f"fault:{blocking[0] if blocking else ''}": bool(blocking),
            "held": state.held,
            "stopped": self.asked.stop,
            "busy": not emergency and (state.phase == "opening" or kept_up),
            "no_vehicle": not emergency and self.set.needs_vehicle and self.set.has("presence") and not state.here,
        }
        return next((code for code, is_so in checks.items() if is_so), "")

    def stays_up(self) -> bool:
        """Raised for fire, key or emergency and not down since: no vehicle's permit ends that."""
        return self.state.cause in KEPT_UP and self.state.phase != "closed"

    def outputs(self) -> Outputs:
        state = self.state
        blocked = any(fault.code.split(":")[0] not in CARELESS for fault in state.faults)
        green = state.phase == "open" and state.tended and not (state.entries or state.abandoned or blocked)
        siren, sign = self.now < state.siren_until_s, state.here and not green
        return Outputs(self.open, self.close, self.stop, green, siren, sign, state.testing == "dark")
