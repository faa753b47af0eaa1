"""The alarm list of this gate: watched once a second, kept in the record, answered by people (ISA-18.2).

Memory goes first, the record follows: an alarm is shown even where the disk cannot take it, because that is one of the
alarms. What could not be written waits its turn. A person's answer is the other way round, as every press: recorded,
then true.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from edge import clock
from edge.agent.lane.lane_journal import Keys, LaneJournal
from edge.agent.lane.notes import ALARM
from edge.core.alarm import alarms
from edge.core.alarm.alarms import Alarm, Book, Change, Condition, Moved
from edge.core.alarm.sources import Beside, gate_conditions, lane_conditions, lane_unknown, notice_condition
from edge.core.bodies import AlarmMoved
from edge.core.view import AlarmSummary, HealthView
from edge.errors import RefusedError, StoreError
from edge.store import Store, Transaction
from firmware_io.safety import Notice

log = logging.getLogger(__name__)

WATCH_S = 1.0
UNWRITTEN_MOST = 1000

Healths = Callable[[], Mapping[str, HealthView | None]]
"""By lane; None where nobody could look at it."""
Move = Callable[[Book], Moved]


@dataclass(frozen=True, slots=True)
class Answerer:
    """Whose answer it was, and their words; None for what happens by itself."""

    by: str | None = None
    role: str | None = None
    words: str = ""


NOBODY = Answerer()


class AlarmDesk:
    """Everything on the gate's event loop; only the record is written on threads. `journals` are the lanes' own."""

    def __init__(
        self, store: Store, journals: Mapping[str, LaneJournal], copy_limit_s: float, touch: Callable[[], None]
    ) -> None:
        self.boot = clock.boot_id()
        self._journals, self._copy_limit_s, self._touch = journals, copy_limit_s, touch
        self._kept = {key: alarms.after_restart(one, self.boot) for key, one in ALARM.all(store).items()}
        self.book = Book(dict(self._kept))
        self._unwritten: deque[Change] = deque(maxlen=UNWRITTEN_MOST)
        self._writing = asyncio.Lock()

    # ------------------------------------------------------------ what happens by itself

    async def watch(self, healths: Healths, beside: Callable[[], Beside]) -> None:
        """For ever: compare what is wrong with the list, once a second."""
        while True:
            await asyncio.sleep(WATCH_S)
            try:
                self.look(healths(), beside())
            except StoreError as error:  # the lane's own view says so too
                log.error("the alarm list cannot look: %s", error)
            await self._write_waiting()

    def look(self, healths: Mapping[str, HealthView | None], beside: Beside) -> None:
        """A lane that nobody could look at is an alarm itself, and what stood there stands until somebody can."""
        found: list[Condition] = []
        for lane, health in healths.items():
            found += self._standing(lane) if health is None else lane_conditions(lane, health)
        seen = next((one for one in healths.values() if one is not None), None)
        found += self._standing("") if seen is None else gate_conditions(seen, beside, self._copy_limit_s)
        self._take(alarms.observe(self.book, found, clock.mono_s(), clock.wall_iso()))

    def _standing(self, lane: str) -> list[Condition]:
        kept = [one for one in self.book.alarms.values() if one.active and one.lane == lane]
        return [*map(alarms.still, kept), *([lane_unknown(lane)] if lane else [])]

    def on_notice(self, lane: str, notice: Notice) -> None:
        condition = notice_condition(lane, notice.kind, notice.code)
        if condition is not None:
            self._take(alarms.happened(self.book, condition, clock.wall_iso()))

    def _take(self, moved: Moved) -> None:
        self.book, changes = moved
        self._unwritten.extend(changes)
        if changes:
            self._touch()

    async def _write_waiting(self) -> None:
        async with self._writing:
            while self._unwritten:
                change = self._unwritten[0]
                try:
                    await self._write(change, self.book, NOBODY, {})
                except StoreError as error:
                    log.warning("alarm %s is not on record yet: %s", change.alarm.code, error)
                    return
                self._unwritten.popleft()

    # ------------------------------------------------------------ what a person does

    async def press(self, move: Move, who: Answerer, keys: Keys) -> int:
        """A person's answer: on record, then true. Returns the event's number. Raises RefusedError, StoreError."""
        async with self._writing:
            moved, changes = move(self.book)
            if not changes:
                raise RefusedError("no_such_alarm")
            seq = await self._write(changes[0], moved, who, keys)
            self.book, _ = move(self.book)  # the newest book: something may have happened meanwhile
        self._touch()
        return seq

    async def _write(self, change: Change, book: Book, who: Answerer, keys: Keys) -> int:
        differing = self._differing(book)
        alarm = change.alarm
        body = AlarmMoved(
            stage=change.stage,
            alarm=alarm.key,
            code=alarm.code,
            about=alarm.about,
            priority=alarm.priority,
            count=alarm.count,
            for_s=alarm.shelf.for_s if change.stage == "shelved" and alarm.shelf else None,
            by=who.by,
            role=who.role,
            words=who.words or None,
        )
        journal = self._journals.get(alarm.lane) or next(iter(self._journals.values()))
        done = await journal.write(body, keys=keys, also=partial(_keep, differing))
        for key, one in differing.items():
            if one is None:
                self._kept.pop(key, None)
            else:
                self._kept[key] = one
        return done.seq

    def _differing(self, book: Book) -> dict[str, Alarm | None]:
        """What the record does not know yet, by key; None: it has left the list."""
        keys = self._kept.keys() | book.alarms.keys()
        return {key: book.alarms.get(key) for key in keys if self._kept.get(key) != book.alarms.get(key)}

    # ------------------------------------------------------------ the picture of it

    def summary(self) -> AlarmSummary:
        """For the quiet line: how many wait for an answer, how many stand, how many are shelved; the worst priority."""
        all_of = list(self.book.alarms.values())
        waiting = [one for one in all_of if one.waits]
        return AlarmSummary(
            waiting=len(waiting),
            active=sum(one.active and one.shelf is None for one in all_of),
            shelved=sum(one.shelf is not None for one in all_of),
            worst=min((one.priority for one in waiting), default=None),
            newest=max((one.raised_at for one in waiting), default=None),
        )

    def listed(self) -> list[Alarm]:
        return self.book.listed()


def _keep(differing: Mapping[str, Alarm | None], tx: Transaction, _: object) -> None:
    for key, alarm in differing.items():
        ALARM.keep(tx, key, alarm)
