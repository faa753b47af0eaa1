"""The one place that reads clocks. Everything else takes time as an argument or one of these as a parameter."""

from __future__ import annotations

import ctypes
import secrets
import time
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from pathlib import Path
from typing import Literal

from edge.core.record.events import uuid7

VIETNAM = timezone(timedelta(hours=7))
"""Wall times are written as people at the gate read them: UTC+7, no daylight saving."""

ClockState = Literal["synced", "holdover", "unset"]

_TIME_ERROR = 5
"""adjtimex(2): the clock is not synchronised."""
_PLAUSIBLE_UNIX_S = 1_767_225_600
"""1 January 2026: a clock before this product existed was never set."""


def mono_s() -> float:
    """Monotonic seconds: the only clock for durations and expiries."""
    return time.monotonic()


def mono_ns() -> int:
    """Monotonic nanoseconds, comparable between the processes of one boot (CLOCK_MONOTONIC)."""
    return time.monotonic_ns()


def wall_iso() -> str:
    """Now as an ISO 8601 label with milliseconds and offset, for example 2026-11-20T09:10:00.123+07:00."""
    return iso(time.time_ns())


def wall_ms() -> int:
    """Unix milliseconds of the wall clock, for UUIDv7 and labels only."""
    return time.time_ns() // 1_000_000


def iso(unix_ns: int) -> str:
    """Unix nanoseconds as an ISO 8601 label in Vietnam's time."""
    return datetime.fromtimestamp(unix_ns / 1e9, tz=UTC).astimezone(VIETNAM).isoformat(timespec="milliseconds")


def boot_id() -> str:
    """This boot's id from the kernel; events carry it beside monotonic times, which restart with every boot."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return "unknown"


def new_id() -> str:
    """A fresh UUIDv7 (RFC 9562): sorts by time, so ids read like a log."""
    return uuid7(wall_ms(), secrets.token_bytes(10))


@lru_cache(maxsize=1)
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def state(now_unix_s: float | None = None) -> ClockState:
    """Whether the system's clock may be trusted, from the kernel's own discipline (adjtimex): `synced`, else
    `holdover` where the date is at least plausible, else `unset`."""
    result = _libc().adjtimex(ctypes.create_string_buffer(512))
    if result not in (-1, _TIME_ERROR):
        return "synced"
    return "holdover" if (now_unix_s or time.time()) > _PLAUSIBLE_UNIX_S else "unset"
