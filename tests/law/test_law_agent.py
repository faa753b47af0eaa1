"""What the gate records so that later gates know it: overrides, a smart lane's release, hand-over records."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from edge import cli
from edge.agent.actions.press import Presses
from edge.agent.lane import receipts
from edge.agent.lane.receipts import received
from edge.agent.office.transfer_lists import ListPresses, TransferLists
from edge.config import LawConfig, load_config
from edge.core.law.explain import verdict_json
from edge.core.law.paper import reconcile
from edge.core.model import Confirmation, Transfer
from edge.ports import Person
from tests.lane.world import World, ready
from tests.law.table import GATES, TABLE
from tests.law.test_law_paper import changed, entered, read
from tests.law.tools import PLATE, declared

ROOT = Path(__file__).parents[2]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with closing(World(tmp_path)) as one:
        yield one


def stood(world: World, declaration_id: str) -> list[Confirmation]:
    found = world.store.declaration(declaration_id)
    assert found is not None
    return [c for c in found.confirmations if c.via == "gate"]


def test_an_override_stands_at_its_step_for_later_gates(world: World) -> None:
    declaration = declared("EX-IN")
    world.declares(declaration)
    world.arrives()
    assert world.verdict() == "await"
    assert world.run(world.press("override", reason="ordered", words="theo lệnh")).done
    (given,) = stood(world, declaration.id)
    assert (given.step, given.authority, given.act, given.plate) == ("b1_out", "BG", "override", PLATE)


def test_a_smart_lanes_release_is_recorded_as_its_gates_step(tmp_path: Path) -> None:
    with closing(World(tmp_path, law=LawConfig(smart_lane="on"), smart=True)) as smart:
        declaration = smart.declares_ready()
        smart.arrives()
        (given,) = stood(smart, declaration.id)
        assert (given.step, given.authority, given.act, given.plate) == ("b1_out", "SYS", "pass", PLATE)
        assert len(smart.barrier.offers) == 1


@pytest.mark.parametrize("monitored", [False, True])
def test_a_hand_over_record_is_on_the_list_by_passing(world: World, monitored: bool) -> None:
    record = Transfer("BB-17", "2026-11-20", "Chi cục A", "Chi cục B", ("S1",), monitored=monitored)
    declaration = world.declares_ready(transfer=record)
    world.arrives()
    assert world.run(world.press("confirm")).done
    world.passes()
    assert [one.declaration.id for one in received(world.store)] == [declaration.id]
    assert (("passage", "transfer_at_once") in world.stages()) == monitored


class ListWorld(World):
    """A lane with the gate's five-day lists."""

    def more_presses(self) -> Sequence[Presses]:
        self.lists = TransferLists(self.store)
        return (ListPresses(self.actor, self.lists),)


def test_a_record_that_went_from_here_is_a_list_that_the_other_unit_owes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    customs = Person("HQ-0001", "Hải quan Ví Dụ", "customs")
    with closing(ListWorld(tmp_path, law=LawConfig(customs_unit="Chi cục A"))) as world:
        lists = world.lists
        record = Transfer("BB-17", "2026-11-20", "Chi cục A", "Chi cục B", ("S1",))
        world.declares_ready(transfer=record)
        world.arrives()
        assert world.run(world.press("confirm")).done
        with monkeypatch.context() as then:
            then.setattr(receipts, "today", lambda: date(2026, 11, 1))
            world.passes()
        assert received(world.store) == []
        lists.refresh()
        (late,) = lists.overdue()
        assert (late.way, late.unit) == ("received", "Chi cục B")
        value = json.dumps({"list": late.key})
        assert world.run(world.press("list_mark", value=value, person=customs)).code == "list_marked"
        (told,) = [one["body"] for one in world.events("passage") if one["body"].get("stage") == "five_day_list"]
        assert (told["by"], told["records"], told["way"]) == (customs.id, ["BB-17"], "received")
        assert lists.overdue() == []
        assert world.run(world.press("list_mark", value=value, person=customs)).code == "no_such_list"
        assert world.run(world.press("list_mark", value="[]", person=customs)).code == "bad_value"


