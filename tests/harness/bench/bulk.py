"""`barie bench bulk`: a guard's presses and the centre's commands while the centre changes every declaration at once
and floods the lane with commands.

The real desk, lane, store, uplink and broker as in bench_barrier; the flood comes from a process of its own. `hold` and
its release are timed from the press to the record on disk, which is the answer; `stop` to its bytes at the board, and
`hold`, which sends nothing, until the barrier loop goes by it. Both come as presses and as commands over the broker.
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import tempfile
from collections.abc import Iterator
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from edge import clock, resources
from edge.config import parse_config
from edge.core.law.rules import parse_rules
from edge.errors import BarieError
from edge.uplink.connection import Link, LinkSettings
from edge.uplink.mailbox import Connected, Mailbox, Published
from edge.uplink.topics import Topics
from firmware_io.loop import BarrierLoop, Snapshot
from tests.harness.bench.barrier import CONFIG, WITHIN_S, Figure, _Bench, _board, _come_first, _figure, _gate
from tests.harness.broker_process import any_broker

DECLARATIONS, COMMANDS = 200_000, 3_000
FIGURES = {
    "press_to_record_ms_p99": "presses of hold and of its release, to their record on disk,",
    "hold_press_ms_p99": "presses of hold, until the barrier goes by it,",
    "stop_press_to_wire_ms_p99": "presses of stop, to the board's input,",
    "hold_command_ms_p99": "commands to hold over the broker, until the barrier goes by it,",
    "stop_command_to_wire_ms_p99": "commands to stop over the broker, to the board's input,",
}
WINDOW = 80
"""How many of the flood's messages the broker may owe an answer for."""
PAUSE_S = 0.05
MOST_S = 900.0


def figures(declarations: int = DECLARATIONS, commands: int = COMMANDS) -> Iterator[Figure]:
    """The figures named in `FIGURES`, and `bulk.memory_mb`. Raises BarieError where the flood does not arrive."""
    with tempfile.TemporaryDirectory(prefix="barie-bench-") as name:
        folder = Path(name)
        broker = any_broker(folder)
        broker.start()
        _come_first()
        try:
            yield from asyncio.run(_figures(folder, broker.port, declarations, commands))
        finally:
            broker.stop()


async def _figures(folder: Path, port: int, declarations: int, commands: int) -> list[Figure]:
    config = parse_config(CONFIG.format(folder=folder, port=port), "bench")
    async with _board(folder / "board") as board, _gate(config, board) as bench:
        await bench.ready()
        assert bench.uplink is not None
        while bench.uplink.state()[0] != "up":
            await asyncio.sleep(PAUSE_S)
        began_s, before_mb = clock.mono_s(), _peak_mb()
        line = ["nice", "-n", "10", sys.executable, "-m", __name__, str(port), str(declarations), str(commands)]
        flood = await asyncio.create_subprocess_exec(*line)
        day = _Day(bench, port)
        try:
            await day.until_all_is_there(declarations)
        finally:
            day.close()
            if flood.returncode is None:
                flood.kill()
            await flood.wait()
    load = f"while {declarations} declarations changed and {commands} commands came"
    found = [_figure(f"bulk.{name}", times_ms, f"{FIGURES[name]} {load}") for name, times_ms in day.times_ms.items()]
    return [*found, *_whole(declarations, clock.mono_s() - began_s, before_mb, load)]


def _whole(declarations: int, took_s: float, before_mb: float, load: str) -> list[Figure]:
    memory = {
        "figure": "bulk.memory_mb", "value": round(_peak_mb(), 1), "unit": "MiB",
        "how": f"peak of the gate process without vision {load}; {before_mb:.1f} before it",
    }  # fmt: skip
    rate = {
        "figure": "bulk.declarations_per_s", "value": round(declarations / took_s, 1), "unit": "1/s",
        "how": f"taken in and stored, {took_s:.1f} s in all, presses and commands beside it",
    }  # fmt: skip
    return [memory, rate]


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


