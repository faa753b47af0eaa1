"""The second equality of plates: holding. Two texts hold each other when their skeletons are the same
(config/watch.toml).

A watch list is typed by people: Cyrillic letters, D for Đ, a country in front, 挂 left out, two plates in one row. What
it holds is found by look-alikes, so that no spelling lets a listed truck by. Opening asks for the exact plate and never
looks here. Pure.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice, product
from typing import Any

from edge.errors import ConfigError

_WORDS_MOST = 4
"""A plate is written in at most so many words: 29 C 123 45."""
_TRIED_MOST = 512
"""Lawful spellings that are tried before a text counts as no plate: only reported then, held all the same."""
_KEYS = {"version": int, "alike": list, "before": list, "shortest": int, "after": list, "between": list}


@dataclass(frozen=True, slots=True)
class Held:
    """What one entry of a list holds: its skeletons, and whether some lawful plate has one of them."""

    skeletons: tuple[str, ...]
    fits: bool


class Skeletons:
    """`fits` says whether a normalised text is a lawful plate as it stands (`PlateTable.fits`)."""

    def __init__(self, table: dict[str, Any], text: str, fits: Callable[[str], bool]) -> None:
        self._rows = {letter: row for row in table["alike"] for letter in row}
        self._first = {ord(letter): row[0] for row in table["alike"] for letter in row}
        self._before = tuple(sorted(table["before"], key=len, reverse=True))
        self._after = tuple(sorted(table["after"], key=len, reverse=True))
        self._shortest = table["shortest"]
        cuts = "|".join(re.escape(cut) for cut in table["between"])
        self._between = re.compile(rf"[()\[\]（）【】{{}}]|{cuts}", re.IGNORECASE)
        self._fits = fits
        self.version = hashlib.sha256(text.encode()).hexdigest()[:16]
        """Of the table: kept skeletons of another one are made anew."""

    def of_plate(self, plate: str) -> str:
        """The skeleton of one plate, as read or as typed; "" where it has no letter or digit."""
        return self._bare(plate).translate(self._first)

    def of_entry(self, text: str) -> Held:
        """Everything that a list's entry may mean, as few skeletons as say it. None where it has no letter or digit."""
        pieces = [piece for piece in self._between.split(text) if any(c.isalnum() for c in piece)]
        found, whole = dict.fromkeys(one for piece in pieces for one in self._plates(piece)), self.of_plate(text)
        if found:
            return Held(tuple(found), True)
        left = dict.fromkeys(skeleton for piece in pieces if (skeleton := self.of_plate(piece)))
        return Held(tuple(left) or ((whole,) if whole else ()), False)

    def _plates(self, piece: str) -> Iterator[str]:
        """Skeletons of the lawful plates that stand in a piece, as a whole or as some of its words."""
        if self._lawful(whole := self._bare(piece)):
            yield whole.translate(self._first)
            return
        words, at = piece.split(), 0
        while at < len(words):
            for count in range(min(_WORDS_MOST, len(words) - at), 0, -1):
                bare = self._bare("".join(words[at : at + count]))
                if self._lawful(bare):
                    yield bare.translate(self._first)
                    at += count - 1
                    break
            at += 1

    def _bare(self, text: str) -> str:
        folded = unicodedata.normalize("NFKC", text).upper()
        bare = "".join(c for c in folded if c.isalnum() or c == "|")
        for prefix in self._before:
            if bare.startswith(prefix) and len(bare) - len(prefix) >= self._shortest:
                bare = bare[len(prefix) :]
                break
        for suffix in self._after:
            if bare.endswith(suffix) and len(bare) > len(suffix):
                return bare[: -len(suffix)]
        return bare

    def _lawful(self, bare: str) -> bool:
        """Whether some spelling of it by look-alikes is a lawful plate, with or without what may end one."""
        if not 6 <= len(bare) <= 11 or sum(letter.isdecimal() or letter in self._rows for letter in bare) < 4:
            return False
        ends = ("", *(after for after in self._after if len(after) <= 2))
        if any(self._fits(bare + end) for end in ends):
            return True
        spellings = product(*(self._spelled(letter) for letter in bare))
        return any(self._fits("".join(one) + end) for one in islice(spellings, _TRIED_MOST) for end in ("", "挂"))

    def _spelled(self, letter: str) -> str:
        """The letters and digits of a plate that this one may stand for, itself first."""
        row = self._rows.get(letter, letter)
        return (
            "".join(dict.fromkeys([*([letter] if letter in _PLATE else []), *(c for c in row if c in _PLATE)]))
            or row[0]
        )


_PLATE = frozenset("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZĐ")


def parse(text: str, source: str, fits: Callable[[str], bool]) -> Skeletons:
    """The table from its TOML text. Raises ConfigError that names `source` and every faulty key."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(source, [f"not valid TOML: {error}"]) from error
    faults = [f"{key}: unknown key" for key in data.keys() - _KEYS.keys()]
    faults += [f"{key}: must be {kind.__name__}" for key, kind in _KEYS.items() if not isinstance(data.get(key), kind)]
    if not faults:
        texts = [one for key in ("alike", "before", "after", "between") for one in data[key]]
        faults += [f"{one!r}: must be a text" for one in texts if not isinstance(one, str) or not one]
    if not faults:
        faults += _twice(data["alike"])
        if data["version"] != 1:
            faults.append(f"version: {data['version']} is not known, 1 is")
    if faults:
        raise ConfigError(source, faults)
    return Skeletons(data, text, fits)


def _twice(rows: list[str]) -> list[str]:
    letters = [letter for row in rows for letter in set(row)]
    return [f"alike: {letter!r} stands in two rows" for letter in sorted(set(letters)) if letters.count(letter) > 1]
