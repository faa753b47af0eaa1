"""Short hands for the tests of the law: the real rule table, invented vehicles, stamps a minute apart."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from edge.core.law.procedures import Facts, decide
from edge.core.law.rules import parse_rules
from edge.core.law.terms import Choices, Rules
from edge.core.model import Confirmation, Declaration, Transfer, Vehicle, Verdict
from tests.law.table import GATES, Asked

TABLE_FILE = Path(__file__).parents[2] / "config" / "procedures.toml"
START = datetime(2026, 11, 20, 1, 0, tzinfo=UTC)
NOW = "2026-11-21T12:00:00+07:00"
PLATE = "12C12345"
EXACT = Facts(exact_plate=True)
LEGAL = Choices()


@cache
def rules() -> Rules:
    return parse_rules(TABLE_FILE.read_text(encoding="utf-8"), "config/procedures.toml")


def stamp(minutes: float) -> str:
    return (START + timedelta(minutes=minutes)).isoformat()


def given(asked: Asked, minutes: float, authority: str | None = None, via: str = "platform") -> Confirmation:
    """A confirmation of what is asked; of an either-or by the first authority, unless another is named."""
    return Confirmation(
        asked.step, authority or asked.authority.split("|")[0], asked.act, stamp(minutes), "X-0001", via
    )  # fmt: skip


def declared(
    procedure: str,
    confirmations: Iterable[Confirmation] = (),
    requires: Mapping[str, bool] | None = None,
    *,
    state: str = "active",
    vehicles: tuple[Vehicle, ...] = (Vehicle("vehicle", PLATE, "VN"),),
    transfer: Transfer | None = None,
    declared_at: str = "2026-11-20T08:00:00+07:00",
    declaration_id: str = "CKS-2026-000001",
    version: int = 1,
) -> Declaration:
    wants, stands = dict(requires or {}), tuple(confirmations)
    return Declaration(declaration_id, version, state, procedure, declared_at, vehicles, wants, stands, transfer)


def at_gate(
    declaration: Declaration | None, gate: str, choices: Choices = LEGAL, facts: Facts = EXACT, now: str = NOW
) -> Verdict:
    return decide(rules(), choices, declaration, *GATES[gate], now=now, facts=facts)


def codes(verdict: Verdict) -> list[str]:
    return [reason.code for reason in verdict.reasons]


def missing(verdict: Verdict) -> list[tuple[str, str, str, str]]:
    return [(m.step, m.authority, m.act, m.article) for m in verdict.missing]


def as_missing(asked: Iterable[Asked]) -> list[tuple[str, str, str, str]]:
    return [(one.step, one.authority, one.act, one.article) for one in asked]
