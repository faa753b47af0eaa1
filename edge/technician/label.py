"""`barie label`: a passage marked right or wrong, the truth typed, and its photo kept as a test of this site.

As at the screen (the page of one passage), for a technician with a shell; only there it stands on record who said so.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge.agent.cameras import site_clips
from edge.agent.cameras.site_clips import BUDGET_MB, FOLDER
from edge.config import Config
from edge.core.record.dossier import Mark, Shot, shots
from edge.errors import BarieError, StoreError
from edge.store.export import export_jsonl
from edge.vision.models import plate_table


@dataclass(frozen=True, slots=True)
class Passage:
    """A passage of the record with a photo that is still on disk: the first one taken."""

    id: str
    lane: str
    place: str
    direction: str
    shot: Shot
    photo: Path


def run(config: Config, passage: str | None, truth: str | None, *, wrong: bool, budget_mb: int = BUDGET_MB) -> int:
    """Without a passage: lists those that can be labelled. Else keeps it: with `truth` as its plate, as right where
    none is given, as a picture without a readable plate where `wrong` is said and none is given. Raises BarieError."""
    found = {one.id: one for one in passages(Path(config.site.data_dir))}
    if passage is None:
        for one in found.values():
            print(f"{one.id}\t{one.shot.at[:19]}\t{one.lane}\t{one.shot.plate or '–'}")
        return 0
    if passage not in found:
        raise BarieError(f"label: no passage {passage} with a photo that is still here; `barie label` lists them")
    mark = Mark(right=truth is None and not wrong, truth=truth or "")
    kept = keep(found[passage], mark, Path(config.site.data_dir) / FOLDER, budget_mb)
    print(f"kept as {kept}")
    return 0


def passages(data_dir: Path) -> Iterator[Passage]:
    """Oldest first. Raises StoreError."""
    out = io.StringIO()
    export_jsonl(data_dir, out)
    told: dict[str, list[dict[str, Any]]] = {}
    for line in out.getvalue().splitlines():
        event = json.loads(line)
        if event["kind"] == "passage" and "passage" in event["body"]:
            told.setdefault(event["body"]["passage"], []).append(event)
    for id, events in told.items():
        for shot in shots(events)[:1]:
            photo = next((data_dir / "evidence").glob(f"*/{shot.id}.jpg"), None)
            if photo is not None:
                body = events[0]["body"]
                yield Passage(id, events[0]["lane"], body.get("place", ""), body.get("direction", ""), shot, photo)


def keep(one: Passage, mark: Mark, folder: Path, budget_mb: int = BUDGET_MB) -> Path:
    """The passage's photo with its `.expected.json` in `folder`; the oldest go beyond the budget. Raises BarieError: a
    plate that cannot be one, a photo that cannot be read, a full disk."""
    wanted = site_clips.wanted(one.shot, mark, plate_table())
    try:
        jpeg = one.photo.read_bytes()
    except OSError as error:
        raise StoreError(f"{one.photo}: cannot be read: {error.strerror}") from error
    told = site_clips.told(one.place, one.direction, one.id, one.shot, wanted)
    return site_clips.keep(folder, one.shot, jpeg, told, budget_mb)
