"""The guard's side of a lane: every press checked against what may be done now, done once, answered after the record
is on disk."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict
from typing import Any

from edge import clock
from edge.agent.lane import LaneActor
from edge.agent.view import actions
from edge.core import passage as passages
from edge.core.model import Confirmation
from edge.core.plate import PlateTable
from edge.errors import RefusedError, StoreError, StoreFullError
from edge.ports import Action, ActionResult
from edge.wire import confirmation_to_json

LANE_ACTIONS = frozenset({"stop", "hold", "release_hold", "close", "reset"})
"""About the lane itself, whoever stands there."""

Health = Callable[[], Mapping[str, Any]]
"""What the gate knows beside the lane itself: boom, cameras, link, clock, store, age of the copy."""


class Desk:
    """`ports.LaneDesk` over one lane actor."""

    def __init__(
        self, actor: LaneActor, plates: PlateTable, health: Health, live_jpeg: Callable[[str], bytes | None]
    ) -> None:
        self._actor = actor
        self._plates = plates
        self._health = health
        self._live_jpeg = live_jpeg
        self._handlers: dict[str, Callable[[Action], Awaitable[ActionResult]]] = {
            "confirm": self._confirm,
            "override": self._override,
            "turn_away": self._turn_away,
            "pick_declaration": self._pick,
            "type_plate": self._type,
            "stop": self._stop,
            "hold": self._hold,
            "release_hold": self._hold,
            "close": self._close,
            "reset": self._reset,
        }

    def view(self) -> Mapping[str, Any]:
        health = self._health()
        return {**self._actor.view(), **health, "actions": lane_actions(health["boom"])}

    async def changed(self, since: int) -> int:
        return await self._actor.changed(since)

    async def outcome(self, key: str) -> ActionResult | None:
        """`ports.ActionMemory`: what became of a press, also across a restart."""
        known = await self._actor.ledger.known(key)
        return None if known is None else _answered(known)

    def live_jpeg(self, camera: str) -> bytes | None:
        return self._live_jpeg(camera)

    async def act(self, action: Action) -> ActionResult:
        """Queue the press behind whatever the lane is doing; a stop does not wait for anything."""
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
                return _answered(before)
            self._check(action)
            result = await self._handlers[action.name](action)
        except RefusedError as error:
            return ActionResult(False, error.code, None, error.detail)
        except StoreError as error:
            # Not on disk, so not done: nothing was offered to the barrier (docs/safety.md).
            code = "store_full" if isinstance(error, StoreFullError) else "store_failed"
            return ActionResult(False, code, None, str(error))
        self._actor.shown.result = {"code": result.code, "detail": result.detail}
        self._actor.touch()
        return result

    def _check(self, action: Action) -> None:
        """Raises RefusedError: a press is for the passage that the person saw, and for what may be done now."""
        if action.name in LANE_ACTIONS:
            return
        passage = self._actor.lane.passage
        if passage is None:
            raise RefusedError("no_passage")
        if action.passage != passage.id:
            raise RefusedError("other_passage")
        if action.name == "confirm":
            return  # judged on the newest verdict, not on the one shown
        if action.name not in actions(passage, self._actor.shown.assessment, here=self._actor.here):
            raise RefusedError("not_now", action.name)

    def _check_barrier(self) -> None:
        """A permit that the barrier is sure to refuse is not worth a record: the guard is told what is wrong."""
        barrier = self._actor.barrier.snapshot()
        if not barrier.board_ok:
            raise RefusedError("board_down")
        if barrier.held:
            raise RefusedError("held_shut")
        if not self._actor.here:
            raise RefusedError("not_here")
        if barrier.faults:
            raise RefusedError("boom_fault", ", ".join(barrier.faults))

    # ------------------------------------------------------------ one handler for each press

    async def _confirm(self, action: Action) -> ActionResult:
        """BG's own confirmation, given here, opens (Art. 4.2.g and its kin). Judged anew on the copy as it is now."""
        self._actor.shown.checked = self._actor.shown.checked or action.value == "checked"
        assessment = await self._actor.assess()
        passage = self._actor.lane.passage
        if passage is None or passage.state in passages.MOVING:
            raise RefusedError("not_now")
        if (
            assessment is None
            or assessment.declaration is None
            or assessment.verdict.verdict not in ("ready", "release")
        ):
            raise RefusedError("not_ready", assessment.verdict.verdict if assessment else "")
        if assessment.needs_check:
            raise RefusedError("check_needed")
        self._check_barrier()
        step = assessment.verdict.step or ""
        given = Confirmation(step, "BG", "pass", clock.wall_iso(), action.person.id, "gate", assessment.plate)
        again = assessment.verdict.verdict == "release"
        body = {
            **self._who(action),
            "declaration": assessment.declaration.id,
            "checked": self._actor.shown.checked,
            "again": again,
            "confirmation": confirmation_to_json(given),
        }
        keys = {action.key: {"code": "confirmed"}, self._actor.once_key(assessment): {"code": "confirmed"}}
        confirmation = None if again else (assessment.declaration.id, given)
        seq = await self._actor.open_after_record("confirmation", body, confirmation=confirmation, keys=keys)
        return ActionResult(True, "confirmed", seq)

    async def _override(self, action: Action) -> ActionResult:
        if not action.reason:
            raise RefusedError("reason_needed")
        self._check_barrier()
        body = {**self._who(action), "reason": action.reason, "words": action.words}
        assessment = self._actor.shown.assessment
        if assessment:
            body["verdict"] = asdict(assessment.verdict)
        seq = await self._actor.open_after_record("override", body, keys={action.key: {"code": "overridden"}})
        return ActionResult(True, "overridden", seq)

    async def _turn_away(self, action: Action) -> ActionResult:
        body = {**self._who(action), "reason": action.reason, "words": action.words}
        done = await self._actor.ledger.write("refusal", body, keys={action.key: {"code": "turned_away"}})
        self._actor.lane = passages.turned_away(self._actor.lane)
        return ActionResult(True, "turned_away", done.seq)

    async def _pick(self, action: Action) -> ActionResult:
        declaration = await asyncio.to_thread(self._actor.store.declaration, action.value)
        if declaration is None:
            raise RefusedError("no_such_declaration", action.value)
        self._actor.shown.picked = declaration.id
        await self._actor.assess()
        return ActionResult(True, "declaration_picked")

    async def _type(self, action: Action) -> ActionResult:
        """A typed plate counts as exact only if the grammar knows it; it stands under the guard's name in every later
        event."""
        plate = self._plates.read(action.value, "unknown", 1.0)
        if plate.kind == "other" or plate.text != self._plates.normalise(action.value):
            raise RefusedError("bad_plate", action.value)
        self._actor.lane, _ = passages.typed(self._actor.lane, plate)
        await self._actor.assess()
        return ActionResult(True, "plate_typed")

    async def _stop(self, action: Action) -> ActionResult:
        return await self._boom(action, "stopped")  # sent to the barrier before it was queued

    async def _hold(self, action: Action) -> ActionResult:
        held = action.name == "hold"
        self._actor.barrier.hold(held)
        return await self._boom(action, "held" if held else "hold_released")

    async def _close(self, action: Action) -> ActionResult:
        """Asks only: the barrier lowers if it knows the lane to be clear, and says so otherwise."""
        result = await self._boom(action, "closing")
        self._actor.barrier.lower_boom()
        return result

    async def _reset(self, action: Action) -> ActionResult:
        """A permanent fault waits for a person who has looked at the boom."""
        result = await self._boom(action, "reset")
        self._actor.barrier.reset_faults()
        return result

    async def _boom(self, action: Action, code: str) -> ActionResult:
        done = await self._actor.ledger.write(
            "barrier", {**self._who(action), "stage": code}, keys={action.key: {"code": code}}
        )
        return ActionResult(True, code, done.seq)

    def _who(self, action: Action) -> dict[str, Any]:
        passage = self._actor.lane.passage
        about = self._actor.about(passage) if passage else {}
        return {**about, "by": action.person.id, "role": action.person.role}


def _answered(known: Mapping[str, Any]) -> ActionResult:
    """The answer that a press got, from the record."""
    return ActionResult(True, str(known["code"]), int(known["seq"]) if "seq" in known else None)


def lane_actions(boom: Mapping[str, Any]) -> list[str]:
    """What may be asked of the lane itself, by the boom's state."""
    allowed = ["stop", "hold"]
    if boom["state"] in ("open", "stopped", "unknown"):
        allowed.append("close")
    if boom["faults"]:
        allowed.append("reset")
    return allowed
