"""The barrier's figures for `barie bench barrier`: from a press, or a command from the centre, to bytes at the board.

The real desk, lane, store, barrier loop, uplink and broker; the board is the simulator in a process of its own, over a
pseudo-terminal at 115200 baud, where the wire's own time is next to nothing. Two processes keep both cores busy
meanwhile, as vision does. As on a site (docs/safety.md, "Priorities") the gate comes before vision: nice -10 and +10,
where this account may.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from edge import clock, resources
from edge.agent.inbox import GateInbox
from edge.agent.lane.law import Law
from edge.config import Config, parse_config
from edge.core.plate.table import parse as parse_plates
from edge.errors import BarieError
from edge.ports import Action, Person
from edge.store import Store
from edge.store.keys import load_or_create_signer
from edge.uplink.connection import Link, LinkSettings
from edge.uplink.mailbox import Connected, Mailbox
from edge.uplink.mqtt import Uplink
from edge.uplink.topics import Topics
from firmware_io.boards import open_board
from firmware_io.loop import BarrierLoop
from firmware_io.safety import Notice
from tests.harness.bench.disk import sync_times_ms
from tests.harness.bench.load import BURNERS, NICE, busy_cores
from tests.harness.broker_process import any_broker
from tests.harness.lone_lane import lone_lane

PRESSES, COMMANDS, SYNCS = 1_000, 200, 300
WITHIN_S = 20.0
BEAT_S = 0.25
QUIET_S = 0.1
"""A person does not press in the very moment in which the boom comes to rest, while that is being recorded."""
GUARD = Person("bench", "Bench", "guard")
CONFIG = """
[site]
id = "bench"
name = {{ vi = "Đo", en = "Bench" }}
data_dir = "{folder}/agent"
[mqtt]
host = "127.0.0.1"
port = {port}
client_id = "bench-gate-{{random}}"
[[lane]]
id = "b1"
name = {{ vi = "Barie", en = "Barrier" }}
place = "b1"
direction = "out_of_area"
match_after_s = 0.1
[[lane.camera]]
id = "front"
url = "rtsp://127.0.0.1:1/none"
[lane.board]
port = "{folder}/board"
baud = 115200
inputs = {{ presence = 1, photocell = 3, limit_open = 4, limit_closed = 5 }}
outputs = {{ open = 1, close = 2, stop = 3 }}
[lane.barrier]
inputs = ["presence", "photocell", "limit_open", "limit_closed"]
pulse_s = 0.1
debounce_s = 0.05
min_clear_s = 1.0
large_clear_s = 2.0
skeletal = false
"""

Figure = dict[str, Any]


def figures(presses: int = PRESSES, commands: int = COMMANDS, burners: int = BURNERS) -> Iterator[Figure]:
    """`barrier.press_to_wire_ms_p99`, `disk_sync_ms_p99`, `command_to_wire_ms_p99` and `loop_jitter_ms_p99`."""
    with tempfile.TemporaryDirectory(prefix="barie-bench-") as name:
        folder = Path(name)
        broker = any_broker(folder)
        broker.start()
        _come_first()
        try:
            with busy_cores(burners):
                yield from asyncio.run(_figures(folder, broker.port, presses, commands, burners))
        finally:
            broker.stop()


def _come_first() -> None:
    with contextlib.suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, 0, -10)


async def _figures(folder: Path, port: int, presses: int, commands: int, burners: int) -> list[Figure]:
    config = parse_config(CONFIG.format(folder=folder, port=port), "bench")
    async with _board(folder / "board") as board, _gate(config, board) as bench:
        pressed = [await bench.press() for _ in range(presses)]
        synced = await asyncio.to_thread(sync_times_ms, folder, min(presses, SYNCS))
        with_link = _Centre(bench, port)
        await with_link.connect()
        commanded = [await with_link.command() for _ in range(commands)]
        with_link.close()
        late = bench.barrier.snapshot()
    load = f"{burners} processes busy beside it, nice {os.getpriority(os.PRIO_PROCESS, 0)} against {NICE}"
    return [
        _figure("barrier.press_to_wire_ms_p99", pressed, f"presses through desk, store and loop; {load}"),
        _figure(
            "barrier.disk_sync_ms_p99", synced, f"syncs of a commit's size on that disk, a part of each press; {load}"
        ),
        _figure("barrier.command_to_wire_ms_p99", commanded, f"MQTT commands to open, record included; {load}"),
        {
            "figure": "barrier.loop_jitter_ms_p99",
            "value": round(late.late_p99_ms, 2),
            "unit": "ms",
            "how": f"the last 1000 of {late.ticks} ticks of 50 ms; worst {late.late_max_ms:.1f} ms; {load}",
        },
    ]


def _figure(name: str, times_ms: list[float], what: str) -> Figure:
    ordered = sorted(times_ms)
    p99 = ordered[min(len(ordered) - 1, int(0.99 * len(ordered)))]
    how = f"{len(ordered)} {what}; median {ordered[len(ordered) // 2]:.2f} ms, worst {ordered[-1]:.2f} ms"
    return {"figure": name, "value": round(p99, 2), "unit": "ms", "how": how}


# ---------------------------------------------------------------- the board


class _Board:
    """The board's process, and what it told."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        self._process, self._told = process, process.stdout

    async def told_ns(self, what: str) -> int:
        """When it next told this. Raises BarieError where it does not in time."""
        try:
            async with asyncio.timeout(WITHIN_S):
                async for line in self._told:
                    word, at_ns = line.split()
                    if word == what.encode():
                        return int(at_ns)
        except TimeoutError as error:
            raise BarieError(f"bench: the board was not told to {what} within {WITHIN_S:.0f} s") from error
        raise BarieError("bench: the board's process ended")


