"""Alarms by ISA-18.2: what needs a person's answer, in which state it is, and how it moves on. Pure.

An alarm is raised by a condition, waits for an acknowledgement, returns when the condition goes, and leaves the list
only when both have happened: nothing that was never answered disappears. The same condition again makes no second
alarm, it counts. Shelving takes one out of the way for a time that is always limited.

Times ending in `_s` are monotonic seconds of one boot; `at` are labels.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

AlarmState = Literal["unacknowledged", "acknowledged", "returned", "shelved"]
Stage = Literal["raised", "raised_again", "returned", "acknowledged", "shelved", "unshelved", "shelf_expired"]
Priority = Literal[1, 2, 3]

SHELF_MOST_S = 8 * 3600.0
"""One shift: whoever comes next sees it again."""
OFF_DELAY_S = 3.0
"""A condition must be gone for so long before it counts as gone: a flickering one does not fill the record."""


@dataclass(frozen=True, slots=True)
class Condition:
    """Something that is wrong now. `key` names it for good, `about` says of what (a camera's id, an input's name).

    `on_delay_s`: how long it must last before it is an alarm. `hidden_by`: keys of conditions that explain this one.
    """

    key: str
    code: str
    priority: Priority
    lane: str = ""
    about: str = ""
    on_delay_s: float = 0.0
    hidden_by: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Shelf:
    """Who put it aside, when, for how long, and until when (monotonic seconds of boot `boot`)."""

    by: str
    at: str
    for_s: float
    until_s: float
    boot: str


@dataclass(frozen=True, slots=True)
class Alarm:
    """`count`: how often it was raised since it came into the list. `active`: its condition stands now."""

    key: str
    code: str
    priority: Priority
    lane: str
    about: str
    raised_at: str
    active: bool = True
    acknowledged: bool = False
    count: int = 1
    returned_at: str | None = None
    acknowledged_by: str | None = None
    acknowledged_at: str | None = None
    shelf: Shelf | None = None

    @property
    def state(self) -> AlarmState:
        if self.shelf is not None:
            return "shelved"
        if not self.active:
            return "returned"
        return "acknowledged" if self.acknowledged else "unacknowledged"

    @property
    def waits(self) -> bool:
        """For a person's answer."""
        return self.shelf is None and not self.acknowledged


@dataclass(frozen=True, slots=True)
class Change:
    """One move of one alarm, for the record. `alarm` is as it is afterwards; `by` names the person, "" the system.

    `gone`: it left the list with this."""

    stage: Stage
    alarm: Alarm
    by: str = ""
    gone: bool = False


@dataclass(frozen=True, slots=True)
class Book:
    """Every alarm by its key; `coming` and `going`: since when a condition has been there, or gone, in seconds."""

    alarms: Mapping[str, Alarm] = field(default_factory=dict)
    coming: Mapping[str, float] = field(default_factory=dict)
    going: Mapping[str, float] = field(default_factory=dict)

    def listed(self) -> list[Alarm]:
        """As the list shows them: what waits first, then by priority, the newest first; the shelf last."""
        newest = sorted(self.alarms.values(), key=lambda one: one.raised_at, reverse=True)
        return sorted(newest, key=lambda one: (one.shelf is not None, not one.waits, one.priority))


Moved = tuple[Book, tuple[Change, ...]]

# ---------------------------------------------------------------- what happens by itself


def observe(book: Book, conditions: Iterable[Condition], now_s: float, at: str) -> Moved:
    """Everything that is wrong now. The same again at the same moment changes nothing."""
    present = {one.key: one for one in conditions}
    coming = {key: book.coming.get(key, now_s) for key in present}
    going = {key: book.going.get(key, now_s) for key, one in book.alarms.items() if one.active and key not in present}
    book, changes = _expire(replace(book, coming=coming, going=going), now_s)
    for key, condition in present.items():
        if condition.hidden_by.isdisjoint(present) and now_s - coming[key] >= condition.on_delay_s:
            book, more = _raise(book, condition, at)
            changes += more
    for key, since_s in going.items():
        if now_s - since_s >= OFF_DELAY_S:
            book, more = _return(book, key, at)
            changes += more
    return book, changes


