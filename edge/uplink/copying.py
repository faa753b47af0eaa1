"""When the gate has seen every retained message of a subscribe (docs/storage.md, "The copy"), and when to ask again."""

from __future__ import annotations

import secrets

from edge.ports import Inbox
from edge.uplink.parts import Pace


class Copying:
    """One connection's copy. `start` and `finish` may raise StoreError; the copy is torn then. Time is an argument, in
    monotonic seconds."""

    def __init__(self, inbox: Inbox, pace: Pace) -> None:
        self._inbox, self._pace = inbox, pace
        self.echo = secrets.token_hex(8).encode()
        self.running, self.complete = False, False
        self._torn, self._echoed = False, False
        self._retained_s = self._again_s = 0.0

    @property
    def waits_for_quiet(self) -> bool:
        return self.running and self._echoed

    def start(self, now_s: float) -> None:
        """A subscribe is about to show everything again."""
        self.running, self.complete, self._torn, self._echoed = True, False, False, False
        self._retained_s = now_s
        self._inbox.copy_started()

    def retained(self, now_s: float) -> None:
        self._retained_s = now_s

    def echoed(self, payload: bytes) -> None:
        self._echoed = self._echoed or payload == self.echo

    def tear(self, now_s: float) -> None:
        """The copy has a hole, or proves nothing: not complete, and everything is asked for again after a while."""
        self._torn, self.complete, self._again_s = True, False, now_s + self._pace.torn_s

    def again(self, now_s: float) -> bool:
        """True where it is time to subscribe anew."""
        return self._torn and now_s >= self._again_s

    def finish(self, now_s: float, *, fresh: bool = True) -> bool:
        """True once, when the copy became complete. `fresh`: the centre is there."""
        if not self.waits_for_quiet or now_s - self._retained_s < self._pace.quiet_s:
            return False
        self.running = False
        if self._torn:
            return False
        self.complete = self._inbox.copy_complete(fresh)
        if not self.complete:
            self.tear(now_s)
        return self.complete
