"""The paper form of 27/2025 App. V, used while the platform is down (Art. 23): typed in at the gate, checked like a
declaration, turned into one, and compared with the platform's when it is back. Pure.

The form has one signature for each authority, with a date. Signed, it stands for what that authority confirms of the
procedure so far; the border guard's opening of this very gate is never taken from paper: the guard presses.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from typing import Literal

from edge.core.law.branches import BRINGS, got_goods
from edge.core.law.confirmations import applies
from edge.core.law.lookup import normal_plate
from edge.core.law.terms import SYSTEM, Choices, LawNeed, LawStep, Procedure, Rules, index_of
from edge.core.model import Confirmation, Declaration, Vehicle

MOVEMENTS = (
    "ordinary", "ore_export", "third_country", "reexport_fruit", "reexport_other", "transshipment", "other",
)  # fmt: skip
"""Section I, "Loại hình": 1, 2, 3, 4.1, 4.2, 5, 6."""

MOVED = "transshipment"
"""The movement of section I, and the "if any" of a declaration, by which goods go from one vehicle to another."""

VEHICLE_CLASSES = ("under_2t_vegetables", "under_2t", "from_2t", "from_4t", "from_10t", "from_18t")
"""Section III, "Loại phương tiện", from the top."""

DECLARANT = "DN"
"""Who declares; the other signatures are the authorities' of the rule table."""


@dataclass(frozen=True, slots=True)
class PaperGoods:
    """One line of section II. `quantity` and `value` as written."""

    name: str
    origin: str
    quantity: str
    unit: str
    value: str


@dataclass(frozen=True, slots=True)
class PaperVehicle:
    """One line of section III."""

    vehicle_class: str
    plate: str
    container: str
    seal: str
    driver: str
    phone: str
    origin: str


@dataclass(frozen=True, slots=True)
class Signature:
    """Who signed for an authority, and the date beside it (`2026-11-20`)."""

    name: str
    date: str


@dataclass(frozen=True, slots=True)
class PaperForm:
    """The form of App. V with all its fields, as checked by `edge.core.law.paper_read.read_form`."""

    organisation: str
    tax_code: str
    address: str
    customs_number: str
    customs_date: str
    border_gate: str
    movement: str
    goods_count: str
    total_weight: str
    weight_unit: str
    goods: tuple[PaperGoods, ...]
    vehicles: tuple[PaperVehicle, ...]
    signatures: Mapping[str, Signature]


def signers(rules: Rules) -> tuple[str, ...]:
    """Who may sign a form: the declarant, and every authority of the rule table that is somebody."""
    return (DECLARANT, *(authority for authority in rules.authorities if authority != SYSTEM))


# ---------------------------------------------------------------- as a declaration


@dataclass(frozen=True, slots=True)
class Entry:
    """Where, when and by whom a form is typed in. `entered_at` is ISO 8601 with an offset."""

    declaration_id: str
    procedure: str
    place: str
    direction: str
    entered_at: str
    entered_by: str
    requires: Mapping[str, bool]


def to_declaration(
    rules: Rules, choices: Choices, form: PaperForm, entry: Entry, online: Declaration | None = None
) -> Declaration:
    """The form as a declaration of version 1, its signatures as confirmations `via` paper beside what was confirmed
    `online` before the platform went down. Raises KeyError for a
    procedure that the rule table does not have."""
    bare = Declaration(
        id=entry.declaration_id,
        version=1,
        state="active",
        procedure=entry.procedure,
        declared_at=entry.entered_at,
        vehicles=tuple(_vehicle(vehicle) for vehicle in form.vehicles),
        requires=dict(entry.requires),
        confirmations=() if online is None else online.confirmations,
        transfer=None if online is None else online.transfer,
        goods=tuple(_goods(line) for line in form.goods),
        declarant={"name": form.organisation, "tax_code": form.tax_code, "address": form.address},
        customs_declaration={"number": form.customs_number, "date": form.customs_date},
    )
    return lay_signatures(rules, choices, bare, form, entry)


