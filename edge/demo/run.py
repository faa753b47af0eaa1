"""`barie demo`: the whole job in a world of its own. Every link is real; only the road, the boom and the people are
simulated.

One process holds the world (boards on pseudo-terminals, vehicles, what the cameras show); the broker, the RTSP
server, the platform's stand-in and the agent are processes of their own, as at a site.
"""

from __future__ import annotations

import asyncio
import ctypes
import json
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from edge.demo import lane
from edge.demo.broker import EmbeddedBroker
from edge.demo.camera import RtspServer
from edge.demo.count import Count, count
from edge.demo.guard import Panel, ScriptedGuard
from edge.demo.lane import LaneWorld
from edge.errors import BarieError
from edge.technician.free_port import free_port

SITE = "demo"
UP_WITHIN_S = 60.0
DRAIN_WITHIN_S = 15.0
END_WITHIN_S = 1.5
KEEP_S = 86_400
_PR_SET_PDEATHSIG = 1


def run(seconds: float | None, *, headless: bool, port: int) -> int:
    """Until Ctrl-C, or for `seconds` once everything is up. Exit 0 where every event was acknowledged and, headless,
    vehicles got through. Raises BarieError in one line where something is missing or taken."""
    _check_port(port)
    folder = Path(tempfile.mkdtemp(prefix="barie-demo-"))
    try:
        return asyncio.run(_Demo(folder, port, headless=headless).run(seconds))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class _Demo:
    def __init__(self, folder: Path, port: int, *, headless: bool) -> None:
        self._folder = folder
        self._port = port
        self._headless = headless
        self._declarations = folder / "declarations"
        self._declarations.mkdir()
        self._children: list[subprocess.Popen[bytes]] = []
        self._stop = asyncio.Event()

    async def run(self, seconds: float | None) -> int:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        say("demo: starting the camera's RTSP server, the broker and the platform's stand-in …")
        mqtt_port, rtsp_port = free_port(), free_port()
        broker = EmbeddedBroker(mqtt_port, self._folder)
        rtsp = RtspServer(self._folder / "video", rtsp_port)
        worlds: list[LaneWorld] = []
        try:
            worlds = [await asyncio.to_thread(LaneWorld, show, self._folder) for show in lane.SHOWS]
            await asyncio.to_thread(rtsp.start)
            await asyncio.to_thread(deaf_to_ctrl_c, broker.start)
            self._spawn("central", "central", *self._central_arguments(mqtt_port))
            config = lane.write_config(self._folder, worlds, self._port, mqtt_port, rtsp_port, keep_s=KEEP_S)
            say("demo: starting the agent and loading the models …")
            self._spawn("agent", "run", "--config", str(config))
            return await self._visit(worlds, seconds)
        finally:
            for world in worlds:
                world.close()
            await asyncio.to_thread(self._end_children)
            await asyncio.to_thread(rtsp.stop)
            await asyncio.to_thread(broker.stop)

    async def _visit(self, worlds: Sequence[LaneWorld], seconds: float | None) -> int:
        async with Panel(self._port) as panel:
            if not await self._up(panel, worlds):
                return 128 + signal.SIGINT
            say(f"demo: ready: http://127.0.0.1:{self._port} shows the guard's screen; Ctrl-C ends it")
            guard = ScriptedGuard(panel) if self._headless else None
            tasks = [asyncio.create_task(world.play(panel, self._declarations)) for world in worlds]
            if guard:
                tasks += [asyncio.create_task(guard.watch(world.show.lane)) for world in worlds if world.show.guarded]
            try:
                await self._wait(seconds, tasks)
                for world in worlds:
                    world.last_visit()
                return await self._finish(panel, tasks, worlds) if self._headless else 0
            finally:  # before the agent ends: they ask its screen
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    async def _wait(self, seconds: float | None, tasks: list[asyncio.Task[None]]) -> None:
        stopped = asyncio.create_task(self._stop.wait())
        try:
            done, _ = await asyncio.wait([stopped, *tasks], timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopped.cancel()
        for task in done - {stopped}:
            task.result()

    async def _finish(self, panel: Panel, tasks: list[asyncio.Task[None]], worlds: Sequence[LaneWorld]) -> int:
        """Let the visits in progress end, wait until the centre has everything, and print the one summary line."""
        plays = tasks[: len(worlds)]
        if not self._stop.is_set():
            await asyncio.wait(plays, timeout=DRAIN_WITHIN_S)
        for task in tasks:
            task.cancel()
        await panel.wait_drained([world.show.lane for world in worlds], DRAIN_WITHIN_S)
        await asyncio.to_thread(self._end_children)
        result: Count = count(
            self._folder / "agent", self._folder / "central.db", [world.show.lane for world in worlds]
        )
        print(json.dumps(result.as_json(), ensure_ascii=False), flush=True)
        return 0 if result.good else 1

    async def _up(self, panel: Panel, worlds: Sequence[LaneWorld]) -> bool:
        """Wait for the screen and the cameras, telling what is still missing; False where something ended or time ran
        out."""
        waited_s = 0.0
        while not self._stop.is_set():
            for child in self._children:
                if child.poll() is not None:
                    raise BarieError(
                        f"demo: a part ended by itself with status {child.returncode}; its message stands above"
                    )
            missing = await panel.missing([world.show.lane for world in worlds])
            if not missing:
                return True
            if waited_s >= UP_WITHIN_S:
                raise BarieError(f"demo: not up after {UP_WITHIN_S:.0f} s: {', '.join(missing)}")
            if waited_s and waited_s % 5 == 0:
                say(f"demo: waiting for {', '.join(missing)} ({waited_s:.0f} s)")
            await asyncio.sleep(0.5)
            waited_s += 0.5
        return False

    def _central_arguments(self, mqtt_port: int) -> list[str]:
        return [
            "--broker",
            f"127.0.0.1:{mqtt_port}",
            "--site",
            SITE,
            "--declarations",
            str(self._declarations),
            "--db",
            str(self._folder / "central.db"),
        ]

    def _spawn(self, name: str, command: str, *arguments: str) -> None:
        """A part of its own, which ends with us however we end."""
        line = [sys.executable, "-m", "edge", "--log-level", "warning", command, *arguments]
        output = (self._folder / f"{name}.log").open("wb")
        self._children.append(subprocess.Popen(line, stdout=output, preexec_fn=_end_with_parent))  # noqa: PLW1509 - no threads hold locks here

    def _end_children(self) -> None:
        for child in self._children:
            if child.poll() is None:
                child.terminate()
        for child in self._children:
            try:
                child.wait(END_WITHIN_S)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()


def deaf_to_ctrl_c(start: Callable[[], None]) -> None:
    """What `start` spawns never hears Ctrl-C, which the terminal sends to every process: ending it is ours, in order.

    A child inherits the signals that its thread blocks. Not for the main thread, which has to hear it.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _check_port(port: int) -> None:
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError as error:
        raise BarieError(
            f"--port: 127.0.0.1:{port} cannot be used ({error.strerror}): choose another with --port"
        ) from error


def _end_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is ours to pass on, in order
