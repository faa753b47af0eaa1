"""The safety gate, rule by rule. Every tick of the bench also checks the invariants (tests/boom_bench.py)."""

from __future__ import annotations

from itertools import pairwise

import pytest

from firmware_io.safety import BarrierSettings, Inputs, Outputs, Permit, Requests, recheck, start
from firmware_io.terms import InputName
from tests.boom_bench import ALL, TICK_S, Bench

EVERYTHING = BarrierSettings(inputs=ALL)


def codes(bench: Bench) -> set[str]:
    return {fault.code for fault in bench.state.faults}


def refusal(bench: Bench, permit: Permit) -> str:
    (notice,) = [n for n in bench.offer(permit) if n.serial == permit.serial and n.kind.startswith("permit")]
    assert notice.kind == "permit_refused"
    assert not bench.outputs.open
    return notice.code


def test_a_whole_passage_opens_once_and_lowers_once_behind_the_vehicle() -> None:
    bench = Bench().open_for_vehicle().drive_through()
    assert [name for _, name in bench.pulses] == ["open"]
    assert bench.kinds(4.2) == ["through", "lowering"]
    bench.set(limit_open=False).run(1.0)
    assert bench.set(limit_closed=True).kinds(0.5) == ["closed"]
    assert [name for _, name in bench.pulses] == ["open", "close"]
    assert bench.state.serial == 0


def test_at_start_it_only_observes_whatever_the_boom_does() -> None:
    bench = Bench(ready=False).set(limit_closed=False, limit_open=True)
    notices = bench.run(60.0)
    assert bench.pulses == []
    assert [(n.kind, n.code) for n in notices if n.kind == "observed"] == [("observed", "open")]


def test_a_permit_is_used_once() -> None:
    bench = Bench().open_for_vehicle(serial=7)
    assert refusal(bench, bench.permit(7)) == "used"
    assert refusal(bench, bench.permit(6)) == "used"
    assert refusal(bench, bench.permit(8)) == "busy"
    assert refusal(bench, bench.permit(8)) == "used", "a refused serial is used up as well"


def test_the_second_of_two_permits_at_once_is_refused() -> None:
    bench = Bench().set(presence=True)
    bench.run(0.5)
    notices = bench.offer(bench.permit(1), bench.permit(2))
    assert [(n.kind, n.serial, n.code) for n in notices] == [
        ("permit_accepted", 1, ""),
        ("opening", 1, "permit"),
        ("permit_refused", 2, "busy"),
    ]


def test_a_permit_expires() -> None:
    bench = Bench().set(presence=True)
    bench.run(0.5)
    assert refusal(bench, bench.permit(1, age_s=2.01)) == "expired"
    assert refusal(bench, bench.permit(2, age_s=0.31, life_s=0.3)) == "expired"
    assert bench.offer(bench.permit(3, age_s=1.9))[0].kind == "permit_accepted"


@pytest.mark.parametrize(("age_s", "life_s"), [(0.0, 2.1), (-1.0, 2.0), (0.0, 0.0), (0.0, -1.0), (0.0, float("nan"))])
def test_a_permit_that_could_not_be_true_is_refused(age_s: float, life_s: float) -> None:
    bench = Bench().set(presence=True)
    bench.run(0.5)
    assert refusal(bench, bench.permit(1, age_s=age_s, life_s=life_s)) == "bad_permit"


def test_a_permit_from_before_a_restart_is_refused() -> None:
    bench = Bench().set(presence=True)
    old = bench.permit(41)
    bench.state = start(bench.now + 0.5)
    bench.run(0.6)
    assert refusal(bench, old) == "before_start"


def test_nothing_is_permitted_until_everything_was_seen_for_a_while() -> None:
    bench = Bench(ready=False).set(presence=True)
    bench.run(1.0)
    assert refusal(bench, bench.permit(1)) == "fault:starting"


