"""The safety gate: fire, stop, obstruction, trailers, tailgaters, nobody. Every tick also checks the invariants."""

from __future__ import annotations

from itertools import pairwise

import pytest

from firmware_io.safety import BarrierSettings, Outputs, Requests
from firmware_io.terms import InputName
from tests.boom.bench import ALL, EVERYTHING, TICK_S, Bench, refusal


def test_a_whole_passage_opens_once_and_lowers_once_behind_the_vehicle() -> None:
    bench = Bench().open_for_vehicle().drive_through()
    assert [name for _, name in bench.pulses] == ["open"]
    assert bench.kinds(4.2) == ["through", "lowering"]
    bench.set(limit_open=False).run(1.0)
    assert bench.set(limit_closed=True).kinds(0.5) == ["closed"]
    assert [name for _, name in bench.pulses] == ["open", "close"]
    assert bench.state.serial == 0


@pytest.mark.parametrize("cause", ["fire", "manual_key"])
def test_fire_and_key_open_outrank_faults_and_stay_up_until_a_person_lowers(cause: InputName) -> None:
    bench = Bench(EVERYTHING).set(arm_torn=True)
    bench.host = False
    bench.run(4.0)
    bench.set(**{cause: True}).run(2 * TICK_S)
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
    bench.set(fire=True).run(2 * TICK_S)
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
    bench = Bench(BarrierSettings(skeletal=False, inputs=ALL, manual_key="hands_off")).set(
        manual_key=True, presence=True
    )
    bench.run(5.0)
    assert bench.pulses == []
    assert refusal(bench, bench.permit(1)) == "manual_key"
    bench.set(fire=True).run(2 * TICK_S)
    assert bench.outputs.open, "fire opens all the same"


def test_stop_stops_and_nothing_moves_by_itself_after_it() -> None:
    bench = Bench().set(presence=True)
    bench.run(0.5)
    bench.offer(bench.permit(1))
    bench.set(limit_closed=False).run(0.5)
    assert bench.tick(Requests(stop=True))[0].kind == "stopping"
    assert bench.outputs == Outputs(stop=True, sign=True)
    assert bench.kinds(TICK_S) == ["stopped"], "the board acknowledged it"
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
    assert ("reopening", "obstructed") in [(n.kind, n.code) for n in notices]
    assert bench.outputs.open


def test_stale_inputs_turn_a_lowering_boom_round() -> None:
    bench = Bench().open_for_vehicle().drive_through()
    assert "lowering" in bench.kinds(4.2)
    bench.set(limit_open=False).run(0.5)
    bench.alive = False
    assert "reopening" in bench.kinds(0.4)


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
    bench = Bench(
        BarrierSettings(skeletal=False, inputs=("presence", "safety_loop", "limit_open", "limit_closed"))
    ).open_for_vehicle()
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
    bench.set(presence=False, safety_loop=True, photocell=True).run(1.5)
    bench.set(safety_loop=False, photocell=False)
    assert bench.kinds(1.5) == []
    assert bench.kinds(0.1) == ["through", "lowering"]


def test_with_an_exit_loop_through_means_that_it_was_seen_there() -> None:
    bench = Bench(EVERYTHING).open_for_vehicle()
    bench.set(safety_loop=True).run(1.0)
    bench.set(safety_loop=False, presence=False)
    assert next((n.kind, n.code) for n in bench.run(3.0)) == ("left", "backed_out")
    assert "through" not in bench.kinds(30.0)


def test_an_occupied_exit_loop_keeps_the_boom_up() -> None:
    bench = Bench(EVERYTHING).open_for_vehicle()
    under = dict.fromkeys(("safety_loop", "photocell", "high_beam"), True)
    bench.set(**under).run(1.0)
    bench.set(**dict.fromkeys(under, False), presence=False, exit_loop=True)
    assert "lowering" not in bench.kinds(30.0)
    assert "lowering" in bench.set(exit_loop=False).kinds(4.5)


def test_one_that_closes_up_is_no_tailgater_before_he_is_under_the_arm() -> None:
    """It may be the axles of this one's trailer, or an honest driver."""
    bench = Bench().open_for_vehicle()
    bench.set(safety_loop=True, photocell=True).run(2.0)
    bench.set(presence=False).run(1.2)
    notices = bench.set(presence=True).run(0.3)
    assert [(n.kind, n.code) for n in notices] == [("arrived", "")]
    bench.run(5.0)
    bench.set(safety_loop=False, photocell=False)
    assert bench.kinds(3.9) == []
    assert bench.kinds(0.3) == ["through", "lowering"]


def test_a_second_vehicle_under_the_arm_is_alarmed_and_not_lowered_onto() -> None:
    bench = Bench().open_for_vehicle().drive_through()
    assert "lowering" in bench.kinds(4.2)
    bench.set(limit_open=False).run(0.3)
    kinds = bench.set(safety_loop=True).kinds(TICK_S)
    assert kinds[:2] == ["tailgate", "reopening"]
    bench.run(0.3)
    bench.set(limit_open=True).run(1.5)
    bench.set(safety_loop=False)
    notices = bench.run(4.5)
    assert ("through", "tailgater") in [(n.kind, n.code) for n in notices]


def test_open_and_nobody_comes_lowers_after_its_time_and_only_if_clear() -> None:
    bench = Bench(BarrierSettings(skeletal=False, needs_vehicle=False))
    bench.offer(bench.permit(1))
    bench.set(limit_closed=False).run(1.0)
    bench.set(limit_open=True, photocell=None).run(30.0)
    assert bench.phase() == "open"
    bench.set(photocell=False)
    assert "lowering" not in bench.kinds(29.9)
    assert [(n.kind, n.code) for n in bench.run(0.3) if n.kind == "lowering"] == [("lowering", "nobody_passed")]


