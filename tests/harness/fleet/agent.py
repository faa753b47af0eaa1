"""One real agent among the simulated gates of the fleet's run: the whole gate process with its camera's process, its
board and its screen, on the fleet's broker and site."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from edge.demo import lane as demo_lane
from edge.demo.camera import RtspServer
from edge.demo.lane import LaneWorld
from edge.errors import BarieError
from edge.store.db import NAME
from edge.technician.free_port import free_port
from edge.vision.loop import PHOTO_WIDTH_PX, crop_of, jpeg
from tests.harness.bench.live import memory_mb, plate_frame, tree, until
from tests.harness.broker_process import end_with_parent

PLATE = "12C12345"
ENDS_WITHIN_S = 5.0


class FleetAgent:
    """`vehicle` lets one be read and leave again, photos and all."""

    def __init__(self, process: subprocess.Popen[bytes], data_dir: Path, lane: str) -> None:
        self.process, self._database, self.lane = process, data_dir / NAME, lane

    @property
    def pid(self) -> int:
        return self.process.pid

    def memory_mb(self) -> float:
        """Of the gate process and its camera's process, shared pages counted once."""
        return round(memory_mb(tree(self.pid))[1], 1)

    def made(self) -> int:
        return self._number("next_seq - 1")

    def waiting(self) -> int:
        return self._number("next_seq - 1 - acked_seq")

    def ready(self) -> bool:
        """It has its record, and its first events are with the centre."""
        if self.process.poll() is not None:
            raise BarieError("the fleet's agent ended at its start")
        return self._database.exists() and self.made() > 0

    def vehicle(self) -> None:
        self._do({"read": PLATE})
        self._do({"gone": ""})

    def _number(self, what: str) -> int:
        with closing(sqlite3.connect(self._database)) as connection:
            try:
                row = connection.execute(f"SELECT {what} FROM lane WHERE lane = ?", (self.lane,)).fetchone()  # noqa: S608
            except sqlite3.OperationalError:  # not made yet
                return 0
        return int(row[0]) if row else 0

    def _do(self, asked: dict[str, str]) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(asked).encode() + b"\n")
        self.process.stdin.flush()
        self.process.stdout.readline()


@contextmanager
def fleet_agent(folder: Path, site: str, mqtt_port: int) -> Iterator[FleetAgent]:
    """Ready; in `folder`, which it makes. Raises BarieError."""
    folder.mkdir()
    with ExitStack() as ends:
        lane = LaneWorld(demo_lane.SHOWS[0], folder)
        ends.callback(lane.close)
        rtsp = RtspServer(folder / "video", free_port())
        rtsp.start()
        ends.callback(rtsp.stop)
        rtsp_port = int(rtsp.url("").rpartition(":")[2].partition("/")[0])
        config = demo_lane.write_config(folder, [lane], free_port(), mqtt_port, rtsp_port)
        ours = config.read_text(encoding="utf-8").replace('id = "demo"', f'id = "{site}"', 1)
        config.write_text(ours, encoding="utf-8")
        image, _ = plate_frame()
        (folder / "photo.jpg").write_bytes(jpeg(image, PHOTO_WIDTH_PX, 80))
        (folder / "crop.jpg").write_bytes(jpeg(crop_of(image, (600, 480, 700, 540)), PHOTO_WIDTH_PX, 90))
        one = FleetAgent(_start(config), folder / "agent", lane.show.lane)
        ends.callback(_end, one.process)
        until(one.ready, "the fleet's agent")
        yield one


def _start(config: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.harness.bench.gate", str(config)]
    return subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        preexec_fn=end_with_parent,  # noqa: PLW1509
    )


def _end(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin is not None
    process.stdin.close()
    try:
        process.wait(ENDS_WITHIN_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
