"""The technician's pages: every page in the site, every command real, every metric on the dashboard."""

from __future__ import annotations

import json
import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.agent.watch import metrics
from edge.cli import parser

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = ["install", "operate", "maintain", "troubleshoot", "security", "configuration", "kiosk"]
CHECK = (ROOT / "packaging" / "check").read_text(encoding="utf-8")


def commands(page: str) -> Iterator[str]:
    """The lines of its shell blocks, and what stands in code elsewhere and begins with barie."""
    text = (DOCS / f"{page}.md").read_text(encoding="utf-8")
    for block in re.findall(r"```sh\n(.*?)```", text, re.S):
        yield from (line.strip() for line in block.splitlines() if line.strip())
    outside = re.sub(r"```.*?```", "", text, flags=re.S)
    yield from (one for one in re.findall(r"`([^`\n]+)`", outside) if one.startswith("barie ") and " " in one)


def parses(words: list[str]) -> bool:
    """Whole, or named without its arguments, as `barie bundle`."""
    try:
        return bool(parser().parse_args(words).command)
    except SystemExit as error:
        return error.code == 0 or not any(word.startswith("--") for word in words)


@pytest.mark.parametrize("page", PAGES)
def test_a_command_of_a_page_is_one_that_there_is(page: str, capsys: pytest.CaptureFixture[str]) -> None:
    for line in commands(page):
        words = shlex.split(line)
        if words[0] in ("barie", "runuser"):
            assert parses(words[words.index("--") + 2 :] if words[0] == "runuser" else words[1:]), line
        elif words[0].startswith(("scripts/", "packaging/")):
            assert (ROOT / words[0]).exists(), line


def test_every_command_of_the_simulated_lane_is_run_by_the_package_check() -> None:
    """The check takes them out of the page itself, block by block."""
    sections = re.split(r"^## ", (DOCS / "install.md").read_text(encoding="utf-8"), flags=re.M)
    blocks = {
        section[:2]: len(re.findall(r"^```sh$", section, re.M)) for section in sections if section[:2] in ("1.", "2.")
    }
    assert blocks == {"1.": 1, "2.": 3}
    for section, count in blocks.items():
        for number in range(1, count + 1):
            assert f"$(block {section} {number}" in CHECK


def test_every_page_is_in_the_site_and_every_page_of_the_site_exists() -> None:
    named = set(re.findall(r": ([a-zA-Z0-9_/.-]+\.md)$", (ROOT / "mkdocs.yml").read_text(encoding="utf-8"), re.M))
    there = {path.relative_to(DOCS).as_posix() for path in DOCS.glob("*.md")} | {"decisions/README.md"}
    assert named == there


def names() -> set[str]:
    source = Path(metrics.__file__).read_text(encoding="utf-8")
    return set(re.findall(r'"(barie_[a-z0-9_]+)"', source))


def test_every_metric_is_on_the_dashboard() -> None:
    board = json.loads((DOCS / "grafana.json").read_text(encoding="utf-8"))
    shown = " ".join(target["expr"] for panel in board["panels"] for target in panel["targets"])
    assert {name for name in names() if name not in shown} == set()
    asked = set(re.findall(r"barie_[a-z0-9_]+", shown))
    assert {name.removesuffix("_total").removesuffix("_bucket") for name in asked} - names() <= {
        "barie_disk_free_bytes"
    }


def test_the_page_tells_of_every_metric() -> None:
    text = (DOCS / "operate.md").read_text(encoding="utf-8")
    assert {name for name in names() - {"barie_info", "barie_events"} if name not in text} == set()


def test_the_tests_that_security_names_exist() -> None:
    text = (DOCS / "security.md").read_text(encoding="utf-8")
    for name in re.findall(r"`(test_[a-z_]+)(\*?)`", text):
        assert list((ROOT / "tests").rglob(f"{name[0]}{'*' if name[1] else ''}.py")), name


def test_what_was_argued_has_a_reason() -> None:
    argued = tomllib.loads((DOCS / "audit.toml").read_text(encoding="utf-8"))["argued"]
    assert all(isinstance(reason, str) and len(reason) > 20 for reason in argued.values())
