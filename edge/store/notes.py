"""Small facts that the gate must not forget across a restart, by kind and key. Functions over a connection."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from typing import Any


def put(db: sqlite3.Connection, kind: str, key: str, body: Mapping[str, Any] | None) -> None:
    """Inside the caller's transaction. None forgets it."""
    if body is None:
        db.execute("DELETE FROM note WHERE kind = ? AND key = ?", (kind, key))
        return
    text = json.dumps(dict(body), ensure_ascii=False)
    db.execute(
        "INSERT INTO note VALUES (?, ?, ?) ON CONFLICT (kind, key) DO UPDATE SET body = excluded.body",
        (kind, key, text),
    )


def all_of(db: sqlite3.Connection, kind: str, key: str | None = None) -> dict[str, dict[str, Any]]:
    """Bodies by key, in the order in which they were first written; only that of `key` where it is given."""
    rows = db.execute(
        "SELECT key, body FROM note WHERE kind = ?1 AND (?2 IS NULL OR key = ?2) ORDER BY rowid", (kind, key)
    )
    return {name: json.loads(body) for name, body in rows}
