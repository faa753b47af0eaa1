"""The faults of a rule table, with file and line: types, unknown words, steps that no vehicle can come to. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from edge.core.law import LawStep, Procedure, StepPlace
from edge.core.toml_lines import TomlLines

Path = tuple[str, ...]


class Sheet:
    """One rule table under examination; `faults` gathers as `file:line: what is wrong`."""

    def __init__(self, text: str, source: str) -> None:
        self._lines = TomlLines(text)
        self._source = source
        self.faults: list[str] = []

    def fault(self, path: Path, what: str) -> None:
        """Note a fault at a path; the same fault of a block that many steps use is noted once."""
        note = f"{self._source}:{self._lines.of(*path)}: {'.'.join(path[:2])}: {what}"
        if note not in self.faults:
            self.faults.append(note)

    def keys(self, path: Path, row: Mapping[str, Any], known: Collection[str]) -> None:
        for key in row:
            if key not in known:
                self.fault((*path, key), f"unknown key {key!r}; known: {', '.join(sorted(known))}")

    def text(self, path: Path, row: Mapping[str, Any], key: str) -> str:
        """A text that must be there and say something."""
        value = row.get(key)
        if isinstance(value, str) and value.strip():
            return value
        self.fault((*path, key), f"{key} is missing or no text")
        return ""

    def known(self, path: Path, what: str, word: str, words: Collection[str]) -> None:
        if word not in words:
            self.fault(path, f"unknown {what} {word!r}")


def check_walk(sheet: Sheet, procedure: str, steps: Sequence[LawStep], places: Mapping[str, StepPlace]) -> None:
    """Walk a procedure as a vehicle does: a step twice, or one that it could not stand at, is unreachable."""
    whereabouts = {where for place in places.values() for where in (place.moves or {})}
    seen: set[str] = set()
    for index, step in enumerate(steps):
        at = ("procedure", procedure, "steps", str(index))
        if step.step in seen:
            sheet.fault(at, f"unreachable: step {step.step} stands twice, and it is passed already")
        seen.add(step.step)
        moves = places[step.step].moves
        if moves is None:
            continue
        whereabouts = {moves[where] for where in whereabouts if where in moves}
        if not whereabouts:
            sheet.fault(at, f"unreachable: no vehicle can come to {step.step} from the steps before it")
            return


def unused(sheet: Sheet, data: Mapping[str, Any], procedures: Mapping[str, Procedure]) -> None:
    """Blocks, steps and requires that no procedure ever comes to: a slip of the pen, most likely in a name."""
    rows = [entry for row in _rows(data, "procedure") for entry in row.get("steps", ()) if isinstance(entry, dict)]
    blocks = {entry.get("block") for entry in rows}
    for block in data.get("block", {}):
        if block not in blocks:
            sheet.fault(("block", block), "unreachable: no procedure uses this block")
    steps = {step.step for procedure in procedures.values() for step in procedure.steps}
    for step in data.get("step", {}):
        if step not in steps:
            sheet.fault(("step", step), "unreachable: no procedure has this step")
    asked = {need.if_required for p in procedures.values() for s in p.steps for group in s.groups for need in group}
    for key in data.get("requires", {}):
        if key not in asked:
            sheet.fault(("requires", key), "no confirmation hangs on this key")


def _rows(data: Mapping[str, Any], table: str) -> list[Mapping[str, Any]]:
    rows = data.get(table)
    return [row for row in rows.values() if isinstance(row, dict)] if isinstance(rows, dict) else []
