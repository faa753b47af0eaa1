"""A shift at the screen of a whole gate (panel_house), for tests: who is signed in, how a passage looks at its end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from selenium.webdriver import Chrome

from tests.panel.browser import until
from tests.panel.guard import Guard
from tests.panel.whole_gate import B1, GUARD, OPERATOR, PIN, YARD, House

VIEWS = [("vi", 1280, 800), ("en", 1024, 600)]
"""Each walks every way; each sheet on it is measured at both sizes, and so in all four."""
with_every_view = pytest.mark.parametrize("guard", VIEWS, indirect=True, ids=lambda view: "{}-{}x{}".format(*view))


@pytest.fixture(scope="module")
def cookies(browser: Chrome, house: House) -> dict[str, Any]:
    """Both people sign in once, by touch; their sessions serve all tests."""
    kept = {}
    for who, lane, view in ((GUARD, B1, VIEWS[0]), (OPERATOR, YARD, VIEWS[1])):
        Guard(browser, house.url, *view).sign_in(who, PIN, lane)
        kept[who] = browser.get_cookie("barie_session")
    return kept


@pytest.fixture
def guard(request: pytest.FixtureRequest, browser: Chrome, house: House, cookies: dict[str, Any]) -> Iterator[Guard]:
    """The guard at B1, with the lane clear."""
    language, width, height = getattr(request, "param", VIEWS[0])
    one = Guard(browser, house.url, language, width, height)
    become(one, cookies[GUARD])
    one.go(f"/lane/{B1}")
    house.leave()  # whoever a failed test left there
    until(browser, lambda _: house.clear(), "the lane to be clear")
    one.passage("none")
    yield one
    severe = [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]  # type: ignore[no-untyped-call]
    assert [
        entry for entry in severe if "net::" not in entry["message"] and "status of 4" not in entry["message"]
    ] == []


def become(guard: Guard, cookie: Any) -> None:
    guard.page.get(f"{guard.url}/healthz")
    guard.page.execute_cdp_cmd("Network.clearBrowserCookies", {})
    guard.page.add_cookie(cookie)


def opened(guard: Guard, house: House) -> None:
    """The limit switch said so on the screen, the truck drove through, the boom is down."""
    guard.sees("boom", "boom.open")
    assert house.worlds[B1].state().counters.lowered_onto_something == 0
    until(guard.page, lambda _: house.clear(), "the truck to be gone and the boom to be down")
    guard.passage("none")


def leaves(guard: Guard, house: House) -> None:
    house.leave()
    until(guard.page, lambda _: house.clear(), "the truck to be gone")
    guard.passage("none")


def misread(plate: str) -> str:
    """As a camera might: the last digit is another one."""
    return plate[:-1] + ("1" if plate[-1] != "1" else "2")
