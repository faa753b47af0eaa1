"""The walkthrough of docs/index.md as instructions: words in quotes are awaited on the screen, bold ones pressed."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from selenium.webdriver import Chrome

from tests.panel.browser import until

DOC = Path(__file__).parents[2] / "docs" / "index.md"
SECTIONS = {"declared": "A declared truck", "undeclared": "A truck without a declaration"}
COLUMN = {"vi": 1, "en": 2}
_STEP = re.compile(r"“(?P<sees>[^”]+)”|\*\*(?P<presses>[^*]+)\*\*")

PRESS = """
const shown = (e) => e.checkVisibility() && !e.disabled && (e.innerText ?? "").trim().startsWith(arguments[0]);
const sheet = document.getElementById("dialog");
const found = [...document.querySelectorAll("button, label.choice")].filter(shown);
// What lies on the sheet is meant where one is open: what is behind it cannot be pressed.
const one = found.find((e) => sheet.open && sheet.contains(e)) ?? found[0];
if (!one || (sheet.open && !sheet.contains(one))) return false;
one.click();
return true;
"""


def steps(section: str, language: str) -> list[list[tuple[str, str]]]:
    """For each row of a section's table what is seen ("sees") and pressed ("presses"), in the order of the text."""
    text = DOC.read_text(encoding="utf-8").split(f"· {SECTIONS[section]}\n")[1].split("\n## ")[0]
    rows = [line.strip("| ").split(" | ") for line in text.splitlines() if re.match(r"\| \d", line)]
    return [
        [("sees", m["sees"]) if m["sees"] else ("presses", m["presses"]) for m in _STEP.finditer(row[COLUMN[language]])]
        for row in rows
    ]


def follow(page: Chrome, row: list[tuple[str, str]]) -> None:
    """Does what one row says."""
    for kind, words in row:
        until(page, seen(words) if kind == "sees" else pressed(words), f"{kind}: {words}")


def seen(words: str) -> Callable[[Chrome], bool]:
    return lambda page: words in str(page.execute_script("return document.body.innerText"))


def pressed(words: str) -> Callable[[Chrome], bool]:
    return lambda page: bool(page.execute_script(PRESS, words))
