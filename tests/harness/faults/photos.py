"""The photo loss run: a gate with events and photos, a centre that is killed at every point of its work and at random,
a broker that is killed and wiped. Last line: JSON. `--store postgres` for the reference centre (two workers)."""

from __future__ import annotations

import argparse
import hashlib
import json
import logging
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

from edge.config import MqttConfig
from edge.errors import BarieError
from edge.store import Limits, Store, StoreInbox
from edge.uplink.mqtt import Uplink
from edge.uplink.parts import Pace
from tests.harness.broker_process import Mosquitto, end_with_parent
from tests.harness.faults.dying_centre import POINTS

SITE, LANE = "photos", "b1"
QUICK = Pace(poll_s=0.2, settle_s=0.3, backoff_min_s=0.1, backoff_max_s=0.4)
SETTLE_S = 240.0


class DyingCentre:
    """`arguments` of `barie`; each life may end at one point."""

    def __init__(self, arguments: Sequence[str]) -> None:
        self._arguments = list(arguments)
        self._process: subprocess.Popen[bytes] | None = None

    def live(self, point: str = "none", number: int = 1) -> None:
        line = [sys.executable, "-m", "tests.harness.faults.dying_centre", point, str(number), *self._arguments]
        self._process = subprocess.Popen(
            line,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=end_with_parent,  # noqa: PLW1509
        )

    def dead_within(self, seconds: float) -> bool:
        assert self._process is not None
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def kill(self) -> None:
        if self._process is not None and self._process.poll() is None:
            os.kill(self._process.pid, signal.SIGKILL)
            self._process.wait()


class Gate:
    """A real record and a real uplink; `made` are the hashes of its photos."""

    def __init__(self, folder: Path, port: int) -> None:
        self.store = Store.open(folder, site=SITE, lanes=[LANE], limits=Limits(reserve_bytes=4096))
        config = MqttConfig(host="127.0.0.1", port=port, resend_s=2)
        self.uplink = Uplink(
            SITE, config, self.store, StoreInbox(self.store, lambda *_: None), lambda lane: {}, pace=QUICK
        )
        self.made: set[str] = set()

    def photographs(self, draw: random.Random) -> None:
        jpeg = b"\xff\xd8" + draw.randbytes(draw.randint(2_000, 40_000)) + b"\xff\xd9"
        photo = self.store.stage_evidence(jpeg)
        with self.store.transaction(LANE) as tx:
            tx.event("passage", {"number": len(self.made)}, photos=[photo])
        self.made.add(hashlib.sha256(jpeg).hexdigest())
        self.uplink.wake()

    def waiting(self) -> int:
        """Photos and events that the centre has not acknowledged."""
        photos = self.store._read(lambda c: c.execute("SELECT count(*) FROM evidence WHERE sent <> 3").fetchone()[0])
        return int(photos) + self.store.unacknowledged(LANE).waiting


def run(photos: int, seed: int, store: str) -> dict[str, Any]:
    draw = random.Random(seed)  # noqa: S311 - a run that can be repeated, no secret
    with tempfile.TemporaryDirectory(prefix="barie-photos-") as name, ExitStack() as ends:
        folder = Path(name)
        broker = Mosquitto(folder, autosave=False)
        broker.start()
        ends.callback(broker.stop)
        arguments, here = _centre(store, folder, broker.port, ends)
        centre = DyingCentre(arguments)
        ends.callback(centre.kill)
        gate = Gate(folder / "gate", broker.port)
        ends.callback(gate.store.close)
        ends.callback(gate.uplink.stop)
        gate.uplink.start()
        kills = _live_and_die(gate, centre, broker, photos, draw)
        _settle(gate)
        seqs, kept = here()
        there = {digest for digest, _ in kept}
        return {
            "store": store, "photos": len(gate.made), **kills,
            "lost": len(gate.made - there), "strangers": len(there - gate.made), "twice": len(kept) - len(there),
            "unlike": sum(hashlib.sha256(jpeg).hexdigest() != digest for digest, jpeg in kept),
            "events": len(seqs), "gaps": max(seqs, default=0) - len(set(seqs)),
            "events_twice": len(seqs) - len(set(seqs)),
        }  # fmt: skip


def _live_and_die(
    gate: Gate, centre: DyingCentre, broker: Mosquitto, photos: int, draw: random.Random
) -> dict[str, int]:
    """As many lives as there are points, twice; then any moment."""
    lives = [(point, draw.randint(1, 9)) for point in POINTS * 2]
    each = max(1, photos // (len(lives) + 5))
    kills = missed = broker_kills = 0
    for number, (point, passes) in enumerate(lives):
        for _ in range(each):
            gate.photographs(draw)
        centre.live(point, passes)
        missed += not centre.dead_within(20.0)
        centre.kill()
        kills += 1
        if number % 5 == 4:
            broker.kill(wipe=True)
            broker.start()
            broker_kills += 1
    for _ in range(4):
        for _ in range(each):
            gate.photographs(draw)
        centre.live()
        centre.dead_within(draw.uniform(0.5, 3.0))
        centre.kill()
        kills += 1
    while len(gate.made) < photos:
        gate.photographs(draw)
    centre.live()
    return {"kills": kills, "points_missed": missed, "broker_kills": broker_kills}


def _settle(gate: Gate) -> None:
    until_s = time.monotonic() + SETTLE_S
    while waiting := gate.waiting():
        if time.monotonic() > until_s:
            raise BarieError(f"the centre does not get everything: {waiting} wait")
        time.sleep(0.1)


Here = Callable[[], tuple[list[int], list[tuple[str, bytes]]]]


def _centre(store: str, folder: Path, port: int, ends: ExitStack) -> tuple[list[str], Here]:
    """The arguments of `barie central`, and what is there in the end: numbers of events, photos with their hashes."""
    common = ["central", "--broker", f"127.0.0.1:{port}", "--site", SITE]
    if store == "sqlite":
        db = folder / "central.db"

        def here() -> tuple[list[int], list[tuple[str, bytes]]]:
            with closing(sqlite3.connect(db)) as connection:
                seqs = [row[0] for row in connection.execute("SELECT seq FROM event")]
                rows = connection.execute("SELECT sha256, path FROM photo").fetchall()
            return seqs, [(digest, (folder / "central-evidence" / path).read_bytes()) for digest, path in rows]

        return [*common, "--db", str(db)], here
    from central import database
    from central.cluster import Cluster

    cluster = Cluster()
    ends.callback(cluster.close)
    cluster.start()
    photos = folder / "photos"

    def there() -> tuple[list[int], list[tuple[str, bytes]]]:
        with database.connect(cluster.url) as connection:
            seqs = [row[0] for row in connection.execute("SELECT seq FROM event").fetchall()]
            rows = connection.execute("SELECT sha256, file FROM photo").fetchall()
        return seqs, [(digest, (photos / file).read_bytes()) for digest, file in rows]

    return [*common, "--store", cluster.url, "--photos", str(photos), "--workers", "2"], there


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.harness.faults.photos", description=__doc__)
    parser.add_argument("--photos", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--store", choices=["sqlite", "postgres"], default="sqlite")
    args = parser.parse_args(argv)
    logging.disable(logging.ERROR)
    result = run(args.photos, args.seed, args.store)
    print(json.dumps(result), flush=True)
    return 0 if not any(result[key] for key in ("lost", "twice", "unlike", "gaps", "events_twice")) else 1


if __name__ == "__main__":
    sys.exit(main())
