"""The health of the eyes over time, from the gate's own record: worked out now and then, off the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from edge import clock
from edge.config import Config
from edge.core.camera.eyesight import Trend, samples, trends
from edge.core.view import TrendView
from edge.store import Store

EVENTS_MOST = 6_000
"""Of one lane: some weeks at a busy gate."""
EVERY_S = 3600.0


def cameras_of(config: Config) -> dict[str, str]:
    """Lane -> the camera that stands for it where an event names none."""
    return {lane.id: lane.camera[0].id for lane in config.lane}


class Eyesight:
    """Looks through the record once an hour; what it finds is part of each lane's health."""

    def __init__(self, config: Config, store: Store) -> None:
        self._cameras, self._store = cameras_of(config), store
        self._due_s = 0.0
        self.of_lane: dict[str, Sequence[Trend]] = {}

    async def look(self) -> None:
        """Raises StoreError."""
        now_s = clock.mono_s()
        if now_s < self._due_s:
            return
        self._due_s = now_s + EVERY_S
        for lane, camera in self._cameras.items():
            self.of_lane[lane] = await asyncio.to_thread(seen_trends, self._store, lane, camera)


def seen_trends(store: Store, lane: str, camera: str) -> list[Trend]:
    """Cameras of one lane that read worse than they did. Reads much: not on the event loop. Raises StoreError."""
    events = reversed(store.recent(lane, EVENTS_MOST))
    return trends(samples(events, {lane: camera}))


def trend_view(trend: Trend) -> TrendView:
    code = f"eyes_{trend.reason}"
    return TrendView(camera=trend.camera, code=code, was=trend.was, now=trend.now, lights=tuple(trend.lights))
