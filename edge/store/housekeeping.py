"""What goes again, and the record of it: old events and photos, answers, tombstones; and photos that somebody asked to
have deleted. No event is ever changed: what is gone is told by another one.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections import Counter
from collections.abc import Collection, Iterable
from contextlib import AbstractContextManager, closing
from pathlib import Path
from typing import Any, Literal

from edge.core.bodies import Deleted, DeletedOnRequest, PhotosGone
from edge.core.law.terms import SYSTEM
from edge.store import db, evidence, journal, leaving, notes
from edge.store import transaction as tx
from edge.store.clocks import Clocks
from edge.store.counter import CounterFile
from edge.store.evidence import Going
from edge.store.room import Level, Room
from edge.store.transaction import Transaction

log = logging.getLogger(__name__)

DELETED = "deleted"
"""The note, by lane, of what housekeeping deleted since the last event that told of it."""
LOST: Literal["photos_lost"] = "photos_lost"
"""Code of the alarm about photos that had to go though the centre does not have them."""
NAMED_TOGETHER = 50


class Housekeeping:
    """The deleting part of `Store`. Raises StoreError from every method."""

    _path: Path
    _evidence: Path
    _clocks: Clocks
    _room: Room
    _counter: CounterFile
    _write_lock: threading.RLock
    _keep_ms: int
    _budget_bytes: int
    troubles: dict[str, str]

    def _writing(self, doing: str, *, durable: bool = True) -> AbstractContextManager[sqlite3.Connection]:
        raise NotImplementedError

    def _transaction(self, connection: sqlite3.Connection, lane: str) -> Transaction:
        raise NotImplementedError

    def room(self) -> Level:
        """ "ok"; "low": a person should make room; "full": no photos, and nothing may open by itself."""
        with db.translated("looking for room"):
            return self._room.level()

    def keep(self, keep_acknowledged_s: int, evidence_budget_mb: int) -> None:
        """Other limits, from the next `prune` on."""
        self._keep_ms, self._budget_bytes = keep_acknowledged_s * 1000, evidence_budget_mb * 1_000_000

    def prune(self) -> int:
        """Every minute or so: some of the old acknowledged events (leaving.py) and their photos, photos over the
        budget, old answers. How many events. Once a day an event of each lane says how much went, and why."""
        today = self._today()
        with self._writing("pruning") as connection:
            now_ms = self._patient_ms(connection)
            cap = leaving.cap(connection, now_ms)
            gone: dict[str, int] = {}
            for lane in journal.lanes(connection):
                most = min(leaving.EVENTS_TOGETHER, cap.events)
                gone[lane] = leaving.events(connection, lane, now_ms - self._keep_ms, most)
                cap.events -= gone[lane]
            going = self._forget_photos(connection, cap)
            if min(cap.events, cap.photos) <= 0 and not cap.reached:
                cap.reached = True
                log.warning("as much was deleted today as may be in a day (events, photos): the rest waits")
            cap.keep(connection)
            tx.forget_old(connection, now_ms)
            self._tell_lost(connection, [one for one in going if one.here_only])
            for lane, events in gone.items():
                self._tell(connection, lane, today, events, [one for one in going if one.lane == lane])
        with db.translated("pruning photos"):
            db.checkpoint(self._path)
            evidence.remove(self._evidence, going, today)
            self._counter.sync()
            self._room.keep_reserve()
        return sum(gone.values())

    def _patient_ms(self, connection: sqlite3.Connection) -> int:
        """The time by which things are old: never ahead of the wall clock, and never faster than twice the monotonic
        one, so that no step of a clock erases a record. It stands still while the clock is not synchronised, whatever
        that says; what a machine was off for is made up for at double speed. Inside the caller's transaction."""
        wall_ms, mono_ns, boot = self._clocks.now()
        known = notes.all_of(connection, tx.PATIENT, "clock").get("clock")
        if known is None:
            newest = connection.execute("SELECT max(recorded_ms) FROM event").fetchone()[0]
            patient_ms = wall_ms if newest is None else min(wall_ms, int(newest))
        else:
            passed_ms = (mono_ns - int(known["mono_ns"])) // 1_000_000 if boot == known["boot"] else 0
            ms = int(known["ms"])
            trusted = self._clocks.state() == "synced"
            patient_ms = min(wall_ms, ms + 2 * max(0, passed_ms)) if trusted else ms
        notes.put(connection, tx.PATIENT, "clock", {"ms": patient_ms, "mono_ns": mono_ns, "boot": boot})
        return patient_ms

    def _forget_photos(self, connection: sqlite3.Connection, cap: leaving.Cap) -> list[Going]:
        """For room that the disk has not, as many as it takes; for the budget, as many as the day's cap allows."""
        full, short = self.room() == "full", self._room.short_bytes()
        old = evidence.over_age(connection)
        evidence.forget(connection, old)
        room = evidence.over_budget(connection, self._budget_bytes, short_bytes=short, unsent_too=full)
        if not short:
            room = room[: max(0, min(leaving.PHOTOS_TOGETHER, cap.photos))]
            cap.photos -= len(room)
        evidence.forget(connection, room)
        return [*old, *room]

    def _tell(self, connection: sqlite3.Connection, lane: str, today: str, events: int, going: list[Going]) -> None:
        """Count it for the day; what was counted on another day becomes an event."""
        told = notes.all_of(connection, DELETED, lane).get(lane)
        if told is not None and told["day"] != today:
            self._transaction(connection, lane).tell(Deleted(by=SYSTEM, **told))
            notes.put(connection, DELETED, lane, None)
            told = None
        if events or going:
            notes.put(connection, DELETED, lane, counted(told or {"day": today}, events, going))

    def _tell_lost(self, connection: sqlite3.Connection, lost: list[Going]) -> None:
        """Photos that the centre never said to have: each is named, in the transaction that lets it go."""
        for lane in sorted({one.lane for one in lost}):
            mine = [one for one in lost if one.lane == lane]
            for first in range(0, len(mine), NAMED_TOGETHER):
                some = mine[first : first + NAMED_TOGETHER]
                body = PhotosGone(code=LOST, why=some[0].why, photos=[one.named() for one in some])
                self._transaction(connection, lane).tell(body)
        if lost:
            self.troubles[LOST] = LOST
            log.error("%d photos went that the centre never said to have", len(lost))

    def erase(self, passages: Collection[str], by: str, reason: str) -> list[str]:
        """Delete the photos of these passages because somebody asked; their ids. The event that says so is in the same
        transaction, and names them for the centre. Nothing is recorded where there is none."""
        with db.translated("looking for photos"), closing(db.connect(self._path, readonly=True)) as connection:
            going = evidence.of_passages(connection, passages)
        if not going:
            return []
        with self._writing("deleting photos") as connection:
            evidence.forget(connection, going)
            for lane in sorted({one.lane for one in going}):
                mine = [one for one in going if one.lane == lane]
                told = DeletedOnRequest(
                    by=by,
                    reason=reason,
                    photos={"asked": len(mine)},
                    bytes=sum(one.size for one in mine),
                    photo_ids=[one.id for one in mine],
                    passages=sorted(passages),
                )
                self._transaction(connection, lane).tell(told)
        with db.translated("deleting photos"):
            evidence.remove(self._evidence, going, self._today())
        return [one.id for one in going]

    def _today(self) -> str:
        return self._clocks.wall_iso()[:10]


def counted(before: dict[str, Any], events: int, going: Iterable[Going]) -> dict[str, Any]:
    """The day's tally with these added: `events`, `photos` by reason, `bytes`."""
    photos = Counter({str(why): int(count) for why, count in before.get("photos", {}).items()})
    size = int(before.get("bytes", 0))
    for one in going:
        photos[one.why] += 1
        size += one.size
    return {**before, "events": int(before.get("events", 0)) + events, "photos": dict(photos), "bytes": size}
