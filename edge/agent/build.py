"""The one place where a lane is built: barrier, cameras, actor, health and desk, each given all that it needs.

Nothing is joined afterwards from outside, and nothing on the way to an opening has a default that does nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from edge import clock
from edge.agent.actions.desk import LaneActions, lane_presses
from edge.agent.actions.press import Presses
from edge.agent.cameras.supervisor import CameraProcess, tell
from edge.agent.cameras.worker_settings import camera_settings
from edge.agent.lane import boom_memory
from edge.agent.lane.lane import LaneActor, LaneParts
from edge.agent.lane.lane_journal import LaneJournal
from edge.agent.lane.law import Law
from edge.agent.lane.yard import Yard
from edge.agent.watch.health import GateHealth, LinkState, cameras_failed_s
from edge.config import LaneConfig, VisionConfig
from edge.core.camera.eyesight import Trend
from edge.core.plate.table import PlateTable
from edge.core.view import GateView
from edge.store import Store
from firmware_io.boards import open_board
from firmware_io.loop import BarrierLoop
from firmware_io.safety import Memory, Notice


@dataclass(frozen=True, slots=True)
class GateParts:
    """What every lane of one gate is joined to. `notify` and `remember` are called on the barrier's thread, with the
    lane; `presses`: the whole gate's, answered at each lane; `of_gate`: what a lane's view says of the gate."""

    store: Store
    law: Law
    plates: PlateTable
    vision: VisionConfig
    yard: Yard | None
    notify: Callable[[str, Notice], None]
    remember: Callable[[str, Memory], None]
    link: Callable[[], LinkState]
    copy_age_s: Callable[[], float | None]
    trends: Callable[[str], Sequence[Trend]]
    presses: Callable[[LaneActor], Sequence[Presses]]
    of_gate: Callable[[], GateView]


@dataclass(frozen=True, slots=True)
class BuiltLane:
    barrier: BarrierLoop
    cameras: Mapping[str, CameraProcess]
    actor: LaneActor
    health: GateHealth
    desk: LaneActions


def build_lane(config: LaneConfig, journal: LaneJournal, parts: GateParts) -> BuiltLane:
    barrier = BarrierLoop(
        config.id,
        lambda: open_board(config.board),
        config.barrier,
        lambda notice: parts.notify(config.id, notice),
        clock=clock.mono_s,
        realtime=True,
        remembered=boom_memory.remembered(parts.store, config.id),
        remember=lambda memory: parts.remember(config.id, memory),
        held=boom_memory.hold(parts.store, config.id) is not None,
    )
    cameras: dict[str, CameraProcess] = {}
    actor = LaneActor(
        config,
        LaneParts(
            store=parts.store,
            law=parts.law,
            journal=journal,
            barrier=barrier,
            plates=parts.plates,
            yard=parts.yard if config.place.startswith("yard") else None,
            devices_failed=lambda: cameras_failed_s(cameras.values()) >= config.device_fault_after_s,
            readers=lambda: {name: _marks(camera) for name, camera in cameras.items()},
            on_passage=tell(cameras.values()),
        ),
    )
    for camera in config.camera:
        settings = camera_settings(camera, parts.vision)
        cameras[camera.id] = CameraProcess(camera.id, settings, actor.on_reading, actor.on_tracks, actor.touch)
    health = GateHealth(
        config.id,
        barrier,
        cameras,
        parts.store,
        actor,
        parts.link,
        parts.copy_age_s,
        lambda: parts.trends(config.id),
    )
    groups = [*lane_presses(actor, parts.plates, health.view), *parts.presses(actor)]
    jpeg = _live_jpeg(cameras)
    return BuiltLane(barrier, cameras, actor, health, LaneActions(actor, groups, health.view, jpeg, parts.of_gate))


def _marks(camera: CameraProcess) -> dict[str, str]:
    return {str(name): str(mark) for name, mark in camera.view.models.items()}


def _live_jpeg(cameras: Mapping[str, CameraProcess]) -> Callable[[str], bytes | None]:
    return lambda camera: cameras[camera].view.jpeg if camera in cameras else None
