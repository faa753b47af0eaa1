"""Bytes in, messages out: Modbus RTU as a slave sees it (for the simulator), and LCUS boards' 4-byte frames. Pure.

Modbus application protocol 1.1b3 and Modbus over serial line 1.02. The master's side is in questions.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

READ_COILS: Final = 1
READ_INPUTS: Final = 2
READ_REGISTERS: Final = 3
WRITE_COIL: Final = 5
WRITE_COILS: Final = 15
ILLEGAL_FUNCTION: Final = 1
ILLEGAL_ADDRESS: Final = 2
ILLEGAL_VALUE: Final = 3

REQUEST_BYTES: Final = 8
"""Address, function, two 16-bit words and CRC: the length of each request but WRITE_COILS."""


@dataclass(frozen=True, slots=True)
class Request:
    """A whole frame with a good CRC. `address` and `word` are its two 16-bit fields (word: count or value)."""

    unit: int
    function: int
    address: int
    word: int
    data: bytes = b""


def crc16(data: bytes) -> int:
    """CRC-16/MODBUS: polynomial 0xA001 (reflected), start 0xFFFF; sent low byte first."""
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ 0xA001 if crc & 1 else crc >> 1
    return crc


def seal(body: bytes) -> bytes:
    """The frame: body and its CRC."""
    return body + crc16(body).to_bytes(2, "little")


def take_request(buffer: bytes) -> tuple[Request | None, bytes]:
    """The first whole request in `buffer` and the bytes after it; (None, rest) where more bytes are needed.

    Bytes that can begin no good frame are skipped one by one, as a slave that missed a start resynchronises.
    """
    while len(buffer) >= REQUEST_BYTES:
        size = _size(buffer)
        if len(buffer) < size:
            return None, buffer
        frame = buffer[:size]
        if crc16(frame[:-2]) == int.from_bytes(frame[-2:], "little"):
            return _parse(frame), buffer[size:]
        buffer = buffer[1:]
    return None, buffer


def _size(buffer: bytes) -> int:
    """Bytes of the frame that would begin here; 0 where none can."""
    if buffer[1] != WRITE_COILS:
        return REQUEST_BYTES
    count = int.from_bytes(buffer[4:6], "big")
    return 9 + buffer[6] if buffer[6] == (count + 7) // 8 else 0


def _parse(frame: bytes) -> Request:
    address, word = int.from_bytes(frame[2:4], "big"), int.from_bytes(frame[4:6], "big")
    return Request(frame[0], frame[1], address, word, frame[7:-2] if frame[1] == WRITE_COILS else b"")


def request(unit: int, function: int, address: int, word: int) -> bytes:
    """A request frame of 8 bytes, as a master sends it."""
    return seal(bytes([unit, function]) + address.to_bytes(2, "big") + word.to_bytes(2, "big"))


def bits_reply(asked: Request, bits: list[bool]) -> bytes:
    """The answer to READ_COILS or READ_INPUTS: first bit in the lowest bit of the first byte."""
    packed = sum(bit << place for place, bit in enumerate(bits)).to_bytes((len(bits) + 7) // 8, "little")
    return seal(bytes([asked.unit, asked.function, len(packed)]) + packed)


def words_reply(asked: Request, words: list[int]) -> bytes:
    """The answer to READ_REGISTERS: 16-bit words, high byte first."""
    packed = b"".join(word.to_bytes(2, "big") for word in words)
    return seal(bytes([asked.unit, asked.function, len(packed)]) + packed)


def echo_reply(asked: Request) -> bytes:
    """The answer to WRITE_COIL (the request again) and WRITE_COILS (address and count)."""
    return request(asked.unit, asked.function, asked.address, asked.word)


def error_reply(asked: Request, code: int) -> bytes:
    """An exception: the function with its top bit set, and why."""
    return seal(bytes([asked.unit, asked.function | 0x80, code]))


def lcus_frame(channel: int, on: bool) -> bytes:
    """LCUS-1/2/4/8: A0, channel from 1, 01 or 00, and the low byte of their sum. The board never answers."""
    if not 1 <= channel <= 8:
        raise ValueError(f"an LCUS board has channels 1 to 8, not {channel}")
    body = bytes([0xA0, channel, int(on)])
    return body + bytes([sum(body) & 0xFF])


def lcus_take(buffer: bytes) -> tuple[tuple[int, bool] | None, bytes]:
    """The first whole LCUS frame in `buffer` as (channel, on), and the rest; (None, rest) if more are needed."""
    while len(buffer) >= 4:
        head, channel, value, check = buffer[:4]
        if head == 0xA0 and value in (0, 1) and check == (0xA0 + channel + value) & 0xFF:
            return (channel, bool(value)), buffer[4:]
        buffer = buffer[1:]
    return None, buffer
