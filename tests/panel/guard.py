"""A person at the screen, for tests: looks, taps and holds as hands in gloves do, in one language and at one size.
Words are looked up in the catalogue, so that a test speaks both."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from selenium.common.exceptions import ElementNotInteractableException, StaleElementReferenceException
from selenium.webdriver import Chrome
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement

from edge.panel.messages import Catalogue, load_catalogue, say
from tests.panel.browser import resize, until

AXE = Path(__file__).parent.parent / "data" / "axe" / "axe.min.js"
LEAST_PX = {1280: (118, 71), 1024: (94, 56)}
"""Open and stop, all else, by the page's width: 20 mm and 12 mm on 10 inch (docs/screen.md)."""
BIG = {"confirm", "stop"}

MEASURE = """
const targets = "button, a.tool, a.press, .choice, .people label, textarea, select, "
  + "input:not([type=radio], [type=checkbox], [type=hidden])";
const shown = (e) => e.checkVisibility() && !e.closest(".last");
return [...document.querySelectorAll(targets)].filter(shown).map((e) => {
  const r = e.getBoundingClientRect();
  return [e.id || e.dataset.field || e.textContent.trim().slice(0, 30), r.width, r.height, r.left, r.right];
});
"""
AXE_RUN = """
const [rules, done] = arguments;
const where = (node) => `${node.target.join(" ")} ${node.any[0]?.message ?? ""}`;
const say = (rule) => `${rule.id}: ${rule.nodes.slice(0, 3).map(where).join(" | ")}`;
const only = rules.length > 0 ? { runOnly: { type: "rule", values: rules } } : {};
axe.run(document, { resultTypes: ["violations"], ...only }).then(
  (found) => done(found.violations.map(say)), (error) => done([String(error)]));
"""


def axe_in_the_dark(page: Chrome) -> list[str]:
    """The same page by night: only its colours are others."""
    dark = {"features": [{"name": "prefers-color-scheme", "value": "dark"}]}
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", dark)
    try:
        return axe_violations(page, "color-contrast", "link-in-text-block")
    finally:
        page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


@cache
def catalogue() -> Catalogue:
    return load_catalogue()


def targets_too_small(page: Chrome, width: int) -> list[str]:
    """Every target that a glove would miss, with its size in px; and what hangs over the screen's edge."""
    big, least = LEAST_PX[width]
    found = []
    for name, wide, high, left, right in page.execute_script(MEASURE):
        needed = big if name in BIG else least
        if min(wide, high) < needed - 0.5:
            found.append(f"{name}: {wide:.0f}x{high:.0f}, needs {needed}")
        if left < -0.5 or right > width + 0.5:
            found.append(f"{name}: hangs over the edge ({left:.0f} to {right:.0f})")
    return found


def axe_violations(page: Chrome, *rules: str) -> list[str]:
    """What axe-core finds on the page as it stands now; of these rules only, where any are named."""
    if not page.execute_script("return typeof axe === 'object'"):
        page.execute_script(AXE.read_text(encoding="utf-8"))
    page.set_script_timeout(60)
    return list(page.execute_async_script(AXE_RUN, rules))


