"""What a board is to the barrier loop, how one is described, and the few ways in which it can fail."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, Protocol

from firmware_io.terms import BarrierSettings, InputName, OutputName

MOTION: tuple[OutputName, ...] = ("open", "close", "stop")


class BoardError(Exception):
    """The board cannot be used now. Each message says what is wrong, where, and what to do."""


class NoDevice(BoardError):  # noqa: N818  the four read as findings, not as accidents
    """Nothing is there under this name: unplugged, switched off or misnamed."""


class NoPermission(BoardError):  # noqa: N818
    """The device is there and this account may not use it."""


class NoAnswer(BoardError):  # noqa: N818
    """The line is open and the board is silent."""


class BadAnswer(BoardError):  # noqa: N818
    """Something came back that is not the answer to what was asked."""


class Board(Protocol):
    """One relay-and-input module, used by one thread. Methods may raise BoardError; each ends within half a second."""

    timed_by_board: bool
    """True where the board itself ends a pulse, whatever happens to this process."""
    coarse_s: float
    """By how much a pulse may last longer than was asked for."""

    @property
    def outputs(self) -> Collection[OutputName]:
        """The outputs that have a channel."""
        ...

    def check(self) -> None:
        """Look, without moving anything, whether the board may be used as it is set. Raises BoardError."""
        ...

    def read_inputs(self) -> Mapping[InputName, bool | None]:
        """All wired inputs at once, wiring undone (see terms.Inputs)."""
        ...

    def read_outputs(self) -> Mapping[OutputName, bool] | None:
        """Which wired outputs the board says are energised; None where it cannot be asked."""
        ...

    def pulse(self, output: OutputName, duration_s: float) -> None:
        """Energise for `duration_s`, from now. Asking again while it runs starts the time anew."""
        ...

    def set_output(self, output: OutputName, on: bool) -> None:
        """Energise until told otherwise, or release at once. The barrier loop only ever releases by this."""
        ...

    def describe(self) -> str:
        """Kind and place of the board in one line, for people."""
        ...

    def close(self) -> None:
        """Release what is energised, as far as the line still allows, and give the device back. Never raises."""
        ...


@dataclass(frozen=True, slots=True)
class InputWiring:
    """`channel` as printed on the board (GPIO: line offset). `normally_closed`: the contact opens when it is true.
    `antivalent`: the channel of the sensor's second contact, which always says the opposite (EN 61496 names such pairs
    of outputs); while both say the same, nobody knows."""

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    channel: int
    normally_closed: bool = False
    antivalent: int | None = None

    def channels(self) -> tuple[int, ...]:
        return (self.channel,) if self.antivalent is None else (self.channel, self.antivalent)

    def value(self, closed: Callable[[int], bool]) -> bool | None:
        """What the sensor says, its wiring undone; None where its two contacts say the same. `closed` says which
        channel's contact is."""
        first = closed(self.channel)
        if self.antivalent is not None and closed(self.antivalent) is first:
            return None
        return first != self.normally_closed


