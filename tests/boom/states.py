"""Every state of the safety gate that can be reached, under all inputs, on a clock of whole seconds.

A `Walk` is one boom: which inputs exist, how long things take, what people, host and board may do. `python -m
tests.boom.states [NAME…]` walks the larger ones (minutes of CPU) and prints the counts.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product

from firmware_io.safety import BarrierSettings, Inputs, Notice, Outputs, Permit, Requests, State, recheck, start, step
from firmware_io.terms import INPUTS, UNDER_ARM, InputName, Seen

NOW_S = 1000.0
LATER_S = NOW_S + 1.0
SECONDS = BarrierSettings(
    needs_vehicle=False, pulse_s=0.5, permit_max_s=1.0, host_timeout_s=2.0, stale_s=0.5, settle_s=1.0, debounce_s=0.5,
    fault_clear_s=0.5, open_timeout_s=1.0, close_timeout_s=1.0, travel_s=1.0, presence_off_s=1.0, min_clear_s=1.0,
    large_after_s=1.0, large_clear_s=1.0, open_unpassed_s=1.0, open_alarm_s=1.0, max_reversals=2, skeletal=False,
    skeletal_clear_s=1.0, ambiguous_s=1.0, unproven_after=1,
)  # fmt: skip
ENDS = ((True, False), (False, True), (False, False))
MAY_LOWER_WITH = {"host_lost", "tamper"}
CARELESS = "input_unproven"
PERMIT = Permit(5, NOW_S + 0.5, NOW_S + 1.5)
HOST = Requests(beat_s=LATER_S)
WISHES: dict[str, Requests] = {
    "nothing": HOST,
    "permit": replace(HOST, permits=(PERMIT,)),
    "emergency": replace(HOST, permits=(replace(PERMIT, emergency=True),)),
    "stop": replace(HOST, stop=True),
    "lower": replace(HOST, lower=True),
    "reset": replace(HOST, reset=True),
    "held permit": replace(HOST, permits=(PERMIT,), hold=True),
    "stop, lower, permit": replace(HOST, permits=(PERMIT,), stop=True, lower=True),
    "no host": Requests(permits=(PERMIT,)),
    "board lost": replace(HOST, trouble=("board_lost",)),
    "stale": HOST,
}
PEOPLE = ("nothing", "permit", "stop", "lower", "stale")


@dataclass(frozen=True)
class Walk:
    """`ends`: what the two limits may say together; `values`: what each other input may say."""

    settings: BarrierSettings
    wishes: tuple[str, ...] = PEOPLE
    ends: tuple[tuple[bool | None, bool | None], ...] = ENDS
    values: tuple[bool | None, ...] = (True, False)

    def happenings(self) -> Iterator[tuple[Inputs, Requests]]:
        """All that may come in one second: inputs fresh or stale, and one wish."""
        others = [name for name in self.settings.inputs if not name.startswith("limit_")]
        ends = self.ends if self.settings.has("limit_open") else ((None, None),)
        for wish, (up, down), told in product(self.wishes, ends, product(self.values, repeat=len(others))):
            at_s = NOW_S if wish == "stale" else LATER_S
            said = dict(zip(others, told, strict=True))
            yield Inputs(at_s, limit_open=up, limit_closed=down, **said), WISHES[wish]


def boom(*names: InputName, limits: bool = True, **changes: object) -> BarrierSettings:
    ends: tuple[InputName, ...] = ("limit_open", "limit_closed") if limits else ()
    return replace(SECONDS, inputs=(*names, *ends), **changes)  # type: ignore[arg-type]


SMALL: dict[str, Walk] = {
    "beam and limits": Walk(boom("photocell"), ("nothing", "permit")),
    "no limits": Walk(boom("photocell", limits=False)),
}
LARGE: dict[str, Walk] = {
    "beam and limits": Walk(boom("photocell")),
    "long times": Walk(
        replace(
            boom("photocell"),
            open_timeout_s=2.0, close_timeout_s=2.0, travel_s=2.0, large_clear_s=2.0, open_unpassed_s=2.0,
            open_alarm_s=2.0,
        )
    ),
    "people, host and board": Walk(boom("photocell"), tuple(WISHES)),
    "limits at odds, beam unknown": Walk(
        boom("photocell"), ("nothing", "permit", "lower", "reset"), (*ENDS, (True, True)), (True, False, None)
    ),
    "fire": Walk(boom("photocell", "fire"), ("nothing", "permit", "lower")),
    "key, hands off": Walk(boom("photocell", "manual_key", manual_key="hands_off"), ("nothing", "permit", "lower")),
    "emergency": Walk(boom("photocell"), ("nothing", "permit", "emergency", "stop", "lower")),
    "its controller closes": Walk(boom("photocell", closes_by="controller"), ("nothing", "permit", "lower")),
    "a presence loop": Walk(
        boom("presence", "photocell", limits=False, needs_vehicle=True), ("nothing", "permit", "emergency")
    ),
}  # fmt: skip


def aged(at_s: float, most_s: float) -> float:
    """An instant one second later; how long ago it was matters up to `most_s`."""
    return max(at_s - 1.0, NOW_S - most_s)


def canonical(state: State, settings: BarrierSettings) -> State:
    """The state one second later, moved back to NOW_S, without what no rule can tell apart."""
    most_s = dict.fromkeys((*UNDER_ARM, "exit_loop"), settings.large_clear_s)
    seen = tuple(
        Seen(
            old.value, aged(old.since_s, most_s.get(name, 1.0)), min(old.quiet, 1), 2,
            old.was if name in settings.proving() else None,
        )
        if settings.has(name)
        else Seen(None, NOW_S)
        for name, old in zip(INPUTS, state.seen, strict=True)
    )  # fmt: skip
    urgent = settings.has("fire") or settings.has("manual_key")  # these ask again after a while
    timed = state.phase in ("opening", "lowering", "open")
    permitted = state.cause in ("permit", "emergency") and state.phase == "opening"
    ours = state.lowered_s is not None
    return replace(
        state,
        seen=seen,
        started_s=aged(state.started_s, settings.settle_s),
        since_s=aged(state.since_s, settings.open_timeout_s) if timed else NOW_S,
        serial=min(state.serial, 1),
        expires_s=max(state.expires_s - 1.0, NOW_S - 1.0) if permitted else 0.0,
        last_serial=0,
        entered_s=None if state.entered_s is None else aged(state.entered_s, 1.0 + settings.large_clear_s),
        entries=min(state.entries, 2),
        reversals=min(state.reversals, settings.max_reversals),
        pulse_ends_s=max(state.pulse_ends_s - 1.0, NOW_S - (3.0 if urgent else 1.0)),
        siren_until_s=0.0,
        lowered_s=None if state.lowered_s is None else aged(state.lowered_s, 1.0),
        watch_until_s=max(state.watch_until_s - 1.0, NOW_S - 1.0) if ours else 0.0,
        from_top=state.from_top and ours,
        took_s=(),
        obstacles=0,
        test_since_s=aged(state.test_since_s, 1.0) if state.testing else NOW_S,
        tested_s=aged(state.tested_s, 1.0) if settings.tested else NOW_S,
        read_s=NOW_S,
        faults=tuple(sorted((replace(fault, seen_s=NOW_S) for fault in state.faults), key=lambda fault: fault.code)),
    )


@dataclass(frozen=True)
class Step:
    """One transition, and what must be true of each."""

    before: State
    inputs: Inputs
    asked: Requests
    after: State
    out: Outputs
    notices: tuple[Notice, ...]
    settings: BarrierSettings

    def check(self) -> None:
        kinds = [notice.kind for notice in self.notices]
        assert not (self.out.open and self.out.close)
        assert recheck(self.out, self.inputs, self.after, LATER_S, self.settings) == self.out
        ours = self.before.lowered_s is not None or self.after.lowered_s is not None
        assert not self.out.open or self.urgent() or "permit_accepted" in kinds or ours
        assert not {"opened", "reopened"} & set(kinds) or self.inputs.limit_open
        assert kinds.count("permit_accepted") <= 1
        if "permit_accepted" in kinds:
            assert self.out.open
            assert {fault.code.partition(":")[0] for fault in self.after.faults} <= {CARELESS}
            assert not self.asked.hold
            assert not self.asked.stop
            assert self.somebody() or any(permit.emergency for permit in self.asked.permits), "opens for nobody"
        if self.out.close:
            self.check_close()
        if self.before.phase == "lowering" and self.before.lowered_s is not None and self.must_turn_round():
            assert self.out.open, "did not turn round"
            assert self.after.lowered_s is not None, "forgot that the descent is ours"

    def somebody(self) -> bool:
        """A vehicle stands on the loop, as far as this boom asks for one."""
        return self.after.here or not (self.settings.needs_vehicle and self.settings.has("presence"))

    def fresh(self) -> bool:
        return self.inputs.at_s == LATER_S and not self.asked.trouble

    def on(self, *names: InputName) -> bool:
        return self.fresh() and any(self.settings.has(name) and self.inputs.get(name) for name in names)

    def urgent(self) -> bool:
        return self.on("fire") or (self.settings.manual_key == "opens" and self.on("manual_key"))

    def must_turn_round(self) -> bool:
        stays = self.asked.stop or self.on("limit_closed") or self.on("manual_key")
        return self.fresh() and not stays and any(self.inputs.get(name) for name in self.settings.under_arm())

    def check_close(self) -> None:
        assert self.settings.closes_by == "relay"
        assert self.fresh()
        assert not self.on("fire", "manual_key")
        assert self.asked.lower or self.before.cause != "emergency", "an emergency's boom lowered by nobody"
        assert {fault.code for fault in self.after.faults if not fault.code.startswith(CARELESS)} <= MAY_LOWER_WITH
        careless = any(fault.code.startswith(CARELESS) for fault in self.after.faults)
        assert self.asked.lower or not careless, "lowers by itself past a sensor that does not prove itself"
        assert any(notice.kind == "lowering" for notice in self.notices)
        for name in self.settings.under_arm():
            seen = self.before.seen[INPUTS.index(name)]
            assert self.inputs.get(name) is False
            assert seen.value is False, "clear only since this second"
            assert LATER_S - seen.since_s >= self.settings.min_clear_s


def explore(walk: Walk) -> tuple[int, int]:
    """(states, transitions) reached and checked; raises AssertionError at the first that does harm."""
    settings = walk.settings
    first = canonical(start(LATER_S), settings)
    known, queue, transitions = {first}, deque([first]), 0
    everything = list(walk.happenings())
    while queue:
        before = queue.popleft()
        for inputs, asked in everything:
            after, out, notices = step(before, inputs, asked, LATER_S, settings)
            Step(before, inputs, asked, after, out, notices, settings).check()
            transitions += 1
            later = canonical(after, settings)
            if later not in known:
                known.add(later)
                queue.append(later)
    return len(known), transitions


if __name__ == "__main__":
    for name, walk in LARGE.items():
        if name in (sys.argv[1:] or LARGE):
            print(f"{name}: states, transitions: {explore(walk)}", flush=True)
