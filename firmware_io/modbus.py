"""Relay-and-input modules that speak Modbus, over a serial line or TCP; what differs is data (boards.toml)."""

from __future__ import annotations

import logging
import time
import tomllib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal, get_args

from firmware_io import line, questions
from firmware_io.board import MOTION, BadAnswer, BoardError, BoardSettings, HeldPulses
from firmware_io.questions import Question
from firmware_io.terms import InputName, OutputName

PROFILES = Path(__file__).with_name("boards.toml")
Pulse = Literal["flash", "start", "held"]


@dataclass(frozen=True, slots=True)
class Profile:
    """One module's addresses; see boards.toml for what each key means."""

    title: str
    source: str
    transports: tuple[str, ...]
    outputs: int
    pulse: Pulse
    watchdog: str
    inputs: int = 0
    input_function: Literal[0, 1, 2, 3, 4] = 0
    input_address: int = 0
    input_packed: bool = False
    output_address: int = 0
    write_function: Literal[5, 6, 15, 16] = 5
    write_on: int = questions.COIL_ON
    write_off: int = 0
    read_function: Literal[0, 1, 3] = 1
    read_address: int | None = None
    flash_function: Literal[5, 6, 16] = 5
    flash_address: int = 0
    flash_base: int = 0
    flash_unit_s: float = 0.1
    flash_max: int = 0
    start_address: int = 0
    modes_address: int | None = None
    mode_free: int = 0
    contacts: bool = True
    unit_max: int = 247

    def faults(self) -> list[str]:
        """Contradictions, each naming its key."""
        checks = {
            "transports: one or more of modbus_rtu, modbus_tcp, rtu_over_tcp": not (
                self.transports and set(self.transports) <= {"modbus_rtu", "modbus_tcp", "rtu_over_tcp"}
            ),
            f"pulse: flash, start or held, not {self.pulse!r}": self.pulse not in get_args(Pulse),
            "input_function: 1, 2, 3 or 4 where there are inputs": self.inputs > 0
            and self.input_function not in (1, 2, 3, 4),
            "input_packed: bits of one register: needs input_function 3 or 4, and 16 inputs at most": self.input_packed
            and (self.input_function not in (3, 4) or self.inputs > 16),
            "write_function: 5, 6, 15 or 16": self.write_function not in (5, 6, 15, 16),
            "flash_function: 5, 6 or 16": self.flash_function not in (5, 6, 16),
            "read_function: 1, 3, or 0 for none": self.read_function not in (0, 1, 3),
            "flash_max, flash_unit_s: more than 0 where pulse is flash": self.pulse == "flash"
            and not (self.flash_max > 0 and self.flash_unit_s > 0),
            "outputs: 1 or more": self.outputs < 1,
        }
        return [fault for fault, is_so in checks.items() if is_so]


def profiles(extra: str = "") -> dict[str, dict[str, Any]]:
    """All there are, by name, as written. Raises BoardError naming the file."""
    tables: dict[str, Any] = {}
    for path in [PROFILES, *([Path(extra)] if extra else [])]:
        try:
            tables |= tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise BoardError(f"{path}: cannot be read as profiles of boards: {error}") from error
    return tables


def load_profile(settings: BoardSettings) -> Profile:
    """The profile that the settings name. Raises BoardError naming file and key."""
    tables = profiles(settings.profiles)
    if settings.profile not in tables:
        raise BoardError(f"board.profile: no profile {settings.profile!r}; there are {', '.join(sorted(tables))}")
    profile = make_profile(settings.profile, tables[settings.profile])
    _fits(profile, settings)
    return profile


def profile_faults(settings: BoardSettings) -> list[str]:
    """What keeps the module that the settings name from being wired and reached as they say."""
    if settings.kind in ("lcus", "gpio"):
        return []
    try:
        load_profile(settings)
    except BoardError as error:
        return [str(error)]
    return []


def make_profile(name: str, table: Mapping[str, Any]) -> Profile:
    """One entry of boards.toml, checked. Raises BoardError naming profile and key."""
    known = {item.name for item in fields(Profile)}
    if odd := sorted(table.keys() - known):
        raise BoardError(f"profile {name}: unknown key {odd[0]!r}")
    try:
        profile = Profile(**{**table, "transports": tuple(table.get("transports", ()))})
        faults = profile.faults()
    except TypeError as error:
        raise BoardError(f"profile {name}: {error}") from error
    if faults:
        raise BoardError(f"profile {name}: {faults[0]}")
    return profile


def _fits(profile: Profile, settings: BoardSettings) -> None:
    wires = {
        "inputs": [channel for wire in settings.wiring().values() for channel in wire.channels()],
        "outputs": list(settings.outputs.values()),
    }
    for key, limit in (("inputs", profile.inputs), ("outputs", profile.outputs)):
        if any(channel > limit for channel in wires[key]):
            has = f"has {limit} of them" if limit else "has none"
            raise BoardError(f"board.{key}: {profile.title} {has}, channel {max(wires[key])} is wired")
    if settings.unit > profile.unit_max:
        raise BoardError(f"board.unit: {profile.title} has units up to {profile.unit_max}, not {settings.unit}")
    if settings.kind not in profile.transports:
        raise BoardError(f"board.kind: {profile.title} speaks {' or '.join(profile.transports)}, not {settings.kind}")


