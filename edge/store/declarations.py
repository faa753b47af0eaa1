"""The local copy of the centre's declarations, and what this gate confirmed itself. Functions over a
connection.

Versions only move forward. A tombstone keeps the id and the version, so that an older payload cannot bring it back to
life. A declaration that a whole subscribe did not show again was removed while this gate was away: it gets the same
tombstone, but may come back with the same version, because nobody said which version the removal was of.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Collection
from dataclasses import replace

from edge import errors, wire
from edge.core.law.lookup import normal_plate, overlay
from edge.core.model import PEER, Confirmation, Declaration
from edge.store import notes

REMOVED = "removed"
PAPER = "paper"
GATE = "gate"
REFUSED = "refused"
"""The note, by id, of a declaration whose newest message was not taken."""
REFUSED_KEPT = 10_000
SET_ASIDE_KEPT = 1_000
SET_ASIDE_BYTES = 4_096


# ---------------------------------------------------------------- taking in


def put(
    db: sqlite3.Connection, declaration_id: str, payload: bytes, received_ms: int, known: Callable[[str], bool] | None
) -> bool:
    """One message of `declaration/{id}`, inside the caller's transaction. True where the copy changed.

    Raises BadMessageError: unreadable, an id other than the topic's, or a version older than the one here.
    """
    if not payload:
        return _remove(db, declaration_id, received_ms)
    declaration = wire.parse_declaration(payload)
    if declaration.id != declaration_id:
        raise errors.BadMessageError(f"id: {declaration.id!r} does not match the topic's {declaration_id!r}")
    if known is not None:
        wire.check_procedure(declaration, known)
    row = db.execute(
        "SELECT version, state, payload, sweep FROM declaration WHERE id = ?", (declaration_id,)
    ).fetchone()
    if row is not None and not _moves_forward(declaration, payload, row):
        return False
    _write(db, declaration, payload, received_ms)
    _drop_carried(db, declaration)
    return True


def refuse(db: sqlite3.Connection, declaration_id: str, why: str | None) -> None:
    """The newest message under this id was not taken, or (None) it was: what is here of it may be out of date."""
    notes.put(db, REFUSED, declaration_id[:200], None if why is None else {"why": _clean(why)[:1024]})
    if why is not None:
        db.execute(
            "DELETE FROM note WHERE kind = ?1 AND rowid <= (SELECT max(rowid) FROM note WHERE kind = ?1) - ?2",
            (REFUSED, REFUSED_KEPT),
        )


def mark_seen(db: sqlite3.Connection, declaration_id: str) -> None:
    """The centre still has something under this id, even where its payload turns out to be unreadable or old."""
    db.execute(
        "UPDATE declaration SET sweep = (SELECT sweep FROM copy) WHERE id = ? AND state <> ?", (declaration_id, REMOVED)
    )


def _moves_forward(new: Declaration, payload: bytes, row: tuple[int, str, bytes, int]) -> bool:
    """False for a harmless repeat. Raises BadMessageError for a step back or a changed content under the same
    version."""
    version, state, here, sweep = row
    if new.version > version:
        return True
    if new.version < version:
        raise errors.OldMessageError(f"version: {new.version} is older than {version}, which is here already")
    if state == REMOVED:
        if sweep >= 0:
            raise errors.OldMessageError(f"version: {new.version} was removed by the centre; a newer one is needed")
        return True
    if payload != here:
        raise errors.BadMessageError(f"version: {new.version} is here already with another content")
    return False


def _write(db: sqlite3.Connection, declaration: Declaration, payload: bytes, received_ms: int) -> None:
    db.execute(
        "INSERT INTO declaration (id, version, state, payload, received_ms, sweep)"
        " VALUES (?, ?, ?, ?, ?, (SELECT sweep FROM copy))"
        " ON CONFLICT (id) DO UPDATE SET version = excluded.version, state = excluded.state,"
        " payload = excluded.payload, received_ms = excluded.received_ms, sweep = excluded.sweep",
        (declaration.id, declaration.version, declaration.state, payload, received_ms),
    )
    db.execute("DELETE FROM declaration_plate WHERE declaration_id = ?", (declaration.id,))
    plates = {normal_plate(vehicle.plate) for vehicle in declaration.vehicles} - {""}
    db.executemany("INSERT INTO declaration_plate VALUES (?, ?)", [(plate, declaration.id) for plate in plates])


def _drop_carried(db: sqlite3.Connection, declaration: Declaration) -> None:
    """What the centre's version carries need not be laid over it any more."""
    for own in confirmations(db, declaration.id):
        if overlay(declaration, [own]).confirmations == declaration.confirmations:
            db.execute(
                "DELETE FROM confirmation"
                " WHERE declaration_id = ? AND step = ? AND authority = ? AND act = ? AND plate = ?",
                (declaration.id, own.step, own.authority, own.act, own.plate or ""),
            )
    said = peers(db, declaration.id)
    if said and overlay(declaration, said).confirmations == declaration.confirmations:
        _forget_peers(db, declaration.id)


