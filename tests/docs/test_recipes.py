"""The recipes of CONTRIBUTING, each followed in a copy of the checkout; what was added runs there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.law.test_law_rules import with_new_authority
from tests.panel.test_actions import LABEL, METHOD, ROW, WORDS

ROOT = Path(__file__).parents[2]
RECIPES = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").split("## Recipes", 1)[1]
PATTERN = """
[[pattern]]
kind = "la_vehicle"
country = "VN"
match = "LA{D}{6}"
layouts = ["one_line"]
grounds = ["yellow"]
"""
PROFILE = """
[acme-8ch]
title = "A module of somebody's, 8 relays and 8 inputs"
source = "its manual"
transports = ["modbus_rtu"]
inputs = 8
input_function = 2
outputs = 8
pulse = "flash"
flash_address = 0x0200
flash_max = 0x7FFF
modes_address = 0x1000
watchdog = "none needed: the module times every pulse"
"""
PROFILE_TEST = '''
"""The module of the recipe, on its line."""

from collections.abc import Iterator

import pytest

from tests.boom.conformance import Bench, BoardConformance
from tests.boom.test_boom_conformance import rtu
from tests.boom.vendors.modules import Waveshare


class TestAcme(BoardConformance):
    @pytest.fixture
    def bench(self) -> Iterator[Bench]:
        bench = rtu(Waveshare(), "acme-8ch", ends_alone=True)
        yield bench
        bench.close()
'''
BOARD = '''
"""A kind of board that lives in memory: what the recipe adds."""

from collections.abc import Collection, Mapping
from time import monotonic

from firmware_io.board import BoardSettings, NoAnswer
from firmware_io.terms import InputName, OutputName

ENDS: dict[int, float] = {}
CONTACTS: set[int] = set()
SILENT: list[bool] = [False]


class AcmeBoard:
    timed_by_board = True
    coarse_s = 0.0

    def __init__(self, settings: BoardSettings) -> None:
        self._settings = settings
        self._line()

    @property
    def outputs(self) -> Collection[OutputName]:
        return self._settings.outputs

    def _line(self) -> None:
        if SILENT[0]:
            raise NoAnswer("acme: silent")

    def check(self) -> None:
        self._line()

    def read_inputs(self) -> Mapping[InputName, bool]:
        self._line()
        wires = self._settings.wiring()
        return {name: (wire.channel in CONTACTS) != wire.normally_closed for name, wire in wires.items()}

    def read_outputs(self) -> Mapping[OutputName, bool] | None:
        self._line()
        return {name: ENDS.get(channel, 0.0) > monotonic() for name, channel in self._settings.outputs.items()}

    def pulse(self, output: OutputName, duration_s: float) -> None:
        self._line()
        ENDS[self._settings.outputs[output]] = monotonic() + duration_s

    def set_output(self, output: OutputName, on: bool) -> None:
        self._line()
        ENDS[self._settings.outputs[output]] = float("inf") if on else 0.0

    def describe(self) -> str:
        return "acme, in memory"

    def close(self) -> None: ...
'''
BOARD_TEST = '''
"""The kind of board of the recipe, against the suite of every board."""

from time import monotonic

import pytest

from firmware_io import acme
from firmware_io.board import Board, BoardSettings
from firmware_io.boards import open_board
from firmware_io.terms import OutputName
from tests.boom.conformance import Bench, BoardConformance
from tests.boom.test_boom_conformance import INPUTS, OUTPUTS


class AcmeBench:
    ends_alone = True
    reads_back = True

    def __init__(self) -> None:
        self.settings = BoardSettings(kind="acme", port="/dev/acme", inputs=INPUTS, outputs=OUTPUTS)
        acme.ENDS.clear()
        acme.SILENT[0] = False

    def open(self) -> Board:
        return open_board(self.settings)

    def relay(self, output: OutputName) -> bool:
        return acme.ENDS.get(OUTPUTS[output], 0.0) > monotonic()

    def switch_on(self, output: OutputName) -> None:
        acme.ENDS[OUTPUTS[output]] = float("inf")

    def put(self, channel: int, on: bool) -> None:
        (acme.CONTACTS.add if on else acme.CONTACTS.discard)(channel)

    def silence(self, silent: bool) -> None:
        acme.SILENT[0] = silent

    def close(self) -> None: ...


class TestAcme(BoardConformance):
    @pytest.fixture
    def bench(self) -> Bench:
        return AcmeBench()
'''


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A checkout of one's own, without clips and models."""
    for name in ("edge", "firmware_io", "config", "scripts", "tests"):
        ignore = shutil.ignore_patterns("__pycache__", "*.ttf", "*.jpg", "*.onnx", "axe")
        shutil.copytree(ROOT / name, tmp_path / name, ignore=ignore)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def run(copy: Path, *args: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
    line = [sys.executable, *args]
    return subprocess.run(line, cwd=copy, env=env, capture_output=True, text=True, check=False, timeout=150)


def add(path: Path, text: str, *, before: str = "") -> None:
    was = path.read_text(encoding="utf-8") if path.exists() else ""
    assert before in was
    path.write_text(was.replace(before, text + before, 1) if before else was + text, encoding="utf-8")


def test_each_recipe_says_in_how_many_places_and_names_files_that_exist() -> None:
    found = re.findall(r"^\*\*(An? [^*]+)\*\* \((\d) places?\)", RECIPES, re.M)
    assert [name for name, _ in found] == [
        "An action",
        "An authority",
        "A plate kind",
        "A relay board that speaks Modbus",
        "A new kind of board",
    ]
    assert all(int(places) <= 4 for _, places in found)
    for path in re.findall(r"`((?:edge|config|firmware_io|tests)/[\w/.]+)`", RECIPES):
        assert (ROOT / path).exists(), path


def test_an_action_is_a_row_a_method_and_its_words(copy: Path) -> None:
    add(copy / "edge/actions.toml", ROW)
    add(copy / "edge/agent/actions/boom.py", METHOD)
    add(copy / "edge/panel/messages.toml", WORDS)
    words = copy / "edge/panel/messages.toml"
    words.write_text(words.read_text(encoding="utf-8").replace("[action]\n", LABEL, 1), encoding="utf-8")
    checked = run(copy, "scripts/check_actions.py")
    assert checked.returncode == 0, checked.stdout


def test_an_authority_is_rows_of_the_rule_table(copy: Path) -> None:
    table = copy / "config/procedures.toml"
    shutil.copy(table, copy / "before.toml")
    table.write_text(with_new_authority(), encoding="utf-8")
    assert run(copy, "-m", "edge", "rules", "check", str(table)).returncode == 0
    differs = run(copy, "-m", "edge", "rules", "diff", "before.toml", str(table))
    assert differs.returncode == 1
    assert "newly asked" in differs.stdout
    assert "Cơ quan mới" in differs.stdout


def test_a_plate_kind_is_a_pattern_of_the_plate_table(copy: Path) -> None:
    add(copy / "config/plates.toml", PATTERN)
    code = (
        "from edge import resources; from edge.core.plate.table import parse\n"
        "plate = parse(*resources.config_text('plates.toml')).read('LA 123 456', 'one_line', 0.9)\n"
        "print(plate.text, plate.kind)"
    )
    assert run(copy, "-c", code).stdout.split() == ["LA123456", "la_vehicle"]


def test_a_modbus_module_is_a_row_and_holds_the_suite_of_every_board(copy: Path) -> None:
    add(copy / "firmware_io/boards.toml", PROFILE)
    add(copy / "tests/boom/test_acme.py", PROFILE_TEST)
    held = run(copy, "-m", "pytest", "-q", "-x", "tests/boom/test_acme.py")
    assert held.returncode == 0, held.stdout
    assert held.stdout.startswith("......."), held.stdout


def test_a_new_kind_of_board_is_a_module_its_name_and_its_line(copy: Path) -> None:
    add(copy / "firmware_io/acme.py", BOARD)
    add(copy / "firmware_io/board.py", '"acme", ', before='"modbus_rtu", "modbus_tcp", "rtu_over_tcp"')
    boards = copy / "firmware_io/boards.py"
    add(boards, "from firmware_io.acme import AcmeBoard\n", before="from firmware_io.board import")
    add(boards, '        case "acme":\n            return AcmeBoard(settings)\n', before='        case "gpio":')
    add(copy / "tests/boom/test_acme.py", BOARD_TEST)
    held = run(copy, "-m", "pytest", "-q", "-x", "tests/boom/test_acme.py")
    assert held.returncode == 0, held.stdout
    assert held.stdout.startswith("......."), held.stdout
