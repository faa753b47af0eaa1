"""The law joined to the record: look a vehicle up, choose its declaration, ask for the verdict and the row of steps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from edge import clock, resources
from edge.agent.copy_age import NEVER_S
from edge.config import LaneConfig, LawConfig
from edge.core.law import Choices, Name, Rules, RulesError
from edge.core.lookup import choose, unit
from edge.core.model import Declaration, StepView, Verdict
from edge.core.paper import Entry, PaperForm, to_declaration
from edge.core.procedures import Facts, decide, needs_check, needs_two_people, outline
from edge.core.rules import parse_rules
from edge.core.stay import Stay, overstays
from edge.errors import ConfigError
from edge.store import Store

PAPER_ID = "PAPER-"
"""How the ids of declarations begin that were typed in here from paper."""

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
    two_people: bool = False
    """An override of this refusal asks for two people."""


@dataclass(frozen=True, slots=True)
class Seals:
    """What a guard found on a vehicle under customs transfer; `seen` is None before anybody looked."""

    seen: tuple[str, ...] | None = None
    broken: bool = False
    off_route: bool = False
    condition: str = ""


@dataclass(frozen=True, slots=True)
class AtGate:
    """What is known of a passage beside its plates: a guard's choices and looks, and whether this gate's devices
    work."""

    picked: str | None = None
    checked: bool = False
    seals: Seals = Seals()
    devices_failed: bool = False


class Law:
    def __init__(
        self, rules: Rules, choices: Choices, config: LawConfig, store: Store, copy_age_s: Callable[[], float | None]
    ) -> None:
        self.rules = rules
        self._choices = choices
        self._limit_s = float(config.copy_age_limit_s)
        self._store = store
        self._copy_age_s = copy_age_s
        self._overstay_s = config.overstay_s
        self._gate = config.route_name

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

    def assess(self, lane: LaneConfig, plates: Sequence[str], at: AtGate) -> Assessment:
        """Reads the store: not on the event loop. `plates` are exact texts only."""
        found = {plate: self._store.declarations_for_plate(plate) for plate in plates}
        candidates = choose([declaration for group in found.values() for declaration in group])
        declaration = self._store.declaration(at.picked) if at.picked else next(iter(candidates), None)
        now = clock.wall_iso()
        mine = self._unit(declaration, plates)
        facts = self._facts(lane, plates, at, candidates, declaration, now)
        verdict = decide(self.rules, self._choices, declaration, lane.place, lane.direction, now=now, facts=facts)
        steps: tuple[StepView, ...] = ()
        if declaration is not None and declaration.procedure in self.rules.procedures:
            steps = outline(self.rules, self._choices, declaration, lane.place, lane.direction, mine)
        others = tuple(candidate for candidate in candidates if declaration is None or candidate.id != declaration.id)
        plate = next(
            (text for text, group in found.items() if declaration and any(one.id == declaration.id for one in group)),
            None,
        )
        two = verdict.verdict == "refuse" and needs_two_people(self.rules, verdict)
        return Assessment(verdict, declaration, plate, others, steps, needs_check(verdict), two)

    def _facts(
        self,
        lane: LaneConfig,
        plates: Sequence[str],
        at: AtGate,
        candidates: Sequence[Declaration],
        declaration: Declaration | None,
        now: str,
    ) -> Facts:
        return Facts(
            exact_plate=bool(plates) or at.picked is not None,
            plates=self._unit(declaration, plates),
            watch=next((why for plate in plates if (why := self._store.watch(plate)) is not None), None),
            customs_hold=next((why for plate in plates if (why := self._customs_hold(plate)) is not None), None),
            seals_seen=at.seals.seen,
            seal_broken=at.seals.broken,
            off_route=at.seals.off_route,
            gate=self._gate,
            copy_age_s=self._age_s(declaration),
            copy_limit_s=self._limit_s,
            guard_checked=at.checked or (declaration is not None and declaration.id.startswith(PAPER_ID)),
            smart_lane=lane.smart_lane,
            device_fault=at.devices_failed,
            overstay_s=self._stays(declaration, plates, now),
            candidates=sum(candidate.state == "active" for candidate in candidates) or 1,
        )

    @staticmethod
    def _unit(declaration: Declaration | None, plates: Sequence[str]) -> tuple[str, ...]:
        """The declared tractor with its trailers, whichever of their plates was read; the plates themselves where
        none is declared (a guard picked the declaration)."""
        return (unit(declaration, plates) if declaration is not None else ()) or tuple(plates)

    def _age_s(self, declaration: Declaration | None) -> float | None:
        """One whose newest version could not be taken is as old as can be: that version may have withdrawn it."""
        if declaration is not None and self._store.is_refused(declaration.id):
            return NEVER_S
        return self._copy_age_s()

    def _customs_hold(self, plate: str) -> str | None:
        return self._store.watch(plate, customs=True)

    def _stays(self, declaration: Declaration | None, plates: Sequence[str], now: str) -> float | None:
        """How long this vehicle is inside, where that is longer than the site allows."""
        if declaration is None or self._overstay_s is None:
            return None
        mine = unit(declaration, plates)
        stays = overstays(self.rules, [declaration], now, self._overstay_s)
        return next((stay.inside_s for stay in stays if not mine or stay.plates == mine), None)

    def overstays(self) -> list[Stay]:
        """Every vehicle inside longer than the site allows. Reads the whole copy: now and then only, off the loop."""
        if self._overstay_s is None:
            return []
        return overstays(self.rules, self._store.declarations_inside(), clock.wall_iso(), self._overstay_s)

    def step_at(self, lane: LaneConfig) -> str | None:
        return self.rules.passages.get((lane.place, lane.direction))

    def passes(self, procedure: str, step: str) -> bool:
        """Whether this procedure ever goes through this step."""
        known = self.rules.procedures.get(procedure)
        return known is not None and known.index(step) is not None

    def paper(self, form: PaperForm, entry: Entry) -> Declaration:
        """A typed form as a declaration, its signatures as confirmations. Raises KeyError for an unknown procedure."""
        return to_declaration(self.rules, self._choices, form, entry)

    def procedures_at(self, lane: LaneConfig) -> list[dict[str, object]]:
        """The procedures that pass this gate, for the paper form: it does not name one itself."""
        step = self.step_at(lane) or ""
        return [self.procedure_view(name) for name in self.rules.procedures if self.passes(name, step)]

    def requires_view(self) -> list[dict[str, object]]:
        """The "if any" answers of a declaration, and what an absent one means."""
        names = self.rules.require_names
        return [
            {"key": key, "name": _both(names[key]), "absent_means": value} for key, value in self.rules.requires.items()
        ]

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
