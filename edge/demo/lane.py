"""One lane of the demo's world: what its camera shows, its boom and loops, and the vehicles that come, one after the
other.

The camera's picture and the loops tell one story: the vehicle on video stands at the boom for as long as the
simulated one does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count, cycle
from pathlib import Path

from edge import resources
from edge.demo.camera import DemoCamera
from edge.demo.guard import Panel
from edge.demo.platform import declare, visit
from firmware_io.sim import SimBoard
from firmware_io.sim_world import SimVehicle, World

POLL_S = 0.1
GAP_S = 2.0
LEAVE_AFTER_S = 2.0
"""How long a driver who was turned away needs to understand."""


@dataclass(frozen=True, slots=True)
class Show:
    lane: str
    name_vi: str
    name_en: str
    place: str
    direction: str
    guarded: bool
    clips: tuple[str, ...]


SHOWS = (
    Show(
        "b1-out",
        "Barie 01 – chiều ra",
        "Barrier 1 – outbound",
        "b1",
        "out_of_area",
        True,
        ("b1-out-vn-two-line", "b1-out-undeclared"),
    ),
    Show(
        "yard-in",
        "Bãi – cổng vào",
        "Yard – entry",
        "yard_in",
        "in",
        False,
        ("yard-in-cn-yellow",),
    ),
)


class LaneWorld:
    """The road, the boom and the camera of one lane."""

    def __init__(self, show: Show, folder: Path) -> None:
        self.show = show
        self._last = False
        self._number = count(1)
        videos = resources.sample_videos()
        self.cameras = {clip: DemoCamera(videos / f"{clip}.mp4", folder / "video", show.lane) for clip in show.clips}
        for camera in self.cameras.values():
            camera.prepare()
        self.visits = {clip: visit(clip) for clip in show.clips}
        next(iter(self.cameras.values())).show("empty")
        self.world = World()
        self.board = SimBoard(self.world, link=folder / f"board-{show.lane}")
        self.board.start()

    def close(self) -> None:
        self.board.close()

    def last_visit(self) -> None:
        """No more vehicles after the one that is here."""
        self._last = True

    async def play(self, panel: Panel, declarations: Path) -> None:
        """Vehicles come and go until `last_visit`."""
        for clip in cycle(self.show.clips):
            await asyncio.sleep(GAP_S)
            if self._last:
                return
            declared = self.visits[clip]
            published = declare(declared, declarations, next(self._number)) if declared else None
            try:
                await self._visit(self.cameras[clip], panel)
            finally:
                if published:
                    published.unlink(missing_ok=True)

    async def _visit(self, camera: DemoCamera, panel: Panel) -> None:
        self.world.arrive(SimVehicle())
        await camera.play("approach")
        turned_away_s = 0.0
        while self._phase() not in ("passing", "gone"):
            await asyncio.sleep(POLL_S)
            if await self._turned_away(panel):
                turned_away_s += POLL_S
            if turned_away_s > LEAVE_AFTER_S:
                self.world.leave()
                break
        await camera.play("depart" if self._phase() == "passing" else "empty")
        while self._phase() != "gone":
            await asyncio.sleep(POLL_S)

    def _phase(self) -> str:
        vehicle = self.world.state().vehicle
        return vehicle.phase if vehicle else "gone"

    async def _turned_away(self, panel: Panel) -> bool:
        passage = (await panel.view(self.show.lane))["passage"]
        return passage is not None and passage["state"] == "turned_away"


def write_config(
    folder: Path, worlds: Sequence[LaneWorld], port: int, mqtt_port: int, rtsp_port: int, *, keep_s: int = 3_600
) -> Path:
    """The agent's own config for this world, checked as strictly as a site's. `keep_s`: how long events stay here once
    the centre has them; the screen's history is made of these."""
    lanes = "\n".join(_lane_toml(world, rtsp_port) for world in worlds)
    path = folder / "gate.toml"
    path.write_text(
        f"""\
[site]
id = "demo"
name = {{ vi = "Cửa khẩu mẫu", en = "Demo gate" }}
data_dir = "{folder / "agent"}"

[panel]
port = {port}
sign_in = "demo"

[mqtt]
host = "127.0.0.1"
port = {mqtt_port}
client_id = "barie-demo-{{random}}"

[store]
keep_acknowledged_s = {keep_s}
{lanes}""",
        encoding="utf-8",
    )
    return path


def _lane_toml(world: LaneWorld, rtsp_port: int) -> str:
    show = world.show
    return f"""
[[lane]]
id = "{show.lane}"
name = {{ vi = "{show.name_vi}", en = "{show.name_en}" }}
place = "{show.place}"
direction = "{show.direction}"
simulated = true
match_after_s = 20.0

[[lane.camera]]
id = "{show.lane}-front"
url = "rtsp://127.0.0.1:{rtsp_port}/{show.lane}.mp4"

[lane.board]
kind = "modbus_rtu"
profile = "waveshare-8ch"
port = "{world.board.port}"
inputs = {{ presence = 1, safety_loop = 2, photocell = 3, limit_open = 4, limit_closed = 5 }}
outputs = {{ open = 1, close = 2, stop = 3 }}

[lane.barrier]
skeletal = false
"""
