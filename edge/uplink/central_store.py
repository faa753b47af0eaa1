"""What the centre keeps: every event once, how far each lane is whole, and each declaration's newest version.

Idempotent: an event is known by its id and by its lane and seq, so a repeat changes nothing. What has been committed
here may be acknowledged, never more.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any, Literal

from edge.core.record.events import GENESIS_HASH, raw_hash
from edge.errors import BadMessageError

Taken = Literal["new", "duplicate", "conflict"]
Incoming = tuple[Mapping[str, Any], bytes]
"""A parsed envelope and its payload as it came."""
_TEXTS = ("boot_id", "clock", "event_id", "hash", "kind", "lane", "prev_hash", "recorded_at", "signature", "site")
ROWS = 100
"""How many events go into one statement."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a lane is whole. `missing` is the first number that waits for a resend, None where nothing does."""

    lane: str
    acked: int
    missing: int | None
    chain_breaks: tuple[int, ...] = ()
    hash: str | None = None
    """Of event `acked`; None behind a declared loss, and before the first."""


@dataclass(slots=True)
class _Mark:
    """How far a lane is whole, inside the transaction that is being made; `hash` is None behind a declared loss."""

    acked: int
    hash: str | None
    breaks: list[int] = field(default_factory=list)


def named_photos(value: Any) -> list[dict[str, str]]:
    """`[{"id", "sha256", ..}]` of a body, what is not that left out."""
    rows = value if isinstance(value, list) else []
    return [one for one in rows if isinstance(one, dict) and all(isinstance(one.get(k), str) for k in ("id", "sha256"))]


def read_event(payload: bytes) -> dict[str, Any]:
    """An envelope whose content gives its hash. Raises BadMessageError."""
    try:
        event = json.loads(payload)
        if not isinstance(event, dict):
            raise BadMessageError("event: must be an object")
        for name in _TEXTS:
            if not isinstance(event[name], str):
                raise BadMessageError(f"event: {name}: must be a text")
        if type(event["mono_ns"]) is not int or type(event["seq"]) is not int or not 0 < event["seq"] < 1 << 62:
            raise BadMessageError("event: seq, mono_ns: must be whole numbers, seq from 1")
        if raw_hash(payload) != event["hash"]:
            raise BadMessageError("event: its content does not give its hash")
    except KeyError as error:
        raise BadMessageError(f"event: {error.args[0]}: is missing") from error
    except (ValueError, RecursionError) as error:
        raise BadMessageError(f"event: no JSON: {str(error)[:200]}") from error
    return event


