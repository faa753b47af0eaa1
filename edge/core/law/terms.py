"""The nouns of the law: procedures, steps and confirmations as the rule table gives them. No procedure is named here.

Everything is built once, by `edge.core.law.rules.parse_rules`, so that a verdict only compares and never formats
what is fixed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from edge.core.instant import stamp_text
from edge.core.model import Missing, Name, Reason

StepKind = Literal["barrier", "yard", "work"]

SYSTEM = "SYS"
AUTO = "auto"
OVERRIDE = "override"
"""The act of a guard who opened against a verdict: it completes that step for later gates, and is named there."""
RELEASE = "pass"
"""The act that stands at a step, by the system, where a smart lane released without a guard (865/QĐ-TTg)."""
PASSED = "passed"
"""The act that stands at a step once the vehicle went through; it is no confirmation that the law asks for."""

REASON_WORDS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        code: frozenset(words.split())
        for code, words in {
            "missing": "who_vi who_en act_vi act_en step_vi step_en",
            "guard_opens": "who_vi who_en",
            "complete": "",
            "yard_auto": "",
            "yard_passage": "",
            "yard_exit_warned": "",
            "smart_lane": "",
            "not_registered": "",
            "out_of_order": "who_vi who_en act_vi act_en at",
            "bad_time": "who_vi who_en act_vi act_en",
            "future_stamp": "at",
            "no_declaration": "",
            "plate_not_exact": "",
            "several": "count",
            "several_ready": "count",
            "odd_order": "step_vi step_en at",
            "opener_early": "who_vi who_en at",
            "overridden_before": "step_vi step_en at",
            "smart_before": "step_vi step_en at",
            "goes_back": "name_vi name_en",
            "got_nothing": "name_vi name_en",
            "emptied": "",
            "takes_elsewhere": "",
            "took_goods": "",
            "no_trace": "",
            "procedure_unknown": "procedure",
            "watch": "why",
            "customs_hold": "why",
            "withdrawn": "",
            "completed": "",
            "never_passes": "",
            "passed_already": "at",
            "seal_differs": "seals",
            "seal_broken": "",
            "route_wrong": "",
            "deadline_passed": "at",
            "seals_not_compared": "",
            "copy_age": "age",
            "copy_old": "age",
            "check_needed": "age",
            "device_fault": "",
            "overstay": "age",
            "which_vehicle": "",
            "plate_unread": "",
            "beside_undeclared": "plate",
            "beside_other": "plate",
            "beside_sibling": "plate",
            "plate_ground": "plate",
            "peer_word": "",
        }.items()
    }
)
"""Every reason that the law can give, and the words that its text may have filled in. The texts are data."""


@dataclass(frozen=True, slots=True)
class LawNeed:
    """One confirmation that a step asks for, by any one of `authorities`.

    `if_required` is the key of the declaration's `requires` that it hangs on ("nếu có"), `absent_means` what an
    absent key says. `unless` is a site's (choice, value) that leaves it out. `opens`: this is the confirmation that
    opens the gate.
    """

    authorities: tuple[str, ...]
    act: str
    article: str
    opens: bool
    if_required: str | None
    absent_means: bool
    unless: tuple[str, str] | None
    missing: Missing
    reason: Reason
    who: Name
    what: Name


@dataclass(frozen=True, slots=True)
class Dropped:
    """A confirmation that an older table asked for and this one says, with its reason, that it does not."""

    authority: str
    act: str
    why: str


@dataclass(frozen=True, slots=True)
class LawStep:
    """One step. `listed`: the Decision lists its confirmations in order (theo thứ tự sau), so stamps matter; elsewhere
    presence counts. A `passage` asks for nothing. `of_goods`: asked of the goods, whichever vehicle they came on.
    """

    step: str
    article: str
    kind: StepKind
    passage: bool
    needs: tuple[LawNeed, ...]
    listed: bool = False
    of_goods: bool = False
    dropped: tuple[Dropped, ...] = ()

    @property
    def opener(self) -> LawNeed | None:
        """The confirmation that opens this gate; None at work steps and bare passages."""
        return next((need for need in self.needs if need.opens), None)


@dataclass(frozen=True, slots=True)
class Route:
    """Another way through a procedure. `kind`: `brings` and `takes` for the vehicles of a transshipment, of `country`
    where the platform gives no `trip`; `no_goods` for an empty that came for goods and got none.
    """

    kind: str
    name: Name
    country: str | None
    steps: tuple[LawStep, ...]


@dataclass(frozen=True, slots=True)
class Procedure:
    """One procedure with all its steps in legal order, its continuation's included.

    `goes_on_after` is the index of the last step of its own, where the rest is another procedure's; else None.
    `from_inside`: it begins inside the gate area, so that some trace of having come in must be there.
    """

    id: str
    name: Name
    source: str
    steps: tuple[LawStep, ...]
    goes_on_after: int | None = None
    routes: Mapping[str, Route] = field(default_factory=dict)
    from_inside: bool = False

    def index(self, step: str | None) -> int | None:
        """Where in the legal order a step stands, or None: this procedure never has it."""
        return index_of(self.steps, step)

    def passes(self, step: str | None) -> bool:
        """Whether any vehicle of this procedure ever goes through this step, by any of its ways."""
        return any(
            index_of(steps, step) is not None for steps in (self.steps, *(r.steps for r in self.routes.values()))
        )


def index_of(steps: Sequence[LawStep], step: str | None) -> int | None:
    """Where a step stands among `steps`, or None."""
    return next((number for number, law_step in enumerate(steps) if law_step.step == step), None)


@dataclass(frozen=True, slots=True)
class StepPlace:
    """A step wherever it occurs. `moves` takes where a vehicle is to where it is afterwards; None moves it nowhere."""

    id: str
    kind: StepKind
    name: Name
    place: str | None = None
    direction: str | None = None
    moves: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class ReasonText:
    """A reason's words before anything is filled in. `two_people`: an override of it asks for two."""

    name: Name
    article: str = ""
    two_people: bool = False


