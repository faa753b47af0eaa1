"""The record as JSON lines or CSV, and its chain checked, from outside the gate process: read-only, beside a running
gate."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import IO

import sqlite_utils

from edge import errors
from edge.core.csv_cell import plain
from edge.core.record.events import ChainFault
from edge.store import db, journal, keys

COLUMNS = ("lane", "seq", "kind", "event_id", "captured_at", "recorded_at", "clock", "hash", "body")


def export_jsonl(data_dir: Path, out: IO[str]) -> int:
    """One envelope a line, lane by lane, exactly as stored. How many."""
    count = 0
    for payload in envelopes(data_dir):
        out.write(payload.decode("utf-8") + "\n")
        count += 1
    return count


def export_csv(data_dir: Path, out: IO[str]) -> int:
    """The columns COLUMNS, the body as JSON. How many."""
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    count = 0
    for payload in envelopes(data_dir):
        row = json.loads(payload)
        row["body"] = json.dumps(row["body"], ensure_ascii=False, sort_keys=True)
        writer.writerow([plain(str(row[name])) for name in COLUMNS])
        count += 1
    return count


def verify_folder(data_dir: Path, site: str) -> list[ChainFault]:
    """The first fault of each lane's chain, signatures included where the folder has the gate's public key."""
    with db.translated("verifying the record"), closing(db.connect(_existing(data_dir), readonly=True)) as connection:
        return journal.verify(connection, site, keys.public_check(data_dir / "keys"))


def envelopes(data_dir: Path) -> Iterator[bytes]:
    """Every event still here as stored, lane by lane. Raises StoreError."""
    with db.translated("exporting the record"), closing(db.connect(_existing(data_dir), readonly=True)) as connection:
        for row in sqlite_utils.Database(connection).query("SELECT payload FROM event ORDER BY lane, seq"):
            yield row["payload"]


def _existing(data_dir: Path) -> Path:
    path = data_dir / db.NAME
    if not path.is_file():
        raise errors.StoreError(f"no record at {path}: check store.data_dir")
    return path
