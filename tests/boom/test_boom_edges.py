"""The safety gate at its very edges: the last instant that counts and the first that does not, what is told besides.

Binary fractions of a second, so that sums are exact. Ticks of the bench check the invariants.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from firmware_io.safety import BarrierSettings, Inputs, Outputs, Requests, State, recheck, start, step
from firmware_io.terms import INPUTS, InputName, Seen
from tests.boom.bench import ALL, EVERYTHING, Bench, codes

CLEAR = Inputs(100.0, safety_loop=False, photocell=False)
BINARY = BarrierSettings(
    inputs=("photocell", "limit_open", "limit_closed"), needs_vehicle=False, pulse_s=0.5, debounce_s=0.125,
    stale_s=0.25, travel_s=4.0, min_clear_s=1.5, large_clear_s=4.0, presence_off_s=1.0, fault_clear_s=1.0,
)  # fmt: skip
QUIET = Requests(beat_s=100.0)


def lowering(**changes: object) -> State:
    return replace(State(started_s=0.0, phase="lowering", cause="permit"), **changes)  # type: ignore[arg-type]


def known(since_s: float, **values: bool) -> tuple[Seen, ...]:
    """What has been seen of each input since then."""
    return tuple(Seen(values.get(name), since_s) for name in INPUTS)


# ------------------------------------------------------------ the last gate


def test_the_last_gate_takes_inputs_that_are_just_not_stale() -> None:
    settings = BarrierSettings(stale_s=0.25)
    assert recheck(Outputs(close=True), CLEAR, lowering(), 100.25, settings).close
    assert not recheck(Outputs(close=True), CLEAR, lowering(), 100.26, settings).close


def test_the_last_gate_closes_in_the_instant_in_which_the_pulse_is_over() -> None:
    assert recheck(Outputs(close=True), CLEAR, lowering(pulse_ends_s=100.0), 100.0, BarrierSettings()).close


def test_the_last_gate_opens_in_a_permit_s_last_instant() -> None:
    state = lowering(phase="opening", expires_s=100.0)
    assert recheck(Outputs(open=True), CLEAR, state, 100.0, BarrierSettings()).open


def test_the_last_gate_never_closes_where_nothing_looks_under_the_arm() -> None:
    assert not recheck(Outputs(close=True), CLEAR, lowering(), 100.0, BarrierSettings(inputs=("limit_open",))).close


def test_the_last_gate_knows_only_inputs_that_exist() -> None:
    inputs = replace(CLEAR, fire=True, manual_key=True, safety_edge=True)
    assert recheck(Outputs(close=True), inputs, lowering(), 100.0, BarrierSettings()).close


def test_a_start_knows_nothing_since_now() -> None:
    state = start(5.0)
    assert (state.started_s, state.since_s, state.phase) == (5.0, 5.0, "unknown")
    assert state.seen == tuple(Seen(None, 5.0) for _ in INPUTS)


# ------------------------------------------------------------ instants


def test_inputs_of_exactly_the_stale_age_still_count() -> None:
    state = State(started_s=0.0, phase="closed", seen=known(0.0, limit_closed=True))
    for age_s, found in ((0.25, False), (0.26, True)):
        inputs = Inputs(100.0 - age_s, photocell=False, limit_open=False, limit_closed=True)
        after, _, _ = step(state, inputs, QUIET, 100.0, BINARY)
        assert ("inputs_stale" in {fault.code for fault in after.faults}) is found


def opening(since_s: float, **values: bool) -> State:
    return State(
        started_s=0.0,
        phase="opening",
        cause="permit",
        serial=1,
        since_s=since_s,
        tended=True,
        seen=known(90.0, **values),
    )


def test_opened_is_said_in_the_instant_in_which_the_pulse_is_over_and_not_before() -> None:
    up = {"photocell": False, "limit_open": True, "limit_closed": False}
    inputs = Inputs(100.0, **up)
    for since_s, phase in ((99.5, "open"), (99.6, "opening")):
        assert step(opening(since_s, **up), inputs, QUIET, 100.0, BINARY)[0].phase == phase


def test_without_limits_open_is_assumed_in_the_instant_in_which_the_travel_time_is_over() -> None:
    settings = replace(BINARY, inputs=("photocell",))
    for since_s, phase in ((96.0, "open"), (96.1, "opening")):
        state = opening(since_s, photocell=False)
        assert step(state, Inputs(100.0, photocell=False), QUIET, 100.0, settings)[0].phase == phase


@pytest.mark.parametrize(("up", "code"), [(True, "still_open"), (False, "no_limit")])
def test_what_the_limit_says_of_a_lowering_that_came_to_nothing(up: bool, code: str) -> None:
    stays = {"photocell": False, "limit_open": up, "limit_closed": False}
    state = replace(lowering(since_s=92.0), seen=known(80.0, **stays))
    _, _, notices = step(state, Inputs(100.0, **stays), QUIET, 100.0, BINARY)
    assert ("not_closed", code) in [(n.kind, n.code) for n in notices]


@pytest.mark.parametrize("travel_s", [4.0, 20.0])
def test_without_limits_the_travel_time_counts_however_long_it_is(travel_s: float) -> None:
    settings = replace(BINARY, inputs=("photocell",), travel_s=travel_s)
    inputs = Inputs(100.0, photocell=False)
    for phase, end in (("opening", "open"), ("lowering", "closed")):
        for early_s, now in ((0.0, end), (0.1, phase)):
            state = replace(opening(100.0 - travel_s + early_s, photocell=False), phase=phase)  # type: ignore[arg-type]
            after, out, _ = step(state, inputs, QUIET, 100.0, settings)
            assert after.phase == now
            assert not out.stop


@pytest.mark.parametrize(("phase", "kind"), [("opening", "not_opened"), ("lowering", "not_closed")])
def test_a_motion_is_given_up_in_the_instant_in_which_its_time_is_over(phase: str, kind: str) -> None:
    between = {"photocell": False, "limit_open": False, "limit_closed": False}
    for since_s, given_up in ((92.0, True), (92.1, False)):
        state = replace(opening(since_s, **between), phase=phase)  # type: ignore[arg-type]
        after, out, notices = step(state, Inputs(100.0, **between), QUIET, 100.0, BINARY)
        assert (kind in [n.kind for n in notices]) is given_up
        assert out.stop is given_up
        assert after.phase == ("unknown" if given_up else phase)


@pytest.mark.parametrize(("up_since_s", "reversed_it"), [(98.9, False), (99.5, False), (99.6, True), (99.9, False)])
def test_a_limit_says_that_the_controller_reversed_only_where_it_came_during_the_lowering(
    up_since_s: float, reversed_it: bool
) -> None:
    seen = list(known(90.0, photocell=False, limit_closed=False))
    seen[INPUTS.index("limit_open")] = Seen(True, up_since_s)
    state = replace(lowering(since_s=99.0), seen=tuple(seen))
    inputs = Inputs(100.0, photocell=False, limit_open=True, limit_closed=False)
    after, _, notices = step(state, inputs, QUIET, 100.0, BINARY)
    assert ("reopened" in [n.kind for n in notices]) is reversed_it
    assert after.reversals == reversed_it


def test_an_input_counts_in_the_instant_in_which_it_has_been_steady_for_long_enough() -> None:
    state = State(started_s=0.0, phase="unknown", seen=known(99.875, limit_closed=True, photocell=False))
    inputs = Inputs(100.0, photocell=False, limit_open=False, limit_closed=True)
    assert step(state, inputs, QUIET, 100.0, BINARY)[0].phase == "closed"
    younger = replace(state, seen=known(99.9, limit_closed=True, photocell=False))
    assert step(younger, inputs, QUIET, 100.0, BINARY)[0].phase == "unknown"


# ------------------------------------------------------------ a boom with one limit


def one_limit(name: InputName) -> Bench:
    bench = Bench(BarrierSettings(skeletal=False, inputs=("photocell", name), needs_vehicle=False))
    return bench.set(**dict.fromkeys(set(ALL) - {"photocell", name}))


def test_a_boom_that_only_knows_when_it_is_down_is_seen_to_come_down_unasked() -> None:
    bench = one_limit("limit_closed")
    bench.offer(bench.permit(1))
    assert "assumed_open" in bench.set(limit_closed=False).kinds(6.2)
    assert [(n.kind, n.code) for n in bench.set(limit_closed=True).run(0.2)] == [
        ("lowering", "unasked"),
        ("closed", ""),
    ]


def test_a_boom_that_only_knows_when_it_is_up_is_seen_to_rise_unasked() -> None:
    bench = one_limit("limit_open").set(limit_open=True)
    bench.run(0.3)
    bench.offer(bench.permit(1))
    bench.run(1.0)
    bench.tick(Requests(lower=True))
    bench.set(limit_open=False)
    assert "assumed_closed" in bench.kinds(10.0)
    notices = bench.set(limit_open=True).run(0.3)
    assert [(n.kind, n.code) for n in notices] == [("opened_unasked", "open"), ("observed", "open")]


def test_a_boom_that_is_lifted_and_put_back_is_found_down_again() -> None:
    bench = Bench().set(limit_closed=False)
    bench.run(0.3)
    assert bench.phase() == "unknown"
    assert abs(bench.state.since_s - (bench.now - 0.15)) < 0.06
    assert [(n.kind, n.code) for n in bench.set(limit_closed=True).run(0.2)] == [("observed", "closed")]


def test_a_stopped_boom_that_comes_to_an_end_is_found_there() -> None:
    bench = Bench().set(presence=True)
    bench.run(0.5)
    bench.offer(bench.permit(1))
    bench.set(limit_closed=False).run(0.5)
    bench.tick(Requests(stop=True))
    assert bench.phase() == "stopped"
    assert [(n.kind, n.code) for n in bench.set(limit_closed=True).run(0.2)] == [("stopped", ""), ("closed", "late")]


# ------------------------------------------------------------ reversals, and a board that is lost


def reverse(bench: Bench) -> bool:
    """A person lowers; the controller feels something and goes up again. Returns whether that is a fault by now."""
    bench.tick(Requests(lower=True))
    bench.set(limit_open=False).run(1.0)
    kinds = bench.set(limit_open=True).kinds(0.3)
    assert "reopened" in kinds
    bench.run(2.0)
    return "fault" in kinds


def test_a_controller_that_reverses_again_and_again_is_a_fault_and_a_reset_counts_anew() -> None:
    bench = Bench().open_for_vehicle()
    assert [reverse(bench) for _ in range(3)] == [False, False, True]
    assert codes(bench) == {"repeated_reversal"}
    bench.tick(Requests(reset=True))
    assert [reverse(bench) for _ in range(3)] == [False, False, True]


@pytest.mark.parametrize(
    ("phase", "then"), [("opening", "unknown"), ("lowering", "unknown"), ("open", "open"), ("closed", "closed")]
)
def test_a_lost_board_makes_a_motion_unknown_and_leaves_a_rest_as_it_was(phase: str, then: str) -> None:
    state = replace(opening(99.0, photocell=False), phase=phase)  # type: ignore[arg-type]
    lost = replace(QUIET, trouble=("board_lost",))
    after, out, _ = step(state, Inputs(100.0), lost, 100.0, BINARY)
    assert (after.phase, after.tended) == (then, False)
    assert out == Outputs()


# ------------------------------------------------------------ what is not believed, what is told


def test_nothing_is_believed_of_a_lost_board() -> None:
    bench = Bench(EVERYTHING).set(fire=True)
    bench.tick(Requests(trouble=("board_lost",)))
    assert {"board_lost", "inputs_stale"} <= codes(bench)
    assert not bench.outputs.open


def test_an_input_that_does_not_exist_is_not_believed_either() -> None:
    bench = Bench().set(fire=True, arm_torn=True, tamper=True, manual_key=True)
    assert bench.run(1.0) == []


def test_each_fault_is_told_when_it_comes_and_when_it_goes() -> None:
    bench = Bench(EVERYTHING).set(tamper=True)
    assert [(n.kind, n.code) for n in bench.run(0.2)] == [("fault", "tamper")]
    assert [(n.kind, n.code) for n in bench.set(tamper=False).run(1.2)] == [("fault_cleared", "tamper")]


def test_each_opening_is_told_anew_that_it_stays_open() -> None:
    bench = Bench().open_for_vehicle(1)
    assert "still_open" in bench.kinds(21.0)
    bench.tick(Requests(lower=True))
    bench.set(limit_open=False).run(1.0)
    bench.set(limit_closed=True).run(0.5)
    bench.open_for_vehicle(2)
    assert "still_open" in bench.kinds(21.0)


def test_with_nothing_under_the_arm_the_lane_is_never_clear() -> None:
    bench = Bench(BarrierSettings(skeletal=False, inputs=("presence",), closes_by="controller")).set(presence=True)
    bench.run(0.5)
    bench.offer(bench.permit(1))
    bench.run(7.0)
    assert bench.set(presence=False).kinds(30.0) == ["left", "still_open"]


@pytest.mark.parametrize("name", ["safety_loop", "photocell"])
def test_a_lane_that_is_not_clear_is_not_clear_for_a_person_either(name: InputName) -> None:
    bench = Bench(BarrierSettings(skeletal=False, min_clear_s=1.0)).open_for_vehicle().set(**{name: True})
    bench.run(1.0)
    assert bench.tick(Requests(lower=True))[0].code == "lane_not_clear"
