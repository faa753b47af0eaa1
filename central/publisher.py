"""What goes down to the gates: declarations and the watch list, from the tables that the platform writes.

One worker of a site does it at a time (an advisory lock of its connection): whoever holds the lock also says that the
centre is there.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Mapping
from typing import Any

from central.database import Connection
from edge import wire
from edge.errors import BadMessageError
from edge.uplink.topics import Topics

LEADER = 0x6261
PLATES_TOGETHER = 40_000
"""In one message of the watch list."""
CHANGED_TOGETHER = 200
Message = tuple[str, bytes]
"""Topic and payload, to be published as retained."""


class Publisher:
    def __init__(self, connection: Connection, site: str, topics: Topics) -> None:
        self._db, self._site, self._topics = connection, site, topics
        self._pieces = 0

    def lead(self) -> bool:
        """Take the site's lock, for as long as this connection lasts. True where we have it."""
        row = self._db.execute(
            "SELECT pg_try_advisory_lock(%s, %s)", (LEADER, zlib.crc32(self._site.encode()) & 0x7FFFFFFF)
        ).fetchone()
        return row is not None and bool(row[0])

    def all(self) -> Iterator[Message]:
        """Everything that a gate must have, what changed meanwhile included; the watch list last."""
        for _ in self._declarations():
            pass  # they stand in declaration_out now
        rows = self._db.execute(
            "SELECT id, payload FROM declaration_out WHERE site = %s ORDER BY id", (self._site,)
        ).fetchall()
        for declaration_id, payload in rows:
            yield self._topics.declaration(declaration_id), bytes(payload)
        self._db.execute("UPDATE watch_changed SET dirty = false WHERE site = %s", (self._site,))
        yield from self._watchlist()

    def changed(self) -> Iterator[Message]:
        """What changed since the last look."""
        yield from self._declarations()
        dirty = self._db.execute(
            "UPDATE watch_changed SET dirty = false WHERE site = %s AND dirty", (self._site,)
        ).rowcount
        if dirty:
            yield from self._watchlist()

    # ------------------------------------------------------------ declarations

    def _declarations(self) -> Iterator[Message]:
        """Each is stored as it goes out before it goes out, and stays dirty where it could not."""
        while True:
            with self._db.transaction():
                rows = self._db.execute(
                    "SELECT id, payload FROM declaration WHERE site = %s AND dirty ORDER BY id LIMIT %s FOR UPDATE",
                    (self._site, CHANGED_TOGETHER),
                ).fetchall()
                messages = [message for row in rows for message in self._next(*row)]
                self._db.execute(
                    "UPDATE declaration SET dirty = false WHERE site = %s AND id = ANY(%s)",
                    (self._site, [declaration_id for declaration_id, _ in rows]),
                )
            yield from messages
            if len(rows) < CHANGED_TOGETHER:
                return

    def _next(self, declaration_id: str, payload: Mapping[str, Any] | None) -> Iterator[Message]:
        """The next version, with every confirmation that gates gave; none where nothing is new. One that is bad is set
        aside with its reason, and the version before stands."""
        topic = self._topics.declaration(declaration_id)
        before = self._db.execute(
            "SELECT version, payload FROM declaration_out WHERE site = %s AND id = %s", (self._site, declaration_id)
        ).fetchone()
        version, out = (int(before[0]), bytes(before[1])) if before is not None else (0, b"")
        if payload is None:
            fresh = b""
        else:
            try:
                fresh, version = self._merged(declaration_id, payload, version, out)
            except BadMessageError as error:
                self._db.execute(
                    "INSERT INTO set_aside (site, topic, why, size, payload) VALUES (%s, %s, %s, 0, '')",
                    (self._site, topic, f"the platform's own: {error}"),
                )
                return
        if fresh == out:
            return
        self._db.execute(
            "INSERT INTO declaration_out VALUES (%s, %s, %s, %s) ON CONFLICT (site, id)"
            " DO UPDATE SET version = excluded.version, payload = excluded.payload",
            (self._site, declaration_id, version, fresh),
        )
        yield topic, fresh

    def _merged(self, declaration_id: str, payload: Mapping[str, Any], version: int, out: bytes) -> tuple[bytes, int]:
        """Raises BadMessageError."""
        rows = self._db.execute(
            "SELECT confirmation FROM gate_confirmation WHERE site = %s AND declaration_id = %s ORDER BY mark",
            (self._site, declaration_id),
        ).fetchall()
        given = [one for one in payload.get("confirmations") or [] if isinstance(one, dict)]
        known = {_mark(one) for one in given}
        given += [one for (one,) in rows if _mark(one) not in known]
        stated = payload.get("version")
        body = {**payload, "id": payload.get("id", declaration_id), "confirmations": given}
        same = _bytes({**body, "version": version})
        if out and same == out:
            return out, version
        number = max(stated if type(stated) is int else 1, version + 1)
        fresh = _bytes({**body, "version": number})
        declared = wire.parse_declaration(fresh)
        if declared.id != declaration_id:
            raise BadMessageError("declaration: id: is not that of its row")
        return fresh, number

    # ------------------------------------------------------------ the watch list

    def _watchlist(self) -> Iterator[Message]:
        rows = self._db.execute(
            "SELECT plate, reason, by FROM watch WHERE site = %s ORDER BY plate, reason", (self._site,)
        ).fetchall()
        plates = [{"plate": plate, "reason": reason} | ({"by": by} if by else {}) for plate, reason, by in rows]
        pieces = [plates[at : at + PLATES_TOGETHER] for at in range(0, len(plates), PLATES_TOGETHER)]
        if len(pieces) < 2:
            yield from ((f"{self._topics.watchlist}/{number}", b"") for number in range(1, self._pieces + 1))
            self._pieces = 0
            yield self._topics.watchlist, _bytes({"plates": plates})
            return
        version = f"{zlib.crc32(_bytes(plates)):08x}-{len(plates)}"
        for number, piece in enumerate(pieces, start=1):
            yield f"{self._topics.watchlist}/{number}", _bytes({"version": version, "plates": piece})
        self._pieces = len(pieces)
        yield self._topics.watchlist, _bytes({"version": version, "pieces": len(pieces)})


def _mark(confirmation: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(str(confirmation.get(mark)) for mark in ("step", "authority", "act", "at", "plate"))


def _bytes(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
