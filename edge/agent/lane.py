"""One lane, as an actor: everything that happens to it waits in one queue and is done one after the other.

Cameras, the barrier's thread, the link and the guard only put jobs in; the passage (pure) says what follows, the
store records it, and only after the commit a permit goes to the barrier loop. Nothing here waits for the network.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from edge import clock
from edge.agent import bodies
from edge.agent.actor import Actor
from edge.agent.barrier import Barrier
from edge.agent.law import Assessment, Law
from edge.agent.ledger import Keys, Ledger
from edge.agent.shown import Shown
from edge.agent.view import names, passage_view
from edge.config import LaneConfig
from edge.core import passage as passages
from edge.core.model import Confirmation, Reading
from edge.core.passage import Effect, Lane, Passage, Timing
from edge.store import Store
from edge.wire import confirmation_to_json
from firmware_io.safety import Notice, Permit

LAST_SHOWN = 8
REFUSED_MOST = 3
"""After so many refused permits of its own the system leaves the passage to a guard."""
PERMIT_S = 2.0
"""A permit not used within this time is void (docs/safety.md)."""


class LaneActor(Actor):
    """The lane's state and its jobs. `desk.LaneDesk` is the guard's side of it."""

    def __init__(self, config: LaneConfig, store: Store, law: Law, barrier: Barrier, wake: Callable[[], None]) -> None:
        super().__init__(f"lane {config.id}")
        self.config = config
        self.lane = Lane()
        self.shown = Shown()
        self._aside: dict[tuple[str, int], tuple[Reading, bytes, bytes]] = {}
        self.last: list[dict[str, Any]] = []
        self.store = store
        self.law = law
        self.barrier = barrier
        self.ledger = Ledger(store, config.id, wake)
        self._timing = Timing(match_after_s=config.match_after_s)

    # ------------------------------------------------------------ jobs in

    def on_reading(self, reading: Reading, photo: bytes, crop: bytes) -> None:
        self.put(lambda: self._reading(reading, photo, crop))

    def on_tracks(self, camera: str, tracks: frozenset[int]) -> None:
        self.put(lambda: self._tracks(camera, tracks))

    def on_notice(self, notice: Notice) -> None:
        self.put(lambda: self._notice(notice))

    def on_declarations(self) -> None:
        """The local copy changed: a declaration may be withdrawn while its vehicle stands here."""
        self.put(self._reassess)

    def on_tick(self) -> None:
        self.put(self._tick)

    # ------------------------------------------------------------ what happens

    async def _reading(self, reading: Reading, photo: bytes, crop: bytes) -> None:
        self.lane, effects = passages.saw(self.lane, reading, clock.mono_s(), self._timing, _new_id)
        if "begin" in effects:
            self.shown = Shown()
        if reading in self.lane.aside:
            self._aside[(reading.camera, reading.track)] = (reading, photo, crop)
        if self.lane.passage and any(sight.reading is reading for sight in self.lane.passage.sights):
            self.shown.pictures[reading.read.plate.text] = (reading, photo, crop)
        await self._follow(effects)

    async def _tracks(self, camera: str, tracks: frozenset[int]) -> bool:
        self.lane = passages.kept(self.lane, camera, tracks, clock.mono_s())
        return False

    async def _notice(self, notice: Notice) -> None:
        """The state goes on first, then the record: a full disk must not leave a passage behind that is long gone."""
        effects = self._moved(notice, clock.mono_s())
        try:
            if notice.kind == "through":
                await self._record_through(notice)
            kind = bodies.notice_kind(notice)
            if kind is not None:
                await self.ledger.write(kind, bodies.noticed(notice, self.lane.passage))
        finally:
            await self._follow(effects)

    def _moved(self, notice: Notice, now_s: float) -> tuple[Effect, ...]:
        """The passage after what the barrier said."""
        effects: tuple[Effect, ...] = ()
        match notice.kind:
            case "arrived":
                self.lane, effects = passages.arrived(self.lane, now_s, _new_id)
                if "begin" in effects:
                    self.shown = Shown()
                self._take_aside()
            case "left":
                self.lane, effects = passages.left(self.lane, now_s)
            case "through":
                self.lane, effects = passages.through(self.lane, now_s)
            case "closed":
                self.lane, effects = passages.lowered(self.lane, now_s)
            case "opening" | "opened" | "not_opened":
                self.lane = passages.boom(self.lane, notice.kind, notice.serial, notice.code)
            case "permit_refused":
                self._permit_refused(notice)
            case _:
                pass
        return effects

    def _take_aside(self) -> None:
        """The pictures of readings that waited for somebody to arrive."""
        assert self.lane.passage is not None
        kept = [sight.reading for sight in self.lane.passage.sights]
        for reading, photo, crop in self._aside.values():
            if reading in kept:
                self.shown.pictures[reading.read.plate.text] = (reading, photo, crop)
        self._aside.clear()

    async def _tick(self) -> bool:
        before, shown = self.lane, self.shown.assessment
        self.lane, effects = passages.tick(self.lane, clock.mono_s(), self._timing)
        await self._follow(effects)
        passage, known = self.lane.passage, self.shown.assessment
        if not self._would_accept():
            self.shown.tried = False
        released = known is not None and known.verdict.verdict == "release"
        if passage and passage.state == "waiting" and released and not self.shown.tried and self._would_accept():
            self.shown.tried = True
            await self.assess()  # anew: what was true when it arrived may not be now
        return self.lane is not before or self.shown.assessment is not shown

    async def _reassess(self) -> None:
        if self.lane.passage is not None and self.shown.assessment is not None:
            await self._follow(("evaluate",))

    async def _follow(self, effects: tuple[Effect, ...]) -> None:
        if "evaluate" in effects:
            await self.assess()
        if "end" in effects:
            try:
                await self._record_end()
            finally:
                self.lane = passages.cleared(self.lane)
                self.shown = Shown()

    # ------------------------------------------------------------ verdict

    async def assess(self) -> Assessment | None:
        """Look the passage up and ask the law; record that it was seen; open where the verdict says that the system
        may."""
        passage = self.lane.passage
        if passage is None:
            return None
        texts = [plate.text for plate in passage.decided]
        if not texts and passage.arrived_s is None:
            return None
        if not texts and not passage.asked and self.shown.picked is None:
            return None
        self.shown.assessment = await asyncio.to_thread(self._ask, texts)
        self.lane = passages.waiting(self.lane)
        await self._record_seen(passage)
        if self.shown.assessment.verdict.verdict == "release":
            await self._open_by_itself()
        return self.shown.assessment

    def _ask(self, texts: list[str]) -> Assessment:
        return self.law.assess(self.config, texts, self.shown.picked, checked=self.shown.checked)

    async def _open_by_itself(self) -> None:
        """Only with the vehicle on the loop and a barrier that would accept; once for this vehicle at this step.

        A permit that was refused moved nothing, so a new one may follow, a few times; one that was accepted, or any
        opening before a restart, leaves a second time to a guard.
        """
        passage, assessment = self.lane.passage, self.shown.assessment
        if passage is None or assessment is None or assessment.declaration is None or passage.state != "waiting":
            return
        if not self._would_accept():
            return  # asked again with the next tick
        once = self.once_key(assessment)
        if await self.ledger.known(once) is not None:
            return
        body = {**self.about(passage), "stage": "released", "verdict": "release", "by": "SYS"}
        await self.open_after_record("barrier", body, keys={once: {"code": "released"}})
        self.shown.released = True

    @property
    def here(self) -> bool:
        """The vehicle is on the loop, as far as this barrier has one and asks for it."""
        barrier = self.config.barrier
        return self.lane.present or not (barrier.presence and barrier.needs_vehicle)

    def _would_accept(self) -> bool:
        """The vehicle is on the loop, and the barrier has no reason to refuse."""
        barrier = self.barrier.snapshot()
        return self.here and barrier.board_ok and not barrier.faults and not barrier.held

    def once_key(self, assessment: Assessment) -> str:
        """What may be opened automatically one single time, whatever restarts in between."""
        declaration = assessment.declaration
        assert declaration is not None
        parts = (self.config.id, declaration.id, assessment.verdict.step, assessment.plate or "", self.shown.refused)
        return "once/" + "/".join(str(part) for part in parts)

    def _permit_refused(self, notice: Notice) -> None:
        passage = self.lane.passage
        if passage is None or passage.serial != notice.serial:
            return
        self.lane = passages.boom(self.lane, "refused", notice.serial, notice.code)
        if self.shown.released and self.shown.refused < REFUSED_MOST:
            self.shown.refused += 1
            self.shown.tried = False
            self.lane = passages.waiting(self.lane, again=True)

    # ------------------------------------------------------------ record, then permit

    async def open_after_record(
        self,
        kind: str,
        body: dict[str, Any],
        *,
        confirmation: tuple[str, Confirmation] | None = None,
        keys: Keys | None = None,
    ) -> int:
        """Event, confirmation and permit serial in one transaction; the permit is offered only after that commit
        returned.

        Returns the event's seq. Raises StoreError, and then nothing was offered.
        """
        done = await self.ledger.write(
            kind, body, self.best_reading(), permit=True, confirmation=confirmation, keys=keys
        )
        assert done.serial is not None
        self.lane = passages.permitted(self.lane, done.serial)
        offered_s = clock.mono_s()
        self.barrier.offer(Permit(done.serial, offered_s, offered_s + PERMIT_S))
        self.touch()
        return done.seq

    def about(self, passage: Passage) -> dict[str, Any]:
        """The part of an event's body that says which vehicle it is about."""
        return bodies.about(self.config, passage, self.shown.assessment)

    def best_reading(self) -> Reading | None:
        """The reading behind the first plate on the screen: photo, plate, box and time are of one and the same
        frame."""
        passage = self.lane.passage
        return next((sight.reading for sight in passage.sights if sight.reading), None) if passage else None

    async def _record_seen(self, passage: Passage) -> None:
        """What was read, the photo and crop of that frame, what the law said; again with each further plate."""
        texts = tuple(plate.text for plate in passage.decided)
        if self.shown.recorded == texts or self.shown.assessment is None:
            return
        reading = self.best_reading()
        body = {**self.about(passage), **bodies.seen(self.shown.assessment, reading)}
        pictures = self.shown.pictures.get(reading.read.plate.text) if reading else None
        photos = await self.ledger.stage(*pictures[1:]) if pictures else ()
        await self.ledger.write("passage", body, reading, photos=photos)
        if pictures and photos:
            self.shown.staged[pictures[0].read.plate.text] = (pictures[0], *photos)
        self.shown.recorded = texts

    async def _record_through(self, notice: Notice) -> None:
        """The passage itself, confirmed by the system: `auto` at a yard gate, `passed` at a barrier."""
        passage, assessment = self.lane.passage, self.shown.assessment
        if passage is None:
            return
        body: dict[str, Any] = {**self.about(passage), "stage": "through", "permit": notice.serial}
        if assessment is None or assessment.declaration is None or assessment.verdict.step is None:
            await self.ledger.write("passage", body)
            return
        act = "auto" if self.config.place.startswith("yard") else "passed"
        given = Confirmation(
            assessment.verdict.step, "SYS", act, clock.wall_iso(), self.config.id, "gate", assessment.plate
        )
        body["confirmation"] = confirmation_to_json(given)
        await self.ledger.write("confirmation", body, confirmation=(assessment.declaration.id, given))

    async def _record_end(self) -> None:
        passage, assessment = self.lane.passage, self.shown.assessment
        if passage is None:
            return
        plate = passage.sights[0].plate.text if passage.sights else None
        ended = bodies.ended(passage, assessment)
        self.last = [{"plate": plate, "at": clock.wall_iso(), **ended}, *self.last][:LAST_SHOWN]
        if self.shown.recorded is not None:
            await self.ledger.write("passage", {**self.about(passage), "stage": "ended", **ended})

    # ------------------------------------------------------------ the picture of it

    def view(self) -> dict[str, Any]:
        """The lane's own part of the screen's mapping."""
        passage = self.lane.passage
        picture = self.shown.picture(self.best_reading())
        shown = passage and passage_view(
            passage, self.shown.assessment, picture, self.law, self.shown.result, here=self.here
        )
        return {**names(self.config), "number": self.number, "passage": shown, "last": self.last}


def _new_id() -> str:
    return clock.new_id()
