"""One whole gate for the screen's tests: the real gate process with its record, broker, centre, boards and booms; a
live camera on an empty lane, and what is read said by the test. Two lanes: B1 outwards with a guard, a yard's entry."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from edge import resources
from edge.core.model import Declaration, Vehicle
from edge.demo.camera import DemoCamera, RtspServer
from edge.demo.guard import Panel
from edge.panel.accounts import Accounts
from edge.technician.free_port import free_port
from edge.wire import declaration_to_json
from firmware_io.sim import SimBoard
from firmware_io.sim_world import SimVehicle, World, WorldSettings
from tests.lane.world import ready
from tests.panel.fakes import picture
from tests.uplink.brokers import MOSQUITTO, Broker, Iotcore, Mosquitto, until

DEADLINE_S = 60.0
PIN = "502938"
GUARD, LEADER, CUSTOMS, OPERATOR = "BP-0107", "BP-0001", "HQ-0231", "DH-0002"
PEOPLE = (
    (GUARD, "Cán bộ Ví Dụ", "guard"),
    (LEADER, "Trưởng ca Ví Dụ", "shift_leader"),
    (CUSTOMS, "Hải quan Ví Dụ", "customs"),
    (OPERATOR, "Điều hành Ví Dụ", "yard_operator"),
)
B1, YARD = "b1-out", "yard-in"
CLIP, YARD_CLIP = "b1-out-vn-two-line", "yard-in-cn-yellow"
TRUCK = SimVehicle(length_m=8.0, speed_mps=9.0, reaction_s=0.2)
QUICK = WorldSettings(open_s=0.5, close_s=0.6)


class House:
    """`arrive`, `declare` and `watch` make things happen outside; `view` is what the screen is told."""

    def __init__(self, folder: Path, *, yard_camera: bool = False) -> None:
        self.folder, self.port = folder, free_port()
        self.broker: Broker = Mosquitto(folder) if MOSQUITTO else Iotcore(folder)
        self.data = folder / "agent"
        self.data.mkdir()
        self.mounted = _mount(self.data)
        self.declarations = folder / "declarations"
        self.declarations.mkdir()
        rtsp_port = free_port()
        self.rtsp = RtspServer(folder / "video", rtsp_port)
        for lane, clip in ((B1, CLIP), *([(YARD, YARD_CLIP)] if yard_camera else [])):
            camera = DemoCamera(resources.sample_videos() / f"{clip}.mp4", folder / "video", lane)
            camera.prepare()
            camera.show("empty")
        self.worlds = {lane: World(QUICK) for lane in (B1, YARD)}
        self.boards = {lane: SimBoard(world, link=folder / f"board-{lane}") for lane, world in self.worlds.items()}
        self.numbers = count(1)
        self.papers: list[str] = []
        """Plates whose forms were typed on paper, and which the platform does not know yet."""
        self.config = self._write_config(rtsp_port)
        self._people()
        self.broker.start()
        self.rtsp.start()
        for board in self.boards.values():
            board.start()
        self._photos()
        self.central = self._central()
        self.gate = self.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def _write_config(self, rtsp_port: int) -> Path:
        lanes = "".join(
            _LANE.format(id=lane, place=place, direction=direction, rtsp=rtsp_port, port=self.boards[lane].port)
            for lane, place, direction in ((B1, "b1", "out_of_area"), (YARD, "yard_in", "in"))
        )
        path = self.folder / "gate.toml"
        path.write_text(_SITE.format(data=self.data, port=self.port, mqtt=self.broker.port) + lanes, encoding="utf-8")
        return path

    def _people(self) -> None:
        accounts = Accounts(self.data / "accounts.db")
        for id, name, role in PEOPLE:
            accounts.add(id, name, role, PIN)
        accounts.close()

    def _photos(self) -> None:
        for name in ("photo", "crop"):
            (self.folder / f"{name}.jpg").write_bytes(picture(name))

    def centre_dies(self) -> None:
        """Only the centre: its broker goes on."""
        self.central.kill()
        self.central.wait()

    def centre_returns(self) -> None:
        self.central = self._central()

    def _central(self) -> subprocess.Popen[bytes]:
        line = [sys.executable, "-m", "edge", "central", "--broker", f"127.0.0.1:{self.broker.port}", "--site", "demo"]
        line += ["--declarations", str(self.declarations), "--db", str(self.folder / "central.db")]
        with (self.folder / "central.log").open("ab") as log:
            return subprocess.Popen(line, stdout=log, stderr=log)

    def start(self) -> subprocess.Popen[bytes]:
        """The gate process, up with its boards and the live camera."""
        with (self.folder / "gate.log").open("ab") as log:
            command = [sys.executable, "-m", "tests.harness.bench.gate", str(self.config)]
            self.gate = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log)
        until(self._up, "the gate process and its boards", DEADLINE_S)
        return self.gate

    def _up(self) -> bool:
        if self.gate.poll() is not None:
            pytest.fail(f"the gate process ended: {(self.folder / 'gate.log').read_text()[-2000:]}")
        try:
            asyncio.run(Panel(self.port).view(B1))
        except OSError as error:
            # 401: the screen is there, and wants somebody to sign in.
            return "401" in str(error)
        return True

    def kill(self) -> None:
        os.kill(self.gate.pid, signal.SIGKILL)
        self.gate.wait()

    def close(self) -> None:
        for process in (self.gate, self.central):
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(5)
            process.kill()
            process.wait()
        for board in self.boards.values():
            board.close()
        self.rtsp.stop()
        self.broker.stop()
        if self.mounted:
            subprocess.run(["umount", "-l", self.data], check=False)

    # ------------------------------------------------------------ doing

    def do(self, **asked: str) -> dict[str, Any]:
        """One request to the gate process (bench_gate.BenchGate.do)."""
        assert self.gate.stdin is not None
        assert self.gate.stdout is not None
        self.gate.stdin.write(json.dumps(asked).encode() + b"\n")
        self.gate.stdin.flush()
        return json.loads(self.gate.stdout.readline())  # type: ignore[no-any-return]

    def plate(self) -> str:
        """A plate that nobody had yet."""
        return f"12C{10_000 + 37 * next(self.numbers)}"

    def arrive(self, plate: str, lane: str = B1, *, unsure: bool = False) -> None:
        """A truck stands at the boom and is read."""
        world = self.worlds[lane]
        world.arrive(TRUCK)
        until(lambda: world.inputs()["presence"], "the truck on the loop", DEADLINE_S)
        more = {"unsure": "1"} if unsure else {}
        self.do(read=plate, lane=lane, **more)

    def leave(self, lane: str = B1) -> None:
        """Whoever stands there reverses out."""
        self.worlds[lane].leave()

    def clear(self, lane: str = B1) -> bool:
        return self.worlds[lane].state().vehicle is None and bool(self.worlds[lane].inputs()["limit_closed"])

    def declare(self, plate: str, *, procedure: str = "EX-IN", step: str = "b1_out", **more: Any) -> str:
        """A declaration on the platform that lacks only this gate's own opening; its id, once the gate has it."""
        id = f"CKS-2026-{next(self.numbers):06d}"
        vehicle = Vehicle("vehicle", plate, "VN", "from_18t", "MSKU1234565", "VN0012345", "Người lái Ví Dụ", "0000")
        fields = {"vehicles": (vehicle,), "declaration_id": id, **more}
        self.publish(replace(ready(procedure, step, plate, **fields), goods=_GOODS, declarant=_DECLARANT))
        until(lambda: self.do(knows=id)["knows"], "the declaration at the gate", DEADLINE_S)
        return id

    def publish(self, declaration: Declaration) -> None:
        part = self.declarations / f"{declaration.id}.part"
        part.write_text(json.dumps(declaration_to_json(declaration), ensure_ascii=False), encoding="utf-8")
        part.replace(self.declarations / f"{declaration.id}.json")

    def watch(self, *plates: str) -> None:
        """Customs' watch list as the platform publishes it."""
        rows = [{"plate": plate, "reason": "Kiểm tra thực tế", "by": "CU"} for plate in plates]
        (self.declarations / "watchlist.json").write_text(json.dumps({"plates": rows}, ensure_ascii=False))

    def room(self, leave_kb: int | None) -> None:
        """The disk has only so much room left beyond what stands on it; None: plenty again."""
        until(lambda: self._remounted(leave_kb), "the disk takes its new size", DEADLINE_S)

    def _remounted(self, leave_kb: int | None) -> bool:
        """False where the agent wrote between the look and the new size, which must hold what stands there."""
        state = os.statvfs(self.data)
        used_kb = (state.f_blocks - state.f_bfree) * state.f_frsize // 1024
        size = "4g" if leave_kb is None else f"{used_kb + leave_kb}k"
        line = ["mount", "-o", f"remount,size={size}", str(self.data)]
        return subprocess.run(line, check=False, stderr=subprocess.DEVNULL).returncode == 0


