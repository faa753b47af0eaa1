"""The barrier loop turn by turn, and its pace, each on a clock that the test turns: no thread, no waiting."""

from __future__ import annotations

import logging
import os
import sys
import threading
from dataclasses import replace
from typing import Any

import pytest

from firmware_io import loop as loop_module
from firmware_io import pace as pace_module
from firmware_io.board import BadAnswer, NoAnswer, NoDevice
from firmware_io.link import READ_BACK_S
from firmware_io.loop import AGAIN_S, BarrierLoop
from firmware_io.pace import LATE_MAX, LATE_S, LATE_WINDOW_S, Lateness, Pace, be_realtime
from firmware_io.safety import BarrierSettings, Memory, Notice, Permit
from firmware_io.terms import InputName
from tests.boom.test_boom_link import Shelf

TICK_S = 0.05
SETTINGS = BarrierSettings(inputs=("photocell", "limit_open", "limit_closed"), skeletal=False, manual_key="hands_off")
DOWN: dict[InputName, bool | None] = {"photocell": False, "limit_open": False, "limit_closed": True}
UP: dict[InputName, bool | None] = {"photocell": False, "limit_open": True, "limit_closed": False}
HALF: dict[InputName, bool | None] = {"photocell": False, "limit_open": False, "limit_closed": False}


class Turns:
    """A loop on its board of a few lines, turned by hand."""

    def __init__(self, settings: BarrierSettings = SETTINGS, *, ready: bool = True, **more: Any) -> None:
        self.now_s = 100.0
        self.board = Shelf()
        self.board.values = dict(DOWN)
        self.missing = False
        self.notices: list[Notice] = []
        self.minds: list[Memory] = []
        self.beats = True
        self.loop = BarrierLoop(
            "b1", self._open, settings, self.notices.append, lambda: self.now_s, TICK_S,
            remember=self._remember, **more,
        )  # fmt: skip
        if ready:
            self.run(4.0)
            self.clear()

    def _open(self) -> Shelf:
        if self.missing:
            raise NoDevice("unplugged")
        return self.board

    def _remember(self, mind: Memory) -> None:
        self.board.log.append(f"remember {mind.cause}")
        self.minds.append(mind)

    def clear(self) -> None:
        self.notices.clear()
        self.board.log.clear()

    def run(self, seconds: float) -> Turns:
        for _ in range(round(seconds / TICK_S)):
            self.turn()
        return self

    def turn(self) -> list[str]:
        """One turn; the orders that it gave."""
        self.now_s = round(self.now_s + TICK_S, 6)
        if self.beats:
            self.loop.beat()
        begin = len(self.board.log)
        self.loop.turn()
        return [what for what in self.board.log[begin:] if what.startswith("pulse")]

    def permit(self, serial: int = 1, *, emergency: bool = False) -> None:
        self.loop.offer(Permit(serial, self.now_s, self.now_s + 2.0, emergency))

    def kinds(self) -> list[str]:
        return [notice.kind for notice in self.notices]

    def opened(self, serial: int = 1) -> Turns:
        """Up for a permit, with whatever lets it down by itself."""
        self.permit(serial)
        self.turn()
        self.board.values = dict(HALF)
        self.run(1.0)
        self.board.values = dict(UP)
        self.run(1.0)
        assert self.loop.snapshot().boom == "open"
        return self

    def coming_down(self) -> Turns:
        """By a person's order, half-way."""
        self.opened()
        self.run(2.0)
        self.loop.lower_boom()
        assert self.turn() == ["pulse close 0.5"]
        self.board.values = dict(HALF)
        self.run(1.0)
        self.clear()
        return self


# ------------------------------------------------------------ what is asked


def test_a_permit_is_offered_once_answered_once_and_written_in_the_same_turn() -> None:
    turns = Turns()
    turns.permit()
    assert turns.turn() == ["pulse open 0.5"]
    assert turns.kinds() == ["permit_accepted", "opening"]
    assert turns.turn() == []
    assert turns.kinds() == ["permit_accepted", "opening"]


def test_two_permits_of_one_turn_are_answered_in_their_order() -> None:
    turns = Turns()
    turns.permit(1)
    turns.permit(2)
    turns.turn()
    answers = [(n.kind, n.serial) for n in turns.notices if n.kind.startswith("permit")]
    assert answers == [("permit_accepted", 1), ("permit_refused", 2)]


