"""Modules on a line whose time somebody else turns: `Clock` goes on only where a byte is waited for, or by hand. So a
whole day of a barrier goes by in seconds, each run the same.
"""

from __future__ import annotations

from collections.abc import Callable

from tests.boom.vendors.lines import crc
from tests.boom.vendors.modules import Module


class Clock:
    """`turned`: told of each stretch of time as it goes by."""

    def __init__(self, now_s: float = 1000.0) -> None:
        self.now_s = now_s
        self.turned: Callable[[float], None] = lambda _: None

    def __call__(self) -> float:
        return self.now_s

    def turn(self, for_s: float) -> None:
        if for_s > 0:
            self.now_s += for_s
            self.turned(for_s)


class StillLine:
    """RTU frames or, `tcp`, Modbus TCP packets. `takes_s`: from a question's last byte to its answer's. `silent`: hears
    and does nothing; `dumb`: does and says nothing; `busy`: refuses everything with code 6; `short`: cuts each answer;
    `reset`: the connection breaks at the next question."""

    def __init__(self, clock: Clock, *modules: Module, tcp: bool = False, takes_s: float = 0.006) -> None:
        self.clock, self.tcp, self.takes_s = clock, tcp, takes_s
        self.modules = {module.unit: module for module in modules}
        self.silent = self.dumb = self.busy = self.short = self.reset = False
        self.opened = 0
        self._due: list[tuple[float, bytes]] = []

    def open(self, _settings: object) -> StillLine:
        self.opened += 1
        self._due.clear()
        return self

    def send(self, data: bytes) -> None:
        if self.reset:
            self.reset = False
            raise ConnectionResetError("reset by peer")
        unit, request = (data[6], data[7:]) if self.tcp else (data[0], data[1:-2])
        module = self.modules.get(unit)
        if module is None or self.silent or (not self.tcp and crc(data[:-2]) != data[-2:]):
            return
        answer = bytes([request[0] | 0x80, 6]) if self.busy else module.answer(request)
        if self.dumb:
            return
        body = bytes([unit]) + answer
        whole = data[:4] + len(body).to_bytes(2, "big") + body if self.tcp else body + crc(body)
        self._due.append((self.clock.now_s + self.takes_s, whole[:-2] if self.short else whole))

    def receive(self, wait_s: float) -> bytes:
        if self._due and self._due[0][0] <= self.clock.now_s + wait_s:
            due_s, answer = self._due.pop(0)
            self.clock.turn(due_s - self.clock.now_s)
            return answer
        self.clock.turn(wait_s)
        return b""

    def close(self) -> None:
        self._due.clear()
