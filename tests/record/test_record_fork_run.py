"""Random days of copies: snapshots put back, clones beside, keys, counters or the whole record missing, clocks that
step from a day back to a year ahead. Whatever a gate counts as acknowledged is at the centre, no photo is deleted, and
each is found and told. A count as the only argument: for longer, `python -m tests.record.test_record_fork_run 200`."""

from __future__ import annotations

import json
import logging
import random
import shutil
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from edge.errors import StoreError
from edge.store import Clocks, Store, fork
from edge.store.keys import KEY, open_key
from edge.uplink.central_store import read_event
from tests.record.test_record_fork import Consumer
from tests.record.world import SITE

DAY_MS = 86_400_000
BEGAN_MS = 1_795_140_000_000
TURNS = 14
KEEP_S = 30 * 86_400


class WrongError(Exception):
    """What the run found."""


class Pc:
    """One folder and the machine that it lies on. `made` is the oracle: each event's id by its number, written down
    when the gate answered; `photos` their bytes."""

    def __init__(self, folder: Path, made: dict[int, str], photos: set[bytes]) -> None:
        self.folder, self.made, self.photos = folder, made, photos
        self.wall_ms, self.mono_ms, self.boots = BEGAN_MS, 1_000_000, 0
        self.store = self.start()

    def start(self) -> Store:
        self.boots += 1
        clocks = Clocks(
            wall_ms=lambda: self.wall_ms, mono_ns=lambda: self.mono_ms * 10**6,
            state=lambda: "synced", boot_id=f"boot-{self.boots}",
        )  # fmt: skip
        key = open_key(self.folder / "keys")
        self.store = Store.open(
            self.folder, site=SITE, lanes=["b1"], signer=key.sign, check=key.check, clocks=clocks,
            keep_acknowledged_s=KEEP_S,
        )  # fmt: skip
        self.note()
        return self.store

    def note(self) -> None:
        """What the gate wrote by itself is owed as well."""
        self.made |= {one["seq"]: one["event_id"] for one in self.store.recent("b1", 10_000)}

    def record(self, chance: random.Random) -> None:
        for _ in range(chance.randrange(1, 16)):
            jpegs = [chance.randbytes(40) for _ in range(chance.randrange(-1, 3))]
            photos = [self.store.stage_evidence(one) for one in jpegs]
            with self.store.transaction("b1") as tx:
                event = tx.event("passage", {"number": chance.random()}, photos=photos)
            self.made[event.seq] = event.event_id
            self.photos |= set(jpegs)
            self.go_on(1_000)

    def go_on(self, ms: int) -> None:
        self.wall_ms, self.mono_ms = self.wall_ms + ms, self.mono_ms + ms

    def tidy(self, times: int = 2) -> None:
        for _ in range(times):
            self.go_on(60_000)
            self.store.prune()

    def here(self) -> set[bytes]:
        return {path.read_bytes() for path in self.folder.rglob("*.jpg")}


