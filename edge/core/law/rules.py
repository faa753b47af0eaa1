"""Reads the rule table (config/procedures.toml) strictly: every fault is named with file and line, and any stops the
start.

Pure: text in, `Rules` out. What is unknown, unused, unreachable or without its article is a fault, never a default.
"""

from __future__ import annotations

import hashlib
import string
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from typing import Any, TypeVar

from edge.core.law.rules_check import Sheet, check_walk, unused
from edge.core.law.terms import (
    REASON_WORDS,
    Choices,
    Dropped,
    LawNeed,
    LawStep,
    Procedure,
    ReasonText,
    Route,
    Rules,
    RulesError,
    SiteChoice,
    StepPlace,
    Table,
)
from edge.core.model import Missing, Name, Reason

__all__ = ["Choices", "Rules", "RulesError", "parse_rules"]

FORMAT = 1
BOM = "tệp có BOM ở đầu; lưu lại dạng UTF-8 không BOM / begins with a byte order mark: save it as UTF-8 without BOM"
ROUTES = ("brings", "takes", "no_goods")
T = TypeVar("T")
_NAME_KEYS = frozenset({"vi", "en", "zh"})


def parse_rules(text: str, source: str) -> Rules:
    """The rule table from its TOML text. `source` is the file's name for messages. Raises RulesError with every
    fault.
    """
    if text.startswith("\ufeff"):
        raise RulesError(source, [f"{source}:1: {BOM}"])
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RulesError(source, [f"{source}: TOML không đọc được / not valid TOML: {error}"]) from error
    sheet = Sheet(text, source)
    sheet.keys(
        (), data, {"format", "table", "choice", "requires", "authority", "act", "step", "block", "procedure", "reason"}
    )
    if data.get("format") != FORMAT:
        sheet.fault(("format",), f"format phải là {FORMAT}", f"format must be {FORMAT}")
    rules = _Reader(sheet, data).rules(hashlib.sha256(text.encode()).hexdigest())
    if sheet.faults:
        raise RulesError(source, sheet.faults)
    return rules


