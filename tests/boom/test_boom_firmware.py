"""The open firmware (firmware_io/board/boom.c) in a simulated ATmega328P: the suite of every board, and its promises.

"Host killed" is what the kernel does to the line of a killed process: it is closed, and nothing is released before.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic

import pytest

from firmware_io import questions
from firmware_io.board import BadAnswer
from firmware_io.line import Line, SerialPort
from firmware_io.link import BoardLink
from firmware_io.terms import InputName, OutputName, Outputs
from tests.boom.avr import OUTPUTS, Avr, build, ever
from tests.boom.conformance import Bench, BoardConformance, wait_for

UP: tuple[InputName, ...] = ("limit_open",)
BETWEEN: tuple[InputName, ...] = ()
UNDER: tuple[InputName, ...] = ("photocell",)


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return build(tmp_path_factory.mktemp("avr"))


@pytest.fixture
def avr(programs: tuple[Path, Path]) -> Iterator[Avr]:
    avr = Avr(programs)
    yield avr
    avr.close()


class TestFirmware(BoardConformance):
    @pytest.fixture
    def bench(self, avr: Avr) -> Bench:
        return avr


class Host:
    """A host's line, without any of the loop's care: what it orders, until it is killed."""

    def __init__(self, avr: Avr) -> None:
        self._line = Line(SerialPort(avr.settings), avr.settings, avr.port)

    def order(self, output: OutputName, tenths: int = 5) -> None:
        self._line.ask(questions.write(1, 5, 0x0200 + OUTPUTS[output] - 1, tenths))

    def hold(self, output: OutputName) -> None:
        self._line.ask(questions.write(1, 5, OUTPUTS[output] - 1, questions.COIL_ON))

    def registers(self) -> list[int]:
        """Version, phase (0 at rest, 1 descending, 2 reversing), reversals, resets by the watchdog."""
        probes = [questions.read(1, 1, 0, 6), questions.read(1, 2, 0, 8), questions.read(1, 3, 0x1000, 5)]
        return questions.words(self._line.ask(questions.read(1, 3, 0, 4), probes))

    def sees(self, is_so: Callable[[list[int]], bool]) -> None:
        wait_for(lambda: is_so(self.registers()))

    def killed(self) -> None:
        self._line.close()


def stands(avr: Avr, *names: InputName) -> None:
    """Set the contacts and wait until the board has taken them in."""
    avr.are(*names)
    begun_s = monotonic()
    wait_for(lambda: monotonic() > begun_s + 0.05)


def phase_of(avr: Avr) -> int:
    host = Host(avr)
    phase = host.registers()[1]
    host.killed()
    return phase


@pytest.mark.parametrize("after_s", [0.0, 0.2, 0.45, 0.7, 1.5])
def test_host_killed_at_each_point_of_lowering_and_an_obstruction_after_it(avr: Avr, after_s: float) -> None:
    stands(avr, *UP)
    host = Host(avr)
    host.order("close")
    killed_s = monotonic() + after_s
    stands(avr, *BETWEEN)
    wait_for(lambda: monotonic() >= killed_s)
    host.killed()
    avr.are(*UNDER)
    wait_for(lambda: "open" in avr.now())
    assert not any({"open", "close"} <= on for _, on in avr.log)
    assert "close" not in avr.now()
    avr.are(*UP, *UNDER)
    wait_for(lambda: not avr.now())
    wait_for(lambda: phase_of(avr) == 0)
    assert not ever(avr.log[-1:], "open")


@pytest.mark.parametrize("after_s", [0.0, 0.2, 0.45, 0.7])
def test_host_killed_at_each_point_of_opening(avr: Avr, after_s: float) -> None:
    stands(avr)
    host = Host(avr)
    host.order("open")
    wait_for(lambda: ever(avr.log, "open"))
    killed_s = monotonic() + after_s
    wait_for(lambda: monotonic() >= killed_s)
    host.killed()
    stands(avr, *UNDER)
    wait_for(lambda: not avr.now())
    assert not ever(avr.log, "close")
    assert phase_of(avr) == 0


def test_a_real_host_process_killed_while_the_arm_comes_down(avr: Avr) -> None:
    program = f"""