def test_three_seconds_without_the_host_allow_nothing_new_but_end_what_began() -> None:
    bench = Bench().open_for_vehicle()
    bench.host = False
    bench.run(3.5)
    assert "host_lost" in codes(bench)
    bench.drive_through()
    assert "lowering" in bench.kinds(4.2)
    bench.set(limit_open=False).run(1.0)
    bench.set(limit_closed=True, presence=True).run(1.0)
    assert refusal(bench, bench.permit(2)) == "fault:host_lost"
    bench.host = True
    bench.run(1.2)
    assert bench.offer(bench.permit(3))[0].kind == "permit_accepted"


def test_host_is_lost_after_three_seconds_and_not_before() -> None:
    bench = Bench()
    bench.host = False
    bench.run(2.9)
    assert codes(bench) == set()
    bench.run(0.2)
    assert codes(bench) == {"host_lost"}


def test_hold_keeps_shut_for_permits_but_not_for_fire() -> None:
    bench = Bench(EVERYTHING).set(presence=True)
    bench.hold = True
    bench.run(0.5)
    assert refusal(bench, bench.permit(1)) == "held"
    assert bench.state.held
    bench.set(fire=True).run(TICK_S)
    assert bench.outputs.open


@pytest.mark.parametrize("cause", ["fire", "manual_key"])
def test_fire_and_key_open_outrank_faults_and_stay_up_until_a_person_lowers(cause: InputName) -> None:
    bench = Bench(EVERYTHING).set(arm_torn=True)
    bench.host = False
    bench.run(4.0)
    bench.set(**{cause: True}).run(TICK_S)
    assert bench.outputs.open
    assert bench.phase() == "opening"
    bench.set(limit_closed=False).run(1.0)
    bench.set(limit_open=True).run(60.0)
    assert bench.phase() == "open"
    bench.host = True
    bench.set(**{cause: False, "arm_torn": False}).run(200.0)
    assert bench.phase() == "open", "nobody asked for it to come down"
    bench.tick(Requests(reset=True))
    bench.run(1.5)
    bench.tick(Requests(lower=True))
    assert bench.outputs.close


def test_fire_turns_a_lowering_boom_round_and_no_wish_lowers_it() -> None:
    bench = Bench(EVERYTHING).open_for_vehicle().drive_through()
    assert "lowering" in bench.kinds(4.2)
    bench.set(limit_open=False).run(0.5)
    bench.set(fire=True).run(TICK_S)
    assert bench.outputs.open
    bench.set(limit_open=True).run(5.0)
    notices = bench.tick(Requests(lower=True, stop=True))
    assert [(n.kind, n.code) for n in notices] == [("lower_refused", "stopped")]
    assert not bench.outputs.stop, "stop does not outrank fire"
    assert bench.tick(Requests(lower=True))[0].code == "fire"


def test_fire_asks_again_for_as_long_as_the_boom_is_not_seen_to_be_up() -> None:
    bench = Bench(EVERYTHING).set(fire=True)
    bench.run(10.0)
    opens = [at_s for at_s, name in bench.pulses if name == "open"]
    assert len(opens) >= 4
    assert all(later - earlier <= 2.6 for earlier, later in pairwise(opens))


def test_key_hands_off_means_that_nothing_is_driven() -> None:
    bench = Bench(BarrierSettings(inputs=ALL, manual_key="hands_off")).set(manual_key=True, presence=True)
    bench.run(5.0)
    assert bench.pulses == []
    assert refusal(bench, bench.permit(1)) == "manual_key"
    bench.set(fire=True).run(TICK_S)
    assert bench.outputs.open, "fire opens all the same"


