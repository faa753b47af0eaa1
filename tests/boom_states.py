"""Every state of the safety gate that can be reached, under all inputs, on a clock of whole seconds.

`python -m tests.boom_states` runs the larger settings (a minute or two of CPU) and prints the counts.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from itertools import product

from firmware_io.safety import BarrierSettings, Inputs, Notice, Outputs, Permit, Requests, State, recheck, start, step
from firmware_io.terms import INPUTS, InputName, Seen

NAMES: tuple[InputName, ...] = ("photocell", "limit_open", "limit_closed")
NOW_S = 1000.0
LARGE = BarrierSettings(
    inputs=NAMES, needs_vehicle=False, pulse_s=0.5, permit_max_s=1.0, host_timeout_s=2.0, stale_s=0.5, settle_s=1.0,
    debounce_s=0.5, fault_clear_s=0.5, open_timeout_s=2.0, close_timeout_s=2.0, travel_s=2.0, presence_off_s=1.0,
    min_clear_s=1.0, large_after_s=1.0, large_clear_s=2.0, open_unpassed_s=2.0, open_alarm_s=2.0, max_reversals=2,
)  # fmt: skip
SMALL = replace(
    LARGE, open_timeout_s=1.0, close_timeout_s=1.0, large_clear_s=1.0, open_unpassed_s=1.0, open_alarm_s=1.0
)
POSITIONS = ((True, False), (False, True), (False, False))
ASKED = ("nothing", "permit", "stop", "lower", "stale")


def aged(at_s: float, most_s: float) -> float:
    """An instant one second later; how long ago it was matters up to `most_s`."""
    return max(at_s - 1.0, NOW_S - most_s)


def canonical(state: State, settings: BarrierSettings) -> State:
    """The state one second later, moved back to NOW_S, without what no rule can tell apart."""
    most_s = {"photocell": settings.large_clear_s}
    seen = tuple(
        Seen(old.value, aged(old.since_s, most_s.get(name, 1.0))) if name in NAMES else Seen(None, NOW_S)
        for name, old in zip(INPUTS, state.seen, strict=True)
    )
    timed = state.phase in ("opening", "lowering", "open")
    permitted = state.cause == "permit" and state.phase == "opening"
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
        pulse_ends_s=max(state.pulse_ends_s - 1.0, NOW_S - 1.0),
        siren_until_s=0.0,
        faults=tuple(sorted((replace(fault, seen_s=NOW_S) for fault in state.faults), key=lambda fault: fault.code)),
    )


def happenings() -> Iterator[tuple[Inputs, Requests]]:
    """All that may come in one second: inputs fresh or stale, and one wish."""
    for beam, (is_open, is_closed), asked in product((True, False), POSITIONS, ASKED):
        at_s = NOW_S + 1.0 if asked != "stale" else NOW_S
        permits = (Permit(5, NOW_S + 0.5, NOW_S + 1.5),) if asked == "permit" else ()
        requests = Requests(permits, stop=asked == "stop", lower=asked == "lower", beat_s=NOW_S + 1.0)
        yield Inputs(at_s, photocell=beam, limit_open=is_open, limit_closed=is_closed), requests


def check(
    before: State, inputs: Inputs, out: Outputs, after: State, notices: tuple[Notice, ...], settings: BarrierSettings
) -> None:
    """The invariants of one transition."""
    now_s = NOW_S + 1.0
    kinds = [notice.kind for notice in notices]
    assert not (out.open and out.close)
    assert recheck(out, inputs, after, now_s, settings) == out
    assert not out.open or "permit_accepted" in kinds or "reopened" in kinds
    assert kinds.count("permit_accepted") <= 1
    if "permit_accepted" in kinds:
        assert out.open
        assert after.faults == ()
    if out.close:
        beam = before.seen[INPUTS.index("photocell")]
        assert inputs.photocell is False
        assert inputs.at_s == now_s
        assert beam.value is False, "clear only since this second"
        assert now_s - beam.since_s >= settings.min_clear_s
        assert after.faults == ()
        assert "lowering" in kinds
    if (
        before.phase == "lowering"
        and inputs.photocell
        and inputs.at_s == now_s
        and not ("stopped" in kinds or inputs.limit_closed)
    ):
        assert out.open, "did not turn round"
    if "opened" in kinds:
        assert inputs.limit_open


def explore(settings: BarrierSettings) -> tuple[int, int]:
    """(states, transitions) reached and checked; raises AssertionError at the first that does harm."""
    assert settings.faults() == []
    first = canonical(start(NOW_S + 1.0), settings)
    known, queue, transitions = {first}, deque([first]), 0
    everything = list(happenings())
    while queue:
        before = queue.popleft()
        for inputs, requests in everything:
            after, out, notices = step(before, inputs, requests, NOW_S + 1.0, settings)
            check(before, inputs, out, after, notices, settings)
            transitions += 1
            later = canonical(after, settings)
            if later not in known:
                known.add(later)
                queue.append(later)
    return len(known), transitions


if __name__ == "__main__":
    print("states, transitions:", explore(LARGE))
