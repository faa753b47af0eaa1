"""Bad input to the commands: one clear line each that says what to do. The agent starts wherever a guard could still
work."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from edge.technician.free_port import free_port
from tests.uplink.brokers import until

EXAMPLE = (Path(__file__).parents[2] / "config" / "gate.example.toml").read_text(encoding="utf-8")


def barie(*arguments: str) -> tuple[int, str, str]:
    """Exit status, standard output and standard error of a command."""
    line = [sys.executable, "-m", "edge", *arguments]
    done = subprocess.run(line, check=False, capture_output=True, text=True, timeout=90)
    return done.returncode, done.stdout, done.stderr


def gate(folder: Path, **changes: str) -> Path:
    """A gate whose camera, board and broker are all absent; `changes` replace parts of the file by name."""
    values = {"port": str(free_port()), "mqtt_port": str(free_port()), "sign_in": "demo", **changes}
    text = EXAMPLE.replace('id = "huu-nghi"', f'id = "test"\ndata_dir = "{folder / "data"}"', 1)
    text = text.replace("# port = 8080", f"port = {values['port']}")
    text = text.replace('# sign_in = "accounts"', f'sign_in = "{values["sign_in"]}"')
    text = text.replace('host = "broker.example"', f'host = "127.0.0.1"\nport = {values["mqtt_port"]}')
    text = text.replace("rtsp://192.0.2.10/stream1", f"rtsp://127.0.0.1:{free_port()}/nothing")
    text = text.replace("# simulated = false", "simulated = true")
    path = folder / "gate.toml"
    path.write_text(text.replace("/dev/serial/by-id/usb-example-if00", str(folder / "no-board")), encoding="utf-8")
    return path


@contextmanager
def running(config: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The agent as a process, and its address, once the screen answers."""
    port = next(line.split("=")[1].strip() for line in config.read_text().splitlines() if line.startswith("port ="))
    process = subprocess.Popen(
        [sys.executable, "-m", "edge", "run", "--config", str(config)], stderr=subprocess.PIPE, text=True
    )
    try:
        until(lambda: process.poll() is not None or answers(int(port)), "the screen answers", 60.0)
        assert process.poll() is None, process.stderr.read() if process.stderr else ""
        yield process, f"http://127.0.0.1:{port}"
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait(10)
        if process.stderr:
            process.stderr.close()


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def view(url: str) -> dict[str, Any]:
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
    with opener.open(f"{url}/lane/b1-out/view.json", timeout=10) as answer:
        seen: dict[str, Any] = json.load(answer)
    return seen


def test_a_missing_clip_is_named() -> None:
    status, _, said = barie("replay", "no-such-clip.mp4")
    assert status != 0
    assert "no-such-clip.mp4" in said
    assert "Traceback" not in said


def test_every_fault_of_a_config_is_one_line_with_its_key(tmp_path: Path) -> None:
    path = gate(tmp_path)
    path.write_text(path.read_text().replace('place = "b1"', 'place = "b7"\nspeed_kmh = 5'))
    status, _, said = barie("config", "check", str(path))
    assert status == 2
    lines = [line for line in said.splitlines() if line.startswith("barie:")]
    assert len(lines) == 2
    assert any("lane.0.place" in line for line in lines)
    assert any("lane.0.speed_kmh: unknown key" in line for line in lines)
    assert barie("run", "--config", str(path))[0] == 2, "and it stops the start"


def test_a_board_that_contradicts_the_config_stops_the_start(tmp_path: Path) -> None:
    path = gate(tmp_path)
    path.write_text(path.read_text().replace("presence = 1, ", ""))
    status, _, said = barie("run", "--config", str(path))
    assert status == 2
    assert "presence" in said


def test_a_taken_port_is_said_with_what_to_do(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        status, _, said = barie("run", "--config", str(gate(tmp_path, port=str(port))))
        assert status == 2
        assert f"127.0.0.1:{port}" in said
        assert "choose another" in said
        status, _, said = barie("demo", "--port", str(port))
        assert status == 2
        assert "--port" in said


def test_without_camera_board_and_broker_the_guard_can_still_see_why(tmp_path: Path) -> None:
    with running(gate(tmp_path)) as (process, url):
        until(lambda: view(url)["cameras"][0]["state"] == "down", "the camera is shown down")
        seen = view(url)
        assert seen["cameras"][0]["detail"], "and why"
        assert seen["link"]["state"] == "down"
        assert "127.0.0.1" in seen["link"]["detail"]
        assert seen["boom"]["board_ok"] is False
        assert process.poll() is None


def test_two_agents_never_share_a_record(tmp_path: Path) -> None:
    path = gate(tmp_path)
    with running(path):
        other = path.with_name("other.toml")
        port = next(line for line in path.read_text().splitlines() if line.startswith("port ="))
        other.write_text(path.read_text().replace(port, f"port = {free_port()}", 1))
        status, _, said = barie("run", "--config", str(other))
        assert status == 2
        assert "another barie runs" in said


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_cleanly_and_leaves_no_process_behind(tmp_path: Path, number: signal.Signals) -> None:
    with running(gate(tmp_path)) as (process, url):
        until(lambda: bool(children(process.pid)), "the camera process is there")
        left = children(process.pid)
        process.send_signal(number)
        assert process.wait(10) == 0
        assert not any(Path(f"/proc/{pid}").exists() for pid in left), "no orphan"
        assert "Traceback" not in (process.stderr.read() if process.stderr else "")
        assert url


def children(pid: int) -> list[int]:
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_a_gate_process_that_is_killed_leaves_no_camera_process_behind(tmp_path: Path) -> None:
    with running(gate(tmp_path)) as (process, _):
        until(lambda: bool(children(process.pid)), "the camera process is there")
        left = children(process.pid)
        os.kill(process.pid, signal.SIGKILL)
        process.wait(10)
        until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in left), "the camera process ends too")
