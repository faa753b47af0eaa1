"""Which confirmations of a declaration count, in the legal order of its procedure. Pure; no procedure is named here.

Groups of confirmations follow each other; within a group any order is legal. A confirmation counts when it was not
given before what was counted of the groups before it (equal stamps are in order). One that was given too early never
counts, not even later: it must be given again. Of several for the same act the earliest that is in order counts.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from operator import itemgetter

from edge.core.instant import LONG_AGO, Instant, instant
from edge.core.law import AUTO, PASSED, SYSTEM, Choices, LawNeed, LawStep, Rules
from edge.core.lookup import normal_plate
from edge.core.model import Confirmation, Declaration

YARD_EXIT = "yard_out"
"""The one step that a site may choose only to warn at; where it does, its passage sets no order."""

UNREADABLE = LONG_AGO - timedelta(days=1)
_Given = list[tuple[Instant, Confirmation]]


@dataclass(frozen=True, slots=True)
class Standing:
    """One confirmation that the law asks for, as it stands.

    `counted` is the one that counts, at `moment` (else long ago). Else `early` is the last one given out of order, or
    with a time that cannot be read. `ahead` is the counted one too, where something that must come before it is
    absent altogether.
    """

    need: LawNeed
    counted: Confirmation | None
    moment: Instant
    early: Confirmation | None
    ahead: Confirmation | None


def applies(rules: Rules, choices: Choices, declaration: Declaration, need: LawNeed) -> bool:
    """Whether this declaration at this site asks for it: "if any", and the site's choice of article or appendix."""
    if need.unless is not None and rules.chosen(choices, need.unless[0]) == need.unless[1]:
        return False
    return need.if_required is None or declaration.requires.get(need.if_required, need.absent_means)


def for_plates(confirmations: Iterable[Confirmation], plates: Collection[str]) -> list[Confirmation]:
    """Those that speak of the whole declaration, or of one of these plates; all of them where no plate is known."""
    here = {normal_plate(plate) for plate in plates}
    return [c for c in confirmations if c.plate is None or not here or normal_plate(c.plate) in here]


def stand(
    rules: Rules, choices: Choices, declaration: Declaration, steps: Sequence[LawStep], plates: Collection[str] = ()
) -> list[list[Standing]]:
    """For each of `steps`, how each confirmation that it asks for stands, in the legal order."""
    given = _index(for_plates(declaration.confirmations, plates))
    skew = timedelta(seconds=choices.clock_skew_s)
    warns = rules.chosen(choices, "yard_exit") == "warn"
    floor, hole = LONG_AGO, False
    result: list[list[Standing]] = []
    for step in steps:
        loose = warns and step.step == YARD_EXIT
        row: list[Standing] = []
        for group in step.groups:
            stood = [
                _standing(
                    need, step.step, given, LONG_AGO if loose else max(floor - skew, LONG_AGO), hole and not loose
                )
                for need in group
                if applies(rules, choices, declaration, need)
            ]
            row += stood
            if not loose:
                floor = max([floor, *(s.moment for s in stood)])
            hole = hole or any(s.counted is None for s in stood)
        result.append(row)
    return result


def passed_at(declaration: Declaration, step: str, plates: Collection[str] = ()) -> str | None:
    """When this vehicle went through this step, or None. A passage that names no plate speaks of every vehicle.

    At a yard gate the passage is the system's own `auto`; only one that a gate recorded itself proves that the vehicle
    went through, for the platform may give it before the gate has opened (Art. 4.2.c: data shared by the yard).
    """
    for c in for_plates(declaration.confirmations, plates):
        if c.step == step and c.authority == SYSTEM and (c.act == PASSED or (c.act == AUTO and c.via == "gate")):
            return c.at
    return None


def _index(confirmations: Iterable[Confirmation]) -> Mapping[tuple[str, str, str], _Given]:
    """By step, authority and act; a time that cannot be read lies before everything."""
    index: dict[tuple[str, str, str], _Given] = {}
    for c in confirmations:
        moment = instant(c.at)
        index.setdefault((c.step, c.authority, c.act), []).append((UNREADABLE if moment is None else moment, c))
    return index


def _standing(
    need: LawNeed, step: str, given: Mapping[tuple[str, str, str], _Given], floor: Instant, hole: bool
) -> Standing:
    candidates: _Given = []
    for authority in need.authorities:
        candidates += given.get((step, authority, need.act), ())
    candidates.sort(key=itemgetter(0))
    for moment, confirmation in candidates:
        if moment >= floor:
            return Standing(need, confirmation, moment, None, confirmation if hole else None)
    return Standing(need, None, LONG_AGO, candidates[-1][1] if candidates else None, None)
