"""The law at a gate: from a declaration and its confirmations, what still has to be confirmed, and by which article.

Pure: the same arguments give the same verdict. Which procedure asks for what is data (config/procedures.toml); this
file names none of them. A verdict takes well under a millisecond (docs/procedures.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from edge.core.instant import Instant, age_text, instant
from edge.core.law.branches import NO_GOODS, TAKES, Way, of_pair, way
from edge.core.law.confirmations import YARD_EXIT, Standing, for_plates, opened_otherwise, passed_at, stand
from edge.core.law.outline import outline
from edge.core.law.terms import OVERRIDE, Choices, LawStep, Procedure, Rules, index_of
from edge.core.law.transfer import off_route, past_deadline, seal_differences
from edge.core.model import Declaration, Missing, Reason, Verdict

__all__ = ["NO_FACTS", "Facts", "decide", "needs_check", "needs_two_people", "outline"]

CHECK_NEEDED = "check_needed"
_AGE_WORTH_SAYING_S = 60.0
OUTSIDE = frozenset({"china", "inland"})
"""The rule table's words for what lies on either side of the gate area (its steps' `moves`)."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What the gate knows beside the declaration. Every default is the safe one: without facts nothing is released.

    `exact_plate`: the plate read, or typed by a guard, is exactly one of the declaration's. `plates`: all plates of
    the unit at the gate (tractor and trailer), for a declaration with several vehicles. `watch`, `customs_hold`: why
    the plate must be held. `seals_seen`: seal numbers as the guard read them, None before anyone looked. `gate`: this
    gate's name, as routes name it. `copy_age_s`: seconds since the copy was last known to be the centre's newest,
    None while the link is up; `copy_limit_s`: the site's limit, None for none. `guard_checked`: the guard said "I
    have checked" for this passage. `smart_lane`: this lane is a pilot smart lane; counts only where the site's choice
    is "on" too. `device_fault`: the devices of this yard gate failed. `overstay_s`: how long the vehicle is inside,
    where that is past the site's limit. `candidates`: how many active declarations name this plate. `came_in`: another
    declaration shows that this vehicle came into the gate area. `took_goods`: another declaration shows that this
    vehicle took its goods over.
    """

    exact_plate: bool = False
    plates: tuple[str, ...] = ()
    watch: str | None = None
    customs_hold: str | None = None
    seals_seen: tuple[str, ...] | None = None
    seal_broken: bool = False
    off_route: bool = False
    gate: str | None = None
    copy_age_s: float | None = None
    copy_limit_s: float | None = None
    guard_checked: bool = False
    smart_lane: bool = False
    device_fault: bool = False
    overstay_s: float | None = None
    candidates: int = 1
    came_in: bool = False
    took_goods: bool = False


NO_FACTS = Facts()


def decide(
    rules: Rules,
    choices: Choices,
    declaration: Declaration | None,
    place: str,
    direction: str,
    *,
    now: str | datetime,
    facts: Facts = NO_FACTS,
) -> Verdict:
    """What the law says of this vehicle at this place, now. Never raises for a declaration; ValueError for a `now`
    without an offset.
    """
    moment = instant(now)
    if moment is None:
        raise ValueError(f"now = {now!r}: an ISO 8601 time with an offset")
    step = rules.passages.get((place, direction))
    verdict = _held(rules, step, facts) or _found(rules, choices, declaration, step, moment, facts)
    return replace(verdict, reasons=(*verdict.reasons, *_notes(rules, facts)))


def needs_check(verdict: Verdict) -> bool:
    """Whether the guard must say "I have checked" before confirming: the local copy is older than the site allows."""
    return any(reason.code == CHECK_NEEDED for reason in verdict.reasons)


def needs_two_people(rules: Rules, verdict: Verdict) -> bool:
    """Whether an override of this refusal asks for two people (a customs hold)."""
    return any(rules.two_people(reason.code) for reason in verdict.reasons)


# ---------------------------------------------------------------- held, unknown, refused


def _held(rules: Rules, step: str | None, facts: Facts) -> Verdict | None:
    reasons = []
    if facts.customs_hold is not None:
        reasons.append(rules.say("customs_hold", why=facts.customs_hold))
    if facts.watch is not None:
        reasons.append(rules.say("watch", why=facts.watch))
    return Verdict("refuse", step, (), tuple(reasons)) if reasons else None


def _found(
    rules: Rules, choices: Choices, declaration: Declaration | None, step: str | None, now: Instant, facts: Facts
) -> Verdict:
    """Unknown, refused or weighed, in this order."""
    if declaration is None:
        if facts.device_fault and step is not None and rules.steps[step].kind == "yard":
            return Verdict("release", step, (), (rules.say("device_fault"),))
        return Verdict("unknown", step, (), (rules.say("no_declaration"),))
    if not facts.exact_plate:
        return Verdict("unknown", step, (), (rules.say("plate_not_exact"),))
    procedure = rules.procedures.get(declaration.procedure)
    if procedure is None:
        return Verdict("unknown", step, (), (rules.say("procedure_unknown", procedure=declaration.procedure),))
    declaration = of_pair(procedure, declaration, facts.plates)
    gone = way(procedure, declaration, facts.plates, step)
    index = index_of(gone.steps, step)
    if declaration.state != "active" and not _left_behind(declaration, gone, index):
        code = "completed" if declaration.state == "completed" else "withdrawn"
        return Verdict("refuse", step, (), (rules.say(code, procedure.source),))
    if index is None or (gone.steps[index].of_goods and gone.steps[index].kind == "barrier"):
        return Verdict("refuse", step, (), (_no_way(rules, procedure, gone, step),))
    gate = _Gate(gone, index, now, facts)
    return _refused(rules, declaration, gate) or _weighed(rules, choices, declaration, procedure, gate)


def _left_behind(declaration: Declaration, gone: Way, index: int | None) -> bool:
    """The goods are out and their declaration is complete: the emptied vehicle still goes back by it."""
    return declaration.state == "completed" and index is not None and gone.emptied(index)


@dataclass(frozen=True, slots=True)
class _Gate:
    """This gate on the vehicle's way, now, and what is known beside the declaration."""

    way: Way
    index: int
    now: Instant
    facts: Facts

    @property
    def step(self) -> LawStep:
        return self.way.steps[self.index]

    @property
    def back(self) -> bool:
        """Whether the vehicle goes back empty here: the goods' seals, route and deadline are not its own."""
        return self.index >= self.way.back


