"""A damaged, lost or outdated database: set aside whole, what can be read is carried over, the numbers go on.

Order, so that a crash anywhere repeats the work and loses nothing: the fresh database is built beside the damaged
one; only when it is complete and closed is the damaged one moved away; then the fresh one takes its name.
"""

from __future__ import annotations

import json
import logging
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edge import errors
from edge.core.events import GENESIS_HASH, Anchor, envelope_hash
from edge.files import fsync_directory
from edge.store import db, evidence, journal
from edge.store.counter import Counters

log = logging.getLogger(__name__)

Rows = dict[str, dict[int, tuple[Any, ...]]]
"""By lane and seq: (lane, seq, event_id, kind, recorded_ms, payload)."""

SERIALS_SKIPPED = 1_000
"""After damage the permit serials jump, in case the second copy missed the last ones."""

_DAMAGE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_CARRIED = (
    "declaration",
    "declaration_plate",
    "confirmation",
    "watch",
    "copy",
    "action",
    "note",
    "counter",
    "set_aside",
    "evidence",
)


@dataclass(slots=True)
class Rescued:
    """What happened, for the alarm. `lost` is, by lane, (first, last) seq of the unsent events that are gone."""

    why: str
    folder: str
    kept: dict[str, int] = field(default_factory=dict)
    lost: dict[str, tuple[int, int]] = field(default_factory=dict)

    def words(self) -> str:
        lost = sum(last - first + 1 for first, last in self.lost.values())
        return f"the database was set aside in {self.folder} ({self.why}); {lost} unsent events could not be read"

    def body(self, lane: str) -> dict[str, Any]:
        """The alarm of one lane. `lost_from` and `lost_to` tell the centre which gap will never be filled."""
        first, last = self.lost.get(lane, (None, None))
        return {
            "code": "record_set_aside",
            "why": self.why,
            "folder": self.folder,
            "events_kept": self.kept.get(lane, 0),
            "lost_from": first,
            "lost_to": last,
        }


def open_or_recover(data_dir: Path, known: Counters | None, label: str) -> tuple[sqlite3.Connection, Rescued | None]:
    """The database, migrated; with what was rescued where the old one could not be used."""
    path, fresh = data_dir / db.NAME, data_dir / f"{db.NAME}.new"
    if fresh.exists() and not path.exists():
        fresh.replace(path)
        fsync_directory(data_dir)
    expected = known.lanes if known else {}
    if not path.exists() and not any(anchor.seq for anchor in expected.values()):
        connection = db.connect(path)
        db.migrate(connection)
        fsync_directory(data_dir)
        return connection, None
    why, connection_or_none = _try_open(path, expected)
    if connection_or_none is not None:
        return connection_or_none, None
    log.error("database cannot be used: %s", why)
    rescued = _rebuild(data_dir, path, fresh, Rescued(why, f"damaged/{label}"), known or Counters())
    return db.connect(path), rescued


def _try_open(path: Path, expected: Any) -> tuple[str, sqlite3.Connection | None]:
    """("", connection) or (why not, None). Raises sqlite3.Error for what is not damage: no room, no permission."""
    if not path.exists():
        return "the database file is gone", None
    connection: sqlite3.Connection | None = None
    try:
        connection = db.connect(path)
        why = db.sound(connection)
        if not why:
            db.migrate(connection)
            why = _behind(connection, expected)
    except sqlite3.DatabaseError as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF not in _DAMAGE:
            raise
        why = str(error)
    if not why and connection is not None:
        return "", connection
    if connection is not None:
        connection.close()
    return why, None


def _behind(connection: sqlite3.Connection, expected: dict[str, Anchor]) -> str:
    """An older database must not go on: it would give numbers a second time that the centre knows already."""
    here = dict(connection.execute("SELECT lane, next_seq - 1 FROM lane").fetchall())
    for lane, anchor in expected.items():
        if here.get(lane, 0) < anchor.seq:
            return f"it ends at event {here.get(lane, 0)} of lane {lane}, but {anchor.seq} were recorded"
    return ""


# ---------------------------------------------------------------- building a fresh one


def _rebuild(data_dir: Path, path: Path, fresh: Path, rescued: Rescued, known: Counters) -> Rescued:
    folder = data_dir / rescued.folder
    folder.mkdir(parents=True, exist_ok=True)
    for leftover in data_dir.glob(f"{fresh.name}*"):
        leftover.unlink()
    with closing(db.connect(fresh)) as connection:
        db.migrate(connection)
        with db.transaction(connection, "carrying the record over"):
            _carry_over(path, connection, known, rescued, folder)
            _set_aside_photos(connection, data_dir / "evidence", folder / "evidence")
            alarms = [(lane, json.dumps(rescued.body(lane))) for lane in rescued.kept]
            connection.executemany("INSERT INTO pending_alarm VALUES (?, ?)", alarms)
    for part in (path.name, f"{path.name}-wal", f"{path.name}-shm"):
        if (data_dir / part).exists():
            (data_dir / part).replace(folder / part)
    fsync_directory(folder)
    fresh.replace(path)
    fsync_directory(data_dir)
    return rescued


def _carry_over(old: Path, new: sqlite3.Connection, known: Counters, rescued: Rescued, folder: Path) -> None:
    with closing(_source(old)) as source:
        acked = {row[0]: row[1] for row in _readable(source, "lane", "lane, acked_seq")}
        rows: Rows = {}
        for row in _readable(source, "event", "lane, seq, event_id, kind, recorded_ms, payload"):
            if isinstance(row[1], int) and isinstance(row[5], bytes):
                rows.setdefault(row[0], {})[row[1]] = row
        _export(rows, folder / "salvaged.jsonl")
        for lane in sorted(known.lanes.keys() | rows.keys()):
            known_acked = max(acked.get(lane, 0), known.acked.get(lane, 0))
            _continue_lane(new, lane, rows.get(lane, {}), known.lanes.get(lane), known_acked, rescued)
        for table in _CARRIED:
            _carry_table(source, new, table)
        serials = [row[0] for row in _readable(source, "lane", "permit_serial")]
    raise_serial(new, max([known.permit_serial, *serials]))
    new.execute("UPDATE counter SET value = value + ? WHERE name = 'permit_serial'", (SERIALS_SKIPPED,))


