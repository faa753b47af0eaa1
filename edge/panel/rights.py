"""Which role may do what (27/2025 Art. 24): one table of data, rights.toml."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import get_args, get_type_hints

from edge.errors import ConfigError
from edge.ports import Action

ACTION_NAMES: frozenset[str] = frozenset(get_args(get_type_hints(Action)["name"]))
ROLES = ("guard", "shift_leader", "customs", "yard_operator", "technician", "auditor")

MAY = ("second", "transfer_list", "history", "expected", "calibrate", "label", "whole_photos")
"""What a role may do beside the actions: be the second person of an override; fetch the list of hand-over records; look
passages up; see who is on the way; set where a camera reads plates; say whether a plate was read right; hand photos
out with the faces on them."""

Rights = Mapping[str, frozenset[str]]
"""role -> names of the actions it may do, and of what else it may; looking is every role's."""


def load_rights(path: Path | None = None) -> Rights:
    """Reads and checks rights.toml. Raises ConfigError naming the role or action that is unknown or absent."""
    path = path or Path(__file__).with_name("rights.toml")
    with path.open("rb") as file:
        raw = tomllib.load(file)
    faults = [f"{role}: no such role" for role in raw if role not in ROLES]
    faults += [f"{role}: missing" for role in ROLES if role not in raw]
    for role, entry in raw.items():
        unknown = sorted(set(entry["actions"]) - ACTION_NAMES)
        faults += [f"{role}.actions: no such action: {name}" for name in unknown]
        unknown = sorted(set(entry.get("may", ())) - set(MAY))
        faults += [f"{role}.may: no such right: {name}" for name in unknown]
    if faults:
        raise ConfigError(path.name, faults)
    return {role: frozenset(entry["actions"]) | frozenset(entry.get("may", ())) for role, entry in raw.items()}
