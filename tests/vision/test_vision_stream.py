"""Frozen, down and blind told apart by what the stream says; a still night is none of them."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
import pytest

from edge.core.camera.stream import BLIND_S, REPEATS_S, SHOWS_LEAST, UNCHANGED_MOST_S, Arrived, Stream
from edge.vision.capture import CameraSource, clip_frames
from edge.vision.pictures import edges
from tests.harness.camera.hostile import HostileCamera, Mood
from tests.vision.test_vision_capture import wait
from tests.vision.world import SAMPLES

KEY, SKIP = 30_000, 40
PERIOD_S = 0.08


def played(*packets: tuple[float, int, bool, bool, float | None]) -> Stream:
    """(now_s, size_bytes, key, same, stamp_s)"""
    stream = Stream.begun(0.0).looked(1.0, 0.0)
    for now_s, size, key, same, stamp_s in packets:
        stream = stream.came(Arrived(now_s, stamp_s, size, key, same)).looked(1.0, now_s)
    return stream


def test_a_still_night_lane_from_a_smart_codec_is_not_frozen() -> None:
    """Skipped frames for 2.9 s and far longer, up to a key frame in which the sensor's noise is seen again."""
    packets = [(0.0, KEY, True, False, 0.0)]
    for i in range(1, 240):
        key = i % 150 == 0
        now_s = i * PERIOD_S
        packets.append((now_s, KEY if key else SKIP, key, not key, now_s))
        assert played(*packets).sight == "up"


def test_a_camera_that_sends_its_last_picture_again_is_frozen() -> None:
    packets = [(i * PERIOD_S, KEY, True, i > 0, i * PERIOD_S) for i in range(40)]
    assert played(*packets[: round(REPEATS_S / PERIOD_S)]).sight == "up"
    assert played(*packets).sight == "frozen"
    large = [(0.0, KEY, True, False, 0.0), *((i * PERIOD_S, 4000, False, True, i * PERIOD_S) for i in range(1, 40))]
    assert played(*large).sight == "frozen"


def test_skipped_frames_whose_time_stands_still_are_no_sign_of_life() -> None:
    packets = [(0.0, KEY, True, False, 0.0), *((i * PERIOD_S, SKIP, False, True, 0.0) for i in range(1, 40))]
    assert played(*packets).sight == "frozen"
    without = [(0.0, KEY, True, False, None), *((i * PERIOD_S, SKIP, False, True, None) for i in range(1, 40))]
    assert played(*without).sight == "up"  # a camera that stamps nothing is not held to it


def test_a_dead_sensor_behind_a_live_encoder_is_frozen_after_half_a_minute() -> None:
    """Its key frames too are all the same."""
    packets = [(0.0, KEY, True, False, 0.0)]
    packets += [(i * PERIOD_S, KEY if i % 25 == 0 else SKIP, i % 25 == 0, True, i * PERIOD_S) for i in range(1, 400)]
    at_s = 399 * PERIOD_S
    assert at_s > UNCHANGED_MOST_S
    assert played(*packets[:300]).sight == "up"
    assert played(*packets).sight == "frozen"


def test_blind_is_held_for_a_time_and_over_with_the_first_picture_that_shows_something() -> None:
    stream = Stream.begun(0.0).looked(0.3, 0.0)
    for i in range(1, 40):
        stream = stream.came(Arrived(i * PERIOD_S, i * PERIOD_S, 900, key=False, same=False)).looked(0.0, i * PERIOD_S)
        assert stream.sight == ("up" if i * PERIOD_S <= BLIND_S else "blind")
    assert stream.looked(0.3, 3.2).sight == "up"


@pytest.mark.parametrize("level", [0, 5, 60, 128, 250, 255])
def test_a_covered_lens_a_black_and_a_white_picture_show_nothing(level: int) -> None:
    """With a sensor's noise, light that leaks in at one side, and the clock that the camera writes."""
    noise = np.random.default_rng(level)
    picture = level + noise.normal(0, 8, (720, 1280)) + np.linspace(0, 40, 1280)[None]
    luma = picture.clip(0, 255).astype(np.uint8)
    cv2.putText(luma, "2026-11-29 07:33:11", (30, 70), cv2.FONT_HERSHEY_SIMPLEX, 1.6, (255,), 3)
    assert edges(luma) < SHOWS_LEAST / 2


@pytest.mark.parametrize("clip", ["b1-out-night", "b1-in-rain", "b1-in-no-plate"])
def test_a_lane_by_night_and_in_rain_shows_something(clip: str) -> None:
    shown = [edges(frame.luma) for frame in clip_frames(SAMPLES / f"{clip}.mp4") if frame.number % 20 == 1]
    assert min(shown) > 0.05


@pytest.fixture
def camera() -> Iterator[HostileCamera]:
    server = HostileCamera()
    yield server
    server.close()


@pytest.mark.vision
@pytest.mark.parametrize(("mood", "state"), [("covered", "blind"), ("white", "blind"), ("freeze", "frozen")])
def test_a_real_stream_says_what_is_wrong_with_its_camera(camera: HostileCamera, mood: Mood, state: str) -> None:
    source = CameraSource(camera.url("one"))
    try:
        wait(lambda: source.health().state == "up")
        camera.moods["one"] = mood
        wait(lambda: source.health().state != "up")
        assert source.health().state == state
        camera.moods["one"] = "good"
        wait(lambda: source.health().state == "up")
    finally:
        source.close()


@pytest.mark.vision
def test_a_real_stream_of_skipped_frames_stays_up(camera: HostileCamera) -> None:
    """From one key frame to the next: 3.2 s of the very same picture."""
    camera.moods["one"] = "still"
    source = CameraSource(camera.url("one"))
    states, same = set(), 0
    last = None
    try:
        wait(lambda: source.health().state == "up")
        until = source.health().frames_in + 90
        while source.health().frames_in < until:
            states.add(source.health().state)
            frame = source.take(0.2)
            if frame is not None:
                luma = frame.luma[::4].copy()
                same = same + 1 if last is not None and np.array_equal(luma, last) else same
                last = luma
    finally:
        source.close()
    assert states == {"up"}
    assert same >= 60  # it was indeed one and the same picture, again and again
