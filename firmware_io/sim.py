"""The simulated board: a World behind a real Modbus RTU slave on a pseudo-terminal, with fault knobs. It ships."""

from __future__ import annotations

import contextlib
import logging
import os
import select
import termios
import threading
import time
import tty
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random

from firmware_io import framing
from firmware_io.board import BoardSettings
from firmware_io.framing import Request
from firmware_io.sim_world import World
from firmware_io.terms import BarrierSettings, InputName, OutputName

log = logging.getLogger(__name__)

CHANNELS = 8
FLASH_ADDRESS = 0x0200
FLASH_UNIT_S = 0.1
MODES_ADDRESS = 0x1000
POLL_S = 0.005
QUIET_POLLS = 4
"""So many polls without a byte end a frame, whole or not (Modbus over serial line: 3.5 characters)."""
INPUT_CHANNELS: dict[InputName, int] = {
    "presence": 1, "safety_loop": 2, "photocell": 3, "limit_open": 4, "limit_closed": 5, "exit_loop": 6, "fire": 7,
    "manual_key": 8,
}  # fmt: skip
OUTPUT_CHANNELS: dict[OutputName, int] = {
    "open": 1,
    "close": 2,
    "stop": 3,
    "green": 4,
    "siren": 5,
    "sign": 6,
    "beam_test": 7,
}


@dataclass(slots=True)
class LineKnobs:
    """Faults of the board and its line: `silent` hears and does not answer (nor act), `late_s` answers so much later,
    the shares (0 to 1) of answers with a wrong CRC or cut in half. `baud`: at any other speed it hears nothing."""

    silent: bool = False
    late_s: float = 0.0
    bad_crc: float = 0.0
    half_frame: float = 0.0
    baud: int | None = None


