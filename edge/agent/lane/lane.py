"""One lane, as an actor: everything that happens to it waits in one queue and is done one after the other.

Cameras, the barrier's thread, the link and the guard only put jobs in; the passage (pure) says what follows, the
store records it, and only after the commit a permit goes to the barrier loop. Nothing here waits for the network.
"""

from __future__ import annotations

import asyncio
import logging

from edge import clock, logs
from edge.agent.lane import event_bodies
from edge.agent.lane.lane_state import LaneState
from edge.agent.lane.law import PAPER_ID, Assessment, AtGate
from edge.agent.lane.screen_state import Shown
from edge.core import passage as passages
from edge.core.automatic import NOT_YET, Answer, Case, automatic
from edge.core.bodies import DeviceFailed, Released, StaysShut
from edge.core.identity import Choice, Named
from edge.core.law.terms import RELEASE, SYSTEM
from edge.core.law.yard import device_failed
from edge.core.model import Confirmation, Reading
from edge.core.passage import Effect, Passage, Sight
from edge.core.plate.presentation import ANYTHING, odd
from firmware_io.safety import Notice

log = logging.getLogger(__name__)

LAST_SHOWN = 8
MOVES = frozenset({"opening", "opened", "lowering", "closed", "observed"})
"""Notices after which a refusal to lower is no news any more."""
DEVICE_FAILED_S = 5.0
"""Out of order for so long, a yard gate's devices have missed vehicles; sooner it is only a start or a reconnection."""
FREE_S = 3.0
"""A presence loop that is free for so long holds nobody, whether or not the barrier said that he left."""
AGAIN_S = 1.0
"""How soon a vehicle over which the lane had a fault is looked at again."""
REFUSED_MOST = 3
"""After so many refused permits of its own the system leaves the passage to a guard."""


