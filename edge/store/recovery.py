"""A damaged, lost or outdated database: set aside whole, what can be read is carried over, the numbers go on.

Order, so that a crash anywhere repeats the work and loses nothing: the fresh database is built beside the damaged
one; only when it is complete and closed is the damaged one moved away; then the fresh one takes its name.
"""

from __future__ import annotations

import json
import logging
import re
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from edge import errors
from edge.core.bodies import RecordHole, RecordSetAside
from edge.core.record.events import GENESIS_HASH, Anchor, SignatureCheck, raw_hash
from edge.files import fsync_directory, write_whole
from edge.store import db, evidence, journal
from edge.store.counter import Counters

log = logging.getLogger(__name__)

Run = tuple[int, int]
Rows = dict[str, dict[int, tuple[Any, ...]]]
"""By lane and seq: (lane, seq, event_id, kind, recorded_ms, payload)."""

GONE, COUNTERS_GONE = "record_gone", "record_counters_gone"
"""Nothing is set aside then; the alarm is all that there is to say."""
SERIALS_SKIPPED = 1_000
"""After damage the permit serials jump, in case the second copy missed the last ones."""

ENVELOPE_MOST = 1_000_000
_SITE = re.compile(rb',"site":"(?:[^"\\\\]|\\\\.)*"\}')
"""How a canonical envelope ends: its keys are sorted, and `site` is the last."""
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
    """What happened, for the alarm. By lane: `lost`, the unsent events that are gone, and `holes`, all that are gone
    behind the first one kept: runs of seq, first and last."""

    why: str
    folder: str
    code: str = "record_set_aside"
    kept: dict[str, int] = field(default_factory=dict)
    lost: dict[str, list[Run]] = field(default_factory=dict)
    holes: dict[str, list[Run]] = field(default_factory=dict)

    def words(self) -> str:
        if self.code == COUNTERS_GONE:
            return self.why
        lost = sum(last - first + 1 for runs in self.lost.values() for first, last in runs)
        return f"the database was set aside in {self.folder} ({self.why}); {lost} unsent events could not be read"

    def bodies(self, lane: str) -> list[RecordSetAside | RecordHole]:
        """The alarms of one lane, one for each hole: `lost_from` and `lost_to` tell the centre which gap will never be
        filled. `holes` of the first are those that the centre has and this record has not."""
        runs = self.lost.get(lane, [])
        first, others = (runs[0], runs[1:]) if runs else ((None, None), [])
        told = RecordSetAside(
            code=self.code,
            why=self.why,
            folder=self.folder,
            events_kept=self.kept.get(lane, 0),
            lost_from=first[0],
            lost_to=first[1],
            holes=self.holes.get(lane, []),
        )
        return [told, *(RecordHole(code=self.code, lost_from=low, lost_to=high) for low, high in others)]


def open_or_recover(
    data_dir: Path, known: Counters | None, label: str, check: SignatureCheck | None = None
) -> tuple[sqlite3.Connection, Rescued | None]:
    """The database, migrated; with what was rescued where the old one could not be used. `check`: signatures of what
    is carried over must hold."""
    path, fresh = data_dir / db.NAME, data_dir / f"{db.NAME}.new"
    if fresh.exists() and not path.exists():
        fresh.replace(path)
        fsync_directory(data_dir)
    expected = known.lanes if known else {}
    if not path.exists() and not any(anchor.seq for anchor in expected.values()):
        gone = _gone(data_dir, label)
        connection = db.connect(path)
        db.migrate(connection)
        if gone is not None:
            with db.transaction(connection, "telling of a lost record"):
                _set_aside_photos(connection, data_dir / "evidence", data_dir / gone.folder / "evidence")
        fsync_directory(data_dir)
        return connection, gone
    # Before SQLite looks: it drops what stands behind a torn frame of the log, and the log itself when it closes.
    wal = path.with_name(f"{path.name}-wal")
    raw = [wal.read_bytes()] if _unclean(wal) else []
    why, connection_or_none = _try_open(path, expected)
    if connection_or_none is not None:
        return connection_or_none, _alone(connection_or_none, label) if known is None else None
    log.error("database cannot be used: %s", why)
    rescued = _rebuild(data_dir, path, fresh, Rescued(why, f"damaged/{label}"), known or Counters(), check, raw)
    return db.connect(path), rescued


def _unclean(wal: Path) -> bool:
    """A log that has something in it: the last process did not close the record."""
    return wal.exists() and wal.stat().st_size > 0


def mark_begun(data_dir: Path, site: str, at: str) -> None:
    """Beside the key, that a record was begun here with it: a record that is gone is told from one that never was."""
    mark = data_dir / "keys" / "record.json"
    if mark.parent.is_dir() and not mark.exists():
        write_whole(mark, json.dumps({"site": site, "at": at}).encode(), 0o600)