class Trial:
    def __init__(self, folder: Path, seed: str) -> None:
        self.chance, self.folder = random.Random(seed), folder  # noqa: S311 - seeded on purpose
        self.centre = Consumer(folder / "central.db")
        self.pcs = [Pc(folder / "pc", {}, set())]
        self.snapshots: list[tuple[Path, dict[int, str], set[bytes]]] = []
        self.did: Counter[str] = Counter()

    def run(self) -> None:
        moves = [self.record, self.record, self.meet, self.meet, self.snapshot, self.put_back, self.clone,
                 self.clock, self.no_key, self.no_counters, self.no_record]  # fmt: skip
        for _ in range(TURNS):
            move = self.chance.choice(moves)
            pc = self.chance.choice(self.pcs)
            move(pc)
            pc.note()
            if pc.photos - pc.here():
                raise WrongError(f"{move.__name__}: a photo was deleted")
        for pc in self.pcs:
            self.record(pc)
            self.meet(pc)
            if faults := pc.store.verify():
                raise WrongError(f"the chain does not hold: {faults}")
            pc.store.close()

    # ------------------------------------------------------------ what happens

    def record(self, pc: Pc) -> None:
        pc.record(self.chance)
        pc.tidy(1)

    def meet(self, pc: Pc) -> None:
        other = self.another_history(pc)
        told = self.told()
        self.centre.meet(pc.store)
        pc.note()
        if absent := set(pc.made.values()) - self.centre.known():
            raise WrongError(f"{len(absent)} events acknowledged at the gate and absent at the centre")
        if other != (self.told() > told):
            raise WrongError("a fork was not told" if other else "a fork was told that is none")
        if other and pc.store.troubles.get(f"b1/{fork.FORKED}") != fork.FORKED:
            raise WrongError("the guard does not hear of the fork")
        self.did["forks"] += other
        while (photo := pc.store.next_evidence("b1")) is not None:
            pc.store.evidence_sent(photo.id)  # only these may ever go by age
        pc.tidy()
        self.centre.meet(pc.store)  # a second word, for what is marked to go
        pc.tidy()

    def another_history(self, pc: Pc) -> bool:
        """By the oracle: what the centre would acknowledge, once it has what this gate still sends, is not the gate's
        own event of that number."""
        with self.centre.store.commit():
            sent = [(read_event(one.payload), one.payload) for one in pc.store.pending("b1", 0, 10_000)]
            self.centre.store.take(sent)
            acked = self.centre.store.advance("b1").acked
        row = self.centre.store._db.execute("SELECT event_id FROM event WHERE seq = ?", (acked,)).fetchone()
        return acked > 0 and row is not None and pc.made.get(acked) != row[0]

    def told(self) -> int:
        rows = self.centre.store._db.execute("SELECT payload FROM event WHERE kind = 'alarm'")
        return sum(json.loads(row[0])["body"].get("code") == fork.FORKED for row in rows)

    def snapshot(self, pc: Pc) -> None:
        pc.store.close()
        to = self.folder / f"snapshot-{len(self.snapshots)}"
        shutil.copytree(pc.folder, to)
        self.snapshots.append((to, dict(pc.made), set(pc.photos)))
        pc.start()

    def put_back(self, pc: Pc) -> None:
        """The disk's newer part is gone with the folder that it stood in: nobody can know it any more."""
        if not self.snapshots:
            return
        pc.store.close()
        shutil.rmtree(pc.folder)
        snapshot, made, photos = self.chance.choice(self.snapshots)
        shutil.copytree(snapshot, pc.folder)
        pc.made, pc.photos = dict(made), set(photos)
        self.did["put_back"] += 1
        pc.start()

    def clone(self, pc: Pc) -> None:
        if len(self.pcs) > 2:
            return
        pc.store.close()
        to = self.folder / f"clone-{len(self.pcs)}"
        shutil.copytree(pc.folder, to)
        pc.start()
        self.pcs.append(Pc(to, dict(pc.made), set(pc.photos)))
        self.did["clones"] += 1

    def clock(self, pc: Pc) -> None:
        step_ms = self.chance.choice([-DAY_MS, 31 * DAY_MS, 365 * DAY_MS, self.chance.randrange(-DAY_MS, 365 * DAY_MS)])
        pc.wall_ms += step_ms
        pc.tidy()
        if self.chance.random() < 0.3:
            pc.store.close()
            pc.mono_ms = 5_000
            pc.start()
            pc.tidy()
        if self.chance.random() < 0.5:
            self.meet(pc)
        pc.wall_ms -= step_ms
        self.did["clock_steps"] += 1

    def no_key(self, pc: Pc) -> None:
        pc.store.close()
        key = (pc.folder / KEY).read_bytes()
        (pc.folder / KEY).unlink()
        with pytest.raises(StoreError, match="is gone"):
            pc.start()
        (pc.folder / KEY).write_bytes(key)
        self.did["keys_gone"] += 1
        pc.start()

    def no_counters(self, pc: Pc) -> None:
        pc.store.close()
        (pc.folder / "counters").unlink()
        self.did["counters_gone"] += 1
        self.must_tell(pc, "record_counters_gone")

    def no_record(self, pc: Pc) -> None:
        """What only this record had is gone with it; its photos are not."""
        pc.store.close()
        for path in (*pc.folder.glob("barie.db*"), pc.folder / "counters"):
            path.unlink(missing_ok=True)
        pc.made.clear()
        self.did["records_gone"] += 1
        self.must_tell(pc, "record_gone")

    @staticmethod
    def must_tell(pc: Pc, code: str) -> None:
        anything = pc.made or code == "record_gone"
        pc.start()
        if anything and pc.store.troubles.get("record") != code:
            raise WrongError(f"{code} was not told")


def run(count: int, seed: int = 1) -> dict[str, Any]:
    wrong, did = [], Counter[str]()
    for number in range(count):
        with tempfile.TemporaryDirectory(prefix="barie-fork-") as name:
            trial = Trial(Path(name), f"{seed}/{number}")
            try:
                trial.run()
            except WrongError as error:
                wrong.append(f"{number}: {error}")
            did += trial.did
    return {"trials": count, **did, "wrong": len(wrong), "named": wrong[:5]}


def test_whatever_is_copied_put_back_or_gone_is_found_and_told_and_costs_nothing() -> None:
    told = run(5)
    assert told["named"] == []
    assert {"forks", "put_back", "clones", "clock_steps", "counters_gone", "records_gone"} <= told.keys()


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    found = run(int(sys.argv[1]))
    print(json.dumps(found))
    sys.exit(1 if found["wrong"] else 0)
