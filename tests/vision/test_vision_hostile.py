"""A camera that hangs, freezes, floods, changes size, sends garbage, closes: seen within 3 s, shown, recovered from."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from functools import partial

import av
import pytest
from av.codec.context import Flags

from edge.agent.cameras.supervisor import CameraProcess
from edge.vision.capture import FLOOD_S, FPS_MOST, CameraSource, Pace
from edge.vision.pictures import prepare
from tests.harness.camera.faults import FAULTS, SEEN_WITHIN_S, run
from tests.harness.camera.hostile import SIZES, HostileCamera, Mood, encoded, huge_header
from tests.vision.test_vision_capture import wait

STORY: tuple[tuple[Mood, str, str], ...] = (
    ("freeze", "frozen", "no new picture"),
    ("close", "down", "the stream ended"),
)

pytestmark = [pytest.mark.vision, pytest.mark.slow]


@pytest.fixture
def camera() -> Iterator[HostileCamera]:
    server = HostileCamera()
    yield server
    server.close()


def test_every_fault_is_seen_in_time_and_recovered_from(caplog: pytest.LogCaptureFixture) -> None:
    """The short form of `scripts/cameras`: each fault twice."""
    moods = [mood for mood in FAULTS if mood != "flood"]
    report = run(2 * len(moods), moods, at_once=8)
    assert report.missed == []
    assert {mood: len(times) for mood, times in report.back_s.items()} == dict.fromkeys(moods, 2)
    assert max(max(times) for times in report.seen_s.values()) <= SEEN_WITHIN_S + 0.3
    said = " ".join(report.whys)
    for shown in ("freeze: frozen", "hang: down", "close: down: the stream ended", "resize: up", "clock: up"):
        assert shown in said


def test_a_flood_is_slowed_down_and_then_given_up() -> None:
    pace, now_s, waits = Pace(), 100.0, []
    while not pace.flooded:
        waits.append(pace.wait_s(now_s))
        now_s += max(waits[-1], 0.001)
        assert now_s < 102, "never seen"
    assert now_s - 100.0 > FLOOD_S
    assert len(waits) <= FPS_MOST * (FLOOD_S + 0.1) + 2
    calm = Pace()
    assert [calm.wait_s(100 + i / 25) for i in range(100)] == [0.0] * 100
    assert not calm.flooded


def test_a_claim_of_67_million_pixels_costs_no_memory(camera: HostileCamera) -> None:
    """The decoder is told how much is enough; one that nobody told believes it and makes pictures of 100 MB."""
    _, *rest = encoded(SIZES["main"], 0)[0]
    claim = av.Packet(b"".join(b"\0\0\0\1" + unit for unit in (huge_header(), *rest)))
    ours, bare = (av.CodecContext.create("h264", "r") for _ in range(2))
    assert isinstance(ours, av.VideoCodecContext)
    assert isinstance(bare, av.VideoCodecContext)
    prepare(ours)
    with pytest.raises(av.FFmpegError):
        ours.decode(claim)
    bare.thread_count = 1
    bare.flags |= Flags.low_delay
    assert [picture.width for picture in bare.decode(claim)] == [8192]
    camera.moods["huge"] = "huge"
    source = CameraSource(camera.url("huge"))
    try:
        wait(lambda: source.health().state == "down")
        assert source.take(0.0) is None
    finally:
        source.close()


def shows(process: CameraProcess, state: str, why: str) -> bool:
    return process.view.state == state and why in process.view.detail


def test_the_guard_is_shown_what_is_wrong_and_that_it_is_over(
    camera: HostileCamera, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """A real camera process under the gate's own supervisor; the password in its URL is nowhere to be read."""
    caplog.set_level(logging.DEBUG)
    settings = {"camera": "front", "url": camera.url("one", "guard:s3cret"), "reader": "rapidocr", "threads": 1}
    seen: list[tuple[str, str]] = []

    async def story() -> None:
        process = CameraProcess("front", settings, lambda *_: None, lambda *_: None, lambda: None)
        running = asyncio.create_task(process.run())

        async def until(condition: Callable[[], bool]) -> None:
            async with asyncio.timeout(60):
                while not condition():
                    await asyncio.sleep(0.02)

        await until(lambda: process.view.state == "up")
        for mood, state, why in STORY:
            camera.moods["one"] = mood
            await until(partial(shows, process, state, why))
            seen.append((process.view.state, process.view.detail))
            camera.moods["one"] = "good"
            await until(lambda: process.view.state == "up" and not process.view.detail)
        await process.stop()
        await running

    asyncio.run(story())
    assert [state for state, _ in seen] == ["frozen", "down"]
    out = capfd.readouterr()
    assert "s3cret" not in caplog.text + out.out + out.err + repr(seen)
