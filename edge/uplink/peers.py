"""The gates of one site tell each other what they confirmed, over the site's own broker: so they agree while the centre
is gone. Retained on `{lane}/peer/{declaration_id}` until the centre's version carries it; then cleared.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from edge.ports import PeerOutbox
from edge.uplink.topics import Topics

LOOK_S = 0.2
"""How often the record is asked at most."""


class Peers:
    """Of one connection. `lane` is the one that speaks for this gate. Time is an argument, in monotonic seconds."""

    def __init__(self, outbox: PeerOutbox, topics: Topics, lane: str) -> None:
        self._outbox, self._topics, self._lane = outbox, topics, lane
        self._told: dict[str, bytes] = {}
        self._due_s = 0.0
        self.refused = False
        """The broker takes none of these: its access list is of an older gate."""

    def changed(self, now_s: float) -> Iterator[tuple[str, bytes]]:
        """Topics and payloads to publish as retained. Raises StoreError."""
        if now_s < self._due_s or self.refused:
            return
        self._due_s = now_s + LOOK_S
        laid = self._outbox.laid()
        yield from self._gone(laid)
        for declaration_id, payload in laid.items():
            if self._told.get(declaration_id) != payload:
                self._told[declaration_id] = payload
                yield self._topics.peer(self._lane, declaration_id), payload

    def _gone(self, laid: Mapping[str, bytes]) -> Iterator[tuple[str, bytes]]:
        for declaration_id in [one for one in self._told if one not in laid]:
            del self._told[declaration_id]
            yield self._topics.peer(self._lane, declaration_id), b""

    def own(self, declaration_id: str, payload: bytes) -> None:
        """Our own word came back: one that an earlier connection left is cleared, where it is true no more."""
        if payload:
            self._told.setdefault(declaration_id, payload)
            self._due_s = 0.0
