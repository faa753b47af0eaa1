"""A real vision process on a real RTSP stream: pictures, a reading, a lost camera, a lost gate process."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.core.camera.measured_plate import sight_from
from edge.core.model import Reading
from edge.demo.camera import DemoCamera, RtspServer
from edge.technician.free_port import free_port
from edge.vision import messages
from edge.vision.settings import Settings, settings_from
from tests.vision.world import SAMPLES, WorkerProcess

CLIP = SAMPLES / "b1-out-vn-two-line.mp4"
PLENTY_S = 60.0
"""A deadline against hanging, not a speed: the machine that runs the tests may be busy."""

pytestmark = [pytest.mark.vision, pytest.mark.slow]


@pytest.fixture
def camera(tmp_path: Path) -> DemoCamera:
    camera = DemoCamera(CLIP, tmp_path, "b1")
    camera.prepare()
    camera.show("stand")
    return camera


@pytest.fixture
def server(tmp_path: Path, camera: DemoCamera) -> Iterator[RtspServer]:
    server = RtspServer(tmp_path, free_port())
    server.start()
    yield server
    server.stop()


def is_decided(message: messages.Message) -> bool:
    return message.kind == "reading" and messages.reading_from_fields(message.fields).decided


def check_reading(reading: Reading, photo: bytes, crop: bytes) -> None:
    """Text and place are right, and the photo is the very frame: the plate stands in it where the box says."""
    assert reading.read.plate.text == "12C12345"
    assert (reading.read.plate.layout, reading.frame_size) == ("two_line", (1280, 720))
    picture = cv2.imdecode(np.frombuffer(photo, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    assert picture.shape == (720, 1280, 3)
    x1, y1, x2, y2 = (int(v) for v in reading.read.box)
    blue, _, red = picture[y1:y2, x1:x2].reshape(-1, 3).mean(axis=0)
    assert red > blue + 60  # the yellow sheet
    small = cv2.imdecode(np.frombuffer(crop, np.uint8), cv2.IMREAD_COLOR)
    assert small is not None
    assert x2 - x1 <= small.shape[1] <= 2 * (x2 - x1)


def test_one_camera_from_start_to_loss_and_back(camera: DemoCamera, server: RtspServer) -> None:
    with WorkerProcess(server.url("b1")) as worker:
        hello = worker.until(lambda m: m.kind == "hello", PLENTY_S)
        assert (hello.fields["camera"], hello.fields["pid"]) == ("front", worker.process.pid)
        frame = worker.until(lambda m: m.kind == "frame", PLENTY_S)
        live = cv2.imdecode(np.frombuffer(frame.attachments[0], np.uint8), cv2.IMREAD_COLOR)
        assert live is not None
        assert (live.shape, frame.fields["size"]) == ((360, 640, 3), [1280, 720])

        decided = worker.until(is_decided, PLENTY_S)
        check_reading(messages.reading_from_fields(decided.fields), *decided.attachments)

        camera.show("empty")
        gone = worker.until(lambda m: m.kind == "gone", PLENTY_S)
        assert gone.fields["track"] == decided.fields["track"]

        killed_s = time.monotonic()
        server.stop()
        lost = worker.until(lambda m: m.kind == "error", PLENTY_S)
        assert lost.fields["part"] == "camera"
        assert time.monotonic() - killed_s < 3.0  # promised to the guard, busy machine or not

        server.start()
        back_ns = time.monotonic_ns()
        worker.until(lambda m: m.kind == "frame" and m.fields["captured_mono_ns"] > back_ns, PLENTY_S)
        up = worker.until(lambda m: m.kind == "health" and m.fields["state"] == "up", PLENTY_S)
        assert up.fields["reader"] == "ready"

        worker.sock.close()
        assert worker.process.wait(timeout=5) == 0


def test_an_unknown_reader_is_an_error_while_pictures_go_on(server: RtspServer) -> None:
    with WorkerProcess(server.url("b1"), reader="tea-leaves") as worker:
        failed = worker.until(lambda m: m.kind == "error", PLENTY_S)
        assert failed.fields["part"] == "model"
        assert "tea-leaves" in failed.fields["text"]
        worker.until(lambda m: m.kind == "frame", PLENTY_S)
        health = worker.until(lambda m: m.kind == "health", PLENTY_S)
        assert health.fields["reader"].startswith("failed")


def test_no_camera_is_said_and_no_password_is_written() -> None:
    port = free_port()
    with WorkerProcess(f"rtsp://guard:s3cret@127.0.0.1:{port}/b1.mp4") as worker:
        lost = worker.until(lambda m: m.kind == "error", PLENTY_S)
        worker.until(lambda m: m.kind == "health" and m.fields["state"] == "down", PLENTY_S)
        worker.process.terminate()
        worker.process.wait(timeout=5)
        told = worker.log() + repr(worker.messages) + lost.fields["text"]
        assert "Connection refused" in told
        assert "s3cret" not in told


PARENT = """
import socket, subprocess, sys, time
ours, theirs = socket.socketpair()
command = [sys.executable, "-m", "edge.vision.worker", "--fd", str(theirs.fileno())]
worker = subprocess.Popen(command, pass_fds=[theirs.fileno()])
theirs.close()
from edge.vision import messages as link
link.send(ours, "settings", {"camera": "front", "url": "rtsp://127.0.0.1:1/none"})
while ours.recv(1 << 16):  # it lives and speaks
    print(worker.pid, flush=True)
    time.sleep(60)
