"""What the screen's port takes from whoever calls: so many connections, for so long, so many bytes.

A connection is a stranger's until it has brought a session; those of known people are counted apart from strangers',
and strangers of this machine apart from those of the network. At its limit a group gives up the
connection of its own that has been silent longest. So nobody is turned away who asks quickly, and nobody can hold a
place by being silent.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from edge import clock
from edge.config import is_loopback

ASKS_WITHIN_S = 5.0
"""A new connection's first request, whole."""
REQUEST_WITHIN_S = 10.0
"""Any request, from its first byte to the last of its body."""
TAKES_WITHIN_S = 10.0
"""An answer that waits for its reader for so long is given up."""
REQUEST_MOST_BYTES = 64 * 1024
"""Head and body of one request; no page of ours sends half of it."""
HERE_MOST, NETWORK_MOST, PEER_MOST, PERSON_MOST, KNOWN_MOST = 96, 64, 16, 24, 96
"""Strangers of this machine, of the network, of one of its addresses; connections of one person, of all people."""
GRACE_S, CALLING_MOST = 0.5, 64
"""A caller's moment before it may be given up, and how many beyond the limits may have one at the same time."""
AT_ONCE, BACKLOG = 32, 4096
"""Connections taken in one turn of the event loop, and those that wait in the kernel meanwhile."""


class Entrance:
    """The connections that there are, by group, the one longest unused first. On the event loop only."""

    def __init__(self, now_s: Callable[[], float] = clock.mono_s) -> None:
        self._now_s = now_s
        self._groups: dict[str, dict[Connection, float]] = {}
        self.given_up = 0

    def enter(self, connection: Connection) -> None:
        self._put("here" if connection.here else "network", connection)
        if connection.here:
            self._make_room("here", HERE_MOST)
        else:
            self._make_room("network", PEER_MOST, lambda one: one.host == connection.host)
            self._make_room("network", NETWORK_MOST)

    def knows(self, connection: Connection, person: str) -> None:
        """It brought this person's session."""
        if connection.person == person or connection.group not in self._groups:
            return
        self.leave(connection)
        connection.person = person
        self._put("known", connection)
        self._make_room("known", PERSON_MOST, lambda one: one.person == person)
        self._make_room("known", KNOWN_MOST)

    def leave(self, connection: Connection) -> None:
        self._groups.get(connection.group, {}).pop(connection, None)

    def used(self, connection: Connection) -> None:
        """It brought a whole request, or got its answer: behind all others of its group."""
        group = self._groups.get(connection.group, {})
        if group.pop(connection, None) is not None:
            group[connection] = self._now_s()

    def _put(self, group: str, connection: Connection) -> None:
        connection.group = group
        self._groups.setdefault(group, {})[connection] = self._now_s()

    def _make_room(self, name: str, most: int, of: Callable[[Connection], bool] | None = None) -> None:
        group = self._groups[name]
        over = len(group) - most if of is None else sum(map(of, group)) - most
        if over <= 0:
            return
        worst = next((one for one in group if of is None or of(one)), None)
        # Whoever only just called gets a moment to ask, as long as there are not very many of them.
        if worst is None or (self._now_s() - group[worst] < GRACE_S and over < CALLING_MOST):
            return
        self.leave(worst)
        self.given_up += 1
        worst.give_up()


class Connection(H11Protocol):
    """uvicorn's own protocol, with deadlines. `asked`: it brought a whole request once."""

    entrance: Entrance

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.person: str | None = None
        self.group = ""
        self.asked = self.here = False
        self.host = ""
        self._bytes = 0
        self._due: asyncio.TimerHandle | None = None
        self._stall: asyncio.TimerHandle | None = None
        # What a handler may say of its connection: whose it turned out to be (edge.panel.sessions).
        self.app_state = {**self.app_state, "known_as": lambda person: self.entrance.knows(self, person)}

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.host = self.client[0] if self.client else ""
        self.here = is_loopback(self.host)
        self._due = self.loop.call_later(ASKS_WITHIN_S, self.give_up)
        self.entrance.enter(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self.entrance.leave(self)
        self._cancel("_due")
        self._cancel("_stall")
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self.conn.their_state is h11.IDLE:
            self._bytes = 0
        self._bytes += len(data)
        if self._bytes > REQUEST_MOST_BYTES:
            self.give_up()
            return
        super().data_received(data)
        if self.transport.is_closing():
            return
        whole = self.conn.their_state in (h11.DONE, h11.MUST_CLOSE, h11.CLOSED)
        if whole or (self.asked and self.conn.their_state is h11.IDLE and not self.conn.trailing_data[0]):
            self.asked = True
            self.entrance.used(self)
            self._cancel("_due")
        elif self._due is None:
            self._due = self.loop.call_later(REQUEST_WITHIN_S, self.give_up)

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self.entrance.used(self)

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._stall is None:
            self._stall = self.loop.call_later(TAKES_WITHIN_S, self.give_up)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._cancel("_stall")

    def give_up(self) -> None:
        """At once, with nothing more said: whoever is silent or floods gets no answer to wait for."""
        self.transport.abort()

    def _cancel(self, name: str) -> None:
        handle = getattr(self, name)
        if handle is not None:
            handle.cancel()
            setattr(self, name, None)


def protocol(entrance: Entrance) -> type[Connection]:
    """The class that uvicorn makes one of for each connection."""
    return type("Connection", (Connection,), {"entrance": entrance})
