"""`barie doctor` on a board: what is wrong is told apart, over a pseudo-terminal with the simulated module behind."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import serial

from edge.technician import board_check
from edge.technician.board_check import Verdict, check_board, check_inputs
from firmware_io.board import BoardSettings, InputWiring
from firmware_io.safety import BarrierSettings
from firmware_io.sim import SimBoard
from firmware_io.sim_world import World
from firmware_io.terms import INPUTS, InputName, OutputName

BARRIER = BarrierSettings()


@pytest.fixture
def sim(tmp_path: Path) -> Iterator[SimBoard]:
    board = SimBoard(World(), link=tmp_path / "boom", unit=3)
    board.start()
    yield board
    board.close()


def look(settings: BoardSettings) -> list[Verdict]:
    return list(check_board(settings, BARRIER))


def test_a_barrier_at_rest_is_good_and_its_inputs_are_told(sim: SimBoard) -> None:
    (verdict,) = look(sim.settings())
    assert verdict.mark == "ok"
    assert "limit_closed on" in verdict.words
    assert "unit 3" in verdict.words


def test_no_device_says_what_is_there_instead(sim: SimBoard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = sim.settings()
    sim.unplug()
    monkeypatch.setattr(board_check, "BY_ID", tmp_path / "by-id")
    (verdict,) = look(settings)
    assert verdict.mark == "FAIL"
    assert "no such device" in verdict.words
    assert "no serial device is plugged in at all" in verdict.words
    (tmp_path / "by-id").mkdir()
    (tmp_path / "by-id" / "usb-1a86-if00").touch()
    assert "usb-1a86-if00" in look(settings)[0].words


def test_no_gpio_chip_says_which_there_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = BoardSettings(kind="gpio", port=str(tmp_path / "gpiochip4"), outputs={"open": 17})
    monkeypatch.setattr(board_check, "DEV", tmp_path)
    assert "no GPIO chip at all" in look(settings)[0].words
    (tmp_path / "gpiochip0").touch()
    (verdict,) = look(settings)
    assert verdict.mark == "FAIL"
    assert "no such device" in verdict.words
    assert verdict.words.endswith("there are: " + str(tmp_path / "gpiochip0"))


def test_a_module_that_does_not_answer_over_tcp_is_told() -> None:
    outputs: dict[OutputName, int] = {"open": 1}
    settings = BoardSettings(
        kind="modbus_tcp", profile="adam-6060", host="127.0.0.1", tcp_port=1, inputs={"photocell": 1}, outputs=outputs
    )
    (verdict,) = look(settings)
    assert verdict.mark == "FAIL"
    assert "127.0.0.1:1: cannot be opened; is it connected and powered" in verdict.words


def test_no_permission_names_the_group_and_the_udev_rule(sim: SimBoard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)
    (verdict,) = look(sim.settings())
    assert verdict.mark == "FAIL"
    assert "not permitted" in verdict.words
    assert "usermod -aG" in verdict.words
    assert "/etc/udev/rules.d" in verdict.words


def test_a_wrong_baud_rate_is_named_with_the_right_one(sim: SimBoard) -> None:
    sim.line.baud = 19200
    assert look(replace(sim.settings(), baud=19200))[0].mark == "ok"
    (verdict,) = look(sim.settings())
    assert verdict.mark == "FAIL"
    assert verdict.words.endswith("A module answers with baud = 19200.")


def test_a_wrong_unit_is_named_with_the_right_one(sim: SimBoard) -> None:
    (verdict,) = look(replace(sim.settings(), unit=7))
    assert verdict.mark == "FAIL"
    assert verdict.words.endswith("A module answers with unit = 3.")


def test_both_wrong_are_named_together(sim: SimBoard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(board_check, "TRY_S", 0.05)
    sim.line.baud = 19200
    (verdict,) = look(replace(sim.settings(), unit=2))
    assert verdict.words.endswith("A module answers with baud = 19200 and unit = 3.")


def test_a_silent_line_says_what_was_tried_and_what_to_look_at(sim: SimBoard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(board_check, "BAUDS", (9600, 19200))
    monkeypatch.setattr(board_check, "UNITS", (1, 2))
    monkeypatch.setattr(board_check, "TRY_S", 0.05)
    sim.line.silent = True
    (verdict,) = look(sim.settings())
    assert verdict.mark == "FAIL"
    assert "Nothing answers at 9600, 19200 baud and units 1 to 2: check power, A and B" in verdict.words


def test_a_line_in_use_says_so(sim: SimBoard) -> None:
    with serial.Serial(sim.port, exclusive=True):
        (verdict,) = look(sim.settings())
    assert verdict.mark == "FAIL"
    assert "where the agent runs, stop it first" in verdict.words


def test_looking_moves_nothing(sim: SimBoard) -> None:
    look(sim.settings())
    look(replace(sim.settings(), unit=7))
    assert sim.energised == []
    assert not any(sim.coils())


def inverted(sim: SimBoard, *names: InputName) -> BoardSettings:
    wires = sim.settings().wiring()
    return replace(
        sim.settings(), inputs={n: InputWiring(w.channel, normally_closed=n in names) for n, w in wires.items()}
    )


@pytest.mark.parametrize(
    ("names", "mark", "words"),
    [
        (("limit_open",), "FAIL", "both limits at once: one of them is wired inverted"),
        (("limit_closed",), "FAIL", "neither limit"),
        (("limit_open", "limit_closed"), "warn", "both wired inverted"),
        (("photocell",), "FAIL", "photocell says that something is under an arm that is down: it is wired inverted"),
        (("safety_loop",), "FAIL", "turn normally_closed of safety_loop round"),
        (("presence",), "warn", "presence is on: if no vehicle stands there, it is wired inverted"),
    ],
)
def test_inputs_wired_inverted_are_named(sim: SimBoard, names: tuple[InputName, ...], mark: str, words: str) -> None:
    first, *others = look(inverted(sim, *names))
    assert first.mark == "ok", "it answers"
    assert [(one.mark, words in one.words) for one in others] == [(mark, True)]


@pytest.mark.parametrize("name", [name for name in INPUTS if name not in ("limit_open", "limit_closed", "exit_loop")])
def test_every_input_that_contradicts_a_barrier_at_rest_is_named(name: InputName) -> None:
    rest: dict[InputName, bool] = {**dict.fromkeys(INPUTS, False), "limit_closed": True, "mains_ok": True}
    barrier = BarrierSettings(inputs=INPUTS)
    assert list(check_inputs(rest, barrier)) == []
    (verdict,) = check_inputs({**rest, name: not rest[name]}, barrier)
    assert name in verdict.words
    assert "normally_closed" in verdict.words
    assert verdict.mark == ("warn" if name == "presence" else "FAIL")
