"""Opening the database: one process at a time, WAL, synchronous=FULL, numbered migrations; SQLite's errors made the
house's.

sqlite3 is used bare here because this is the hot path (docs/decisions/0003-sqlite-utils.md).
"""

from __future__ import annotations

import errno
import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from importlib import resources
from pathlib import Path
from typing import IO

from edge import errors

MIGRATIONS = ("schema.sql", "notes.sql", "slim.sql", "watch.sql")
"""SQL files of this package; number n takes user_version from n - 1 to n. Never edit one that was shipped: add
another."""

NAME = "barie.db"
CHECKPOINT_PAGES = 8_000
"""32 MB: only where nobody calls `checkpoint`. A commit that has to move pages into the database waits long."""
WAL_KEPT_BYTES = 8_000_000
"""What the write-ahead log keeps of its size once what it held is in the database: a backlog, or a reader who stayed
long, lets it grow, and SQLite by itself never gives that back."""
_FULL = {errno.ENOSPC, errno.EDQUOT}


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """Raises StoreFullError or StoreError, saying what was being done, for anything that SQLite or the file system
    reports."""
    try:
        yield
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_FULL:
            raise errors.StoreFullError(f"{doing}: no room left on the disk") from error
        raise errors.StoreError(f"{doing}: {error}") from error
    except UnicodeEncodeError as error:
        raise errors.StoreError(f"{doing}: a text is not valid Unicode") from error
    except OSError as error:
        if error.errno in _FULL:
            raise errors.StoreFullError(f"{doing}: no room left on the disk ({error.filename})") from error
        raise errors.StoreError(f"{doing}: {error}") from error


def lock(data_dir: Path) -> IO[str]:
    """Hold the data folder for this process until the returned file is closed. Raises StoreError where another holds
    it."""
    with translated(f"opening {data_dir}"):
        data_dir.mkdir(parents=True, exist_ok=True)
        handle = (data_dir / "lock").open("a+", encoding="ascii")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        handle.seek(0)
        holder = handle.read().strip() or "unknown"
        handle.close()
        raise errors.StoreError(f"another barie runs on {data_dir} (process {holder}): stop it first") from error
    handle.seek(0)
    handle.truncate()
    handle.write(f"{os.getpid()}\n")
    handle.flush()
    return handle


def is_held(data_dir: Path) -> bool:
    """Whether some process has the record in this folder open. Raises OSError."""
    with (data_dir / "lock").open("a") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False


def connect(path: Path, *, readonly: bool = False) -> sqlite3.Connection:
    """A connection in autocommit mode: transactions are begun and ended by name. The caller keeps threads apart."""
    uri = f"{path.resolve().as_uri()}?mode={'ro' if readonly else 'rwc'}"
    connection = sqlite3.connect(uri, uri=True, timeout=5.0, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA foreign_keys = ON")
    if not readonly:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
        connection.execute(f"PRAGMA journal_size_limit = {WAL_KEPT_BYTES}")
    return connection


def migrate(connection: sqlite3.Connection) -> None:
    """Bring the schema up to date, each step in its own transaction. Raises StoreError where the file is newer than
    we are."""
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if version > len(MIGRATIONS):
        raise errors.StoreError(f"database is of version {version}, this barie knows {len(MIGRATIONS)}: update barie")
    for number, name in enumerate(MIGRATIONS[version:], start=version + 1):
        script = resources.files(__package__).joinpath(name).read_text(encoding="utf-8")
        connection.executescript(f"BEGIN IMMEDIATE;\n{script}\nPRAGMA user_version = {number};\nCOMMIT;")


def sound(connection: sqlite3.Connection) -> str:
    """ "" where SQLite finds its file whole, else what it found. Reads every page: at start only."""
    try:
        found = str(connection.execute("PRAGMA quick_check(1)").fetchone()[0])
    except sqlite3.DatabaseError as error:
        return str(error)
    return "" if found == "ok" else found


def set_durable(connection: sqlite3.Connection, durable: bool) -> None:
    """Between transactions. Not durable: what is committed reaches the disk, in order, with the next durable commit."""
    connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")


@contextmanager
def transaction(connection: sqlite3.Connection, doing: str) -> Iterator[sqlite3.Connection]:
    """All or nothing, and on disk when the block ends without an error. Raises StoreError, StoreFullError."""
    with translated(doing):
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise


def checkpoint(path: Path) -> None:
    """Move what was committed from the log into the database, beside readers and the writer. Raises sqlite3.Error."""
    with closing(connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
