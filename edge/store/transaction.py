"""What may be written together: one decision with its event, its photos, its confirmations, its serial and its
answer."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

from edge import clock, errors
from edge.core.bodies import Body, RecordPruned
from edge.core.model import Confirmation
from edge.core.record import events
from edge.core.record.events import Envelope
from edge.store import declarations, evidence, journal, notes
from edge.store.clocks import Clocks
from edge.store.evidence import StagedEvidence

ACTIONS_KEPT_MS = 7 * 86_400_000
LAST_SERIAL = "SELECT max(value, (SELECT max(permit_serial) FROM lane)) FROM counter WHERE name = 'permit_serial'"
GONE = "gone"
PATIENT = "patient"
"""The note of housekeeping's own time: what is labelled earlier than that was labelled by a clock that is wrong."""
TOMBSTONES_KEPT_MS = 400 * 86_400_000


class Transaction:
    """Handed out by `Store.transaction`; nothing of it is visible or true before that block has ended without an
    error."""

    def __init__(
        self, db: sqlite3.Connection, *, site: str, lane: str, clocks: Clocks, sign: events.Signer | None
    ) -> None:
        self._db = db
        self._site = site
        self._lane = lane
        self._clocks = clocks
        self._sign = sign
        self._seqs: dict[str, int] = {}

    def event(
        self,
        kind: str,
        body: Mapping[str, Any],
        *,
        captured_at: str | None = None,
        mono_ns: int | None = None,
        photos: Sequence[StagedEvidence] = (),
    ) -> Envelope:
        """The lane's next event. `mono_ns` is the moment it is about (now where None).

        `photos` are named in the body under `evidence` with their SHA-256, so that the chain covers them.
        Raises StoreError for an unknown kind or a body that is not JSON.
        """
        recorded_ms = self._clocks.wall_ms()
        full = {**body, "evidence": [photo.reference() for photo in photos]} if photos else body
        try:
            envelope, payload = events.seal(
                event_id=self._clocks.new_id(),
                site=self._site,
                lane=self._lane,
                after=journal.tip(self._db, self._lane),
                kind=kind,
                captured_at=captured_at,
                recorded_at=clock.iso(recorded_ms * 1_000_000),
                boot_id=self._clocks.boot_id,
                mono_ns=self._clocks.mono_ns() if mono_ns is None else mono_ns,
                clock=self._clocks.state(),
                body=full,
                sign=self._sign,
            )
        except ValueError as error:
            raise errors.StoreError(f"event for lane {self._lane}: {error}") from error
        journal.append(self._db, envelope, payload, recorded_ms)
        self._seqs[envelope.event_id] = envelope.seq
        for photo in photos:
            evidence.link(self._db, envelope.event_id, self._lane, envelope.seq, photo)
        return envelope

    def tell(
        self,
        body: Body,
        *,
        captured_at: str | None = None,
        mono_ns: int | None = None,
        photos: Sequence[StagedEvidence] = (),
    ) -> Envelope:
        """`event` of a body that has a class."""
        return self.event(body.KIND, body.to_json(), captured_at=captured_at, mono_ns=mono_ns, photos=photos)

    def tell_gone(self, first: int, last: int) -> None:
        """An alarm for a centre that asks for events which it once acknowledged and which are pruned here. Not again
        while one that says as much waits to be sent."""
        told = self.notes(GONE, self._lane)
        acked = self._db.execute("SELECT acked_seq FROM lane WHERE lane = ?", (self._lane,)).fetchone()[0]
        if told is not None and told["seq"] > acked and told["from"] <= first and told["to"] >= last:
            return
        event = self.tell(RecordPruned(lost_from=first, lost_to=last))
        self.keep(GONE, self._lane, {"seq": event.seq, "from": first, "to": last})

    def evidence(self, event_id: str, staged: StagedEvidence) -> None:
        """Refer to a photo from an event of this transaction."""
        if event_id not in self._seqs:
            raise errors.StoreError(f"no event {event_id} in this transaction for this photo")
        evidence.link(self._db, event_id, self._lane, self._seqs[event_id], staged)

    def confirmation(self, declaration_id: str, given: Confirmation) -> None:
        """Lay this gate's own confirmation over the copy, at once and until the centre's version carries it."""
        declarations.add_confirmation(self._db, declaration_id, given)

    def notes(self, kind: str, key: str) -> dict[str, Any] | None:
        """What is remembered under this kind and key, or None."""
        return notes.all_of(self._db, kind, key).get(key)

    def keep(self, kind: str, key: str, body: Mapping[str, Any] | None) -> None:
        """Remember across a restart, or forget (None)."""
        notes.put(self._db, kind, key, body)

    def move_confirmations(self, from_id: str, to_id: str) -> None:
        """This gate's own confirmations of one declaration are of another from now on: a paper form met the
        platform's."""
        self._db.execute(
            "UPDATE OR IGNORE confirmation SET declaration_id = ? WHERE declaration_id = ?", (to_id, from_id)
        )

    def permit_serial(self) -> int:
        """The next serial, greater than every one before it, restarts included. Use it only after the commit."""
        row = self._db.execute(
            f"UPDATE lane SET permit_serial = 1 + ({LAST_SERIAL}) WHERE lane = ? RETURNING permit_serial",  # noqa: S608
            (self._lane,),
        ).fetchone()
        return int(row[0])

    def known_action(self, key: str) -> dict[str, Any] | None:
        """The answer that this press got already, or None."""
        return action(self._db, key)

    def action(self, key: str, result: Mapping[str, Any]) -> None:
        """Remember the answer to a press together with what it did. Raises StoreError where the key was used
        already."""
        row = (key, self._lane, json.dumps(dict(result)), self._clocks.wall_ms(), PATIENT)
        patient = "coalesce((SELECT body ->> '$.ms' FROM note WHERE kind = ? AND key = 'clock'), 0)"
        added = self._db.execute(f"INSERT OR IGNORE INTO action VALUES (?, ?, ?, max(?, {patient}))", row)  # noqa: S608
        if added.rowcount == 0:
            raise errors.StoreError(f"action {key!r} was done already")


def action(db: sqlite3.Connection, key: str) -> dict[str, Any] | None:
    row = db.execute("SELECT result FROM action WHERE key = ?", (key,)).fetchone()
    return dict(json.loads(row[0])) if row else None


def forget_old(db: sqlite3.Connection, now_ms: int) -> None:
    """Answers to presses that nobody repeats any more, and tombstones of declarations that nobody sends any more."""
    db.execute("DELETE FROM action WHERE done_ms < ?", (now_ms - ACTIONS_KEPT_MS,))
    declarations.forget_old(db, now_ms - TOMBSTONES_KEPT_MS)
