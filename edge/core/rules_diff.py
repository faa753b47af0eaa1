"""What one rule table asks that another does not, in Vietnamese and English, article by article. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from edge.core.law import LawNeed, LawStep, Procedure, Rules

Key = tuple[str, str, str, str, str]
"""Procedure, way through it ("" its own), step, authorities, act."""


def differences(old: Rules, new: Rules) -> list[str]:
    """One line each: what is asked no longer, what is new, what is asked by another article, order or condition."""
    before, after = _asked(old), _asked(new)
    lines = [_line(old, key, "không còn yêu cầu", "no longer asked", before[key]) for key in before if key not in after]
    lines += [_line(new, key, "yêu cầu mới", "newly asked", after[key]) for key in after if key not in before]
    for key, (step, need) in after.items():
        if key in before and _terms(*before[key]) != _terms(step, need):
            lines.append(_line(new, key, "đổi điều kiện", "asked on other terms", (step, need)))
            lines.append(f"    {_terms(*before[key])} -> {_terms(step, need)}")
    for name in sorted(new.choices.keys() ^ old.choices.keys()):
        gone = name in old.choices
        word = "lựa chọn không còn / choice is gone" if gone else "lựa chọn mới / new choice"
        lines.append(f"{word}: {name}")
    return lines


def _asked(rules: Rules) -> Mapping[Key, tuple[LawStep, LawNeed]]:
    return {
        (procedure.id, way, step.step, "|".join(need.authorities), need.act): (step, need)
        for procedure in rules.procedures.values()
        for way, steps in _ways(procedure)
        for step in steps
        for need in step.needs
    }


def _ways(procedure: Procedure) -> Iterator[tuple[str, tuple[LawStep, ...]]]:
    yield "", procedure.steps
    for kind, route in procedure.routes.items():
        yield kind, route.steps


def _terms(step: LawStep, need: LawNeed) -> str:
    condition = f", if {need.if_required} (absent: {need.absent_means})" if need.if_required else ""
    unless = f", unless {'='.join(need.unless)}" if need.unless else ""
    return f"{need.article}{', listed' if step.listed else ''}{condition}{unless}"


def _line(rules: Rules, key: Key, vi: str, en: str, asked: tuple[LawStep, LawNeed]) -> str:
    procedure, way, step, _, _ = key
    need, place = asked[1], rules.steps[step].name
    where = f"{procedure}{f' ({way})' if way else ''}, {step}"
    return (
        f"{vi} / {en}: {where}: {need.who.vi}, {need.what.vi} ({place.vi}) / "
        f"{need.who.en}, {need.what.en} ({place.en}), {need.article}"
    )
