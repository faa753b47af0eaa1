"""`barie explain`: the verdict on one declaration at one place, as JSON. Needs no store, no camera and no network."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from edge import clock, resources
from edge.core.explain import explain
from edge.core.instant import instant
from edge.core.law import Choices, RulesError
from edge.core.rules import parse_rules
from edge.errors import BadMessageError, BarieError, ConfigError
from edge.wire import check_procedure, parse_declaration


def run(
    declaration: Path,
    place: str,
    direction: str,
    *,
    rules_path: Path | None = None,
    now: str | None = None,
    choices: dict[str, str] | None = None,
) -> int:
    """Print the verdict; 0 for any verdict, 2 for bad input with one clear line on standard error."""
    try:
        print(_verdict(declaration, place, direction, rules_path, now, choices or {}))
    except (BarieError, RulesError) as error:
        print(f"barie explain: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    return 0


def _verdict(
    path: Path, place: str, direction: str, rules_path: Path | None, now: str | None, choices: dict[str, str]
) -> str:
    text, source = resources.config_text(rules_path.resolve() if rules_path else "procedures.toml")
    rules = parse_rules(text, source)
    chosen: Choices = rules.choose(choices)
    moment = now or clock.wall_iso()
    if instant(moment) is None:
        raise ConfigError("--now", [f"{moment!r} is no ISO 8601 time with an offset"])
    try:
        declared = parse_declaration(path.read_bytes())
        check_procedure(declared, rules.procedures.__contains__)
    except OSError as error:
        raise ConfigError(str(path), [f"cannot be read: {error.strerror}"]) from error
    except BadMessageError as error:
        raise BadMessageError(f"{path}: {error}") from error
    verdict = explain(rules, chosen, declared, place, direction, moment)
    return json.dumps(verdict, ensure_ascii=False, indent=2)