def test_a_hold_stays_and_a_wish_is_for_one_turn() -> None:
    turns = Turns()
    turns.loop.hold(True)
    turns.run(0.2)
    assert turns.loop.snapshot().held
    turns.permit()
    turns.turn()
    assert turns.notices[-1].code == "held"
    turns.loop.hold(False)
    turns.turn()
    assert not turns.loop.snapshot().held
    turns.loop.lower_boom()
    turns.run(0.3)
    assert turns.kinds().count("lower_refused") == 1
    assert Turns(held=True).loop.snapshot().held


def test_each_wish_is_its_own() -> None:
    turns = Turns().opened()
    turns.clear()
    turns.loop.stop_boom()
    assert turns.turn() == ["pulse stop 0.5"]
    turns.run(2.0)
    turns.clear()
    turns.loop.reset_faults()
    assert turns.turn() == [], "a reset starts no motion"
    turns.loop.lower_boom()
    assert turns.turn() == ["pulse close 0.5"]
    tested = Turns(replace(SETTINGS, tested=("photocell",))).opened()
    tested.clear()
    tested.loop.test_sensors()
    assert tested.turn() == ["pulse beam_test 2"]
    tested.board.values = {**UP, "photocell": True}
    tested.turn()
    tested.board.values = dict(UP)
    tested.turn()
    assert tested.loop.snapshot().tested_s == tested.now_s


def test_a_reset_drops_a_permanent_fault_whose_cause_is_gone() -> None:
    turns = Turns()
    turns.board.values = {**UP, "limit_closed": True}
    turns.run(1.0)
    turns.board.values = dict(DOWN)
    turns.run(3.0)
    assert turns.loop.snapshot().faults == ("both_limits",)
    turns.loop.reset_faults()
    turns.loop.hold(False)  # what is asked after it, in the same turn, does not take its place
    turns.turn()
    assert turns.loop.snapshot().faults == ()


def test_wishes_of_one_turn_add_up_and_hold_is_no_reset() -> None:
    turns = Turns().opened()
    turns.clear()
    turns.loop.hold(True)
    turns.loop.stop_boom()
    turns.loop.lower_boom()
    turns.loop.reset_faults()
    assert turns.turn() == ["pulse stop 0.5"]
    assert ("lower_refused", "stopped") in [(n.kind, n.code) for n in turns.notices]
    assert turns.loop.snapshot().held


def test_without_a_beat_nothing_new_is_allowed() -> None:
    turns = Turns()
    turns.beats = False
    turns.run(3.2)
    assert "host_lost" in turns.loop.snapshot().faults
    turns.permit()
    assert turns.turn() == []
    turns.beats = True
    turns.run(1.2)
    assert turns.loop.snapshot().faults == ()


# ------------------------------------------------------------ troubles


def test_a_lost_board_a_failed_write_and_a_bad_line_are_faults() -> None:
    turns = Turns()
    turns.missing = True
    turns.board.fails["read"] = NoDevice("gone")
    turns.turn()
    turns.turn()
    snapshot = turns.loop.snapshot()
    assert ("board_lost" in snapshot.faults, snapshot.board_ok, snapshot.board) == (True, False, "unplugged")
    turns.missing = False
    turns.board.fails.clear()
    turns.run(5.0)
    assert (turns.loop.snapshot().faults, turns.loop.snapshot().board_ok) == ((), True)
    turns.board.fails["pulse open"] = BadAnswer("refused")
    turns.permit(5)
    turns.turn()
    turns.turn()
    assert "write_failed" in turns.loop.snapshot().faults
    turns.board.fails.clear()
    turns.run(3.0)
    for number in range(100):
        turns.board.fails = {"read": NoAnswer("noise")} if number % 3 == 0 else {}
        turns.turn()
    assert "line_bad" in turns.loop.snapshot().faults


def test_an_output_on_without_a_pulse_is_a_fault_by_name() -> None:
    turns = Turns()
    turns.board.on = {"siren"}
    turns.run(READ_BACK_S + 0.1)
    assert "output_on:siren" in turns.loop.snapshot().faults


