"""People who may sign in: their own SQLite file, PINs as Argon2id, lock-out. None by default; the first is made on the
console.

Lock-out is measured on the monotonic clock of one boot; after a reboot a running lock-out starts again, so that pulling
the plug does not shorten it.
"""

from __future__ import annotations

import re
import secrets
import sqlite3
import threading
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from argon2.low_level import Type, hash_secret_raw

from edge.clock import boot_id, mono_s, wall_iso
from edge.errors import RefusedError
from edge.panel.rights import ROLES
from edge.ports import Person

SCHEMA = """
CREATE TABLE IF NOT EXISTS account (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, role TEXT NOT NULL, pin_hash TEXT NOT NULL, made_at TEXT NOT NULL,
    failures INTEGER NOT NULL DEFAULT 0, locked_boot TEXT NOT NULL DEFAULT '', locked_until_s REAL NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE IF NOT EXISTS session (
    token_hash TEXT PRIMARY KEY, account TEXT NOT NULL REFERENCES account(id) ON DELETE CASCADE, csrf TEXT NOT NULL,
    boot TEXT NOT NULL, opened_s REAL NOT NULL, seen_s REAL NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS badge (
    code_hash TEXT PRIMARY KEY, account TEXT NOT NULL UNIQUE REFERENCES account(id) ON DELETE CASCADE,
    made_at TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS badge_salt (salt BLOB NOT NULL) STRICT;
"""
FREE_TRIES = 4
FIRST_LOCK_S, LONGEST_LOCK_S = 30.0, 900.0
TRIES_PER_MINUTE = 12
_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{1,31}")
_PIN = re.compile(r"\d{6,12}")
_BADGE = re.compile(r"[!-~]{6,64}")
# One thread and 32 MiB: vision needs the cores, and a six-digit PIN is guarded by the lock-out more than by its hash.
_HASHER = PasswordHasher(time_cost=3, memory_cost=32 * 1024, parallelism=1)
_NOBODY_HASH = _HASHER.hash("000000")


