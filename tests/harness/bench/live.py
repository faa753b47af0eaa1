"""What the benchmarks of moving parts share: live cameras from sample clips, real vision processes, and what a tree of
processes takes of the machine."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import av

from edge import clock, resources
from edge.config import VisionConfig
from edge.demo.camera import DemoCamera, RtspServer
from edge.errors import BarieError, CameraError, ConfigError
from edge.ports import Image
from edge.technician.free_port import free_port
from edge.vision import messages
from edge.vision.capture import clip_frames

READY_WITHIN_S = 90.0
PLATE_CLIP = "b1-out-vn-two-line"
LARGE, LARGE_FPS = (1920, 1080), 10
BUSY_CLIPS = (PLATE_CLIP, "yard-in-cn-yellow")
_TICKS_S = os.sysconf("SC_CLK_TCK")

Figure = dict[str, Any]


def figure(name: str, value: float, unit: str, how: str) -> Figure:
    return {"figure": name, "value": round(value, 4), "unit": unit, "how": how}


def quantile(values: Sequence[float], share: float) -> float:
    """The value that `share` of them do not exceed; of few values the largest, never one that was not measured."""
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def until(condition: Callable[[], bool], what: str, within_s: float = READY_WITHIN_S) -> None:
    """Wait for a condition. Raises BarieError that says what did not come."""
    deadline_s = clock.mono_s() + within_s
    while not condition():
        if clock.mono_s() > deadline_s:
            raise BarieError(f"bench: {what} did not come within {within_s:.0f} s")
        time.sleep(0.05)


# ---------------------------------------------------------------- cameras


class LiveEye:
    """A real vision process on a stream, as the gate process starts it; what it reads goes nowhere."""

    def __init__(self, url: str, reader: str | None = None) -> None:
        self.health: dict[str, Any] = {}
        self._sock, theirs = socket.socketpair()
        with theirs:
            command = [sys.executable, "-m", "edge.vision.worker", "--fd", str(theirs.fileno())]
            self.process = subprocess.Popen(command, pass_fds=(theirs.fileno(),), stderr=subprocess.DEVNULL)
        config = VisionConfig()
        settings = {"camera": "bench", "url": url, "reader": reader or config.reader, "threads": config.threads}
        messages.send(self._sock, "settings", settings)
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        decoder = messages.Decoder()
        try:
            while data := self._sock.recv(1 << 16):
                for message in decoder.feed(data):
                    if message.kind == "health":
                        self.health = dict(message.fields)
        except OSError:
            pass  # closed by us, or the process ended: `up` says so

    @property
    def up(self) -> bool:
        """Its camera delivers and its models are loaded. Raises CameraError where that will never be."""
        reader = str(self.health.get("reader", ""))
        if self.process.poll() is not None or reader.startswith("failed"):
            raise CameraError(f"a camera process of the bench ended or failed: {reader or self.process.returncode}")
        return reader == "ready" and self.health.get("state") == "up"

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        self._sock.close()


@contextmanager
def live_eyes(folder: Path, clips: Iterable[str], *, empty: bool = False) -> Iterator[list[LiveEye]]:
    """One RTSP camera and one vision process for each clip, all up. `empty`: only the clip's empty lane is shown."""
    rtsp = RtspServer(folder, free_port())
    with ExitStack() as ends:
        rtsp.start()
        ends.callback(rtsp.stop)
        eyes = []
        for number, clip in enumerate(clips):
            show(clip, folder, f"bench-{number}", empty=empty)
            eyes.append(ends.enter_context(closing(LiveEye(rtsp.url(f"bench-{number}")))))
        until(lambda: all(eye.up for eye in eyes), "the cameras' pictures and models")
        yield eyes


