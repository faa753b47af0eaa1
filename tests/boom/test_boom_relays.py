"""LCUS relay boards by their bytes on a pseudo-terminal; GPIO at the library's boundary, where there is no chip."""

from __future__ import annotations

import errno
import inspect
import os
import select
import tty
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from firmware_io import devices, framing
from firmware_io.board import (
    BoardError,
    BoardSettings,
    HeldPulses,
    InputWiring,
    NoAnswer,
    NoDevice,
    NoPermission,
)
from firmware_io.boards import open_board
from firmware_io.gpio import GpioBoard
from firmware_io.link import BoardLink


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


def test_lcus_is_released_by_the_link_at_first_and_ends_its_pulses(lcus: tuple[int, BoardSettings]) -> None:
    master, settings = lcus
    board = open_board(settings)
    assert heard(master) == [], "opening alone, as the doctor does, moves nothing"
    link = BoardLink(lambda: board, lambda: 0.0)
    assert link.read() is not None
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
    with pytest.raises(BoardError, match=r"pip install 'gpiod>=2\.5'"):
        open_board(BoardSettings(kind="gpio", port="/dev/gpiochip0", outputs={"open": 17}))


GPIO = BoardSettings(kind="gpio", port="/dev/gpiochip0", inputs={"presence": 4}, outputs={"open": 17})


def test_gpio_s_boundary_is_what_the_library_of_version_2_really_offers(tmp_path: Path) -> None:
    """No chip is needed to make its settings and to see that it takes our arguments."""
    import gpiod

    asked: dict[str, Any] = {}
    real = inspect.signature(gpiod.request_lines)

    def request_lines(*args: Any, **kwargs: Any) -> Lines:
        asked.update(real.bind(*args, **kwargs).arguments)
        return Lines(asked["config"])

    spy = SimpleNamespace(line=gpiod.line, LineSettings=gpiod.LineSettings, request_lines=request_lines)
    chip = tmp_path / "gpiochip0"
    chip.touch()
    wires = {"presence": InputWiring(4, normally_closed=True)}
    GpioBoard(replace(GPIO, port=str(chip), inputs=wires), gpiod=spy)  # type: ignore[arg-type]
    assert (asked["path"], asked["consumer"]) == (str(chip), "barie")
    told, relay = asked["config"][4], asked["config"][17]
    assert (told.direction, told.active_low) == (gpiod.line.Direction.INPUT, True)
    assert (relay.direction, relay.output_value) == (gpiod.line.Direction.OUTPUT, gpiod.line.Value.INACTIVE)
    for method, arguments in (("get_values", ([4],)), ("set_value", (17, gpiod.line.Value.ACTIVE)), ("release", ())):
        inspect.signature(getattr(gpiod.LineRequest, method)).bind(None, *arguments)


def test_gpio_on_what_is_no_chip_is_told_by_the_real_library(tmp_path: Path) -> None:
    (tmp_path / "gpiochip0").touch()
    for port in (str(tmp_path / "gpiochip0"), "/dev/null"):
        with pytest.raises(NoDevice, match="no GPIO chip"):
            open_board(replace(GPIO, port=port))


@pytest.mark.parametrize(
    ("number", "kind", "says"),
    [
        (errno.EBUSY, NoDevice, "something else uses one of them"),
        (errno.EINVAL, NoDevice, "no line of this chip"),
        (errno.EACCES, NoPermission, "not permitted"),
    ],
)
def test_gpio_lines_that_the_kernel_does_not_give(
    tmp_path: Path, number: int, kind: type[BoardError], says: str
) -> None:
    def refuse(*_: Any, **__: Any) -> Any:
        raise OSError(number, os.strerror(number))

    library = fake_gpiod()
    library.request_lines = refuse
    chip = tmp_path / "gpiochip0"
    chip.touch()
    with pytest.raises(kind, match=says):
        GpioBoard(replace(GPIO, port=str(chip)), gpiod=library)


def test_gpio_with_debian_s_old_library_says_which_one_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.import_module", lambda name: SimpleNamespace(Chip=object))
    with pytest.raises(BoardError, match=r"version 1.*version 2.*gpiod>=2\.5"):
        open_board(GPIO)


@pytest.mark.parametrize(
    ("name", "gid", "says"),
    [
        ("gpiochip0", 0, r'group root: set the udev rule SUBSYSTEM=="gpio", GROUP="gpio".*usermod -aG gpio'),
        ("ttyUSB0", 0, r'SUBSYSTEM=="tty", GROUP="dialout".*usermod -aG dialout'),
        ("ttyUSB0", 20, r'^\S+: not permitted; add this account to group dialout.*udev rule: SUBSYSTEM=="tty"'),
        ("ttyUSB0", 4242, "group 4242"),
    ],
)
def test_no_permission_names_the_group_that_helps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, gid: int, says: str
) -> None:
    device = tmp_path / name
    device.touch()
    groups = {0: "root", 20: "dialout"}
    monkeypatch.setattr(devices, "_group_of", lambda path: (gid, groups.get(gid, str(gid))))
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(NoPermission, match=says):
        devices.check_device(str(device))


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
