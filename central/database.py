"""The connection, the schema, partitions by month and their retention. Functions over a psycopg connection."""

from __future__ import annotations

from datetime import date
from importlib import resources
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

Connection = psycopg.Connection[Any]
SCHEMA_LOCK = 0x6261726965
"""Advisory lock of whoever makes the schema: several workers start at once."""


def connect(url: str) -> Connection:
    """In autocommit: transactions are begun by name. Raises psycopg.Error."""
    return psycopg.connect(
        url, autocommit=True, connect_timeout=10, application_name="barie-central",
        keepalives_idle=10, keepalives_interval=5, keepalives_count=3,
    )  # fmt: skip


def prepare(connection: Connection, today: date) -> None:
    """The schema as it must be, and room for this month and the next."""
    text = resources.files(__package__).joinpath("schema.sql").read_text(encoding="utf-8")
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (SCHEMA_LOCK,))
        connection.execute(text.encode())
        for month in (first_of(today), next_month(today)):
            _partition(connection, month)


def first_of(day: date) -> date:
    return day.replace(day=1)


def next_month(day: date, months: int = 1) -> date:
    """The first of the month so many later (or earlier)."""
    count = day.year * 12 + day.month - 1 + months
    return date(count // 12, count % 12 + 1, 1)


def _name(month: date) -> str:
    return f"event_{month:%Y_%m}"


def _partition(connection: Connection, month: date) -> None:
    """Nothing of that month may lie in the default partition yet: rows get there only where a clock of the server was
    far off, and then the month stays there."""
    exists = connection.execute("SELECT to_regclass(%s)", (_name(month),)).fetchone()
    if exists is not None and exists[0] is not None:
        return
    try:
        with connection.transaction():
            connection.execute(
                sql.SQL("CREATE TABLE {} PARTITION OF event FOR VALUES FROM ({}) TO ({})").format(
                    sql.Identifier(_name(month)),
                    sql.Literal(month.isoformat()),
                    sql.Literal(next_month(month).isoformat()),
                )
            )
    except psycopg.errors.CheckViolation:
        return


def retain(connection: Connection, photos: Path, today: date, months: int) -> list[str]:
    """Drop events and photos that came more than so many months before this one; the names of what went. What was
    acknowledged stays known (`place`): a repeat is still a repeat."""
    first = next_month(first_of(today), -months)
    rows = connection.execute(
        "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid"
        " WHERE i.inhparent = 'event'::regclass AND c.relname ~ '^event_[0-9]{4}_[0-9]{2}$' ORDER BY 1"
    ).fetchall()
    gone = [name for (name,) in rows if name < _name(first)]
    for name in gone:
        connection.execute(sql.SQL("DROP TABLE {}").format(sql.Identifier(name)))
    old = connection.execute("DELETE FROM photo WHERE received_at < %s RETURNING file", (first,)).fetchall()
    for (file,) in old:
        (photos / file).unlink(missing_ok=True)
    return [*gone, *(f"{len(old)} photos" for _ in range(bool(old)))]
