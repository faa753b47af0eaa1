"""What is wrong with a lane's board, told apart: no device, no permission, wrong speed or unit, inputs wired inverted.

Only ever reads. The barrier has to be at rest, its lane empty, and the agent stopped: a serial line has one user.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Literal, NamedTuple

from firmware_io.board import BadAnswer, BoardError, BoardSettings, NoAnswer, NoDevice
from firmware_io.boards import open_board
from firmware_io.terms import UNDER_ARM, BarrierSettings, InputName

BAUDS = (9600, 19200, 38400, 57600, 115200, 4800)
UNITS = tuple(range(1, 11))
TRY_S = 0.2
DEV = Path("/dev")
BY_ID = DEV / "serial" / "by-id"
NEVER_AT_REST: tuple[InputName, ...] = ("safety_edge", "arm_torn", "tamper", "fire", "manual_key")
SAYS = {True: "on", False: "off", None: "unknown"}
VEHICLES: tuple[InputName, ...] = ("presence", "exit_loop")


class Verdict(NamedTuple):
    mark: Literal["ok", "warn", "FAIL"]
    words: str


def check_board(settings: BoardSettings, barrier: BarrierSettings) -> Iterator[Verdict]:
    """First how the board answers; then, where it does, each input that contradicts a barrier at rest."""
    try:
        told, inputs = _ask(settings)
    except NoDevice as error:
        yield Verdict("FAIL", f"{error}{_devices(settings)}")
    except (NoAnswer, BadAnswer) as error:
        yield Verdict("FAIL", f"{error} {_found_elsewhere(settings)}")
    except BoardError as error:
        yield Verdict("FAIL", str(error))
    else:
        values = ", ".join(f"{name} {SAYS[value]}" for name, value in inputs.items())
        yield Verdict("ok", f"{told}: {values or 'it has no inputs: whether it is there cannot be known'}")
        yield from check_inputs(inputs, barrier)


def _ask(settings: BoardSettings) -> tuple[str, Mapping[InputName, bool | None]]:
    board = open_board(settings)
    try:
        board.check()
        return board.describe(), board.read_inputs()
    finally:
        board.close()


# ---------------------------------------------------------------- a board that is not where it should be


def _devices(settings: BoardSettings) -> str:
    if settings.kind == "modbus_tcp":
        return ""
    if Path(settings.port).exists():
        return "; where the agent runs, stop it first"
    if settings.kind == "gpio":
        return _there(DEV.glob("gpiochip*"), "this machine has no GPIO chip at all")
    return _there(BY_ID.glob("*") if BY_ID.is_dir() else (), "no serial device is plugged in at all")


def _there(paths: Iterable[Path], none: str) -> str:
    there = sorted(str(path) for path in paths)
    return f"; there are: {', '.join(there)}" if there else f"; {none}"


def _found_elsewhere(settings: BoardSettings) -> str:
    """At which speed or unit something does answer, so that one line of the config mends it."""
    if settings.kind != "modbus_rtu":
        return ""
    for baud, unit in _places(settings):
        if _answers(replace(settings, baud=baud, unit=unit, timeout_s=TRY_S)):
            wrong = [f"baud = {baud}"] if baud != settings.baud else []
            wrong += [f"unit = {unit}"] if unit != settings.unit else []
            return f"A module answers with {' and '.join(wrong) or 'these settings after all: the line is noisy'}."
    tried = f"{', '.join(map(str, sorted(BAUDS)))} baud and units {UNITS[0]} to {UNITS[-1]}"
    return f"Nothing answers at {tried}: check power, A and B, and the cable."


def _places(settings: BoardSettings) -> Iterator[tuple[int, int]]:
    """The likeliest first: as set; the same unit at other speeds; other units at the same speed; the rest."""
    bauds = (settings.baud, *(baud for baud in BAUDS if baud != settings.baud))
    units = (settings.unit, *(unit for unit in UNITS if unit != settings.unit))
    yield from ((baud, settings.unit) for baud in bauds)
    yield from ((settings.baud, unit) for unit in units[1:])
    yield from ((baud, unit) for baud in bauds[1:] for unit in units[1:])


def _answers(settings: BoardSettings) -> bool:
    try:
        _ask(replace(settings, inputs={"presence": 1}))
    except BoardError:
        return False
    return True


# ---------------------------------------------------------------- inputs of a barrier at rest


def check_inputs(inputs: Mapping[InputName, bool | None], barrier: BarrierSettings) -> Iterator[Verdict]:
    """A barrier at rest stands at one of its ends, and nothing is under its arm or pressed."""
    if barrier.has("limit_open") and barrier.has("limit_closed"):
        yield from _limits(inputs.get("limit_open"), inputs.get("limit_closed"))
    for name in [name for name, value in inputs.items() if value is None]:
        yield Verdict("FAIL", f"{name}: its two contacts say the same; one of them is wired wrong, or broken")
    for name in NEVER_AT_REST:
        if inputs.get(name):
            yield Verdict("FAIL", f"{name} is on: if that is not so, {_turn(name)}")
    if inputs.get("mains_ok") is False:
        yield Verdict("FAIL", f"mains_ok is off: if there is mains, {_turn('mains_ok')}")
    for name in (*UNDER_ARM, *VEHICLES):
        if inputs.get(name) and name not in NEVER_AT_REST:
            yield _vehicle(name, is_down=bool(inputs.get("limit_closed")))


def _limits(up: bool | None, down: bool | None) -> Iterator[Verdict]:
    if up and down:
        yield Verdict("FAIL", "both limits at once: one of them is wired inverted; turn its normally_closed round")
    elif not up and not down:
        words = "neither limit, so the arm would stand half-way: if it is at rest, one of them is wired inverted"
        yield Verdict("FAIL", f"{words}; turn its normally_closed round")
    elif up:
        words = "the arm is up by its limits: if it is down, the two are swapped, or both wired inverted"
        yield Verdict("warn", words)


def _vehicle(name: InputName, *, is_down: bool) -> Verdict:
    if is_down and name in UNDER_ARM:
        return Verdict("FAIL", f"{name} says that something is under an arm that is down: {_turn(name)}")
    return Verdict("warn", f"{name} is on: if no vehicle stands there, {_turn(name)}")


def _turn(name: InputName) -> str:
    return f"it is wired inverted; turn normally_closed of {name} round"
