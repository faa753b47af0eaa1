"""The wiring diagram of what was chosen, and the walk that proves it, with the simulated boom."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import sleep
from xml.etree import ElementTree

import pytest

from edge.config import Config, parse_config
from edge.technician import signed, walk, wiring
from edge.technician.board_check import check_board
from firmware_io.sim import SimBoard
from firmware_io.sim_world import World, WorldSettings
from firmware_io.terms import InputName
from tests.boom.vendors.lines import Pty
from tests.boom.vendors.modules import Waveshare

ROOT = Path(__file__).parents[2]
LANE = """
[site]
id = "thu"
name = {{ vi = "Thử", en = "Trial" }}
data_dir = "{folder}/data"
[[lane]]
id = "b1-out"
name = {{ vi = "Làn <1>", en = "Lane & 1" }}
place = "b1"
direction = "out_of_area"
[[lane.camera]]
id = "c"
url = "rtsp://192.0.2.10/s"
[lane.board]
port = "{port}"
{wires}
[lane.barrier]
inputs = ["presence", "photocell", "limit_open", "limit_closed"]
settle_s = 2.0
"""
WIRES = """inputs = { presence = 1, photocell = 3, limit_open = 4, limit_closed = 5 }
outputs = { open = 1, close = 2, stop = 3 }"""


PAIR = "high_beam = { channel = 8, antivalent = 7 }"
HIGH = f"""inputs = {{ presence = 1, photocell = 3, limit_open = 4, limit_closed = 5, {PAIR} }}
outputs = {{ open = 1, close = 2, stop = 3, beam_test = 7 }}"""


def config_of(folder: Path, port: str, wires: str = WIRES, barrier: str = "") -> Config:
    text = LANE.format(folder=folder, port=port, wires=wires) + barrier
    if "high_beam" in wires:
        text = text.replace('"limit_closed"]', '"limit_closed", "high_beam"]\ntested = ["photocell", "high_beam"]')
    return parse_config(text, "gate.toml")


@pytest.fixture
def sim(tmp_path: Path) -> Iterator[SimBoard]:
    board = SimBoard(World(WorldSettings(open_s=0.6, close_s=1.6)), link=tmp_path / "board")
    board.start()
    yield board
    board.close()


class Installer:
    """Does what the walk asks for. `lazy` never touches that sensor; `asked` is what was put to him."""

    def __init__(self, sim: SimBoard, lazy: str = "") -> None:
        self.sim, self.lazy = sim, lazy
        self.asked: list[str] = []

    def __call__(self, line: str) -> str:
        self.asked.append(line)
        stuck = self.sim.world.knobs.stuck
        name: InputName = "presence"
        if "high beam" in line:
            name = "high_beam"
        elif "beam" in line.lower() or "photocell" in line.lower():
            name = "photocell"
        if "let go" in line:
            stuck.pop(name, None)
        elif "Press Enter" in line:
            if name != self.lazy:
                stuck[name] = True
        elif "interrupt" in line and name != self.lazy:
            self.interrupt_when_it_comes_down(name)
        return ""

    def interrupt_when_it_comes_down(self, name: InputName) -> None:
        from threading import Thread

        def rod() -> None:
            while self.sim.world.state().motor != "down":
                sleep(0.01)
            self.sim.world.knobs.stuck[name] = True

        Thread(target=rod, daemon=True).start()


def test_a_whole_walk_is_on_record_and_doctor_knows_it(
    sim: SimBoard, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = config_of(tmp_path, sim.port)
    (lane,) = config.lane
    data_dir = Path(config.site.data_dir)
    assert walk.last(lane, data_dir) == (False, "no walk test on record")
    installer = Installer(sim)
    status = walk.run(config, "b1-out", "Kỹ thuật A", installer, "en", wait_s=20.0)
    told = capsys.readouterr().out
    assert status == 0, told
    assert [line.split()[1] for line in told.splitlines()[:-1]] == [
        "sensor:presence", "sensor:photocell", "open", "reversal:photocell", "close",
    ]  # fmt: skip
    passed, words = walk.last(lane, data_dir)
    assert passed
    assert "Kỹ thuật A, 5 steps passed" in words
    (record,) = (data_dir / walk.FOLDER).iterdir()
    assert signed.check(record.read_text(encoding="utf-8"), data_dir)
    other = config_of(tmp_path, sim.port, WIRES.replace("photocell = 3", "photocell = 6")).lane[0]
    assert walk.last(other, data_dir)[0] is False, "another wiring wants another walk"
    record.write_text(record.read_text(encoding="utf-8").replace("Kỹ thuật A", "Kỹ thuật B"), encoding="utf-8")
    assert "changed after it was signed" in walk.last(lane, data_dir)[1]


def test_a_walk_is_due_again_after_the_lane_s_period(tmp_path: Path) -> None:
    (lane,) = config_of(tmp_path, "/dev/ttyUSB7").lane
    walk.record(lane, [walk.Step("open", "passed")], "A", tmp_path)
    at = datetime.now(UTC)
    assert walk.last(lane, tmp_path, at + timedelta(days=179))[0]
    passed, words = walk.last(lane, tmp_path, at + timedelta(days=181))
    assert not passed
    assert "days ago: due every 180 days" in words


def test_a_setting_that_a_later_version_brings_wants_no_new_walk(tmp_path: Path) -> None:
    (lane,) = config_of(tmp_path, "/dev/ttyUSB7").lane
    same = lane.model_copy(update={"barrier": replace(lane.barrier, test_s=lane.barrier.test_s)})
    other = lane.model_copy(update={"barrier": replace(lane.barrier, min_clear_s=3.0)})
    assert walk.fingerprint(lane) == walk.fingerprint(same) != walk.fingerprint(other)


def test_a_walk_past_a_high_beam_a_pair_of_contacts_and_the_beams_test(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    world = World(WorldSettings(open_s=0.6, close_s=1.6))
    inputs: dict[InputName, int] = {"presence": 1, "photocell": 3, "limit_open": 4, "limit_closed": 5, "high_beam": 8}
    sim = SimBoard(world, link=tmp_path / "board", inputs=inputs, opposite={8: 7})
    sim.start()
    config = config_of(tmp_path, sim.port, HIGH)
    status = walk.run(config, "b1-out", "A", Installer(sim), "en", wait_s=20.0)
    told = capsys.readouterr().out
    sim.close()
    assert status == 0, told
    assert [line.split()[1] for line in told.splitlines()[:-1]] == [
        "sensor:presence", "sensor:photocell", "sensor:high_beam", "open", "test", "reversal:photocell",
        "reversal:high_beam", "close",
    ]  # fmt: skip


def test_a_sensor_that_never_changes_fails_the_walk(
    sim: SimBoard, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = config_of(tmp_path, sim.port)
    installer = Installer(sim, lazy="presence")

    def ask(line: str) -> str:
        installer(line)
        return "s" if "OPEN" in line else ""

    assert walk.run(config, "b1-out", "A", ask, "en", wait_s=3.0) == 1
    told = capsys.readouterr().out
    assert "failed    sensor:presence: did not change; nothing did" in told
    assert "passed    sensor:photocell" in told
    assert "left out  open" in told
    assert "did not pass" in walk.last(config.lane[0], Path(config.site.data_dir))[1]


def test_the_diagram_shows_each_wire_of_the_config(tmp_path: Path) -> None:
    wires = WIRES.replace("photocell = 3", "photocell = { channel = 3, normally_closed = true }")
    (lane,) = config_of(tmp_path, "/dev/ttyUSB7", wires).lane
    path = wiring.write(lane, tmp_path, "vi")
    assert path.name == "wiring-b1-out.svg"
    root = ElementTree.parse(path).getroot()  # noqa: S314 - our own file
    texts = [element.text or "" for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert "Làn <1> · Lane & 1 (b1-out)" in texts
    assert any("(photocell), thường đóng" in text for text in texts)
    assert any("(presence), thường mở" in text for text in texts)
    assert {"DI 1 + COM", "DI 3 + COM", "DI 4 + COM", "DI 5 + COM"} <= set(texts)
    assert {"1: COM + NO", "2: COM + NO", "3: COM + NO"} <= set(texts)
    assert any("Waveshare Modbus RTU Relay (D)" in text for text in texts)
    assert any("0x1000" in text for text in texts), "what has to be set in the module stands on it"


def test_doctor_refuses_a_module_whose_inputs_switch_its_relays(tmp_path: Path) -> None:
    module = Waveshare()
    module.modes[0] = 2
    line = Pty(module)
    (lane,) = config_of(tmp_path, line.port).lane
    verdicts = list(check_board(lane.board, lane.barrier))
    line.close()
    assert [verdict.mark for verdict in verdicts] == ["FAIL"]
    assert "relay 1 is switched by an input of the module itself (control mode 2)" in verdicts[0].words
