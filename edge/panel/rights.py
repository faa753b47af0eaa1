"""Which role may do what (27/2025 Art. 24): its presses from the action table, the rest and where from rights.toml."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import get_args

from edge.actions import ActionTable, actions
from edge.core.model import Place
from edge.errors import ConfigError

ROLES = ("guard", "shift_leader", "customs", "yard_operator", "technician", "auditor")

MAY = ("second", "transfer_list", "history", "expected", "calibrate", "label", "whole_photos", "people")
"""What a role may do beside the actions: be the second person of an override; fetch the list of hand-over records; look
passages up; see who is on the way; set where a camera reads plates; say whether a plate was read right; hand photos
out with the faces on them; change accounts, together with another who may."""

Rights = Mapping[str, frozenset[str]]
"""role -> names of the actions it may do, of what else it may, and `place:NAME` of where; looking is every role's."""


def held_at(rights: Rights, role: str, place: str) -> frozenset[str]:
    """What a role may at a lane of this place: all of its rights where the place is one of its own."""
    held = rights.get(role, frozenset())
    if f"place:{place}" in held:
        return held
    return held - {name for name, row in actions().items() if not row.anywhere}


def load_rights(path: Path | None = None, table: ActionTable | None = None) -> Rights:
    """Reads and checks rights.toml and the action table's roles. Raises ConfigError naming the role or right that is
    unknown or absent."""
    path, table = path or Path(__file__).with_name("rights.toml"), table or actions()
    with path.open("rb") as file:
        raw = tomllib.load(file)
    faults = [f"{role}: no such role" for role in raw if role not in ROLES]
    faults += [f"{role}: missing" for role in ROLES if role not in raw]
    faults += [f"{name}: no such role: {role}" for name, row in table.items() for role in row.roles - set(ROLES)]
    for role, entry in raw.items():
        unknown = sorted(set(entry.get("may", ())) - set(MAY))
        faults += [f"{role}.may: no such right: {name}" for name in unknown]
        unknown = sorted(set(entry.get("places", ())) - set(get_args(Place)))
        faults += [f"{role}.places: no such place: {name}" for name in unknown]
        faults += [] if "places" in entry else [f"{role}.places: missing"]
    if faults:
        raise ConfigError(path.name, faults)
    pressed = {role: frozenset(name for name, row in table.items() if role in row.roles) for role in raw}
    return {
        role: pressed[role].union(entry.get("may", ()), (f"place:{place}" for place in entry["places"]))
        for role, entry in raw.items()
    }
