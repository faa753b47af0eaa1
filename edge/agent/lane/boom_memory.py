"""What a restart must not forget of a lane's boom: that it is held shut, since when and by whom; and what its loop
remembers of an opening or a descent that is not over. Notes in the record (docs/storage.md)."""

from __future__ import annotations

import asyncio
import logging

from edge.agent.lane.lane_journal import Also
from edge.agent.lane.notes import BOOM, HOLD, Hold
from edge.errors import StoreError
from edge.store import Store
from firmware_io.safety import Memory

log = logging.getLogger(__name__)


def hold(store: Store, lane: str) -> Hold | None:
    """None where nobody holds this lane."""
    return HOLD.of(store, lane)


def holding(lane: str, hold: Hold | None) -> Also:
    """Written in the transaction of the press or command that holds, or ends it."""
    return lambda tx, _: HOLD.keep(tx, lane, hold)


def remembered(store: Store, lane: str) -> Memory:
    return BOOM.of(store, lane) or Memory()


async def remember(store: Store, lane: str, memory: Memory) -> None:
    """On disk as soon as the disk allows; one that does not is told, and the next change tries again."""

    def write() -> None:
        with store.transaction(lane) as tx:
            BOOM.keep(tx, lane, memory)

    try:
        await asyncio.to_thread(write)
    except StoreError as error:
        log.error("%s: a restart would not know of this opening: %s", lane, error)
