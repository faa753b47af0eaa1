"""From the plates at the gate to the declaration they belong to, and this gate's own confirmations laid over it.
Pure.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from edge.core.instant import LONG_AGO, Instant, instant
from edge.core.model import Confirmation, Declaration, Vehicle


@lru_cache(maxsize=4096)
def normal_plate(plate: str) -> str:
    """Upper case, letters and digits only, Đ kept: the form in which plates are compared, and only whole."""
    folded = unicodedata.normalize("NFKC", plate).upper().replace("\u00d0", "Đ")
    return "".join(letter for letter in folded if letter.isalnum())


# ---------------------------------------------------------------- confirmations of this gate


def overlay(declaration: Declaration, local: Sequence[Confirmation]) -> Declaration:
    """The centre's copy with this gate's own confirmations laid over it, until the centre carries them; no duplicates.

    The centre carries one when it has the same act of the same step by the same authority at the same instant, however
    it writes the time. Where it left the plate out, the gate's own stays: it knows which vehicle it meant.
    """
    if not local:
        return declaration
    merged = list(declaration.confirmations)
    places = {_mark(confirmation): index for index, confirmation in reversed(list(enumerate(merged)))}
    for own in local:
        index = places.get(_mark(own))
        if index is None or not _same_vehicle(merged[index], own):
            places[_mark(own)] = len(merged)
            merged.append(own)
        elif merged[index].plate is None and own.plate is not None:
            merged[index] = replace(merged[index], plate=own.plate)
    return replace(declaration, confirmations=tuple(merged))


def _mark(confirmation: Confirmation) -> tuple[str, str, str, Instant | str]:
    moment = instant(confirmation.at)
    return confirmation.step, confirmation.authority, confirmation.act, confirmation.at if moment is None else moment


def _same_vehicle(one: Confirmation, other: Confirmation) -> bool:
    return one.plate is None or other.plate is None or normal_plate(one.plate) == normal_plate(other.plate)


# ---------------------------------------------------------------- which declaration


@dataclass(frozen=True, slots=True)
class Candidate:
    """A declaration that names at least one of the plates at the gate; `plates` are those that it names, as read."""

    declaration: Declaration
    plates: tuple[str, ...]


def choose(declarations: Iterable[Declaration]) -> list[Declaration]:
    """Candidates for one plate, each once (its newest version): active ones first, the newest of them first.

    With more than one active the guard chooses; the first is the suggestion.
    """
    newest: dict[str, Declaration] = {}
    for declaration in declarations:
        if declaration.id not in newest or newest[declaration.id].version < declaration.version:
            newest[declaration.id] = declaration
    return sorted(newest.values(), key=_rank, reverse=True)


def candidates(declarations: Iterable[Declaration], plates: Sequence[str]) -> list[Candidate]:
    """Declarations that any one of several plates finds (a tractor's, its trailer's, of one country or two), in the
    order of `choose`. Only whole plates match; a near miss finds nothing.
    """
    chosen = []
    for declaration in choose(declarations):
        matched = tuple(plate for plate in plates if vehicle_by_plate(declaration, plate) is not None)
        if matched:
            chosen.append(Candidate(declaration, matched))
    return chosen


def _rank(declaration: Declaration) -> tuple[bool, Instant, int, str]:
    moment = instant(declaration.declared_at)
    return (
        declaration.state == "active", LONG_AGO if moment is None else moment, declaration.version, declaration.id
    )  # fmt: skip


def search(declarations: Iterable[Declaration], text: str) -> list[tuple[Declaration, Vehicle | None]]:
    """Active declarations that a person may mean by a text which is no plate: a container, the number of an IGV or a
    chassis, a driver's name, a declaration's id; the vehicle is None where it does not say which of several.

    Whole words only, compared without case, spaces, dashes and tone marks. For a guard to look at, never by itself.
    """
    wanted, found = spelt(text), []
    for declaration in choose(declarations) if wanted else ():
        if declaration.state != "active":
            continue
        mine = [v for v in declaration.vehicles if wanted in {spelt(one) for one in _goes_by(v)}]
        if not mine and wanted == spelt(declaration.id):
            mine = list(declaration.vehicles)
        if mine:
            found.append((declaration, mine[0] if len({unit(declaration, (v.plate,)) for v in mine}) == 1 else None))
    return found


def _goes_by(vehicle: Vehicle) -> tuple[str, ...]:
    known = (vehicle.container, vehicle.unit_no, vehicle.chassis, vehicle.driver_name)
    return tuple(one for one in known if one)


def spelt(text: str) -> str:
    """As typed on a plate keyboard: upper case, letters and digits, no tone marks, D for Đ."""
    bare = unicodedata.normalize("NFKD", text).upper().replace("Đ", "D")
    return "".join(letter for letter in bare if letter.isalnum())


# ---------------------------------------------------------------- which vehicle of it


def vehicle_by_plate(declaration: Declaration, plate: str) -> Vehicle | None:
    """The declared vehicle of this plate, compared whole and normalised; None where there is none."""
    wanted = normal_plate(plate)
    if not wanted:
        return None
    return next((vehicle for vehicle in declaration.vehicles if normal_plate(vehicle.plate) == wanted), None)


def unit(declaration: Declaration, plates: Collection[str]) -> tuple[str, ...]:
    """All plates of the unit that these belong to, as declared: a tractor and the trailers listed after it go together.

    Empty where none of them is declared.
    """
    wanted = {normal_plate(plate) for plate in plates} - {""}
    for group in units(declaration):
        if any(normal_plate(vehicle.plate) in wanted for vehicle in group):
            return tuple(vehicle.plate for vehicle in group)
    return ()


def units(declaration: Declaration) -> list[tuple[Vehicle, ...]]:
    """The declaration's vehicles as they drive: each vehicle or tractor with the trailers that follow it in the list.

    Trailers listed before any tractor go with the first one.
    """
    groups: list[list[Vehicle]] = []
    for vehicle in declaration.vehicles:
        starts = vehicle.role != "trailer"
        if not groups or (starts and any(other.role != "trailer" for other in groups[-1])):
            groups.append([])
        groups[-1].append(vehicle)
    return [tuple(group) for group in groups]


@dataclass(frozen=True, slots=True)
class Pairing:
    """Customs' pairing of Chinese and Vietnamese vehicles for transshipment (ghép phương tiện, Art. 10.2).

    `confirmed_at` is when customs confirmed the transshipment, None while it has not.
    """

    chinese: tuple[Vehicle, ...]
    vietnamese: tuple[Vehicle, ...]
    confirmed_at: str | None


def pairing(declaration: Declaration) -> Pairing | None:
    """The pairing in a declaration that names vehicles of both countries and asks for transshipment; else None."""
    chinese = tuple(vehicle for vehicle in declaration.vehicles if vehicle.country == "CN")
    vietnamese = tuple(vehicle for vehicle in declaration.vehicles if vehicle.country == "VN")
    given = [c.at for c in declaration.confirmations if c.act == "transshipment"]
    asked = declaration.requires.get("transshipment", False) or bool(given)
    if not (chinese and vietnamese and asked):
        return None
    return Pairing(chinese, vietnamese, given[-1] if given else None)
