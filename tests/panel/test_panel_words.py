"""The message catalogue and the look of plates."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest

from edge.errors import ConfigError
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
