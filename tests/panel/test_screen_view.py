"""The lane's view: its page's JSON, its schema and its documentation are of one class."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest

from edge.core.json_shape import keys_of, object_of, read
from edge.core.model import Declaration, Name, Reason
from edge.core.view import LaneView, PassageView, ReasonView
from edge.wire import parse_declaration
from tests.lane.world import World

ROOT = Path(__file__).parent.parent.parent
DOC, SCHEMA = ROOT / "docs" / "screen.md", ROOT / "docs" / "screen.schema.json"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with closing(World(tmp_path)) as one:
        yield one


def documented(head: str) -> set[str]:
    """The keys in the first column of one table of docs/screen.md."""
    table = DOC.read_text(encoding="utf-8").split(head, 1)[1].split("\n\n", 1)[0]
    first = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    return {key for cell in first for key in re.findall(r"`(\w+)`", cell)}


def test_the_schema_is_made_from_the_class() -> None:
    before = SCHEMA.read_text(encoding="utf-8")
    made = "import runpy; print(runpy.run_path('scripts/screen_schema.py')['text'](), end='')"
    told = subprocess.run([sys.executable, "-c", made], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert told == before, "python scripts/screen_schema.py"


def test_every_key_of_the_view_is_documented_and_no_other() -> None:
    of_gate = {"alarms", "handover_open"}  # documented below the tables, with their pages
    assert documented("| key | holds |") == {one.name for one in keys_of(LaneView)} - of_gate
    assert documented("| key of `passage` | holds |") == {one.name for one in keys_of(PassageView)}
    assert all(f"`{key}`" in DOC.read_text(encoding="utf-8") for key in of_gate)


def test_a_lanes_view_fits_its_schema_and_is_the_same_value_again(world: World) -> None:
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    world.declares_ready()
    for happens in (None, world.arrives, world.passes):
        if happens is not None:
            happens()
        view = world.desk.view()
        row = json.loads(json.dumps(object_of(view)))
        jsonschema.validate(row, {**schema, "required": [one.name for one in keys_of(LaneView) if one.required]})
        assert read(LaneView, row, {Declaration: lambda one: parse_declaration(json.dumps(one).encode())}) == view


def test_a_reason_with_a_slash_in_it_is_shown_whole_in_each_language(world: World) -> None:
    """Seen: texts were one line, cut apart on " / "; a slash in a reason broke both languages."""
    world.declares_ready()
    world.arrives()
    view = world.desk.view()
    assert view.passage is not None
    assert view.passage.verdict is not None
    slashed = Reason("watch", Name("Bị giữ: {why}", "Held: {why}").format(why="走私 / thuốc lá"))
    shown = ReasonView(slashed.code, slashed.text, slashed.article)
    verdict = replace(view.passage.verdict, reasons=(shown,))
    row = json.loads(json.dumps(object_of(replace(view, passage=replace(view.passage, verdict=verdict)))))
    (reason,) = row["passage"]["verdict"]["reasons"]
    assert reason["text"] == {"vi": "Bị giữ: 走私 / thuốc lá", "en": "Held: 走私 / thuốc lá"}
