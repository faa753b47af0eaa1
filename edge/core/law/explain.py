"""A verdict as the outside contract writes it (docs/protocol.md). Pure."""

from __future__ import annotations

from datetime import datetime

from edge.core.json_shape import JsonObject, object_of
from edge.core.law.procedures import Facts, decide
from edge.core.law.terms import Choices, Rules
from edge.core.model import Declaration, Verdict


def explain(
    rules: Rules, choices: Choices, declaration: Declaration | None, place: str, direction: str, now: str | datetime
) -> JsonObject:
    """What Decision 27/2025 still asks of this declaration here, its plate taken as exactly read."""
    facts = Facts(exact_plate=declaration is not None)
    return verdict_json(decide(rules, choices, declaration, place, direction, now=now, facts=facts))


def verdict_json(verdict: Verdict) -> JsonObject:
    """`{"verdict", "step", "missing": [{"step", "authority", "act", "article"}], "reasons": [{"code", "text",
    "article"}]}`.
    """
    return object_of(verdict)
