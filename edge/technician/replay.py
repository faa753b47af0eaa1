"""`barie replay`: the real pipeline on recorded clips, on the clip's own time: the same clip gives the same lines.

One JSON line for each passage. Where an `X.expected.json` lies beside `X.mp4` they are compared; every difference is
one line on stderr, and the exit status is 1.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge.config import load_config
from edge.core.model import Point, Reading
from edge.core.plate import PlateTable
from edge.core.vote import USUAL, VoteRules
from edge.errors import CameraError, ConfigError
from edge.ports import Detector, Reader
from edge.vision import models
from edge.vision.capture import clip_frames
from edge.vision.pipeline import Pipeline, Seen, rules_for

CLIP_SUFFIXES = (".mp4", ".mkv", ".avi", ".mov")
READER = "rapidocr"


PROGRESS_S = 2.0


@dataclass(slots=True)
class _Followed:
    """One track of the clip: first and newest reading, when it was decided, when it ended."""

    first: Reading
    last: Reading
    decided: Reading | None = None
    gone_s: float | None = None


@dataclass(frozen=True, slots=True)
class Eye:
    """The models, loaded once for all clips, and the region where plates are read."""

    detector: Detector
    reader: Reader
    table: PlateTable
    region: tuple[Point, ...] | None = None
    camera: str = "replay"
    vote: VoteRules = USUAL


def run(clips: Sequence[str], config: Path | None = None) -> int:
    """Replay files and folders of clips. Returns 0; 1 where a clip differs from what was expected; 2 where one cannot
    be read. Raises ModelError, ConfigError."""
    paths = list(_clip_files(clips))
    eye = _eye(config)
    worst = 0
    for path in paths:
        try:
            passages = replay(path, eye)
        except CameraError as error:
            print(f"barie replay: {error}", file=sys.stderr)
            worst = 2
            continue
        for passage in passages:
            print(json.dumps(passage, ensure_ascii=False), flush=True)
        differences = _differences(path, passages)
        for difference in differences:
            print(f"barie replay: {path}: {difference}", file=sys.stderr)
        worst = max(worst, 1 if differences else 0)
    return worst


def replay(path: Path, eye: Eye) -> list[dict[str, Any]]:
    """The clip's passages in the order of their first reading. Raises CameraError, ModelError."""
    pipeline = Pipeline(eye.camera, eye.detector, eye.reader, eye.table, eye.region, rules_for(None, eye.vote))
    tracks: dict[int, _Followed] = {}
    told_s = time.monotonic()
    for frame in clip_frames(path):
        if sys.stderr.isatty() and time.monotonic() - told_s > PROGRESS_S:
            told_s = time.monotonic()
            print(f"barie replay: {path.name}: {frame.captured_mono_ns / 1e9:.0f} s in", file=sys.stderr)
        for told in pipeline.step(frame):
            if isinstance(told, Seen):
                _follow(tracks, told.reading)
            elif told.track in tracks:
                tracks[told.track].gone_s = round(frame.captured_mono_ns / 1e9, 3)
    return [_passage(path, track) for track in tracks.values()]


def _follow(tracks: dict[int, _Followed], reading: Reading) -> None:
    track = tracks.setdefault(reading.track, _Followed(reading, reading))
    track.last = reading
    if reading.decided:
        track.decided = track.decided or reading


def _passage(path: Path, track: _Followed) -> dict[str, Any]:
    told = track.decided or track.last
    plate = told.read.plate
    return {
        "clip": path.name,
        "plate": plate.text,
        "raw": plate.raw,
        "country": plate.country,
        "kind": plate.kind,
        "layout": plate.layout,
        "confidence": round(plate.confidence, 3),
        "decided": track.decided is not None,
        "votes": told.votes,
        "first_s": _seconds(track.first),
        "decided_s": None if track.decided is None else _seconds(track.decided),
        "gone_s": track.gone_s,
        "frame": told.frame,
        "box": [round(v, 1) for v in told.read.box],
    }


def _seconds(reading: Reading) -> float:
    return round(reading.captured_mono_ns / 1e9, 3)


# ---------------------------------------------------------------- expected against got


def _differences(path: Path, passages: Sequence[dict[str, Any]]) -> list[str]:
    """What is not as the clip's `.expected.json` says; empty where there is no such file. Raises ConfigError."""
    file = path.with_suffix(".expected.json")
    if not file.is_file():
        return []
    try:
        wanted = json.loads(file.read_text(encoding="utf-8"))["passages"]
        return differences(wanted, passages)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigError(str(file), [f"is not a list of expected passages: {error!r}"]) from error


def differences(wanted: Sequence[dict[str, Any]], passages: Sequence[dict[str, Any]]) -> list[str]:
    """Decided plates against expected ones, in order; each must be decided while it is in view and while it stands."""
    decided = [passage for passage in passages if passage["decided"]]
    got = [(p["plate"], p["country"], p["layout"]) for p in decided]
    want = [(p["plate"], p["country"], p["layout"]) for p in wanted]
    if got != want:
        return [f"expected {want}, got {got}"]
    found = []
    for asked, passage in zip(wanted, decided, strict=True):
        if not asked["appears_s"] - 1.5 <= passage["decided_s"] <= asked["stands_s"][1]:
            found.append(
                f"{asked['plate']}: decided at {passage['decided_s']} s, stands until {asked['stands_s'][1]} s"
            )
    return found


def _clip_files(clips: Sequence[str]) -> Iterable[Path]:
    """Every clip named or found in a named folder. Raises CameraError for a name that is neither."""
    for name in clips:
        path = Path(name)
        if path.is_dir():
            inside = sorted(file for file in path.iterdir() if file.suffix.lower() in CLIP_SUFFIXES)
            if not inside:
                raise CameraError(f"{path}: no clip in this folder ({', '.join(CLIP_SUFFIXES)})")
            yield from inside
        elif path.is_file():
            yield path
        else:
            raise CameraError(f"{name}: no such clip; give files or folders")


def _eye(config: Path | None) -> Eye:
    """Reader and region from the config's first camera, or this project's defaults."""
    table = models.plate_table()
    if config is None:
        return Eye(*models.build(READER, table, threads=2), table, vote=models.vote_rules(READER))
    loaded = load_config(config)
    camera = loaded.lane[0].camera[0]
    region = None if camera.region is None else tuple(camera.region)
    vision = loaded.vision
    other = models.other_detector(vision.detector, vision.detector_file, vision.detector_sha256)
    detector, reader = models.build(vision.reader, table, vision.threads, other, vision.models_dir)
    return Eye(detector, reader, table, region, camera.id, models.vote_rules(vision.reader, vision.models_dir))
