"""Which of several declarations a vehicle is judged by: two-way carriage, a pair of trucks, a slip of the pen. Pure.

The one whose procedure passes this gate in this direction now; of several, the one that is ready; of several still, the
guard (docs/law.md, "Readings").
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from edge.core.law.branches import carries
from edge.core.law.procedures import Facts, came_in, decide
from edge.core.law.terms import Choices, Rules
from edge.core.model import Declaration, Verdict

PASS = ("release", "ready")
ELSEWHERE = frozenset(
    {"never_passes", "passed_already", "emptied", "takes_elsewhere", "took_goods", "withdrawn", "completed"}
)
"""Refusals which say that a declaration does not pass this gate in this direction now. Every other refusal, a broken
seal say, is of one that does."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """The declaration that the vehicle is judged by (None: there is none) and the verdict on it. `rivals`: how many
    declarations it might as well have been, itself included.
    """

    declaration: Declaration | None
    verdict: Verdict
    rivals: int = 1


def judge(
    rules: Rules,
    choices: Choices,
    candidates: Sequence[Declaration],
    place: str,
    direction: str,
    now: str | datetime,
    facts: Callable[[Declaration | None], Facts],
    beside: Sequence[Declaration] = (),
) -> Chosen:
    """The verdict on the vehicle of these candidates, which stand in the order of `lookup.choose`. `facts` says what is
    known beside each of them; `beside`: other declarations of the vehicle, which may only show where it was.
    """
    if not candidates:
        return Chosen(None, decide(rules, choices, None, place, direction, now=now, facts=facts(None)))
    known = {one.id: _known(rules, one, [*candidates, *beside], facts(one)) for one in candidates}

    def of(one: Declaration, rivals: int) -> Chosen:
        told = known[one.id] if len(candidates) == 1 else replace(known[one.id], candidates=rivals)
        return Chosen(one, decide(rules, choices, one, place, direction, now=now, facts=told), told.candidates)

    judged = [of(one, 1) for one in candidates]
    here = [one for one in judged if one.verdict.verdict in (*PASS, "await")]
    ready = [one for one in here if one.verdict.verdict in PASS]
    best = next(iter([*ready, *here, *judged]))
    assert best.declaration is not None
    rivals = sum(_rival(one.verdict, ready=bool(ready)) for one in judged) or 1
    if rivals > 1:
        best = of(best.declaration, rivals)
    if len(ready) > 1:
        note = rules.say("several_ready", count=len(ready))
        reasons = (note, *best.verdict.reasons)
        return replace(best, verdict=replace(best.verdict, verdict="unknown", reasons=reasons))
    return best


def _known(rules: Rules, one: Declaration, declarations: Sequence[Declaration], known: Facts) -> Facts:
    """Another declaration may show that the vehicle came in, or that it took goods over."""
    others = [other for other in declarations if other.id != one.id]
    inside = any(came_in(rules, other, known.plates) for other in others)
    took = any(carries(rules, other, known.plates) for other in others)
    return replace(known, came_in=known.came_in or inside, took_goods=known.took_goods or took)


def _rival(verdict: Verdict, *, ready: bool) -> bool:
    """Whether the vehicle might be here on this one. Where one is `ready`, one that waits is not it; one that is held
    for a cause, or of which nothing is known, still may be."""
    if verdict.verdict == "await":
        return not ready
    return verdict.verdict != "refuse" or not ELSEWHERE & {reason.code for reason in verdict.reasons}