def lay_signatures(
    rules: Rules, choices: Choices, declaration: Declaration, form: PaperForm, entry: Entry
) -> Declaration:
    """A declaration with the form's signatures laid over what is confirmed already: also for one that the gate had a
    copy of when the platform went down."""
    if form.movement == MOVED:
        declaration = replace(declaration, requires={**declaration.requires, MOVED: True})
    here = rules.passages.get((entry.place, entry.direction))
    given = {(c.step, c.authority, c.act) for c in declaration.confirmations}
    signed: dict[tuple[str, tuple[str, ...], str], list[Confirmation]] = {}
    for steps in _signed_for(rules.procedures[declaration.procedure], declaration, form):
        index = index_of(steps, here)
        for law_step in steps[: index + 1] if index is not None else ():
            for need in law_step.needs:
                opens_here = need.opens and law_step.step == here
                if opens_here or not applies(rules, choices, declaration, need):
                    continue
                if not any((law_step.step, authority, need.act) in given for authority in need.authorities):
                    key = (law_step.step, need.authorities, need.act)
                    signed.setdefault(key, _signed(law_step.step, need, form, entry))
    laid = (one for each in signed.values() for one in each)
    return replace(declaration, confirmations=(*declaration.confirmations, *laid))


def _signed_for(procedure: Procedure, declaration: Declaration, form: PaperForm) -> Iterator[tuple[LawStep, ...]]:
    """The ways that a form's signatures may speak of: of a handing over only where it says transshipment, of goods that
    an empty vehicle came for only where it got some."""
    moved = declaration.requires.get(MOVED, False)
    plates = [vehicle.plate for vehicle in form.vehicles]
    loaded = moved or bool(form.goods) or got_goods(procedure, declaration, plates)
    yield procedure.steps if loaded or procedure.goes_on_after is None else procedure.steps[: procedure.goes_on_after]
    yield from (route.steps for kind, route in procedure.routes.items() if moved or kind != BRINGS)


def _signed(step: str, need: LawNeed, form: PaperForm, entry: Entry) -> list[Confirmation]:
    """One confirmation by the first of its authorities that signed, with the form's bare date, which orders nothing:
    what was signed yesterday and typed after midnight holds (Art. 23.1). Passages of the yard's gates were recorded by
    hand.
    """
    for authority in need.authorities:
        if authority == SYSTEM:
            return [Confirmation(step, SYSTEM, need.act, entry.entered_at, entry.entered_by, "paper")]
        if authority in form.signatures:
            signature = form.signatures[authority]
            return [Confirmation(step, authority, need.act, signature.date, signature.name, "paper")]
    return []


def _vehicle(line: PaperVehicle) -> Vehicle:
    return Vehicle(
        "vehicle", normal_plate(line.plate), line.origin, line.vehicle_class,
        line.container or None, line.seal or None, line.driver or None, line.phone or None,
    )  # fmt: skip


def _goods(line: PaperGoods) -> dict[str, object]:
    return {
        "name": line.name, "origin": line.origin, "quantity": line.quantity, "unit": line.unit, "value": line.value,
    }  # fmt: skip


# ---------------------------------------------------------------- when the platform is back (Art. 23.3)


@dataclass(frozen=True, slots=True)
class Difference:
    """One field that the form and the platform's declaration say differently; a guard sees both."""

    field: str
    paper: str
    platform: str


@dataclass(frozen=True, slots=True)
class Reconciled:
    """`different` is a task for the guard; `missing` is still to be entered on the platform (Art. 23.3)."""

    outcome: Literal["same", "different", "missing"]
    differences: tuple[Difference, ...] = ()


def counterpart(declarations: Iterable[Declaration]) -> Declaration | None:
    """Of the platform's declarations of a form's vehicles, the one that the form is held against: the newest active."""
    ranked = sorted(declarations, key=lambda one: (one.state == "active", one.declared_at, one.id))
    return ranked[-1] if ranked else None


