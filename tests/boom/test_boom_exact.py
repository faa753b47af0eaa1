"""The safety gate step by step from states set up by hand: what each rule remembers, forgets, refuses and tells."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from firmware_io.safety import BarrierSettings, Inputs, Outputs, Permit, Requests, State, step
from firmware_io.terms import INPUTS, Fault, InputName, Seen

NOW_S = 100.0
QUIET = Requests(beat_s=NOW_S)
REST: dict[InputName, bool] = {**dict.fromkeys(INPUTS, False), "mains_ok": True}
SETTINGS = BarrierSettings(
    inputs=("presence", "safety_loop", "photocell", "exit_loop", "limit_open", "limit_closed", "fire"),
    pulse_s=0.5, debounce_s=0.125, stale_s=0.25, min_clear_s=1.5, large_clear_s=4.0, presence_off_s=1.0,
    large_after_s=4.0, skeletal=False,
)  # fmt: skip
TWO = replace(SETTINGS, inputs=("presence", "safety_loop", "photocell", "limit_open", "limit_closed"))
Told = list[tuple[str, str]]


class Case:
    """A state in which every input has had its value for a long time, and one step from it."""

    def __init__(self, settings: BarrierSettings = SETTINGS, /, **state: Any) -> None:
        self.settings = settings
        self.values = dict(REST)
        self.since: dict[InputName, float] = dict.fromkeys(INPUTS, 50.0)
        self.state = State(**{"started_s": 0.0, "phase": "open", "since_s": 90.0, "serial": 1, **state})

    def has(self, since_s: float = 50.0, **values: bool) -> Case:
        self.values |= values  # type: ignore[arg-type]
        self.since |= dict.fromkeys(values, since_s)  # type: ignore[arg-type]
        return self

    def step(self, asked: Requests = QUIET, /, **now: bool | None) -> tuple[State, Outputs, Told]:
        seen = tuple(Seen(self.values[name], self.since[name], 0, 2) for name in INPUTS)
        before = replace(self.state, seen=seen)
        values: Any = {**self.values, **now}
        inputs = Inputs(NOW_S, **values)
        after, out, notices = step(before, inputs, asked, NOW_S, self.settings)
        return after, out, [(notice.kind, notice.code) for notice in notices]


# ------------------------------------------------------------ remembering and forgetting


def test_once_down_nothing_of_the_opening_is_left() -> None:
    state = Case(
        phase="lowering", since_s=98.0, cause="permit", expires_s=91.0, entered_s=93.0, entries=2, exited=True,
        followed=True, passed=True, abandoned=True, tended=True, reversals=2, warned=True,
    ).has(limit_closed=True).step()[0]  # fmt: skip
    assert state == replace(
        State(started_s=0.0),
        phase="closed",
        since_s=NOW_S,
        seen=state.seen,
        last_serial=state.last_serial,
        at_rest=True,
        read_s=NOW_S,
    )


@pytest.mark.parametrize(("serial", "told"), [(0, ("observed", "open")), (1, ("opened", "late"))])
def test_a_boom_found_up_is_observed_or_late(serial: int, told: tuple[str, str]) -> None:
    state, _, said = Case(phase="unknown", serial=serial).has(limit_open=True).step()
    assert (state.phase, said[0]) == ("open", told)


@pytest.mark.parametrize(("serial", "told"), [(0, ("observed", "closed")), (1, ("closed", "late"))])
def test_a_boom_found_down_is_observed_or_late(serial: int, told: tuple[str, str]) -> None:
    state, _, said = Case(phase="unknown", serial=serial).has(limit_closed=True).step()
    assert (state.phase, said[0]) == ("closed", told)


def test_an_accepted_permit_forgets_the_opening_before_and_keeps_its_serial() -> None:
    case = Case(phase="open", entries=1, passed=True, reversals=2).has(limit_open=True, presence=True)
    state, out, _ = replace_here(case).step(replace(QUIET, permits=(Permit(7, 99.5, 101.5),)))
    assert (state.serial, state.last_serial, state.expires_s, state.cause) == (7, 7, 101.5, "permit")
    assert (state.entries, state.passed, state.reversals, state.tended) == (0, False, 0, True)
    assert (state.phase, state.pulse_ends_s) == ("opening", NOW_S + 0.5)
    assert out == Outputs(open=True, sign=True)


def replace_here(case: Case) -> Case:
    case.state = replace(case.state, here=True)
    return case


# ------------------------------------------------------------ faults


def fault(code: str, seen_s: float, permanent: bool = False) -> tuple[Fault, ...]:
    return (Fault(code, permanent, seen_s),)


@pytest.mark.parametrize(("seen_s", "kept"), [(99.0, False), (99.0625, True)])
def test_a_passing_fault_goes_a_second_after_it_was_last_seen(seen_s: float, kept: bool) -> None:
    state, _, told = Case(faults=fault("tick_late", seen_s)).has(limit_open=True).step()
    assert bool(state.faults) is kept
    assert (("fault_cleared", "tick_late") in told) is not kept


@pytest.mark.parametrize("code", ["not_opened", "not_closed"])
def test_a_lost_position_is_a_fault_until_the_boom_is_seen_somewhere(code: str) -> None:
    assert Case(phase="unknown", faults=fault(code, 10.0)).step()[0].faults
    assert not Case(phase="closed", faults=fault(code, 10.0)).has(limit_closed=True).step()[0].faults


@pytest.mark.parametrize("code", ["arm_torn", "both_limits", "repeated_reversal", "input_stuck:photocell"])
def test_a_permanent_fault_waits_for_a_person(code: str) -> None:
    case = Case(phase="closed", faults=fault(code, 10.0, permanent=True)).has(limit_closed=True)
    assert [one.code for one in case.step()[0].faults] == [code]
    assert case.step(replace(QUIET, reset=True))[0].faults == ()


def test_a_stuck_input_is_permanent_and_the_count_ends_it() -> None:
    case = Case(phase="closed").has(limit_closed=True)
    seen = tuple(Seen(case.values[name], 50.0, 20 if name == "presence" else 1) for name in INPUTS)
    inputs = Inputs(NOW_S, **case.values)
    state = step(replace(case.state, seen=seen), inputs, QUIET, NOW_S, SETTINGS)[0]
    assert state.faults == (Fault("input_stuck:presence", True, NOW_S),)


@pytest.mark.parametrize(("change", "quiet"), [(True, 0), (None, 7), (False, 7)])
def test_only_a_change_between_two_known_values_is_a_sign_of_life(change: bool | None, quiet: int) -> None:
    case = Case(phase="closed").has(limit_closed=True)
    seen = tuple(Seen(case.values[name], 50.0, 7 if name == "photocell" else 0) for name in INPUTS)
    inputs = Inputs(NOW_S, **{**case.values, "photocell": change})
    state = step(replace(case.state, seen=seen), inputs, QUIET, NOW_S, SETTINGS)[0]
    assert state.seen[INPUTS.index("photocell")].quiet == quiet


def test_an_input_that_comes_back_from_unknown_has_shown_nothing_and_a_reset_counts_anew() -> None:
    case = Case(phase="closed").has(limit_closed=True)
    seen = tuple(Seen(None if name == "photocell" else case.values[name], 50.0, 7) for name in INPUTS)
    before, inputs = replace(case.state, seen=seen), Inputs(NOW_S, **case.values)
    assert step(before, inputs, QUIET, NOW_S, SETTINGS)[0].seen[INPUTS.index("photocell")].quiet == 7
    after = step(before, inputs, replace(QUIET, reset=True), NOW_S, SETTINGS)[0]
    assert {one.quiet for one in after.seen if one.since_s == 50.0} == {0}


@pytest.mark.parametrize(
    ("started_s", "beat_s", "codes"),
    [(98.0, 97.0, []), (98.1, 97.0, ["starting"]), (98.0, 96.9, ["host_lost"]), (98.0, None, ["host_lost"])],
)
def test_start_and_host_count_to_the_instant(started_s: float, beat_s: float | None, codes: list[str]) -> None:
    case = Case(phase="closed", started_s=started_s).has(limit_closed=True)
    assert [one.code for one in case.step(Requests(beat_s=beat_s))[0].faults] == codes


def test_unknown_inputs_are_named_only_where_the_others_are_known() -> None:
    case = Case(phase="closed").has(limit_closed=True)
    assert case.step(photocell=None)[0].faults == (), "known a moment ago"
    for since_s, found in ((NOW_S - 0.31, ["input_unknown:photocell"]), (NOW_S - 0.29, [])):
        seen = tuple(Seen(None, since_s) if name == "photocell" else Seen(case.values[name], 50.0) for name in INPUTS)
        inputs = Inputs(NOW_S, **{**case.values, "photocell": None})
        faults = step(replace(case.state, seen=seen), inputs, QUIET, NOW_S, SETTINGS)[0].faults
        assert [one.code for one in faults] == found
    lost = replace(QUIET, trouble=("board_lost",))
    assert [one.code for one in case.step(lost)[0].faults] == ["board_lost", "inputs_stale"]


def test_a_mains_input_that_does_not_exist_is_not_lost() -> None:
    assert Case(phase="closed").has(limit_closed=True, mains_ok=False).step()[0].faults == ()


# ------------------------------------------------------------ vehicles


@pytest.mark.parametrize(
    ("state", "clear_since_s", "goes"),
    [
        ({}, 98.5, True), ({}, 98.6, False),
        ({"entered_s": 95.0}, 98.5, True), ({"entered_s": 94.5}, 98.5, False), ({"entered_s": 92.0}, 96.0, True),
        ({"here": True}, 98.5, False), ({"followed": True}, 98.5, False), ({"entries": 2}, 98.5, False),
        ({"entries": 2}, 96.0, True), ({"abandoned": True}, 98.5, False),
    ],
)  # fmt: skip
def test_how_long_the_lane_must_be_clear(state: dict[str, Any], clear_since_s: float, goes: bool) -> None:
    """1.5 s behind one short vehicle; 4 s behind a large one, or where another may be near."""
    seen_by = ("safety_loop", "photocell")
    case = Case(TWO, **{"entries": 1, "entered_s": 97.0, "tended": True, "proven": seen_by, **state})
    case.has(limit_open=True, presence=bool(state.get("here")))
    case.has(clear_since_s, safety_loop=False, photocell=False)
    _, out, told = case.step()
    assert out.close is goes
    assert (("lowering", "") in told) is goes


def test_through_is_told_of_one_and_a_tailgater_of_two() -> None:
    for entries, code in ((1, ""), (2, "tailgater")):
        assert ("through", code) in Case(TWO, entries=entries, entered_s=97.0).has(limit_open=True).step()[2]


def test_what_the_exit_loop_never_saw_backed_out() -> None:
    case = Case(entries=1, entered_s=95.0, tended=True).has(limit_open=True)
    state, _, told = case.step()
    assert told[0] == ("left", "backed_out")
    assert (state.entries, state.entered_s, state.abandoned, state.passed) == (0, None, True, False)
    case.state = replace(case.state, exited=True)
    state, _, told = case.step()
    assert told[0] == ("through", "")
    assert (state.passed, state.seen[0].quiet) == (True, 1)


def test_the_exit_loop_counts_only_for_what_entered() -> None:
    assert not Case().has(limit_open=True).step(exit_loop=True)[0].exited
    assert Case(entries=1, entered_s=99.0).has(limit_open=True).step(exit_loop=True)[0].exited


@pytest.mark.parametrize(
    ("entries", "passed", "told", "after"),
    [
        (0, False, [], (1, NOW_S, False)),
        (1, False, [], (1, 95.0, True)),
        (1, True, [("tailgate", "second_entry")], (2, NOW_S, False)),
    ],
)
def test_what_comes_under_the_arm(entries: int, passed: bool, told: Told, after: tuple[int, float, bool]) -> None:
    entered_s = 95.0 if entries else None
    case = Case(entries=entries, passed=passed, entered_s=entered_s, exited=True).has(limit_open=True)
    state, out, said = case.step(photocell=True)
    assert said == told
    assert (state.entries, state.entered_s, state.exited) == after
    assert out.siren is bool(told)
    assert state.siren_until_s == (NOW_S + 5.0 if told else 0.0)


def test_nothing_comes_under_an_arm_that_is_down() -> None:
    assert Case(phase="closed").has(limit_closed=True).step(photocell=True)[0].entries == 0


@pytest.mark.parametrize(
    ("state", "told", "followed"),
    [
        ({}, [("arrived", "")], False),
        ({"entries": 1, "entered_s": 99.0}, [("arrived", "")], True),
        ({"entries": 1, "entered_s": 99.0, "passed": True}, [("arrived", "")], False),
    ],
)
def test_who_comes_up_behind(state: dict[str, Any], told: Told, followed: bool) -> None:
    case = Case(**state).has(limit_open=True, photocell="passed" not in state)
    after, _, said = case.has(99.875, presence=True).step()
    assert said == told
    assert (after.here, after.followed) == (True, followed)
    assert not case.has(99.9, presence=True).step()[0].here


@pytest.mark.parametrize(
    ("phase", "state", "told", "abandoned"),
    [
        ("open", {}, [("left", "")], True),
        ("opening", {}, [("left", "")], True),
        ("closed", {}, [("left", "")], False),
        ("open", {"entries": 1, "entered_s": 99.0}, [], False),
        ("open", {"entries": 1, "entered_s": 99.0, "passed": True}, [("left", "")], False),
    ],
)
def test_who_goes_off_the_presence_loop(phase: str, state: dict[str, Any], told: Told, abandoned: bool) -> None:
    case = Case(phase=phase, since_s=99.5, here=True, **state).has(
        limit_open=phase == "open", limit_closed=phase == "closed", photocell=bool(state) and "passed" not in state
    )
    after, _, said = case.has(99.0, presence=False).step()
    assert [one for one in said if one[0] == "left"] == told
    assert (after.here, after.abandoned) == (False, abandoned)
    assert case.has(99.1, presence=False).step()[0].here


def test_with_nothing_under_the_arm_one_that_leaves_an_open_boom_was_not_seen() -> None:
    blind = BarrierSettings(inputs=("presence", "limit_open", "limit_closed"), closes_by="controller")
    assert Case(blind, here=True).has(limit_open=True).step()[2][0] == ("left", "unseen")
    assert Case(blind, here=True, phase="closed").has(limit_closed=True).step()[2][0] == ("left", "")
