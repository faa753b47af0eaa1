"""An actor: jobs from anywhere wait in one queue and are done one after the other on the gate's event loop.

A job's own fault, whatever it is, ends that job alone: the queue goes on, the barrier's thread was never part of it,
and a person's next press is answered. Ending the process instead would take every other lane, the screen and the stop
button with it, and come back to the same vehicle and the same fault. What does end the process: an order to
(cancellation, signals), a fault that cannot even be told (`failed` raising), and a loop that hangs (the watchdog).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import partial

from edge import clock, logs
from edge.errors import StoreError

log = logging.getLogger(__name__)

FAULT_S = 60.0
"""A fault stands for so long after the last job that had one."""
WAITING_MOST = 200
"""So many jobs of `put_newest` wait at most, while a disk hangs; more are left out and counted."""
Job = Callable[[], Awaitable[bool | None]]
"""Done when awaited; False says that nothing changed that a screen would show."""


class Actor:
    """`number` grows with every change; `trouble` is why the record could last not be written, or ""; `fault` the kind
    of the last job's own fault, or "" once none was for FAULT_S."""

    def __init__(self, name: str, on_passage: Callable[[str], None]) -> None:
        """`on_passage` is told when `passage_id` is another one."""
        self.number = 0
        self.trouble = ""
        self._name = name
        self._jobs: asyncio.Queue[Job] = asyncio.Queue()
        self._newest: dict[str, Job] = {}
        self.left_out = 0
        self._changed = asyncio.Event()
        self._told = ""
        self._fault, self._fault_s = "", 0.0
        self._on_passage = on_passage

    async def run(self) -> None:
        """Do jobs for ever. A record that cannot be written is trouble that the screen shows, no reason to stop."""
        while True:
            job = await self._jobs.get()
            trouble, changed = self.trouble, None
            try:
                logs.passage.set(self.passage_id())
                changed = await job()
                trouble = "" if changed is not False else trouble
            except StoreError as error:
                log.error("%s: %s", self._name, error)
                trouble = str(error)
            # A job's own fault, whatever it is (see above): told, and isolated to this lane.
            except Exception as error:
                log.error("%s: a job failed", self._name, exc_info=error)
                self.failed(error)
            if changed is not False or trouble != self.trouble:
                self.trouble = trouble
                self.touch()
            try:
                self._tell_passage()
            except Exception as error:  # as above
                log.error("%s: what the cameras are told failed", self._name, exc_info=error)
                self.failed(error)

    @property
    def fault(self) -> str:
        return self._fault if self._fault and clock.mono_s() - self._fault_s < FAULT_S else ""

    def failed(self, error: Exception) -> None:
        """A job had a fault that nobody foresaw. Its message may name a plate, so only its kind is told."""
        self._fault, self._fault_s = type(error).__name__, clock.mono_s()

    def _tell_passage(self) -> None:
        about = self.passage_id()
        if about != self._told:
            self._told = about
            self._on_passage(about)

    def passage_id(self) -> str:
        """What this job is about, for the log; "" where it is about nothing."""
        return ""

    def put(self, job: Job) -> None:
        """On the event loop only."""
        self._jobs.put_nowait(job)

    def put_newest(self, key: str, job: Job) -> None:
        """The same for what a newer one makes needless (a tick, a reading of one track): it takes the place of the one
        of this key that waits still, so that nothing piles up before a press."""
        if key not in self._newest:
            if len(self._newest) >= WAITING_MOST:
                self.left_out += 1
                return
            self.put(partial(self._do_newest, key))
        self._newest[key] = job

    def _do_newest(self, key: str) -> Awaitable[bool | None]:
        return self._newest.pop(key)()

    def touch(self) -> None:
        """The view changed: whoever waits for it looks again."""
        self.number += 1
        self._changed.set()
        self._changed = asyncio.Event()

    async def changed(self, since: int) -> int:
        """Wait until `number` is past `since`; returns it."""
        while self.number <= since:
            await self._changed.wait()
        return self.number
