"""Which of several declarations a vehicle is judged by: two-way carriage, a pair of trucks, a slip of the pen. Pure.

The one whose procedure passes this gate in this direction now; of several, the one that is ready; of several still, the
guard (docs/law.md, "Readings").
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from edge.core.law import Choices, Rules
from edge.core.model import Declaration, Verdict
from edge.core.procedures import Facts, came_in, decide

PASS = ("release", "ready")


@dataclass(frozen=True, slots=True)
class Chosen:
    """The declaration that the vehicle is judged by (None: there is none) and the verdict on it."""

    declaration: Declaration | None
    verdict: Verdict


def judge(
    rules: Rules,
    choices: Choices,
    candidates: Sequence[Declaration],
    place: str,
    direction: str,
    now: str | datetime,
    facts: Callable[[Declaration | None], Facts],
) -> Chosen:
    """The verdict on the vehicle of these candidates, which stand in the order of `lookup.choose`. `facts` says what is
    known beside each of them.
    """
    if not candidates:
        return Chosen(None, decide(rules, choices, None, place, direction, now=now, facts=facts(None)))
    judged = []
    for one in candidates:
        known = facts(one)
        elsewhere = any(came_in(rules, other, known.plates) for other in candidates if other is not one)
        known = replace(known, came_in=known.came_in or elsewhere)
        judged.append(Chosen(one, decide(rules, choices, one, place, direction, now=now, facts=known)))
    here = [one for one in judged if one.verdict.verdict in (*PASS, "await")]
    ready = [one for one in here if one.verdict.verdict in PASS]
    if len(ready) > 1:
        first = ready[0]
        note = rules.say("several_ready", count=len(ready))
        return replace(first, verdict=replace(first.verdict, verdict="unknown", reasons=(note, *first.verdict.reasons)))
    return next(iter([*ready, *here, *judged]))
