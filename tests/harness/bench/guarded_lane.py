"""One whole guarded lane for benchmarks: RTSP camera, broker, board and boom, and the real gate process beside them."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from edge.demo import lane as demo_lane
from edge.demo.camera import RtspServer
from edge.demo.guard import Panel
from edge.demo.lane import LaneWorld
from edge.errors import BarieError
from edge.technician.free_port import free_port
from edge.vision.loop import PHOTO_WIDTH_PX, crop_of, jpeg
from tests.harness.bench.live import READY_WITHIN_S, plate_frame, show, until
from tests.harness.broker_process import any_broker

ENDS_WITHIN_S = 5.0


class House:
    """`do` asks the gate process (bench_gate.BenchGate.do); `panel` is the screen over HTTP."""

    def __init__(
        self, folder: Path, lane: LaneWorld, rtsp: RtspServer, port: int, gate: subprocess.Popen[bytes]
    ) -> None:
        self.folder, self.lane, self.rtsp, self.port, self.gate = folder, lane, rtsp, port, gate
        self.name = lane.show.lane
        self.panel = Panel(port)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/lane/{self.name}"

    def do(self, **asked: str) -> dict[str, Any]:
        """One request to the gate process and its answer. Raises BarieError where it has ended."""
        assert self.gate.stdin is not None
        assert self.gate.stdout is not None
        try:
            self.gate.stdin.write(json.dumps(asked).encode() + b"\n")
            self.gate.stdin.flush()
        except BrokenPipeError as error:
            raise self._ended() from error
        line = self.gate.stdout.readline()
        if not line:
            raise self._ended()
        return json.loads(line)  # type: ignore[no-any-return]

    def view(self) -> dict[str, Any]:
        return json.loads(self.panel.fetch(f"/lane/{self.name}/view.json"))  # type: ignore[no-any-return]

    def passage(self) -> dict[str, Any]:
        """The passage on the screen; empty where there is none."""
        return self.view()["passage"] or {}

    def ages_ms(self) -> list[float]:
        """Of the cameras' own readings since last asked: how old the frame was when the reading came."""
        return [float(age) for age in self.do(ages="")["ages_ms"]]

    def up(self) -> bool:
        if self.gate.poll() is not None:
            raise self._ended()
        return not asyncio.run(self.panel.missing([self.name]))

    def _ended(self) -> BarieError:
        words = (self.folder / "gate.log").read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return BarieError(f"bench: the gate process ended: {words[-1] if words else 'it said nothing'}")


@contextmanager
def house(
    folder: Path, clips: Sequence[str] = (), *, large: bool = False, reader: str | None = None
) -> Iterator[House]:
    """The lane with its cameras up and its boom known: one camera on an empty lane, or one for each of these sample
    clips, which play in a loop; `large` as 1080p cameras would send them. Raises BarieError."""
    with ExitStack() as ends:
        broker = any_broker(folder)
        broker.start()
        ends.callback(broker.stop)
        rtsp = RtspServer(folder / "video", free_port())
        lane = LaneWorld(demo_lane.SHOWS[0], folder)
        ends.callback(lane.close)
        rtsp.start()
        ends.callback(rtsp.stop)
        port = free_port()
        rtsp_port = int(rtsp.url("").rpartition(":")[2].partition("/")[0])
        config = demo_lane.write_config(folder, [lane], port, broker.port, rtsp_port)
        for number, clip in enumerate(clips):
            name = f"{lane.show.lane}-{number}" if number else lane.show.lane
            show(clip, folder / "video", name, large=large)
            if number:
                _add_camera(config, name, rtsp.url(name))
        if reader is not None:
            with config.open("a", encoding="utf-8") as file:
                file.write(f'\n[vision]\nreader = "{reader}"\n')
        one = House(folder, lane, rtsp, port, _start(folder, config))
        ends.callback(_end, one.gate)
        until(one.up, "the gate process, its camera and its board", READY_WITHIN_S)
        yield one


def _add_camera(config: Path, name: str, url: str) -> None:
    with config.open("a", encoding="utf-8") as file:
        file.write(f'\n[[lane.camera]]\nid = "{name}"\nurl = "{url}"\n')


def _start(folder: Path, config: Path) -> subprocess.Popen[bytes]:
    image, _ = plate_frame()
    (folder / "photo.jpg").write_bytes(jpeg(image, PHOTO_WIDTH_PX, 80))
    (folder / "crop.jpg").write_bytes(jpeg(crop_of(image, (600, 480, 700, 540)), PHOTO_WIDTH_PX, 90))
    command = [sys.executable, "-m", "tests.harness.bench.gate", str(config)]
    with (folder / "gate.log").open("wb") as log:
        return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log)


def _end(gate: subprocess.Popen[bytes]) -> None:
    assert gate.stdin is not None
    gate.stdin.close()
    try:
        gate.wait(ENDS_WITHIN_S)
    except subprocess.TimeoutExpired:
        gate.kill()
        gate.wait()
