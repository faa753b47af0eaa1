"""What a Modbus master asks and which answer fits. Pure.

An answer counts only for the question it fits: unit, function, address, value and length. Sources: Modbus application
protocol 1.1b3, Modbus over serial line 1.02, Modbus messaging on TCP/IP 1.0b.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

from firmware_io.framing import crc16, seal

READS: Final = (1, 2, 3, 4)
ECHOED: Final = (5, 6)
"""Functions whose answer is the request again."""
WRITES_MANY: Final = (15, 16)
COIL_ON: Final = 0xFF00
MBAP_BYTES: Final = 7


@dataclass(frozen=True, slots=True)
class Question:
    """One request: `body` is the protocol data unit, function first. Equal ones have answers that look alike."""

    unit: int
    body: bytes

    @property
    def function(self) -> int:
        return self.body[0]

    def frame(self) -> bytes:
        """As it goes over a serial line (or RTU over TCP)."""
        return seal(bytes([self.unit]) + self.body)

    def packet(self, transaction: int) -> bytes:
        """As it goes over Modbus TCP."""
        return transaction.to_bytes(2, "big") + bytes(2) + (len(self.body) + 1).to_bytes(2, "big") + self._tail()

    def _tail(self) -> bytes:
        return bytes([self.unit]) + self.body

    def answer_length(self) -> int:
        """Bytes of the answer's data unit, function included."""
        if self.function not in READS:
            return 5
        count = int.from_bytes(self.body[3:], "big")
        return 2 + ((count + 7) // 8 if self.function in (1, 2) else 2 * count)

    def looks(self) -> bytes:
        """Two questions of which this is the same cannot be told apart by their answers."""
        if self.function in READS:
            return bytes([self.unit, self.function, self.answer_length()])
        return bytes([self.unit]) + self.body[:5]

    def fits(self, unit: int, answer: bytes) -> bool:
        """Whether this can be the answer, or the module's refusal, of this question and of no other."""
        if unit != self.unit or not answer:
            return False
        if answer[0] == self.function | 0x80:
            return len(answer) == 2
        if answer[0] != self.function or len(answer) != self.answer_length():
            return False
        return answer[1] == len(answer) - 2 if self.function in READS else answer == self.body[:5]


def read(unit: int, function: int, address: int, count: int) -> Question:
    """Coils (1), discrete inputs (2), holding (3) or input registers (4)."""
    return Question(unit, bytes([function]) + address.to_bytes(2, "big") + count.to_bytes(2, "big"))


def write(unit: int, function: int, address: int, value: int) -> Question:
    """One coil or register: 5 and 6 carry `value` itself; 15 a bit (on where `value` is not 0), 16 one register."""
    head = bytes([function]) + address.to_bytes(2, "big")
    if function in ECHOED:
        return Question(unit, head + value.to_bytes(2, "big"))
    data = bytes([1, int(value != 0)]) if function == 15 else b"\x02" + value.to_bytes(2, "big")
    return Question(unit, head + b"\x00\x01" + data)


def bits(answer: bytes, count: int) -> list[bool]:
    """The values of an answer to 1 or 2: lowest bit of the first byte first."""
    return [bool(answer[2 + n // 8] >> n % 8 & 1) for n in range(count)]


def words(answer: bytes) -> list[int]:
    """The values of an answer to 3 or 4."""
    return [int.from_bytes(answer[at : at + 2], "big") for at in range(2, len(answer) - 1, 2)]


class Heard(NamedTuple):
    """A whole frame with a good CRC."""

    unit: int
    answer: bytes


def take_answer(buffer: bytes) -> tuple[Heard | None, bytes, int]:
    """The first whole answer in `buffer`, what follows it, and how many bytes before it were no part of any.

    Where more bytes are needed: None, the bytes to keep, and those that can begin nothing.
    """
    kept: int | None = None
    for at in range(len(buffer) - 4):
        size = _size(buffer[at:])
        if at + size > len(buffer):
            kept = at if kept is None else kept  # may be one, or rubbish that hides the one after it
        elif size and crc16(buffer[at : at + size - 2]) == int.from_bytes(buffer[at + size - 2 : at + size], "little"):
            return Heard(buffer[at], buffer[at + 1 : at + size - 2]), buffer[at + size :], at
    skipped = kept if kept is not None else max(0, len(buffer) - 4)
    return None, buffer[skipped:], skipped


def _size(buffer: bytes) -> int:
    """Bytes of the answer that would begin here; 0 where none can."""
    function = buffer[1]
    if function & 0x80:
        return 5
    if function in READS:
        return 5 + buffer[2]
    return 8 if function in (*ECHOED, *WRITES_MANY) else 0


def take_packet(buffer: bytes) -> tuple[tuple[int, Heard] | None, bytes]:
    """The first whole Modbus TCP answer as (transaction, what was heard), and the rest. ValueError: no Modbus TCP."""
    if len(buffer) < MBAP_BYTES + 1:
        return None, buffer
    length = int.from_bytes(buffer[4:6], "big")
    if buffer[2:4] != b"\x00\x00" or not 2 <= length <= 254:
        raise ValueError("no Modbus TCP header")
    if len(buffer) < 6 + length:
        return None, buffer
    return (int.from_bytes(buffer[:2], "big"), Heard(buffer[6], buffer[7 : 6 + length])), buffer[6 + length :]
