"""The docs are tested: a command that they do not tell of, a dead link or a dead example fails."""

from __future__ import annotations

import argparse
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.cli import parser

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]


def commands(top: argparse.ArgumentParser, name: str = "barie") -> Iterator[str]:
    """Every command that there is, its subcommands written out."""
    inner = [action for action in top._actions if isinstance(action, argparse._SubParsersAction)]
    if not inner:
        yield name
    for action in inner:
        for word, added in action.choices.items():
            yield from commands(added, f"{name} {word}")


def test_the_readme_tells_of_every_command() -> None:
    missing = [name for name in commands(parser()) if f"`{name}" not in README and f"\n{name}" not in README]
    assert missing == []


def examples() -> list[str]:
    """The `barie …` lines of the README's shell blocks, without their comments."""
    blocks = re.findall(r"```sh\n(.*?)```", README, re.S)
    return [line.split("#")[0].strip() for block in blocks for line in block.splitlines() if line.startswith("barie ")]


@pytest.mark.parametrize("line", examples())
def test_an_example_of_the_readme_is_a_command_that_parses(line: str) -> None:
    words = shlex.split(line)[1:]
    assert parser().parse_args(words).command
    for word in words:
        if word.startswith(("sample_videos/", "tests/", "config/")):
            assert (ROOT / word).exists(), f"{word} is not there"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.S)
    dead = []
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text):
        if "://" not in target and not (page.parent / target).exists():
            dead.append(target)
    assert dead == []


def test_every_script_that_the_readme_names_can_be_run() -> None:
    for name in set(re.findall(r"\b(?:scripts|packaging)/[a-z_-]+(?:\.py)?", README)):
        path = ROOT / name
        assert path.exists(), name
        assert path.suffix == ".py" or path.stat().st_mode & 0o111, f"{name} is not executable"
