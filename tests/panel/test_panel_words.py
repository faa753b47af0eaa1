"""The message catalogue and the look of plates."""

from __future__ import annotations

import inspect
import re
from functools import partial
from pathlib import Path

import pytest

from edge.core.instant import stamp_text
from edge.errors import ConfigError
from edge.panel import wording
from edge.panel.messages import load_catalogue, say, say_fault
from edge.panel.plate_look import Look, look
from firmware_io import safety
from firmware_io.safety import Permit
from firmware_io.terms import INPUTS
from firmware_io.watch import LOST_POSITION, PERMANENT, Watch
from tests.panel.views import plate_text

PANEL = Path(__file__).parents[2] / "edge" / "panel"


def sources() -> str:
    files = [*(PANEL / "static").glob("*.js"), *(PANEL / "templates").glob("*.html")]
    return "\n".join(file.read_text(encoding="utf-8") for file in files)


def test_every_key_that_a_page_names_stands_in_the_catalogue() -> None:
    catalogue = load_catalogue()
    named = set(
        re.findall(r"""(?:\bt\(|data-t="|data-t-label="|word\(|t\(language, )["']?([a-z_]+\.[a-z_]+)["']""", sources())
    )
    assert len(named) > 60
    assert sorted(named - set(catalogue)) == []


def test_every_state_verdict_and_action_of_the_contract_has_its_words() -> None:
    catalogue = load_catalogue()
    contract = {
        "state": "reading deciding waiting permitted opening open through not_opened turned_away left",
        "verdict": "release ready await refuse unknown",
        "boom": "closed opening open lowering stopped unknown",
        "step_state": "done here open later",
        "need_state": "given missing early",
        "place": "b1 b2 yard_in yard_out",
        "direction": "into_area out_of_area in out",
        "authority": "BG CU HE PQ AQ CD GC TX SYS",
        "action": "confirm override turn_away pick_declaration type_plate stop hold release_hold paper_form close",
        "status": "link_broker link_down link_refused centre_untold"
        " camera_blind camera_down camera_frozen camera_starting clock_holdover"
        " clock_unset store_low store_full store_failed",
    }
    lacking = [
        f"{section}.{key}"
        for section, keys in contract.items()
        for key in keys.split()
        if f"{section}.{key}" not in catalogue
    ]
    assert lacking == []


def test_every_code_and_input_of_the_barrier_has_its_words() -> None:
    catalogue = load_catalogue()
    lines = "".join(inspect.getsource(part) for part in (Watch.found, safety._Tick.lane_refusal, Permit.flaw))
    told = set(re.findall(r'"([a-z]+(?:_[a-z]+)*)":|else "([a-z_]+)"|return "([a-z_]+)"', lines))
    codes = {code for found in told for code in found if code} | {
        "board_lost",
        "tick_late",
        "write_failed",
        "output_on",
        "line_bad",
    }
    codes |= {*PERMANENT, *LOST_POSITION, "still_closed", "no_limit", "loop_dead", "loop_ended"}
    assert {"tamper", "expired", "used", "busy", "no_vehicle"} <= codes
    assert sorted(code for code in codes if f"fault.{code}" not in catalogue) == []
    assert [name for name in INPUTS if f"input.{name}" not in catalogue] == []


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("not_opened", "Cần không mở"),
        ("fault:tamper", "Cửa tủ điều khiển mở"),
        ("input_stuck:presence", "Tín hiệu vòng từ trước cần bị kẹt"),
        ("something_new", "something_new"),
    ],
)
def test_a_code_of_the_barrier_is_put_into_words(code: str, words: str) -> None:
    assert say_fault(load_catalogue(), "vi", code) == words


def test_places_are_filled_and_an_unknown_key_shows_itself() -> None:
    catalogue = load_catalogue()
    assert say(catalogue, "vi", "picture.frozen", seconds=3).startswith("HÌNH ĐỨNG 3 giây")
    assert say(catalogue, "en", "no.such_key") == "no.such_key"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('[a]\nb = { vi = "x" }\n', "a.b: no text in en"),
        ('[a]\nb = { vi = "{n}", en = "y" }\n', "a.b: places differ in en"),
    ],
)
def test_a_gap_in_the_catalogue_is_named(tmp_path: Path, text: str, fault: str) -> None:
    file = tmp_path / "messages.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_catalogue(file)
    assert caught.value.faults == [fault]


