"""A day's figures from its passages: traffic by hour, waiting time, read rate, overrides by reason. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from edge.core.record.history import PassageRow

HOURS = 24
HOUR_MS = 3_600_000
READS = ("exact", "typed", "unsure", "none")


@dataclass(frozen=True, slots=True)
class DayFigures:
    """`through` and `others` by hour of arrival. `waits_s` by hour: the median wait of those that the boom opened for,
    None where there is none; `wait_median_s`, `wait_p90_s` of the whole day. `reads`: how plates became known;
    `read_rate`, and `read_rates` by hour: the part that the camera alone read with certainty. `overrides` and
    `refusals` by reason, the commonest first.
    """

    total: int
    through: tuple[int, ...]
    others: tuple[int, ...]
    waits_s: tuple[float | None, ...]
    wait_median_s: float | None
    wait_p90_s: float | None
    reads: Mapping[str, int]
    read_rate: float | None
    read_rates: tuple[float | None, ...]
    overrides: tuple[tuple[str, int], ...]
    refusals: tuple[tuple[str, int], ...]


def day_figures(rows: Iterable[PassageRow], midnight_ms: int) -> DayFigures:
    """Of the passages that began in the 24 hours from `midnight_ms` (Unix ms)."""
    hours: list[list[PassageRow]] = [[] for _ in range(HOURS)]
    for row in rows:
        hour = (row.began_ms - midnight_ms) // HOUR_MS
        if 0 <= hour < HOURS:
            hours[hour].append(row)
    day = [row for hour in hours for row in hour]
    reads = Counter(row.read for row in day)
    return DayFigures(
        total=len(day),
        through=tuple(sum(row.outcome == "through" for row in hour) for hour in hours),
        others=tuple(sum(row.outcome != "through" for row in hour) for hour in hours),
        waits_s=tuple(quantile(waits(hour), 0.5) for hour in hours),
        wait_median_s=quantile(waits(day), 0.5),
        wait_p90_s=quantile(waits(day), 0.9),
        reads={name: reads[name] for name in READS},  # type: ignore[index]  # READS are the names of Read
        read_rate=rate(day),
        read_rates=tuple(rate(hour) for hour in hours),
        overrides=_by_reason(row for row in day if row.how == "overridden"),
        refusals=_by_reason(row for row in day if row.outcome == "turned_away"),
    )


def waits(rows: Iterable[PassageRow]) -> list[float]:
    """Seconds, shortest first, of those that the boom opened for."""
    return sorted(row.wait_ms / 1000 for row in rows if row.wait_ms is not None)


def rate(rows: Sequence[PassageRow]) -> float | None:
    """The part whose plate the camera read with certainty and nobody had to type; None of nothing."""
    return sum(row.read == "exact" for row in rows) / len(rows) if rows else None


def quantile(ordered: Sequence[float], part: float) -> float | None:
    """The smallest value that at least this part of all is not above; None of nothing."""
    if not ordered:
        return None
    return ordered[max(0, min(len(ordered) - 1, -int(-part * len(ordered) // 1) - 1))]


def _by_reason(rows: Iterable[PassageRow]) -> tuple[tuple[str, int], ...]:
    return tuple(sorted(Counter(row.reason for row in rows).items(), key=lambda pair: (-pair[1], pair[0])))
