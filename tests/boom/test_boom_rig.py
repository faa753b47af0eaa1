"""The judge of the simulated passages is judged: each harm is counted once, and what nobody could help apart."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from firmware_io import safety
from firmware_io.loop import BarrierLoop
from firmware_io.safety import BarrierSettings
from firmware_io.sim_traffic import SimVehicle
from tests.boom.test_boom_seen import coming_down, passage, permit, ready, run, until
from tests.harness.sim.rig import Rig


def harm(rig: Rig) -> dict[str, int]:
    return {name: value for name in rig.harm.__slots__ if (value := getattr(rig.harm, name))}


def deaf(monkeypatch: pytest.MonkeyPatch) -> None:
    """A gate that never turns an arm round."""
    monkeypatch.setattr(safety._Tick, "guard_descent", lambda self: None)


def test_a_calm_passage_is_no_harm() -> None:
    rig = ready()
    passage(rig)
    until(rig, lambda: rig.state.phase == "closed" and rig.world.state().counters.passed == 1)
    assert harm(rig) == {}


def test_a_gate_that_knows_and_does_nothing_is_harm_once(monkeypatch: pytest.MonkeyPatch) -> None:
    rig = ready()
    coming_down(rig, 0.9)
    deaf(monkeypatch)
    rig.world.knobs.person_under_arm = True
    run(rig, 0.1)
    assert harm(rig) == {}, "two turns are given"
    run(rig, 3.0)
    assert harm(rig) == {"lowered_onto_something": 1}


def test_a_gate_that_could_know_and_does_not_ask_is_harm(monkeypatch: pytest.MonkeyPatch) -> None:
    rig = ready()
    coming_down(rig, 0.95)
    monkeypatch.setattr(BarrierLoop, "turn", lambda self: None)
    rig.world.knobs.person_under_arm = True
    run(rig, 0.4)
    assert harm(rig).get("lowered_onto_something", 0) == 0
    run(rig, 0.1)
    assert harm(rig)["lowered_onto_something"] == 1
    run(rig, 3.0)
    assert harm(rig)["lowered_onto_something"] == 1


@pytest.mark.parametrize("how", ["silent", "echoing", "blind"])
def test_whom_nobody_could_help_is_counted_apart(how: str) -> None:
    rig = ready()
    coming_down(rig, 0.9)
    rig.board_ok, rig.answers = how != "silent", how != "echoing"
    if how == "blind":
        rig.world.knobs.stuck = {"photocell": False}
    rig.world.knobs.person_under_arm = True
    run(rig, 3.0)
    assert harm(rig).get("lowered_onto_something", 0) == 0
    assert harm(rig)["out_of_reach"] == 1


def test_a_board_that_is_back_and_is_not_told_is_harm_though_it_was_silent_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rig = ready()
    coming_down(rig, 0.98)
    deaf(monkeypatch)
    rig.board_ok = False
    rig.world.knobs.person_under_arm = True
    run(rig, 0.2)
    rig.board_ok = True
    run(rig, 1.0)
    assert harm(rig)["lowered_onto_something"] == 1


def test_an_order_that_a_noisy_line_lost_is_an_attempt() -> None:
    rig = ready()
    coming_down(rig, 0.9)
    rig.loses = 1.0
    rig.world.knobs.person_under_arm = True
    run(rig, 3.0)
    assert harm(rig) == {"out_of_reach": 1}


def test_a_close_ordered_onto_somebody_is_harm_whoever_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    rig = ready()
    passage(rig)
    until(rig, lambda: rig.state.phase == "open")
    rig.world.knobs.person_under_arm = True
    rig.energise("close", 0.5)
    assert harm(rig) == {"lowered_onto_something": 1}


def test_a_stop_that_the_controller_ignores_is_no_attempt(monkeypatch: pytest.MonkeyPatch) -> None:
    rig = ready()
    coming_down(rig, 0.95)
    rig.world.knobs.ignores = {"stop"}
    rig.world.knobs.person_under_arm = True

    def stops(self: Any) -> None:
        self.stop = True

    monkeypatch.setattr(safety._Tick, "act", stops)
    run(rig, 0.5)
    assert harm(rig)["lowered_onto_something"] == 1


@pytest.mark.parametrize(
    ("knobs", "excused", "counted"),
    [({}, False, True), ({"by_hand": True}, False, False), ({"fire": True}, True, False)],
)
def test_an_opening_that_nobody_permitted(knobs: dict[str, Any], excused: bool, counted: bool) -> None:
    rig = ready()
    rig.excused = excused
    if "by_hand" in knobs:
        rig.world.knobs.by_hand = True
    elif "fire" in knobs:
        rig.world.knobs.set["fire"] = True
    else:
        rig.energise("open", 0.5)
    run(rig, 2.0)
    assert harm(rig) == ({"opened_without_permit": 1} if counted else {})


def test_one_permit_is_one_opening() -> None:
    rig = ready()
    passage(rig)
    run(rig, 0.5)
    for _ in range(2):
        rig.world._boom, rig.world._was_down, rig.world._motor = 0.0, True, "off"
        rig.release("open")
        rig.energise("open", 0.5)
        run(rig, 0.3)
    assert harm(rig) == {"opened_twice": 1}


def test_a_relay_that_stays_on_is_found_by_the_link_and_one_that_nobody_finds_is_harm(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rig = ready()
    rig.coils_stay = True
    permit_for_one(rig)
    run(rig, 3.0)
    assert harm(rig) == {}
    assert "open" not in rig.world.relays()
    blind = ready()
    blind.coils_stay = True
    permit_for_one(blind)
    monkeypatch.setattr("firmware_io.link.BoardLink._read_back", lambda self, board: None)
    run(blind, 1.5)
    assert harm(blind) == {}
    run(blind, 3.0)
    assert harm(blind) == {"relay_past_its_pulse": 1}


def test_a_relay_that_stays_on_while_its_board_is_silent_is_counted_apart_and_released_once_it_answers() -> None:
    rig = ready()
    rig.coils_stay = True
    permit_for_one(rig)
    rig.board_ok = False
    run(rig, 5.0)
    assert harm(rig) == {"relay_out_of_reach": 1}
    rig.board_ok = True
    run(rig, 3.0)
    assert harm(rig) == {"relay_out_of_reach": 1}
    assert "open" not in rig.world.relays()


def permit_for_one(rig: Rig) -> None:
    rig.world.arrive(SimVehicle("truck", 8.0, 2.5))
    until(rig, lambda: rig.state.here)
    permit(rig)


def test_an_arm_at_rest_that_nobody_could_know_of_is_counted_apart() -> None:
    rig = ready()
    coming_down(rig, 0.5)
    rig.world.knobs.stuck = {"limit_closed": False}
    until(rig, lambda: rig.world.state().boom_position == 0.0)
    rig.world.knobs.person_under_arm = True
    run(rig, 1.0)
    assert harm(rig) == {"raised_again": 1}


@pytest.mark.parametrize(
    ("ask", "told"),
    [
        (lambda rig: rig.ask(stop=True), "permit_refused"),
        (lambda rig: rig.ask(hold=True), "permit_refused"),
        (lambda rig: rig.ask(lower=True), "lower_refused"),
    ],
)
def test_what_is_asked_reaches_the_loop(ask: Callable[[Rig], None], told: str) -> None:
    rig = ready()
    ask(rig)
    permit(rig)
    assert told in [notice.kind for notice in rig.notices]


def test_a_restart_keeps_the_hold_and_what_is_remembered() -> None:
    rig = ready()
    coming_down(rig)
    rig.ask(hold=True)
    rig.tick()
    rig.restart()
    assert rig.state.lowered_s is not None
    assert rig.loop.snapshot().held or rig.tick() is not None
    rig.tick()
    assert rig.loop.snapshot().held
    rig.restart(remembers=False)
    assert rig.state.lowered_s is None


def test_a_late_turn_is_several_ticks_and_a_dead_host_beats_not() -> None:
    rig = ready()
    at_s = rig.now_s
    rig.ticks_each = 4
    rig.tick()
    assert rig.now_s == pytest.approx(at_s + 0.2)
    rig.ticks_each, rig.host_ok = 1, False
    run(rig, 3.2)
    assert "host_lost" in [fault.code for fault in rig.state.faults]


def test_what_is_wired_follows_the_settings() -> None:
    tested = BarrierSettings(inputs=("safety_loop", "photocell"), tested=("photocell",))
    assert Rig(tested, 0).wired == ("open", "close", "stop", "green", "beam_test")
    assert Rig(BarrierSettings(), 0, can_stop=False).wired == ("open", "close", "green")
