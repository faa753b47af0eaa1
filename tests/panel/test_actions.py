"""The action table: what is missing is found by scripts/check; adding a press touches three places."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from edge.actions import load_actions
from edge.errors import ConfigError

ROOT = Path(__file__).parents[2]
ROW = """
[wave]
scope = "lane"
roles = ["guard"]
needs = ["reason"]
handler = "boom.wave"
offered = ["always"]
shown = "more"
"""
METHOD = '''
    async def wave(self, action: Action) -> ActionResult:
        """Seen by nobody but the record."""
        return await self._boom(action, "closing")
'''
WORDS = '\n[wave_reason]\nkind = { vi = "Chào", en = "Hello" }\n'
LABEL = '[action]\nwave = { vi = "Vẫy tay", en = "Wave" }\n'
PRESSED = """
import tempfile
from pathlib import Path
from tests.lane.world import World
world = World(Path(tempfile.mkdtemp()))
world.arrives()
assert "wave" in world.view()["actions"]
assert world.run(world.press("wave")).code == "reason_needed"
assert world.run(world.press("wave", reason="kind")).done
print("pressed")
"""


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout of one's own."""
    copy = tmp_path_factory.mktemp("copy")
    for name in ("edge", "firmware_io", "tests", "config", "scripts"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__", "data", "*.onnx"))
    return copy


@pytest.fixture
def copy(copied: Path) -> Path:
    for path in ("edge/actions.toml", "edge/agent", "edge/panel"):
        if (ROOT / path).is_file():
            shutil.copy(ROOT / path, copied / path)
        else:
            shutil.copytree(ROOT / path, copied / path, dirs_exist_ok=True)
    return copied


def run(copy: Path, *args: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run([sys.executable, *args], cwd=copy, env=env, capture_output=True, text=True, check=False)


def file_of(copy: Path, name: str) -> Path:
    return next((copy / "edge").rglob(name))


def append(path: Path, text: str) -> None:
    path.write_text(path.read_text(encoding="utf-8") + text, encoding="utf-8")


def checked(copy: Path) -> subprocess.CompletedProcess[str]:
    return run(copy, "scripts/check_actions.py")


def test_a_new_press_is_a_row_a_method_and_its_words(copy: Path) -> None:
    append(copy / "edge/actions.toml", ROW)
    append(copy / "edge/agent/actions/boom.py", METHOD)
    words = file_of(copy, "messages.toml")
    words.write_text(words.read_text(encoding="utf-8").replace("[action]\n", LABEL, 1) + WORDS, encoding="utf-8")
    assert checked(copy).returncode == 0, checked(copy).stdout
    pressed = run(copy, "-c", PRESSED)
    assert pressed.stdout.strip() == "pressed", pressed.stderr


def test_a_press_without_a_handler_is_found_and_stops_the_start(copy: Path) -> None:
    """Seen: an action without a handler passed every check and ended the gate's process when it was pressed."""
    append(copy / "edge/actions.toml", ROW)
    assert "wave.handler: no such method: boom.wave" in checked(copy).stdout
    assert checked(copy).returncode == 1
    started = run(copy, "-c", PRESSED)
    assert "ConfigError: actions.toml: wave.handler: no such method: boom.wave" in started.stderr


@pytest.mark.parametrize(
    ("was", "now", "fault"),
    [
        ('"guard", "shift_leader", "customs", "yard_operator"', '"gaurd", "shift_leader"', "no such role: gaurd"),
        ('handler = "boom.stop"', 'handler = "boom.stpo"', "no such method: boom.stpo"),
        ("[turn_away]", "[turn_round]", "no words: [turn_round_reason]"),
        ("[confirm]", "[conform]", "no words: action.conform"),
        ('title = "seals.title"', 'title = "seals.ttle"', "no words: seals.ttle"),
    ],
)
def test_what_a_row_lacks_is_named(copy: Path, was: str, now: str, fault: str) -> None:
    table = copy / "edge/actions.toml"
    text = table.read_text(encoding="utf-8")
    assert was in text
    table.write_text(text.replace(was, now, 1), encoding="utf-8")
    assert fault in checked(copy).stdout


def test_a_word_that_the_table_does_not_know_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "actions.toml"
    path.write_text(ROW.replace('"always"', '"alwys"').replace("shown", "showm"), encoding="utf-8")
    with pytest.raises(ConfigError) as error:
        load_actions(path)
    assert {fault.split(":")[0] for fault in error.value.faults} == {"wave.offered.0", "wave.showm"}
