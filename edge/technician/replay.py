"""`barie replay`: the real pipeline on recorded clips, on the clip's own time: the same clip gives the same lines.

One JSON line for each passage. Where an `X.expected.json` lies beside `X.mp4` they are compared; every difference is
one line on stderr, and the exit status is 1.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from edge.agent.cameras.site_clips import STILL
from edge.config import load_config
from edge.core.camera.view_settings import Aim
from edge.core.model import Reading
from edge.core.plate.table import PlateTable
from edge.core.plate.vote import USUAL, VoteRules
from edge.errors import BarieError, CameraError, ClipCutError
from edge.ports import Detector, Frame, Reader
from edge.technician import expected
from edge.technician.expected import differences
from edge.technician.eyes import DEFAULT, build
from edge.technician.film import frames_of, live_frames
from edge.technician.report import ClipReport, compared, record, table_lines
from edge.technician.trace import Trace
from edge.vision import models
from edge.vision.adjust import adjusted
from edge.vision.capture import CameraSource
from edge.vision.pipeline import Pipeline, Seen, rules_for

__all__ = ["Eye", "Options", "differences", "replay", "run"]

CLIP_SUFFIXES = (".mp4", ".m4v", ".mkv", ".webm", ".avi", ".mov", ".ts", ".h264", ".h265", STILL)
READER = DEFAULT.reader
LIVE_S = 60.0
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
    """The models, loaded once for all clips, and where and how the picture is read."""

    detector: Detector
    reader: Reader
    table: PlateTable
    aim: Aim = field(default_factory=Aim)
    camera: str = "replay"
    vote: VoteRules = USUAL
    aims: Mapping[str, Aim] = field(default_factory=dict)
    """Of each camera of the config, where no one camera was chosen: a site's own photo says whose it is."""

    def pipeline(self, trace: Trace | None = None) -> Pipeline:
        detector, reader = adjusted(self.detector, self.reader, self.aim.picture)
        rules = rules_for(self.aim.look_every_s, self.vote)
        return Pipeline(self.camera, detector, reader, self.table, self.aim.reads_in, rules, trace)


@dataclass(frozen=True, slots=True)
class Options:
    """`real_time`: frames come at their own pace and late ones are dropped, as in the field (then no two runs are
    alike). `table`: expected against got instead of JSON. `compare`: an earlier run's lines. `sign`: the report.
    `reader`: another one than the config's."""

    camera: str | None = None
    report: Path | None = None
    compare: Path | None = None
    table: bool = False
    real_time: bool = False
    seconds: float = LIVE_S
    sign: bool = False
    reader: str | None = None


def run(clips: Sequence[str], config: Path | None = None, options: Options | None = None) -> int:
    """Replay files, folders of clips and RTSP addresses. Returns 0; 1 where a clip differs from what was expected; 2
    where one cannot be read. Raises ModelError, ConfigError."""
    asked = options or Options()
    sources, eye = list(_sources(clips)), _eye(config, asked.camera, asked.reader)
    reports, worst = [], 0
    for source in sources:
        try:
            one = _one(source, eye, asked)
        except CameraError as error:
            print(f"barie replay: {error}", file=sys.stderr)
            worst = 2
            continue
        reports.append(one)
        for difference in one.differences:
            print(f"barie replay: {source}: {difference}", file=sys.stderr)
        worst = max(worst, 1 if one.differences else 0)
        if one.cut:
            print(f"barie replay: {one.cut}; what could be decoded was judged", file=sys.stderr)
            worst = 2
    if asked.table:
        print("\n".join(table_lines(reports)))
    before = _lines_of(asked.compare) if asked.compare is not None else None
    for line in compared(before, reports) if before is not None else ():
        print(f"barie replay: {line}", file=sys.stderr)
    if asked.report is not None:
        record(asked.report, reports, before, config if asked.sign else None)
    return worst


def _one(source: str | Path, eye: Eye, asked: Options) -> ClipReport:
    """One clip or stream: its lines printed as they come, and everything for the report."""
    trace = Trace(sure=eye.vote.sure) if asked.report is not None else None
    eye = _aimed(eye, source)
    passages, cut = [], ""
    try:
        for passage in passages_of(_name(source), _frames(source, asked), eye, trace):
            passages.append(passage)
            if not asked.table:
                print(json.dumps(passage, ensure_ascii=False), flush=True)
    except ClipCutError as error:
        cut = str(error)
    wanted = expected.load(source) if isinstance(source, Path) else None
    found = ClipReport(_name(source), passages, wanted, trace, eye.aim, eye.vote, cut=cut)
    if trace is not None and isinstance(source, Path):
        found.explain(lambda: frames_of(source), eye.detector, eye.reader)
    return found


def _aimed(eye: Eye, source: str | Path) -> Eye:
    """As the camera that the clip says it is of; and the clip's own region, where no config gives one."""
    camera = expected.camera(source) if eye.aims and isinstance(source, Path) else None
    if camera is not None and camera in eye.aims:
        eye = replace(eye, aim=eye.aims[camera], camera=camera)
    if eye.aim.region is not None or not isinstance(source, Path):
        return eye
    return replace(eye, aim=replace(eye.aim, region=expected.region(source)))


