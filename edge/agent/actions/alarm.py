"""Presses about the alarm list: acknowledge, shelve for a while, take off the shelf. Under a person's name."""

from __future__ import annotations

import json
from typing import Any

from edge import clock
from edge.agent.actions.press import Presses, kept
from edge.agent.lane.lane import LaneActor
from edge.agent.office.alarms import AlarmDesk, Answerer, Move
from edge.core.alarm import alarms
from edge.core.alarm.alarms import Shelf
from edge.errors import RefusedError
from edge.ports import Action, ActionResult


class AlarmPresses(Presses):
    """`Action.value` is `{"alarm": key}` as JSON; to shelve, with `minutes`, and the reason in `words`."""

    group = "alarm"

    def __init__(self, actor: LaneActor, desk: AlarmDesk) -> None:
        super().__init__(actor)
        self._desk = desk

    async def acknowledge(self, action: Action) -> ActionResult:
        key, by, at = str(_value(action).get("alarm")), action.person.id, clock.wall_iso()
        return await self._press(action, lambda book: alarms.acknowledge(book, key, by, at), "alarm_acknowledged")

    async def shelve(self, action: Action) -> ActionResult:
        row = _value(action)
        minutes, key = row.get("minutes"), str(row.get("alarm"))
        if not isinstance(minutes, int) or not 0 < minutes * 60 <= alarms.SHELF_MOST_S:
            raise RefusedError("bad_value")
        for_s = minutes * 60.0
        shelf = Shelf(action.person.id, clock.wall_iso(), for_s, clock.mono_s() + for_s, self._desk.boot)
        return await self._press(action, lambda book: alarms.shelve(book, key, shelf), "alarm_shelved")

    async def unshelve(self, action: Action) -> ActionResult:
        key, by = str(_value(action).get("alarm")), action.person.id
        return await self._press(action, lambda book: alarms.unshelve(book, key, by), "alarm_unshelved")

    async def _press(self, action: Action, move: Move, code: str) -> ActionResult:
        who = Answerer(action.person.id, action.person.role, action.words)
        seq = await self._desk.press(move, who, kept(action, code))
        return ActionResult(True, code, seq)


def _value(action: Action) -> dict[str, Any]:
    """Raises RefusedError: bad_value."""
    try:
        row = json.loads(action.value)
    except ValueError as error:
        raise RefusedError("bad_value") from error
    if not isinstance(row, dict):
        raise RefusedError("bad_value")
    return row
