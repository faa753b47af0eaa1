"""One lane, as an actor: everything that happens to it waits in one queue and is done one after the other.

Cameras, the barrier's thread, the link and the guard only put jobs in; the passage (pure) says what follows, the
store records it, and only after the commit a permit goes to the barrier loop. Nothing here waits for the network.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, field
from typing import Any

from edge import clock
from edge.agent.law import Assessment, Law
from edge.agent.ledger import Keys, Ledger
from edge.agent.view import Picture, names, passage_view
from edge.config import LaneConfig
from edge.core import passage as passages
from edge.core.model import Confirmation, Reading
from edge.core.passage import Effect, Lane, Passage, Timing
from edge.errors import StoreError
from edge.store import StagedEvidence, Store
from edge.wire import confirmation_to_json
from firmware_io.loop import BarrierLoop
from firmware_io.safety import Notice, Permit

log = logging.getLogger(__name__)

PERMIT_S = 2.0
"""A permit not used within this time is void (docs/safety.md)."""

Job = Callable[[], Awaitable[None]]


@dataclass(slots=True)
class Shown:
    """What belongs to the passage on the screen beside its own state: pictures by plate text, the verdict, the last
    answer."""

    pictures: dict[str, tuple[Reading, bytes, bytes]] = field(default_factory=dict)
    staged: dict[str, tuple[StagedEvidence, StagedEvidence]] = field(default_factory=dict)
    assessment: Assessment | None = None
    picked: str | None = None
    checked: bool = False
    """The guard said "I have checked", which an old copy asks for."""
    recorded: tuple[str, ...] | None = None
    """The decided texts that the record already tells of; None where it tells of nothing yet."""
    result: dict[str, str] | None = None


class LaneActor:
    """The lane's state and its jobs. `desk.LaneDesk` is the guard's side of it."""

    def __init__(
        self, config: LaneConfig, store: Store, law: Law, barrier: BarrierLoop, wake: Callable[[], None]
    ) -> None:
        self.config = config
        self.lane = Lane()
        self.shown = Shown()
        self.last: list[dict[str, Any]] = []
        self.number = 0
        self.trouble = ""
        self.store = store
        self.law = law
        self.barrier = barrier
        self.ledger = Ledger(store, config.id, wake)
        self._timing = Timing(match_after_s=config.match_after_s)
        self._jobs: asyncio.Queue[Job] = asyncio.Queue()
        self._changed = asyncio.Event()

    # ------------------------------------------------------------ jobs in

    async def run(self) -> None:
        """Do jobs for ever. A record that cannot be written is trouble that the screen shows, never a reason to
        stop."""
        while True:
            job = await self._jobs.get()
            try:
                await job()
                self.trouble = ""
            except StoreError as error:
                log.error("lane %s: %s", self.config.id, error)
                self.trouble = str(error)
            self.touch()

    def put(self, job: Job) -> None:
        self._jobs.put_nowait(job)

    def on_reading(self, reading: Reading, photo: bytes, crop: bytes) -> None:
        self.put(lambda: self._reading(reading, photo, crop))

    def on_notice(self, notice: Notice) -> None:
        self.put(lambda: self._notice(notice))

    def on_declarations(self) -> None:
        """The local copy changed: a declaration may be withdrawn while its vehicle stands here."""
        self.put(self._reassess)

    def on_tick(self) -> None:
        self.put(self._tick)

    def touch(self) -> None:
        """The view changed: whoever waits for it looks again."""
        self.number += 1
        self._changed.set()
        self._changed = asyncio.Event()

    async def changed(self, since: int) -> int:
        while self.number <= since:
            await self._changed.wait()
        return self.number

    # ------------------------------------------------------------ what happens

    async def _reading(self, reading: Reading, photo: bytes, crop: bytes) -> None:
        self.lane, effects = passages.saw(self.lane, reading, clock.mono_s(), self._timing, _new_id)
        if "begin" in effects:
            self.shown = Shown()
        if self.lane.passage and any(sight.reading is reading for sight in self.lane.passage.sights):
            self.shown.pictures[reading.read.plate.text] = (reading, photo, crop)
        await self._follow(effects)

    async def _notice(self, notice: Notice) -> None:
        now_s = clock.mono_s()
        effects: tuple[Effect, ...] = ()
        if notice.kind == "arrived":
            self.lane, effects = passages.arrived(self.lane, now_s, _new_id)
            if "begin" in effects:
                self.shown = Shown()
        elif notice.kind == "left":
            self.lane, effects = passages.left(self.lane, now_s)
        elif notice.kind == "through":
            await self._record_through(notice)
            self.lane, effects = passages.through(self.lane, now_s)
        elif notice.kind in ("opening", "opened", "not_opened"):
            self.lane = passages.boom(self.lane, notice.kind, notice.serial, notice.code)
        elif notice.kind == "permit_refused":
            self.lane = passages.boom(self.lane, "refused", notice.serial, notice.code)
        elif notice.kind == "closed":
            self.lane, effects = passages.lowered(self.lane, now_s)
        await self._record_notice(notice)
        await self._follow(effects)

    async def _tick(self) -> None:
        self.lane, effects = passages.tick(self.lane, clock.mono_s(), self._timing)
        await self._follow(effects)

    async def _reassess(self) -> None:
        if self.lane.passage is not None and self.shown.assessment is not None:
            await self._follow(("evaluate",))

    async def _follow(self, effects: tuple[Effect, ...]) -> None:
        if "evaluate" in effects:
            await self.assess()
        if "end" in effects:
            await self._record_end()
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
        """Only with the vehicle on the loop, only once for this vehicle at this step: a second time is a guard's
        decision."""
        passage, assessment = self.lane.passage, self.shown.assessment
        if passage is None or assessment is None or assessment.declaration is None or passage.state in passages.MOVING:
            return
        if self.config.barrier.presence and not self.lane.present:
            return
        once = self.once_key(assessment)
        if passage.state != "waiting" or await self.ledger.known(once) is not None:
            return
        body = {**self.about(passage), "stage": "released", "verdict": "release", "by": "SYS"}
        await self.open_after_record("barrier", body, keys={once: {"code": "released"}})

    def once_key(self, assessment: Assessment) -> str:
        """What may be opened automatically one single time, whatever restarts in between."""
        declaration = assessment.declaration
        assert declaration is not None
        return f"once/{self.config.id}/{declaration.id}/{assessment.verdict.step}/{assessment.plate or ''}"

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
        assessment = self.shown.assessment
        return {
            "passage": passage.id,
            "plates": [
                {**asdict(sight.plate), "decided": sight.decided, "typed": sight.reading is None}
                for sight in passage.sights
            ],
            "declaration": assessment.declaration.id if assessment and assessment.declaration else None,
            "step": assessment.verdict.step if assessment else None,
            "place": self.config.place,
            "direction": self.config.direction,
        }

    def best_reading(self) -> Reading | None:
        """The reading behind the first plate on the screen: photo, plate, box and time are of one and the same
        frame."""
        passage = self.lane.passage
        return next((sight.reading for sight in passage.sights if sight.reading), None) if passage else None

    async def _record_seen(self, passage: Passage) -> None:
        """What was read, the photo and crop of that frame, what the law said; again where a further plate is decided."""
        texts = tuple(plate.text for plate in passage.decided)
        if self.shown.recorded == texts or self.shown.assessment is None:
            return
        verdict = asdict(self.shown.assessment.verdict)
        reading = self.best_reading()
        body = {
            **self.about(passage),
            "stage": "seen",
            "verdict": verdict,
            "box": reading.read.box if reading else None,
        }
        pictures = self.shown.pictures.get(reading.read.plate.text) if reading else None
        photos = await self.ledger.stage(*pictures[1:]) if pictures else ()
        await self.ledger.write("passage", body, reading, photos=photos)
        if pictures and photos:
            self.shown.staged[pictures[0].read.plate.text] = photos
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

    async def _record_notice(self, notice: Notice) -> None:
        """What the barrier did: openings, refusals and faults are events; what only moves the picture is not."""
        passage = self.lane.passage
        body = {
            "stage": notice.kind,
            "permit": notice.serial,
            "code": notice.code,
            "passage": passage.id if passage else None,
        }
        if notice.kind in ("opened", "not_opened", "permit_refused", "closed", "reopened", "stopped", "opened_unasked"):
            await self.ledger.write("barrier", body)
        elif notice.kind in ("fault", "fault_cleared", "tailgate", "not_closed", "still_open"):
            await self.ledger.write("alarm", body)

    async def _record_end(self) -> None:
        passage, assessment = self.lane.passage, self.shown.assessment
        if passage is None:
            return
        plate = passage.sights[0].plate.text if passage.sights else None
        ended = {"outcome": passages.outcome(passage), "verdict": assessment.verdict.verdict if assessment else None}
        self.last = [{"plate": plate, "at": clock.wall_iso(), **ended}, *self.last][:8]
        if self.shown.recorded is not None:
            await self.ledger.write("passage", {**self.about(passage), "stage": "ended", **ended})

    # ------------------------------------------------------------ the picture of it

    def view(self) -> dict[str, Any]:
        """The lane's own part of the screen's mapping."""
        passage = self.lane.passage
        shown = passage and passage_view(passage, self.shown.assessment, self._picture(), self.law, self.shown.result)
        return {**names(self.config), "number": self.number, "passage": shown, "last": self.last}

    def picture_jpeg(self, picture_id: str) -> bytes | None:
        """A picture of the passage on the screen that is not on disk yet."""
        for reading, photo, crop in self.shown.pictures.values():
            if picture_id == _now_id(reading, "photo"):
                return photo
            if picture_id == _now_id(reading, "crop"):
                return crop
        return None

    def _picture(self) -> Picture:
        reading = self.best_reading()
        if reading is None:
            return Picture()
        text = reading.read.plate.text
        staged = self.shown.staged.get(text)
        photo, crop = (staged[0].id, staged[1].id) if staged else (_now_id(reading, "photo"), _now_id(reading, "crop"))
        return Picture(photo, crop, reading.read.box, reading.frame_size, reading.captured_at)


def _new_id() -> str:
    return clock.new_id()


def _now_id(reading: Reading, what: str) -> str:
    """A picture's id before it has one on disk; plates stay out of addresses."""
    return f"now-{reading.camera}-{reading.frame}-{what}"