def test_late_turns_are_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    turns = Turns()
    monkeypatch.setattr(Pace, "is_late", lambda self: True)
    turns.turn()
    assert "tick_late" in turns.loop.snapshot().faults


# ------------------------------------------------------------ what could not be written


def test_a_motion_that_failed_is_tried_again_for_a_second_and_no_longer() -> None:
    turns = Turns()
    turns.board.fails["pulse open"] = BadAnswer("refused")
    turns.permit()
    turns.turn()
    begun_s, tries = turns.now_s, 0
    log = turns.board.log
    while turns.now_s < begun_s + 2.0:
        before = log.count("release close")
        turns.turn()
        turns.loop._link._failures = 0  # so that it is not given up
        tries += log.count("release close") > before
    assert tries == round(AGAIN_S / TICK_S)


def test_a_motion_that_failed_once_is_given_in_the_next_turn_and_only_once() -> None:
    turns = Turns()
    turns.board.fails["pulse open"] = NoAnswer("silent")
    turns.permit()
    assert turns.turn() == []
    turns.board.fails.clear()
    assert turns.turn() == ["pulse open 0.5"]
    assert turns.run(0.5).board.log.count("pulse open 0.5") == 1


def test_something_newer_takes_the_place_of_what_failed() -> None:
    turns = Turns()
    turns.board.fails["pulse open"] = NoAnswer("silent")
    turns.permit()
    turns.turn()
    turns.board.fails.clear()
    turns.loop.stop_boom()
    assert turns.turn() == ["pulse stop 0.5"]
    assert [what for what in turns.run(0.9).board.log if what == "pulse open 0.5"] == []


def test_what_failed_is_looked_at_once_more_before_it_is_written() -> None:
    turns = Turns().opened()
    turns.run(2.0)
    turns.board.fails["pulse close"] = NoAnswer("silent")
    turns.loop.lower_boom()
    turns.turn()
    turns.board.fails.clear()
    turns.board.values = {**UP, "photocell": True}
    assert "pulse close 0.5" not in [*turns.turn(), *turns.turn()]


def test_a_reversal_that_a_lost_board_did_not_take_is_the_first_thing_it_hears() -> None:
    turns = Turns().coming_down()
    turns.board.fails["read"] = NoDevice("gone")
    turns.missing = True
    turns.run(0.4)
    turns.missing = False
    turns.board.fails.clear()
    turns.board.values = {**HALF, "photocell": True}
    orders: list[str] = []
    while not turns.loop._link.ok:
        orders = turns.turn()
    assert orders == ["pulse open 0.3"], "in the very turn of its first reading"


def test_an_opening_that_a_lost_board_did_not_take_is_not_given_when_it_is_back() -> None:
    turns = Turns()
    turns.board.fails["pulse open"] = NoDevice("gone")
    turns.missing = True
    turns.permit()
    turns.turn()
    turns.missing = False
    turns.board.fails.clear()
    turns.run(3.0)
    assert not [what for what in turns.board.log if what.startswith("pulse open")]


def test_stopped_is_said_when_the_board_acknowledged_it_and_not_before() -> None:
    turns = Turns().coming_down()
    turns.board.fails["pulse stop"] = NoAnswer("silent")
    turns.loop.stop_boom()
    turns.turn()
    assert "stopping" in turns.kinds()
    turns.turn()
    assert "stopped" not in turns.kinds()
    turns.board.fails.clear()
    turns.turn()
    turns.turn()
    assert turns.kinds().count("stopped") == 1


def test_a_board_without_a_stop_has_its_descent_turned_round() -> None:
    turns = Turns(ready=False)
    turns.board.outputs = ("open", "close")
    turns.run(4.0)
    turns.coming_down()
    turns.loop.stop_boom()
    assert turns.turn() == ["pulse open 0.3"]


def test_only_a_reversal_s_pulse_is_short() -> None:
    turns = Turns().coming_down()
    turns.board.values = {**HALF, "photocell": True}
    assert turns.turn() == ["pulse open 0.3"]
    closing = Turns().opened()
    closing.run(2.0)
    closing.loop.lower_boom()
    assert closing.turn() == ["pulse close 0.5"]


# ------------------------------------------------------------ what is kept and shown


