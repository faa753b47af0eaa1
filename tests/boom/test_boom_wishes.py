"""The safety gate step by step: fire, stop, obstruction, the end of a passage, a person's wishes, permits."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from firmware_io.safety import BarrierSettings, Outputs, Permit
from firmware_io.terms import Fault
from tests.boom.test_boom_exact import NOW_S, QUIET, SETTINGS, TWO, Case, Told

STOP = replace(QUIET, stop=True)
LOWER = replace(QUIET, lower=True)
KEY = replace(SETTINGS, inputs=(*SETTINGS.inputs, "manual_key"))
HANDS_OFF = replace(KEY, manual_key="hands_off")
PERMIT = Permit(7, 99.5, 101.5)
SEEN = ("safety_loop", "photocell")
ALL_SEEN = (*SEEN, "exit_loop")
ASKED = replace(QUIET, permits=(PERMIT,))


# ------------------------------------------------------------ fire and key


@pytest.mark.parametrize("cause", ["fire", "manual_key"])
@pytest.mark.parametrize("phase", ["closed", "lowering", "stopped", "unknown"])
def test_fire_and_key_raise_whatever_is_not_up(cause: str, phase: str) -> None:
    case = Case(KEY, phase=phase, since_s=99.5, tended=True).has(limit_closed=phase == "closed")
    assert not case.step(**{cause: True})[1].open, "one reading may be a glitch"
    state, out, told = case.has(99.95, **{cause: True}).step()
    assert ("opening", cause) in told
    assert out == Outputs(open=True)
    assert (state.phase, state.cause, state.tended, state.pulse_ends_s) == ("opening", cause, False, NOW_S + 0.5)


@pytest.mark.parametrize(("pulse_ends_s", "again"), [(98.0, True), (98.1, False)])
def test_fire_asks_again_two_seconds_after_a_pulse(pulse_ends_s: float, again: bool) -> None:
    state, out, told = Case(phase="opening", since_s=97.5, pulse_ends_s=pulse_ends_s).has(fire=True).step()
    assert out.open is again
    assert told == [], "it is the same opening"
    assert state.since_s == 97.5


def test_fire_leaves_an_arm_that_is_up_where_it_is_for_good() -> None:
    state, out, _ = Case(tended=True).has(limit_open=True, fire=True).step(replace(STOP, lower=True))
    assert out == Outputs()
    assert (state.phase, state.cause, state.tended) == ("open", "fire", False)


def test_a_key_that_says_hands_off_ends_what_would_come_down_by_itself() -> None:
    case = Case(
        replace(HANDS_OFF, inputs=(*TWO.inputs, "manual_key")), entries=1, entered_s=95.0, tended=True, proven=SEEN
    )
    state, out, _ = case.has(limit_open=True).step(manual_key=True)
    assert out == Outputs()
    assert (state.tended, state.passed) == (False, False)
    assert case.step()[1].close, "without the key it would have"


def test_a_key_that_says_hands_off_stops_what_moves() -> None:
    for phase in ("opening", "lowering"):
        state, out, told = Case(HANDS_OFF, phase=phase, since_s=99.5, lowered_s=99.5, watch_until_s=120.0).step(
            manual_key=True
        )
        assert (out, told, state.phase) == (Outputs(stop=True), [("stopping", "manual_key")], "stopped")
        assert state.lowered_s == 99.5, "what the controller makes of it is watched"
    assert Case(HANDS_OFF).has(limit_open=True).step(manual_key=True)[1] == Outputs()


# ------------------------------------------------------------ stop


@pytest.mark.parametrize(
    ("phase", "then"),
    [("opening", "stopped"), ("lowering", "stopped"), ("open", "open"), ("closed", "closed"), ("unknown", "unknown")],
)
def test_stop_stops_a_motion_and_ends_what_would_happen_by_itself(phase: str, then: str) -> None:
    ends = {"limit_open": phase == "open", "limit_closed": phase == "closed"}
    state, out, told = Case(phase=phase, since_s=99.9, tended=True).has(**ends).step(STOP)
    assert out == Outputs(stop=True)
    assert (state.phase, state.tended) == (then, False)
    assert told == ([("stopping", "asked")] if then == "stopped" else [])


def test_stop_outranks_an_obstruction() -> None:
    assert Case(phase="lowering", since_s=99.0).step(STOP, photocell=True)[1] == Outputs(stop=True)


# ------------------------------------------------------------ obstruction


def test_an_obstruction_turns_round_and_counts() -> None:
    ours = {"phase": "lowering", "since_s": 99.0, "lowered_s": 99.0, "watch_until_s": 120.0}
    state, out, told = Case(**ours, cause="permit", tended=True).step(photocell=True)
    assert out == Outputs(open=True)
    assert told == [("reopening", "obstructed"), ("opening", "reopen")]
    assert (state.cause, state.reversals, state.phase) == ("reopen", 1, "opening")
    last = Case(**ours, reversals=2).step(photocell=True)
    assert ("fault", "repeated_reversal") in last[2]
    assert last[0].faults == (Fault("repeated_reversal", True, NOW_S),)


def test_an_arm_that_rests_is_not_raised_again() -> None:
    case = Case(phase="lowering", since_s=95.0).has(99.95, limit_closed=True)
    state, out, _ = case.step(photocell=True)
    assert (state.phase, out) == ("lowering", Outputs())


# ------------------------------------------------------------ the end of a passage


@pytest.mark.parametrize(("since_s", "lowers"), [(70.0, True), (70.1, False)])
def test_nobody_passed_is_decided_after_its_time(since_s: float, lowers: bool) -> None:
    case = Case(since_s=since_s, tended=True).has(limit_open=True)
    _, out, told = case.step()
    assert ("unproven", "photocell") in told
    assert out.close is lowers
    assert (("lowering", "nobody_passed") in told) is lowers
    assert not replaced(case, here=True, presence=True).step()[1].close


def replaced(case: Case, *, presence: bool = False, **state: Any) -> Case:
    case.state = replace(case.state, **state)
    return case.has(presence=presence)


@pytest.mark.parametrize(
    ("state", "lowers"),
    [
        ({"entries": 1, "entered_s": 95.0, "passed": True, "exited": True, "proven": ALL_SEEN}, True),
        ({"entries": 1, "entered_s": 95.0, "passed": True, "exited": True, "proven": ALL_SEEN[1:]}, False),
        ({"entries": 1, "entered_s": 95.0, "passed": True, "exited": True, "proven": ALL_SEEN[:2]}, False),
        ({"abandoned": True, "since_s": 70.0}, True),
        ({"abandoned": True, "since_s": 70.1}, False),
        ({"abandoned": True, "since_s": 60.0, "proven": ("exit_loop",)}, False),
        ({"entries": 1, "entered_s": 95.0, "passed": True, "exited": True, "tended": False}, False),
        ({}, False),
    ],
)
def test_it_lowers_by_itself_only_behind_what_it_saw_through_or_away(state: dict[str, Any], lowers: bool) -> None:
    case = Case(**{"tended": True, "since_s": 90.0, **state}).has(limit_open=True)
    assert case.step()[1].close is lowers
    theirs = Case(replace(SETTINGS, closes_by="controller"), **{"tended": True, **state}).has(limit_open=True)
    assert not theirs.step()[1].close


def test_one_that_took_long_to_pass_is_not_called_nobody() -> None:
    case = Case(TWO, since_s=70.0, entries=1, entered_s=95.0, tended=True, proven=SEEN).has(limit_open=True)
    assert case.step()[2] == [("through", ""), ("lowering", "")]


@pytest.mark.parametrize(("here", "followed", "through"), [(0, 0, True), (1, 0, False), (1, 1, True)])
def test_with_one_sensor_a_held_loop_is_no_proof_of_a_second_vehicle(here: int, followed: int, through: bool) -> None:
    one_loop = replace(SETTINGS, inputs=("presence", "safety_loop", "limit_open", "limit_closed"))
    case = Case(one_loop, entries=1, entered_s=95.0, here=bool(here), followed=bool(followed))
    assert (("through", "") in case.has(limit_open=True, presence=bool(here)).step()[2]) is through


def test_what_came_back_under_the_arm_after_it_had_left_is_not_away() -> None:
    one_loop = replace(SETTINGS, inputs=("presence", "safety_loop", "limit_open", "limit_closed"))
    case = Case(one_loop, entries=1, entered_s=95.0, here=True, tended=True, abandoned=True)
    assert not case.has(limit_open=True, presence=True).step()[1].close


@pytest.mark.parametrize(
    ("state", "told"),
    [
        ({"since_s": 80.0}, [("still_open", "nobody_passed")]),
        ({"since_s": 80.1}, []),
        ({"since_s": 80.0, "warned": True}, []),
        ({"since_s": -20.0, "entries": 1, "entered_s": 95.0}, [("still_open", "not_clear")]),
        ({"since_s": -19.9, "entries": 1, "entered_s": 95.0}, []),
    ],
)
def test_still_open_is_told_once_and_says_why(state: dict[str, Any], told: Told) -> None:
    state_after, _, said = Case(TWO, **state).has(limit_open=True).has(photocell="entries" in state).step()
    assert said == told
    assert state_after.warned is (bool(told) or "warned" in state)
    assert state_after.phase == "open"


@pytest.mark.parametrize(
    ("inputs", "closes_by", "code", "phase"),
    [
        (("presence",), "controller", "unseen", "unknown"),
        (("presence", "limit_open"), "controller", "nobody_passed", "open"),
        (("presence", "limit_closed"), "controller", "nobody_passed", "open"),
        (("presence", "photocell"), "relay", "nobody_passed", "open"),
    ],
)
def test_a_boom_that_its_controller_closes_unseen_is_unknown_from_then_on(
    inputs: Any, closes_by: Any, code: str, phase: str
) -> None:
    settings = BarrierSettings(inputs=inputs, closes_by=closes_by)
    case = Case(settings, since_s=80.0, here=True).has(presence=True, limit_open="limit_open" in inputs)
    state, _, told = case.step()
    assert (told, state.phase) == ([("still_open", code)], phase)


# ------------------------------------------------------------ a person asks for it to come down


@pytest.mark.parametrize(
    ("state", "now", "code"),
    [
        ({}, {"fire": True}, "fire"),
        ({}, {"manual_key": True}, "manual_key"),
        ({"phase": "closed"}, {"limit_open": False, "limit_closed": True}, "closed"),
        ({"phase": "opening", "since_s": 99.9}, {}, "opening"),
        ({"pulse_ends_s": 99.9}, {}, "open"),
        ({"faults": (Fault("arm_torn", True, 99.0),)}, {}, "fault:arm_torn"),
        ({"faults": (Fault("tamper", False, 99.5), Fault("tick_late", False, 99.5))}, {}, "fault:tick_late"),
        ({}, {"photocell": True}, "lane_not_clear"),
    ],
)
def test_why_the_arm_does_not_come_down(state: dict[str, Any], now: dict[str, bool], code: str) -> None:
    case = Case(HANDS_OFF, **state).has(**{"limit_open": True, **now})
    _, out, told = case.step(LOWER)
    assert ("lower_refused", code) in told
    assert not out.close


def test_a_stop_in_the_same_breath_refuses_and_a_controller_that_closes_is_never_told_to() -> None:
    assert ("lower_refused", "stopped") in Case().has(limit_open=True).step(replace(STOP, lower=True))[2]
    theirs = Case(replace(SETTINGS, closes_by="controller")).has(limit_open=True)
    assert ("lower_refused", "controller") in theirs.step(LOWER)[2]


@pytest.mark.parametrize("phase", ["open", "stopped", "unknown"])
def test_a_person_lowers_onto_a_clear_lane_host_or_cabinet_notwithstanding(phase: str) -> None:
    faults = (Fault("host_lost", False, 99.5), Fault("tamper", False, 99.5))
    state, out, told = Case(phase=phase, faults=faults, pulse_ends_s=99.8).has(limit_open=phase == "open").step(LOWER)
    assert out == Outputs(close=True)
    assert told == [("lowering", "asked")]
    assert (state.phase, state.since_s) == ("lowering", NOW_S)


@pytest.mark.parametrize(("clear_since_s", "lowers"), [(98.5, True), (98.6, False)])
def test_a_person_too_waits_for_the_short_clear_time(clear_since_s: float, lowers: bool) -> None:
    assert Case().has(limit_open=True).has(clear_since_s, photocell=False).step(LOWER)[1].close is lowers


# ------------------------------------------------------------ permits


@pytest.mark.parametrize(
    ("state", "asked", "now", "code"),
    [
        ({}, {}, {"fire": True}, "fire"),
        ({}, {}, {"manual_key": True}, "manual_key"),
        ({"faults": (Fault("tick_late", False, 99.5),)}, {}, {}, "fault:tick_late"),
        ({}, {"hold": True}, {}, "held"),
        ({}, {"stop": True}, {}, "stopped"),
        ({"phase": "opening", "since_s": 99.9}, {}, {"limit_closed": False}, "busy"),
        ({"phase": "open", "tended": True}, {}, {"limit_closed": False, "limit_open": True}, "busy"),
        ({"here": False}, {}, {"presence": False}, "no_vehicle"),
        ({"last_serial": 7}, {}, {}, "used"),
        ({"started_s": 99.6}, {}, {}, "before_start"),
    ],
)
def test_why_a_permit_opens_nothing(
    state: dict[str, Any], asked: dict[str, Any], now: dict[str, bool], code: str
) -> None:
    base = {"phase": "closed", "here": True, "serial": 0}
    case = Case(HANDS_OFF, **{**base, **state}).has(**{"limit_closed": True, "presence": True, **now})
    after, out, told = case.step(replace(ASKED, **asked))
    assert ("permit_refused", code) in told
    assert after.last_serial == 7
    assert after.serial == 0
    assert not out.open or code == "fire"


@pytest.mark.parametrize(("needs_vehicle", "inputs"), [(False, SETTINGS.inputs), (True, SETTINGS.inputs[1:])])
def test_a_vehicle_is_needed_only_where_it_can_be_seen_and_is_asked_for(needs_vehicle: bool, inputs: Any) -> None:
    settings = replace(SETTINGS, needs_vehicle=needs_vehicle, inputs=inputs)
    assert Case(settings, phase="closed").has(limit_closed=True).step(ASKED)[1].open


@pytest.mark.parametrize(
    ("permit", "code"),
    [
        (Permit(7, 98.0, 100.0), ""), (Permit(7, 97.9, 99.9), "expired"), (Permit(7, 100.0, 102.0), ""),
        (Permit(7, 100.1, 102.0), "bad_permit"), (Permit(7, 99.0, 101.1), "bad_permit"),
        (Permit(7, 99.0, 99.0), "bad_permit"), (Permit(6, 99.5, 101.5), "used"), (Permit(5, 99.5, 101.5), "used"),
    ],
)  # fmt: skip
def test_a_permit_counts_to_the_instant(permit: Permit, code: str) -> None:
    case = Case(phase="closed", here=True, last_serial=6).has(limit_closed=True, presence=True)
    told = case.step(replace(QUIET, permits=(permit,)))[2]
    assert told[0] == (("permit_refused", code) if code else ("permit_accepted", ""))


# ------------------------------------------------------------ lights


@pytest.mark.parametrize(
    ("state", "green"),
    [
        ({"tended": True, "since_s": 99.0}, True), ({}, False), ({"tended": True, "phase": "closed"}, False),
        ({"tended": True, "entries": 1, "entered_s": 99.9}, False),
        ({"tended": True, "faults": (Fault("tick_late", False, 99.5),)}, False),
    ],
)  # fmt: skip
def test_green_is_for_the_one_who_may_go(state: dict[str, Any], green: bool) -> None:
    closed = state.get("phase") == "closed"
    assert Case(**state).has(limit_open=not closed, limit_closed=closed).step()[1].green is green


@pytest.mark.parametrize(("until_s", "siren"), [(100.0, False), (100.1, True)])
def test_the_siren_ends_in_its_instant(until_s: float, siren: bool) -> None:
    assert Case(siren_until_s=until_s).has(limit_open=True).step()[1].siren is siren