@dataclass
class Guard:
    page: Chrome
    url: str
    language: str
    width: int
    height: int

    def go(self, path: str) -> None:
        resize(self.page, self.width, self.height)
        self.page.get(f"{self.url}{path}")
        self.page.add_cookie({"name": "barie_language", "value": self.language, "path": "/"})
        self.page.get(f"{self.url}{path}")
        until(self.page, lambda it: it.execute_script("return document.documentElement.lang") == self.language, "words")

    def sign_in(self, id: str, pin: str, lane: str) -> None:
        """By touch: the name, then the keys."""
        self.page.execute_cdp_cmd("Network.clearBrowserCookies", {})
        self.go(f"/sign-in?next=/lane/{lane}")
        self.check()
        self.tap(f"label:has(input[value='{id}'])")
        for digit in pin:
            self.key(digit, "#keypad")
        self.tap("#enter")
        until(self.page, lambda it: it.find_elements(By.ID, "confirm"), "the lane's page")

    # ------------------------------------------------------------ looking

    def word(self, key: str, **places: object) -> str:
        return say(catalogue(), self.language, key, **places)

    def text(self, id: str) -> str:
        return str(self.page.execute_script("return document.getElementById(arguments[0])?.innerText ?? ''", id))

    def sees(self, id: str, key: str, **places: object) -> None:
        """Waits for the catalogue's words (a key with a dot) or these very words in an element."""
        words = self.word(key, **places) if key in catalogue() else key
        until(self.page, lambda it: words in self.text(id), f"{words!r} in #{id}; there is: {self.text(id)!r}")

    def check(self) -> None:
        """What stands there can be hit with gloves, at this size and the other one, and breaks no rule of axe-core,
        by day and, once for both languages, by night."""
        sizes = {1280: 800, 1024: 600}
        for width in sorted(sizes, key=lambda one: one == self.width):
            resize(self.page, width, sizes[width])
            small = targets_too_small(self.page, width)
            assert small == [], small
        found = axe_violations(self.page)
        assert found == [], found
        if self.language == "vi":
            found = axe_in_the_dark(self.page)
            assert found == [], f"in the dark: {found}"

    def can(self, id: str) -> bool:
        found = self.page.find_elements(By.ID, id)
        return bool(found) and found[0].is_displayed() and found[0].is_enabled()

    def passage(self, state: str) -> None:
        until(
            self.page, lambda it: it.execute_script("return document.body.dataset.passage") == state, f"state {state}"
        )

    # ------------------------------------------------------------ doing

    def find(self, css: str) -> WebElement:
        return self.page.find_element(By.CSS_SELECTOR, css)

    def tap(self, css: str) -> None:
        """Waits until it is there, may be pressed, and was pressed."""

        def tapped(_: Chrome) -> bool:
            found = self.find(css)
            if not (found.is_displayed() and found.is_enabled()):
                return False
            found.click()
            return True

        until(self.page, tapped, f"{css} to be tapped")

    def key(self, label: str, within: str = "#dialog") -> None:
        """One key of an on-screen keyboard."""
        script = (
            "return [...document.querySelectorAll(`${arguments[0]} .key`)].find((k) => k.textContent === arguments[1])"
        )
        found = self.page.execute_script(script, within, label)
        assert found is not None, f"no key {label!r}"
        found.click()

    def types(self, text: str) -> None:
        for letter in text:
            self.key(letter)

    def hold_once(self, css: str) -> None:
        # A sheet that goes just now is no fault: whoever calls this looks at what came of it.
        with suppress(ElementNotInteractableException, StaleElementReferenceException):
            ActionChains(self.page).click_and_hold(self.find(css)).pause(1.2).release().perform()

    def hold(self, css: str, action: str) -> None:
        """Holds a button until the foot says that the action is recorded; again where a busy machine let the press
        slip by."""

        def held(_: Chrome) -> bool:
            for found in self.page.find_elements(By.CSS_SELECTOR, css):
                if found.is_displayed() and found.is_enabled():
                    self.hold_once(css)
            return self.told("pressed.done_seq", action)

        until(self.page, held, f"the foot to say that {action} is recorded")

    def told(self, key: str, action: str) -> bool:
        """The foot says `key` of this action."""
        said = self.text("message")
        return self.word(key).partition("{")[0] in said and self.word(f"action.{action}") in said

    def is_told(self, key: str, action: str) -> None:
        until(self.page, lambda _: self.told(key, action), f"{self.word(key)!r} of {action} at the foot")

    def confirms(self) -> None:
        """Presses the button that opens; again where the barrier, on a busy machine, was not ready to take it."""

        def taken(_: Chrome) -> bool:
            if not self.told("pressed.done_seq", "confirm") and self.can("confirm"):
                self.find("#confirm").click()
            return self.told("pressed.done_seq", "confirm")

        until(self.page, taken, "the press that opens to be recorded")

    def done(self, action: str) -> None:
        """The foot says that it is recorded, with its time and number."""
        self.is_told("pressed.done_seq", action)

    def script(self, source: str) -> Any:
        return self.page.execute_script(source)
