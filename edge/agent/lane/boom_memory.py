"""What a restart must not forget of a lane's boom: that it is held shut, since when and by whom; and what its loop
remembers of an opening or a descent that is not over. Notes in the record (docs/storage.md)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, get_args

from edge.agent.lane.lane_journal import Also
from edge.errors import StoreError
from edge.store import Store
from firmware_io.safety import Memory
from firmware_io.terms import Cause

log = logging.getLogger(__name__)

HOLD = "hold"
"""The note, by lane, of who keeps it shut: {"by", "at"}."""
BOOM = "boom"
"""The note, by lane, of what the barrier loop remembers."""


def hold(store: Store, lane: str) -> Mapping[str, Any] | None:
    """Who keeps this lane shut and since when; None where nobody does."""
    return store.notes(HOLD, lane).get(lane)


def holding(lane: str, note: Mapping[str, Any] | None) -> Also:
    """Written in the transaction of the press or command that holds, or ends it."""
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
