"""The eyes' figures for `barie bench vision`: one frame, a whole clip, two live cameras, an empty lane.

Wall times are what a guard waits; the CPU seconds beside them are what stays true on a machine that is busy otherwise.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import cv2
import numpy as np

from edge import clock, resources
from edge.config import VisionConfig
from edge.errors import BarieError
from edge.ports import Image
from edge.technician.replay import Eye, replay
from edge.vision import models
from edge.vision.capture import clip_frames
from tests.harness.bench import rivals as bench_rivals
from tests.harness.bench.guarded_lane import House, house
from tests.harness.bench.live import (
    BUSY_CLIPS,
    PLATE_CLIP,
    Figure,
    cores,
    figure,
    live_eyes,
    plate_frame,
    quantile,
    tree,
    until,
)
from tests.harness.bench.rivals import Look
from tests.harness.bench.run import tell

THREADS = 2
SHORT_SCENES, LONG_SCENES = 40, 400
"""Of a folder of pictures, at most so many are looked at, spread over it."""
ROUNDS_LEAST = 5
READINGS_LEAST = 5


@dataclass(frozen=True, slots=True)
class Lengths:
    """How long each measurement takes, in seconds; and which clips are replayed, by default one or, `long`, all."""

    frame_s: float = 6.0
    busy_s: float = 23.0
    idle_s: float = 6.0
    clips: tuple[Path, ...] = ()


LONG = Lengths(frame_s=60.0, busy_s=300.0, idle_s=60.0)


@dataclass(slots=True)
class _Times:
    wall_ms: list[float] = field(default_factory=list)
    cpu_ms: list[float] = field(default_factory=list)


def figures(
    against: Sequence[str] = (), *, long: bool = False, lengths: Lengths | None = None, pictures: Path | None = None
) -> Iterator[Figure]:
    """Every `vision.*` figure; `vision.vs_…_ratio` for each name in `against` that can be had. With `pictures`, a
    folder of scenes: what a look at each of them costs, and nothing else. Raises BarieError."""
    bench_rivals.check(against)
    lengths = lengths or (LONG if long else Lengths())
    table = models.plate_table()
    reader = VisionConfig().reader
    eye = Eye(*models.build(reader, table, THREADS), table)
    if pictures is not None:
        yield from scene_figures(eye, against, pictures, LONG_SCENES if long else SHORT_SCENES)
        return
    yield from frame_figures(eye, against, lengths.frame_s, reader)
    clips = sorted(resources.sample_videos().glob("*.mp4" if long else f"{PLATE_CLIP}.mp4"))
    yield replay_figure(eye, lengths.clips or clips)
    with tempfile.TemporaryDirectory(prefix="barie-bench-") as name:
        yield idle_figure(Path(name), lengths.idle_s)
    with tempfile.TemporaryDirectory(prefix="barie-bench-") as name:
        yield from busy_figures(Path(name), lengths.busy_s)


# ---------------------------------------------------------------- one frame


def frame_figures(eye: Eye, against: Sequence[str], seconds: float, reader: str) -> Iterator[Figure]:
    """Detector and reader on one still with one plate; all readers take turns on the same pixels."""
    image, plate = plate_frame()
    looks: dict[str, Look] = {"ours": lambda picture: eye.reader.read(picture, eye.detector.detect(picture))}
    looks.update(rivals(against))
    reads = [read.plate.text for read in eye.reader.read(image, eye.detector.detect(image)) if read is not None]
    times = take_turns(looks, image, seconds)
    ours = times["ours"]
    height, width = image.shape[:2]
    how = f'reader "{reader}", {width}x{height}, {THREADS} threads, {len(ours.wall_ms)} looks at one still of a clip, '
    how += f"CPU median {median(ours.cpu_ms):.1f} ms; " + ("read right" if reads == [plate] else "NOT read right")
    yield figure("vision.frame_ms_median", median(ours.wall_ms), "ms", how)
    for name in list(looks)[1:]:
        yield _ratio(name, ours, times[name])


def take_turns(looks: Mapping[str, Look], image: Image, seconds: float, least: int = ROUNDS_LEAST) -> dict[str, _Times]:
    """Wall and CPU time of each look, one after the other, again and again; the first round only warms up."""
    times = {name: _Times() for name in looks}
    cv2.setNumThreads(THREADS)
    for look in looks.values():
        look(image)
    deadline_s = clock.mono_s() + seconds
    rounds = 0
    while rounds < least or clock.mono_s() < deadline_s:
        rounds += 1
        for name, look in looks.items():
            began_s, began_cpu_s = time.perf_counter(), time.process_time()
            look(image)
            times[name].wall_ms.append((time.perf_counter() - began_s) * 1000)
            times[name].cpu_ms.append((time.process_time() - began_cpu_s) * 1000)
    return times


def rivals(against: Sequence[str]) -> Iterator[tuple[str, Look]]:
    """Those that this machine has, ready; of each of the others it is told why it is not compared."""
    for name in against:
        try:
            yield bench_rivals.name_of(name), bench_rivals.load(name, THREADS)
        except BarieError as error:
            tell(str(error))


def _ratio(name: str, ours: _Times, theirs: _Times) -> Figure:
    """Ours by theirs, round by round, so that what else the machine does meets both."""
    ratio = median(mine / other for mine, other in zip(ours.wall_ms, theirs.wall_ms, strict=True))
    how = (
        f"median of {len(ours.wall_ms)} rounds in turn on the same still; {name} median {median(theirs.wall_ms):.1f} ms"
    )
    how += f"; by CPU time {median(ours.cpu_ms) / max(median(theirs.cpu_ms), 1e-3):.3f}; below 1 is faster"
    return figure(f"vision.vs_{name.replace('-', '_')}_ratio", ratio, "", how)


# ---------------------------------------------------------------- a folder of scenes


def scene_figures(eye: Eye, against: Sequence[str], folder: Path, most: int) -> Iterator[Figure]:
    """CPU time of a look at each picture of a folder, ours by its parts, and the others' in turn on the same pixels."""
    paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in (".jpg", ".jpeg", ".png"))
    paths = paths[:: max(1, -(-len(paths) // most))]
    read = (cv2.imread(str(path), cv2.IMREAD_COLOR) for path in paths)
    scenes = [np.asarray(image, np.uint8) for image in read if image is not None]
    if not scenes:
        raise BarieError(f"--pictures {folder}: no picture in it can be read")
    looks: dict[str, Look] = {"ours": lambda picture: eye.reader.read(picture, eye.detector.detect(picture))}
    looks.update(rivals(against))
    looks["finding"] = eye.detector.detect
    spent: dict[str, list[float]] = {name: [] for name in looks}
    for scene in scenes:
        for name, times in take_turns(looks, scene, 0.0, least=1).items():
            spent[name] += times.cpu_ms
    mean = {name: sum(each) / len(each) for name, each in spent.items()}
    how = f"CPU ms of a look, mean of {len(scenes)} scenes, {THREADS} threads; finding {mean['finding']:.1f} ms of it"
    yield figure("vision.scene_cpu_ms_mean", mean["ours"], "ms", how)
    for name in set(looks) - {"ours", "finding"}:
        said = f"CPU time of ours by {name}'s ({mean[name]:.1f} ms), the same {len(scenes)} scenes in turn"
        yield figure(f"vision.scenes_vs_{name.replace('-', '_')}_ratio", mean["ours"] / mean[name], "", said)


# ---------------------------------------------------------------- a clip


def replay_figure(eye: Eye, paths: Sequence[Path]) -> Figure:
    """Seconds of video in one second of `barie replay`, decoding included."""
    video_s = sum(_length_s(path) for path in paths)
    began_s, began_cpu_s = time.perf_counter(), time.process_time()
    for path in paths:
        replay(path, eye)
    took_s, took_cpu_s = time.perf_counter() - began_s, time.process_time() - began_cpu_s
    how = f"{len(paths)} clip(s), {video_s:.1f} s of 1280x720, {THREADS} threads; {took_cpu_s:.1f} CPU seconds"
    return figure("vision.replay_realtime_factor", video_s / took_s, "", how)


def _length_s(path: Path) -> float:
    last_ns = max((frame.captured_mono_ns for frame in clip_frames(path)), default=0)
    return last_ns / 1e9


# ---------------------------------------------------------------- live


def idle_figure(folder: Path, seconds: float) -> Figure:
    """One camera on an empty lane."""
    with live_eyes(folder, [PLATE_CLIP], empty=True) as eyes:
        time.sleep(min(2.0, seconds))  # the first looks at a new scene are not what an empty lane costs
        value = cores(lambda: tree(eyes[0].process.pid), seconds)
        fps = eyes[0].health.get("fps_in")
    how = f"one camera process over RTSP, 1280x720 at {fps} frames a second, nothing moving, {seconds:.0f} s"
    return figure("vision.idle_cores", value, "cores", how)


def busy_figures(folder: Path, seconds: float) -> Iterator[Figure]:
    """The whole agent with two cameras that both see a vehicle come, stand and go, again and again."""
    with house(folder, BUSY_CLIPS, large=True) as one:
        until(lambda: bool(one.ages_ms()), "a first reading")
        value = cores(lambda: tree(one.gate.pid), seconds)
        how = f"gate process and {len(BUSY_CLIPS)} camera processes over RTSP, 1920x1080 at 10 frames a second, "
        how += f"a vehicle each 11.5 s at each, {seconds:.0f} s"
        yield figure("vision.two_camera_cores", value, "cores", how)
        ages_ms = _ages_ms(one)
    how = f"frame off the wire to its reading in the gate process, {len(ages_ms)} readings of those cameras, "
    how += f"median {median(ages_ms):.0f} ms, largest {max(ages_ms):.0f} ms"
    yield figure("vision.frame_age_ms_p99", quantile(ages_ms, 0.99), "ms", how)


def _ages_ms(one: House) -> list[float]:
    """Of everything read meanwhile, and of some more where that was little. Raises BarieError where nothing comes: that
    is not an age of nought."""
    ages_ms: list[float] = []

    def enough() -> bool:
        ages_ms.extend(one.ages_ms())
        return len(ages_ms) >= READINGS_LEAST

    until(enough, f"{READINGS_LEAST} readings of two cameras")
    return ages_ms
