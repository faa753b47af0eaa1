"""Two histories of one lane: an older copy of the whole folder put back, a clone on a second PC, a record begun anew.

Nothing here can see that by itself; the centre's acknowledgement with the hash of its event can. Then the numbers jump
over everything that either history may have used, an event says so, and every event here that the centre is not proven
to have is recorded once more, whole, under a new number. Nothing of the overlap counts as acknowledged; both copies
stay where they are. Functions over a connection, inside the caller's transaction.
"""

from __future__ import annotations

import json
import sqlite3

from edge.core.bodies import RecordedAgain, RecordForked
from edge.store import journal, notes
from edge.store.transaction import Transaction

PROVEN, OVERLAP = "proven", "overlap"
"""Notes by lane: the last event whose hash the centre said; what is still to be recorded once more (`next`, `to`)."""
JUMP = 1_000
"""Numbers left out behind the highest that is known: the other history may have used some that nobody heard of."""
TOGETHER = 50
FORKED, AGAIN = "record_forked", "record_overlap"


def prove(db: sqlite3.Connection, lane: str, seq: int) -> None:
    """The centre has our very event `seq`: by the chain, everything before it too."""
    if seq > shared(db, lane):
        notes.put(db, PROVEN, lane, {"seq": seq})


def shared(db: sqlite3.Connection, lane: str) -> int:
    """The last event that the centre is proven to have; from centres that say no hash, the last acknowledged one."""
    known = notes.all_of(db, PROVEN, lane).get(lane)
    row = db.execute("SELECT acked_seq FROM lane WHERE lane = ?", (lane,)).fetchone()
    return int(known["seq"]) if known is not None else int(row[0])


def begin(db: sqlite3.Connection, tx: Transaction, lane: str, seq: int, digest: str | None) -> int:
    """Jump and say so. Returns the last number left out."""
    last, pruned = db.execute("SELECT next_seq - 1, pruned_seq FROM lane WHERE lane = ?", (lane,)).fetchone()
    common = shared(db, lane)
    if common > min(last, seq) or (common == seq and seq > 0):
        common = pruned  # not even what was proven fits: everything that is here goes up once more
    common = min(max(common, pruned), last)
    jumped = int(max(seq, last) + JUMP)
    body = RecordForked(
        lost_from=common + 1,
        lost_to=jumped,
        centre_seq=seq,
        centre_hash=digest,
        own_hash=journal.hash_of(db, lane, seq),
        own_last=last,
    )
    db.execute("UPDATE lane SET next_seq = ?, acked_seq = ? WHERE lane = ?", (jumped + 1, jumped, lane))
    db.execute(
        "UPDATE counter SET value = max(value, (SELECT max(permit_serial) FROM lane)) + ? WHERE name = ?",
        (JUMP, "permit_serial"),
    )
    tx.tell(body)
    before = notes.all_of(db, OVERLAP, lane).get(lane)
    start = min(common + 1, before["next"]) if before else common + 1
    notes.put(db, OVERLAP, lane, {"next": start, "to": last} if start <= last else None)
    notes.put(db, PROVEN, lane, {"seq": jumped})
    return jumped


def record_again(db: sqlite3.Connection, tx: Transaction, lane: str) -> bool:
    """Some of the overlap, each event whole in a new one. True where there is more to do."""
    left = notes.all_of(db, OVERLAP, lane).get(lane)
    if left is None:
        return False
    rows = [
        payload
        for payload in journal.payloads(db, lane, left["next"] - 1, TOGETHER)
        if json.loads(payload)["seq"] <= left["to"]
    ]
    for payload in rows:
        tx.tell(RecordedAgain(was=json.loads(payload)))
    then = json.loads(rows[-1])["seq"] + 1 if rows else left["to"] + 1
    notes.put(db, OVERLAP, lane, {**left, "next": then} if then <= left["to"] else None)
    return bool(then <= left["to"])