def replay(path: Path, eye: Eye, trace: Trace | None = None) -> list[dict[str, Any]]:
    """The clip's passages in the order of their first reading. Raises CameraError, ModelError."""
    return list(passages_of(path.name, frames_of(path), _aimed(eye, path), trace))


def passages_of(name: str, frames: Iterable[Frame], eye: Eye, trace: Trace | None = None) -> Iterator[dict[str, Any]]:
    """The passages in the order of their first reading, each as soon as it and all before it have ended."""
    pipeline = eye.pipeline(trace)
    tracks: dict[int, _Followed] = {}
    told_s = time.monotonic()
    lost: list[ClipCutError] = []
    for frame in _until_cut(frames, lost):
        if sys.stderr.isatty() and time.monotonic() - told_s > PROGRESS_S:
            told_s = time.monotonic()
            print(f"barie replay: {name}: {frame.captured_mono_ns / 1e9:.0f} s in", file=sys.stderr)
        for told in pipeline.step(frame):
            if isinstance(told, Seen):
                _follow(tracks, told.reading)
            elif told.track in tracks:
                tracks[told.track].gone_s = round(frame.captured_mono_ns / 1e9, 3)
        while tracks and (first := next(iter(tracks.items())))[1].gone_s is not None:
            yield _passage(name, first[0], tracks.pop(first[0]))
    for id, track in tracks.items():
        yield _passage(name, id, track)
    if lost:
        raise lost[0]


def _until_cut(frames: Iterable[Frame], lost: list[ClipCutError]) -> Iterator[Frame]:
    """What decodes; that there was more goes into `lost`, to be said once all of it was judged."""
    try:
        yield from frames
    except ClipCutError as error:
        lost.append(error)


def _follow(tracks: dict[int, _Followed], reading: Reading) -> None:
    track = tracks.setdefault(reading.track, _Followed(reading, reading))
    track.last = reading
    if reading.decided:
        track.decided = track.decided or reading


def _passage(name: str, id: int, track: _Followed) -> dict[str, Any]:
    told = track.decided or track.last
    plate = told.read.plate
    return {
        "clip": name,
        "track": id,
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


# ---------------------------------------------------------------- where frames come from


def _frames(source: str | Path, asked: Options) -> Iterator[Frame]:
    if isinstance(source, Path):
        return _paced(frames_of(source)) if asked.real_time else frames_of(source)
    return _live(source, asked.seconds)


def _paced(frames: Iterable[Frame]) -> Iterator[Frame]:
    """Each frame when it is due; one that is late by more than its successor is dropped: the newest wins."""
    began_s = time.monotonic()
    held: Frame | None = None
    for frame in frames:
        late_s = time.monotonic() - began_s - frame.captured_mono_ns / 1e9
        if held is not None and late_s < 0:
            yield held
            late_s = time.monotonic() - began_s - frame.captured_mono_ns / 1e9
        if late_s < 0:
            time.sleep(-late_s)
        held = frame
    if held is not None:
        yield held


def _live(url: str, seconds: float) -> Iterator[Frame]:
    source = CameraSource(url)
    try:
        yield from live_frames(source, seconds)
    finally:
        source.close()


def _name(source: str | Path) -> str:
    """Never a live stream's address: it may hold a password."""
    return source.name if isinstance(source, Path) else "live"


def _sources(clips: Sequence[str]) -> Iterable[str | Path]:
    """Every stream, clip named or found in a named folder. Raises CameraError for a name that is none of these."""
    for name in clips:
        path = Path(name)
        if name.startswith(("rtsp://", "rtsps://")):
            yield name
        elif path.is_dir():
            inside = sorted(file for file in path.iterdir() if file.name.lower().endswith(CLIP_SUFFIXES))
            if not inside:
                raise CameraError(f"{path}: no clip in this folder ({', '.join(CLIP_SUFFIXES)})")
            yield from inside
        elif path.is_file():
            yield path
        else:
            raise CameraError(f"{name}: no such clip; give files, folders or rtsp:// addresses")


def _lines_of(path: Path) -> list[dict[str, Any]]:
    """The JSON lines of an earlier run. Raises BarieError."""
    try:
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    except (OSError, ValueError) as error:
        raise BarieError(f"--compare {path}: not the JSON lines of an earlier replay: {error}") from error


def _eye(config: Path | None, camera: str | None = None, reader: str | None = None) -> Eye:
    """Reader and aim of one camera of the config (its first, where none is named), or this project's defaults."""
    table = models.plate_table()
    if config is None:
        name = reader or READER
        return Eye(*models.build(name, table, threads=2), table, vote=models.vote_rules(name))
    loaded = load_config(config)
    cameras = {one.id: one for lane in loaded.lane for one in lane.camera}
    if camera is not None and camera not in cameras:
        raise BarieError(f"--camera {camera}: not in {config}; there are {', '.join(cameras)}")
    chosen = cameras[camera] if camera is not None else next(iter(cameras.values()))
    vision = loaded.vision if reader is None else loaded.vision.model_copy(update={"reader": reader})
    vote = models.vote_rules(vision.reader, vision.models_dir)
    aims = {} if camera is not None else {id: one.aim for id, one in cameras.items()}
    return Eye(*build(vision, table), table, chosen.aim, chosen.id, vote, aims)
