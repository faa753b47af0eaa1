"""The guard's side of a lane: every press checked against what may be done now, done once, answered after the record
is on disk."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from edge.actions import ActionRow, Condition, actions, offered
from edge.agent.actions.boom import BoomPresses
from edge.agent.actions.paper import PaperPresses, paper_conditions
from edge.agent.actions.passage import PassagePresses
from edge.agent.actions.press import Handler, Presses, handlers
from edge.agent.actions.yard import YardPresses
from edge.agent.lane.lane import LaneActor
from edge.core.model import Name
from edge.core.plate.table import PlateTable
from edge.core.view import BoomView, GateView, HealthView, LaneView, LinkView, Pressed
from edge.errors import RefusedError, StoreError, StoreFullError
from edge.panel.press_log import UNSURE
from edge.ports import KEY_REUSED, VOID, Action, ActionResult, LanePlace, Person

Health = Callable[[], HealthView]
PRESSES_MOST = 50
"""So many presses of one lane wait at most; no person presses so often, only a disk that hangs lets them pile up."""
CENTRE_SILENT_S = 120.0
"""An event that the centre has not acknowledged for so long: it gives no sign of life, whatever the broker says."""


def lane_presses(actor: LaneActor, plates: PlateTable, health: Health) -> tuple[Presses, ...]:
    """Those of one lane."""
    paper = PaperPresses(actor, lambda: _reach(health().link))
    return (PassagePresses(actor, plates), BoomPresses(actor), YardPresses(actor, plates), paper)


def _reach(link: LinkView) -> str:
    """The link's state, "silent" where only the broker answers: then, too, a lane may go on paper (Art. 23.1)."""
    silent = link.state == "up" and link.oldest_s is not None and link.oldest_s > CENTRE_SILENT_S
    return "silent" if silent else link.state


