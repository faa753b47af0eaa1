"""A press is done once or not at all, and the page can ask which.

The page makes a key for each press. The log runs a key once at a lane; the same key again waits for the same answer.
After a lost answer the page settles the key: either it learns what was done, or the key is void from then on, so that
the lost press cannot arrive late and open a barrier that nobody expects to open.

What is kept here are the presses of this moment. A desk with a memory keeps answers and voids on disk, by lane, person
and press, so that neither a restart nor thousands of others in between make a key mean something twice.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict

from edge.errors import RefusedError, StoreError, StoreFullError
from edge.ports import KEY_REUSED, Action, ActionMemory, ActionResult, LaneDesk, Person
from edge.ports import VOID as VOID_CODE

UNSURE = ActionResult(done=False, code="unsure")
VOID = ActionResult(done=False, code=VOID_CODE)
REUSED = ActionResult(done=False, code=KEY_REUSED)
Outcome = asyncio.Task[ActionResult]
Place = tuple[int, str]
"""A lane's desk and a key there."""


class PressLog:
    """The newest keys and what became of them."""

    def __init__(self, room: int = 2000) -> None:
        self._room = room
        self._entries: OrderedDict[Place, tuple[Person, Action | None, Outcome | None]] = OrderedDict()

    async def do(self, lane: LaneDesk, action: Action) -> ActionResult:
        """Does the action, or waits for the answer that its key already has. A waiter's end cancels nothing."""
        known = self._entries.get((id(lane), action.key))
        if known is None:
            task = asyncio.ensure_future(perform(lane, action))
            self._keep((id(lane), action.key), action.person, action, task)
            return await asyncio.shield(task)
        person, first, outcome = known
        if person.id != action.person.id or (first is not None and first != action):
            return REUSED
        return VOID if outcome is None else await asyncio.shield(outcome)

    async def settle(self, lane: LaneDesk, person: Person, key: str, same_boot: bool) -> ActionResult:
        """What became of a person's key. Never heard of: void from now on, or "unsure" where this start cannot know."""
        known = self._entries.get((id(lane), key))
        if known is None:
            if not isinstance(lane, ActionMemory):
                self._keep((id(lane), key), person, None, None)
                return VOID if same_boot else UNSURE
            # Void here at once, so that a press that lands while the desk writes comes too late.
            self._keep((id(lane), key), person, None, None)
            return await self._remembered(lane, person, key)
        whose, _, outcome = known
        if whose.id != person.id:
            return REUSED
        if outcome is None:
            return VOID if not isinstance(lane, ActionMemory) else await self._remembered(lane, person, key)
        await asyncio.wait([outcome])
        return UNSURE if outcome.cancelled() or outcome.exception() else outcome.result()

    @staticmethod
    async def _remembered(lane: ActionMemory, person: Person, key: str) -> ActionResult:
        try:
            return await lane.settle(person, key)
        except StoreError:
            return UNSURE

    def _keep(self, place: Place, person: Person, action: Action | None, outcome: Outcome | None) -> None:
        self._entries[place] = (person, action, outcome)
        while len(self._entries) > self._room:
            done = (one for one, (_, _, task) in self._entries.items() if task is None or task.done())
            oldest = next(done, None)
            if oldest is None or oldest == place:
                break
            del self._entries[oldest]


async def perform(lane: LaneDesk, action: Action) -> ActionResult:
    """The desk's answer; its named refusals become answers that the page can show."""
    try:
        return await lane.act(action)
    except RefusedError as error:
        return ActionResult(done=False, code=error.code, detail=error.detail)
    except StoreFullError:
        return ActionResult(done=False, code="store_full")
    except StoreError:
        return ActionResult(done=False, code="store_failed")
