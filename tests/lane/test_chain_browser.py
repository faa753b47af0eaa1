"""The guard's own way through the whole chain: a real browser presses, and the limit switch shows on the screen."""

from __future__ import annotations

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from tests.lane.chain import DEADLINE_S, LANE, PLATE, Chain, chain
from tests.panel.browser import browser

__all__ = ["browser", "chain"]

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.vision, pytest.mark.timeout(300)]


def text(page: Chrome, css: str) -> str:
    return " ".join(one.text for one in page.find_elements(By.CSS_SELECTOR, css))


def test_the_button_opens_the_boom_and_the_screen_shows_what_the_limit_switch_says(
    chain: Chain, browser: Chrome
) -> None:
    browser.get(f"http://127.0.0.1:{chain.port}/lane/{LANE}")
    wait = WebDriverWait(browser, DEADLINE_S, poll_frequency=0.1)
    wait.until(lambda page: "Đã đóng" in text(page, "#boom"), "the boom is shown closed")
    assert not browser.find_element(By.ID, "confirm").is_enabled(), "nobody is there to be let through"

    chain.arrive()
    wait.until(lambda page: page.find_element(By.ID, "confirm").is_enabled(), "the truck may be confirmed")
    assert PLATE in chain.passage()["plate"]["text"]
    browser.find_element(By.ID, "confirm").click()
    wait.until(lambda page: "Đã mở" in text(page, "#boom"), "the boom is shown open")
    assert chain.world.inputs()["limit_open"], "and it is the limit switch that says so"
    chain.gone()
    wait.until(lambda page: "Đã đóng" in text(page, "#boom"), "the boom is shown closed again")
