"""How old the local copy of the centre's declarations is: nothing while the centre is reached, then the time since its
last sign of life."""

from __future__ import annotations

from collections.abc import Callable

from edge import clock

NEVER_S = 10 * 365 * 86400.0
"""A copy that never was is older than any limit."""


class CopyAge:
    """Within one life of the process by when the link was last up; before that as the store knows it
    (`Store.copy_age_s`)."""

    def __init__(self, stored_age_s: Callable[[], float | None]) -> None:
        self._stored_age_s = stored_age_s
        self._up = False
        self._up_s: float | None = None

    def link(self, *, up: bool, heard_s: float | None = None) -> None:
        """Told a few times a second. `up`: all that the centre says is here; `heard_s`: when it last gave a sign of
        life (monotonic), None where it does not tell, and the link's being up has to do."""
        self._up = up
        if up:
            self._up_s = clock.mono_s() if heard_s is None else heard_s

    def __call__(self) -> float | None:
        """Seconds, or None while the centre is reached and the copy whole."""
        if self._up:
            return None
        if self._up_s is not None:
            return clock.mono_s() - self._up_s
        stored_s = self._stored_age_s()
        return NEVER_S if stored_s is None else stored_s
