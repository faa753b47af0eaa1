"""The faults of a rule table, with file and line: types, unknown words, steps that no vehicle can come to. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from edge.core.law.terms import LawStep, Procedure, StepPlace
from edge.core.toml_lines import TomlLines

Path = tuple[str, ...]

OF_THE_CODE = frozenset({"yard_exit", "smart_lane"})
"""Choices that no confirmation hangs on: how a gate behaves when one is missing (edge.core.law.procedures)."""
WORDS = {
    "requires": ("khóa", "key"),
    "choice": ("lựa chọn", "choice"),
    "authority": ("cơ quan", "authority"),
    "act": ("nội dung", "act"),
}


class Sheet:
    """One rule table under examination; `faults` gathers as `file:line: what is wrong`."""

    def __init__(self, text: str, source: str) -> None:
        self._lines = TomlLines(text)
        self._source = source
        self.faults: list[str] = []

    def fault(self, path: Path, vi: str, en: str) -> None:
        """Note a fault at a path, in Vietnamese and English; the same fault of a block that many steps use is noted
        once."""
        note = f"{self._source}:{self._lines.of(*path)}: {'.'.join(path[:2])}: {vi} / {en}"
        if note not in self.faults:
            self.faults.append(note)

    def keys(self, path: Path, row: Mapping[str, Any], known: Collection[str]) -> None:
        for key in row:
            if key not in known:
                self.fault((*path, key), f"khóa lạ {key!r}", f"unknown key {key!r}; known: {', '.join(sorted(known))}")

    def text(self, path: Path, row: Mapping[str, Any], key: str) -> str:
        """A text that must be there and say something."""
        value = row.get(key)
        if isinstance(value, str) and value.strip():
            return value
        self.fault((*path, key), f"thiếu {key}, hoặc không phải chữ", f"{key} is missing or no text")
        return ""

    def known(self, path: Path, vi: str, en: str, word: str, words: Collection[str]) -> None:
        if word not in words:
            self.fault(path, f"không có {vi} {word!r}", f"unknown {en} {word!r}")


def check_walk(sheet: Sheet, path: Path, steps: Sequence[LawStep], places: Mapping[str, StepPlace]) -> None:
    """Walk a procedure, or another way through it, as a vehicle does: a step twice, or one that it could not stand at,
    is unreachable."""
    whereabouts = {where for place in places.values() for where in (place.moves or {})}
    seen: set[str] = set()
    for index, step in enumerate(steps):
        at = (*path, str(index))
        if step.step in seen:
            sheet.fault(
                at,
                f"không tới được: bước {step.step} đứng hai lần, và đã qua rồi",
                f"unreachable: step {step.step} stands twice, and it is passed already",
            )
        seen.add(step.step)
        moves = places[step.step].moves
        if moves is None:
            continue
        whereabouts = {moves[where] for where in whereabouts if where in moves}
        if not whereabouts:
            sheet.fault(
                at,
                f"không tới được: không xe nào từ các bước trước tới {step.step} được",
                f"unreachable: no vehicle can come to {step.step} from the steps before it",
            )
            return


def unused(sheet: Sheet, data: Mapping[str, Any], procedures: Mapping[str, Procedure]) -> None:
    """Blocks, steps and requires that no procedure ever comes to: a slip of the pen, most likely in a name."""
    tables = [t for row in _rows(data, "procedure") for t in (row, *(v for v in row.values() if isinstance(v, dict)))]
    rows = [entry for table in tables for entry in table.get("steps", ()) if isinstance(entry, dict)]
    blocks = {entry.get("block") for entry in rows}
    for block in data.get("block", {}):
        if block not in blocks:
            sheet.fault(
                ("block", block),
                "không tới được: không quy trình nào dùng block này",
                "unreachable: no procedure uses this block",
            )
    steps = {step.step for procedure in procedures.values() for step in procedure.steps}
    for step in data.get("step", {}):
        if step not in steps:
            sheet.fault(
                ("step", step),
                "không tới được: không quy trình nào có bước này",
                "unreachable: no procedure has this step",
            )
    needs = [need for p in procedures.values() for s in _all_steps(p) for need in s.needs]
    used: dict[str, set[Any]] = {
        "requires": {need.if_required for need in needs},
        "choice": {need.unless[0] for need in needs if need.unless} | OF_THE_CODE,
        "authority": {authority for need in needs for authority in need.authorities},
        "act": {need.act for need in needs},
    }
    for choice in sorted(OF_THE_CODE - set(data.get("choice", {}))):
        sheet.fault(("choice",), f"thiếu [choice.{choice}]", f"[choice.{choice}] is missing")
    for table, keys in used.items():
        for key in data.get(table, {}):
            if key not in keys:
                sheet.fault(
                    (table, key),
                    f"không xác nhận nào dùng {WORDS[table][0]} này",
                    f"no confirmation hangs on this {WORDS[table][1]}",
                )


def _all_steps(procedure: Procedure) -> list[LawStep]:
    return [step for steps in (procedure.steps, *(r.steps for r in procedure.routes.values())) for step in steps]


def _rows(data: Mapping[str, Any], table: str) -> list[Mapping[str, Any]]:
    rows = data.get(table)
    return [row for row in rows.values() if isinstance(row, dict)] if isinstance(rows, dict) else []