def test_stop_stops_and_nothing_moves_by_itself_after_it() -> None:
    bench = Bench().set(presence=True)
    bench.run(0.5)
    bench.offer(bench.permit(1))
    bench.set(limit_closed=False).run(0.5)
    assert bench.tick(Requests(stop=True))[0].kind == "stopped"
    assert bench.outputs == Outputs(stop=True)
    bench.pulses.clear()
    bench.set(presence=False).run(200.0)
    assert bench.pulses == []
    bench.set(presence=True).run(0.5)
    assert bench.offer(bench.permit(2))[0].kind == "permit_accepted"


@pytest.mark.parametrize("name", ["safety_loop", "photocell", "safety_edge"])
@pytest.mark.parametrize("value", [True, None])
def test_an_obstruction_or_an_unknown_turns_a_lowering_boom_round_at_once(name: InputName, value: bool | None) -> None:
    bench = Bench(EVERYTHING).open_for_vehicle().drive_through()
    assert "lowering" in bench.kinds(4.2)
    bench.set(limit_open=False).run(0.5)
    notices = bench.set(**{name: value}).run(TICK_S)
    assert ("reopened", "obstructed") in [(n.kind, n.code) for n in notices]
    assert bench.outputs.open


def test_stale_inputs_turn_a_lowering_boom_round() -> None:
    bench = Bench().open_for_vehicle().drive_through()
    assert "lowering" in bench.kinds(4.2)
    bench.set(limit_open=False).run(0.5)
    bench.alive = False
    assert "reopened" in bench.kinds(0.4)


def test_repeated_reversal_is_a_fault_for_a_person() -> None:
    bench = Bench().open_for_vehicle().drive_through()
    for _ in range(3):
        assert "lowering" in bench.kinds(4.5)
        bench.set(limit_open=False).run(0.5)
        assert "reopened" in bench.set(photocell=True).kinds(0.1)
        bench.run(0.8)
        bench.set(limit_open=True).run(1.0)
        bench.set(photocell=False)
    bench.pulses.clear()
    bench.run(300.0)
    assert codes(bench) == {"repeated_reversal"}
    assert bench.pulses == []
    bench.tick(Requests(reset=True))
    assert bench.kinds(30.0) == [], "a reset starts no motion"
    assert [n.kind for n in bench.tick(Requests(lower=True))] == ["lowering"]


def test_a_trailer_behind_a_gap_is_not_lowered_onto() -> None:
    bench = Bench().open_for_vehicle()
    bench.set(safety_loop=True, photocell=True).run(5.0)
    bench.set(safety_loop=False, photocell=False).run(3.9)  # the gap over a drawbar, under the arm
    assert bench.phase() == "open"
    bench.set(presence=False, safety_loop=True).run(3.0)
    bench.set(safety_loop=False)
    assert bench.kinds(3.9) == []
    assert bench.kinds(0.3) == ["through", "lowering"]


def test_a_vehicle_still_on_the_presence_loop_is_not_through_however_clear_the_lane_is() -> None:
    """With a loop alone under the arm, which a high chassis deceives."""
    bench = Bench(BarrierSettings(inputs=("presence", "safety_loop", "limit_open", "limit_closed"))).open_for_vehicle()
    bench.set(safety_loop=True).run(3.0)
    bench.set(safety_loop=False)
    notices = bench.run(140.0)
    assert [(n.kind, n.code) for n in notices] == [("still_open", "not_clear")]


def test_where_beam_and_loop_agree_the_next_one_closed_up_does_not_keep_the_boom_open() -> None:
    bench = Bench().open_for_vehicle()
    bench.set(safety_loop=True, photocell=True).run(2.0)
    bench.set(safety_loop=False, photocell=False)
    assert bench.kinds(3.9) == []
    assert bench.kinds(0.2) == ["through", "lowering"]


def test_a_short_vehicle_needs_only_the_short_clear_time() -> None:
    bench = Bench().open_for_vehicle()
    bench.set(presence=False, safety_loop=True).run(1.5)
    bench.set(safety_loop=False)
    assert bench.kinds(1.5) == []
    assert bench.kinds(0.1) == ["through", "lowering"]


