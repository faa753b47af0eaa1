"""`barie rules check|diff`: a rule table read strictly, and what a new one changes."""

from __future__ import annotations

from pathlib import Path

from edge import resources
from edge.core.law import Rules, RulesError
from edge.core.rules import parse_rules
from edge.core.rules_diff import differences
from edge.errors import ConfigError


def check(file: Path) -> int:
    """One line about a good table; raises ConfigError with every fault."""
    rules = load(file)
    table = rules.table
    dates = f"{table.valid_from or '…'} - {table.valid_until or '…'}"
    print(f"{file}: {table.name}, {dates}, {table.source}: {len(rules.procedures)} procedures, sha256 {rules.sha256}")
    return 0


def diff(old: Path, new: Path) -> int:
    """0 where both ask the same, 1 where they differ."""
    lines = differences(load(old), load(new))
    print("\n".join(lines) if lines else "không có khác biệt / no difference")
    return 1 if lines else 0


def load(file: Path) -> Rules:
    """Raises ConfigError."""
    text, source = resources.config_text(file.resolve())
    try:
        return parse_rules(text, source)
    except RulesError as error:
        raise ConfigError(error.source, error.faults) from error
