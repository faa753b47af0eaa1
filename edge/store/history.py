"""What passed here, to be searched: an index beside the record, filled behind the decisions and asked on connections of
its own.

It is derived: its file may be deleted at any time and is made anew from the events. So it needs no fsync, and it never
stands in the way of a decision: events are read on a read-only connection, a few at a time.
"""

from __future__ import annotations

import json
import logging
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict
from importlib import resources
from itertools import islice
from pathlib import Path
from typing import Any

from edge.core.law.lookup import normal_plate
from edge.core.record.history import Found, PassageRow, Question, fold
from edge.store import db, journal

log = logging.getLogger(__name__)

NAME = "history.db"
VERSION = 1
BATCH = 200
"""Events taken in at once: some ten milliseconds, so that nobody waits for the interpreter for long."""


class History:
    """Thread safe. Raises StoreError from every method that touches the disk."""

    def __init__(self, data_dir: Path) -> None:
        self._record, self._path = data_dir / db.NAME, data_dir / NAME
        self._lock = threading.Lock()
        with db.translated("opening the history"):
            self._writer = self._open()
            self._events = db.connect(self._record, readonly=True)

    def close(self) -> None:
        with self._lock:
            self._writer.close()
            self._events.close()

    def _open(self) -> sqlite3.Connection:
        """The index as it is; a new one where it cannot be used."""
        connection = self._usable()
        if connection is None:
            for name in (NAME, f"{NAME}-wal", f"{NAME}-shm"):
                self._path.with_name(name).unlink(missing_ok=True)
            connection = db.connect(self._path)
            script = resources.files(__package__).joinpath("history.sql").read_text(encoding="utf-8")
            connection.executescript(f"BEGIN IMMEDIATE;\n{script}\nPRAGMA user_version = {VERSION};\nCOMMIT;")
        connection.execute("PRAGMA synchronous = OFF")
        return connection

    def _usable(self) -> sqlite3.Connection | None:
        """The index where it is whole and of this version, else None."""
        try:
            connection = db.connect(self._path)
        except sqlite3.DatabaseError:
            return None
        version = int(connection.execute("PRAGMA user_version").fetchone()[0])
        if version == VERSION and not db.sound(connection):
            return connection
        connection.close()
        return None

    # ------------------------------------------------------------ taking in

    def take_in(self) -> int:
        """The next events of each lane, at most BATCH. How many; 0: it is as new as the record."""
        with self._lock, db.translated("indexing the record"):
            for lane in journal.lanes(self._events):
                after = self._done(lane)
                events = [json.loads(one) for one in islice(journal.payloads(self._events, lane, after), BATCH)]
                if events:
                    self._index(lane, events)
                    return len(events)
        return 0

    def _done(self, lane: str) -> int:
        """The last event taken in. A record that ends before it is another one: then everything is made anew."""
        row = self._writer.execute("SELECT seq FROM done WHERE lane = ?", (lane,)).fetchone()
        if row is None:
            return 0
        if row[0] <= journal.tip(self._events, lane).seq:
            return int(row[0])
        log.warning("the history of lane %s is ahead of its record: made anew", lane)
        with db.transaction(self._writer, "clearing the history"):
            self._writer.execute("DELETE FROM passage WHERE lane = ?", (lane,))
            self._writer.execute("DELETE FROM done WHERE lane = ?", (lane,))
        return 0

    def _index(self, lane: str, events: list[dict[str, Any]]) -> None:
        rows: dict[str, PassageRow] = {}
        for event in events:
            passage = event["body"].get("passage")
            if isinstance(passage, str):
                known = rows.get(passage) or _row(self._writer, passage)
                if (row := fold(known, event)) is not None:
                    rows[passage] = row
        with db.transaction(self._writer, "indexing the record"):
            for row in rows.values():
                _write(self._writer, row)
            self._writer.execute(
                "INSERT INTO done VALUES (?1, ?2) ON CONFLICT DO UPDATE SET seq = ?2", (lane, events[-1]["seq"])
            )

    def forget(self) -> int:
        """Drop passages whose events the record has pruned: the history ends where the record does. How many."""
        with self._lock, db.translated("pruning the history"):
            pruned = self._events.execute("SELECT lane, pruned_seq FROM lane").fetchall()
            with db.transaction(self._writer, "pruning the history"):
                return sum(
                    self._writer.execute("DELETE FROM passage WHERE lane = ? AND last_seq <= ?", row).rowcount
                    for row in pruned
                )

    # ------------------------------------------------------------ asking

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        """A read-only connection for one question: whoever looks something up keeps nobody waiting."""
        with db.translated("reading the history"), closing(db.connect(self._path, readonly=True)) as connection:
            connection.execute("PRAGMA mmap_size = 268435456")
            yield connection

    def find(self, question: Question) -> Found:
        """The newest first."""
        with self._reading() as connection:
            sql, values = statement(question)
            bodies = connection.execute(sql, values).fetchall()
        rows = tuple(_parse(body) for (body,) in bodies[: question.limit])
        return Found(rows, len(bodies) > question.limit)

    def between(self, since_ms: int, until_ms: int, lane: str = "") -> list[PassageRow]:
        """Every passage that began then, the oldest first: a day's figures are made of these."""
        with self._reading() as connection:
            bodies = connection.execute(
                f"SELECT body FROM passage WHERE {'lane = ?3 AND ' if lane else '?3 = ?3 AND '}"  # noqa: S608
                "began_ms >= ?1 AND began_ms < ?2 ORDER BY began_ms, id",
                (since_ms, until_ms, lane),
            ).fetchall()
        return [_parse(body) for (body,) in bodies]

    def passage(self, passage: str) -> tuple[PassageRow, list[dict[str, Any]]] | None:
        """One passage with its envelopes, as they are on record; None where it is not known (any more)."""
        with self._reading() as connection:
            row = _row(connection, passage)
        if row is None:
            return None
        with db.translated("reading the record"), closing(db.connect(self._record, readonly=True)) as connection:
            span = row.last_seq - row.first_seq + 1
            stored = islice(journal.payloads(connection, row.lane, row.first_seq - 1), span)
            events = [json.loads(one) for one in stored]
        mine = [one for one in events if one["seq"] <= row.last_seq and one["body"].get("passage") == passage]
        return row, mine

    def people(self) -> list[str]:
        """Everybody who pressed something in a passage that is still known."""
        with self._reading() as connection:
            found = connection.execute(
                "WITH RECURSIVE one (person) AS (SELECT min(person) FROM person UNION ALL"
                " SELECT (SELECT min(person) FROM person WHERE person > one.person) FROM one WHERE person IS NOT NULL)"
                " SELECT person FROM one WHERE person IS NOT NULL"
            ).fetchall()
        return [person for (person,) in found]


