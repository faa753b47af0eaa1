"""systemd's watchdog, fed by the barrier loops' own signs of life: sd_notify(3) by one datagram, no library.

The unit says `Type=notify` and `WatchdogSec=5`; systemd then sets $NOTIFY_SOCKET and $WATCHDOG_USEC, and kills and
restarts a process that does not say WATCHDOG=1 in time. A process that lives while a barrier loop hangs must not say
it, so it is said only where every loop has gone round since it was said last.
"""

from __future__ import annotations

import logging
import operator
import os
import socket
import time
from collections.abc import Callable, Mapping, Sequence

log = logging.getLogger(__name__)

Sign = Callable[[], int]
"""Grows for as long as somebody lives (`BarrierLoop.turns`)."""


class Watchdog:
    """`feed` it a few times a second from whatever else has to live. Without a socket it does nothing."""

    def __init__(
        self,
        signs: Sequence[Sign],
        address: str = "",
        period_s: float | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`address`: as in $NOTIFY_SOCKET, a path or, with a leading @, an abstract name. `period_s`: WatchdogSec."""
        self._signs = signs
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self._period_s = period_s
        self._clock = clock
        self._counts: list[int] | None = None
        self._said_s = float("-inf")
        self._is_dumb = False

    @classmethod
    def from_environment(cls, signs: Sequence[Sign], environ: Mapping[str, str] = os.environ) -> Watchdog:
        """As systemd set it up; one that does nothing where it did not, or meant another process."""
        meant = environ.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        usec = environ.get("WATCHDOG_USEC", "")
        period_s = int(usec) / 1e6 if meant and usec.isdecimal() else None
        return cls(signs, environ.get("NOTIFY_SOCKET", ""), period_s)

    def ready(self) -> None:
        """Started: the unit's `Type=notify` waits for this."""
        self._say("READY=1")

    def stopping(self) -> None:
        """Asked to end: what follows is no hang."""
        self._say("STOPPING=1")

    def feed(self) -> bool:
        """Say that all live, at most every quarter of the period. Returns whether every loop went round."""
        if self._period_s is None or self._clock() < self._said_s + self._period_s / 4:
            return True
        counts = [sign() for sign in self._signs]
        if self._counts is not None and any(map(operator.le, counts, self._counts)):
            return False
        self._counts, self._said_s = counts, self._clock()
        self._say("WATCHDOG=1")
        return True

    def _say(self, text: str) -> None:
        if not self._address:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
                line.setblocking(False)  # systemd's queue may be full; nothing here waits for it
                line.connect(self._address)
                line.send(text.encode())
        except OSError as error:
            if not self._is_dumb:
                log.warning("watchdog: $NOTIFY_SOCKET cannot be written: %s", error)
            self._is_dumb = True
