"""The docs are tested: a command that they do not tell of, a dead link or a dead example fails."""

from __future__ import annotations

import argparse
import ast
import re
import shlex
import subprocess
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


ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")


def names(source: Path) -> Iterator[str]:
    """Every function, class and method of a module, methods with their class."""
    for node in ast.parse(source.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name
        elif isinstance(node, ast.ClassDef):
            yield node.name
            inner = (one for one in node.body if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef))
            yield from (f"{node.name}.{one.name}" for one in inner)


def test_the_five_flows_name_only_functions_that_exist() -> None:
    walk = ARCHITECTURE.split("## Five flows", 1)[1].split("\n## ", 1)[0]
    assert re.findall(r"^\*\*An? (\w+)\*\*", walk, re.M) == ["frame", "reading", "press", "declaration", "event"]
    steps = re.findall(r"`([\w/]+\.py):([\w.]+)`", walk)
    assert len(steps) >= 25
    gone = [f"{path}:{name}" for path, name in steps if name not in set(names(ROOT / path))]
    assert gone == []


def test_every_folder_has_its_line_and_every_line_its_folder() -> None:
    told = set(re.findall(r"^\| `([\w/]+/)` \|", ARCHITECTURE, re.M))
    out = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False).stdout
    files = [Path(name) for name in out.split()] or [path.relative_to(ROOT) for path in ROOT.glob("edge/**/*.py")]
    there = {f"{parent}/" for path in files for parent in path.parents if parent != Path()}
    inner = ("tests/", "packaging/", "models/tools/", ".ci/")  # told in their own line
    assert {one for one in told if not (ROOT / one).is_dir()} == set()
    assert {one for one in there - told if not one.startswith(inner)} == set()


def test_decisions_are_numbered_without_a_hole_and_each_stands_in_the_index() -> None:
    folder = ROOT / "docs" / "decisions"
    files = sorted(path.name for path in folder.glob("0*.md"))
    assert [int(name[:4]) for name in files] == list(range(1, len(files) + 1))
    index = (folder / "README.md").read_text(encoding="utf-8")
    assert [name for name in files if f"[{name[:4]}]({name})" not in index] == []


PAGES_IN_TWO_LANGUAGES = ("install", "kiosk", "maintain", "operate", "troubleshoot")


@pytest.mark.parametrize("name", PAGES_IN_TWO_LANGUAGES)
def test_a_page_in_vietnamese_has_the_commands_tables_and_sections_of_the_english_one(name: str) -> None:
    """A technician who reads only the Vietnamese page does the very same; what is for developers is left out."""
    english, told = ((ROOT / "docs" / f"{name}{more}.md").read_text(encoding="utf-8") for more in ("", ".vi"))
    english = english.partition("\n## Before a release")[0]
    for shape in (r"```sh\n.*?```", r"^## ", r"^\|", r"^\d\. "):
        found = [re.findall(shape, text, re.M | re.S) for text in (english, told)]
        assert found[0] == found[1]
    # What is typed, set or looked up is the same in both: names in code, one for one.
    assert set(re.findall(r"`([^`\n]+)`", english)) - set(re.findall(r"`([^`\n]+)`", told)) <= {"wiring-LANE.svg"}