def test_what_a_restart_must_know_is_told_before_the_motion_and_only_when_it_changes() -> None:
    turns = Turns()
    turns.permit()
    turns.turn()
    log = [what for what in turns.board.log if what.startswith(("remember", "pulse"))]
    assert log == ["remember permit", "pulse open 0.5"]
    turns.run(0.5)
    assert [mind.cause for mind in turns.minds] == ["permit"]


def test_what_is_remembered_is_where_it_begins() -> None:
    turns = Turns(ready=False, remembered=Memory("emergency", is_out=True, obstacles=4))
    assert turns.loop.state.cause == "emergency"
    assert turns.loop.snapshot().obstacles == 4
    assert turns.loop.snapshot().cause == "emergency"
    turns.turn()
    assert turns.minds == [], "it is known already"


def test_the_snapshot_shows_all_that_there_is() -> None:
    turns = Turns(ready=False)
    first = turns.loop.snapshot()
    assert (first.boom, first.faults, first.board, first.board_ok) == (
        "unknown",
        ("starting",),
        "not opened yet",
        False,
    )
    assert dict(first.inputs) == {"photocell": None, "limit_open": None, "limit_closed": None}
    turns.run(4.0)
    snapshot = turns.loop.snapshot()
    assert (snapshot.boom, snapshot.faults, snapshot.held, snapshot.board_ok) == ("closed", (), False, True)
    assert dict(snapshot.inputs) == DOWN
    assert snapshot.board == "a board on the shelf"
    assert snapshot.since_s == turns.loop.state.since_s > 0
    assert snapshot.cause == "none"
    assert snapshot.refusing == ()
    assert replace(snapshot, faults=("input_unproven:photocell", "tamper", "test_failed:x")).refusing == ("tamper",)
    assert turns.loop.turns() == 80


def test_inputs_of_a_failed_reading_are_the_last_ones_with_their_own_time() -> None:
    turns = Turns()
    turns.board.fails["read"] = NoAnswer("silent")
    turns.board.values = dict(UP)
    turns.run(0.1)
    assert "inputs_stale" not in turns.loop.snapshot().faults
    assert dict(turns.loop.snapshot().inputs) == DOWN
    for _ in range(5):
        turns.turn()
        turns.loop._link._failures = 0  # so that it is not given up
    assert "inputs_stale" in turns.loop.snapshot().faults


# ------------------------------------------------------------ the thread


def test_a_loop_that_was_never_started_is_closed_without_waiting() -> None:
    turns = Turns()
    turns.loop.close()
    assert turns.loop.snapshot().faults == ()


def test_a_thread_that_ends_by_itself_is_shown_dead_and_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    turns = Turns()

    def breaks(_self: BarrierLoop) -> None:
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr(BarrierLoop, "turn", breaks)
    monkeypatch.setattr(threading, "excepthook", lambda _args: None)
    turns.permit(3)
    turns.loop.start()
    turns.loop.join(10.0)
    assert not turns.loop.is_alive()
    dead = turns.loop.snapshot()
    assert (dead.boom, dead.faults[0], dead.board_ok) == ("unknown", "loop_dead", False)
    turns.permit(4)
    assert [(n.kind, n.serial, n.code) for n in turns.notices] == [
        ("permit_refused", 3, "loop_ended"), ("permit_refused", 4, "loop_ended"),
    ]  # fmt: skip
    assert turns.board.log[-1] == "closed"


def test_a_loop_that_is_closed_gives_its_board_back_and_is_not_dead() -> None:
    turns = Turns()
    turns.loop.start()
    turns.loop.close()
    assert not turns.loop.is_alive()
    assert turns.board.log[-1] == "closed"
    assert "loop_dead" not in turns.loop.snapshot().faults
    assert turns.loop.daemon
    assert turns.loop.name == "barrier b1"


