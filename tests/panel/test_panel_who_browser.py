"""Who stands at the gate, in a real Chromium: which vehicle, typed over a sure reading, other plates in view, and why a
gate stays shut."""

from __future__ import annotations

from typing import Any

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By

from edge.ports import ActionResult
from tests.panel.browser import browser, until
from tests.panel.fakes import PLATE, FakeLane, passage
from tests.panel.test_panel_browser import by_id, text, wait_disabled, wait_enabled, wait_text
from tests.panel.test_panel_ways_browser import lane, page, sizes

__all__ = ["browser", "lane", "page"]
pytestmark = pytest.mark.browser

OTHER = "29H12345"
WHO: dict[str, Any] = {
    "declaration": "CKS-2026-000123",
    "vehicle": ["12C12345"],
    "plate": "12C12345",
    "source": "camera",
    "by": "front",
    "frame": 7,
    "over": "",
    "whole": True,
    "asked": False,
    "beside": [],
}


def waits(page: Chrome, css: str) -> Any:
    return until(page, lambda it: it.find_elements(By.CSS_SELECTOR, css), css)[0]


def holds_the_sheets_button(page: Chrome, gone: str) -> None:
    """Holds the sheet's button until that sheet has closed."""

    def held(it: Chrome) -> bool:
        if it.find_elements(By.CSS_SELECTOR, "dialog[open] #send") and gone in text(it, "dialog"):
            ActionChains(it).click_and_hold(by_id(it, "send")).pause(1.5).release().perform()
        return not it.find_elements(By.CSS_SELECTOR, "dialog[open]")

    until(page, held, f"{gone!r} to close")


def test_of_several_vehicles_the_guard_chooses_before_anything_can_be_confirmed(page: Chrome, lane: FakeLane) -> None:
    asked = passage("unknown", id="p-7", plate=None, plates=[], crop=None)
    asked["verdict"]["reasons"] = [
        {"code": "which_vehicle", "text": {"vi": "Chọn phương tiện", "en": "Choose"}, "article": ""}
    ]
    asked |= {"vehicles": [["12C12345"], [OTHER, "29R01234"]], "who": {**WHO, "vehicle": [], "plate": None}}
    asked["actions"].append("pick_vehicle")
    lane.show(passage=asked)
    wait_text(page, "confirm", "chọn phương tiện trước")
    wait_disabled(page, "confirm")
    waits(page, "#pick_vehicle").click()
    assert sizes(page) == []
    chosen = waits(page, f"[data-vehicle='{OTHER}']")
    assert chosen.text == f"{OTHER} + 29R01234", "a tractor with its trailer is one vehicle"
    chosen.click()
    wait_text(page, "message", "Đã ghi")
    assert [(one.name, one.value, one.passage) for one in lane.acts] == [("pick_vehicle", OTHER, "p-7")]


def test_a_vehicle_that_a_person_chose_is_shown_as_chosen_and_by_whom(page: Chrome, lane: FakeLane) -> None:
    who = {**WHO, "plate": None, "source": "picked", "by": "BP-0107"}
    lane.show(passage=passage("ready", id="p-8", plate=None, plates=[], crop=None, who=who))
    wait_text(page, "plate-row", "12C12345")
    assert "BP-0107" in text(page, "plate-row")
    assert page.find_elements(By.CSS_SELECTOR, "#plate-row .plate") == [], "no plate sign: nothing was read"


def types_other(page: Chrome) -> None:
    waits(page, "#type_plate, [data-action='type_plate']").click()
    until(page, lambda it: it.find_elements(By.CSS_SELECTOR, "dialog[open] #send"), "the keys")
    ActionChains(page).send_keys("\ue003" * 12).send_keys(OTHER).perform()
    wait_enabled(page, "send").click()


def test_a_plate_typed_over_a_sure_reading_is_asked_once_more_and_told_so(page: Chrome, lane: FakeLane) -> None:
    lane.answer = ActionResult(done=False, code="over_sure", seq=None, detail="12C12345")
    types_other(page)
    wait_text(page, "dialog", "Máy đã đọc chắc một biển khác")
    for part in ("Máy đọc chắc: 12C12345", f"Bạn gõ: {OTHER}"):
        assert part in text(page, "dialog")
    assert sizes(page) == []
    assert [(one.value, one.reason) for one in lane.acts] == [(OTHER, "")]
    lane.answer = ActionResult(done=True, code="plate_typed", seq=42)
    holds_the_sheets_button(page, "Bạn gõ")
    wait_text(page, "message", "số 42")
    assert [(one.name, one.value, one.reason) for one in lane.acts][1:] == [("type_plate", OTHER, "over_sure")]


