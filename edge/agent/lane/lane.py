"""One lane, as an actor: everything that happens to it waits in one queue and is done one after the other.

Cameras, the barrier's thread, the link and the guard only put jobs in; the passage (pure) says what follows, the
store records it, and only after the commit a permit goes to the barrier loop. Nothing here waits for the network.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from edge import clock, logs
from edge.agent.actions.similar_plates import near_plates
from edge.agent.lane import boom_memory, event_bodies
from edge.agent.lane.actor import Actor
from edge.agent.lane.barrier import Barrier
from edge.agent.lane.context import Beside
from edge.agent.lane.lane_journal import Keys, LaneJournal, Recorded
from edge.agent.lane.law import PAPER_ID, Assessment, AtGate, Law
from edge.agent.lane.notes import STANDING, Hold
from edge.agent.lane.reconcile import reconcile
from edge.agent.lane.record import Record, restored
from edge.agent.lane.screen_state import Shown
from edge.agent.lane.view import actions, passage_view
from edge.agent.lane.yard import Yard
from edge.config import LaneConfig
from edge.core import passage as passages
from edge.core.automatic import NOT_YET, Answer, Case, automatic
from edge.core.bodies import About, DeviceFailed, Opens, Released, StaysShut
from edge.core.identity import Choice, Named
from edge.core.law.terms import RELEASE, SYSTEM
from edge.core.law.yard import device_failed
from edge.core.model import Confirmation, Name, PlateText, Reading
from edge.core.passage import Effect, Lane, Passage, Sight, Timing
from edge.core.plate.presentation import ANYTHING, odd
from edge.core.plate.table import PlateTable
from edge.core.view import EndedView, GateView, HealthView, LaneView, Pressed, Seals
from edge.store import Store, Transaction
from firmware_io.safety import Notice, Permit

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
PERMIT_S = 2.0
"""A permit not used within this time is void (docs/safety.md)."""


@dataclass(frozen=True, slots=True)
class LaneParts:
    """What one lane is joined to. `devices_failed`: whether its devices are out of order (Art. 23.2); `yard`: the one
    behind this yard gate; `readers`: each camera's models, by name with hash or version; `on_passage`: told when
    another passage stands here."""

    store: Store
    law: Law
    journal: LaneJournal
    barrier: Barrier
    plates: PlateTable
    yard: Yard | None
    devices_failed: Callable[[], bool]
    readers: Callable[[], Mapping[str, Mapping[str, str]]]
    on_passage: Callable[[str], None]


class LaneActor(Actor):
    """Everything that one lane knows and what happens to it; `actions.desk.LaneActions` is the guard's side of it.

    Whatever opens goes through `open_after_record`.
    """

    def __init__(self, config: LaneConfig, parts: LaneParts) -> None:
        super().__init__(f"lane {config.id}", parts.on_passage)
        store, law = parts.store, parts.law
        self.config = config
        self.lane = Lane()
        self.shown = Shown()
        self._aside: dict[tuple[str, int], tuple[Reading, bytes, bytes]] = {}
        self.last: list[EndedView] = []
        self.store = store
        self.law = law
        self.barrier = parts.barrier
        self.journal = parts.journal
        self.record = Record(config, self.journal, parts.yard, law.customs_unit, parts.readers)
        self.devices_failed = parts.devices_failed
        self._plates = parts.plates
        self.beside = Beside(config, store, law)
        self._reassess_waits = False
        self.not_lowered = ""
        """Why the barrier did not lower the boom when a person last asked; "" once it moved, or who asks anew."""
        self._free_since_s: float | None = None
        self._failed_since_s: float | None = None
        self._failure_told = False
        self._failing = False
        """Whether the devices were out of order when the passage was last looked at."""
        self._usual = {camera.id: camera.usual for camera in config.camera}
        self.hold = boom_memory.hold(store, config.id)
        """Who keeps the lane shut, and since when."""
        self._restore()
        self._timing = Timing(match_after_s=config.match_after_s)

    def _restore(self) -> None:
        """After a restart: the vehicle that a permit was out for is still who the boom is up for. Opens nothing.

        Without both limit switches nobody could say whether the boom is up: then the passage is not taken up again.
        """
        note = STANDING.of(self.store, self.config.id)
        if note is not None and {"limit_open", "limit_closed"} <= set(self.config.barrier.inputs):
            self.lane, self.shown = restored(note, clock.mono_s())

    def failed(self, error: Exception) -> None:
        """What is known of whoever stands here may be half done: nothing opens by itself for them any more, a guard's
        press still does."""
        super().failed(error)
        self.shown.doubted = True

    # ------------------------------------------------------------ what a press or a command changes

    def held_by(self, hold: Hold | None) -> None:
        """Who keeps the lane shut from now on; None: nobody any more."""
        self.hold = hold

    def asked_to_lower(self) -> None:
        self.not_lowered = ""

    def answered(self, answer: Pressed) -> None:
        """What the screen shows of the last press."""
        self.shown.result = answer
        self.touch()

    def not_recorded(self, why: str) -> None:
        """Something was done that the record could not take."""
        self.trouble = why
        self.touch()

    def turned_away(self) -> None:
        self.lane = passages.turned_away(self.lane)

    def typed(self, plate: PlateText, by: str, over: str) -> None:
        self.lane, _ = passages.typed(self.lane, plate, by, over)

    def picked(self, declaration: str, vehicle: str | None, by: str) -> None:
        """A person said which declaration, and which of its vehicles, stands here."""
        self.shown.picked, self.shown.vehicle, self.shown.picked_by = declaration, vehicle, by

    def looked(self) -> None:
        """A guard said to have looked at what the screen showed, and no more."""
        shown = self.shown
        if shown.assessment is not None:
            shown.checked = shown.checked or shown.assessment.old
            shown.looked_at |= shown.assessment.who.to_look_at

    def seals_found(self, seals: Seals) -> None:
        self.shown.seals = seals

    # ------------------------------------------------------------ what it asks

    def near(self, text: str) -> tuple[str, ...]:
        """Declared plates like a text; reads the store."""
        return near_plates(self._plates, text, self.store.declared)

    async def reconcile(self) -> None:
        """Forms typed on paper against the copy as it is now."""
        await reconcile(self.config.id, self.store, self.journal)
        await self.beside.refresh()

    def passage_id(self) -> str:
        return self.lane.passage.id if self.lane.passage else ""

    @property
    def here(self) -> bool:
        """The vehicle is on the loop, as far as this barrier has one and asks for it."""
        barrier = self.config.barrier
        return self.lane.present or not (barrier.presence and barrier.needs_vehicle)

    def would_refuse(self) -> tuple[str, str] | None:
        """Why the barrier is sure to refuse a permit for whoever stands here, as a refusal's code and detail; None
        where nothing is known against it."""
        if self.barrier.snapshot().cause == "emergency":
            return "emergency_stands", ""
        return self.boom_refuses() or (None if self.here else ("not_here", ""))

    def boom_refuses(self) -> tuple[str, str] | None:
        """The same, whether or not a vehicle stands on the loop."""
        barrier = self.barrier.snapshot()
        if not barrier.board_ok:
            return "board_down", ""
        if barrier.held:
            return "held_shut", ""
        return ("boom_fault", ", ".join(barrier.refusing)) if barrier.refusing else None

    def would_accept(self) -> bool:
        """The vehicle is on the loop, the barrier has no reason to refuse, and the disk has room for what follows."""
        return self.store.room() != "full" and self.would_refuse() is None

    def once_key(self, assessment: Assessment) -> str:
        """What may be opened automatically one single time, whatever restarts in between."""
        passage, declaration = self.lane.passage, assessment.declaration
        about = declaration.id if declaration else passage.id if passage else ""
        vehicle = "+".join(assessment.who.vehicle)
        parts = (self.config.id, about, assessment.verdict.step, vehicle, self.shown.refused)
        return "once/" + "/".join(str(part) for part in parts)

    # ------------------------------------------------------------ record, then permit

    async def open_after_record(
        self,
        body: Opens,
        *,
        confirmation: tuple[str, Confirmation] | None = None,
        keys: Keys | None = None,
        emergency: bool = False,
    ) -> int:
        """Event, confirmation and permit serial in one transaction; the permit is offered only after that commit
        returned. `emergency`: with nobody on the loop as well, and up until a person lowers it (docs/safety.md).

        Returns the event's seq. Raises StoreError, and then nothing was offered.
        """
        passage, shown = self.lane.passage, self.shown

        def also(tx: Transaction, recorded: Recorded) -> None:
            if passage is not None and not emergency:
                self.record.standing(tx, recorded, passage, shown)

        done = await self.journal.write(body, self.best_reading(), confirmation=confirmation, keys=keys, also=also)
        assert done.serial is not None
        shown.permitted = True
        if not emergency:  # up for everybody: whoever stands here is still judged, held and shown as before
            self.lane = passages.permitted(self.lane, done.serial)
        offered_s = clock.mono_s()
        self.barrier.offer(Permit(done.serial, offered_s, offered_s + PERMIT_S, emergency))
        self.touch()
        return done.seq

    def about(self, passage: Passage) -> About:
        """The part of an event's body that says which vehicle it is about."""
        return self.record.about(passage, self.shown.assessment)

    def best_reading(self) -> Reading | None:
        """The reading behind the first plate on the screen: photo, plate, box and time are of one and the same
        frame."""
        passage, shown = self.lane.passage, self.shown.assessment
        read = [sight.reading for sight in passage.sights if sight.reading] if passage else []
        plate = shown.who.plate if shown else None
        return next((one for one in read if one.read.plate.text == plate), read[0] if read else None)

    # ------------------------------------------------------------ the picture of it

    def view(self, health: HealthView, gate: GateView | None, may: Sequence[str]) -> LaneView:
        """`may`: what may be asked of the lane itself."""
        passage, picture = self.lane.passage, self.shown.picture(self.best_reading())
        yard = self.record.yard if self.config.place.startswith("yard") else None
        return LaneView(
            lane=self.config.id,
            name=Name(self.config.name.vi, self.config.name.en),
            place=self.config.place,
            direction=self.config.direction,
            mode="auto" if self.config.opens_by_itself else "guard",
            number=self.number,
            passage=passage_view(passage, self.shown, picture, self.law, self.may()) if passage else None,
            last=tuple(self.last),
            paper=self.beside.paper,
            paper_options=self.beside.options(),
            paper_tasks=tuple(self.beside.tasks),
            overstays=self.beside.overstays_view(),
            yard=yard.view() if yard else None,
            not_lowered=self.not_lowered,
            health=health,
            gate=gate,
            actions=tuple(may),
        )

    def may(self) -> list[str]:
        """What a person may do about the passage now."""
        if self.lane.passage is None:
            return []
        paper = self.beside.paper is not None
        return actions(self.lane.passage, self.shown.assessment, opens=self.would_refuse() is None, paper=paper)

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
