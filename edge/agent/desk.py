"""The guard's side of a lane: every press checked against what may be done now, done once, answered after the record
is on disk."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from edge.agent.boom_presses import BoomPresses
from edge.agent.lane import LaneActor
from edge.agent.near import near_plates
from edge.agent.paper_presses import PaperPresses, reconcile
from edge.agent.passage_presses import PassagePresses
from edge.agent.press import Presses
from edge.agent.yard_presses import YardPresses
from edge.core.plate import PlateTable
from edge.errors import RefusedError, StoreError, StoreFullError
from edge.ports import KEY_REUSED, VOID, Action, ActionResult, Person

LANE_ACTIONS = frozenset(
    {
        "stop",
        "hold",
        "release_hold",
        "close",
        "reset",
        "emergency_open",
        "yard_count",
        "yard_entry",
        "paper_mode",
        "paper_settle",
    }
)
"""About the lane itself, whoever stands there."""
GATE_ACTIONS = frozenset({"alarm_ack", "alarm_shelve", "alarm_unshelve", "handover_write", "handover_sign"})
"""About the whole gate, at whichever lane they are pressed."""

SAFER = {"stop": "stopped_unrecorded", "hold": "held_unrecorded", "release_hold": "hold_released_unrecorded"}
"""What is done even where the record cannot be written, and how that is answered."""

Health = Callable[[], Mapping[str, Any]]
"""What the gate knows beside the lane itself: boom, cameras, link, clock, store, age of the copy."""


CENTRE_SILENT_S = 120.0
"""An event that the centre has not acknowledged for so long: it gives no sign of life, whatever the broker says."""


def _reach(link: Mapping[str, Any]) -> str:
    """The link's state, "silent" where only the broker answers: then, too, a lane may go on paper (Art. 23.1)."""
    oldest_s = link.get("oldest_s")
    silent = link["state"] == "up" and oldest_s is not None and oldest_s > CENTRE_SILENT_S
    return "silent" if silent else str(link["state"])


class Desk:
    """`ports.LaneDesk` over one lane actor."""

    def __init__(
        self, actor: LaneActor, plates: PlateTable, health: Health, live_jpeg: Callable[[str], bytes | None]
    ) -> None:
        self._actor = actor
        actor.near = lambda text: near_plates(plates, text, actor.store.declared)
        actor.reconcile = lambda: reconcile(actor)
        self._health = health
        self._live_jpeg = live_jpeg
        self._paper = PaperPresses(actor, lambda: _reach(health()["link"]))
        groups = (PassagePresses(actor, plates), BoomPresses(actor), YardPresses(actor, plates), self._paper)
        self._handlers = {name: handler for group in groups for name, handler in group.handlers().items()}
        self._of_gate: Health = dict

    def join(self, groups: Sequence[Presses], of_gate: Health) -> None:
        """Presses of the whole gate, answered at this lane as well, and what its view says of the gate."""
        self._handlers |= {name: handler for group in groups for name, handler in group.handlers().items()}
        self._of_gate = of_gate

    def health(self) -> Mapping[str, Any]:
        """The part of the view that is not the passage."""
        return self._health()

    def view(self) -> Mapping[str, Any]:
        health = self._health()
        extra = self._paper.lane_actions(_reach(health["link"]))
        yard = ["yard_count", "yard_entry"] if self._actor.record.yard else []
        return {
            **self._actor.view(),
            **health,
            **self._of_gate(),
            "actions": [*lane_actions(health["boom"]), *extra, *yard],
        }

    async def changed(self, since: int) -> int:
        return await self._actor.changed(since)

    async def settle(self, person: Person, key: str) -> ActionResult:
        """`ports.ActionMemory`: what became of a press, also across a restart; one that never arrived is void from
        now on, on record."""
        void = {"code": VOID, "done": False, "by": person.id}
        return _answered(await self._actor.ledger.settle(self._key(key), void), person)

    def _key(self, key: str) -> str:
        """A page's key as the record knows it: of a press, at this lane."""
        return f"press/{self._actor.config.id}/{key}"

    def live_jpeg(self, camera: str) -> bytes | None:
        return self._live_jpeg(camera)

    async def act(self, action: Action) -> ActionResult:
        """Queue the press behind whatever the lane is doing; a stop does not wait for anything."""
        action = replace(action, key=self._key(action.key))
        if action.name == "stop":
            self._actor.barrier.stop_boom()
        answer: asyncio.Future[ActionResult] = asyncio.get_running_loop().create_future()

        async def job() -> None:
            result = await self._answer(action)
            if not answer.done():
                answer.set_result(result)

        self._actor.put(job)
        return await answer

    async def _answer(self, action: Action) -> ActionResult:
        try:
            before = await self._actor.ledger.known(action.key)
            if before is not None:
                return _answered(before, action.person, action.name)
            try:
                self._check(action)
                result = await self._handlers[action.name](action)
            except RefusedError as error:
                return await self._refused(action, error)
        except StoreError as error:
            if action.name in SAFER:
                return self._unrecorded(action, error)
            # Not on disk, so not done: nothing was offered to the barrier (docs/safety.md).
            code = "store_full" if isinstance(error, StoreFullError) else "store_failed"
            return ActionResult(False, code, None, str(error))
        self._actor.shown.result = {"code": result.code, "detail": result.detail}
        self._actor.touch()
        return result

    async def _refused(self, action: Action, error: RefusedError) -> ActionResult:
        """A refusal is an answer as well: the same press, come again later, is not judged anew. Raises StoreError."""
        answer = {"code": error.code, "detail": error.detail[:500], "done": False}
        by = {"name": action.name, "by": action.person.id}
        return _answered(await self._actor.ledger.settle(action.key, {**answer, **by}), action.person, action.name)

    def _unrecorded(self, action: Action, error: StoreError) -> ActionResult:
        """The answer says what is so: the boom was stopped or held before its record. A hold can end without a record
        too: it opens nothing, and a disk that is full must not keep a lane shut."""
        if action.name == "release_hold":
            self._actor.barrier.hold(False)
        self._actor.trouble = str(error)
        self._actor.touch()
        return ActionResult(True, SAFER[action.name], None, str(error))

    def _check(self, action: Action) -> None:
        """Raises RefusedError: a press is for the passage that the person saw, and for what may be done now."""
        if action.name in LANE_ACTIONS | GATE_ACTIONS:
            return
        passage = self._actor.lane.passage
        if passage is None:
            raise RefusedError("no_passage")
        if action.passage != passage.id:
            raise RefusedError("other_passage")
        if action.name in ("confirm", "override"):
            return  # judged on the newest verdict and boom, not on those shown, and told what is against it
        if action.name not in self._actor.may():
            raise RefusedError("not_now", action.name)


def _answered(known: Mapping[str, Any], person: Person, name: str = "") -> ActionResult:
    """The answer that a press got, from the record; none for another person's or another press of the same key."""
    if known.get("by", person.id) != person.id or (name and known.get("name", name) != name):
        return ActionResult(False, KEY_REUSED)
    seq = int(known["seq"]) if "seq" in known else None
    return ActionResult(bool(known.get("done", True)), str(known["code"]), seq, str(known.get("detail", "")))


def lane_actions(boom: Mapping[str, Any]) -> list[str]:
    """What may be asked of the lane itself, by the boom's state."""
    allowed = ["stop", "hold", "emergency_open"]
    if boom["state"] in ("open", "stopped", "unknown"):
        allowed.append("close")
    if boom["faults"]:
        allowed.append("reset")
    return allowed