@pytest.mark.parametrize(
    ("path", "value"),
    [("goods.0.quantity", "25,00"), ("goods.0.quantity", "25.0"), ("vehicles.0.phone", "+84 912 345 678")],
)
def test_reconcile_compares_what_matters_as_what_it_is(path: str, value: str) -> None:
    form = changed("goods.0.quantity", "25")
    form["vehicles"][0]["phone"] = "0912345678"
    row: Any = form
    *way, last = path.split(".")
    for key in way:
        row = row[int(key)] if key.isdigit() else row[key]
    online = entered(json.loads(json.dumps(form)))
    row[last] = value
    assert reconcile(read(form), online).outcome == "same"


def test_reconcile_tells_of_origin_value_procedure_and_withdrawal() -> None:
    def fields(**change: Any) -> list[str]:
        found = reconcile(read(), replace(entered(), **change), entered().procedure)
        return [difference.field for difference in found.differences]

    goods = dict(entered().goods[0])
    assert fields(goods=({**goods, "origin": "TH"},)) == ["goods.0.origin"]
    assert fields(goods=({**goods, "value": "1"},)) == ["goods.0.value"]
    assert fields(procedure="IM-IN") == ["procedure"]
    assert fields(state="withdrawn") == ["state"]


def test_the_gates_record_gives_the_same_verdict_as_the_files(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    world.declares_ready()
    world.arrives()
    from edge.store.reading import ReadOnlyRecord
    from edge.store.store import plate_skeletons

    record = ReadOnlyRecord(tmp_path, plate_skeletons())
    here = record.declarations_for_plate(PLATE)
    assert world.verdict() == "ready"
    file = tmp_path / "one.json"
    from edge.core.law.declaration_json import declaration_to_json

    file.write_text(json.dumps(declaration_to_json(here[0])), encoding="utf-8")
    with pytest.raises(SystemExit):
        cli.main(["explain", f"--declaration={file}", "--place=b1", "--direction=out_of_area", f"--plate={PLATE}"])
    assessment = world.actor.shown.assessment
    assert assessment is not None
    assert json.loads(capsys.readouterr().out) == json.loads(json.dumps(verdict_json(assessment.verdict)))


def test_explain_at_gate_answers_what_the_running_gate_shows(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`barie explain --at-gate` beside a gate that holds its record open: the very verdict on its screen."""
    folder = tmp_path / "data"
    text = (ROOT / "config" / "gate.example.toml").read_text(encoding="utf-8")
    file = tmp_path / "agent.toml"
    file.write_text(text.replace('id = "huu-nghi"', f'id = "test"\ndata_dir = "{folder}"', 1), encoding="utf-8")
    config = load_config(file)
    lane = config.lane[0]
    gate = next(name for name, at in GATES.items() if at == (lane.place, lane.direction))
    with closing(World(folder, gate, config.law)) as world:

        def same(*options: str) -> str:
            shown = world.actor.shown.assessment
            assert shown is not None
            args = ["explain", "--at-gate", f"--config={file}", f"--place={lane.place}"]
            with pytest.raises(SystemExit) as ended:
                cli.main([*args, f"--direction={lane.direction}", *(options or (f"--plate={PLATE}",))])
            assert ended.value.code == 0
            told: dict[str, Any] = json.loads(capsys.readouterr().out)
            assert told == json.loads(json.dumps(verdict_json(shown.verdict)))
            return str(told["verdict"])

        world.arrives()
        assert same() == "unknown"
        procedure = next(name for name, steps in TABLE.items() if any(step == gate for step, *_ in steps))
        whole = ready(procedure, gate)
        world.declares(replace(whole, confirmations=()))
        world.run(world.copy_changed())
        if whole.confirmations:
            assert same() == "await"
        world.declares(replace(whole, version=2))
        world.run(world.copy_changed())
        assert same() in ("ready", "release")
        assert world.run(world.press("confirm")).done
        world.passes()
        world.run(world.notice("arrived"), world.reads(track=2))
        assert same() == "refuse"


def test_no_procedure_is_named_in_the_product() -> None:
    named = [
        f"{path.relative_to(ROOT)}: {name}"
        for folder in ("edge", "firmware_io", "scripts")
        for path in (ROOT / folder).rglob("*")
        if path.suffix in (".py", ".js") and "static/vendor" not in str(path)
        for name in TABLE
        if name in path.read_text(encoding="utf-8")
    ]
    assert named == []