def test_with_an_exit_loop_through_means_that_it_was_seen_there() -> None:
    bench = Bench(EVERYTHING).open_for_vehicle()
    bench.set(safety_loop=True).run(1.0)
    bench.set(safety_loop=False, presence=False)
    assert [(n.kind, n.code) for n in bench.run(3.0)] == [("left", "backed_out")]
    assert "through" not in bench.kinds(30.0)


def test_an_occupied_exit_loop_keeps_the_boom_up() -> None:
    bench = Bench(EVERYTHING).open_for_vehicle()
    bench.set(safety_loop=True).run(1.0)
    bench.set(presence=False, safety_loop=False, exit_loop=True)
    assert "lowering" not in bench.kinds(30.0)
    assert "lowering" in bench.set(exit_loop=False).kinds(4.5)


def test_a_second_arrival_before_the_first_is_clear_is_alarmed() -> None:
    bench = Bench().open_for_vehicle()
    bench.set(safety_loop=True).run(2.0)
    bench.set(presence=False).run(1.2)
    notices = bench.set(presence=True).run(0.3)
    assert [(n.kind, n.code) for n in notices] == [("arrived", ""), ("tailgate", "second_arrival")]
    assert bench.lit("siren")
    bench.run(5.0)
    assert not bench.lit("siren")
    bench.set(safety_loop=False)
    assert bench.kinds(3.9) == []
    assert bench.kinds(0.3) == ["through", "lowering"]


def test_a_second_vehicle_under_the_arm_is_alarmed_and_not_lowered_onto() -> None:
    bench = Bench().open_for_vehicle().drive_through()
    assert "lowering" in bench.kinds(4.2)
    bench.set(limit_open=False).run(0.3)
    kinds = bench.set(safety_loop=True).kinds(TICK_S)
    assert kinds[:2] == ["tailgate", "reopened"]
    bench.run(0.3)
    bench.set(limit_open=True).run(1.5)
    bench.set(safety_loop=False)
    notices = bench.run(4.5)
    assert ("through", "tailgater") in [(n.kind, n.code) for n in notices]


def test_open_and_nobody_comes_lowers_after_its_time_and_only_if_clear() -> None:
    bench = Bench(BarrierSettings(needs_vehicle=False))
    bench.offer(bench.permit(1))
    bench.set(limit_closed=False).run(1.0)
    bench.set(limit_open=True, photocell=None).run(30.0)
    assert bench.phase() == "open"
    bench.set(photocell=False)
    assert "lowering" not in bench.kinds(3.9)
    assert [(n.kind, n.code) for n in bench.run(2.0) if n.kind == "lowering"] == [("lowering", "nobody_passed")]


def test_open_and_nobody_passes_waits_its_time_in_a_clear_lane() -> None:
    bench = Bench(BarrierSettings(needs_vehicle=False))
    bench.offer(bench.permit(1))
    bench.set(limit_closed=False).run(1.0)
    bench.set(limit_open=True)
    assert bench.kinds(19.8) == ["opened"]
    assert bench.kinds(0.5) == ["lowering"]


def test_a_vehicle_that_does_not_move_is_told_and_never_lowered_before() -> None:
    bench = Bench().open_for_vehicle()
    notices = bench.run(200.0)
    assert [(n.kind, n.code) for n in notices] == [("still_open", "nobody_passed")]
    assert bench.phase() == "open"


def test_a_vehicle_that_leaves_is_told_and_the_boom_comes_down() -> None:
    bench = Bench().open_for_vehicle()
    bench.set(presence=False)
    assert bench.kinds(0.9) == []
    assert bench.kinds(0.2) == ["left", "lowering"]


def test_a_vehicle_that_leaves_before_any_permit_is_told() -> None:
    bench = Bench().set(presence=True)
    assert bench.kinds(0.3) == ["arrived"]
    assert bench.set(presence=False).kinds(1.2) == ["left"]


