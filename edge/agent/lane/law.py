"""The law joined to the record: look a vehicle up, choose its declaration, ask for the verdict and the row of steps."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, Protocol

from edge import clock, resources
from edge.agent.watch.copy_age import NEVER_S
from edge.config import LaneConfig, LawConfig
from edge.core.identity import NO_CHOICE, Choice, Identity, Named, identify, matching
from edge.core.instant import day_of, instant
from edge.core.law.choice import judge
from edge.core.law.lookup import choose, unit, units
from edge.core.law.overstay import Stay, overstays
from edge.core.law.paper import DECLARANT, Entry, PaperForm, signers, to_declaration
from edge.core.law.procedures import Facts, needs_check, needs_two_people, outline
from edge.core.law.rules import parse_rules
from edge.core.law.rules_diff import undeclared
from edge.core.law.terms import AUTO, PASSED, SYSTEM, Choices, LawNeed, Rules, RulesError, in_force
from edge.core.model import PEER, Confirmation, Declaration, Name, Reason, StepView, Verdict
from edge.core.view import UNSEEN, Called, Keyed, PaperOptions, Required, Seals
from edge.errors import ConfigError

PAPER_ID = "PAPER-"
"""How the ids of declarations begin that were typed in here from paper."""

WordKind = Literal["step", "authority", "act"]


@dataclass(frozen=True, slots=True)
class Assessment:
    """What the law said of a passage at one moment, and of whom. `candidates`: declarations that it may be here on,
    those left out that do not pass this gate now. `old`: the copy is older than the site allows, which the guard has to
    have checked."""

    verdict: Verdict
    declaration: Declaration | None
    who: Identity
    others: tuple[Declaration, ...]
    steps: tuple[StepView, ...]
    needs_check: bool
    two_people: bool = False
    """An override of this refusal asks for two people."""
    candidates: int = 1
    old: bool = False
    rules: str = ""
    """The sha256 of the rule table that was asked."""
    table: str = ""
    """And its name."""


@dataclass(frozen=True, slots=True)
class AtGate:
    """What is known of a passage: its plates, each with its source, a guard's choices and looks, and whether this
    gate's devices work. `looked_at`: plates in view that the guard has said to have looked at."""

    named: tuple[Named, ...] = ()
    choice: Choice = NO_CHOICE
    checked: bool = False
    looked_at: frozenset[str] = frozenset()
    seals: Seals = UNSEEN
    devices_failed: bool = False


class DeclarationRecord(Protocol):
    """What a verdict asks of the gate's record: `edge.store.Store`, or `edge.store.reading` beside a running gate."""

    def declaration(self, declaration_id: str) -> Declaration | None: ...
    def declarations_for_plate(self, plate: str) -> list[Declaration]: ...
    def declarations_inside(self) -> list[Declaration]: ...
    def watch(self, plate: str, *, customs: bool = False) -> str | None: ...
    def is_refused(self, declaration_id: str) -> bool: ...


