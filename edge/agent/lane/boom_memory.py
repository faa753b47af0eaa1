"""What a restart must not forget of a lane's boom: that it is held shut, since when and by whom; and what its loop
remembers of an opening or a descent that is not over. Notes in the record (docs/storage.md)."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import asdict, dataclass
from typing import get_args

from edge.agent.lane.lane_journal import Also
from edge.core.json_shape import read
from edge.errors import StoreError
from edge.store import Store
from firmware_io.safety import Memory
from firmware_io.terms import Cause

log = logging.getLogger(__name__)

HOLD = "hold"
"""The note, by lane, of who keeps it shut: {"by", "at"}."""
BOOM = "boom"
"""The note, by lane, of what the barrier loop remembers."""


@dataclass(frozen=True, slots=True)
class Hold:
    """Who keeps a lane shut, and since when."""

    by: str
    at: str


def hold(store: Store, lane: str) -> Hold | None:
    """None where nobody holds this lane."""
    kept = store.notes(HOLD, lane).get(lane)
    return None if kept is None else read(Hold, kept)


def holding(lane: str, hold: Hold | None) -> Also:
    """Written in the transaction of the press or command that holds, or ends it."""
    note = None if hold is None else asdict(hold)
    return lambda tx, _: tx.keep(HOLD, lane, note)


def remembered(store: Store, lane: str) -> Memory:
    note = store.notes(BOOM, lane).get(lane)
    if note is None:
        return Memory()
    cause: Cause = note["cause"] if note["cause"] in get_args(Cause) else "none"
    return Memory(cause, bool(note["is_out"]), tuple(note["took_s"]), note.get("obstacles", 0))


async def remember(store: Store, lane: str, memory: Memory) -> None:
    """On disk as soon as the disk allows; one that does not is told, and the next change tries again."""

    def write() -> None:
        with store.transaction(lane) as tx:
            tx.keep(BOOM, lane, asdict(memory))

    try:
        await asyncio.to_thread(write)
    except StoreError as error:
        log.error("%s: a restart would not know of this opening: %s", lane, error)
