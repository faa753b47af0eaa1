"""docs/procedures.md, made from the rule table: procedure by procedure, with articles, in Vietnamese and English."""

from __future__ import annotations

from collections.abc import Iterator

from edge.core.law.terms import LawNeed, LawStep, Procedure, Rules
from edge.core.model import Name

HEAD = """\
# The procedures: what each gate asks for, and which article says so

Made from `config/procedures.toml` by `scripts/procedures-page`; change the table, never this page. Articles are those
of Decision 27/2025/QĐ-UBND of Lạng Sơn. How a verdict comes about is told in [law.md](law.md).

In the tables, `→` is "then" (the Decision lists them in order: stamps matter) and `·` is "in any order" (presence
counts); *if any* (nếu có) names the key of the declaration's `requires`. At a barrier the border guard comes last and
opens it; a yard gate confirms itself and opens. Before a barrier or a yard's exit every earlier step must be complete.
"""


def page(rules: Rules) -> str:
    """The whole page as Markdown."""
    lines = [HEAD, *_choices(rules), *_words(rules)]
    for procedure in rules.procedures.values():
        lines += _procedure(rules, procedure)
    return "\n".join(lines).rstrip() + "\n"


def _choices(rules: Rules) -> Iterator[str]:
    yield "## What a site may choose\n"
    yield "The first value is the legal default.\n"
    yield "| key | values | what | source |"
    yield "| --- | --- | --- | --- |"
    for key, choice in rules.choices.items():
        values = ", ".join(f"`{value}`" for value in choice.values)
        yield f"| `{key}` | {values} | {_both(choice.name)} | {choice.source} |"
    yield ""


def _words(rules: Rules) -> Iterator[str]:
    yield "## Words\n"
    for title, names in (("authority", rules.authorities), ("act", rules.acts), ("if any", rules.require_names)):
        yield f"| {title} | Tiếng Việt | English | 中文 |"
        yield "| --- | --- | --- | --- |"
        yield from (f"| `{key}` | {name.vi} | {name.en} | {name.zh} |" for key, name in names.items())
        yield ""


def _procedure(rules: Rules, procedure: Procedure) -> Iterator[str]:
    yield f"## {procedure.id}\n"
    yield f"**{procedure.name.vi}**  \n{procedure.name.en}  \n{procedure.source}\n"
    yield "| | step | asked for | article |"
    yield "| --- | --- | --- | --- |"
    for number, step in enumerate(procedure.steps, 1):
        place = rules.steps[step.step]
        yield f"| {number} | `{step.step}` {_both(place.name)} | {_asked(step)} | {step.article} |"
        if number - 1 == procedure.goes_on_after:
            yield "| | | *from here as the procedure that the articles below belong to* | |"
    yield ""
    for route in procedure.routes.values():
        country = f" ({route.country}, where the platform does not say)" if route.country else ""
        yield f"`{route.kind}`{country}: {_both(route.name)}. " + "; ".join(
            f"`{step.step}` ({step.article}) {_asked(step)}" for step in route.steps
        )
        yield ""


def _asked(step: LawStep) -> str:
    if step.passage:
        return "let through and recorded, no step of its own"
    asked = (" → " if step.listed else " · ").join(_need(need) for need in step.needs)
    return f"of the goods, whoever brought them: {asked}" if step.of_goods else asked


def _need(need: LawNeed) -> str:
    text = f"{' or '.join(need.authorities)}: {_both(need.what)}"
    if need.if_required is not None:
        text += f" (*if any*: `{need.if_required}`)"
        text += ", asked unless it says no" if need.absent_means else ""
    if need.unless is not None:
        text += f" (not where `{need.unless[0]}` is `{need.unless[1]}`)"
    return f"**{text}**, opens" if need.opens else text


def _both(name: Name) -> str:
    return f"{name.vi} / {name.en}"
