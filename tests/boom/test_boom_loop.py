"""The barrier loop with our Modbus, over a real pseudo-terminal, against the simulated board and boom."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic, sleep

import pytest

from firmware_io.board import BoardSettings
from firmware_io.boards import open_board
from firmware_io.loop import BarrierLoop
from firmware_io.safety import BarrierSettings, Notice, Permit
from firmware_io.sim import SimBoard
from firmware_io.sim_world import SimVehicle, World, WorldSettings

QUICK = BarrierSettings(
    permit_max_s=0.5, settle_s=0.5, fault_clear_s=0.2, pulse_s=0.3, presence_off_s=0.2, min_clear_s=0.3,
    large_after_s=1.0, large_clear_s=0.5, open_timeout_s=3.0, close_timeout_s=3.0,
    skeletal=False,
)  # fmt: skip
CAR = SimVehicle("car", length_m=5.0, speed_mps=8.0, reaction_s=0.1)


def wait_for(is_so: Callable[[], bool], within_s: float = 10.0) -> None:
    deadline_s = monotonic() + within_s
    while not is_so():
        assert monotonic() < deadline_s, "did not come about in time"
        sleep(0.005)


class Gate:
    """One loop on one simulated board; a thread of its own beats for it."""

    def __init__(self, link: Path, settings: BarrierSettings = QUICK) -> None:
        self.settings = settings
        self.sim = SimBoard(World(WorldSettings(open_s=0.6, close_s=0.8)), link=link)
        self.sim.start()
        self.notices: list[Notice] = []
        self.beating = True
        self._done = threading.Event()
        self.loop = self._new_loop()
        threading.Thread(target=self._beat, daemon=True).start()

    def _new_loop(self) -> BarrierLoop:
        loop = BarrierLoop(
            "b1", lambda: open_board(self.sim.settings(self.settings)), self.settings, self.notices.append
        )
        loop.start()
        return loop

    def _beat(self) -> None:
        while not self._done.wait(0.05):
            if self.beating:
                self.loop.beat()

    def kinds(self) -> list[str]:
        return [notice.kind for notice in self.notices]

    def ready(self) -> None:
        wait_for(lambda: self.loop.snapshot().board_ok and not self.loop.snapshot().faults)

    def offer(self, serial: int, age_s: float = 0.0) -> Notice:
        """Offer one permit; its one answer."""
        offered_s, before = monotonic() - age_s, len(self.answers(serial))
        self.loop.offer(Permit(serial, offered_s, offered_s + 0.5))
        wait_for(lambda: len(self.answers(serial)) == before + 1)
        return self.answers(serial)[-1]

    def answers(self, serial: int) -> list[Notice]:
        return [n for n in self.notices if n.serial == serial and n.kind in ("permit_accepted", "permit_refused")]

    def arrive(self) -> None:
        self.sim.world.arrive(CAR)
        wait_for(lambda: "arrived" in self.kinds())

    def restart(self) -> None:
        self.loop.close()
        self.notices.clear()
        self.loop = self._new_loop()

    def close(self) -> None:
        self._done.set()
        self.loop.close()
        self.sim.close()


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[Gate]:
    gate = Gate(tmp_path / "boom")
    gate.ready()
    yield gate
    gate.close()


def test_a_whole_passage(gate: Gate) -> None:
    gate.arrive()
    assert gate.offer(7).kind == "permit_accepted"
    wait_for(lambda: "closed" in gate.kinds())
    story = [(n.kind, n.serial) for n in gate.notices if n.kind not in ("fault", "fault_cleared", "observed", "left")]
    assert story == [
        ("arrived", 0), ("permit_accepted", 7), ("opening", 7), ("opened", 7), ("through", 7),
        ("lowering", 7), ("closed", 7),
    ]  # fmt: skip
    assert [name for name in gate.sim.energised if name not in ("green", "sign")] == ["open", "close"]
    counters = gate.sim.world.state().counters
    assert (counters.openings, counters.passed, counters.lowered_onto_something) == (1, 1, 0)
    snapshot = gate.loop.snapshot()
    assert (snapshot.boom, snapshot.held, snapshot.board_ok) == ("closed", False, True)
    assert snapshot.inputs["limit_closed"] is True
    assert snapshot.ticks > 0


def test_permits_used_twice_expired_or_from_before_a_restart_open_nothing(gate: Gate) -> None:
    gate.arrive()
    assert gate.offer(3, age_s=0.6).code == "expired"
    assert gate.offer(3).code == "used"
    offered_s = monotonic()
    old = Permit(9, offered_s, offered_s + 0.5)
    gate.restart()
    gate.loop.offer(old)
    wait_for(lambda: bool(gate.answers(9)))
    assert gate.answers(9)[0].code == "before_start"
    assert gate.sim.world.state().counters.openings == 0


def test_held_refuses_and_release_allows(gate: Gate) -> None:
    gate.arrive()
    gate.loop.hold(True)
    wait_for(lambda: gate.loop.snapshot().held)
    assert gate.offer(1).code == "held"
    gate.loop.hold(False)
    wait_for(lambda: not gate.loop.snapshot().held)
    assert gate.offer(2).kind == "permit_accepted"


def test_a_host_that_does_not_beat_is_allowed_nothing(tmp_path: Path) -> None:
    gate = Gate(tmp_path / "boom")
    gate.beating = False
    gate.arrive()
    wait_for(lambda: gate.loop.snapshot().faults == ("host_lost",), 15.0)
    assert gate.offer(1).code == "fault:host_lost"
    gate.close()


def test_stop_reaches_the_relay(gate: Gate) -> None:
    gate.arrive()
    gate.offer(1)
    wait_for(lambda: gate.loop.snapshot().inputs["limit_closed"] is False)
    gate.loop.stop_boom()
    wait_for(lambda: "stopped" in gate.kinds())
    wait_for(lambda: "stop" in gate.sim.energised)
    assert gate.sim.world.state().motor == "off"
    assert gate.loop.snapshot().boom == "stopped"


@pytest.mark.parametrize("moving", ["opening", "lowering"])
def test_unplugged_while_moving_is_a_fault_and_moves_nothing_but_a_descent_up_again(gate: Gate, moving: str) -> None:
    gate.arrive()
    gate.offer(1)
    wait_for(lambda: moving in gate.kinds())
    gate.sim.unplug()
    at_s = monotonic()
    wait_for(lambda: "board_lost" in gate.loop.snapshot().faults, 1.0)
    assert monotonic() - at_s < 1.0
    assert not gate.loop.snapshot().board_ok
    gate.sim.energised.clear()
    gate.sim.replug()
    gate.ready()
    wait_for(lambda: gate.loop.snapshot().boom in ("open", "closed"))
    ticks = gate.loop.snapshot().ticks
    wait_for(lambda: gate.loop.snapshot().ticks > ticks + 20)
    moved = {"open", "close", "stop"} & set(gate.sim.energised)
    assert moved <= ({"open"} if moving == "lowering" else set()), "a motion of its own"
    assert gate.sim.world.state().counters.openings == 1, "a descent that is ours is turned round, nothing at rest is"


def test_answers_with_a_wrong_crc_do_not_lose_the_opening(gate: Gate) -> None:
    gate.arrive()
    gate.sim.line.bad_crc = 0.08  # a line where a fifth fails is a fault, and allows nothing new
    gate.sim.line.half_frame = 0.04
    serial = 0
    while not any(n.kind == "permit_accepted" for n in gate.notices):
        serial += 1
        gate.offer(serial)
        sleep(0.05)
        assert serial < 200
    wait_for(lambda: gate.sim.world.state().counters.openings == 1)
    gate.sim.line.bad_crc = gate.sim.line.half_frame = 0.0
    wait_for(
        lambda: "closed" in gate.kinds() or "still_open" in gate.kinds() or gate.loop.snapshot().boom == "open", 15.0
    )
    assert gate.sim.world.state().counters.openings == 1
    assert gate.sim.world.state().counters.lowered_onto_something == 0


def test_it_starts_without_a_board_and_finds_it_later(tmp_path: Path) -> None:
    gate = Gate(tmp_path / "boom")
    gate.sim.unplug()
    wait_for(lambda: "board_lost" in gate.loop.snapshot().faults)
    assert "no such device" in gate.loop.snapshot().board or "gone" in gate.loop.snapshot().board
    gate.sim.replug()
    gate.ready()
    gate.close()


def test_close_ends_within_a_second_and_gives_the_board_back(gate: Gate) -> None:
    at_s = monotonic()
    gate.loop.close()
    assert monotonic() - at_s < 1.0
    assert not gate.loop.is_alive()
    board = open_board(gate.sim.settings(QUICK))
    board.read_inputs()
    board.close()
    gate.loop.offer(Permit(5, now_s := monotonic(), now_s + 0.5))
    assert gate.answers(5)[0].code == "loop_ended"


PROCESS = """
import sys, time
from firmware_io.board import BoardSettings
from firmware_io.board import BoardSettings
from firmware_io.boards import open_board
from firmware_io.loop import BarrierLoop
from firmware_io.safety import BarrierSettings, Permit
inputs = {"photocell": 3, "limit_open": 4, "limit_closed": 5}
barrier = BarrierSettings(inputs=tuple(inputs), pulse_s=1.0, permit_max_s=0.5, settle_s=0.5)
board = BoardSettings(port=sys.argv[1], inputs=inputs, outputs={"open": 1, "close": 2})
loop = BarrierLoop("b1", lambda: open_board(board), barrier, lambda notice: print(notice.kind, flush=True))
loop.start()
serial = 0
while True:
    loop.beat()
    serial += 1
    if not loop.snapshot().faults:
        now_s = time.monotonic()
        loop.offer(Permit(serial, now_s, now_s + 0.5))
    time.sleep(0.05)
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_no_relay_stays_energised_when_the_process_dies_or_stops(tmp_path: Path, number: signal.Signals) -> None:
    sim = SimBoard(World(), link=tmp_path / "boom")
    sim.start()
    process = subprocess.Popen([sys.executable, "-c", PROCESS, sim.port], stdout=subprocess.DEVNULL)
    try:
        wait_for(lambda: sim.coils()[0], 20.0)
        os.kill(process.pid, number)
        at_s = monotonic()
        wait_for(lambda: not any(sim.coils()), 2.0)
        assert monotonic() - at_s <= 1.5, "longer than the board-timed pulse"
        assert sim.energised == ["open"]
    finally:
        process.kill()
        process.wait()
        sim.close()


def test_a_device_whose_link_goes_while_it_is_looked_at_is_no_end_of_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    """An adapter pulled in the very moment: this ended the barrier's thread once."""

    def gone(path: str) -> str:
        raise FileNotFoundError(2, "No such file or directory", path)

    monkeypatch.setattr("os.path.realpath", gone)
    settings = BoardSettings(kind="modbus_rtu", port="/dev/serial/by-id/usb-pulled", outputs={"open": 1})
    assert settings.line() == "/dev/serial/by-id/usb-pulled"
