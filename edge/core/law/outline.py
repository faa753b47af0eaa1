"""The row of steps on the guard's screen: where this vehicle stands in its procedure, and who has confirmed what.
Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from edge.core.instant import instant
from edge.core.law.branches import of_pair, way
from edge.core.law.confirmations import Standing, passed_at, stand
from edge.core.law.terms import Choices, Rules, index_of
from edge.core.model import Declaration, Need, StepView

StepState = Literal["done", "here", "open", "later"]
NeedState = Literal["given", "missing", "early"]


def outline(
    rules: Rules,
    choices: Choices,
    declaration: Declaration | None,
    place: str,
    direction: str,
    plates: Sequence[str] = (),
    *,
    now: str | None = None,
) -> tuple[StepView, ...]:
    """The procedure's steps as the guard's screen shows them, in legal order, on the way that this vehicle goes; empty
    where no procedure is known.

    `here` is the step at this gate, `open` an earlier one that still lacks something, `later` what comes after it. A
    confirmation is `early` where its stamp is out of the listed order, or something listed before it is absent.
    """
    if declaration is None or (procedure := rules.procedures.get(declaration.procedure)) is None:
        return ()
    at_gate = rules.passages.get((place, direction))
    declaration = of_pair(procedure, declaration, plates)
    steps = way(procedure, declaration, plates, at_gate).steps
    moment = instant(now) if now is not None else None
    rows = stand(rules, choices, declaration, steps, plates, here=at_gate, now=moment)
    here = index_of(steps, at_gate)
    views: list[StepView] = []
    for index, (law_step, row) in enumerate(zip(steps, rows, strict=True)):
        complete = all(s.counted is not None for s in row)
        passed = passed_at(declaration, law_step.step, plates) is not None
        needs = tuple(_need(s) for s in row)
        views.append(StepView(law_step.step, _state(index, here, complete, passed, views), needs, law_step.article))
    return tuple(views)


def _state(index: int, here: int | None, complete: bool, passed: bool, before: Sequence[StepView]) -> StepState:
    if index == here:
        return "done" if passed else "here"
    if here is not None and index > here:
        return "later"
    if complete:
        return "done"
    return "later" if here is None and any(view.state == "open" for view in before) else "open"


def _need(s: Standing) -> Need:
    given = s.counted or s.early
    state: NeedState = "missing" if given is None else "given" if s.counted is not None else "early"
    label = "|".join(s.need.authorities) if given is None else given.authority
    return Need(label, s.need.act, s.need.article, state, given.by if given else None, given.at if given else None)
