"""The platform is back: every form typed at a lane against its declaration (Art. 23.3)."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from edge.agent.lane import paper
from edge.agent.lane.lane_journal import LaneJournal, Recorded
from edge.agent.lane.notes import PAPER, Typed
from edge.core.bodies import PaperReconciled
from edge.store import Store, Transaction


async def reconcile(lane: str, store: Store, journal: LaneJournal) -> None:
    """A change is an event, and what differs becomes a guard's task."""
    kept_all = await asyncio.to_thread(PAPER.all, store)
    for form_id, kept in kept_all.items():
        if kept.lane == lane:
            await _reconcile_one(store, journal, form_id, kept)


async def _reconcile_one(store: Store, journal: LaneJournal, form_id: str, kept: Typed) -> None:
    found, platform = await asyncio.to_thread(paper.compare, store, kept)
    platform_id = platform.id if platform else None
    if (found.outcome, platform_id) == (kept.outcome, kept.platform):
        return
    body = PaperReconciled(form=form_id, declaration=platform_id, outcome=found.outcome, differences=found.differences)

    def also(tx: Transaction, _: Recorded) -> None:
        if found.outcome == "same":
            paper.settle(tx, form_id, platform_id)
        else:
            fresh = replace(kept, outcome=found.outcome, platform=platform_id, differences=found.differences)
            PAPER.keep(tx, form_id, fresh)

    await journal.write(body, also=also)
