"""The lane as the screen shows it: one mapping, built from what the lane knows. Pure and cheap; docs/screen.md gives
the keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from edge.actions import Condition, offered
from edge.agent.lane.law import Assessment, Law
from edge.agent.lane.screen_state import Picture, Shown
from edge.config import LaneConfig
from edge.core.law.lookup import pairing, units
from edge.core.model import Declaration, Need, StepView, Verdict
from edge.core.passage import MOVING, Passage, Sight
from edge.wire import declaration_to_json


def passage_view(passage: Passage, shown: Shown, picture: Picture, law: Law, may: Sequence[str]) -> dict[str, Any]:
    """The `passage` part of the view."""
    assessment = shown.assessment
    plates = [_plate(sight, near=shown.near.get(sight.plate.text, ())) for sight in _ordered(passage, assessment)]
    declaration = assessment.declaration if assessment else None
    return {
        "id": passage.id,
        "state": passage.state,
        "plate": plates[0] if plates else None,
        "plates": plates,
        "photo": picture.photo,
        "crop": picture.crop,
        "box": picture.box,
        "frame_size": picture.frame_size,
        "captured_at": picture.captured_at,
        "declaration": declaration_to_json(declaration) if declaration else None,
        "pairing": _pairing(declaration),
        "others": [
            {"id": other.id, "procedure": other.procedure, "state": other.state, "declared_at": other.declared_at}
            for other in (assessment.others if assessment else ())
        ],
        "procedure": law.procedure_view(declaration.procedure) if declaration else None,
        "steps": [_step(step, law) for step in (assessment.steps if assessment else ())],
        "verdict": _verdict(assessment.verdict, law) if assessment else None,
        "needs_check": assessment.needs_check if assessment else False,
        "two_people": assessment.two_people if assessment else False,
        "who": asdict(assessment.who) if assessment else None,
        "vehicles": _vehicles(declaration),
        "shut": {"code": shown.shut.code, "detail": shown.shut.detail} if shown.shut else None,
        "seals": asdict(shown.seals) if declaration and declaration.transfer else None,
        "actions": list(may),
        "fault": passage.fault,
        "result": shown.result,
    }


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


def names(config: LaneConfig) -> dict[str, Any]:
    return {
        "lane": config.id,
        "name": config.name.model_dump(),
        "place": config.place,
        "direction": config.direction,
        "mode": "auto" if config.opens_by_itself else "guard",
    }


def _ordered(passage: Passage, assessment: Assessment | None) -> list[Sight]:
    """The plate by which the vehicle is known stands first, and so in large letters."""
    known = assessment.who.plate if assessment else None
    return sorted(passage.sights, key=lambda sight: sight.plate.text != known)


def _vehicles(declaration: Declaration | None) -> list[list[str]]:
    """The declaration's vehicles as they drive, each with its plates: what a guard chooses from."""
    return [[vehicle.plate for vehicle in group] for group in units(declaration)] if declaration else []


def _plate(sight: Sight, *, near: Sequence[str]) -> dict[str, Any]:
    """`candidates`: the text itself and declared plates like it, where there are any. `typed`: by a person."""
    text = sight.plate.text
    told = {**asdict(sight.plate), "decided": sight.decided, "typed": sight.typed, "over": sight.over}
    return {**told, "candidates": [text, *near] if near else []}


def _verdict(verdict: Verdict, law: Law) -> dict[str, Any]:
    named = [{**asdict(one), "authority_name": law.word("authority", one.authority)} for one in verdict.missing]
    return {**asdict(verdict), "missing": named}


def _step(step: StepView, law: Law) -> dict[str, Any]:
    return {
        "step": step.step,
        "name": law.word("step", step.step),
        "state": step.state,
        "article": step.article,
        "needs": [_need(need, law) for need in step.needs],
    }


def _need(need: Need, law: Law) -> dict[str, Any]:
    return {
        "authority": need.authority,
        "authority_name": law.word("authority", need.authority),
        "act": need.act,
        "act_name": law.word("act", need.act),
        "article": need.article,
        "state": need.state,
        "by": need.by,
        "at": need.at,
    }


def _pairing(declaration: Declaration | None) -> dict[str, Any] | None:
    """Customs' pairing of a Chinese and a Vietnamese vehicle for transshipment (Art. 10.2), where there is one."""
    found = pairing(declaration) if declaration else None
    if found is None:
        return None
    return {
        "chinese": [vehicle.plate for vehicle in found.chinese],
        "vietnamese": [vehicle.plate for vehicle in found.vietnamese],
        "confirmed_at": found.confirmed_at,
    }
