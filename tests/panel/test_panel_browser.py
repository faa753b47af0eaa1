"""The lane's page in a real Chromium over a fake desk: what the guard sees, presses and is told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement

from edge.panel.accounts import Accounts
from edge.panel.app import create_app
from edge.panel.settings import PanelSettings
from edge.ports import ActionResult
from tests.panel.browser import PanelServer, browser, resize, until
from tests.panel.fakes import BOOM, PLATE, FakeDesk, FakeLane, passage

__all__ = ["browser"]
pytestmark = pytest.mark.browser
Chrome = webdriver.Chrome


@pytest.fixture
def lane() -> FakeLane:
    return FakeLane(passage=passage("ready"))


@pytest.fixture
def server(lane: FakeLane, tmp_path: Path) -> Iterator[PanelServer]:
    accounts = Accounts(tmp_path / "accounts.db")
    running = PanelServer(create_app(FakeDesk(b1_out=lane), accounts, PanelSettings(sign_in="demo")))
    yield running
    running.stop()
    accounts.close()


@pytest.fixture
def fresh(browser: Chrome) -> Iterator[Chrome]:
    """The browser as a new one would be: no cookie, no log, the usual size."""
    resize(browser, 1280, 800)
    browser.get_log("browser")  # type: ignore[no-untyped-call]
    browser.execute_cdp_cmd("Network.clearBrowserCookies", {})
    yield browser
    browser.get("about:blank")


@pytest.fixture
def page(fresh: Chrome, server: PanelServer) -> Chrome:
    fresh.get(f"{server.url}/lane/b1-out")
    return fresh


def by_id(page: Chrome, id: str) -> WebElement:
    return page.find_element(By.ID, id)


def text(page: Chrome, id: str) -> str:
    return str(page.execute_script("return document.getElementById(arguments[0]).innerText", id))


def script(page: Chrome, source: str) -> Any:
    return page.execute_script(source)


def wait_text(page: Chrome, id: str, part: str) -> None:
    until(page, lambda it: part in text(it, id), f"{part!r} in #{id}")


def wait_enabled(page: Chrome, id: str) -> WebElement:
    return until(page, lambda it: (found := by_id(it, id)).is_enabled() and found, f"#{id} to be enabled") or by_id(
        page, id
    )


def wait_disabled(page: Chrome, id: str) -> None:
    until(page, lambda it: not by_id(it, id).is_enabled(), f"#{id} to be disabled")


def hold_until_told(page: Chrome, id: str, told: str) -> None:
    """Holds a button down until the foot says what came of it; again where a busy machine let the press slip by."""

    def held(it: Chrome) -> bool:
        if by_id(it, id).is_displayed() and by_id(it, id).is_enabled():
            ActionChains(it).click_and_hold(by_id(it, id)).pause(1.5).release().perform()
        return told in text(it, "message")

    until(page, held, f"{told!r} after holding #{id}")


def test_ready_shows_all_that_the_guard_compares_and_the_button_opens_once(page: Chrome, lane: FakeLane) -> None:
    wait_text(page, "verdict", "Đủ điều kiện")
    sign = page.find_element(By.CSS_SELECTOR, "#plate-row .plate")
    assert sign.text.split() == ["12C", "123.45"]
    for part in ("CKS-2026-000123", "EX-IN", "MSKU1234565", "VN0012345", "18.500 kg", "từ 18 tấn", "Nông Văn Mẫu"):
        assert part in text(page, "facts")
    assert "12C1Z345" in text(page, "plate-row")
    assert "11:40" in text(page, "steps")
    wait_enabled(page, "confirm").click()
    wait_text(page, "message", "số 41")
    wait_text(page, "boom", "Đang nâng")
    wait_disabled(page, "confirm")
    lane.show(boom={**BOOM, "state": "open"}, passage={**lane.shown["passage"], "state": "open"})
    wait_text(page, "boom", "Đã mở")
    wait_text(page, "verdict", "xe được đi")
    assert [(action.name, action.passage) for action in lane.acts] == [("confirm", "p-1")]


def test_the_box_stands_where_the_plate_is_on_the_frame(page: Chrome) -> None:
    until(page, lambda it: it.find_elements(By.CSS_SELECTOR, "#photo .box"), "the box")
    drawn = script(
        page,
        """const svg = document.querySelector('#photo svg'), m = svg.getScreenCTM();
        const r = svg.querySelector('.box').getBoundingClientRect();
        return [(r.left - m.e) / m.a, (r.top - m.f) / m.d, (r.right - m.e) / m.a, (r.bottom - m.f) / m.d]""",
    )
    assert drawn == pytest.approx([560, 430, 720, 540], abs=20)
    assert script(page, "return document.querySelector('#photo svg').getAttribute('viewBox')") == "0 0 1280 720"
    pictures = "#photo canvas[data-drawn], .crop[data-drawn]"
    until(page, lambda it: len(it.find_elements(By.CSS_SELECTOR, pictures)) == 2, "photo and cut-out")
    size, plate = script(
        page,
        """const photo = document.querySelector('#photo canvas');
        return [[photo.width, photo.height], [...photo.getContext('2d').getImageData(570, 436, 1, 1).data]]""",
    )
    assert size == [1280, 720]
    assert min(plate) > 230, "the photo of this very passage: its plate is white"


@pytest.mark.parametrize(
    ("verdict", "words"), [("await", "còn thiếu"), ("refuse", "không được qua"), ("unknown", "không có tờ khai")]
)
def test_without_ready_the_button_is_shut_and_says_why(page: Chrome, lane: FakeLane, verdict: str, words: str) -> None:
    lane.show(passage=passage(verdict, id="p-2"))
    wait_text(page, "confirm", words)
    assert not by_id(page, "confirm").is_enabled()
    assert by_id(page, "stop").is_enabled()


def test_what_is_missing_next_is_named_with_its_article(page: Chrome, lane: FakeLane) -> None:
    lane.show(passage=passage("await", id="p-2"))
    wait_text(page, "verdict", "Tiếp theo: Kiểm dịch y tế")
    assert "điểm g khoản 2 Điều 4, QĐ 27/2025" in text(page, "verdict")


def test_a_press_says_at_once_that_it_is_being_recorded(page: Chrome, lane: FakeLane) -> None:
    lane.gate.clear()
    wait_enabled(page, "confirm").click()
    wait_text(page, "message", "Đang ghi")
    assert not by_id(page, "confirm").is_enabled()
    lane.gate.set()
    wait_text(page, "message", "Đã ghi lúc")


def test_a_refused_press_says_that_nothing_was_done_and_why(page: Chrome, lane: FakeLane) -> None:
    lane.answer = ActionResult(done=False, code="board_down")
    lane.shown["passage"]["actions"].append("close")
    lane.show()
    hold_until_told(page, "close", "KHÔNG làm")
    assert "Bo mạch không trả lời" in text(page, "message")


def test_override_needs_a_reason_and_a_long_press(page: Chrome, lane: FakeLane) -> None:
    lane.show(passage=passage("await", id="p-2"))
    wait_text(page, "confirm", "còn thiếu")
    wait_enabled(page, "override").click()
    send = by_id(page, "send")
    assert not send.is_enabled()
    page.find_element(By.CSS_SELECTOR, ".choice:nth-child(2)").click()
    send.click()
    assert lane.acts == []
    hold_until_told(page, "send", "Đã ghi")
    assert [(action.name, action.reason, action.passage) for action in lane.acts] == [("override", "ordered", "p-2")]


def test_another_reason_must_be_written_and_the_screens_own_keys_can_write_it(page: Chrome, lane: FakeLane) -> None:
    wait_enabled(page, "turn_away").click()
    page.find_element(By.CSS_SELECTOR, ".choice:last-child").click()
    assert not by_id(page, "send").is_enabled()
    for letter in "Xe":
        page.find_element(By.XPATH, f"//dialog//button[text()='{letter}']").click()
    wait_enabled(page, "send").click()
    wait_text(page, "message", "Đã ghi")
    assert [(action.reason, action.words) for action in lane.acts] == [("other", "Xe")]


def test_a_plate_is_typed_with_vietnamese_and_chinese_keys(page: Chrome, lane: FakeLane) -> None:
    wait_enabled(page, "type_plate").click()
    for _ in "12C12345":
        page.find_element(By.CSS_SELECTOR, ".key.erase").click()
    page.find_element(By.CSS_SELECTOR, ".key.wide").click()
    page.find_element(By.XPATH, "//dialog//button[text()='桂']").click()
    page.find_element(By.CSS_SELECTOR, ".key.wide").click()
    for letter in "FĐ12":
        page.find_element(By.XPATH, f"//dialog//button[text()='{letter}']").click()
    assert text(page, "typed").strip() == "桂FĐ12"
    by_id(page, "send").click()
    wait_text(page, "message", "Đã ghi")
    assert [(action.name, action.value) for action in lane.acts] == [("type_plate", "桂FĐ12")]


def test_an_unsure_plate_offers_what_was_read_side_by_side(page: Chrome, lane: FakeLane) -> None:
    unsure = {**PLATE, "decided": False, "candidates": ["12C12345", "12C12346"]}
    lane.show(passage=passage("unknown", id="p-3", plate=unsure))
    wait_text(page, "plate-row", "12C12345 / 12C12346")
    wait_enabled(page, "choose-plate").click()
    page.find_element(By.CSS_SELECTOR, "[data-candidate='12C12346']").click()
    by_id(page, "send").click()
    wait_text(page, "message", "Đã ghi")
    assert lane.acts[0].value == "12C12346"


def test_one_of_several_declarations_is_picked(page: Chrome, lane: FakeLane) -> None:
    other = {
        "id": "CKS-2026-000777",
        "procedure": "VN-EMPTY-TO-CN",
        "state": "active",
        "declared_at": "2026-11-20T07:00:00+07:00",
    }
    several = passage("ready", id="p-5", others=[other])
    several["actions"].append("pick_declaration")
    lane.show(passage=several)
    until(page, lambda it: it.find_elements(By.ID, "pick_declaration"), "the choice of declarations")
    by_id(page, "pick_declaration").click()
    page.find_element(By.CSS_SELECTOR, "[data-declaration='CKS-2026-000777']").click()
    wait_text(page, "message", "Đã ghi")
    assert [(action.name, action.value) for action in lane.acts] == [("pick_declaration", "CKS-2026-000777")]


def test_a_dialog_about_a_vehicle_that_went_closes_and_says_that_nothing_was_recorded(
    page: Chrome, lane: FakeLane
) -> None:
    wait_enabled(page, "override").click()
    until(page, lambda it: by_id(it, "dialog").is_displayed(), "the dialog")
    lane.show(passage=passage("ready", id="p-9"))
    wait_text(page, "message", "Chưa ghi gì")
    assert not by_id(page, "dialog").is_displayed()
    assert lane.acts == []


def test_stop_stays_in_reach_while_a_dialog_is_open(page: Chrome, lane: FakeLane) -> None:
    wait_enabled(page, "override").click()
    until(page, lambda it: by_id(it, "dialog").is_displayed(), "the dialog")
    by_id(page, "stop").click()
    wait_text(page, "message", "Đã ghi")
    assert [action.name for action in lane.acts] == ["stop"]


def test_a_dead_program_shows_within_two_seconds_and_its_return_too(
    page: Chrome, server: PanelServer, lane: FakeLane
) -> None:
    wait_enabled(page, "confirm")
    script(
        page,
        """window.last = performance.now(); window.shown = null; window.lag = 0;
        let tick = performance.now();  // how long a busy machine kept this page from running at all
        setInterval(() => {
          const now = performance.now();
          window.lag = Math.max(window.lag, now - tick - 20);
          tick = now;
        }, 20);
        const gone = document.getElementById('gone');
        new MutationObserver(() => { window.shown ??= gone.hidden ? null : performance.now(); })
          .observe(gone, {attributes: true});
        new MutationObserver(() => { if (window.shown === null) window.last = performance.now(); })
          .observe(document.getElementById('now'), {childList: true, characterData: true, subtree: true});""",
    )
    server.stop()
    until(page, lambda it: by_id(it, "gone").is_displayed(), "the band")
    silence_ms, lag_ms = script(page, "return [window.shown - window.last, window.lag]")
    assert silence_ms <= 2000 + lag_ms
    assert not by_id(page, "confirm").is_enabled()
    wait_text(page, "gone", "MẤT LIÊN LẠC")
    again = PanelServer(
        create_app(FakeDesk(b1_out=lane), server.app.state.accounts, PanelSettings("demo")), port=server.port
    )
    try:
        until(page, lambda it: not by_id(it, "gone").is_displayed(), "the band to go")
        wait_enabled(page, "confirm")
    finally:
        again.stop()


def test_a_press_whose_answer_is_lost_is_asked_after_and_told(page: Chrome, lane: FakeLane) -> None:
    script(
        page,
        """const real = window.fetch; window.cut = 0;
        window.fetch = async (path, options) => {
          if (!String(path).endsWith('/action')) return real(path, options);
          window.cut += 1; await real(path, options); throw new TypeError('the cable was pulled');
        };""",
    )
    wait_enabled(page, "confirm").click()
    wait_text(page, "message", "Đã ghi lúc")
    assert script(page, "return window.cut") == 1
    assert len(lane.acts) == 1


def test_a_press_that_never_arrived_is_told_as_not_done(page: Chrome, lane: FakeLane) -> None:
    script(
        page,
        """const real = window.fetch;
        window.fetch = async (path, options) => {
          if (String(path).endsWith('/action')) throw new TypeError('the cable was pulled');
          return real(path, options);
        };""",
    )
    wait_enabled(page, "confirm").click()
    wait_text(page, "message", "KHÔNG làm")
    assert lane.acts == []
    wait_enabled(page, "confirm")


def test_a_picture_that_stands_still_is_said_to_be_frozen(page: Chrome, lane: FakeLane) -> None:
    until(
        page, lambda it: not it.find_element(By.CSS_SELECTOR, "#live canvas").get_attribute("hidden"), "a live picture"
    )
    until(page, lambda it: not by_id(it, "live-alarm").is_displayed(), "a picture without alarm")
    lane.show(cameras=[{"id": "front", "state": "up", "detail": "", "age_ms": 4000}])
    wait_text(page, "live-alarm", "HÌNH ĐỨNG 4 giây")
    lane.show(cameras=[{"id": "front", "state": "down", "detail": "", "age_ms": None}])
    wait_text(page, "live-alarm", "CAMERA MẤT")
    wait_text(page, "status", "Camera front mất")


def test_the_quiet_line_speaks_up_only_when_something_is_wrong(page: Chrome, lane: FakeLane) -> None:
    wait_text(page, "status", "bình thường")
    lane.show(
        link={"state": "down", "detail": "", "unacknowledged": 7, "oldest_s": 9.0},
        clock="unset",
        store={"state": "low", "detail": ""},
        copy_age_s=3600.0,
        box={"temperature_c": 91.2, "battery_percent": 12, "care": ["battery_low", "on_battery", "hot"]},
    )
    for part in ("ẮC QUY SẮP HẾT (12 %): mở tay", "ĐỒNG HỒ CHƯA ĐÚNG", "báo điện", "và 4 việc nữa: xem Cảnh báo"):
        wait_text(page, "status", part)
    assert "Máy nóng" not in text(page, "status"), "the worst stand there, all of them in the alarm list"
    lane.show(clock="synced", box={"temperature_c": 91.2, "battery_percent": None, "care": ["hot"]})
    for part in ("Máy nóng 91 °C: xem quạt", "7 bản ghi", "Ổ đĩa sắp đầy: gọi kỹ thuật", "60 phút: hỏi trung tâm"):
        wait_text(page, "status", part)
    lane.show(clock="holdover", store={"state": "ok", "detail": ""}, box={"battery_percent": None, "care": []})
    wait_text(page, "status", "không được chỉnh theo mạng: gọi kỹ thuật")
    assert "Máy nóng" not in text(page, "status")


def test_the_language_changes_without_a_reload_and_is_kept(page: Chrome) -> None:
    wait_text(page, "verdict", "Đủ điều kiện")
    script(page, "window.same = true")
    by_id(page, "language").click()
    wait_text(page, "verdict", "Complete")
    assert "Confirm and open" in text(page, "confirm")
    assert "Barrier 1 out" in text(page, "steps")
    assert "18,500 kg" in text(page, "facts")
    assert script(page, "return window.same && document.documentElement.lang") == "en"
    page.refresh()
    wait_text(page, "verdict", "Complete")


def test_nothing_on_the_page_breaks_its_own_policy_or_throws(page: Chrome, lane: FakeLane) -> None:
    wait_enabled(page, "type_plate").click()
    by_id(page, "dialog-back").click()
    lane.show(passage=None)
    wait_text(page, "plate-row", "Không có xe")
    wait_text(page, "facts", "桂F12345")
    assert [entry for entry in page.get_log("browser") if entry["level"] == "SEVERE"] == []  # type: ignore[no-untyped-call]


SIZES = """
const seen = [];
for (const e of document.querySelectorAll('button, a.tool, input:not([type=radio]), textarea, .choice')) {
  if (e.checkVisibility()) { const r = e.getBoundingClientRect();
    seen.push([e.id || e.className, Math.round(r.width), Math.round(r.height), r.left, r.top, r.right, r.bottom]); }
}
return {seen, wide: document.documentElement.scrollWidth, high: document.documentElement.scrollHeight};
"""


@pytest.mark.parametrize(("width", "height", "big", "least"), [(1280, 800, 118, 71), (1024, 600, 94, 56)])
@pytest.mark.parametrize("state", ["ready", "unknown", "type_plate", "override", "nobody"])
def test_targets_are_large_enough_for_gloves_and_nothing_is_off_the_screen(
    page: Chrome, lane: FakeLane, width: int, height: int, big: int, least: int, state: str
) -> None:
    resize(page, width, height)
    lane.show(passage=passage("unknown" if state == "unknown" else "ready", id="p-7") if state != "nobody" else None)
    until(
        page,
        lambda it: script(it, "return document.body.dataset.passage") == ("none" if state == "nobody" else "waiting"),
        state,
    )
    if state in ("type_plate", "override"):
        wait_enabled(page, state).click()
    measured = script(page, SIZES)
    assert measured["wide"] <= width
    assert measured["high"] <= height
    assert len(measured["seen"]) > 5
    for name, target_width, target_height, left, top, right, bottom in measured["seen"]:
        needed = big if name in ("confirm", "stop") else least
        assert target_height >= needed, name
        assert target_width >= needed, name
        assert left >= 0, name
        assert top >= 0, name
        assert right <= width, name
        assert bottom <= height, name


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (1024, 600)])
@pytest.mark.parametrize("language", ["vi", "en"])
def test_all_facts_of_an_ordinary_declaration_are_seen_without_scrolling(
    page: Chrome, width: int, height: int, language: str
) -> None:
    resize(page, width, height)
    if language == "en":
        by_id(page, "language").click()
    wait_text(page, "facts", {"vi": "Người điều khiển", "en": "Driver"}[language])
    inner, outer = script(page, "const f = document.getElementById('facts'); return [f.scrollHeight, f.clientHeight]")
    assert inner <= outer


def test_an_old_copy_asks_the_guard_to_say_that_it_was_checked(page: Chrome, lane: FakeLane) -> None:
    lane.show(passage=passage("ready", id="p-8", needs_check=True))
    until(page, lambda it: script(it, "return document.querySelector('#photo svg') !== null"), "the passage")

    def asked(it: Chrome) -> bool:
        """A press that met the change of the passage is void, so press until the question is there."""
        if not by_id(it, "dialog").is_displayed():
            wait_enabled(it, "confirm").click()
        return bool(by_id(it, "dialog").is_displayed())

    until(page, asked, "the question")
    assert lane.acts == []
    hold_until_told(page, "send", "Đã ghi")
    assert [(action.name, action.value) for action in lane.acts] == [("confirm", "checked")]


def test_customs_pairing_stands_among_the_facts(page: Chrome, lane: FakeLane) -> None:
    pair = {"chinese": ["桂FA6382"], "vietnamese": ["12C12345"], "confirmed_at": None}
    lane.show(passage=passage("ready", id="p-8", pairing=pair))
    wait_text(page, "facts", "桂FA6382 ⇄ 12C12345")
    wait_text(page, "facts", "chưa xác nhận")


def test_a_boom_that_did_not_open_says_why_and_can_be_pressed_for_again(page: Chrome, lane: FakeLane) -> None:
    lane.show(passage=passage("ready", id="p-8", state="not_opened", fault="fault:tamper"))
    wait_text(page, "verdict", "Cần KHÔNG mở")
    wait_text(page, "verdict", "Cửa tủ điều khiển mở")
    wait_enabled(page, "confirm")


def test_while_a_fault_stands_the_button_is_shut_and_names_it_in_words(page: Chrome, lane: FakeLane) -> None:
    failed = passage("ready", id="p-8", state="not_opened", fault="still_closed")
    standing = {**failed, "actions": [each for each in failed["actions"] if each != "confirm"]}
    lane.show(passage=standing, boom={**BOOM, "faults": ["not_opened", "input_stuck:presence"], "present": True})
    wait_text(page, "confirm", "cần chắn lỗi: Cần không mở")
    assert not by_id(page, "confirm").is_enabled()
    assert "vòng từ trước cần bị kẹt" in text(page, "boom")
    lane.show(passage=failed, boom={**BOOM, "present": True})
    lane.answer = ActionResult(done=False, code="boom_fault", detail="not_opened, input_stuck:presence")
    wait_enabled(page, "confirm").click()
    wait_text(page, "message", "Cần chắn đang báo lỗi. Cần không mở, Tín hiệu vòng từ trước cần bị kẹt")
    by_id(page, "language").click()
    wait_text(page, "message", "Boom did not open, Input loop before the boom is stuck")


def test_a_boom_that_was_not_lowered_says_why(page: Chrome, lane: FakeLane) -> None:
    lane.show(boom={**BOOM, "state": "open"}, not_lowered="lane_not_clear")
    wait_text(page, "boom", "KHÔNG HẠ: dưới cần chưa trống")
    lane.show(boom={**BOOM, "state": "lowering"}, not_lowered="")
    wait_text(page, "boom", "Đang hạ")
    assert "KHÔNG HẠ" not in text(page, "boom")


@pytest.mark.parametrize("code", ["store_full", "not_now", "not_ready"])
def test_no_refusal_shows_a_guard_what_is_meant_for_the_log(page: Chrome, lane: FakeLane, code: str) -> None:
    lane.answer = ActionResult(done=False, code=code, detail="database_or_disk_is_full")
    wait_enabled(page, "confirm").click()
    wait_text(page, "message", "KHÔNG làm")
    assert "database" not in text(page, "message")


def test_reasons_and_articles_are_written_in_the_language_chosen(page: Chrome, lane: FakeLane) -> None:
    refused = passage("refuse", id="p-8")
    why = {
        "code": "withdrawn",
        "text": {"vi": "Tờ khai đã thu hồi", "en": "The declaration was withdrawn"},
        "article": "27/2025 Art. 10.1",
    }
    refused["verdict"]["reasons"] = [why]
    lane.show(passage=refused)
    wait_text(page, "verdict", "Tờ khai đã thu hồi khoản 1 Điều 10, QĐ 27/2025")
    by_id(page, "language").click()
    wait_text(page, "verdict", "The declaration was withdrawn Art. 10.1, 27/2025")


def test_a_card_of_each_lane_leads_to_it_and_follows_it(fresh: Chrome, tmp_path: Path) -> None:
    first, second = FakeLane(passage=passage("await")), FakeLane(lane="yard-in", mode="auto")
    accounts = Accounts(tmp_path / "accounts.db")
    running = PanelServer(create_app(FakeDesk(b1_out=first, yard_in=second), accounts, PanelSettings("demo")))
    try:
        fresh.get(f"{running.url}/")
        until(
            fresh,
            lambda it: "CHƯA ĐỦ" in it.find_element(By.CSS_SELECTOR, "[data-lane='b1-out']").text,
            "the verdict",
        )
        second.show(boom={**BOOM, "state": "open"})
        until(fresh, lambda it: "Đã mở" in it.find_element(By.CSS_SELECTOR, "[data-lane='yard-in']").text, "the boom")
        fresh.find_element(By.CSS_SELECTOR, "[data-lane='b1-out']").click()
        until(fresh, lambda it: it.find_elements(By.ID, "confirm"), "the lane's page")
    finally:
        fresh.get("about:blank")
        running.stop()
        accounts.close()


def test_signing_in_by_touch_locking_and_stopping_while_locked(fresh: Chrome, tmp_path: Path) -> None:
    now = [100.0]
    accounts = Accounts(tmp_path / "accounts.db", now_s=lambda: now[0], boot="boot-1")
    accounts.add("BP-0412", "Mẫu Văn Gác", "guard", "280457")
    lane = FakeLane(passage=passage("ready"))
    running = PanelServer(create_app(FakeDesk(b1_out=lane), accounts, PanelSettings(auto_lock_s=600)))
    try:
        fresh.get(f"{running.url}/lane/b1-out")
        fresh.find_element(By.CSS_SELECTOR, ".people label").click()
        for digit in "280457":
            fresh.find_element(By.XPATH, f"//div[@id='keypad']/button[text()='{digit}']").click()
        by_id(fresh, "enter").click()
        until(fresh, lambda it: it.find_elements(By.ID, "confirm"), "the lane's page")
        now[0] += 601
        until(fresh, lambda it: by_id(it, "locked").is_displayed(), "the lock")
        by_id(fresh, "stop").click()
        wait_text(fresh, "message", "Đã ghi")
        assert [(action.name, action.person.id) for action in lane.acts] == [("stop", "BP-0412")]
        assert not by_id(fresh, "confirm").is_enabled()
    finally:
        fresh.get("about:blank")
        running.stop()
        accounts.close()