"""


def lives(process: Path) -> bool:
    try:
        return (process / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_gate_process_that_is_killed_leaves_no_orphan() -> None:
    parent = subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    worker = Path("/proc") / parent.stdout.readline().strip()
    assert worker.is_dir()
    parent.kill()
    parent.wait()
    parent.stdout.close()
    deadline_s = time.monotonic() + PLENTY_S
    while lives(worker):
        assert time.monotonic() < deadline_s, "the worker outlived its parent"
        time.sleep(0.05)


def test_wrong_settings_are_refused_by_name() -> None:
    with WorkerProcess("rtsp://guard:s3cret@127.0.0.1/b1", colour="red") as worker:
        refused = worker.until(lambda m: m.kind == "error", PLENTY_S)
        assert refused.fields["part"] == "settings"
        assert "colour" in refused.fields["text"]
        assert "s3cret" not in refused.fields["text"]
        assert worker.process.wait(timeout=10) == 2


@pytest.mark.parametrize(("born", "works"), [(-10, 0), (0, 0), (15, 15)])
def test_a_camera_process_steps_back_behind_the_gate_that_started_it(born: int, works: int) -> None:
    try:
        worker = WorkerProcess("rtsp://127.0.0.1:9/", born=born)
    except subprocess.SubprocessError:
        pytest.skip("this account may not raise its priority")
    with worker:
        worker.until(lambda m: m.kind == "hello", PLENTY_S)
        assert os.getpriority(os.PRIO_PROCESS, worker.process.pid) == works


def test_settings_from_json() -> None:
    region = [[0.1, 0.2], [1, 0.2], [1, 1]]
    fields = {"camera": "c", "url": "rtsp://h/", "region": region, "reader": "rapidocr", "threads": 1}
    assert settings_from(fields) == Settings("c", "rtsp://h/", ((0.1, 0.2), (1.0, 0.2), (1.0, 1.0)), "rapidocr", 1)


def test_a_survey_on_request_tells_of_every_plate_of_the_whole_picture(camera: DemoCamera, server: RtspServer) -> None:
    """Also of those beyond the region, and only while somebody asks; the camera is the one that reads nothing there."""
    region = [[0.0, 0.0], [0.2, 0.0], [0.2, 0.2]]
    with WorkerProcess(server.url("b1"), region=region, reader="own") as worker:
        worker.until(lambda m: m.kind == "health" and m.fields["reader"] == "ready", PLENTY_S)
        assert not any(m.kind == "sights" for m in worker.messages)
        messages.send(worker.sock, "survey", {"seconds": 30.0})
        told = worker.until(lambda m: m.kind == "sights" and bool(m.fields["sights"]), PLENTY_S)
        (seen,) = [sight_from(one) for one in told.fields["sights"]]
        assert seen.read
        assert (seen.text, seen.size) == ("12C12345", (1280, 720))
        assert not any(m.kind == "reading" for m in worker.messages)
