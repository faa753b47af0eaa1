"""Boards by their real protocols: our Modbus against the simulated board on a pseudo-terminal; LCUS bytes."""

from __future__ import annotations

import os
import socketserver
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest
import serial

from firmware_io import framing
from firmware_io.board import (
    BadAnswer,
    Board,
    BoardError,
    BoardSettings,
    InputWiring,
    NoAnswer,
    NoDevice,
    NoPermission,
)
from firmware_io.boards import open_board
from firmware_io.modbus import load_profile, make_profile, profiles
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


def test_a_line_that_another_program_uses_is_told(sim: SimBoard) -> None:
    with serial.Serial(sim.port, exclusive=True), pytest.raises(NoDevice, match="used by nothing else"):
        open_board(sim.settings())


def test_two_lanes_on_one_module_share_its_line_and_no_relay(sim: SimBoard, board: Board) -> None:
    with pytest.raises(BoardError, match=r"channel 1 of unit 1 .* is another lane's"):
        open_board(sim.settings())
    other = open_board(replace(sim.settings(), outputs={"open": 7, "close": 8}))
    for _ in range(20):
        assert other.read_inputs() == board.read_inputs()
    other.pulse("open", 5.0)
    assert sim.coils()[6]
    other.close()
    assert board.read_inputs()["limit_closed"] is True, "one lane's end does not take the line away from the other"
    with pytest.raises(BoardError, match="other kind, baud"):
        open_board(replace(sim.settings(), outputs={"open": 7}, baud=19200))


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


@pytest.mark.parametrize("name", profiles())
def test_a_profile_that_ships_is_whole_and_says_where_it_is_from(name: str) -> None:
    profile = make_profile(name, profiles()[name])
    assert profile.source
    assert profile.watchdog
    assert (profile.inputs == 0) == (profile.input_function == 0)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"profile": "none-such"}, "board.profile"),
        ({"profile": "adam-6060"}, "board.kind"),
        ({"profile": "eletechsup-r421a08", "unit": 64}, "board.unit: .* up to 63"),
        ({"outputs": {"open": 9}}, "board.outputs.*channel 9"),
        ({"inputs": {"presence": 9}}, "board.inputs.*channel 9"),
    ],
)
def test_a_profile_that_does_not_fit_is_told(change: dict[str, Any], says: str) -> None:
    with pytest.raises(BoardError, match=says):
        load_profile(replace(BoardSettings(port="/dev/x", outputs={"open": 1}), **change))


class Module(socketserver.ThreadingTCPServer):
    """A module that speaks Modbus TCP: its inputs as coils, as an ADAM-6060 has them, or as discrete inputs."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Speaker)
        self.coils = [False] * 32
        self.inputs = [False] * 32


class Speaker(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        server: Any = self.server
        while head := self.rfile.read(7):
            body = self.rfile.read(int.from_bytes(head[4:6], "big") - 1)
            address, word = int.from_bytes(body[1:3], "big"), int.from_bytes(body[3:5], "big")
            reply = body
            if body[0] in (framing.READ_COILS, framing.READ_INPUTS):
                bits = (server.coils if body[0] == framing.READ_COILS else server.inputs)[address : address + word]
                reply = bytes([body[0], 1, sum(bit << place for place, bit in enumerate(bits))])
            else:
                server.coils[address] = word == 0xFF00
            self.wfile.write(head[:4] + (len(reply) + 1).to_bytes(2, "big") + head[6:7] + reply)


@pytest.fixture
def module() -> Iterator[Module]:
    server = Module()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def test_an_iologik_s_inputs_are_discrete_and_its_relays_coils_from_0(module: Module) -> None:
    settings = BoardSettings(
        kind="modbus_tcp", profile="iologik-e1214", host="127.0.0.1", tcp_port=module.server_address[1],
        inputs={"presence": 1, "photocell": 6}, outputs={"open": 1, "close": 6},
    )  # fmt: skip
    board = open_board(settings)
    module.inputs[5] = True
    module.coils[0] = True
    assert board.read_inputs() == {"presence": False, "photocell": True}
    board.set_output("open", False)
    board.pulse("close", 60.0)
    assert [n for n, on in enumerate(module.coils) if on] == [5]
    assert not board.timed_by_board
    board.close()
    wait_for(lambda: not any(module.coils))


def test_modbus_tcp_with_pulses_held_by_this_process(module: Module) -> None:
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
