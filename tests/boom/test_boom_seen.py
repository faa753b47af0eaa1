"""What strangers' boards and a boom without any protection of its own found: each fault once, on the simulated boom."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import pytest

from firmware_io.safety import BarrierSettings, Permit, memory
from firmware_io.sim_traffic import Gap, SimVehicle
from firmware_io.terms import InputName
from tests.harness.sim.rig import TICK_S, Rig

BASE: tuple[InputName, ...] = (
    "presence",
    "safety_loop",
    "photocell",
    "limit_open",
    "limit_closed",
    "fire",
    "manual_key",
)
FULL = BarrierSettings(inputs=(*BASE, "exit_loop"))


def ready(settings: BarrierSettings = FULL, *, can_stop: bool = True) -> Rig:
    rig = Rig(settings, seed=0, can_stop=can_stop)
    until(rig, lambda: rig.state.phase == "closed" and not rig.state.faults)
    return rig


def until(rig: Rig, is_so: Callable[[], bool], within_s: float = 90.0) -> None:
    for _ in range(int(within_s / TICK_S)):
        if is_so():
            return
        rig.tick()
    raise AssertionError(f"not within {within_s} s; phase {rig.state.phase}, faults {rig.state.faults}")


def run(rig: Rig, seconds: float) -> list[str]:
    """What was told meanwhile."""
    return [notice.kind for _ in range(round(seconds / TICK_S)) for notice in rig.tick()]


def permit(rig: Rig, serial: int = 1, *, emergency: bool = False) -> None:
    rig.ask(permits=(Permit(serial, rig.now_s, rig.now_s + 2.0, emergency),))
    rig.tick()


def passage(rig: Rig, vehicle: SimVehicle | None = None, serial: int = 1) -> None:
    """A vehicle comes and has its permit."""
    rig.world.arrive(vehicle or SimVehicle("truck", 8.0, 2.5))
    until(rig, lambda: rig.state.here)
    permit(rig, serial)


def coming_down(rig: Rig, at: float = 0.75, serial: int = 2) -> None:
    """A first passage, so that this arm's time is known; then a second one whose arm is at `at` of its way down."""
    passage(rig, serial=serial - 1)
    until(rig, lambda: rig.state.phase == "closed")
    passage(rig, serial=serial)
    until(rig, lambda: rig.state.phase == "lowering" and rig.world.state().boom_position <= at)
    rig.notices.clear()


def hits(rig: Rig) -> int:
    return rig.world.state().counters.lowered_onto_something


def kinds(rig: Rig) -> list[str]:
    return [notice.kind for notice in rig.notices]


# ------------------------------------------------------------ 1: silence while it comes down


@pytest.mark.parametrize("silent_s", [0.1, 0.25, 0.45, 0.7, 1.0])
def test_a_board_that_was_silent_is_told_to_open_as_soon_as_it_answers(silent_s: float) -> None:
    rig = ready()
    coming_down(rig, 0.9)
    rig.world.knobs.person_under_arm = True
    rig.board_ok = False
    run(rig, silent_s)
    assert rig.world.state().motor == "down", "nobody could tell it anything"
    assert "reopened" not in kinds(rig), "asked is not done"
    rig.board_ok = True
    rig.tick()
    rig.tick()
    low = rig.world.state().boom_position
    until(rig, lambda: rig.world.state().motor == "up", within_s=0.6)
    assert rig.world.state().boom_position <= low
    until(rig, lambda: rig.state.phase == "open", within_s=4.0)
    assert kinds(rig).index("reopening") < kinds(rig).index("reopened")


def test_a_restart_in_the_middle_of_a_descent_remembers_that_it_is_ours() -> None:
    rig = ready()
    coming_down(rig)
    rig.restart()
    rig.world.knobs.person_under_arm = True
    rig.tick()
    rig.tick()
    assert rig.world.state().motor == "up"
    run(rig, 4.0)
    assert hits(rig) == 0
    assert rig.state.phase == "open"


def test_a_start_that_remembers_nothing_moves_nothing() -> None:
    rig = ready()
    coming_down(rig)
    rig.restart(remembers=False)
    rig.world.knobs.person_under_arm = True
    run(rig, 0.5)
    assert rig.world.state().motor == "down", "start means observe"


# ------------------------------------------------------------ 4, 5: STOP and key


@pytest.mark.parametrize("how", ["unwired", "ignored"])
def test_a_stop_that_stops_nothing_drops_no_supervision(how: str) -> None:
    rig = ready(can_stop=how != "unwired")
    coming_down(rig)
    rig.world.knobs.ignores = {"stop"} if how == "ignored" else set()
    rig.ask(stop=True)
    rig.tick()
    rig.world.knobs.person_under_arm = True
    run(rig, 6.0)
    assert hits(rig) == 0
    assert rig.world.state().boom_position == 1.0
    assert ("stopped" in kinds(rig)) is (how == "ignored"), "stopped is what the board acknowledged"


