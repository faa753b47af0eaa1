"""`barie rules check|diff`: a rule table read strictly, and what a new one changes. A confirmation that the one before
asks for goes only with `dropped = "why"`."""

from __future__ import annotations

from pathlib import Path

from edge import resources
from edge.core.law.rules import parse_rules
from edge.core.law.rules_diff import differences, undeclared
from edge.core.law.terms import Rules, RulesError
from edge.errors import ConfigError


def check(file: Path) -> int:
    """One line about a good table; raises ConfigError with every fault."""
    rules = load(file)
    table = rules.table
    dates = f"{table.valid_from or '…'} - {table.valid_until or '…'}"
    print(f"{file}: {table.name}, {dates}, {table.source}: {len(rules.procedures)} procedures, sha256 {rules.sha256}")
    return 0


def diff(old: Path, new: Path) -> int:
    """0 where both ask the same, 1 where they differ. Raises ConfigError where something was deleted in silence."""
    before, after = load(old), load(new)
    lines = differences(before, after)
    print("\n".join(lines) if lines else "không có khác biệt / no difference")
    if lost := undeclared(before, after):
        raise ConfigError(str(new), lost)
    return 1 if lines else 0


def load(file: Path) -> Rules:
    """Raises ConfigError."""
    text, source = resources.config_text(file.resolve())
    try:
        return parse_rules(text, source)
    except RulesError as error:
        raise ConfigError(error.source, error.faults) from error
