"""A guard who knows nothing but docs/index.md: both tables are followed to the letter on the real gate process, in both
languages."""

from __future__ import annotations

import re

import pytest
from selenium.webdriver import Chrome

from tests.panel.browser import browser, until
from tests.panel.first_day import DOC, SECTIONS, follow, steps
from tests.panel.guard import Guard
from tests.panel.whole_gate import B1, GUARD, PIN, House, house

__all__ = ["browser", "house"]
LEAVES_AT = 4
"""In the second table the driver reverses out after this row."""


def test_both_languages_say_the_same_in_as_many_steps() -> None:
    for section in SECTIONS:
        vi, en = steps(section, "vi"), steps(section, "en")
        assert [[kind for kind, _ in row] for row in vi] == [[kind for kind, _ in row] for row in en]
        assert len(vi) == 5
        assert any(kind == "presses" for row in vi for kind, _ in row)


def test_every_picture_of_the_walkthrough_is_there() -> None:
    pictures = re.findall(r"\]\((pictures/[^)]+)\)", DOC.read_text(encoding="utf-8"))
    assert len(pictures) >= 5
    assert [one for one in pictures if not (DOC.parent / one).is_file()] == []


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("view", [("vi", 1280, 800), ("en", 1024, 600)], ids=["vi", "en"])
def test_a_guard_who_follows_the_page_lets_one_through_and_turns_one_away(
    browser: Chrome, house: House, view: tuple[str, int, int]
) -> None:
    guard = Guard(browser, house.url, *view)
    guard.sign_in(GUARD, PIN, B1)
    guard.passage("none")
    plate = house.plate()
    house.declare(plate)
    for number, row in enumerate(steps("declared", guard.language), 1):
        follow(browser, row)
        if number == 1:
            house.arrive(plate)
    assert house.worlds[B1].state().counters.openings > 0
    until(browser, lambda _: house.clear(), "the boom to be down")
    openings = house.worlds[B1].state().counters.openings
    house.arrive(house.plate())
    for number, row in enumerate(steps("undeclared", guard.language), 1):
        follow(browser, row)
        if number == LEAVES_AT:
            house.leave()
    assert house.worlds[B1].state().counters.openings == openings