@dataclass(frozen=True, slots=True)
class SiteChoice:
    """What a site may choose; the first of `values` is the legal default."""

    values: tuple[str, ...]
    source: str
    name: Name


@dataclass(frozen=True, slots=True)
class Choices:
    """One site's (or lane's) choices, checked by `Rules.choose`. `clock_skew_s`: in a listed group, how much earlier
    than its predecessor a confirmation's stamp may be and still count; 0 is the law's own.
    """

    values: Mapping[str, str] = field(default_factory=dict)
    clock_skew_s: float = 0.0


class RulesError(ValueError):
    """A rule table, or a site's choice, that must stop the start. `faults` holds every fault found, each with file
    and line.
    """

    def __init__(self, source: str, faults: list[str]) -> None:
        self.source = source
        self.faults = faults
        super().__init__("; ".join(faults))


@dataclass(frozen=True, slots=True)
class Table:
    """What a rule table is: its name, the days it is in force (ISO, None open) and the decision that it comes from.
    `roads`: the pilot roads that it is for; none: every road.
    """

    name: str = ""
    source: str = ""
    valid_from: str | None = None
    valid_until: str | None = None
    roads: tuple[str, ...] = ()

    def holds(self, road: str | None, day: str) -> bool:
        """Whether it is in force on this road on this day (ISO)."""
        begun = self.valid_from is not None and self.valid_from <= day
        return begun and day <= (self.valid_until or day) and (not self.roads or road in self.roads)


@dataclass(frozen=True, slots=True)
class Rules:
    """The whole rule table, read and checked. `sha256` is that of its text: it stands in every verdict's event."""

    table: Table
    sha256: str
    procedures: Mapping[str, Procedure]
    steps: Mapping[str, StepPlace]
    authorities: Mapping[str, Name]
    holders: frozenset[str]
    """Authorities whose hold on a plate asks for two people to lift (a customs hold)."""
    acts: Mapping[str, Name]
    requires: Mapping[str, bool]
    """Each "if any" key, and what its absence means."""
    require_names: Mapping[str, Name]
    choices: Mapping[str, SiteChoice]
    reasons: Mapping[str, ReasonText]
    passages: Mapping[tuple[str, str], str]
    """(place, direction) -> step."""
    dropped: Mapping[tuple[str, str, str], str] = field(default_factory=dict)
    """Steps of (procedure, way, step) that an older table had, and why this one has not."""

    def choose(self, values: Mapping[str, str], clock_skew_s: float = 0.0) -> Choices:
        """A site's choices, each of them one that the table offers. Raises RulesError."""
        faults = [
            f"choice {key} = {value!r}: "
            + (f"một trong / one of {', '.join(self.choices[key].values)}" if known else "không có / no such choice")
            for key, value in values.items()
            if not (known := key in self.choices) or value not in self.choices[key].values
        ]
        if not 0.0 <= clock_skew_s <= 60.0:
            faults.append(f"clock_skew_s = {clock_skew_s}: từ 0 đến 60 giây / between 0 and 60 seconds")
        if faults:
            raise RulesError("choices", faults)
        return Choices(dict(values), clock_skew_s)

    def chosen(self, choices: Choices, key: str) -> str:
        """What this site chose, or the legal default."""
        return choices.values.get(key, self.choices[key].values[0])

    def say(self, code: str, article: str = "", **words: object) -> Reason:
        """A reason in the words of the catalogue; the text's own article rules where it has one."""
        text = self.reasons[code]
        vi, en = (_filled(one, words, language) for one, language in ((text.name.vi, "vi"), (text.name.en, "en")))
        return Reason(code, Name(vi, en), text.article or article)

    def two_people(self, code: str) -> bool:
        """Whether an override of this refusal asks for two people (a customs hold)."""
        return code in self.reasons and self.reasons[code].two_people


def _filled(text: str, words: Mapping[str, object], language: str) -> str:
    """Times as people read them."""
    at = {"at": stamp_text(str(words["at"]), language)} if "at" in words else {}
    return text.format(**{**words, **at})


def in_force(tables: Sequence[tuple[Rules, Choices]], road: str | None, day: str) -> tuple[Rules, Choices]:
    """Of tables that overlap: the one of this very road before one of every road, then the newest. The first of
    `tables` is the site's own and holds where no other does.
    """
    others = [one for one in tables[1:] if one[0].table.holds(road, day)]
    newest = sorted(others, key=lambda one: (bool(one[0].table.roads), one[0].table.valid_from or ""))
    return newest[-1] if newest else tables[0]
