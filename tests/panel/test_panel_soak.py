"""The short form of `scripts/screen-soak`: a page that is never left does not grow, and one that does is found."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium import webdriver

from edge.panel.accounts import Accounts
from tests.panel.browser import browser, resize
from tests.panel.screen_soak import MOST_TIMES, Soak, grown, holds

__all__ = ["browser"]
pytestmark = [pytest.mark.browser, pytest.mark.slow]

LEAKS = """
window.kept = [];
const keep = () => kept.push(document.getElementById("facts").cloneNode(true), new Array(20_000).fill(Math.random()));
new MutationObserver(keep).observe(document.getElementById("plate-row"), { childList: true });
"""
"""What a careless page does: keep something of every vehicle."""


@pytest.fixture
def soak(browser: webdriver.Chrome, tmp_path: Path) -> Iterator[Soak]:
    resize(browser, 1280, 800)
    accounts = Accounts(tmp_path / "accounts.db")
    one = Soak(browser, accounts)
    yield one
    one.close()
    accounts.close()


def test_many_passages_leave_the_page_as_it_was_and_one_that_keeps_them_is_found(
    soak: Soak, browser: webdriver.Chrome
) -> None:
    warm = soak.until(30)
    after = soak.until(120)
    grew = grown(warm, after)
    assert holds({key: grew[key] for key in ("heap_mb", "nodes")}), (warm, after)
    kept = browser.execute_script("return document.querySelectorAll('img, image').length")
    assert kept == 0, "a browser keeps what an <img> decoded: photos are drawn on canvases (picture.js)"
    browser.execute_script(LEAKS)
    leaky = grown(after, soak.until(150))
    assert not holds(leaky), leaky
    assert leaky["heap_mb"] > MOST_TIMES
    assert leaky["nodes"] > MOST_TIMES


@pytest.mark.parametrize(
    ("grew", "fine"),
    [
        ({"heap_mb": 1.5, "process_mb": 1.5, "nodes": 1.0}, True),
        ({"heap_mb": 1.51, "process_mb": 1.0, "nodes": 1.0}, False),
        ({"heap_mb": 1.0, "process_mb": 1.51, "nodes": 1.0}, False),
    ],
)
def test_one_of_them_grown_past_the_limit_is_enough(grew: dict[str, float], fine: bool) -> None:
    assert holds(grew) == fine