def test_without_a_vehicle_there_is_no_opening_unless_the_settings_say_so() -> None:
    bench = Bench()
    assert refusal(bench, bench.permit(1)) == "no_vehicle"


def test_no_limit_in_time_is_not_opened_with_a_code_and_the_drive_is_stopped() -> None:
    bench = Bench().set(presence=True)
    bench.run(0.5)
    bench.offer(bench.permit(5))
    notices = bench.set(limit_closed=False).run(8.2)
    assert [(n.kind, n.serial, n.code) for n in notices] == [("not_opened", 5, "no_limit"), ("fault", 5, "not_opened")]
    assert [name for _, name in bench.pulses] == ["open", "stop"]
    assert refusal(bench, bench.permit(6)) == "fault:not_opened"
    assert bench.set(limit_open=True).kinds(0.2)[0] == "opened"
    assert "fault_cleared" in bench.kinds(1.0)


def test_a_jam_at_the_bottom_says_so() -> None:
    bench = Bench().set(presence=True)
    bench.run(0.5)
    bench.offer(bench.permit(5))
    notices = bench.run(8.5)
    assert ("not_opened", "still_closed") in [(n.kind, n.code) for n in notices]
    assert ("closed", "late") in [(n.kind, n.code) for n in notices]


def test_not_closed_in_time_is_a_fault_and_the_drive_is_stopped() -> None:
    bench = Bench().open_for_vehicle().drive_through()
    assert "lowering" in bench.kinds(4.2)
    kinds = bench.set(limit_open=False).kinds(8.2)
    assert kinds == ["not_closed", "fault"]
    assert bench.pulses[-1][1] == "stop"


def test_a_controller_that_reverses_by_itself_is_followed() -> None:
    bench = Bench().open_for_vehicle().drive_through()
    assert "lowering" in bench.kinds(4.2)
    bench.set(limit_open=False).run(1.0)
    notices = bench.set(limit_open=True).run(0.3)
    assert ("reopened", "controller") in [(n.kind, n.code) for n in notices]
    assert bench.phase() == "open"
    assert bench.kinds(60.0) == [], "it felt something that the inputs do not show: a person looks first"


def test_a_torn_arm_is_permanent_until_reset_and_repaired() -> None:
    bench = Bench(EVERYTHING).set(arm_torn=True, presence=True)
    bench.run(0.5)
    assert refusal(bench, bench.permit(1)) == "fault:arm_torn"
    bench.tick(Requests(reset=True))
    assert codes(bench) == {"arm_torn"}, "no reset while it is torn"
    bench.set(arm_torn=False).run(10.0)
    assert codes(bench) == {"arm_torn"}, "no repair without a reset"
    bench.tick(Requests(reset=True))
    assert codes(bench) == set()


def test_both_limits_at_once_are_a_permanent_fault_and_say_nothing_of_the_boom() -> None:
    bench = Bench().set(limit_open=True)
    bench.run(0.5)
    assert codes(bench) == {"both_limits"}
    assert bench.phase() == "closed"


@pytest.mark.parametrize(("name", "value", "code"), [("tamper", True, "tamper"), ("mains_ok", False, "mains_lost")])
def test_tamper_and_mains_pass_with_their_cause(name: InputName, value: bool, code: str) -> None:
    bench = Bench(EVERYTHING).set(presence=True, **{name: value})
    bench.run(0.5)
    assert refusal(bench, bench.permit(1)) == f"fault:{code}"
    bench.set(**{name: not value}).run(1.2)
    assert bench.offer(bench.permit(2))[0].kind == "permit_accepted"


@pytest.mark.parametrize("name", ALL)
def test_an_unknown_input_is_a_fault_while_it_lasts(name: InputName) -> None:
    bench = Bench(EVERYTHING).set(presence=True)
    bench.run(0.5)
    bench.set(**{name: None}).run(0.2)
    assert codes(bench) == {f"input_unknown:{name}"}
    assert refusal(bench, bench.permit(1)) == f"fault:input_unknown:{name}"


