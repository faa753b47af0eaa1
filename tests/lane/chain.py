"""The whole chain for the tests: real processes, real RTSP, a real broker, a board on a pseudo-terminal, one guarded
lane."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Coroutine, Iterator
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

import pytest

from edge.demo import lane
from edge.demo.camera import RtspServer
from edge.demo.guard import Panel
from edge.demo.lane import LaneWorld
from edge.demo.platform import declare
from edge.technician.free_port import free_port
from firmware_io.sim_world import SimVehicle
from tests.uplink.brokers import MOSQUITTO, Broker, Iotcore, Mosquitto, until

T = TypeVar("T")
LANE = "b1-out"
CLIP = "b1-out-vn-two-line"
PLATE = "12C12345"
DEADLINE_S = 60.0
"""Reading a plate takes seconds on two busy cores; a test that waits this long has found a fault."""
LEFT_UP_S = 15.0
"""An arm that is not down so long after its vehicle left will not come by itself."""


class Chain:
    """Starts everything; `close` ends it. Each part may be killed and started again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.broker: Broker = Mosquitto(folder) if MOSQUITTO else Iotcore(folder)
        self.declarations = folder / "declarations"
        self.declarations.mkdir()
        self.central_db = folder / "central.db"
        rtsp_port = free_port()
        self.rtsp = RtspServer(folder / "video", rtsp_port)
        self.lane = LaneWorld(lane.SHOWS[0], folder)
        self.world = self.lane.world
        self.camera = self.lane.cameras[CLIP]
        self.panel = Panel(self.port)
        self._numbers = count(1)
        self._published: Path | None = None
        self.broker.start()
        self.rtsp.start()
        self.config = lane.write_config(folder, [self.lane], self.port, self.broker.port, rtsp_port)
        self.central = self.spawn("central", *self._central_arguments())
        self.agent = self.start_agent()

    def _central_arguments(self) -> list[str]:
        broker = ["--broker", f"127.0.0.1:{self.broker.port}", "--site", "demo"]
        return [*broker, "--declarations", str(self.declarations), "--db", str(self.central_db)]

    def spawn(self, command: str, *arguments: str) -> subprocess.Popen[bytes]:
        log = (self.folder / f"{command}.log").open("ab")
        line = [sys.executable, "-m", "edge", command, *arguments]
        return subprocess.Popen(line, stdout=log, stderr=log)

    def start_agent(self) -> subprocess.Popen[bytes]:
        self.agent = self.spawn("run", "--config", str(self.config))
        until(self._up, "the agent and its camera are up", DEADLINE_S)
        return self.agent

    def _up(self) -> bool:
        if self.agent.poll() is not None:
            pytest.fail(f"the agent ended: {(self.folder / 'run.log').read_text()[-2000:]}")
        if self.camera_state() != "up":
            return False
        boom = self.view()["boom"]
        return bool(boom["board_ok"]) and not boom["faults"]

    def close(self) -> None:
        for process in (self.agent, self.central):
            if process.poll() is None:
                process.terminate()
            process.wait(10)
        self.lane.close()
        self.rtsp.stop()
        self.broker.stop()

    # ------------------------------------------------------------ looking

    def do(self, what: Coroutine[Any, Any, T]) -> T:
        return asyncio.run(what)

    def view(self) -> dict[str, Any]:
        return self.do(self.panel.view(LANE))

    def passage(self) -> dict[str, Any]:
        return self.view()["passage"] or {}

    def camera_state(self) -> str:
        try:
            return str(self.view()["cameras"][0]["state"])
        except OSError:
            return "no screen"

    def wait(self, condition: Callable[[], bool], what: str) -> None:
        deadline_s = time.monotonic() + DEADLINE_S
        while not condition():
            if time.monotonic() > deadline_s:
                passage = self.passage()
                told = {key: passage.get(key) for key in ("state", "plate", "verdict", "fault")}
                pytest.fail(f"{what}: not within {DEADLINE_S:g} s; {told}, boom {self.view()['boom']}")
            time.sleep(0.05)

    def vision_pid(self) -> int:
        """The agent's camera process."""
        children = Path(f"/proc/{self.agent.pid}/task/{self.agent.pid}/children").read_text().split()
        for pid in children:
            if "edge.vision.worker" in Path(f"/proc/{pid}/cmdline").read_text():
                return int(pid)
        raise AssertionError("the agent has no camera process")

    # ------------------------------------------------------------ doing

    def arrive(self, *, declared: bool = True) -> None:
        """A truck stands at the boom, on video and on the loop."""
        if self._published:
            self._published.unlink(missing_ok=True)
        if declared:
            visit = self.lane.visits[CLIP]
            assert visit is not None
            self._published = declare(visit, self.declarations, next(self._numbers))
        self.camera.show("stand")
        self.world.arrive(SimVehicle())

    def ready(self) -> dict[str, Any]:
        """Wait until the truck was read and only the guard's own confirmation is missing."""

        def is_ready() -> bool:
            return "confirm" in self.view()["can"]

        self.wait(is_ready, "the truck is ready for the guard")
        return self.passage()

    def press(self, name: str, **fields: str) -> dict[str, Any]:
        return self.do(self.panel.press(LANE, name, self.passage().get("id", ""), **fields))

    def gone(self) -> None:
        """Wait until the truck is through, the boom down, the passage ended and everything acknowledged."""
        self.wait(lambda: self.phase() in ("passing", "gone"), "the truck drives off")
        self.camera.show("empty")
        self.wait(lambda: self.phase() == "gone", "the truck is gone")
        self.wait(lambda: not self.passage(), "the passage has ended")
        self._down_again()
        self.acknowledged()

    def _down_again(self) -> None:
        """By itself; or, where a busy machine made the board silent for a moment and the arm therefore stays up, by the
        guard, as at a gate."""
        asked_s = time.monotonic()

        def is_down() -> bool:
            nonlocal asked_s
            state = self.view()["boom"]["state"]
            if state in ("open", "stopped", "unknown") and time.monotonic() - asked_s > LEFT_UP_S:
                asked_s = time.monotonic()
                self.do(self.panel.press(LANE, "close", ""))
            return bool(state == "closed")

        self.wait(is_down, "the boom is down again")

    def phase(self) -> str:
        vehicle = self.world.state().vehicle
        return vehicle.phase if vehicle else "gone"

    def acknowledged(self) -> None:
        self.wait(lambda: self.view()["link"]["unacknowledged"] == 0, "everything is acknowledged")

    def kill(self, process: subprocess.Popen[bytes]) -> None:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()

    # ------------------------------------------------------------ the two records

    def at_centre(self) -> list[dict[str, Any]]:
        """Every envelope that the centre has, in order."""
        return [
            json.loads(row[0]) for row in self.rows(self.central_db, "SELECT payload FROM event ORDER BY lane, seq")
        ]

    def next_seq(self) -> int:
        return int(self.rows(self.folder / "agent" / "barie.db", "SELECT next_seq FROM lane")[0][0])

    @staticmethod
    def rows(db: Path, question: str) -> list[tuple[Any, ...]]:
        connection = sqlite3.connect(f"file:{db}?mode=ro", uri=True)
        try:
            return connection.execute(question).fetchall()
        finally:
            connection.close()


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    """One whole house for a module's tests, one after the other on the same record."""
    one = Chain(tmp_path_factory.mktemp("chain"))
    print(f"MQTT on {one.broker.name}")
    yield one
    one.close()
