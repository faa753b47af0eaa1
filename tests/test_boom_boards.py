"""Boards by their real protocols: pymodbus against the simulated board on a pseudo-terminal, LCUS bytes on another."""

from __future__ import annotations

import os
import select
import socketserver
import threading
import tty
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from time import monotonic, sleep
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from firmware_io import framing
from firmware_io.board import (
    BadAnswer,
    Board,
    BoardError,
    BoardSettings,
    HeldPulses,
    InputWiring,
    NoAnswer,
    NoDevice,
    NoPermission,
    wiring_faults,
)
from firmware_io.boards import open_board
from firmware_io.gpio import GpioBoard
from firmware_io.modbus import load_profile
from firmware_io.safety import BarrierSettings
from firmware_io.sim import SimBoard
from firmware_io.sim_world import World


def wait_for(is_so: Callable[[], bool], within_s: float = 5.0) -> None:
    deadline_s = monotonic() + within_s
    while not is_so():
        assert monotonic() < deadline_s, "did not come about in time"
        sleep(0.005)


@pytest.fixture
def sim() -> Iterator[SimBoard]:
    board = SimBoard(World())
    board.start()
    yield board
    board.close()


@pytest.fixture
def board(sim: SimBoard) -> Iterator[Board]:
    opened = open_board(sim.settings())
    yield opened
    opened.close()


def test_inputs_are_read(sim: SimBoard, board: Board) -> None:
    assert board.read_inputs() == {
        "presence": False, "safety_loop": False, "photocell": False, "limit_open": False, "limit_closed": True,
    }  # fmt: skip
    sim.world.knobs.stuck = {"presence": True}
    assert board.read_inputs()["presence"] is True


def test_normally_closed_wiring_is_undone(sim: SimBoard) -> None:
    inputs = {"presence": InputWiring(1, normally_closed=True), "limit_closed": InputWiring(5)}
    opened = open_board(replace(sim.settings(), inputs=inputs))  # type: ignore[arg-type]
    assert opened.read_inputs() == {"presence": True, "limit_closed": True}
    opened.close()


def test_a_pulse_is_ended_by_the_board_itself(sim: SimBoard, board: Board) -> None:
    board.pulse("open", 0.3)
    assert board.timed_by_board
    assert sim.coils()[0], "energised when the answer came"
    wait_for(lambda: not sim.coils()[0])


def test_an_output_is_released_before_its_pulse_ended(sim: SimBoard, board: Board) -> None:
    board.pulse("open", 60.0)
    assert sim.coils()[0]
    board.set_output("open", False)
    assert not sim.coils()[0]


def test_a_silent_board_and_a_wrong_unit_give_no_answer(sim: SimBoard, board: Board) -> None:
    sim.line.silent = True
    with pytest.raises(NoAnswer, match="unit id or baud"):
        board.read_inputs()
    sim.line.silent = False
    board.read_inputs()
    board.close()
    other = open_board(replace(sim.settings(), unit=9))
    with pytest.raises(NoAnswer, match="unit 9"):
        other.read_inputs()
    other.close()


@pytest.mark.parametrize("knob", ["bad_crc", "half_frame"])
def test_a_spoilt_answer_is_a_bad_one_and_the_next_is_read_again(sim: SimBoard, board: Board, knob: str) -> None:
    setattr(sim.line, knob, 1.0)
    with pytest.raises(BadAnswer, match="baud rate"):
        board.read_inputs()
    setattr(sim.line, knob, 0.0)
    assert board.read_inputs()["limit_closed"] is True


def test_a_late_answer_is_not_taken_for_the_next_one(sim: SimBoard, board: Board) -> None:
    sim.line.late_s = 0.4
    with pytest.raises(BoardError):
        board.read_inputs()
    sim.line.late_s = 0.0
    wait_for(lambda: _reads(board))
    sim.world.knobs.stuck = {"presence": True}
    assert board.read_inputs()["presence"] is True


