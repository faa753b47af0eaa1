"""What a lane knows beside the vehicle that stands there: paper mode, forms that wait for a guard, overstays."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from edge.agent.lane import paper
from edge.agent.lane.law import Law
from edge.agent.lane.notes import PAPER, PAPER_MODE
from edge.config import LaneConfig
from edge.core.law.overstay import Stay
from edge.core.view import Overstay, PaperOptions, PaperSince, PaperTask
from edge.store import Store


class Beside:
    """Read from the record at the start and after each change; `view` is cheap."""

    def __init__(self, config: LaneConfig, store: Store, law: Law) -> None:
        self._config, self._store, self._law = config, store, law
        self.paper = PAPER_MODE.of(store, config.id)
        """None where the lane is not on paper."""
        self.tasks = self._waiting()
        self.overstays: Sequence[Stay] = ()

    def on_paper(self, mode: PaperSince | None) -> None:
        self.paper = mode

    def inside_too_long(self, stays: Sequence[Stay]) -> None:
        self.overstays = stays

    async def refresh(self) -> None:
        self.tasks = await asyncio.to_thread(self._waiting)

    def _waiting(self) -> list[PaperTask]:
        return [
            paper.task(form_id, one)
            for form_id, one in PAPER.all(self._store).items()
            if one.lane == self._config.id and one.outcome in ("different", "missing")
        ]

    def options(self) -> PaperOptions | None:
        """What a paper form may choose here; None where the lane is not on paper."""
        return self._law.paper_options(self._config) if self.paper is not None else None

    def overstays_view(self) -> tuple[Overstay, ...]:
        return tuple(Overstay(one.declaration.id, one.plates, one.since, one.inside_s) for one in self.overstays)
