"""A press is done once or not at all, and the page can ask which.

The page makes a key for each press. The ledger runs a key once; the same key again waits for the same answer. After a
lost answer the page settles the key: either it learns what was done, or the key is void from then on, so that the lost
press cannot arrive late and open a barrier that nobody expects to open.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict

from edge.errors import RefusedError, StoreError, StoreFullError
from edge.ports import Action, ActionMemory, ActionResult, LaneDesk

UNSURE = ActionResult(done=False, code="unsure")
VOID = ActionResult(done=False, code="not_arrived")
Outcome = asyncio.Task[ActionResult]


class Ledger:
    """The newest keys and what became of them; the lane desk keeps them beyond a restart."""

    def __init__(self, room: int = 2000) -> None:
        self._room = room
        self._entries: OrderedDict[str, tuple[Action | None, Outcome | None]] = OrderedDict()

    async def do(self, lane: LaneDesk, action: Action) -> ActionResult:
        """Does the action, or waits for the answer that its key already has. A waiter's end cancels nothing."""
        known = self._entries.get(action.key)
        if known is None:
            task = asyncio.ensure_future(perform(lane, action))
            self._keep(action.key, action, task)
            return await asyncio.shield(task)
        first, outcome = known
        if outcome is None:
            return VOID
        if first != action:
            return ActionResult(done=False, code="key_reused")
        return await asyncio.shield(outcome)

    async def settle(self, lane: LaneDesk, key: str, same_boot: bool) -> ActionResult:
        """What became of a key. Never heard of: void from now on, or "unsure" where this start cannot know."""
        known = self._entries.get(key)
        if known is None:
            remembered = await lane.outcome(key) if isinstance(lane, ActionMemory) else None
            if remembered is not None:
                return remembered
            # A press may have landed while the desk was asked: then it is the desk's, and not void.
            if key not in self._entries:
                self._keep(key, None, None)
                return VOID if same_boot or isinstance(lane, ActionMemory) else UNSURE
            known = self._entries[key]
        outcome = known[1]
        if outcome is None:
            return VOID
        await asyncio.wait([outcome])
        return UNSURE if outcome.cancelled() or outcome.exception() else outcome.result()

    def _keep(self, key: str, action: Action | None, outcome: Outcome | None) -> None:
        self._entries[key] = (action, outcome)
        while len(self._entries) > self._room:
            oldest = next(iter(self._entries))
            running = self._entries[oldest][1]
            if running is not None and not running.done():
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
