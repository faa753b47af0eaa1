"""The five-day lists of hand-over records (53/2003, I.5): which are overdue, and a person's word that one went or
came."""

from __future__ import annotations

import asyncio
import json

from edge import clock
from edge.agent.actions.press import Presses
from edge.agent.lane.lane import LaneActor
from edge.agent.lane.notes import FIVE_DAY_LIST
from edge.agent.lane.receipts import lists, today
from edge.core.bodies import ListMarked
from edge.core.law.transfer import FiveDays, ListMark
from edge.errors import RefusedError
from edge.ports import Action, ActionResult
from edge.store import Store


class TransferLists:
    """The lists of this gate, as of the last `refresh`."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._overdue: list[FiveDays] = []

    def refresh(self) -> None:
        """Reads the store: not on the event loop."""
        day = today()
        self._overdue = [one for one in lists(self.store) if one.overdue(day)]

    def overdue(self) -> list[FiveDays]:
        return self._overdue


class ListPresses(Presses):
    """`Action.value` is `{"list": key}` as JSON: this list went out, or came."""

    group = "lists"

    def __init__(self, actor: LaneActor, desk: TransferLists) -> None:
        super().__init__(actor)
        self._desk = desk

    async def mark(self, action: Action) -> ActionResult:
        known = await asyncio.to_thread(lists, self._desk.store)
        one = next((one for one in known if one.key == _key(action)), None)
        if one is None or one.mark is not None:
            raise RefusedError("no_such_list")
        note = ListMark(action.person.id, clock.wall_iso())
        body = ListMarked(
            by=action.person.id,
            role=action.person.role,
            way=one.way,
            unit=one.unit,
            since=one.since.isoformat(),
            until=one.until.isoformat(),
            records=one.records,
        )
        done = await self.record(action, "list_marked", body, lambda tx, _: FIVE_DAY_LIST.keep(tx, one.key, note))
        await asyncio.to_thread(self._desk.refresh)
        return done


def _key(action: Action) -> str:
    """Raises RefusedError: bad_value."""
    try:
        return str(json.loads(action.value)["list"])
    except (ValueError, KeyError, TypeError) as error:
        raise RefusedError("bad_value") from error
