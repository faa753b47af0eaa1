"""One lane's state, its way to an opening, and its picture: what `lane.LaneActor` adds the happenings to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from edge import clock
from edge.agent.actions.similar_plates import near_plates
from edge.agent.lane import boom_memory
from edge.agent.lane.actor import Actor
from edge.agent.lane.barrier import Barrier
from edge.agent.lane.context import Beside
from edge.agent.lane.lane_journal import Keys, LaneJournal, Recorded
from edge.agent.lane.law import Assessment, Law
from edge.agent.lane.notes import STANDING, Hold
from edge.agent.lane.reconcile import reconcile
from edge.agent.lane.record import Record, restored
from edge.agent.lane.screen_state import Shown
from edge.agent.lane.view import actions, passage_view
from edge.agent.lane.yard import Yard
from edge.config import LaneConfig
from edge.core import passage as passages
from edge.core.bodies import About, Opens
from edge.core.model import Confirmation, Name, PlateText, Reading
from edge.core.passage import Lane, Passage, Timing
from edge.core.plate.table import PlateTable
from edge.core.view import EndedView, GateView, HealthView, LaneView, Pressed, Seals
from edge.store import Store, Transaction
from firmware_io.safety import Permit

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


class LaneState(Actor):
    """Everything that one lane knows. Whatever opens goes through `open_after_record`."""

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
