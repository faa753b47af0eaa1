"""The open firmware in simavr's ATmega328P: compiled, started, its contacts set and its relays watched."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from collections.abc import Sequence
from pathlib import Path
from time import monotonic

import pytest

from firmware_io import line, questions
from firmware_io.board import BadAnswer, Board, BoardSettings, InputWiring
from firmware_io.boards import open_board
from firmware_io.terms import InputName, OutputName

ROOT = Path(__file__).parents[2]
INPUTS: tuple[InputName, ...] = (
    "presence", "safety_loop", "photocell", "limit_open", "limit_closed", "safety_edge", "fire", "manual_key",
)  # fmt: skip
OUTPUTS: dict[OutputName, int] = {"open": 1, "close": 2, "stop": 3, "green": 4, "siren": 5, "sign": 6}
NORMALLY_CLOSED: tuple[InputName, ...] = ("safety_loop", "photocell", "safety_edge")
CLEAR_DOWN: tuple[InputName, ...] = ("limit_closed",)


def build(folder: Path) -> tuple[Path, Path]:
    """The simulator's bench and the firmware, as docs/board.md builds it. Skips where the compilers are not there."""
    if not (shutil.which("avr-gcc") and shutil.which("gcc") and Path("/usr/include/simavr/sim_avr.h").exists()):
        if os.environ.get("BARIE_REQUIRE_AVR"):
            pytest.fail("avr-gcc and simavr are missing; scripts/test installs them")
        pytest.skip("no avr-gcc or no simavr here")
    elf, bench = folder / "boom.elf", folder / "bench"
    firmware = ["avr-gcc", "-mmcu=atmega328p", "-DF_CPU=16000000UL", "-Os", "-std=c11", "-Wall", "-Wextra", "-Werror"]
    subprocess.run([*firmware, "-o", elf, ROOT / "firmware_io" / "board" / "boom.c"], check=True)
    simulator: list[str | Path] = [
        "gcc",
        "-O2",
        "-I/usr/include/simavr",
        ROOT / "tests" / "boom" / "avr_bench.c",
        "-lsimavr",
        "-lelf",
        "-lutil",
    ]
    subprocess.run([*simulator, "-o", bench], check=True)
    return bench, elf


class Avr:
    """The board on its bench. `log`: (time, relays that are on) at each change."""

    ends_alone = reads_back = True

    def __init__(self, programs: tuple[Path, Path]) -> None:
        self._process = subprocess.Popen(
            programs, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        self._true: set[InputName] = set()
        self.log: list[tuple[float, frozenset[OutputName]]] = [(monotonic(), frozenset())]
        assert self._process.stdout
        told = ""
        while not told.startswith("port "):
            told = self._process.stdout.readline()
            assert told, "the simulator ended"
        self.port = told.split()[1]
        self.settings = BoardSettings(
            port=self.port, profile="barie-board", baud=19200, timeout_s=1.0,
            inputs={name: InputWiring(INPUTS.index(name) + 1, name in NORMALLY_CLOSED) for name in INPUTS[:5]},
            outputs=OUTPUTS,
        )  # fmt: skip
        threading.Thread(target=self._hear, daemon=True).start()
        self.are(*CLEAR_DOWN)

    def _hear(self) -> None:
        assert self._process.stdout
        for told in self._process.stdout:
            if told.startswith("relays "):
                mask = int(told.split()[1])
                on = frozenset(name for name, channel in OUTPUTS.items() if mask >> (channel - 1) & 1)
                self.log.append((monotonic(), on))

    def _tell(self, command: str) -> None:
        assert self._process.stdin
        self._process.stdin.write(command + "\n")
        self._process.stdin.flush()

    def are(self, *names: InputName) -> None:
        """What is true now; all others are not."""
        self._true = set(names)
        self._tell(f"inputs {self._mask()}")

    def _mask(self) -> int:
        return sum(1 << n for n, name in enumerate(INPUTS) if (name in self._true) != (name in NORMALLY_CLOSED))

    def now(self) -> frozenset[OutputName]:
        return self.log[-1][1]

    def hang(self) -> None:
        self._tell("hang")

    def power_cycle(self) -> None:
        self._tell("power")

    # ------------------------------------------------------------ as BoardConformance needs it

    def open(self) -> Board:
        return open_board(self.settings)

    def relay(self, output: OutputName) -> bool:
        return output in self.now()

    def switch_on(self, output: OutputName) -> None:
        """Another master's order, as far as the board takes it."""
        shared = line.take(self.settings)
        try:
            shared.ask(questions.write(1, 5, OUTPUTS[output] - 1, questions.COIL_ON))
        except BadAnswer:
            assert output == "close", "only close is ever refused"
        finally:
            line.give(shared)

    def put(self, channel: int, on: bool) -> None:
        """The contact of this channel alone."""
        name = INPUTS[channel - 1]
        is_true = on != (name in NORMALLY_CLOSED)
        self._true = (self._true | {name}) if is_true else (self._true - {name})
        self._tell(f"inputs {self._mask()}")

    def silence(self, silent: bool) -> None:
        self._tell(f"mute {int(silent)}")

    def close(self) -> None:
        self._process.kill()
        self._process.wait()


def ever(log: Sequence[tuple[float, frozenset[OutputName]]], output: OutputName) -> bool:
    return any(output in on for _, on in log)
