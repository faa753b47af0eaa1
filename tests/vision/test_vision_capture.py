"""Cameras as they are: silent, refusing, gone; and clips on their own time."""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from edge.demo.camera import RtspServer, cut
from edge.errors import CameraError
from edge.ports import Frame, Image
from edge.technician.free_port import free_port
from edge.vision.capture import CameraSource, SourceState, clip_frames
from tests.vision.world import SAMPLES

CLIP = SAMPLES / "yard-in-cn-yellow.mp4"

pytestmark = pytest.mark.vision


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A server that takes every connection and never says a word."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(8)
        held: list[socket.socket] = []

        def take() -> None:
            try:
                while True:
                    held.append(listener.accept()[0])
            except OSError:
                return

        threading.Thread(target=take, daemon=True).start()
        yield int(listener.getsockname()[1])
        listener.shutdown(socket.SHUT_RDWR)
        for one in held:
            one.close()


def wait(condition: Callable[[], bool], within_s: float = 30.0) -> float:
    began_s = time.monotonic()
    while not condition():
        assert time.monotonic() - began_s < within_s, "never came true"
        time.sleep(0.02)
    return time.monotonic() - began_s


def state_of(source: CameraSource) -> SourceState:
    return source.health().state


def test_a_silent_camera_is_down_within_three_seconds(silent_port: int, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    source = CameraSource(f"rtsp://guard:s3cret@127.0.0.1:{silent_port}/x")
    assert state_of(source) == "connecting"
    assert wait(lambda: state_of(source) == "down") < 3.0
    wait(lambda: source.health().why == "no answer in time")
    source.close()
    assert "s3cret" not in caplog.text
    assert source.take(0.0) is None


def test_newest_frame_wins_and_the_rest_is_counted(tmp_path: Path) -> None:
    cut(CLIP, tmp_path / "cam.mp4", 0.96, 4.8)
    server = RtspServer(tmp_path, free_port())
    server.start()
    source = CameraSource(server.url("cam"))
    try:
        wait(lambda: source.health().frames_in >= 10)
        frame = source.take(1.0)
        assert frame is not None
        assert frame.image.shape == (720, 1280, 3)
        assert frame.number >= 10
        health = source.health()
        assert (health.state, health.dropped) == ("up", frame.number - 1)
        assert frame.captured_mono_ns <= time.monotonic_ns()
    finally:
        source.close()
        server.stop()


def test_a_clip_runs_on_its_own_time() -> None:
    frames = [(frame.number, frame.captured_mono_ns) for frame in clip_frames(CLIP)]
    assert frames == [(i + 1, round(i * 0.08 * 1e9)) for i in range(144)]


@pytest.mark.parametrize("content", [b"", b"no video at all" * 100])
def test_a_file_that_is_no_clip_says_so(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bad.mp4"
    path.write_bytes(content)
    with pytest.raises(CameraError, match=r"bad\.mp4"):
        list(clip_frames(path))


def test_a_cut_must_begin_on_a_key_frame(tmp_path: Path) -> None:
    with pytest.raises(CameraError, match="key frame"):
        cut(CLIP, tmp_path / "x.mp4", 1.2, 2.4)
    with pytest.raises(CameraError, match="nothing between"):
        cut(CLIP, tmp_path / "x.mp4", 50, 60)


def test_colour_is_made_once_however_many_threads_ask() -> None:
    """FFmpeg's converter never comes back where two threads use it on one picture."""
    made: list[int] = []
    both_ask = threading.Barrier(2)

    def make() -> Image:
        made.append(threading.get_ident())
        time.sleep(0.2)  # long enough for the other one to get here, were it let in
        return np.zeros((4, 4, 3), np.uint8)

    frame = Frame(make, 1, 0, "")

    def ask() -> None:
        both_ask.wait(30)
        assert frame.image.shape == (4, 4, 3)

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(made) == 1
