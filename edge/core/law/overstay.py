"""How long vehicles stay in the gate area, from the passages that stand in their declarations. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from edge.core.instant import Instant, instant
from edge.core.law.confirmations import for_plates
from edge.core.law.lookup import units
from edge.core.law.terms import PASSED, SYSTEM, Rules
from edge.core.model import Declaration

GATE_AREA = "area"
"""The rule table's word for the place between the two barriers (its steps' `moves`)."""


@dataclass(frozen=True, slots=True)
class Stay:
    """A vehicle (or a tractor with its trailers) inside the gate area since `since`, for `inside_s` seconds."""

    declaration: Declaration
    plates: tuple[str, ...]
    since: str
    inside_s: float


def inside_since(rules: Rules, declaration: Declaration, plates: Collection[str] = ()) -> str | None:
    """When this vehicle came into the gate area, where its last barrier led into it; None where it is outside."""
    last: tuple[Instant, str, str] | None = None
    for c in for_plates(declaration.confirmations, plates):
        step = rules.steps.get(c.step)
        if c.authority != SYSTEM or c.act != PASSED or step is None or step.kind != "barrier" or not step.moves:
            continue
        moment = instant(c.at)
        if moment is not None and (last is None or moment >= last[0]):
            last = (moment, c.at, next(iter(step.moves.values())))
    return last[1] if last is not None and last[2] == GATE_AREA else None


def overstays(
    table_of: Callable[[Declaration], Rules], declarations: Iterable[Declaration], now: str, limit_s: float
) -> list[Stay]:
    """Vehicles inside longer than the site allows, each by the table that `table_of` gives for its declaration, the
    longest first. Raises ValueError for a `now` without an
    offset.
    """
    moment = instant(now)
    if moment is None:
        raise ValueError(f"now = {now!r}: an ISO 8601 time with an offset")
    stays = []
    for declaration in declarations:
        for group in units(declaration):
            plates = tuple(vehicle.plate for vehicle in group)
            since = inside_since(table_of(declaration), declaration, plates)
            came = instant(since) if since is not None else None
            if since is not None and came is not None and (moment - came).total_seconds() > limit_s:
                stays.append(Stay(declaration, plates, since, (moment - came).total_seconds()))
    return sorted(stays, key=lambda stay: stay.inside_s, reverse=True)