def test_open_and_nobody_passes_waits_its_time_in_a_clear_lane() -> None:
    bench = Bench(BarrierSettings(skeletal=False, needs_vehicle=False))
    bench.offer(bench.permit(1))
    bench.set(limit_closed=False).run(1.0)
    bench.set(limit_open=True)
    assert bench.kinds(19.8) == ["opened"]
    assert bench.kinds(0.5) == ["unproven", "unproven", "still_open"]
    assert bench.kinds(9.0) == []
    assert bench.kinds(0.9) == ["lowering"]


def test_a_vehicle_that_does_not_move_is_told_and_never_lowered_before() -> None:
    bench = Bench().open_for_vehicle()
    notices = bench.run(200.0)
    assert [(n.kind, n.code) for n in notices] == [("still_open", "nobody_passed")]
    assert bench.phase() == "open"


def test_a_vehicle_that_leaves_is_told_and_the_boom_comes_down() -> None:
    bench = Bench().open_for_vehicle()
    bench.set(presence=False)
    assert bench.kinds(0.9) == []
    assert bench.kinds(0.2) == ["left", "unproven", "unproven"], "or nothing sees anything"
    assert "lowering" not in bench.kinds(28.7)
    assert bench.kinds(0.3) == ["lowering"]


def test_green_shows_only_to_the_vehicle_that_may_go() -> None:
    bench = Bench().open_for_vehicle()
    assert bench.outputs.green
    bench.set(safety_loop=True).run(TICK_S)
    assert not bench.outputs.green


def close(bench: Bench) -> Bench:
    """The lowering boom arrives at the bottom."""
    bench.set(limit_open=False).run(1.0)
    assert "closed" in bench.set(limit_closed=True).kinds(0.5)
    return bench


def test_the_next_vehicle_that_comes_up_behind_a_lowering_boom_is_no_tailgater() -> None:
    bench = Bench().open_for_vehicle().drive_through()
    assert "lowering" in bench.kinds(4.2)
    assert bench.set(presence=True).kinds(0.3) == ["arrived"]


def test_an_opening_remembers_nothing_of_the_one_before() -> None:
    bench = Bench().open_for_vehicle(1).drive_through()
    assert "lowering" in bench.kinds(4.2)
    close(bench).open_for_vehicle(2)
    assert bench.kinds(10.0) == [], "its vehicle has not moved yet"
    assert bench.set(safety_loop=True).kinds(1.0) == []
    bench.set(safety_loop=False, presence=False)
    assert [(n.kind, n.serial, n.code) for n in bench.run(1.7) if n.kind == "through"] == [("through", 2, "")]


def test_an_opening_after_one_whose_vehicle_left_waits_for_its_own() -> None:
    bench = Bench().open_for_vehicle(1).set(presence=False)
    assert bench.kinds(31.0)[-1] == "lowering"
    close(bench).open_for_vehicle(2)
    assert bench.kinds(10.0) == []


def test_a_permit_during_lowering_begins_anew() -> None:
    bench = Bench().open_for_vehicle(1).drive_through()
    assert "lowering" in bench.kinds(4.2)
    bench.set(limit_open=False, presence=True).run(0.5)
    bench.offer(bench.permit(2))
    bench.run(0.5)
    assert bench.set(limit_open=True).kinds(0.3) == ["opened"]
    assert bench.set(safety_loop=True).kinds(1.0) == [], "no tailgater: he has a permit"


def test_a_boom_lowered_just_after_it_came_up_is_not_taken_for_reversed() -> None:
    bench = Bench().open_for_vehicle()
    assert [n.kind for n in bench.tick(Requests(lower=True))] == ["lowering"]
    assert bench.kinds(0.4) == []


def test_an_obstruction_turns_it_round_even_as_its_time_runs_out() -> None:
    bench = Bench().open_for_vehicle().drive_through()
    assert "lowering" in bench.kinds(4.2)
    bench.set(limit_open=False)
    while bench.now - bench.state.since_s < bench.settings.close_timeout_s - 1.5 * TICK_S:
        bench.tick()
    bench.set(photocell=True).tick()
    assert bench.phase() == "opening"
    assert bench.pulses[-1][1] == "open"


def test_after_a_stop_while_open_only_a_person_lowers() -> None:
    bench = Bench().open_for_vehicle()
    bench.tick(Requests(stop=True))
    bench.drive_through()
    assert bench.kinds(30.0) == ["through"]
    assert [n.kind for n in bench.tick(Requests(lower=True))] == ["lowering"]


def test_a_lower_limit_that_comes_sooner_than_any_arm_can_be_down_is_not_believed() -> None:
    """Its cable rattles while the arm comes down: the descent stays ours, and who is under it turns it round."""
    bench = Bench().open_for_vehicle().drive_through()
    assert bench.kinds(4.2) == ["through", "lowering"]
    bench.set(limit_open=False, limit_closed=True).run(0.3)
    assert bench.phase() == "lowering"
    assert "reopening" in bench.set(photocell=True).kinds(0.2)
    assert [name for _, name in bench.pulses] == ["open", "close", "open"]


def test_a_lower_limit_in_due_time_ends_the_descent() -> None:
    bench = Bench().open_for_vehicle().drive_through()
    bench.run(4.2)
    bench.set(limit_open=False).run(0.6)
    assert "closed" in bench.set(limit_closed=True).kinds(0.3)
    bench.set(photocell=True).run(1.0)
    assert [name for _, name in bench.pulses] == ["open", "close"]
