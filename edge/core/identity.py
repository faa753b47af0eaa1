"""Who stands at the gate: the vehicle of the declaration that matched, by which plate, from which source. Pure.

Made once for a passage and carried to the record, the screen, the sign and the print, so that no two of them can mean
different vehicles. Where a declaration has several vehicles and nothing says which one stands here, `asked` is true:
then the guard is asked, and nothing is confirmed or opened on it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from edge.core.law.lookup import normal_plate, unit, units, vehicle_by_plate
from edge.core.model import Declaration

Source = Literal["", "camera", "typed", "picked", "paper"]
Stands = Literal["same", "sibling", "other", "none", "unsure", "held"]
"""A plate in view beside the one that matched: of the same vehicle, of another vehicle of the same declaration, of
another declaration, of none; not surely read; or to be held."""


@dataclass(frozen=True, slots=True)
class Named:
    """One plate of the passage and where it is from. `by`: the camera, or the person who typed it, `over` the sure
    reading that it was typed over."""

    text: str
    source: Source
    by: str = ""
    frame: int | None = None
    over: str = ""
    decided: bool = True
    whole: bool = False
    odd_ground: bool = False
    """It was seen on a ground that its kind never has."""


@dataclass(frozen=True, slots=True)
class Beside:
    """A plate in view that is not the one by which the vehicle is known."""

    plate: str
    standing: Stands


@dataclass(frozen=True, slots=True)
class Identity:
    """`vehicle`: its plates as declared, a tractor's with its trailers', () where unknown. `plate`: the text by which
    it is known, None where a declaration was chosen for it. `asked`: the guard has to say which vehicle it is.
    `odd_grounds`: surely read plates in view, its own among them, on a ground that their kind never has.
    """

    declaration: str | None = None
    vehicle: tuple[str, ...] = ()
    plate: str | None = None
    source: Source = ""
    by: str = ""
    frame: int | None = None
    over: str = ""
    whole: bool = False
    asked: bool = False
    beside: tuple[Beside, ...] = ()
    odd_grounds: tuple[str, ...] = ()

    @property
    def speaks_of(self) -> str | None:
        """The plate that a confirmation of this gate names: as read where it was, else the vehicle's first."""
        return self.plate or (self.vehicle[0] if self.vehicle else None)

    @property
    def strangers(self) -> frozenset[str]:
        """Surely read plates in view that are not this vehicle's: somebody has to look."""
        return frozenset(one.plate for one in self.beside if one.standing not in ("same", "unsure"))

    @property
    def to_look_at(self) -> frozenset[str]:
        """Plates that a person has to have looked at before a press counts."""
        return self.strangers | frozenset(self.odd_grounds)


NOBODY = Identity()


@dataclass(frozen=True, slots=True)
class Choice:
    """What a person chose for this passage: a declaration, and which of its vehicles."""

    declaration: str | None = None
    vehicle: str | None = None
    by: str = ""
    paper: bool = False


NO_CHOICE = Choice()


def matching(named: Sequence[Named]) -> tuple[str, ...]:
    """The texts that may find a declaration: what a person typed stands over what was read."""
    typed = tuple(one.text for one in named if one.source == "typed" and one.decided)
    return typed or tuple(one.text for one in named if one.decided)


def identify(
    declaration: Declaration | None,
    named: Sequence[Named],
    choice: Choice = NO_CHOICE,
    elsewhere: Mapping[str, bool] | None = None,
    held: frozenset[str] = frozenset(),
) -> Identity:
    """`elsewhere`: whether some other declaration names a text; `held`: texts on a list."""
    known = matching(named)
    if declaration is None:
        first = next((one for one in named if one.text in known), None)
        plain = Identity() if first is None else _by(first, Identity())
        return _with_beside(plain, None, named, elsewhere or {}, held)
    groups = units(declaration)
    mine = {unit(declaration, (text,)) for text in known} - {()}
    who = Identity(declaration=declaration.id)
    if choice.vehicle is not None and vehicle_by_plate(declaration, choice.vehicle) is not None:
        chosen = unit(declaration, (choice.vehicle,))
        of_it = next((one for one in named if one.text in known and unit(declaration, (one.text,)) == chosen), None)
        who = Identity(declaration.id, chosen, source="paper" if choice.paper else "picked", by=choice.by)
        who = who if of_it is None else _by(of_it, who)
    elif len(mine) == 1:
        vehicle = next(iter(mine))
        of_it = next(one for one in named if one.text in known and unit(declaration, (one.text,)) == vehicle)
        who = _by(of_it, Identity(declaration.id, vehicle))
    elif not mine and len(groups) == 1:
        plates = tuple(vehicle.plate for vehicle in groups[0])
        who = Identity(declaration.id, plates, source="paper" if choice.paper else "picked", by=choice.by)
    else:
        who = Identity(declaration.id, asked=True)
    return _with_beside(who, declaration, named, elsewhere or {}, held)


def _by(one: Named, who: Identity) -> Identity:
    return replace(
        who, plate=one.text, source=one.source, by=one.by, frame=one.frame, over=one.over, whole=one.whole
    )  # fmt: skip


def _with_beside(
    who: Identity,
    declaration: Declaration | None,
    named: Sequence[Named],
    elsewhere: Mapping[str, bool],
    held: frozenset[str],
) -> Identity:
    beside = []
    for one in named:
        if one.text in (who.plate, who.over):
            continue
        beside.append(Beside(one.text, _stands(one, who, declaration, elsewhere, held)))
    odd = tuple(one.text for one in named if one.odd_ground and one.decided)
    return replace(who, beside=tuple(beside), odd_grounds=odd)


def _stands(
    one: Named, who: Identity, declaration: Declaration | None, elsewhere: Mapping[str, bool], held: frozenset[str]
) -> Stands:
    if one.text in held:
        return "held"
    if not one.decided:
        return "unsure"
    if normal_plate(one.text) in {normal_plate(plate) for plate in who.vehicle}:
        return "same"
    if declaration is not None and vehicle_by_plate(declaration, one.text) is not None:
        return "sibling"
    return "other" if elsewhere.get(one.text, False) else "none"
