"""What goes to the centre and what comes from it: events, evidence, declarations, confirmations."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable


@dataclass(frozen=True, slots=True)
class OutgoingEvent:
    """One stored event, ready to publish: `payload` is the envelope's JSON, exactly as hashed and signed."""

    lane: str
    seq: int
    payload: bytes


class Outbox(Protocol):
    """The gate's own store as the queue. Thread safe."""

    def lanes(self) -> Sequence[str]: ...

    def pending(self, lane: str, after_seq: int, limit: int) -> list[OutgoingEvent]:
        """Events not yet acknowledged by the centre, in order, with seq > after_seq."""
        ...

    def acknowledge(self, lane: str, seq: int) -> int:
        """The centre has every event up to seq for good. Returns how many rows that newly covers. Raises
        BadMessageError if seq is beyond what this gate ever produced."""
        ...

    def fits(self, lane: str, seq: int, digest: str | None) -> bool:
        """Whether the centre's event `seq` is this gate's, by the hash that came with the acknowledgement."""
        ...

    def forked(self, lane: str, seq: int, digest: str | None) -> int:
        """The centre has another history of this lane: numbers jump, what the centre may not have is recorded anew.
        Returns the last number that will not be sent."""
        ...

    def go_back(self, lane: str, seq: int) -> int:
        """The centre lost its store and has only up to seq: everything behind it that is still here goes out again.
        Returns the last event that it will not get; where that is beyond seq, an event says so."""
        ...


class Inbox(Protocol):
    """Where messages from the centre land. Thread safe. Each raises BadMessageError, which the caller counts and sets
    aside."""

    def declaration(self, declaration_id: str, payload: bytes) -> bool:
        """A retained declaration (empty payload: removed). Returns True where the copy changed."""
        ...

    def watchlist(self, payload: bytes, piece: int = 0) -> bool:
        """`watchlist` (piece 0) or `watchlist/{piece}`. HalfTakenError: its good rows count."""
        ...

    def command(self, lane: str, payload: bytes, retained: bool) -> None: ...

    def set_aside(self, topic: str, payload: bytes, why: str) -> None: ...

    def peer(self, lane: str, declaration_id: str, payload: bytes) -> bool:
        """What another gate of this site confirmed of a declaration, or (no bytes) that the centre carries it now.
        Returns True where that changed something here."""
        ...

    def copy_started(self) -> None:
        """A subscribe is about to show every retained message again."""
        ...

    def copy_complete(self, fresh: bool) -> bool:
        """All retained messages were seen after a subscribe. `fresh`: the centre is there, so the local copy is as new
        as the centre; else it keeps its age. False where it proves nothing, because the broker had lost its memory."""
        ...

    def copy_fresh(self) -> None:
        """The centre is still there, and nothing that it said was missed: the copy is as new as it just now."""
        ...

    def centre_tells(self) -> bool:
        """Whether this centre was ever known to say on its own topic that it is there."""
        ...

    def centre_told(self, tells: bool) -> None: ...


@runtime_checkable
class PeerOutbox(Protocol):
    """An Outbox that tells the other gates of its site, too. Thread safe."""

    def laid(self) -> Mapping[str, bytes]:
        """What this gate confirmed and the centre's version does not carry yet: payloads by declaration."""
        ...


@dataclass(frozen=True, slots=True)
class OutgoingEvidence:
    """One photo ready to publish: its event is with the centre already."""

    id: str
    lane: str
    event_id: str
    jpeg: bytes
    sha256: str
    passage: str = ""
    """The passage that its event is about; "" where that is not known (any more)."""


@runtime_checkable
class EvidenceOutbox(Protocol):
    """An Outbox that has photos too. Thread safe."""

    def next_evidence(self, lane: str, but: Collection[str] = ()) -> OutgoingEvidence | None:
        """The oldest photo that waits, without those of ids in `but`, once the centre has its event."""
        ...

    def photos_acknowledged(self) -> bool:
        """Whether this centre was ever known to acknowledge photos: then the broker's having one says nothing."""
        ...

    def evidence_sent(self, evidence_id: str) -> None:
        """The broker has it, and the centre does not acknowledge photos."""
        ...

    def evidence_stored(self, lane: str, sha256: Collection[str]) -> int:
        """The centre has these for good. How many that newly covers."""
        ...

    def evidence_wanted(self, lane: str, event_ids: Collection[str]) -> list[str]:
        """The centre asks for the photos of these events again. Those of which no photo is here."""
        ...

    def evidence_set_aside(self, evidence_id: str, why: str) -> None:
        """It cannot be sent over this broker: it is kept, told by an event, and stands in nothing's way."""
        ...

    def evidence_retry(self, most_bytes: int) -> None:
        """What was set aside and is no larger waits again."""
        ...
