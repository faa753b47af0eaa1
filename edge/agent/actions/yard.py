"""Presses of a yard's operator: the level put right by hand, and vehicles recorded by hand where devices fail
(Art. 20.1, 23.2)."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from edge import clock
from edge.agent.actions.press import Presses, kept
from edge.agent.lane.lane import LaneActor
from edge.agent.lane.lane_journal import Recorded
from edge.agent.lane.yard import Yard
from edge.core.bodies import ByHand, YardCorrected
from edge.core.instant import instant
from edge.core.law.lookup import choose, normal_plate
from edge.core.law.yard import corrected
from edge.core.plate.table import PlateTable
from edge.errors import RefusedError
from edge.ports import Action, ActionResult
from edge.store import Transaction

MOST_VEHICLES = 99_999
SAME_FOR = timedelta(minutes=30)
"""A plate recorded by hand within this time of the loop's count is the same vehicle."""


class YardPresses(Presses):
    group = "yard"

    def __init__(self, actor: LaneActor, plates: PlateTable) -> None:
        super().__init__(actor)
        self._plates = plates

    def _yard(self) -> Yard:
        yard = self.actor.record.yard
        if yard is None:
            raise RefusedError("no_yard")
        return yard

    async def count(self, action: Action) -> ActionResult:
        """The operator counted: the level is what they say, under their name."""
        yard = self._yard()
        if not (action.value.isascii() and action.value.isdecimal() and int(action.value) <= MOST_VEHICLES):
            raise RefusedError("bad_value")
        count, at = int(action.value), clock.wall_iso()
        body = YardCorrected(pressed=self.who(action), was=yard.level.count, count=count, words=action.words)
        result = await self.record(
            action,
            "yard_corrected",
            body,
            lambda tx, _: yard.write(tx, lambda level: corrected(level, count, action.person.id, at)),
        )
        await yard.refresh()
        return result

    def _same_vehicle(self, plate: str) -> tuple[str | None, str | None]:
        """The passage that now stands at the gate, and one just counted by the loop whose vehicle nobody knew: a hand
        entry is about one of these rather than one more vehicle. Raises RefusedError where it was counted already."""
        last = self.actor.record.counted(self.actor.store)
        now = instant(clock.wall_iso())
        recent = [one for one in last if (at := instant(one.at)) and now and now - at < SAME_FOR]
        if any(one.plate is not None and normal_plate(one.plate) == plate for one in recent):
            raise RefusedError("counted_already", plate)
        passage, shown = self.actor.lane.passage, self.actor.shown.assessment
        stands = shown.who.speaks_of if shown is not None else None
        if passage is not None and passage.arrived_s is not None and stands in (None, plate):
            return passage.id, None
        return None, next((one.passage for one in recent if one.plate is None), None)

    async def entry(self, action: Action) -> ActionResult:
        """A vehicle that passed while a device was out of order: recorded by hand, its declaration's step included
        where exactly one active declaration names it."""
        yard, plate = self._yard(), self._plates.read(action.value, "unknown", 1.0)
        if plate.kind == "other" or plate.text != self._plates.normalise(action.value):
            raise RefusedError("bad_plate", action.value)
        here, named = self._same_vehicle(plate.text)
        found = choose(await asyncio.to_thread(self.actor.store.declarations_for_plate, plate.text))
        active = [declaration for declaration in found if declaration.state == "active"]
        step = self.actor.law.step_at(self.actor.config)
        confirmation = None
        if (
            len(active) == 1
            and step is not None
            and self.actor.law.passes(self.actor.config, active[0].procedure, step)
        ):
            given = self.actor.record.passed(step, plate.text, action.person.id)
            confirmation = (active[0].id, given)
        record = self.actor.record

        def count(tx: Transaction, _: Recorded) -> None:
            if named is not None:
                record.name_counted(tx, named, plate.text)
            else:
                record.count(tx, here or action.key, plate.text, by_hand=True)

        body = ByHand(
            pressed=self.who(action),
            plate=plate.text,
            words=action.words,
            step=step,
            declaration=confirmation[0] if confirmation else None,
            confirmation=confirmation[1] if confirmation else None,
            named=named,
        )
        done = await self.actor.journal.write(
            body,
            keys=kept(action, "entered_by_hand"),
            confirmation=confirmation,
            also=count,
        )
        await yard.refresh()
        return ActionResult(True, "entered_by_hand", done.seq)
