"""Once means once: a press's key at its lane, by its person, across a restart of the gate and thousands of others."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from edge import clock
from edge.panel.press_log import PressLog
from edge.ports import Action
from tests.lane.world import GUARD, OPERATOR, World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    one = World(tmp_path)
    yield one
    one.close()


def confirm(world: World, key: str) -> Action:
    passage = world.view()["passage"]
    return Action(key=key, name="confirm", passage=passage["id"] if passage else None, person=GUARD)


@pytest.mark.parametrize("between", ["a restart", "a flood"])
def test_a_void_key_opens_nothing_after(world: World, between: str) -> None:
    """The screen was told "not arrived"; then the lost press arrives."""
    key = clock.new_id()
    press_log = PressLog(room=20)
    assert world.run(press_log.settle(world.desk, GUARD, key, True)).code == "not_arrived"
    if between == "a restart":
        world.restart()
        press_log = PressLog(room=20)
    else:
        for _ in range(30):
            world.run(press_log.settle(world.desk, GUARD, clock.new_id(), True))
    world.declares_ready()
    world.arrives()
    late = world.run(press_log.do(world.desk, confirm(world, key)))
    assert (late.done, late.code) == (False, "not_arrived")
    assert world.barrier.offers == []


def test_a_refused_press_that_comes_again_later_is_not_judged_anew(world: World) -> None:
    key = clock.new_id()
    refused = world.run(world.desk.act(confirm(world, key)))
    assert (refused.done, refused.code) == (False, "no_passage")
    world.restart()
    world.declares_ready()
    world.arrives()
    again = world.run(world.desk.act(confirm(world, key)))
    assert again == refused
    assert world.barrier.offers == []


def test_a_key_is_never_answered_done_for_what_was_not_done(world: World) -> None:
    """Another person's press, or another press, of a key that was used: after a restart, when only the record knows."""
    world.declares_ready()
    world.arrives()
    key = clock.new_id()
    first = world.run(world.desk.act(confirm(world, key)))
    assert first.done
    world.restart()
    for other in (replace(confirm(world, key), name="stop"), replace(confirm(world, key), person=OPERATOR)):
        answer = world.run(world.desk.act(other))
        assert (answer.done, answer.code) == (False, "key_reused")
    assert world.run(world.desk.settle(GUARD, key)) == first
    assert world.run(world.desk.settle(OPERATOR, key)).code == "key_reused"


def test_two_that_settle_and_press_at_once_agree(world: World) -> None:
    world.declares_ready()
    world.arrives()
    key = clock.new_id()

    async def both() -> tuple[bool, bool]:
        press_log = PressLog()
        press = asyncio.ensure_future(press_log.do(world.desk, confirm(world, key)))
        await asyncio.sleep(0)
        told = await press_log.settle(world.desk, GUARD, key, True)
        return (await press).done, told.done

    done, told = world.run(both())
    assert done is told is True
    assert len(world.barrier.offers) == 1
