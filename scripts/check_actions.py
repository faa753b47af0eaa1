"""Is every row of the action table whole? A missing handler, word or role is found here, not by a guard."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from typing import get_args

from edge.actions import FILE, ActionRow, Condition, actions
from edge.agent.actions import desk
from edge.agent.actions.press import Presses
from edge.agent.office import office
from edge.errors import ConfigError
from edge.panel.messages import Catalogue, load_catalogue
from edge.panel.rights import ROLES, load_rights

ALSO = {"gate"}
"""Whose presses stand on pages of their own: nothing of the lane decides when they are offered."""


def faults_of(name: str, row: ActionRow, groups: dict[str, type[Presses]], words: Catalogue) -> Iterator[str]:
    handler = getattr(groups.get(row.group), row.method, None)
    if not inspect.iscoroutinefunction(handler):
        yield f"{name}.handler: no such method: {row.handler}"
    if not row.roles:
        yield f"{name}.roles: nobody may"
    yield from (f"{name}.roles: no such role: {role}" for role in sorted(row.roles - set(ROLES)))
    if row.scope not in ALSO and not row.offered:
        yield f"{name}.offered: never offered"
    for key in (f"action.{name}", *_titles(name, row), *([f"result.{row.unrecorded}"] if row.unrecorded else [])):
        if key not in words:
            yield f"{name}: no words: {key}"
    if "reason" in row.needs and not any(key.startswith(f"{name}_reason.") for key in words):
        yield f"{name}: no words: [{name}_reason]"


def _titles(name: str, row: ActionRow) -> list[str]:
    return [row.title or f"action_long.{name}"] if "sheet" in row.needs else []


def main() -> int:
    assert desk, office  # which name every group of presses
    groups = {one.group: one for one in Presses.__subclasses__()}
    words, table = load_catalogue(), actions()
    faults = [fault for name, row in table.items() for fault in faults_of(name, row, groups, words)]
    unused = set(get_args(Condition)) - {one for row in table.values() for one in row.offered}
    faults += [f"Condition: nothing is offered by it: {one}" for one in sorted(unused)]
    try:
        load_rights()
    except ConfigError as error:
        faults += [fault for fault in error.faults if fault not in faults]
    for fault in faults:
        print(f"{FILE.name}: {fault}")
    print(f"actions: {len(table)} rows, {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
