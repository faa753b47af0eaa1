"""What the network thread tells the uplink's own thread. paho's callbacks only ever put something here and return.

Waiting for anything inside a callback stalls paho for good (paho #613, #875), so nothing does.
"""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Connected:
    """CONNACK. `refused` is "" or the broker's reason; `in_flight` is the broker's receive maximum where it names
    one."""

    refused: str
    in_flight: int | None = None
    wrong_version: bool = False


@dataclass(frozen=True, slots=True)
class Lost:
    why: str


@dataclass(frozen=True, slots=True)
class Subscribed:
    """SUBACK: one entry for each subscription, "" or the broker's reason."""

    refused: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Published:
    """PUBACK: the broker has it, unless `refused` says why not."""

    mid: int
    refused: str


@dataclass(frozen=True, slots=True)
class Arrived:
    topic: str
    payload: bytes
    retained: bool
    mid: int
    qos: int


Letter = Connected | Lost | Subscribed | Published | Arrived | None
"""None only wakes the reader."""


class Mailbox:
    """Many writers, one reader. Urgent letters overtake the others. Never blocks a writer."""

    def __init__(self) -> None:
        self._ready = threading.Condition()
        self._urgent: deque[Letter] = deque()
        self._normal: deque[Letter] = deque()
        self._woken = False

    def put(self, letter: Letter, *, urgent: bool = False) -> None:
        with self._ready:
            (self._urgent if urgent else self._normal).append(letter)
            self._ready.notify()

    def clear(self) -> None:
        """Forget what a connection that is closed has left."""
        with self._ready:
            self._urgent.clear()
            self._normal.clear()

    def wake(self) -> None:
        """Make `take` return, without growing however often it is called."""
        with self._ready:
            self._woken = True
            self._ready.notify()

    def take(self, timeout_s: float) -> Letter:
        """The next letter, or None when woken or when the time is over."""
        with self._ready:
            if not (self._urgent or self._normal or self._woken):
                self._ready.wait(timeout_s)
            self._woken = False
            if self._urgent:
                return self._urgent.popleft()
            return self._normal.popleft() if self._normal else None