def _gone(data_dir: Path, label: str) -> Rescued | None:
    """Keys or photos that some record left, and no record: an alarm, and a fresh one. The centre's first
    acknowledgement says how far the numbers had got (fork.py)."""
    begun, photos = (data_dir / "keys" / "record.json").exists(), any(evidence.files(data_dir / "evidence"))
    if not begun and not photos:
        return None
    what = "its key" if begun else "photos"
    return Rescued(f"database and counters are gone, {what} is here", f"damaged/{label}", GONE)


def _alone(connection: sqlite3.Connection, label: str) -> Rescued | None:
    """A record whose second copy of the counters is gone: nothing here can say whether it is the newest any more. The
    centre's acknowledgement can (fork.py)."""
    if connection.execute("SELECT max(next_seq) FROM lane").fetchone()[0] in (None, 1):
        return None  # begun, and cut off before anything was recorded
    return Rescued("the second copy of the counters is gone", f"damaged/{label}", COUNTERS_GONE)


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
            why = _behind(connection, expected) or _tail(connection)
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


def _tail(connection: sqlite3.Connection) -> str:
    """Each lane's last event must be the one that its row names."""
    for lane, number, last, digest, pruned in connection.execute(
        "SELECT lane, number, next_seq - 1, last_hash, pruned_seq FROM lane"
    ).fetchall():
        row = connection.execute(
            "SELECT payload FROM event WHERE id > ?1 << 40 AND id < (?1 + 1) << 40 ORDER BY id DESC LIMIT 1", (number,)
        ).fetchone()
        if last > pruned and (row is None or not _ends(row[0], digest)):
            return f"the last events of lane {lane} are not there"
    return ""


def _ends(payload: bytes, digest: str) -> bool:
    with suppress(ValueError, TypeError, KeyError):
        return bool(json.loads(payload)["hash"] == digest)
    return False


# ---------------------------------------------------------------- building a fresh one


def _rebuild(
    data_dir: Path,
    path: Path,
    fresh: Path,
    rescued: Rescued,
    known: Counters,
    check: SignatureCheck | None,
    raw: Sequence[bytes],
) -> Rescued:
    folder = data_dir / rescued.folder
    folder.mkdir(parents=True, exist_ok=True)
    if raw:
        (folder / f"{path.name}-wal.found").write_bytes(raw[-1])
    for leftover in data_dir.glob(f"{fresh.name}*"):
        leftover.unlink()
    with closing(db.connect(fresh)) as connection:
        db.migrate(connection)
        with db.transaction(connection, "carrying the record over"):
            _carry_over(path, connection, known, rescued, folder, check, raw)
            _set_aside_photos(connection, data_dir / "evidence", folder / "evidence")
            alarms = [(lane, json.dumps([one.to_json() for one in rescued.bodies(lane)])) for lane in rescued.kept]
            connection.executemany("INSERT INTO pending_alarm VALUES (?, ?)", alarms)
    for part in (path.name, f"{path.name}-wal", f"{path.name}-shm"):
        if (data_dir / part).exists():
            (data_dir / part).replace(folder / part)
    fsync_directory(folder)
    fresh.replace(path)
    fsync_directory(data_dir)
    return rescued


def _carry_over(
    old: Path,
    new: sqlite3.Connection,
    known: Counters,
    rescued: Rescued,
    folder: Path,
    check: SignatureCheck | None,
    raw: Sequence[bytes],
) -> None:
    with closing(_source(old)) as source:
        lanes = {row[0]: row[1:] for row in _readable(source, "lane", "lane, acked_seq, pruned_seq")}
        rows: Rows = {}
        for row in _readable(source, "event", "lane, seq, event_id, kind, recorded_ms, payload"):
            if isinstance(row[1], int) and isinstance(row[5], bytes):
                rows.setdefault(row[0], {})[row[1]] = row
        for row in scavenged([*raw, *_bytes(old)]):
            if row[1] not in rows.get(row[0], {}) and row[1] > lanes.get(row[0], (0, 0))[1]:
                rows.setdefault(row[0], {})[row[1]] = row
        _export(rows, folder / "salvaged.jsonl")
        for lane in sorted(known.lanes.keys() | rows.keys()):
            acked = max(lanes.get(lane, (0, 0))[0], known.acked.get(lane, 0))
            _continue_lane(new, lane, rows.get(lane, {}), known.lanes.get(lane), acked, rescued, check)
        for table in _CARRIED:
            _carry_table(source, new, table)
        serials = [row[0] for row in _readable(source, "lane", "permit_serial")]
    raise_serial(new, max([known.permit_serial, *serials]))
    new.execute("UPDATE counter SET value = value + ? WHERE name = 'permit_serial'", (SERIALS_SKIPPED,))


def _bytes(old: Path) -> list[bytes]:
    return [path.read_bytes() for path in (old, old.with_name(f"{old.name}-wal")) if path.exists()]


