"""`ports.Inbox` joined: the copy goes to the store, commands go to their lane, and the lanes are told when the copy
changed.

Called on the uplink's own thread; whatever touches a lane goes to the gate's event loop as a job.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from edge import clock
from edge.agent.actions.remote import RemoteCommands
from edge.agent.lane.lane import LaneActor
from edge.errors import BadMessageError, HalfTakenError
from edge.store import Store, StoreInbox
from edge.wire import parse_command


class GateInbox(StoreInbox):
    """`known` says whether the rule table has a procedure: a declaration of any other is set aside, the older version
    kept."""

    def __init__(
        self,
        store: Store,
        lanes: Mapping[str, LaneActor],
        known: Callable[[str], bool],
        loop: asyncio.AbstractEventLoop,
        clock_state: Callable[[], clock.ClockState] = clock.state,
    ) -> None:
        super().__init__(store, self._command)
        self._known = known
        self._loop = loop
        self._telling = False
        self._lanes = lanes
        self._commands = {lane: RemoteCommands(actor, clock_state) for lane, actor in lanes.items()}

    def declaration(self, declaration_id: str, payload: bytes) -> bool:
        try:
            return self._tell(self._store.put_declaration(declaration_id, payload, self._known))
        except BadMessageError:
            self._tell(True)  # what is here of it is doubtful now
            raise

    def watchlist(self, payload: bytes, piece: int = 0) -> bool:
        try:
            return self._tell(super().watchlist(payload, piece))
        except HalfTakenError as error:
            self._tell(error.changed)
            raise

    def peer(self, lane: str, declaration_id: str, payload: bytes) -> bool:
        return self._tell(super().peer(lane, declaration_id, payload))

    def _command(self, lane: str, payload: bytes, retained: bool) -> None:
        if lane not in self._commands:
            raise BadMessageError(f"command for lane {lane!r}, which is not of this gate")
        self._loop.call_soon_threadsafe(self._commands[lane].put, parse_command(payload), retained)

    def _tell(self, changed: bool) -> bool:
        if changed and not self._telling:  # one call for a burst: the loop has presses to serve
            self._telling = True
            self._loop.call_soon_threadsafe(self._told)
        return changed

    def _told(self) -> None:
        """On the gate's event loop."""
        self._telling = False
        for actor in self._lanes.values():
            actor.on_declarations()
