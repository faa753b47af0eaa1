"""What came over the connection. paho's callbacks only ever put something here and return.

Waiting for anything inside a callback stalls paho for good (paho #613, #875), so nothing does. There is no network
thread: the thread that reads the mailbox serves the socket (`Link.pump`), because two Python threads that hand each
small packet to one another cost more than the packets.
"""

from __future__ import annotations

import math
import select
import socket
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from edge import clock

LETTERS_MOST, BYTES_MOST = 1_000, 32_000_000
LOOK_S = 0.02
"""While letters wait here, how often the socket is looked at for urgent ones."""


@dataclass(frozen=True, slots=True)
class Connected:
    """CONNACK. `refused` is "" or the broker's reason; `in_flight` is the broker's receive maximum and `packet_bytes`
    the largest packet that it takes, where it names them."""

    refused: str
    in_flight: int | None = None
    wrong_version: bool = False
    packet_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Lost:
    why: str


@dataclass(frozen=True, slots=True)
class Subscribed:
    """SUBACK: one entry for each subscription, "" or the broker's reason."""

    refused: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Published:
    """PUBACK: the broker has it, unless `refused` says why not. `heard`: it did not say that nobody subscribes."""

    mid: int
    refused: str
    heard: bool = True


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
    """What came over one connection, read by the one thread that also serves its socket; `wake` may come from any.

    Urgent letters overtake the others. `source(timeout_s, wake)` waits for the socket or for the file `wake`, and puts
    what came.
    """

    def __init__(self) -> None:
        self.source: Callable[[float, socket.socket], None] = _only_wake
        self.count = self._bytes = 0
        self._urgent: deque[Letter] = deque()
        self._normal: deque[Letter] = deque()
        self._woken = False
        self._looked_s = 0.0
        self._ear, self._bell = socket.socketpair()
        self._ear.setblocking(False)
        self._bell.setblocking(False)

    @property
    def waiting(self) -> int:
        """How many letters nobody has taken yet. Messages of QoS 1 are acknowledged when they were dealt with, so over
        MQTT 5 RECEIVE_MAXIMUM bounds them and the broker keeps the rest; `full` bounds everything else."""
        return len(self._urgent) + len(self._normal)

    @property
    def full(self) -> bool:
        """No more is read from the socket then: the network holds it back, and the broker what the network does."""
        return self.waiting >= LETTERS_MOST or self._bytes >= BYTES_MOST

    def put(self, letter: Letter, *, urgent: bool = False) -> None:
        """By the reader's own thread, from inside `source`."""
        self.count += 1
        self._bytes += _size(letter)
        (self._urgent if urgent else self._normal).append(letter)

    def clear(self) -> None:
        """Forget what a connection that is closed has left."""
        self._urgent.clear()
        self._normal.clear()
        self._bytes = 0

    def wake(self) -> None:
        """Make `take` return; from any thread, never waits."""
        self._woken = True
        with suppress(OSError):  # full: it will wake anyhow
            self._bell.send(b"!")

    def take(self, timeout_s: float) -> Letter:
        """The next letter, or None when woken or when the time is over."""
        left_s, until_s = timeout_s, clock.mono_s() + timeout_s
        while not (self._urgent or self._normal or self._woken):
            self._look(max(0.0, left_s))
            left_s = until_s - clock.mono_s()
            if left_s <= 0:
                break
        if self._normal and clock.mono_s() - self._looked_s > LOOK_S:
            self._look(0.0)  # something urgent may stand behind what waits here
        for queue in (self._urgent, self._normal):
            if queue:
                return self._taken(queue)
        self._woken = False
        return None

    def take_all(self, most: int) -> list[Letter]:
        """What waits already, oldest first, urgent ones ahead; at most `most`. Never waits."""
        taken: list[Letter] = []
        for queue in (self._urgent, self._normal):
            while queue and len(taken) < most:
                taken.append(self._taken(queue))
        return taken

    def _taken(self, queue: deque[Letter]) -> Letter:
        letter = queue.popleft()
        self._bytes -= _size(letter)
        return letter

    def _look(self, timeout_s: float) -> None:
        self.source(timeout_s, self._ear)
        self._looked_s = clock.mono_s()
        with suppress(BlockingIOError):
            while self._ear.recv(4096):
                self._woken = True


def _size(letter: Letter) -> int:
    return len(letter.payload) if isinstance(letter, Arrived) else 0


def wait(timeout_s: float, files: dict[int, int]) -> dict[int, int]:
    """What happened to which file (poll, because select ends at 1,024 open files), rounded up to a millisecond."""
    poll = select.poll()
    for file, events in files.items():
        poll.register(file, events)
    return dict(poll.poll(math.ceil(timeout_s * 1000)))


def _only_wake(timeout_s: float, wake: socket.socket) -> None:
    """There is no connection."""
    wait(timeout_s, {wake.fileno(): select.POLLIN})
