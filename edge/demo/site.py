"""`barie sim --site FOLDER`: a whole simulated site around an agent that is installed as at a real one.

The road, the boom and its board (FOLDER/board-b1-out), the camera (rtsp://127.0.0.1:8554/b1-out.mp4), a broker on
127.0.0.1:1883 and the platform's stand-in; trucks come and go. `config/examples/simulated.answers.toml` has the answers
for its `barie setup`. For trying an installation: nothing here listens beyond this machine.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from edge.demo import lane as demo_lane
from edge.demo.broker import EmbeddedBroker
from edge.demo.camera import RtspServer
from edge.demo.guard import Panel
from edge.demo.lane import LaneWorld
from edge.demo.run import deaf_to_ctrl_c

SITE = "simulated"


class _Unseen(Panel):
    """Drivers here cannot see the screen: they wait until the boom opens."""

    async def view(self, lane: str) -> dict[str, Any]:
        return {"passage": None}


def run(folder: Path, rtsp_port: int, mqtt_port: int, panel_port: int) -> int:
    """Until SIGTERM or Ctrl-C. Raises BarieError where a port is taken or the demo's parts are not installed."""
    folder.mkdir(parents=True, exist_ok=True)
    asyncio.run(_site(folder, rtsp_port, mqtt_port, panel_port))
    return 0


async def _site(folder: Path, rtsp_port: int, mqtt_port: int, panel_port: int) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    declarations = folder / "declarations"
    declarations.mkdir(exist_ok=True)
    with contextlib.ExitStack() as parts:
        world = LaneWorld(demo_lane.SHOWS[0], folder)
        parts.callback(world.close)
        rtsp = RtspServer(folder / "video", rtsp_port)
        await asyncio.to_thread(rtsp.start)
        parts.callback(rtsp.stop)
        broker = EmbeddedBroker(mqtt_port, folder)
        await asyncio.to_thread(deaf_to_ctrl_c, broker.start)
        parts.callback(broker.stop)
        parts.callback(_end, _central(folder, declarations, mqtt_port))
        print(f"sim: ready: board {world.board.port}, camera {rtsp.url('b1-out')}, broker 127.0.0.1:{mqtt_port}")
        print("sim: Ctrl-C ends it", flush=True)
        playing = asyncio.create_task(world.play(_Unseen(panel_port), declarations))
        await asyncio.wait([playing, asyncio.create_task(stop.wait())], return_when=asyncio.FIRST_COMPLETED)
        playing.cancel()
        await asyncio.gather(playing, return_exceptions=True)


def _central(folder: Path, declarations: Path, mqtt_port: int) -> subprocess.Popen[bytes]:
    arguments = ["--broker", f"127.0.0.1:{mqtt_port}", "--site", SITE, "--declarations", str(declarations)]
    line = [sys.executable, "-m", "edge", "--log-level", "warning", "central", *arguments]
    return subprocess.Popen([*line, "--db", str(folder / "central.db")], stdout=subprocess.DEVNULL)


def _end(child: subprocess.Popen[bytes]) -> None:
    child.terminate()
    try:
        child.wait(5)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
