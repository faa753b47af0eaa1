"""What the province wants to know: each lane, what waits for a person, and the day's figures. Read only."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any

from psycopg.rows import dict_row

from central.database import Connection
from edge.clock import VIETNAM

INSIDE_DAYS = 60
"""A vehicle whose last passage is older is no longer counted as inside: nobody saw it leave."""

_KIND = """CASE WHEN d.payload ->> 'procedure' LIKE 'EX-%%' THEN 'export'
    WHEN d.payload ->> 'procedure' LIKE 'IM-%%' THEN 'import'
    WHEN d.payload ->> 'procedure' LIKE '%%-EMPTY-%%' THEN 'empty'
    WHEN e.body ->> 'declaration' IS NULL THEN 'undeclared' ELSE 'unknown' END"""
_THROUGH = "e.kind IN ('passage', 'confirmation') AND e.stage = 'through'"
_PLATE = "coalesce(e.body #>> '{who,plate}', e.body #>> '{plates,0,text}', e.body ->> 'passage')"


@dataclass(frozen=True, slots=True)
class Count:
    """Vehicles that went through in a day, of one gate, direction, kind of movement and country of plate."""

    site: str
    place: str
    direction: str
    kind: str
    country: str
    vehicles: int


@dataclass(frozen=True, slots=True)
class Day:
    """`waiting`: active declarations none of whose vehicles came through a barrier yet; `inside`: vehicles whose last
    barrier led into the area. Both at the day's end, or now."""

    day: str
    counts: tuple[Count, ...]
    waiting: dict[str, int]
    inside: dict[str, int]
    overrides: dict[str, int]
    refusals: dict[str, int]


def _bounds(day: date) -> tuple[datetime, datetime]:
    start = datetime(day.year, day.month, day.day, tzinfo=VIETNAM)
    return start, start + timedelta(days=1)


def daily(connection: Connection, day: date) -> Day:
    start, end = _bounds(day)
    rows = connection.execute(
        f"SELECT e.site, coalesce(e.body ->> 'place', ''), coalesce(e.body ->> 'direction', ''), {_KIND},"  # noqa: S608
        " coalesce(e.body #>> '{plates,0,country}', ''), count(DISTINCT e.body ->> 'passage')"
        " FROM event e LEFT JOIN declaration d ON d.site = e.site AND d.id = e.body ->> 'declaration'"
        f" WHERE {_THROUGH} AND e.recorded_at >= %s AND e.recorded_at < %s"
        " GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5",
        (start, end),
    ).fetchall()
    waiting = connection.execute(
        f"SELECT d.site, count(*) FROM declaration d WHERE d.payload ->> 'state' = 'active' AND NOT EXISTS"  # noqa: S608
        f" (SELECT 1 FROM event e WHERE e.site = d.site AND {_THROUGH} AND e.body ->> 'declaration' = d.id"
        " AND e.recorded_at < %s) AND left(d.payload ->> 'declared_at', 10) <= %s GROUP BY 1",
        (end, day.isoformat()),
    ).fetchall()
    inside = connection.execute(
        f"SELECT site, count(*) FROM (SELECT DISTINCT ON (e.site, {_PLATE}) e.site, e.body ->> 'direction' AS way"  # noqa: S608
        f" FROM event e WHERE {_THROUGH} AND e.body ->> 'place' IN ('b1', 'b2') AND e.recorded_at < %s"
        f" AND e.recorded_at >= %s ORDER BY e.site, {_PLATE}, e.recorded_at DESC) last"
        " WHERE way = 'into_area' GROUP BY 1",
        (end, end - timedelta(days=INSIDE_DAYS)),
    ).fetchall()
    told = {
        kind: dict(
            connection.execute(
                "SELECT site, count(*) FROM event WHERE kind = %s AND recorded_at >= %s AND recorded_at < %s"
                " GROUP BY 1",
                (kind, start, end),
            ).fetchall()
        )
        for kind in ("override", "refusal")
    }
    counts = tuple(Count(*row) for row in rows)
    return Day(day.isoformat(), counts, dict(waiting), dict(inside), told["override"], told["refusal"])


