"""A record that barie 0.1.0 wrote (commit 93e5135, its own lane pressed by hand; plates and people are invented),
opened by this one: whole, proven, and of the meaning that it had.

Its day at b1-out: two vehicles' declaration 1 confirmed without a plate, then backed off; 2 confirmed without a plate
and through; 3 overridden without a plate, then backed off; 4 read, confirmed and through; 5 read, overridden and
through; a listed plate refused. Rows of photos were taken out, their pictures were none.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from edge.core.record.history import Question
from edge.store import db
from edge.store.export import verify_folder
from edge.store.history import NAME, History
from tests.lane.test_why import ask
from tests.lane.world import GUARD, World
from tests.record.world import write_counters

DATA = Path(__file__).parent.parent / "data"
EVENTS = 31
LANE = "b1-out"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / db.NAME).write_bytes(gzip.decompress((DATA / "record-0.1.0.db.gz").read_bytes()))
    (tmp_path / NAME).write_bytes(gzip.decompress((DATA / "history-0.1.0.db.gz").read_bytes()))
    (tmp_path / "keys").mkdir(mode=0o700)
    (tmp_path / "keys" / "gate.pub.pem").write_bytes((DATA / "record-0.1.0.pub.pem").read_bytes())
    write_counters(tmp_path)
    return tmp_path


@pytest.fixture
def world(folder: Path) -> Iterator[World]:
    with closing(World(folder)) as one:
        yield one


def payloads(folder: Path) -> list[tuple[Any, ...]]:
    with closing(db.connect(folder / db.NAME, readonly=True)) as connection:
        return connection.execute("SELECT seq, payload FROM event ORDER BY seq").fetchall()


def own(world: World, declaration_id: str) -> list[tuple[str, str, str | None]]:
    kept = world.store.declaration(declaration_id)
    assert kept is not None
    return [(one.authority, one.act, one.plate) for one in kept.confirmations if one.via == "gate"]


def test_it_opens_whole_signed_and_to_the_byte(folder: Path) -> None:
    before = payloads(folder)
    assert verify_folder(folder, "demo") == [], "read only, before anything is migrated"
    with closing(World(folder)) as world:
        assert world.store.findings == []
        assert world.store.verify() == [], "its signatures too"
        assert payloads(folder) == before
        assert len(before) == EVENTS
        assert len(world.store.pending(LANE, 0, 100)) == EVENTS, "nothing of it counts as delivered"


@pytest.mark.parametrize("plate", ["12C12345", "29H12345"])
def test_what_was_confirmed_without_a_vehicle_stays_on_record_and_opens_for_none_of_them(
    world: World, plate: str
) -> None:
    assert own(world, "CKS-2026-000001") == [("BG", "pass", None)]
    world.arrives(plate)
    assert world.verdict() == "ready", "the guard presses anew: not a release"
    assert world.barrier.offers == []


@pytest.mark.parametrize("plate", ["15C67890", "29H67890"])
def test_a_passage_without_a_vehicle_still_holds_every_vehicle_of_its_declaration_back(
    world: World, plate: str
) -> None:
    assert own(world, "CKS-2026-000002") == [("BG", "pass", None), ("SYS", "passed", None)]
    world.arrives(plate)
    assert "passed_already" in world.codes()


@pytest.mark.parametrize("plate", ["12C11122", "29H11122"])
def test_an_override_of_nobody_counts_for_neither(world: World, plate: str) -> None:
    world.arrives(plate)
    assert world.verdict() == "ready"


@pytest.mark.parametrize("plate", ["12C33344", "12C55566"])
def test_a_named_vehicle_that_passed_has_passed(world: World, plate: str) -> None:
    world.arrives(plate)
    assert "passed_already" in world.codes()


def test_the_watch_list_still_holds(world: World) -> None:
    world.arrives("12C99900")
    assert (world.verdict(), world.codes()) == ("refuse", ["watch"])


def test_the_chain_and_the_permits_serials_go_on(folder: Path) -> None:
    (folder / "keys" / "gate.pub.pem").unlink()  # its private half never left its maker: what comes now is unsigned
    old = [json.loads(text)["body"].get("permit") for _, text in payloads(folder)]
    with closing(World(folder)) as world:
        world.arrives("29H12345")
        assert world.run(world.press("confirm")).done
        assert own(world, "CKS-2026-000001")[-1] == ("BG", "pass", "29H12345")
        assert world.barrier.offers[-1].serial > max(serial for serial in old if serial is not None)
        world.passes()
        assert world.store.verify() == []
        world.run(world.notice("arrived"), world.reads("12C12345", track=2))
        assert world.verdict() == "ready", "the other one did not go"


def test_its_history_is_searched_as_it_was(world: World) -> None:
    with closing(History(world.folder)) as history:
        while history.take_in():
            pass
        rows = history.find(Question()).rows
        assert [(row.how, row.outcome) for row in reversed(rows)] == [
            ("confirmed", "left"),
            ("confirmed", "through"),
            ("overridden", "left"),
            ("confirmed", "through"),
            ("overridden", "through"),
            ("", "left"),
        ]
        (row,) = history.find(Question(plate="12C33344")).rows
        assert (row.people, row.outcome) == ((GUARD.id,), "through")


@pytest.mark.parametrize(("plate", "by"), [("12C33344", "confirmation"), ("12C55566", "override")])
def test_why_answers_for_its_presses(world: World, plate: str, by: str) -> None:
    found = ask(world, plate=plate)
    assert (found["who"], found["opened_by"], found["ended"]) == (None, [by, GUARD.id], "through")


def test_a_cut_of_power_in_the_midst_of_the_migration_loses_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = payloads(folder)
    with monkeypatch.context() as patched, closing(db.connect(folder / db.NAME)) as connection:
        patched.setattr(db, "MIGRATIONS", db.MIGRATIONS[:3])
        db.migrate(connection)
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("CREATE TABLE half_made (x)")
    with closing(World(folder)) as world:
        assert world.store.findings == []
        assert world.store.verify() == []
    assert payloads(folder) == before
