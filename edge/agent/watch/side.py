"""Parts beside the opening of a barrier: one that fails does so alone, is told, and comes back.

The lanes, their clock and the screen end the process when they end, for the service manager starts it anew. Whatever
else breaks (a sensor that cannot be read, the history, the alarm list) may not take the barrier with it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

log = logging.getLogger(__name__)

AGAIN_S = (1.0, 2.0, 5.0, 15.0, 30.0)


class Sides:
    """`failed`: names of the parts that are down now, for the screen and the alarm list."""

    def __init__(self, touch: Callable[[], None], again_s: tuple[float, ...] = AGAIN_S) -> None:
        self._touch, self._again_s = touch, again_s
        self._failed: dict[str, str] = {}

    @property
    def failed(self) -> list[str]:
        return sorted(self._failed)

    async def keep(self, name: str, work: Callable[[], Awaitable[None]], settled_s: float = 60.0) -> None:
        """For ever: runs `work`, and again after a while whenever it ends or fails. It counts as well again once it
        has run for as long as the wait before it, so that one that fails at once stays told."""
        row = 0
        loop = asyncio.get_running_loop()
        while True:
            began_s, wait_s = loop.time(), self._again_s[min(row, len(self._again_s) - 1)]
            well = loop.call_later(wait_s, self._is, name, "")
            try:
                await work()
                why = "ended by itself"
            # A side part's own fault, whatever it is: it must not pass for the gate's.
            except Exception as error:
                why = f"{type(error).__name__}: {error}"
                log.error("%s failed and is started again in %g s", name, wait_s, exc_info=error)
            finally:
                well.cancel()
            self._is(name, why)
            row = 0 if loop.time() - began_s > settled_s else row + 1
            await asyncio.sleep(wait_s)

    def _is(self, name: str, why: str) -> None:
        before = self._failed.get(name)
        if why:
            self._failed[name] = why
        else:
            self._failed.pop(name, None)
        if (before is None) != (not why):
            self._touch()
