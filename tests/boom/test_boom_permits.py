"""The safety gate: what a permit is worth, and when. Every tick of the bench also checks the invariants."""

from __future__ import annotations

from dataclasses import replace

import pytest

from firmware_io.safety import Inputs, Outputs, Permit, Requests, recheck, start
from tests.boom.bench import EVERYTHING, TICK_S, Bench, codes, refusal


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
    bench.set(fire=True).run(2 * TICK_S)
    assert bench.outputs.open


def test_a_vehicle_that_leaves_before_any_permit_is_told() -> None:
    bench = Bench().set(presence=True)
    assert bench.kinds(0.3) == ["arrived"]
    assert bench.set(presence=False).kinds(1.2) == ["left"]


def test_without_a_vehicle_there_is_no_opening_unless_the_settings_say_so() -> None:
    bench = Bench()
    assert refusal(bench, bench.permit(1)) == "no_vehicle"


def test_a_permit_is_taken_while_the_boom_comes_down_for_the_next_vehicle() -> None:
    bench = Bench().open_for_vehicle().drive_through()
    assert "lowering" in bench.kinds(4.2)
    bench.set(limit_open=False, presence=True).run(0.5)
    assert bench.offer(bench.permit(2))[0].kind == "permit_accepted"
    assert bench.phase() == "opening"


def test_the_sign_tells_whoever_waits_to_wait_until_green_tells_him_to_go() -> None:
    bench = Bench()
    assert not bench.lit("sign")
    bench.set(presence=True).run(0.5)
    assert bench.lit("sign")
    bench.open_for_vehicle()
    assert (bench.lit("sign"), bench.lit("green")) == (False, True)
    bench.set(photocell=True).run(0.5)
    assert (bench.lit("sign"), bench.lit("green")) == (True, False), "what stands on the loop now is the next one"
    bench.set(presence=False).run(1.5)
    assert not bench.lit("sign")


def test_a_permit_may_live_its_whole_life_and_be_of_the_very_moment_of_the_start() -> None:
    longest_s = 2.0 + 1e-6  # what adding 2.0 to a large monotonic time may lose
    assert Permit(1, 0.0, longest_s).flaw(last_serial=0, started_s=0.0, now_s=0.0, permit_max_s=2.0) == ""
    assert Permit(1, 0.0, 2.1).flaw(0, 0.0, 0.0, 2.0) == "bad_permit"
    assert Permit(1, 0.0, 2.0).flaw(0, 0.1, 0.2, 2.0) == "before_start"


# ---------------------------------------------------------------- in an emergency


def raised(bench: Bench, serial: int = 1) -> Bench:
    """Up in an emergency, seen by the limit switch."""
    assert [n.kind for n in bench.offer(bench.permit(serial, emergency=True))] == ["permit_accepted", "opening"]
    assert "opened" in [n.kind for n in bench.set(limit_closed=False, limit_open=True).run(1.0)]
    return bench


def test_in_an_emergency_it_opens_for_nobody_and_stays_up_until_a_person_lowers_it() -> None:
    bench = Bench()
    assert refusal(bench, bench.permit(1)) == "no_vehicle"
    raised(bench, 2)
    assert bench.state.cause == "emergency"
    bench.run(10 * bench.settings.open_unpassed_s)
    assert [name for _, name in bench.pulses] == ["open"]
    assert not bench.lit("green"), "nobody is told to drive"
    assert [n.kind for n in bench.tick(Requests(lower=True))] == ["lowering"]
    bench.set(limit_open=False).run(1.0)
    bench.set(limit_closed=True).run(1.0)
    assert (bench.phase(), bench.state.cause) == ("closed", "none")


def test_an_emergencys_boom_stays_up_behind_whoever_drives_through_and_ends_by_no_other_permit() -> None:
    bench = raised(Bench())
    bench.set(presence=True).run(0.5)
    assert refusal(bench, bench.permit(2)) == "busy", "one vehicle's permit would lower it behind that vehicle"
    assert "through" in [n.kind for n in bench.drive_through().run(60.0)]
    assert [name for _, name in bench.pulses] == ["open"]


def test_an_emergency_keeps_a_boom_up_that_was_up_for_a_vehicle() -> None:
    bench = Bench().open_for_vehicle(1)
    assert bench.offer(bench.permit(2, emergency=True))[0].kind == "permit_accepted"
    bench.drive_through().run(60.0)
    assert "close" not in [name for _, name in bench.pulses]


def test_an_emergency_while_it_rises_for_a_vehicle_is_not_made_to_wait() -> None:
    bench = Bench().set(presence=True)
    bench.run(0.5)
    bench.offer(bench.permit(1))
    assert bench.offer(bench.permit(2, emergency=True))[0].kind == "permit_accepted"


@pytest.mark.parametrize(
    ("values", "asked", "code"),
    [
        ({"tamper": True}, Requests(), "fault:tamper"),
        ({"manual_key": True}, Requests(), "manual_key"),
        ({}, Requests(stop=True), "stopped"),
    ],
)
def test_an_emergency_is_no_way_past_what_refuses_any_other_permit(
    values: dict[str, bool], asked: Requests, code: str
) -> None:
    bench = Bench(replace(EVERYTHING, manual_key="hands_off")).set(**values)
    bench.run(0.5)
    notices = bench.tick(replace(asked, permits=(bench.permit(1, emergency=True),)))
    assert ("permit_refused", code) in [(n.kind, n.code) for n in notices]
    bench.set(tamper=False, manual_key=False).run(3.0)
    bench.hold = True
    assert refusal(bench, bench.permit(2, emergency=True)) == "held"
    bench.hold = False
    assert refusal(bench, bench.permit(3, age_s=2.1, emergency=True)) == "expired"


def test_what_an_emergency_energises_is_rechecked_by_its_permits_time() -> None:
    bench = Bench()
    bench.offer(bench.permit(1, emergency=True))
    late = bench.state.expires_s + 0.1
    inputs = Inputs(late, **bench.values)
    assert not recheck(Outputs(open=True), inputs, bench.state, late, bench.settings).open
