"""What the centre keeps: every event once, how far each lane is whole, and each declaration's newest version.

Idempotent: an event is known by its id and by its lane and seq, so a repeat changes nothing. What has been committed
here may be acknowledged, never more.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Literal

from edge.core.events import GENESIS_HASH, canonical, envelope_hash
from edge.errors import BadMessageError

Taken = Literal["new", "duplicate", "conflict"]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a lane is whole. `missing` is the first number that waits for a resend, None where nothing does."""

    lane: str
    acked: int
    missing: int | None
    chain_breaks: tuple[int, ...] = ()


def read_event(payload: bytes) -> dict[str, Any]:
    """An envelope whose content gives its hash. Raises BadMessageError."""
    try:
        event = json.loads(payload)
        if not isinstance(event, dict) or canonical(event) != payload or envelope_hash(event) != event["hash"]:
            raise BadMessageError("event: its content does not give its hash")
        if not (isinstance(event["seq"], int) and 0 < event["seq"] < 1 << 62):
            raise BadMessageError("event: seq: must be a whole number from 1")
        for name in ("lane", "event_id", "kind", "prev_hash"):
            if not isinstance(event[name], str):
                raise BadMessageError(f"event: {name}: must be a text")
    except KeyError as error:
        raise BadMessageError(f"event: {error.args[0]}: is missing") from error
    except (ValueError, RecursionError) as error:
        raise BadMessageError(f"event: no JSON: {str(error)[:200]}") from error
    return event


class CentralStore:
    """One writer, one thread. Raises sqlite3.Error: a platform that cannot store must not go on as if it could."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
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
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise

    # ------------------------------------------------------------ events

    def take(self, event: Mapping[str, Any], payload: bytes) -> Taken:
        """Inside `commit`. "conflict": another event has this id or this place; the first one stands."""
        row = self._db.execute(
            "SELECT event_id, lane, seq, payload FROM event WHERE event_id = ? OR (lane = ? AND seq = ?)",
            (event["event_id"], event["lane"], event["seq"]),
        ).fetchone()
        if row is not None:
            return "duplicate" if row[3] == payload else "conflict"
        self._db.execute(
            "INSERT INTO event VALUES (?, ?, ?, ?, ?)",
            (event["lane"], event["seq"], event["event_id"], event["kind"], payload),
        )
        body = event["body"]
        if event["kind"] == "alarm" and isinstance(body, dict) and isinstance(body.get("lost_from"), int):
            # The gate says itself that these are gone for good: waiting for them would hold back everything behind.
            loss = (event["lane"], body["lost_from"], min(int(body["lost_to"]), event["seq"] - 1))
            self._db.execute("INSERT OR IGNORE INTO loss VALUES (?, ?, ?)", loss)
        return "new"

    def advance(self, lane: str) -> Progress:
        """Inside `commit`: move the lane's mark over everything that is whole now, checking the chain on the way."""
        acked, last = self._mark(lane)
        breaks = []
        while True:
            row = self._db.execute("SELECT payload FROM event WHERE lane = ? AND seq = ?", (lane, acked + 1)).fetchone()
            if row is not None:
                event = json.loads(row[0])
                if last is not None and event["prev_hash"] != last:
                    breaks.append(acked + 1)
                acked, last = acked + 1, event["hash"]
                continue
            lost = self._db.execute(
                "SELECT max(last) FROM loss WHERE lane = ? AND first <= ? AND last > ?", (lane, acked + 1, acked)
            ).fetchone()[0]
            if lost is None:
                break
            acked, last = lost, None
        self._db.execute("INSERT OR REPLACE INTO lane VALUES (?, ?, ?)", (lane, acked, last))
        beyond = self._db.execute("SELECT 1 FROM event WHERE lane = ? AND seq > ? LIMIT 1", (lane, acked)).fetchone()
        return Progress(lane, acked, acked + 1 if beyond else None, tuple(breaks))

    def _mark(self, lane: str) -> tuple[int, str | None]:
        row = self._db.execute("SELECT acked, hash FROM lane WHERE lane = ?", (lane,)).fetchone()
        return (row[0], row[1]) if row else (0, GENESIS_HASH)

    def acked(self) -> dict[str, int]:
        return dict(self._db.execute("SELECT lane, acked FROM lane").fetchall())

    def count(self) -> int:
        return int(self._db.execute("SELECT count(*) FROM event").fetchone()[0])

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
