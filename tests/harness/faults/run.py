"""`scripts/faults`: everything that can die dies, again and again; afterwards nothing may be missing, twice, or out of
order.

The oracle stands outside: it knows only what the guard was told and which permits were offered, and compares that with
what the centre has. Last line: JSON with the counts of all runs together.
"""

from __future__ import annotations

import argparse
import errno
import json
import random
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from edge.errors import BarieError
from edge.store.db import NAME
from tests.harness.broker_process import MOSQUITTO, Iotcore, Mosquitto
from tests.harness.faults.shim import Shim
from tests.harness.faults.victim import LANE
from tests.harness.faults.world import Guard, Victim, World

COUNTS = ("events", "lost", "duplicates", "gaps", "chain_broken", "repeated_openings")
DAY_S = 86_400
LIFE_S = 0.4


@dataclass(frozen=True, slots=True)
class Plan:
    """How often each thing dies. `power` is how often of the kills a power failure takes what was not fsynced."""

    kills: int = 1_000
    power: int = 300
    broker_kills: int = 100
    consumer_kills: int = 100


SHORT = Plan(kills=12, power=10, broker_kills=4, consumer_kills=2)


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="scripts/faults", description=__doc__)
    parser.add_argument("--short", action="store_true", help="a minute's worth")
    parser.add_argument("--seed", type=int, default=20_261_120)
    args = parser.parse_args(argv)
    total = run(SHORT if args.short else Plan(), args.seed, lambda line: print(json.dumps(line), flush=True))
    print(json.dumps(total), flush=True)
    good = total["shim_catches_no_fsync"] and not any(total[name] for name in COUNTS[1:])
    return 0 if good else 1


def run(plan: Plan, seed: int, tell: Callable[[dict[str, object]], None]) -> dict[str, int]:
    """The counts of every run together, and how often what was killed."""
    draw = random.Random(seed)  # noqa: S311
    total = dict.fromkeys(COUNTS, 0)
    runs: list[tuple[str, Callable[[Path], dict[str, int]]]] = [
        ("processes", lambda folder: processes(folder, plan, draw)),
        ("power failures", lambda folder: power(folder, plan.power, draw)),
        ("disk errors", disk_errors),
    ]
    for name, one in runs:
        with tempfile.TemporaryDirectory(prefix="barie-faults-") as folder:
            began_s, counts = time.monotonic(), one(Path(folder))
        for key, value in counts.items():
            total[key] = total.get(key, 0) + value
        tell({"run": name, "seconds": round(time.monotonic() - began_s, 1), **counts})
    with tempfile.TemporaryDirectory(prefix="barie-faults-") as folder:
        total["shim_catches_no_fsync"] = int(lost_without_fsync(Path(folder), draw) > 0)
    kills = {"kills": plan.kills, "broker_kills": plan.broker_kills, "consumer_kills": plan.consumer_kills}
    return {**kills, **total}


# ---------------------------------------------------------------- processes


def processes(folder: Path, plan: Plan, draw: random.Random) -> dict[str, int]:
    """SIGKILL of gate, broker (every second time its memory too) and consumer; then the clock is thrown."""
    broker = Mosquitto(folder) if MOSQUITTO else None
    world = World(folder, broker or Iotcore(folder))
    try:
        for _ in range(plan.kills - plan.power):
            _live_and_die(world.guard, draw)
        world.guard.begin()
        for number in range(plan.broker_kills if broker else 0):
            assert broker is not None
            _press_for(world.guard, draw.uniform(0.0, 0.3))
            broker.kill(wipe=number % 2 == 1)
            _press_for(world.guard, draw.uniform(0.0, 0.1))
            broker.start()
        for _ in range(plan.consumer_kills):
            _press_for(world.guard, draw.uniform(0.0, 1.5))
            world.centre.kill()
            _press_for(world.guard, 0.05)
            world.centre.start()
        _throw_clock(world.guard)
        world.settle()
        return world.count()
    finally:
        world.close()


