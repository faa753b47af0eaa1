"""Photos on their way to the centre: the last to go up, kept here until the centre itself says that it has them.

A centre that acknowledges photos (`evidence_ack`) is believed, a broker is not; with a centre that never did, the
broker's word has to do. One that cannot be sent is set aside and stands in nothing's way.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from edge import clock
from edge.ports import EvidenceOutbox, OutgoingEvidence
from edge.uplink.parts import HEADER_BYTES, Parts
from edge.wire import EvidenceAck

log = logging.getLogger(__name__)

UNDER_WAY = 16
"""Sent lately and not acknowledged: more would only stand in the broker's queue."""
REMEMBERED = 500
"""Photos that were sent and not acknowledged, however long ago. With so many the centre takes none."""
AGAIN_MAX_S = 300.0
LOSSES = 3
"""A connection that ends so often in a row while the same photo goes up, ends because of it."""
RETRY_S = 3600.0
"""What was set aside with a broker that names no limit is tried again after a while: it may have been the network."""
ANY_SIZE = 1 << 40


@dataclass(slots=True)
class _Out:
    sha256: str
    sent_s: float
    wait_s: float


class Photos:
    """Of one connection. `limit_bytes`: the largest packet that the broker takes, None where it does not say. Time is
    an argument, in monotonic seconds. Raises StoreError."""

    def __init__(self, parts: Parts, outbox: EvidenceOutbox, limit_bytes: int | None) -> None:
        self._parts, self._outbox = parts, outbox
        self._out: dict[str, _Out] = {}
        self._acks = outbox.photos_acknowledged()
        self._due_s = 0.0
        now_s = clock.mono_s()
        if limit_bytes is not None:
            outbox.evidence_retry(limit_bytes - HEADER_BYTES * 4)
        elif now_s >= parts.photos_retry_s:
            parts.photos_retry_s = now_s + RETRY_S
            outbox.evidence_retry(ANY_SIZE)

    @property
    def acknowledged(self) -> bool:
        return self._acks or self._parts.centre.acks_photos

    def soon(self, at_s: float) -> None:
        """There may be one to send from then on."""
        self._due_s = min(self._due_s, at_s)

    def next(self, lanes: Sequence[str], now_s: float) -> OutgoingEvidence | None:
        """The photo to send now, of one of these lanes."""
        if now_s < self._due_s or len(self._out) >= REMEMBERED:
            return None
        waiting = [key for key, one in self._out.items() if now_s < one.sent_s + one.wait_s]
        lately = sum(now_s < self._out[key].sent_s + self._parts.resend_s for key in waiting)
        if lately < UNDER_WAY:
            for lane in lanes:
                if (photo := self._outbox.next_evidence(lane, waiting)) is not None:
                    return photo
        self._due_s = now_s + self._parts.pace.poll_s
        return None

    def sent(self, photo: OutgoingEvidence, now_s: float) -> None:
        """It was given to the broker."""
        before = self._out.get(photo.id)
        wait_s = self._parts.resend_s if before is None else min(AGAIN_MAX_S, before.wait_s * 2)
        self._out[photo.id] = _Out(photo.sha256, now_s, wait_s)

    def taken(self, photo_id: str) -> None:
        """The broker has it."""
        self._parts.photo_losses.pop(photo_id, None)
        self._parts.counts.photos += 1
        if not self.acknowledged:
            self._out.pop(photo_id, None)
            self._outbox.evidence_sent(photo_id)

    def refused(self, photo_id: str, why: str, now_s: float) -> None:
        """The broker does not take it: one that is too large never will."""
        self._out.pop(photo_id, None)
        if "too large" in why.lower():
            self._outbox.evidence_set_aside(photo_id, f"the broker refused it: {why}")
        else:
            self._due_s = now_s + self._parts.pace.torn_s

    def too_large(self, photo: OutgoingEvidence, limit_bytes: int) -> None:
        why = f"{len(photo.jpeg)} bytes, and the broker takes packets of {limit_bytes} at most"
        self._outbox.evidence_set_aside(photo.id, why)

    def heard(self, lane: str, ack: EvidenceAck, now_s: float) -> list[str]:
        """The centre's word. Events whose photos it wants and that has none here any more."""
        stored = frozenset(ack.sha256)
        if stored:
            self._acks = True
            self._parts.counts.photos_acknowledged += self._outbox.evidence_stored(lane, stored)
            self._out = {key: one for key, one in self._out.items() if one.sha256 not in stored}
        gone = self._outbox.evidence_wanted(lane, ack.want) if ack.want else []
        self._due_s = now_s
        return gone

    def ended(self, photo_ids: Sequence[str]) -> None:
        """The connection was lost while these were on their way to the broker."""
        losses = self._parts.photo_losses
        for photo_id in photo_ids:
            losses[photo_id] = losses.get(photo_id, 0) + 1
            if losses[photo_id] >= LOSSES:
                del losses[photo_id]
                self._outbox.evidence_set_aside(photo_id, f"the connection was lost {LOSSES} times while it went up")
