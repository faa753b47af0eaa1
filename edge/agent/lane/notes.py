"""What a gate keeps across a restart: each kind of note with its class. Their JSON is docs/storage.md's."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, get_args

from edge.core.alarm.alarms import Alarm
from edge.core.law.paper import Difference, PaperForm
from edge.core.law.transfer import ListMark
from edge.core.law.yard import YardCount
from edge.core.model import Declaration, PlateText
from edge.core.record.dossier import Mark
from edge.core.record.handover import Written
from edge.core.view import PaperSince
from edge.store.kept import Kept
from edge.wire import parse_declaration
from firmware_io.safety import Memory
from firmware_io.terms import Cause


@dataclass(frozen=True, slots=True)
class Hold:
    """Who keeps a lane shut, and since when."""

    by: str
    at: str


@dataclass(frozen=True, slots=True)
class KeptSight:
    """`by`: the camera, or who typed it, `over` the sure reading that it was typed over."""

    plate: PlateText
    decided: bool
    by: str = ""
    over: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """The vehicle that a permit is out for: what a restart must not forget."""

    passage: str
    sights: tuple[KeptSight, ...]
    declaration: str | None
    permit: int | None
    vehicle: str | None = None


@dataclass(frozen=True, slots=True)
class Counted:
    """A vehicle counted at a yard gate; `plate` is None where nobody knew it."""

    passage: str
    plate: str | None
    at: str
    by_hand: bool


@dataclass(frozen=True, slots=True)
class LastCounted:
    """Oldest first."""

    last: tuple[Counted, ...] = ()


@dataclass(frozen=True, slots=True)
class Typed:
    """A form typed from paper, until the platform's own declaration was compared. `open`: it stands for a declaration,
    which is kept as its JSON's text."""

    declaration: str
    plates: tuple[str, ...]
    form: PaperForm
    lane: str
    open: bool = True
    outcome: str | None = None
    platform: str | None = None
    differences: tuple[Difference, ...] = ()


@dataclass(frozen=True, slots=True)
class Receipt:
    """A hand-over record received, or handed over, `on` this day."""

    declaration: Declaration
    on: str
    condition: str


@dataclass(frozen=True, slots=True)
class Cycles:
    """How often a boom went up, for maintenance: outlives restarts and pruned events."""

    count: int = 0


def _declaration(row: Mapping[str, Any]) -> Declaration:
    return parse_declaration(json.dumps(row).encode())


def _memory(row: Mapping[str, Any]) -> Memory:
    """A cause that this release does not know holds nothing up."""
    cause: Cause = row["cause"] if row["cause"] in get_args(Cause) else "none"
    return Memory(cause, bool(row["is_out"]), tuple(row["took_s"]), row.get("obstacles", 0))


_BY_CONTRACT: Mapping[type, Callable[[Any], Any]] = {Declaration: _declaration}

HOLD = Kept("hold", Hold)
"""By lane."""
BOOM = Kept("boom", Memory, {Memory: _memory})
"""By lane: what the barrier loop remembers."""
CYCLES = Kept("boom_cycles", Cycles)
"""By lane."""
STANDING = Kept("standing", Standing)
"""By lane."""
COUNTED = Kept("yard_counted", LastCounted)
"""By yard gate."""
YARD = Kept("yard", YardCount)
"""By yard."""
PAPER = Kept("paper", Typed)
"""By the declaration's id."""
PAPER_MODE = Kept("paper_mode", PaperSince)
"""By lane."""
RECEIPT = Kept("receipt", Receipt, _BY_CONTRACT)
HANDED = Kept("handed", Receipt, _BY_CONTRACT)
"""Both by the declaration's id."""
FIVE_DAY_LIST = Kept("five_day_list", ListMark)
"""By the list's key."""
ALARM = Kept("alarm", Alarm)
"""By the alarm's key."""
HANDOVER = Kept("handover", Written)
""" "open" waits for a signature, "last" is the one before."""
LABEL = Kept("label", Mark)
"""By photo: what a person said of it last."""