def _source(old: Path) -> sqlite3.Connection:
    """The old database for reading, or an empty one where there is none: then nothing is readable."""
    return db.connect(old, readonly=True) if old.exists() else sqlite3.connect(":memory:")


def _readable(source: sqlite3.Connection, table: str, columns: str) -> Iterator[tuple[Any, ...]]:
    """Every row that can still be read: from the front to the first bad page, then from the back."""
    seen: set[int] = set()
    for order in ("ASC", "DESC"):
        with suppress(sqlite3.DatabaseError):
            for row in source.execute(f"SELECT rowid, {columns} FROM {table} NOT INDEXED ORDER BY rowid {order}"):  # noqa: S608
                if row[0] in seen:
                    break
                seen.add(row[0])
                yield row[1:]


def _continue_lane(
    new: sqlite3.Connection,
    lane: str,
    rows: dict[int, tuple[Any, ...]],
    last: Anchor | None,
    acked: int,
    rescued: Rescued,
) -> None:
    """Carry over the unbroken run of events that ends at the lane's last one; the chain goes on behind it."""
    if last is None or last.seq < max(rows, default=0):
        last = _newest(rows)
    start, kept = last, []
    while (row := rows.get(start.seq)) is not None and (before := _before(row[5], start)) is not None:
        kept.append(row)
        start = before
    journal.add_lane(new, lane, last)
    new.execute(
        "UPDATE lane SET pruned_seq = ?, pruned_hash = ?, acked_seq = ? WHERE lane = ?",
        (start.seq, start.hash, min(max(acked, start.seq), last.seq), lane),
    )
    for row in reversed(kept):
        journal.put(new, row)
    rescued.kept[lane] = len(kept)
    if acked < start.seq:
        rescued.lost[lane] = (acked + 1, start.seq)


def _newest(rows: dict[int, tuple[Any, ...]]) -> Anchor:
    """The last readable event, where the second copy does not know it: its own hash is taken if its content gives
    it."""
    for seq in sorted(rows, reverse=True):
        with suppress(ValueError, TypeError, KeyError):
            row = json.loads(rows[seq][5])
            if envelope_hash(row) == row["hash"]:
                return Anchor(seq, row["hash"])
    return Anchor(0, GENESIS_HASH)


def _before(payload: bytes, here: Anchor) -> Anchor | None:
    """The anchor before this event, if it is whole and hashes to `here`."""
    with suppress(ValueError, TypeError, KeyError):
        row = json.loads(payload)
        if row["seq"] == here.seq and envelope_hash(row) == here.hash:
            return Anchor(here.seq - 1, row["prev_hash"])
    return None


def _carry_table(source: sqlite3.Connection, new: sqlite3.Connection, table: str) -> None:
    """In the order of the table itself. A column that an older version of it did not have was its rowid (slim.sql)."""
    columns = _columns(new, table)
    marks = ", ".join("?" * len(columns))
    with suppress(sqlite3.DatabaseError):
        known = _columns(source, table)
        picked = ", ".join(one if one in known else "rowid" for one in columns)
        for row in source.execute(f"SELECT {picked} FROM {table} NOT INDEXED"):  # noqa: S608
            with suppress(sqlite3.IntegrityError):
                new.execute(f"INSERT OR REPLACE INTO {table} ({', '.join(columns)}) VALUES ({marks})", row)  # noqa: S608


def _columns(connection: sqlite3.Connection, table: str) -> list[str]:
    return [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]


def _export(rows: Rows, path: Path) -> None:
    with path.open("wb") as handle:
        for lane in sorted(rows):
            for seq in sorted(rows[lane]):
                handle.write(rows[lane][seq][5] + b"\n")


def _set_aside_photos(connection: sqlite3.Connection, root: Path, aside: Path) -> None:
    """Photos that no carried row names would be taken for orphans: they go aside with the database that named them."""
    known = {path for (path,) in connection.execute("SELECT path FROM evidence")}
    for path in evidence.files(root):
        name = path.relative_to(root)
        if name.as_posix() not in known:
            (aside / name).parent.mkdir(parents=True, exist_ok=True)
            path.replace(aside / name)


# ---------------------------------------------------------------- at every start


def take_alarms(connection: sqlite3.Connection) -> list[tuple[str, dict[str, Any]]]:
    """(lane, body) of the alarms that a rebuild left, each handed out once. Inside the caller's transaction."""
    rows = connection.execute("DELETE FROM pending_alarm RETURNING lane, body").fetchall()
    return [(lane, json.loads(body)) for lane, body in rows]


def raise_serial(connection: sqlite3.Connection, least: int) -> None:
    connection.execute("UPDATE counter SET value = max(value, ?) WHERE name = 'permit_serial'", (least,))


def meet_site(connection: sqlite3.Connection, site: str) -> None:
    """A record belongs to one site for ever. Raises StoreError where the config names another."""
    connection.execute("INSERT OR IGNORE INTO site VALUES (1, ?)", (site,))
    here = connection.execute("SELECT site FROM site").fetchone()[0]
    if here != site:
        raise errors.StoreError(
            f"this record belongs to site {here!r}, the config says {site!r}: use another data folder"
        )
