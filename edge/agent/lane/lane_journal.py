"""One lane's way into the record: an event and all that hangs on it, in one transaction, off the event loop."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from edge.agent.lane.notes import CYCLES, Cycles
from edge.agent.watch import metrics
from edge.core.bodies import BarrierSaid, Body, Opens
from edge.core.model import Confirmation, Reading
from edge.store import StagedEvidence, Store, Transaction

log = logging.getLogger(__name__)

Keys = Mapping[str, Mapping[str, Any]]
"""Answers to presses (and what may happen only once), kept together with the event that they led to."""


class Recorded(NamedTuple):
    seq: int
    serial: int | None


Also = Callable[[Transaction, Recorded], None]


class LaneJournal:
    """`wake` tells the uplink that there is something new; nothing here waits for it."""

    def __init__(self, store: Store, lane: str, wake: Callable[[], None]) -> None:
        self.store = store
        self._lane = lane
        self._wake = wake

    async def write(
        self,
        body: Body,
        about: Reading | None = None,
        *,
        confirmation: tuple[str, Confirmation] | None = None,
        keys: Keys | None = None,
        photos: Sequence[StagedEvidence] = (),
        also: Also | None = None,
    ) -> Recorded:
        """On disk when this returns. Raises StoreError, and then nothing of it happened.

        `about` is the reading that the event is about: capture time is the frame's. What opens takes a new serial,
        which stands in the body. `also` writes more in the same transaction, told of the event and the serial.
        """
        mono_ns = about.captured_mono_ns if about else None
        captured_at = about.captured_at if about else None

        def transact() -> Recorded:
            with self.store.transaction(self._lane) as tx:
                serial = tx.permit_serial() if isinstance(body, Opens) else None
                full = replace(body, permit=serial) if isinstance(body, Opens) and serial else body
                event = tx.tell(full, captured_at=captured_at, mono_ns=mono_ns, photos=photos)
                if confirmation is not None:
                    tx.confirmation(*confirmation)
                for key, result in (keys or {}).items():
                    if tx.known_action(key) is None:  # a press after an automatic opening finds its "once" taken
                        tx.action(key, {**result, "seq": event.seq})
                if isinstance(body, BarrierSaid) and body.stage == "opened":
                    known = CYCLES.now(tx, self._lane) or Cycles()
                    CYCLES.keep(tx, self._lane, Cycles(known.count + 1))
                recorded = Recorded(event.seq, serial)
                if also is not None:
                    also(tx, recorded)
                return recorded

        recorded = await asyncio.to_thread(transact)
        metrics.recorded(self._lane, body, mono_ns)
        log.info(
            "recorded %s %s", body.KIND, body.stage_name, extra={"fields": {"lane": self._lane, "seq": recorded.seq}}
        )
        self._wake()
        return recorded

    async def stage(self, photo: bytes, crop: bytes) -> tuple[StagedEvidence, StagedEvidence]:
        """Both pictures on disk, before the event that names them. Raises StoreError."""

        def put() -> tuple[StagedEvidence, StagedEvidence]:
            return self.store.stage_evidence(photo, name="photo"), self.store.stage_evidence(crop, name="crop")

        return await asyncio.to_thread(put)

    async def settle(self, key: str, answer: Mapping[str, Any]) -> dict[str, Any]:
        """The answer that this key got already; where it got none, `answer`, on disk from now on. Raises StoreError."""

        def transact() -> dict[str, Any]:
            with self.store.transaction(self._lane) as tx:
                known = tx.known_action(key)
                if known is None:
                    tx.action(key, answer)
                return dict(answer) if known is None else known

        return await asyncio.to_thread(transact)

    async def known(self, key: str) -> dict[str, Any] | None:
        """The answer that this key got already, or None."""
        return await asyncio.to_thread(self.store.action, key)
