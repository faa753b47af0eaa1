"""One lane by itself, in a trial without a gate around it."""

from __future__ import annotations

from collections.abc import Callable

from edge.agent.actions.desk import LaneActions, lane_presses
from edge.agent.lane.barrier import Barrier
from edge.agent.lane.lane import LaneActor, LaneParts
from edge.agent.lane.lane_journal import LaneJournal
from edge.agent.lane.law import Law
from edge.config import LaneConfig
from edge.core.plate.table import PlateTable
from edge.core.view import BoomView, HealthView, LinkView, RoomView
from edge.store import Store

HEALTH = HealthView(
    boom=BoomView(state="unknown"),
    cameras=(),
    link=LinkView(state="up"),
    clock="unset",
    store=RoomView("ok"),
    copy_age_s=None,
)


def lone_lane(
    config: LaneConfig, store: Store, law: Law, barrier: Barrier, plates: PlateTable, wake: Callable[[], None]
) -> tuple[LaneActor, LaneActions]:
    """No yard behind it, no camera that could fail."""
    parts = LaneParts(
        store=store,
        law=law,
        journal=LaneJournal(store, config.id, wake),
        barrier=barrier,
        plates=plates,
        yard=None,
        devices_failed=lambda: False,
        readers=dict,
        on_passage=lambda passage: None,
    )
    actor = LaneActor(config, parts)
    groups = lane_presses(actor, plates, lambda: HEALTH)
    return actor, LaneActions(actor, groups, lambda: HEALTH, lambda camera: None, None)
