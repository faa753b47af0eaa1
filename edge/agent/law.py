"""The law joined to the record: look a vehicle up, choose its declaration, ask for the verdict and the row of steps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from edge import clock, resources
from edge.config import LaneConfig, LawConfig
from edge.core.law import Choices, Name, Rules, RulesError
from edge.core.lookup import choose
from edge.core.model import Declaration, StepView, Verdict
from edge.core.procedures import Facts, decide, needs_check, outline
from edge.core.rules import parse_rules
from edge.errors import ConfigError
from edge.store import Store

WordKind = Literal["step", "authority", "act"]


@dataclass(frozen=True, slots=True)
class Assessment:
    """What the law said of a passage at one moment. `plate` is the text that found the declaration, None where a
    guard chose it."""

    verdict: Verdict
    declaration: Declaration | None
    plate: str | None
    others: tuple[Declaration, ...]
    steps: tuple[StepView, ...]
    needs_check: bool


class Law:
    def __init__(
        self, rules: Rules, choices: Choices, config: LawConfig, store: Store, copy_age_s: Callable[[], float | None]
    ) -> None:
        self.rules = rules
        self._choices = choices
        self._limit_s = float(config.copy_age_limit_s)
        self._store = store
        self._copy_age_s = copy_age_s

    @classmethod
    def load(cls, config: LawConfig, store: Store, copy_age_s: Callable[[], float | None]) -> Law:
        """Read the rule table and the site's choices strictly. Raises ConfigError with every fault, by file and
        line."""
        text, source = resources.config_text(config.rules_file or "procedures.toml")
        try:
            rules = parse_rules(text, source)
            choices = rules.choose(config.choices())
        except RulesError as error:
            raise ConfigError(error.source, error.faults) from error
        return cls(rules, choices, config, store, copy_age_s)

    def assess(self, lane: LaneConfig, plates: Sequence[str], picked: str | None, *, checked: bool) -> Assessment:
        """Reads the store: not on the event loop. `plates` are exact texts only; `picked` is a guard's own choice."""
        found = {plate: self._store.declarations_for_plate(plate) for plate in plates}
        candidates = choose([declaration for group in found.values() for declaration in group])
        declaration = self._store.declaration(picked) if picked else next(iter(candidates), None)
        watch = next((reason for plate in plates if (reason := self._store.watch(plate)) is not None), None)
        facts = Facts(
            exact_plate=bool(plates) or picked is not None,
            plates=tuple(plates),
            watch=watch,
            copy_age_s=self._copy_age_s(),
            copy_limit_s=self._limit_s,
            guard_checked=checked,
            smart_lane=lane.smart_lane,
            candidates=sum(candidate.state == "active" for candidate in candidates) or 1,
        )
        verdict = decide(
            self.rules, self._choices, declaration, lane.place, lane.direction, now=clock.wall_iso(), facts=facts
        )
        steps: tuple[StepView, ...] = ()
        if declaration is not None and declaration.procedure in self.rules.procedures:
            steps = outline(self.rules, self._choices, declaration, lane.place, lane.direction)
        others = tuple(candidate for candidate in candidates if declaration is None or candidate.id != declaration.id)
        plate = next(
            (text for text, group in found.items() if declaration and any(one.id == declaration.id for one in group)),
            None,
        )
        return Assessment(verdict, declaration, plate, others, steps, needs_check(verdict))

    def knows(self, procedure: str) -> bool:
        return procedure in self.rules.procedures

    def procedure_view(self, procedure: str) -> dict[str, object]:
        known = self.rules.procedures.get(procedure)
        return {"id": procedure, "name": _both(known.name) if known else {"vi": procedure, "en": procedure}}

    def word(self, kind: WordKind, key: str) -> dict[str, str]:
        """What people call a step, an authority or an act; "GC|TX" is either one of two."""
        if kind == "step":
            return _both(self.rules.steps[key].name) if key in self.rules.steps else {"vi": key, "en": key}
        table = self.rules.authorities if kind == "authority" else self.rules.acts
        names = [_both(table[part]) if part in table else {"vi": part, "en": part} for part in key.split("|")]
        return {"vi": " hoặc ".join(name["vi"] for name in names), "en": " or ".join(name["en"] for name in names)}


def _both(name: Name) -> dict[str, str]:
    return {"vi": name.vi, "en": name.en}
