"""`ports.Inbox` joined: the copy goes to the store, commands go to their lane, and the lanes are told when the copy changed.

Called on the uplink's own thread; whatever touches a lane goes to the gate's event loop as a job.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from edge.agent.lane import LaneActor
from edge.agent.remote import RemoteCommands
from edge.errors import BadMessageError
from edge.store import Store
from edge.wire import parse_command


class GateInbox:
    def __init__(self, store: Store, lanes: Mapping[str, LaneActor], known: Callable[[str], bool], loop: asyncio.AbstractEventLoop) -> None:
        self._store = store
        self._lanes = lanes
        self._known = known
        self._loop = loop
        self._commands = {lane: RemoteCommands(actor) for lane, actor in lanes.items()}

    def declaration(self, declaration_id: str, payload: bytes) -> bool:
        changed = self._store.put_declaration(declaration_id, payload, known_procedure=self._known)
        if changed:
            self._tell()
        return changed

    def watchlist(self, payload: bytes) -> bool:
        changed = self._store.put_watchlist(payload)
        if changed:
            self._tell()
        return changed

    def command(self, lane: str, payload: bytes, retained: bool) -> None:
        if lane not in self._commands:
            raise BadMessageError(f"command for lane {lane!r}, which is not of this gate")
        command = parse_command(payload)
        self._loop.call_soon_threadsafe(self._commands[lane].put, command, retained)

    def set_aside(self, topic: str, payload: bytes, why: str) -> None:
        self._store.set_aside(topic, payload, why)

    def copy_complete(self) -> None:
        self._store.mark_copy_complete()

    def _tell(self) -> None:
        for actor in self._lanes.values():
            self._loop.call_soon_threadsafe(actor.on_declarations)
