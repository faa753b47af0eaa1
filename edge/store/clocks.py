"""Where the store gets time and randomness from, as one value, so that tests can set them."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field

from edge import clock
from edge.core.record.events import uuid7


@dataclass(frozen=True, slots=True)
class Clocks:
    """`wall_ms` only labels; `mono_ns` is CLOCK_MONOTONIC of boot `boot_id`; `state` is what the time service says."""

    wall_ms: Callable[[], int] = clock.wall_ms
    mono_ns: Callable[[], int] = clock.mono_ns
    state: Callable[[], clock.ClockState] = clock.state
    boot_id: str = field(default_factory=clock.boot_id)
    random: Callable[[int], bytes] = os.urandom

    def new_id(self) -> str:
        return uuid7(self.wall_ms(), self.random(10))

    def now(self) -> tuple[int, int, str]:
        """(Unix ms, monotonic ns, boot id)"""
        return self.wall_ms(), self.mono_ns(), self.boot_id

    def wall_iso(self) -> str:
        return clock.iso(self.wall_ms() * 1_000_000)
