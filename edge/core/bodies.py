"""What the record's events say: one frozen class for each kind and stage. Pure.

Their JSON (edge/core/json_shape.py) is the contract's (docs/protocol.md) and is hashed into the chain.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from edge.core.alarm.alarms import Stage as AlarmStage
from edge.core.identity import Identity
from edge.core.json_shape import OPTIONAL, PART, JsonObject, object_of
from edge.core.law.paper import Difference, Entry, PaperForm
from edge.core.law.transfer import ListWay
from edge.core.law.yard import YardCount
from edge.core.model import Box, Confirmation, PlateText, Verdict, VerdictName
from edge.core.record.handover import HandoverNote

Kind = Literal[
    "passage",
    "confirmation",
    "override",
    "refusal",
    "paper_form",
    "barrier",
    "yard_level",
    "alarm",
    "login",
    "config",
    "health",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """What every body can do."""

    KIND: ClassVar[Kind]

    @property
    def stage_name(self) -> str:
        """ "" where the kind has one stage only."""
        return str(getattr(self, "stage", ""))

    def to_json(self) -> JsonObject:
        return object_of(self)


# ---------------------------------------------------------------- parts that several share


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenPlate:
    """One plate of the passage. `typed`: by a person."""

    plate: Annotated[PlateText, PART]
    decided: bool
    typed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What judged the vehicle: the gate's software, the law table's name and SHA-256, and of each camera the reader's
    models by name, with their SHA-256 or version."""

    software: str
    table: str
    table_sha256: str
    reader: Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """Which vehicle an event is about, where, and on what ground it was judged."""

    passage: str
    plates: tuple[SeenPlate, ...]
    declaration: str | None
    who: Identity | None
    step: str | None
    place: str
    direction: str
    ground: Annotated[Ground | None, OPTIONAL] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pressed:
    """Who pressed, and about which vehicle, where one stood there. `second`: the second person, proven by a PIN."""

    about: Annotated[About | None, PART]
    by: str
    role: str
    second: Annotated[str | None, OPTIONAL] = None
    second_role: Annotated[str | None, OPTIONAL] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Commanded:
    """A command from the platform: its id, its action, who there gave it and why."""

    command: str
    action: str
    by: str
    reason: str
    via: Literal["platform"] = "platform"


@dataclass(frozen=True, slots=True, kw_only=True)
class Eyes:
    """Which camera read it, with how many votes, how long that took from the passage's begin (None before the vote was
    decided), and which of the passage's plates photo and crop show."""

    camera: str
    votes: int
    waited_s: float | None
    photo_of: str


# ---------------------------------------------------------------- passage


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage(Body):
    KIND: ClassVar[Kind] = "passage"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen(Passage):
    """What was read and what the law said of it; again with each further plate. `rules`: the table's sha256."""

    about: Annotated[About, PART]
    stage: Literal["seen"] = "seen"
    verdict: Verdict
    box: Box | None
    rules: str
    frame_size: Annotated[tuple[int, int] | None, OPTIONAL] = None
    eyes: Annotated[Eyes | None, PART] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Through(Passage):
    """The passage itself, where no declaration of it is known or it was recorded by hand before."""

    about: Annotated[About, PART]
    stage: Literal["through"] = "through"
    permit: int
    by_hand: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended(Passage):
    """`outcome` "unseen": a restart lay between, and no loop saw it through. `restarted`: found in the record."""

    about: Annotated[About, PART]
    stage: Literal["ended"] = "ended"
    outcome: str
    verdict: VerdictName | None
    restarted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclarationPicked(Passage):
    pressed: Annotated[Pressed, PART]
    stage: Literal["declaration_picked"] = "declaration_picked"
    picked: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VehiclePicked(Passage):
    """`vehicle`: its plates as declared."""

    pressed: Annotated[Pressed, PART]
    stage: Literal["vehicle_picked"] = "vehicle_picked"
    picked: str
    vehicle: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclarationSearched(Passage):
    """`asked`: what was typed where there is no plate to read."""

    pressed: Annotated[Pressed, PART]
    stage: Literal["declaration_searched"] = "declaration_searched"
    asked: str
    picked: str
    vehicle: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlateTyped(Passage):
    """What a person typed beside what was read. `over_sure`: the sure reading that it stands over."""

    pressed: Annotated[Pressed, PART]
    stage: Literal["plate_typed"] = "plate_typed"
    typed: str
    read: str | None
    raw: str | None
    over_sure: str | None
    offered: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SealsChecked(Passage):
    """Seals as found on the vehicle, and those that differ from the hand-over record (53/2003)."""

    pressed: Annotated[Pressed, PART]
    stage: Literal["seals"] = "seals"
    seen: tuple[str, ...] | None
    broken: bool
    off_route: bool
    condition: str
    differing: tuple[str, ...] | None
    record_no: str