def test_the_second_question_goes_with_the_vehicle_that_it_was_about(page: Chrome, lane: FakeLane) -> None:
    lane.answer = ActionResult(done=False, code="over_sure", seq=None, detail="12C12345")
    types_other(page)
    wait_text(page, "dialog", "Máy đã đọc chắc một biển khác")
    lane.show(passage=passage("ready", id="p-9"))
    until(page, lambda it: not it.find_elements(By.CSS_SELECTOR, "dialog[open]"), "the sheet to go")
    assert len(lane.acts) == 1


def test_a_typed_text_is_marked_as_typed_by_whom_and_over_what(page: Chrome, lane: FakeLane) -> None:
    typed = {**PLATE, "text": OTHER, "raw": OTHER, "typed": True, "over": "12C12345", "decided": True}
    who = {**WHO, "plate": OTHER, "vehicle": [OTHER], "source": "typed", "by": "BP-0107", "over": "12C12345"}
    lane.show(passage=passage("ready", id="p-10", plate=typed, plates=[typed], who=who))
    wait_text(page, "plate-row", "BP-0107")
    assert "12C12345" in text(page, "plate-row")
    assert "đọc chắc chắn" not in text(page, "plate-row")


def test_another_plate_in_view_is_looked_at_before_the_confirmation_goes(page: Chrome, lane: FakeLane) -> None:
    who = {**WHO, "beside": [{"plate": OTHER, "standing": "other"}, {"plate": "29R01234", "standing": "same"}]}
    lane.show(passage=passage("ready", id="p-11", who=who, needs_check=True))
    assert waits(page, f"[data-beside='{OTHER}']").get_attribute("class") == "caution"
    assert "caution" not in (waits(page, "[data-beside='29R01234']").get_attribute("class") or "")
    wait_enabled(page, "confirm").click()
    wait_text(page, "dialog", "Trong ảnh còn biển số khác")
    assert f"{OTHER} (tờ khai khác)" in text(page, "dialog")
    assert "xác nhận cho 12C12345" in text(page, "dialog")
    assert "29R01234" not in text(page, "dialog"), "the trailer of this very vehicle is nobody else"
    assert "đã cũ" not in text(page, "dialog"), "the copy is not old"
    assert (sizes(page), lane.acts) == ([], [])
    holds_the_sheets_button(page, "Trong ảnh còn")
    wait_text(page, "message", "số 41")
    assert [(one.name, one.value) for one in lane.acts] == [("confirm", "checked")]


@pytest.mark.parametrize(
    ("code", "detail", "words"),
    [
        ("other_plate", OTHER, f"còn biển khác trong ảnh: {OTHER}"),
        ("read_undeclared", "", "biển đã đọc, không có tờ khai"),
        ("not_whole", "", "chưa thấy trọn biển số"),
    ],
)
def test_a_gate_that_stays_shut_says_why_in_words(
    page: Chrome, lane: FakeLane, code: str, detail: str, words: str
) -> None:
    lane.show(passage=passage("ready", id="p-12", shut={"code": code, "detail": detail}))
    assert waits(page, f"#verdict [data-shut='{code}']").text == f"Không tự mở: {words}"


def test_what_the_banner_says_anyway_is_not_said_twice(page: Chrome, lane: FakeLane) -> None:
    lane.show(passage=passage("await", id="p-13", shut={"code": "not_released", "detail": ""}))
    wait_text(page, "verdict", "Tiếp theo")
    assert page.find_elements(By.CSS_SELECTOR, "#verdict .shut") == []


@pytest.mark.parametrize(
    ("decided", "head"), [(True, "Máy đọc được"), (False, "Máy đọc, chưa chắc")], ids=["surely", "unsurely"]
)
def test_candidates_are_headed_as_what_they_are(page: Chrome, lane: FakeLane, decided: bool, head: str) -> None:
    plate = {**PLATE, "decided": decided, "candidates": ["12C12345", "12C12346", "12C12349"]}
    lane.show(passage=passage("unknown", id="p-14", plate=plate, plates=[plate]))
    waits(page, "#choose-plate").click()
    rows = [row.text.split("\n") for row in page.find_elements(By.CSS_SELECTOR, "#dialog .candidate-row")]
    assert rows == [
        [head, "12C12345"],
        ["Biển đã khai gần giống, máy không đọc", "12C12346", "12C12349"],
    ]


def test_an_unsure_plate_is_not_called_undeclared(page: Chrome, lane: FakeLane) -> None:
    plate = {**PLATE, "decided": False}
    unread = passage("unknown", id="p-15", plate=plate, plates=[plate])
    unread["verdict"]["reasons"] = [
        {"code": "plate_unread", "text": {"vi": "Chưa đọc chắc", "en": "Not sure"}, "article": ""}
    ]
    lane.show(passage=unread)
    wait_text(page, "confirm", "chưa đọc chắc biển số")
    assert "không có tờ khai" not in text(page, "confirm") + text(page, "facts").lower()