def _no_way(rules: Rules, procedure: Procedure, gone: Way, step: str | None) -> Reason:
    """Why this vehicle never passes here in this direction."""
    if gone.route is None or index_of(procedure.steps, step) is None:
        return rules.say("never_passes", procedure.source)
    return rules.say("takes_elsewhere" if gone.route.kind == TAKES else "emptied", procedure.source)


def _refused(rules: Rules, declaration: Declaration, gate: _Gate) -> Verdict | None:
    step, facts = gate.step, gate.facts
    if (at := passed_at(declaration, step.step, facts.plates)) is not None:
        return Verdict("refuse", step.step, (), (rules.say("passed_already", step.article, at=at),))
    if gate.back:
        took = (rules.say("took_goods", step.article),)
        return Verdict("refuse", step.step, (), took) if facts.took_goods else None
    broken = _transfer_broken(rules, declaration, gate.now, facts)
    return Verdict("refuse", step.step, (), broken) if broken else None


def _transfer_broken(rules: Rules, declaration: Declaration, now: Instant, facts: Facts) -> tuple[Reason, ...]:
    if declaration.transfer is None:
        return ()
    reasons = []
    if facts.seal_broken:
        reasons.append(rules.say("seal_broken"))
    if differing := seal_differences(declaration, facts.seals_seen, facts.plates):
        reasons.append(rules.say("seal_differs", seals=", ".join(differing)))
    if facts.off_route or off_route(declaration.transfer, facts.gate):
        reasons.append(rules.say("route_wrong"))
    if past_deadline(declaration.transfer, now):
        reasons.append(rules.say("deadline_passed", at=declaration.transfer.deadline))
    return tuple(reasons)


# ---------------------------------------------------------------- weighing the confirmations


@dataclass(frozen=True, slots=True)
class _Scale:
    """The gate's step and how everything up to it stands: `missing` of what comes before the opener, and the opener
    (none where the step is only a passage). `doubt`: nothing opens by itself here, and why; `hold`: nothing opens.
    """

    step: LawStep
    missing: list[Standing]
    opener: list[Standing]
    doubt: tuple[Reason, ...] = ()
    hold: tuple[Reason, ...] = ()


