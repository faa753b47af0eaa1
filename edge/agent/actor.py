"""An actor: jobs from anywhere wait in one queue and are done one after the other on the gate's event loop."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from edge import logs
from edge.errors import StoreError

log = logging.getLogger(__name__)

Job = Callable[[], Awaitable[bool | None]]
"""Done when awaited; False says that nothing changed that a screen would show."""


class Actor:
    """`number` grows with every change; `trouble` is why the record could last not be written, or ""."""

    def __init__(self, name: str) -> None:
        self.number = 0
        self.trouble = ""
        self._name = name
        self._jobs: asyncio.Queue[Job] = asyncio.Queue()
        self._changed = asyncio.Event()
        self._told = ""
        self.on_passage: Callable[[str], None] = lambda passage: None
        """Told when `passage_id` is another one."""

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
            if changed is not False or trouble != self.trouble:
                self.trouble = trouble
                self.touch()
            self._tell_passage()

    def _tell_passage(self) -> None:
        about = self.passage_id()
        if about != self._told:
            self._told = about
            self.on_passage(about)

    def passage_id(self) -> str:
        """What this job is about, for the log; "" where it is about nothing."""
        return ""

    def put(self, job: Job) -> None:
        """On the event loop only."""
        self._jobs.put_nowait(job)

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
