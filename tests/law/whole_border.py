"""The day at the border on real parts: each gate its own PC with its own record, its boom simulated behind a board that
speaks its real protocol, declarations and confirmations by a real broker and the reference centre.

`python -m tests.law.whole_border [--movements N] [--trucks N]`: the day of day_at_the_border.toml, all of it or the
first N movements with so many trucks each; one JSON line at the end, exit 1 where a vehicle met another verdict or gate
than the day says. What is read, and what an authority confirms, is said by the day; all behind it is the product.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

from edge import clock
from edge.agent.gate import Gate
from edge.config import load_config
from edge.core.model import Confirmation, Declaration, PlateRead, Reading, Transfer, Vehicle
from edge.core.view import BoomView, PassageView
from edge.ports import Action, ActionResult, Person
from edge.vision import models
from edge.wire import declaration_to_json
from firmware_io.sim import SimBoard
from firmware_io.sim_world import SimVehicle, World, WorldSettings
from tests.law.table import GATES
from tests.law.tools import declared
from tests.uplink.brokers import MOSQUITTO, Broker, Iotcore, Mosquitto

GUARD, OPERATOR = Person("BP-0107", "Cán bộ Ví Dụ", "guard"), Person("DH-0002", "Điều hành Ví Dụ", "yard_operator")
TRUCK = SimVehicle(length_m=8.0, speed_mps=9.0, reaction_s=0.2)
QUICK = WorldSettings(open_s=0.5, close_s=0.6)
DEADLINE_S = 90.0
SILENT_S = 200_000.0
LEFT_UP_S = 15.0
"""An arm that is not down so long after its vehicle left will not come by itself."""
BOX = (10.0, 10.0, 90.0, 30.0)
CORNERS = ((10.0, 10.0), (90.0, 10.0), (90.0, 30.0), (10.0, 30.0))
PHOTO = b"\xff\xd8photo\xff\xd9"


class DifferentError(AssertionError):
    """A vehicle met another verdict, or another gate, than the day says."""


async def until(true: Callable[[], bool], what: str) -> None:
    end_s = time.monotonic() + DEADLINE_S
    while not true():
        if time.monotonic() > end_s:
            raise DifferentError(f"not within {DEADLINE_S:g} s: {what}")
        await asyncio.sleep(0.02)


class Post:
    """One gate PC: the product's own `Gate`, without camera processes, and the boom on the road before it."""

    def __init__(self, folder: Path, step: str, broker: int, *, smart: bool) -> None:
        folder.mkdir()
        self.lane = f"{'smart-' if smart else ''}{step.replace('_', '-')}"
        self.world = World(QUICK)
        self.board = SimBoard(self.world, link=folder / "board")
        self.board.start()
        self.busy = asyncio.Lock()
        place, direction = GATES[step]
        config = folder / "gate.toml"
        smart_lane = ("\nsmart_lane = true", '\n[law]\nsmart_lane = "on"') if smart else ("", "")
        config.write_text(
            _CONFIG.format(
                lane=self.lane, place=place, direction=direction, port=self.board.port, data=folder / "data",
                broker=broker, smart=smart_lane[0], law=smart_lane[1],
            ),
            encoding="utf-8",
        )  # fmt: skip
        self.gate = Gate(load_config(config))
        for camera in self.gate.cameras.values():
            camera.run = asyncio.Event().wait  # type: ignore[method-assign, assignment]  # the day says what it reads
        self.desk, self.actor = self.gate.desks[self.lane], self.gate.actors[self.lane]
        self._stop = asyncio.Event()
        self._task = asyncio.create_task(self.gate.run(self._stop))
        self._frames = count(1)
        self._plates = models.plate_table()

    async def close(self) -> None:
        self._stop.set()
        try:
            await asyncio.wait_for(self._task, 10)
        finally:
            self.board.close()

    def up(self) -> bool:
        if self._task.done():
            self._task.result()
        return self.boom.board_ok and not self.boom.faults and self.link == "up"

    def knows(self, declaration: Declaration) -> bool:
        """This and everything that was confirmed of it until now stands in the copy."""
        held = self.gate.store.declaration(declaration.id)
        return held is not None and {_mark(c) for c in declaration.confirmations} <= {
            _mark(c) for c in held.confirmations
        }

    def reads(self, plate: str) -> None:
        number = next(self._frames)
        read = PlateRead(self._plates.read(plate, "one_line", 0.98), BOX, CORNERS, whole=True)
        camera = f"{self.lane}-front"
        at = clock.mono_ns(), clock.wall_iso()
        self.actor.on_reading(Reading(camera, number, number, *at, read, True, 5, (640, 360)), PHOTO, PHOTO)

    @property
    def boom(self) -> BoomView:
        return self.desk.view().health.boom

    @property
    def link(self) -> str:
        return self.desk.view().health.link.state

    @property
    def passage(self) -> PassageView | None:
        return self.desk.view().passage

    def verdict(self) -> str:
        told = self.passage.verdict if self.passage else None
        return told.verdict if told else ""

    async def press(self, name: str, person: Person = GUARD, **more: Any) -> ActionResult:
        passage = self.passage.id if self.passage else None
        return await self.desk.act(Action(key=clock.new_id(), name=name, passage=passage, person=person, **more))

    @property
    def openings(self) -> int:
        return int(self.world.state().counters.openings)

    def clear(self) -> bool:
        """Nobody stands there, the boom is down, and all of it is with the centre."""
        empty = self.world.state().vehicle is None and self.world.inputs()["limit_closed"]
        return bool(empty and self.passage is None and self.boom.state == "closed")

    async def down_again(self, line: str) -> None:
        """By itself; or, where a busy machine made the board silent for a moment and the arm therefore stays up, by a
        person, as at a gate."""
        end_s, asked_s = time.monotonic() + DEADLINE_S, time.monotonic()
        while not self.clear():
            if time.monotonic() > end_s:
                raise DifferentError(f"not clear behind: {line}; {self.boom}")
            if time.monotonic() - asked_s > LEFT_UP_S and self.boom.state in ("open", "stopped"):
                asked_s = time.monotonic()
                await self.press("close", OPERATOR if "yard" in self.lane else GUARD)
            await asyncio.sleep(0.02)

    def acknowledged(self) -> bool:
        return self.gate.store.unacknowledged(self.lane)[0] == 0


