"""Which way through its procedure a vehicle goes: with the goods, back after handing them over, taking them over, or
back without having got any (Art. 6.2/6.3, 6.5/6.6, 7.2/7.3, 10.2; docs/law.md, "Readings"). Pure; the ways are data.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from edge.core.law import LawNeed, LawStep, Procedure, Route, Rules, index_of
from edge.core.lookup import normal_plate, units
from edge.core.model import Confirmation, Declaration, Vehicle
from edge.core.standing import for_plates

BRINGS, TAKES, NO_GOODS = "brings", "takes", "no_goods"
"""The ways that a rule table may give beside a procedure's own steps."""


@dataclass(frozen=True, slots=True)
class Way:
    """The steps that hold for this vehicle at this gate. `route` is None on the procedure's own steps."""

    steps: tuple[LawStep, ...]
    route: Route | None = None


def way(rules: Rules, procedure: Procedure, declaration: Declaration, plates: Collection[str], step: str | None) -> Way:
    """The way of the vehicle of these plates, as it looks from the gate of `step` (None: from nowhere)."""
    for kind in (BRINGS, TAKES):
        route = procedure.routes.get(kind)
        if route is not None and _trip(rules, procedure, declaration, plates) == kind:
            return Way(route.steps, route)
    empty = procedure.routes.get(NO_GOODS)
    if empty is not None and index_of(empty.steps, step) is not None and not _got_goods(procedure, declaration, plates):
        return Way(empty.steps, empty)
    return Way(procedure.steps)


def _trip(rules: Rules, procedure: Procedure, declaration: Declaration, plates: Collection[str]) -> str:
    """This vehicle's part: as declared; where the platform declares none, by country once customs confirmed the
    transshipment between vehicles of both."""
    mine = _unit(declaration, plates)
    if any(vehicle.trip for vehicle in declaration.vehicles):
        return next((vehicle.trip for vehicle in mine if vehicle.trip), "through")
    leads = {_country(unit) for unit in units(declaration)}
    sides = {kind: procedure.routes[kind].country for kind in (BRINGS, TAKES) if kind in procedure.routes}
    if not mine or not set(sides.values()) <= leads or len(leads) < 2 or not _handed_over(procedure, declaration):
        return "through"
    return next((kind for kind, country in sides.items() if country == _country(mine)), "through")


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


def _handed_over(procedure: Procedure, declaration: Declaration) -> bool:
    """Whether customs confirmed the transshipment: what the way of the one that brings asks for in the yard."""
    asked = [need for s in procedure.routes[BRINGS].steps if s.kind == "work" for need in s.needs]
    return any(_is(c, need) for need in asked for c in declaration.confirmations)


def _got_goods(procedure: Procedure, declaration: Declaration, plates: Collection[str]) -> bool:
    """Whether its registration was confirmed, or whoever confirms registrations confirmed goods in the yard since."""
    after = procedure.goes_on_after
    if after is None:
        return False
    who = {authority for need in procedure.steps[after].needs for authority in need.authorities}
    work = {s.step for s in procedure.steps[after:] if s.kind == "work"}
    return any(c.step in work and c.authority in who for c in for_plates(declaration.confirmations, plates))


def _is(given: Confirmation, need: LawNeed) -> bool:
    return given.act == need.act and given.authority in need.authorities