def peers(db: sqlite3.Connection, declaration_id: str) -> list[Confirmation]:
    """What other gates of the site said to have confirmed of it, as long as they say so."""
    rows = db.execute(
        "SELECT body FROM note WHERE kind = ? AND key >= ? AND key < ? ORDER BY key",
        (PEER, f"{declaration_id}/", f"{declaration_id}0"),  # 0 comes next behind /
    ).fetchall()
    return [confirmation for (body,) in rows for confirmation in wire.parse_peer(body.encode())[1]]


def _forget_peers(db: sqlite3.Connection, declaration_id: str) -> None:
    db.execute(
        "DELETE FROM note WHERE kind = ? AND key >= ? AND key < ?", (PEER, f"{declaration_id}/", f"{declaration_id}0")
    )


def put_peer(db: sqlite3.Connection, lane: str, declaration_id: str, payload: bytes) -> bool:
    """One message of `{lane}/peer/{id}` of another gate. True where something changed. Raises BadMessageError."""
    key = f"{declaration_id}/{lane}"
    before = notes.all_of(db, PEER, key).get(key)
    if not payload:
        notes.put(db, PEER, key, None)
        return before is not None
    named, given = wire.parse_peer(payload)
    if named != declaration_id:
        raise errors.BadMessageError(f"peer: {named!r} does not match the topic's {declaration_id!r}")
    body = {"declaration": named, "confirmations": [wire.confirmation_to_json(replace(one, via=GATE)) for one in given]}
    if body == before:
        return False
    notes.put(db, PEER, key, body)
    return True


def laid(db: sqlite3.Connection) -> dict[str, list[Confirmation]]:
    """Everything of this gate that the centre's versions do not carry yet, by declaration."""
    found: dict[str, list[Confirmation]] = {}
    rows = db.execute(
        "SELECT declaration_id, step, authority, act, at, by, via, nullif(plate, '') FROM confirmation"
        " ORDER BY declaration_id, number"
    )
    for declaration_id, *row in rows:
        found.setdefault(declaration_id, []).append(Confirmation(*row))
    return found


def _remove(db: sqlite3.Connection, declaration_id: str, received_ms: int) -> bool:
    (sweep,) = db.execute("SELECT sweep FROM copy").fetchone()
    gone = db.execute(
        "DELETE FROM declaration WHERE id = ? AND (state <> ? OR sweep < 0) RETURNING version",
        (declaration_id, REMOVED),
    ).fetchone()
    if gone is not None:
        _bury(db, declaration_id, gone[0], received_ms, sweep)
    return gone is not None


def _bury(db: sqlite3.Connection, declaration_id: str, version: int, received_ms: int, sweep: int) -> None:
    """A tombstone is a row of its own: one that only shrinks keeps the page that its declaration filled, and 400 days
    of them a gigabyte. Its plates went with it."""
    _forget_peers(db, declaration_id)
    db.execute(
        "INSERT INTO declaration (id, version, state, payload, received_ms, sweep) VALUES (?, ?, ?, x'', ?, ?)",
        (declaration_id, version, REMOVED, received_ms, sweep),
    )


def watch_seen(db: sqlite3.Connection, *, gone: bool) -> None:
    """The centre has a watch list, whatever is in it; `gone`: it said that it has none any more."""
    db.execute("UPDATE copy SET watch_sweep = CASE WHEN ? THEN -1 ELSE sweep END", (gone,))


