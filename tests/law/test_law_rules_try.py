"""`barie rules try` on a real record: whose verdict a new rule table would have changed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from edge.config import Config, LawConfig, Name, SiteConfig, StoreConfig
from edge.errors import BarieError
from edge.technician.rules_try import run
from tests.lane.world import PLATE, World, lane_config
from tests.law.tools import TABLE_FILE

TEXT = TABLE_FILE.read_text(encoding="utf-8")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with closing(World(tmp_path / "data")) as one:
        one.declares_ready()
        one.arrives()
        one.run(one.press("confirm"))
        one.passes()
        yield one


def config(world: World) -> Config:
    name = Name(vi="demo", en="demo")
    site = SiteConfig.model_construct(id="demo", name=name, data_dir=str(world.folder))
    lanes = [lane_config(world.gate)]
    return Config.model_construct(site=site, store=StoreConfig(), law=LawConfig(), lane=lanes)


def test_a_vehicle_that_passed_is_named_where_a_new_table_would_have_asked_more(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    head = TEXT.index("[block.b1_out_export]")
    asks = TEXT.index("needs = [", head) + len("needs = [")
    file = tmp_path / "new.toml"
    file.write_text(TEXT[:asks] + '\n  { authority = "TX", act = "fee" },' + TEXT[asks:], encoding="utf-8")
    assert run(file, config(world), 30) == 1
    out = capsys.readouterr().out
    assert f"{PLATE}: ready -> await; thêm / newly asked: TX fee (b1_out" in out
    assert "1 passages, 1 with another verdict" in out


def test_the_same_table_changes_nothing_and_what_this_gate_gave_does_not_count(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(TABLE_FILE, config(world), 30) == 0
    assert "1 passages, 0 with another verdict" in capsys.readouterr().out
    with pytest.raises(BarieError, match="--days 0"):
        run(TABLE_FILE, config(world), 0)


def test_what_a_pilot_road_was_asked_is_held_against_what_was_in_force_there(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A new table of another road speaks of no passage here; one of this road does."""
    head = TEXT.index("[block.b1_out_export]")
    asks = TEXT.index("needs = [", head) + len("needs = [")
    more = TEXT[:asks] + '\n  { authority = "TX", act = "fee" },' + TEXT[asks:]

    def of_road(road: str, name: str) -> Path:
        file = tmp_path / f"{name}.toml"
        own = f'name = "{name}"\nroads = ["{road}"]'
        file.write_text(more.replace('name = "27/2025"', own, 1), encoding="utf-8")
        return file

    here = config(world)
    lane = here.lane[0].model_copy(update={"road": "1119-1120"})
    here = here.model_copy(update={"lane": [lane]})
    assert run(of_road("1088/2", "other"), here, 30) == 0
    assert run(of_road("1119-1120", "mine"), here, 30) == 1
    assert "newly asked: TX fee (b1_out" in capsys.readouterr().out
    pilots = here.model_copy(update={"law": LawConfig(pilot_rules_files=[str(of_road("1119-1120", "mine"))])})
    assert run(TABLE_FILE, pilots, 30) == 1
    assert "no longer asked: TX fee (b1_out" in capsys.readouterr().out, "the pilot table was in force here"
