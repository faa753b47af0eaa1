"""A watch list in pieces while decisions are written: complete, found, and no decision stands behind it. A count as the
only argument does it at length and prints time and memory: `python -m tests.record.test_record_watch_million 1000000`.
"""

from __future__ import annotations

import json
import logging
import resource
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from edge import clock
from edge.store import Store
from edge.store.store import plate_skeletons
from tests.record.world import open_store

PIECE = 75_000
"""So many entries stay below the 8 MB of one message."""
LETTERS = "ABCDEFGHKLMNPSTUVXYZ"


def plates(count: int) -> Iterator[str]:
    """Invented, each another one, of provinces that there are."""
    fits = plate_skeletons().of_entry
    codes = [code for code in range(11, 100) if fits(f"{code}A-123.45").fits]
    for number in range(count):
        at, digits = divmod(number, 100_000)
        yield f"{codes[at % len(codes)]}{LETTERS[at // len(codes)]}-{digits // 100:03}.{digits % 100:02}"


def pieces(count: int, size: int) -> Iterator[bytes]:
    batch: list[dict[str, str]] = []
    for plate in plates(count):
        batch.append({"plate": plate, "reason": "invented"})
        if len(batch) == size:
            yield json.dumps({"version": "1", "plates": batch}).encode()
            batch = []
    if batch:
        yield json.dumps({"version": "1", "plates": batch}).encode()


def decide(store: Store, stop: threading.Event, times_ms: list[float]) -> None:
    while not stop.wait(0.02):
        began_ns = clock.mono_ns()
        with store.transaction("b1") as tx:
            tx.event("passage", {})
        times_ms.append((clock.mono_ns() - began_ns) / 1e6)


def run(folder: Path, count: int, size: int = PIECE) -> dict[str, Any]:
    times_ms: list[float] = []
    stop = threading.Event()
    with closing(open_store(folder)) as store:
        before_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        store.put_watchlist(json.dumps({"version": "1", "pieces": -(-count // size)}).encode())
        guard = threading.Thread(target=decide, args=(store, stop, times_ms))
        guard.start()
        began_s, largest = clock.mono_s(), 0
        try:
            for number, piece in enumerate(pieces(count, size), start=1):
                largest = max(largest, len(piece))
                store.put_watchlist(piece, number)
        finally:
            stop.set()
            guard.join()
        took_s = clock.mono_s() - began_s
        looked_s = clock.mono_s()
        asked = [plate for number, plate in enumerate(plates(count)) if number % max(1, count // 1_000) == 0]
        missed = [plate for plate in asked if store.watch(plate) != "invented"]
        looked_ms = (clock.mono_s() - looked_s) / len(asked) * 1e3
        ordered = sorted(times_ms)
        return {
            "plates": count, "pieces": number, "largest_piece_mb": round(largest / 1e6, 2),
            "whole": store.watch_state.whole, "missed": len(missed),
            "took_s": round(took_s, 1), "lookup_ms": round(looked_ms, 3),
            "decision_ms_p99": round(ordered[int(0.99 * (len(ordered) - 1))], 1), "decisions": len(ordered),
            "memory_mb_before": round(before_mb, 1),
            "memory_mb_peak": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
            "database_mb": round((folder / "barie.db").stat().st_size / 1e6, 1),
        }  # fmt: skip


def test_a_list_in_pieces_is_whole_while_decisions_are_written(tmp_path: Path) -> None:
    told = run(tmp_path, 3_000, 700)
    assert (told["pieces"], told["whole"], told["missed"]) == (5, True, 0)
    assert told["decisions"] > 0


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    with tempfile.TemporaryDirectory(prefix="barie-watch-") as name:
        found = run(Path(name), int(sys.argv[1]))
    print(json.dumps(found))
    sys.exit(0 if found["whole"] and not found["missed"] else 1)
