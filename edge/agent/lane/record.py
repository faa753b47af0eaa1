"""What one lane writes down of one passage: seen, permitted, through, ended. Every method raises StoreError."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace

from edge import clock
from edge.agent.lane import event_bodies
from edge.agent.lane.lane_journal import LaneJournal, Recorded
from edge.agent.lane.law import Assessment
from edge.agent.lane.notes import COUNTED, STANDING, Counted, KeptSight, LastCounted, Standing
from edge.agent.lane.receipts import keep_passed
from edge.agent.lane.screen_state import Shown
from edge.agent.lane.yard import Yard
from edge.config import LaneConfig
from edge.core import passage as passages
from edge.core.bodies import About, Ended, PassedThrough, Through
from edge.core.law.terms import SYSTEM
from edge.core.law.yard import entered, left
from edge.core.model import Confirmation, Reading
from edge.core.passage import Passage, Sight
from edge.core.view import EndedView
from edge.errors import StoreFullError
from edge.store import StagedEvidence, Store, Transaction

log = logging.getLogger(__name__)

COUNTED_MOST = 20
"""Vehicles of a yard gate that are remembered, so that loop and hand never count one twice."""


class Record:
    def __init__(
        self,
        config: LaneConfig,
        journal: LaneJournal,
        yard: Yard | None,
        customs_unit: str | None,
        readers: Callable[[], Mapping[str, Mapping[str, str]]],
    ) -> None:
        """`readers`: each camera's models, by name with hash or version."""
        self._config = config
        self._customs_unit = customs_unit
        self._journal = journal
        self.yard = yard
        self.readers = readers

    def about(self, passage: Passage, assessment: Assessment | None) -> About:
        """The part of an event's body that says which vehicle it is about."""
        return event_bodies.about(self._config, passage, assessment, self.readers())

    async def seen(self, passage: Passage, shown: Shown, reading: Reading | None) -> None:
        """What was read, the photo and crop of that frame, what the law said; again with each further plate."""
        texts = tuple(plate.text for plate in passage.decided)
        if shown.recorded == texts or shown.assessment is None:
            return
        about = self.about(passage, shown.assessment)
        body = event_bodies.seen(about, shown.assessment, reading, passage.began_s)
        pictures = shown.pictures.get(reading.read.plate.text) if reading else None
        photos = await self._photos(pictures)
        await self._journal.write(body, reading, photos=photos)
        if pictures and photos:
            shown.staged[pictures[0].read.plate.text] = (pictures[0], *photos)
        shown.recorded = texts

    async def _photos(
        self, pictures: tuple[Reading, bytes, bytes] | None
    ) -> tuple[()] | tuple[StagedEvidence, StagedEvidence]:
        """Photo and crop on disk; none where the disk is full: events come first, and the screen says why."""
        if pictures is None:
            return ()
        try:
            return await self._journal.stage(*pictures[1:])
        except StoreFullError as error:
            log.warning("no photos: %s", error)
            return ()

    def standing(self, tx: Transaction, recorded: Recorded, passage: Passage, shown: Shown) -> None:
        """In the transaction of a permit: who it is for."""
        declaration = shown.assessment.declaration if shown.assessment else None
        note = Standing(
            passage.id,
            tuple(_kept(sight) for sight in passage.sights),
            declaration.id if declaration else None,
            recorded.serial,
            shown.assessment.who.speaks_of if shown.assessment else None,
        )
        STANDING.keep(tx, self._config.id, note)

    async def through(self, passage: Passage, assessment: Assessment | None, serial: int) -> None:
        """The passage itself, confirmed by the system: `auto` at a yard gate, `passed` at a barrier."""
        about = self.about(passage, assessment)
        step = assessment.verdict.step if assessment else None
        plate = assessment.who.speaks_of if assessment else None
        by_hand = self._by_hand(passage.id)
        declared = assessment.declaration if assessment else None

        def gone(tx: Transaction, recorded: Recorded) -> None:
            STANDING.keep(tx, self._config.id, None)
            if declared is not None and declared.transfer is not None:
                keep_passed(tx, declared, self._customs_unit, leaves=self._config.direction == "out_of_area")
            if self._config.place.startswith("yard") and not by_hand:
                self.count(tx, passage.id, plate)

        unknown = assessment is None or assessment.declaration is None or assessment.who.asked or step is None
        if by_hand or unknown:
            await self._journal.write(Through(about=about, permit=serial, by_hand=by_hand), also=gone)
        elif assessment and assessment.declaration and step:
            given = self.passed(step, plate)
            body = PassedThrough(about=about, permit=serial, by_hand=by_hand, confirmation=given)
            confirmation = (assessment.declaration.id, given)
            await self._journal.write(body, confirmation=confirmation, also=gone)
        if self.yard is not None:
            await self.yard.refresh()

    def passed(self, step: str, plate: str | None, by: str = "") -> Confirmation:
        act = "auto" if self._config.place.startswith("yard") else "passed"
        return Confirmation(step, SYSTEM, act, clock.wall_iso(), by or self._config.id, "gate", plate)

    def count(self, tx: Transaction, passage: str, plate: str | None, *, by_hand: bool = False) -> None:
        """One vehicle went through this yard gate: the level, and for a while who it was, so that loop and hand never
        count one vehicle twice."""
        if self.yard is not None:
            self.yard.write(tx, entered if self._config.place == "yard_in" else left)
        before = COUNTED.now(tx, self._config.id) or LastCounted()
        one = Counted(passage, plate, clock.wall_iso(), by_hand)
        COUNTED.keep(tx, self._config.id, LastCounted((*before.last, one)[-COUNTED_MOST:]))

    def name_counted(self, tx: Transaction, passage: str, plate: str) -> None:
        """The vehicle that the loop counted in this passage gets its plate, and is not counted again."""
        before = COUNTED.now(tx, self._config.id) or LastCounted()
        named = tuple(replace(one, plate=plate) if one.passage == passage else one for one in before.last)
        COUNTED.keep(tx, self._config.id, LastCounted(named))

    def counted(self, store: Store) -> tuple[Counted, ...]:
        """The last vehicles counted at this gate, oldest first."""
        return (COUNTED.of(store, self._config.id) or LastCounted()).last

    def _by_hand(self, passage: str) -> bool:
        return any(one.passage == passage and one.by_hand for one in self.counted(self._journal.store))

    async def ended(self, passage: Passage, shown: Shown) -> EndedView:
        """Returns how it ended, for the list of the last passages."""
        how = event_bodies.how_ended(passage, unseen=shown.restored)
        verdict = shown.assessment.verdict.verdict if shown.assessment else None
        who = shown.assessment.who if shown.assessment else None
        plate = (who.speaks_of if who else None) or (passage.sights[0].plate.text if passage.sights else None)
        if shown.recorded is not None or shown.permitted or shown.restored:
            about = self.about(passage, shown.assessment)
            body = Ended(about=about, outcome=how, verdict=verdict, restarted=shown.restored)
            await self._journal.write(body, also=lambda tx, _: STANDING.keep(tx, self._config.id, None))
        return EndedView(plate, clock.wall_iso(), how, verdict)


def restored(note: Standing, now_s: float) -> tuple[passages.Lane, Shown]:
    """The lane as a restart finds it in the record: the boom may be up for this vehicle, nothing may open again."""
    sights = tuple(Sight(one.plate, one.decided, None, one.by, one.over) for one in note.sights)
    passage = Passage(note.passage, now_s, now_s, "open", None, sights, frozenset(), note.permit)
    texts = tuple(plate.text for plate in passage.decided)
    shown = Shown(picked=note.declaration, vehicle=note.vehicle, recorded=texts, restored=True)
    return passages.Lane(passage=passage), shown


def _kept(sight: Sight) -> KeptSight:
    by = sight.by or (sight.reading.camera if sight.reading else "")
    return KeptSight(sight.plate, sight.decided, by, sight.over)
