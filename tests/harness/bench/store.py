"""The store's figures for `barie bench store`: what a durable decision costs, and how long a lookup takes.

Decision and bare insert take turns, one after the other on the same disk, so that both meet the same machine. Where a
C compiler is there, once more on a disk whose every fsync takes SLOW_SYNC_US longer (faults/shim.c): some disks answer
from a cache in about the time that a signature takes, a barrier PC's does not.
"""

from __future__ import annotations

import json
import logging
import os
import secrets
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from edge.core.model import Confirmation
from edge.errors import BarieError
from edge.store import Store
from edge.store.keys import load_or_create_signer
from tests.harness.faults.shim import Shim

log = logging.getLogger(__name__)

ROUNDS = 500
DECLARATIONS = 200_000
LOOKUPS = 2_000
SITE, LANE = "bench", "b1"
AUTHORITY = "A-1"
"""Invented, as the procedure P-1: the record takes any."""

SLOW_SYNC_US = 1_000
"""What consumer SSDs without power-loss protection take and more: 0.9 ms at best, up to 5 ms, in M. Callaghan's
measurements ("SSDs, power loss protection and fsync latency", Small Datum, January 2026)."""
RATIO = "store.decision_vs_bare_insert_ratio"

Figure = dict[str, Any]


def figures(rounds: int = ROUNDS, declarations: int = DECLARATIONS, folder: Path | None = None) -> Iterator[Figure]:
    """`store.decision_vs_bare_insert_ratio` and `store.lookup_ms_p99`. `folder`: the disk to measure."""
    with tempfile.TemporaryDirectory(prefix="barie-bench-", dir=folder) as name:
        signer = load_or_create_signer(Path(name) / "keys")
        with closing(Store.open(Path(name), site=SITE, lanes=[LANE], signer=signer)) as store:
            yield decision_ratio(store, Path(name), rounds)
            yield from _on_slow_disk(rounds, folder)
            yield lookup(store, declarations)


def _on_slow_disk(rounds: int, folder: Path | None) -> Iterator[Figure]:
    """The same ratio in a process whose fsyncs take longer; nothing where no shim can be built."""
    with tempfile.TemporaryDirectory(prefix="barie-bench-") as name:
        try:
            environment = Shim(Path(name), Path(name)).slow_environment(SLOW_SYNC_US)
        except BarieError as error:
            log.warning("the ratio on a slower disk is left out: %s", error)
            return
        command = [sys.executable, "-m", __name__, str(rounds), str(folder or tempfile.gettempdir())]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise BarieError(f"bench store: the run on a slower disk ended with {done.stderr.strip()[-200:]}")
        said = json.loads(done.stdout)
    how = f"every fsync made {SLOW_SYNC_US / 1000:g} ms longer (LD_PRELOAD), as on a common SSD; {said['how']}"
    yield {**said, "figure": f"{RATIO}_at_{SLOW_SYNC_US // 1000}_ms_fsync", "how": how}


def main(rounds: int, folder: Path) -> int:
    """The ratio alone, for a process of its own."""
    with tempfile.TemporaryDirectory(prefix="barie-bench-", dir=folder) as name:
        signer = load_or_create_signer(Path(name) / "keys")
        with closing(Store.open(Path(name), site=SITE, lanes=[LANE], signer=signer)) as store:
            print(json.dumps(decision_ratio(store, Path(name), rounds)))
    return 0


