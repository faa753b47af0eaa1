"""Every kind of board against the same suite: the simulated one that ships, and the modules of `tests.boom.vendors`."""

from __future__ import annotations

import os
import select
import tty
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from firmware_io.board import Board, BoardSettings
from firmware_io.boards import open_board
from firmware_io.gpio import GpioBoard
from firmware_io.sim import OUTPUT_CHANNELS, SimBoard
from firmware_io.sim_world import World
from firmware_io.terms import InputName, OutputName
from tests.boom.conformance import Bench, BoardConformance, inverted
from tests.boom.vendors.lines import Pty, Served, Tcp
from tests.boom.vendors.modules import (
    Adam6060,
    EletechsupR421A08,
    IoLogikE1214,
    KmTronic,
    LcTech,
    Logo8,
    Module,
    Registers,
    Waveshare,
    WaveshareRelay,
)

INPUTS: Mapping[InputName, int] = {"presence": 1, "photocell": 4}
OUTPUTS: Mapping[OutputName, int] = {"open": 1, "close": 2, "green": 4}


class VendorBench:
    """A module of `tests.boom.vendors` on its line."""

    reads_back = True

    def __init__(self, module: Module, served: Served, settings: BoardSettings, *, ends_alone: bool) -> None:
        self.module, self.served, self.ends_alone = module, served, ends_alone
        wired = replace(settings, inputs=INPUTS if module.input_count else {}, outputs=OUTPUTS)
        self.settings = inverted(wired) if wired.inputs else wired

    def open(self) -> Board:
        return open_board(self.settings)

    def relay(self, output: OutputName) -> bool:
        return self.module.relay(OUTPUTS[output] - 1)

    def switch_on(self, output: OutputName) -> None:
        self.module.switch(OUTPUTS[output] - 1, True)

    def put(self, channel: int, on: bool) -> None:
        self.module.inputs[channel - 1] = on

    def silence(self, silent: bool) -> None:
        self.served.silent = silent

    def close(self) -> None:
        self.served.close()


def rtu(module: Module, profile: str, *, ends_alone: bool, **more: Any) -> VendorBench:
    line = Pty(module)
    return VendorBench(module, line, BoardSettings(port=line.port, profile=profile, **more), ends_alone=ends_alone)


def tcp(module: Module, profile: str, *, ends_alone: bool, frames: bool = False) -> VendorBench:
    line = Tcp(module, rtu=frames)
    settings = BoardSettings(
        kind="rtu_over_tcp" if frames else "modbus_tcp", profile=profile, host="127.0.0.1", tcp_port=line.tcp_port
    )
    return VendorBench(module, line, settings, ends_alone=ends_alone)


def e1214(*pulse_outputs: int) -> IoLogikE1214:
    module = IoLogikE1214()
    module.pulse_outputs = frozenset(pulse_outputs)
    module.idle_s = 2.0
    return module


def adam() -> Adam6060:
    module = Adam6060()
    module.idle_s = 2.0  # as its profile asks the installer to set it
    return module


OWN = """
[packed]
title = "a module with its inputs in one register"
source = "tests"
transports = ["modbus_rtu"]
inputs = 8
input_function = 4
input_packed = true
outputs = 8
write_function = 16
write_on = 1
read_function = 3
pulse = "held"
watchdog = "none"
"""
MODULES = {
    "waveshare-relay-d": lambda: rtu(Waveshare(), "waveshare-8ch", ends_alone=True),
    "waveshare-relay": lambda: rtu(WaveshareRelay(), "waveshare-relay-8ch", ends_alone=True),
    "waveshare-eth-b-rtu": lambda: tcp(Waveshare(), "waveshare-eth-b-8ch", ends_alone=True, frames=True),
    "adam-6060": lambda: tcp(adam(), "adam-6060", ends_alone=True),
    "e1214-pulse": lambda: tcp(e1214(0, 1, 2), "iologik-e1214-pulse", ends_alone=True),
    "e1214": lambda: tcp(e1214(), "iologik-e1214", ends_alone=True),
    "kmtronic": lambda: rtu(KmTronic(), "kmtronic-8ch", ends_alone=False),
    "lc-tech": lambda: rtu(LcTech(), "lc-tech-4ch", ends_alone=False),
    "eletechsup": lambda: rtu(EletechsupR421A08(), "eletechsup-r421a08", ends_alone=True),
    "logo": lambda: tcp(Logo8(), "logo-8", ends_alone=False),
}


class TestVendorsModules(BoardConformance):
    @pytest.fixture(params=MODULES)
    def bench(self, request: pytest.FixtureRequest) -> Iterator[Bench]:
        bench = MODULES[request.param]()
        yield bench
        bench.close()