class LaneActions:
    """`ports.LaneDesk` over one lane actor."""

    def __init__(
        self,
        actor: LaneActor,
        groups: Sequence[Presses],
        health: Health,
        live_jpeg: Callable[[str], bytes | None],
        of_gate: Callable[[], GateView] | None,
    ) -> None:
        """`groups`: `lane_presses` and the whole gate's; `of_gate` is None in a trial without a gate around it."""
        self._actor = actor
        self._health = health
        self._live_jpeg = live_jpeg
        self._waiting = 0
        self._handlers = handlers(groups)
        self._of_gate = of_gate

    @property
    def where(self) -> LanePlace:
        config = self._actor.config
        return LanePlace(Name(config.name.vi, config.name.en), config.place, config.direction)

    def health(self) -> HealthView:
        return self._health()

    def view(self) -> LaneView:
        health = self._health()
        holds = lane_conditions(health.boom) | paper_conditions(self._actor.beside, _reach(health.link))
        holds |= {"yard"} if self._actor.record.yard else set()
        return self._actor.view(health, self._of_gate() if self._of_gate else None, offered("lane", holds))

    async def changed(self, since: int) -> int:
        return await self._actor.changed(since)

    async def settle(self, person: Person, key: str) -> ActionResult:
        """`ports.ActionMemory`: what became of a press, also across a restart; one that never arrived is void from
        now on, on record."""
        void = {"code": VOID, "done": False, "by": person.id}
        return _answered(await self._actor.journal.settle(self._key(key), void), person)

    def _key(self, key: str) -> str:
        """A page's key as the record knows it: of a press, at this lane."""
        return f"press/{self._actor.config.id}/{key}"

    def live_jpeg(self, camera: str) -> bytes | None:
        return self._live_jpeg(camera)

    async def act(self, action: Action) -> ActionResult:
        """Queue the press behind whatever the lane is doing; a stop and a hold only make safer, and do not wait for
        anything."""
        action = replace(action, key=self._key(action.key))
        if action.name == "stop":
            self._actor.barrier.stop_boom()
        elif action.name == "hold":
            self._actor.barrier.hold(True)
        if self._waiting >= PRESSES_MOST:
            return self._not_written(action, StoreError(f"{PRESSES_MOST} presses of this lane wait already"))
        answer: asyncio.Future[ActionResult] = asyncio.get_running_loop().create_future()

        async def job() -> None:
            result = UNSURE  # where the press has a fault that nobody foresaw: it may be on record and done, or not
            try:
                result = await self._answer(action)
            finally:
                if not answer.done():
                    answer.set_result(result)

        self._actor.put(job)
        self._waiting += 1
        try:
            return await answer
        finally:
            self._waiting -= 1

    async def _answer(self, action: Action) -> ActionResult:
        try:
            before = await self._actor.journal.known(action.key)
            if before is not None:
                if action.name == "hold" and self._actor.hold is None:
                    self._actor.barrier.hold(False)  # an old press come again: what it held was released since
                return _answered(before, action.person, action.name)
            try:
                result = await self._handler(action)(action)
            except RefusedError as error:
                return await self._refused(action, error)
        except StoreError as error:
            return self._not_written(action, error)
        self._actor.answered(Pressed(result.code, result.detail))
        return result

    def _not_written(self, action: Action, error: StoreError) -> ActionResult:
        row = actions().get(action.name)
        if row is not None and row.unrecorded:
            return self._unrecorded(action, row.unrecorded, error)
        # Not on disk, so not done: nothing was offered to the barrier (docs/safety.md).
        code = "store_full" if isinstance(error, StoreFullError) else "store_failed"
        return ActionResult(False, code, None, str(error))

    async def _refused(self, action: Action, error: RefusedError) -> ActionResult:
        """A refusal is an answer as well: the same press, come again later, is not judged anew. Raises StoreError."""
        answer = {"code": error.code, "detail": error.detail[:500], "done": False}
        by = {"name": action.name, "by": action.person.id}
        return _answered(await self._actor.journal.settle(action.key, {**answer, **by}), action.person, action.name)

    def _unrecorded(self, action: Action, code: str, error: StoreError) -> ActionResult:
        """The answer says what is so: the boom was stopped or held before its record. A hold can end without a record
        too: it opens nothing, and a disk that is full must not keep a lane shut."""
        if action.name == "release_hold":
            self._actor.barrier.hold(False)
        self._actor.not_recorded(str(error))
        return ActionResult(True, code, None, str(error))

    def _handler(self, action: Action) -> Handler:
        """Who does it. Raises RefusedError: a press is for the passage that the person saw, and for what may be done
        now."""
        row, handler = actions().get(action.name), self._handlers.get(action.name)
        if row is None or handler is None:
            raise RefusedError("not_now", action.name)
        if row.scope == "passage":
            self._check_passage(action, row)
        if "reason" in row.needs and not action.reason:
            raise RefusedError("reason_needed")
        return handler

    def _check_passage(self, action: Action, row: ActionRow) -> None:
        passage = self._actor.lane.passage
        if passage is None:
            raise RefusedError("no_passage")
        if action.passage != passage.id:
            raise RefusedError("other_passage")
        if not row.newest and action.name not in self._actor.may():
            raise RefusedError("not_now", action.name)


def _answered(known: Mapping[str, Any], person: Person, name: str = "") -> ActionResult:
    """The answer that a press got, from the record; none for another person's or another press of the same key."""
    if known.get("by", person.id) != person.id or (name and known.get("name", name) != name):
        return ActionResult(False, KEY_REUSED)
    seq = int(known["seq"]) if "seq" in known else None
    return ActionResult(bool(known.get("done", True)), str(known["code"]), seq, str(known.get("detail", "")))


def lane_conditions(boom: BoomView) -> set[Condition]:
    """What may be asked of the lane itself, by the boom's state."""
    holds: set[Condition] = {"always", "held" if boom.held else "not_held"}
    if boom.state in ("open", "stopped", "unknown"):
        holds.add("not_down")
    if boom.faults:
        holds.add("fault")
    return holds
