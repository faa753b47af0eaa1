"""Room on the disk: levels for the screen, and a reserve file that is given up so that the last decisions still fit.

Photos stop first (level "full"), then the reserve goes, and only when that is used up too a decision fails with
StoreFullError. Nothing here ever deletes an event.
"""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

log = logging.getLogger(__name__)

Level = Literal["ok", "low", "full"]
MB = 1_000_000


@dataclass(frozen=True, slots=True)
class Limits:
    """Free bytes on the record's disk, the reserve not counted."""

    low_bytes: int = 1_000 * MB
    """Below this the level is "low": photos that the centre has go until there is this much again."""
    full_bytes: int = 64 * MB
    """Below this it is "full": no new photos, and nothing opens by itself any more."""
    need_bytes: int = 4 * MB
    """Below this the next decision might not fit, and the reserve is given up for it."""
    reserve_bytes: int = 16 * MB
    """A thousand decisions and more, without photos."""


class Room:
    """Raises OSError; the caller translates."""

    def __init__(self, data_dir: Path, limits: Limits) -> None:
        self._reserve, self._limits = data_dir / "reserve", limits
        self.make_way()

    def free_bytes(self) -> int:
        state = os.statvfs(self._reserve.parent)
        return state.f_bavail * state.f_frsize

    def level(self) -> Level:
        free = self.free_bytes()
        if free < self._limits.full_bytes:
            return "full"
        return "low" if free < self._limits.low_bytes else "ok"

    def short_bytes(self) -> int:
        """How much must go before the level is "ok" again."""
        return max(0, self._limits.low_bytes - self.free_bytes())

    def make_way(self) -> None:
        """Before a decision is written: give the reserve up where it might not fit."""
        if self.free_bytes() < self._limits.need_bytes and self._reserve.exists():
            self._reserve.unlink()
            log.error("no room left on the disk: the record lives from its reserve now")

    def keep_reserve(self) -> None:
        """Have the reserve, as soon as there is room for it."""
        if self._reserve.exists() or self.free_bytes() < self._limits.full_bytes + self._limits.reserve_bytes:
            return
        fresh = self._reserve.with_suffix(".new")
        with fresh.open("wb") as handle:
            os.posix_fallocate(handle.fileno(), 0, self._limits.reserve_bytes)
            os.fsync(handle.fileno())
        fresh.replace(self._reserve)