def _mark(given: Confirmation) -> tuple[str, ...]:
    return given.step, given.authority, given.act, given.at


class WholeBorder:
    """The posts that a day needs, a broker and the centre."""

    def __init__(self, folder: Path, steps: Sequence[tuple[str, bool]]) -> None:
        self.folder = folder
        self.broker: Broker = Mosquitto(folder) if MOSQUITTO else Iotcore(folder)
        self.broker.start()
        self.declarations = folder / "declarations"
        self.declarations.mkdir()
        self.central = self._central()
        self.posts = {
            (step, smart): Post(folder / f"{step}{'-smart' if smart else ''}", step, self.broker.port, smart=smart)
            for step, smart in steps
        }
        self.alone = asyncio.Lock()

    def _central(self) -> subprocess.Popen[bytes]:
        line = [sys.executable, "-m", "edge", "central", "--broker", f"127.0.0.1:{self.broker.port}", "--site", "day"]
        line += ["--declarations", str(self.declarations), "--db", str(self.folder / "central.db")]
        with (self.folder / "central.log").open("ab") as log:
            return subprocess.Popen(line, stdout=log, stderr=log)

    async def ready(self) -> None:
        await until(lambda: all(post.up() for post in self.posts.values()), "every gate with its board and its link")

    def centre_dies(self) -> None:
        self.central.kill()
        self.central.wait()

    def centre_returns(self) -> None:
        self.central = self._central()

    async def close(self) -> None:
        await asyncio.gather(*(post.close() for post in self.posts.values()))
        self.central.terminate()
        self.central.wait(10)
        self.broker.stop()

    def publish(self, declaration: Declaration) -> None:
        part = self.declarations / f"{declaration.id}.part"
        part.write_text(json.dumps(declaration_to_json(declaration), ensure_ascii=False), encoding="utf-8")
        part.replace(self.declarations / f"{declaration.id}.json")