def _weighed(rules: Rules, choices: Choices, declaration: Declaration, procedure: Procedure, gate: _Gate) -> Verdict:
    steps, facts, step = gate.way.steps[: gate.index + 1], gate.facts, gate.step
    rows = stand(rules, choices, declaration, steps, facts.plates, here=step.step, now=gate.now)
    stood = [s for row in rows for s in row]
    opener = [s for s in rows[-1] if s.need.opens]
    missing = [s for s in stood if s.counted is None and s not in opener]
    compared = gate.back or seal_differences(declaration, facts.seals_seen, facts.plates) is not None
    seals = () if compared else (rules.say("seals_not_compared"),)
    doubt = _stamp_notes(rules, stood if step.kind == "barrier" else [s for s in stood if s not in opener])
    hold = _no_trace(rules, procedure, declaration, step, facts)
    scale = _Scale(step, missing, opener, doubt, hold)
    verdict = (
        _yard(rules, choices, scale) if step.kind == "yard" else _barrier(rules, choices, scale, facts, bool(seals))
    )
    verdict = _aged(rules, verdict, scale, facts)
    told = [
        *_register_note(rules, procedure, gate, rows), *_way_note(rules, procedure, gate), *hold, *verdict.reasons,
        *_order_notes(rules, stood, opener, step), *doubt, *_opened_notes(rules, declaration, steps[:-1], facts),
        *_odd_order(rules, steps, rows), *seals,
    ]  # fmt: skip
    return replace(verdict, reasons=tuple(told))


def _yard(rules: Rules, choices: Choices, scale: _Scale) -> Verdict:
    """A yard gate opens by itself once every earlier step is complete (Art. 20, 23.2); the exit may only warn."""
    step, asked, told = scale.step, *_asked(scale.missing)
    warns = step.step == YARD_EXIT and rules.chosen(choices, "yard_exit") == "warn"
    if scale.missing and not warns:
        return Verdict("await", step.step, asked, told)
    if scale.doubt:  # the yard's operator presses
        return Verdict("ready", step.step, (*asked, *_asked(scale.opener)[0]), told)
    if scale.missing:
        return Verdict("release", step.step, asked, (rules.say("yard_exit_warned", step.article), *told))
    code = "yard_passage" if step.passage else "yard_auto"
    return Verdict("release", step.step, (), (rules.say(code, step.article),))


def _barrier(rules: Rules, choices: Choices, scale: _Scale, facts: Facts, uncompared: bool) -> Verdict:
    """B1 and B2 open on the border guard's own confirmation, which always comes last; a smart lane needs no press, but
    nothing that a person should look at may be open there."""
    step, closed = scale.step, [s for s in scale.opener if s.counted is None]
    asked, told = _asked([*scale.missing, *closed])
    if scale.missing or scale.hold:
        return Verdict("await", step.step, asked, told)
    if not scale.doubt:
        if not closed:
            return Verdict("release", step.step, (), (rules.say("complete", step.article),))
        alone = facts.smart_lane and rules.chosen(choices, "smart_lane") == "on"
        if alone and not uncompared and all(s.early is None for s in closed):
            return Verdict("release", step.step, (), (rules.say("smart_lane"),))
    who = scale.opener[0].need.who
    note = rules.say("guard_opens", step.article, who_vi=who.vi, who_en=who.en)
    return Verdict("ready", step.step, _asked(scale.opener)[0], (note,))


def _asked(missing: Sequence[Standing]) -> tuple[tuple[Missing, ...], tuple[Reason, ...]]:
    return tuple(s.need.missing for s in missing), tuple(s.need.reason for s in missing)


def _aged(rules: Rules, verdict: Verdict, scale: _Scale, facts: Facts) -> Verdict:
    """Confirmations are facts and stay, but an old copy may miss a withdrawal: then a person must look before a barrier
    opens, so nothing but a press at this very gate releases."""
    age_s = _old_s(facts)
    if scale.step.kind != "barrier" or verdict.verdict not in ("ready", "release") or age_s is None:
        return verdict
    pressed_here = any(s.counted is not None and s.counted.via == "gate" for s in scale.opener)
    if facts.guard_checked or pressed_here:
        return verdict
    note = rules.say(CHECK_NEEDED, age=age_text(age_s))
    return Verdict("ready", verdict.step, _asked(scale.opener)[0], (*verdict.reasons, note))


def _old_s(facts: Facts) -> float | None:
    """The copy's age where it is past the site's limit, else None."""
    if facts.copy_age_s is None or facts.copy_limit_s is None or facts.copy_age_s <= facts.copy_limit_s:
        return None
    return facts.copy_age_s


def _no_trace(
    rules: Rules, procedure: Procedure, declaration: Declaration, step: LawStep, facts: Facts
) -> tuple[Reason, ...]:
    """A procedure that begins inside: something must show that the vehicle came in."""
    if not procedure.from_inside or step.kind != "barrier" or facts.came_in:
        return ()
    return () if came_in(rules, declaration, facts.plates) else (rules.say("no_trace", step.article),)


