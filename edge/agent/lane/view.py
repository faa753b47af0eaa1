"""The lane's view, built from what the lane knows. Pure and cheap."""

from __future__ import annotations

from collections.abc import Sequence

from edge.actions import Condition, offered
from edge.agent.lane.law import Assessment, Law
from edge.agent.lane.screen_state import Picture, Shown
from edge.core.law.lookup import pairing, units
from edge.core.model import Declaration, Need, StepView, Verdict
from edge.core.passage import MOVING, Passage, Sight
from edge.core.view import (
    MissingView,
    NeedView,
    OtherDeclaration,
    PairingView,
    PassageView,
    PlateView,
    ReasonView,
    StepRow,
    VerdictView,
)


def passage_view(passage: Passage, shown: Shown, picture: Picture, law: Law, may: Sequence[str]) -> PassageView:
    """The vehicle at the barrier."""
    assessment = shown.assessment
    plates = tuple(_plate(sight, shown.near.get(sight.plate.text, ())) for sight in _ordered(passage, assessment))
    declaration = assessment.declaration if assessment else None
    return PassageView(
        id=passage.id,
        state=passage.state,
        plate=plates[0] if plates else None,
        plates=plates,
        photo=picture.photo,
        crop=picture.crop,
        box=picture.box,
        frame_size=picture.frame_size,
        captured_at=picture.captured_at,
        declaration=declaration,
        pairing=_pairing(declaration),
        others=tuple(
            OtherDeclaration(other.id, other.procedure, other.state, other.declared_at)
            for other in (assessment.others if assessment else ())
        ),
        procedure=law.procedure(declaration.procedure) if declaration else None,
        steps=tuple(_step(step, law) for step in (assessment.steps if assessment else ())),
        verdict=_verdict(assessment.verdict, law) if assessment else None,
        needs_check=assessment.needs_check if assessment else False,
        two_people=assessment.two_people if assessment else False,
        who=assessment.who if assessment else None,
        vehicles=_vehicles(declaration),
        shut=shown.shut,
        seals=shown.seals if declaration and declaration.transfer else None,
        actions=tuple(may),
        fault=passage.fault,
        result=shown.result,
    )


def actions(passage: Passage, assessment: Assessment | None, *, opens: bool, paper: bool = False) -> list[str]:
    """What a person may do about this passage now. The desk checks the same list again when the press comes.

    `opens`: nothing is known for which the barrier would refuse: its vehicle is on the loop, no fault stands, nobody
    holds the lane shut. `paper`: the lane is on paper.
    """
    if passage.state in MOVING:
        return []
    holds = passage_conditions(assessment, opens=opens)
    return offered("passage", holds | {"on_paper"} if paper else holds)


def passage_conditions(assessment: Assessment | None, *, opens: bool) -> set[Condition]:
    """What holds of a vehicle that stands there, in the words of the action table."""
    if assessment is None:
        return {"stands"}
    declaration = assessment.declaration
    known: dict[Condition, bool] = {
        "stands": True,
        "transfer": declaration is not None and declaration.transfer is not None,
        "released": opens and assessment.verdict.verdict in ("ready", "release"),
        "choice": bool(assessment.others) or declaration is None,
        "vehicles": len(_vehicles(declaration)) > 1,
        "judged_and_free": opens,
    }
    return {one for one, holds in known.items() if holds}


def _ordered(passage: Passage, assessment: Assessment | None) -> list[Sight]:
    """The plate by which the vehicle is known stands first, and so in large letters."""
    known = assessment.who.plate if assessment else None
    return sorted(passage.sights, key=lambda sight: sight.plate.text != known)


def _vehicles(declaration: Declaration | None) -> tuple[tuple[str, ...], ...]:
    """The declaration's vehicles as they drive, each with its plates: what a guard chooses from."""
    return tuple(tuple(vehicle.plate for vehicle in group) for group in units(declaration)) if declaration else ()


def _plate(sight: Sight, near: Sequence[str]) -> PlateView:
    return PlateView(
        plate=sight.plate,
        decided=sight.decided,
        typed=sight.typed,
        over=sight.over,
        candidates=(sight.plate.text, *near) if near else (),
    )


def _verdict(verdict: Verdict, law: Law) -> VerdictView:
    return VerdictView(
        verdict.verdict,
        verdict.step,
        tuple(
            MissingView(one.step, one.authority, one.act, one.article, law.word("authority", one.authority))
            for one in verdict.missing
        ),
        tuple(ReasonView(one.code, one.text, one.article) for one in verdict.reasons),
    )


def _step(step: StepView, law: Law) -> StepRow:
    needs = tuple(_need(need, law) for need in step.needs)
    return StepRow(step.step, law.word("step", step.step), step.state, step.article, needs)


def _need(need: Need, law: Law) -> NeedView:
    return NeedView(
        need.authority,
        law.word("authority", need.authority),
        need.act,
        law.word("act", need.act),
        need.article,
        need.state,
        need.by,
        need.at,
    )


def _pairing(declaration: Declaration | None) -> PairingView | None:
    found = pairing(declaration) if declaration else None
    if found is None:
        return None
    return PairingView(
        tuple(vehicle.plate for vehicle in found.chinese),
        tuple(vehicle.plate for vehicle in found.vietnamese),
        found.confirmed_at,
    )
