"""Everybody at the port at once: silent connections, slow bodies, streams and chunked gigabytes, while a guard presses.

    python -m tests.site.attacks.crowd [--silent 4000] [--slow 1000] [--streams 1000] [--chunked 8] [--seconds 30]

Starts an agent of its own on loopback, attacks it from processes of its own, and prints one JSON line: presses and how
long the record of each took, memory before and at most, restarts, the boom loop's lateness before and at most. Ends
with 1 where a bound is broken.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import multiprocessing
import resource
import statistics
import sys
import tempfile
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.site.attacks.gate import GUARD, LANE, Caller, Gate

PRESS_MOST_S, MEMORY_MOST, LOG_MOST_BYTES = 1.0, 1.3, 1_000_000
CHUNK = b"10000\r\n" + b"a" * 0x10000 + b"\r\n"
SLOW_HEAD = (
    b"POST /lane/b1-out/action HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Type: application/json\r\n"
    b"Content-Length: 30000\r\n\r\n{"
)
CHUNKED_HEAD = (
    b"POST /sign-in HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n"
)
STREAM_HEAD = b"GET /sign/b1-out/events HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Crowd:
    silent: int = 4000
    slow: int = 1000
    streams: int = 1000
    chunked: int = 8
    seconds: float = 30.0


@dataclass(frozen=True, slots=True)
class Seen:
    """`press_s`: from the request to the answer, which comes after the record is on disk; the median and the worst, on
    the page's own connection, as a browser keeps it. `newcomer`: somebody who calls in the middle of it all."""

    presses: int
    failed: int
    press_s_median: float
    press_s_most: float
    memory_mb_before: float
    memory_mb_most: float
    restarts: int
    late_ms_before: float
    late_ms_most: float
    tick_late: bool
    log_bytes: int
    newcomer_s_most: float
    newcomers_turned_away: int

    def faults(self) -> list[str]:
        told = {
            "a press failed": self.failed > 0 or self.presses == 0,
            f"a press took {PRESS_MOST_S:g} s or more": self.press_s_most >= PRESS_MOST_S,
            f"memory grew to {MEMORY_MOST:g} times or more": self.memory_mb_most >= MEMORY_MOST * self.memory_mb_before,
            "the agent ended": self.restarts > 0,
            "the boom loop was late": self.tick_late,
            "the log was flooded": self.log_bytes > LOG_MOST_BYTES,
        }
        return [fault for fault, is_so in told.items() if is_so]


async def _hold(port: int, head: bytes, rest: bytes, every_s: float, until_s: float) -> None:
    """One attacker: says `head`, then `rest` now and then, and calls again as soon as it was hung up on."""
    while time.monotonic() < until_s:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.2)
            continue
        with contextlib.suppress(OSError, ValueError):
            writer.write(head)
            while time.monotonic() < until_s and not writer.is_closing():
                if rest:
                    writer.write(rest)
                    await writer.drain()
                with contextlib.suppress(TimeoutError):
                    if not await asyncio.wait_for(reader.read(65536), every_s):
                        break
        writer.close()
        await asyncio.sleep(0.1)


def _attack(port: int, kinds: list[tuple[int, bytes, bytes, float]], seconds: float) -> None:
    """A process of its own: its work is not the measured machine's excuse, but it runs on the same cores."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))

    async def all_of_them() -> None:
        until_s = time.monotonic() + seconds
        await asyncio.gather(
            *(_hold(port, head, rest, every_s, until_s) for many, head, rest, every_s in kinds for _ in range(many))
        )

    asyncio.run(all_of_them())


def run(gate: Gate, crowd: Crowd) -> Seen:
    guard = Caller(gate.port, keeps=True)
    newcomer, came_s, turned_away = Caller(gate.port), [0.0], 0
    assert guard.sign_in(GUARD) == 303, "the guard signs in before the crowd comes"
    for _ in range(3):
        guard.press("hold")
        guard.press("release_hold")
    before_mb, late_before = gate.memory_mb(), gate.figure("barie_loop_late_max_seconds") * 1000
    pid, log_before = gate.process.pid, len(gate.log())
    kinds = [
        [(crowd.silent, b"", b"", 5.0)],
        [
            (crowd.slow, SLOW_HEAD % gate.port, b"a", 1.0),
            (crowd.streams, STREAM_HEAD % gate.port, b"", 5.0),
            (crowd.chunked, CHUNKED_HEAD % gate.port, CHUNK, 0.01),
        ],
    ]
    spawn = multiprocessing.get_context("spawn")
    attackers = [spawn.Process(target=_attack, args=(gate.port, kind, crowd.seconds)) for kind in kinds]
    for one in attackers:
        one.start()
    most_mb, done = [before_mb], threading.Event()

    def weigh() -> None:
        while not done.wait(0.2):
            with contextlib.suppress(OSError):
                most_mb.append(gate.memory_mb())

    weigher = threading.Thread(target=weigh)
    weigher.start()
    took_s: list[float] = []
    failed, late = 0, False
    end_s = time.monotonic() + crowd.seconds + 2.0
    names = ("hold", "release_hold")
    while time.monotonic() < end_s:
        began_s = time.monotonic()
        try:
            status, answer = guard.press(names[len(took_s) % 2])
            failed += not (status == 200 and answer["done"])
            view = json.loads(guard.get(f"/lane/{LANE}/view.json")[2])
            late = late or any("tick_late" in fault for fault in view["boom"]["faults"])
        except (OSError, ValueError, KeyError):
            failed += 1
        took_s.append(time.monotonic() - began_s)
        began_s = time.monotonic()
        try:
            turned_away += newcomer.get("/healthz")[0] != 200
        except OSError:
            turned_away += 1
        came_s.append(time.monotonic() - began_s)
        time.sleep(0.2)
    done.set()
    weigher.join()
    for one in attackers:
        one.join(20)
        one.kill()
    restarts = int(not gate.alive() or gate.process.pid != pid)
    late_most = gate.figure("barie_loop_late_max_seconds") * 1000 if gate.alive() else -1.0
    return Seen(
        len(took_s), failed, round(statistics.median(took_s), 3), round(max(took_s), 3), round(before_mb, 1),
        round(max(most_mb), 1), restarts, round(late_before, 1), round(late_most, 1), late,
        len(gate.log()) - log_before,
        round(max(came_s), 3), turned_away,
    )  # fmt: skip


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="tests.site.attacks.crowd", description=__doc__)
    for name, default in asdict(Crowd()).items():
        parser.add_argument(f"--{name}", type=type(default), default=default)
    args = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(prefix="barie-crowd-") as name, Gate(Path(name)) as gate:
        seen = run(gate, Crowd(**vars(args)))
    print(json.dumps({**asdict(seen), "faults": seen.faults()}))
    return 1 if seen.faults() else 0


if __name__ == "__main__":
    sys.exit(main())