class Law:
    def __init__(
        self,
        rules: Rules,
        choices: Choices,
        config: LawConfig,
        store: DeclarationRecord,
        copy_age_s: Callable[[], float | None],
        pilots: Sequence[tuple[Rules, Choices]] = (),
        lanes: Sequence[LaneConfig] = (),
    ) -> None:
        self.rules = rules
        self._lanes = lanes
        self._tables = ((rules, choices), *pilots)
        self._limit_s = float(config.copy_age_limit_s)
        self._store = store
        self._copy_age_s = copy_age_s
        self._overstay_s = config.overstay_s
        self._gate = config.route_name
        self.customs_unit = config.customs_unit

    @classmethod
    def load(
        cls,
        config: LawConfig,
        store: DeclarationRecord,
        copy_age_s: Callable[[], float | None],
        lanes: Sequence[LaneConfig] = (),
    ) -> Law:
        """As `read`, `pilots` and the constructor."""
        rules, choices = cls.read(config)
        return cls(rules, choices, config, store, copy_age_s, cls.pilots(config), lanes)

    @staticmethod
    def read(config: LawConfig) -> tuple[Rules, Choices]:
        """The rule table and the site's choices, strictly: a site's own table, and a bundle's, may leave out nothing
        that the shipped one asks without saying why. Raises ConfigError with every fault, by file and line."""
        text, source = resources.config_text(config.rules_file or "procedures.toml")
        try:
            rules = parse_rules(text, source)
            shipped, origin = resources.shipped_text("procedures.toml")
            if text != shipped and (lost := undeclared(parse_rules(shipped, origin), rules)):
                raise ConfigError(source, lost)
            return rules, rules.choose(config.choices(), config.clock_skew_s)
        except RulesError as error:
            raise ConfigError(error.source, error.faults) from error

    @staticmethod
    def pilots(config: LawConfig) -> tuple[tuple[Rules, Choices], ...]:
        """The tables of pilot roads and of days to come, with this site's choices as far as each offers them. Raises
        ConfigError, also where two of them would be in force alike."""
        found: list[tuple[Rules, Choices]] = []
        for file in config.pilot_rules_files:
            text, source = resources.config_text(file)
            try:
                rules = parse_rules(text, source)
                kept = {key: value for key, value in config.choices().items() if key in rules.choices}
                found.append((rules, rules.choose(kept, config.clock_skew_s)))
                lost = undeclared(parse_rules(*resources.shipped_text("procedures.toml")), rules)
            except RulesError as error:
                raise ConfigError(error.source, error.faults) from error
            if lost:
                raise ConfigError(source, lost)
            mine = rules.table
            for table in (one.table for one, _ in found[:-1]):
                same_road = set(mine.roads) & set(table.roads) or not (mine.roads or table.roads)
                if same_road and table.valid_from == mine.valid_from:
                    fault = f"{mine.name}, {table.name}: cùng đường, cùng ngày bắt đầu / begin alike on the same road"
                    raise ConfigError(source, [fault])
        return tuple(found)

    def at_lane(self, lane: LaneConfig) -> tuple[Rules, Choices]:
        """The table in force today on this lane's road, and this site's choices in it."""
        return in_force(self._tables, lane.road, datetime.now(clock.VIETNAM).date().isoformat())

    def assess(self, lane: LaneConfig, at: AtGate) -> Assessment:
        """Reads the store: not on the event loop. Only exact texts find anything."""
        rules, choices = self.at_lane(lane)
        found = {one.text: self._store.declarations_for_plate(one.text) for one in at.named if one.decided}
        candidates = choose([one for text in matching(at.named) for one in found.get(text, ())])
        picked = at.choice.declaration
        chosen = self._store.declaration(picked) if picked else None
        judged = ([chosen] if chosen else []) if picked else candidates
        now = clock.wall_iso()

        def facts_of(one: Declaration | None) -> Facts:
            return self._facts(lane, at, candidates, one, self._who(one, at, found), now)

        named = [_named_only(one) for one in judged]
        best = judge(rules, choices, named, lane.place, lane.direction, now, facts_of, candidates)
        declaration = next((one for one in judged if best.declaration and one.id == best.declaration.id), None)
        who, facts = self._who(declaration, at, found), facts_of(declaration)
        verdict = self._of_whom(best.verdict, who, at)
        steps: tuple[StepView, ...] = ()
        if declaration is not None and declaration.procedure in rules.procedures:
            steps = outline(rules, choices, declaration, lane.place, lane.direction, facts.plates, now=now)
        others = tuple(candidate for candidate in candidates if declaration is None or candidate.id != declaration.id)
        two = verdict.verdict == "refuse" and needs_two_people(rules, verdict)
        old = needs_check(verdict)
        look = verdict.verdict in ("ready", "release") and bool(who.to_look_at - at.looked_at)
        return Assessment(
            verdict, declaration, who, others, steps, old or look, two, best.rivals, old, rules.sha256, rules.table.name
        )

    def _who(self, declaration: Declaration | None, at: AtGate, found: Mapping[str, Sequence[Declaration]]) -> Identity:
        mine = declaration.id if declaration is not None else None
        elsewhere = {text: any(one.id != mine for one in group) for text, group in found.items()}
        held = frozenset(text for text in found if self._held(text))
        return identify(declaration, at.named, at.choice, elsewhere, held)

    def _held(self, plate: str) -> bool:
        return self._store.watch(plate) is not None or self._customs_hold(plate) is not None

    def _of_whom(self, verdict: Verdict, who: Identity, at: AtGate) -> Verdict:
        """The verdict with what this gate knows of the vehicle itself: which one, and what else is in view."""
        reasons = list(verdict.reasons)
        codes = {reason.code for reason in reasons}
        if who.asked and (verdict.verdict != "refuse" or "passed_already" in codes):
            kept = [reason for reason in reasons if reason.code in ("several", "overstay", "copy_age")]
            return Verdict("unknown", verdict.step, (), (self.rules.say("which_vehicle"), *kept))
        if "no_declaration" in codes and not any(one.decided for one in at.named):
            unread = self.rules.say("plate_unread")
            reasons = [unread if reason.code == "no_declaration" else reason for reason in reasons]
        odd = [self.rules.say("plate_ground", plate=plate) for plate in who.odd_grounds]
        if verdict.verdict in ("ready", "release") and self._by_peers(who):
            reasons.append(self.rules.say("peer_word"))  # never opens by itself (core/automatic.py)
        return replace(verdict, reasons=(*reasons, *self._beside(who), *odd))

    def _by_peers(self, who: Identity) -> bool:
        """Whether another gate's word stands in the declaration that the platform does not have yet."""
        declared = self._store.declaration(who.declaration) if who.declaration is not None else None
        return declared is not None and any(one.via == PEER for one in declared.confirmations)

    def _beside(self, who: Identity) -> list[Reason]:
        if who.declaration is None:
            return []
        codes = {"sibling": "beside_sibling", "other": "beside_other", "none": "beside_undeclared"}
        return [self.rules.say(codes[one.standing], plate=one.plate) for one in who.beside if one.standing in codes]

    def _facts(
        self,
        lane: LaneConfig,
        at: AtGate,
        candidates: Sequence[Declaration],
        declaration: Declaration | None,
        who: Identity,
        now: str,
    ) -> Facts:
        texts = tuple(one.text for one in at.named if one.decided)
        held = (*texts, *(plate for plate in who.vehicle if plate not in texts))
        return Facts(
            exact_plate=bool(texts) or at.choice.declaration is not None,
            plates=who.vehicle or texts,
            watch=next((why for plate in held if (why := self._store.watch(plate)) is not None), None),
            customs_hold=next((why for plate in held if (why := self._customs_hold(plate)) is not None), None),
            seals_seen=at.seals.seen,
            seal_broken=at.seals.broken,
            off_route=at.seals.off_route,
            gate=self._gate,
            copy_age_s=self._age_s(declaration),
            copy_limit_s=self._limit_s,
            guard_checked=at.checked or (declaration is not None and declaration.id.startswith(PAPER_ID)),
            smart_lane=lane.smart_lane,
            device_fault=at.devices_failed and not at.named,
            overstay_s=self._stays(declaration, who.vehicle or texts, now),
            candidates=sum(candidate.state == "active" for candidate in candidates) or 1,
        )

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
        stays = overstays(self.table_of, [declaration], now, self._overstay_s)
        return next((stay.inside_s for stay in stays if not mine or stay.plates == mine), None)

    def overstays(self) -> list[Stay]:
        """Every vehicle inside longer than the site allows. Reads the whole copy: now and then only, off the loop."""
        if self._overstay_s is None:
            return []
        return overstays(self.table_of, self._store.declarations_inside(), clock.wall_iso(), self._overstay_s)

    def table_of(self, declaration: Declaration) -> Rules:
        """The table that was in force for this declaration where it passed last: of this gate's lanes the one at that
        step, on that day; else one that knows its procedure and the step, the site's own first."""
        passed = [
            (moment, c.step)
            for c in declaration.confirmations
            if c.authority == SYSTEM and c.act in (PASSED, AUTO) and (moment := instant(c.at)) is not None
        ]
        if not passed:
            return self.rules
        moment, step = max(passed)
        day = day_of(moment)
        here = [
            rules
            for lane in self._lanes
            for rules in [in_force(self._tables, lane.road, day)[0]]
            if rules.passages.get((lane.place, lane.direction)) == step
        ]
        known = [*here, *(rules for rules, _ in self._tables if step in rules.steps)]
        return next((rules for rules in known if declaration.procedure in rules.procedures), self.rules)

    def copy_age_s(self) -> float | None:
        """How old the copy is; None while the link is up."""
        return self._copy_age_s()

    def step_at(self, lane: LaneConfig) -> str | None:
        return self.at_lane(lane)[0].passages.get((lane.place, lane.direction))

    def opener(self, lane: LaneConfig, procedure: str, step: str) -> LawNeed | None:
        """Whose confirmation opens the gate of this step (Art. 4.2.g and its kin); None where nothing is confirmed."""
        known = self.at_lane(lane)[0].procedures.get(procedure)
        ways = () if known is None else (known.steps, *(route.steps for route in known.routes.values()))
        return next((one.opener for steps in ways for one in steps if one.step == step and one.opener), None)

    def passes(self, lane: LaneConfig, procedure: str, step: str) -> bool:
        """Whether this procedure ever goes through this step."""
        known = self.at_lane(lane)[0].procedures.get(procedure)
        return known is not None and known.passes(step)

    def paper(self, lane: LaneConfig, form: PaperForm, entry: Entry) -> Declaration:
        """A typed form as a declaration, its signatures beside what was confirmed online. Reads the store.

        Raises KeyError for an unknown procedure.
        """
        plates = [vehicle.plate for vehicle in form.vehicles]
        known = choose([one for plate in plates for one in self._store.declarations_for_plate(plate)])
        same = (one for one in known if (one.state, one.procedure) == ("active", entry.procedure))
        online = next((one for one in same if not one.id.startswith(PAPER_ID)), None)
        return to_declaration(*self.at_lane(lane), form, entry, online)

    def paper_options(self, lane: LaneConfig) -> PaperOptions:
        """What a paper form may choose at this lane: it does not name a procedure itself. The declarant stands on every
        form, so is no signer to choose."""
        rules, _ = self.at_lane(lane)
        step = self.step_at(lane) or ""
        return PaperOptions(
            procedures=tuple(self.procedure(name) for name in rules.procedures if self.passes(lane, name, step)),
            requires=tuple(Required(key, rules.require_names[key], absent) for key, absent in rules.requires.items()),
            signers=tuple(Keyed(key, rules.authorities[key]) for key in self.signers(lane) if key != DECLARANT),
        )

    def signers(self, lane: LaneConfig) -> tuple[str, ...]:
        """Who may sign a paper form."""
        return signers(self.at_lane(lane)[0])

    def knows(self, procedure: str) -> bool:
        return any(procedure in rules.procedures for rules, _ in self._tables)

    def procedure(self, procedure: str) -> Called:
        known = next((r.procedures[procedure] for r, _ in self._tables if procedure in r.procedures), None)
        return Called(procedure, known.name if known else Name(procedure, procedure))

    def word(self, kind: WordKind, key: str) -> Name:
        """What people call a step, an authority or an act; "A|B" is either one of two."""
        tables = [
            {"step": {k: s.name for k, s in r.steps.items()}, "authority": r.authorities, "act": r.acts}[kind]
            for r, _ in self._tables
        ]
        names = [next((table[part] for table in tables if part in table), Name(part, part)) for part in key.split("|")]
        return Name(" hoặc ".join(one.vi for one in names), " or ".join(one.en for one in names))


def _named_only(declaration: Declaration) -> Declaration:
    """Without this gate's own confirmations that name no vehicle, where there are several: they were pressed for one of
    them, and nobody knows which (records up to 0.1.0). That somebody passed still holds all of them back."""
    if len(units(declaration)) < 2:
        return declaration
    kept = tuple(one for one in declaration.confirmations if not _nobodys(one))
    return replace(declaration, confirmations=kept)


def _nobodys(given: Confirmation) -> bool:
    return given.via == "gate" and given.authority != SYSTEM and given.plate is None
