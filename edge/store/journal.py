"""The event log of each lane: append, hand out, take the centre's acknowledgement, prune, verify. Functions over a
connection."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import takewhile
from typing import Any, NamedTuple

from edge import errors
from edge.core.record import events
from edge.core.record.events import Anchor, ChainFault, Envelope
from edge.ports import OutgoingEvent

MOST = 1 << 39
"""Numbers of one lane end far below 2^40, its run of event.id."""
ALL = 1 << 62
"""A moment after every event, for `prune`."""
_RUN = "(SELECT number << 40 FROM lane WHERE lane = ?1)"
"""Where a lane's run of event.id begins (slim.sql); the statement's first value is the lane."""
_OF_LANE = f"id > {_RUN} AND id < {_RUN} + (1 << 40)"


class Unacknowledged(NamedTuple):
    """What the centre does not have yet of one lane. `next_seq` is the number that the next event will get."""

    waiting: int
    oldest_recorded_at: str | None
    next_seq: int


def add_lane(db: sqlite3.Connection, lane: str, start: Anchor) -> None:
    """Make a lane known; one that is known keeps its numbers. `start` is where its chain goes on (0 for a new lane)."""
    db.execute(
        "INSERT OR IGNORE INTO lane (lane, next_seq, last_hash, acked_seq, pruned_seq, pruned_hash, number)"
        " VALUES (?,?,?,?,?,?, (SELECT coalesce(max(number), 0) + 1 FROM lane))",
        (lane, start.seq + 1, start.hash, start.seq, start.seq, start.hash),
    )


def tip(db: sqlite3.Connection, lane: str) -> Anchor:
    """The lane's last event. Raises StoreError for a lane that this store was not opened with."""
    row = db.execute("SELECT next_seq, last_hash FROM lane WHERE lane = ?", (lane,)).fetchone()
    if row is None:
        raise errors.StoreError(f"no lane {lane!r} in this store")
    return Anchor(row[0] - 1, row[1])


def append(db: sqlite3.Connection, envelope: Envelope, payload: bytes, recorded_ms: int) -> None:
    """Inside the caller's transaction."""
    put(db, (envelope.lane, envelope.seq, envelope.event_id, envelope.kind, recorded_ms, payload))
    db.execute(
        "UPDATE lane SET next_seq = ?, last_hash = ? WHERE lane = ?", (envelope.seq + 1, envelope.hash, envelope.lane)
    )


def put(db: sqlite3.Connection, row: tuple[Any, ...]) -> None:
    """(lane, seq, event_id, kind, recorded_ms, payload) to its place."""
    db.execute(
        "INSERT INTO event (id, lane, seq, event_id, kind, recorded_ms, payload)"  # noqa: S608
        f" VALUES ({_RUN} + ?2, ?1, ?2, ?3, ?4, ?5, ?6)",
        row,
    )


def pending(db: sqlite3.Connection, lane: str, after_seq: int, limit: int) -> list[OutgoingEvent]:
    rows = db.execute(
        f"SELECT seq, payload FROM event WHERE id > {_RUN} + max(?2, (SELECT acked_seq FROM lane WHERE lane = ?1))"  # noqa: S608
        f" AND id < {_RUN} + (1 << 40) ORDER BY id LIMIT ?3",
        (lane, after_seq, limit),
    )
    return [OutgoingEvent(lane, seq, payload) for seq, payload in rows]


def unacknowledged(db: sqlite3.Connection, lane: str) -> Unacknowledged:
    row = db.execute(
        "SELECT l.next_seq, l.acked_seq, (SELECT e.payload FROM event e WHERE e.id > (l.number << 40) + l.acked_seq"
        " AND e.id < (l.number + 1) << 40 ORDER BY e.id LIMIT 1) FROM lane l WHERE l.lane = ?",
        (lane,),
    ).fetchone()
    if row is None:
        raise errors.StoreError(f"no lane {lane!r} in this store")
    oldest = json.loads(row[2])["recorded_at"] if row[2] is not None else None
    return Unacknowledged(row[0] - 1 - row[1], oldest, row[0])


