"""Photos on disk: written and fsynced before anything refers to them, found again at start, and kept within a
budget."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sqlite3
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from edge.files import fsync_directory

WAITS, SENT, UNREADABLE, STORED, ASIDE = 0, 1, 2, 3, 5
"""`evidence.sent`: the centre does not have it yet; the broker has it, with a centre that does not acknowledge photos;
its file cannot be read; the centre has it for good; it cannot be sent over this broker."""
HERE_ONLY = (WAITS, ASIDE)
"""Nobody else has it, as far as anybody said."""


@dataclass(frozen=True, slots=True)
class StagedEvidence:
    """A photo that is safely on disk and that nothing refers to yet. `path` is relative to the evidence folder."""

    id: str
    path: str
    sha256: str
    size: int
    staged_ms: int
    name: str = "photo"
    """What it shows: scene, crop, …"""

    def reference(self) -> dict[str, str]:
        """How an event's body names it, so that the event's hash covers the photo too."""
        return {"id": self.id, "sha256": self.sha256, "name": self.name}


def stage(root: Path, day: str, evidence_id: str, jpeg: bytes, staged_ms: int, name: str) -> StagedEvidence:
    """File first, then its folder: after a power failure the name leads to the whole photo. Raises OSError."""
    folder = root / day
    if not folder.is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        fsync_directory(root)
    path = folder / f"{evidence_id}.jpg"
    try:
        with path.open("xb") as handle:
            handle.write(jpeg)
            handle.flush()
            os.fsync(handle.fileno())
        fsync_directory(folder)
    except OSError:
        path.unlink(missing_ok=True)
        raise
    digest = hashlib.sha256(jpeg).hexdigest()
    return StagedEvidence(evidence_id, f"{day}/{path.name}", digest, len(jpeg), staged_ms, name)


def link(connection: sqlite3.Connection, event_id: str, lane: str, seq: int, staged: StagedEvidence) -> None:
    """Inside the caller's transaction."""
    connection.execute(
        "INSERT INTO evidence (id, event_id, lane, seq, path, sha256, size, staged_ms) VALUES (?,?,?,?,?,?,?,?)",
        (staged.id, event_id, lane, seq, staged.path, staged.sha256, staged.size, staged.staged_ms),
    )


def next_unsent(
    connection: sqlite3.Connection, lane: str, but: Collection[str] = ()
) -> tuple[str, str, str, str, str] | None:
    """(id, event_id, path, sha256, passage) of the oldest photo that waits, whose event the centre has, and whose id is
    not in `but`."""
    row: tuple[str, str, str, str, int] | None = connection.execute(
        "SELECT id, event_id, path, sha256, (SELECT number << 40 FROM lane WHERE lane = ?1) + seq FROM evidence"
        " WHERE lane = ?1 AND sent = 0 AND seq <= (SELECT acked_seq FROM lane WHERE lane = ?1)"
        " AND id NOT IN (SELECT value FROM json_each(?2)) ORDER BY seq, staged_ms, id LIMIT 1",
        (lane, json.dumps(list(but))),
    ).fetchone()
    if row is None:
        return None
    about = connection.execute(
        "SELECT coalesce(CAST(payload AS TEXT) ->> '$.body.passage', '') FROM event WHERE id = ?", (row[4],)
    ).fetchone()
    return *row[:4], str(about[0]) if about else ""


def stored(connection: sqlite3.Connection, lane: str, sha256: Collection[str]) -> int:
    """Those of this lane that waited, by their hash. Inside the caller's transaction."""
    return connection.execute(
        "UPDATE evidence SET sent = 3 WHERE lane = ? AND sent = 0 AND sha256 IN (SELECT value FROM json_each(?))",
        (lane, json.dumps(list(sha256))),
    ).rowcount


def wanted(connection: sqlite3.Connection, lane: str, event_ids: Collection[str]) -> list[str]:
    """Send the photos of these events again; the events that have none here. Reads the lane's photos. Inside the
    caller's transaction."""
    asked = json.dumps(list(event_ids))
    here = connection.execute(
        "UPDATE evidence SET sent = 0 WHERE lane = ? AND sent IN (0, 1, 3)"
        " AND event_id IN (SELECT value FROM json_each(?))"
        " RETURNING event_id",
        (lane, asked),
    ).fetchall()
    found = {event_id for (event_id,) in here}
    return [event_id for event_id in event_ids if event_id not in found]


def set_aside(connection: sqlite3.Connection, evidence_id: str) -> tuple[str, dict[str, str]] | None:
    """(lane, its name in an event) of a photo that still waited. Inside the caller's transaction."""
    row = connection.execute(
        "UPDATE evidence SET sent = 5 WHERE id = ? AND sent = 0 RETURNING lane, id, event_id, sha256", (evidence_id,)
    ).fetchone()
    return None if row is None else (row[0], {"id": row[1], "event_id": row[2], "sha256": row[3]})


