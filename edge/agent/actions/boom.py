"""Presses about the boom itself, whoever stands there."""

from __future__ import annotations

from typing import Literal

from edge import clock
from edge.agent.actions.press import Presses, kept
from edge.agent.lane.boom_memory import holding
from edge.agent.lane.lane_journal import Also
from edge.agent.lane.notes import Hold
from edge.core.bodies import BoomPressed, EmergencyOpened
from edge.errors import RefusedError
from edge.ports import Action, ActionResult


class BoomPresses(Presses):
    group = "boom"

    async def stop(self, action: Action) -> ActionResult:
        """Sent to the barrier before it was queued; that it was taken is a notice of its own."""
        return await self.record(action, "stopped", BoomPressed(pressed=self.who(action), stage="stopping"))

    async def hold(self, action: Action) -> ActionResult:
        """Holding only makes safer, so it is done before its record, as a stop is."""
        self.actor.barrier.hold(True)
        hold = Hold(action.person.id, clock.wall_iso())
        self.actor.held_by(hold)
        return await self._boom(action, "held", holding(self.actor.config.id, hold))

    async def release_hold(self, action: Action) -> ActionResult:
        """Only after its record."""
        result = await self._boom(action, "hold_released", holding(self.actor.config.id, None))
        self.actor.barrier.hold(False)
        self.actor.held_by(None)
        return result

    async def close(self, action: Action) -> ActionResult:
        """Asks only: the barrier lowers if it knows the lane to be clear, and says so otherwise."""
        result = await self._boom(action, "closing")
        self.actor.asked_to_lower()
        self.actor.barrier.lower_boom()
        return result

    async def reset(self, action: Action) -> ActionResult:
        """A permanent fault waits for a person who has looked at the boom."""
        result = await self._boom(action, "reset")
        self.actor.barrier.reset_faults()
        return result

    async def emergency_open(self, action: Action) -> ActionResult:
        """Up with nobody on the loop as well, and up until a person lowers it: an ambulance that is still on its way,
        a fire lane, people on foot. Recorded first, as every opening."""
        if (why := self.actor.boom_refuses()) is not None:
            raise RefusedError(*why)
        body = EmergencyOpened(pressed=self.who(action), reason=action.reason, words=action.words)
        keys = kept(action, "emergency_opened")
        seq = await self.actor.open_after_record(body, keys=keys, emergency=True)
        return ActionResult(True, "emergency_opened", seq)

    async def _boom(
        self, action: Action, code: Literal["held", "hold_released", "closing", "reset"], also: Also | None = None
    ) -> ActionResult:
        return await self.record(action, code, BoomPressed(pressed=self.who(action), stage=code), also)
