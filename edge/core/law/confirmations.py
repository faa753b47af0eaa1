"""Which confirmations of a declaration count, step by step of one way through its procedure. Pure; no procedure is
named here.

Presence counts: a confirmation that is there, is there. Only where the Decision lists confirmations in order ("theo
thứ tự sau": B1 out, B2 out) do stamps matter: there one counts when everything listed before it counts and was not
given later (equal stamps are in order); one that was given too early must be given again. At the gate itself, where no
order is listed, the opener still comes last. A stamp that cannot be read, has no offset or lies in the future orders
nothing, and a paper form's bare date orders nothing either (docs/law.md).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from edge.core.instant import FUTURE_TOLERANCE, LONG_AGO, Instant, bare_day, instant
from edge.core.law.lookup import normal_plate
from edge.core.law.terms import AUTO, OVERRIDE, PASSED, RELEASE, SYSTEM, Choices, LawNeed, LawStep, Rules
from edge.core.model import Confirmation, Declaration

YARD_EXIT = "yard_out"
"""The one step that a site may choose only to warn at."""

_FAR = timedelta(days=10**6)
Stamp = Literal["good", "day", "unreadable", "future"]


@dataclass(frozen=True, slots=True)
class Standing:
    """One confirmation that the law asks for, as it stands.

    `counted` is the one that counts; `moment` its instant, None where its stamp orders nothing; `stamp` what that stamp
    is. Else `early` is the last one given out of the listed order, or before what is listed before it. `instead`: the
    step was opened by an override, or by a smart lane, and that stands for this confirmation.
    """

    need: LawNeed
    counted: Confirmation | None
    moment: Instant | None = None
    stamp: Stamp = "good"
    early: Confirmation | None = None
    instead: bool = False


def applies(rules: Rules, choices: Choices, declaration: Declaration, need: LawNeed) -> bool:
    """Whether this declaration at this site asks for it: "if any", and the site's choice of article or appendix."""
    if need.unless is not None and rules.chosen(choices, need.unless[0]) == need.unless[1]:
        return False
    return need.if_required is None or declaration.requires.get(need.if_required, need.absent_means)


def for_plates(confirmations: Iterable[Confirmation], plates: Collection[str]) -> list[Confirmation]:
    """Those that speak of the whole declaration, or of one of these plates; all of them where no plate is known."""
    here = {normal_plate(plate) for plate in plates}
    return [c for c in confirmations if c.plate is None or not here or normal_plate(c.plate) in here]


def stamp_of(given: Confirmation, now: Instant | None) -> tuple[Stamp, Instant | None]:
    """What a confirmation's stamp is, and the instant by which it orders: None where it orders nothing."""
    latest = _FAR if now is None else now + FUTURE_TOLERANCE
    moment = instant(given.at)
    if moment is not None:
        return ("good", moment) if moment <= latest else ("future", None)
    day = bare_day(given.at) if given.via == "paper" else None
    if day is None:
        return "unreadable", None
    return ("day" if day <= latest else "future"), None


def stand(
    rules: Rules,
    choices: Choices,
    declaration: Declaration,
    steps: Sequence[LawStep],
    plates: Collection[str] = (),
    *,
    here: str | None = None,
    now: Instant | None = None,
) -> list[list[Standing]]:
    """For each of `steps`, how each confirmation that it asks for stands, in the legal order. `here`: the gate's step,
    where the opener comes last; without `now` no stamp lies in the future.
    """
    of_all = _Given(declaration.confirmations, now)
    of_these = _Given(for_plates(declaration.confirmations, plates), now)
    skew = timedelta(seconds=choices.clock_skew_s)
    result = []
    for step in steps:
        given = of_all if step.of_goods else of_these
        needs = [need for need in step.needs if applies(rules, choices, declaration, need)]
        row = _listed(needs, step, given, skew) if step.listed else _any_order(needs, step, given, skew, here)
        result.append(row if step.step == here else _opened_otherwise(row, step, given))
    return result