def reconcile(form: PaperForm, declaration: Declaration | None, procedure: str = "") -> Reconciled:
    """The typed form against the platform's declaration, field by field, each as what it is: amounts as numbers, phones
    as phones, the rest without regard to case and spaces. `procedure`: by which it was let through here.
    """
    if declaration is None:
        return Reconciled("missing")
    withdrawn = declaration.state if declaration.state == "withdrawn" else ""
    pairs = [
        ("organisation", form.organisation, _of(declaration.declarant, "name")),
        ("tax_code", form.tax_code, _of(declaration.declarant, "tax_code")),
        ("address", form.address, _of(declaration.declarant, "address")),
        ("customs_number", form.customs_number, _of(declaration.customs_declaration, "number")),
        ("customs_date", form.customs_date, _of(declaration.customs_declaration, "date")),
        *_vehicle_pairs(form, declaration),
        *_goods_pairs(form, declaration),
        ("procedure", procedure, declaration.procedure if procedure else ""),
        ("state", "", withdrawn),
    ]
    found = tuple(Difference(*pair) for pair in pairs if _same(pair[0], pair[1]) != _same(pair[0], pair[2]))
    return Reconciled("different" if found else "same", found)


def _vehicle_pairs(form: PaperForm, declaration: Declaration) -> list[tuple[str, str, str]]:
    ours = {normal_plate(line.plate): _vehicle(line) for line in form.vehicles}
    theirs = {normal_plate(vehicle.plate): vehicle for vehicle in declaration.vehicles}
    pairs = []
    for plate in [*ours, *(plate for plate in theirs if plate not in ours)]:
        one, other = ours.get(plate), theirs.get(plate)
        where = f"vehicles.{plate}"
        if one is None or other is None:
            pairs.append((where, plate if one else "", plate if other else ""))
            continue
        for name in ("vehicle_class", "container", "seal", "driver_name", "driver_phone", "country"):
            pairs.append((f"{where}.{name}", getattr(one, name) or "", getattr(other, name) or ""))
    return pairs


def _goods_pairs(form: PaperForm, declaration: Declaration) -> list[tuple[str, str, str]]:
    """Line by line; a line that stands elsewhere on the other side is the same line."""
    ours: list[Mapping[str, object]] = [_goods(line) for line in form.goods]
    theirs = list(declaration.goods)
    for index, line in enumerate(ours):
        there = next((n for n in range(index, len(theirs)) if _line(theirs[n]) == _line(line)), None)
        if there is not None:
            theirs.insert(index, theirs.pop(there))
    pairs = []
    for index in range(max(len(ours), len(theirs))):
        one = ours[index] if index < len(ours) else {}
        other = theirs[index] if index < len(theirs) else {}
        pairs += [(f"goods.{index}.{key}", _of(one, key), _of(other, key)) for key in _GOODS]
    return pairs


def _line(row: Mapping[str, object]) -> tuple[str, ...]:
    return tuple(_same(key, _of(row, key)) for key in _GOODS)


def _of(row: Mapping[str, object], key: str) -> str:
    value = row.get(key)
    return "" if value is None else str(value)


_GOODS = ("name", "origin", "quantity", "unit", "value")
_VIETNAM_CODE = "84"


def _same(field: str, text: str) -> str:
    """A field's text in the form in which two are compared."""
    key = field.rsplit(".", 1)[-1]
    if key in ("quantity", "value"):
        return _amount(text)
    if key == "driver_phone":
        digits = "".join(letter for letter in text if letter.isdecimal())
        national = digits.removeprefix("00").removeprefix(_VIETNAM_CODE)
        return national.lstrip("0")
    if key in ("container", "seal", "tax_code", "customs_number"):
        return normal_plate(text)
    return _plain(text)


def _amount(text: str) -> str:
    """`25`, `25.0` and `25,00` are one amount; what is no number stays as it is written."""
    try:
        return format(Decimal(_plain(text).replace(",", ".")).normalize(), "f") if text.strip() else ""
    except InvalidOperation:
        return _plain(text)


def _plain(text: str) -> str:
    return "".join(text.split()).casefold()
