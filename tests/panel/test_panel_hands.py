"""What hands and ears meet: the on-screen keys for Vietnamese words, the tones for what must be heard."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By

from edge.panel.accounts import Accounts
from edge.panel.app import create_app
from edge.panel.settings import PanelSettings
from tests.panel.browser import PanelServer, browser, resize, until
from tests.panel.fakes import BOOM, FakeDesk, FakeLane, passage

__all__ = ["browser"]
pytestmark = pytest.mark.browser

EARS = """
window.heard = [];
window.AudioContext = class { currentTime = 0; destination = {}; resume() { return Promise.resolve(); } };
window.OscillatorNode = class { constructor(_, { frequency }) { this.hz = frequency; }
  connect(to) { return to; } start() { window.heard.push(this.hz); } stop() {} };
window.GainNode = class { gain = { setValueAtTime() {}, linearRampToValueAtTime() {} }; connect(to) { return to; } };
"""
"""A headless browser has no ears: which tones were asked for, in Hz."""
VEHICLE, ALARM, BOOM_TONE = 523, 880, 988


@pytest.fixture
def lane() -> FakeLane:
    return FakeLane()


@pytest.fixture
def page(browser: Chrome, lane: FakeLane, tmp_path: Path) -> Iterator[Chrome]:
    accounts = Accounts(tmp_path / "accounts.db")
    server = PanelServer(create_app(FakeDesk(b1_out=lane), accounts, PanelSettings(sign_in="demo")))
    resize(browser, 1280, 800)
    added = browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": EARS})
    browser.get(f"{server.url}/lane/b1-out")
    until(browser, lambda it: "Không có xe" in it.find_element(By.ID, "plate-row").text, "the page")
    yield browser
    browser.execute_script("localStorage.clear()")
    browser.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", added)
    browser.get("about:blank")
    server.stop()
    accounts.close()


def heard(page: Chrome) -> list[int]:
    return list(page.execute_script("return window.heard"))


def marked(page: Chrome, typed: list[tuple[str, str]]) -> list[str]:
    """Each word after its dead keys: s acute, f grave, r hook, x tilde, j dot, ^ circumflex, u breve, 7 horn."""
    source = """
    const [pairs, done] = arguments;
    import("/static/vietnamese.js").then(({ marked, MARKS }) => {
      const mark = (key) => MARKS["sfrxj^u7".indexOf(key)][1];
      done(pairs.map(([word, keys]) => [...keys].reduce((text, key) => marked(text, mark(key)), word)));
    });"""
    return list(page.execute_async_script(source, typed))


def test_dead_keys_write_vietnamese_as_it_is_written(page: Chrome) -> None:
    written = {
        ("hoa", "f"): "hòa", ("hoan", "s"): "hoán", ("tien", "^s"): "tiến", ("đuong", "7f"): "đường", ("a", "ss"): "a",
        ("nuoc", "7s"): "nước", ("qua", "r"): "quả", ("gia", "s"): "giá", ("gi", "f"): "gì", ("tau", "u"): "tău",
        ("nguyen", "^x"): "nguyễn", ("ngoai", "f"): "ngoài", ("Viet", "^j"): "Việt", ("quyen", "^f"): "quyền",
        ("bien so", "^s"): "bien số", ("giay", "^s"): "giấy", ("HOA", "f"): "HÒA", ("trâu", "^"): "trau",
        ("123", "s"): "123", ("", "s"): "",
    }  # fmt: skip
    assert marked(page, list(written)) == list(written.values())


def test_a_tone_is_written_in_one_code_point_as_the_catalogue_and_the_platform_write_it(page: Chrome) -> None:
    (word,) = marked(page, [("loi", "^x")])
    assert [len(word), word] == [3, "lỗi"]


def test_a_vehicle_is_heard_once_and_its_tone_can_be_switched_off(page: Chrome, lane: FakeLane) -> None:
    assert heard(page) == []
    lane.show(passage=passage("ready", id="p-1"))
    until(page, lambda it: heard(it).count(VEHICLE) == 1, "the tone")
    lane.show(passage=None)
    until(page, lambda it: it.execute_script("return document.body.dataset.passage") == "none", "the empty lane")
    page.find_element(By.ID, "more").click()
    page.find_element(By.ID, "vehicle-tone").click()
    lane.show(passage=passage("ready", id="p-2"))
    until(page, lambda it: it.execute_script("return document.body.dataset.passage") == "waiting", "the next one")
    assert heard(page).count(VEHICLE) == 1
    lane.show(passage=None, boom={**BOOM, "board_ok": False})
    until(page, lambda it: BOOM_TONE in heard(it), "the boom's tone, which nobody can switch off")


def test_an_alarm_sounds_until_it_is_touched_and_a_new_one_sounds_anew(page: Chrome, lane: FakeLane) -> None:
    lane.show(clock="unset")
    until(page, lambda it: ALARM in heard(it), "the alarm")
    n = len(heard(page))
    until(page, lambda it: len(heard(it)) > n, "the alarm again, unanswered")
    page.find_element(By.ID, "live").click()
    n = len(heard(page))
    cameras: list[dict[str, Any]] = [{"id": "front", "state": "down", "detail": "", "age_ms": None}]
    lane.show(cameras=cameras)
    until(page, lambda it: len(heard(it)) > n, "the new alarm")
    lane.show(clock="synced", cameras=[{**cameras[0], "state": "up", "age_ms": 80}])
    until(page, lambda it: "bình thường" in it.find_element(By.ID, "status").text, "all well")
    n = len(heard(page))
    page.execute_async_script("setTimeout(arguments[0], 4500)")
    assert len(heard(page)) == n, "what is over is not heard"
