"""RTSP as cameras speak it, by GStreamer's own server: both codecs, both transports, digest login, substreams."""

from __future__ import annotations

import logging
import os
import subprocess
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import pytest

from edge.technician.free_port import free_port
from edge.vision.capture import CameraSource, Transport
from tests.vision.test_vision_capture import wait
from tests.vision.world import SAMPLES, WorkerProcess

PYTHON = "/usr/bin/python3"
SERVER = Path(__file__).parent / "gst_server.py"
CLIP = SAMPLES / "b1-out-vn-two-line.mp4"
HEVC_SIZE = (640, 360)
PASSWORD = "s3cret"
NEEDS = "gir1.2-gst-rtsp-server-1.0 python3-gi gstreamer1.0-plugins-good"


def _can() -> bool:
    try:
        done = subprocess.run([PYTHON, str(SERVER), "--probe"], check=False, capture_output=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


CAN = _can()
if not CAN and os.environ.get("BARIE_REQUIRE_GST") == "1":
    raise RuntimeError(f"BARIE_REQUIRE_GST=1 and there is no GStreamer RTSP server: apt-get install {NEEDS}")
pytestmark = [
    pytest.mark.vision,
    pytest.mark.slow,
    pytest.mark.skipif(not CAN, reason=f"no GStreamer RTSP server: apt-get install {NEEDS}"),
]


class Camera:
    """A server with a main stream in H.264 and a substream in H.265, behind a digest login."""

    def __init__(self, folder: Path) -> None:
        sub = folder / "sub.mp4"
        in_h265(CLIP, sub)
        self.port = free_port()
        streams = [f"Streaming/Channels/101={CLIP}", f"Streaming/Channels/102={sub}:h265"]
        command = [PYTHON, str(SERVER), str(self.port), *streams, "--user", "guard", "--password", PASSWORD]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        assert self.process.stdout.readline().strip() == "ready"

    def url(self, channel: int, password: str = PASSWORD) -> str:
        return f"rtsp://guard:{password}@127.0.0.1:{self.port}/Streaming/Channels/{channel}"

    def close(self) -> None:
        self.process.kill()
        self.process.wait()


def in_h265(clip: Path, into: Path) -> None:
    with av.open(str(clip)) as source, av.open(str(into), "w") as target:
        stream = target.add_stream("libx265", rate=Fraction(25, 2))
        stream.width, stream.height, stream.pix_fmt = *HEVC_SIZE, "yuv420p"
        stream.codec_context.codec_tag = "hvc1"
        stream.options = {"preset": "ultrafast", "x265-params": "log-level=0:keyint=6:pools=1"}
        for number, picture in enumerate(source.decode(source.streams.video[0])):
            if number < 60:
                target.mux(stream.encode(picture.reformat(*HEVC_SIZE, format="yuv420p")))
        target.mux(stream.encode(None))


@pytest.fixture(scope="module")
def camera(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Camera]:
    one = Camera(tmp_path_factory.mktemp("gst"))
    yield one
    one.close()


@pytest.mark.parametrize("transport", ["tcp", "udp"])
@pytest.mark.parametrize(("channel", "shape"), [(101, (720, 1280, 3)), (102, (360, 640, 3))], ids=["h264", "h265"])
def test_each_codec_over_each_transport_behind_a_digest_login(
    camera: Camera, transport: Transport, channel: int, shape: tuple[int, int, int], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    source = CameraSource(camera.url(channel), transport)
    try:
        wait(lambda: source.health().frames_in >= 5, 60)
        frame = source.take(5.0)
        assert frame is not None
        assert frame.image.shape == shape
        assert frame.luma.shape == shape[:2]
        assert abs(float(frame.image.mean()) - float(frame.luma.mean())) < 30  # the same picture, in colour and in grey
        assert frame.captured_mono_ns <= time.monotonic_ns()
    finally:
        source.close()
    assert "s3cret" not in caplog.text


def test_a_camera_that_ends_its_stream_is_called_again(camera: Camera) -> None:
    """Each call plays the clip once: more frames than it has can only come from a second call."""
    source = CameraSource(camera.url(102))
    try:
        wait(lambda: source.health().frames_in > 70, 60)
        assert wait(lambda: source.health().state == "up") < 30
    finally:
        source.close()


def test_a_wrong_password_is_named_and_never_written(camera: Camera) -> None:
    with WorkerProcess(camera.url(101, "wr0ng")) as worker:
        lost = worker.until(lambda m: m.kind == "error" and "401" in m.fields["text"], 60)
        worker.process.terminate()
        worker.process.wait(timeout=10)
        told = worker.log() + repr(worker.messages) + lost.fields["text"]
    assert "Unauthorized" in told
    assert "wr0ng" not in told
    assert "guard:" not in told
