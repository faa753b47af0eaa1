"""How full a yard is (27/2025 Art. 20.1): counted at its gates, put right by hand. Pure.

The count is never better than the gates: after a device fault, or a count that cannot be, it is `doubtful` until a
person corrects it, and it goes to the platform as such rather than as a wrong number that looks right.
"""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class YardLevel:
    """`count` vehicles of at most `capacity` are in the yard. `corrected_by`, `corrected_at`: the last correction."""

    capacity: int
    count: int = 0
    doubtful: bool = False
    corrected_by: str | None = None
    corrected_at: str | None = None

    def __post_init__(self) -> None:
        if self.capacity < 1:
            raise ValueError(f"capacity = {self.capacity}: a yard holds one vehicle or more")
        if self.count < 0:
            raise ValueError(f"count = {self.count}: cannot be below zero")

    @property
    def fraction(self) -> float:
        """How full, 0.0 to 1.0 and past it: a yard may be over its capacity."""
        return self.count / self.capacity

    @property
    def full(self) -> bool:
        return self.count >= self.capacity


def entered(level: YardLevel) -> YardLevel:
    """A vehicle went in, counted by the gate or recorded by the operator."""
    return replace(level, count=level.count + 1)


def left(level: YardLevel) -> YardLevel:
    """A vehicle went out. Out of an empty yard: the count was wrong before, and is doubtful from now on."""
    if level.count == 0:
        return replace(level, doubtful=True)
    return replace(level, count=level.count - 1)


def device_failed(level: YardLevel) -> YardLevel:
    """A gate's device failed: vehicles pass as normal (Art. 23.2), uncounted until the operator records them."""
    return replace(level, doubtful=True)


def corrected(level: YardLevel, count: int, by: str, at: str) -> YardLevel:
    """The operator counted. Raises ValueError below zero, or where nobody answers for it."""
    if not by.strip():
        raise ValueError("a correction names who made it")
    return replace(level, count=count, doubtful=False, corrected_by=by, corrected_at=at)


@dataclass(frozen=True, slots=True, kw_only=True)
class YardCount:
    """The level as it is told: to the platform, on the screen, in the record. `percent` with one decimal."""

    yard: str
    count: int
    capacity: int
    percent: float
    doubtful: bool
    corrected_by: str | None
    corrected_at: str | None


def told(yard: str, level: YardLevel) -> YardCount:
    return YardCount(
        yard=yard,
        count=level.count,
        capacity=level.capacity,
        percent=round(100 * level.fraction, 1),
        doubtful=level.doubtful,
        corrected_by=level.corrected_by,
        corrected_at=level.corrected_at,
    )