def came_in(rules: Rules, declaration: Declaration, plates: Sequence[str]) -> bool:
    """Whether anything on this declaration shows this vehicle inside: a gate that leads in, or work in area or yard."""
    inside = {step.id for step in rules.steps.values() if set((step.moves or {}).values()) - OUTSIDE}
    return any(c.step in inside for c in for_plates(declaration.confirmations, plates))


# ---------------------------------------------------------------- what else the guard should know


def _register_note(
    rules: Rules, procedure: Procedure, gate: _Gate, rows: Sequence[Sequence[Standing]]
) -> tuple[Reason, ...]:
    after = procedure.goes_on_after
    if gate.way.route or after is None or gate.index <= after or all(s.counted is not None for s in rows[after]):
        return ()
    return (rules.say("not_registered", procedure.steps[after].article),)


def _way_note(rules: Rules, procedure: Procedure, gate: _Gate) -> tuple[Reason, ...]:
    """On the part of another way that is not the procedure's own: which, and by which article."""
    route = gate.way.route
    if route is None or route.kind == TAKES or gate.step in procedure.steps:
        return ()
    code = "got_nothing" if route.kind == NO_GOODS else "goes_back"
    return (rules.say(code, gate.step.article, name_vi=route.name.vi, name_en=route.name.en),)


def _order_notes(rules: Rules, stood: Sequence[Standing], opener: Sequence[Standing], step: LawStep) -> list[Reason]:
    notes = []
    for s in stood:
        if s.early is None:
            continue
        who, what = rules.authorities.get(s.early.authority, s.need.who), s.need.what
        if s in opener and not step.listed:
            words = {"who_vi": who.vi, "who_en": who.en, "at": s.early.at}
            notes.append(rules.say("opener_early", s.need.article, **words))
        else:
            words = {"who_vi": who.vi, "who_en": who.en, "act_vi": what.vi, "act_en": what.en, "at": s.early.at}
            notes.append(rules.say("out_of_order", s.need.article, **words))
    return notes


def _stamp_notes(rules: Rules, stood: Sequence[Standing]) -> tuple[Reason, ...]:
    """Counted confirmations whose stamp is wrong: nothing opens by itself while they stand."""
    notes = []
    for s in stood:
        if s.counted is None or s.stamp in ("good", "day"):
            continue
        who, what = rules.authorities.get(s.counted.authority, s.need.who), s.need.what
        if s.stamp == "future":
            notes.append(rules.say("future_stamp", at=s.counted.at))
        else:
            words = {"who_vi": who.vi, "who_en": who.en, "act_vi": what.vi, "act_en": what.en}
            notes.append(rules.say("bad_time", s.need.article, **words))
    return tuple(dict.fromkeys(notes))


def _opened_notes(rules: Rules, declaration: Declaration, before: Sequence[LawStep], facts: Facts) -> list[Reason]:
    """Earlier steps that a guard's override or a smart lane opened, by name."""
    notes = []
    for step in before:
        by = opened_otherwise(declaration, step.step, facts.plates)
        if by is not None:
            name, code = rules.steps[step.step].name, "overridden_before" if by.act == OVERRIDE else "smart_before"
            notes.append(rules.say(code, step.article, step_vi=name.vi, step_en=name.en, at=by.at))
    return notes


def _odd_order(rules: Rules, steps: Sequence[LawStep], rows: Sequence[Sequence[Standing]]) -> list[Reason]:
    """Presence counts between steps; stamps that run against them are shown, once."""
    latest = None
    for step, row in zip(steps, rows, strict=True):
        moments = [s.moment for s in row if s.moment is not None]
        odd = next((s for s in row if s.moment is not None and latest is not None and s.moment < latest), None)
        if odd is not None and odd.counted is not None:
            name = rules.steps[step.step].name
            return [rules.say("odd_order", step.article, step_vi=name.vi, step_en=name.en, at=odd.counted.at)]
        latest = max([*moments, *([latest] if latest is not None else [])], default=None)
    return []


def _notes(rules: Rules, facts: Facts) -> list[Reason]:
    notes = []
    old = _old_s(facts) is not None
    if facts.copy_age_s is not None and (old or facts.copy_age_s >= _AGE_WORTH_SAYING_S):
        code = "copy_old" if old and facts.guard_checked else "copy_age"
        notes.append(rules.say(code, age=age_text(facts.copy_age_s)))
    if facts.candidates > 1:
        notes.append(rules.say("several", count=facts.candidates))
    if facts.overstay_s is not None:
        notes.append(rules.say("overstay", age=age_text(facts.overstay_s)))
    return notes