def statement(question: Question) -> tuple[str, list[object]]:
    """The question in SQL. Each part leads with an index; the tests read the plan."""
    columns = [(name, given) for name in ("lane", "verdict", "outcome", "how") if (given := getattr(question, name))]
    known = [f"{name} = ?" for name, _ in columns]
    values: list[object] = [given for _, given in columns]
    if not (question.plate_key or question.person):
        terms, times = _times(question, "id")
        where = f" WHERE {' AND '.join(known + terms)}" if known + terms else ""
        return f"SELECT body FROM passage{where} {_newest('id', question)}", values + times  # noqa: S608
    source, given = _hits(question)
    # The rows themselves are looked at only where the question asks for what the narrow tables do not hold.
    terms = ["id = hit.passage", *known]
    also = f"WHERE EXISTS (SELECT 1 FROM passage WHERE {' AND '.join(terms)}) " if known else ""  # noqa: S608
    inner = f"SELECT passage, began_ms FROM ({source}) hit {also}{_newest('passage', question)}"  # noqa: S608
    sql = f"SELECT body FROM ({inner}) hit JOIN passage ON id = passage ORDER BY hit.began_ms DESC, id DESC"  # noqa: S608
    return sql, given + values


def _hits(question: Question) -> tuple[str, list[object]]:
    """Passages of this plate, of this person, or of both: (id, began_ms), from the narrow tables alone."""
    terms, times = _times(question, "passage")
    if not question.plate_key:
        where = " AND ".join(["person = ?", *terms])
        return f"SELECT passage, began_ms FROM person WHERE {where}", [question.person, *times]  # noqa: S608
    theirs: list[object] = [question.person] if question.person else []
    if question.person:
        terms.append("EXISTS (SELECT 1 FROM person WHERE passage = plate.passage AND person = ?)")
    where = " AND ".join(["text >= ?", "text < ?", *terms])
    one = f"SELECT passage, began_ms FROM plate WHERE {where}"  # noqa: S608
    plate = question.plate_key
    given: list[object] = [*_span(plate), *times, *theirs, *_span("~" + plate[::-1]), *times, *theirs]
    return f"{one} UNION {one}", given


def _times(question: Question, id_column: str) -> tuple[list[str], list[object]]:
    terms: list[str] = []
    values: list[object] = []
    for term, given in (("began_ms >= ?", question.since_ms), ("began_ms < ?", question.until_ms)):
        if given is not None:
            terms.append(term)
            values.append(given)
    if question.before is not None:
        terms.append(f"(began_ms, {id_column}) < (?, ?)")
        values += question.before
    return terms, values


def _newest(id_column: str, question: Question) -> str:
    return f"ORDER BY began_ms DESC, {id_column} DESC LIMIT {question.limit + 1}"


def _span(prefix: str) -> tuple[str, str]:
    """Every text that begins so, as a range of the index."""
    return prefix, prefix + "\U0010ffff"


def _row(connection: sqlite3.Connection, passage: str) -> PassageRow | None:
    found = connection.execute("SELECT body FROM passage WHERE id = ?", (passage,)).fetchone()
    return None if found is None else _parse(found[0])


def _parse(body: str) -> PassageRow:
    row = json.loads(body)
    return PassageRow(**{**row, "plates": tuple(row["plates"]), "people": tuple(row["people"])})


def _write(connection: sqlite3.Connection, row: PassageRow) -> None:
    """Inside the caller's transaction."""
    known = (row.id, row.lane, row.last_seq, row.began_ms, row.verdict or "", row.outcome or "", row.how)
    connection.execute(
        "INSERT INTO passage VALUES (?,?,?,?,?,?,?,?) ON CONFLICT (id) DO UPDATE SET last_seq = excluded.last_seq,"
        " verdict = excluded.verdict, outcome = excluded.outcome, how = excluded.how, body = excluded.body",
        (*known, json.dumps(asdict(row), ensure_ascii=False)),
    )
    connection.execute("DELETE FROM plate WHERE passage = ?", (row.id,))
    plates = {normal_plate(plate) for plate in row.plates} - {""}
    texts = [(text, row.began_ms, row.id) for plate in plates for text in (plate, "~" + plate[::-1])]
    connection.executemany("INSERT OR IGNORE INTO plate VALUES (?, ?, ?)", texts)
    people = [(person, row.began_ms, row.id) for person in row.people]
    connection.executemany("INSERT OR IGNORE INTO person VALUES (?, ?, ?)", people)
