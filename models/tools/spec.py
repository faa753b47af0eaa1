"""One plate as data: its text, its ground, and which mark stands where. Lengths are in millimetres."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random


@dataclass(slots=True)
class Cell:
    """One mark on the plate: its box in mm, tint ("text", "red") and whether it is a character of the text."""

    mark: str
    x: float
    y: float
    w: float
    h: float
    tint: str = "text"
    counts: bool = True


@dataclass(slots=True)
class Spec:
    text: str
    country: str
    layout: str
    colour: str
    size: tuple[float, float]
    cells: list[Cell] = field(default_factory=list)
    ink: str = "black"
    gradient: str = ""


RUNS = 0.15
"""Share of numbers with a run of one digit: 8888 is sought after; a reader that never saw it miscounts."""


ALIKE = 0.2
"""Share of numbers drawn from look-alikes only: the reader is to tell them apart, not to prefer the commoner."""
ALIKE_DIGITS = ("17", "17", "068", "069", "38", "25", "14", "147", "27")


HEADS_ALIKE = 0.0
"""Share of Chinese plates whose city letter is drawn from look-alikes only. Else A to F are the commonest, as on the
road, and a reader that saw few Gs among many Cs answers C to every blurred one. The test world has none of these."""


def digits(r: Random, n: int) -> str:
    if n > 2 and r.random() < RUNS:
        return _with_run(r, n)
    if r.random() < ALIKE:
        few = r.choice(ALIKE_DIGITS)
        return "".join(r.choice(few) for _ in range(n))
    return "".join(r.choice("0123456789") for _ in range(n))


def _with_run(r: Random, n: int) -> str:
    length = r.randrange(2, n + 1)
    start = r.randrange(n - length + 1)
    run = r.choice("0123456789") * length
    rest = "".join(r.choice("0123456789") for _ in range(n - length))
    return rest[:start] + run + rest[start:]
