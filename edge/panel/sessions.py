"""Who stands at the screen: sessions by cookie, auto-lock, and the demo's open door.

A session that idled too long is locked, not gone: the person signs in again, and until then may still press stop.
Only presses and touches keep it awake; the page's own traffic does not.
"""

from __future__ import annotations

import contextlib
import hashlib
import secrets
import sqlite3
from dataclasses import dataclass
from typing import Protocol

from starlette.exceptions import HTTPException
from starlette.requests import Request

from edge.panel.accounts import HERE, NETWORK, Accounts
from edge.panel.peer import at_screen, from_loopback, peer_of
from edge.panel.proof import Proofs
from edge.ports import Person

COOKIE = "barie_session"
SEEN_EVERY_S = 20.0


@dataclass(frozen=True, slots=True)
class Session:
    person: Person
    csrf: str
    locked: bool = False


class Door(Protocol):
    """Turns a request into a session, or None for a stranger."""

    def session(self, request: Request) -> Session | None: ...

    def touch(self, request: Request) -> None:
        """A person did something: the auto-lock starts over, unless it already fell."""
        ...


class DemoDoor:
    """Every browser on this very machine is the demo guard. Never with a real board (the configuration refuses it)."""

    def __init__(self) -> None:
        self._session = Session(Person("demo", "Cán bộ Biên phòng (demo)", "guard"), secrets.token_urlsafe(24))

    def session(self, request: Request) -> Session | None:
        if not from_loopback(request):
            return None
        known(request, self._session.person.id)
        return self._session

    def touch(self, request: Request) -> None:
        pass


class AccountsDoor:
    """Sessions of real accounts, kept beside them, so that a restart of the gate process signs nobody out."""

    def __init__(self, accounts: Accounts, auto_lock_s: float, shift_s: float) -> None:
        self._accounts, self._auto_lock_s, self._shift_s = accounts, auto_lock_s, shift_s

    def open(self, person: Person) -> str:
        """Starts a session and returns its token; only the token's hash is stored."""
        token, now_s = secrets.token_urlsafe(32), self._accounts.now_s()
        row = (_hash(token), person.id, secrets.token_urlsafe(24), self._accounts.boot, now_s, now_s)
        with self._accounts.lock:
            self._accounts.db.execute(
                "DELETE FROM session WHERE boot != ? OR opened_s < ?", (row[3], now_s - self._shift_s)
            )
            self._accounts.db.execute("INSERT INTO session VALUES (?, ?, ?, ?, ?, ?)", row)
        return token

    def end(self, request: Request) -> None:
        with self._accounts.lock:
            self._accounts.db.execute(
                "DELETE FROM session WHERE token_hash = ?", (_hash(request.cookies.get(COOKIE, "")),)
            )

    def session(self, request: Request) -> Session | None:
        row = self._row(request)
        if row is None:
            return None
        id, name, role, csrf, seen_s = row
        known(request, id)
        return Session(Person(id, name, role), csrf, locked=self._accounts.now_s() - seen_s > self._auto_lock_s)

    def touch(self, request: Request) -> None:
        row, now_s = self._row(request), self._accounts.now_s()
        if row is None or not SEEN_EVERY_S < now_s - row[4] <= self._auto_lock_s:
            return
        # On a full disk the press itself matters more than when it was: the screen locks a little early then.
        with self._accounts.lock, contextlib.suppress(sqlite3.OperationalError):
            self._accounts.db.execute(
                "UPDATE session SET seen_s = ? WHERE token_hash = ?", (now_s, _hash(request.cookies.get(COOKIE, "")))
            )

    def _row(self, request: Request) -> tuple[str, str, str, str, float] | None:
        token = request.cookies.get(COOKIE)
        if not token:
            return None
        with self._accounts.lock:
            found: tuple[str, str, str, str, float] | None = self._accounts.db.execute(
                "SELECT a.id, a.name, a.role, s.csrf, s.seen_s FROM session s JOIN account a ON a.id = s.account"
                " WHERE s.token_hash = ? AND s.boot = ? AND s.opened_s >= ?",
                (_hash(token), self._accounts.boot, self._accounts.now_s() - self._shift_s),
            ).fetchone()
        return found


def signed_in(request: Request, even_locked: bool = False) -> Session:
    """The session of a request. Raises HTTPException 401 "signed_out" or "locked"."""
    session: Session | None = request.app.state.panel.door.session(request)
    if session is None:
        raise HTTPException(401, "signed_out")
    if session.locked and not even_locked:
        raise HTTPException(401, "locked")
    return session


def check_csrf(request: Request, session: Session) -> None:
    """Raises HTTPException 403 "csrf" unless the page's own token came along."""
    if not secrets.compare_digest(request.headers.get("x-csrf-token", "").encode(), session.csrf.encode()):
        raise HTTPException(403, "csrf")


async def where(request: Request) -> tuple[str, str]:
    """Of the counts of wrong PINs: at this machine's own screen, or from elsewhere and from whom."""
    return (HERE, "") if await at_screen(request) else (NETWORK, await peer_of(request))


async def proven(request: Request, id: str, pin: str) -> Person:
    """Who has this id and PIN, counted where it was typed. Raises RefusedError: wrong_pin, locked_out, shut,
    too_many_tries."""
    accounts: Accounts = request.app.state.accounts
    place, peer = await where(request)
    proofs: Proofs = request.app.state.panel.proofs
    return await proofs.prove(place, lambda: accounts.check_pin(id[:32], pin[:12], place, peer))


def known(request: Request, person: str) -> None:
    """Tell the connection whose it is: those of known people are counted apart (edge.agent.entrance)."""
    tell = getattr(request.state, "known_as", None)
    if tell is not None:
        tell(person)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