def _mount(place: Path) -> bool:
    """A file system of its own for the record, where this user may mount one."""
    line = ["mount", "-t", "tmpfs", "-o", "size=4g", "tmpfs", str(place)]
    return subprocess.run(line, capture_output=True, check=False).returncode == 0


_GOODS = ({"name": "Sầu riêng tươi", "quantity": 18500, "unit": "kg"},)
_DECLARANT = {"name": "Công ty Ví Dụ", "tax_code": "0100000000"}
_SITE = """\
[site]
id = "demo"
name = {{ vi = "Cửa khẩu mẫu", en = "Demo gate" }}
data_dir = "{data}"
[panel]
port = {port}
[mqtt]
host = "127.0.0.1"
port = {mqtt}
client_id = "barie-screen-{{random}}"
[yard]
capacity = 20
"""
_LANE = """
[[lane]]
id = "{id}"
name = {{ vi = "Làn {id}", en = "Lane {id}" }}
place = "{place}"
direction = "{direction}"
simulated = true
match_after_s = 1.0
[[lane.camera]]
id = "{id}-front"
url = "rtsp://127.0.0.1:{rtsp}/{id}.mp4"
[lane.board]
kind = "modbus_rtu"
profile = "waveshare-8ch"
port = "{port}"
inputs = {{ presence = 1, safety_loop = 2, photocell = 3, limit_open = 4, limit_closed = 5 }}
outputs = {{ open = 1, close = 2, stop = 3 }}
[lane.barrier]
min_clear_s = 1.0
large_clear_s = 2.0
presence_off_s = 0.3
skeletal = false
open_timeout_s = 3.0
"""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One gate for a module's tests, one after the other on the same record."""
    one = House(tmp_path_factory.mktemp("house"))
    yield one
    one.close()
