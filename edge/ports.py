"""The seams: one-method (or nearly) interfaces that parts are joined by. Imports only the core's values.

Images are `numpy.uint8` arrays of shape (height, width, 3) in BGR order unless a name says otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

from edge.core.dossier import Dossier
from edge.core.expected import Expected
from edge.core.figures import DayFigures
from edge.core.history import Found, Question
from edge.core.model import Layout, PlateRead, Point
from edge.core.transfer import Received

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Image = NDArray[np.uint8]
else:
    Image = Any


# ---------------------------------------------------------------- vision


@dataclass(frozen=True, slots=True)
class Detection:
    """Where a plate may stand. `corners` clockwise from the top left in frame pixels.

    `lines` are the quads of its text lines, top to bottom, where the detector works by text lines; empty otherwise.
    """

    corners: tuple[Point, Point, Point, Point]
    score: float
    layout: Layout = "unknown"
    lines: tuple[tuple[Point, Point, Point, Point], ...] = ()


class Frame:
    """One decoded picture. `captured_mono_ns` and `captured_at` are stamped when it came off the wire, before
    anything waits.

    A picture may be given as a way to make it: on an empty lane most frames are only compared in grey, and turning
    them into colour would cost more than that. `image` raises ValueError where it cannot be made. Several threads may
    ask for it; one of them makes it (FFmpeg's converter stops for ever where two use it on one picture).
    """

    __slots__ = ("_image", "_luma", "_make", "_making", "captured_at", "captured_mono_ns", "number")

    def __init__(
        self,
        image: Image | Callable[[], Image],
        number: int,
        captured_mono_ns: int,
        captured_at: str,
        luma: Image | None = None,
    ) -> None:
        self._make = image if callable(image) else None
        self._image: Image | None = None if callable(image) else image
        self._luma = luma
        self._making = Lock()
        self.number = number
        self.captured_mono_ns = captured_mono_ns
        self.captured_at = captured_at

    @property
    def image(self) -> Image:
        with self._making:
            if self._image is None:
                assert self._make is not None
                self._image = self._make()
            return self._image

    @property
    def luma(self) -> Image:
        """How bright it is, (height, width)."""
        if self._luma is not None:
            return self._luma
        image = self.image
        return image[:, :, 0] // 8 + image[:, :, 1] // 2 + image[:, :, 2] // 4


class Detector(Protocol):
    def detect(self, image: Image) -> list[Detection]:
        """Plates in one frame, best first. Raises ModelError; an empty list means that the model ran and found none."""
        ...


class Reader(Protocol):
    def read(self, image: Image, detections: Sequence[Detection]) -> list[PlateRead | None]:
        """One entry for each detection, None where its text is not plate-like. Raises ModelError."""
        ...


# ---------------------------------------------------------------- guard's screen


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
    name: Literal[
        "confirm",
        "override",
        "turn_away",
        "pick_declaration",
        "type_plate",
        "stop",
        "hold",
        "release_hold",
        "paper_form",
        "paper_mode",
        "paper_settle",
        "seals",
        "yard_count",
        "yard_entry",
        "close",
        "reset",
        "alarm_ack",
        "alarm_shelve",
        "alarm_unshelve",
        "handover_write",
        "handover_sign",
    ]
    passage: str | None
    person: Person
    reason: str = ""
    words: str = ""
    value: str = ""
    second: Person | None = None
    """A second account, proven by its PIN at the same screen: some refusals are overridden by two people only."""


@dataclass(frozen=True, slots=True)
class ActionResult:
    """Given only after the record is on disk. `code` names the entry of the message catalogue."""

    done: bool
    code: str
    seq: int | None = None
    detail: str = ""


class LaneDesk(Protocol):
    """What the screen may see and do at one lane. Every method is called on the gate's event loop."""

    def view(self) -> Mapping[str, Any]:
        """The lane as the screen shows it (docs/screen.md gives the keys); cheap, no I/O."""
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


@runtime_checkable
class ActionMemory(Protocol):
    """A LaneDesk that remembers keys beyond a restart of the gate process, so that a guard whose press met one can be
    told."""

    async def outcome(self, key: str) -> ActionResult | None:
        """What became of an action by its key, from the record on disk; None where no such action was ever recorded."""
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

    async def looked(self, person: Person, what: str, about: Mapping[str, Any]) -> None:
        """Record who looked what up, before it is shown."""
        ...

    def alarms(self) -> Sequence[Mapping[str, Any]]:
        """The alarm list (docs/screen.md), what waits for an answer first."""
        ...

    def handover(self) -> Mapping[str, Any]:
        """`{"open", "last", "draft"}`: the note that waits for a signature, the last one signed, and one of now."""
        ...

    async def expected(self) -> Sequence[Expected]:
        """Vehicles on the way from one gate to the next, the longest first."""
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


# ---------------------------------------------------------------- the way to the centre


@dataclass(frozen=True, slots=True)
class OutgoingEvent:
    """One stored event, ready to publish: `payload` is the envelope's JSON, exactly as hashed and signed."""

    lane: str
    seq: int
    payload: bytes


class Outbox(Protocol):
    """The gate's own store as the queue. Thread safe."""

    def lanes(self) -> Sequence[str]: ...

    def pending(self, lane: str, after_seq: int, limit: int) -> list[OutgoingEvent]:
        """Events not yet acknowledged by the centre, in order, with seq > after_seq."""
        ...

    def acknowledge(self, lane: str, seq: int) -> int:
        """The centre has every event up to seq for good. Returns how many rows that newly covers. Raises
        BadMessageError if seq is beyond what this gate ever produced."""
        ...

    def go_back(self, lane: str, seq: int) -> int:
        """The centre lost its store and has only up to seq: everything behind it that is still here goes out again.
        Returns the last event that it will not get; where that is beyond seq, an event says so."""
        ...


class Inbox(Protocol):
    """Where messages from the centre land. Thread safe. Each raises BadMessageError, which the caller counts and sets
    aside."""

    def declaration(self, declaration_id: str, payload: bytes) -> bool:
        """A retained declaration (empty payload: removed). Returns True where the copy changed."""
        ...

    def watchlist(self, payload: bytes) -> bool: ...

    def command(self, lane: str, payload: bytes, retained: bool) -> None: ...

    def set_aside(self, topic: str, payload: bytes, why: str) -> None: ...

    def copy_started(self) -> None:
        """A subscribe is about to show every retained message again."""
        ...

    def copy_complete(self) -> bool:
        """All retained messages were seen after a subscribe: the local copy is as new as the centre. False where that
        proves nothing, because the broker had lost its memory."""
        ...


@dataclass(frozen=True, slots=True)
class OutgoingEvidence:
    """One photo ready to publish: its event is with the centre already."""

    id: str
    lane: str
    event_id: str
    jpeg: bytes


@runtime_checkable
class EvidenceOutbox(Protocol):
    """An Outbox that has photos too. Thread safe."""

    def next_evidence(self, lane: str) -> OutgoingEvidence | None:
        """The oldest photo that the broker does not have yet, once the centre has its event."""
        ...

    def evidence_sent(self, evidence_id: str) -> None:
        """The broker has it."""
        ...