def show(clip: str, folder: Path, name: str, *, empty: bool = False, large: bool = False) -> None:
    """Put a sample clip, or its empty lane, where an RTSP server plays it in a loop as `name`. `large`: as a camera of
    LARGE pixels at LARGE_FPS frames a second would send it."""
    source = resources.sample_videos() / f"{clip}.mp4"
    if large:
        enlarge(source, folder / f"{name}.mp4")
        return
    if not empty:
        shutil.copyfile(source, folder / f"{name}.mp4")
        return
    camera = DemoCamera(source, folder, name)
    camera.prepare()
    camera.show("empty")


def enlarge(source: Path, into: Path) -> None:
    """The clip's first pictures enlarged, as many as its own length has at this rate."""
    with av.open(str(source)) as clip, av.open(str(into), "w", options={"movflags": "+faststart"}) as target:
        stream = target.add_stream("libx264", rate=LARGE_FPS)
        stream.width, stream.height, stream.pix_fmt = *LARGE, "yuv420p"
        stream.codec_context.gop_size = LARGE_FPS
        stream.options = {"preset": "veryfast", "crf": "24", "bf": "0", "threads": "2"}
        due_s, number = 0.0, 0
        for picture in clip.decode(clip.streams.video[0]):
            if (picture.time or 0.0) >= due_s:
                due_s += 1 / LARGE_FPS
                scaled = picture.reformat(*LARGE, format="yuv420p")
                scaled.pts, scaled.time_base = number, Fraction(1, LARGE_FPS)
                number += 1
                target.mux(stream.encode(scaled))
        target.mux(stream.encode(None))


def plate_frame() -> tuple[Image, str]:
    """A frame of a sample clip in which a vehicle stands with its one plate, and that plate. Raises BarieError."""
    clip = resources.sample_videos() / f"{PLATE_CLIP}.mp4"
    try:
        passage = json.loads(clip.with_suffix(".expected.json").read_text(encoding="utf-8"))["passages"][0]
        at_ns, plate = float(passage["stands_s"][0]) * 1e9, str(passage["plate"])
    except (OSError, ValueError, KeyError, IndexError, TypeError) as error:
        raise ConfigError(str(clip), [f"its .expected.json cannot be used: {error!r}"]) from error
    for frame in clip_frames(clip):
        if frame.captured_mono_ns >= at_ns:
            return frame.image, plate
    raise ConfigError(str(clip), ["ends before its vehicle stands"])


# ---------------------------------------------------------------- processes


def tree(pid: int) -> list[int]:
    """The process and everything below it, now."""
    found = [pid]
    for one in found:  # grows while it is walked
        for children in Path(f"/proc/{one}/task").glob("*/children"):
            found += [int(child) for child in _text(children).split()]
    return found


def cpu_s(pids: Iterable[int]) -> float:
    """CPU seconds of these processes so far, with those of their children that have ended."""
    total = 0
    for pid in pids:
        # After the name, which may hold anything: state is field 3, utime, stime, cutime and cstime are 14 to 17.
        fields = _text(Path(f"/proc/{pid}/stat")).rpartition(")")[2].split()
        total += sum(int(value) for value in fields[11:15])
    return total / _TICKS_S


def memory_mb(pids: Iterable[int]) -> tuple[float, float]:
    """(RSS, PSS) in MB of 10^6 bytes: RSS counts shared pages once for each process, PSS once for all."""
    totals = {"Rss:": 0, "Pss:": 0}
    for pid in pids:
        for line in _text(Path(f"/proc/{pid}/smaps_rollup")).splitlines():
            key, *rest = line.split()
            if key in totals:
                totals[key] += int(rest[0]) * 1024
    return totals["Rss:"] / 1e6, totals["Pss:"] / 1e6


def cores(pids: Callable[[], list[int]], seconds: float) -> float:
    """CPU seconds that these processes take of one wall second, over `seconds`."""
    began_s, before_s = clock.mono_s(), cpu_s(pids())
    time.sleep(seconds)
    return (cpu_s(pids()) - before_s) / (clock.mono_s() - began_s)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""  # it ended meanwhile
