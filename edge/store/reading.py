"""The record of a gate that runs, read beside it: no lock, no writing (SQLite's own read-only mode)."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from edge.core.law.lookup import normal_plate
from edge.core.model import Declaration
from edge.core.plate.skeleton import Skeletons
from edge.errors import StoreError
from edge.store import declarations, notes, watch
from edge.store.db import NAME, translated


class ReadOnlyRecord:
    """What a verdict asks of the record, each answer from the file as it stands at that moment. Raises StoreError."""

    def __init__(self, data_dir: Path, skeletons: Skeletons) -> None:
        self._skeletons = skeletons
        self._file = data_dir / NAME
        if not self._file.is_file():
            raise StoreError(f"{data_dir}: no record of a gate is there")

    def _db(self) -> sqlite3.Connection:
        return sqlite3.connect(f"{self._file.absolute().as_uri()}?mode=ro", uri=True)

    def declaration(self, declaration_id: str) -> Declaration | None:
        with translated("reading the record"), closing(self._db()) as db:
            return declarations.get(db, declaration_id)

    def declarations_for_plate(self, plate: str) -> list[Declaration]:
        with translated("reading the record"), closing(self._db()) as db:
            return declarations.for_plate(db, plate)

    def declarations_inside(self) -> list[Declaration]:
        with translated("reading the record"), closing(self._db()) as db:
            return declarations.passed_somewhere(db)

    def watch(self, plate: str, *, customs: bool = False) -> str | None:
        with translated("reading the record"), closing(self._db()) as db:
            hit = watch.find(db, self._skeletons, plate, normal_plate, customs=customs)
        return None if hit is None else hit.words

    def is_refused(self, declaration_id: str) -> bool:
        with translated("reading the record"), closing(self._db()) as db:
            return declaration_id in notes.all_of(db, declarations.REFUSED)

    def notes(self, kind: str, key: str | None = None) -> dict[str, dict[str, Any]]:
        with translated("reading the record"), closing(self._db()) as db:
            return notes.all_of(db, kind, key)
