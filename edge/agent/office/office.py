"""What the gate does beside its lanes, joined: history, alarm list, shift handover, who is expected."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from edge import clock
from edge.agent.actions.alarm import AlarmPresses
from edge.agent.actions.desk import LaneActions
from edge.agent.actions.press import Presses
from edge.agent.lane.lane import LaneActor
from edge.agent.lane.lane_journal import LaneJournal
from edge.agent.lane.law import Law
from edge.agent.office.alarms import AlarmDesk
from edge.agent.office.handover import HandoverDesk, HandoverPresses
from edge.agent.office.history import Past
from edge.agent.office.labels import Labels
from edge.agent.office.transfer_lists import ListPresses, TransferLists
from edge.agent.watch.pc import PcWatch
from edge.agent.watch.side import Sides
from edge.config import Config
from edge.core.alarm.alarms import Alarm
from edge.core.alarm.sources import Beside
from edge.core.bodies import LookedAt
from edge.core.record.day_figures import DayFigures
from edge.core.record.dossier import Dossier, Mark
from edge.core.record.expected import Expected, expected
from edge.core.record.handover import Handover
from edge.core.record.history import Found, Question
from edge.core.view import BoxView, GateView, HealthView, LaneView
from edge.ports import Person
from edge.store import Store

View = TypeVar("View")
log = logging.getLogger(__name__)

EXPECTED_S = 5.0
"""Who is on the way is read from the whole copy: not more often than this, however many look."""


class GateOffice:
    """`ports.Office` over one gate's record. Made on the gate's event loop."""

    def __init__(
        self,
        config: Config,
        store: Store,
        law: Law,
        desks: Mapping[str, LaneActions],
        journals: Mapping[str, LaneJournal],
        touch: Callable[[], None],
        sides: Sides,
    ) -> None:
        """`desks`: the lanes' own, looked at once they are built."""
        self._sides = sides
        self._unknown: set[str] = set()
        self._config, self._store, self._law, self._desks = config, store, law, desks
        self.alarm_desk = AlarmDesk(store, journals, float(config.law.copy_age_limit_s), touch)
        self.handover_desk = HandoverDesk(store, self._views, self.alarm_desk.listed)
        self.box = PcWatch(touch)
        self.lists = TransferLists(store)
        self.past = Past(Path(config.site.data_dir), store, next(iter(journals.values())))
        self._labels = Labels(Path(config.site.data_dir), store, self.past, journals)
        self._expected: tuple[float, list[Expected]] = (-EXPECTED_S, [])
        self._asking = asyncio.Lock()

    def presses(self, actor: LaneActor) -> tuple[Presses, ...]:
        """Presses of the whole gate, answered at this lane."""
        alarm, shift = AlarmPresses(actor, self.alarm_desk), HandoverPresses(actor, self.handover_desk)
        return alarm, shift, ListPresses(actor, self.lists)

    def parts(self) -> dict[str, Callable[[], Coroutine[Any, Any, None]]]:
        """What runs for ever, each by itself."""
        return {
            "alarm list": lambda: self.alarm_desk.watch(self._healths, self._beside),
            "history": self.past.run,
            "sensors": self.box.run,
        }

    def _box(self) -> BoxView:
        """The PC as it was last seen, and whether a part of the program beside the barrier stands still."""
        told = self.box.view()
        return replace(told, care=(*told.care, "part_failed")) if self._sides.failed else told

    def close(self) -> None:
        self.past.close()

    def _views(self) -> dict[str, LaneView | None]:
        return {lane: self._or_none(lane, desk.view) for lane, desk in self._desks.items()}

    def _healths(self) -> dict[str, HealthView | None]:
        return {lane: self._or_none(lane, desk.health) for lane, desk in self._desks.items()}

    def _beside(self) -> Beside:
        return Beside(self._box(), self.lists.overdue())

    def _or_none(self, lane: str, look: Callable[[], View]) -> View | None:
        """One lane's own fault, whatever it is, must not pass for the whole gate's: that lane is unknown then."""
        try:
            found = look()
        except Exception as error:
            if lane not in self._unknown:
                log.error("lane %s cannot be looked at", lane, exc_info=error)
            self._unknown.add(lane)
            return None
        self._unknown.discard(lane)
        return found

    def of_gate(self) -> GateView:
        handover_open = self.handover_desk.open is not None
        return GateView(alarms=self.alarm_desk.summary(), box=self._box(), handover_open=handover_open)

    # ------------------------------------------------------------ ports.Office

    async def find(self, question: Question) -> Found:
        return await self.past.find(question)

    async def dossier(self, passage: str) -> Dossier | None:
        return await self._labels.dossier(passage)

    async def day(self, midnight_ms: int, lane: str) -> DayFigures:
        return await self.past.day(midnight_ms, lane)

    async def people(self) -> Sequence[str]:
        return await self.past.people()

    async def looked(self, person: Person, what: str, about: LookedAt) -> None:
        await self.past.looked(person, what, about)

    def alarms(self) -> Sequence[Alarm]:
        return self.alarm_desk.listed()

    def handover(self) -> Handover:
        return self.handover_desk.view()

    async def expected(self) -> Sequence[Expected]:
        async with self._asking:
            read_s, found = self._expected
            if clock.mono_s() - read_s >= EXPECTED_S:
                found = await asyncio.to_thread(self._read_expected)
                self._expected = (clock.mono_s(), found)
        return found

    async def label(self, passage: str, photo: str, mark: Mark, by: Person) -> str:
        return await self._labels.label(passage, photo, mark, by)

    def _read_expected(self) -> list[Expected]:
        inside = self._store.declarations_inside()
        return expected(self._law.table_of, inside, clock.wall_iso(), self._config.law.overstay_s)
