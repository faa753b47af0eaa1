"""What a lane knows beside the vehicle that stands there: paper mode, forms that wait for a guard, overstays."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from edge.agent.lane import paper
from edge.agent.lane.law import Law
from edge.agent.lane.yard import Yard
from edge.config import LaneConfig
from edge.core.law.overstay import Stay
from edge.store import Store


class Beside:
    """Read from the record at the start and after each change; `view` is cheap."""

    def __init__(self, config: LaneConfig, store: Store, law: Law) -> None:
        self._config, self._store, self._law = config, store, law
        self.paper: dict[str, Any] | None = store.notes(paper.PAPER_MODE, config.id).get(config.id)
        """Who put the lane on paper, when and why; None where it is not."""
        self.tasks = self._waiting()
        self.overstays: Sequence[Stay] = ()

    async def refresh(self) -> None:
        self.tasks = await asyncio.to_thread(self._waiting)

    def _waiting(self) -> list[dict[str, Any]]:
        kept = self._store.notes(paper.PAPER)
        return [
            paper.task(form_id, one)
            for form_id, one in kept.items()
            if one["lane"] == self._config.id and one["outcome"] in ("different", "missing")
        ]

    def view(self, yard: Yard | None) -> dict[str, Any]:
        """Keys of the lane's mapping (docs/screen.md)."""
        return {
            "paper": self.paper,
            "paper_options": self._options() if self.paper is not None else None,
            "paper_tasks": self.tasks,
            "overstays": [
                {"declaration": one.declaration.id, "plates": one.plates, "since": one.since, "inside_s": one.inside_s}
                for one in self.overstays
            ],
            "yard": yard.view() if yard and self._config.place.startswith("yard") else None,
        }

    def _options(self) -> dict[str, Any]:
        """What a paper form may choose here: the form itself names no procedure."""
        return {
            "procedures": self._law.procedures_at(self._config),
            "requires": self._law.requires_view(self._config),
            "signers": self._law.signers_view(self._config),
        }
