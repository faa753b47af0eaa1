"""`barie explain`: the verdict on a vehicle at one place, as JSON: from declarations in files, or from the record of
the gate that runs here (`--at-gate`). Sees what the gate sees: the same choice among declarations, the same law.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from edge import clock, resources
from edge.agent.lane.law import AtGate, Law
from edge.config import Config, LaneConfig, LawConfig, load_config
from edge.core.identity import Choice, Named
from edge.core.instant import Instant, day_of, instant
from edge.core.law.choice import judge
from edge.core.law.explain import verdict_json
from edge.core.law.lookup import candidates, choose, normal_plate, unit
from edge.core.law.overstay import overstays
from edge.core.law.paper import Entry, PaperForm, counterpart, lay_signatures, reconcile, signers, to_declaration
from edge.core.law.paper_read import PaperError, read_form
from edge.core.law.procedures import Facts
from edge.core.law.rules import parse_rules
from edge.core.law.terms import Choices, Rules, RulesError, in_force
from edge.core.law.transfer import Received, at_once, five_days, sent_from
from edge.core.model import Declaration, Verdict
from edge.core.view import Seals
from edge.errors import BadMessageError, BarieError, ConfigError
from edge.store.reading import ReadOnlyRecord
from edge.store.store import plate_skeletons
from edge.wire import check_procedure, parse_declaration, watch_entries


@dataclass(frozen=True, slots=True)
class Question:
    """What `barie explain` is asked. `now`: ISO 8601 with an offset, or None for this moment; `seals_seen`: None where
    nobody looked; `copy_age_s`: None while the link is up."""

    place: str
    direction: str
    declarations: Sequence[Path] = ()
    plate: str | None = None
    config: Path | None = None
    now: str | None = None
    seals_seen: tuple[str, ...] | None = None
    paper: Path | None = None
    watch: Path | None = None
    copy_age_s: float | None = None
    smart: bool = False
    choices: Mapping[str, str] = field(default_factory=dict)
    at_gate: bool = False
    rules_path: Path | None = None
    lane: str | None = None
    seal_broken: bool = False
    off_route: bool = False
    checked: bool = False


def run(question: Question) -> int:
    """Print the verdict; 0 for any verdict, 2 for bad input with one clear line on standard error."""
    try:
        told = verdict_json(_at_gate(question)) if question.at_gate else _told(question)
    except (BarieError, RulesError) as error:
        print(f"barie explain: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    print(json.dumps(told, ensure_ascii=False, indent=2))
    return 0


def _told(question: Question) -> dict[str, Any]:
    """The verdict; with a paper form, what it says otherwise than the platform's declaration; of goods under customs
    transfer, the list that their hand-over record is on once they passed."""
    config = load_config(question.config) if question.config else None
    law = config.law if config else LawConfig()
    now = question.now or clock.wall_iso()
    moment = instant(now)
    if moment is None:
        raise ConfigError("--now", [f"{now!r} is no ISO 8601 time with an offset"])
    lane = _lane(config, question) if config else None
    rules = _rules(question, law, lane, moment)
    choices = _choices(rules, law, question)
    declarations = [_declaration(path, rules) for path in question.declarations]
    more: dict[str, Any] = {}
    if question.paper is not None:
        form, entry = _form(question, rules, now)
        more = {"paper": _reconciled(form, entry, declarations)}
        declarations = _with_paper(rules, choices, declarations, form, entry)
    if not declarations:
        raise ConfigError("--declaration", ["give a declaration, a paper form with its procedure, or --at-gate"])
    found = _candidates(declarations, question.plate)
    facts = _facts(question, law, rules, question.smart or (lane is not None and lane.smart_lane), found, now)
    chosen = judge(rules, choices, found, question.place, question.direction, now, facts)
    if chosen.declaration is not None and chosen.declaration.transfer is not None:
        more |= _on_list(chosen.declaration, question, law, date.fromisoformat(day_of(moment)))
    return {**verdict_json(chosen.verdict), **more}


def _on_list(declaration: Declaration, question: Question, law: LawConfig, day: date) -> dict[str, Any]:
    """What passing here puts on which list (53/2003, I.5)."""
    assert declaration.transfer is not None
    went = sent_from(declaration.transfer, law.customs_unit)
    if went and question.direction != "out_of_area":
        return {}
    one = [Received(declaration, day, "")]
    (entry,) = five_days((), one, {}) if went else five_days(one, (), {})
    return {
        "list": {
            "way": entry.way,
            "unit": entry.unit,
            "since": entry.since.isoformat(),
            "until": entry.until.isoformat(),
            "due": entry.due.isoformat(),
            "records": list(entry.records),
            "at_once": bool(at_once(one)),
        }
    }


def _rules(question: Question, law: LawConfig, lane: LaneConfig | None, now: Instant) -> Rules:
    """The table that is named; else the one in force at that moment on the lane's road, pilot tables among them."""
    if question.rules_path is not None:
        return parse_rules(*resources.config_text(Path(question.rules_path).resolve()))
    tables = (Law.read(law), *Law.pilots(law))
    return in_force(tables, lane.road if lane else None, day_of(now))[0]