def acknowledge(db: sqlite3.Connection, lane: str, seq: int) -> int:
    """How many events that newly covers. Inside the caller's transaction. Raises BadMessageError beyond the lane's
    last."""
    row = db.execute("SELECT next_seq, acked_seq FROM lane WHERE lane = ?", (lane,)).fetchone()
    if row is None:
        raise errors.BadMessageError(f"ack for lane {lane!r}, which is not one of this gate's")
    if not 0 <= seq < row[0]:
        raise errors.BadMessageError(f"ack seq {seq} for lane {lane}: the last event is {row[0] - 1}")
    if seq > row[1]:
        db.execute("UPDATE lane SET acked_seq = ? WHERE lane = ?", (seq, lane))
    return max(0, int(seq - row[1]))


def fits(db: sqlite3.Connection, lane: str, seq: int, digest: str | None) -> bool:
    """Whether the centre's event `seq` is ours, by its hash where the centre says it. False beyond the lane's last.
    What is not here any more cannot be compared and proves nothing. Raises BadMessageError for another lane."""
    row = db.execute("SELECT next_seq, pruned_seq, pruned_hash FROM lane WHERE lane = ?", (lane,)).fetchone()
    if row is None:
        raise errors.BadMessageError(f"ack for lane {lane!r}, which is not one of this gate's")
    if seq >= MOST:
        raise errors.BadMessageError(f"ack seq {seq} for lane {lane}: more than a lane can have")
    if seq >= row[0]:
        return False
    if digest is None or seq == 0 or seq < row[1]:
        return True
    own = row[2] if seq == row[1] else hash_of(db, lane, seq)
    return own is None or own == digest


def hash_of(db: sqlite3.Connection, lane: str, seq: int) -> str | None:
    """Of an event that is here; None where it is not."""
    row = db.execute(f"SELECT payload FROM event WHERE id = {_RUN} + ?2", (lane, seq)).fetchone()  # noqa: S608
    return str(json.loads(row[0])["hash"]) if row else None


def go_back(db: sqlite3.Connection, lane: str, seq: int) -> int:
    """Take acknowledgements back as far as events are still here: the last one that is not. Inside the caller's
    transaction. Photos that the lost events named are sent again with them."""
    back = db.execute(
        "UPDATE lane SET acked_seq = min(acked_seq, max(?2, pruned_seq)) WHERE lane = ?1 RETURNING acked_seq",
        (lane, seq),
    ).fetchone()
    if back is None:
        raise errors.BadMessageError(f"ack for lane {lane!r}, which is not one of this gate's")
    db.execute("UPDATE evidence SET sent = 0 WHERE lane = ? AND seq > ? AND sent IN (1, 3)", (lane, back[0]))
    return int(back[0])


def last_old(db: sqlite3.Connection, lane: str, older_than_ms: int) -> int:
    """The last acknowledged event before the first that is younger; 0 where there is none."""
    kept = db.execute(
        f"SELECT seq FROM event WHERE {_OF_LANE} AND recorded_ms >= ?2 ORDER BY id LIMIT 1",  # noqa: S608
        (lane, older_than_ms),
    ).fetchone()
    acked = int(db.execute("SELECT acked_seq FROM lane WHERE lane = ?", (lane,)).fetchone()[0])
    last = acked if kept is None else min(acked, kept[0] - 1)
    row = db.execute(
        f"SELECT max(seq) FROM event WHERE id > {_RUN} AND id <= {_RUN} + ?2",  # noqa: S608
        (lane, last),
    ).fetchone()
    return int(row[0] or 0)


