"""Wall-clock stamps from many clocks, made comparable. Pure: no clock is read here.

A stamp is ISO 8601 with an offset; a stamp without one is no instant, because nobody could say which it is.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_VIETNAM = timezone(timedelta(hours=7))
_DATE_LENGTH = len("2026-11-20")

LONG_AGO = timedelta(days=-(10**6))
"""Earlier than any stamp can be."""

FUTURE_TOLERANCE = timedelta(seconds=60)
"""Clocks differ: a stamp this much later than now is no stamp of the future yet."""

_LAST = timedelta(days=10**6)
"""Of what is later no day can be told."""

Instant = timedelta
"""Time since 1970 UTC: subtracting a tolerance from it can never overflow, as it could with a datetime."""


def instant(stamp: str | datetime) -> Instant | None:
    """A stamp as an instant, or None where it is no ISO 8601 time with an offset."""
    try:
        moment = datetime.fromisoformat(stamp) if isinstance(stamp, str) else stamp
    except ValueError:
        return None
    return None if moment.utcoffset() is None else moment - _EPOCH


def day_of(moment: Instant) -> str:
    """The day in Vietnam on which an instant falls, as a date."""
    return (_EPOCH + min(moment, _LAST)).astimezone(_VIETNAM).date().isoformat()


MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def stamp_text(stamp: str, language: str) -> str:
    """A stamp as people read it, in Vietnam's time: 20/11/2026 09:10:05, in English 20 Nov 2026 09:10:05; of a bare
    date the day; one that cannot be read as it stands."""
    moment, whole_day = instant(stamp), bare_day(stamp)
    if moment is None and whole_day is None:
        return stamp
    local = (_EPOCH + min(moment if moment is not None else whole_day or LONG_AGO, _LAST)).astimezone(_VIETNAM)
    day = f"{local:%d/%m/%Y}" if language == "vi" else f"{local.day} {MONTHS[local.month - 1]} {local.year}"
    return day if moment is None else f"{day} {local:%H:%M:%S}"


def bare_day(text: str) -> Instant | None:
    """The first instant, in Vietnam, of a date without a time, as a paper form's signature has it; else None."""
    if len(text) != _DATE_LENGTH:
        return None
    try:
        return datetime.fromisoformat(text).replace(tzinfo=_VIETNAM) - _EPOCH
    except ValueError:
        return None


def deadline_instant(text: str) -> Instant | None:
    """The last instant of a deadline: a stamp with an offset, or a bare date, which ends at midnight in Vietnam."""
    if len(text) != _DATE_LENGTH:
        return instant(text)
    try:
        day = datetime.fromisoformat(text).replace(tzinfo=_VIETNAM)
    except ValueError:
        return None
    return day - _EPOCH + timedelta(days=1, microseconds=-1)


def stamp_after(now: str, *earlier: str) -> str:
    """The stamp for a confirmation made here, now, in sight of `earlier` ones: never before any of them.

    Another clock may run a little ahead of this one; what was seen before the press came before the press, whatever the
    clocks say. A stamp of the future (`FUTURE_TOLERANCE`) is no time to follow.
    """
    known = [(moment, stamp) for stamp in (now, *earlier) if (moment := instant(stamp)) is not None]
    here = instant(now)
    if here is not None:
        known = [(moment, stamp) for moment, stamp in known if moment <= here + FUTURE_TOLERANCE]
    return max(known, key=lambda pair: pair[0])[1] if known else now


def age_text(seconds: float) -> str:
    """A duration as people read it, the same in both languages: 40 s, 12 min, 3 h 20 min."""
    whole = max(0, int(seconds))
    if whole < 60:
        return f"{whole} s"
    minutes = whole // 60
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"
