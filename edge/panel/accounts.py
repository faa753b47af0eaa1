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
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
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
CREATE TABLE IF NOT EXISTS failure (
    account TEXT NOT NULL, place TEXT NOT NULL, count INTEGER NOT NULL, boot TEXT NOT NULL, at_s REAL NOT NULL,
    PRIMARY KEY (account, place)
) STRICT;
CREATE TABLE IF NOT EXISTS shut (account TEXT PRIMARY KEY REFERENCES account(id) ON DELETE CASCADE, by TEXT NOT NULL)
STRICT;
CREATE TABLE IF NOT EXISTS change (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, what TEXT NOT NULL, account TEXT NOT NULL,
    by TEXT NOT NULL, detail TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS badge_salt (salt BLOB NOT NULL) STRICT;
"""
FREE_TRIES = 4
FIRST_LOCK_S, LONGEST_LOCK_S = 30.0, 900.0
BESIDE = "+"
"""Between two who change an account together; no id has it."""
PEER, PEER_FREE_TRIES = "", 12
"""Tries of one peer, whatever accounts they are for and whether right or wrong, are counted as of an account of no
name: who tries a few PINs at each of many accounts is one who tries many."""
DECAYS_S = 1800.0
"""Failures so long ago are forgotten."""
NOBODIES = 1000
HERE, NETWORK = "here", "network"
"""Where somebody signs in: at this machine's own screen, or from elsewhere. Failures there lock nobody out here."""
BADGES_PER_MINUTE = {HERE: 60, NETWORK: 12}
_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{1,31}")
_PIN = re.compile(r"\d{6,12}")
_BADGE = re.compile(r"[!-~]{6,64}")
# One thread and 32 MiB: vision needs the cores, and a six-digit PIN is guarded by the lock-out more than by its hash.
_HASHER = PasswordHasher(time_cost=3, memory_cost=32 * 1024, parallelism=1)
_NOBODY_HASH = _HASHER.hash("000000")


@dataclass(frozen=True, slots=True)
class AccountChange:
    """What somebody did to an account: added, removed, locked, unlocked, pin, role, badge_set, badge_removed."""

    seq: int
    at: str
    what: str
    account: str
    by: str
    detail: str = ""


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
        self._tries_s: dict[str, list[float]] = {}
        self._hashing = threading.Lock()

    def close(self) -> None:
        with self.lock:
            self.db.close()

    def add(self, id: str, name: str, role: str, pin: str, by: str = "console") -> None:
        """Adds a person, or raises ValueError that says which part is wrong and what it should be."""
        check_new_account(id, name, role, pin)
        hashed = _HASHER.hash(pin)
        try:
            with self.lock, self._at_once():
                self.db.execute(
                    "INSERT INTO account (id, name, role, pin_hash, made_at) VALUES (?, ?, ?, ?, ?)",
                    (id, name.strip(), role, hashed, wall_iso()),
                )
                self._note(id, by, "added", role)
        except sqlite3.IntegrityError as error:
            raise ValueError(f"id: {id} is taken; choose another one") from error

    def people(self) -> list[Person]:
        with self.lock:
            rows = self.db.execute("SELECT id, name, role FROM account ORDER BY name").fetchall()
        return [Person(*row) for row in rows]

    def check_pin(self, id: str, pin: str, place: str = HERE, peer: str = "") -> Person:
        """The person of this id and PIN. A try is counted before its PIN is looked at, so that many at once are as many
        tries: of the account, and of the `peer` that tries one after the other ("": the booth's own screen, where a
        second guard may always try). Raises RefusedError: wrong_pin, locked_out (detail: s)."""
        self._count_try(id, place, peer)
        with self.lock:
            row = self.db.execute("SELECT name, role, pin_hash FROM account WHERE id = ?", (id,)).fetchone()
        with self._hashing:  # one at a time: each takes 32 MiB
            # As slow for nobody as for somebody, so that timing names nobody.
            right = _matches(row[2] if row else _NOBODY_HASH, pin)
        if row is None or not right:
            raise RefusedError("wrong_pin")
        with self.lock:
            self.db.execute("DELETE FROM failure WHERE account = ? AND place = ?", (id, place))
            shut = self.db.execute("SELECT 1 FROM shut WHERE account = ?", (id,)).fetchone()
        if shut:
            raise RefusedError("shut")
        return Person(id, row[0], row[1])

    # ------------------------------------------------------------ changes, each an event of the record

    def remove(self, id: str, by: str) -> None:
        """The account, its sessions and its badge. Raises ValueError where there is none."""
        self._change(id, by, "removed", "DELETE FROM account WHERE id = ?", (id,))

    def lock_out(self, id: str, by: str) -> None:
        """Nobody signs in with it until it is opened again; its sessions end at once. Raises ValueError."""
        self._change(id, by, "locked", "INSERT OR REPLACE INTO shut VALUES (?, ?)", (id, by))

    def open_again(self, id: str, by: str) -> None:
        self._change(id, by, "unlocked", "DELETE FROM shut WHERE account = ?", (id,))

    def set_pin(self, id: str, pin: str, by: str) -> None:
        """Raises ValueError where the PIN is none, or nobody has this id."""
        check_pin_rules(pin)
        self._change(id, by, "pin", "UPDATE account SET pin_hash = ? WHERE id = ?", (_HASHER.hash(pin), id))

    def set_role(self, id: str, role: str, by: str) -> None:
        if role not in ROLES:
            raise ValueError(f"role: one of {', '.join(ROLES)}")
        self._change(id, by, "role", "UPDATE account SET role = ? WHERE id = ?", (role, id), role)

    def _change(self, id: str, by: str, what: str, statement: str, values: tuple[str, ...], detail: str = "") -> None:
        """In one transaction with the end of its sessions and the note of it, which the agent makes an event of."""
        with self.lock:
            if self.db.execute("SELECT 1 FROM account WHERE id = ?", (id,)).fetchone() is None:
                raise ValueError(f"id: there is no account {id}; `barie account list` shows those that there are")
            with self._at_once():
                self.db.execute("DELETE FROM session WHERE account = ?", (id,))
                self.db.execute("DELETE FROM failure WHERE account = ?", (id,))
                self.db.execute(statement, values)
                self._note(id, by, what, detail)

    @contextmanager
    def _at_once(self) -> Iterator[None]:
        """All of it or nothing, with its note. Under `lock`."""
        self.db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except sqlite3.Error:
            self.db.execute("ROLLBACK")
            raise
        self.db.execute("COMMIT")

    def _note(self, id: str, by: str, what: str, detail: str) -> None:
        row = (wall_iso(), what, id, by, detail)
        self.db.execute("INSERT INTO change (at, what, account, by, detail) VALUES (?, ?, ?, ?, ?)", row)

    def changes(self) -> list[AccountChange]:
        """Those that are no event yet, in their order."""
        with self.lock:
            rows = self.db.execute("SELECT seq, at, what, account, by, detail FROM change ORDER BY seq").fetchall()
        return [AccountChange(*row) for row in rows]

    def recorded(self, upto: int) -> None:
        """They are events of the record now."""
        with self.lock:
            self.db.execute("DELETE FROM change WHERE seq <= ?", (upto,))

    def locked(self) -> dict[str, str]:
        """Accounts that nobody may sign in with, and who locked them."""
        with self.lock:
            return dict(self.db.execute("SELECT account, by FROM shut").fetchall())

    def set_badge(self, id: str, code: str | None, by: str = "console") -> None:
        """Ties a badge to an account, in place of an older one; None takes it away. Raises ValueError naming what is
        wrong."""
        hashed = None if code is None else self._badge_hash(check_badge(code))
        with self.lock:
            if self.db.execute("SELECT 1 FROM account WHERE id = ?", (id,)).fetchone() is None:
                raise ValueError(f"id: there is no account {id}; `barie account list` shows those that there are")
            if self.db.execute("SELECT 1 FROM badge WHERE code_hash = ? AND account != ?", (hashed, id)).fetchone():
                raise ValueError("badge: it is another account's already; take it away there first")
            with self._at_once():
                self.db.execute("DELETE FROM badge WHERE account = ?", (id,))
                if hashed is not None:
                    self.db.execute("INSERT INTO badge VALUES (?, ?, ?)", (hashed, id, wall_iso()))
                self._note(id, by, "badge_removed" if hashed is None else "badge_set", "")

    def badge_owner(self, code: str, place: str = HERE, peer: str = "") -> Person:
        """Whose badge this is; whether that is enough to sign in is the caller's rule. Takes some 50 ms of CPU. Raises
        RefusedError: wrong_badge, locked_out, too_many_tries (detail: s)."""
        self._slow_down(place, peer)
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
        with self.lock:
            wait_s = self._locked_s(row[0], place)
            shut = self.db.execute("SELECT 1 FROM shut WHERE account = ?", (row[0],)).fetchone()
        if wait_s > 0:
            raise RefusedError("locked_out", str(int(wait_s) + 1))
        if shut:
            raise RefusedError("shut")
        return Person(*row)

    def _badge_hash(self, code: str) -> str:
        with self.lock:
            row = self.db.execute("SELECT salt FROM badge_salt").fetchone()
            if row is None:
                row = (secrets.token_bytes(16),)
                self.db.execute("INSERT INTO badge_salt VALUES (?)", row)
        # One salt for all badges of this file: a code finds its account. As slow as a PIN: card numbers are short.
        cost = (_HASHER.time_cost, _HASHER.memory_cost, _HASHER.parallelism)
        with self._hashing:
            return hash_secret_raw(code.encode(), row[0], *cost, 32, Type.ID).hex()

    def _slow_down(self, place: str, peer: str) -> None:
        """Of badges: a wrong one is nobody's, so they are counted by who holds them to what."""
        now_s = self.now_s()
        with self.lock:
            if len(self._tries_s) > NOBODIES:
                self._tries_s.pop(next(iter(self._tries_s)))
            tries = [at_s for at_s in self._tries_s.pop(place + peer, []) if now_s - at_s < 60.0]
            self._tries_s[place + peer] = tries
            if len(tries) >= BADGES_PER_MINUTE[place]:
                raise RefusedError("too_many_tries", str(int(60.0 - (now_s - tries[0])) + 1))
            tries.append(now_s)

    def _locked_s(self, id: str, place: str, free: int = FREE_TRIES) -> float:
        """How long this account takes no PIN yet, at this place. Under `lock`."""
        row = self.db.execute("SELECT count, boot, at_s FROM failure WHERE account = ? AND place = ?", (id, place))
        count, boot, at_s = row.fetchone() or (0, self.boot, 0.0)
        if boot != self.boot:  # pulling the plug does not shorten it
            at_s = self.now_s()
            self.db.execute(
                "UPDATE failure SET boot = ?, at_s = ? WHERE account = ? AND place = ?", (self.boot, at_s, id, place)
            )
        locked_s = lock_s(count, free)
        return float(at_s) + locked_s - self.now_s() if locked_s else 0.0

    def _count_try(self, id: str, place: str, peer: str) -> None:
        """Raises RefusedError locked_out. Also of ids that nobody has: a refusal must not tell which there are."""
        now_s = self.now_s()
        with self.lock:
            wait_s = self._locked_s(id, place)
            if peer:
                wait_s = max(wait_s, self._locked_s(PEER, peer, PEER_FREE_TRIES))
            if wait_s > 0:
                raise RefusedError("locked_out", str(int(wait_s) + 1))
            self.db.execute("DELETE FROM failure WHERE boot = ? AND at_s < ?", (self.boot, now_s - DECAYS_S))
            for account, at in [(id[:32], place), *([(PEER, peer)] if peer else [])]:
                self.db.execute(
                    "INSERT INTO failure VALUES (?, ?, 1, ?, ?) ON CONFLICT (account, place)"
                    " DO UPDATE SET count = count + 1, boot = excluded.boot, at_s = excluded.at_s",
                    (account, at, self.boot, now_s),
                )
            # Ids that nobody has, and peers, the oldest first: they may not fill the file.
            self.db.execute(
                "DELETE FROM failure WHERE account NOT IN (SELECT id FROM account) AND rowid NOT IN"
                " (SELECT rowid FROM failure ORDER BY at_s DESC LIMIT ?)", (NOBODIES,)
            )  # fmt: skip


def lock_s(failures: int, free: int = FREE_TRIES) -> float:
    """Seconds of lock-out after so many failures in a row: none for the first few, then doubling up to 15 minutes."""
    over = failures - free
    return 0.0 if over <= 0 else min(FIRST_LOCK_S * 2.0 ** min(over - 1, 10), LONGEST_LOCK_S)


def check_new_account(id: str, name: str, role: str, pin: str) -> None:
    """Raises ValueError naming the part that is wrong."""
    if not _ID.fullmatch(id):
        raise ValueError("id: 2 to 32 letters, digits, dots, dashes, for example BP-0412")
    if not name.strip() or len(name) > 80:
        raise ValueError("name: 1 to 80 characters, as colleagues read it")
    if role not in ROLES:
        raise ValueError(f"role: one of {', '.join(ROLES)}")
    check_pin_rules(pin)


def check_pin_rules(pin: str) -> None:
    """Raises ValueError naming what is wrong."""
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


def add_account(db: Path, id: str, name: str, role: str, pin: str, by: str = "console") -> None:
    """Adds one account to the file `db` (made if absent). Raises ValueError naming the part that is wrong."""
    accounts = Accounts(db)
    try:
        accounts.add(id, name, role, pin, by)
    finally:
        accounts.close()


def _matches(hashed: str, pin: str) -> bool:
    try:
        return _HASHER.verify(hashed, pin)
    except VerifyMismatchError:
        return False