@asynccontextmanager
async def _board(link: Path) -> AsyncIterator[_Board]:
    command = [sys.executable, "-m", "tests.harness.bench.board", str(link)]
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe)
    board = _Board(process)
    try:
        await board.told_ns("ready")
        yield board
    finally:
        process.kill()
        await process.wait()


# ---------------------------------------------------------------- the gate


class _Bench:
    """One lane's real parts, as the gate process joins them."""

    def __init__(self, config: Config, board: _Board) -> None:
        self.config, self.board = config, board
        lane, data_dir = config.lane[0], Path(config.site.data_dir)
        signer = load_or_create_signer(data_dir / "keys")
        self.store = Store.open(data_dir, site=config.site.id, lanes=[lane.id], signer=signer)
        law = Law.load(config.law, self.store, lambda: None)
        loop = asyncio.get_running_loop()

        def notify(notice: Notice) -> None:
            loop.call_soon_threadsafe(self.actor.on_notice, notice)

        self.barrier = BarrierLoop(
            lane.id, lambda: open_board(lane.board), lane.barrier, notify, clock=clock.mono_s, realtime=True
        )
        plates = parse_plates(*resources.config_text("plates.toml"))
        self.actor, self._desk = lone_lane(lane, self.store, law, self.barrier, plates, self._wake)
        self.uplink: Uplink | None = None
        inbox = GateInbox(self.store, {lane.id: self.actor}, law.knows, loop, clock_state=lambda: "synced")
        assert config.mqtt is not None
        self.uplink = Uplink(config.site.id, config.mqtt, self.store, inbox, lambda lane: {})
        self._number = 0

    def _wake(self) -> None:
        if self.uplink is not None:
            self.uplink.wake()

    async def beat(self) -> None:
        while True:
            self.barrier.beat()
            self.actor.on_tick()
            await asyncio.sleep(BEAT_S)

    async def press(self) -> float:
        """Milliseconds from the guard's press to the open pulse at the board; the boom is down again after it."""
        await self.ready()
        began_ns = clock.mono_ns()
        pressing = asyncio.create_task(self._act("override", reason="ordered"))
        took_ms = (await self.board.told_ns("open") - began_ns) / 1e6
        await pressing
        return took_ms

    async def ready(self) -> None:
        """A vehicle waits before a closed boom, and a permit would be accepted."""
        async with asyncio.timeout(WITHIN_S):
            while not self._is_ready():
                if self.barrier.snapshot().boom == "open":
                    await self._act("close")
                await asyncio.sleep(0.03)
        await asyncio.sleep(QUIET_S)

    def _is_ready(self) -> bool:
        passage, boom = self.actor.lane.passage, self.barrier.snapshot()
        waits = passage is not None and passage.state == "waiting"
        return waits and boom.boom == "closed" and boom.board_ok and not boom.faults

    async def _act(self, name: Any, reason: str = "") -> None:
        self._number += 1
        passage = self.actor.lane.passage
        action = Action(f"bench/{self._number}", name, passage.id if passage else None, GUARD, reason)
        result = await self._desk.act(action)
        if not result.done:
            raise BarieError(f"bench: {name} was refused: {result.code} {result.detail}")


@asynccontextmanager
async def _gate(config: Config, board: _Board) -> AsyncIterator[_Bench]:
    bench = _Bench(config, board)
    tasks = [asyncio.create_task(bench.actor.run()), asyncio.create_task(bench.beat())]
    bench.barrier.start()
    assert bench.uplink is not None
    bench.uplink.start()
    try:
        yield bench
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.to_thread(bench.barrier.close)
        await asyncio.to_thread(bench.uplink.stop)
        bench.store.close()


class _Centre:
    """Sends commands over the broker, as the platform does."""

    def __init__(self, bench: _Bench, port: int) -> None:
        self._bench, self._mailbox = bench, Mailbox()
        self._link = Link(LinkSettings("127.0.0.1", port, "bench-centre"), "5", self._mailbox)
        self._topic = Topics(bench.config.site.id).command(bench.config.lane[0].id)

    async def connect(self) -> None:
        assert self._bench.uplink is not None
        await asyncio.to_thread(self._open)
        async with asyncio.timeout(WITHIN_S):
            while self._bench.uplink.state()[0] != "up":
                await asyncio.sleep(0.05)

    def _open(self) -> None:
        self._link.open()
        while not isinstance(self._mailbox.take(WITHIN_S), Connected):
            pass

    async def command(self) -> float:
        """Milliseconds from publishing to the open pulse at the board."""
        await self._bench.ready()
        now = datetime.now(clock.VIETNAM).isoformat()
        body = {"id": clock.new_id(), "issued_at": now, "action": "open", "by": "bench", "reason": "bench"}
        began_ns = clock.mono_ns()
        self._link.publish(self._topic, json.dumps(body).encode())
        return (await self._bench.board.told_ns("open") - began_ns) / 1e6

    def close(self) -> None:
        self._link.close()
