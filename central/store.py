"""One site's events, photos and declarations on PostgreSQL. Any number of workers at once: what belongs to one lane is
done under that lane's row lock, and every write may be repeated.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from central import registry
from central.database import Connection
from edge.core.instant import instant
from edge.core.record.events import GENESIS_HASH
from edge.errors import BadMessageError
from edge.uplink.central_store import Incoming, Progress, named_photos
from edge.uplink.consumer import StoredPhoto

SET_ASIDE_BYTES = 65_536
ROWS_TOGETHER = 2_000
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_HASH = re.compile(r"[0-9a-f]{64}")
_WORD = re.compile(r"[a-z0-9_]{1,64}")


class SiteStore:
    """Raises psycopg.Error: a centre that cannot store must not go on as if it could."""

    def __init__(self, connection: Connection, site: str) -> None:
        self._db, self._site = connection, site
        self._keys: registry.Registry = {}
        self.read_registry()

    def read_registry(self) -> None:
        self._keys = registry.read(self._db, self._site)

    @contextmanager
    def commit(self) -> Iterator[None]:
        with self._db.transaction():
            yield

    # ------------------------------------------------------------ events

    def lock(self, lanes: Sequence[str]) -> None:
        """Inside `commit`, first of all: in one order, so that no two workers wait for each other."""
        self._db.cursor().executemany(
            "INSERT INTO lane (site, lane) VALUES (%s, %s) ON CONFLICT DO NOTHING",
            [(self._site, lane) for lane in sorted(lanes)],
        )
        self._db.execute(
            "SELECT 1 FROM lane WHERE site = %s AND lane = ANY(%s) ORDER BY lane FOR UPDATE",
            (self._site, sorted(lanes)),
        )

    def faults(self, event: Mapping[str, Any]) -> str:
        """Why this event is not taken, or "": its names, and its signature where the registry knows the lane."""
        if not _UUID.fullmatch(event["event_id"]) or not _WORD.fullmatch(event["kind"]):
            return "event: event_id, kind: are none"
        if not (_HASH.fullmatch(event["hash"]) and _HASH.fullmatch(event["prev_hash"])):
            return "event: hash, prev_hash: are no SHA-256"
        keys = self._keys.get(event["lane"])
        return registry.fault(keys, event) if keys else ""

    def take(self, batch: Sequence[Incoming]) -> list[str]:
        """Inside `commit` and under the lanes' locks; "new", "duplicate" or "conflict" for each. Conflict: another
        event has this id or this place; the first one stands."""
        places = [(self._site, e["lane"], e["seq"], e["event_id"], e["hash"], e["prev_hash"]) for e, _ in batch]
        columns = [list(column) for column in zip(*places, strict=True)]
        rows = self._db.execute(
            "INSERT INTO place SELECT * FROM unnest(%s::text[], %s::text[], %s::bigint[], %s::uuid[], %s::text[],"
            " %s::text[]) ON CONFLICT DO NOTHING RETURNING lane, seq",
            columns,
        ).fetchall()
        fresh = set(rows)
        taken: list[str] = []
        new: list[Incoming] = []
        for event, payload in batch:
            place = (event["lane"], event["seq"])
            if place in fresh:
                fresh.remove(place)
                new.append((event, payload))
                taken.append("new")
            else:
                taken.append(self._again(event))
        self._insert(new)
        for event, _ in new:
            self._note(event)
        return taken

    def _again(self, event: Mapping[str, Any]) -> str:
        row = self._db.execute(
            "SELECT hash FROM place WHERE site = %s AND lane = %s AND seq = %s",
            (self._site, event["lane"], event["seq"]),
        ).fetchone()
        if row is not None and row[0] == event["hash"]:
            return "duplicate"
        self.incident(event["lane"], "conflict", event["seq"], "another event is stored under this number or id")
        return "conflict"

    def _insert(self, new: Sequence[Incoming]) -> None:
        """What PostgreSQL cannot hold of a body (NUL, half a surrogate, a number without bounds) holds nothing up."""
        rows = [self._row(event, payload) for event, payload in new]
        try:
            with self._db.transaction():
                self._db.cursor().executemany(_INSERT, rows)
        except psycopg.DataError:
            for row in rows:
                self._insert_one(row)

    def _insert_one(self, row: tuple[Any, ...]) -> None:
        try:
            with self._db.transaction():
                self._db.execute(_INSERT, row)
        except psycopg.DataError as error:
            self._db.execute(_INSERT, (*row[:7], None, *row[8:]))
            self.incident(row[1], "odd_body", row[2], f"its body is only in the payload: {error.diag.message_primary}")

    def _row(self, event: Mapping[str, Any], payload: bytes) -> tuple[Any, ...]:
        body = event["body"] if isinstance(event["body"], dict) else {}
        stage = body.get("stage")
        return (
            self._site, event["lane"], event["seq"], event["event_id"], event["kind"],
            stage if isinstance(stage, str) and _WORD.fullmatch(stage) else "",
            event["recorded_at"] if instant(event["recorded_at"]) is not None else None,
            Jsonb(body), payload, event["lane"] in self._keys,
        )  # fmt: skip

    def _note(self, event: Mapping[str, Any]) -> None:
        """What an event says of the record itself: numbers that are gone, photos that come or will not."""
        body = event["body"]
        if not isinstance(body, dict):
            return
        lane = event["lane"]
        first, last = body.get("lost_from"), body.get("lost_to")
        if event["kind"] == "alarm" and type(first) is int and type(last) is int:
            self._db.execute(
                "INSERT INTO loss VALUES (%s, %s, %s, %s) ON CONFLICT (site, lane, first)"
                " DO UPDATE SET last = greatest(loss.last, excluded.last)",
                (self._site, lane, first, min(last, event["seq"] - 1)),
            )
        if event["kind"] == "alarm" and str(body.get("code", "")).startswith("record_"):
            self.incident(lane, str(body["code"])[:64], event["seq"], "its gate says so")
        for photo in named_photos(body.get("evidence")):
            if _HASH.fullmatch(photo["sha256"]):
                self._db.execute(
                    "INSERT INTO photo_due (site, lane, event_id, id, sha256) SELECT %s, %s, %s, %s, %s"
                    " WHERE NOT EXISTS (SELECT 1 FROM photo WHERE sha256 = %s) ON CONFLICT DO NOTHING",
                    (self._site, lane, event["event_id"], photo["id"][:200], photo["sha256"], photo["sha256"]),
                )
        gone = [one["id"] for one in named_photos(body.get("photos"))] if body.get("code") == "photos_lost" else []
        asked = body.get("photo_ids")
        gone += [one for one in asked if isinstance(one, str)] if isinstance(asked, list) else []
        if gone:
            self._db.execute(
                "DELETE FROM photo_due WHERE site = %s AND lane = %s AND id = ANY(%s)", (self._site, lane, gone)
            )

    def advance(self, lane: str) -> Progress:
        """Inside `commit`, under the lane's lock: its mark over everything that is whole now."""
        acked, last = self._mark(lane)
        breaks: list[int] = []
        while True:
            acked, last, broken = self._follow(lane, acked, last)
            breaks += broken
            lost = self._db.execute(
                "SELECT max(last) FROM loss WHERE site = %s AND lane = %s AND first <= %s AND last > %s",
                (self._site, lane, acked + 1, acked),
            ).fetchone()
            if lost is None or lost[0] is None:
                break
            acked, last = int(lost[0]), None
        self._db.execute(
            "UPDATE lane SET acked = %s, hash = %s WHERE site = %s AND lane = %s", (acked, last, self._site, lane)
        )
        beyond = self._db.execute(
            "SELECT 1 FROM place WHERE site = %s AND lane = %s AND seq > %s LIMIT 1", (self._site, lane, acked)
        ).fetchone()
        for seq in breaks:
            self.incident(lane, "chain_broken", seq, "it does not hang on the event before it: a copy or a twin")
        return Progress(lane, acked, acked + 1 if beyond else None, tuple(breaks), last if acked else None)

    def _mark(self, lane: str) -> tuple[int, str | None]:
        row = self._db.execute(
            "SELECT acked, hash FROM lane WHERE site = %s AND lane = %s", (self._site, lane)
        ).fetchone()
        acked, last = (int(row[0]), row[1]) if row is not None else (0, None)
        return acked, GENESIS_HASH if acked == 0 else last

    def _follow(self, lane: str, acked: int, last: str | None) -> tuple[int, str | None, list[int]]:
        """As far as numbers and chain go on, and where the chain does not hold."""
        while True:
            rows = self._db.execute(
                "SELECT seq, hash, prev_hash FROM place WHERE site = %s AND lane = %s AND seq > %s"
                " ORDER BY seq LIMIT %s",
                (self._site, lane, acked, ROWS_TOGETHER),
            ).fetchall()
            for seq, digest, before in rows:
                if seq != acked + 1:
                    return acked, last, []
                if last is not None and before != last:
                    return acked, last, [seq]
                acked, last = seq, digest
            if len(rows) < ROWS_TOGETHER:
                return acked, last, []

    def acked(self) -> list[Progress]:
        rows = self._db.execute("SELECT lane, acked, hash FROM lane WHERE site = %s", (self._site,)).fetchall()
        return [Progress(lane, acked, None, hash=last if acked else None) for lane, acked, last in rows]

    # ------------------------------------------------------------ what a person should see

    def incident(self, lane: str, kind: str, seq: int, detail: str) -> None:
        self._db.execute(
            "INSERT INTO incident (site, lane, kind, seq, detail) VALUES (%s, %s, %s, %s, %s)"
            " ON CONFLICT (site, lane, kind, seq) DO UPDATE SET times = incident.times + 1, at = now()",
            (self._site, lane, kind, seq, detail),
        )

    def set_aside(self, topic: str, why: str, payload: bytes) -> None:
        self._db.execute(
            "INSERT INTO set_aside (site, topic, why, size, payload) VALUES (%s, %s, %s, %s, %s)",
            (self._site, topic[:512], why[:1024], len(payload), payload[:SET_ASIDE_BYTES]),
        )

    def status(self, lane: str, body: Mapping[str, Any]) -> None:
        """A gate's word on itself; its last will speaks for all its lanes. Raises BadMessageError."""
        named = body.get("lanes")
        others = [one for one in named if isinstance(one, str)] if isinstance(named, list) else []
        online = body.get("online") is True
        try:
            with self._db.transaction():
                for one in sorted({lane, *(() if online else others)}):
                    self._db.execute(
                        "INSERT INTO lane_status (site, lane, online, body) VALUES (%s, %s, %s, %s)"
                        " ON CONFLICT (site, lane) DO UPDATE SET online = excluded.online, at = now(),"
                        " body = CASE WHEN excluded.online THEN excluded.body ELSE lane_status.body END",
                        (self._site, one, online, Jsonb(body)),
                    )
        except psycopg.DataError as error:
            raise BadMessageError("status: cannot be kept") from error

    # ------------------------------------------------------------ photos

    def has_photo(self, sha256: str) -> bool:
        return self._db.execute("SELECT 1 FROM photo WHERE sha256 = %s", (sha256,)).fetchone() is not None

    def put_photo(self, photo: StoredPhoto) -> bool:
        """Inside `commit`, after its file is on disk. False where it was here already."""
        new = self._db.execute(
            "INSERT INTO photo (sha256, site, lane, event_id, file, size) VALUES (%s, %s, %s, %s, %s, %s)"
            " ON CONFLICT DO NOTHING",
            (photo.sha256, self._site, photo.lane, photo.event_id, photo.file, photo.size),
        ).rowcount
        self._db.execute("DELETE FROM photo_due WHERE sha256 = %s", (photo.sha256,))
        return new > 0

    def photos_due(self, limit: int) -> dict[str, list[str]]:
        """Events by lane whose photos are not here though they were named a while ago."""
        due: dict[str, list[str]] = {}
        rows = self._db.execute(
            "SELECT DISTINCT lane, event_id::text FROM photo_due WHERE site = %s AND since < now() - interval '5 s'"
            " ORDER BY 2 LIMIT %s",
            (self._site, limit),
        ).fetchall()
        for lane, event_id in rows:
            due.setdefault(lane, []).append(event_id)
        return due

    def drop_due(self, lane: str, event_ids: Sequence[str]) -> None:
        """Their gate has no photos of these any more."""
        known = [one for one in event_ids if _UUID.fullmatch(one)]
        self._db.execute(
            "DELETE FROM photo_due WHERE site = %s AND lane = %s AND event_id = ANY(%s::uuid[])",
            (self._site, lane, known),
        )

    # ------------------------------------------------------------ confirmations that gates gave

    def confirmed(self, declaration_id: str, given: Mapping[str, Any]) -> bool:
        """Inside `commit`: it stands in every version from now on. False where it stood there, or says nothing."""
        marks = [given.get(mark) for mark in ("step", "authority", "act", "at", "plate")]
        if not all(isinstance(one, str) and "\x00" not in one for one in marks[:4]):
            return False
        new = self._db.execute(
            "INSERT INTO gate_confirmation VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING",
            (self._site, declaration_id, json.dumps(marks), Jsonb(dict(given))),
        ).rowcount
        if new:
            self._db.execute(
                "UPDATE declaration SET dirty = true WHERE site = %s AND id = %s", (self._site, declaration_id)
            )
        return new > 0


_INSERT = (
    "INSERT INTO event (site, lane, seq, event_id, kind, stage, recorded_at, body, payload, signed)"
    " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
)