def _lane(config: Config, question: Question) -> LaneConfig | None:
    """The lane that is named, else the first at this place; None where there is none. Raises ConfigError where no such
    lane is there."""
    here = [one for one in config.lane if (one.place, one.direction) == (question.place, question.direction)]
    named = [one for one in here if question.lane in (None, one.id)]
    if question.lane is not None and not named:
        raise ConfigError("--lane", [f"no lane {question.lane!r} at {question.place}, {question.direction}"])
    return next(iter(named), None)


def _choices(rules: Rules, law: LawConfig, question: Question) -> Choices:
    """The config's, then those of the command line; a smart lane that nothing else speaks of means that the site has
    one."""
    smart = {"smart_lane": "on"} if question.smart and question.config is None else {}
    chosen = {key: value for key, value in law.choices().items() if key in rules.choices}
    return rules.choose({**chosen, **smart, **question.choices}, law.clock_skew_s)


def _candidates(declarations: Sequence[Declaration], plate: str | None) -> list[Declaration]:
    if plate is None:
        return choose(declarations)
    return [one.declaration for one in candidates(declarations, [plate])]


def _facts(
    question: Question, law: LawConfig, rules: Rules, smart: bool, found: Sequence[Declaration], now: str
) -> Callable[[Declaration | None], Facts]:
    base = Facts(
        seals_seen=question.seals_seen,
        seal_broken=question.seal_broken,
        off_route=question.off_route,
        guard_checked=question.checked or question.paper is not None,
        gate=law.route_name,
        copy_age_s=question.copy_age_s,
        copy_limit_s=float(law.copy_age_limit_s),
        smart_lane=smart,
        candidates=sum(one.state == "active" for one in found) or 1,
    )
    skeletons = plate_skeletons()
    listed = watch_entries(_read(question.watch)) if question.watch is not None else ()
    entries = [(entry, set(skeletons.of_entry(entry.plate).skeletons)) for entry in listed]

    def of(declaration: Declaration | None) -> Facts:
        plates = _plates(declaration, question.plate)
        wanted = {skeletons.of_plate(plate) for plate in (*plates, question.plate or "") if plate}
        held = [entry for entry, spellings in entries if spellings & wanted]
        customs = [entry.reason for entry in held if entry.by in rules.holders]
        others = [entry.reason for entry in held if entry.by not in rules.holders]
        stays = () if declaration is None or law.overstay_s is None else [declaration]
        stayed = overstays(lambda _: rules, stays, now, law.overstay_s or 0)
        return replace(
            base,
            exact_plate=declaration is not None,
            plates=plates,
            watch="; ".join(others) or None,
            customs_hold="; ".join(customs) or None,
            overstay_s=next((stay.inside_s for stay in stayed if not plates or stay.plates == plates), None),
        )

    return of