def test_an_input_that_does_not_exist_is_not_missed() -> None:
    bench = Bench(BarrierSettings(inputs=("safety_loop",))).set(**dict.fromkeys(set(ALL) - {"safety_loop"}, None))
    bench.run(5.0)
    assert codes(bench) == set()


def test_a_lost_board_ends_what_may_happen_by_itself() -> None:
    bench = Bench().open_for_vehicle().drive_through()
    bench.tick(Requests(trouble=("board_lost",)))
    bench.pulses.clear()
    bench.run(100.0)
    assert bench.pulses == []
    bench.tick(Requests(lower=True))
    assert bench.outputs.close


def test_a_boom_that_rises_unasked_is_alarmed() -> None:
    bench = Bench().set(limit_closed=False)
    assert [(n.kind, n.code) for n in bench.run(0.3)] == [("opened_unasked", "moving")]
    assert bench.lit("siren")


def test_a_loop_that_never_changes_in_many_passages_is_stuck() -> None:
    settings = BarrierSettings(stuck_after=3)
    bench = Bench(settings)
    for serial in range(1, 4):
        bench.open_for_vehicle(serial)
        bench.set(safety_loop=True).run(1.0)  # the photocell never does anything
        bench.set(presence=False).run(1.0)
        bench.set(safety_loop=False).run(2.0)
        bench.set(limit_open=False).run(1.0)
        bench.set(limit_closed=True).run(1.0)
    assert codes(bench) == {"input_stuck:photocell"}
    bench.tick(Requests(reset=True))
    bench.run(0.2)
    assert codes(bench) == set()


def test_the_controller_closes_and_is_never_told_to() -> None:
    bench = Bench(BarrierSettings(closes_by="controller")).open_for_vehicle().drive_through()
    assert bench.kinds(10.0) == ["through"]
    assert [(n.kind, n.code) for n in bench.set(limit_open=False).run(0.2)] == [("lowering", "controller")]
    assert bench.set(limit_closed=True).kinds(0.3) == ["closed"]
    assert bench.tick(Requests(lower=True))[0].kind == "lower_refused"
    assert [name for _, name in bench.pulses] == ["open"]


def test_a_controller_that_lowers_onto_something_is_turned_round() -> None:
    bench = Bench(BarrierSettings(closes_by="controller")).open_for_vehicle()
    bench.set(safety_loop=True, limit_open=False).run(0.2)
    assert [name for _, name in bench.pulses] == ["open", "open"]


def test_without_limits_nothing_is_called_opened_and_the_boom_still_comes_down_behind_the_vehicle() -> None:
    bench = Bench(BarrierSettings(inputs=("presence", "safety_loop", "photocell"))).set(presence=True)
    bench.run(0.5)
    bench.offer(bench.permit(1))
    assert bench.kinds(6.2) == ["assumed_open"]
    bench.drive_through()
    assert bench.kinds(4.2) == ["through", "lowering"]
    assert bench.kinds(6.2) == ["assumed_closed"]


def test_without_anything_under_the_arm_it_opens_and_never_lowers() -> None:
    bench = Bench(BarrierSettings(inputs=(), closes_by="controller"))
    assert bench.offer(bench.permit(1))[0].kind == "permit_accepted"
    notices = bench.run(40.0)
    assert [(n.kind, n.code) for n in notices] == [("assumed_open", ""), ("still_open", "unseen")]
    assert bench.offer(bench.permit(2))[0].kind == "permit_accepted"
    assert [name for _, name in bench.pulses] == ["open", "open"]


def test_green_shows_only_to_the_vehicle_that_may_go() -> None:
    bench = Bench().open_for_vehicle()
    assert bench.outputs.green
    bench.set(safety_loop=True).run(TICK_S)
    assert not bench.outputs.green


