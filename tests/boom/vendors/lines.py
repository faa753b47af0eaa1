"""Modules on a line: a pseudo-terminal, a TCP server with RTU frames or one with Modbus TCP; with a line's own faults.

Answers may come late, each after the question it answers was given up, while newer questions are heard already, as a
buffering converter does it. Sources: Modbus over serial line 1.02 (frames, CRC), Modbus messaging on TCP/IP (header).
"""

from __future__ import annotations

import contextlib
import os
import select
import socket
import struct
import threading
import time
import tty
from collections.abc import Callable

from tests.boom.vendors.modules import Module

POLL_S = 0.004
QUIET_S = 0.03


def crc(data: bytes) -> bytes:
    """CRC-16/MODBUS by nibbles, low byte first."""
    table = (
        0x0000, 0xCC01, 0xD801, 0x1400, 0xF001, 0x3C00, 0x2800, 0xE401,
        0xA001, 0x6C00, 0x7800, 0xB401, 0x5000, 0x9C01, 0x8801, 0x4400,
    )  # fmt: skip
    value = 0xFFFF
    for byte in data:
        value = table[(value ^ byte) & 15] ^ value >> 4
        value = table[(value ^ byte >> 4) & 15] ^ value >> 4
    return value.to_bytes(2, "little")


class Served:
    """Modules behind one line. Turn its faults at will; `close` it."""

    def __init__(self, *modules: Module) -> None:
        self.modules = {module.unit: module for module in modules}
        self.late_s: Callable[[], float] = lambda: 0.0
        self.silent = False
        self.echo = False
        self._due: list[tuple[float, bytes]] = []
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="a vendor's module", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self._ended.set()
        self._thread.join(5.0)

    def _run(self) -> None:
        raise NotImplementedError

    def _queue(self, answer: bytes) -> None:
        """In order: a module answers one question after the other."""
        due_s = time.monotonic() + self.late_s()
        self._due.append((max([due_s, *(at for at, _ in self._due[-1:])]), answer))

    def _rtu(self, frame: bytes) -> None:
        """One frame as the line's silence bounded it; what is none is left without an answer."""
        if len(frame) < 4 or crc(frame[:-2]) != frame[-2:] or self.silent:
            return
        module = self.modules.get(frame[0])
        if module is not None:
            body = frame[:1] + module.answer(frame[1:-2])
            self._queue(body + crc(body))

    def _say_due(self, say: Callable[[bytes], object]) -> None:
        while self._due and time.monotonic() >= self._due[0][0]:
            with contextlib.suppress(OSError):
                say(self._due.pop(0)[1])


class Pty(Served):
    """RTU on a pseudo-terminal; `port` is its device."""

    def __init__(self, *modules: Module) -> None:
        super().__init__(*modules)
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        self.port = os.ttyname(self._slave)
        self.start()

    def _run(self) -> None:
        frame, last_s = b"", 0.0
        while not self._ended.is_set():
            if select.select([self._master], [], [], POLL_S)[0]:
                heard = os.read(self._master, 256)
                frame, last_s = frame + heard, time.monotonic()
                if self.echo:
                    os.write(self._master, heard)
            if frame and (_is_whole(frame) or time.monotonic() - last_s > QUIET_S):
                self._rtu(frame)
                frame = b""
            self._say_due(lambda answer: os.write(self._master, answer))

    def close(self) -> None:
        super().close()
        os.close(self._master)
        os.close(self._slave)


def _is_whole(frame: bytes) -> bool:
    return len(frame) >= 8 and crc(frame[:-2]) == frame[-2:]


class Tcp(Served):
    """One client at a time, as most modules allow; `rtu`: RTU frames over the connection, else Modbus TCP."""

    def __init__(self, *modules: Module, rtu: bool = False) -> None:
        super().__init__(*modules)
        self._is_rtu = rtu
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._listening.settimeout(0.05)
        self.tcp_port: int = self._listening.getsockname()[1]
        self._client: socket.socket | None = None
        self.start()

    def reset(self) -> None:
        """The connection is gone from one moment to the next (RST); the module itself goes on."""
        client, self._client = self._client, None
        if client is not None:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            client.close()

    def _run(self) -> None:
        while not self._ended.is_set():
            with contextlib.suppress(TimeoutError, OSError):
                self._client, _ = self._listening.accept()
                self._due.clear()
                self._talk(self._client)

    def _talk(self, client: socket.socket) -> None:
        data = b""
        with client:
            while not self._ended.is_set() and self._client is client:
                if select.select([client], [], [], POLL_S)[0]:
                    heard = client.recv(512)
                    if not heard:
                        return
                    data = self._take(data + heard)
                self._say_due(client.sendall)

    def _take(self, data: bytes) -> bytes:
        if self._is_rtu:
            if not _is_whole(data):
                return data
            self._rtu(data)
            return b""
        while len(data) >= 8 and len(data) >= 6 + (length := data[4] << 8 | data[5]):
            packet, data = data[: 6 + length], data[6 + length :]
            module = self.modules.get(packet[6])
            if module is not None and not self.silent:
                body = packet[6:7] + module.answer(packet[7:])
                self._queue(packet[:4] + len(body).to_bytes(2, "big") + body)
        return data

    def close(self) -> None:
        super().close()
        self._listening.close()
