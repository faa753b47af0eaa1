"""Payloads from outside: the contract's own example goes round, everything else is refused with its field named."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given as examples
from hypothesis import settings
from hypothesis import strategies as st

from edge import wire
from edge.core.model import Declaration
from edge.errors import BadMessageError
from tests.law.tools import rules

EXAMPLE: dict[str, Any] = {
    "id": "CKS-2026-000123",
    "version": 7,
    "state": "active",
    "procedure": "EX-IN",
    "declared_at": "2026-11-20T08:00:00+07:00",
    "vehicles": [
        {
            "role": "tractor",
            "plate": "12C12345",
            "country": "VN",
            "class": "from_18t",
            "container": "MSKU1234565",
            "seal": "VN0012345",
            "driver": {"name": "Người lái Ví Dụ", "phone": "0000000000"},
        },
        {"role": "trailer", "plate": "桂FA123挂", "country": "CN"},
    ],
    "requires": {"transshipment": False, "plant_quarantine": True, "fee": True},
    "goods": [{"name": "Thanh long", "quantity": 18}],
    "declarant": {"name": "Công ty Ví Dụ"},
    "customs_declaration": {"number": "1", "date": "2026-11-19"},
    "transfer": {
        "record_no": "BB-01",
        "record_date": "2026-11-19",
        "sent_by": "HQ-A",
        "received_by": "HQ-B",
        "seals": ["VN0012345"],
        "route": ["Hữu Nghị"],
        "deadline": "2026-11-21T00:00:00+07:00",
        "monitored": True,
    },
    "confirmations": [
        {
            "step": "b2_in",
            "authority": "CU",
            "act": "pass",
            "at": "2026-11-20T09:10:00+07:00",
            "by": "HQ-0231",
            "via": "platform",
        }
    ],
}


def payload(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


def changed(path: str, value: object = ..., drop: bool = False) -> dict[str, Any]:
    """The example with one field set, or dropped; list places are numbers."""
    data = json.loads(json.dumps(EXAMPLE))
    *way, last = path.split(".")
    at = data
    for part in way:
        at = at[int(part)] if isinstance(at, list) else at[part]
    if drop:
        del at[last]
    else:
        at[last] = value
    return dict(data)


def refused(parse: Callable[[bytes], object], raw: bytes) -> str:
    with pytest.raises(BadMessageError) as caught:
        parse(raw)
    return str(caught.value)


def test_the_example_says_what_it_says() -> None:
    declaration = wire.parse_declaration(payload(EXAMPLE))
    assert (declaration.id, declaration.version, declaration.procedure) == ("CKS-2026-000123", 7, "EX-IN")
    tractor, trailer = declaration.vehicles
    assert (tractor.vehicle_class, tractor.driver_name, tractor.seal) == ("from_18t", "Người lái Ví Dụ", "VN0012345")
    assert (trailer.plate, trailer.driver_name, trailer.vehicle_class) == ("桂FA123挂", None, None)
    assert declaration.transfer is not None
    assert (declaration.transfer.seals, declaration.transfer.monitored) == (("VN0012345",), True)
    assert declaration.confirmations[0].authority == "CU"
    assert declaration.requires == {"transshipment": False, "plant_quarantine": True, "fee": True}


def test_it_goes_round_and_keeps_the_contracts_shape() -> None:
    declaration = wire.parse_declaration(payload(EXAMPLE))
    out = wire.declaration_to_json(declaration)
    assert wire.parse_declaration(payload(out)) == declaration
    bare = {"class": None, "container": None, "seal": None, "driver": None}
    expected = json.loads(json.dumps(EXAMPLE))
    expected["vehicles"][1] |= bare
    assert out == expected


def test_only_what_the_contract_needs_is_needed() -> None:
    short = {key: EXAMPLE[key] for key in ("id", "version", "state", "procedure", "declared_at", "vehicles")}
    declaration = wire.parse_declaration(payload(short))
    assert (declaration.transfer, declaration.confirmations, declaration.goods, declaration.requires) == (
        None,
        (),
        (),
        {},
    )
    assert wire.parse_declaration(payload({**short, "colour": "red", "vehicles": [{**EXAMPLE["vehicles"][1], "x": 1}]}))


def test_a_confirmation_may_name_its_vehicle() -> None:
    named = wire.parse_declaration(payload(changed("confirmations.0.plate", "12C12345")))
    assert named.confirmations[0].plate == "12C12345"
    assert wire.declaration_to_json(named)["confirmations"][0]["plate"] == "12C12345"
    assert named.confirmations[0].via == "platform"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("id", ""),
        ("id", 5),
        ("id", "a\nb"),
        ("version", "7"),
        ("version", 0),
        ("version", -1),
        ("version", 7.0),
        ("version", True),
        ("version", 2**63),
        ("version", None),
        ("state", "open"),
        ("state", None),
        ("procedure", ""),
        ("procedure", ["EX-IN"]),
        ("declared_at", "2026-11-20T08:00:00"),
        ("declared_at", "yesterday"),
        ("declared_at", 1_763_600_000),
        ("vehicles", []),
        ("vehicles", {}),
        ("vehicles", None),
        ("vehicles", "12C12345"),
        ("vehicles.0.role", "bus"),
        ("vehicles.0.plate", ""),
        ("vehicles.0.plate", "-. "),
        ("vehicles.0.plate", 12),
        ("vehicles.0.plate", "A" * 33),
        ("vehicles.0.country", ""),
        ("vehicles.1.seal", 12345),
        ("vehicles.0.driver", "Người lái"),
        ("vehicles.0.driver.phone", 901234567),
        ("requires", None),
        ("requires", []),
        ("requires.fee", "true"),
        ("requires.fee", 1),
        ("goods", {}),
        ("goods", ["rice"]),
        ("declarant", "Công ty"),
        ("customs_declaration", []),
        ("transfer", []),
        ("transfer.seals", "VN0012345"),
        ("transfer.seals", [1]),
        ("transfer.monitored", "no"),
        ("transfer.deadline", "soon"),
        ("transfer.deadline", "2026-11-31"),
        ("confirmations", None),
        ("confirmations", {}),
        ("confirmations.0.at", 5),
        ("confirmations.0.via", "phone"),
        ("confirmations.0.step", ""),
        ("confirmations.0.authority", None),
        ("confirmations.0.by", 7),
        ("confirmations.0.plate", ""),
    ],
)
def test_a_wrong_value_is_refused_by_its_field(path: str, value: object) -> None:
    said = refused(wire.parse_declaration, payload(changed(path, value)))
    assert said.startswith(f"declaration: {path.rpartition('.')[0] or path}".rstrip("."))
    assert path in said


@pytest.mark.parametrize(
    "path",
    [
        "id", "version", "state", "procedure", "declared_at", "vehicles", "vehicles.0.role",
        "vehicles.0.country", "transfer.record_no", "confirmations.0.step", "confirmations.0.authority",
        "confirmations.0.act", "confirmations.0.at", "confirmations.0.by",
    ],
)  # fmt: skip
def test_a_missing_field_is_named(path: str) -> None:
    assert f"{path}: " in refused(wire.parse_declaration, payload(changed(path, drop=True)))


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"", "no JSON"),
        (b"{", "no JSON"),
        (b"[]", "must be a JSON object"),
        (b"null", "must be a JSON object"),
        (b"\xff\xfe", "no JSON"),
        (b'{"id": "a", "id": "b"}', "'id' stands twice"),
        (b'{"requires": {"fee": true, "fee": false}}', "'fee' stands twice"),
        (b'{"id": NaN}', "NaN"),
        (b'{"id": Infinity}', "Infinity"),
        (b'{"id": 1e999}', "too large"),
        (b"[" * 200_000, "nested too deeply"),
        (b'{"goods":' + b'[{"a":' * 50_000, "nested too deeply"),
        (b'{"version":' + b"9" * 6_000 + b"}", "no JSON"),
        (b'{"id": "\\ud800"}', "id"),
    ],
)
def test_what_is_no_sound_json_is_refused(raw: bytes, says: str) -> None:
    assert says in refused(wire.parse_declaration, raw)


def test_ten_megabytes_are_refused_before_they_are_read() -> None:
    big = payload(changed("goods", [{"name": "x" * 10_000_000}]))
    assert refused(wire.parse_declaration, big) == f"declaration: {len(big)} bytes, 1000000 are allowed"
    assert refused(lambda raw: wire.parse_declaration(raw, 10), payload(EXAMPLE)).endswith("10 are allowed")


def test_no_plate_name_or_phone_stands_in_a_message() -> None:
    said = refused(
        wire.parse_declaration, payload(changed("vehicles.0.driver.name", {"Người lái Ví Dụ": "0987654321"}))
    )
    said += refused(wire.parse_declaration, payload(changed("vehicles.0.plate", "98Z98765" * 5)))
    assert not any(secret in said for secret in ("Ví Dụ", "0987654321", "98Z98765", "12C12345"))


def test_many_faults_are_counted_not_all_written_out() -> None:
    rows = [{"role": "vehicle", "plate": "", "country": "VN"}] * 9
    assert refused(wire.parse_declaration, payload(changed("vehicles", rows))).endswith("; and 4 more")


def test_an_unknown_procedure_is_refused_by_the_table() -> None:
    known = rules().procedures.__contains__
    wire.check_procedure(wire.parse_declaration(payload(EXAMPLE)), known)
    other = wire.parse_declaration(payload(changed("procedure", "EX-INN")))
    with pytest.raises(BadMessageError, match="procedure"):
        wire.check_procedure(other, known)


# ---------------------------------------------------------------- commands, acknowledgements, watch list

COMMAND: dict[str, Any] = {
    "id": "c-1", "issued_at": "2026-11-20T09:00:00+07:00", "action": "open", "by": "TT-1", "reason": "thử",
}  # fmt: skip


def test_a_command_is_read_strictly() -> None:
    command = wire.parse_command(payload(COMMAND))
    assert (command.id, command.action, command.by, command.reason) == ("c-1", "open", "TT-1", "thử")
    assert command.issued_at.isoformat() == "2026-11-20T09:00:00+07:00"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("id", ""), ("issued_at", "2026-11-20T09:00:00"), ("issued_at", 5), ("issued_at", "now"), ("action", "lift"),
        ("action", None), ("by", ""), ("reason", 3),
    ],
)  # fmt: skip
def test_a_wrong_command_is_refused_by_its_field(key: str, value: object) -> None:
    assert f"command: {key}" in refused(wire.parse_command, payload({**COMMAND, key: value}))
    assert f"command: {key}" in refused(wire.parse_command, payload({k: v for k, v in COMMAND.items() if k != key}))


def test_an_acknowledgement_is_a_number_from_zero() -> None:
    assert [wire.parse_ack(payload({"seq": n})).seq for n in (0, 41)] == [0, 41]
    for bad in (-1, "1", 1.5, True, None, 2**63):
        assert "ack: seq" in refused(wire.parse_ack, payload({"seq": bad}))
    assert "ack: seq" in refused(wire.parse_ack, b"{}")


def test_the_watch_list_comes_as_a_list_or_under_plates() -> None:
    entries = [{"plate": "12C12345", "reason": "a", "by": "CU"}, {"plate": "桂FA1234", "reason": "b"}]
    expected = {"12C12345": "a", "桂FA1234": "b"}
    assert wire.parse_watchlist(payload(entries)) == wire.parse_watchlist(payload({"plates": entries})) == expected
    assert [entry.by for entry in wire.watch_entries(payload(entries))] == ["CU", None]
    assert wire.parse_watchlist(payload([*entries, {"plate": "12C12345", "reason": "c"}]))["12C12345"] == "a; c"
    assert wire.parse_watchlist(b"") == wire.parse_watchlist(b"[]") == {}
    assert "plates.1.reason" in refused(wire.parse_watchlist, payload([entries[0], {"plate": "A1"}]))
    assert "watchlist" in refused(wire.parse_watchlist, b"{}")
    assert "watchlist" in refused(wire.parse_watchlist, b"7")


# ---------------------------------------------------------------- fuzz

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=300, deadline=None)
@examples(raw=st.binary(max_size=200))
def test_no_bytes_do_anything_but_parse_or_be_refused(raw: bytes) -> None:
    for parse in (wire.parse_declaration, wire.parse_command, wire.parse_ack, wire.parse_watchlist):
        with contextlib.suppress(BadMessageError):
            parse(raw)


PATHS = [
    "id", "version", "state", "procedure", "declared_at", "vehicles", "vehicles.0", "vehicles.0.plate", "requires",
    "requires.fee", "transfer", "transfer.seals", "transfer.deadline", "confirmations", "confirmations.0",
    "confirmations.0.at", "goods", "declarant", "vehicles.0.driver", "customs_declaration",
]  # fmt: skip


@pytest.mark.slow
@settings(max_examples=400, deadline=None)
@examples(path=st.sampled_from(PATHS), value=JSON, flip=st.integers(0, 2_000), byte=st.integers(0, 255))
def test_a_declaration_with_anything_anywhere_parses_goes_round_or_is_refused(
    path: str, value: object, flip: int, byte: int
) -> None:
    data = json.loads(json.dumps(EXAMPLE))
    *way, last = path.split(".")
    at: Any = data
    for part in way:
        at = at[int(part)] if isinstance(at, list) else at[part]
    at[int(last) if isinstance(at, list) else last] = value
    raw = bytearray(json.dumps(data).encode())
    if flip < len(raw):
        raw[flip] = byte
    try:
        declaration = wire.parse_declaration(bytes(raw))
    except BadMessageError:
        return
    assert isinstance(declaration, Declaration)
    assert wire.parse_declaration(json.dumps(wire.declaration_to_json(declaration)).encode()) == declaration


def test_a_vehicle_without_a_plate_goes_by_another_number() -> None:
    row = changed("vehicles.0.plate", drop=True)
    row["vehicles"][0] |= {"container": None, "unit_no": "IGV-07", "role": "carrier"}
    assert wire.parse_declaration(payload(row)).vehicles[0].plate == "IGV-07"
    row["vehicles"][0] |= {"unit_no": None}
    assert "vehicles.0: plate" in refused(wire.parse_declaration, payload(row))


@pytest.mark.parametrize("at", ["2026-11-20T09:10:00", "", "hôm qua"])
def test_a_confirmations_stamp_comes_as_it_is(at: str) -> None:
    """Shown, and no reason to lose the whole declaration: what it means is the law's to say."""
    assert wire.parse_declaration(payload(changed("confirmations.0.at", at))).confirmations[0].at == at
