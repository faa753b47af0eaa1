"""What every kind of press shares: whose it is, what it is about, and that it is answered after its record."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import ClassVar

from edge.actions import FILE, actions
from edge.agent.lane.lane import LaneActor
from edge.agent.lane.lane_journal import Also, Keys
from edge.core.bodies import Body, Pressed
from edge.core.passage import Passage
from edge.errors import ConfigError, RefusedError
from edge.ports import Action, ActionResult

Handler = Callable[[Action], Awaitable[ActionResult]]


def handlers(groups: Iterable[Presses]) -> dict[str, Handler]:
    """By action, who does it, of these groups. Raises ConfigError, which stops the start: a press without a handler
    would be found by a guard."""
    known = {group.group: group for group in groups}
    of_these = {name: row for name, row in actions().items() if row.group in known}
    lost = [
        f"{name}.handler: no such method: {row.handler}"
        for name, row in of_these.items()
        if not hasattr(known[row.group], row.method)
    ]
    if lost:
        raise ConfigError(FILE.name, lost)
    return {name: getattr(known[row.group], row.method) for name, row in of_these.items()}


def kept(action: Action, code: str) -> Keys:
    """What the record keeps of a press: its key at this lane, whose and which press it was, and the answer."""
    return {action.key: {"code": code, "name": action.name, "by": action.person.id}}


class Presses:
    """Handlers of some presses at one lane: `GROUP.method` in the action table. Each raises RefusedError or StoreError
    where it is not done."""

    group: ClassVar[str]

    def __init__(self, actor: LaneActor) -> None:
        self.actor = actor

    def who(self, action: Action) -> Pressed:
        """The part of an event's body that says who pressed, and about which vehicle."""
        passage, second = self.actor.lane.passage, action.second
        return Pressed(
            about=self.actor.about(passage) if passage else None,
            by=action.person.id,
            role=action.person.role,
            second=second.id if second else None,
            second_role=second.role if second else None,
        )

    def passage(self) -> Passage:
        """Raises RefusedError where nobody stands there."""
        if self.actor.lane.passage is None:
            raise RefusedError("no_passage")
        return self.actor.lane.passage

    async def record(self, action: Action, code: str, body: Body, also: Also | None = None) -> ActionResult:
        """The event and the press's answer, in one transaction."""
        done = await self.actor.journal.write(body, keys=kept(action, code), also=also)
        return ActionResult(True, code, done.seq)
