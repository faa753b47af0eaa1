"""The shift handover note: written by who leaves, signed by who comes, both on record (kind `login`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from edge import clock
from edge.agent.actions.press import Presses, kept
from edge.agent.lane.lane import LaneActor
from edge.agent.lane.notes import HANDOVER
from edge.core.alarm.alarms import Alarm
from edge.core.bodies import Body, HandoverSigned, HandoverWritten
from edge.core.record import handover
from edge.core.record.handover import Handover, HandoverNote, Tip, Written
from edge.core.view import LaneView
from edge.errors import RefusedError
from edge.ports import Action, ActionResult
from edge.store import Store, Transaction

Views = Callable[[], Mapping[str, LaneView | None]]
"""By lane; None where nobody could look at it."""


class HandoverDesk:
    """What stands in the note now, and the one that waits for its signature."""

    def __init__(self, store: Store, lanes: Views, alarms: Callable[[], Sequence[Alarm]]) -> None:
        self.open, self.last = HANDOVER.of(store, "open"), HANDOVER.of(store, "last")
        self._store, self._lanes, self._alarms = store, lanes, alarms

    def draft(self) -> HandoverNote:
        views = self._lanes()
        tips = [(lane, self._store.tip(lane)) for lane in views]
        return handover.note(views, self._alarms(), [Tip(lane, tip.seq, tip.hash) for lane, tip in tips])

    def view(self) -> Handover:
        return Handover(self.open, self.last, self.draft())


class HandoverPresses(Presses):
    group = "handover"

    def __init__(self, actor: LaneActor, desk: HandoverDesk) -> None:
        super().__init__(actor)
        self._desk = desk

    async def write(self, action: Action) -> ActionResult:
        """A note that nobody has signed yet is replaced; both stay on record."""
        person = action.person
        if len(action.words) > handover.WORDS_MOST:
            raise RefusedError("bad_value")
        written = Written(person.id, person.name, person.role, clock.wall_iso(), action.words, self._desk.draft())
        body = HandoverWritten(
            by=written.by,
            name=written.name,
            role=written.role,
            at=written.at,
            words=written.words,
            note=written.note,
        )
        done = await self._write(action, body, "handover_written", lambda tx: HANDOVER.keep(tx, "open", written))
        self._desk.open = written
        return done

    async def sign(self, action: Action) -> ActionResult:
        """The next one, proven by their own PIN at this screen, takes it over."""
        written, next_one = self._desk.open, action.second
        if written is None:
            raise RefusedError("no_handover")
        if next_one is None:
            raise RefusedError("second_needed")
        if next_one.id == written.by:
            raise RefusedError("same_person")
        signed = replace(written, signed_by=next_one.id, signed_name=next_one.name, signed_at=clock.wall_iso())
        body = HandoverSigned(
            by=next_one.id,
            role=next_one.role,
            written_by=written.by,
            written_at=written.at,
            open_points=written.note.open_points,
        )

        def also(tx: Transaction) -> None:
            HANDOVER.keep(tx, "open", None)
            HANDOVER.keep(tx, "last", signed)

        done = await self._write(action, body, "handover_signed", also)
        self._desk.open, self._desk.last = None, signed
        return done

    async def _write(self, action: Action, body: Body, code: str, also: Callable[[Transaction], None]) -> ActionResult:
        done = await self.actor.journal.write(body, keys=kept(action, code), also=lambda tx, _: also(tx))
        return ActionResult(True, code, done.seq)