def _reads(board: Board) -> bool:
    try:
        board.read_inputs()
    except BoardError:
        return False
    return True


def test_unplugged_is_no_device_and_a_new_one_is_found_by_its_stable_name(tmp_path: Path) -> None:
    sim = SimBoard(World(), link=tmp_path / "boom")
    sim.start()
    board = open_board(sim.settings())
    board.read_inputs()
    sim.unplug()
    with pytest.raises(NoDevice):
        board.read_inputs()
    board.close()
    with pytest.raises(NoDevice, match="no such device"):
        open_board(sim.settings())
    sim.replug()
    again = open_board(sim.settings())
    assert again.read_inputs()["limit_closed"] is True
    again.close()
    sim.close()


def test_a_line_that_is_in_use_is_told(sim: SimBoard, board: Board) -> None:
    with pytest.raises(NoDevice, match="used by nothing else"):
        open_board(sim.settings())


def test_no_permission_names_group_and_rule(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    device = tmp_path / "ttyUSB0"
    device.touch()
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(NoPermission, match=r"group \w+.*udev"):
        open_board(BoardSettings(port=str(device), outputs={"open": 1}))


def test_profiles_are_data_and_a_site_adds_its_own(tmp_path: Path) -> None:
    path = tmp_path / "boards.toml"
    settings = BoardSettings(port="/dev/x", outputs={"open": 1}, profile="mine", profiles=str(path))
    text = (Path(load_profile.__code__.co_filename).with_name("boards.toml")).read_text(encoding="utf-8")
    path.write_text(text.replace("[waveshare-8ch]", "[mine]"), encoding="utf-8")
    assert load_profile(settings).flash_address == 0x0200
    path.write_text("[mine]\ntitle = 'x'\nodd_key = 1\n", encoding="utf-8")
    with pytest.raises(BoardError, match="odd_key"):
        load_profile(settings)
    path.write_text("[mine", encoding="utf-8")
    with pytest.raises(BoardError, match=r"boards\.toml"):
        load_profile(settings)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"profile": "none-such"}, "board.profile"),
        ({"profile": "adam-6060"}, "board.kind"),
        ({"outputs": {"open": 9}}, "board.outputs.*channel 9"),
        ({"inputs": {"presence": 9}}, "board.inputs.*channel 9"),
    ],
)
def test_a_profile_that_does_not_fit_is_told(change: dict[str, Any], says: str) -> None:
    with pytest.raises(BoardError, match=says):
        load_profile(replace(BoardSettings(port="/dev/x", outputs={"open": 1}), **change))


# ---------------------------------------------------------------- Modbus TCP, pulses held by this process