class LaneActor(LaneState):
    """The lane's state and its jobs. `desk.LaneDesk` is the guard's side of it."""

    # ------------------------------------------------------------ jobs in

    def on_reading(self, reading: Reading, photo: bytes, crop: bytes) -> None:
        key = f"reading/{reading.camera}/{reading.track}"
        self.put_newest(key, lambda: self._reading(reading, photo, crop))

    def on_tracks(self, camera: str, tracks: frozenset[int]) -> None:
        self.put_newest(f"tracks/{camera}", lambda: self._tracks(camera, tracks))

    def on_notice(self, notice: Notice) -> None:
        self.put(lambda: self._notice(notice))

    def on_declarations(self) -> None:
        """The local copy changed: a declaration may be withdrawn while its vehicle stands here. However many changed,
        one look at the copy waits in the queue: a press must not stand behind thousands."""
        if not self._reassess_waits:
            self._reassess_waits = True
            self.put(self._reassess)

    def on_tick(self) -> None:
        self.put_newest("tick", self._tick)

    # ------------------------------------------------------------ what happens

    async def _reading(self, reading: Reading, photo: bytes, crop: bytes) -> None:
        self.lane, effects = passages.saw(self.lane, reading, clock.mono_s(), self._timing, _new_id)
        if "begin" in effects:
            self.shown = Shown()
            logs.passage.set(self.passage_id())
        self.shown.first.setdefault((reading.camera, reading.track), reading.read.box)
        if reading in self.lane.aside:
            self._aside[(reading.camera, reading.track)] = (reading, photo, crop)
        if self.lane.passage and any(sight.reading is reading for sight in self.lane.passage.sights):
            self.shown.pictures[reading.read.plate.text] = (reading, photo, crop)
        await self._follow(effects)
        await self._suggest()

    async def _suggest(self) -> None:
        """Declared plates like what was read but finds nothing: for the guard to compare, never to match by."""
        passage, shown = self.lane.passage, self.shown
        unknown = shown.assessment is None or shown.assessment.declaration is None
        for sight in passage.sights if passage and unknown else ():
            if sight.plate.text not in shown.near:
                shown.near[sight.plate.text] = await asyncio.to_thread(self.near, sight.plate.text)

    async def _tracks(self, camera: str, tracks: frozenset[int]) -> bool:
        self.lane = passages.kept(self.lane, camera, tracks, clock.mono_s())
        return False

    async def _notice(self, notice: Notice) -> None:
        """The state goes on first, then the record: a full disk must not leave a passage behind that is long gone."""
        effects = self._moved(notice, clock.mono_s())
        try:
            if notice.kind == "through":
                await self._record_through(notice)
            body = event_bodies.noticed(notice, self.lane.passage)
            if body is not None:
                await self.journal.write(body)
        finally:
            await self._follow(effects)

    def _moved(self, notice: Notice, now_s: float) -> tuple[Effect, ...]:
        """The passage after what the barrier said."""
        effects: tuple[Effect, ...] = ()
        if notice.kind in MOVES:
            self.not_lowered = ""
        match notice.kind:
            case "arrived":
                self.lane, effects = passages.arrived(self.lane, now_s, _new_id)
                if "begin" in effects:
                    self.shown = Shown()
                    logs.passage.set(self.passage_id())
                self._take_aside()
            case "left":
                self.lane, effects = passages.left(self.lane, now_s)
            case "through":
                self.lane, effects = passages.through(self.lane, now_s)
            case "closed":
                self.lane, effects = passages.lowered(self.lane, now_s)
            case "observed" if notice.code == "closed" and self.shown.restored:
                self.lane, effects = passages.lowered(self.lane, now_s)
            case "opening" | "opened" | "not_opened":
                self.lane = passages.boom(self.lane, notice.kind, notice.serial, notice.code)
            case "permit_refused":
                self._permit_refused(notice)
            case "lower_refused":
                self.not_lowered = notice.code
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

    async def _devices(self, now_s: float) -> None:
        """A yard gate whose cameras or board failed: vehicles pass as normal and uncounted (Art. 23.2), so from here on
        the level is doubtful until the operator has counted."""
        yard = self.record.yard
        if yard is None or not (self.devices_failed() or not self.barrier.snapshot().board_ok):
            self._failed_since_s, self._failure_told = None, False
            return
        self._failed_since_s = now_s if self._failed_since_s is None else self._failed_since_s
        if self._failure_told or now_s - self._failed_since_s < DEVICE_FAILED_S:
            return
        self._failure_told = True
        body = DeviceFailed(place=self.config.place)
        await self.journal.write(body, also=lambda tx, _: yard.write(tx, device_failed))
        await yard.refresh()

    async def _tick(self) -> bool:
        before, shown = self.lane, self.shown.assessment
        now_s = clock.mono_s()
        self.lane, effects = passages.tick(self.lane, now_s, self._timing)
        await self._follow(effects)
        await self._follow(self._unsaid_leaving(now_s))
        await self._devices(now_s)
        if self.shown.doubted and self.shown.assessment is None and now_s - self._fault_s >= AGAIN_S:
            await self.assess()  # the fault may be over: the guard should see what is asked
        if self.config.place.startswith("yard") and self.devices_failed() != self._failing:
            self._failing = not self._failing
            if self.lane.passage is not None and self.lane.passage.state not in passages.MOVING:
                await self.assess()  # a fault is a permission only while it lasts
        passage, known = self.lane.passage, self.shown.assessment
        if not self.would_accept():
            self.shown.tried = False
        released = known is not None and known.verdict.verdict == "release"
        if passage and passage.state == "waiting" and released and not self.shown.tried and self.would_accept():
            self.shown.tried = True
            await self.assess()  # anew: what was true when it arrived may not be now
        elif passage and passage.state == "waiting" and released and self.here and not self.would_accept():
            await self._open_by_itself()  # which says what stands against it
        return self.lane is not before or self.shown.assessment is not shown

    def _unsaid_leaving(self, now_s: float) -> tuple[Effect, ...]:
        """A loop that has been free for a while: after a restart in mid-passage nobody says "left"."""
        free = self.barrier.snapshot().inputs.get("presence") is False
        if not (free and self.lane.present):
            self._free_since_s = None
            return ()
        self._free_since_s = now_s if self._free_since_s is None else self._free_since_s
        if now_s - self._free_since_s < FREE_S:
            return ()
        self.lane, effects = passages.left(self.lane, now_s)
        return effects

    async def _reassess(self) -> None:
        self._reassess_waits = False
        await self.reconcile()
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
        self.shown.assessment = await asyncio.to_thread(self._ask, passage)
        self.lane = passages.waiting(self.lane)
        await self.record.seen(passage, self.shown, self.best_reading())
        if self.config.opens_by_itself or self.shown.assessment.verdict.verdict == "release":
            await self._open_by_itself()
        return self.shown.assessment

    def _ask(self, passage: Passage) -> Assessment:
        shown, failed = self.shown, self.config.place.startswith("yard") and self.devices_failed()
        paper = shown.picked is not None and shown.picked.startswith(PAPER_ID)
        choice = Choice(shown.picked, shown.vehicle, shown.picked_by, paper)
        named = tuple(map(_named, passage.sights))
        return self.law.assess(self.config, AtGate(named, choice, shown.checked, shown.looked_at, shown.seals, failed))

    async def _open_by_itself(self) -> None:
        """What `core.automatic` says of whoever stands here: a permit, or its reason on record and on the screen.

        A permit that was refused moved nothing, so a new one may follow, a few times; one that was accepted, or any
        opening before a restart, leaves a second time to a guard.
        """
        passage, assessment = self.lane.passage, self.shown.assessment
        if passage is None or assessment is None:
            return
        once = self.once_key(assessment)
        answer = automatic(self._case(passage, assessment, again=await self.journal.known(once) is not None))
        if not answer.permit:
            await self._stays_shut(passage, answer)
            return
        self.shown.shut = None
        confirmation = self._released(assessment)
        given = confirmation[1] if confirmation is not None else None
        body = Released(about=self.about(passage), by=SYSTEM, confirmation=given)
        await self.open_after_record(body, confirmation=confirmation, keys={once: {"code": "released"}})
        self.shown.released = True

    def _released(self, assessment: Assessment) -> tuple[str, Confirmation] | None:
        """A smart lane's release without a guard is this gate's step, by the system (865/QĐ-TTg)."""
        smart = any(reason.code == "smart_lane" for reason in assessment.verdict.reasons)
        declared, step = assessment.declaration, assessment.verdict.step
        if not smart or declared is None or step is None:
            return None
        by, plate = self.config.id, assessment.who.speaks_of
        return declared.id, Confirmation(step, SYSTEM, RELEASE, clock.wall_iso(), by, "gate", plate)

    def _case(self, passage: Passage, assessment: Assessment, *, again: bool) -> Case:
        return Case(
            assessment.verdict,
            assessment.who,
            declared=assessment.declaration is not None,
            candidates=assessment.candidates,
            read=bool(passage.sights),
            yard=self.config.place.startswith("yard"),
            waiting=passage.state == "waiting",
            room=self.store.room() != "full",
            barrier=" ".join(self.would_refuse() or ()).strip(),
            odd=self._odd(passage),
            again=again,
            doubted=self.shown.doubted,
        )

    async def _stays_shut(self, passage: Passage, answer: Answer) -> None:
        """Recorded once per change; that nobody stands there yet, or that it is under way, refuses nothing."""
        if answer.code in NOT_YET or passage.state != "waiting" or answer == self.shown.shut:
            return
        if answer.code == "opened_before" and self.shown.permitted:
            return  # by a press or by the gate itself, for this very passage: nothing was refused
        assessment = self.shown.assessment
        body = StaysShut(
            about=self.about(passage),
            code=answer.code,
            detail=answer.detail,
            verdict=assessment.verdict if assessment else None,
            candidates=assessment.candidates if assessment else None,
            by=SYSTEM,
            copy_age_s=self.law.copy_age_s(),
        )
        self.shown.shut = answer
        await self.journal.write(body)

    def _odd(self, passage: Passage) -> str:
        """How some plate that was surely read was not shown as a vehicle shows it; "" where none was."""
        for reading in (sight.reading for sight in passage.sights if sight.decided and sight.reading is not None):
            first = self.shown.first.get((reading.camera, reading.track))
            why = odd(reading.read.box, first, reading.frame_size[0], self._usual.get(reading.camera, ANYTHING))
            if why:
                return why
        return ""

    def _permit_refused(self, notice: Notice) -> None:
        passage = self.lane.passage
        if passage is None or passage.serial != notice.serial:
            return
        self.lane = passages.boom(self.lane, "refused", notice.serial, notice.code)
        if self.shown.released and self.shown.refused < REFUSED_MOST:
            self.shown.refused += 1
            self.shown.tried = False
            self.lane = passages.waiting(self.lane, again=True)

    async def _record_through(self, notice: Notice) -> None:
        passage = self.lane.passage
        if passage is None:
            return
        await self._know_again(passage)
        await self.record.through(passage, self.shown.assessment, passage.serial or notice.serial)

    async def _know_again(self, passage: Passage) -> None:
        """What a restart found in the record is of its declaration still, though nobody asked about it since."""
        if self.shown.assessment is None and self.shown.restored:
            self.shown.assessment = await asyncio.to_thread(self._ask, passage)

    async def _record_end(self) -> None:
        if self.lane.passage is not None:
            await self._know_again(self.lane.passage)
            ended = await self.record.ended(self.lane.passage, self.shown)
            self.last = [ended, *self.last][:LAST_SHOWN]


def _new_id() -> str:
    return clock.new_id()


def _named(sight: Sight) -> Named:
    reading = sight.reading
    if reading is None:
        return Named(sight.plate.text, "typed", sight.by, None, sight.over, sight.decided)
    return Named(
        sight.plate.text,
        "camera",
        reading.camera,
        reading.frame,
        "",
        sight.decided,
        reading.read.whole,
        sight.plate.ground_odd,
    )
