"""PINs and badges are proven one at a time, on a thread of their own: each takes some 50 ms of CPU and 32 MiB, and the
threads of everybody else are those that write the record."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from edge.errors import RefusedError
from edge.panel.accounts import HERE, NETWORK

T = TypeVar("T")
WAITING_MOST = {HERE: 8, NETWORK: 4}
"""Tries that may wait at the same time; more are refused uncounted, so that the booth's own wait is short."""


class Proofs:
    """On the event loop only."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1, "pin")
        self._waiting: Counter[str] = Counter()

    async def prove(self, place: str, work: Callable[[], T]) -> T:
        """What `work` returns. Raises what it raises; RefusedError too_many_tries (detail: s) where too many wait."""
        if self._waiting[place] >= WAITING_MOST[place]:
            raise RefusedError("too_many_tries", "1")
        self._waiting[place] += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        finally:
            self._waiting[place] -= 1
