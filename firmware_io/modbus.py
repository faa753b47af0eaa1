"""Relay-and-input modules that speak Modbus, over a serial line or TCP; what differs is data (boards.toml)."""

from __future__ import annotations

import logging
import time
import tomllib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal

from pymodbus.client import ModbusSerialClient, ModbusTcpClient
from pymodbus.exceptions import ConnectionException, ModbusException
from pymodbus.pdu.bit_message import WriteSingleCoilRequest

from firmware_io.board import BadAnswer, BoardError, BoardSettings, HeldPulses, NoAnswer, NoDevice
from firmware_io.devices import check_device
from firmware_io.terms import InputName, OutputName

PROFILES = Path(__file__).with_name("boards.toml")

logging.getLogger("pymodbus.logging").setLevel(logging.CRITICAL)  # what goes wrong is raised, and told once


@dataclass(frozen=True, slots=True)
class Profile:
    """One module's addresses; see boards.toml for what each key means."""

    title: str
    transports: tuple[str, ...]
    input_function: Literal[1, 2]
    input_address: int
    inputs: int
    output_address: int
    outputs: int
    pulse: Literal["flash", "held"]
    watchdog: str
    flash_address: int = 0
    flash_unit_s: float = 0.1
    flash_max: int = 0


def load_profile(settings: BoardSettings) -> Profile:
    """The profile that the settings name. Raises BoardError naming file and key."""
    tables: dict[str, Any] = {}
    for path in [PROFILES, *([Path(settings.profiles)] if settings.profiles else [])]:
        try:
            tables |= tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise BoardError(f"{path}: cannot be read as profiles of boards: {error}") from error
    if settings.profile not in tables:
        raise BoardError(f"board.profile: no profile {settings.profile!r}; there are {', '.join(sorted(tables))}")
    return _profile(settings, tables[settings.profile])


def _profile(settings: BoardSettings, table: Mapping[str, Any]) -> Profile:
    known = {item.name for item in fields(Profile)}
    if odd := sorted(table.keys() - known):
        raise BoardError(f"profile {settings.profile}: unknown key {odd[0]!r}")
    try:
        profile = Profile(**{**table, "transports": tuple(table.get("transports", ()))})
    except TypeError as error:
        raise BoardError(f"profile {settings.profile}: {error}") from error
    wires = {
        "inputs": [wire.channel for wire in settings.wiring().values()],
        "outputs": list(settings.outputs.values()),
    }
    for key, limit in (("inputs", profile.inputs), ("outputs", profile.outputs)):
        if any(channel > limit for channel in wires[key]):
            raise BoardError(f"board.{key}: {profile.title} has {limit} of them, channel {max(wires[key])} is wired")
    if settings.kind not in profile.transports:
        raise BoardError(f"board.kind: {profile.title} speaks {' or '.join(profile.transports)}, not {settings.kind}")
    return profile


class _FlashRequest(WriteSingleCoilRequest):  # type: ignore[misc]  # pymodbus is untyped here
    """Function 5 with a time as its value, which pymodbus's own request cannot say."""

    def __init__(self, address: int, units: int, unit: int) -> None:
        super().__init__(address=address, bits=[True], dev_id=unit)
        self.units = units

    def encode(self) -> bytes:
        return bytes(self.address.to_bytes(2, "big") + self.units.to_bytes(2, "big"))


class _SerialClient(ModbusSerialClient):  # type: ignore[misc]
    """Takes bytes as they come; pymodbus itself sleeps for four characters' time, twice for each answer."""

    def recv(self, size: int | None) -> bytes:
        """Whatever is there once anything is; nothing where nothing came in time. The caller puts frames together."""
        if self.socket is None:
            raise ConnectionException(str(self))
        try:
            first: bytes = self.socket.read(1)
            return first + bytes(self.socket.read(self.socket.in_waiting))
        except OSError as error:
            self.close()
            raise ConnectionException(str(self)) from error


