"""docs/security.md: each claim names the test that attacks it, and every test and command that it names exists."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path

PAGE = Path("docs/security.md").read_text(encoding="utf-8")
TESTS = {path.stem for path in Path("tests").rglob("test_*.py")}


def test_every_test_that_the_page_names_exists() -> None:
    named = set(re.findall(r"`(test_[a-z0-9_]+\*?)`", PAGE))
    assert len(named) > 15
    missing = [name for name in named if not any(re.fullmatch(name.replace("*", ".*"), test) for test in TESTS)]
    assert missing == []


def test_every_attack_that_the_page_names_is_a_program() -> None:
    named = set(re.findall(r"python -m (tests\.[a-z_.]+)", PAGE))
    assert len(named) >= 4
    assert [name for name in named if find_spec(name) is None] == []


def test_every_row_of_the_table_of_attackers_names_its_tests() -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith("| **")]
    assert len(rows) > 10
    assert [row[:40] for row in rows if "`test_" not in row.rsplit("|", 2)[1]] == []
