"""What an address asks for: days and places in a list, inside what a calendar, SQLite and a page can bear."""

from __future__ import annotations

import re
from datetime import date

FIRST, LAST = date(2000, 1, 1), date(2099, 12, 31)
"""A gate has no record outside; nearer the ends of the calendar a day more or a time zone is an error of its own."""
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_CURSOR = re.compile(r"(\d{1,15})_([0-9A-Za-z._-]{1,64})", re.ASCII)


def day_of(text: str) -> date:
    """YYYY-MM-DD. Raises ValueError."""
    if not _DAY.fullmatch(text):
        raise ValueError("a day as YYYY-MM-DD")
    day = date.fromisoformat(text)
    if not FIRST <= day <= LAST:
        raise ValueError(f"a day from {FIRST} to {LAST}")
    return day


def cursor_of(text: str) -> tuple[int, str] | None:
    """`MS_ID`: everything before this row; None where it is none."""
    found = _CURSOR.fullmatch(text)
    return None if found is None else (int(found[1]), found[2])