class ModbusBoard:
    """One module. Never repeats a write by itself: a pulse that may have been given is not given again."""

    def __init__(self, settings: BoardSettings, clock: Callable[[], float] = time.monotonic) -> None:
        """Open the line. Raises NoDevice or NoPermission, BoardError for a profile that does not fit."""
        self._settings = settings
        self._profile = load_profile(settings)
        self._wiring = settings.wiring()
        self._probes = self._make_probes()
        self._held = HeldPulses(self.set_output, clock)
        self.timed_by_board = self._profile.pulse != "held"
        self.coarse_s = self._profile.flash_unit_s if self._profile.pulse == "flash" else 0.1
        self._line = line.take(settings, clock)
        try:
            line.claim(self._line, settings, self)
        except BoardError:
            line.give(self._line)
            raise

    def describe(self) -> str:
        return f"{self._profile.title}, unit {self._settings.unit} at {self._line.place}"

    @property
    def outputs(self) -> Collection[OutputName]:
        return self._settings.outputs

    def check(self) -> None:
        p = self._profile
        self._ask(self._poll())
        if p.modes_address is None:
            return
        try:
            modes = questions.words(self._ask(self._read(3, p.modes_address, p.outputs)))
        except BadAnswer as error:
            raise BadAnswer(f"{self.describe()}: cannot be asked for its control modes: {error}") from error
        linked = [n + 1 for n, mode in enumerate(modes) if mode != p.mode_free]
        if linked:
            raise BoardError(
                f"{self.describe()}: relay {', '.join(map(str, linked))} is switched by an input of the module itself "
                f"(control mode {modes[linked[0] - 1]}): set the mode of each to {p.mode_free} (register "
                f"{p.modes_address:#06x} on) before anything is wired to it"
            )

    def read_inputs(self) -> Mapping[InputName, bool | None]:
        self._held.service()
        answer = self._ask(self._poll())
        values = self._inputs_in(answer) if self._wiring else []
        return {name: wire.value(lambda channel: values[channel - 1]) for name, wire in self._wiring.items()}

    def _poll(self) -> Question:
        """The inputs; where there are none or none is wired, what else tells that the module is there."""
        p = self._profile
        if not p.inputs or (not self._wiring and p.read_function):
            return self._read_back()
        count = 1 if p.input_packed else p.inputs
        return self._read(p.input_function, p.input_address, count)

    def _inputs_in(self, answer: bytes) -> list[bool]:
        p = self._profile
        if p.input_function in (1, 2):
            return questions.bits(answer, p.inputs)
        words = questions.words(answer)
        return [bool(words[0] >> n & 1) for n in range(p.inputs)] if p.input_packed else [word != 0 for word in words]

    def _read(self, function: int, address: int, count: int) -> Question:
        return questions.read(self._settings.unit, function, address, count)

    def _read_back(self) -> Question:
        p = self._profile
        address = p.output_address if p.read_address is None else p.read_address
        return self._read(p.read_function or 1, address, p.outputs)

    def read_outputs(self) -> Mapping[OutputName, bool] | None:
        p = self._profile
        if not p.read_function:
            return None
        answer = self._ask(self._read_back())
        if p.read_function == 1:
            values = questions.bits(answer, p.outputs)
        else:
            values = [word == p.write_on or word == 1 for word in questions.words(answer)]
        return {name: values[channel - 1] for name, channel in self._settings.outputs.items()}

    def pulse(self, output: OutputName, duration_s: float) -> None:
        p, channel = self._profile, self._channel(output)
        if p.pulse == "flash":
            units = min(max(1, round(duration_s / p.flash_unit_s)), p.flash_max)
            self._write(p.flash_function, p.flash_address + channel, p.flash_base + units)
        elif p.pulse == "start" and output in MOTION:
            self._write(5, p.start_address + channel, questions.COIL_ON)
        else:
            self._held.start(output, duration_s)

    def set_output(self, output: OutputName, on: bool) -> None:
        p, channel = self._profile, self._channel(output)
        if p.pulse == "start" and output in MOTION:
            self._write(5, p.start_address + channel, questions.COIL_ON if on else 0)
            return
        self._write(p.write_function, p.output_address + channel, p.write_on if on else p.write_off)

    def _write(self, function: int, address: int, value: int) -> None:
        self._ask(questions.write(self._settings.unit, function, address, value))

    def _channel(self, output: OutputName) -> int:
        if output not in self._settings.outputs:
            raise BoardError(f"board.outputs: {output!r} has no channel")
        return self._settings.outputs[output] - 1

    def _ask(self, question: Question) -> bytes:
        """One question and the answer that fits it. Raises NoDevice, NoAnswer or BadAnswer."""
        return self._line.ask(question, self._probes)

    def _make_probes(self) -> list[Question]:
        """Questions that change nothing, with as many lengths of answers as this module has."""
        p = self._profile
        probes = [self._poll(), *([self._read_back()] if p.read_function else [])]
        if p.modes_address is not None:
            probes += [self._read(3, p.modes_address, count) for count in range(1, p.outputs + 1)]
        if p.read_function == 3:
            probes += [self._read(3, p.output_address, count) for count in range(1, p.outputs + 1)]
        return probes

    def close(self) -> None:
        try:
            self._held.end_all()
        except BoardError as error:
            logging.getLogger(__name__).warning("while closing: %s", error)
        line.give(self._line)
        line.disclaim(self)
