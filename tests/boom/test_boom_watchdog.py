"""systemd's watchdog over a real Unix datagram socket, fed by real barrier loops."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from time import monotonic, sleep

import pytest

from firmware_io.board import NoDevice
from firmware_io.loop import BarrierLoop
from firmware_io.safety import BarrierSettings
from firmware_io.terms import InputName, OutputName
from firmware_io.watchdog import Watchdog


def wait_for(is_so: Callable[[], bool], within_s: float = 10.0) -> None:
    deadline_s = monotonic() + within_s
    while not is_so():
        assert monotonic() < deadline_s, "did not come about in time"
        sleep(0.005)


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        line.bind(str(tmp_path / "notify"))
        line.setblocking(False)
        yield line


def heard(line: socket.socket) -> list[str]:
    told = []
    while True:
        try:
            told.append(line.recv(100).decode())
        except BlockingIOError:
            return told


class HangingBoard:
    """A board whose driver never comes back, once `hangs` is set."""

    timed_by_board = True
    coarse_s = 0.1
    outputs: tuple[OutputName, ...] = ("open", "close")

    def __init__(self) -> None:
        self.goes_on = threading.Event()
        self.goes_on.set()

    def check(self) -> None:
        pass

    def read_outputs(self) -> None:
        return None

    def read_inputs(self) -> Mapping[InputName, bool | None]:
        self.goes_on.wait(30.0)
        return {"photocell": False}

    def pulse(self, output: OutputName, duration_s: float) -> None: ...

    def set_output(self, output: OutputName, on: bool) -> None: ...

    def describe(self) -> str:
        return "hanging"

    def close(self) -> None: ...


def environment(line: socket.socket, **more: str) -> dict[str, str]:
    return {"NOTIFY_SOCKET": str(line.getsockname()), "WATCHDOG_USEC": "40000", **more}


def test_a_loop_that_hangs_starves_the_watchdog_though_the_process_lives(systemd: socket.socket) -> None:
    board = HangingBoard()
    loop = BarrierLoop("b1", lambda: board, BarrierSettings(inputs=("photocell",)), lambda notice: None, period_s=0.02)
    loop.start()
    dog = Watchdog.from_environment([loop.turns], environment(systemd))
    dog.ready()
    assert heard(systemd) == ["READY=1"]
    for _ in range(3):
        wait_for(lambda: dog.feed() and "WATCHDOG=1" in heard(systemd))
    board.goes_on.clear()
    wait_for(lambda: not dog.feed())
    heard(systemd)
    turns = loop.turns()
    for _ in range(5):
        assert not dog.feed()
    assert heard(systemd) == []
    assert loop.turns() == turns
    board.goes_on.set()
    wait_for(lambda: dog.feed() and "WATCHDOG=1" in heard(systemd))
    dog.stopping()
    assert "STOPPING=1" in heard(systemd)
    loop.close()


def test_one_dead_loop_of_two_is_enough(systemd: socket.socket) -> None:
    counts = [0, 0]
    now = [0.0]
    dog = Watchdog([lambda: counts[0], lambda: counts[1]], str(systemd.getsockname()), 4.0, lambda: now[0])
    assert dog.feed()
    counts[0], now[0] = 1, 1.1
    assert not dog.feed()
    counts[1] = 1
    assert dog.feed()
    assert heard(systemd) == ["WATCHDOG=1"] * 2


def test_it_is_fed_no_more_often_than_needed(systemd: socket.socket) -> None:
    turns, now = iter(range(100)), [0.0]
    dog = Watchdog([lambda: next(turns)], str(systemd.getsockname()), 4.0, lambda: now[0])
    for _ in range(10):
        assert dog.feed()
        now[0] += 0.5
    assert heard(systemd) == ["WATCHDOG=1"] * 5


def test_a_loop_without_a_board_still_goes_round(systemd: socket.socket) -> None:
    def no_board() -> HangingBoard:
        raise NoDevice("none")

    loop = BarrierLoop("b1", no_board, BarrierSettings(), lambda notice: None, period_s=0.01)
    loop.start()
    dog = Watchdog.from_environment([loop.turns], environment(systemd))
    for _ in range(3):
        wait_for(lambda: dog.feed() and "WATCHDOG=1" in heard(systemd))
    loop.close()


@pytest.mark.parametrize(
    "change", [{"NOTIFY_SOCKET": ""}, {"WATCHDOG_USEC": ""}, {"WATCHDOG_PID": str(os.getpid() + 1)}]
)
def test_where_systemd_did_not_ask_nothing_is_said(systemd: socket.socket, change: dict[str, str]) -> None:
    dog = Watchdog.from_environment([lambda: 0], environment(systemd, **change))
    assert dog.feed()
    assert dog.feed(), "nobody watches: a loop's death is told by the snapshot alone"
    assert heard(systemd) == []


def test_an_abstract_name_is_understood() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        line.bind(f"\0barie-test-{os.getpid()}")
        line.setblocking(False)
        Watchdog([], f"@barie-test-{os.getpid()}").ready()
        assert heard(line) == ["READY=1"]


def test_a_socket_that_is_gone_stops_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    dog = Watchdog([], str(tmp_path / "gone"), 0.0)
    assert dog.feed()
    assert dog.feed()
    assert len(caplog.records) == 1