class _Given:
    """Confirmations by step, authority and act, each with its stamp."""

    def __init__(self, confirmations: Iterable[Confirmation], now: Instant | None) -> None:
        self._now = now
        self._steps: dict[tuple[str, str], list[Confirmation]] = {}
        for c in confirmations:
            self._steps.setdefault((c.step, c.act), []).append(c)

    def of(self, step: str, need: LawNeed) -> list[tuple[Confirmation, Stamp, Instant | None]]:
        """Those for one need: by instant, then those that order nothing; a bare date before a stamp that is wrong."""
        found = [
            (c, *stamp_of(c, self._now))
            for c in self._steps.get((step, need.act), ())
            if c.authority in need.authorities
        ]
        return sorted(found, key=lambda one: (one[2] is None, one[2] or LONG_AGO, one[1] != "day"))

    def first(self, step: str, act: str, authority: str | None = None) -> Confirmation | None:
        return next((c for c in self._steps.get((step, act), ()) if authority in (None, c.authority)), None)


def _listed(needs: Sequence[LawNeed], step: LawStep, given: _Given, skew: timedelta) -> list[Standing]:
    """One after the other: each needs everything before it, and not later than itself. The opener is asked for again
    only once everything before it is there: then the guard presses."""
    row: list[Standing] = []
    floor, hole = LONG_AGO, False
    for need in needs:
        found = given.of(step.step, need)
        behind = LONG_AGO if need.opens else _FAR  # what is dated behind a hole will be older than what fills it
        stood = _first(need, found, behind if hole else floor - skew)
        hole = hole or stood.counted is None
        floor = max(floor, stood.moment or LONG_AGO)
        row.append(stood)
    return row


def _any_order(
    needs: Sequence[LawNeed], step: LawStep, given: _Given, skew: timedelta, here: str | None
) -> list[Standing]:
    """Presence counts; only at the gate itself its opener must not be older than the others."""
    row = [_first(need, given.of(step.step, need), -_FAR) for need in needs]
    if step.step != here or step.kind != "barrier":
        return row
    floor = max((s.moment for s in row if s.moment is not None and not s.need.opens), default=LONG_AGO)
    return [_first(s.need, given.of(step.step, s.need), floor - skew) if s.need.opens else s for s in row]


def _first(need: LawNeed, found: Sequence[tuple[Confirmation, Stamp, Instant | None]], floor: Instant) -> Standing:
    """The earliest that is not before `floor`; else one whose stamp orders nothing."""
    for confirmation, stamp, moment in found:
        if moment is None or moment >= floor:
            return Standing(need, confirmation, moment, stamp)
    return Standing(need, None, early=found[-1][0] if found else None)


def _opened_otherwise(row: list[Standing], step: LawStep, given: _Given) -> list[Standing]:
    """A step that a guard overrode is complete for later gates; one that a smart lane released needs no opener."""
    override = given.first(step.step, OVERRIDE)
    smart = given.first(step.step, RELEASE, SYSTEM)
    return [
        s
        if s.counted is not None or (by := override or (smart if s.need.opens else None)) is None
        else Standing(s.need, by, instant(by.at), instead=True)
        for s in row
    ]


def opened_otherwise(declaration: Declaration, step: str, plates: Collection[str]) -> Confirmation | None:
    """The override or the smart lane's release that stands at this step, if any."""
    given = _Given(for_plates(declaration.confirmations, plates), None)
    return given.first(step, OVERRIDE) or given.first(step, RELEASE, SYSTEM)


def passed_at(declaration: Declaration, step: str, plates: Collection[str] = ()) -> str | None:
    """When this vehicle went through this step, or None. A passage that names no plate speaks of every vehicle.

    At a yard gate the passage is the system's own `auto`; only one that a gate recorded itself proves that the vehicle
    went through, for the platform may give it before the gate has opened (Art. 4.2.c: data shared by the yard).
    """
    for c in for_plates(declaration.confirmations, plates):
        if c.step == step and c.authority == SYSTEM and (c.act == PASSED or (c.act == AUTO and c.via == "gate")):
            return c.at
    return None
