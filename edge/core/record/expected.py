"""Who is on the way between two gates: vehicles that some gate let through and that the next has not seen yet. Pure.

All of it stands in the declarations: `SYS passed` (at a yard gate `auto`) is where a vehicle was last, its procedure
says where it goes next. What no message says cannot be known here: a vehicle that stopped half-way is still expected.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from edge.core.instant import Instant, instant
from edge.core.law.branches import of_pair, way
from edge.core.law.confirmations import for_plates
from edge.core.law.lookup import units
from edge.core.law.terms import AUTO, PASSED, SYSTEM, LawStep, Rules, index_of
from edge.core.model import Declaration


@dataclass(frozen=True, slots=True)
class Expected:
    """A vehicle (or tractor with trailers) that went through `came_by` at `since` and is to come to `next_step`.

    `overstayed`: inside for longer than the site allows.
    """

    declaration: str
    procedure: str
    plates: tuple[str, ...]
    came_by: str
    next_step: str
    since: str
    for_s: float
    overstayed: bool


def expected(
    table_of: Callable[[Declaration], Rules], declarations: Iterable[Declaration], now: str, overstay_s: float | None
) -> list[Expected]:
    """The longest on the way first, each by the table that `table_of` gives for it, on the way that the vehicle goes.
    Raises ValueError for a `now` without an offset."""
    moment = instant(now)
    if moment is None:
        raise ValueError(f"now = {now!r}: an ISO 8601 time with an offset")
    found = []
    for declaration in declarations:
        rules = table_of(declaration)
        procedure = rules.procedures.get(declaration.procedure)
        if declaration.state != "active" or procedure is None:
            continue
        for group in units(declaration):
            plates = tuple(vehicle.plate for vehicle in group)
            steps = way(procedure, of_pair(procedure, declaration, plates), plates, None).steps
            last = _last(rules, steps, declaration, plates)
            following = _next(rules, steps, last[1]) if last else None
            if last is None or following is None:
                continue
            for_s = max(0.0, (moment - last[0]).total_seconds())
            over = overstay_s is not None and for_s > overstay_s
            found.append(
                Expected(declaration.id, procedure.id, plates, last[1], following, last[2], for_s, overstayed=over)
            )
    return sorted(found, key=lambda one: one.for_s, reverse=True)


def _last(
    rules: Rules, steps: Sequence[LawStep], declaration: Declaration, plates: Sequence[str]
) -> tuple[Instant, str, str] | None:
    """(instant, step, stamp) of the last gate that this vehicle went through; of two at one instant the later step."""
    passed = []
    for c in for_plates(declaration.confirmations, plates):
        place, moment, index = rules.steps.get(c.step), instant(c.at), index_of(steps, c.step)
        gate = place is not None and place.kind != "work"
        if c.authority == SYSTEM and c.act in (PASSED, AUTO) and gate and moment is not None and index is not None:
            passed.append((moment, index, c.step, c.at))
    if not passed:
        return None
    moment, _, step, at = max(passed)
    return moment, step, at


def _next(rules: Rules, steps: Sequence[LawStep], step: str) -> str | None:
    """The next barrier or yard gate of the way; None where this was its last."""
    index = index_of(steps, step)
    assert index is not None
    later = (one for one in steps[index + 1 :] if rules.steps[one.step].kind != "work")
    return next((one.step for one in later), None)
