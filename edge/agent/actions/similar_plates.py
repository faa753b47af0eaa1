"""Declared plates so like a text as read that a guard may be offered them. Suggestions only: nothing here ever
matches."""

from __future__ import annotations

from collections.abc import Callable, Collection
from itertools import combinations, product

from edge.core.plate.table import PlateTable

LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZĐ"
FIRST = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
LAST = "挂学警港澳领使"
MOST = 4


def near_plates(table: PlateTable, text: str, declared: Callable[[Collection[str]], list[str]]) -> tuple[str, ...]:
    """The nearest first, at most MOST. `declared` says which of many texts an active declaration names."""
    found = [plate for plate in declared(neighbours(table, text)) if table.near(text, plate)]
    return tuple(sorted(found, key=lambda plate: (table.distance(text, plate), plate))[:MOST])


def neighbours(table: PlateTable, text: str) -> set[str]:
    """Every text within the distance of `PlateTable.near`: one edit, or two look-alikes swapped. Some 1,500 for a
    plate, so that the copy is asked by its index and not read through."""
    places = range(len(text))
    found = {text[:i] + text[i + 1 :] for i in places}
    found |= {text[:i] + one + text[i + cut :] for i in range(len(text) + 1) for one in LETTERS for cut in (0, 1)}
    found |= {one + text[cut:] for one in FIRST for cut in (0, 1)}
    found |= {text[: len(text) - cut] + one for one in LAST for cut in (0, 1)}
    for i, j in combinations([place for place in places if text[place] in table.groups], 2):
        for x, y in product(table.groups[text[i]], table.groups[text[j]]):
            found.add(text[:i] + x + text[i + 1 : j] + y + text[j + 1 :])
    return found - {text}
