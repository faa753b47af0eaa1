"""A real agent to attack on loopback (simulated boom, no camera that answers, no broker, accounts), and its guard."""

from __future__ import annotations

import http.client
import json
import os
import re
import resource
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlencode
from uuid import uuid4

from edge.demo import lane as demo_lane
from edge.demo.lane import LaneWorld
from edge.panel.accounts import Accounts
from edge.technician.free_port import free_port

LANE, PIN = "b1-out", "502938"
GUARD, LEADER, OPERATOR, CUSTOMS, TECHNICIAN, AUDITOR = "g-1", "l-1", "o-1", "c-1", "t-1", "a-1"
PEOPLE = {
    GUARD: "guard",
    LEADER: "shift_leader",
    OPERATOR: "yard_operator",
    CUSTOMS: "customs",
    TECHNICIAN: "technician",
    AUDITOR: "auditor",
}
WITHIN_S = 60.0
NICE = -10
"""Of the gate's unit: before vision and whatever else runs on the machine."""


class Gate:
    """`barie run` and all that belongs to it. `files`: how many it may have open, as its unit says."""

    def __init__(self, folder: Path, *, files: int = 4096, lanes: int = 1) -> None:
        self.folder, self.port, self.metrics_port = folder, free_port(), free_port()
        self.data = folder / "agent"
        self.worlds = [LaneWorld(show, folder) for show in demo_lane.SHOWS[:lanes]]
        self.config = demo_lane.write_config(folder, self.worlds, self.port, free_port(), free_port())
        text = self.config.read_text(encoding="utf-8").replace('sign_in = "demo"\n', "")
        text = re.sub(r"\[mqtt\].*?(?=\n\[)", "", text, flags=re.DOTALL)
        self.config.write_text(text.replace("[store]", f"[metrics]\nport = {self.metrics_port}\n\n[store]"))
        accounts = Accounts(self.data / "accounts.db")
        for id, role in PEOPLE.items():
            accounts.add(id, f"Người Ví Dụ {id}", role, PIN)
        accounts.close()
        self._files = files
        self.start()

    def start(self) -> None:
        with (self.folder / "log").open("ab") as log:
            line = [sys.executable, "-m", "edge", "run", "--config", str(self.config)]
            self.process = subprocess.Popen(line, stderr=log, stdout=log)
        resource.prlimit(self.process.pid, resource.RLIMIT_NOFILE, (self._files, self._files))
        with suppress(PermissionError):  # as its unit says, where this user may
            os.setpriority(os.PRIO_PROCESS, self.process.pid, NICE)
        end_s = time.monotonic() + WITHIN_S
        while not self.answers():
            if self.process.poll() is not None or time.monotonic() > end_s:
                raise RuntimeError(f"the agent did not come up: {self.log()[-2000:]}")
            time.sleep(0.1)

    def answers(self) -> bool:
        try:
            return Caller(self.port).get("/healthz")[0] == 200
        except OSError:
            return False

    def alive(self) -> bool:
        return self.process.poll() is None

    def memory_mb(self) -> float:
        text = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        found = re.search(r"VmRSS:\s+(\d+) kB", text)
        return int(found[1]) / 1024 if found else 0.0

    def log(self) -> str:
        return (self.folder / "log").read_text(encoding="utf-8", errors="replace")

    def metrics(self) -> str:
        connection = http.client.HTTPConnection("127.0.0.1", self.metrics_port, timeout=20)
        connection.request("GET", "/metrics")
        return connection.getresponse().read().decode()

    def figure(self, name: str) -> float:
        rows = [line for line in self.metrics().splitlines() if line.startswith(name)]
        return max(float(row.rpartition(" ")[2]) for row in rows)

    def close(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        for world in self.worlds:
            world.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *told: object) -> None:
        self.close()


class Caller:
    """Somebody on loopback with a browser's manners: cookies kept; with `keeps` its connection too, and a new one where
    the old one is gone; else a new one for each request."""

    def __init__(self, port: int, timeout_s: float = 30.0, *, keeps: bool = False) -> None:
        self.port, self.timeout_s, self.keeps = port, timeout_s, keeps
        self._kept: http.client.HTTPConnection | None = None
        self.cookies: dict[str, str] = {}
        self.csrf = ""

    def ask(
        self, method: str, path: str, body: bytes | None = None, **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        told = {**({} if self.keeps else {"Connection": "close"}), **({"Cookie": cookies} if cookies else {})}
        if self.csrf:
            told["X-CSRF-Token"] = self.csrf
        told |= {name.replace("_", "-"): text for name, text in headers.items()}
        try:
            answer, given = self._ask(method, path, body, told)
        except (http.client.BadStatusLine, ConnectionError):
            if self._kept is None:
                raise
            self._kept.close()
            self._kept = None
            answer, given = self._ask(method, path, body, told)
        for name, text in answer.getheaders():
            if name.lower() == "set-cookie":
                key, _, value = text.partition(";")[0].partition("=")
                self.cookies[key] = value
        return answer.status, dict(answer.getheaders()), given

    def _ask(
        self, method: str, path: str, body: bytes | None, headers: dict[str, str]
    ) -> tuple[http.client.HTTPResponse, bytes]:
        connection = self._kept or http.client.HTTPConnection("127.0.0.1", self.port, timeout=self.timeout_s)
        if self.keeps:
            self._kept = connection
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer, answer.read()
        finally:
            if not self.keeps:
                connection.close()

    def get(self, path: str) -> tuple[int, dict[str, str], bytes]:
        return self.ask("GET", path)

    def post(self, path: str, body: Any) -> tuple[int, Any]:
        status, _, given = self.ask("POST", path, json.dumps(body).encode(), Content_Type="application/json")
        try:
            return status, json.loads(given)
        except ValueError:
            return status, given

    def sign_in(self, id: str, pin: str = PIN, lane: str = LANE) -> int:
        """303 where it was taken. Then `csrf` is the page's own token."""
        found = re.search(rb'name="token" value="([^"]+)"', self.get("/sign-in")[2])
        form = {"token": found[1].decode() if found else "", "id": id, "pin": pin, "next": f"/lane/{lane}"}
        status, _, _ = self.ask(
            "POST", "/sign-in", urlencode(form).encode(), Content_Type="application/x-www-form-urlencoded"
        )
        if status == 303:
            page = self.get(f"/lane/{lane}")[2].decode()
            boot = re.search(r'<script type="application/json" id="boot">(.*?)</script>', page, re.DOTALL)
            self.csrf = str(json.loads(boot[1])["csrf"]) if boot else ""
        return status

    def press(self, name: str, lane: str = LANE, **more: Any) -> tuple[int, Any]:
        body = {"key": str(uuid4()), "name": name, "passage": None, **more}
        return self.post(f"/lane/{lane}/action", body)