def watch_unseen(db: sqlite3.Connection) -> bool:
    """This subscribe showed declarations, but not the watch list that an earlier one showed."""
    sweep, watch_sweep = db.execute("SELECT sweep, watch_sweep FROM copy").fetchone()
    seen = db.execute("SELECT 1 FROM declaration WHERE sweep = ? AND state <> ? LIMIT 1", (sweep, REMOVED)).fetchone()
    return seen is not None and 0 <= watch_sweep != sweep


def begin_copy(db: sqlite3.Connection) -> None:
    """A new subscribe: from here on every retained message is about to be seen again."""
    db.execute("UPDATE copy SET sweep = sweep + 1")


def complete_copy(db: sqlite3.Connection, now: tuple[int, int, str], *, fresh: bool = True) -> int | None:
    """All retained messages of this subscribe were seen: how many that removed; None where it proves nothing.

    `now` is (Unix ms, monotonic ns, boot id). Without `fresh` (the newest watch list was not taken) what was removed
    goes, and the copy keeps its age.

    A broker that lost its memory shows nothing at all: as long as neither the watch list nor any declaration was seen
    though some are here, the copy stays as it is and keeps its age. Only where the watch list was seen, which the
    centre publishes last, does the absence of a declaration mean that it was removed.
    """
    sweep, watch_sweep = db.execute("SELECT sweep, watch_sweep FROM copy").fetchone()
    here, seen = db.execute(
        "SELECT count(*), count(*) FILTER (WHERE sweep = ?) FROM declaration WHERE state <> ?", (sweep, REMOVED)
    ).fetchone()
    if here and not seen and watch_sweep != sweep:
        return None
    if fresh:
        db.execute("UPDATE copy SET seen_ms = ?, seen_mono_ns = ?, seen_boot = ?", now)
    if watch_sweep != sweep:
        return 0
    unseen = db.execute(
        "DELETE FROM declaration WHERE state <> ? AND sweep <> ? RETURNING id, version, received_ms", (REMOVED, sweep)
    ).fetchall()
    for declaration_id, version, received_ms in unseen:
        _bury(db, declaration_id, version, received_ms, -1)
    return len(unseen)


def keep_fresh(db: sqlite3.Connection, now: tuple[int, int, str]) -> None:
    """A copy that was seen whole in this connection is so still. `now` is as in `complete_copy`."""
    db.execute("UPDATE copy SET seen_ms = ?, seen_mono_ns = ?, seen_boot = ?", now)


def forget_old(db: sqlite3.Connection, before_ms: int) -> None:
    """Tombstones of declarations that nobody sends any more, and what this gate had confirmed of them."""
    old = db.execute(
        "DELETE FROM declaration WHERE state = ? AND received_ms < ? RETURNING id", (REMOVED, before_ms)
    ).fetchall()
    db.executemany("DELETE FROM confirmation WHERE declaration_id = ?", old)


def copy_age_s(db: sqlite3.Connection, now: tuple[int, int, str]) -> float | None:
    """Seconds since all retained messages had last been seen; None: never.

    The monotonic clock's word within one boot, the wall clock's across a restart of the machine. `now` is as in
    `complete_copy`.
    """
    seen_ms, seen_mono_ns, boot = db.execute("SELECT seen_ms, seen_mono_ns, seen_boot FROM copy").fetchone()
    if seen_ms is None:
        return None
    age_s: float = (now[1] - seen_mono_ns) / 1e9 if boot == now[2] else (now[0] - seen_ms) / 1e3
    return max(0.0, age_s)


def set_aside(db: sqlite3.Connection, topic: str, payload: bytes, why: str, at: str) -> None:
    """Keep the newest SET_ASIDE_KEPT bad payloads for a person to look at, and count them all."""
    topic, why = _clean(topic), _clean(why)
    db.execute(
        "INSERT INTO set_aside (at, topic, why, size, payload) VALUES (?, ?, ?, ?, ?)",
        (at, topic[:512], why[:1024], len(payload), payload[:SET_ASIDE_BYTES]),
    )
    db.execute("UPDATE counter SET value = value + 1 WHERE name = 'set_aside'")
    db.execute("DELETE FROM set_aside WHERE id <= (SELECT max(id) FROM set_aside) - ?", (SET_ASIDE_KEPT,))