class ModbusBoard:
    """One module. Never repeats a write by itself: a pulse that may have been given is not given again."""

    def __init__(self, settings: BoardSettings, clock: Callable[[], float] = time.monotonic) -> None:
        """Open the line. Raises NoDevice or NoPermission, BoardError for a profile that does not fit."""
        self._settings = settings
        self._profile = load_profile(settings)
        self._wiring = settings.wiring()
        self._heard = b""
        self._held = HeldPulses(self.set_output, clock)
        self.timed_by_board = self._profile.pulse == "flash"
        self._client = self._connect()

    def _connect(self) -> Any:
        s = self._settings
        client: Any
        if s.kind == "modbus_tcp":
            client = ModbusTcpClient(s.host, port=s.tcp_port, timeout=s.timeout_s, retries=0, trace_packet=self._trace)
        else:
            check_device(s.port)
            client = _SerialClient(
                s.port, baudrate=s.baud, parity=s.parity, timeout=s.timeout_s, retries=0, trace_packet=self._trace
            )
        if not client.connect():
            raise NoDevice(f"{self._place()}: cannot be opened; is it connected and powered, and used by nothing else?")
        return client

    def _trace(self, sending: bool, data: bytes) -> bytes:
        self._heard = b"" if sending else data
        return data

    def _place(self) -> str:
        s = self._settings
        return f"{s.host}:{s.tcp_port}" if s.kind == "modbus_tcp" else s.port

    def describe(self) -> str:
        return f"{self._profile.title}, unit {self._settings.unit} at {self._place()}"

    @property
    def outputs(self) -> Collection[OutputName]:
        return self._settings.outputs

    def read_inputs(self) -> Mapping[InputName, bool]:
        self._held.service()
        if not self._wiring:
            return {}
        p, unit = self._profile, self._settings.unit
        read = self._client.read_discrete_inputs if p.input_function == 2 else self._client.read_coils
        bits = self._ask(lambda: read(p.input_address, count=p.inputs, device_id=unit)).bits
        if len(bits) < p.inputs:
            raise BadAnswer(
                f"{self.describe()}: {len(bits)} inputs came, {p.inputs} were asked for; check board.profile"
            )
        return {name: bool(bits[wire.channel - 1]) != wire.normally_closed for name, wire in self._wiring.items()}

    def pulse(self, output: OutputName, duration_s: float) -> None:
        p = self._profile
        if p.pulse == "held":
            self._held.start(output, duration_s)
            return
        units = min(max(1, round(duration_s / p.flash_unit_s)), p.flash_max)
        address = p.flash_address + self._channel(output)
        self._ask(lambda: self._client.execute(False, _FlashRequest(address, units, self._settings.unit)))

    def set_output(self, output: OutputName, on: bool) -> None:
        address = self._profile.output_address + self._channel(output)
        self._ask(lambda: self._client.write_coil(address, on, device_id=self._settings.unit))

    def _channel(self, output: OutputName) -> int:
        if output not in self._settings.outputs:
            raise BoardError(f"board.outputs: {output!r} has no channel")
        return self._settings.outputs[output] - 1

    def _ask(self, call: Callable[[], Any]) -> Any:
        """One question and its answer. Raises NoDevice, NoAnswer or BadAnswer."""
        if not self._client.connected:
            raise NoDevice(f"{self._place()}: the line is gone; is the cable plugged in and the module powered?")
        self._heard = b""
        try:
            answer = call()
        except (ModbusException, OSError) as error:
            raise self._failure() from error
        if answer.isError():
            raise BadAnswer(
                f"{self.describe()}: refused with exception code {answer.exception_code}; check board.profile"
            )
        return answer

    def _failure(self) -> BoardError:
        if not self._client.connected:
            return NoDevice(f"{self._place()}: the line is gone; is the cable plugged in and the module powered?")
        if self._heard:
            return BadAnswer(
                f"{self.describe()}: bytes came that are no answer; wrong baud rate or parity, or a noisy line?"
            )
        return NoAnswer(f"{self.describe()}: silent; wrong unit id or baud rate, A and B swapped, or no power?")

    def close(self) -> None:
        try:
            self._held.end_all()
        except BoardError as error:
            logging.getLogger(__name__).warning("while closing: %s", error)
        self._client.close()