class Module(socketserver.ThreadingTCPServer):
    """A module that speaks Modbus TCP with coils only, as an ADAM-6060 does."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Speaker)
        self.coils = [False] * 32


class Speaker(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        server: Any = self.server
        while head := self.rfile.read(7):
            body = self.rfile.read(int.from_bytes(head[4:6], "big") - 1)
            address, word = int.from_bytes(body[1:3], "big"), int.from_bytes(body[3:5], "big")
            reply = body
            if body[0] == framing.READ_COILS:
                bits = server.coils[address : address + word]
                reply = bytes([1, 1, sum(bit << place for place, bit in enumerate(bits))])
            else:
                server.coils[address] = word == 0xFF00
            self.wfile.write(head[:4] + (len(reply) + 1).to_bytes(2, "big") + head[6:7] + reply)


def test_modbus_tcp_with_pulses_held_by_this_process() -> None:
    module = Module()
    threading.Thread(target=module.serve_forever, daemon=True).start()
    settings = BoardSettings(
        kind="modbus_tcp", profile="adam-6060", host="127.0.0.1", tcp_port=module.server_address[1],
        inputs={"presence": 1, "limit_open": InputWiring(2, normally_closed=True)}, outputs={"open": 1, "close": 2},
    )  # fmt: skip
    board = open_board(settings)
    assert board.read_inputs() == {"presence": False, "limit_open": True}
    board.pulse("close", 0.05)
    assert module.coils[17], "the second relay of an ADAM-6060 is coil 17"
    assert not board.timed_by_board
    wait_for(lambda: bool(board.read_inputs()) and not module.coils[17])
    board.pulse("open", 60.0)
    board.close()
    wait_for(lambda: not module.coils[16])
    module.shutdown()
    module.server_close()


# ---------------------------------------------------------------- LCUS


@pytest.fixture
def lcus() -> Iterator[tuple[int, BoardSettings]]:
    master, slave = os.openpty()
    tty.setraw(slave)
    port = os.ttyname(slave)
    yield master, BoardSettings(kind="lcus", port=port, outputs={"open": 1, "close": 2}, accept_unacknowledged=True)
    for fd in (master, slave):
        os.close(fd)


def heard(master: int) -> list[tuple[int, bool]]:
    """All frames on the line until it has been quiet for a moment."""
    buffer = b""
    frames: list[tuple[int, bool]] = []
    while select.select([master], [], [], 0.1)[0]:
        buffer += os.read(master, 64)
    while True:
        frame, buffer = framing.lcus_take(buffer)
        if frame is None:
            assert buffer == b"", "nothing but whole frames"
            return frames
        frames.append(frame)


def test_lcus_releases_all_at_first_and_ends_its_pulses(lcus: tuple[int, BoardSettings]) -> None:
    master, settings = lcus
    board = open_board(settings)
    assert heard(master) == [(1, False), (2, False)]
    board.pulse("open", 0.01)
    assert heard(master) == [(1, True)]
    assert board.read_inputs() == {}
    assert heard(master) == [(1, False)]
    board.pulse("close", 60.0)
    board.close()
    assert heard(master) == [(2, True), (2, False)]


def test_lcus_only_where_a_site_accepts_that_it_never_answers(lcus: tuple[int, BoardSettings]) -> None:
    with pytest.raises(BoardError, match="accept_unacknowledged"):
        open_board(replace(lcus[1], accept_unacknowledged=False))


# ---------------------------------------------------------------- GPIO, at the library's boundary (no chip here)


class Lines:
    def __init__(self, config: dict[int, Any]) -> None:
        self.config, self.values, self.released = config, {}, False  # type: ignore[var-annotated]

    def get_values(self, offsets: list[int]) -> list[str]:
        return ["active" if self.values.get(offset) else "inactive" for offset in offsets]

    def set_value(self, offset: int, value: str) -> None:
        self.values[offset] = value == "active"

    def release(self) -> None:
        self.released = True


def fake_gpiod() -> Any:
    direction = SimpleNamespace(INPUT="in", OUTPUT="out")
    line = SimpleNamespace(Direction=direction, Value=SimpleNamespace(ACTIVE="active", INACTIVE="inactive"))
    return SimpleNamespace(
        line=line, LineSettings=lambda **kw: kw, request_lines=lambda path, consumer, config: Lines(config)
    )


def test_gpio_takes_its_lines_released_and_gives_them_back(tmp_path: Path) -> None:
    chip = tmp_path / "gpiochip0"
    chip.touch()
    wires = {"presence": InputWiring(4, normally_closed=True), "limit_open": InputWiring(5)}
    settings = BoardSettings(kind="gpio", port=str(chip), inputs=wires, outputs={"open": 17})  # type: ignore[arg-type]
    board = GpioBoard(settings, gpiod=fake_gpiod())
    lines: Any = board._lines
    assert lines.config[17] == {"direction": "out", "output_value": "inactive"}
    assert lines.config[4] == {"direction": "in", "active_low": True}
    lines.values[5] = True
    assert board.read_inputs() == {"presence": False, "limit_open": True}
    board.pulse("open", 60.0)
    assert lines.values[17]
    board.close()
    assert not lines.values[17]
    assert lines.released


def test_gpio_without_its_library_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> Any:
        raise ImportError(name)

    monkeypatch.setattr("importlib.import_module", missing)
    with pytest.raises(BoardError, match=r"barie\[gpio\]"):
        open_board(BoardSettings(kind="gpio", port="/dev/gpiochip0", outputs={"open": 17}))


# ---------------------------------------------------------------- settings


def test_a_held_pulse_that_could_not_be_ended_is_tried_again() -> None:
    written: list[tuple[str, bool]] = []
    now = [0.0]
    fails = [False]

    def write(output: str, on: bool) -> None:
        if fails[0]:
            raise NoAnswer("silent")
        written.append((output, on))

    held = HeldPulses(write, lambda: now[0])
    held.start("open", 0.5)
    now[0], fails[0] = 0.6, True
    with pytest.raises(NoAnswer):
        held.service()
    fails[0] = False
    held.service()
    held.service()
    assert written == [("open", True), ("open", False)]


@pytest.mark.parametrize(
    ("settings", "key"),
    [
        (BoardSettings(port="/dev/x"), "outputs"),
        (BoardSettings(outputs={"open": 1}), "port"),
        (BoardSettings(kind="modbus_tcp", outputs={"open": 1}), "host"),
        (BoardSettings(kind="lcus", port="/dev/x", outputs={"open": 1}), "accept_unacknowledged"),
        (BoardSettings(port="/dev/x", outputs={"open": 1, "close": 1}), "outputs: channel 1 is used twice"),
        (
            BoardSettings(port="/dev/x", outputs={"open": 1}, inputs={"presence": 2, "photocell": 2}),
            "inputs: channel 2",
        ),
        (BoardSettings(port="/dev/x", outputs={"open": 0}), "outputs: channel 0"),
        (BoardSettings(kind="gpio", port="/dev/x", outputs={"open": 4}, inputs={"presence": 4}), "inputs and outputs"),
        (BoardSettings(port="/dev/x", outputs={"open": 1}, unit=0), "unit"),
        (BoardSettings(port="/dev/x", outputs={"open": 1}, timeout_s=5.0), "timeout_s"),
        (BoardSettings(port="/dev/x", outputs={"open": 1}, baud=1), "baud"),
    ],
)
def test_contradictions_name_their_key(settings: BoardSettings, key: str) -> None:
    (fault,) = settings.faults()
    assert fault.startswith(key)


def test_wiring_and_barrier_must_agree() -> None:
    board = BoardSettings(port="/dev/x", inputs={"presence": 1, "fire": 2}, outputs={"open": 1})
    barrier = BarrierSettings(inputs=("presence", "photocell"))
    assert [fault.split(" ")[0] for fault in wiring_faults(board, barrier)] == [
        "barrier.inputs:", "board.inputs:", "board.outputs:",
    ]  # fmt: skip


def test_the_settings_are_checked_by_pydantic_as_the_configuration_does() -> None:
    adapter = TypeAdapter(BoardSettings)
    wires = '{"presence": 1, "fire": {"channel": 2, "normally_closed": true}}'
    text = f'{{"port": "/dev/x", "inputs": {wires}, "outputs": {{"open": 1}}}}'
    settings = adapter.validate_json(text, strict=True)
    assert settings.wiring() == {"presence": InputWiring(1), "fire": InputWiring(2, normally_closed=True)}
    with pytest.raises(ValidationError, match="relay_count"):
        adapter.validate_json('{"relay_count": 8}')
    barrier = TypeAdapter(BarrierSettings)
    assert barrier.validate_json('{"inputs": ["photocell"], "pulse_s": 1}', strict=True).inputs == ("photocell",)
    with pytest.raises(ValidationError, match="open_timout_s"):
        barrier.validate_json('{"open_timout_s": 8}')
