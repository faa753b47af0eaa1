"""`barie bench bulk`: a guard's press while the centre changes every declaration at once and floods the lane with
commands.

The real desk, lane, store, uplink and broker as in bench_barrier; the flood comes from a process of its own. Presses
are `hold` and its release in turn: each is timed from the press to its record on disk, the answer.
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
from edge.core.rules import parse_rules
from edge.errors import BarieError
from edge.technician.bench_barrier import CONFIG, Figure, _Bench, _board, _figure, _gate
from edge.technician.broker_process import any_broker
from edge.uplink.link import Link, LinkSettings
from edge.uplink.mailbox import Connected, Mailbox, Published
from edge.uplink.topics import Topics

DECLARATIONS, COMMANDS = 200_000, 3_000
WINDOW = 80
"""How many of the flood's messages the broker may owe an answer for."""
PAUSE_S = 0.05
MOST_S = 900.0


def figures(declarations: int = DECLARATIONS, commands: int = COMMANDS) -> Iterator[Figure]:
    """`bulk.press_to_record_ms_p99` and `bulk.memory_mb`. Raises BarieError where the flood does not arrive."""
    with tempfile.TemporaryDirectory(prefix="barie-bench-") as name:
        folder = Path(name)
        broker = any_broker(folder)
        broker.start()
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
        line = [sys.executable, "-m", __name__, str(port), str(declarations), str(commands)]
        flood = await asyncio.create_subprocess_exec(*line)
        try:
            times_ms = await _press_until_all_is_there(bench, declarations)
        finally:
            if flood.returncode is None:
                flood.kill()
            await flood.wait()
    what = f"presses recorded while {declarations} declarations changed and {commands} commands came"
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    how = f"peak of the gate process without vision, after {declarations} declarations and {commands} commands"
    memory = {"figure": "bulk.memory_mb", "value": round(peak_mb, 1), "unit": "MiB", "how": how}
    return [_figure("bulk.press_to_record_ms_p99", times_ms, what), memory]


async def _press_until_all_is_there(bench: _Bench, declarations: int) -> list[float]:
    times_ms: list[float] = []
    until_s = clock.mono_s() + MOST_S
    while len(times_ms) < 2 or await asyncio.to_thread(_count, bench) < declarations:
        if clock.mono_s() > until_s:
            raise BarieError(f"bench bulk: the flood did not arrive within {MOST_S:.0f} s")
        for name in ("hold", "release_hold"):
            began_ns = clock.mono_ns()
            await bench._act(name)
            times_ms.append((clock.mono_ns() - began_ns) / 1e6)
            await asyncio.sleep(PAUSE_S)
    return times_ms


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
            link.publish(topics.command("b1"), _command())
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


def _command() -> bytes:
    at = datetime.now(clock.VIETNAM).isoformat()
    return json.dumps({"id": clock.new_id(), "issued_at": at, "action": "hold", "by": "bench", "reason": "b"}).encode()


if __name__ == "__main__":
    _flood(*map(int, sys.argv[1:4]))