import time
from tests.boom.avr import INPUTS, NORMALLY_CLOSED, OUTPUTS
from firmware_io.board import BoardSettings, InputWiring
from firmware_io.boards import open_board
from firmware_io.link import BoardLink
from firmware_io.terms import Outputs
settings = BoardSettings(port={avr.port!r}, profile="barie-board", baud=19200, outputs=OUTPUTS,
    inputs={{name: InputWiring(INPUTS.index(name) + 1, name in NORMALLY_CLOSED) for name in INPUTS[:5]}})
link = BoardLink(lambda: open_board(settings), time.monotonic)
while link.read() is None: pass
link.write(Outputs(close=True, green=True), 0.5)
while True: link.read(); link.write(Outputs(green=True), 0.5); time.sleep(0.05)
"""
    stands(avr, *UP)
    process = subprocess.Popen([sys.executable, "-c", program])
    try:
        wait_for(lambda: "close" in avr.now(), 30.0)
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    stands(avr, *BETWEEN)
    avr.are(*UNDER)
    wait_for(lambda: "open" in avr.now())
    avr.are(*UP)
    wait_for(lambda: not avr.now())


def test_a_reversal_is_ordered_again_until_the_limit_says_up(avr: Avr) -> None:
    stands(avr, *UP)
    host = Host(avr)
    host.order("close")
    stands(avr, *BETWEEN)
    avr.are(*UNDER)
    begun = len(avr.log)
    wait_for(lambda: sum("open" in on for _, on in avr.log[begun:]) >= 2)
    avr.are()  # clear again: the arm still hangs between its ends
    wait_for(lambda: sum("open" in on for _, on in avr.log[begun:]) >= 3)
    avr.are(*UP)
    host.sees(lambda told: told[1:3] == [0, 1])
    wait_for(lambda: not avr.now())


def test_close_is_refused_onto_something_and_while_open_is_on(avr: Avr) -> None:
    host = Host(avr)
    stands(avr, *UP, *UNDER)
    with pytest.raises(BadAnswer, match="exception code 4"):
        host.order("close")
    stands(avr, *UP)
    host.order("open")
    with pytest.raises(BadAnswer, match="exception code 4"):
        host.hold("close")
    assert not ever(avr.log, "close")


def test_every_output_is_a_lease(avr: Avr) -> None:
    stands(avr, *UP)
    host = Host(avr)
    for output in ("green", "siren", "sign", "stop"):
        host.hold(output)
    assert avr.now() >= {"green", "siren", "sign", "stop"}
    host.killed()
    wait_for(lambda: not avr.now())


def test_a_hung_board_resets_itself_and_the_descent_stays_watched(avr: Avr) -> None:
    stands(avr, *UP)
    host = Host(avr)
    host.order("close", 20)
    stands(avr, *BETWEEN)
    avr.hang()
    wait_for(lambda: not avr.now())
    host.sees(lambda told: told[1] == 1 and told[3] == 1)
    avr.are(*UNDER)
    wait_for(lambda: "open" in avr.now())
    avr.are(*UP)
    wait_for(lambda: not avr.now())


def test_power_that_comes_back_moves_nothing(avr: Avr) -> None:
    stands(avr, *UP)
    host = Host(avr)
    host.order("close", 20)
    stands(avr, *BETWEEN)
    avr.power_cycle()
    wait_for(lambda: not avr.now())
    begun = len(avr.log)
    stands(avr, *UNDER)
    host.sees(lambda told: told[1:] == [0, 0, 0])
    assert not ever(avr.log[begun:], "open")


def test_the_host_s_loop_and_the_board_agree_about_who_may_be_under_the_arm(avr: Avr) -> None:
    """A close that the board refuses is a failed write for the loop, and no motion that anybody believes in."""
    link = BoardLink(avr.open, monotonic)
    stands(avr, *UP)
    wait_for(lambda: link.read() is not None)
    stands(avr, *UP, *UNDER)
    with pytest.raises(BadAnswer):
        link.write(Outputs(close=True), 0.5)
    assert link.write_failed
    link.close()
