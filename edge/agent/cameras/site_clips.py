"""The site's own test pictures: a photo of the record, and beside it what a person says is on it.

`barie replay` over their folder, its report signed, is the site's acceptance test after each update. A photo is kept as
it is, as NAME.still.jpg beside NAME.still.expected.json: the gate process holds no codec.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from edge.core.plate.table import OTHER, PlateTable
from edge.core.record.dossier import Mark, Shot
from edge.errors import RefusedError, StoreError
from edge.files import write_whole

FOLDER = "site-clips"
STILL = ".still.jpg"
BUDGET_MB = 500
MODE = 0o640


def wanted(shot: Shot, mark: Mark, table: PlateTable) -> list[dict[str, Any]]:
    """What a replay of this photo must find: the plate, with its country and, where it was read right, its layout;
    nothing where nobody can read it. Raises RefusedError: `nothing_read`, `bad_plate`."""
    text = shot.plate if mark.right else table.normalise(mark.truth)
    if not text:
        if mark.right:
            raise RefusedError("nothing_read", "nothing was read here: type what the plate says")
        return []
    plate = table.read(text, "unknown", 1.0)
    if plate.kind == OTHER or plate.text != text:
        raise RefusedError("bad_plate", f"{text} fits no plate pattern: look at the photo once more")
    found = {"plate": plate.text, "country": plate.country, "others": True}
    return [{**found, "layout": shot.layout} if mark.right and shot.layout != "unknown" else found]


def told(place: str, direction: str, passage: str, shot: Shot, wanted: list[dict[str, Any]]) -> dict[str, Any]:
    """The whole `.expected.json`: `camera` says whose region and settings a replay takes."""
    where = {"lane_place": place, "direction": direction, "passage": passage, "camera": shot.camera}
    return {**where, "read_then": shot.plate, "passages": wanted}


def keep(folder: Path, shot: Shot, jpeg: bytes, told: Mapping[str, Any], budget_mb: int = BUDGET_MB) -> Path:
    """The photo and, as JSON, what is told of it; an earlier mark of the same photo gives way, and the oldest go beyond
    the budget. Raises StoreError."""
    still = folder / f"{shot.at[:19].replace(':', '')}-{shot.id}{STILL}"
    text = json.dumps(told, ensure_ascii=False, indent=1) + "\n"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(_expected(still), text.encode(), MODE)
        write_whole(still, jpeg, MODE)
        _within(folder, budget_mb * 1_000_000, still)
    except OSError as error:
        raise StoreError(f"{folder}: cannot be written: {error.strerror}") from error
    return still


def forget(clip: Path) -> None:
    """The clip or photo first: what is expected of nothing harms nobody. Raises OSError."""
    clip.unlink(missing_ok=True)
    _expected(clip).unlink(missing_ok=True)


def _expected(clip: Path) -> Path:
    return clip.with_suffix(".expected.json")


def _within(folder: Path, budget_bytes: int, newest: Path) -> None:
    """The oldest go, with what was expected of them, until the rest fits; the one just kept stays."""
    kept = sorted(_kept(folder))
    total = sum(clip.stat().st_size for clip in kept)
    for clip in kept:
        if total <= budget_bytes or clip == newest:
            return
        total -= clip.stat().st_size
        forget(clip)


def _kept(folder: Path) -> Iterator[Path]:
    """Photos, and clips that a person put beside them."""
    yield from folder.glob(f"*{STILL}")
    yield from folder.glob("*.mp4")