class SimBoard:
    """`start` it, connect to `port` (or to the stable symlink `link`), `close` it. World time goes with real time."""

    def __init__(
        self,
        world: World,
        link: Path | None = None,
        unit: int = 1,
        seed: int = 0,
        clock: Callable[[], float] = time.monotonic,
        inputs: Mapping[InputName, int] = INPUT_CHANNELS,
        opposite: Mapping[int, int] | None = None,
    ) -> None:
        """`opposite`: channels of second contacts, which say the opposite, by the channel of the first."""
        self.world = world
        self._inputs = inputs
        self._opposite = opposite or {}
        self.line = LineKnobs()
        self.requests = 0
        self.energised: list[OutputName] = []
        """Every relay that was switched on, in order."""
        self._link = link
        self._unit = unit
        self._random = Random(seed)
        self._clock = clock
        self._flash_ends_s: dict[int, float] = {}
        self._coils = [False] * CHANNELS
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._fds: tuple[int, int] | None = None
        self._thread = threading.Thread(target=self._run, name="simulated board", daemon=True)
        self._last_s = clock()
        self._pty = ""
        self.replug()

    @property
    def port(self) -> str:
        """The device to open: the symlink where one was asked for, else the pseudo-terminal itself."""
        return str(self._link) if self._link else self._pty

    def settings(self, barrier: BarrierSettings | None = None) -> BoardSettings:
        """How to reach this board, wired for the inputs that the barrier says exist."""
        barrier = barrier or BarrierSettings()
        inputs = {name: channel for name, channel in self._inputs.items() if name in barrier.inputs}
        outputs = {name: n for name, n in OUTPUT_CHANNELS.items() if barrier.tested or name != "beam_test"}
        return BoardSettings(port=self.port, unit=self._unit, inputs=inputs, outputs=outputs)

    def coils(self) -> tuple[bool, ...]:
        """Which of the eight relays are energised now."""
        with self._lock:
            return tuple(self._coils)

    def start(self) -> None:
        self._last_s = self._clock()
        self._thread.start()

    def close(self) -> None:
        """End the thread, take the device and the symlink away."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(2.0)
        self.unplug()

    def unplug(self) -> None:
        """The USB cable is pulled: the device is gone, the board keeps its power and ends its pulses by itself."""
        with self._lock:
            fds, self._fds = self._fds, None
            for fd in fds or ():
                os.close(fd)
            if self._link:
                self._link.unlink(missing_ok=True)

    def replug(self) -> None:
        """Plugged in again: a new device file, the same symlink."""
        with self._lock:
            if self._fds is not None:
                return
            master, slave = os.openpty()
            tty.setraw(slave)
            os.set_blocking(master, False)
            self._fds, self._pty = (master, slave), os.ttyname(slave)
            if self._link:
                self._link.unlink(missing_ok=True)
                self._link.symlink_to(self._pty)

    # ------------------------------------------------------------ the board's own thread

    def _run(self) -> None:
        buffer, quiet = b"", 0
        while not self._stop.is_set():
            heard = self._hear()
            quiet = 0 if heard else quiet + 1
            buffer = buffer + heard if quiet < QUIET_POLLS else b""
            self._pass_time()
            while True:
                asked, buffer = framing.take_request(buffer)
                if asked is None:
                    break
                self._serve(asked)

    def _hear(self) -> bytes:
        with self._lock:
            fds = self._fds
        if fds is None:
            time.sleep(POLL_S)
            return b""
        with contextlib.suppress(OSError, ValueError, termios.error):  # unplugged between the two, or nothing there yet
            if select.select([fds[0]], [], [], POLL_S)[0]:
                return self._take(fds)
        return b""

    def _take(self, fds: tuple[int, int]) -> bytes:
        """What the line holds. Under the lock: an unplugged line's numbers may already name some other open file."""
        with self._lock:
            if self._fds is not fds:
                return b""
            heard = os.read(fds[0], 256)
            return b"" if self._is_deaf(fds[1]) else heard

    def _is_deaf(self, slave: int) -> bool:
        """Whether the line was set to another speed than the board's."""
        return self.line.baud is not None and termios.tcgetattr(slave)[4] != getattr(termios, f"B{self.line.baud}")

    def _pass_time(self) -> None:
        now_s = self._clock()
        self.world.advance(max(0.0, now_s - self._last_s))
        self._last_s = now_s
        with self._lock:
            for index in [index for index, ends_s in self._flash_ends_s.items() if now_s >= ends_s]:
                self._set(index, False)

    def _set(self, index: int, on: bool, ends_s: float | None = None) -> None:
        self._flash_ends_s.pop(index, None)
        if ends_s is not None:
            self._flash_ends_s[index] = ends_s
        self._coils[index] = on
        for output, channel in OUTPUT_CHANNELS.items():
            if channel == index + 1:
                self.energised += [output] if on else []
                self.world.set_relay(output, on)

    def _serve(self, asked: Request) -> None:
        self.requests += 1
        if asked.unit != self._unit or self.line.silent:
            return
        with self._lock:
            reply = self._answer(asked)
        if self.line.late_s:
            self._stop.wait(self.line.late_s)
        self._say(self._spoil(reply))

    def _answer(self, asked: Request) -> bytes:
        match asked.function:
            case framing.READ_INPUTS | framing.READ_COILS if asked.address + asked.word > CHANNELS or asked.word < 1:
                return framing.error_reply(asked, framing.ILLEGAL_ADDRESS)
            case framing.READ_INPUTS:
                return framing.bits_reply(asked, self._input_bits()[asked.address : asked.address + asked.word])
            case framing.READ_COILS:
                return framing.bits_reply(asked, self._coils[asked.address : asked.address + asked.word])
            case framing.WRITE_COIL:
                return self._write_coil(asked)
            case framing.READ_REGISTERS if MODES_ADDRESS <= asked.address <= MODES_ADDRESS + CHANNELS - asked.word:
                return framing.words_reply(asked, [0] * asked.word)  # no input switches a relay
        return framing.error_reply(asked, framing.ILLEGAL_FUNCTION)

    def _input_bits(self) -> list[bool]:
        sensed = self.world.inputs()
        bits = [False] * CHANNELS
        for name, channel in self._inputs.items():
            bits[channel - 1] = sensed[name]
        for first, second in self._opposite.items():
            bits[second - 1] = not bits[first - 1]
        return bits

    def _write_coil(self, asked: Request) -> bytes:
        """Address 0 to 7: on or off. 0x0200 to 0x0207: on for `word` times 100 ms, ended by the board itself."""
        index = asked.address
        if FLASH_ADDRESS <= index < FLASH_ADDRESS + CHANNELS and 1 <= asked.word <= 0x7FFF:
            self._set(index - FLASH_ADDRESS, True, self._clock() + asked.word * FLASH_UNIT_S)
        elif index < CHANNELS and asked.word in (0x0000, 0xFF00):
            self._set(index, asked.word == 0xFF00)
        else:
            code = framing.ILLEGAL_VALUE if index < FLASH_ADDRESS + CHANNELS else framing.ILLEGAL_ADDRESS
            return framing.error_reply(asked, code)
        return framing.echo_reply(asked)

    def _spoil(self, reply: bytes) -> bytes:
        if self._random.random() < self.line.bad_crc:
            return reply[:-1] + bytes([reply[-1] ^ 0xFF])
        return reply[: len(reply) // 2] if self._random.random() < self.line.half_frame else reply

    def _say(self, reply: bytes) -> None:
        with self._lock:
            if self._fds is not None:
                with contextlib.suppress(OSError):  # nobody listens, or the cable was pulled just now
                    os.write(self._fds[0], reply)