@dataclass(frozen=True, slots=True)
class BoardSettings:
    """Which board, where, and which wire goes where.

    `port`: a stable device name (/dev/serial/by-id/…), for gpio the chip (/dev/gpiochip0). `profile` names an entry of
    boards.toml; `profiles` adds a site's own file. `local_echo`: the
    RS-485 adapter hears what it says itself. Channels count from 1 as printed on the boards, GPIO lines from 0.
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    kind: Literal["modbus_rtu", "modbus_tcp", "rtu_over_tcp", "lcus", "gpio"] = "modbus_rtu"
    port: str = ""
    profile: str = "waveshare-8ch"
    profiles: str = ""
    baud: int = 9600
    parity: Literal["N", "E", "O"] = "N"
    unit: int = 1
    host: str = ""
    tcp_port: int = 502
    timeout_s: float = 0.2
    local_echo: bool = False
    inputs: Mapping[InputName, InputWiring | int] = field(default_factory=dict)
    outputs: Mapping[OutputName, int] = field(default_factory=dict)
    accept_unacknowledged: bool = False

    @property
    def is_tcp(self) -> bool:
        return self.kind in ("modbus_tcp", "rtu_over_tcp")

    def line(self) -> str:
        """What it is reached by: of two names of one device that is there, the real one."""
        if self.is_tcp:
            return f"{self.host.lower()}:{self.tcp_port}"
        try:
            return os.path.realpath(self.port)
        except OSError:  # the device's link went between two looks at it: opening it says so
            return self.port

    def wiring(self) -> dict[InputName, InputWiring]:
        """The inputs with the short form (a bare channel number, normally open) written out."""
        return {name: InputWiring(wire) if isinstance(wire, int) else wire for name, wire in self.inputs.items()}

    def faults(self) -> list[str]:
        """Contradictions in these settings alone, each naming its key."""
        found = self._address_faults()
        if "open" not in self.outputs:
            found.append('outputs: "open" has no channel; nothing could ever be opened')
        first = 0 if self.kind == "gpio" else 1
        inputs = [channel for wire in self.wiring().values() for channel in wire.channels()]
        channels = {"inputs": inputs, "outputs": list(self.outputs.values())}
        if self.kind == "gpio":
            channels = {"inputs and outputs": channels["inputs"] + channels["outputs"]}
        for key, used in channels.items():
            found += [f"{key}: channel {n} is used twice" for n in sorted(set(used)) if used.count(n) > 1]
            found += [f"{key}: channel {n} does not exist; they count from {first}" for n in used if n < first]
        return found

    def _address_faults(self) -> list[str]:
        checks = {
            f'host: kind "{self.kind}" needs the address of the module': self.is_tcp and not self.host,
            f'host: kind "{self.kind}" is reached by its port alone': not self.is_tcp and bool(self.host),
            f'port: kind "{self.kind}" needs a device, for example /dev/serial/by-id/…': (
                not self.is_tcp and not self.port
            ),
            f'port: kind "{self.kind}" is reached by its host alone': self.is_tcp and bool(self.port),
            f'local_echo: kind "{self.kind}" has no line that could echo': self.local_echo
            and self.kind != "modbus_rtu",
            "inputs: an LCUS relay board has none; its barrier has to say inputs = []": (
                self.kind == "lcus" and bool(self.inputs)
            ),
            "accept_unacknowledged: an LCUS board never answers and times no pulse; set true if that is accepted": (
                self.kind == "lcus" and not self.accept_unacknowledged
            ),
            f"unit: a Modbus unit is 1 to 247, is {self.unit}": not 1 <= self.unit <= 247,
            f"timeout_s: must be between 0.02 and 1, is {self.timeout_s}": not 0.02 <= self.timeout_s <= 1.0,
            f"baud: must be 1200 to 921600, is {self.baud}": not 1200 <= self.baud <= 921600,
        }
        return [fault for fault, is_so in checks.items() if is_so]


def wiring_faults(board: BoardSettings, barrier: BarrierSettings) -> list[str]:
    """Contradictions between a board's wiring and what the barrier's settings say exists."""
    found = [
        f"barrier.inputs: {name} exists but board.inputs gives it no channel"
        for name in barrier.inputs
        if name not in board.inputs
    ]
    found += [
        f"board.inputs: {name} is wired but barrier.inputs does not name it"
        for name in board.inputs
        if name not in barrier.inputs
    ]
    if barrier.closes_by == "relay" and "close" not in board.outputs:
        found.append('board.outputs: "close" has no channel, and barrier.closes_by is "relay"')
    if barrier.tested and "beam_test" not in board.outputs:
        found.append('barrier.tested: "beam_test" has no channel in board.outputs')
    if "beam_test" in board.outputs and not barrier.tested:
        found.append('board.outputs: "beam_test" is wired but barrier.tested names no input that it makes dark')
    return found


SHARED: tuple[InputName, ...] = ("fire", "tamper", "mains_ok", "manual_key")
"""Inputs that two lanes may take from one contact."""


def sharing_faults(boards: Mapping[str, BoardSettings]) -> list[str]:
    """Contradictions between the boards of one PC, by lane: what two on one line or in one module may not do.

    One device under two names (/dev/ttyUSB0, /dev/serial/by-id/…) is one line, as far as it is plugged in now; what is
    known only when it is opened is refused then (line.claim).
    """
    found: list[str] = []
    lanes = list(boards)
    for at, one in enumerate(lanes):
        for other in lanes[at + 1 :]:
            a, b = boards[one], boards[other]
            if a.line() == b.line():
                found += [f"lane.board of {one} and {other}: {fault}" for fault in _shared(a, b)]
    return found


def _shared(a: BoardSettings, b: BoardSettings) -> list[str]:
    """What is wrong with two boards that are on one line."""
    if a.kind != b.kind or a.kind == "lcus":
        why = (
            "an LCUS board serves one lane"
            if a.kind == b.kind
            else f'one kind on one line, not "{a.kind}" and "{b.kind}"'
        )
        return [f"both are at {a.line()}: {why}"]
    agree = ("baud", "parity", "local_echo", "timeout_s") if a.kind == "modbus_rtu" else ("timeout_s",)
    found = [
        f"{key}: one line has one, not {getattr(a, key)} and {getattr(b, key)}"
        for key in agree
        if getattr(a, key) != getattr(b, key)
    ]
    if a.unit != b.unit and a.kind != "gpio":
        return found
    if a.profile != b.profile and a.kind != "gpio":
        found.append(f"profile: one module has one, not {a.profile} and {b.profile}")
    taken = sorted(set(a.outputs.values()) & set(b.outputs.values()))
    found += [f"outputs: channel {n} would move both booms" for n in taken]
    theirs = {channel: (name, wire) for name, wire in b.wiring().items() for channel in wire.channels()}
    for name, wire in a.wiring().items():
        for channel in wire.channels():
            if channel in theirs and not (name in SHARED and theirs[channel] == (name, wire)):
                found.append(f"inputs: channel {channel} is {name} of one and {theirs[channel][0]} of the other")
    return found


class HeldPulses:
    """Pulses timed by this process, for boards that cannot: ended by `service`, which every read of the loop calls.

    If the process stops or dies meanwhile, only the board's own watchdog (or nothing) ends them: see docs/safety.md.
    """

    def __init__(self, write: Callable[[OutputName, bool], None], clock: Callable[[], float]) -> None:
        self._write = write
        self._clock = clock
        self._ends_s: dict[OutputName, float] = {}

    def start(self, output: OutputName, duration_s: float) -> None:
        self._ends_s[output] = self._clock() + duration_s  # noted first: a write that fails half-way may have energised
        self._write(output, True)

    def end(self, output: OutputName) -> None:
        self._write(output, False)
        self._ends_s.pop(output, None)

    def service(self) -> None:
        """End what is due. One that cannot be ended stays noted and is tried again."""
        for output in [name for name, ends_s in self._ends_s.items() if self._clock() >= ends_s]:
            self.end(output)

    def end_all(self) -> None:
        for output in tuple(self._ends_s):
            self.end(output)
