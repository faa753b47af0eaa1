"""What a clip's `.expected.json` says must be found in it, against what was found."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from edge.core.model import Point
from edge.errors import ConfigError

EARLY_S = 1.5
"""How long before it is wholly in view a plate may be decided."""

Passage = Mapping[str, Any]
"""Of an expected one `others` says that more plates may be there: a photo shows whatever stood beside the vehicle."""
Mark = Literal["ok", "missed", "wrong", "late", "extra"]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table. `wanted` is None for a plate that nobody expected, `got` where none was decided."""

    mark: Mark
    wanted: Passage | None
    got: Passage | None


def region(clip: Path) -> tuple[Point, ...] | None:
    """Where this clip's camera reads plates, in fractions of width and height, where its `.expected.json` says so.
    Raises ConfigError."""
    file = clip.with_suffix(".expected.json")
    if not file.is_file():
        return None
    try:
        points = json.loads(file.read_text(encoding="utf-8")).get("region")
        return None if points is None else tuple((float(x), float(y)) for x, y in points)
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise ConfigError(str(file), [f"region: is not a list of points: {error!r}"]) from error


def camera(clip: Path) -> str | None:
    """Whose picture it is, where its `.expected.json` says so and can be read."""
    file = clip.with_suffix(".expected.json")
    try:
        return str(json.loads(file.read_text(encoding="utf-8"))["camera"]) or None if file.is_file() else None
    except (OSError, ValueError, KeyError, TypeError):
        return None  # `load` says what is wrong with it


def load(clip: Path) -> list[dict[str, Any]] | None:
    """The expected passages; None where there is no such file. Raises ConfigError for one that is no such list."""
    file = clip.with_suffix(".expected.json")
    if not file.is_file():
        return None
    try:
        wanted = json.loads(file.read_text(encoding="utf-8"))["passages"]
        return [{**one, "plate": str(one["plate"])} for one in wanted]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigError(str(file), [f"is not a list of expected passages: {error!r}"]) from error


def table(wanted: Sequence[Passage], passages: Sequence[Passage]) -> list[Row]:
    """Expected against decided plates, each expected one in its order, what nobody expected at the end."""
    left = [passage for passage in passages if passage["decided"]]
    rows = []
    for asked in wanted:
        got = next((one for one in left if one["plate"] == asked["plate"]), None)
        if got is None:
            rows.append(Row("missed", asked, None))
            continue
        left.remove(got)
        same = all(got[key] == asked[key] for key in ("country", "layout") if key in asked)
        rows.append(Row("wrong" if not same else "late" if _late(asked, got) else "ok", asked, got))
    alone = not any(asked.get("others") for asked in wanted)
    return rows + [Row("extra", None, one) for one in left if alone]


def differences(wanted: Sequence[Passage], passages: Sequence[Passage]) -> list[str]:
    """Every difference in one line of words; empty where all is as expected, in order and in time."""
    decided = [passage for passage in passages if passage["decided"]]
    rows = table(wanted, passages)
    got = [row.got for row in rows if row.got is not None]
    if any(row.mark not in ("ok", "late") for row in rows) or got != [one for one in decided if one in got]:
        return [f"expected {_told(wanted)}, got {_told(decided)}"]
    return [
        f"{row.wanted['plate']}: decided at {row.got['decided_s']} s, stands until {row.wanted['stands_s'][1]} s"
        for row in rows
        if row.mark == "late" and row.wanted and row.got
    ]


def _told(passages: Sequence[Passage]) -> list[tuple[str, ...]]:
    return [tuple(str(one[key]) for key in ("plate", "country", "layout") if key in one) for one in passages]


def _late(asked: Passage, got: Passage) -> bool:
    if "stands_s" not in asked:
        return False
    begins_s = float(asked.get("appears_s", 0.0)) - EARLY_S
    return not begins_s <= float(got["decided_s"]) <= float(asked["stands_s"][1])
