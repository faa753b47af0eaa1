"""From the reader's per-character probabilities to the best text that the plate table allows.

Texts are looked at from the likeliest down, so the first that fits a pattern is the likeliest that does. Nothing is
replaced after the fact: a correction costs the probability that the reader gave it, and far-fetched ones are not made.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from heapq import heappop, heappush
from math import log

from edge.core.model import Layout, PlateText
from edge.core.plate.table import PlateTable

Slots = Sequence[Sequence[float]]
"""Per slot the probability of every character of the alphabet; index 0 is "no character here"."""

FAR = log(2e-4)
"""A text this many times less likely than the raw one is not what the plate says, whatever the grammar would like."""
MOST = 600
"""Texts looked at before giving up; 600 pattern matches take about a millisecond."""
CHOICES = 6
"""Characters considered for one slot."""
TINY = 1e-9


def likeliest(slots: Slots) -> Iterator[tuple[float, tuple[int, ...]]]:
    """(log of the probability relative to the best, character index per slot), best first: a lazy best-first search."""
    ranked = [sorted(range(len(slot)), key=lambda i, s=slot: -s[i])[:CHOICES] for slot in slots]  # type: ignore[misc]
    costs = [
        [log(max(slot[i], TINY)) - log(max(slot[row[0]], TINY)) for i in row]
        for slot, row in zip(slots, ranked, strict=True)
    ]
    heap: list[tuple[float, int, tuple[int, ...]]] = [(0.0, 0, (0,) * len(slots))]
    while heap:
        cost, first, chosen = heappop(heap)
        yield -cost, tuple(row[c] for row, c in zip(ranked, chosen, strict=True))
        # Only slots from `first` on may move further down their ranking: every choice is reached exactly once.
        for i in range(first, len(slots)):
            rank = chosen[i] + 1
            if rank < len(ranked[i]):
                further = cost + costs[i][rank - 1] - costs[i][rank]
                heappush(heap, (further, i, (*chosen[:i], rank, *chosen[i + 1 :])))


def decode(
    table: PlateTable,
    slots: Slots,
    alphabet: str,
    rows: Sequence[float],
    layout: Layout,
    ground: str | None = None,
) -> PlateText:
    """The plate that the reader saw: text by grammar, raw text as seen, with a line feed where a two-line plate breaks.

    `rows` is each slot's height on the plate (0 top, 1 bottom). The confidence is the probability of the whole text
    as the reader gave it, so a text that the grammar had to change never has more than one half.
    """
    raw_choice: tuple[int, ...] | None = None
    for looked, (relative, choice) in enumerate(likeliest(slots)):
        raw_choice = raw_choice or choice
        if looked >= MOST or relative < FAR:
            break
        text = _text(choice, alphabet)
        if table.fits(text):
            plate = table.read(_broken(choice, alphabet, rows, layout), layout, _probability(slots, choice), ground)
            return replace(plate, raw=_broken(raw_choice, alphabet, rows, layout))
    if raw_choice is None:
        return PlateText("", "", 0.0, layout=layout)
    raw = _broken(raw_choice, alphabet, rows, layout)
    return PlateText(_text(raw_choice, alphabet), raw, _probability(slots, raw_choice), layout=layout, ground=ground)


def _text(choice: Sequence[int], alphabet: str) -> str:
    return "".join(alphabet[i] for i in choice if i)


def _broken(choice: Sequence[int], alphabet: str, rows: Sequence[float], layout: Layout) -> str:
    """The text with a line feed at the widest step down between neighbours, where the layout says two lines."""
    seen = [(alphabet[i], row) for i, row in zip(choice, rows, strict=True) if i]
    text = "".join(character for character, _ in seen)
    if layout != "two_line" or len(seen) < 2:
        return text
    steps = [seen[k + 1][1] - seen[k][1] for k in range(len(seen) - 1)]
    at = max(range(len(steps)), key=steps.__getitem__) + 1
    return f"{text[:at]}\n{text[at:]}" if steps[at - 1] > 0.2 else text


def _probability(slots: Slots, choice: Sequence[int]) -> float:
    product = 1.0
    for slot, i in zip(slots, choice, strict=True):
        product *= slot[i]
    return round(product, 4)
