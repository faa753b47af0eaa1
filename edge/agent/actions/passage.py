"""Presses about the vehicle at the barrier: confirm, override, turn away, which declaration, which plate, its seals."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from edge import clock
from edge.agent.actions.press import Presses, kept
from edge.agent.lane.lane import LaneActor
from edge.agent.lane.law import Assessment
from edge.agent.lane.receipts import keep_receipt
from edge.core import passage as passages
from edge.core.bodies import (
    Confirmed,
    DeclarationPicked,
    DeclarationSearched,
    Overridden,
    PlateTyped,
    SealsChecked,
    TurnedAway,
    VehiclePicked,
)
from edge.core.instant import stamp_after
from edge.core.law.lookup import search, unit, vehicle_by_plate
from edge.core.law.terms import OVERRIDE, PASSED, SYSTEM
from edge.core.law.transfer import seal_differences, sent_from
from edge.core.model import Confirmation
from edge.core.plate.table import PlateTable
from edge.core.view import Seals
from edge.errors import RefusedError
from edge.ports import Action, ActionResult

SEALS_MOST = 60
FOUND_MOST = 4


class PassagePresses(Presses):
    group = "passage"

    def __init__(self, actor: LaneActor, plates: PlateTable) -> None:
        super().__init__(actor)
        self._plates = plates

    def _check_barrier(self) -> None:
        """A permit that the barrier is sure to refuse is not worth a record: the guard is told what is wrong."""
        if (why := self.actor.would_refuse()) is not None:
            raise RefusedError(*why)

    async def confirm(self, action: Action) -> ActionResult:
        """The border guard's own confirmation, given here, opens (Art. 4.2.g and its kin). Judged anew on the copy as
        it is now."""
        shown = self.actor.shown
        if action.value == "checked":
            self.actor.looked()
        assessment = await self.actor.assess()
        passage = self.actor.lane.passage
        if passage is None or passage.state in passages.MOVING:
            raise RefusedError("not_now")
        verdict = assessment.verdict.verdict if assessment else ""
        if assessment is None or assessment.declaration is None or verdict not in ("ready", "release"):
            raise RefusedError("not_ready", verdict)
        if assessment.who.asked or assessment.who.speaks_of is None:
            raise RefusedError("which_vehicle")
        if assessment.needs_check:
            raise RefusedError("check_needed" if assessment.old else "look_needed")
        self._check_barrier()
        given = self._own(assessment, action.person.id)
        body = Confirmed(
            pressed=self.who(action),
            declaration=assessment.declaration.id,
            checked=shown.checked,
            looked_at=tuple(sorted(shown.looked_at)),
            again=verdict == "release",
            confirmation=given,
        )
        keys = {**kept(action, "confirmed"), self.actor.once_key(assessment): {"code": "confirmed"}}
        # at a yard gate the passage itself is the system's confirmation, recorded once the vehicle is through
        barrier = given.authority != SYSTEM
        confirmation = (assessment.declaration.id, given) if barrier and verdict != "release" else None
        seq = await self.actor.open_after_record(body, confirmation=confirmation, keys=keys)
        return ActionResult(True, "confirmed", seq)

    def _own(self, assessment: Assessment, by: str, act: str | None = None) -> Confirmation:
        """The opener's own confirmation, or its override. Never stamped before what it was given in sight of, whatever
        the clocks say."""
        step, declared = assessment.verdict.step or "", assessment.declaration
        need = self.actor.law.opener(self.actor.config, declared.procedure, step) if declared else None
        who, what = (need.authorities[0], need.act) if need else (SYSTEM, PASSED)
        seen = assessment.declaration.confirmations if assessment.declaration else ()
        at = stamp_after(clock.wall_iso(), *(one.at for one in seen))
        return Confirmation(step, who, act or what, at, by, "gate", assessment.who.speaks_of)

    def _overrides(self, assessment: Assessment, by: str) -> tuple[str, Confirmation] | None:
        """An override completes this gate's step for later ones, of the one vehicle that it was pressed for."""
        declared, step = assessment.declaration, assessment.verdict.step
        if declared is None or step is None or assessment.who.speaks_of is None:
            return None
        return declared.id, self._own(assessment, by, OVERRIDE)

    async def override(self, action: Action) -> ActionResult:
        """A reason always; two people where the refusal asks for them (a customs hold), judged on the newest copy."""
        assessment = await self.actor.assess() or self.actor.shown.assessment
        if assessment is None or self.passage().state in passages.MOVING:
            raise RefusedError("not_now")
        if assessment.two_people and _one_person(action):
            raise RefusedError("two_people")
        self._check_barrier()
        confirmation = self._overrides(assessment, action.person.id)
        body = Overridden(
            pressed=self.who(action),
            reason=action.reason,
            words=action.words,
            verdict=assessment.verdict,
            two_people=assessment.two_people,
            confirmation=confirmation[1] if confirmation is not None else None,
        )
        keys = kept(action, "overridden")
        seq = await self.actor.open_after_record(body, confirmation=confirmation, keys=keys)
        return ActionResult(True, "overridden", seq)

    async def turn_away(self, action: Action) -> ActionResult:
        body = TurnedAway(pressed=self.who(action), reason=action.reason, words=action.words)
        result = await self.record(action, "turned_away", body)
        self.actor.turned_away()
        return result

    async def pick(self, action: Action) -> ActionResult:
        declaration = await asyncio.to_thread(self.actor.store.declaration, action.value)
        if declaration is None:
            raise RefusedError("no_such_declaration", action.value)
        body = DeclarationPicked(pressed=self.who(action), picked=declaration.id)
        result = await self.record(action, "declaration_picked", body)
        self.actor.picked(declaration.id, None, action.person.id)
        await self.actor.assess()
        return result

    async def pick_vehicle(self, action: Action) -> ActionResult:
        """Which vehicle of the declaration stands here; the value is one of its plates, as declared."""
        assessment = self.actor.shown.assessment
        declaration = assessment.declaration if assessment else None
        if declaration is None or vehicle_by_plate(declaration, action.value) is None:
            raise RefusedError("no_such_vehicle", action.value)
        vehicle = unit(declaration, (action.value,))
        body = VehiclePicked(pressed=self.who(action), picked=declaration.id, vehicle=vehicle)
        result = await self.record(action, "vehicle_picked", body)
        self.actor.picked(declaration.id, action.value, action.person.id)
        await self.actor.assess()
        return result

    async def type_plate(self, action: Action) -> ActionResult:
        """A typed or chosen plate counts as exact only if the grammar knows it; the record holds what was read
        beside it. What is no plate is searched for: a driver, a container, an IGV, a declaration's id."""
        plate = self._plates.read(action.value, "unknown", 1.0)
        if plate.kind == "other" or plate.text != self._plates.normalise(action.value):
            return await self._search(action)
        sights = [sight for sight in self.passage().sights if not sight.typed]
        was = sights[0].plate if sights else None
        sure = next((one.plate.text for one in sights if one.decided and one.plate.text != plate.text), None)
        if sure is not None and action.reason != "over_sure":
            raise RefusedError("over_sure", sure)
        body = PlateTyped(
            pressed=self.who(action),
            typed=plate.text,
            read=was.text if was else None,
            raw=was.raw if was else None,
            over_sure=sure,
            offered=tuple(sorted({text for near in self.actor.shown.near.values() for text in near})),
        )
        result = await self.record(action, "plate_typed", body)
        self.actor.typed(plate, action.person.id, sure or "")
        await self.actor.assess()
        return result

    async def _search(self, action: Action) -> ActionResult:
        """Where there is no plate to read, or none that is one: the one declaration, and vehicle, that goes by this."""
        sure = next((sight.plate.text for sight in self.passage().sights if sight.decided and not sight.typed), None)
        if sure is not None and action.reason != "over_sure":
            raise RefusedError("over_sure", sure)
        known = await asyncio.to_thread(self.actor.store.declarations_active)
        found = await asyncio.to_thread(search, known, action.value)
        if not found:
            raise RefusedError("bad_plate", action.value)
        if len(found) > 1:
            raise RefusedError("several_found", ", ".join(one.id for one, _ in found[:FOUND_MOST]))
        ((declaration, vehicle),) = found
        stands = unit(declaration, (vehicle.plate,)) if vehicle else ()
        body = DeclarationSearched(pressed=self.who(action), asked=action.value, picked=declaration.id, vehicle=stands)
        result = await self.record(action, "declaration_picked", body)
        self.actor.picked(declaration.id, vehicle.plate if vehicle else None, action.person.id)
        await self.actor.assess()
        return result

    async def seals(self, action: Action) -> ActionResult:
        """What a guard found on a vehicle under customs transfer, held against the hand-over record (53/2003)."""
        assessment, found = self.actor.shown.assessment, _seals(action)
        declaration = assessment.declaration if assessment else None
        if declaration is None or declaration.transfer is None:
            raise RefusedError("no_transfer")
        plates = assessment.who.vehicle if assessment else ()
        differing = seal_differences(declaration, found.seen, plates)
        body = SealsChecked(
            pressed=self.who(action),
            seen=found.seen,
            broken=found.broken,
            off_route=found.off_route,
            condition=found.condition,
            differing=differing,
            record_no=declaration.transfer.record_no,
        )
        own = sent_from(declaration.transfer, self.actor.law.customs_unit)
        also = None if own else lambda tx, _: keep_receipt(tx, declaration, found.condition)
        result = await self.record(action, "seals_recorded", body, also)
        self.actor.seals_found(found)
        await self.actor.assess()
        return result


def _one_person(action: Action) -> bool:
    return action.second is None or action.second.id == action.person.id


def _seals(action: Action) -> Seals:
    """Raises RefusedError: bad_value."""
    try:
        row: Any = json.loads(action.value)
        seen = tuple(str(seal).strip() for seal in row["seen"])
        broken, off_route = row["broken"], row["off_route"]
    except (ValueError, KeyError, TypeError) as error:
        raise RefusedError("bad_value") from error
    if len(seen) > SEALS_MOST or not all(0 < len(seal) <= 40 for seal in seen) or broken not in (True, False):
        raise RefusedError("bad_value")
    return Seals(seen, broken is True, off_route is True, action.words.strip())
