"""Whole passages with random vehicles and faults, in simulated time: no harm, and every vehicle has an end."""

from __future__ import annotations

import pytest

from firmware_io.safety import BarrierSettings, Permit
from firmware_io.sim_traffic import Gap, SimVehicle
from firmware_io.sim_world import World
from tests.boom.bench import PLAIN
from tests.harness.sim.passages import run_passages
from tests.harness.sim.rig import TICK_S, Rig


@pytest.mark.slow
def test_random_passages_do_no_harm_and_all_come_to_an_end() -> None:
    figures = run_passages(40, seed=11)
    harm = {name: figures[name] for name in ("lowered_onto_something", "opened_without_permit", "opened_twice")}
    assert harm == {"lowered_onto_something": 0, "opened_without_permit": 0, "opened_twice": 0}
    reasons = figures["reasons"]
    assert isinstance(reasons, dict)
    assert set(reasons) & {"patience", "", "passed_unseen"} == set(), "ended without a reason"
    assert figures["through"] == 40 - sum(reasons.values())
    assert isinstance(figures["through"], int)
    assert figures["through"] >= 20, "most vehicles get through, faults or not"


def test_the_same_seed_gives_the_same_run() -> None:
    assert run_passages(4, seed=5) == run_passages(4, seed=5)


def ready_rig(settings: BarrierSettings | None = None) -> Rig:
    rig = Rig(settings or PLAIN, seed=0)
    while rig.state.faults or rig.state.phase != "closed":
        rig.tick()
    return rig


def run_until(rig: Rig, kind: str, within_s: float = 120.0) -> None:
    for _ in range(int(within_s / TICK_S)):
        if any(notice.kind == kind for notice in rig.tick()):
            return
    raise AssertionError(f"no {kind} within {within_s} s")


def pass_one(rig: Rig, vehicle: SimVehicle, serial: int = 1) -> None:
    rig.world.arrive(vehicle)
    run_until(rig, "arrived")
    rig.ask(permits=(Permit(serial, rig.now_s, rig.now_s + 2.0),))
    run_until(rig, "closed")


@pytest.mark.parametrize(
    "vehicle",
    [
        SimVehicle("van", 4.5, 4.0),
        SimVehicle("semi-trailer", 17.0, 1.0, gaps=(Gap(4.0, 5.0),)),
        SimVehicle("drawbar trailer", 18.0, 1.2, gaps=(Gap(9.0, 1.8, see_through=True),)),
        SimVehicle("stops half-way", 17.0, 2.0, gaps=(Gap(4.0, 5.0),), pause=(6.0, 60.0)),
    ],
    ids=lambda vehicle: vehicle.name,
)
def test_vehicles_of_all_kinds_pass_untouched(vehicle: SimVehicle) -> None:
    rig = ready_rig()
    pass_one(rig, vehicle)
    counters = rig.world.state().counters
    assert (counters.openings, counters.passed, counters.lowered_onto_something) == (1, 1, 0)


def test_a_tailgater_is_alarmed_and_not_hit() -> None:
    rig = ready_rig()
    rig.world.arrive(SimVehicle("truck", 12.0, 2.0))
    rig.world.arrive(SimVehicle("tailgater", 5.0, 2.0, 0.1, follows_m=8.0, tailgates=True))
    run_until(rig, "arrived")
    rig.ask(permits=(Permit(1, rig.now_s, rig.now_s + 2.0),))
    run_until(rig, "tailgate")
    run_until(rig, "closed")
    counters = rig.world.state().counters
    assert (counters.openings, counters.passed, counters.lowered_onto_something) == (1, 2, 0)


def test_an_honest_second_driver_waits_for_his_own_opening() -> None:
    rig = ready_rig()
    rig.world.arrive(SimVehicle("first", 10.0, 2.0))
    rig.world.arrive(SimVehicle("second", 10.0, 2.0))
    run_until(rig, "arrived")
    rig.ask(permits=(Permit(1, rig.now_s, rig.now_s + 2.0),))
    run_until(rig, "closed")
    state = rig.world.state()
    assert state.counters.passed == 1
    assert [(v.name, v.phase) for v in state.vehicles] == [("second", "standing")]
    rig.ask(permits=(Permit(2, rig.now_s, rig.now_s + 2.0),))
    run_until(rig, "closed")
    assert rig.world.state().counters.passed == 2


def test_the_world_counts_a_hit_and_an_opening_by_hand() -> None:
    """The witness is checked: a boom lowered onto a person and one lifted by hand are both seen."""
    world = World()
    world.set_relay("open", True)
    world.advance(3.0)
    assert world.state().boom_position == 1.0
    world.set_relay("open", False)
    world.knobs.person_under_arm = True
    world.set_relay("close", True)
    world.advance(3.0)
    assert world.state().counters.lowered_onto_something == 1
    world.set_relay("close", False)
    world.knobs.by_hand = True
    world.advance(1.0)
    counters = world.state().counters
    assert (counters.openings, counters.opened_without_command) == (2, 1)


def test_open_and_close_energised_together_stop_the_simulated_motor() -> None:
    world = World()
    world.set_relay("open", True)
    world.advance(0.5)
    world.set_relay("close", True)
    assert world.state().motor == "off"


def test_a_vehicle_reverses_out() -> None:
    world = World()
    world.arrive(SimVehicle())
    world.advance(10.0)
    state = world.state()
    assert state.vehicle is not None
    assert state.vehicle.phase == "standing"
    assert world.inputs()["presence"]
    world.leave()
    world.advance(10.0)
    assert world.state().vehicle is None
    assert not world.inputs()["presence"]
    assert world.state().counters.passed == 0
