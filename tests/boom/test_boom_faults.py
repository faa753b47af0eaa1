"""The safety gate: faults, hardware that lacks something, and the last gate by itself. Ticks check the invariants."""

from __future__ import annotations

import pytest

from firmware_io.safety import BarrierSettings, Inputs, Outputs, Requests, recheck, start
from firmware_io.terms import InputName
from tests.boom.bench import ALL, EVERYTHING, Bench, codes, refusal


@pytest.mark.slow
def test_repeated_reversal_is_a_fault_for_a_person() -> None:
    bench = Bench().open_for_vehicle().drive_through()
    for _ in range(3):
        assert "lowering" in bench.kinds(4.5)
        bench.set(limit_open=False).run(0.5)
        assert "reopening" in bench.set(photocell=True).kinds(0.1)
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
    bench.set(**{name: None}).run(0.3)
    assert codes(bench) == set(), "the two contacts of a pair may change one after the other"
    assert refusal(bench, bench.permit(1)) == f"fault:input_unknown:{name}", "but nothing is permitted meanwhile"
    bench.run(0.1)
    assert codes(bench) == {f"input_unknown:{name}"}
    assert refusal(bench, bench.permit(2)) == f"fault:input_unknown:{name}"


def test_an_input_that_does_not_exist_is_not_missed() -> None:
    bench = Bench(BarrierSettings(skeletal=False, inputs=("safety_loop",))).set(
        **dict.fromkeys(set(ALL) - {"safety_loop"}, None)
    )
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


def test_a_photocell_that_failed_clear_lets_no_arm_down_and_is_told_at_its_first_passage() -> None:
    """The one sensor that is left may not see a gap: it does not come down by itself, and a person may lower it."""
    bench = Bench()
    for serial in (1, 2):
        bench.open_for_vehicle(serial)
        bench.set(safety_loop=True).run(1.0)  # the photocell never does anything
        bench.set(presence=False).run(1.0)
        notices = bench.set(safety_loop=False).run(200.0)
        told = [(n.kind, n.code) for n in notices if n.kind not in ("fault", "fault_cleared")]
        assert told == [("through", ""), ("unproven", "photocell"), ("still_open", "unproven")]
        assert bench.pulses[-1][1] == "open"
        assert [n.kind for n in bench.tick(Requests(lower=True))] == ["lowering"]
        bench.set(limit_open=False).run(1.5)
        bench.set(limit_closed=True).run(1.0)
    assert codes(bench) == {"input_unproven:photocell"}
    bench.open_for_vehicle(3).drive_through()
    bench.run(5.0)
    assert bench.phase() == "lowering", "it has proven itself again"
    assert codes(bench) == set()


@pytest.mark.slow
@pytest.mark.parametrize("inputs", [("safety_loop",), ("safety_loop", "photocell")])
def test_sensors_that_all_failed_clear_lower_on_none_of_30_trucks(inputs: tuple[InputName, ...]) -> None:
    """Two on one supply, or the only one there is: nothing under the arm is ever seen. Each truck stays for 20 s."""
    bench = Bench(BarrierSettings(inputs=("presence", *inputs, "limit_open", "limit_closed")))
    for serial in range(1, 31):
        bench.open_for_vehicle(serial)
        count = len(bench.pulses)
        bench.set(presence=False).run(20.0)
        assert len(bench.pulses) == count, "lowered onto a truck that nobody saw go"
        bench.run(30.0)
        assert (len(bench.pulses) == count) is (serial >= 2), "after two it waits for a person"
        if serial >= 2:
            assert codes(bench) == {f"input_unproven:{name}" for name in inputs}
            bench.tick(Requests(lower=True))
        bench.set(limit_open=False).run(1.5)
        bench.set(limit_closed=True).run(1.0)
        assert bench.phase() == "closed"
    assert sum(n.kind == "unproven" for n in bench.notices) == 30 * len(inputs)


def test_a_presence_loop_that_never_changes_in_many_passages_is_stuck() -> None:
    bench = Bench(BarrierSettings(skeletal=False, stuck_after=3, needs_vehicle=False)).set(presence=True)
    for serial in range(1, 4):
        bench.offer(bench.permit(serial))
        bench.set(limit_closed=False).run(1.0)
        bench.set(limit_open=True).run(0.5)
        bench.set(safety_loop=True, photocell=True).run(1.0)
        bench.set(safety_loop=False, photocell=False).run(4.2)
        bench.set(limit_open=False).run(1.5)
        bench.set(limit_closed=True).run(1.0)
    assert codes(bench) == {"input_stuck:presence"}
    bench.tick(Requests(reset=True))
    bench.run(0.2)
    assert codes(bench) == set()


def test_the_controller_closes_and_is_never_told_to() -> None:
    bench = Bench(BarrierSettings(skeletal=False, closes_by="controller")).open_for_vehicle().drive_through()
    assert bench.kinds(10.0) == ["through"]
    assert [(n.kind, n.code) for n in bench.set(limit_open=False).run(0.2)] == [("lowering", "controller")]
    assert bench.set(limit_closed=True).kinds(0.3) == ["closed"]
    assert bench.tick(Requests(lower=True))[0].kind == "lower_refused"
    assert [name for _, name in bench.pulses] == ["open"]


def test_a_controller_that_lowers_onto_something_is_turned_round() -> None:
    bench = Bench(BarrierSettings(skeletal=False, closes_by="controller")).open_for_vehicle()
    bench.set(safety_loop=True, limit_open=False).run(0.2)
    assert [name for _, name in bench.pulses] == ["open", "open"]


def test_without_limits_nothing_is_called_opened_and_the_boom_still_comes_down_behind_the_vehicle() -> None:
    bench = Bench(BarrierSettings(skeletal=False, inputs=("presence", "safety_loop", "photocell"))).set(presence=True)
    bench.run(0.5)
    bench.offer(bench.permit(1))
    assert bench.kinds(6.2) == ["assumed_open"]
    bench.drive_through()
    assert bench.kinds(4.2) == ["through", "lowering"]
    assert bench.kinds(6.2) == ["assumed_closed"]


def test_without_anything_under_the_arm_it_opens_and_never_lowers() -> None:
    bench = Bench(BarrierSettings(skeletal=False, inputs=(), closes_by="controller"))
    assert bench.offer(bench.permit(1))[0].kind == "permit_accepted"
    notices = bench.run(40.0)
    assert [(n.kind, n.code) for n in notices] == [("assumed_open", ""), ("still_open", "unseen")]
    assert bench.offer(bench.permit(2))[0].kind == "permit_accepted"
    assert [name for _, name in bench.pulses] == ["open", "open"]


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
        ({"large_clear_s": 2.0, "min_clear_s": 3.0}, "large_clear_s"),
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


def test_without_limits_a_boom_that_we_close_stays_known_to_be_open() -> None:
    bench = Bench(BarrierSettings(skeletal=False, inputs=("presence", "safety_loop", "photocell"))).set(presence=True)
    bench.run(0.5)
    bench.offer(bench.permit(1))
    notices = bench.run(40.0)
    assert [(n.kind, n.code) for n in notices] == [("assumed_open", ""), ("still_open", "nobody_passed")]
    assert bench.phase() == "open"
