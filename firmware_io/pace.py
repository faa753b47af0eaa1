"""Keeps the loop's period and measures how late its ticks come."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

log = logging.getLogger(__name__)

LATE_S = 0.15
LATE_MAX = 10
LATE_WINDOW_S = 10.0
"""Ten ticks later than 0.15 s within ten seconds are a fault: the boom would be watched too seldom."""
REALTIME_PRIORITY = 20
SWITCH_S = 0.001
"""So long at most another thread of this process keeps the interpreter while the loop waits for it (Python: 5 ms)."""


@dataclass(frozen=True, slots=True)
class Lateness:
    ticks: int
    late_ticks: int
    p99_ms: float
    max_ms: float


class Pace:
    """One thread waits, any thread may wake it early; only ticks of the schedule count as late."""

    def __init__(self, period_s: float, clock: Callable[[], float]) -> None:
        self._period_s = period_s
        self._clock = clock
        self._next_s = clock() + period_s
        self._wake = threading.Event()
        self._recent_s: deque[float] = deque(maxlen=1000)
        self._late_at_s: deque[float] = deque(maxlen=LATE_MAX)
        self._ticks = self._late = 0
        self._max_s = 0.0

    def wake(self) -> None:
        self._wake.set()

    def wait(self, *, counts: bool) -> None:
        """Until the next tick of the schedule, or until woken. `counts` false: a lost board made it long."""
        woken = self._wake.wait(max(0.0, self._next_s - self._clock()))
        self._wake.clear()
        late_s = self._clock() - self._next_s
        if woken and late_s < 0:
            return
        self._next_s = max(self._next_s + self._period_s, self._clock())
        if counts:
            self._count(late_s)

    def _count(self, late_s: float) -> None:
        self._ticks += 1
        self._recent_s.append(late_s)
        self._max_s = max(self._max_s, late_s)
        if late_s > LATE_S:
            self._late += 1
            self._late_at_s.append(self._clock())

    def is_late(self) -> bool:
        """Too many late ticks in the last LATE_WINDOW_S."""
        return len(self._late_at_s) == LATE_MAX and self._clock() - self._late_at_s[0] < LATE_WINDOW_S

    def lateness(self) -> Lateness:
        ordered = sorted(self._recent_s) if self._ticks % 20 == 0 else []
        if ordered:
            self._p99_ms = 1000 * ordered[int(0.99 * (len(ordered) - 1))]
        return Lateness(self._ticks, self._late, max(0.0, self._p99_ms), 1000 * self._max_s)

    _p99_ms = 0.0


def be_realtime() -> None:
    """Real-time priority for the calling thread, where the system allows it (systemd: LimitRTPRIO); and, for the whole
    process, a shorter wait for the interpreter, which no priority of the system's shortens."""
    sys.setswitchinterval(min(SWITCH_S, sys.getswitchinterval()))
    with contextlib.suppress(AttributeError):
        try:
            os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(REALTIME_PRIORITY))
        except PermissionError:
            log.info("no real-time priority allowed; ticks are measured all the same")