class Truck:
    """One of a movement's trucks (or pairs, or convoys) on its way through the day."""

    def __init__(self, border: WholeBorder, movement: dict[str, Any], number: int) -> None:
        self.border, self.movement = border, movement
        self.smart = bool(movement.get("smart"))
        self.vehicles = {
            letter: vehicle(letter, country, number + 30 * n)
            for n, (letter, country) in enumerate(movement["vehicles"].items())
        }
        seals = tuple(movement.get("seals", ()))
        transfer = Transfer("BB-1", "2026-11-20", "Chi cục A", "Chi cục B", seals) if seals else None
        requires = {"storage": False, "fee": False, **movement.get("requires", {})}
        vehicles = tuple(self.vehicles.values())
        self.declared = {
            letter: declared(
                procedure, (), requires, vehicles=vehicles, transfer=transfer, declaration_id=f"CKS-{number}-{letter}"
            )
            for letter, procedure in movement["declarations"].items()
        }
        self.known = dict(self.declared)
        """With what the gates confirmed of it, too."""
        for one in self.declared.values():
            border.publish(one)

    async def lives(self, line: str) -> None:
        kind, *words = line.replace(",", " ,").split()
        if kind == "+":
            self._given(words)
            return
        gate, letter, verdict, outcome = words
        post = self.border.posts[gate, self.smart]
        async with post.busy:
            await self._at(post, line, self.vehicles[letter].plate, verdict, outcome)

    def _given(self, words: list[str]) -> None:
        letter, plate = next(iter(self.declared)), None
        while words[0] in self.declared or words[0] in self.vehicles:
            word = words.pop(0)
            letter = word if word in self.declared else letter
            plate = self.vehicles[word].plate if word in self.vehicles else plate
        step, *acts = words
        for pair in " ".join(acts).split(" , "):
            who, act = pair.split()
            given = Confirmation(step, who, act, clock.wall_iso(), "X-1", "platform", plate)
            for held in (self.declared, self.known):
                held[letter] = replace(held[letter], confirmations=(*held[letter].confirmations, given))
        self.border.publish(self.declared[letter])

    async def _at(self, post: Post, line: str, plate: str, verdict: str, outcome: str) -> None:
        await until(post.up, f"{post.lane} is up before: {line}")
        await until(lambda: all(post.knows(one) for one in self.known.values()), f"{post.lane} knows before: {line}")
        before = post.openings
        if outcome == "paper":
            self.border.broker.stop()
            await until(lambda: post.link == "down", "the link is down")
            await self._done(post, line, "paper_mode", value="on", reason="link")
        if outcome == "checked":
            self.border.centre_dies()
            post.gate.law._copy_age_s = lambda: SILENT_S  # an hour that nobody waits for
        post.world.arrive(TRUCK)
        await until(lambda: bool(post.world.inputs()["presence"]), f"on the loop: {line}")
        await until(lambda: post.passage is not None, f"a passage: {line}")
        await self._named(post, line, plate)
        await until(lambda: post.verdict() == verdict, f"{line}; it is {post.verdict()}, {post.passage}")
        await self._outcome(post, line, plate, outcome)
        await until(lambda: post.world.state().vehicle is None, f"gone: {line}")
        post.actor.on_tracks(f"{post.lane}-front", frozenset())
        await post.down_again(line)
        if (post.openings > before) != (outcome != "shut"):
            raise DifferentError(f"{line}: opened {post.openings - before} times")
        await self._over(post, outcome)
        for letter, one in self.known.items():
            here = post.gate.store.declaration(one.id)
            own = [c for c in here.confirmations if c.via == "gate"] if here else []
            more = tuple(c for c in own if _mark(c) not in {_mark(k) for k in one.confirmations})
            self.known[letter] = replace(one, confirmations=(*one.confirmations, *more))

    async def _named(self, post: Post, line: str, plate: str) -> None:
        if plate.startswith("IGV"):
            await self._done(post, line, "type_plate", value=plate)
        else:
            post.reads(plate)

    async def _outcome(self, post: Post, line: str, plate: str, outcome: str) -> None:
        who = OPERATOR if "yard" in post.lane else GUARD
        if outcome == "opens":
            return
        if outcome == "shut":
            answer = await post.press("confirm", who)
            if answer.done:
                raise DifferentError(f"{line}: a press opened")
            post.world.leave()
        elif outcome == "override":
            await self._done(post, line, "override", reason="ordered", words="theo lệnh")
        elif outcome == "paper":
            procedure = next(iter(self.movement["declarations"].values()))
            await self._done(post, line, "paper_form", value=json.dumps(paper_form(plate, procedure)))
            await until(lambda: post.verdict() == "ready", f"ready on paper: {line}")
            await self._done(post, line, "confirm")
        elif outcome == "checked":
            answer = await post.press("confirm")
            if answer.code != "check_needed":
                raise DifferentError(f"{line}: {answer}")
            await self._done(post, line, "confirm", value="checked")
        else:
            if outcome == "seals":
                looked = {"seen": self.movement["seals"], "broken": False, "off_route": False}
                await self._done(post, line, "seals", value=json.dumps(looked))
            await self._done(post, line, "confirm", person=who)

    async def _over(self, post: Post, outcome: str) -> None:
        """The centre has what happened here, and its next version is on its way to the others."""
        if outcome == "paper":
            self.border.broker.start()
            await until(lambda: post.link == "up", "the link is back")
            await self._done(post, "", "paper_mode", value="off")
        if outcome == "checked":
            post.gate.law._copy_age_s = post.gate.copy_age
            self.border.centre_returns()
        await until(post.acknowledged, f"{post.lane}: acknowledged by the centre")

    async def _done(self, post: Post, line: str, name: str, person: Person = GUARD, **more: str) -> None:
        """Pressed until it is done: on a busy machine the board's answers are late for a moment, and then a guard
        presses once more."""
        answer = await post.press(name, person, **more)
        end_s = time.monotonic() + DEADLINE_S
        while answer.code == "boom_fault" and time.monotonic() < end_s:
            await until(lambda: not post.boom.faults, f"the boom is well: {line}")
            answer = await post.press(name, person, **more)
        if not answer.done:
            raise DifferentError(f"{line}: {name} was refused: {answer.code} {answer.detail}")