def still(alarm: Alarm) -> Condition:
    """What raised it, where nobody can look whether it is so still."""
    return Condition(alarm.key, alarm.code, alarm.priority, alarm.lane, alarm.about)


def happened(book: Book, condition: Condition, at: str) -> Moved:
    """Something that is over as soon as it is known (a tailgater): raised, and gone, but not answered."""
    book, changes = _raise(book, condition, at)
    if not changes:
        return book, ()
    alarm = replace(changes[0].alarm, active=False, returned_at=at)
    return _with(book, alarm), (replace(changes[0], alarm=alarm),)


def _raise(book: Book, condition: Condition, at: str) -> Moved:
    known = book.alarms.get(condition.key)
    if known is not None and known.active and known.code == condition.code:
        return book, ()  # of another code it has grown worse, or at least different: that asks anew
    count, shelf = (known.count + 1, known.shelf) if known else (1, None)
    alarm = Alarm(
        condition.key, condition.code, condition.priority, condition.lane, condition.about, at, count=count, shelf=shelf
    )
    return _with(book, alarm), (Change("raised_again" if known else "raised", alarm),)


def _return(book: Book, key: str, at: str) -> Moved:
    alarm = replace(book.alarms[key], active=False, returned_at=at)
    return _settle(book, alarm, "returned")


def _expire(book: Book, now_s: float) -> Moved:
    changes: tuple[Change, ...] = ()
    for key, alarm in book.alarms.items():
        if alarm.shelf is not None and now_s >= alarm.shelf.until_s:
            book, more = _off_the_shelf(book, key, "shelf_expired", "")
            changes += more
    return book, changes


# ---------------------------------------------------------------- what a person does


def acknowledge(book: Book, key: str, by: str, at: str) -> Moved:
    """A person has seen it. Nothing where there is nothing of this key that waits."""
    alarm = book.alarms.get(key)
    if alarm is None or not alarm.waits:
        return book, ()
    return _settle(book, replace(alarm, acknowledged=True, acknowledged_by=by, acknowledged_at=at), "acknowledged", by)


def shelve(book: Book, key: str, shelf: Shelf) -> Moved:
    """Out of the way for a while. Nothing where it is shelved already. Raises ValueError for a time too long."""
    if not 0 < shelf.for_s <= SHELF_MOST_S:
        raise ValueError(f"for_s = {shelf.for_s:g}: more than 0 and at most {SHELF_MOST_S:g} seconds")
    alarm = book.alarms.get(key)
    if alarm is None or alarm.shelf is not None:
        return book, ()
    alarm = replace(alarm, shelf=shelf)
    return _with(book, alarm), (Change("shelved", alarm, shelf.by),)


def unshelve(book: Book, key: str, by: str) -> Moved:
    """Back into the list before its time. Nothing where it is not shelved."""
    alarm = book.alarms.get(key)
    return (book, ()) if alarm is None or alarm.shelf is None else _off_the_shelf(book, key, "unshelved", by)


def _off_the_shelf(book: Book, key: str, stage: Stage, by: str) -> Moved:
    """An alarm that still stands asks anew; one that is gone and was answered leaves the list."""
    alarm = replace(book.alarms[key], shelf=None)
    return _settle(book, replace(alarm, acknowledged=alarm.acknowledged and not alarm.active), stage, by)


def _settle(book: Book, alarm: Alarm, stage: Stage, by: str = "") -> Moved:
    """The alarm as it is now; out of the list where it was answered and its condition is gone."""
    gone = alarm.acknowledged and not alarm.active and alarm.shelf is None
    if not gone:
        return _with(book, alarm), (Change(stage, alarm, by),)
    rest = {key: one for key, one in book.alarms.items() if key != alarm.key}
    return replace(book, alarms=rest), (Change(stage, alarm, by, gone=True),)


def _with(book: Book, alarm: Alarm) -> Book:
    return replace(book, alarms={**book.alarms, alarm.key: alarm})


# ---------------------------------------------------------------- across a restart


def after_restart(alarm: Alarm, boot: str) -> Alarm:
    """As it was kept. A shelf ends with the boot that its clock belonged to: rather too early than never."""
    if alarm.shelf is None or alarm.shelf.boot == boot:
        return alarm
    return replace(alarm, shelf=None, acknowledged=alarm.acknowledged and not alarm.active)