def any_aside(connection: sqlite3.Connection) -> bool:
    return connection.execute("SELECT 1 FROM evidence WHERE sent = 5 LIMIT 1").fetchone() is not None


def retry(connection: sqlite3.Connection, most_bytes: int) -> None:
    """Inside the caller's transaction."""
    connection.execute("UPDATE evidence SET sent = 0 WHERE sent = 5 AND size <= ?", (most_bytes,))


def files(root: Path) -> Iterator[Path]:
    yield from sorted(root.glob("*/*.jpg"))


def set_orphans_aside(connection: sqlite3.Connection, root: Path, aside: Path) -> int:
    """Photos that no row names go to another folder, not away: a crash may have come between photo and commit, and the
    record itself may be an older copy. How many. At start only, while nobody stages."""
    known = {path for (path,) in connection.execute("SELECT path FROM evidence")}
    orphans = [path for path in files(root) if path.relative_to(root).as_posix() not in known]
    for path in orphans:
        to = aside / path.relative_to(root)
        to.parent.mkdir(parents=True, exist_ok=True)
        path.replace(to)
    return len(orphans)


def missing(connection: sqlite3.Connection, root: Path) -> list[str]:
    """Ids of photos whose file is not there although the record names it: somebody or some disk took it."""
    rows = connection.execute("SELECT id, path FROM evidence ORDER BY staged_ms, id").fetchall()
    return [evidence_id for evidence_id, path in rows if not (root / path).is_file()]


@dataclass(frozen=True, slots=True)
class Going:
    """A photo that must go. `why`: "age" (its event is gone), "room", or "asked" (by a person)."""

    id: str
    path: str
    lane: str
    size: int
    why: Literal["age", "room", "asked"]
    event_id: str = ""
    sha256: str = ""
    here_only: bool = False
    """Nobody else has it."""

    def named(self) -> dict[str, str]:
        """In the alarm about it."""
        return {"id": self.id, "event_id": self.event_id, "sha256": self.sha256}


def over_age(connection: sqlite3.Connection) -> list[Going]:
    """Photos whose event was pruned: nobody could find them any more. Those that still wait stay for that."""
    rows = connection.execute(
        "SELECT e.id, e.path, e.lane, e.size, e.sent, e.event_id, e.sha256 FROM evidence e JOIN lane l USING (lane)"
        " WHERE e.sent <> 0 AND e.seq <= l.pruned_seq"
    )
    return [
        Going(evidence_id, path, lane, size, "age", event_id, sha256, sent in HERE_ONLY)
        for evidence_id, path, lane, size, sent, event_id, sha256 in rows
    ]


def over_budget(
    connection: sqlite3.Connection, budget_bytes: int, *, short_bytes: int = 0, unsent_too: bool = True
) -> list[Going]:
    """Photos that must go for room, oldest first: those that the centre has before those that it has not.

    `short_bytes` are missing on the disk; without `unsent_too` only photos that the centre has go for them.
    """
    total = int(connection.execute("SELECT coalesce(sum(size), 0) FROM evidence").fetchone()[0])
    if total <= budget_bytes and not short_bytes:
        return []
    freed, going = 0, []
    rows = connection.execute(
        "SELECT id, path, lane, size, sent, event_id, sha256 FROM evidence ORDER BY sent IN (0, 5), staged_ms, seq, id"
    )
    for evidence_id, path, lane, size, sent, event_id, sha256 in rows:
        here_only = sent in HERE_ONLY
        if total - freed <= budget_bytes and not (freed < short_bytes and (unsent_too or not here_only)):
            break
        going.append(Going(evidence_id, path, lane, size, "room", event_id, sha256, here_only))
        freed += size
    return going


def of_passages(connection: sqlite3.Connection, passages: Collection[str]) -> list[Going]:
    """Every photo that an event of these passages names. Reads every photo's event: not on an event loop."""
    rows = connection.execute(
        "SELECT e.id, e.path, e.lane, e.size FROM evidence e JOIN lane l USING (lane)"
        " JOIN event v ON v.id = (l.number << 40) + e.seq"
        " WHERE CAST(v.payload AS TEXT) ->> '$.body.passage' IN (SELECT value FROM json_each(?))"
        " ORDER BY e.staged_ms, e.seq, e.id",
        (json.dumps(list(passages)),),
    )
    return [Going(evidence_id, path, lane, size, "asked") for evidence_id, path, lane, size in rows]


def forget(connection: sqlite3.Connection, going: Iterable[Going]) -> None:
    """Inside the caller's transaction, before the files go: a crash between leaves an orphan, never a missing photo."""
    connection.executemany("DELETE FROM evidence WHERE id = ?", [(one.id,) for one in going])


def remove(root: Path, going: Iterable[Going], today: str) -> None:
    """The files, after the commit, and the folder of a day that has none left. Raises OSError."""
    for one in going:
        path = root / one.path
        path.unlink(missing_ok=True)
        if path.parent.name != today:
            with contextlib.suppress(OSError):  # others are in it
                path.parent.rmdir()
