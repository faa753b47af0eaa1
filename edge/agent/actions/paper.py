"""Presses of the paper mode: enter and leave it, type a form of App. V, settle what differs from the platform."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from typing import Any, Literal

from edge import clock
from edge.actions import Condition
from edge.agent.actions.press import Presses
from edge.agent.lane import paper
from edge.agent.lane.context import Beside
from edge.agent.lane.lane import LaneActor
from edge.agent.lane.law import PAPER_ID
from edge.agent.lane.notes import PAPER, PAPER_MODE
from edge.core.bodies import PaperEntered, PaperMode, PaperSettled
from edge.core.law.lookup import normal_plate
from edge.core.law.paper import Entry, PaperForm
from edge.core.law.paper_read import PaperError
from edge.core.view import PaperSince
from edge.errors import RefusedError
from edge.ports import Action, ActionResult


def paper_conditions(beside: Beside, link: str) -> set[Condition]:
    """What of the lane's paper work may be offered now."""
    known: dict[Condition, bool] = {
        "on_paper": beside.paper is not None,
        "link_not_up": link != "up",
        "paper_tasks": bool(beside.tasks),
    }
    return {one for one, holds in known.items() if holds}


class PaperPresses(Presses):
    """`link` says the state of the way to the centre: a guard alone may enter the mode only while it is not up."""

    group = "paper"

    def __init__(self, actor: LaneActor, link: Callable[[], str]) -> None:
        super().__init__(actor)
        self._link = link

    async def mode(self, action: Action) -> ActionResult:
        """The value is "on" or "off"."""
        on = action.value == "on"
        if action.value not in ("on", "off"):
            raise RefusedError("bad_value")
        if on and self._link() == "up":
            raise RefusedError("link_is_up")
        mode = PaperSince(action.person.id, clock.wall_iso(), action.reason or "link")
        code: Literal["paper_on", "paper_off"] = "paper_on" if on else "paper_off"
        body = PaperMode(pressed=self.who(action), stage=code, why=mode.why, words=action.words)
        lane = self.actor.config.id
        result = await self.record(action, code, body, lambda tx, _: PAPER_MODE.keep(tx, lane, mode if on else None))
        self.actor.beside.on_paper(mode if on else None)
        return result

    async def form(self, action: Action) -> ActionResult:
        """A complete form becomes a declaration that the verdict runs on; the guard's press then opens on it."""
        if self.actor.beside.paper is None:
            raise RefusedError("not_paper_mode")
        form, entry = self._read(action)
        declaration = await asyncio.to_thread(self.actor.law.paper, self.actor.config, form, entry)
        note = paper.typed(form, declaration, self.actor.config.id)
        body = PaperEntered(pressed=self.who(action), declaration=declaration.id, form=form, entry=entry)
        result = await self.record(action, "paper_entered", body, lambda tx, _: PAPER.keep(tx, declaration.id, note))
        self.actor.picked(declaration.id, None, action.person.id)
        await self.actor.assess()
        return result

    def _read(self, action: Action) -> tuple[PaperForm, Entry]:
        """Raises RefusedError: bad_value, or paper_faults with every fault by its field."""
        row = _object(action.value)
        procedure, requires = row.get("procedure", ""), row.get("requires", {})
        try:
            form = paper.read(_mapping(row.get("form")), self.actor.law.signers(self.actor.config))
            faults = self._faults(form, str(procedure))
        except PaperError as error:
            raise RefusedError("paper_faults", paper.fault_list(error)) from error
        if faults:
            raise RefusedError("paper_faults", paper.fault_list(PaperError(faults)))
        config = self.actor.config
        known = {key: value for key, value in _mapping(requires).items() if isinstance(value, bool)}
        return form, Entry(
            f"{PAPER_ID}{clock.new_id()}",
            str(procedure),
            config.place,
            config.direction,
            clock.wall_iso(),
            action.person.id,
            known,
        )

    def _faults(self, form: PaperForm, procedure: str) -> list[tuple[str, str]]:
        """What only this gate can say: the procedure passes here, and the vehicle on the form is the one that was
        read."""
        step = self.actor.law.step_at(self.actor.config)
        passes = step is not None and self.actor.law.passes(self.actor.config, procedure, step)
        faults = [] if passes else [("procedure", "no such procedure at this gate")]
        read = {plate.text for plate in self.passage().decided}
        written = {normal_plate(vehicle.plate) for vehicle in form.vehicles}
        if read and not read & written:
            faults.append(("vehicles.0.plate", "not at the barrier"))
        return faults

    async def settle(self, action: Action) -> ActionResult:
        """A guard has looked at both sides of a form that differs, or saw to one that was missing."""
        form_id = action.value
        kept = PAPER.of(self.actor.store, form_id)
        if kept is None or kept.outcome not in ("different", "missing"):
            raise RefusedError("no_such_form")
        platform = kept.platform
        body = PaperSettled(
            pressed=self.who(action),
            form=form_id,
            declaration=platform,
            outcome=kept.outcome,
            reason=action.reason,
            words=action.words,
        )
        result = await self.record(
            action,
            "paper_settled",
            body,
            lambda tx, _: paper.settle(tx, form_id, platform),
        )
        await self.actor.beside.refresh()
        return result


def _object(text: str) -> dict[str, Any]:
    try:
        row = json.loads(text)
    except ValueError as error:
        raise RefusedError("bad_value") from error
    if not isinstance(row, dict):
        raise RefusedError("bad_value")
    return row


def _mapping(value: object) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise RefusedError("bad_value")
    return value
