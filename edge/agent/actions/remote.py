"""Commands from the centre: each done once or refused, never replayed, and every answer is an event.

Refused: retained (a broker's memory is not a person's will), older than two seconds by a trusted clock, any age by a
clock that is not trusted, and an id that was seen before.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from edge import clock
from edge.agent.lane.boom_memory import holding
from edge.agent.lane.lane import LaneActor
from edge.agent.lane.lane_journal import Keys
from edge.agent.lane.notes import PAPER_MODE, Hold
from edge.core.bodies import (
    BoomCommanded,
    Commanded,
    CommandRefused,
    CommandsRefused,
    OpenedByCommand,
    PaperModeByCommand,
)
from edge.core.view import PaperSince
from edge.wire import Command

BURST, PER_S = 20.0, 5.0
"""Commands of one lane that are answered one by one: so many at once, then so many a second."""
COMMAND_S = 2.0
"""How old a command may be when it arrives (docs/protocol: expires in 2 s). One second of skew ahead is let pass."""


class RemoteCommands:
    def __init__(self, actor: LaneActor, clock_state: Callable[[], clock.ClockState] = clock.state) -> None:
        self._actor = actor
        self._clock_state = clock_state
        self._left, self._left_s, self._too_many = BURST, clock.mono_s(), 0

    def put(self, command: Command, retained: bool) -> None:
        """Called on the gate's event loop. A stop and a hold act before they are recorded: they only make safer. More
        than a few a second are refused together, in one event, so that no flood stands before a guard's press."""
        if command.action == "stop" and not retained:
            self._actor.barrier.stop_boom()
        fresh = not retained and not too_old(command, self._clock_state(), datetime.now(clock.VIETNAM))
        if command.action == "hold" and fresh:
            self._actor.barrier.hold(True)
        if not self._allowed():
            if not self._too_many:
                self._actor.put(self._tell_too_many)
            self._too_many += 1
            return

        async def job() -> None:
            await self._do(command, retained)

        self._actor.put(job)

    def _allowed(self) -> bool:
        now_s = clock.mono_s()
        self._left = min(BURST, self._left + (now_s - self._left_s) * PER_S)
        self._left_s = now_s
        if self._left < 1:
            return False
        self._left -= 1
        return True

    async def _tell_too_many(self) -> None:
        count, self._too_many = self._too_many, 0
        await self._actor.journal.write(CommandsRefused(count=count))

    async def _do(self, command: Command, retained: bool) -> None:
        key = f"command/{command.id}"
        told = Commanded(command=command.id, action=command.action, by=command.by, reason=command.reason)
        why = "retained" if retained else too_old(command, self._clock_state(), datetime.now(clock.VIETNAM))
        if await self._actor.journal.known(key) is not None:
            why = "repeated"
        if why:
            await self._actor.journal.write(CommandRefused(commanded=told, code=why))
            return
        keys = {key: {"code": "done"}}
        if command.action == "open":
            await self._open(told, keys)
            return
        if command.action in ("paper_on", "paper_off"):
            await self._paper(command, PaperModeByCommand(commanded=told, stage=command.action), keys)
            return
        also = None
        body = BoomCommanded(commanded=told, stage="command_hold" if command.action == "hold" else "command_stop")
        if command.action == "hold":
            self._actor.barrier.hold(True)
            hold = Hold(command.by, clock.wall_iso())
            self._actor.held_by(hold)
            also = holding(self._actor.config.id, hold)
        await self._actor.journal.write(body, keys=keys, also=also)

    async def _open(self, told: Commanded, keys: Keys) -> None:
        """One person at the centre opens what one guard may open here, and no more: a hold that asks for two people at
        the gate asks for them whoever orders it."""
        actor = self._actor
        assessment = await actor.assess() or actor.shown.assessment
        passage = actor.lane.passage
        about = actor.about(passage) if passage is not None else None
        if assessment is not None and assessment.two_people:
            await actor.journal.write(CommandRefused(about=about, commanded=told, code="two_people"))
            return
        await actor.open_after_record(OpenedByCommand(about=about, commanded=told), keys=keys)

    async def _paper(self, command: Command, body: PaperModeByCommand, keys: Keys) -> None:
        """The gate management centre puts the lane on paper, or takes it off (Art. 23.1)."""
        on, lane = command.action == "paper_on", self._actor.config.id
        mode = PaperSince(command.by, clock.wall_iso(), command.reason) if on else None
        await self._actor.journal.write(body, keys=keys, also=lambda tx, _: PAPER_MODE.keep(tx, lane, mode))
        self._actor.beside.on_paper(mode)


def too_old(command: Command, state: clock.ClockState, now: datetime) -> str:
    """Why this command's age refuses it, or ""."""
    if command.action == "stop":
        return ""
    if state != "synced":
        return "clock_untrusted"
    age_s = (now - command.issued_at).total_seconds()
    return "" if -1.0 <= age_s <= COMMAND_S else "expired"
