"""`barie why` on a real record, beside the lane that writes it."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edge import clock
from edge.config import Config, Name, SiteConfig, StoreConfig, YardConfig
from edge.core.record.dossier import code_of
from edge.core.record.why import OPENINGS
from edge.errors import BarieError
from edge.panel.messages import load_catalogue
from edge.technician.why import run
from tests.lane.world import GUARD, PLATE, World, lane_config

OTHER = "29H12345"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with closing(World(tmp_path)) as one:
        yield one


@pytest.fixture
def yard(tmp_path: Path) -> Iterator[World]:
    with closing(World(tmp_path, "yard_in", yard=YardConfig(capacity=9))) as one:
        yield one


def ask(world: World, *, lane: str = "", at: str = "", plate: str = "", as_json: bool = True) -> Any:
    config = Config.model_construct(
        site=SiteConfig.model_construct(id="demo", name=Name(vi="demo", en="demo"), data_dir=str(world.folder)),
        store=StoreConfig(),
        lane=[lane_config(world.gate)],
    )
    out = io.StringIO()
    code = run(config, lane, at, plate, as_json=as_json, out=out)
    assert code == (0 if out.getvalue().strip() not in ("null", "no such passage on record") else 1)
    return json.loads(out.getvalue()) if as_json else out.getvalue()


def test_an_automatic_refusal_is_answered_with_its_code_its_words_and_what_else_was_in_view(yard: World) -> None:
    yard.declares_ready()
    yard.run(yard.notice("arrived"), yard.reads(OTHER, track=2), yard.reads(PLATE, track=1))
    found = ask(yard, lane="yard-in")
    assert found["shut"] == ["other_plate", OTHER]
    assert found["opened_by"] is None
    assert found["who"]["vehicle"] == [PLATE]
    text = ask(yard, as_json=False)
    assert "another plate is in view: 29H12345" in text
    assert "also in view: 29H12345: no declaration" in text


def test_a_press_is_answered_by_who_pressed_for_which_vehicle(world: World) -> None:
    world.declares_ready()
    world.arrives()
    world.run(world.press("confirm"))
    world.passes()
    found = ask(world, plate=PLATE)
    assert (found["opened_by"], found["ended"]) == (["confirmation", GUARD.id], "through")
    assert "opened: confirmation by BP-0107; then: through" in ask(world, as_json=False)


def test_a_gate_that_waits_says_what_is_still_asked(world: World) -> None:
    declaration = world.declares_ready()
    world.declares(replace(declaration, version=2, confirmations=declaration.confirmations[:-1]))
    world.arrives()
    found = ask(world)
    assert found["verdict"]["verdict"] == "await"
    assert "still asked: " in ask(world, as_json=False)


def test_it_tells_things_as_they_stood_then(world: World) -> None:
    world.declares_ready()
    world.arrives()
    before = clock.wall_iso()
    world.run(world.press("confirm"))
    assert ask(world, at=before)["opened_by"] is None
    assert ask(world)["opened_by"] == ["confirmation", GUARD.id]
    assert ask(world, at="2020-01-01T00:00:00+07:00") is None


def test_an_emergency_with_nobody_there_is_answered_too(world: World) -> None:
    world.barrier.now = replace(world.barrier.now, inputs={"presence": False})
    world.run(world.press("emergency_open", reason="people"))
    assert ask(world)["opened_by"] == ["override_emergency", GUARD.id]


@pytest.mark.parametrize("bad", [{"lane": "b9"}, {"at": "yesterday"}])
def test_a_lane_or_time_that_is_none_is_named(world: World, bad: dict[str, Any]) -> None:
    with pytest.raises(BarieError, match=next(iter(bad.values()))):
        ask(world, **bad)


def answered(world: World) -> set[str]:
    """Asks of every press, automatic opening and automatic refusal on record, as of then; the codes that were asked."""
    asked = set()
    for event in world.events():
        body, code = event["body"], code_of(event["kind"], event["body"].get("stage"))
        person = body.get("by") or ""
        if not person and code not in OPENINGS and code != "refusal_stays_shut":
            continue
        found = ask(world, lane=event["lane"], at=event["recorded_at"])
        assert found["passage"] == body["passage"], code
        told = [line for line in found["lines"] if line["seq"] == event["seq"]]
        assert [(line["code"], line["by"]) for line in told] == [(code, person)]
        if code in OPENINGS:
            assert found["opened_by"] == [code, person]
        if code == "refusal_stays_shut":
            assert found["shut"] == [body["code"], body["detail"]]
            assert f"shut.{body['code']}" in load_catalogue(), "said in words"
        asked.add(code)
    return asked


def test_each_press_of_a_guards_day_is_answered_as_of_its_moment(world: World) -> None:
    world.declares_ready()
    world.arrives()
    world.run(world.press("confirm"))
    world.passes()
    world.run(world.notice("left"), world.notice("arrived"), world.reads(OTHER, track=2))
    world.run(world.press("type_plate", value="15C67890", reason="over_sure"))
    assert world.run(world.press("override", reason="other", words="đã xem giấy")).done
    world.passes()
    world.run(world.notice("left"), world.notice("arrived"), world.reads("29H67890", track=3))
    assert world.run(world.press("turn_away", reason="no_declaration")).done
    assert answered(world) >= {"confirmation", "override", "refusal"}


def test_each_automatic_opening_and_refusal_of_a_yards_day_is_answered_as_of_its_moment(yard: World) -> None:
    yard.declares_ready()
    yard.arrives()
    yard.passes()
    yard.run(yard.notice("left"), yard.notice("arrived"), yard.reads(OTHER, track=2))
    yard.run(yard.reads(PLATE, track=3))
    asked = answered(yard)
    assert asked >= {"refusal_stays_shut", "barrier_released"}, asked


def test_events_of_a_record_of_0_1_0_are_told_without_what_they_did_not_say_yet(world: World) -> None:
    old = {"passage": "p1", "plates": [{"text": PLATE, "decided": True}], "declaration": "CKS-1", "step": "b1_out"}
    with world.store.transaction(world.config.id) as tx:
        tx.event("passage", {**old, "stage": "seen", "verdict": {"verdict": "ready", "missing": [], "reasons": []}})
        tx.event("confirmation", {**old, "by": GUARD.id, "permit": 3})
    found = ask(world, plate=PLATE)
    assert (found["who"], found["opened_by"]) == (None, ["confirmation", GUARD.id])
    assert "opened: confirmation by BP-0107" in ask(world, as_json=False)
