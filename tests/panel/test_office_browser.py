"""The pages beside the lane's own, walked in a real Chromium on a real gate process with board, boom and record."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select

from tests.panel.browser import browser, resize, touch, until
from tests.panel.guard import axe_violations, targets_too_small
from tests.panel.office_gate import LANE, PIN, OfficeHouse, text

__all__ = ["browser"]
pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(300)]

CAMERA = f"{LANE}/camera/front"
SIZES = [(1280, 800, 71), (1024, 600, 56)]
PAGES = ("/alarms", "/history", "/figures", "/expected", "/handover")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OfficeHouse]:
    one = OfficeHouse(tmp_path_factory.mktemp("office"))
    yield one
    one.close()


@pytest.fixture
def page(browser: Chrome, house: OfficeHouse) -> Iterator[Chrome]:
    resize(browser, 1280, 800)
    house.sign_in(browser, "BP-0001")
    browser.get_log("browser")  # type: ignore[no-untyped-call]
    yield browser
    loud = [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]  # type: ignore[no-untyped-call]
    assert [entry for entry in loud if "net::ERR_" not in entry["message"]] == []
    browser.get("about:blank")


LEFT_UP_S = 12.0
"""An arm that is not down so long after its vehicle left will not come by itself."""


def by_id(page: Chrome, id: str) -> Any:
    return page.find_element(By.ID, id)


def lets_through(house: OfficeHouse, page: Chrome, plate: str) -> None:
    house.declares(plate)
    page.get(f"{house.url}/lane/{LANE}")
    house.arrives(plate)
    until(page, lambda it: by_id(it, "confirm").is_enabled(), "the truck may be confirmed")
    by_id(page, "confirm").click()
    house.wait(house.gone, "the truck is gone")
    asked_s = time.monotonic()

    def is_down(it: Chrome) -> bool:
        """By itself; or, where a busy machine made the board silent for a moment and the arm therefore stays up, by the
        guard, as at a gate."""
        nonlocal asked_s
        if "Đã đóng" in text(it, "#boom"):
            return True
        if time.monotonic() - asked_s > LEFT_UP_S and by_id(it, "close").is_enabled():
            asked_s = time.monotonic()
            ActionChains(it).click_and_hold(by_id(it, "close")).pause(2).release().perform()
        return False

    until(page, is_down, "the boom is down")
    until(page, lambda it: not it.find_elements(By.CSS_SELECTOR, "#plate-row .plate"), "the passage has ended")


def one_passed(house: OfficeHouse, page: Chrome) -> None:
    """Whichever test comes first, there is a passage to look for."""
    if not house.events("confirmation"):
        lets_through(house, page, "12C12345")


def rows(page: Chrome) -> list[str]:
    return [one.text for one in page.find_elements(By.CSS_SELECTOR, "#rows a")]


def test_a_passage_is_found_again_by_the_end_of_its_plate_and_read_printed_and_saved(
    page: Chrome, house: OfficeHouse
) -> None:
    lets_through(house, page, "12C12345")
    page.get(f"{house.url}/history")
    by_id(page, "q-plate").click()
    for key in "345":
        page.find_element(By.XPATH, f"//div[@id='keys-place']//button[text()='{key}']").click()

    def found(it: Chrome) -> bool:
        """The index follows the record by a moment."""
        by_id(it, "find").click()
        return any("12C12345" in row and "đã qua" in row for row in rows(it))

    until(page, found, "the passage in the list")
    assert "BP-0001" in rows(page)[0]
    page.find_element(By.CSS_SELECTOR, "#rows a").click()
    until(page, lambda it: "Diễn biến" in text(it, "#office"), "the passage's own page")
    for part in (
        "Đủ điều kiện",
        "Biên phòng xác nhận và mở",
        "Cần đã mở (công tắc hành trình)",
        "khoản 2 Điều 4",
        "CKS-DEMO",
    ):
        assert part in text(page, "#office")
    shown = page.execute_script("return [...document.images].map((one) => one.complete && one.naturalWidth > 0)")
    assert shown == [True, True], "photo and crop"
    saved = (
        "return fetch(arguments[0]).then((a) => a.arrayBuffer()).then((b) => new TextDecoder().decode(b.slice(0, 5)))"
    )
    assert page.execute_script(saved, by_id(page, "pdf").get_attribute("href")) == "%PDF-"
    by_id(page, "print").click()
    until(page, lambda it: "12C12345" in it.page_source and "print.html" in it.current_url, "the page to print")
    page.back()
    looks = [body["what"] for body in house.events("login") if body["by"] == "BP-0001"]
    assert {"search", "passage", "pdf", "print"} <= set(looks)


def test_a_search_by_guard_and_verdict_and_one_that_finds_nothing(page: Chrome, house: OfficeHouse) -> None:
    one_passed(house, page)
    page.get(f"{house.url}/history")
    Select(by_id(page, "q-person")).select_by_value("BP-0001")
    Select(by_id(page, "q-verdict")).select_by_value("ready")
    by_id(page, "find").click()
    until(page, lambda it: len(rows(it)) > 0 and "person=BP-0001" in it.current_url, "a passage")
    Select(by_id(page, "q-outcome")).select_by_value("turned_away")
    by_id(page, "find").click()
    until(page, lambda it: "Không có lượt xe nào khớp" in text(it, "#nothing"), "nothing found, in words")


def listed(page: Chrome) -> bool:
    """The index follows the record by a moment."""
    by_id(page, "find").click()
    return bool(rows(page))


def summed_up(page: Chrome) -> bool:
    """Looks again where the history had not taken the passage in yet."""
    if page.find_elements(By.ID, "summary"):
        return True
    page.refresh()
    return False


def test_the_days_figures_are_drawn_and_counted(page: Chrome, house: OfficeHouse) -> None:
    one_passed(house, page)
    page.get(f"{house.url}/figures")
    until(page, summed_up, "a day with a passage")
    assert "lượt xe" in text(page, "#summary")
    assert len(page.find_elements(By.CSS_SELECTOR, "svg.plot")) >= 3
    boxes = page.execute_script(
        "return [...document.querySelectorAll('.plot rect')].map((r) => [r.getBoundingClientRect().bottom <="
        " r.closest('svg').getBoundingClientRect().bottom])"
    )
    assert all(inside for (inside,) in boxes)


def test_the_language_changes_in_place_and_keeps_what_was_typed(page: Chrome, house: OfficeHouse) -> None:
    page.get(f"{house.url}/handover")
    by_id(page, "handover-text").send_keys("Kho 2 chờ xe")
    page.execute_script("window.same = true")
    by_id(page, "language").click()
    until(page, lambda it: "Shift handover" in text(it, "#office h1"), "English")
    assert page.execute_script("return window.same"), "no reload"
    assert by_id(page, "handover-text").get_attribute("value") == "Kho 2 chờ xe"
    by_id(page, "language").click()
    until(page, lambda it: "Bàn giao ca" in text(it, "#office h1"), "Vietnamese")


def finds(page: Chrome, css: str) -> Any:
    return page.find_element(By.CSS_SELECTOR, css)


def test_a_photo_read_wrong_is_marked_by_touch_and_becomes_one_of_the_sites_tests(
    page: Chrome, house: OfficeHouse
) -> None:
    one_passed(house, page)
    address = f"{house.url}/history/{house.events('confirmation')[0]['passage']}"

    def shown(it: Chrome) -> bool:
        """The index follows the record by a moment."""
        it.get(address)
        return bool(it.find_elements(By.CSS_SELECTOR, ".photos img"))

    until(page, shown, "the passage's page")
    assert page.find_elements(By.CSS_SELECTOR, ".marking") == [], "a guard marks nothing"
    house.sign_in(page, "KY-0001")
    page.get(address)
    page.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": True})
    touch(page, finds(page, ".marking [data-open]"))
    until(page, lambda it: finds(it, ".correct .keys").is_displayed(), "the keys come with the field")
    for key in "29H67893":
        touch(page, page.find_element(By.XPATH, f"//*[@class='correct']//button[text()='{key}']"))
    assert finds(page, ".correct input").get_attribute("value") == "29H67893"
    assert axe_violations(page) == []
    for width, height, _ in SIZES:
        resize(page, width, height)
        assert targets_too_small(page, width) == []
    touch(page, finds(page, "[data-mark=wrong]"))
    until(page, lambda it: "biển thật 29H67893" in text(it, ".marked"), "what is on record now")
    assert "KY-0001" in text(page, ".marked")
    (said,) = [body for body in house.events("config") if body["stage"] == "labelled_wrong"]
    assert (said["by"], said["role"], said["typed"]) == ("KY-0001", "technician", "29H67893")
    (still,) = (house.folder / "agent" / "site-clips").glob("*.still.jpg")
    told = json.loads(still.with_suffix(".expected.json").read_text(encoding="utf-8"))
    assert [one["plate"] for one in told["passages"]] == ["29H67893"]
    touch(page, finds(page, "[data-mark=right]"))
    until(page, lambda it: "đọc đúng" in text(it, ".marked"), "the last word counts")
    page.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": False})


def alarm(page: Chrome) -> str | None:
    found = page.find_elements(By.CSS_SELECTOR, f"[data-alarm='{CAMERA}']")
    return found[0].get_attribute("data-state") if found else None


def press(page: Chrome, css: str) -> None:
    """By finger; again where the page swapped the button in between."""

    def pressed(it: Chrome) -> bool:
        it.execute_script("arguments[0].scrollIntoView({block: 'center'})", it.find_element(By.CSS_SELECTOR, css))
        it.find_element(By.CSS_SELECTOR, css).click()
        return True

    until(page, pressed, f"{css} to be pressed")


def test_a_dead_camera_is_an_alarm_that_a_person_answers_and_a_restart_remembers(
    page: Chrome, house: OfficeHouse
) -> None:
    until(page, lambda it: "Cảnh báo (" in text(it, "#alarm-link"), "the lane's line leads to the alarm")
    assert "chờ trả lời" in text(page, "#status")
    by_id(page, "alarm-link").click()
    until(page, lambda it: alarm(it) == "unacknowledged", "the camera's alarm")
    assert "gõ biển số" in text(page, f"[data-alarm='{CAMERA}']"), "and what to do"
    press(page, f"[data-alarm='{CAMERA}'] [data-press=alarm_ack]")
    until(page, lambda it: alarm(it) == "acknowledged", "it is acknowledged")
    assert "Đã ghi lúc" in text(page, "#message")
    told = [body for body in house.events("alarm") if body.get("alarm") == CAMERA]
    assert [(body["stage"], body.get("by")) for body in told] == [("raised", None), ("acknowledged", "BP-0001")]
    house.kill()
    until(page, lambda it: by_id(it, "gone").is_displayed(), "a dead program is shown as such")
    house.start()
    until(page, lambda it: not by_id(it, "gone").is_displayed(), "the page reconnects by itself")
    assert alarm(page) == "acknowledged"
    assert [b["stage"] for b in house.events("alarm") if b.get("alarm") == CAMERA] == ["raised", "acknowledged"]


def test_a_shelved_alarm_is_out_of_the_way_for_a_time_and_can_be_taken_back(page: Chrome, house: OfficeHouse) -> None:
    page.get(f"{house.url}/alarms")
    until(page, lambda it: alarm(it) is not None, "the camera's alarm")
    press(page, f"[data-alarm='{CAMERA}'] [data-open]")
    press(page, f"[data-alarm='{CAMERA}'] [data-minutes='60']")
    until(page, lambda it: alarm(it) == "shelved", "it is shelved")
    until(page, lambda it: "gác tới khi còn" in text(it, f"[data-alarm='{CAMERA}']"), "for how long, and by whom")
    shelved = [body for body in house.events("alarm") if body["stage"] == "shelved"]
    assert [(body["by"], body["for_s"]) for body in shelved] == [("BP-0001", 3600.0)]
    press(page, f"[data-alarm='{CAMERA}'] [data-press=alarm_unshelve]")
    until(page, lambda it: alarm(it) == "unacknowledged", "back, and it asks anew")


def test_the_shift_is_handed_over_and_the_next_one_signs_with_their_own_pin(page: Chrome, house: OfficeHouse) -> None:
    page.get(f"{house.url}/handover")
    assert "Camera front" in text(page, "#note"), "the alarm that stands is in the note"
    by_id(page, "handover-text").send_keys("Cần kêu khi đóng")
    press(page, "#write-handover")
    until(page, lambda it: "chờ ca sau ký" in text(it, "#handover-state"), "the note waits for its signature")
    assert "Cần kêu khi đóng" in text(page, "#handover-words")
    assert page.find_elements(By.CSS_SELECTOR, "input[value='BP-0001'], input[value='KT-0001']") == []
    choose = "document.querySelector(\"input[value='BP-0002']\").click()"
    page.execute_script(choose)
    by_id(page, "next-pin").send_keys("111222")
    press(page, "#sign-handover")
    until(page, lambda it: "KHÔNG ghi" in text(it, "#message"), "a wrong PIN signs nothing")
    page.execute_script(choose)
    by_id(page, "next-pin").send_keys(PIN["BP-0002"])
    press(page, "#sign-handover")
    until(page, lambda it: "Lò Văn Ví Dụ ký" in text(it, "#last-handover"), "signed")
    page.get(f"{house.url}/lane/{LANE}")
    until(page, lambda it: "Lò Văn Ví Dụ" in text(it, ".who"), "the next one stands at the screen")
    written, signed = [body for body in house.events("login") if str(body["stage"]).startswith("handover")]
    assert (written["by"], written["words"], signed["by"], signed["written_by"]) == (
        "BP-0001",
        "Cần kêu khi đóng",
        "BP-0002",
        "BP-0001",
    )


def test_a_vehicle_that_came_through_one_gate_is_expected_at_this_one(page: Chrome, house: OfficeHouse) -> None:
    house.declares("29A54321")
    page.get(f"{house.url}/expected")
    until(
        page, lambda it: "29A54321" in text(it, "[data-step=b1_out]"), "who left the yard is on the way to this barrier"
    )
    assert "cổng này" in text(page, "[data-step=b1_out] h2")


def sign(page: Chrome) -> str:
    return str(page.execute_script("return document.body.dataset.sign"))


def test_the_drivers_sign_follows_the_boom_and_says_stop_when_the_gate_is_dead(
    page: Chrome, house: OfficeHouse
) -> None:
    house.declares("15B11111")
    house.arrives("15B11111")
    until(page, lambda it: by_id(it, "confirm").is_enabled(), "the truck may be confirmed")
    lane = page.current_window_handle
    page.switch_to.new_window("tab")
    page.get(f"{house.url}/sign/{LANE}")
    board = page.current_window_handle
    until(page, lambda it: sign(it) == "wait", "wait, while the guard looks")
    assert "请等待" in text(page, ".sign")
    assert "15B" not in page.page_source
    page.switch_to.window(lane)
    by_id(page, "confirm").click()
    page.switch_to.window(board)
    until(page, lambda it: sign(it) == "drive", "drive, once the limit switch says open")
    house.wait(house.gone, "the truck is gone")
    until(page, lambda it: sign(it) == "stop", "stop for whoever comes next")
    house.arrives("30A99999")
    until(page, lambda it: sign(it) == "booth", "nobody declared it: to the booth")
    house.kill()
    until(page, lambda it: sign(it) == "stop", "a dead gate's sign says stop")
    house.start()
    house.world.leave()
    page.close()
    page.switch_to.window(lane)


@pytest.mark.parametrize(("width", "height", "least"), SIZES)
@pytest.mark.parametrize("language", ["vi", "en"])
def test_every_target_is_large_enough_and_nothing_runs_out_of_the_page(
    page: Chrome, house: OfficeHouse, language: str, width: int, height: int, least: int
) -> None:
    resize(page, width, height)
    page.add_cookie({"name": "barie_language", "value": language, "path": "/"})
    for path in (*PAGES, f"/lane/{LANE}"):
        page.get(f"{house.url}{path}")
        small = page.execute_script(
            """const wanted = 'button, a, select, textarea, .choice, input:not([type=radio])';
            return [...document.querySelectorAll(wanted)]
              .filter((e) => e.checkVisibility() && !e.closest('#gone, #locked'))
              .map((e) => [e.id || e.textContent.trim(), Math.round(e.getBoundingClientRect().height)])
              .filter(([, height]) => height < arguments[0])""",
            least,
        )
        assert small == [], (path, small)
        wide = page.execute_script("return document.documentElement.scrollWidth - window.innerWidth")
        assert wide <= 0, path
        bar = page.execute_script(
            "return [...document.querySelectorAll('.bar > *, .bar nav > *')].filter((e) => e.checkVisibility())"
            ".filter((e) => e.getBoundingClientRect().right > innerWidth + 1 || e.scrollWidth > e.clientWidth + 1)"
            ".map((e) => e.textContent.trim())"
        )
        assert [one for one in bar if "…" not in one and "Barie" not in one and "Barrier" not in one] == [], path


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_breaks_a_rule_of_axe_core_by_day_or_by_night(page: Chrome, house: OfficeHouse, scheme: str) -> None:
    one_passed(house, page)
    media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
    page.get(f"{house.url}/history")
    until(page, listed, "a passage in the list")
    one = page.find_element(By.CSS_SELECTOR, "#rows a").get_attribute("href")
    for address in (one, *(f"{house.url}{path}" for path in (*PAGES, f"/sign/{LANE}", f"/lane/{LANE}"))):
        page.get(str(address))
        assert axe_violations(page) == [], (address, scheme)
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def test_the_pages_carry_no_names_of_keys_the_catalogue_lacks(page: Chrome, house: OfficeHouse) -> None:
    """A gap in the catalogue shows itself as section.key."""
    known = json.loads(page.execute_script("return document.getElementById('boot').textContent"))["messages"]
    sections = {key.partition(".")[0] for key in known}
    for path in PAGES:
        page.get(f"{house.url}{path}")
        words = text(page, "body").split()
        assert [w for w in words if w.partition(".")[0] in sections and w.partition(".")[2].isidentifier()] == []
