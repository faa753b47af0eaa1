"""Paper mode (Art. 23): the form of App. V checked like a declaration, counted at the gate, compared when the
platform is back.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from edge.core.law.paper import (
    MOVEMENTS,
    VEHICLE_CLASSES,
    Entry,
    PaperForm,
    lay_signatures,
    reconcile,
    signers,
    to_declaration,
)
from edge.core.law.paper_read import PaperError, read_form
from edge.core.model import Confirmation, Declaration
from tests.law.table import GATES, NONE
from tests.law.tools import LEGAL, at_gate, declared, missing, rules

TODAY = date(2026, 11, 21)
SIGNED = {"name": "Người Ký Ví Dụ", "date": "2026-11-21"}
FORM: dict[str, Any] = {
    "organisation": "Công ty Ví Dụ",
    "tax_code": "0000000000",
    "address": "Đồng Đăng",
    "customs_number": "300000000001",
    "customs_date": "2026-11-20",
    "border_gate": "Hữu Nghị",
    "movement": "ordinary",
    "goods_count": "1",
    "total_weight": "18,5",
    "weight_unit": "tấn",
    "goods": [{"name": "Thanh long", "origin": "VN", "quantity": "18", "unit": "tấn", "value": "100000"}],
    "vehicles": [
        {
            "vehicle_class": "from_18t", "plate": "12C-123.45", "container": "MSKU1234565", "seal": "VN0012345",
            "driver": "Người Lái", "phone": "0900 000 000", "origin": "VN",
        }
    ],
    "signatures": {"DN": SIGNED, "CU": SIGNED, "CD": SIGNED, "HE": SIGNED, "BG": SIGNED},
}  # fmt: skip
ENTRY = Entry("PAPER-1", "VN-EMPTY-TO-CN", "b1", "out_of_area", "2026-11-21T12:00:00+07:00", "BP-1", NONE)


def changed(path: str, value: object) -> dict[str, Any]:
    form = copy.deepcopy(FORM)
    *way, last = path.split(".")
    at: Any = form
    for part in way:
        at = at[int(part)] if isinstance(at, list) else at[part]
    at[last] = value
    return form


def read(form: Mapping[str, object] = FORM) -> PaperForm:
    return read_form(form, TODAY, signers(rules()))


def entered(form: Mapping[str, object] = FORM, **entry: Any) -> Declaration:
    return to_declaration(rules(), LEGAL, read(form), replace(ENTRY, **entry))


def test_every_field_of_the_form_is_read() -> None:
    form = read()
    assert (form.organisation, form.movement, form.total_weight) == ("Công ty Ví Dụ", "ordinary", "18,5")
    assert (form.goods[0].name, form.vehicles[0].container, form.signatures["CU"].date) == (
        "Thanh long", "MSKU1234565", "2026-11-21",
    )  # fmt: skip
    assert (len(MOVEMENTS), len(VEHICLE_CLASSES), len(signers(rules()))) == (7, 6, 9)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("organisation", " "), ("organisation", 5), ("organisation", "x" * 501), ("tax_code", "12"),
        ("tax_code", "x" * 10), ("border_gate", ""), ("movement", "smuggling"), ("movement", ""),
        ("customs_date", ""), ("customs_date", "20/11/2026"),
        ("customs_date", "2026-11-22"), ("goods_count", "one"), ("total_weight", "1.234,5"), ("total_weight", "-1"),
        ("total_weight", "NaN"), ("weight_unit", ""), ("goods", "rice"), ("goods", ["rice"]), ("goods.0.name", ""),
        ("goods.0.quantity", ""), ("goods.0.quantity", "Infinity"), ("goods.0.unit", ""), ("goods.0.value", "a"),
        ("vehicles", []), ("vehicles", None), ("vehicles.0.plate", ""), ("vehicles.0.plate", "-"),
        ("vehicles.0.vehicle_class", "huge"), ("vehicles.0.driver", ""), ("vehicles.0.phone", "call me"),
        ("vehicles.0.origin", ""), ("vehicles.0.origin", "Vietnam"), ("signatures", []), ("signatures.XX", SIGNED),
        ("signatures.CU", "signed"), ("signatures.CU", {"name": "", "date": "2026-11-21"}),
        ("signatures.CU", {"name": "a", "date": ""}), ("signatures.CU", {"name": "a", "date": "2026-11-22"}),
    ],
)  # fmt: skip
def test_a_wrong_field_is_named(path: str, value: object) -> None:
    with pytest.raises(PaperError) as caught:
        read(changed(path, value))
    assert any(field.startswith(path) for field, _ in caught.value.faults), caught.value.faults


def test_all_faults_are_told_at_once_and_the_declarant_must_sign() -> None:
    with pytest.raises(PaperError) as caught:
        read({})
    assert {"organisation", "border_gate", "movement", "vehicles", "signatures.DN"} <= {
        field for field, _ in caught.value.faults
    }


def test_one_plate_stands_on_the_form_once() -> None:
    twice = [FORM["vehicles"][0], {**FORM["vehicles"][0], "plate": "12c12345"}]
    with pytest.raises(PaperError, match="twice"):
        read(changed("vehicles", twice))


def test_what_may_be_empty_may_be_empty() -> None:
    form = changed("goods", [])
    for key in ("tax_code", "address", "customs_number", "customs_date", "goods_count", "total_weight", "weight_unit"):
        form[key] = ""
    assert read(form).goods == ()


# ---------------------------------------------------------------- counted at the gate


def test_a_signed_form_is_ready_for_the_guards_press_and_never_opens_by_itself() -> None:
    verdict = at_gate(entered(), "b1_out", now=ENTRY.entered_at)
    assert (verdict.verdict, missing(verdict)) == ("ready", [("b1_out", "BG", "pass", "27/2025 Art. 6.4.c")])


@pytest.mark.parametrize("signer", ["CU", "CD", "HE"])
def test_a_signature_that_is_not_there_is_asked_for(signer: str) -> None:
    signatures = {who: row for who, row in FORM["signatures"].items() if who != signer}
    verdict = at_gate(entered(changed("signatures", signatures)), "b1_out")
    assert verdict.verdict == "await"
    assert {m[1] for m in missing(verdict)} == {signer, "BG"}


def test_the_border_guards_signature_counts_for_earlier_steps_only() -> None:
    signatures = {who: row for who, row in FORM["signatures"].items() if who != "BG"}
    verdict = at_gate(entered(changed("signatures", signatures)), "b1_out")
    assert [m[:2] for m in missing(verdict)] == [("b2_in", "BG"), ("b1_out", "BG")]
    given = [(c.step, c.act) for c in entered().confirmations if c.authority == "BG"]
    assert given == [("b2_in", "pass")]


def test_a_bare_date_orders_nothing() -> None:
    """Seen: forms signed yesterday and typed in after midnight were out of order."""
    for who in ("CU", "HE", "CD"):
        one_earlier = changed(f"signatures.{who}", {"name": "a", "date": "2026-11-20"})
        assert at_gate(entered(one_earlier), "b1_out").verdict == "ready"
    all_yesterday = changed("signatures", {who: {"name": "a", "date": "2026-11-20"} for who in FORM["signatures"]})
    assert at_gate(entered(all_yesterday), "b1_out").verdict == "ready"
    assert {c.at for c in entered(all_yesterday).confirmations} == {"2026-11-20"}


def test_passages_of_the_yard_are_the_operators_by_hand_and_either_may_sign_the_fee() -> None:
    form = changed("signatures.TX", SIGNED)
    declaration = entered(form, procedure="EX-IN")
    declaration = replace(declaration, requires={"fee": True})
    declaration = lay_signatures(rules(), LEGAL, declaration, read(form), replace(ENTRY, procedure="EX-IN"))
    assert [(c.step, c.by, c.via) for c in declaration.confirmations if c.authority == "SYS"] == [
        ("yard_in", "BP-1", "paper"), ("yard_out", "BP-1", "paper"),
    ]  # fmt: skip
    assert [c.authority for c in declaration.confirmations if c.act == "fee"] == ["TX"]
    assert at_gate(declaration, "b1_out").verdict == "ready"


def test_what_the_platform_had_confirmed_stays() -> None:
    known = Confirmation("b2_in", "CU", "pass", "2026-11-19T09:00:00+07:00", "HQ-1")
    laid = lay_signatures(rules(), LEGAL, declared("VN-EMPTY-TO-CN", [known], NONE), read(), ENTRY)
    assert [c for c in laid.confirmations if (c.step, c.authority) == ("b2_in", "CU")] == [known]
    assert at_gate(laid, "b1_out").verdict == "ready"


def test_at_a_gate_that_the_procedure_never_passes_nothing_is_signed_for() -> None:
    place, direction = GATES["yard_in"]
    assert entered(place=place, direction=direction).confirmations == ()


# ---------------------------------------------------------------- when the platform is back


def test_the_same_form_is_the_same() -> None:
    assert reconcile(read(), entered()).outcome == "same"
    spaced = replace(read(), organisation=" công TY ví dụ ")
    assert reconcile(spaced, entered()).outcome == "same"


def test_without_a_declaration_it_is_missing() -> None:
    assert reconcile(read(), None).outcome == "missing"


@pytest.mark.parametrize(
    ("path", "value", "field"),
    [
        ("tax_code", "1111111111", "tax_code"),
        ("organisation", "Khác", "organisation"),
        ("customs_number", "9", "customs_number"),
        ("vehicles.0.seal", "X", "vehicles.12C12345.seal"),
        ("vehicles.0.driver", "Khác", "vehicles.12C12345.driver_name"),
        ("vehicles.0.origin", "CN", "vehicles.12C12345.country"),
        ("goods.0.quantity", "19", "goods.0.quantity"),
        ("goods", [], "goods.0.name"),
    ],
)
def test_a_difference_is_named_with_both_sides(path: str, value: object, field: str) -> None:
    found = reconcile(read(changed(path, value)), entered())
    assert found.outcome == "different"
    assert field in [difference.field for difference in found.differences]
    assert all(difference.paper != difference.platform for difference in found.differences)


def test_a_vehicle_on_one_side_only_is_a_difference() -> None:
    found = reconcile(read(changed("vehicles.0.plate", "12C99999")), entered())
    assert [(d.field, d.paper, d.platform) for d in found.differences] == [
        ("vehicles.12C99999", "12C99999", ""), ("vehicles.12C12345", "", "12C12345"),
    ]  # fmt: skip