def test_a_permit_is_taken_while_the_boom_comes_down_for_the_next_vehicle() -> None:
    bench = Bench().open_for_vehicle().drive_through()
    assert "lowering" in bench.kinds(4.2)
    bench.set(limit_open=False, presence=True).run(0.5)
    assert bench.offer(bench.permit(2))[0].kind == "permit_accepted"
    assert bench.phase() == "opening"


@pytest.mark.parametrize(
    ("phase", "cause", "outputs", "allowed"),
    [
        ("opening", "permit", Outputs(open=True), True),
        ("opening", "none", Outputs(open=True), False),
        ("closed", "permit", Outputs(open=True), False),
        ("opening", "permit", Outputs(open=True, close=True), False),
        ("lowering", "permit", Outputs(close=True), True),
        ("open", "permit", Outputs(close=True), False),
        ("lowering", "permit", Outputs(open=True, close=True), False),
    ],
)
def test_the_last_gate_by_itself(phase: str, cause: str, outputs: Outputs, allowed: bool) -> None:
    state = start(0.0)
    state = type(state)(started_s=0.0, phase=phase, cause=cause, expires_s=101.0)  # type: ignore[arg-type]
    clear = Inputs(100.0, safety_loop=False, photocell=False, limit_open=True, limit_closed=False, presence=False)
    checked = recheck(outputs, clear, state, 100.1, BarrierSettings())
    assert (checked.open or checked.close) is allowed


@pytest.mark.parametrize(
    "inputs",
    [
        Inputs(100.0, safety_loop=True, photocell=False),
        Inputs(100.0, safety_loop=False, photocell=None),
        Inputs(99.0, safety_loop=False, photocell=False),
        Inputs(100.2, safety_loop=False, photocell=False),
        Inputs(100.0, safety_loop=False, photocell=False, fire=True),
        Inputs(100.0, safety_loop=False, photocell=False, manual_key=True),
    ],
)
def test_the_last_gate_lets_no_arm_down_onto_what_it_does_not_know(inputs: Inputs) -> None:
    settings = BarrierSettings(inputs=("safety_loop", "photocell", "fire", "manual_key"))
    state = type(start(0.0))(started_s=0.0, phase="lowering")
    assert recheck(Outputs(close=True, siren=True), inputs, state, 100.1, settings) == Outputs(siren=True)


def test_the_last_gate_knows_an_expired_permit_and_a_running_pulse() -> None:
    state = type(start(0.0))(started_s=0.0, phase="opening", cause="permit", expires_s=100.0)
    assert not recheck(Outputs(open=True), Inputs(100.0), state, 100.1, BarrierSettings()).open
    state = type(state)(started_s=0.0, phase="lowering", pulse_ends_s=100.2)
    clear = Inputs(100.1, safety_loop=False, photocell=False)
    assert not recheck(Outputs(close=True), clear, state, 100.1, BarrierSettings()).close


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"permit_max_s": 3.0, "settle_s": 3.0}, "permit_max_s"),
        ({"host_timeout_s": 4.0}, "host_timeout_s"),
        ({"settle_s": 1.0}, "settle_s"),
        ({"large_clear_s": 1.0}, "large_clear_s"),
        ({"min_clear_s": 0.0}, "min_clear_s"),
        ({"stale_s": float("nan")}, "stale_s"),
        ({"pulse_s": 2.5}, "pulse_s"),
        ({"inputs": ("presence",)}, "closes_by"),
        ({"inputs": ("photocell", "photocell")}, "inputs"),
        ({"max_reversals": 0}, "max_reversals"),
    ],
)
def test_settings_that_contradict_themselves_name_their_key(change: dict[str, object], key: str) -> None:
    (fault,) = BarrierSettings(**change).faults()  # type: ignore[arg-type]
    assert fault.startswith(key)