@pytest.mark.parametrize(
    ("text", "country", "kind", "layout", "ground", "lines"),
    [
        ("12C12345", "VN", "vn_vehicle", "two_line", "white", ["12C", "123.45"]),
        ("12C12345", "VN", "vn_vehicle", "one_line", "white", ["12C-123.45"]),
        ("12C1234", "VN", "vn_vehicle", "two_line", "white", ["12C", "1234"]),
        ("12RM01234", "VN", "vn_trailer", "two_line", "white", ["12RM", "012.34"]),
        ("12LB01234", "VN", "vn_zone", "one_line", "yellow_red", ["12LB-012.34"]),
        ("12MĐ112345", "VN", "vn_motorcycle", "two_line", "white", ["12MĐ1", "123.45"]),
        ("KV1234", "VN", "vn_military", "two_line", "red", ["KV", "12-34"]),
        ("80123NG45", "VN", "vn_diplomatic", "one_line", "white", ["80-123-NG-45"]),
        ("T12123456", "VN", "vn_temporary", "one_line", "white", ["T12-123456"]),
        ("桂FA1234", "CN", "cn_vehicle", "two_line", "yellow", ["桂F", "A1234"]),
        ("桂FA1234", "CN", "cn_vehicle", "one_line", "yellow", ["桂F·A1234"]),
        ("桂F1234挂", "CN", "cn_trailer", "two_line", "yellow", ["桂F", "1234挂"]),
        ("桂AD12345", "CN", "cn_new_energy", "one_line", "green", ["桂A·D12345"]),
        ("桂A12345D", "CN", "cn_new_energy", "one_line", "yellow_green", ["桂A·12345D"]),
        ("粤ZA123港", "CN", "cn_hongkong", "one_line", "black", ["粤Z·A123港"]),
        ("XYZ", "unknown", "other", "unknown", "plain", ["XYZ"]),
    ],
)
def test_a_plate_is_drawn_as_it_hangs_on_the_vehicle(
    text: str, country: str, kind: str, layout: str, ground: str, lines: list[str]
) -> None:
    assert look(plate_text(text, country=country, kind=kind, layout=layout)) == Look(ground, tuple(lines))


def test_a_small_chinese_vehicle_is_blue_where_the_class_says_so() -> None:
    assert look(plate_text("桂FA1234", country="CN", kind="cn_vehicle", class_code="02")).ground == "blue"


# ---------------------------------------------------------------- the documents' own words (docs/terms.md)

ROOT = PANEL.parents[1]


def terms() -> list[list[str]]:
    lines = (ROOT / "docs" / "terms.md").read_text(encoding="utf-8").splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    return rows[2:]


def vietnamese() -> str:
    """Every Vietnamese text that a person may see: the catalogue's, the rule table's, what pages hold themselves."""
    table = re.findall(r'vi = "((?:[^"\\]|\\.)*)"', (ROOT / "config" / "procedures.toml").read_text(encoding="utf-8"))
    texts = [*table, *(entry["vi"] for entry in load_catalogue().values()), sources()]
    return "\n".join(texts).casefold()


def test_each_term_stands_in_the_catalogue_as_the_documents_write_it() -> None:
    catalogue, rows = load_catalogue(), terms()
    assert len(rows) > 40
    wrong = [row for row in rows if row[0].casefold() not in catalogue[row[2].strip("`")]["vi"].casefold()]
    assert wrong == []


def test_words_that_no_document_uses_stand_nowhere() -> None:
    text = vietnamese()
    banned = {row[4] for row in terms() if len(row) > 4 and row[4]}
    assert len(banned) >= 8
    assert sorted(word for word in banned if word in text) == []


CITED = [
    ("27/2025 Art. 4.2.g", "điểm g khoản 2 Điều 4, QĐ 27/2025", "Art. 4.2.g, 27/2025"),
    ("27/2025 Art. 7.3", "khoản 3 Điều 7, QĐ 27/2025", "Art. 7.3, 27/2025"),
    ("27/2025 Art. 20", "Điều 20, QĐ 27/2025", "Art. 20, 27/2025"),
    ("27/2025 App. III.2", "mục 2 Phụ lục III, QĐ 27/2025", "App. III.2, 27/2025"),
    ("27/2025 App. I.2.1", "mục 2.1 Phụ lục I, QĐ 27/2025", "App. I.2.1, 27/2025"),
    ("27/2025 Art. 4.2, App. I.1", "khoản 2 Điều 4, mục 1 Phụ lục I, QĐ 27/2025", "Art. 4.2, App. I.1, 27/2025"),
    ("53/2003 I.7", "điểm 7 mục I, QĐ 53/2003", "I.7, 53/2003"),
    ("865/QĐ-TTg", "865/QĐ-TTg", "865/QĐ-TTg"),
    ("", "", ""),
]


@pytest.mark.parametrize(("text", "vi", "en"), CITED)
def test_articles_are_cited_as_people_there_cite_them(text: str, vi: str, en: str) -> None:
    catalogue = load_catalogue()
    told = [wording.article(partial(say, catalogue, language), text) for language in ("vi", "en")]
    assert told == [vi, en]


def test_every_article_of_the_rule_table_can_be_cited() -> None:
    table = (ROOT / "config" / "procedures.toml").read_text(encoding="utf-8")
    found = set(re.findall(r'(?:article|source) = "(27/2025 [^"(]+|53/2003 [^"]+)"', table))
    assert len(found) > 60
    catalogue = load_catalogue()
    cited = {one: wording.article(partial(say, catalogue, "vi"), one) for one in found}
    assert [one for one, told in cited.items() if "Art." in told or "App." in told or not told.endswith(one[:7])] == []


def test_times_in_reasons_are_people_s_times() -> None:
    assert stamp_text("2026-11-20T02:10:05Z", "vi") == "20/11/2026 09:10:05"
    assert stamp_text("2026-11-20T02:10:05Z", "en") == "20 Nov 2026 09:10:05"
    assert stamp_text("2026-11-20", "vi") == "20/11/2026"
    assert stamp_text("sáng nay", "vi") == "sáng nay"
