"""How old the local copy of the centre's declarations is: nothing while the link is up, then the time since it went
away."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from edge import clock

NEVER_S = 10 * 365 * 86400.0
"""A copy that never was is older than any limit."""


class CopyAge:
    """Within one life of the process by the monotonic clock; across a restart only the wall clock can say."""

    def __init__(self, seen_at: Callable[[], str | None]) -> None:
        self._seen_at = seen_at
        self._up = False
        self._up_s: float | None = None

    def link(self, *, up: bool) -> None:
        """Told a few times a second."""
        self._up = up
        if up:
            self._up_s = clock.mono_s()

    def __call__(self) -> float | None:
        """Seconds, or None while the link is up and all retained messages were seen."""
        if self._up:
            return None
        if self._up_s is not None:
            return clock.mono_s() - self._up_s
        seen_at = self._seen_at()
        if seen_at is None:
            return NEVER_S
        return max(0.0, (datetime.now(clock.VIETNAM) - datetime.fromisoformat(seen_at)).total_seconds())
