"""How far one lane's events have been sent and acknowledged, and when they go out again. Pure: time is an argument."""

from __future__ import annotations

from dataclasses import dataclass

RESEND_MAX_S = 300.0
SHRUNK = 20
"""How many events go out to a centre that did not answer in time, until it answers."""


@dataclass(slots=True)
class Window:
    """`sent`: last seq published; `acked`: last seq that the centre has; both 0 before the first event of a session."""

    size: int
    resend_s: float
    sent: int = 0
    acked: int = 0
    resent: int = 0
    _room: int = 0
    _wait_s: float = 0.0
    _progress_s: float = 0.0
    _last_sent_s: float = 0.0
    _low: int = -1
    _low_s: float = 0.0

    def __post_init__(self) -> None:
        self._room, self._wait_s = self.size, self.resend_s

    @property
    def outstanding(self) -> int:
        return self.sent - self.acked

    def room(self) -> int:
        return max(0, self._room - self.outstanding)

    def published(self, seq: int, now_s: float) -> None:
        if self.sent == 0:
            self.acked = seq - 1
        if self.outstanding == 0:
            self._progress_s = now_s
        self.sent, self._last_sent_s = seq, now_s

    def acknowledged(self, seq: int, now_s: float, *, settle_s: float) -> None:
        """An ack that moves on opens the window; one that repeats itself a while after the last publish shows a gap."""
        if seq > self.acked:
            self.acked, self.sent = seq, max(self.sent, seq)
            self._progress_s, self._wait_s = now_s, self.resend_s
            self._room = min(self.size, self._room * 2)
        elif self.outstanding and now_s - self._last_sent_s >= settle_s:
            self._go_back(now_s)

    def regressed(self, seq: int, now_s: float, *, settle_s: float) -> bool:
        """True where the centre says again, a while after the first time, a number below one that it had said: it lost
        its store. Once could be a message that was late."""
        if seq >= self.acked or seq != self._low:
            self._low, self._low_s = (seq, now_s) if seq < self.acked else (-1, 0.0)
            return False
        if now_s - self._low_s < settle_s:
            return False
        self._low = -1
        return True

    def restart(self, seq: int, now_s: float) -> None:
        """Everything behind seq goes out again."""
        self.resent += max(0, self.sent - seq)
        self.sent = self.acked = seq
        self._room, self._wait_s, self._progress_s, self._last_sent_s = self.size, self.resend_s, now_s, now_s

    def begin_again(self, now_s: float) -> None:
        """The centre is back: what waits goes out now, and as much at a time as before."""
        self._wait_s, self._room = self.resend_s, self.size
        if self.outstanding:
            self._go_back(now_s)

    def overdue(self, now_s: float) -> bool:
        """True where the centre let its time pass: everything after its last ack goes out again, fewer at a time."""
        if not self.outstanding or now_s - self._progress_s < self._wait_s:
            return False
        self._wait_s = min(RESEND_MAX_S, self._wait_s * 2)
        self._room = min(self.size, SHRUNK)
        self._go_back(now_s)
        return True

    def _go_back(self, now_s: float) -> None:
        self.resent += self.outstanding
        self.sent, self._progress_s, self._last_sent_s = self.acked, now_s, now_s
