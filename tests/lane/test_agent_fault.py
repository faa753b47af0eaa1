"""A lane's own fault, whatever it is, ends one job: it is told and recorded, and the lane, the others and the guard go
on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edge import clock
from edge.agent.lane.actor import FAULT_S
from edge.agent.lane.lane import AGAIN_S
from edge.agent.office.alarms import AlarmDesk
from edge.config import LawConfig
from edge.core.alarm import alarms
from edge.core.alarm.sources import lane_conditions
from tests.lane.world import World
from tests.panel.views import HEALTHY

FAULTS = (
    ValueError("12C12345"),
    KeyError("x"),
    RecursionError(),
    AssertionError(),
    MemoryError(),
    OSError(24, "files"),
)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with closing(World(tmp_path, law=LawConfig(smart_lane="on"), smart=True)) as one:
        one.may_fail = True
        yield one


def breaks(monkeypatch: pytest.MonkeyPatch, what: Any, name: str, error: Exception) -> None:
    def broken(*_: Any, **__: Any) -> Any:
        raise error

    monkeypatch.setattr(what, name, broken)


@pytest.mark.parametrize("error", FAULTS, ids=lambda error: type(error).__name__)
def test_a_jobs_own_fault_ends_neither_the_lane_nor_the_next_job(world: World, error: Exception) -> None:
    async def job() -> None:
        raise error

    async def puts() -> None:
        world.actor.put(job)

    world.run(puts(), world.tick(), world.notice("arrived"))
    assert world.actor.lane.present
    assert world.actor.fault == type(error).__name__


def test_while_the_law_fails_nothing_opens_by_itself_and_the_guard_still_has_a_way(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.declares_ready()
    with monkeypatch.context() as broken:
        breaks(broken, world.actor.law, "assess", ValueError("12C12345"))
        world.arrives()
        answer = world.run(world.press("confirm"))
        assert (answer.done, answer.code) == (False, "unsure")
        opened = world.run(world.press("emergency_open", reason="rescue"))
        assert opened.done
        assert [offer.emergency for offer in world.barrier.offers] == [True]


def test_after_a_fault_over_a_vehicle_the_system_leaves_it_to_the_guard(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The fault is over, and what was known of the vehicle may be half done: no machine acts on it. The next vehicle
    is judged as ever."""
    world.declares_ready()
    with monkeypatch.context() as broken:
        breaks(broken, world.actor.law, "assess", KeyError("x"))
        world.arrives()
    world.actor._fault_s -= AGAIN_S
    world.run(world.tick(), world.tick())
    assert world.verdict() == "release"
    assert world.barrier.offers == []
    assert world.passage()["shut"]["code"] == "lane_failed"
    assert world.run(world.press("confirm", value="checked")).done
    assert len(world.barrier.offers) == 1


def test_a_fault_is_an_alarm_on_record_that_names_no_plate(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = AlarmDesk(world.store, {world.config.id: world.actor.journal}, 600.0, lambda: None)
    breaks(monkeypatch, world.actor, "reconcile", ValueError("12C12345"))

    async def looks() -> None:
        found = list(lane_conditions(world.config.id, replace(HEALTHY, program=world.actor.fault)))
        desk._take(alarms.observe(desk.book, found, clock.mono_s(), clock.wall_iso()))
        await desk._write_waiting()

    world.run(world.copy_changed(), looks())
    (told,) = [one["body"] for one in world.events("alarm") if one["body"].get("code") == "lane_failed"]
    assert (told["stage"], told["about"], told["priority"]) == ("raised", "ValueError", 1)


def test_a_fault_is_over_a_minute_after_the_last_one(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.actor.failed(ValueError("x"))
    assert world.actor.fault == "ValueError"
    then_s = world.actor._fault_s + FAULT_S
    monkeypatch.setattr("edge.agent.lane.actor.clock.mono_s", lambda: then_s)
    assert world.actor.fault == ""