@dataclass(frozen=True, slots=True, kw_only=True)
class YardCorrected(Passage):
    pressed: Annotated[Pressed, PART]
    stage: Literal["yard_corrected"] = "yard_corrected"
    was: int
    count: int
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ByHand(Passage):
    """A vehicle recorded by hand where a device failed. `named`: the passage that the loop had counted for it."""

    pressed: Annotated[Pressed, PART]
    stage: Literal["by_hand"] = "by_hand"
    plate: str
    words: str
    step: str | None
    declaration: Annotated[str | None, OPTIONAL] = None
    confirmation: Annotated[Confirmation | None, OPTIONAL] = None
    named: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferAtOnce(Passage):
    """A monitored lot's row of the list of hand-over records, for the sending unit (53/2003, I.5)."""

    stage: Literal["transfer_at_once"] = "transfer_at_once"
    sent_by: str
    rows: list[tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListMarked(Passage):
    """A list of hand-over records between this gate's customs unit and `unit` went out, or came (53/2003, I.5): for
    `since` up to and without `until`, with these record numbers."""

    stage: Literal["five_day_list"] = "five_day_list"
    by: str
    role: str
    way: ListWay
    unit: str
    since: str
    until: str
    records: tuple[str, ...]


# ---------------------------------------------------------------- what opens


@dataclass(frozen=True, slots=True, kw_only=True)
class Opens(Body):
    """What a permit follows: its serial is given in the transaction that records it."""

    permit: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmed(Opens):
    """The guard's own confirmation. `again`: the step was complete before."""

    KIND: ClassVar[Kind] = "confirmation"
    pressed: Annotated[Pressed, PART]
    declaration: str
    checked: bool
    looked_at: tuple[str, ...]
    again: bool
    confirmation: Confirmation


@dataclass(frozen=True, slots=True, kw_only=True)
class Overridden(Opens):
    KIND: ClassVar[Kind] = "override"
    pressed: Annotated[Pressed, PART]
    reason: str
    words: str
    verdict: Verdict
    two_people: bool
    confirmation: Annotated[Confirmation | None, OPTIONAL] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EmergencyOpened(Opens):
    KIND: ClassVar[Kind] = "override"
    pressed: Annotated[Pressed, PART]
    stage: Literal["emergency"] = "emergency"
    reason: str
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedByCommand(Opens):
    KIND: ClassVar[Kind] = "override"
    about: Annotated[About | None, PART]
    commanded: Annotated[Commanded, PART]
    stage: Literal["command"] = "command"


@dataclass(frozen=True, slots=True, kw_only=True)
class Released(Opens):
    """By the gate itself."""

    KIND: ClassVar[Kind] = "barrier"
    about: Annotated[About, PART]
    stage: Literal["released"] = "released"
    verdict: Literal["release"] = "release"
    by: str
    confirmation: Annotated[Confirmation | None, OPTIONAL] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PassedThrough(Body):
    """The passage itself, as the system's confirmation."""

    KIND: ClassVar[Kind] = "confirmation"
    about: Annotated[About, PART]
    stage: Literal["through"] = "through"
    permit: int
    by_hand: bool
    confirmation: Confirmation


# ---------------------------------------------------------------- refusals


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal(Body):
    KIND: ClassVar[Kind] = "refusal"


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnedAway(Refusal):
    pressed: Annotated[Pressed, PART]
    reason: str
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StaysShut(Refusal):
    """Why the gate did not open by itself."""

    about: Annotated[About, PART]
    stage: Literal["stays_shut"] = "stays_shut"
    code: str
    detail: str
    verdict: Annotated[Verdict | None, OPTIONAL] = None
    candidates: Annotated[int | None, OPTIONAL] = None
    by: str
    copy_age_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandRefused(Refusal):
    """`about` stands there where the command was to open and a vehicle was there."""

    about: Annotated[About | None, PART] = None
    commanded: Annotated[Commanded, PART]
    stage: Literal["command_refused"] = "command_refused"
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandsRefused(Refusal):
    """More than are answered one by one, together."""

    stage: Literal["command_refused"] = "command_refused"
    code: Literal["too_many"] = "too_many"
    count: int
    via: Literal["platform"] = "platform"


# ---------------------------------------------------------------- paper


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper(Body):
    KIND: ClassVar[Kind] = "paper_form"


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperMode(Paper):
    """A guard puts the lane on paper, or takes it off."""

    pressed: Annotated[Pressed, PART]
    stage: Literal["paper_on", "paper_off"]
    why: str
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperModeByCommand(Paper):
    commanded: Annotated[Commanded, PART]
    stage: Literal["paper_on", "paper_off"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperEntered(Paper):
    pressed: Annotated[Pressed, PART]
    stage: Literal["entered"] = "entered"
    declaration: str
    form: PaperForm
    entry: Entry


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperSettled(Paper):
    """`declaration`: the platform's, where there is one."""

    pressed: Annotated[Pressed, PART]
    stage: Literal["settled"] = "settled"
    form: str
    declaration: str | None
    outcome: str
    reason: str
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperReconciled(Paper):
    stage: Literal["reconciled"] = "reconciled"
    form: str
    declaration: str | None
    outcome: Literal["same", "different", "missing"]
    differences: tuple[Difference, ...]


# ---------------------------------------------------------------- the barrier

BarrierStage = Literal[
    "opened",
    "not_opened",
    "permit_refused",
    "closed",
    "reopening",
    "reopened",
    "stopping",
    "stopped",
    "opened_unasked",
    "lower_refused",
]
AlarmNotice = Literal["fault", "fault_cleared", "tailgate", "not_closed", "still_open", "unproven"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BarrierSaid(Body):
    """What the barrier loop told. `permit`: the opening's serial or 0; `code` says why."""

    KIND: ClassVar[Kind] = "barrier"
    stage: BarrierStage
    permit: int
    code: str
    passage: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BarrierAlarm(Body):
    """As `BarrierSaid`."""

    KIND: ClassVar[Kind] = "alarm"
    stage: AlarmNotice
    permit: int
    code: str
    passage: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BoomPressed(Body):
    KIND: ClassVar[Kind] = "barrier"
    pressed: Annotated[Pressed, PART]
    stage: Literal["stopping", "held", "hold_released", "closing", "reset"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BoomCommanded(Body):
    KIND: ClassVar[Kind] = "barrier"
    commanded: Annotated[Commanded, PART]
    stage: Literal["command_stop", "command_hold"]


# ---------------------------------------------------------------- yard, alarms


@dataclass(frozen=True, slots=True, kw_only=True)
class YardLevelIs(Body):
    """How full the yard is."""

    KIND: ClassVar[Kind] = "yard_level"
    level: Annotated[YardCount, PART]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceFailed(Body):
    """A yard gate's devices are out of order: vehicles pass as normal and uncounted (Art. 23.2)."""

    KIND: ClassVar[Kind] = "alarm"
    stage: Literal["device_failed"] = "device_failed"
    place: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmMoved(Body):
    """One move of one alarm of the list. `by`, `role`, `words`: of the person whose answer it was."""

    KIND: ClassVar[Kind] = "alarm"
    stage: AlarmStage
    alarm: str
    code: str
    about: str
    priority: int
    count: int
    for_s: Annotated[float | None, OPTIONAL] = None
    by: Annotated[str | None, OPTIONAL] = None
    role: Annotated[str | None, OPTIONAL] = None
    words: Annotated[str | None, OPTIONAL] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordPruned(Body):
    """The centre asks for what it once acknowledged and what is gone here."""

    KIND: ClassVar[Kind] = "alarm"
    code: Literal["record_pruned"] = "record_pruned"
    lost_from: int
    lost_to: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordForked(Body):
    """Two histories of one lane: the numbers jump over what either may have used."""

    KIND: ClassVar[Kind] = "alarm"
    code: Literal["record_forked"] = "record_forked"
    lost_from: int
    lost_to: int
    centre_seq: int
    centre_hash: str | None
    own_hash: str | None
    own_last: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordSetAside(Body):
    """The database could not be used. `lost_from`, `lost_to`: the gap that will never be filled; `holes`: numbers that
    the centre has and this record has not."""

    KIND: ClassVar[Kind] = "alarm"
    code: str
    why: str
    folder: str
    events_kept: int
    lost_from: int | None
    lost_to: int | None
    holes: list[tuple[int, int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordHole(Body):
    """A further gap of the same."""

    KIND: ClassVar[Kind] = "alarm"
    code: str
    lost_from: int
    lost_to: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedAgain(Body):
    """An event of a history that the centre may not have, whole, under a new number."""

    KIND: ClassVar[Kind] = "alarm"
    code: Literal["record_overlap"] = "record_overlap"
    was: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class PhotosGone(Body):
    """Photos that the centre will not get: set aside, or gone before it had them. By id, event and sha256."""

    KIND: ClassVar[Kind] = "alarm"
    code: Literal["photos_lost", "photos_aside"]
    why: str
    photos: list[dict[str, str]]


# ---------------------------------------------------------------- people and configuration


@dataclass(frozen=True, slots=True, kw_only=True)
class Login(Body):
    KIND: ClassVar[Kind] = "login"


@dataclass(frozen=True, slots=True, kw_only=True)
class LookedAt:
    """What was `asked` for, or the passage as `looked_at`. `photos` "whole": as they are, with faces."""

    asked: Annotated[dict[str, str] | None, OPTIONAL] = None
    looked_at: Annotated[str | None, OPTIONAL] = None
    photos: Annotated[str | None, OPTIONAL] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked(Login):
    """Somebody looked something up."""

    stage: Literal["looked"] = "looked"
    what: str
    by: str
    role: str
    about: Annotated[LookedAt, PART]


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountChanged(Login):
    stage: Literal["account"] = "account"
    what: str
    account: str
    by: str
    at: str
    role: Annotated[str | None, OPTIONAL] = None
    second: Annotated[str | None, OPTIONAL] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HandoverWritten(Login):
    stage: Literal["handover_written"] = "handover_written"
    by: str
    name: str
    role: str
    at: str
    words: str
    note: HandoverNote


@dataclass(frozen=True, slots=True, kw_only=True)
class HandoverSigned(Login):
    stage: Literal["handover_signed"] = "handover_signed"
    by: str
    role: str
    written_by: str
    written_at: str
    open_points: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Deleted(Login):
    """What housekeeping deleted in a day, by lane: `photos` by reason."""

    stage: Literal["deleted"] = "deleted"
    by: str
    day: str
    events: int
    photos: dict[str, int]
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeletedOnRequest(Login):
    stage: Literal["deleted"] = "deleted"
    by: str
    reason: str
    photos: dict[str, int]
    bytes: int
    photo_ids: list[str]
    passages: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraAimed:
    """Points in fractions of the picture; None takes them away."""

    camera: str
    region: list[list[float]] | None
    line: list[list[float]] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AimUndone:
    undone: Literal[True] = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibrated(Body):
    KIND: ClassVar[Kind] = "config"
    stage: Literal["calibrated"] = "calibrated"
    change: CameraAimed | AimUndone
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled(Body):
    """A person said of a photo whether it was read right; the passage as `labelled`, for it is no part of it."""

    KIND: ClassVar[Kind] = "config"
    stage: Literal["labelled_right", "labelled_wrong"]
    labelled: str
    photo: str
    read: str | None
    typed: str
    by: str
    role: str


BODIES: tuple[type[Body], ...] = (
    Seen,
    Through,
    Ended,
    DeclarationPicked,
    VehiclePicked,
    DeclarationSearched,
    PlateTyped,
    SealsChecked,
    YardCorrected,
    ByHand,
    TransferAtOnce,
    Confirmed,
    PassedThrough,
    Overridden,
    EmergencyOpened,
    OpenedByCommand,
    TurnedAway,
    StaysShut,
    CommandRefused,
    CommandsRefused,
    PaperMode,
    PaperModeByCommand,
    PaperEntered,
    PaperSettled,
    PaperReconciled,
    Released,
    BarrierSaid,
    BoomPressed,
    BoomCommanded,
    YardLevelIs,
    BarrierAlarm,
    DeviceFailed,
    AlarmMoved,
    RecordPruned,
    RecordForked,
    RecordSetAside,
    RecordHole,
    RecordedAgain,
    PhotosGone,
    Looked,
    AccountChanged,
    HandoverWritten,
    HandoverSigned,
    Deleted,
    DeletedOnRequest,
    Calibrated,
    Labelled,
)
