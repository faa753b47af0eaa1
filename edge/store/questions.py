"""What may be asked of the record: every question goes to the one reader, which never waits for an fsync."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any, TypeVar

from edge import clock
from edge.core.law.lookup import normal_plate
from edge.core.model import Declaration
from edge.core.plate.skeleton import Skeletons
from edge.core.record.events import Anchor
from edge.store import db, declarations, journal, notes, watch
from edge.store import transaction as tx
from edge.store.clocks import Clocks
from edge.store.journal import Unacknowledged

T = TypeVar("T")


class Questions:
    """The reading half of `Store`. Raises StoreError from every method."""

    _read_lock: threading.Lock
    _reader: sqlite3.Connection
    _clocks: Clocks
    _evidence: Path
    _skeletons: Skeletons
    _refused: frozenset[str]
    watch_state: watch.ListState
    """How the newest watch list was taken."""

    def _read(self, ask: Callable[[sqlite3.Connection], T]) -> T:
        with self._read_lock, db.translated("reading the record"):
            return ask(self._reader)

    def declaration(self, declaration_id: str) -> Declaration | None:
        """With this gate's own confirmations laid over."""
        return self._read(lambda c: declarations.get(c, declaration_id))

    def declarations_for_plate(self, plate: str) -> list[Declaration]:
        """Exact plate only; the active ones first, the newest of each first."""
        return self._read(lambda c: declarations.for_plate(c, plate))

    def watch(self, plate: str, *, customs: bool = False) -> str | None:
        """Why this plate must be held, or None: by its skeleton, so that no spelling lets it by (config/watch.toml).
        `customs`: asked for by customs, which takes two people to override."""
        hit = self._read(lambda c: watch.find(c, self._skeletons, plate, normal_plate, customs=customs))
        return None if hit is None else hit.words

    def refused_declarations(self) -> int:
        """How many declarations have a newest message that was not taken: the version here may be out of date."""
        return len(self._refused)

    def is_refused(self, declaration_id: str) -> bool:
        return declaration_id in self._refused

    def copy_seen_at(self) -> str | None:
        """When all of the centre's retained messages had last been seen, by the wall clock; None: never."""
        row = self._read(lambda c: c.execute("SELECT seen_ms FROM copy").fetchone())
        return None if row[0] is None else clock.iso(row[0] * 1_000_000)

    def copy_age_s(self) -> float | None:
        """How old the copy is, for the staleness that the law asks for; None: never complete."""
        return self._read(lambda c: declarations.copy_age_s(c, self._clocks.now()))

    def action(self, key: str) -> dict[str, Any] | None:
        """The answer that the press with this key got, or None."""
        return self._read(lambda c: tx.action(c, key))

    def recent(self, lane: str, limit: int = 50) -> list[dict[str, Any]]:
        """The newest envelopes of a lane, newest first."""
        return [json.loads(one) for one in self._read(lambda c: journal.recent(c, lane, limit))]

    def evidence_path(self, evidence_id: str) -> Path | None:
        """The photo's file, or None where the record knows none or the file is gone."""
        row = self._read(lambda c: c.execute("SELECT path FROM evidence WHERE id = ?", (evidence_id,)).fetchone())
        path = self._evidence / row[0] if row else None
        return path if path is not None and path.is_file() else None

    def unacknowledged(self, lane: str) -> Unacknowledged:
        return self._read(lambda c: journal.unacknowledged(c, lane))

    def tip(self, lane: str) -> Anchor:
        """Number and hash of the lane's last event."""
        return self._read(lambda c: journal.tip(c, lane))

    def set_aside_count(self) -> int:
        row = self._read(lambda c: c.execute("SELECT value FROM counter WHERE name = 'set_aside'").fetchone())
        return int(row[0])

    def notes(self, kind: str, key: str | None = None) -> dict[str, dict[str, Any]]:
        """What the gate remembers under this kind (docs/storage.md), by key; only the one of `key` where it is
        given."""
        return self._read(lambda c: notes.all_of(c, kind, key))

    def declared(self, plates: Collection[str]) -> list[str]:
        """Which of these normalised plates an active declaration names."""
        return self._read(lambda c: declarations.declared(c, plates))

    def declarations_active(self) -> list[Declaration]:
        """Every active declaration. Reads them all: for a person's search, not for every passage."""
        return self._read(declarations.active)

    def declarations_inside(self) -> list[Declaration]:
        """Active declarations whose vehicle went through some barrier already. Reads them all: not for every
        passage."""
        return self._read(declarations.passed_somewhere)