def test_a_thread_that_does_not_end_is_told(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(loop_module, "JOIN_S", 0.01)
    turns, goes_on = Turns(), threading.Event()
    monkeypatch.setattr(BarrierLoop, "turn", lambda self: goes_on.wait(10.0))
    turns.loop.start()
    turns.loop.close()
    goes_on.set()
    assert "barrier b1: the thread did not end within 0.0 s" in caplog.messages
    turns.loop.join(10.0)


@pytest.mark.parametrize("realtime", [True, False])
def test_real_time_is_asked_for_where_it_is_wanted(monkeypatch: pytest.MonkeyPatch, realtime: bool) -> None:
    asked: list[bool] = []
    monkeypatch.setattr(loop_module, "be_realtime", lambda: asked.append(True))
    turns = Turns(realtime=realtime)
    turns.loop._stop_thread.set()
    turns.loop.run()
    assert asked == [True] * realtime


def test_the_thread_turns_at_its_pace_and_a_lost_board_is_no_lateness(monkeypatch: pytest.MonkeyPatch) -> None:
    turns = Turns()
    counted: list[bool] = []

    def wait(_self: Pace, *, counts: bool) -> None:
        counted.append(counts)
        if len(counted) == 2:
            turns.board.fails["read"] = NoDevice("gone")
        if len(counted) == 3:
            turns.loop._stop_thread.set()

    monkeypatch.setattr(Pace, "wait", wait)
    turns.loop.run()
    assert counted == [True, True, False]


@pytest.mark.parametrize("what", ["offer", "stop", "lower", "hold"])
def test_what_is_asked_wakes_the_loop_at_once(monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    turns = Turns()
    woken: list[bool] = []
    monkeypatch.setattr(Pace, "wake", lambda self: woken.append(True))
    if what == "offer":
        turns.permit()
    elif what == "hold":
        turns.loop.hold(True)
    else:
        getattr(turns.loop, f"{what}_boom")()
    assert woken == [True]
    turns.loop.beat()
    assert woken == [True], "a beat is for the next turn"
    turns.loop.close()
    assert woken == [True, True], "and it need not wait for its next turn to end"


# ------------------------------------------------------------ the pace


class Waiter:
    """Stands in for the event: waiting turns the clock; `wakes_after_s` wakes it early."""

    def __init__(self, clock: list[float]) -> None:
        self.clock = clock
        self.wakes_after_s: float | None = None
        self.oversleeps_s = 0.0
        self.asked: list[float] = []
        self.cleared = 0

    def wait(self, for_s: float) -> bool:
        self.asked.append(round(for_s, 6))
        if self.wakes_after_s is not None:
            self.clock[0] += self.wakes_after_s
            return True
        self.clock[0] += for_s + self.oversleeps_s
        return False

    def clear(self) -> None:
        self.cleared += 1


@pytest.fixture
def paced() -> tuple[Pace, Waiter, list[float]]:
    clock = [100.0]
    pace, waiter = Pace(TICK_S, lambda: clock[0]), Waiter(clock)
    pace._wake = waiter  # type: ignore[assignment]
    return pace, waiter, clock


def test_the_schedule_stands_whatever_a_turn_took(paced: tuple[Pace, Waiter, list[float]]) -> None:
    pace, waiter, clock = paced
    for took_s in (0.0, 0.02, 0.04):
        clock[0] += took_s
        pace.wait(counts=True)
    assert waiter.asked == [0.05, 0.03, 0.01]
    assert waiter.cleared == 3
    clock[0] += 1.0
    pace.wait(counts=True)
    pace.wait(counts=True)
    assert waiter.asked[3:] == [0.0, 0.0], "what was missed is not made up for"
    assert pace.lateness().ticks == 5


def test_woken_early_it_turns_and_the_schedule_stays(paced: tuple[Pace, Waiter, list[float]]) -> None:
    pace, waiter, _ = paced
    waiter.wakes_after_s = 0.01
    pace.wait(counts=True)
    waiter.wakes_after_s = None
    pace.wait(counts=True)
    assert waiter.asked == [0.05, 0.04]
    assert pace.lateness().ticks == 1, "only ticks of the schedule count"
    waiter.wakes_after_s = 0.06
    pace.wait(counts=True)
    assert pace.lateness().ticks == 2, "woken, and late all the same"


def test_lateness_is_counted_to_the_instant(paced: tuple[Pace, Waiter, list[float]]) -> None:
    pace, waiter, clock = paced
    for number in range(LATE_MAX):
        assert not pace.is_late()
        waiter.oversleeps_s = LATE_S + 0.001
        pace.wait(counts=True)
        if number == 0:
            begun_s = clock[0]
        waiter.oversleeps_s = LATE_S - 0.001
        pace.wait(counts=True)
    assert pace.is_late()
    clock[0] = begun_s + LATE_WINDOW_S - 0.01
    assert pace.is_late()
    clock[0] = begun_s + LATE_WINDOW_S
    assert not pace.is_late()
    told = pace.lateness()
    assert (told.ticks, told.late_ticks) == (2 * LATE_MAX, LATE_MAX)
    assert told.max_ms == pytest.approx(151.0, abs=0.001)


def test_percentiles_are_of_each_twenty_ticks_and_lost_boards_do_not_count(
    paced: tuple[Pace, Waiter, list[float]],
) -> None:
    pace, waiter, _ = paced
    assert pace.lateness() == Lateness(0, 0, 0.0, 0.0)
    for number in range(20):
        assert pace.lateness().p99_ms == 0.0
        waiter.oversleeps_s = 0.001 * number
        pace.wait(counts=True)
    assert pace.lateness().p99_ms == pytest.approx(18.0, abs=0.001)
    waiter.oversleeps_s = 5.0
    pace.wait(counts=False)
    assert (pace.lateness().ticks, pace.is_late()) == (20, False)


def test_a_wait_that_ends_a_moment_early_is_a_tick_and_a_waking_at_its_instant_too(
    paced: tuple[Pace, Waiter, list[float]],
) -> None:
    pace, waiter, _ = paced
    waiter.oversleeps_s = -0.001
    pace.wait(counts=True)
    assert pace.lateness().ticks == 1
    clock = [100.0]
    exact, woken = Pace(0.25, lambda: clock[0]), Waiter(clock)
    exact._wake = woken  # type: ignore[assignment]
    woken.wakes_after_s = 0.25
    exact.wait(counts=True)
    assert exact.lateness().ticks == 1


def test_late_is_later_than_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace_module, "LATE_S", 0.25)
    clock = [100.0]
    pace, waiter = Pace(0.25, lambda: clock[0]), Waiter(clock)
    pace._wake = waiter  # type: ignore[assignment]
    waiter.oversleeps_s = 0.25
    pace.wait(counts=True)
    assert pace.lateness().late_ticks == 0


def test_more_late_ticks_than_enough_are_late_all_the_same(paced: tuple[Pace, Waiter, list[float]]) -> None:
    pace, waiter, _ = paced
    waiter.oversleeps_s = LATE_S + 0.01
    for _ in range(LATE_MAX + 1):
        pace.wait(counts=True)
    assert pace.is_late()


def test_the_last_thousand_ticks_tell(paced: tuple[Pace, Waiter, list[float]]) -> None:
    pace, waiter, _ = paced
    waiter.oversleeps_s = 0.05
    for number in range(1020):
        if number == 30:
            waiter.oversleeps_s = 0.0
        pace.wait(counts=True)
    assert pace.lateness().p99_ms == pytest.approx(0.0, abs=0.001), "ten of the last thousand are one in a hundred"


def test_waking_sets_the_event(paced: tuple[Pace, Waiter, list[float]]) -> None:
    pace = Pace(1000.0, lambda: 0.0)
    pace.wake()
    pace.wait(counts=True)
    assert pace.lateness().ticks == 0


def test_real_time_where_it_is_allowed_and_a_word_where_it_is_not(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    asked: list[tuple[int, int, int]] = []
    switches: list[float] = []
    monkeypatch.setattr(os, "sched_setscheduler", lambda pid, kind, how: asked.append((pid, kind, how.sched_priority)))
    monkeypatch.setattr(sys, "setswitchinterval", switches.append)
    be_realtime()
    assert asked == [(0, os.SCHED_FIFO, pace_module.REALTIME_PRIORITY)]
    assert switches == [pace_module.SWITCH_S]
    monkeypatch.setattr(sys, "getswitchinterval", lambda: 0.0001)
    be_realtime()
    assert switches[-1] == 0.0001, "it is never made longer"

    def refuses(*_args: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "sched_setscheduler", refuses)
    with caplog.at_level(logging.INFO):
        be_realtime()
    assert caplog.messages == ["no real-time priority allowed; ticks are measured all the same"]

    def lacks(*_args: object) -> None:
        raise AttributeError

    monkeypatch.setattr(os, "sched_setscheduler", lacks)
    be_realtime()
