"""Late answers, echoing adapters, lost connections, shared lines: against modules that share no code with ours."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import cycle
from time import monotonic

import pytest

from firmware_io.board import BadAnswer, Board, BoardError, BoardSettings, NoAnswer
from firmware_io.boards import open_board
from firmware_io.link import BAD_OF, BoardLink
from firmware_io.terms import InputName, OutputName, Outputs
from tests.boom.conformance import wait_for
from tests.boom.vendors.lines import Pty, Tcp
from tests.boom.vendors.modules import Adam6060, KmTronic, Waveshare

WIRED: Mapping[InputName, int] = {
    "presence": 1, "safety_loop": 2, "photocell": 3, "limit_open": 4, "limit_closed": 5, "exit_loop": 6, "fire": 7,
    "manual_key": 8,
}  # fmt: skip
OUTPUTS: Mapping[OutputName, int] = {"open": 1, "close": 2, "stop": 3}


def settings_of(line: Pty, **more: object) -> BoardSettings:
    return replace(
        BoardSettings(port=line.port, inputs=WIRED, outputs=OUTPUTS, timeout_s=0.1),
        **more,  # type: ignore[arg-type]
    )


@pytest.fixture
def module() -> Waveshare:
    return Waveshare()


@pytest.fixture
def line(module: Waveshare) -> Iterator[Pty]:
    line = Pty(module)
    yield line
    line.close()


def number(board: Board) -> int:
    """Which request the reading answers, by what `number_inputs` shows."""
    inputs = board.read_inputs()
    return sum(bool(inputs[name]) << n for n, name in enumerate(WIRED))


@pytest.mark.parametrize("over_tcp", [False, True])
def test_a_reading_is_never_older_than_its_question(module: Waveshare, over_tcp: bool) -> None:
    """Answers that come 0.15 to 0.9 s late while newer questions are asked already: none is taken for another's."""
    line = Tcp(module, rtu=True) if over_tcp else Pty(module)
    if isinstance(line, Tcp):
        settings = BoardSettings(
            kind="rtu_over_tcp", profile="waveshare-eth-b-8ch", host="127.0.0.1", tcp_port=line.tcp_port,
            inputs=WIRED, outputs=OUTPUTS, timeout_s=0.1,
        )  # fmt: skip
    else:
        settings = settings_of(line)
    module.number_inputs = True
    lateness = cycle([0.0] * 12 + [0.15, 0.0, 0.9, 0.0, 0.0, 0.3, 0.3])
    line.late_s = lambda: next(lateness)
    board = open_board(settings)
    read = 0
    ends_s = monotonic() + 4.0
    while monotonic() < ends_s:
        try:
            told = number(board)
        except BoardError:
            continue
        assert told == module.heard & 0xFF, "an answer to an older question was believed"
        read += 1
    assert read > 0, "between the late ones it is read all the same"
    line.late_s = lambda: 0.0
    wait_for(lambda: _reads(board))
    board.close()
    line.close()


def _has_news(link: BoardLink) -> bool:
    return link.read() is not None


def _reads(board: Board) -> bool:
    try:
        board.read_inputs()
    except BoardError:
        return False
    return True


def test_stop_is_not_acknowledged_by_the_late_echo_of_open(line: Pty, module: Waveshare) -> None:
    board = open_board(settings_of(line))
    lateness = iter([0.15])
    line.late_s = lambda: next(lateness, 0.0)
    with pytest.raises(NoAnswer):
        board.pulse("open", 0.5)
    line.silent = True  # what comes now can only be the answer to open
    with pytest.raises(BoardError):
        board.pulse("stop", 0.5)
    assert not module.relay(2)
    board.close()


def test_a_dead_board_behind_an_echoing_adapter_acknowledges_nothing(line: Pty, module: Waveshare) -> None:
    line.echo, line.silent = True, True
    board = open_board(settings_of(line, local_echo=True))
    with pytest.raises(NoAnswer, match="silent"):
        board.pulse("open", 0.5)
    with pytest.raises(NoAnswer):
        board.read_inputs()
    line.silent = False
    wait_for(lambda: _reads(board))
    board.pulse("open", 5.0)
    assert module.relay(0)
    board.close()


def test_an_echo_that_nobody_spoke_of_is_found_before_anything_is_believed(line: Pty) -> None:
    line.echo = True
    for line.silent in (False, True):
        board = open_board(settings_of(line))
        with pytest.raises(BadAnswer, match="local_echo = true"):
            board.check()
        board.close()
        link = BoardLink(lambda: open_board(settings_of(line)), monotonic)
        assert link.read() is None
        with pytest.raises(BoardError):
            link.write(Outputs(open=True), 0.5)
        link.close()


