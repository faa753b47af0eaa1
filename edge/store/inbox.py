"""Where messages from the centre land: the store's side of ports.Inbox."""

from __future__ import annotations

from collections.abc import Callable

from edge.store.store import Store


class StoreInbox:
    """ports.Inbox over a store. Commands are not stored: `on_command(lane, payload, retained)` decides, and may raise
    BadMessageError."""

    def __init__(self, store: Store, on_command: Callable[[str, bytes, bool], None]) -> None:
        self._store = store
        self._on_command = on_command

    def declaration(self, declaration_id: str, payload: bytes) -> bool:
        return self._store.put_declaration(declaration_id, payload)

    def watchlist(self, payload: bytes, piece: int = 0) -> bool:
        return self._store.put_watchlist(payload, piece)

    def peer(self, lane: str, declaration_id: str, payload: bytes) -> bool:
        return self._store.put_peer(lane, declaration_id, payload)

    def command(self, lane: str, payload: bytes, retained: bool) -> None:
        self._on_command(lane, payload, retained)

    def set_aside(self, topic: str, payload: bytes, why: str) -> None:
        self._store.set_aside(topic, payload, why)

    def copy_started(self) -> None:
        self._store.begin_copy()

    def copy_complete(self, fresh: bool) -> bool:
        return self._store.mark_copy_complete(fresh=fresh) is not None

    def copy_fresh(self) -> None:
        self._store.keep_copy_fresh()

    def centre_tells(self) -> bool:
        return self._store.centre_tells()

    def centre_told(self, tells: bool) -> None:
        self._store.remember_centre(tells)
