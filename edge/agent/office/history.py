"""The gate's history: indexed behind the decisions, asked on threads, every look on record under a name."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from pathlib import Path

from edge.agent.lane.lane_journal import LaneJournal
from edge.core.bodies import Looked, LookedAt
from edge.core.record.day_figures import DayFigures, day_figures
from edge.core.record.dossier import Dossier, dossier
from edge.core.record.history import Found, Question
from edge.errors import StoreError
from edge.ports import Person
from edge.store import Store
from edge.store.history import History

log = logging.getLogger(__name__)

CAUGHT_UP_S, CATCHING_UP_S, FORGET_S, AGAIN_S = 1.0, 0.05, 300.0, 30.0
DAY_MS = 86_400_000


class Past:
    def __init__(self, data_dir: Path, store: Store, journal: LaneJournal) -> None:
        self._data_dir, self._store, self._journal = data_dir, store, journal
        self._history: History | None = None

    async def run(self) -> None:
        """For ever: take in what is new on record. A history that cannot be had stops nothing else."""
        while True:
            try:
                await self._keep_up()
            except StoreError as error:
                log.warning("the history stands still: %s", error)
            await asyncio.sleep(AGAIN_S)

    async def _keep_up(self) -> None:
        """Until it is refused."""
        if self._history is None:
            self._history = await asyncio.to_thread(History, self._data_dir)
        history = self._history
        slept_s = FORGET_S
        # What room is left on a full disk is the record's own.
        while self._store.room() != "full":
            new = await asyncio.to_thread(history.take_in)
            if slept_s >= FORGET_S:
                await asyncio.to_thread(history.forget)
                slept_s = 0.0
            pause_s = CATCHING_UP_S if new else CAUGHT_UP_S
            slept_s += pause_s
            await asyncio.sleep(pause_s)

    def close(self) -> None:
        if self._history is not None:
            self._history.close()

    def _open(self) -> History:
        if self._history is None:
            raise StoreError("the history is not open yet: try again in a moment, or see the log")
        return self._history

    async def find(self, question: Question) -> Found:
        return await asyncio.to_thread(self._open().find, question)

    async def dossier(self, passage: str) -> Dossier | None:
        found = await asyncio.to_thread(self._open().passage, passage)
        return None if found is None else dossier(*found)

    async def day(self, midnight_ms: int, lane: str) -> DayFigures:
        def ask() -> DayFigures:
            return day_figures(self._open().between(midnight_ms, midnight_ms + DAY_MS, lane), midnight_ms)

        return await asyncio.to_thread(ask)

    async def people(self) -> Sequence[str]:
        return await asyncio.to_thread(self._open().people)

    async def looked(self, person: Person, what: str, about: LookedAt) -> None:
        await self._journal.write(Looked(what=what, by=person.id, role=person.role, about=about))
