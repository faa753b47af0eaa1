"""What the screen asks of a lane, the record and the technician's workbench."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from edge.core.alarm.alarms import Alarm
from edge.core.bodies import LookedAt
from edge.core.law.transfer import FiveDays, Received
from edge.core.model import Name, Point
from edge.core.record.day_figures import DayFigures
from edge.core.record.dossier import Dossier, Mark
from edge.core.record.expected import Expected
from edge.core.record.handover import Handover
from edge.core.record.history import Found, Question
from edge.core.view import LaneView


@dataclass(frozen=True, slots=True)
class Person:
    """Who acts: a signed-in account. `role`: guard, shift_leader, customs, yard_operator, technician, auditor."""

    id: str
    name: str
    role: str


@dataclass(frozen=True, slots=True)
class Action:
    """A press on the screen. `key` makes it idempotent: the same key again gives the first answer and does nothing.

    `passage` is the passage that the person was looking at: an action for another one is refused, never redirected.
    """

    key: str
    name: str
    """One of the action table (edge/actions.toml)."""
    passage: str | None
    person: Person
    reason: str = ""
    words: str = ""
    value: str = ""
    second: Person | None = None
    """A second account, proven by its PIN at the same screen: some refusals are overridden by two people only."""


VOID, KEY_REUSED = "not_arrived", "key_reused"
"""Codes of an answer: the press never arrived and never will; its key belongs to another press."""


@dataclass(frozen=True, slots=True)
class ActionResult:
    """Given only after the record is on disk. `code` names the entry of the message catalogue."""

    done: bool
    code: str
    seq: int | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class LanePlace:
    """What a lane is whatever happens there: from the config."""

    name: Name
    place: str
    direction: str


class LaneDesk(Protocol):
    """What the screen may see and do at one lane. Every method is called on the gate's event loop."""

    @property
    def where(self) -> LanePlace:
        """Known even while nothing else of the lane can be."""
        ...

    def view(self) -> LaneView:
        """The lane as the screen shows it; cheap, no I/O."""
        ...

    async def act(self, action: Action) -> ActionResult: ...

    async def changed(self, since: int) -> int:
        """Wait until the view's number is past `since`; returns the new number."""
        ...

    def live_jpeg(self, camera: str) -> bytes | None:
        """The newest picture of a camera as JPEG, or None when there is none."""
        ...


@runtime_checkable
class TransferRecords(Protocol):
    """A Desk that keeps the hand-over records of goods under customs transfer (53/2003)."""

    async def received(self) -> Sequence[Received]:
        """Every record received here that is still kept."""
        ...

    async def lists(self) -> Sequence[FiveDays]:
        """Every list that is or was due between this gate's customs unit and others, the newest first."""
        ...


@runtime_checkable
class ActionMemory(Protocol):
    """A LaneDesk that remembers keys beyond a restart of the gate process, so that a guard whose press met one can be
    told."""

    async def settle(self, person: Person, key: str) -> ActionResult:
        """What became of this person's press of this key, from the record on disk; one that was never recorded is void
        from now on, on disk as well. Raises StoreError."""
        ...


class Desk(Protocol):
    """The whole gate as the screen knows it."""

    @property
    def lanes(self) -> Mapping[str, LaneDesk]: ...

    def evidence_jpeg(self, evidence_id: str) -> bytes | None:
        """A stored photo by its id, or None."""
        ...


class Office(Protocol):
    """What the gate knows beyond its lanes: what passed, what needs an answer, what one shift leaves to the next, who
    is on the way. Reading happens off the event loop; each raises StoreError."""

    async def find(self, question: Question) -> Found: ...

    async def dossier(self, passage: str) -> Dossier | None:
        """One passage from its events, or None where the record does not hold it (any more)."""
        ...

    async def day(self, midnight_ms: int, lane: str) -> DayFigures:
        """Of the 24 hours from `midnight_ms` (Unix ms); `lane` "" for the whole gate."""
        ...

    async def people(self) -> Sequence[str]:
        """Everybody who pressed something in a passage that is still known, by id."""
        ...

    async def looked(self, person: Person, what: str, about: LookedAt) -> None:
        """Record who looked what up, before it is shown."""
        ...

    def alarms(self) -> Sequence[Alarm]:
        """The alarm list, what waits for an answer first."""
        ...

    def handover(self) -> Handover: ...

    async def expected(self) -> Sequence[Expected]:
        """Vehicles on the way from one gate to the next, the longest first."""
        ...

    async def label(self, passage: str, photo: str, mark: Mark, by: Person) -> str:
        """Keep this photo as one of the site's own tests, with what a person says of its reading, on record. Returns a
        code of the message catalogue: label.kept, or why not."""
        ...


@runtime_checkable
class HasOffice(Protocol):
    """A Desk with an Office."""

    @property
    def office(self) -> Office: ...


# ---------------------------------------------------------------- the technician's bench


class Workbench(Protocol):
    """What a technician does from the browser: look at a camera's plates, draw where they are read, save, undo."""

    def cameras(self) -> Sequence[Mapping[str, Any]]:
        """Each camera: `id`, `lane`, `region` and `line` (points in fractions, or None), `writable`, `undo`."""
        ...

    def watch(self, camera: str) -> Mapping[str, Any]:
        """Survey this camera for a few seconds more: `sights` ([x, y, read] in fractions, newest last), `findings`
        (`code`, `numbers`, worst first, judged by the region in force). Raises KeyError for an unknown camera."""
        ...

    async def save(self, camera: str, region: Sequence[Point] | None, line: Sequence[Point] | None, by: Person) -> str:
        """Write them into the configuration, the old one kept, and use them at once. Returns a code of the message
        catalogue: calibrate.saved, or why not."""
        ...

    async def undo(self, by: Person) -> str:
        """Put the version before the last save back. Returns calibrate.undone, or why not."""
        ...


@runtime_checkable
class HasWorkbench(Protocol):
    """A Desk with a Workbench."""

    @property
    def workbench(self) -> Workbench: ...