class _Reader:
    """One reading of one table; faults gather in the sheet, so a person sees all of them at once."""

    def __init__(self, sheet: Sheet, data: Mapping[str, Any]) -> None:
        self.sheet = sheet
        self.data = data
        self.dropped: dict[tuple[str, str, str], str] = {}
        self.authorities = self._each("authority", lambda path, row: self._name(path, row, frozenset({"holds"})))
        self.acts = self._each("act", lambda path, row: self._name(path, row, frozenset()))
        self.choices = self._each("choice", self._choice)
        self.requires = self._each("requires", self._require)
        self.steps = self._each("step", self._step_place)
        self.reasons = self._each("reason", self._reason)
        for code in REASON_WORDS:
            if code not in self.reasons:
                sheet.fault(("reason",), f"reason {code} không có lời", f"reason {code} has no text")

    def _table(self) -> Table:
        row = self.data.get("table")
        if not isinstance(row, dict):
            self.sheet.fault(
                ("table",), "thiếu [table]: name, source, valid_from", "[table] is missing: name, source, valid_from"
            )
            return Table()
        path = ("table",)
        self.sheet.keys(path, row, {"name", "source", "valid_from", "valid_until", "roads"})
        since, until = (self._day(path, row, key) for key in ("valid_from", "valid_until"))
        if since and until and until < since:
            self.sheet.fault(
                (*path, "valid_until"), "valid_until trước valid_from", "valid_until lies before valid_from"
            )
        roads = row.get("roads", [])
        if not isinstance(roads, list) or not all(isinstance(road, str) and road for road in roads):
            self.sheet.fault((*path, "roads"), "roads phải liệt kê tên các đường", "roads must list the names of roads")
            roads = []
        name, source = self.sheet.text(path, row, "name"), self.sheet.text(path, row, "source")
        return Table(name, source, since, until, tuple(roads))

    def _day(self, path: tuple[str, ...], row: Mapping[str, Any], key: str) -> str | None:
        value = row.get(key)
        if type(value) is date:
            return value.isoformat()
        if value is not None or key == "valid_from":
            self.sheet.fault(
                (*path, key), f"{key} phải là ngày, ví dụ 2025-04-05", f"{key} must be a date, as 2025-04-05"
            )
        return None

    def rules(self, sha256: str) -> Rules:
        own = self._each("procedure", self._own_steps)
        procedures = {key: self._procedure(key, own) for key in own}
        unused(self.sheet, self.data, procedures)
        return Rules(
            table=self._table(),
            sha256=sha256,
            procedures=procedures,
            steps=self.steps,
            authorities=self.authorities,
            holders=frozenset(key for key, row in self.data.get("authority", {}).items() if row.get("holds") is True),
            acts=self.acts,
            requires={key: absent for key, (absent, _) in self.requires.items()},
            require_names={key: name for key, (_, name) in self.requires.items()},
            choices=self.choices,
            reasons=self.reasons,
            dropped=self.dropped,
            passages={(s.place, s.direction): s.id for s in self.steps.values() if s.place and s.direction},
        )

    def _each(self, table: str, read: Callable[[tuple[str, ...], Mapping[str, Any]], T]) -> dict[str, T]:
        rows = self.data.get(table)
        if not isinstance(rows, dict) or not rows:
            self.sheet.fault((table,), f"thiếu [{table}.…]", f"[{table}.…] is missing")
            return {}
        found = {}
        for key, row in rows.items():
            if isinstance(row, dict):
                found[key] = read((table, key), row)
            else:
                self.sheet.fault((table, key), f"{table}.{key} phải là một bảng", f"{table}.{key} must be a table")
        return found

    def _name(self, path: tuple[str, ...], row: Mapping[str, Any], others: frozenset[str]) -> Name:
        self.sheet.keys(path, row, _NAME_KEYS | others)
        return Name(self.sheet.text(path, row, "vi"), self.sheet.text(path, row, "en"), str(row.get("zh", "")))

    def _choice(self, path: tuple[str, ...], row: Mapping[str, Any]) -> SiteChoice:
        name = self._name(path, row, frozenset({"values", "source"}))
        values = row.get("values")
        if not isinstance(values, list) or len(values) < 2 or not all(isinstance(value, str) for value in values):
            self.sheet.fault(
                (*path, "values"),
                "values phải có ít nhất hai giá trị, giá trị mặc định theo luật đứng đầu",
                "values must list two texts or more, the legal default first",
            )
            values = ["", ""]
        return SiteChoice(tuple(values), self.sheet.text(path, row, "source"), name)

    def _require(self, path: tuple[str, ...], row: Mapping[str, Any]) -> tuple[bool, Name]:
        name = self._name(path, row, frozenset({"absent_means"}))
        if not isinstance(row.get("absent_means"), bool):
            self.sheet.fault(
                (*path, "absent_means"), "absent_means phải là true hoặc false", "absent_means must be true or false"
            )
        return row.get("absent_means") is True, name

    def _step_place(self, path: tuple[str, ...], row: Mapping[str, Any]) -> StepPlace:
        name = self._name(path, row, frozenset({"kind", "place", "direction", "moves"}))
        kind, moves = row.get("kind"), row.get("moves")
        if kind not in ("barrier", "yard", "work"):
            self.sheet.fault(
                (*path, "kind"), "kind phải là barrier, yard hoặc work", "kind must be barrier, yard or work"
            )
        gate = kind in ("barrier", "yard")
        if gate != ("place" in row and "direction" in row and moves is not None):
            self.sheet.fault(
                path,
                "bước barrier hoặc yard có place, direction và moves; bước work nhiều nhất có moves",
                "a barrier or yard step has place, direction and moves; a work step has at most moves",
            )
        place = self.sheet.text(path, row, "place") if gate else None
        direction = self.sheet.text(path, row, "direction") if gate else None
        return StepPlace(path[1], kind or "work", name, place, direction, moves)

    def _reason(self, path: tuple[str, ...], row: Mapping[str, Any]) -> ReasonText:
        name = self._name(path, row, frozenset({"article", "two_people"}))
        if path[1] not in REASON_WORDS:
            self.sheet.fault(
                path, f"reason {path[1]}: không bao giờ được dùng", f"reason {path[1]} is one that the law never gives"
            )
        known = REASON_WORDS.get(path[1], frozenset())
        for language, text in (("vi", name.vi), ("en", name.en)):
            for word in _words_of(text) - known:
                self.sheet.fault(
                    (*path, language),
                    f"{{{word}}} không bao giờ được điền ở đây",
                    f"{{{word}}} is never filled in here",
                )
        return ReasonText(name, str(row.get("article", "")), row.get("two_people") is True)

    # ------------------------------------------------------------ procedures

    def _own_steps(self, path: tuple[str, ...], row: Mapping[str, Any]) -> list[LawStep | tuple[str, str, int]]:
        """A procedure's own steps; a continuation stands as (procedure, from step, its line's index) until all are
        read.
        """
        self._name(path, row, frozenset({"source", "steps", "from_inside", "brings", "takes", "no_goods"}))
        self.sheet.text(path, row, "source")
        return self._entries(path, row)

    def _entries(self, path: tuple[str, ...], row: Mapping[str, Any]) -> list[LawStep | tuple[str, str, int]]:
        entries = row.get("steps")
        if not isinstance(entries, list) or not entries or not all(isinstance(entry, dict) for entry in entries):
            self.sheet.fault(
                (*path, "steps"),
                "steps phải liệt kê mỗi bước một bảng",
                "steps must list one inline table for each step",
            )
            return []
        steps: list[LawStep | tuple[str, str, int]] = []
        for index, entry in enumerate(entries):
            at = (*path, "steps", str(index))
            if "continue" in entry:
                self.sheet.keys(at, entry, {"continue", "from", "article"})
                self.sheet.text(at, entry, "article")
                steps.append((self.sheet.text(at, entry, "continue"), self.sheet.text(at, entry, "from"), index))
                if index + 1 < len(entries):
                    self.sheet.fault(
                        (*path, "steps", str(index + 1)),
                        "không tới được: đứng sau continue",
                        "unreachable: stands behind a continuation",
                    )
            elif "dropped" in entry:
                self._drop_step(path, at, entry)
            elif (step := self._step(at, entry)) is not None:
                steps.append(step)
        return steps

    def _drop_step(self, path: tuple[str, ...], at: tuple[str, ...], entry: Mapping[str, Any]) -> None:
        """A step that an older table had, kept as a line that says why it is asked no longer."""
        self.sheet.keys(at, entry, {"step", "block", "passage", "article", "dropped"})
        step, why = self.sheet.text(at, entry, "step"), self.sheet.text(at, entry, "dropped")
        self.dropped[(path[1], path[2] if len(path) > 2 else "", step)] = why

    def _step(self, at: tuple[str, ...], entry: Mapping[str, Any]) -> LawStep | None:
        self.sheet.keys(at, entry, {"step", "block", "passage", "article"})
        step, article = self.sheet.text(at, entry, "step"), self.sheet.text(at, entry, "article")
        if step not in self.steps:
            self.sheet.fault(at, f"không có bước {step!r}", f"unknown step {step!r}")
            return None
        kind, passage = self.steps[step].kind, entry.get("passage") is True
        if passage == ("block" in entry) or (passage and kind != "yard"):
            self.sheet.fault(
                at,
                "một bước có block xác nhận, hoặc là cổng bến bãi với passage = true và không có block",
                "a step has a block of confirmations, or is a yard's passage = true without one",
            )
            return None
        if passage:
            return LawStep(step, article, kind, passage, ())
        listed, needs = self._needs(at, entry["block"], step, article)
        return LawStep(step, article, kind, passage, needs, listed, dropped=self._dropped(entry["block"]))

    def _dropped(self, block: str) -> tuple[Dropped, ...]:
        row = self.data.get("block", {}).get(block)
        rows = row.get("needs") if isinstance(row, dict) else None
        return tuple(
            Dropped(str(one.get("authority")), str(one.get("act")), str(one["dropped"]))
            for one in (rows if isinstance(rows, list) else ())
            if isinstance(one, dict) and "dropped" in one
        )

    def _needs(self, at: tuple[str, ...], block: str, step: str, article: str) -> tuple[bool, tuple[LawNeed, ...]]:
        """Whether a block's confirmations are listed in order, and the confirmations."""
        row = self.data.get("block", {}).get(block)
        if not isinstance(row, dict) or not isinstance(row.get("needs"), list) or not row["needs"]:
            self.sheet.fault(
                at,
                f"không có block {block!r}, hoặc block không có needs",
                f"unknown block {block!r}, or one without needs",
            )
            return False, ()
        path = ("block", block)
        self.sheet.keys(path, row, {"order", "opens", "needs"})
        if row.get("order") not in ("any", "listed"):
            self.sheet.fault((*path, "order"), 'order phải là "any" hoặc "listed"', 'order must be "any" or "listed"')
        opens = row.get("opens")
        if (self.steps[step].kind == "work") != (opens is None):
            self.sheet.fault(
                path,
                f"opens nêu ai mở barie, và chỉ ở đó (dùng ở {step})",
                f"opens must name who opens a gate, and only there (used at {step})",
            )
        needs = []
        for index, need in enumerate(row["needs"]):
            here = (*path, "needs", str(index))
            if "dropped" in need:  # what it names may be gone from the table
                self.sheet.keys(here, need, {"authority", "act", "if", "absent_means", "unless", "dropped"})
                self.sheet.text(here, need, "dropped")
            else:
                needs.append(self._need(here, need, step, article, opens))
        if not needs:
            self.sheet.fault(path, "không còn xác nhận nào; ghi dropped ở bước", "nothing is asked: drop the step")
            return False, ()
        openers = [need for need in needs if need.opens]
        if opens is not None and (len(openers) != 1 or not needs[-1].opens):
            self.sheet.fault(
                path,
                f"{opens} mở ở đây, nên xác nhận duy nhất của cơ quan đó đứng cuối",
                f"{opens} opens here, so its one confirmation stands last",
            )
        return row.get("order") == "listed", tuple(needs)

    def _need(
        self, at: tuple[str, ...], need: Mapping[str, Any], step: str, article: str, opens: str | None
    ) -> LawNeed:
        self.sheet.keys(at, need, {"authority", "act", "if", "absent_means", "unless"})
        label, act = self.sheet.text(at, need, "authority"), self.sheet.text(at, need, "act")
        authorities = tuple(label.split("|"))
        for authority in authorities:
            self.sheet.known(at, "cơ quan", "authority", authority, self.authorities)
        self.sheet.known(at, "nội dung", "act", act, self.acts)
        if "if" in need:
            self.sheet.known(at, "khóa requires", "key of requires", str(need["if"]), self.requires)
        absent = need.get("absent_means", self.requires.get(str(need.get("if")), (False, None))[0])
        if "absent_means" in need and ("if" not in need or not isinstance(absent, bool)):
            self.sheet.fault(
                at,
                "absent_means phải là true hoặc false, đi cùng if",
                "absent_means must be true or false, beside an if",
            )
        unless = self._unless(at, need["unless"]) if "unless" in need else None
        who, what = (
            _joined([self.authorities.get(a, Name(a, a, a)) for a in authorities]),
            self.acts.get(act, Name(act, act)),
        )
        where = self.steps[step].name
        text = self.reasons.get("missing", ReasonText(Name("", ""))).name.format(
            who_vi=who.vi, who_en=who.en, act_vi=what.vi, act_en=what.en, step_vi=where.vi, step_en=where.en
        )
        return LawNeed(
            authorities, act, article, label == opens, need.get("if"), absent, unless,
            Missing(step, label, act, article), Reason("missing", text, article), who, what,
        )  # fmt: skip

    def _unless(self, at: tuple[str, ...], text: str) -> tuple[str, str]:
        key, _, value = str(text).partition("=")
        if key not in self.choices or value not in self.choices[key].values[1:]:
            self.sheet.fault(
                at,
                f"unless = {text!r}: phải là một choice và một giá trị khác mặc định",
                f"unless = {text!r}: must be a choice and one of its values past the default",
            )
        return key, value

    def _procedure(self, key: str, own: Mapping[str, list[LawStep | tuple[str, str, int]]]) -> Procedure:
        row = self.data["procedure"][key]
        steps: list[LawStep] = []
        goes_on_after = None
        for entry in own[key]:
            if isinstance(entry, LawStep):
                steps.append(entry)
                continue
            goes_on_after = len(steps) - 1
            carried = {s: why for (of, way, s), why in self.dropped.items() if (of, way) == (entry[0], "")}
            self.dropped |= {(key, "", s): why for s, why in carried.items()}
            steps += self._continuation(("procedure", key, "steps", str(entry[2])), entry[0], entry[1], own)
        check_walk(self.sheet, ("procedure", key, "steps"), steps, self.steps)
        routes = {kind: self._route(key, kind, row[kind], steps) for kind in ROUTES if isinstance(row.get(kind), dict)}
        if routes.keys() & {"takes"} and "brings" not in routes:
            self.sheet.fault(
                ("procedure", key, "takes"), "takes cần có brings bên cạnh", "takes needs a brings beside it"
            )
        if "no_goods" in routes and goes_on_after is None:
            self.sheet.fault(
                ("procedure", key, "no_goods"),
                "no_goods cần có continue, nơi hàng được nhận",
                "no_goods needs a continuation, where goods would come in",
            )
        return Procedure(
            key, Name(str(row.get("vi")), str(row.get("en"))), str(row.get("source")), tuple(steps), goes_on_after,
            routes, row.get("from_inside") is True,
        )  # fmt: skip

    def _route(self, key: str, kind: str, row: Mapping[str, Any], steps: list[LawStep]) -> Route:
        """Another way through the procedure: its steps in full, or, for `takes`, the procedure's own from a step on."""
        path = ("procedure", key, kind)
        country = None if kind == "no_goods" else self.sheet.text(path, row, "country")
        if kind == "takes":
            name = self._name(path, row, frozenset({"country", "from"}))
            names = [step.step for step in steps]
            since = self.sheet.text(path, row, "from")
            if since not in names:
                self.sheet.fault(
                    path,
                    f"from = {since!r}: không phải bước của quy trình này",
                    f"from = {since!r}: not a step of this procedure",
                )
            first = names.index(since) if since in names else 0
            return Route(kind, name, country, tuple(replace(s, of_goods=n < first) for n, s in enumerate(steps)))
        name = self._name(path, row, frozenset({"country", "steps"}) if country is not None else frozenset({"steps"}))
        own = [entry for entry in self._entries(path, row) if isinstance(entry, LawStep)]
        check_walk(self.sheet, (*path, "steps"), own, self.steps)
        return Route(kind, name, country, tuple(own))

    def _continuation(
        self, at: tuple[str, ...], of: str, since: str, own: Mapping[str, list[LawStep | tuple[str, str, int]]]
    ) -> list[LawStep]:
        steps = [entry for entry in own.get(of, ()) if isinstance(entry, LawStep)]
        names = [step.step for step in steps]
        if of not in own or len(steps) != len(own[of]) or since not in names:
            self.sheet.fault(
                at,
                f"continue = {of!r} from {since!r}: phải là quy trình chỉ gồm các bước và có bước đó",
                f"continue = {of!r} from {since!r}: must be a procedure of steps alone that has that step",
            )
            return []
        return steps[names.index(since) :]


def _joined(names: list[Name]) -> Name:
    return Name(" hoặc ".join(n.vi for n in names), " or ".join(n.en for n in names), "或".join(n.zh for n in names))


def _words_of(text: str) -> set[str]:
    return {word for _, word, _, _ in string.Formatter().parse(text) if word is not None}
