"""What one shift leaves to the next: passages at the barrier, holds, paper, alarms, overstays. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from edge.core.alarm.alarms import Alarm
from edge.core.model import Name
from edge.core.view import LaneView, PassageView

WORDS_MOST = 2000


@dataclass(frozen=True, slots=True)
class PaperSince:
    by: str
    at: str


@dataclass(frozen=True, slots=True)
class PassageLeft:
    """A vehicle at the barrier. `verdict` is None before the law was asked."""

    id: str
    plates: tuple[str, ...]
    state: str
    verdict: str | None


@dataclass(frozen=True, slots=True)
class LaneLeft:
    """`unsent`: events that the centre does not have."""

    lane: str
    name: Name
    boom: str
    faults: tuple[str, ...]
    held: bool
    paper: PaperSince | None
    passage: PassageLeft | None
    unsent: int


@dataclass(frozen=True, slots=True)
class TaskLeft:
    """A paper form that waits for a guard."""

    lane: str
    id: str
    plates: tuple[str, ...]
    outcome: str


@dataclass(frozen=True, slots=True)
class StayLeft:
    plates: tuple[str, ...]
    since: str
    declaration: str


@dataclass(frozen=True, slots=True)
class AlarmLeft:
    key: str
    code: str
    about: str
    lane: str
    priority: int
    state: str
    raised_at: str
    acknowledged_by: str | None


@dataclass(frozen=True, slots=True)
class Tip:
    """A lane's last event."""

    lane: str
    seq: int
    hash: str


@dataclass(frozen=True, slots=True)
class HandoverNote:
    """`record`: each lane's last event, on paper the record's second anchor (docs/security.md)."""

    lanes: tuple[LaneLeft, ...]
    paper_tasks: tuple[TaskLeft, ...]
    overstays: tuple[StayLeft, ...]
    alarms: tuple[AlarmLeft, ...]
    shelved: tuple[AlarmLeft, ...]
    record: tuple[Tip, ...] = ()

    @property
    def open_points(self) -> int:
        """How much the next shift takes over."""
        lanes = sum(bool(one.passage or one.held or one.paper or one.faults) for one in self.lanes)
        return lanes + sum(map(len, (self.paper_tasks, self.overstays, self.alarms, self.shelved)))


@dataclass(frozen=True, slots=True)
class Written:
    """The note under a person's name, and who signed for it."""

    by: str
    name: str
    role: str
    at: str
    words: str
    note: HandoverNote
    signed_by: str | None = None
    signed_name: str | None = None
    signed_at: str | None = None


@dataclass(frozen=True, slots=True)
class Handover:
    """The note that waits for a signature, the last one signed, and one of now."""

    open: Written | None
    last: Written | None
    draft: HandoverNote


def note(lanes: Mapping[str, LaneView | None], alarms: Sequence[Alarm], tips: Iterable[Tip] = ()) -> HandoverNote:
    """The note as it stands now: everything that is open, nothing that is as it should be. A lane that nobody could
    look at (None) stands there as unknown."""
    views = [view for view in lanes.values() if view is not None]
    return HandoverNote(
        lanes=tuple(_unknown(lane) if view is None else _lane(view) for lane, view in lanes.items()),
        paper_tasks=tuple(
            TaskLeft(view.lane, task.id, task.plates, task.outcome) for view in views for task in view.paper_tasks
        ),
        overstays=_overstays(views),
        alarms=tuple(_alarm(one) for one in alarms if one.state != "shelved"),
        shelved=tuple(_alarm(one) for one in alarms if one.state == "shelved"),
        record=tuple(tips),
    )


def _lane(view: LaneView) -> LaneLeft:
    boom = view.health.boom
    return LaneLeft(
        lane=view.lane,
        name=view.name,
        boom=boom.state,
        faults=boom.faults,
        held=boom.held,
        paper=PaperSince(view.paper.by, view.paper.at) if view.paper else None,
        passage=_passage(view.passage) if view.passage else None,
        unsent=view.health.link.unacknowledged,
    )


def _unknown(lane: str) -> LaneLeft:
    return LaneLeft(lane, Name(lane, lane), "unknown", ("lane_unknown",), False, None, None, 0)


def _passage(passage: PassageView) -> PassageLeft:
    verdict = passage.verdict.verdict if passage.verdict else None
    return PassageLeft(passage.id, tuple(one.plate.text for one in passage.plates), passage.state, verdict)


def _overstays(views: Sequence[LaneView]) -> tuple[StayLeft, ...]:
    """Of the whole gate, so they are the same at each lane: each once."""
    by_plates = {one.plates: one for view in views for one in view.overstays}
    return tuple(StayLeft(plates, one.since, one.declaration) for plates, one in by_plates.items())


def _alarm(one: Alarm) -> AlarmLeft:
    return AlarmLeft(
        one.key, one.code, one.about, one.lane, one.priority, one.state, one.raised_at, one.acknowledged_by
    )
