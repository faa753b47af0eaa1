"""`barie label`: a passage marked right or wrong, the truth typed, and kept as a regression clip of this site.

The clip is the passage's photo of the record, held for a few seconds: the very frame that was read. `barie replay` over
the folder of these clips, its report signed, is the site's acceptance test after each update.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

from edge.config import Config
from edge.core.plate import OTHER, PlateTable
from edge.errors import BarieError, StoreError
from edge.ports import Image
from edge.store.export import export_jsonl
from edge.vision.models import plate_table

FOLDER = "site-clips"
RATE = Fraction(25, 2)
SECONDS = 2.4
BUDGET_MB = 500


@dataclass(frozen=True, slots=True)
class Passage:
    """A passage of the record with a photo that is still on disk. `plate` is what it was taken for, "" for nothing."""

    id: str
    at: str
    lane: str
    place: str
    direction: str
    plate: str
    layout: str
    photo: Path


def run(config: Config, passage: str | None, truth: str | None, *, wrong: bool, budget_mb: int = BUDGET_MB) -> int:
    """Without a passage: lists those that can be labelled. Else keeps it: with `truth` as its plate, as right where
    none is given, as a picture without a readable plate where `wrong` is said and none is given. Raises BarieError."""
    found = {one.id: one for one in passages(Path(config.site.data_dir))}
    if passage is None:
        for one in found.values():
            print(f"{one.id}\t{one.at[:19]}\t{one.lane}\t{one.plate or '–'}")
        return 0
    if passage not in found:
        raise BarieError(f"label: no passage {passage} with a photo that is still here; `barie label` lists them")
    kept = keep(found[passage], truth, Path(config.site.data_dir) / FOLDER, wrong=wrong, budget_mb=budget_mb)
    print(f"kept as {kept}")
    return 0


def passages(data_dir: Path) -> Iterator[Passage]:
    """Oldest first. Raises StoreError."""
    out = io.StringIO()
    export_jsonl(data_dir, out)
    newest: dict[str, Passage] = {}
    for line in out.getvalue().splitlines():
        event = json.loads(line)
        one = _passage(event, data_dir) if event["kind"] == "passage" else None
        if one is not None:
            newest[one.id] = one
    yield from newest.values()


def _passage(event: Mapping[str, Any], data_dir: Path) -> Passage | None:
    body = event["body"]
    photo = next((one["id"] for one in body.get("evidence", ()) if one.get("name") == "photo"), None)
    if photo is None or "passage" not in body:
        return None
    path = next((data_dir / "evidence").glob(f"*/{photo}.jpg"), None)
    if path is None:
        return None
    plates = body.get("plates") or [{}]
    at = event.get("captured_at") or event["recorded_at"]
    return Passage(
        id=body["passage"],
        at=at,
        lane=event["lane"],
        place=body.get("place", ""),
        direction=body.get("direction", ""),
        plate=plates[0].get("text", ""),
        layout=plates[0].get("layout", "unknown"),
        photo=path,
    )


def keep(one: Passage, truth: str | None, folder: Path, *, wrong: bool = False, budget_mb: int = BUDGET_MB) -> Path:
    """The passage as a clip with its `.expected.json` in `folder`; the oldest clips go beyond the budget. Raises
    BarieError: a plate that cannot be one, a photo that cannot be read, a full disk."""
    expected = _expected(one, truth, wrong=wrong)
    image = cv2.imdecode(np.frombuffer(one.photo.read_bytes(), np.uint8), cv2.IMREAD_COLOR)
    if image is None:
        raise StoreError(f"{one.photo}: the photo cannot be read")
    clip = folder / f"{one.at[:19].replace(':', '')}-{one.id}.mp4"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _encode(np.asarray(image, np.uint8), clip)
        text = json.dumps(expected, ensure_ascii=False, indent=1) + "\n"
        clip.with_suffix(".expected.json").write_text(text, encoding="utf-8")
    except OSError as error:
        raise StoreError(f"{folder}: cannot be written: {error.strerror}") from error
    _within(folder, budget_mb * 1_000_000, clip)
    return clip


def _expected(one: Passage, truth: str | None, *, wrong: bool) -> dict[str, Any]:
    text = truth if truth is not None else "" if wrong else one.plate
    if not wrong and truth is None and not text:
        raise BarieError("label: nothing was read here: type the truth, or say --wrong where no plate can be read")
    found: list[dict[str, Any]] = []
    if text:
        table: PlateTable = plate_table()
        plate = table.read(table.normalise(text), "unknown", 1.0)
        if plate.kind == OTHER or plate.text != table.normalise(text):
            raise BarieError(f"label: {text} fits no plate pattern: look at the photo once more")
        found.append({"plate": plate.text, "country": plate.country, "layout": one.layout, "appears_s": 0.0,
                      "stands_s": [0.0, SECONDS], "gone_s": SECONDS})  # fmt: skip
    return {"lane_place": one.place, "direction": one.direction, "read_then": one.plate, "passages": found}


def _encode(image: Image, clip: Path) -> None:
    """One still picture as H.264, with grain so that it is not taken for a frozen camera."""
    height, width = (side - side % 2 for side in image.shape[:2])
    noise = np.random.default_rng(1)
    with av.open(str(clip), "w") as container:
        stream = container.add_stream("libx264", rate=RATE)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.options = {"crf": "18", "preset": "veryfast"}
        for _ in range(round(float(RATE) * SECONDS)):
            grain = noise.integers(-2, 3, (height, width, 1), np.int16)
            picture = np.clip(image[:height, :width].astype(np.int16) + grain, 0, 255).astype(np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
        container.mux(stream.encode(None))


def _within(folder: Path, budget_bytes: int, newest: Path) -> None:
    """The oldest clips go, with what was expected of them, until the rest fits; the one just kept stays."""
    clips = sorted(folder.glob("*.mp4"))
    total = sum(clip.stat().st_size for clip in clips)
    for clip in clips:
        if total <= budget_bytes or clip == newest:
            return
        total -= clip.stat().st_size
        clip.unlink()
        clip.with_suffix(".expected.json").unlink(missing_ok=True)
