"""The watch list here: what holds a plate. Functions over a connection; a long list is written in short transactions.

A list is refused only where nothing of it can be read; then the one before stands and the copy is not fresh. A good row
counts whatever stands beside it. The old list goes only when the new one is whole and none of its
rows is bad: until then both hold.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from edge import errors, wire
from edge.core.plate.skeleton import Skeletons
from edge.store import notes

PART, LIST = "watch_part", "watch_list"
WHOLE = 0
CHUNK = 500
"""Rows of one transaction: a press waits for no more than this."""
NAMED = 50
"""Bad rows that are named; the rest are counted."""

Writing = Callable[[], AbstractContextManager[sqlite3.Connection]]
Row = tuple[str, str, str, int, str]


@dataclass(frozen=True, slots=True)
class Hit:
    """An entry that holds a plate. `exact`: it names the very plate; else it is like it (config/watch.toml)."""

    entry: str
    reason: str
    exact: bool

    @property
    def words(self) -> str:
        """For the guard, who may have to say why: the reason, and the entry where it is not the plate itself."""
        if self.exact:
            return self.reason
        as_listed = f"danh sách ghi {self.entry!r}, giống biển đọc được / listed as {self.entry!r}, looks like it"
        return f"{self.reason} ({as_listed})"


@dataclass(frozen=True, slots=True)
class ListState:
    """`refused`: why the newest list, or a piece of it, was not taken; `missing`: pieces that have not come; `rows`:
    how many rows of the list in force were bad or fit no plate; `named` the first of them."""

    refused: str = ""
    missing: int = 0
    rows: int = 0
    named: tuple[str, ...] = ()

    @property
    def whole(self) -> bool:
        return not self.refused and not self.missing


def find(
    db: sqlite3.Connection, skeletons: Skeletons, plate: str, normal: Callable[[str], str], *, customs: bool
) -> Hit | None:
    """The entry that holds this plate, an exact one before one that is only like it."""
    rows = db.execute(
        "SELECT entry, reason FROM watch WHERE skeleton = ? AND customs = ? ORDER BY id",
        (skeletons.of_plate(plate), customs),
    ).fetchall()
    wanted, hits = normal(plate), [Hit(entry, reason, normal(entry) == normal(plate)) for entry, reason in rows]
    if not wanted or not hits:
        return None
    exact = [hit for hit in hits if hit.exact] or hits[:1]
    return Hit(exact[0].entry, "; ".join(dict.fromkeys(hit.reason for hit in exact)), exact[0].exact)


def state(db: sqlite3.Connection) -> ListState:
    lists, parts = notes.all_of(db, LIST), notes.all_of(db, PART)
    contents = lists.get("contents")
    missing = 0
    if contents is not None:
        missing = contents["pieces"] - sum(one["version"] == contents["version"] for one in _pieces(parts, contents))
    named = [fault for one in parts.values() for fault in one["faults"]]
    rows = sum(one["bad"] for one in parts.values())
    why = "; ".join(
        f"{key.removeprefix('refused/')}: {body['why']}" for key, body in lists.items() if key.startswith("refused/")
    )
    return ListState(why, missing, rows, tuple(named[:NAMED]))


def _pieces(parts: dict[str, dict[str, Any]], contents: dict[str, Any]) -> list[dict[str, Any]]:
    return [body for key, body in parts.items() if 1 <= int(key) <= contents["pieces"]]


def refuse(db: sqlite3.Connection, topic: str, why: str | None) -> None:
    """Inside the caller's transaction: the newest message of this topic was not taken; None: it was."""
    notes.put(db, LIST, f"refused/{topic}", None if why is None else {"why": why[:1024]})


