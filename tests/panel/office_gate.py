"""A real gate process for the pages beside the lane: board and boom on a pseudo-terminal, its record on disk, accounts;
plates are told to it (tests.harness.bench.gate), its camera is never there."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from PIL import Image
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By

from edge.demo.platform import declare, visit
from edge.panel.accounts import Accounts
from edge.technician.free_port import free_port
from firmware_io.sim import SimBoard
from firmware_io.sim_world import SimVehicle, World
from tests.panel.browser import until

LANE = "b1-out"
PIN = {"BP-0001": "502938", "BP-0002": "719354", "KT-0001": "840261", "KY-0001": "640281"}
PEOPLE = (
    ("BP-0001", "Nguyễn Thị Mẫu", "guard"),
    ("BP-0002", "Lò Văn Ví Dụ", "guard"),
    ("KT-0001", "Kiểm tra Mẫu", "auditor"),
    ("KY-0001", "Kỹ thuật Mẫu", "technician"),
)
DEADLINE_S = 120.0
"""A machine that is loaded ten times over still gets there; a test that waits this long has found a fault."""


class OfficeHouse:
    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.world = World()
        self.board = SimBoard(self.world, link=folder / "board")
        self.board.start()
        self.config = folder / "gate.toml"
        self.config.write_text(self._toml(), encoding="utf-8")
        for name in ("photo", "crop"):
            Image.new("RGB", (320, 180), (96, 104, 110)).save(folder / f"{name}.jpg")
        accounts = Accounts(folder / "agent" / "accounts.db")
        for id, name, role in PEOPLE:
            accounts.add(id, name, role, PIN[id])
        accounts.close()
        self._declared = 0
        self.start()

    def _toml(self) -> str:
        return f"""\
[site]
id = "demo"
name = {{ vi = "Cửa khẩu mẫu", en = "Demo gate" }}
data_dir = "{self.folder / "agent"}"
[panel]
port = {self.port}
[law]
overstay_s = 60
copy_age_limit_s = 400000000
[[lane]]
id = "{LANE}"
name = {{ vi = "Barie 01 – chiều ra", en = "Barrier 1 – outbound" }}
place = "b1"
direction = "out_of_area"
simulated = true
[[lane.camera]]
id = "front"
url = "rtsp://127.0.0.1:{free_port()}/none"
[lane.board]
kind = "modbus_rtu"
profile = "waveshare-8ch"
port = "{self.board.port}"
inputs = {{ presence = 1, safety_loop = 2, photocell = 3, limit_open = 4, limit_closed = 5 }}
outputs = {{ open = 1, close = 2, stop = 3 }}
"""

    def start(self) -> None:
        command = [sys.executable, "-m", "tests.harness.bench.gate", str(self.config)]
        with (self.folder / "gate.log").open("ab") as log:
            self.gate = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log)
        self.wait(self._up, "the gate process is up")

    def _up(self) -> bool:
        assert self.gate.poll() is None, (self.folder / "gate.log").read_text()[-2000:]
        try:
            with urllib.request.urlopen(f"{self.url}/healthz", timeout=2) as answer:  # noqa: S310 - our own process
                return bool(answer.status == 200)
        except OSError:
            return False

    def kill(self) -> None:
        self.gate.kill()
        self.gate.wait()

    def close(self) -> None:
        self.gate.terminate()
        try:
            self.gate.wait(10)
        except subprocess.TimeoutExpired:
            self.kill()
        self.board.close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @staticmethod
    def wait(condition: Callable[[], object], what: str) -> None:
        deadline_s = time.monotonic() + DEADLINE_S
        while not condition():
            assert time.monotonic() < deadline_s, f"{what}: not within {DEADLINE_S:g} s"
            time.sleep(0.05)

    def do(self, **asked: str) -> dict[str, Any]:
        assert self.gate.stdin is not None
        assert self.gate.stdout is not None
        self.gate.stdin.write(json.dumps(asked).encode() + b"\n")
        self.gate.stdin.flush()
        return json.loads(self.gate.stdout.readline())  # type: ignore[no-any-return]

    # ------------------------------------------------------------ vehicles

    def declares(self, plate: str) -> None:
        """Everything before the guard's own opening stands."""
        self._declared += 1
        folder = self.folder / "declarations"
        folder.mkdir(exist_ok=True)
        known = visit("b1-out-vn-two-line")
        assert known is not None
        self.do(declare=str(declare(replace(known, plate=plate), folder, self._declared)))

    def arrives(self, plate: str) -> None:
        self.world.arrive(SimVehicle())
        self.wait(lambda: self.world.inputs()["presence"], "the vehicle is on the loop")
        self.do(read=plate)

    def gone(self) -> bool:
        vehicle = self.world.state().vehicle
        return vehicle is None or vehicle.phase == "gone"

    def events(self, kind: str) -> list[dict[str, Any]]:
        """Bodies on record, oldest first."""
        with closing(sqlite3.connect(f"file:{self.folder / 'agent' / 'barie.db'}?mode=ro", uri=True)) as db:
            rows = db.execute("SELECT payload FROM event WHERE kind = ? ORDER BY seq", (kind,)).fetchall()
        return [json.loads(payload)["body"] for (payload,) in rows]

    # ------------------------------------------------------------ people

    def sign_in(self, page: Chrome, person: str) -> None:
        page.execute_cdp_cmd("Network.clearBrowserCookies", {})
        page.get(f"{self.url}/sign-in")
        page.execute_script(
            "document.querySelector(`input[value='${arguments[0]}']`).checked = true;"
            "document.getElementById('pin').value = arguments[1]; document.forms[0].requestSubmit()",
            person,
            PIN[person],
        )
        until(page, lambda it: "/lane/" in it.current_url, "the lane after signing in")


def text(page: Chrome, css: str) -> str:
    return " ".join(one.text for one in page.find_elements(By.CSS_SELECTOR, css))
