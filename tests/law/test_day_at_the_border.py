"""A day in the life: day_at_the_border.toml through real lanes, each with its own record, the centre carrying what one
gate confirmed to the next. No vehicle that the law lets pass needs an override; none passes that it does not."""

from __future__ import annotations

import asyncio
import json
import tomllib
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from edge import clock
from edge.config import LawConfig, YardConfig
from edge.core.model import Confirmation, Declaration, Transfer, Vehicle
from tests.lane.test_agent_ways import form, on_paper, typed
from tests.lane.world import OPERATOR, World
from tests.law import whole_border
from tests.law.table import GATES
from tests.law.tools import declared

MOVEMENTS: list[dict[str, Any]] = tomllib.loads(
    (Path(__file__).parent / "day_at_the_border.toml").read_text(encoding="utf-8")
)["movement"]
FIRST = {}
_number = 10_000
for _movement in MOVEMENTS:
    FIRST[_movement["name"]] = _number
    _number += 100
PASSES = ("ready", "release")
SILENT_S = 200_000.0


class Border:
    """Every gate of the day, opened once, and the centre between them."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.worlds: dict[str, World] = {}
        for gate in GATES:
            self._open(folder, stack, gate, smart=False)
        for gate in ("b2_in", "b1_out"):
            self._open(folder, stack, gate, smart=True)
        self.centre: dict[str, Declaration] = {}
        self._tracks = count(1)

    def track(self) -> int:
        return next(self._tracks)

    def _open(self, folder: Path, stack: ExitStack, gate: str, *, smart: bool) -> None:
        name = f"smart_{gate}" if smart else gate
        law = LawConfig(smart_lane="on") if smart else LawConfig()
        yard = YardConfig(capacity=99) if gate.startswith("yard") else None
        world = World(folder / name, gate, law, smart=smart, yard=yard)
        stack.callback(world.close)
        self.worlds[name] = world

    def gives(self, declaration: str, confirmation: Confirmation) -> None:
        known = self.centre[declaration]
        given = (*known.confirmations, confirmation)
        self.centre[declaration] = replace(known, version=known.version + 1, confirmations=given)

    def brings_up(self, world: World, ids: list[str]) -> None:
        """What the gate confirmed goes up, to be seen at the next."""
        for one in ids:
            here = world.store.declaration(one)
            for confirmation in here.confirmations if here else ():
                if confirmation.via == "gate" and confirmation not in self.centre[one].confirmations:
                    self.gives(one, confirmation)


@pytest.fixture(scope="module")
def border(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Border]:
    with ExitStack() as stack:
        yield Border(tmp_path_factory.mktemp("border"), stack)


def vehicle(letter: str, country: str, number: int) -> Vehicle:
    if letter == "I":
        return Vehicle("carrier", f"IGV{number}", country, unit_no=f"IGV{number}")
    return Vehicle("vehicle", f"桂A{number}" if country == "CN" else f"12C{number}", country)


class Truck:
    """One of a movement's trucks (or pairs, or convoys) on its way through the day."""

    def __init__(self, border: Border, movement: dict[str, Any], number: int) -> None:
        self.border, self.movement = border, movement
        self.vehicles = {
            letter: vehicle(letter, country, number + 30 * n)
            for n, (letter, country) in enumerate(movement["vehicles"].items())
        }
        self.ids = {letter: f"CKS-{number}-{letter}" for letter in movement["declarations"]}
        seals = tuple(movement.get("seals", ()))
        transfer = Transfer("BB-1", "2026-11-20", "Chi cục A", "Chi cục B", seals) if seals else None
        requires = {"storage": False, "fee": False, **movement.get("requires", {})}
        for letter, procedure in movement["declarations"].items():
            border.centre[self.ids[letter]] = declared(
                procedure, (), requires, vehicles=tuple(self.vehicles.values()), transfer=transfer,
                declaration_id=self.ids[letter],
            )  # fmt: skip

    def lives(self, line: str) -> None:
        kind, *words = line.replace(",", " ,").split()
        if kind == "+":
            self._given(words)
        else:
            gate, letter, verdict, outcome = words
            self._at(line, gate, self.vehicles[letter].plate, verdict, outcome)

    def _given(self, words: list[str]) -> None:
        declaration, plate = next(iter(self.ids.values())), None
        while words[0] in self.ids or words[0] in self.vehicles:
            word = words.pop(0)
            declaration = self.ids.get(word, declaration)
            plate = self.vehicles[word].plate if word in self.vehicles else plate
        step, *acts = words
        for pair in " ".join(acts).split(" , "):
            who, act = pair.split()
            given = Confirmation(step, who, act, clock.wall_iso(), "X-1", "platform", plate)
            self.border.gives(declaration, given)

    def _at(self, line: str, gate: str, plate: str, verdict: str, outcome: str) -> None:
        world = self.border.worlds[f"smart_{gate}" if self.movement.get("smart") else gate]
        for one in self.ids.values():
            world.declares(self.border.centre[one])
        world.age_s = SILENT_S if outcome == "checked" else None
        if outcome == "paper":
            on_paper(world)
        before = len(world.barrier.offers)
        self._comes(world, plate)
        assert world.verdict() == verdict, (line, world.codes())
        assert (outcome in ("press", "opens", "checked", "seals")) == (verdict in PASSES), line
        by_itself = len(world.barrier.offers) > before
        assert by_itself == (outcome == "opens"), (line, world.passage()["shut"])
        if outcome != "opens":
            self._by_hand(world, line, plate, outcome)
        assert len(world.barrier.offers) - before == (outcome != "shut"), line
        if outcome == "shut":
            world.run(world.notice("left"), world.tracks())
        else:
            world.passes()
        if outcome == "paper":
            world.link = "up"
            assert world.run(world.press("paper_mode", passage=None, value="off")).done
        self.border.brings_up(world, list(self.ids.values()))

    def _comes(self, world: World, plate: str) -> None:
        if plate.startswith("IGV"):
            world.run(world.notice("arrived"))
            assert world.run(world.press("type_plate", value=plate)).done
        else:
            world.run(world.notice("arrived"), world.reads(plate, track=self.border.track()))

    def _by_hand(self, world: World, line: str, plate: str, outcome: str) -> None:
        who = {"person": OPERATOR} if world.gate.startswith("yard") else {}
        if outcome == "override":
            assert not world.run(world.press("confirm")).done
            assert world.run(world.press("override", reason="ordered", words="theo lệnh")).done
            return
        if outcome == "paper":
            assert not world.run(world.press("confirm")).done
            assert typed(world, form(plate), next(iter(self.movement["declarations"].values()))).done, line
            if len(world.barrier.offers) and world.passage()["state"] != "waiting":
                return
        if outcome == "checked":
            assert world.run(world.press("confirm")).code == "check_needed"
            assert world.run(world.press("confirm", value="checked")).done
            return
        if outcome == "seals":
            looked = json.dumps({"seen": self.movement["seals"], "broken": False, "off_route": False})
            assert world.run(world.press("seals", value=looked)).done
        pressed = world.run(world.press("confirm", **who))
        assert pressed.done == (outcome != "shut"), (line, pressed, world.codes())


def test_the_day_has_sixty_vehicles() -> None:
    assert sum(one["trucks"] * len(one["vehicles"]) for one in MOVEMENTS) == 60


@pytest.mark.parametrize("movement", MOVEMENTS, ids=lambda one: one["name"])
def test_each_passes_where_the_law_lets_it_and_nowhere_else(movement: dict[str, Any], border: Border) -> None:
    first = FIRST[movement["name"]]
    trucks = [Truck(border, movement, first + n) for n in range(movement["trucks"])]
    for line in movement["day"]:  # one behind the other, as they queue
        for truck in trucks:
            truck.lives(line)


@pytest.mark.slow
@pytest.mark.broker
@pytest.mark.timeout(300)
def test_a_transshipped_pair_on_real_boards_by_a_real_broker_and_the_reference_centre(tmp_path: Path) -> None:
    """The short form of `python -m tests.law.whole_border`."""
    pair = next(one for one in MOVEMENTS if one["name"].startswith("import by transshipment"))
    visits = sum(line.startswith("@") for line in pair["day"])
    assert asyncio.run(whole_border.day(tmp_path, [pair], trucks=1)) == visits
