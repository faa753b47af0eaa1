"""Reads a typed form of App. V: every field and signature checked, every fault named by its field. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation

from edge.core.law.lookup import normal_plate
from edge.core.law.paper import DECLARANT, MOVEMENTS, VEHICLE_CLASSES, PaperForm, PaperGoods, PaperVehicle, Signature

_TAX_CODE = re.compile(r"\d{10}(-?\d{3})?|\d{12}")
_PHONE = re.compile(r"\+?[\d .()-]{6,20}")
_ORIGIN = re.compile(r"[A-Z]{2}")
MAX_LINES = 60
MAX_TEXT = 500


class PaperError(ValueError):
    """A form that is not complete or not readable. `faults` are (field, what is wrong), all of them."""

    def __init__(self, faults: Sequence[tuple[str, str]]) -> None:
        self.faults = tuple(faults)
        super().__init__("; ".join(f"{field}: {what}" for field, what in faults))


class _Form:
    """One form under examination: texts are stripped, faults gather."""

    def __init__(self, today: date) -> None:
        self.today = today
        self.faults: list[tuple[str, str]] = []

    def text(self, row: Mapping[str, object], key: str, where: str = "", *, must: bool = True) -> str:
        value = row.get(key, "")
        field = f"{where}{key}"
        if not isinstance(value, str):
            self.faults.append((field, "must be a text"))
            return ""
        text = value.strip()
        if must and not text:
            self.faults.append((field, "is empty"))
        if len(text) > MAX_TEXT:
            self.faults.append((field, f"is longer than {MAX_TEXT} characters"))
        return text

    def one_of(self, row: Mapping[str, object], key: str, values: Sequence[str], where: str = "") -> str:
        text = self.text(row, key, where)
        if text and text not in values:
            self.faults.append((f"{where}{key}", f"must be one of {', '.join(values)}"))
        return text

    def like(self, row: Mapping[str, object], key: str, shape: re.Pattern[str], what: str, where: str = "") -> str:
        """A field that may be empty, but where it is not must look like what it is."""
        text = self.text(row, key, where, must=False)
        if text and not shape.fullmatch(text):
            self.faults.append((f"{where}{key}", what))
        return text

    def number(self, row: Mapping[str, object], key: str, where: str = "", *, must: bool) -> str:
        """A count or amount as people write it: `1.234,5` and `1234.5` are told apart by nobody, so only digits and one
        decimal mark are taken."""
        text = self.text(row, key, where, must=must)
        try:
            amount = Decimal(text.replace(",", ".") or "0")
        except InvalidOperation:
            amount = Decimal(-1)
        if not amount.is_finite() or amount < 0:
            self.faults.append((f"{where}{key}", "must be a number: digits and at most one decimal mark"))
        return text

    def day(self, row: Mapping[str, object], key: str, where: str = "", *, must: bool) -> str:
        text = self.text(row, key, where, must=must)
        try:
            day = date.fromisoformat(text) if text else None
        except ValueError:
            self.faults.append((f"{where}{key}", "must be a date, year-month-day"))
            return text
        if day is not None and day > self.today:
            self.faults.append((f"{where}{key}", "lies in the future"))
        return text

    def rows(self, form: Mapping[str, object], key: str) -> list[Mapping[str, object]]:
        value = form.get(key, [])
        if not isinstance(value, list | tuple) or not all(isinstance(row, Mapping) for row in value):
            self.faults.append((key, "must be a list of lines"))
            return []
        if len(value) > MAX_LINES:
            self.faults.append((key, f"more than {MAX_LINES} lines"))
        return list(value[:MAX_LINES])


def read_form(form: Mapping[str, object], today: date, signers: Collection[str]) -> PaperForm:
    """The form from what was typed in, by the names of `PaperForm`'s fields; `signers`: who may sign one
    (`edge.core.law.paper.signers`). Raises PaperError with every fault."""
    check = _Form(today)
    read = PaperForm(
        organisation=check.text(form, "organisation"),
        tax_code=check.like(form, "tax_code", _TAX_CODE, "must be 10, 12 or 13 digits"),
        address=check.text(form, "address", must=False),
        customs_number=check.text(form, "customs_number", must=False),
        customs_date=check.day(form, "customs_date", must=bool(check.text(form, "customs_number", must=False))),
        border_gate=check.text(form, "border_gate"),
        movement=check.one_of(form, "movement", MOVEMENTS),
        goods_count=check.number(form, "goods_count", must=False),
        total_weight=check.number(form, "total_weight", must=False),
        weight_unit=check.text(form, "weight_unit", must=bool(check.text(form, "total_weight", must=False))),
        goods=tuple(_goods(check, row, f"goods.{n}.") for n, row in enumerate(check.rows(form, "goods"))),
        vehicles=_vehicles(check, form),
        signatures=_signatures(check, form, signers),
    )
    if check.faults:
        raise PaperError(list(dict.fromkeys(check.faults)))
    return read


def _goods(check: _Form, row: Mapping[str, object], where: str) -> PaperGoods:
    return PaperGoods(
        name=check.text(row, "name", where),
        origin=check.text(row, "origin", where, must=False),
        quantity=check.number(row, "quantity", where, must=True),
        unit=check.text(row, "unit", where),
        value=check.number(row, "value", where, must=False),
    )


def _vehicles(check: _Form, form: Mapping[str, object]) -> tuple[PaperVehicle, ...]:
    lines = tuple(_vehicle(check, row, f"vehicles.{n}.") for n, row in enumerate(check.rows(form, "vehicles")))
    if not lines:
        check.faults.append(("vehicles", "must have one line or more"))
    plates = [normal_plate(line.plate) for line in lines]
    for index, plate in enumerate(plates):
        if plate and plate in plates[:index]:
            check.faults.append((f"vehicles.{index}.plate", "stands on the form twice"))
    return lines


def _vehicle(check: _Form, row: Mapping[str, object], where: str) -> PaperVehicle:
    plate = check.text(row, "plate", where)
    if plate and not normal_plate(plate):
        check.faults.append((f"{where}plate", "must have letters or digits"))
    origin = check.like(row, "origin", _ORIGIN, "must be a country in two letters, as VN or CN", where)
    if not origin:
        check.faults.append((f"{where}origin", "is empty"))
    return PaperVehicle(
        vehicle_class=check.one_of(row, "vehicle_class", VEHICLE_CLASSES, where),
        plate=plate,
        container=check.text(row, "container", where, must=False),
        seal=check.text(row, "seal", where, must=False),
        driver=check.text(row, "driver", where),
        phone=check.like(row, "phone", _PHONE, "must be a phone number", where),
        origin=origin,
    )


def _signatures(check: _Form, form: Mapping[str, object], signers: Collection[str]) -> dict[str, Signature]:
    """Signatures by authority: `{authority: {"name", "date"}}`. Only the declarant's must be there; what of the
    others is still missing is the verdict's to say.
    """
    rows = form.get("signatures", {})
    if not isinstance(rows, Mapping):
        check.faults.append(("signatures", "must be given by authority"))
        return {}
    signatures = {}
    for signer, row in rows.items():
        where = f"signatures.{signer}."
        if signer not in signers or not isinstance(row, Mapping):
            check.faults.append((f"signatures.{signer}", f"must be one of {', '.join(signers)}, with name and date"))
            continue
        signatures[str(signer)] = Signature(check.text(row, "name", where), check.day(row, "date", where, must=True))
    if DECLARANT not in signatures:
        check.faults.append((f"signatures.{DECLARANT}", "the declarant has not signed"))
    return signatures
