"""The law at a gate: from a declaration and its confirmations, what still has to be confirmed, and by which article.

Pure: the same arguments give the same verdict. Which procedure asks for what is data (config/procedures.toml); this
file names none of them. A verdict takes well under a millisecond (docs/procedures.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from edge.core.instant import Instant, age_text, instant
from edge.core.law import Choices, LawStep, Name, Procedure, Rules
from edge.core.model import Confirmation, Declaration, Missing, Reason, Verdict
from edge.core.outline import outline
from edge.core.standing import YARD_EXIT, Standing, passed_at, stand
from edge.core.transfer import off_route, past_deadline, seal_differences

__all__ = ["NO_FACTS", "Facts", "decide", "needs_check", "needs_two_people", "outline"]

CHECK_NEEDED = "check_needed"
_FUTURE_TOLERANCE = timedelta(seconds=60)
_AGE_WORTH_SAYING_S = 60.0


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
    where that is past the site's limit. `candidates`: how many active declarations name this plate.
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
    if declaration.state != "active":
        code = "completed" if declaration.state == "completed" else "withdrawn"
        return Verdict("refuse", step, (), (rules.say(code, procedure.source),))
    index = procedure.index(step)
    if index is None:
        return Verdict("refuse", step, (), (rules.say("never_passes", procedure.source),))
    refused = _refused(rules, declaration, procedure.steps[index], now, facts)
    return refused or _weighed(rules, choices, declaration, procedure, index, now, facts)


def _refused(rules: Rules, declaration: Declaration, step: LawStep, now: Instant, facts: Facts) -> Verdict | None:
    if (at := passed_at(declaration, step.step, facts.plates)) is not None:
        return Verdict("refuse", step.step, (), (rules.say("passed_already", step.article, at=at),))
    broken = _transfer_broken(rules, declaration, now, facts)
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
    (none where the step is only a passage).
    """

    step: LawStep
    missing: list[Standing]
    opener: list[Standing]


def _weighed(
    rules: Rules,
    choices: Choices,
    declaration: Declaration,
    procedure: Procedure,
    index: int,
    now: Instant,
    facts: Facts,
) -> Verdict:
    rows = stand(rules, choices, declaration, procedure.steps[: index + 1], facts.plates)
    stood = [s for row in rows for s in row]
    opener = [s for s in rows[index] if s.need.opens]
    scale = _Scale(procedure.steps[index], [s for s in stood if s.counted is None and s not in opener], opener)
    verdict = _yard(rules, choices, scale) if scale.step.kind == "yard" else _barrier(rules, choices, scale, facts)
    verdict = _aged(rules, verdict, scale, facts)
    notes = [*_register_note(rules, procedure, index, rows), *verdict.reasons, *_order_notes(rules, stood)]
    return replace(verdict, reasons=(*notes, *_time_notes(rules, stood, now), *_seal_notes(rules, declaration, facts)))


def _yard(rules: Rules, choices: Choices, scale: _Scale) -> Verdict:
    """A yard gate opens by itself once every earlier step is complete (Art. 20, 23.2); the exit may only warn."""
    step = scale.step
    if not scale.missing:
        code = "yard_passage" if step.passage else "yard_auto"
        return Verdict("release", step.step, (), (rules.say(code, step.article),))
    asked, told = _asked(scale.missing)
    if step.step == YARD_EXIT and rules.chosen(choices, "yard_exit") == "warn":
        return Verdict("release", step.step, asked, (rules.say("yard_exit_warned", step.article), *told))
    return Verdict("await", step.step, asked, told)


def _barrier(rules: Rules, choices: Choices, scale: _Scale, facts: Facts) -> Verdict:
    """B1 and B2 open on the border guard's own confirmation, which always comes last; a smart lane needs no press."""
    step, closed = scale.step, [s for s in scale.opener if s.counted is None]
    if not scale.missing and not closed:
        return Verdict("release", step.step, (), (rules.say("complete", step.article),))
    asked, told = _asked([*scale.missing, *closed])
    if scale.missing:
        return Verdict("await", step.step, asked, told)
    if facts.smart_lane and rules.chosen(choices, "smart_lane") == "on":
        return Verdict("release", step.step, (), (rules.say("smart_lane"),))
    who = closed[0].need.who
    return Verdict("ready", step.step, asked, (rules.say("guard_opens", step.article, who_vi=who.vi, who_en=who.en),))


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


# ---------------------------------------------------------------- what else the guard should know


def _register_note(
    rules: Rules, procedure: Procedure, index: int, rows: Sequence[Sequence[Standing]]
) -> tuple[Reason, ...]:
    after = procedure.goes_on_after
    if after is None or index <= after or all(s.counted is not None for s in rows[after]):
        return ()
    return (rules.say("not_registered", procedure.steps[after].article),)


def _order_notes(rules: Rules, stood: Sequence[Standing]) -> list[Reason]:
    notes = []
    for s in stood:
        if s.early is not None:
            code = "bad_time" if instant(s.early.at) is None else "out_of_order"
            notes.append(_about(rules, code, s, s.early))
        elif s.ahead is not None:
            notes.append(_about(rules, "ahead", s, s.ahead))
    return notes


def _about(rules: Rules, code: str, s: Standing, given: Confirmation) -> Reason:
    who: Name = rules.authorities.get(given.authority, s.need.who)
    what = s.need.what
    return rules.say(
        code, s.need.article, who_vi=who.vi, who_en=who.en, act_vi=what.vi, act_en=what.en, at=given.at
    )  # fmt: skip


def _time_notes(rules: Rules, stood: Sequence[Standing], now: Instant) -> list[Reason]:
    ahead = [s.counted.at for s in stood if s.counted is not None and s.moment > now + _FUTURE_TOLERANCE]
    return [rules.say("future_stamp", at=ahead[-1])] if ahead else []


def _seal_notes(rules: Rules, declaration: Declaration, facts: Facts) -> list[Reason]:
    compared = seal_differences(declaration, facts.seals_seen, facts.plates) is not None
    return [] if compared else [rules.say("seals_not_compared")]


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