def prune(db: sqlite3.Connection, lane: str, older_than_ms: int, *, to: int = MOST, most: int = -1) -> int:
    """Delete acknowledged events from the old end, up to the first that is younger, none behind `to`, at most `most`;
    the chain's anchor moves along."""
    old = db.execute(
        f"SELECT id, seq, recorded_ms FROM event WHERE id > {_RUN} AND id <= {_RUN}"  # noqa: S608
        " + min(?2, (SELECT acked_seq FROM lane WHERE lane = ?1)) ORDER BY id LIMIT ?3",
        (lane, to, most),
    ).fetchall()
    going = [row[:2] for row in takewhile(lambda row: row[2] < older_than_ms, old)]
    if not going:
        return 0
    last_id, last = going[-1]
    digest = json.loads(db.execute("SELECT payload FROM event WHERE id = ?", (last_id,)).fetchone()[0])["hash"]
    db.execute("UPDATE lane SET pruned_seq = ?, pruned_hash = ? WHERE lane = ?", (last, digest, lane))
    return db.execute(f"DELETE FROM event WHERE id > {_RUN} AND id <= ?2", (lane, last_id)).rowcount  # noqa: S608


def payloads(db: sqlite3.Connection, lane: str, after_seq: int = 0, limit: int = -1) -> Iterator[bytes]:
    """Stored envelopes of a lane in order; at most `limit`."""
    for (payload,) in db.execute(
        f"SELECT payload FROM event WHERE id > {_RUN} + ?2 AND id < {_RUN} + (1 << 40) ORDER BY id LIMIT ?3",  # noqa: S608
        (lane, after_seq, limit),
    ):
        yield payload


def recent(db: sqlite3.Connection, lane: str, limit: int) -> list[bytes]:
    """The newest envelopes of a lane, newest first."""
    rows = db.execute(f"SELECT payload FROM event WHERE {_OF_LANE} ORDER BY id DESC LIMIT ?2", (lane, limit))  # noqa: S608
    return [payload for (payload,) in rows]


def lanes(db: sqlite3.Connection) -> Sequence[str]:
    return [lane for (lane,) in db.execute("SELECT lane FROM lane ORDER BY number")]


# ---------------------------------------------------------------- checking


def told_holes(alarms: Iterable[bytes]) -> list[tuple[int, int]]:
    """Numbers that signed events of the lane itself say are not here (`lost_from` to `lost_to`, and `holes`)."""
    found = []
    for payload in alarms:
        with suppress(ValueError, KeyError, TypeError):
            body = json.loads(payload)["body"]
            found += [(int(first), int(last)) for first, last in body.get("holes", ())]
            if body.get("lost_from") is not None:
                found.append((int(body["lost_from"]), int(body["lost_to"])))
    return found


def verify(db: sqlite3.Connection, site: str, check: events.SignatureCheck | None) -> list[ChainFault]:
    """Every lane's chain from its anchor to its last event; for each lane at most its first fault. Reads one
    snapshot."""
    db.execute("BEGIN")
    try:
        return [fault for lane in lanes(db) if (fault := _verify_lane(db, site, lane, check)) is not None]
    finally:
        db.execute("ROLLBACK")


def _verify_lane(
    db: sqlite3.Connection, site: str, lane: str, check: events.SignatureCheck | None
) -> ChainFault | None:
    row = db.execute("SELECT pruned_seq, pruned_hash FROM lane WHERE lane = ?", (lane,)).fetchone()
    told = told_holes(payload for (payload,) in db.execute(
        f"SELECT payload FROM event WHERE {_OF_LANE} AND kind = 'alarm' ORDER BY id", (lane,)  # noqa: S608
    ))  # fmt: skip
    end = events.verify_chain(payloads(db, lane), site=site, lane=lane, anchor=Anchor(*row), check=check, holes=told)
    if isinstance(end, ChainFault):
        return end
    last = tip(db, lane)
    if end != last:
        return ChainFault(
            lane, end.seq + 1, f"the log ends here, but the lane's last event is {last.seq}: rows are missing"
        )
    columns = db.execute(
        "SELECT seq FROM (SELECT seq, lane, kind, event_id, CAST(payload AS TEXT) AS j"  # noqa: S608
        f" FROM event WHERE {_OF_LANE})"
        " WHERE seq IS NOT j ->> '$.seq' OR lane IS NOT ?1 OR kind IS NOT j ->> '$.kind'"
        " OR event_id IS NOT j ->> '$.event_id' ORDER BY seq LIMIT 1",
        (lane,),
    ).fetchone()
    return ChainFault(lane, columns[0], "its columns differ from its envelope") if columns else None
