"""The plate table and what it makes of a text. Every plate here is invented."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.core.model import Layout
from edge.core.plate.table import PlateTable, parse
from edge.errors import ConfigError

SOURCE = Path(__file__).parents[2] / "config" / "plates.toml"
TEXT = SOURCE.read_text(encoding="utf-8")
TABLE: PlateTable = parse(TEXT, "plates.toml")

FITS: list[tuple[str, Layout, str, str, str | None]] = [
    ("12C-123.45", "one_line", "12C12345", "vn_vehicle", None),
    ("12c\n123.45", "two_line", "12C12345", "vn_vehicle", None),
    ("29H-1234", "one_line", "29H1234", "vn_vehicle", None),
    ("12R\n012.34", "two_line", "12R01234", "vn_trailer", None),
    ("12RM-01234", "two_line", "12RM01234", "vn_trailer", None),
    ("80LD-123.45", "one_line", "80LD12345", "vn_special", None),
    ("12TĐ 1234", "one_line", "12TĐ1234", "vn_special", None),
    ("12LB-00012", "one_line", "12LB00012", "vn_zone", None),
    ("12MK-0123", "one_line", "12MK0123", "vn_machine", None),
    ("12-A1\n2345", "two_line", "12A12345", "vn_motorcycle", None),
    ("12A\n123.45", "two_line", "12A12345", "vn_vehicle", None),
    ("12A12345", "one_line", "12A12345", "vn_vehicle", None),
    ("12-B1\n234.56", "two_line", "12B123456", "vn_motorcycle", None),
    ("29MĐ1\n234.56", "two_line", "29MĐ123456", "vn_motorcycle", None),
    ("80-123-NG-45", "two_line", "80123NG45", "vn_diplomatic", None),
    ("T12-12.34", "one_line", "T121234", "vn_temporary", None),
    ("AB\n1234", "two_line", "AB1234", "vn_military", None),
    ("桂F·A1234", "one_line", "桂FA1234", "cn_vehicle", None),
    ("桂F·12345", "one_line", "桂F12345", "cn_vehicle", None),
    ("桂F\nA1B23", "two_line", "桂FA1B23", "cn_vehicle", "01"),
    ("桂F\n1234挂", "two_line", "桂F1234挂", "cn_trailer", "15"),
    ("桂FD12345", "one_line", "桂FD12345", "cn_new_energy", "52"),
    ("桂F12345D", "one_line", "桂F12345D", "cn_new_energy", "51"),
    ("桂F1234学", "one_line", "桂F1234学", "cn_coach", "16"),
    ("桂FA123警", "one_line", "桂FA123警", "cn_police", "23"),
    ("粤ZAB12港", "one_line", "粤ZAB12港", "cn_hongkong", "26"),
    ("粤ZAB12澳", "one_line", "粤ZAB12澳", "cn_macau", "27"),
    ("桂F1234领", "one_line", "桂F1234领", "cn_consulate", "04"),
    ("使123456", "one_line", "使123456", "cn_embassy", "03"),
    ("桂FA123应急", "one_line", "桂FA123应急", "cn_emergency", None),
    ("KA·12345", "one_line", "KA12345", "cn_military", None),
    ("KA\n12345", "two_line", "KA12345", "cn_military", None),
    ("WJ京\n1234X", "two_line", "WJ京1234X", "cn_armed_police", None),
    ("WJ31·12345", "one_line", "WJ3112345", "cn_armed_police", None),
    ("WJ31X1234", "one_line", "WJ31X1234", "cn_armed_police", None),
    ("WJ1234X", "one_line", "WJ1234X", "cn_armed_police", None),
]


@pytest.mark.parametrize(("raw", "layout", "text", "kind", "code"), FITS)
def test_text_kind_and_class_code(raw: str, layout: Layout, text: str, kind: str, code: str | None) -> None:
    plate = TABLE.read(raw, layout, 0.9)
    assert (plate.text, plate.kind, plate.class_code) == (text, kind, code)
    assert (plate.raw, plate.layout, plate.confidence) == (raw, layout, 0.9)


@pytest.mark.parametrize(("ground", "code"), [("yellow", "01"), ("blue", "02"), (None, None), ("red", None)], ids=str)
def test_ground_tells_large_from_small(ground: str | None, code: str | None) -> None:
    assert TABLE.read("桂F12B45", "one_line", 0.9, ground).class_code == code


CORRECTED: list[tuple[str, str]] = [
    ("I2C1234S", "12C12345"),
    ("12C-1Z3.4B", "12C12348"),
    ("12L8-12345", "12L812345"),  # a motorcycle as it stands
    ("12CI2345", "12CI2345"),  # a car's 1 or a motorcycle's L
    ("12C\nI2345", "12C12345"),  # its break leaves the car alone
    ("12CI\n23.45", "12CI2345"),  # 12C1 or 12CL
    ("桂F1Z34挂", "桂F1Z34挂"),  # fits as it stands: never touched
    ("桂F1234O领", "桂F1234O领"),  # no pattern at all
]


@pytest.mark.parametrize(("raw", "text"), CORRECTED)
def test_lookalikes_give_way_where_one_reading_is_left(raw: str, text: str) -> None:
    assert TABLE.read(raw, "unknown", 0.9).text == text


@pytest.mark.parametrize(
    "raw",
    [
        "桂FO1234",  # O may be 0, D or Q there: three readings
        "20261121",  # a date must not become 20Z61121
        "0987654321",  # a telephone number
        "2026-11-21 09:10:11",
        "MSKU1234565",  # a container
        "BARIE",
        "12C12",
        "XX12C12345",
        "FD12345",  # a green plate whose province is gone, not the army's
        "",
        "\n",
        "1ZCI2E4S",
    ],
)
def test_no_plate_stays_other(raw: str) -> None:
    plate = TABLE.read(raw, "unknown", 0.9)
    assert (plate.kind, plate.country, plate.class_code) == ("other", "unknown", None)
    assert plate.text == TABLE.normalise(raw)


def test_layout_leaves_one_reading() -> None:
    assert TABLE.read("12C-I2345", "one_line", 0.9).text == "12C12345"


def test_eth_is_folded_into_d_with_stroke() -> None:
    assert TABLE.read("12T\u00d01234", "one_line", 0.9).text == "12T\u01101234"


def test_near_is_one_edit_or_two_lookalikes_and_never_equality() -> None:
    assert TABLE.near("12C12345", "12C12346")
    assert TABLE.near("12C12345", "I2C1234S")
    assert TABLE.near("12C12345", "12C1234")
    assert not TABLE.near("12C12345", "12C12345")
    assert not TABLE.near("12C12345", "12C12367")


PLATE = st.from_regex(r"\A(?:12|29|80)[CDH][0-9]{4,5}\Z|\A桂[A-F][0-9]{5}\Z|\A桂F[0-9]{4}挂\Z|\A桂F[DF][0-9]{5}\Z")


@given(PLATE, st.lists(st.tuples(st.integers(0, 12), st.sampled_from(" .-·")), max_size=4))
def test_separators_never_matter(text: str, noise: list[tuple[int, str]]) -> None:
    raw = text
    for at, mark in noise:
        raw = raw[:at] + mark + raw[at:]
    plate = TABLE.read(raw.lower(), "unknown", 0.5)
    assert plate.text == text
    assert plate.kind != "other"


@given(st.text(alphabet="012568BCDFGILOQSZĐ桂粤挂学MRTV.- \n", max_size=14))
def test_a_text_is_a_whole_plate_or_other(raw: str) -> None:
    plate = TABLE.read(raw, "unknown", 0.5)
    seen = TABLE.normalise(raw.replace("\n", ""))
    assert (plate.kind != "other") == TABLE.fits(plate.text)
    assert len(plate.text) == len(seen)
    changed = [(a, b) for a, b in zip(seen, plate.text, strict=True) if a != b]
    assert len(changed) <= TABLE.max_corrections
    assert all(b in TABLE.groups[a] for a, b in changed)
    if TABLE.fits(seen) or plate.kind == "other":
        assert not changed


@given(st.text(alphabet="012BC8S5桂", max_size=9), st.text(alphabet="012BC8S5桂", max_size=9))
def test_distance_is_symmetric_and_zero_only_for_equals(a: str, b: str) -> None:
    assert TABLE.distance(a, b) == TABLE.distance(b, a)
    assert (TABLE.distance(a, b) == 0) == (a == b)


BROKEN = [
    ("version = 1", "version = 2", "version"),
    ("version = 1", "version = true", "version"),
    ("max_corrections = 2", "max_fixes = 2", "max_fixes: unknown key"),
    ('lookalikes = ["0ODQĐ"', 'lookalikes = ["0ODQ8"', "lookalikes: '6G'" if False else "lookalikes"),
    ('kind = "vn_vehicle"', 'kind = "other"', "pattern[0].kind"),
    ('country = "VN"', 'country = "LA"', "pattern[0].country"),
    ('match = "{VN}{L}/{D}{4,5}"', 'match = "{VX}{L}/{D}{4,5}"', "pattern[0].match"),
    ('match = "{VN}{L}/{D}{4,5}"', 'match = "({VN}"', "pattern[0].match"),
    ('match = "{VN}{L}/{D}{4,5}"', 'match = "{VN}{L}/{D}{4,5}"\ncolour = "red"', "pattern[0].colour: unknown key"),
    ('layouts = ["one_line", "two_line"]', 'layouts = ["one_row"]', "pattern[0].layouts"),
    ('grounds = ["white", "yellow", "blue"]', "grounds = []", "pattern[0].grounds"),
    ("version = 1", "version = ", "not valid TOML"),
]


@pytest.mark.parametrize(("old", "new", "named"), BROKEN)
def test_a_faulty_table_names_its_file_and_key(old: str, new: str, named: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(TEXT.replace(old, new, 1), "site/plates.toml")
    assert str(caught.value).startswith("site/plates.toml: ")
    assert named in str(caught.value)