# ---------------------------------------------------------------- outputs end


@pytest.fixture
def adam() -> Iterator[tuple[Adam6060, Tcp, BoardSettings]]:
    module = Adam6060()
    module.idle_s = 2.0
    line = Tcp(module)
    settings = BoardSettings(
        kind="modbus_tcp", profile="adam-6060", host="127.0.0.1", tcp_port=line.tcp_port, inputs={"photocell": 1},
        outputs={"open": 1, "close": 2, "green": 3},
    )  # fmt: skip
    yield module, line, settings
    line.close()


def test_a_connection_reset_in_the_middle_of_a_pulse_leaves_no_coil_on(
    adam: tuple[Adam6060, Tcp, BoardSettings],
) -> None:
    """The new polls feed the module's watchdog: it must be released before the first of them."""
    module, line, settings = adam
    link = BoardLink(lambda: open_board(settings), monotonic)
    wait_for(lambda: link.read() is not None)
    link.write(Outputs(open=True, green=True), 0.5)
    assert module.relay(0)
    line.reset()
    wait_for(lambda: link.read() is None)
    wait_for(lambda: link.read() is not None)
    assert not module.relay(0)
    assert not module.relay(2)
    link.close()


KILLED = """
import sys, time
from firmware_io.board import BoardSettings
from firmware_io.boards import open_board
from firmware_io.link import BoardLink
from firmware_io.terms import InputName, OutputName, Outputs
board = BoardSettings(kind="modbus_tcp", profile="adam-6060", host="127.0.0.1", tcp_port=int(sys.argv[1]),
                      inputs={"photocell": 1}, outputs={"open": 1, "close": 2})
link = BoardLink(lambda: open_board(board), time.monotonic)
while link.read() is None: pass
if sys.argv[2] == "pulse": link.write(Outputs(close=True), 2.0)
while True: link.read(); time.sleep(0.05)
"""


def test_a_process_that_dies_and_is_restarted_leaves_no_coil_on(adam: tuple[Adam6060, Tcp, BoardSettings]) -> None:
    module, line, _ = adam
    module.idle_s = 60.0  # restarted well before the module's own watchdog would have acted
    for what in ("pulse", "poll"):
        process = subprocess.Popen([sys.executable, "-c", KILLED, str(line.tcp_port), what])
        try:
            wait_for(lambda what=what: module.relay(1) is (what == "pulse"), 30.0)  # type: ignore[misc]
        finally:
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
    assert not module.relay(1)


# ---------------------------------------------------------------- shared lines and bad ones


def test_two_units_on_one_line_do_not_disturb_each_other(module: Waveshare) -> None:
    other = KmTronic(unit=2)
    line = Pty(module, other)
    first = open_board(settings_of(line))
    second = open_board(settings_of(line, profile="kmtronic-8ch", unit=2, inputs={}, outputs={"open": 1}))
    module.number_inputs = True
    for _ in range(20):
        assert number(first) == module.heard & 0xFF
        second.set_output("open", True)
        assert other.relay(0)
        second.set_output("open", False)
    del line.modules[2]  # no power
    silent = 0
    for _ in range(10):
        silent += not _reads(second)
        assert number(first) == module.heard & 0xFF
    assert silent == 10
    first.close()
    second.close()
    line.close()


def test_a_line_on_which_a_quarter_of_the_answers_fail_is_a_fault(line: Pty) -> None:
    link = BoardLink(lambda: open_board(settings_of(line)), monotonic)
    wait_for(lambda: link.read() is not None)
    assert not link.is_bad
    board = link._board
    assert board is not None
    turns = cycle([True, True, True, False])

    def read_or_fail() -> dict[str, bool]:
        if not next(turns):
            raise BadAnswer("noise")
        return {}

    board.read_inputs = read_or_fail  # type: ignore[assignment, method-assign]
    for _ in range(BAD_OF):
        link.read()
    assert (link.is_bad, link.ok) == (True, True), (
        "it is used all the same: a fault allows nothing new, and what moves is still watched"
    )
    link.close()


def test_a_module_whose_inputs_switch_its_relays_is_refused(line: Pty, module: Waveshare) -> None:
    """Waveshare's control modes: 1 linkage, 2 toggle, 3 edge."""
    module.modes[1] = 1
    link = BoardLink(lambda: open_board(settings_of(line)), monotonic)
    assert not _has_news(link)
    assert "relay 2 is switched by an input of the module itself" in link.said
    module.modes[1] = 0
    wait_for(lambda: link.read() is not None)
    link.close()
