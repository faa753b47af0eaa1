"""Random damage to database and log: every event that can be read and proves itself is carried over, each real hole
told once. A count as the only argument repeats it for longer: `python -m tests.record.test_record_damage 300`."""

from __future__ import annotations

import json
import random
import shutil
import sys
import tempfile
from pathlib import Path

from edge.store import Store, recovery
from tests.record.world import open_store

EVENTS = 60


def made(folder: Path) -> Path:
    """A record whose last events are only in the log, as a power failure leaves it."""
    live = open_store(folder / "live")
    for number in range(EVENTS):
        with live.transaction("b1") as tx:
            tx.event("passage", {"number": number, "note": "x" * (number * 97 % 900)})
    shutil.copytree(folder / "live", folder / "left")
    live.close()
    return folder / "left"


def damage(folder: Path, chance: random.Random) -> None:
    """The log's end, some pages, a cut, or the header: of the log or of the database."""
    path = folder / chance.choice(["barie.db-wal", "barie.db-wal", "barie.db"])
    raw = bytearray(path.read_bytes())
    how = chance.choice(["end", "page", "cut", "head"])
    if how == "cut":
        del raw[chance.randrange(len(raw)) :]
    else:
        at = {"end": max(0, len(raw) - chance.randrange(1, 40_000)), "head": 0}.get(
            how, chance.randrange(len(raw) or 1)
        )
        span = min(len(raw) - at, chance.choice([16, 512, 4096]))
        raw[at : at + span] = chance.randbytes(span)
    path.write_bytes(raw)


def readable(folder: Path) -> set[int]:
    """The oracle: whole envelopes in the raw bytes, found without SQLite."""
    return {row[1] for row in recovery.scavenged(path.read_bytes() for path in folder.glob("barie.db*"))}


def judge(folder: Path, before: set[int]) -> str:
    """What is wrong with the record that came out of it, or ""."""
    store: Store = open_store(folder)
    events = [json.loads(one.payload) for one in store.pending("b1", 0, 10_000)]
    faults = store.verify()
    store.close()
    here = {one["seq"] for one in events if one["kind"] == "passage"}
    told = [one["body"] for one in events if one["kind"] == "alarm"]
    gone = [n for body in told if body["lost_from"] for n in range(body["lost_from"], body["lost_to"] + 1)]
    if not before <= here:
        return f"readable and lost: {sorted(before - here)}"
    if sorted(gone) != sorted(set(range(1, EVENTS + 1)) - here):
        return f"told {gone}, gone are {sorted(set(range(1, EVENTS + 1)) - here)}"
    return f"{faults}" if faults else ""


def run(count: int, seed: int = 1) -> list[str]:
    wrong = []
    with tempfile.TemporaryDirectory() as name:
        left = made(Path(name))
        for number in range(count):
            chance, folder = random.Random(f"{seed}/{number}"), Path(name) / f"try-{number}"  # noqa: S311 - seeded
            shutil.copytree(left, folder)
            damage(folder, chance)
            why = judge(folder, readable(folder))
            wrong += [f"{number}: {why}"] if why else []
            shutil.rmtree(folder)
    return wrong


def test_whatever_was_damaged_what_can_be_read_is_there() -> None:
    assert run(15) == []


def test_a_damaged_end_of_the_log_costs_only_what_it_hit(tmp_path: Path) -> None:
    left = made(tmp_path)
    wal = left / "barie.db-wal"
    raw = bytearray(wal.read_bytes())
    raw[-30_000:-29_000] = bytes(1_000)
    wal.write_bytes(raw)
    before = readable(left)
    assert len(before) > EVENTS - 8
    assert judge(left, before) == ""


if __name__ == "__main__":
    found = run(int(sys.argv[1]))
    print(
        json.dumps({"damages": int(sys.argv[1]), "readable_and_lost_or_wrongly_told": len(found), "named": found[:5]})
    )
    sys.exit(1 if found else 0)
