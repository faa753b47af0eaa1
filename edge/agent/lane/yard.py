"""The yard behind a yard gate: how full it is, kept in the record, counted with the passages themselves (Art. 20.1)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from edge.agent.lane.notes import YARD
from edge.config import YardConfig
from edge.core.bodies import YardLevelIs
from edge.core.law.yard import YardCount, YardLevel, told
from edge.core.view import YardView
from edge.store import Store, Transaction

Change = Callable[[YardLevel], YardLevel]


class Yard:
    """One yard of this gate PC; its lanes share it. `level` is as of the last `refresh`."""

    def __init__(self, config: YardConfig, store: Store) -> None:
        self._config = config
        self._store = store
        self.level = self._from(YARD.of(store, config.id))

    def write(self, tx: Transaction, change: Change) -> None:
        """In the transaction of what changed it: the new level, and the event that tells the platform."""
        level = change(self._from(YARD.now(tx, self._config.id)))
        count = told(self._config.id, level)
        YARD.keep(tx, self._config.id, count)
        tx.tell(YardLevelIs(level=count))

    async def refresh(self) -> None:
        """After the commit."""
        self.level = self._from(await asyncio.to_thread(YARD.of, self._store, self._config.id))

    def view(self) -> YardView:
        return YardView(told(self._config.id, self.level), self.level.full)

    def _from(self, kept: YardCount | None) -> YardLevel:
        """The capacity is the config's: a yard may be built larger."""
        if kept is None:
            return YardLevel(self._config.capacity)
        return YardLevel(self._config.capacity, kept.count, kept.doubtful, kept.corrected_by, kept.corrected_at)