def _live_and_die(guard: Guard, draw: random.Random) -> None:
    """One life of the gate: every second one ends somewhere in its start or soon after, the others while it works."""
    if draw.random() < 0.5:
        guard.begin()
        for _ in range(draw.randint(0, 2)):  # whole ones, however slow this machine is just now
            guard.press()
    else:
        guard.victim.start()
    _press_for(guard, draw.uniform(0.0, LIFE_S))
    guard.victim.kill()
    guard.ended()


def _press_for(guard: Guard, seconds: float) -> None:
    until_s = time.monotonic() + seconds
    while (left_s := until_s - time.monotonic()) > 0:
        guard.press(left_s)


def _throw_clock(guard: Guard) -> None:
    for ahead_s in (DAY_S, -DAY_S, 0):
        guard.ask(f"clock {ahead_s}")
        for _ in range(5):
            guard.press()


# ---------------------------------------------------------------- the disk


def power(folder: Path, kills: int, draw: random.Random) -> dict[str, int]:
    """Every kill of the gate is a power failure of its disk too."""
    gate = folder / "gate"
    shim = Shim(folder, gate)
    world = World(folder, Mosquitto(folder) if MOSQUITTO else Iotcore(folder), shim.environment)
    try:
        taken = 0
        for _ in range(kills):
            _live_and_die(world.guard, draw)
            taken += shim.power_failure(draw)
        world.guard.begin()
        world.settle()
        return {**world.count(), "power_failures": kills, "writes_taken_back": taken}
    finally:
        world.close()


def lost_without_fsync(folder: Path, draw: random.Random) -> int:
    """The proof that `power` would see it: the same with synchronous=OFF loses what the guard was told."""
    gate = folder / "gate"
    shim = Shim(folder, gate)
    victim = Victim(gate, 0, {**shim.environment, "BARIE_VICTIM_SYNC": "OFF"})
    guard = Guard(victim)
    try:
        guard.begin()
        for _ in range(20):
            guard.press()
        victim.kill()
        guard.ended()
    finally:
        victim.close()
    shim.power_failure(draw)
    return len(guard.acknowledged.keys() - _actions(gate / NAME))


def _actions(path: Path) -> set[str]:
    if not path.exists():
        return set()
    try:
        with closing(sqlite3.connect(path)) as connection:
            return {row[0] for row in connection.execute("SELECT key FROM action")}
    except sqlite3.DatabaseError:
        return set()


def disk_errors(folder: Path) -> dict[str, int]:
    """No room, and a failing write, at every write of a passage in turn. The guard is told "failed" or the record is
    there; as soon as the disk is well, the same press is done."""
    gate = folder / "gate"
    shim = Shim(folder, gate)
    world = World(folder, Mosquitto(folder) if MOSQUITTO else Iotcore(folder), shim.environment)
    guard, connected = world.guard, world.guard.victim
    guard.victim = alone = Victim(gate, 0, shim.environment)
    try:
        guard.begin()
        guard.press()
        points = sum(_fail_each_write(guard, error, sticky) for error, sticky in ((errno.ENOSPC, 1), (errno.EIO, 0)))
        alone.kill()
        guard.ended()
        alone.close()
        guard.victim = connected
        guard.begin()
        world.settle()
        return {**world.count(), "failed_writes": points}
    finally:
        alone.close()
        world.close()


def _fail_each_write(guard: Guard, error: int, sticky: int) -> int:
    """How many writes one passage has. Raises BarieError where a press fails although the disk is well again."""
    point = 0
    while True:
        point += 1
        guard.ask(f"arm {point} {error} {sticky}")
        said = guard.press()
        hits = guard.ask("hits")
        guard.ask("arm 0 0 0")
        if said == "failed" and guard.press() != "done":
            raise BarieError(f"lane {LANE}: a press fails although the disk is well: {dict(guard.failed)}")
        if not hits:
            return point - 1


if __name__ == "__main__":
    sys.exit(main())
