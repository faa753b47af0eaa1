"""Seeded changes of good input, and what became of each try at a door."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from edge.errors import BarieError

Draw = random.Random
_DEEP = (b"[" * 2_000, b'{"a":' * 2_000, b"\x00", b"\xff\xfe", b"\xed\xa0\x80", b"9" * 400, b'"', b"\\u0000")


@dataclass(slots=True)
class Tally:
    part: str
    tries: int = 0
    refused: int = 0
    taken: int = 0
    crashes: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        return {
            "part": self.part, "tries": self.tries, "refused": self.refused, "taken": self.taken,
            "crashes": len(self.crashes), "first": self.crashes[:3],
        }  # fmt: skip


def mutated(draw: Draw, good: bytes) -> bytes:
    """One to six changes: bytes flipped, cut, doubled, moved, put in."""
    data = bytearray(good)
    for _ in range(draw.randrange(1, 7)):
        at = draw.randrange(len(data) + 1)
        to = min(len(data), at + draw.choice((1, 2, 4, 16, 200)))
        match draw.randrange(6):
            case 0 if at < len(data):
                data[at] ^= 1 << draw.randrange(8)
            case 1:
                del data[at:to]
            case 2:
                data[at:at] = data[at:to] * draw.choice((1, 2, 50))
            case 3:
                data[at:at] = draw.choice(_DEEP)
            case 4:
                data[at:to] = draw.randbytes(to - at)
            case _:
                del data[at:]
        del data[200_000:]
    return bytes(data)


def tried(part: str, count: int, seed: int, seeds: Sequence[bytes], door: Callable[[bytes], object]) -> Tally:
    """`door` takes each input, or refuses it with BarieError (its own word for bad input)."""
    draw, tally = Draw(seed), Tally(part)
    for _ in range(count):
        data = draw.randbytes(draw.randrange(64)) if draw.random() < 0.1 else mutated(draw, draw.choice(seeds))
        tally.tries += 1
        try:
            door(data)
            tally.taken += 1
        except BarieError:
            tally.refused += 1
        except Exception as error:  # noqa: BLE001 - whatever else comes out is what is looked for
            tally.crashes.append(f"{type(error).__name__}: {str(error)[:100]}; input {data[:60].hex()}")
    return tally