def _plates(declaration: Declaration | None, plate: str | None) -> tuple[str, ...]:
    """All plates of the unit: of the plate given, or of the only one declared."""
    if declaration is None:
        return (plate,) if plate else ()
    if plate is not None:
        return unit(declaration, [plate]) or (plate,)
    all_plates = tuple(vehicle.plate for vehicle in declaration.vehicles)
    return all_plates if unit(declaration, all_plates[:1]) == all_plates else ()


def _declaration(path: Path, rules: Rules) -> Declaration:
    try:
        declared = parse_declaration(_read(path))
        check_procedure(declared, rules.procedures.__contains__)
    except BadMessageError as error:
        raise BadMessageError(f"{path}: {error}") from error
    return declared


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigError(str(path), [f"cannot be read: {error.strerror}"]) from error


# ---------------------------------------------------------------- a paper form (Art. 23.1, App. V)


def _form(question: Question, rules: Rules, now: str) -> tuple[PaperForm, Entry]:
    """The form, and how it is typed in; its file names its procedure where there is no declaration."""
    assert question.paper is not None
    row = _object(question.paper)
    body = row.get("form", row)
    day = datetime.fromisoformat(now).astimezone(clock.VIETNAM).date()
    try:
        form = read_form(body if isinstance(body, dict) else {}, day, signers(rules))
    except PaperError as error:
        raise BadMessageError(f"{question.paper}: {error}") from error
    procedure = str(row.get("procedure", ""))
    if procedure and procedure not in rules.procedures:
        raise BadMessageError(f"{question.paper}: procedure: no such procedure: {procedure}")
    requires = {key: value for key, value in dict(row.get("requires") or {}).items() if isinstance(value, bool)}
    return form, Entry("PAPER", procedure, question.place, question.direction, now, "paper", requires)


def _reconciled(form: PaperForm, entry: Entry, declarations: Sequence[Declaration]) -> dict[str, Any]:
    """As the gate compares once the platform is back (Art. 23.3)."""
    best = counterpart(one for one in declarations if _names(one, form))
    found = reconcile(form, best, entry.procedure)
    told = {"outcome": found.outcome, "declaration": best.id if best else None}
    return {**told, "differences": [asdict(one) for one in found.differences]}


def _names(declaration: Declaration, form: PaperForm) -> bool:
    written = {normal_plate(vehicle.plate) for vehicle in form.vehicles}
    return any(normal_plate(vehicle.plate) in written for vehicle in declaration.vehicles)


def _with_paper(
    rules: Rules, choices: Choices, declarations: Sequence[Declaration], form: PaperForm, entry: Entry
) -> list[Declaration]:
    """The form's signatures laid over each declaration of its vehicles; a declaration of its own where there is none,
    and the form's file names its procedure."""
    laid = [lay_signatures(rules, choices, one, form, entry) if _names(one, form) else one for one in declarations]
    if laid:
        return laid
    if not entry.procedure:
        raise BadMessageError("procedure: without a declaration, the paper form's file must name its procedure")
    return [to_declaration(rules, choices, form, entry)]


def _object(path: Path) -> dict[str, Any]:
    try:
        row = json.loads(_read(path))
    except ValueError as error:
        raise BadMessageError(f"{path}: no JSON: {error}") from error
    if not isinstance(row, dict):
        raise BadMessageError(f"{path}: must be a JSON object")
    return row


# ---------------------------------------------------------------- the gate that runs here


def _at_gate(question: Question) -> Verdict:
    """The verdict of the running gate on its own record, by its own config."""
    if question.config is None:
        raise ConfigError("--at-gate", ["needs --config: the gate's own"])
    config = load_config(question.config)
    lane = _lane(config, question)
    if lane is None:
        raise ConfigError(str(question.config), [f"no lane at {question.place}, {question.direction}"])
    law = Law.load(
        config.law,
        ReadOnlyRecord(Path(config.site.data_dir), plate_skeletons()),
        lambda: question.copy_age_s,
        config.lane,
    )
    named = (Named(question.plate, "typed"),) if question.plate else ()
    picked = _declaration(question.declarations[0], law.rules).id if question.declarations else None
    return law.assess(lane, AtGate(named, Choice(picked), seals=Seals(question.seals_seen))).verdict
