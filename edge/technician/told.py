"""What the commands tell a technician, in Vietnamese: one table of texts by their English ones (told.toml).

Messages are made in English where something goes wrong, many of them below the ranks that know of languages, and some
within one another; so they are translated where they are told, by what they say.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from functools import lru_cache
from importlib import resources

_PLACE = re.compile(r"\{(\w+)\}")
_DEPTH = 4


@lru_cache(maxsize=1)
def table() -> tuple[tuple[str, str], ...]:
    """Every pair (English, Vietnamese) of the table, as it stands there."""
    text = resources.files(__package__).joinpath("told.toml").read_text(encoding="utf-8")
    return tuple((english, vietnamese) for english, vietnamese in tomllib.loads(text)["told"])


@lru_cache(maxsize=1)
def _patterns() -> tuple[tuple[re.Pattern[str], str], ...]:
    """The most exact first: those with the most letters of their own."""
    pairs = sorted(table(), key=lambda pair: -len(_PLACE.sub("", pair[0])))
    return tuple((re.compile(_pattern(english), re.S), vietnamese) for english, vietnamese in pairs)


def _pattern(english: str) -> str:
    parts: Sequence[str] = _PLACE.split(english)
    return "".join(re.escape(part) if at % 2 == 0 else f"(?P<{part}>.+?)" for at, part in enumerate(parts))


def vietnamese(text: str, depth: int = _DEPTH) -> str | None:
    """The text in Vietnamese; None where the table has it not."""
    for pattern, told in _patterns() if depth else ():
        if match := pattern.fullmatch(text):
            values = {name: vietnamese(value, depth - 1) or value for name, value in match.groupdict().items()}
            return told.format(**values)
    return None


def both(text: str) -> str:
    """Vietnamese first, English beside it, on one line where the text is one."""
    told = vietnamese(text)
    return f"{told} / {text}" if told else text


def in_language(text: str, language: str) -> str:
    return (vietnamese(text) or text) if language == "vi" else text
