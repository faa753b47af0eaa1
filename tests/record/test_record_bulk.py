"""Presses before bulk: what makes safer acts at once, thousands of changes are one look, and the answer says what is
so."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from edge import clock, wire
from edge.agent.actions.remote import BURST, RemoteCommands
from edge.agent.inbox import GateInbox
from edge.errors import StoreFullError
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

    monkeypatch.setattr(world.actor.ledger, "write", full)
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
