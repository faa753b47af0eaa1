"""Presses before bulk: what makes safer acts at once, thousands of changes are one look, and the answer says what is
so."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from edge import clock, wire
from edge.agent.actions.desk import PRESSES_MOST
from edge.agent.actions.remote import BURST, RemoteCommands
from edge.agent.inbox import GateInbox
from edge.agent.lane.actor import WAITING_MOST
from edge.errors import StoreFullError
from edge.ports import ActionResult
from edge.uplink.mailbox import BYTES_MOST, LETTERS_MOST, Arrived, Mailbox
from edge.wire import Command
from tests.lane.world import World, ready


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with closing(World(tmp_path)) as one:
        yield one


def command(number: int, action: Any) -> Command:
    return Command(id=f"c-{number}", issued_at=datetime.now(clock.VIETNAM), action=action, by="HQ-1", reason="drill")


def test_thousands_of_changed_declarations_are_one_look_in_the_queue(world: World) -> None:
    for _ in range(5_000):
        world.actor.on_declarations()
    assert world.actor._jobs.qsize() == 1


def test_a_hold_acts_before_the_queue_is_done(world: World) -> None:
    remote = RemoteCommands(world.actor, lambda: "synced")
    remote.put(command(1, "hold"), False)
    assert world.barrier.now.held
    world.barrier.hold(False)
    remote.put(command(2, "hold"), True)
    assert not world.barrier.now.held, "a retained one is nobody's will"


def test_a_flood_of_commands_is_one_refusal_and_every_stop_acts(world: World) -> None:
    remote = RemoteCommands(world.actor, lambda: "unset")
    for number in range(3_000):
        remote.put(command(number, "open"), False)
    assert world.actor._jobs.qsize() <= BURST + 10
    world.run(world.tick())
    refusals = [one["body"] for one in world.events("refusal")]
    told = [one for one in refusals if one["code"] == "too_many"]
    assert len(told) == 1
    assert told[0]["count"] + len(refusals) - 1 == 3_000


@pytest.mark.parametrize(
    ("name", "code", "held"), [("hold", "held_unrecorded", True), ("release_hold", "hold_released_unrecorded", False)]
)
def test_with_a_full_disk_the_answer_says_what_is_so(
    world: World, monkeypatch: pytest.MonkeyPatch, name: str, code: str, held: bool
) -> None:
    world.barrier.hold(not held)

    async def full(*_: Any, **__: Any) -> Any:
        raise StoreFullError("no room")

    monkeypatch.setattr(world.actor.journal, "write", full)
    answer = world.run(world.press(name))
    assert (answer.done, answer.code) == (True, code)
    assert world.barrier.now.held == held


def test_half_a_character_in_a_declaration_blinds_nobody(world: World) -> None:
    odd = ready("EX-IN", "b2_in")
    text = wire.declaration_to_json(odd)

    payload = json.dumps({**text, "goods": [{"name": "\ud800 x"}], "declarant": {"\udfff": "\ud83d"}}).encode()
    world.store.put_declaration(odd.id, payload)
    kept = world.store.declaration(odd.id)
    assert kept is not None
    assert json.dumps([kept.goods, kept.declarant], ensure_ascii=False).encode("utf-8").decode().count("\ufffd") == 3


def test_the_loop_is_told_once_for_a_burst(world: World) -> None:
    told: list[Any] = []

    class Loop:
        def call_soon_threadsafe(self, call: Any, *_: Any) -> None:
            told.append(call)

    inbox = GateInbox(world.store, {world.actor.config.id: world.actor}, lambda name: True, Loop())  # type: ignore[arg-type]
    for number in range(50):
        text = wire.declaration_to_json(ready("EX-IN", "b2_in"))

        inbox.declaration(f"N-{number}", json.dumps({**text, "id": f"N-{number}"}).encode())
    assert len(told) == 1
    told[0]()
    assert world.actor._jobs.qsize() == 1


# ---------------------------------------------------------------- queues that end somewhere


def test_a_lane_whose_disk_hangs_keeps_the_newest_of_each_and_lets_no_queue_grow(world: World) -> None:
    done: list[str] = []

    def job(name: str) -> Any:
        async def one() -> bool:
            done.append(name)
            return False

        return one

    for number in range(10_000):
        world.actor.on_tick()
        world.actor.put_newest("reading/front/1", job(f"{number}"))
    assert world.actor._jobs.qsize() <= 3
    for number in range(1_000):
        world.actor.put_newest(f"reading/front/{number + 2}", job("other"))
    assert world.actor._jobs.qsize() <= WAITING_MOST + 2
    assert world.actor.left_out > 0
    world.run(world.tick())
    assert done[0] == "9999", "the newest of a track, once"
    assert done.count("other") == len(done) - 1
    world.actor.put_newest("reading/front/1", job("again"))
    world.run(world.tick())
    assert done[-1] == "again"


def test_more_presses_than_a_person_can_make_are_told_that_they_are_not_done(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(world.actor, "put", lambda job: None)  # a disk that hangs

    async def crowd() -> tuple[list[ActionResult], ActionResult]:
        waiting = [asyncio.ensure_future(world.press("reset")) for _ in range(PRESSES_MOST)]
        await asyncio.sleep(0)
        refused = [await world.press("reset") for _ in range(3)]
        held = await world.press("hold")
        for one in waiting:
            one.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        return refused, held

    refused, held = asyncio.run(crowd())
    assert [one.code for one in refused] == ["store_failed"] * 3
    assert (held.done, held.code) == (True, "held_unrecorded")
    assert world.barrier.now.held


def test_a_hold_acts_before_the_presses_that_wait(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(world.actor, "put", lambda job: None)

    async def hold() -> bool:
        pressing = asyncio.ensure_future(world.press("hold"))
        await asyncio.sleep(0)
        held = world.barrier.now.held
        pressing.cancel()
        return held

    assert asyncio.run(hold())


def test_an_old_press_of_hold_that_comes_again_does_not_hold_what_was_released(world: World) -> None:
    first = world.run(world.press("hold", key="old"))
    world.run(world.press("release_hold"))
    assert not world.barrier.now.held
    assert world.run(world.press("hold", key="old")).seq == first.seq
    assert not world.barrier.now.held


def test_a_mailbox_that_is_full_reads_no_more() -> None:
    mailbox, full = Mailbox(), []
    for count in (1, 1, -1):
        mailbox.put(Arrived("t", bytes(BYTES_MOST // 2), False, 0, 0)) if count > 0 else mailbox.take(0.0)
        full.append(mailbox.full)
    assert full == [False, True, False]
    mailbox.clear()
    for _ in range(LETTERS_MOST):
        mailbox.put(Arrived("t", b"", False, 0, 0))
    before, taken = mailbox.full, mailbox.take_all(LETTERS_MOST)
    assert (before, len(taken), mailbox.full) == (True, LETTERS_MOST, False)
