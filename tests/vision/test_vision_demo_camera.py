"""The demo's camera: what it shows changes between two rounds, on one connection, without a torn picture."""

from __future__ import annotations

import asyncio
import json
import shutil
import threading
from pathlib import Path

import numpy as np
import pytest

from edge.demo.camera import SEGMENTS, DemoCamera, RtspServer
from edge.errors import CameraError
from edge.ports import Image
from edge.technician.free_port import free_port
from edge.vision.capture import CameraSource, clip_frames
from tests.vision.world import SAMPLES

CLIP = SAMPLES / "b1-out-undeclared.mp4"

pytestmark = [pytest.mark.vision, pytest.mark.slow]


def small(image: Image) -> np.ndarray[tuple[int, ...], np.dtype[np.int16]]:
    return image[::8, ::8].astype(np.int16)


def test_segments_cover_the_clip_and_decode_as_in_the_clip(tmp_path: Path) -> None:
    camera = DemoCamera(CLIP, tmp_path, "lane")
    camera.prepare()
    parts = [tmp_path / "segments" / CLIP.stem / f"{segment}.mp4" for segment in SEGMENTS]
    cut = [small(frame.image) for part in parts for frame in clip_frames(part)]
    whole = [small(frame.image) for frame in clip_frames(CLIP)]
    assert len(cut) == len(whole) == 144
    assert all(np.array_equal(a, b) for a, b in zip(cut, whole, strict=True))


def test_the_story_is_followed_on_one_connection(tmp_path: Path) -> None:
    camera = DemoCamera(CLIP, tmp_path, "lane")
    camera.prepare()
    camera.show("empty")
    server = RtspServer(tmp_path, free_port())
    server.start()
    source = CameraSource(server.url("lane"))
    whole = [small(frame.image) for frame in clip_frames(CLIP)]
    shown: list[int] = []
    strange: list[float] = []
    states: set[str] = set()
    done = threading.Event()

    def watch() -> None:
        while not done.is_set():
            frame = source.take(0.5)
            if frame is not None:
                apart = [float(np.abs(small(frame.image) - other).mean()) for other in whole]
                strange.append(min(apart))
                shown.append(int(np.argmin(apart)))
                states.add(source.health().state)

    watcher = threading.Thread(target=watch)
    try:
        while source.take(0.5) is None:
            pass
        watcher.start()
        asyncio.run(camera.play("approach"))
    finally:
        done.set()
        watcher.join()
        source.close()
        server.stop()
    spans = json.loads(CLIP.with_suffix(".expected.json").read_text(encoding="utf-8"))["segments_s"]
    names = [next(name for name, (a, b) in spans.items() if a / 0.08 - 0.5 < i < b / 0.08 - 0.5) for i in shown]
    order = [name for i, name in enumerate(names) if i == 0 or names[i - 1] != name]
    assert order in (["empty", "approach"], ["empty", "approach", "stand"], ["approach", "stand"])
    assert states == {"up"}
    assert max(strange) < 1.0  # grey levels: every picture is one of the clip's own, none is torn


def test_a_clip_without_segments_says_so(tmp_path: Path) -> None:
    clip = tmp_path / "plain.mp4"
    shutil.copyfile(CLIP, clip)
    with pytest.raises(CameraError, match="segments_s"):
        DemoCamera(clip, tmp_path, "lane").prepare()
    clip.with_suffix(".expected.json").write_text('{"segments_s": {"empty": [0, 0.5]}}', encoding="utf-8")
    with pytest.raises(CameraError, match="segments_s"):
        DemoCamera(clip, tmp_path, "lane").prepare()


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    server = RtspServer(tmp_path, free_port())
    server.start()
    try:
        with pytest.raises(CameraError, match="is taken"):
            RtspServer(tmp_path, server._port).start()
    finally:
        server.stop()