class CentralStore:
    """One writer, one thread. Raises sqlite3.Error: a platform that cannot store must not go on as if it could."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._marks: dict[str, _Mark] = {}
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = FULL")
        self._db.executescript(resources.files(__package__).joinpath("central_schema.sql").read_text(encoding="utf-8"))

    def close(self) -> None:
        self._db.close()

    @contextmanager
    def commit(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            self._marks.clear()
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise

    # ------------------------------------------------------------ events

    def take(self, batch: Sequence[Incoming]) -> list[Taken]:
        """Inside `commit`; one answer for each. "conflict": another event has this id or this place; the first one
        stands."""
        taken: list[Taken] = []
        for first in range(0, len(batch), ROWS):
            taken += self._take_rows(batch[first : first + ROWS])
        return taken

    def _take_rows(self, rows: Sequence[Incoming]) -> Iterator[Taken]:
        marks = ",".join(["(?,?,?,?,?)"] * len(rows))
        values = [value for e, payload in rows for value in (e["lane"], e["seq"], e["event_id"], e["kind"], payload)]
        fresh = set(
            self._db.execute(
                f"INSERT INTO event VALUES {marks} ON CONFLICT DO NOTHING RETURNING lane, seq",  # noqa: S608
                values,
            ).fetchall()
        )
        for event, payload in rows:
            place = (event["lane"], event["seq"])
            if place in fresh:
                fresh.remove(place)
                self._join(event)
                self._note_loss(event)
                self._note_photos(event)
                yield "new"
            else:
                row = self._db.execute("SELECT payload FROM event WHERE lane = ? AND seq = ?", place).fetchone()
                yield "duplicate" if row is not None and row[0] == payload else "conflict"

    def _note_loss(self, event: Mapping[str, Any]) -> None:
        """The gate says itself that these are gone for good: waiting for them would hold back everything behind."""
        body = event["body"]
        if event["kind"] == "alarm" and isinstance(body, dict) and isinstance(body.get("lost_from"), int):
            loss = (event["lane"], body["lost_from"], min(int(body["lost_to"]), event["seq"] - 1))
            self._db.execute(
                "INSERT INTO loss VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET last = max(last, excluded.last)", loss
            )

    def _note_photos(self, event: Mapping[str, Any]) -> None:
        """Photos that this event names and that are not here; those that its gate says are gone are not waited for."""
        body = event["body"]
        if not isinstance(body, dict):
            return
        for photo in named_photos(body.get("evidence")):
            self._db.execute(
                "INSERT INTO photo_due SELECT ?1, ?2, ?3, ?4 WHERE NOT EXISTS (SELECT 1 FROM photo WHERE sha256 = ?4)"
                " ON CONFLICT DO NOTHING",
                (event["lane"], event["event_id"], photo["id"], photo["sha256"]),
            )
        gone = [one["id"] for one in named_photos(body.get("photos"))] if body.get("code") == "photos_lost" else []
        gone += [one for one in body.get("photo_ids") or [] if isinstance(one, str)]
        self._db.executemany("DELETE FROM photo_due WHERE lane = ? AND id = ?", [(event["lane"], one) for one in gone])

    def _join(self, event: Mapping[str, Any]) -> bool:
        """Move the lane's mark over this event where it is the next one and hangs on the one before. One that does not
        is of another history (docs/protocol.md, rule 15): nothing from there on is acknowledged."""
        mark = self._marks.get(event["lane"]) or self._read_mark(event["lane"])
        if event["seq"] != mark.acked + 1:
            return False
        if mark.hash is not None and event["prev_hash"] != mark.hash:
            mark.breaks.append(event["seq"])
            return False
        mark.acked, mark.hash = event["seq"], event["hash"]
        return True

    def advance(self, lane: str) -> Progress:
        """Inside `commit`: the lane's mark over everything that is whole now, what came too early before included."""
        mark = self._marks.get(lane) or self._read_mark(lane)
        while True:
            row = self._db.execute(
                "SELECT payload FROM event WHERE lane = ? AND seq = ?", (lane, mark.acked + 1)
            ).fetchone()
            if row is not None and self._join(json.loads(row[0])):
                continue
            lost = self._db.execute(
                "SELECT max(last) FROM loss WHERE lane = ? AND first <= ? AND last > ?",
                (lane, mark.acked + 1, mark.acked),
            ).fetchone()[0]
            if lost is None:
                break
            mark.acked, mark.hash = lost, None
        self._db.execute("INSERT OR REPLACE INTO lane VALUES (?, ?, ?)", (lane, mark.acked, mark.hash))
        beyond = self._db.execute(
            "SELECT 1 FROM event WHERE lane = ? AND seq > ? LIMIT 1", (lane, mark.acked)
        ).fetchone()
        breaks, mark.breaks = tuple(mark.breaks), []
        return Progress(lane, mark.acked, mark.acked + 1 if beyond else None, breaks, mark.hash if mark.acked else None)

    def _read_mark(self, lane: str) -> _Mark:
        row = self._db.execute("SELECT acked, hash FROM lane WHERE lane = ?", (lane,)).fetchone()
        self._marks[lane] = mark = _Mark(row[0], row[1]) if row else _Mark(0, GENESIS_HASH)
        return mark

    def acked(self) -> list[Progress]:
        rows = self._db.execute("SELECT lane, acked, hash FROM lane").fetchall()
        return [Progress(lane, acked, None, hash=last if acked else None) for lane, acked, last in rows]

    def count(self) -> int:
        return int(self._db.execute("SELECT count(*) FROM event").fetchone()[0])

    # ------------------------------------------------------------ photos

    def put_photo(self, sha256: str, lane: str, event_id: str, path: str) -> bool:
        """Inside `commit`, after the file is on disk. False where it was here already."""
        new = self._db.execute(
            "INSERT INTO photo VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING", (sha256, lane, event_id, path)
        ).rowcount
        self._db.execute("DELETE FROM photo_due WHERE sha256 = ?", (sha256,))
        return new > 0

    def photo(self, sha256: str) -> str | None:
        """Where its file lies, or None."""
        row = self._db.execute("SELECT path FROM photo WHERE sha256 = ?", (sha256,)).fetchone()
        return row[0] if row else None

    def photos_due(self, limit: int) -> dict[str, list[str]]:
        """Events by lane whose photos are not here."""
        due: dict[str, list[str]] = {}
        rows = self._db.execute("SELECT DISTINCT lane, event_id FROM photo_due ORDER BY event_id LIMIT ?", (limit,))
        for lane, event_id in rows:
            due.setdefault(lane, []).append(event_id)
        return due

    def drop_due(self, lane: str, event_ids: Sequence[str]) -> None:
        """Inside `commit`: their gate has no photos of these any more."""
        self._db.executemany(
            "DELETE FROM photo_due WHERE lane = ? AND event_id = ?", [(lane, one) for one in event_ids]
        )

    # ------------------------------------------------------------ declarations

    def declaration(self, declaration_id: str) -> tuple[dict[str, Any], str] | None:
        """The newest version and the digest of the file that it came from; None where there is none or it was
        removed."""
        row = self._db.execute("SELECT payload, source FROM declaration WHERE id = ?", (declaration_id,)).fetchone()
        return (json.loads(row[0]), row[1]) if row and row[0] else None

    def version(self, declaration_id: str) -> int:
        """The highest version ever published under this id, 0 where none was."""
        row = self._db.execute("SELECT version FROM declaration WHERE id = ?", (declaration_id,)).fetchone()
        return int(row[0]) if row else 0

    def put_declaration(self, declaration: Mapping[str, Any], source: str) -> bytes:
        """Inside `commit`. The payload to publish."""
        payload = json.dumps(declaration, ensure_ascii=False, separators=(",", ":")).encode("utf-8")
        row = (declaration["id"], declaration["version"], payload, source)
        self._db.execute("INSERT OR REPLACE INTO declaration VALUES (?, ?, ?, ?)", row)
        return payload

    def drop_declaration(self, declaration_id: str) -> None:
        """The version stays known: a gate takes nothing older, not even after a removal."""
        self._db.execute("UPDATE declaration SET payload = x'', source = '' WHERE id = ?", (declaration_id,))

    def declarations(self) -> list[tuple[str, bytes]]:
        return self._db.execute("SELECT id, payload FROM declaration WHERE payload <> x'' ORDER BY id").fetchall()
