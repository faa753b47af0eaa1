"""What the quiet line of the screen says of everything around the passage: boom, cameras, link, clock, store, age of
the copy."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from edge import clock
from edge.agent.cameras.eyesight import trend_view
from edge.agent.cameras.supervisor import CameraProcess
from edge.agent.lane.barrier import Barrier
from edge.agent.lane.lane import LaneActor
from edge.agent.watch.copy_age import NEVER_S
from edge.core.camera.eyesight import Trend
from edge.core.view import BoomView, CameraView, HealthView, LinkView, RoomView, TakenView
from edge.store import Store


@dataclass(frozen=True, slots=True)
class LinkState:
    """`state`: "up", "broker", "down", "refused" (edge.uplink.mqtt.Uplink.state) or "off". `centre`: "reached", "gone",
    or "untold" by one that does not say whether it is there; `silent_s`: since its last sign of life."""

    state: str
    detail: str = ""
    centre: str = "untold"
    silent_s: float | None = None


def cameras_failed_s(cameras: Iterable[CameraProcess]) -> float:
    """For how long none of these has given a picture (down, frozen or blind); 0 as soon as one does."""
    now_s = clock.mono_s()
    return min((process.view.failed_s(now_s) for process in cameras), default=0.0)


class GateHealth:
    def __init__(
        self,
        lane: str,
        barrier: Barrier,
        cameras: Mapping[str, CameraProcess],
        store: Store,
        actor: LaneActor,
        link: Callable[[], LinkState],
        copy_age_s: Callable[[], float | None],
        trends: Callable[[], Sequence[Trend]],
    ) -> None:
        """`trends`: cameras that read worse than they did, from the record; worked out now and then."""
        self._lane = lane
        self._barrier = barrier
        self._cameras = cameras
        self._store = store
        self._actor = actor
        self._link = link
        self._copy_age_s = copy_age_s
        self._trends = trends

    def view(self) -> HealthView:
        return HealthView(
            boom=self._boom(),
            cameras=tuple(self._camera(name, process) for name, process in self._cameras.items()),
            link=self._link_view(),
            clock=clock.state(),
            store=self._room(),
            copy_age_s=self._copy_view(),
            taken=self._taken(),
            program=self._actor.fault,
            record=tuple(sorted(set(self._store.troubles.values()))),
            eyes=tuple(trend_view(trend) for trend in self._trends()),
        )

    def _room(self) -> RoomView:
        """Whether the record can be written, and how much room there is for it."""
        return RoomView("failed", self._actor.trouble) if self._actor.trouble else RoomView(self._store.room())

    def _copy_view(self) -> float | None:
        """0 while the centre is reached; null where this gate never had a whole copy."""
        age_s = self._copy_age_s()
        return 0.0 if age_s is None else None if age_s >= NEVER_S else age_s

    def _taken(self) -> TakenView:
        held = self._store.watch_state
        return TakenView(
            watchlist=held.refused or (f"{held.missing} pieces missing" if held.missing else ""),
            watch_rows=held.rows,
            declarations=self._store.refused_declarations(),
        )

    def _boom(self) -> BoomView:
        now = self._barrier.snapshot()
        hold = self._actor.hold if now.held else None
        return BoomView(
            state=now.boom,
            faults=tuple(now.faults),
            held=now.held,
            held_by=hold.by if hold else None,
            held_at=hold.at if hold else None,
            board_ok=now.board_ok,
            present=now.inputs.get("presence"),
            emergency=now.cause == "emergency",
        )

    @staticmethod
    def _camera(name: str, process: CameraProcess) -> CameraView:
        state, age_ms = process.view.seen(clock.mono_s())
        return CameraView(id=name, state=state, detail=process.view.detail, age_ms=age_ms)

    def _link_view(self) -> LinkView:
        link = self._link()
        count, oldest, _ = self._store.unacknowledged(self._lane)
        age_s = (
            None if oldest is None else (datetime.now(clock.VIETNAM) - datetime.fromisoformat(oldest)).total_seconds()
        )
        return LinkView(
            state=link.state,
            detail=link.detail,
            centre=link.centre,
            silent_s=link.silent_s,
            unacknowledged=count,
            oldest_s=age_s,
        )
