"""How long no camera of a lane has given a picture (`device_fault_after_s` is counted against it): a real camera
process under the gate's own supervisor, on a real stream that is covered, hangs, and comes back."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack

import pytest

from edge import clock
from edge.agent.cameras.supervisor import CameraProcess
from edge.agent.watch.health import cameras_failed_s
from tests.harness.camera.hostile import HostileCamera

pytestmark = pytest.mark.vision


@pytest.fixture
def camera() -> Iterator[HostileCamera]:
    server = HostileCamera()
    yield server
    server.close()


class Watched:
    """Two cameras of one lane and what its health says of them."""

    def __init__(self, camera: HostileCamera) -> None:
        self.processes = {
            name: CameraProcess(
                name,
                {"camera": name, "url": camera.url(name), "reader": "rapidocr", "threads": 1},
                lambda *_: None, lambda *_: None, lambda: None,
            )
            for name in ("front", "rear")
        }  # fmt: skip

    def failed_s(self) -> float:
        return cameras_failed_s(self.processes.values())

    def state(self, name: str) -> str:
        return self.processes[name].view.seen(clock.mono_s())[0]

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(60):
            while not condition():
                await asyncio.sleep(0.02)

    async def begin(self, stack: AsyncExitStack) -> None:
        for process in self.processes.values():
            task = asyncio.create_task(process.run())
            stack.push_async_callback(asyncio.wait_for, task, 10)
            stack.push_async_callback(process.stop)
        await self.until(lambda: {self.state("front"), self.state("rear")} == {"up"})


def test_a_fault_lasts_from_its_first_moment_whatever_it_is_called_and_ends_with_one_picture(
    camera: HostileCamera,
) -> None:
    async def story() -> None:
        async with AsyncExitStack() as stack:
            lane = Watched(camera)
            assert lane.failed_s() == 0, "a camera that only starts has not failed"
            await lane.begin(stack)
            assert lane.failed_s() == 0

            camera.moods["front"] = "covered"
            await lane.until(lambda: lane.state("front") == "blind")
            front = lane.processes["front"].view
            assert front.failed_s(clock.mono_s()) > 0
            assert lane.failed_s() == 0, "the other camera still sees who stands there"

            camera.moods["rear"] = "hang"
            await lane.until(lambda: lane.state("rear") == "down")
            since_s = front.failed_since_s
            assert since_s is not None
            assert lane.processes["rear"].view.failed_since_s is not None
            shorter_s = lane.processes["rear"].view.failed_s(clock.mono_s())
            assert shorter_s <= lane.failed_s() < front.failed_s(clock.mono_s()), "as long as the last that went"

            camera.moods["front"] = "hang"
            await lane.until(lambda: lane.state("front") == "down")
            assert front.failed_since_s == since_s, "blind, then down: one fault, counted from its beginning"

            camera.moods["rear"] = "good"
            await lane.until(lambda: lane.state("rear") == "up")
            assert lane.failed_s() == 0, "at once, though the other is still gone"
            assert front.failed_s(clock.mono_s()) > 0

    asyncio.run(story())


def test_a_fault_goes_on_while_a_killed_camera_process_is_started_again(camera: HostileCamera) -> None:
    async def story() -> None:
        async with AsyncExitStack() as stack:
            lane = Watched(camera)
            await lane.begin(stack)
            for name in lane.processes:
                camera.moods[name] = "covered"
            await lane.until(lambda: {lane.state("front"), lane.state("rear")} == {"blind"})
            view = lane.processes["front"].view
            since_s, born = view.failed_since_s, lane.processes["front"].pid
            assert born is not None

            os.kill(born, signal.SIGKILL)
            await lane.until(lambda: lane.processes["front"].pid not in (None, born) and lane.state("front") == "down")
            assert view.failed_since_s == since_s
            assert lane.failed_s() > 0

    asyncio.run(story())
