"""The rarer ways in a real Chromium: two people, the paper form, seals, the yard, forms that differ."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select

from edge.panel.accounts import Accounts
from edge.panel.app import create_app
from edge.panel.settings import PanelSettings
from edge.ports import ActionResult
from tests.panel.browser import PanelServer, browser, resize, until
from tests.panel.fakes import PLATE, FakeDesk, FakeLane, names, passage
from tests.panel.test_panel_browser import by_id, hold_until_told, script, text, wait_enabled, wait_text

__all__ = ["browser"]
pytestmark = pytest.mark.browser

PIN = "502938"
TRANSFER = {
    "record_no": "BB-17",
    "record_date": "2026-11-18",
    "sent_by": "Chi cục Hải Phòng",
    "received_by": "Chi cục Hữu Nghị",
    "seals": ["HQ001", "HQ002"],
    "route": ["Hải Phòng", "Hữu Nghị"],
    "deadline": None,
    "monitored": False,
}
OPTIONS = {
    "procedures": [{"id": "EX-IN", "name": names("Xuất khẩu", "Export")}],
    "requires": [{"key": "fee", "name": names("phí", "fee"), "absent_means": False}],
    "signers": [
        {"key": "CU", "name": names("Hải quan", "Customs")},
        {"key": "NW", "name": names("Cơ quan mới", "New")},
    ],
}
ON_PAPER = {"by": "BP-0107", "at": "2026-11-20T11:00:00+07:00", "why": "link"}
YARD = {
    "yard": "yard", "count": 12, "capacity": 200, "percent": 6.0, "doubtful": False, "corrected_by": None,
    "corrected_at": None, "full": False,
}  # fmt: skip


@pytest.fixture
def lane() -> FakeLane:
    return FakeLane(passage=passage("ready"))


@pytest.fixture
def page(browser: Chrome, lane: FakeLane, tmp_path: Path) -> Iterator[Chrome]:
    accounts = Accounts(tmp_path / "accounts.db")
    accounts.add("BP-0001", "Trưởng ca Ví Dụ", "shift_leader", PIN)
    server = PanelServer(create_app(FakeDesk(b1_out=lane), accounts, PanelSettings(sign_in="demo")))
    resize(browser, 1280, 800)
    browser.get_log("browser")  # type: ignore[no-untyped-call]
    browser.execute_cdp_cmd("Network.clearBrowserCookies", {})
    browser.get(f"{server.url}/lane/b1-out")
    yield browser
    assert [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"] == []  # type: ignore[no-untyped-call]
    browser.get("about:blank")
    server.stop()
    accounts.close()


def field(page: Chrome, name: str) -> Any:
    return page.find_element(By.CSS_SELECTOR, f"[data-field='{name}']")


def sizes(page: Chrome) -> list[tuple[str, int]]:
    """Every target on the open sheet that is lower than 12 mm."""
    found = script(
        page,
        """const kinds = 'button, select, .choice, a.press, input:not([type=radio], [type=checkbox])';
        return [...document.getElementById('dialog').querySelectorAll(kinds)].filter((e) => e.checkVisibility())
          .map((e) => [e.id || e.textContent || e.name, Math.round(e.getBoundingClientRect().height)])""",
    )
    return [(name, height) for name, height in found if height < 71]


def test_a_customs_hold_asks_for_a_second_persons_pin_on_the_same_screen(page: Chrome, lane: FakeLane) -> None:
    lane.show(passage=passage("refuse", id="p-2", two_people=True))
    wait_text(page, "confirm", "không được qua")
    wait_enabled(page, "override").click()
    page.find_element(By.CSS_SELECTOR, ".choice:nth-child(2)").click()

    def second(it: Chrome) -> bool:
        if not it.find_elements(By.ID, "second-pin"):
            ActionChains(it).click_and_hold(by_id(it, "send")).pause(1.5).release().perform()
        return bool(it.find_elements(By.ID, "second-pin"))

    until(page, second, "the second person's sheet")
    assert lane.acts == []
    assert not by_id(page, "send").is_enabled()
    page.find_element(By.CSS_SELECTOR, ".choice").click()
    for digit in PIN:
        page.find_element(By.XPATH, f"//dialog//button[text()='{digit}']").click()
    assert sizes(page) == []
    wait_enabled(page, "send").click()
    wait_text(page, "message", "Đã ghi")
    (action,) = lane.acts
    assert (action.reason, action.person.id, action.second and action.second.id) == ("ordered", "demo", "BP-0001")


def test_a_wrong_pin_is_told_and_nothing_is_done(page: Chrome, lane: FakeLane) -> None:
    script(
        page,
        """import('/static/press.js').then(async ({press}) => { window.answer = await press('b1-out',
        {name: 'override', passage: 'p-1', reason: 'ordered', second: {id: 'BP-0001', pin: '111222'}}, () => {}) })""",
    )
    assert until(page, lambda it: script(it, "return window.answer"), "an answer")["code"] == "wrong_pin"
    assert lane.acts == []


def fill(page: Chrome) -> None:
    field(page, "organisation").send_keys("Công ty Ví Dụ")
    field(page, "border_gate").send_keys("Hữu Nghị")
    Select(field(page, "movement")).select_by_value("ordinary")
    by_id(page, "page-goods").click()
    for key, value in {"name": "Sầu riêng", "quantity": "18,5", "unit": "tấn"}.items():
        field(page, f"goods.0.{key}").send_keys(value)
    by_id(page, "page-vehicles").click()
    field(page, "vehicles.0.driver").send_keys("Người lái Ví Dụ")
    Select(field(page, "vehicles.0.vehicle_class")).select_by_value("from_18t")
    by_id(page, "page-signatures").click()
    field(page, "signatures.DN.name").send_keys("Người khai Ví Dụ")
    by_id(page, "page-procedure").click()
    page.find_element(By.CSS_SELECTOR, "input[value='EX-IN']").find_element(By.XPATH, "..").click()


def on_paper(page: Chrome, lane: FakeLane) -> None:
    unknown = passage("unknown", id="p-3")
    unknown["actions"].append("paper_form")
    lane.show(paper=ON_PAPER, paper_options=OPTIONS, passage=unknown)
    until(page, lambda it: by_id(it, "paper-band").is_displayed(), "the band that says paper")
    until(page, lambda it: it.find_elements(By.ID, "paper_form"), "the way to the form")
    by_id(page, "paper_form").click()
    until(page, lambda it: it.find_elements(By.CSS_SELECTOR, "[data-field='organisation']"), "the form")


def test_the_paper_form_is_typed_page_by_page_with_the_plate_that_was_read(page: Chrome, lane: FakeLane) -> None:
    on_paper(page, lane)
    assert sizes(page) == []
    fill(page)
    by_id(page, "send").click()
    wait_text(page, "message", "Đã ghi")
    (action,) = lane.acts
    value = json.loads(action.value)
    assert (action.name, action.passage, value["procedure"], value["requires"]) == (
        "paper_form",
        "p-3",
        "EX-IN",
        {"fee": False},
    )
    written = value["form"]
    assert (written["organisation"], written["movement"]) == ("Công ty Ví Dụ", "ordinary")
    assert (written["vehicles"][0]["plate"], written["vehicles"][0]["origin"]) == (PLATE["text"], "VN")
    assert written["goods"] == [{"name": "Sầu riêng", "origin": "", "quantity": "18,5", "unit": "tấn", "value": ""}]
    assert set(written["signatures"]) == {"DN"}
    assert written["signatures"]["DN"]["date"], "the day of signing is today's until it is changed"


def test_faults_stand_beside_their_fields_and_what_was_typed_is_kept(page: Chrome, lane: FakeLane) -> None:
    on_paper(page, lane)
    fill(page)
    lane.answer = ActionResult(
        False, "paper_faults", None, '[["vehicles.0.driver", "empty"], ["tax_code", "tax_code"]]'
    )
    by_id(page, "send").click()
    wait_text(page, "message", "chưa đúng")
    until(page, lambda it: it.find_elements(By.CSS_SELECTOR, "[data-field='tax_code'][aria-invalid]"), "the fault")
    assert "10, 12 hoặc 13 chữ số" in page.find_element(By.CSS_SELECTOR, ".field.wrong").text
    assert "1 chỗ" in by_id(page, "page-vehicles").text
    assert field(page, "organisation").get_attribute("value") == "Công ty Ví Dụ"
    by_id(page, "dialog-back").click()
    by_id(page, "paper_form").click()
    assert field(page, "organisation").get_attribute("value") == "Công ty Ví Dụ"


def test_the_screens_own_keys_write_into_the_field_that_was_touched(page: Chrome, lane: FakeLane) -> None:
    on_paper(page, lane)
    field(page, "tax_code").click()
    for digit in "0123":
        page.find_element(By.XPATH, f"//dialog//div[contains(@class, 'keys')]//button[text()='{digit}']").click()
    assert field(page, "tax_code").get_attribute("value") == "0123"
    assert sizes(page) == []


def test_seals_are_compared_by_what_the_guard_saw(page: Chrome, lane: FakeLane) -> None:
    sealed = passage("ready", id="p-4", seals={"seen": None, "broken": False, "off_route": False, "condition": ""})
    sealed["declaration"]["transfer"] = TRANSFER
    sealed["actions"].append("seals")
    lane.show(passage=sealed)
    until(page, lambda it: it.find_elements(By.ID, "seals"), "the way to the seals")
    by_id(page, "seals").click()
    assert "HQ001, HQ002" in text(page, "dialog")
    assert sizes(page) == []
    by_id(page, "seals-seen").send_keys("HQ001, HQ009")
    by_id(page, "seals-broken").find_element(By.XPATH, "..").click()
    by_id(page, "seals-condition").send_keys("nguyên vẹn")
    by_id(page, "send").click()
    wait_text(page, "message", "Đã ghi")
    (action,) = lane.acts
    assert json.loads(action.value) == {"seen": ["HQ001", "HQ009"], "broken": True, "off_route": False}
    assert action.words == "nguyên vẹn"


def test_the_yards_level_is_always_seen(page: Chrome, lane: FakeLane) -> None:
    lane.show(
        place="yard_in", direction="in", mode="auto", yard=YARD, passage=None, actions=["yard_count", "yard_entry"]
    )
    wait_text(page, "lane-place", "bãi 12/200 xe (6 %)")
    lane.show(yard={**YARD, "count": 200, "full": True})
    wait_text(page, "lane-place", "BÃI ĐẦY")
    lane.show(yard={**YARD, "doubtful": True})
    wait_text(page, "lane-place", "đếm lại")


def test_a_guard_has_no_right_to_correct_the_yards_count(page: Chrome, lane: FakeLane) -> None:
    lane.show(place="yard_in", direction="in", mode="auto", yard=YARD, passage=None, actions=["yard_count"])
    wait_text(page, "lane-place", "bãi 12")
    by_id(page, "more").click()
    assert page.find_elements(By.ID, "yard-count") == []


def test_paper_mode_is_entered_from_the_sheet_of_other_ways(page: Chrome, lane: FakeLane) -> None:
    lane.show(actions=["paper_mode"], link={"state": "down", "detail": "", "unacknowledged": 3, "oldest_s": 9.0})
    wait_text(page, "status", "3 bản ghi")
    by_id(page, "more").click()
    assert sizes(page) == []
    by_id(page, "paper-on").click()
    wait_text(page, "message", "Đã ghi")
    assert [(action.name, action.value) for action in lane.acts] == [("paper_mode", "on")]


def test_a_form_that_differs_shows_both_sides_and_is_settled_with_a_reason(page: Chrome, lane: FakeLane) -> None:
    differing = {"field": "vehicles.12C12345.seal", "paper": "VN1", "platform": "VN2"}
    task = {"id": "PAPER-1", "plates": ["12C12345"], "outcome": "different", "declaration": "CKS-1"}
    lane.show(paper_tasks=[{**task, "differences": [differing]}], actions=["paper_settle"])
    wait_text(page, "more", "(1)")
    by_id(page, "more").click()
    shown = text(page, "dialog")
    for part in ("KHÁC", "VN1", "VN2", "CKS-1", "Số seal"):
        assert part in shown
    page.find_element(By.CSS_SELECTOR, "[data-settle='paper_wrong']").click()
    wait_text(page, "message", "Đã ghi")
    assert [(action.name, action.value, action.reason) for action in lane.acts] == [
        ("paper_settle", "PAPER-1", "paper_wrong")
    ]


def test_a_vehicle_that_stays_too_long_is_shown(page: Chrome, lane: FakeLane) -> None:
    stay = {"declaration": "CKS-9", "plates": ["12C67890"], "since": "2026-11-18T08:00:00+07:00", "inside_s": 190_000}
    lane.show(overstays=[stay])
    wait_text(page, "more", "(1)")
    by_id(page, "more").click()
    assert "12C67890" in text(page, "dialog")
    assert "52 giờ" in text(page, "dialog")


def test_a_decided_plate_that_finds_nothing_offers_declared_ones_like_it(page: Chrome, lane: FakeLane) -> None:
    near = {**PLATE, "candidates": ["12C12345", "12C12346"]}
    lane.show(passage=passage("unknown", id="p-6", plate=near, plates=[near]))
    until(page, lambda it: it.find_elements(By.ID, "choose-plate"), "the choice")
    by_id(page, "choose-plate").click()
    page.find_element(By.CSS_SELECTOR, "[data-candidate='12C12346']").click()
    by_id(page, "send").click()
    wait_text(page, "message", "Đã ghi")
    assert [(action.name, action.value) for action in lane.acts] == [("type_plate", "12C12346")]


def test_hold_still_works_beside_it_all(page: Chrome, lane: FakeLane) -> None:
    hold_until_told(page, "hold", "Đã ghi")
    assert [action.name for action in lane.acts] == ["hold"]
