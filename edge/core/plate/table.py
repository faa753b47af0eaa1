"""What a plate may say: the plate table (config/plates.toml), normalising, look-alikes, and how near two texts are.

Only a whole match of a pattern makes a plate. A text that fits none keeps the kind "other": shown to the guard, and
never matched.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import combinations, product
from typing import Any, get_args

from edge.core.model import Country, Layout, PlateText
from edge.errors import ConfigError

GROUNDS = ("white", "yellow", "blue", "red", "green", "black")
OTHER = "other"
_BREAK = "/"
_SHORTEST, _LONGEST = 5, 12


@dataclass(frozen=True, slots=True)
class Pattern:
    """One row of the table. `rows` matches a text with a line feed where a two-line plate breaks, `whole` without."""

    kind: str
    country: Country
    whole: re.Pattern[str]
    rows: re.Pattern[str]
    layouts: tuple[Layout, ...]
    grounds: tuple[str, ...]
    class_code: str | None

    def fits(self, text: str) -> bool:
        """True where the normalised text matches as a whole; a line feed in it must stand where the plate breaks."""
        return (self.rows if "\n" in text else self.whole).fullmatch(text) is not None


@dataclass(frozen=True)
class PlateTable:
    """Every pattern, and how a raw text becomes a `PlateText`. Built by `parse`."""

    patterns: tuple[Pattern, ...]
    separators: str
    groups: Mapping[str, str]
    """Character -> the other characters that it may be mistaken for."""
    max_corrections: int
    _any: re.Pattern[str] = field(repr=False, compare=False)

    def read(self, raw: str, layout: Layout, confidence: float, ground: str | None = None) -> PlateText:
        """What `raw` says as a plate. `raw` may carry a line feed where a two-line plate breaks.

        A text that fits no pattern is corrected only if the smallest number of look-alike changes, at most
        `max_corrections`, leads to exactly one text that its layout and its break allow; `raw` stays as it was seen.
        """
        lines = [self.normalise(line) for line in raw.split("\n")]
        text = "".join(lines)
        fixed = text if self._any.fullmatch(text) else self._corrected(lines, layout)
        if fixed is None:
            return PlateText(text=text, raw=raw, confidence=confidence, layout=layout, ground=ground)
        chosen = self._fitting(fixed, _broken_like(fixed, lines), layout, ground)
        codes = {pattern.class_code for pattern in chosen}
        return PlateText(
            text=fixed,
            raw=raw,
            confidence=confidence,
            country=chosen[0].country,
            kind=chosen[0].kind,
            layout=layout,
            class_code=codes.pop() if len(codes) == 1 else None,
            ground=ground,
            ground_odd=ground is not None and all(ground not in pattern.grounds for pattern in chosen),
        )

    def normalise(self, raw: str) -> str:
        """Upper case, full-width forms folded, separators and blanks removed; Ð (eth) becomes Đ."""
        folded = unicodedata.normalize("NFKC", raw).upper().replace("\u00d0", "Đ")
        return "".join(c for c in folded if c not in self.separators and not c.isspace())

    def fits(self, text: str) -> bool:
        """True where the normalised text is, as it stands, a plate of some pattern."""
        return self._any.fullmatch(text) is not None

    def near(self, a: str, b: str) -> bool:
        """True where two different texts are so alike that a guard may be offered one for the other. Never a match."""
        return a != b and self.distance(a, b) <= 1.0

    def distance(self, a: str, b: str) -> float:
        """Edit distance in characters; a look-alike in place of another counts half."""
        row = [float(j) for j in range(len(b) + 1)]
        for i, x in enumerate(a, start=1):
            last, row[0] = row[0], float(i)
            for j, y in enumerate(b, start=1):
                change = last + (0.0 if x == y else 0.5 if y in self.groups.get(x, "") else 1.0)
                last, row[j] = row[j], min(change, row[j] + 1.0, row[j - 1] + 1.0)
        return row[-1]

    def _corrected(self, lines: list[str], layout: Layout) -> str | None:
        text = "".join(lines)
        if not _SHORTEST <= len(text) <= _LONGEST:
            return None
        possible = [p for p in self.patterns if layout == "unknown" or layout in p.layouts]
        places = [i for i, c in enumerate(text) if c in self.groups]
        for count in range(1, self.max_corrections + 1):
            changed = self._changed(text, places, count)
            found = {new for new in changed if any(p.fits(_broken_like(new, lines)) for p in possible)}
            if found:
                return found.pop() if len(found) == 1 else None
        return None

    def _changed(self, text: str, places: list[int], count: int) -> Iterator[str]:
        """Texts with exactly `count` look-alikes swapped that keep at least one letter as it was seen.

        Without that letter a date or a telephone number could be turned into a plate: "20261121" is one Z away.
        """
        letters = {i for i, c in enumerate(text) if not c.isdigit()}
        for chosen in combinations(places, count):
            if letters <= set(chosen):
                continue
            for others in product(*(self.groups[text[i]] for i in chosen)):
                changed = list(text)
                for i, other in zip(chosen, others, strict=True):
                    changed[i] = other
                yield "".join(changed)

    def _fitting(self, text: str, broken: str, layout: Layout, ground: str | None) -> list[Pattern]:
        """Patterns that fit, narrowed by break, layout and ground; a clue that would leave none is dropped."""
        fitting = [pattern for pattern in self.patterns if pattern.whole.fullmatch(text)]
        fitting = [p for p in fitting if p.fits(broken)] or fitting
        fitting = [p for p in fitting if layout == "unknown" or layout in p.layouts] or fitting
        return [p for p in fitting if ground is None or ground in p.grounds] or fitting


def _broken_like(text: str, lines: list[str]) -> str:
    """The corrected text with a line feed where the raw one had it; corrections never change the length."""
    return f"{text[: len(lines[0])]}\n{text[len(lines[0]) :]}" if len(lines) == 2 else text


# ---------------------------------------------------------------- the table's text


_TOP = {"version": int, "separators": str, "lookalikes": list, "max_corrections": int, "sets": dict, "pattern": list}
_ROW = {"kind": str, "country": str, "match": str, "layouts": list, "grounds": list}


def parse(text: str, source: str) -> PlateTable:
    """The table from its TOML text. Raises ConfigError that names `source` and every faulty key."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(source, [f"not valid TOML: {error}"]) from error
    faults = _key_faults("", data, _TOP, {})
    if faults:
        raise ConfigError(source, faults)
    if data["version"] != 1:
        raise ConfigError(source, [f"version: {data['version']} is not known, 1 is"])
    patterns = [_pattern(f"pattern[{i}]", row, data["sets"], faults) for i, row in enumerate(data["pattern"])]
    groups = _groups(data["lookalikes"], faults)
    if not patterns:
        faults.append("pattern: no row; a table without patterns would match nothing")
    if faults:
        raise ConfigError(source, faults)
    rows = tuple(pattern for pattern in patterns if pattern is not None)
    union = re.compile("|".join(f"(?:{row.whole.pattern})" for row in rows))
    return PlateTable(rows, data["separators"], groups, data["max_corrections"], union)