class _Day:
    """A guard who presses and a centre that commands, in turn, until the flood is over."""

    def __init__(self, bench: _Bench, port: int) -> None:
        self.times_ms: dict[str, list[float]] = {name: [] for name in FIGURES}
        self._bench, self._port = bench, port
        self._mailbox, self._topics = Mailbox(), Topics("bench")
        self._centre = Link(LinkSettings("127.0.0.1", port, "bench-centre"), "5", self._mailbox)
        self._held = _Held(bench.barrier)

    def close(self) -> None:
        self._centre.close()

    async def until_all_is_there(self, declarations: int) -> None:
        await asyncio.to_thread(self._connect)
        until_s = clock.mono_s() + MOST_S
        rounds = 0
        while rounds < 2 or await asyncio.to_thread(_count, self._bench) < declarations:
            if clock.mono_s() > until_s:
                raise BarieError(f"bench bulk: the flood did not arrive within {MOST_S:.0f} s")
            rounds += 1
            await self._hold_press()
            await self._stop_press()
            await self._stop_command()
            await self._hold_command()

    def _connect(self) -> None:
        self._centre.open()
        while not isinstance(self._mailbox.take(10.0), Connected):
            pass

    async def _hold_press(self) -> None:
        self._held.forget()
        began_ns = clock.mono_ns()
        await self._bench._act("hold")
        self._note("press_to_record_ms_p99", began_ns, clock.mono_ns())
        self._note("hold_press_ms_p99", began_ns, await self._held.since_ns())
        await self._release()

    async def _release(self) -> None:
        began_ns = clock.mono_ns()
        await self._bench._act("release_hold")
        self._note("press_to_record_ms_p99", began_ns, clock.mono_ns())
        await asyncio.sleep(PAUSE_S)

    async def _stop_press(self) -> None:
        began_ns = clock.mono_ns()
        pressing = asyncio.create_task(self._bench._act("stop"))
        self._note("stop_press_to_wire_ms_p99", began_ns, await self._bench.board.told_ns("stop"))
        await pressing
        await asyncio.sleep(PAUSE_S)

    async def _stop_command(self) -> None:
        began_ns = self._command("stop")
        self._note("stop_command_to_wire_ms_p99", began_ns, await self._bench.board.told_ns("stop"))
        await asyncio.sleep(PAUSE_S)

    async def _hold_command(self) -> None:
        self._held.forget()
        began_ns = self._command("hold")
        self._note("hold_command_ms_p99", began_ns, await self._held.since_ns())
        await self._release()

    def _command(self, action: str) -> int:
        """When it was sent."""
        while self._mailbox.take(0.0) is not None:  # keeps the connection alive, too
            pass
        payload, topic = _command(action), self._topics.command("b1")
        began_ns = clock.mono_ns()
        self._centre.publish(topic, payload, expiry_s=2)
        return began_ns

    def _note(self, name: str, began_ns: int, then_ns: int) -> None:
        self.times_ms[name].append((then_ns - began_ns) / 1e6)


class _Held:
    """When the barrier loop began to go by a hold: told on its own thread, behind the tick's write."""

    def __init__(self, barrier: BarrierLoop) -> None:
        self._since_ns, look = 0, barrier._look

        def telling() -> Snapshot:
            snapshot = look()
            self._since_ns = (self._since_ns or clock.mono_ns()) if snapshot.held else 0
            return snapshot

        setattr(barrier, "_look", telling)  # noqa: B010 - a method, and mypy knows it

    def forget(self) -> None:
        self._since_ns = 0

    async def since_ns(self) -> int:
        async with asyncio.timeout(WITHIN_S):
            while not self._since_ns:
                await asyncio.sleep(0.001)
        return self._since_ns


def _count(bench: _Bench) -> int:
    return int(bench.store._read(lambda db: db.execute("SELECT count(*) FROM declaration").fetchone()[0]))


def _flood(port: int, declarations: int, commands: int) -> None:
    """What the centre sends, commands spread among the declarations."""
    mailbox, topics = Mailbox(), Topics("bench")
    link = Link(LinkSettings("127.0.0.1", port, "bench-flood"), "5", mailbox)
    link.open()
    while not isinstance(mailbox.take(10.0), Connected):
        pass
    every, waiting = max(1, declarations // max(1, commands)), 0
    for number in range(declarations):
        link.publish(topics.declaration(f"N-{number}"), _declaration(number))
        waiting += 1
        if number % every == 0 and number // every < commands:
            link.publish(topics.command("b1"), _command("open"))
            waiting += 1
        while waiting > (WINDOW if number + 1 < declarations else 0):
            waiting -= isinstance(mailbox.take(1.0), Published)
    link.close()


@cache
def _procedure() -> str:
    """Any of the table's."""
    return next(iter(parse_rules(*resources.config_text("procedures.toml")).procedures))


def _declaration(number: int) -> bytes:
    """Invented."""
    vehicle = {"role": "vehicle", "plate": f"12C-{number % 1000:03}.{number // 1000 % 100:02}", "country": "VN"}
    at = datetime.now(clock.VIETNAM).isoformat()
    body: dict[str, Any] = {"id": f"N-{number}", "version": 1, "state": "active", "procedure": _procedure()}
    return json.dumps({**body, "declared_at": at, "vehicles": [vehicle]}).encode()


def _command(action: str) -> bytes:
    at = datetime.now(clock.VIETNAM).isoformat()
    return json.dumps({"id": clock.new_id(), "issued_at": at, "action": action, "by": "bench", "reason": "b"}).encode()


if __name__ == "__main__":
    _flood(*map(int, sys.argv[1:4]))
