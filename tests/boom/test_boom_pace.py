"""The loop's pace, and its writes where the board fails: at the port, where the line's own faults are too coarse."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from time import monotonic, sleep

from firmware_io.board import Board, BoardError, NoAnswer, NoDevice
from firmware_io.loop import BarrierLoop
from firmware_io.pace import LATE_MAX, LATE_S, Pace
from firmware_io.safety import BarrierSettings, Notice, Permit
from firmware_io.terms import InputName, OutputName


def wait_for(is_so: Callable[[], bool], within_s: float = 10.0) -> None:
    deadline_s = monotonic() + within_s
    while not is_so():
        assert monotonic() < deadline_s, "did not come about in time"
        sleep(0.005)


class Flaky:
    """A board whose first writes fail: at the port, where the line's own faults are too coarse."""

    timed_by_board = True
    coarse_s = 0.1
    outputs: tuple[OutputName, ...] = ("open", "close")

    def __init__(self, failures: int, error: type[BoardError] = NoAnswer) -> None:
        self.failures = 0
        self.failures_once_armed = failures
        self.error = error
        self.log: list[str] = []

    def arm(self) -> None:
        """What it did until now (the releases at opening) is forgotten; from now on it fails."""
        self.log.clear()
        self.failures = self.failures_once_armed

    def check(self) -> None:
        pass

    def read_outputs(self) -> None:
        return None

    def read_inputs(self) -> Mapping[InputName, bool | None]:
        return {"photocell": False, "limit_open": False, "limit_closed": True}

    def _write(self, what: str) -> None:
        if self.failures > 0:
            self.failures -= 1
            raise self.error("fails for once")
        self.log.append(what)

    def pulse(self, output: OutputName, duration_s: float) -> None:
        self._write(f"pulse {output}")

    def set_output(self, output: OutputName, on: bool) -> None:
        self._write(f"release {output}")

    def describe(self) -> str:
        return "flaky"

    def close(self) -> None:
        self.log.append("closed")


def run_flaky(failures: int, error: type[BoardError] = NoAnswer) -> list[str]:
    """Offer one permit to a loop whose board fails so often; what was written until the opening was given up."""
    board = Flaky(failures, error)
    settings = BarrierSettings(
        inputs=("photocell", "limit_open", "limit_closed"),
        permit_max_s=0.5,
        settle_s=0.5,
        fault_clear_s=0.1,
        open_timeout_s=1.5,
    )
    notices: list[Notice] = []
    opened: list[Board] = [board]
    loop = BarrierLoop("b1", lambda: opened[0], settings, notices.append)
    loop.start()
    loop.beat()
    wait_for(lambda: not loop.snapshot().faults)
    loop.beat()
    assert board.log == ["release open", "release close"], "whoever had the board before may have left one on"
    board.arm()
    loop.offer(Permit(1, now_s := monotonic(), now_s + 0.5))
    wait_for(lambda: any(n.kind in ("not_opened", "closed") for n in notices))
    assert [n.kind for n in notices if n.serial == 1 and n.kind.startswith("permit")] == ["permit_accepted"]
    loop.close()
    return board.log


def test_a_write_that_failed_is_tried_again_for_the_same_permit() -> None:
    assert run_flaky(1)[:2] == ["release close", "pulse open"]


def test_the_opposite_relay_is_released_before_each_pulse() -> None:
    log = run_flaky(0)
    assert log[:2] == ["release close", "pulse open"]
    assert log.count("pulse open") == 1


def test_a_board_that_was_given_up_is_not_written_to_when_it_is_back() -> None:
    log = run_flaky(1, NoDevice)
    assert "pulse open" not in log
    assert log.count("closed") == 2, "given up once, and at the end"


def test_late_ticks_are_counted_and_too_many_are_told() -> None:
    now = [100.0]
    pace = Pace(0.05, lambda: now[0])
    for _ in range(LATE_MAX - 1):
        now[0] += 0.05 + LATE_S + 0.01
        pace.wait(counts=True)
    assert not pace.is_late()
    now[0] += 0.05 + LATE_S + 0.01
    pace.wait(counts=True)
    assert pace.is_late()
    assert pace.lateness().late_ticks == LATE_MAX
    now[0] += 10.0
    assert not pace.is_late()


def test_a_tick_that_a_lost_board_made_long_is_not_the_computer_s_fault() -> None:
    now = [100.0]
    pace = Pace(0.05, lambda: now[0])
    for _ in range(30):
        now[0] += 1.0
        pace.wait(counts=False)
    assert not pace.is_late()
    assert pace.lateness().ticks == 0
