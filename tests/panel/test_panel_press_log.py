"""A press is done once or not at all, and the page can ask which."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from edge.panel.press_log import PressLog
from edge.ports import Action, ActionResult, Person
from tests.panel.fakes import FakeLane, passage

GUARD = Person("bp-1", "Mẫu", "guard")


def action(key: str = "key-00000001", name: str = "turn_away") -> Action:
    return Action(key=key, name=name, passage="p-1", person=GUARD)


class RememberingLane(FakeLane):
    """A desk that finds old keys in its record."""

    async def settle(self, person: Person, key: str) -> ActionResult:
        if key == "before-restart":
            return ActionResult(done=True, code="recorded", seq=7)
        return ActionResult(done=False, code="not_arrived")


def test_two_presses_of_one_key_at_the_same_time_act_once() -> None:
    async def run() -> tuple[list[ActionResult], int]:
        lane, press_log = FakeLane(passage=passage()), PressLog()
        lane.gate.clear()
        both = [asyncio.ensure_future(press_log.do(lane, action())) for _ in range(2)]
        while not lane.acts:
            await asyncio.sleep(0)
        lane.gate.set()
        return list(await asyncio.gather(*both)), len(lane.acts)

    results, acts = asyncio.run(run())
    assert results[0] == results[1]
    assert acts == 1


def test_a_waiter_that_goes_away_does_not_stop_the_act() -> None:
    async def run() -> ActionResult:
        lane, press_log = FakeLane(passage=passage()), PressLog()
        lane.gate.clear()
        waiter = asyncio.ensure_future(press_log.do(lane, action()))
        while not lane.acts:
            await asyncio.sleep(0)
        waiter.cancel()
        lane.gate.set()
        return await press_log.settle(lane, GUARD, action().key, same_boot=True)

    assert asyncio.run(run()).done


def test_a_settled_key_that_never_arrived_is_void_even_if_it_arrives_later() -> None:
    async def run() -> tuple[ActionResult, ActionResult, int]:
        lane, press_log = FakeLane(passage=passage()), PressLog()
        told = await press_log.settle(lane, GUARD, action().key, same_boot=True)
        late = await press_log.do(lane, action())
        return told, late, len(lane.acts)

    told, late, acts = asyncio.run(run())
    assert (told.done, told.code) == (False, "not_arrived")
    assert (late.done, late.code) == (False, "not_arrived")
    assert acts == 0


def test_after_a_restart_the_desks_own_record_answers() -> None:
    lane = RememberingLane(passage=passage())
    assert asyncio.run(PressLog().settle(lane, GUARD, "before-restart", same_boot=False)).seq == 7
    assert asyncio.run(PressLog().settle(lane, GUARD, "never-recorded", same_boot=False)).code == "not_arrived"


def test_after_a_restart_a_desk_without_memory_leaves_it_open() -> None:
    assert asyncio.run(PressLog().settle(FakeLane(), GUARD, "some-old-key", same_boot=False)).code == "unsure"


def test_an_act_that_broke_is_told_as_unsure() -> None:
    async def run() -> ActionResult:
        lane, press_log = FakeLane(passage=passage()), PressLog()

        async def broken(_: Action) -> ActionResult:
            raise ZeroDivisionError

        lane.act = broken  # type: ignore[method-assign, assignment]
        press = asyncio.ensure_future(press_log.do(lane, action()))
        await asyncio.wait([press])
        assert isinstance(press.exception(), ZeroDivisionError)
        return await press_log.settle(lane, GUARD, action().key, same_boot=True)

    assert asyncio.run(run()).code == "unsure"


def test_old_keys_make_room_and_running_ones_stay() -> None:
    async def run() -> tuple[ActionResult, ActionResult]:
        lane, press_log = FakeLane(passage=passage()), PressLog(room=3)
        for n in range(5):
            await press_log.do(lane, action(f"key-0000000{n}"))
        return await press_log.settle(lane, GUARD, "key-00000004", True), await press_log.settle(
            lane, GUARD, "key-00000000", True
        )

    newest, oldest = asyncio.run(run())
    assert newest.done
    assert not oldest.done


def test_a_key_means_one_press_at_one_lane_by_one_person() -> None:
    """Answered "done" for something that was not done: by another lane's key, and by another person's."""

    async def run() -> tuple[ActionResult, ActionResult, ActionResult, ActionResult]:
        here, there, press_log = FakeLane(passage=passage()), FakeLane(passage=passage()), PressLog()
        await press_log.do(here, action())
        elsewhere = await press_log.settle(there, GUARD, action().key, True)
        others = await press_log.settle(here, Person("bp-2", "Khác", "guard"), action().key, True)
        by_other = await press_log.do(here, replace(action(), person=Person("bp-2", "Khác", "guard")))
        return elsewhere, others, by_other, await press_log.settle(here, GUARD, action().key, True)

    elsewhere, others, by_other, mine = asyncio.run(run())
    assert (elsewhere.done, elsewhere.code) == (False, "not_arrived")
    assert (others.done, others.code) == (by_other.done, by_other.code) == (False, "key_reused")
    assert mine.done