def as_csv(day: Day) -> str:
    """One row for each count, then for each site what waits and what is inside."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["day", "site", "figure", "place", "direction", "kind", "country", "vehicles"])
    writer.writerows(_rows(day))
    return out.getvalue()


def _rows(day: Day) -> Iterator[Sequence[Any]]:
    for one in day.counts:
        cells = (one.site, "through", one.place, one.direction, one.kind, one.country)
        yield [day.day, *(_cell(text) for text in cells), one.vehicles]
    for figure in ("waiting", "inside", "overrides", "refusals"):
        for site, count in sorted(asdict(day)[figure].items()):
            yield [day.day, _cell(site), figure, "", "", "", "", count]


def _cell(text: str) -> str:
    """A spreadsheet takes such a beginning for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


# ---------------------------------------------------------------- now


def lanes(connection: Connection) -> list[dict[str, Any]]:
    """Each lane: whether it is there by its own word, how much it still has to send, how far it is whole here."""
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(
            "SELECT l.site, l.lane, coalesce(s.online, false) AS online, s.at::text AS said_at, l.acked,"
            " (s.body ->> 'unacknowledged')::bigint AS queue, s.body ->> 'clock' AS clock,"
            " s.body #>> '{health,boom}' AS boom, s.body ->> 'version' AS version,"
            " (SELECT count(*) FROM photo_due p WHERE p.site = l.site AND p.lane = l.lane) AS photos_due,"
            " (SELECT count(*) FROM gate_key k WHERE k.site = l.site AND k.lane = l.lane AND revoked_at IS NULL)"
            " AS keys"
            " FROM lane l LEFT JOIN lane_status s USING (site, lane) ORDER BY 1, 2"
        ).fetchall()


def waiting(connection: Connection) -> dict[str, list[dict[str, Any]]]:
    """What a person should look at: incidents of the record, messages set aside, paper forms that do not agree."""
    with connection.cursor(row_factory=dict_row) as cursor:
        incidents = cursor.execute(
            "SELECT site, lane, kind, seq, detail, times, at::text FROM incident ORDER BY at DESC LIMIT 200"
        ).fetchall()
        aside = cursor.execute(
            "SELECT site, topic, why, size, at::text FROM set_aside ORDER BY id DESC LIMIT 200"
        ).fetchall()
        paper = cursor.execute(
            "SELECT DISTINCT ON (site, form) site, lane, form, outcome, at FROM (SELECT site, lane, stage,"
            " body ->> 'form' AS form, body ->> 'outcome' AS outcome, recorded_at::text AS at, recorded_at, seq"
            " FROM event WHERE kind = 'paper_form' AND stage IN ('reconciled', 'settled')) f"
            " ORDER BY site, form, (stage = 'settled') DESC, recorded_at DESC, seq DESC"
        ).fetchall()
    open_forms = [row for row in paper if row["outcome"] in ("different", "missing")]
    settled = {
        (site, form)
        for site, form in connection.execute(
            "SELECT site, body ->> 'form' FROM event WHERE kind = 'paper_form' AND stage = 'settled'"
        ).fetchall()
    }
    open_forms = [row for row in open_forms if (row["site"], row["form"]) not in settled]
    return {"incidents": incidents, "set_aside": aside, "paper_forms": open_forms}


def events(connection: Connection, site: str, lane: str, after: int, limit: int) -> list[dict[str, Any]]:
    """Envelopes as they came, in order."""
    rows = connection.execute(
        "SELECT convert_from(payload, 'UTF8'), signed, received_at::text FROM event"
        " WHERE site = %s AND lane = %s AND seq > %s ORDER BY seq LIMIT %s",
        (site, lane, after, limit),
    ).fetchall()
    return [{"payload": payload, "signed": signed, "received_at": at} for payload, signed, at in rows]


def photo(connection: Connection, sha256: str) -> str | None:
    row = connection.execute("SELECT file FROM photo WHERE sha256 = %s", (sha256,)).fetchone()
    return None if row is None else str(row[0])
