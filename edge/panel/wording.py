"""Times, waits and numbers as people there write them, for pages that the server renders. Labels are Vietnam's time."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime

from edge.clock import VIETNAM, iso
from edge.core.instant import MONTHS

_PLACE = re.compile(r"(Art\. |App\. )?(\S+)")
_CITED = re.compile(r"(\d+/\d+) (.+)")


def article(say: Callable[..., str], text: str) -> str:
    """ "27/2025 Art. 4.2.g" as people there cite it: điểm g khoản 2 Điều 4, QĐ 27/2025. What is written otherwise stays
    as it is. `say`: the catalogue in one language. The page's own is `article` in static/words.js."""
    cited = _CITED.fullmatch(text)
    if cited is None:
        return text
    kind, places = "section", []
    for part in re.split("[,;] ", cited[2]):
        found = _PLACE.fullmatch(part)
        if found is None:
            return text
        kind = {"Art. ": "art", "App. ": "app"}.get(found[1] or "", kind)
        a, _, rest = found[2].partition(".")
        b, _, c = rest.partition(".") if kind == "art" else (rest, "", "")
        places.append(say(f"cite.{kind}{1 + bool(b) + bool(c)}", a=a, b=b, c=c))
    return say("cite.of", places=", ".join(places), decision=cited[1])


def full_clock(language: str, at: str | int | None) -> str:
    """20/11/2026 09:10:05, or 20 Nov 2026 09:10:05; of an ISO stamp or of Unix ms."""
    if at is None:
        return ""
    moment = _moment(at)
    return f"{day(language, at)} {moment:%H:%M:%S}"


def day(language: str, at: str | int) -> str:
    """20/11/2026, or 20 Nov 2026."""
    moment = _moment(at)
    if language == "vi":
        return f"{moment:%d/%m/%Y}"
    return f"{moment.day} {MONTHS[moment.month - 1]} {moment.year}"


def short_clock(language: str, at: str | int | None) -> str:
    """20/11 09:10, or 20 Nov 09:10."""
    if at is None:
        return ""
    moment = _moment(at)
    date = f"{moment:%d/%m}" if language == "vi" else f"{moment.day} {MONTHS[moment.month - 1]}"
    return f"{date} {moment:%H:%M}"


def span(language: str, seconds: float | None) -> str:
    """A wait: 45 s, 2 min 05 s, 3 h 20 min; "giây", "phút", "giờ" in Vietnamese."""
    if seconds is None:
        return ""
    second, minute, hour = ("giây", "phút", "giờ") if language == "vi" else ("s", "min", "h")
    whole = round(seconds)
    if whole < 60:
        return f"{whole} {second}"
    if whole < 3600:
        return f"{whole // 60} {minute} {whole % 60:02d} {second}"
    return f"{whole // 3600} {hour} {whole % 3600 // 60:02d} {minute}"


def amount(language: str, number: float, decimals: int = 0) -> str:
    """18.500,5 in Vietnamese, 18,500.5 in English."""
    text = f"{number:,.{decimals}f}"
    return text.translate(str.maketrans(",.", ".,")) if language == "vi" else text


def _moment(at: str | int) -> datetime:
    text = at if isinstance(at, str) else iso(at * 1_000_000)
    return datetime.fromisoformat(text).astimezone(VIETNAM)
