"""`barie learn`: corrections made at this gate become a better reader, adopted only if it is one.

The record holds the crop that was read, what was read, and what a person typed instead. These become a set of crops,
one in four held back; `models.tools.tune` (an extra: torch) tunes the reader on the others; both readers then read the
held-back crops and the synthetic test world, and the new one is taken only where it is better and nothing got worse.
"""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from edge.errors import BarieError, ModelError
from edge.ports import Detection, Image
from edge.store.export import export_jsonl
from edge.vision.geometry import as_corners
from edge.vision.models import plate_table
from edge.vision.own import OwnReader
from edge.vision.weights import FOLDER, MANIFEST

LEAST = 20
"""Corrections, below which a tuned reader would know these crops by heart and nothing more."""
HELD_BACK = 4
"""One in so many, by the event's id, so that the same crops are held back next time."""
MARGIN = (0.12, 0.18)
"""How much wider and taller than the plate's box the kept crop is, on each side (edge.vision.loop.crop_of)."""
DROP = 0.01
"""How much worse on the test world a tuned reader may be: what two runs of it differ by."""


@dataclass(frozen=True, slots=True)
class Correction:
    """What a person typed over a reading. `crop` is the kept picture of the plate; `event` the typing's id."""

    event: str
    crop: Path
    read: str
    typed: str

    @property
    def held_back(self) -> bool:
        return int(hashlib.sha256(self.event.encode()).hexdigest(), 16) % HELD_BACK == 0


def corrections(data_dir: Path) -> list[Correction]:
    """Every correction of the record whose crop is still on disk. Raises StoreError."""
    out = io.StringIO()
    export_jsonl(data_dir, out)
    return list(_corrections(data_dir, (json.loads(line) for line in out.getvalue().splitlines())))


def _corrections(data_dir: Path, events: Iterator[dict[str, Any]]) -> Iterator[Correction]:
    """A guard types over what stands at the barrier: its last crop. A technician marks a photo: the crop that was taken
    with it, and the last word counts."""
    crops: dict[str, str] = {}
    found: dict[str, Correction] = {}
    for event in events:
        body, stage = event["body"], event["body"].get("stage")
        passage = f"{event['lane']}/{body.get('passage')}"
        taken = {str(one.get("name")): str(one["id"]) for one in body.get("evidence", [])}
        if "crop" in taken:
            crops |= {passage: taken["crop"], taken.get("photo", passage): taken["crop"]}
        if stage in ("labelled_right", "labelled_wrong"):
            found.pop(body["photo"], None)
        about = {"plate_typed": passage, "labelled_wrong": str(body.get("photo"))}.get(stage, "")
        if about in crops and body["typed"] and body.get("read") != body["typed"]:
            path = next((data_dir / "evidence").glob(f"*/{crops[about]}.jpg"), None)
            if path is not None:
                key = event["event_id"] if stage == "plate_typed" else about
                found[key] = Correction(event["event_id"], path, body.get("read") or "", body["typed"])
    yield from found.values()


def load(path: Path) -> tuple[Image, Detection] | None:
    """A kept crop and where its plate stands in it; None where the file is no picture any more."""
    image = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_COLOR)
    if image is None:
        return None
    height, width = image.shape[:2]
    x, y = width * MARGIN[0] / (1 + 2 * MARGIN[0]), height * MARGIN[1] / (1 + 2 * MARGIN[1])
    a, b, c, d = ((float(px), float(py)) for px, py in as_corners((x, y, width - x, height - y)))
    return np.asarray(image, np.uint8), Detection((a, b, c, d), 1.0)


def right(reader: OwnReader, found: Sequence[Correction]) -> int:
    """How many of these crops are read as the guard typed them."""
    count = 0
    for correction in found:
        loaded = load(correction.crop)
        if loaded is not None:
            read = reader.read(loaded[0], [loaded[1]])[0]
            count += read is not None and read.plate.text == correction.typed
    return count


def write_set(found: Sequence[Correction], out: Path) -> int:
    """The crops to tune on as pictures and `set.json`, for `models.tools.tune`. How many."""
    out.mkdir(parents=True, exist_ok=True)
    rows = []
    for correction in found:
        loaded = load(correction.crop)
        if loaded is None or correction.held_back:
            continue
        name = f"{correction.event}.png"
        cv2.imwrite(str(out / name), loaded[0])
        rows.append({"file": name, "text": correction.typed, "corners": loaded[1].corners})
    (out / "set.json").write_text(json.dumps(rows, ensure_ascii=False), encoding="utf-8")
    return len(rows)


def run(data_dir: Path, out: Path, models: Path = FOLDER, steps: int = 300) -> int:
    """Prints one JSON line for each step. Returns 0 where a better reader now lies in `out`, 1 where none was found.

    Raises StoreError, ModelError, and BarieError: too few corrections, or the extra is not installed.
    """
    found = corrections(data_dir)
    held = [c for c in found if c.held_back]
    if len(found) < LEAST or not held:
        raise BarieError(
            f"{len(found)} corrections with a crop are in the record: {LEAST} are needed to learn from them"
        )
    candidate = out / "candidate"
    shutil.rmtree(candidate, ignore_errors=True)
    count = write_set(found, candidate / "set")
    _say({"corrections": len(found), "tuned_on": count, "held_back": len(held)})
    _tool(
        "models.tools.tune",
        str(candidate / "set"),
        "--models",
        str(models),
        "--out",
        str(candidate),
        f"--steps={steps}",
    )
    before, after = (right(OwnReader(plate_table(), folder=folder), held) for folder in (models, candidate))
    world_before, world_after = _world(models), _world(candidate)
    better = after > before and world_after >= world_before - DROP
    _say({"held_back": len(held), "right_before": before, "right_after": after, "world_before": world_before,
          "world_after": world_after, "adopted": better})  # fmt: skip
    if better:
        adopt(candidate, out)
    return 0 if better else 1


def adopt(candidate: Path, out: Path) -> None:
    """The candidate's files beside the manifest that names their hashes; the manifest last, so that a power failure
    leaves the reader of before."""
    for path in [*sorted(candidate.glob("*.onnx")), *sorted(candidate.glob("*.npz")), candidate / MANIFEST]:
        part = out / f"{path.name}.part"
        shutil.copy(path, part)
        part.replace(out / path.name)
    _say({"models_dir": str(out.resolve())})


def _world(folder: Path) -> float:
    """Share of the test world's frames that the reader of this folder reads right."""
    text = _tool("models.tools.testworld", "--passages", "6", "--models", str(folder), "--json", may=(0, 1))
    rows = [json.loads(line) for line in text.splitlines()]
    frames, frames_right = (sum(int(row[key]) for row in rows) for key in ("frames", "frames_right"))
    return round(frames_right / max(1, frames), 4)


def _tool(module: str, *arguments: str, may: tuple[int, ...] = (0,)) -> str:
    """A training tool in a process of its own: the agent's packages and torch never meet. Raises ModelError."""
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments], cwd=FOLDER.parent, capture_output=True, text=True, check=False
    )
    if done.returncode not in may:
        last = (done.stderr.strip().splitlines() or ["no word"])[-1]
        raise ModelError(f"{module}: {last}; learning wants a checkout with models/tools/requirements.txt installed")
    return done.stdout


def _say(line: dict[str, object]) -> None:
    print(json.dumps(line, ensure_ascii=False), flush=True)