def take(
    writing: Writing, skeletons: Skeletons, piece: int, payload: bytes, holders: frozenset[str]
) -> tuple[bool, tuple[str, ...]]:
    """One message of `watchlist` (piece 0) or `watchlist/{piece}`: whether the list changed, and the rows that were bad
    or fit no plate. `holders`: the authorities whose hold takes two people to lift. Raises BadMessageError where
    nothing of it can be read."""
    read = wire.watch_rows(payload)
    if read.pieces is not None:
        if piece != WHOLE:
            raise errors.BadMessageError("watchlist: pieces: only watchlist itself names the pieces")
        return _take_contents(writing, read), ()
    if piece != WHOLE and payload and read.version is None:
        raise errors.BadMessageError("watchlist: version: is missing in a piece")
    if piece != WHOLE and not payload:
        with writing() as db:
            notes.put(db, PART, str(piece), None)
        return False, ()
    part = hashlib.sha256(b"%d %s %s" % (piece, " ".join(sorted(holders)).encode(), payload)).hexdigest()[:16]
    with writing() as db:
        known = notes.all_of(db, PART, str(piece)).get(str(piece))
        same = known is not None and known["part"] == part
        if not same:
            db.execute("DELETE FROM watch WHERE part = ?", (part,))  # of a try that was cut short
    if known is not None and same:
        return _settle_after(writing, piece, read), tuple(known["faults"])
    rows, faults = _rows(skeletons, read, part, holders)
    for at in range(0, len(rows), CHUNK):
        with writing() as db:
            _insert(db, rows[at : at + CHUNK])
    with writing() as db:
        body = {"part": part, "version": read.version, "rows": len(rows), "bad": len(faults), "faults": faults[:NAMED]}
        body["unread"] = len(read.faults)
        notes.put(db, PART, str(piece), body)
    _settle_after(writing, piece, read)
    return True, tuple(faults)


def _rows(
    skeletons: Skeletons, read: wire.WatchRows, part: str, holders: frozenset[str]
) -> tuple[list[Row], list[str]]:
    rows: dict[tuple[str, str, int], Row] = {}
    faults = list(read.faults)
    for number, entry in enumerate(read.entries):
        held, customs = skeletons.of_entry(entry.plate), int(entry.by in holders)
        if not held.fits:
            faults.append(f"entry {number}: fits no plate; held as it is written")
        for skeleton in held.skeletons:
            key = (skeleton, entry.plate, customs)
            reason = f"{rows[key][2]}; {entry.reason}" if key in rows else entry.reason
            rows[key] = (skeleton, entry.plate, reason, customs, part)
    return list(rows.values()), faults


def _insert(db: sqlite3.Connection, rows: Iterable[Row]) -> None:
    db.executemany("INSERT INTO watch (skeleton, entry, reason, customs, part) VALUES (?,?,?,?,?)", rows)


def _take_contents(writing: Writing, read: wire.WatchRows) -> bool:
    with writing() as db:
        before = notes.all_of(db, LIST, "contents").get("contents")
        now = {"version": read.version, "pieces": read.pieces}
        notes.put(db, LIST, "contents", now)
    return _settle(writing) or before != now


def _settle_after(writing: Writing, piece: int, read: wire.WatchRows) -> bool:
    """A piece that comes before its contents waits for them, beside the list in force."""
    with writing() as db:
        if piece == WHOLE:
            notes.put(db, LIST, "contents", None)
        contents = notes.all_of(db, LIST).get("contents")
    return _settle(writing) if piece == WHOLE or (contents and contents["version"] == read.version) else False


def _settle(writing: Writing) -> bool:
    """Once the list in force is whole, what is not of it goes. True where something went."""
    with writing() as db:
        contents, parts = notes.all_of(db, LIST).get("contents"), notes.all_of(db, PART)
        if contents is None:
            kept = {key: one for key, one in parts.items() if int(key) == WHOLE}
        else:
            kept = {
                key: one
                for key, one in parts.items()
                if 1 <= int(key) <= contents["pieces"] and one["version"] == contents["version"]
            }
            if len(kept) < contents["pieces"]:
                return False
        if any(one["unread"] for one in kept.values()):
            return False  # what a bad row was to hold may be held by the list before
        for key in parts.keys() - kept.keys():
            notes.put(db, PART, key, None)
    return _drop_others(writing, [one["part"] for one in kept.values()])


def _drop_others(writing: Writing, parts: list[str]) -> bool:
    marks, gone = ",".join("?" * len(parts)), False
    while True:
        with writing() as db:
            count = db.execute(
                f"DELETE FROM watch WHERE id IN (SELECT id FROM watch WHERE part NOT IN ({marks}) LIMIT {CHUNK})",  # noqa: S608
                parts,
            ).rowcount
        gone = gone or count > 0
        if count < CHUNK:
            return gone


def meet_table(db: sqlite3.Connection, skeletons: Skeletons) -> None:
    """Inside the caller's transaction, at start: skeletons that another table made are made anew."""
    made = notes.all_of(db, LIST, "table").get("table")
    if made is not None and made["version"] == skeletons.version:
        return
    rows = db.execute("SELECT DISTINCT entry, reason, customs, part FROM watch").fetchall()
    db.execute("DELETE FROM watch")
    _insert(
        db, [(one, entry, *rest) for entry, *rest in rows for one in skeletons.of_entry(entry).skeletons]
    )  # fmt: skip
    notes.put(db, LIST, "table", {"version": skeletons.version})
