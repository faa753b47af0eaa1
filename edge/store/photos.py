"""`ports.EvidenceOutbox` over the record: which photos wait for the centre, which it has, which cannot be sent."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Collection
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Literal, TypeVar

from edge import errors
from edge.core.bodies import PhotosGone
from edge.ports import OutgoingEvidence
from edge.store import db, evidence, notes
from edge.store.transaction import Transaction

log = logging.getLogger(__name__)

T = TypeVar("T")

CENTRE = "centre"
"""The kind of note of what this centre is known to do: `tells` whether it is there, `photos` acknowledge."""
ASIDE: Literal["photos_aside"] = "photos_aside"
"""Code of the alarm about photos that cannot be sent; they stay here."""


class Photos:
    """The part of `Store` that hands photos over. Raises StoreError from every method."""

    _evidence: Path

    def _read(self, ask: Callable[[sqlite3.Connection], T]) -> T:
        raise NotImplementedError

    def _writing(self, doing: str, *, durable: bool = True) -> AbstractContextManager[sqlite3.Connection]:
        raise NotImplementedError

    def _transaction(self, connection: sqlite3.Connection, lane: str) -> Transaction:
        raise NotImplementedError

    def next_evidence(self, lane: str, but: Collection[str] = ()) -> OutgoingEvidence | None:
        while (row := self._read(lambda c: evidence.next_unsent(c, lane, but))) is not None:
            photo_id, event_id, path, sha256, passage = row
            try:
                with db.translated("reading a photo"):
                    jpeg = (self._evidence / path).read_bytes()
            except errors.StoreError as error:
                log.error("photo %s cannot be sent: %s", photo_id, error)
                self._mark(photo_id, evidence.UNREADABLE)
                continue
            return OutgoingEvidence(photo_id, lane, event_id, jpeg, sha256, passage)
        return None

    def photos_acknowledged(self) -> bool:
        return bool(self._read(lambda c: notes.all_of(c, CENTRE, "photos")))

    def evidence_sent(self, evidence_id: str) -> None:
        self._mark(evidence_id, evidence.SENT)

    def _mark(self, evidence_id: str, state: int) -> None:
        with self._writing("marking a photo", durable=False) as connection:
            connection.execute("UPDATE evidence SET sent = ? WHERE id = ?", (state, evidence_id))

    def evidence_stored(self, lane: str, sha256: Collection[str]) -> int:
        with self._writing("taking an acknowledgement of photos", durable=False) as connection:
            if not notes.all_of(connection, CENTRE, "photos"):
                notes.put(connection, CENTRE, "photos", {"acknowledged": True})
            return evidence.stored(connection, lane, sha256)

    def evidence_wanted(self, lane: str, event_ids: Collection[str]) -> list[str]:
        with self._writing("taking a wish for photos", durable=False) as connection:
            return evidence.wanted(connection, lane, event_ids)

    def evidence_set_aside(self, evidence_id: str, why: str) -> None:
        with self._writing("setting a photo aside") as connection:
            found = evidence.set_aside(connection, evidence_id)
            if found is not None:
                lane, named = found
                self._transaction(connection, lane).tell(PhotosGone(code=ASIDE, why=why, photos=[named]))
        log.error("photo %s is set aside: %s", evidence_id, why)

    def evidence_retry(self, most_bytes: int) -> None:
        if not self._read(evidence.any_aside):
            return
        with self._writing("trying photos again", durable=False) as connection:
            evidence.retry(connection, most_bytes)
