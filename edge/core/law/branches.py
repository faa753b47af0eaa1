"""Which way through its procedure a vehicle goes: with the goods, back after handing them over, taking them over, or
back without having got any (Art. 6.2/6.3, 6.5/6.6, 7.2/7.3, 10.2; docs/law.md, "Readings"). Pure; the ways are data.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from edge.core.law.confirmations import for_plates
from edge.core.law.lookup import normal_plate, units
from edge.core.law.terms import AUTO, PASSED, SYSTEM, LawStep, Procedure, Route, Rules, index_of
from edge.core.model import Confirmation, Declaration, Vehicle

BRINGS, TAKES, NO_GOODS = "brings", "takes", "no_goods"
"""The ways that a rule table may give beside a procedure's own steps."""


@dataclass(frozen=True, slots=True)
class Way:
    """The steps that hold for this vehicle at this gate. `route` is None on the procedure's own steps. `back`: from
    which of them on the vehicle goes back empty; behind the last where it does not.
    """

    steps: tuple[LawStep, ...]
    back: int
    route: Route | None = None

    def emptied(self, index: int) -> bool:
        """Whether it goes back from having handed its goods over, at the step of this index."""
        return self.route is not None and self.route.kind == BRINGS and index >= self.back


def way(procedure: Procedure, declaration: Declaration, plates: Collection[str], step: str | None) -> Way:
    """The way of the vehicle of these plates, as it looks from the gate of `step` (None: from nowhere)."""
    route = procedure.routes.get(_trip(procedure, declaration, plates)) if BRINGS in procedure.routes else None
    if route is not None:
        return Way(route.steps, _turns(procedure, route), route)
    empty = procedure.routes.get(NO_GOODS)
    if empty is not None and index_of(empty.steps, step) is not None and not got_goods(procedure, declaration, plates):
        return Way(empty.steps, _turns(procedure, empty), empty)
    return Way(procedure.steps, len(procedure.steps))


def carries(rules: Rules, declaration: Declaration, plates: Collection[str]) -> bool:
    """Whether this declaration shows that the vehicle took its goods over and is not out of its last gate with them:
    then no other declaration lets it go as an empty one."""
    procedure = rules.procedures.get(declaration.procedure)
    if procedure is None or TAKES not in procedure.routes or declaration.state != "active":
        return False
    if _trip(procedure, declaration, plates) != TAKES:
        return False
    last = next(s.step for s in reversed(procedure.routes[TAKES].steps) if s.kind != "work")
    out = any(
        c.step == last and c.authority == SYSTEM and c.act in (PASSED, AUTO)
        for c in for_plates(declaration.confirmations, plates)
    )
    return not out and _handed_over(procedure, declaration)


def _turns(procedure: Procedure, route: Route) -> int:
    """Where a way turns back: behind its work, or where it leaves the procedure's own steps."""
    ours = [s.step for s in procedure.steps]
    leaves = next((n for n, s in enumerate(route.steps) if ours[n : n + 1] != [s.step]), len(route.steps))
    worked = max((n + 1 for n, s in enumerate(route.steps) if s.kind == "work"), default=leaves)
    return len(route.steps) if route.kind == TAKES else min(leaves, worked)


def _trip(procedure: Procedure, declaration: Declaration, plates: Collection[str]) -> str:
    """This vehicle's part: as declared; where the platform declares none for it, by country once customs confirmed the
    transshipment between vehicles of both."""
    mine = _unit(declaration, plates)
    declared = next((vehicle.trip for vehicle in mine if vehicle.trip), None)
    if declared is not None:
        return declared
    leads = {_country(unit) for unit in units(declaration)}
    sides = {kind: procedure.routes[kind].country for kind in (BRINGS, TAKES) if kind in procedure.routes}
    if not mine or not set(sides.values()) <= leads or len(leads) < 2:
        return "through"
    part = next((kind for kind, country in sides.items() if country == _country(mine)), "through")
    moved = _handed_over(procedure, declaration, mine if part == BRINGS else ())
    return part if moved else "through"


def _unit(declaration: Declaration, plates: Collection[str]) -> tuple[Vehicle, ...]:
    """The unit at the gate; the only one of the declaration where no plate says which."""
    wanted = {normal_plate(plate) for plate in plates} - {""}
    groups = units(declaration)
    if not wanted:
        return groups[0] if len(groups) == 1 else ()
    return next((g for g in groups if any(normal_plate(v.plate) in wanted for v in g)), ())


def _country(unit: Sequence[Vehicle]) -> str:
    """Of the one that pulls."""
    return next((vehicle.country for vehicle in unit if vehicle.role != "trailer"), unit[0].country)


def _handed_over(procedure: Procedure, declaration: Declaration, mine: Sequence[Vehicle] = ()) -> bool:
    """Whether customs confirmed the transshipment: of some vehicle, or with `mine` one that speaks of this vehicle."""
    handing = _handing(procedure)
    return any((c.act, c.authority) in handing and _speaks_of(declaration, c, mine) for c in declaration.confirmations)


def _handing(procedure: Procedure) -> frozenset[tuple[str, str]]:
    """(act, authority) of the last that the way of the one that brings asks for before it turns back."""
    work = next(s for s in reversed(procedure.routes[BRINGS].steps) if s.kind == "work")
    return frozenset((need.act, authority) for need in work.needs for authority in need.authorities)


def _speaks_of(declaration: Declaration, given: Confirmation, mine: Sequence[Vehicle]) -> bool:
    """Whether a transshipment speaks of this unit: it names nobody, or no other vehicle of the same country. One that
    names a vehicle of the other country speaks of whichever of ours it exchanged goods with."""
    if given.plate is None or not mine:
        return True
    named = normal_plate(given.plate)
    return not any(
        normal_plate(v.plate) == named for v in declaration.vehicles if v not in mine and v.country == _country(mine)
    )


def of_pair(procedure: Procedure, declaration: Declaration, plates: Collection[str]) -> Declaration:
    """The declaration as it speaks of this vehicle: goods that were moved were moved from one vehicle to another, so
    that a transshipment which names one of the two speaks of both."""
    if BRINGS not in procedure.routes:
        return declaration
    handing = _handing(procedure)
    if not any(c.plate is not None and (c.act, c.authority) in handing for c in declaration.confirmations):
        return declaration
    mine = _unit(declaration, plates)
    given = tuple(
        replace(c, plate=None)
        if c.plate is not None and (c.act, c.authority) in handing and _speaks_of(declaration, c, mine)
        else c
        for c in declaration.confirmations
    )
    return replace(declaration, confirmations=given) if mine else declaration


def got_goods(procedure: Procedure, declaration: Declaration, plates: Collection[str]) -> bool:
    """Whether its registration was confirmed, or whoever confirms registrations confirmed goods in the yard since."""
    after = procedure.goes_on_after
    if after is None:
        return False
    who = {authority for need in procedure.steps[after].needs for authority in need.authorities}
    work = {s.step for s in procedure.steps[after:] if s.kind == "work"}
    return any(c.step in work and c.authority in who for c in for_plates(declaration.confirmations, plates))
