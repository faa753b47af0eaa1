"""What the vendors' pages say each module does with a request. Bytes in, bytes out, and a clock; no line yet.

Sources: Waveshare wiki (Modbus RTU Relay, Relay (D), POE ETH Relay (B)); Advantech ADAM-6000 manual appendix B.2 and
chapter 5 (host idle time); Moxa ioLogik E1200 manual appendix A (E1214); info.kmtronic.com/kmtronic-modbus-relays.html;
LC-Tech and Eletechsup command lists; Siemens LOGO! 8 Modbus address space.
"""

from __future__ import annotations

import time
from collections.abc import Callable


class Refused(Exception):  # noqa: N818
    """A Modbus exception, by its code: 1 function, 2 address, 3 value."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Module:
    """`relays` and `inputs` count from 0. `idle_s`: with no request for so long every relay is released."""

    relay_count = 8
    input_count = 8

    def __init__(self, unit: int = 1, clock: Callable[[], float] = time.monotonic) -> None:
        self.unit = unit
        self.clock = clock
        self.inputs = [False] * self.input_count
        self.idle_s: float | None = None
        self.heard = 0
        self.number_inputs = False
        """Show in the inputs how many requests have been heard, so that a reading tells which question it answers."""
        self._on = [False] * self.relay_count
        self._until: dict[int, float] = {}
        self._last_s = clock()

    # ------------------------------------------------------------ what a person at the module sees and does

    def relay(self, index: int) -> bool:
        self._tick()
        return self._on[index]

    def switch(self, index: int, on: bool, for_s: float | None = None) -> None:
        self._on[index] = on
        self._until.pop(index, None)
        if on and for_s is not None:
            self._until[index] = self.clock() + for_s

    def _tick(self) -> None:
        now_s = self.clock()
        for index in [n for n, ends_s in self._until.items() if now_s >= ends_s]:
            self.switch(index, False)
        if self.idle_s is not None and now_s - self._last_s > self.idle_s:
            self._on = [False] * self.relay_count
            self._until.clear()

    # ------------------------------------------------------------ requests

    def answer(self, request: bytes) -> bytes:
        """The protocol data unit that answers this one."""
        self._tick()
        self._last_s = self.clock()
        self.heard += 1
        if self.number_inputs:
            self.inputs = [bool(self.heard >> n & 1) for n in range(self.input_count)]
        try:
            return self._serve(request)
        except Refused as refusal:
            return bytes([request[0] | 0x80, refusal.code])

    def _serve(self, request: bytes) -> bytes:
        function = request[0]
        address, word = request[1] << 8 | request[2], request[3] << 8 | request[4]
        if function in (1, 2):
            look = self.coil if function == 1 else self.discrete
            states = [look(address + n) for n in range(word)]
            packed = bytearray((word + 7) // 8)
            for n, state in enumerate(states):
                packed[n >> 3] |= state << (n & 7)
            return bytes([function, len(packed), *packed])
        if function in (3, 4):
            numbers = [self.register(function, address + n) for n in range(word)]
            return bytes([function, 2 * word]) + b"".join(number.to_bytes(2, "big") for number in numbers)
        if function == 5:
            self.set_coil(address, word)
            return request[:5]
        if function == 6:
            self.set_register(address, word)
            return request[:5]
        if function == 15:
            for n in range(word):
                self.set_coil(address + n, 0xFF00 if request[6 + n // 8] >> n % 8 & 1 else 0)
            return request[:5]
        if function == 16:
            for n in range(word):
                self.set_register(address + n, request[6 + 2 * n] << 8 | request[7 + 2 * n])
            return request[:5]
        raise Refused(1)

    # ------------------------------------------------------------ the vendor's map

    def coil(self, address: int) -> bool:
        return self.relay(self._within(address, self.relay_count))

    def discrete(self, address: int) -> bool:
        return self.inputs[self._within(address, self.input_count)]

    def register(self, function: int, address: int) -> int:
        raise Refused(1)

    def set_coil(self, address: int, word: int) -> None:
        self._plain(self._within(address, self.relay_count), word)

    def set_register(self, address: int, word: int) -> None:
        raise Refused(1)

    def _plain(self, index: int, word: int) -> None:
        if word not in (0x0000, 0xFF00):
            raise Refused(3)
        self.switch(index, word == 0xFF00)

    @staticmethod
    def _within(address: int, count: int) -> int:
        if not 0 <= address < count:
            raise Refused(2)
        return address


class Waveshare(Module):
    """Relay (D), IO 8CH and POE ETH Relay (B): flash on at 0x0200, flash off at 0x0400, control modes at 0x1000."""

    def __init__(self, unit: int = 1, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(unit, clock)
        self.modes = [0] * 8

    def set_coil(self, address: int, word: int) -> None:
        if 0x0200 <= address < 0x0208:
            if not 1 <= word <= 0x7FFF:
                raise Refused(3)
            self.switch(address - 0x0200, True, word * 0.1)
        elif address == 0x00FF:
            for index in range(8):
                self._plain(index, word)
        else:
            super().set_coil(address, word)

    def register(self, function: int, address: int) -> int:
        if function == 3 and 0x1000 <= address < 0x1008:
            return self.modes[address - 0x1000]
        if function == 3 and address == 0x4000:
            return self.unit
        raise Refused(2)


class WaveshareRelay(Waveshare):
    """The one without inputs."""

    input_count = 0


class Adam6060(Module):
    """DI0-5 are coils 00001-00006, DO0-5 coils 00017-00022; communication WDT by `idle_s`."""

    relay_count = input_count = 6

    def coil(self, address: int) -> bool:
        if 16 <= address < 22:
            return self.relay(address - 16)
        return self.discrete(address)

    def discrete(self, address: int) -> bool:
        return self.inputs[self._within(address, 6)]

    def set_coil(self, address: int, word: int) -> None:
        if not 16 <= address < 22:
            raise Refused(2)
        self._plain(address - 16, word)


class IoLogikE1214(Module):
    """Relays 0x0000-0x0005; pulse operate status 0x0010-0x0015: on starts the pulse set in the web console."""

    relay_count = input_count = 6
    pulse_outputs: frozenset[int] = frozenset()
    width_s = 0.5

    def coil(self, address: int) -> bool:
        if 0x10 <= address < 0x16:
            return self.relay(address - 0x10) and address - 0x10 in self.pulse_outputs
        return super().coil(address)

    def set_coil(self, address: int, word: int) -> None:
        if not 0x10 <= address < 0x16:
            index = self._within(address, 6)
            if index in self.pulse_outputs:
                raise Refused(2)
            self._plain(index, word)
        elif address - 0x10 not in self.pulse_outputs:
            raise Refused(2)
        else:
            self.switch(address - 0x10, word == 0xFF00, self.width_s)


class KmTronic(Module):
    """01, 05 and 15 from 0x0000; no inputs."""

    input_count = 0


class LcTech(Module):
    """Four relays, four inputs: 01, 02, 05 from 0x0000."""

    relay_count = input_count = 4


class EletechsupR421A08(Module):
    """Registers 1 to 8: 0x0100 on, 0x0200 off, 0x0300 toggle, 0x06ss on for ss seconds; read back as 1 or 0."""

    input_count = 0

    def coil(self, address: int) -> bool:
        raise Refused(1)

    def discrete(self, address: int) -> bool:
        raise Refused(1)

    def set_coil(self, address: int, word: int) -> None:
        raise Refused(1)

    def register(self, function: int, address: int) -> int:
        if function != 3:
            raise Refused(1)
        return int(self.relay(self._within(address - 1, 8)))

    def set_register(self, address: int, word: int) -> None:
        index, command, seconds = self._within(address - 1, 8), word >> 8, word & 0xFF
        if command == 6:
            self.switch(index, True, float(seconds))
        elif command in (1, 2):
            self.switch(index, command == 1)
        elif command == 3:
            self.switch(index, not self.relay(index))
        else:
            raise Refused(3)


class Logo8(Module):
    """I1-I24 discrete inputs from 0; V0.0 on are coils from 0. Here a V bit drives its relay through no pulse block."""

    input_count = 24


class Registers(Module):
    """A module of the sort that shows inputs as bits of input register 0 and takes relays as registers by 16."""

    def coil(self, address: int) -> bool:
        raise Refused(1)

    def set_coil(self, address: int, word: int) -> None:
        raise Refused(1)

    def register(self, function: int, address: int) -> int:
        if function == 4:
            self._within(address, 1)
            return sum(on << n for n, on in enumerate(self.inputs))
        return int(self.relay(self._within(address, 8)))

    def set_register(self, address: int, word: int) -> None:
        if word > 1:
            raise Refused(3)
        self.switch(self._within(address, 8), word == 1)
