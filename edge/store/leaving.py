"""How what the centre has leaves this record: slowly, counted, and only when the centre has said twice that it has it.

What is old enough is first marked, and stays as it is. Only an acknowledgement that comes after the mark and covers it
lets it go, a little at a time and no more in a day than the day's cap. Until then longer limits, a centre that goes
back or a fork take the mark away again. Functions over a connection, inside the caller's transaction.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Any

from edge.store import journal, notes

LEAVING = "leaving"
"""The note, by lane: `to`, the last event that is marked, and whether it was acknowledged `again` since."""
CAP = "day_cap"
"""The note of the day's cap: `day`, what may still go of `events` and `photos`, `tips` and whether it was `reached`."""
DAY_MS = 86_400_000
EVENTS_TOGETHER, PHOTOS_TOGETHER = 500, 300
"""How many go with one look, so that no press waits behind them."""
LEAST_EVENTS, LEAST_PHOTOS = 2_000, 1_000
"""A day's cap is never lower: a small record has no share worth a name."""
SHARE = 10
"""In a day goes at most one in so many, or twice what came in the day before, whichever is more."""


def events(db: sqlite3.Connection, lane: str, older_than_ms: int, most: int) -> int:
    """Let go what may, at most `most`; mark what is old enough. How many events went."""
    left = notes.all_of(db, LEAVING, lane).get(lane)
    if left is None:
        last = journal.last_old(db, lane, older_than_ms)
        if last:
            notes.put(db, LEAVING, lane, {"to": last, "again": False})
        return 0
    if not left["again"]:
        return 0
    gone = journal.prune(db, lane, older_than_ms, to=left["to"], most=most) if most > 0 else 0
    if most > gone:  # nothing marked is left, or what is left is not old any more: the limits are longer now
        notes.put(db, LEAVING, lane, None)
    return gone


def acknowledged(db: sqlite3.Connection, lane: str, seq: int) -> None:
    """The centre said that it has every event up to `seq`."""
    left = notes.all_of(db, LEAVING, lane).get(lane)
    if left is not None and not left["again"] and seq >= left["to"]:
        notes.put(db, LEAVING, lane, {**left, "again": True})


def stay(db: sqlite3.Connection, lane: str) -> None:
    """What was marked stays: the centre went back, or has another history."""
    notes.put(db, LEAVING, lane, None)


@dataclass(slots=True)
class Cap:
    """What may still go today, by housekeeping's own clock (`Store._patient_ms`)."""

    day: int
    events: int
    photos: int
    tips: dict[str, int]
    reached: bool = False

    def keep(self, db: sqlite3.Connection) -> None:
        body: dict[str, Any] = {"day": self.day, "events": self.events, "photos": self.photos, "tips": self.tips}
        notes.put(db, CAP, "cap", {**body, "reached": self.reached})


def cap(db: sqlite3.Connection, now_ms: int) -> Cap:
    """Today's, as it stands. A new day's is made of what is here and of what came since the last one began."""
    known = notes.all_of(db, CAP, "cap").get("cap")
    day = now_ms // DAY_MS
    if known is not None and day <= known["day"]:
        return Cap(**known)
    lanes = db.execute("SELECT lane, next_seq - 1, pruned_seq FROM lane").fetchall()
    tips = {lane: last for lane, last, _ in lanes}
    came = sum(last - known["tips"].get(lane, last) for lane, last in tips.items()) if known is not None else 0
    here = sum(last - pruned for _, last, pruned in lanes)
    photos, fresh = db.execute(
        "SELECT count(*), count(*) FILTER (WHERE staged_ms >= ?) FROM evidence", (now_ms - DAY_MS,)
    ).fetchone()
    return Cap(
        day, max(LEAST_EVENTS, here // SHARE, 2 * came), max(LEAST_PHOTOS, photos // SHARE, 2 * fresh), tips
    )  # fmt: skip