def _key_faults(where: str, row: Any, needed: Mapping[str, type], optional: Mapping[str, type]) -> list[str]:
    if not isinstance(row, dict):
        return [f"{where}: must be a table"]
    known = {**needed, **optional}
    faults = [f"{where}{key}: unknown key" for key in row if key not in known]
    faults += [f"{where}{key}: is missing" for key in needed if key not in row]
    for key, kind in known.items():
        if key in row and (not isinstance(row[key], kind) or isinstance(row[key], bool)):
            faults.append(f"{where}{key}: must be {kind.__name__}, not {type(row[key]).__name__}")
    return faults


def _groups(rows: list[Any], faults: list[str]) -> dict[str, str]:
    groups: dict[str, str] = {}
    for row in rows:
        if not isinstance(row, str) or len(row) < 2 or any(c in groups for c in row) or len(set(row)) != len(row):
            faults.append(f"lookalikes: {row!r} must be a string of two or more characters, each in one group only")
            continue
        groups |= {c: row.replace(c, "") for c in row}
    return groups


def _pattern(where: str, row: Any, sets: Mapping[str, Any], faults: list[str]) -> Pattern | None:
    found = _key_faults(f"{where}.", row, _ROW, {"class_code": str})
    if not found:
        found += [f"{where}.country: {row['country']!r} is not VN or CN"] if row["country"] not in ("VN", "CN") else []
        found += _choice_faults(f"{where}.layouts", row["layouts"], get_args(Layout))
        found += _choice_faults(f"{where}.grounds", row["grounds"], GROUNDS)
        found += [f"{where}.kind: must be a name other than {OTHER!r}"] if row["kind"] in ("", OTHER) else []
    if found:
        faults += found
        return None
    try:
        whole, rows = _compiled(row["match"], sets)
    except (re.error, KeyError, TypeError) as error:
        faults.append(f"{where}.match: {row['match']!r} is not a pattern: {error}")
        return None
    return Pattern(
        row["kind"], row["country"], whole, rows, tuple(row["layouts"]), tuple(row["grounds"]), row.get("class_code")
    )


def _choice_faults(where: str, values: list[Any], choices: tuple[str, ...]) -> list[str]:
    bad = [value for value in values if value not in choices]
    return [f"{where}: {bad or values} must be some of {', '.join(choices)}"] if bad or not values else []


def _compiled(match: str, sets: Mapping[str, Any]) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """The pattern without and with its line break. {NAME} is a set; {2} and {4,5} stay what they are in a pattern."""
    filled = re.sub(r"\{([A-Z]\w*)\}", lambda found: str(sets[found.group(1)]), match)
    bare = filled.replace(f"{_BREAK}?", "").replace(_BREAK, "")
    return re.compile(bare), re.compile(filled.replace(_BREAK, "\n"))
