"""The platform is back: every form typed at a lane against its declaration (Art. 23.3)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from edge.agent.lane import paper
from edge.agent.lane.lane_journal import LaneJournal, Recorded
from edge.core.bodies import PaperReconciled
from edge.store import Store, Transaction


async def reconcile(lane: str, store: Store, journal: LaneJournal) -> None:
    """A change is an event, and what differs becomes a guard's task."""
    kept_all = await asyncio.to_thread(store.notes, paper.PAPER)
    for form_id, kept in kept_all.items():
        if kept["lane"] == lane:
            await _reconcile_one(store, journal, form_id, kept)


async def _reconcile_one(store: Store, journal: LaneJournal, form_id: str, kept: Mapping[str, Any]) -> None:
    found, platform = await asyncio.to_thread(paper.compare, store, kept)
    platform_id = platform.id if platform else None
    if (found.outcome, platform_id) == (kept["outcome"], kept.get("platform")):
        return
    differences = [asdict(difference) for difference in found.differences]
    body = PaperReconciled(form=form_id, declaration=platform_id, outcome=found.outcome, differences=found.differences)

    def also(tx: Transaction, _: Recorded) -> None:
        if found.outcome == "same":
            paper.settle(tx, form_id, platform_id)
        else:
            fresh = {"outcome": found.outcome, "platform": platform_id, "differences": differences}
            tx.keep(paper.PAPER, form_id, {**kept, **fresh})

    await journal.write(body, also=also)