@pytest.mark.parametrize("can_stop", [True, False])
def test_a_key_that_says_hands_off_ends_a_descent(can_stop: bool) -> None:
    rig = ready(replace(FULL, manual_key="hands_off"), can_stop=can_stop)
    coming_down(rig)
    rig.world.knobs.set["manual_key"] = True
    run(rig, 0.2)
    assert rig.world.state().motor == ("off" if can_stop else "up"), (
        "stopped, or turned round where nothing could stop it"
    )
    run(rig, 20.0)
    assert rig.world.state().boom_position > 0.5


# ------------------------------------------------------------ 6: a reversal asks until the limit says up


def test_a_reversal_whose_first_pulse_is_lost_is_asked_for_every_half_second() -> None:
    rig = ready()
    coming_down(rig, 0.9)
    rig.world.knobs.ignores = {"open"}
    rig.world.knobs.person_under_arm = True
    asked: list[float] = []
    for _ in range(int(1.4 / TICK_S)):
        was = "open" in rig.world.state().relays
        rig.tick()
        if "open" in rig.world.state().relays and not was:
            asked.append(rig.now_s)
    assert len(asked) == 3
    assert all(0.45 <= later - sooner <= 0.55 for sooner, later in pairwise(asked))
    rig.world.knobs.ignores = set()
    until(rig, lambda: rig.world.state().motor == "up", within_s=0.6)


# ------------------------------------------------------------ 7: a rattling cable


@pytest.mark.parametrize("name", ["limit_open", "limit_closed"])
@pytest.mark.parametrize("held", [True, False])
def test_a_rattling_limit_cable_opens_no_closed_boom(name: InputName, held: bool) -> None:
    rig = ready()
    passage(rig)
    until(rig, lambda: rig.state.phase == "closed")
    rig.ask(hold=held)
    rig.host_ok = not held
    rig.world.knobs.person_under_arm = True
    for number in range(60):
        other: InputName = "limit_open" if name == "limit_closed" else "limit_closed"
        rig.world.knobs.stuck = {name: number % 2 == 0, other: number % 3 == 0}
        run(rig, 0.2)
        assert rig.world.state().boom_position == 0.0
    assert rig.world.state().counters.openings == 1


# ------------------------------------------------------------ 8: fire and key


def test_one_reading_of_fire_opens_nothing_and_two_do() -> None:
    rig = ready()
    rig.excused = True
    rig.world.knobs.set["fire"] = True
    rig.tick()
    rig.world.knobs.set["fire"] = False
    run(rig, 1.0)
    assert rig.world.state().counters.openings == 0
    rig.world.knobs.set["fire"] = True
    run(rig, 0.2)
    assert rig.world.state().motor == "up"


@pytest.mark.parametrize("cause", ["fire", "manual_key", "emergency"])
@pytest.mark.parametrize("restarts", [False, True])
def test_what_fire_key_or_emergency_opened_no_permit_lowers_restart_or_not(cause: str, restarts: bool) -> None:
    rig = ready()
    rig.excused = True
    if cause == "emergency":
        permit(rig, emergency=True)
    else:
        rig.world.knobs.set[cause] = True  # type: ignore[index]
    run(rig, 4.0)
    rig.world.knobs.set.clear()
    if restarts:
        rig.restart()
        run(rig, 4.0)
    assert rig.state.phase == "open"
    rig.world.arrive(SimVehicle("truck", 8.0, 2.5))
    until(rig, lambda: rig.state.here)
    rig.notices.clear()
    permit(rig, 2)
    assert [(n.kind, n.code) for n in rig.notices if n.serial == 2] == [("permit_refused", "busy")]
    run(rig, 60.0)
    assert rig.world.state().boom_position == 1.0
    rig.ask(lower=True)
    until(rig, lambda: rig.state.phase == "closed")
    assert memory(rig.state).cause == "none"


# ------------------------------------------------------------ 11: an empty container chassis


SKELETON = SimVehicle("skeleton", 14.0, 1.5, gaps=(Gap(4.0, 6.0, see_through=True),))


@pytest.mark.parametrize(
    "settings",
    [FULL, BarrierSettings(inputs=(*BASE, "high_beam")), BarrierSettings(inputs=BASE)],
    ids=["exit loop", "high beam", "neither"],
)
@pytest.mark.parametrize("front_m", [4.5, 6.0, 7.5, 9.5])
def test_a_chassis_that_stops_with_its_gap_under_the_arm_is_not_lowered_onto(
    settings: BarrierSettings, front_m: float
) -> None:
    rig = ready(settings)
    passage(rig, replace(SKELETON, pause=(front_m, 8.0)))
    until(rig, lambda: rig.state.phase == "closed")
    assert hits(rig) == 0
    assert "tailgate" not in kinds(rig), "it came alone"
    assert rig.world.state().counters.passed == 1