def scavenged(files: Iterable[bytes]) -> Iterator[tuple[Any, ...]]:
    """Events found in the raw bytes of database and log, whatever became of the pages that lead to them: an envelope
    is one piece of canonical JSON that proves itself by its hash."""
    for raw in files:
        for found in re.finditer(rb'\{"body":', raw):
            text = raw[found.start() : found.start() + ENVELOPE_MOST]
            end = _SITE.search(text)
            while end is not None:
                if (row := _whole(text[: end.end()])) is not None:
                    at_ms = int(datetime.fromisoformat(row["recorded_at"]).timestamp() * 1000)
                    yield row["lane"], row["seq"], row["event_id"], row["kind"], at_ms, text[: end.end()]
                    break
                end = _SITE.search(text, end.end())


def _whole(payload: bytes) -> dict[str, Any] | None:
    """The envelope, where its content gives its hash."""
    with suppress(ValueError, TypeError, KeyError, RecursionError):
        row = json.loads(payload)
        if isinstance(row, dict) and raw_hash(payload) == row["hash"] and isinstance(row["seq"], int):
            return row
    return None


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
    check: SignatureCheck | None,
) -> None:
    """Carry over every event whose hash and signature hold; the chain goes on behind the lane's last one."""
    kept = _proven(lane, rows, last, check)
    if last is None or last.seq < max(kept, default=0):
        last = Anchor(max(kept), kept[max(kept)][1]["hash"]) if kept else Anchor(0, GENESIS_HASH)
    first = min(kept, default=last.seq + 1)
    before = Anchor(first - 1, kept[first][1]["prev_hash"]) if kept else last
    journal.add_lane(new, lane, last)
    new.execute(
        "UPDATE lane SET pruned_seq = ?, pruned_hash = ?, acked_seq = ? WHERE lane = ?",
        (before.seq, before.hash, min(max(acked, before.seq), last.seq), lane),
    )
    for seq in sorted(kept):
        journal.put(new, kept[seq][0])
    rescued.kept[lane] = len(kept)
    told = journal.told_holes(row[0][5] for row in kept.values() if row[0][3] == "alarm")
    gone = [run for run in _missing(kept, acked + 1 if acked < before.seq else first, last.seq) if not _told(run, told)]
    rescued.lost[lane] = [(max(low, acked + 1), high) for low, high in gone if high > acked]
    rescued.holes[lane] = [(low, min(high, acked)) for low, high in gone if low <= acked]


def _proven(
    lane: str, rows: dict[int, tuple[Any, ...]], last: Anchor | None, check: SignatureCheck | None
) -> dict[int, tuple[tuple[Any, ...], dict[str, Any]]]:
    """By seq, row and envelope of what holds, from the end: of two neighbours that do not fit the later one stands."""
    kept: dict[int, tuple[tuple[Any, ...], dict[str, Any]]] = {}
    for seq in sorted(rows, reverse=True):
        envelope = _whole(rows[seq][5])
        if envelope is None or (envelope["lane"], envelope["seq"]) != (lane, seq):
            continue
        next_hash = (
            kept[seq + 1][1]["prev_hash"] if seq + 1 in kept else last.hash if last and last.seq == seq else None
        )
        if next_hash is not None and envelope["hash"] != next_hash:
            continue
        if check is None or _signed(envelope, check):
            kept[seq] = ((*rows[seq][:2], envelope["event_id"], envelope["kind"], *rows[seq][4:]), envelope)
    return kept


def _signed(envelope: dict[str, Any], check: SignatureCheck) -> bool:
    with suppress(ValueError, TypeError):
        return check(bytes.fromhex(envelope["hash"]), bytes.fromhex(envelope["signature"]))
    return False


def _missing(kept: Collection[int], first: int, last: int) -> list[Run]:
    """Runs of numbers that are not there."""
    gone: list[Run] = []
    at = first
    for seq in [*sorted(seq for seq in kept if first <= seq <= last), last + 1]:
        if seq > at:
            gone.append((at, seq - 1))
        at = seq + 1
    return gone


def _told(run: Run, told: list[Run]) -> bool:
    return any(low <= run[0] and run[1] <= high for low, high in told)


def _carry_table(source: sqlite3.Connection, new: sqlite3.Connection, table: str) -> None:
    """In the order of the table itself. A column that an older version of it did not have was its rowid (slim.sql)."""
    columns = _columns(new, table)
    with suppress(sqlite3.DatabaseError):
        if table == "watch" and "plate" in _columns(source, table):  # before watch.sql; skeletons are made at the start
            older = source.execute("SELECT plate, plate, reason, 0, 'older' FROM watch").fetchall()
            new.executemany("INSERT INTO watch (skeleton, entry, reason, customs, part) VALUES (?,?,?,?,?)", older)
            return
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
    told = [(lane, json.loads(body)) for lane, body in rows]
    return [(lane, one) for lane, bodies in told for one in (bodies if isinstance(bodies, list) else [bodies])]


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