def _clean(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8").replace("\x00", "�")


# ---------------------------------------------------------------- looking up


def get(db: sqlite3.Connection, declaration_id: str) -> Declaration | None:
    """The newest version with this gate's confirmations laid over, or a paper form's own declaration; None where there
    is none or it was removed."""
    row = db.execute(
        "SELECT payload FROM declaration WHERE id = ? AND state <> ?", (declaration_id, REMOVED)
    ).fetchone()
    row = (
        row
        or db.execute(
            "SELECT CAST(body ->> '$.declaration' AS BLOB) FROM note WHERE kind = ? AND key = ?",
            (PAPER, declaration_id),
        ).fetchone()
    )
    if row is None:
        return None
    own = overlay(wire.parse_declaration(row[0]), confirmations(db, declaration_id))
    return overlay(own, peers(db, declaration_id))


def for_plate(db: sqlite3.Connection, plate: str) -> list[Declaration]:
    """Every declaration that names this plate, exactly, the active ones first, the newest of each first."""
    ids = db.execute("SELECT declaration_id FROM declaration_plate WHERE plate = ?", (normal_plate(plate),)).fetchall()
    ids += db.execute(
        "SELECT note.key FROM note, json_each(note.body, '$.plates') AS plate"
        " WHERE note.kind = ? AND plate.value = ? AND note.body ->> '$.open'",
        (PAPER, normal_plate(plate)),
    ).fetchall()
    found = [declaration for (one,) in ids if (declaration := get(db, one)) is not None]
    found.sort(key=lambda one: (one.state == "active", one.declared_at, one.id), reverse=True)
    return found


def declared(db: sqlite3.Connection, plates: Collection[str]) -> list[str]:
    """Which of these an active declaration names. By the primary key, so thousands of them take milliseconds."""
    rows = db.execute(
        "SELECT DISTINCT p.plate FROM json_each(?) AS wanted JOIN declaration_plate p ON p.plate = wanted.value"
        " JOIN declaration d ON d.id = p.declaration_id WHERE d.state = 'active'",
        (json.dumps(list(plates)),),
    )
    return [plate for (plate,) in rows]


def passed_somewhere(db: sqlite3.Connection) -> list[Declaration]:
    ids = db.execute(
        "SELECT id FROM declaration WHERE state = 'active' AND (instr(payload, CAST('\"passed\"' AS BLOB)) > 0"
        " OR id IN (SELECT declaration_id FROM confirmation WHERE act = 'passed'))"
    ).fetchall()
    return [declaration for (one,) in ids if (declaration := get(db, one)) is not None]


def active(db: sqlite3.Connection) -> list[Declaration]:
    ids = db.execute("SELECT id FROM declaration WHERE state = 'active'").fetchall()
    return [declaration for (one,) in ids if (declaration := get(db, one)) is not None]


def confirmations(db: sqlite3.Connection, declaration_id: str) -> list[Confirmation]:
    """This gate's own that the centre's version does not carry yet, in the order in which they were given."""
    rows = db.execute(
        "SELECT step, authority, act, at, by, via, nullif(plate, '') FROM confirmation"
        " WHERE declaration_id = ? ORDER BY number",
        (declaration_id,),
    )
    return [Confirmation(*row) for row in rows]


def add_confirmation(db: sqlite3.Connection, declaration_id: str, given: Confirmation) -> None:
    """The newest one stands: one that was given before its legal predecessor does not count, and is given again."""
    db.execute(
        "INSERT INTO confirmation (declaration_id, step, authority, act, at, by, via, plate, number)"
        " VALUES (?1,?,?,?,?,?,?,?, (SELECT coalesce(max(number), 0) + 1 FROM confirmation WHERE declaration_id = ?1))"
        " ON CONFLICT DO UPDATE SET at = excluded.at, by = excluded.by, via = excluded.via",
        (declaration_id, given.step, given.authority, given.act, given.at, given.by, given.via, given.plate or ""),
    )