def vehicle(letter: str, country: str, number: int) -> Vehicle:
    if letter == "I":
        return Vehicle("carrier", f"IGV{number}", country, unit_no=f"IGV{number}")
    return Vehicle("vehicle", f"桂A{number}" if country == "CN" else f"12C{number}", country)


def paper_form(plate: str, procedure: str) -> dict[str, Any]:
    signed = {"name": "Người Ký Ví Dụ", "date": clock.wall_iso()[:10]}
    line = {"vehicle_class": "from_18t", "plate": plate, "driver": "Người Lái", "phone": "0900 000 000", "origin": "VN"}
    form = {
        "organisation": "Công ty Ví Dụ", "border_gate": "Hữu Nghị", "movement": "ordinary", "goods": [],
        "vehicles": [line], "signatures": dict.fromkeys(("DN", "CU", "CD", "HE", "BG"), signed),
    }  # fmt: skip
    return {"form": form, "procedure": procedure, "requires": {}}


ALONE = ("paper", "checked")
"""Outcomes for which broker or centre go down: such movements run by themselves, after the others."""


async def day(folder: Path, movements: Sequence[dict[str, Any]], trucks: int | None = None) -> int:
    """Each movement's trucks go their way, all at once as far as a gate takes one vehicle at a time. Returns how many
    visits to a gate there were. Raises DifferentError."""
    visits = [line for one in movements for line in one["day"] if line.startswith("@")]
    steps = sorted(
        {(line.split()[1], bool(one.get("smart"))) for one in movements for line in one["day"] if line[0] == "@"}
    )
    border = WholeBorder(folder, steps)
    ended = 0
    try:
        await border.ready()
        alone = [one for one in movements if any(line.split()[-1] in ALONE for line in one["day"])]
        ways = [_movement(border, one, n, trucks) for n, one in enumerate(movements) if one not in alone]
        ended += sum(await asyncio.gather(*ways))
        for n, one in enumerate(alone):
            ended += await _movement(border, one, 80 + n, trucks)
    finally:
        await border.close()
    assert visits
    return ended


async def _movement(border: WholeBorder, movement: dict[str, Any], number: int, trucks: int | None) -> int:
    many = movement["trucks"] if trucks is None else min(trucks, movement["trucks"])
    queue = [Truck(border, movement, 10_000 + 100 * number + n) for n in range(many)]
    visits = 0
    for line in movement["day"]:  # one behind the other, as they queue
        for truck in queue:
            await truck.lives(line)
            visits += line.startswith("@")
    return visits


_CONFIG = """\
[site]
id = "day"
name = {{ vi = "Ngày mẫu", en = "The day" }}
data_dir = "{data}"
[panel]
port = 0
sign_in = "demo"
[mqtt]
host = "127.0.0.1"
port = {broker}
resend_s = 2.0
[yard]
capacity = 99{law}
[[lane]]
id = "{lane}"
name = {{ vi = "{lane}", en = "{lane}" }}
place = "{place}"
direction = "{direction}"
simulated = true{smart}
[[lane.camera]]
id = "{lane}-front"
url = "rtsp://127.0.0.1:9/none"
[lane.board]
kind = "modbus_rtu"
profile = "waveshare-8ch"
port = "{port}"
inputs = {{ presence = 1, safety_loop = 2, photocell = 3, limit_open = 4, limit_closed = 5 }}
outputs = {{ open = 1, close = 2, stop = 3 }}
[lane.barrier]
min_clear_s = 1.0
large_clear_s = 2.0
presence_off_s = 0.3
skeletal = false
open_timeout_s = 3.0
"""


def main(argv: Sequence[str] | None = None) -> int:
    from tests.law.test_day_at_the_border import MOVEMENTS

    parser = argparse.ArgumentParser(prog="python -m tests.law.whole_border", description=__doc__)
    parser.add_argument("--movements", type=int, default=len(MOVEMENTS))
    parser.add_argument("--trucks", type=int, default=None)
    args = parser.parse_args(argv)
    began_s = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="barie-day-") as folder:
        told: dict[str, Any] = {"movements": args.movements, "good": False}
        try:
            told |= {"visits": asyncio.run(day(Path(folder), MOVEMENTS[: args.movements], args.trucks)), "good": True}
        except DifferentError as error:
            told["different"] = str(error)
    print(json.dumps({**told, "seconds": round(time.monotonic() - began_s)}, ensure_ascii=False))
    return 0 if told["good"] else 1


if __name__ == "__main__":
    sys.exit(main())