class Accounts:
    """The accounts of one gate. Thread safe; `check_pin` takes some 50 ms of CPU, so call it off the event loop."""

    def __init__(self, path: Path, now_s: Callable[[], float] = mono_s, boot: str | None = None) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.now_s, self.boot = now_s, boot or boot_id()
        self.lock = threading.Lock()
        self.db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self.db.execute("PRAGMA journal_mode = WAL")
        self.db.execute("PRAGMA foreign_keys = ON")
        self.db.executescript(SCHEMA)
        path.chmod(0o600)
        self._tries_s: list[float] = []

    def close(self) -> None:
        with self.lock:
            self.db.close()

    def add(self, id: str, name: str, role: str, pin: str) -> None:
        """Adds a person, or raises ValueError that says which part is wrong and what it should be."""
        check_new_account(id, name, role, pin)
        hashed = _HASHER.hash(pin)
        try:
            with self.lock:
                self.db.execute(
                    "INSERT INTO account (id, name, role, pin_hash, made_at) VALUES (?, ?, ?, ?, ?)",
                    (id, name.strip(), role, hashed, wall_iso()),
                )
        except sqlite3.IntegrityError as error:
            raise ValueError(f"id: {id} is taken; choose another one") from error

    def people(self) -> list[Person]:
        with self.lock:
            rows = self.db.execute("SELECT id, name, role FROM account ORDER BY name").fetchall()
        return [Person(*row) for row in rows]

    def check_pin(self, id: str, pin: str) -> Person:
        """The person of this id and PIN. Raises RefusedError: wrong_pin, locked_out, too_many_tries (detail: s)."""
        self._slow_down()
        with self.lock:
            row = self.db.execute("SELECT name, role, pin_hash FROM account WHERE id = ?", (id,)).fetchone()
        if row is None:
            _matches(_NOBODY_HASH, pin)  # as slow as a real one, so that timing names nobody
            raise RefusedError("wrong_pin")
        wait_s = self._locked_s(id)
        if wait_s > 0:
            raise RefusedError("locked_out", str(int(wait_s) + 1))
        right = _matches(row[2], pin)
        self._count(id, right)
        if not right:
            raise RefusedError("wrong_pin")
        return Person(id, row[0], row[1])

    def set_badge(self, id: str, code: str | None) -> None:
        """Ties a badge to an account, in place of an older one; None takes it away. Raises ValueError naming what is
        wrong."""
        hashed = None if code is None else self._badge_hash(check_badge(code))
        with self.lock:
            if self.db.execute("SELECT 1 FROM account WHERE id = ?", (id,)).fetchone() is None:
                raise ValueError(f"id: there is no account {id}; `barie account list` shows those that there are")
            if self.db.execute("SELECT 1 FROM badge WHERE code_hash = ? AND account != ?", (hashed, id)).fetchone():
                raise ValueError("badge: it is another account's already; take it away there first")
            self.db.execute("DELETE FROM badge WHERE account = ?", (id,))
            if hashed is not None:
                self.db.execute("INSERT INTO badge VALUES (?, ?, ?)", (hashed, id, wall_iso()))

    def badge_owner(self, code: str) -> Person:
        """Whose badge this is; whether that is enough to sign in is the caller's rule. Takes some 50 ms of CPU. Raises
        RefusedError: wrong_badge, locked_out, too_many_tries (detail: s)."""
        self._slow_down()
        if not _BADGE.fullmatch(code):
            raise RefusedError("wrong_badge")
        hashed = self._badge_hash(code)
        with self.lock:
            row = self.db.execute(
                "SELECT a.id, a.name, a.role FROM badge b JOIN account a ON a.id = b.account WHERE b.code_hash = ?",
                (hashed,),
            ).fetchone()
        if row is None:
            raise RefusedError("wrong_badge")
        wait_s = self._locked_s(row[0])
        if wait_s > 0:
            raise RefusedError("locked_out", str(int(wait_s) + 1))
        return Person(*row)

    def _badge_hash(self, code: str) -> str:
        with self.lock:
            row = self.db.execute("SELECT salt FROM badge_salt").fetchone()
            if row is None:
                row = (secrets.token_bytes(16),)
                self.db.execute("INSERT INTO badge_salt VALUES (?)", row)
        # One salt for all badges of this file: a code finds its account. As slow as a PIN: card numbers are short.
        cost = (_HASHER.time_cost, _HASHER.memory_cost, _HASHER.parallelism)
        return hash_secret_raw(code.encode(), row[0], *cost, 32, Type.ID).hex()

    def _slow_down(self) -> None:
        now_s = self.now_s()
        with self.lock:
            self._tries_s = [at_s for at_s in self._tries_s if now_s - at_s < 60.0]
            if len(self._tries_s) >= TRIES_PER_MINUTE:
                raise RefusedError("too_many_tries", str(int(60.0 - (now_s - self._tries_s[0])) + 1))
            self._tries_s.append(now_s)

    def _locked_s(self, id: str) -> float:
        with self.lock:
            failures, boot, until_s = self.db.execute(
                "SELECT failures, locked_boot, locked_until_s FROM account WHERE id = ?", (id,)
            ).fetchone()
            if boot and boot != self.boot:
                until_s = self.now_s() + lock_s(failures)
                self._lock_until(id, until_s)
        return float(until_s) - self.now_s() if boot else 0.0

    def _count(self, id: str, right: bool) -> None:
        with self.lock:
            if right:
                self.db.execute(
                    "UPDATE account SET failures = 0, locked_boot = '', locked_until_s = 0 WHERE id = ?", (id,)
                )
                return
            self.db.execute("UPDATE account SET failures = failures + 1 WHERE id = ?", (id,))
            (failures,) = self.db.execute("SELECT failures FROM account WHERE id = ?", (id,)).fetchone()
            if lock_s(failures) > 0:
                self._lock_until(id, self.now_s() + lock_s(failures))

    def _lock_until(self, id: str, until_s: float) -> None:
        self.db.execute("UPDATE account SET locked_boot = ?, locked_until_s = ? WHERE id = ?", (self.boot, until_s, id))


def lock_s(failures: int) -> float:
    """Seconds of lock-out after so many failures in a row: none for the first few, then doubling up to 15 minutes."""
    over = failures - FREE_TRIES
    return 0.0 if over <= 0 else min(FIRST_LOCK_S * 2.0 ** min(over - 1, 10), LONGEST_LOCK_S)


def check_new_account(id: str, name: str, role: str, pin: str) -> None:
    """Raises ValueError naming the part that is wrong."""
    if not _ID.fullmatch(id):
        raise ValueError("id: 2 to 32 letters, digits, dots, dashes, for example BP-0412")
    if not name.strip() or len(name) > 80:
        raise ValueError("name: 1 to 80 characters, as colleagues read it")
    if role not in ROLES:
        raise ValueError(f"role: one of {', '.join(ROLES)}")
    if not _PIN.fullmatch(pin):
        raise ValueError("PIN: 6 to 12 digits")
    steps = {(int(b) - int(a)) % 10 for a, b in pairwise(pin)}
    if len(steps) == 1 and steps <= {0, 1, 9}:
        raise ValueError("PIN: not one digit repeated, and not a row such as 123456")


def check_badge(code: str) -> str:
    """The code as a reader types it. Raises ValueError where it is none."""
    if not _BADGE.fullmatch(code):
        raise ValueError(
            "badge: 6 to 64 letters, digits or signs, as the reader types them; hold the badge to it again"
        )
    return code


def add_account(db: Path, id: str, name: str, role: str, pin: str) -> None:
    """Adds one account to the file `db` (made if absent). Raises ValueError naming the part that is wrong."""
    accounts = Accounts(db)
    try:
        accounts.add(id, name, role, pin)
    finally:
        accounts.close()


def _matches(hashed: str, pin: str) -> bool:
    try:
        return _HASHER.verify(hashed, pin)
    except VerifyMismatchError:
        return False