def decision_ratio(store: Store, folder: Path, rounds: int) -> Figure:
    """Medians: a decision is the press's answer, the confirmation, the permit serial, the event (hashed and signed) and
    the second copy of the counters; the insert is one row with the same payload."""
    decided_ms, bare_ms = [], []
    with closing(_bare(folder / "bare.db")) as bare:
        for number in range(rounds):
            began_s = time.perf_counter()
            payload = _decide(store, number)
            decided_ms.append((time.perf_counter() - began_s) * 1000)
            began_s = time.perf_counter()
            bare.execute("INSERT INTO event (payload) VALUES (?)", (payload,))
            bare_ms.append((time.perf_counter() - began_s) * 1000)
    decided, plain = _at(decided_ms, 0.5), _at(bare_ms, 0.5)
    how = f"{rounds} decisions, median {decided:.2f} ms, p99 {_at(decided_ms, 0.99):.2f}; {rounds} inserts in turn with"
    how += (
        f" them (WAL, synchronous=FULL), median {plain:.2f} ms, p99 {_at(bare_ms, 0.99):.2f}; this disk's own fdatasync"
    )
    how += f" of 4 KiB takes {_fdatasync_ms(folder):.2f} ms"
    return {"figure": RATIO, "value": round(decided / plain, 3), "unit": "", "how": how}


def _fdatasync_ms(folder: Path) -> float:
    """Median: where it is far below a millisecond, the disk answers from a cache, and processor time is compared."""
    times_ms = []
    with (folder / "probe").open("wb", buffering=0) as probe:
        for _ in range(100):
            probe.write(bytes(4096))
            began_s = time.perf_counter()
            os.fdatasync(probe.fileno())
            times_ms.append((time.perf_counter() - began_s) * 1000)
    return _at(times_ms, 0.5)


def _bare(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE event (id INTEGER PRIMARY KEY, payload BLOB NOT NULL)")
    return connection


def _decide(store: Store, number: int) -> bytes:
    given = Confirmation("b1_out", AUTHORITY, "pass", "2026-11-20T09:10:00+07:00", "BP-0107", "gate")
    with store.transaction(LANE) as tx:
        serial = tx.permit_serial()
        body = {"permit": serial, "passage": f"p-{number}", "declaration": f"CKS-{number}", "plates": ["12C12345"]}
        event = tx.event("confirmation", {**body, "confirmation": {"step": given.step, "act": given.act}})
        tx.confirmation(f"CKS-{number}", given)
        tx.action(f"press-{number}", {"code": "done", "seq": event.seq})
    return event.to_bytes()


def lookup(store: Store, declarations: int) -> Figure:
    """From a plate to its declarations, parsed, with this gate's confirmations laid over."""
    began_s = time.perf_counter()
    store.begin_copy()
    for number in range(declarations):
        store.put_declaration(f"D-{number}", declaration(number))
    rate = declarations / (time.perf_counter() - began_s)
    times_ms = []
    for _ in range(LOOKUPS):
        plate = _plate(secrets.randbelow(declarations))
        began_s = time.perf_counter()
        found = store.declarations_for_plate(plate)
        times_ms.append((time.perf_counter() - began_s) * 1000)
        assert found
    how = f"{LOOKUPS} plates among {declarations} declarations, median {_at(times_ms, 0.5):.3f} ms; "
    how += f"they were taken in at {rate:.0f} /s"
    return {"figure": "store.lookup_ms_p99", "value": round(_at(times_ms, 0.99), 3), "unit": "ms", "how": how}


def declaration(number: int) -> bytes:
    """An invented declaration with two vehicles and two confirmations."""
    vehicles = [
        {"role": "tractor", "plate": _plate(number), "country": "VN", "class": "from_18t", "container": "MSKU1234565"},
        {"role": "trailer", "plate": f"12R{number % 100_000:05d}", "country": "VN"},
    ]
    at = "2026-11-20T08:00:00+07:00"
    given = [
        {"step": step, "authority": AUTHORITY, "act": "pass", "at": at, "by": "HQ-1", "via": "platform"}
        for step in ("b2_in", "b1_in")
    ]
    head = {"id": f"D-{number}", "version": 1, "state": "active", "procedure": "P-1", "declared_at": at}
    return json.dumps({**head, "vehicles": vehicles, "confirmations": given}).encode()


def _plate(number: int) -> str:
    return f"{11 + number // 100_000 % 80}C{number % 100_000:05d}"


def _at(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), Path(sys.argv[2])))
