"""What one rule table asks that another does not, in Vietnamese and English, article by article. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from edge.core.law.terms import LawNeed, LawStep, Procedure, Rules

Key = tuple[str, str, str, str, str]
"""Procedure, way through it ("" its own), step, authorities, act."""


def differences(old: Rules, new: Rules) -> list[str]:
    """One line each: what is asked no longer, what is new, what is asked by another article, order or condition."""
    before, after = _asked(old), _asked(new)
    gone = [key for key in before if key not in after and key[0] in new.procedures]
    lines = [_line(old, key, "không còn yêu cầu", "no longer asked", before[key]) for key in gone]
    lines += [_line(new, key, "yêu cầu mới", "newly asked", after[key]) for key in after if key not in before]
    for key, (step, need) in after.items():
        if key in before and _terms(*before[key]) != _terms(step, need):
            lines.append(_line(new, key, "đổi điều kiện", "asked on other terms", (step, need)))
            lines.append(f"    {_terms(*before[key])} -> {_terms(step, need)}")
    for name in sorted(old.procedures.keys() - new.procedures.keys()):
        lines.append(f"quy trình không còn, không xe nào qua theo đó / procedure is gone, nothing passes by it: {name}")
    for name in sorted(new.choices.keys() ^ old.choices.keys()):
        word = "lựa chọn không còn / choice is gone" if name in old.choices else "lựa chọn mới / new choice"
        lines.append(f"{word}: {name}")
    return lines


def undeclared(old: Rules, new: Rules) -> list[str]:
    """Each confirmation of `old` that `new` no longer asks for and does not say `dropped = "why"` of. One by fewer of
    the same authorities is asked still. Of a procedure that `new` has not at all, nothing passes."""
    lines = []
    for key, (step, need) in _asked(old).items():
        name, way, here, label, act = key
        kept = new.procedures.get(name)
        steps = dict(_ways(kept)).get(way) if kept is not None else None
        if steps is None or (name, way, here) in new.dropped or (name, "", here) in new.dropped:
            continue
        same = next((one for one in steps if one.step == here), None)
        asked = same is not None and any(
            one.act == act and set(one.authorities) <= set(need.authorities) for one in same.needs
        )
        said = same is not None and any((one.authority, one.act) == (label, act) for one in same.dropped)
        if not asked and not said:
            vi, en = 'không còn yêu cầu mà không ghi dropped = "lý do"', 'no longer asked, without dropped = "why"'
            lines.append(_line(old, key, vi, en, (step, need)))
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
