"""A camera's process that the service manager starts for a connection (barie-camera.socket), by systemd's own program
that listens as the unit does: seen, settled, ended with its connection; the gate's own child where there is none."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from edge.agent.cameras.supervisor import SOCKET_ENV, CameraProcess

ACTIVATE = shutil.which("systemd-socket-activate")
CLIP = Path("sample_videos/b1-out-vn-two-line.mp4").resolve()
SETTINGS = {"camera": "front", "url": str(CLIP), "reader": "own", "threads": 1}

pytestmark = pytest.mark.vision


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    if ACTIVATE is None:
        pytest.skip("no systemd-socket-activate on this machine")
    path = tmp_path / "socket"
    worker = [sys.executable, "-m", "edge.vision.worker", "--fd", "0"]
    line = [
        ACTIVATE,
        "--accept",
        "--inetd",
        "-l",
        str(path),
        "-E",
        f"PYTHONPATH={Path.cwd()}",
        "-E",
        f"HOME={tmp_path}",
    ]
    listens = subprocess.Popen([*line, *worker], stderr=subprocess.DEVNULL)
    monkeypatch.setenv(SOCKET_ENV, str(path))
    yield path
    listens.kill()
    listens.wait()


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "zombie" not in Path(f"/proc/{pid}/status").read_text()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(90):
        while not condition():
            await asyncio.sleep(0.05)


def test_a_called_process_is_no_child_of_the_gate_and_ends_with_its_connection(place: Path) -> None:
    async def story() -> tuple[int | None, list[int]]:
        process = CameraProcess("front", SETTINGS, lambda *_: None, lambda *_: None, lambda: None)
        await until(place.exists)
        running = asyncio.create_task(process.run())
        pids = []
        await until(lambda: process.view.jpeg is not None)
        pids.append(int(process.hello["pid"]))
        child = process.pid
        process.use({**SETTINGS, "threads": 2})  # other settings: another process
        await until(lambda: not alive(pids[0]) and bool(process.hello) and process.hello["pid"] != pids[0])
        pids.append(int(process.hello["pid"]))
        await process.stop()
        await running
        await until(lambda: not alive(pids[1]))
        return child, pids

    child, pids = asyncio.run(story())
    assert child is None
    assert len(set(pids)) == 2


def test_where_nobody_listens_the_gate_starts_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SOCKET_ENV, str(tmp_path / "none"))

    async def story() -> None:
        process = CameraProcess("front", SETTINGS, lambda *_: None, lambda *_: None, lambda: None)
        running = asyncio.create_task(process.run())
        await until(lambda: process.view.jpeg is not None)
        assert process.pid == process.hello["pid"]
        await process.stop()
        await running

    asyncio.run(story())