class TestSitesOwnProfile(BoardConformance):
    """Function 16 and inputs in the bits of one input register, as a site's own file says."""

    @pytest.fixture
    def bench(self, tmp_path: Path) -> Iterator[Bench]:
        file = tmp_path / "boards.toml"
        file.write_text(OWN, encoding="utf-8")
        bench = rtu(Registers(), "packed", ends_alone=False, profiles=str(file))
        yield bench
        bench.close()


class SimBench:
    ends_alone = reads_back = True

    def __init__(self) -> None:
        self.sim = SimBoard(World())
        self.sim.start()
        settings = replace(self.sim.settings(), inputs={"presence": 1, "photocell": 3})
        self.settings = settings

    def open(self) -> Board:
        return open_board(self.settings)

    def relay(self, output: OutputName) -> bool:
        return self.sim.coils()[OUTPUT_CHANNELS[output] - 1]

    def switch_on(self, output: OutputName) -> None:
        with self.sim._lock:
            self.sim._set(OUTPUT_CHANNELS[output] - 1, True)

    def put(self, channel: int, on: bool) -> None:
        self.sim.world.knobs.stuck["presence" if channel == 1 else "photocell"] = on

    def silence(self, silent: bool) -> None:
        self.sim.line.silent = silent

    def close(self) -> None:
        self.sim.close()


class TestSimulatedBoard(BoardConformance):
    @pytest.fixture
    def bench(self) -> Iterator[Bench]:
        bench = SimBench()
        yield bench
        bench.close()


class LcusBench:
    """Four bytes in, nothing out, as the board's sellers print them; it keeps what it was told last."""

    ends_alone = reads_back = False

    def __init__(self) -> None:
        self.master, self.slave = os.openpty()
        tty.setraw(self.slave)
        self.on = [False] * 8
        self.settings = BoardSettings(
            kind="lcus", port=os.ttyname(self.slave), outputs=OUTPUTS, accept_unacknowledged=True
        )

    def open(self) -> Board:
        return open_board(self.settings)

    def relay(self, output: OutputName) -> bool:
        while select.select([self.master], [], [], 0)[0]:
            frame = os.read(self.master, 4)
            assert frame[0] == 0xA0
            assert frame[3] == sum(frame[:3]) & 0xFF
            self.on[frame[1] - 1] = frame[2] == 1
        return self.on[OUTPUTS[output] - 1]

    def switch_on(self, output: OutputName) -> None:
        self.on[OUTPUTS[output] - 1] = True

    def put(self, channel: int, on: bool) -> None: ...

    def silence(self, silent: bool) -> None: ...

    def close(self) -> None:
        os.close(self.master)
        os.close(self.slave)


class TestLcusBoard(BoardConformance):
    @pytest.fixture
    def bench(self) -> Iterator[Bench]:
        bench = LcusBench()
        yield bench
        bench.close()


class GpioBench:
    """The library's boundary, where this machine has no chip: lines that keep a level."""

    ends_alone, reads_back = False, True

    def __init__(self, chip: Path) -> None:
        chip.touch()
        self.levels: dict[int, bool] = {}
        self.silent = False
        self.settings = BoardSettings(
            kind="gpio", port=str(chip), inputs={"presence": 4, "photocell": 5}, outputs={"open": 17, "close": 18}
        )

    def open(self) -> Board:
        direction = SimpleNamespace(INPUT="in", OUTPUT="out")
        line = SimpleNamespace(Direction=direction, Value=SimpleNamespace(ACTIVE=1, INACTIVE=0))
        gpiod = SimpleNamespace(
            line=line, LineSettings=lambda **kw: kw, request_lines=lambda path, consumer, config: self
        )
        return GpioBoard(self.settings, gpiod=gpiod)

    def get_values(self, offsets: list[int]) -> list[int]:
        self._there()
        return [int(self.levels.get(offset, False)) for offset in offsets]

    def set_value(self, offset: int, value: int) -> None:
        self._there()
        self.levels[offset] = value == 1

    def _there(self) -> None:
        if self.silent:
            raise OSError("no such device")

    def release(self) -> None: ...

    def relay(self, output: OutputName) -> bool:
        return self.levels.get(self.settings.outputs[output], False)

    def switch_on(self, output: OutputName) -> None:
        self.levels[self.settings.outputs[output]] = True

    def put(self, channel: int, on: bool) -> None:
        self.levels[channel] = on

    def silence(self, silent: bool) -> None:
        self.silent = silent

    def close(self) -> None: ...


class TestGpioLines(BoardConformance):
    @pytest.fixture
    def bench(self, tmp_path: Path) -> Bench:
        return GpioBench(tmp_path / "gpiochip0")
