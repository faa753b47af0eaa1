"""Presses of a yard's operator: the level put right by hand, and vehicles recorded by hand where devices fail
(Art. 20.1, 23.2)."""

from __future__ import annotations

import asyncio
from typing import Any

from edge import clock
from edge.agent.lane import LaneActor
from edge.agent.press import Handlers, Presses, kept
from edge.agent.yard import Yard
from edge.core.lookup import choose
from edge.core.plate import PlateTable
from edge.core.yard import corrected
from edge.errors import RefusedError
from edge.ports import Action, ActionResult
from edge.wire import confirmation_to_json

MOST_VEHICLES = 99_999


class YardPresses(Presses):
    def __init__(self, actor: LaneActor, plates: PlateTable) -> None:
        super().__init__(actor)
        self._plates = plates

    def handlers(self) -> Handlers:
        return {"yard_count": self.count, "yard_entry": self.entry}

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
        body = {"stage": "yard_corrected", "was": yard.level.count, "count": count, "words": action.words}
        result = await self.record(
            action,
            "passage",
            "yard_corrected",
            body,
            lambda tx, _: yard.write(tx, lambda level: corrected(level, count, action.person.id, at)),
        )
        await yard.refresh()
        return result

    async def entry(self, action: Action) -> ActionResult:
        """A vehicle that passed while a device was out of order: recorded by hand, its declaration's step included
        where exactly one active declaration names it."""
        yard, plate = self._yard(), self._plates.read(action.value, "unknown", 1.0)
        if plate.kind == "other" or plate.text != self._plates.normalise(action.value):
            raise RefusedError("bad_plate", action.value)
        found = choose(await asyncio.to_thread(self.actor.store.declarations_for_plate, plate.text))
        active = [declaration for declaration in found if declaration.state == "active"]
        step = self.actor.law.step_at(self.actor.config)
        body: dict[str, Any] = {"stage": "by_hand", "plate": plate.text, "words": action.words, "step": step}
        confirmation = None
        if len(active) == 1 and step is not None and self.actor.law.passes(active[0].procedure, step):
            given = self.actor.record.passed(step, plate.text, action.person.id)
            confirmation = (active[0].id, given)
            body |= {"declaration": active[0].id, "confirmation": confirmation_to_json(given)}
        done = await self.actor.ledger.write(
            "passage",
            {**self.who(action), **body},
            keys=kept(action, "entered_by_hand"),
            confirmation=confirmation,
            also=lambda tx, _: self.actor.record.count(tx),
        )
        await yard.refresh()
        return ActionResult(True, "entered_by_hand", done.seq)
