"""What a demo run came to, counted from the two records themselves: the gate's store and the platform's."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from edge.store.db import NAME


@dataclass(frozen=True, slots=True)
class Count:
    """`passages` that ended; `plates_read` of them with a decided plate; `releases`: permits given by a guard or by a
    yard gate;
    `openings_confirmed` by the limit switch; events as the gate numbered them and as the centre acknowledged them."""

    passages: int
    plates_read: int
    releases: int
    openings_confirmed: int
    events_produced: int
    events_acknowledged: int

    @property
    def good(self) -> bool:
        whole = self.events_produced == self.events_acknowledged > 0
        return whole and 0 < self.openings_confirmed == self.releases

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def count(agent_dir: Path, central_db: Path, lanes: Sequence[str]) -> Count:
    """Read both records after the run. The central one holds every event; the gate's own has pruned what was
    acknowledged."""
    bodies = list(_bodies(central_db))
    ended = [body for kind, body in bodies if kind == "passage" and body.get("stage") == "ended"]
    return Count(
        passages=len(ended),
        plates_read=sum(any(plate["decided"] for plate in body["plates"]) for body in ended),
        releases=sum(
            body.get("permit") is not None and kind in ("confirmation", "override", "barrier") and _gives(kind, body)
            for kind, body in bodies
        ),
        openings_confirmed=sum(kind == "barrier" and body.get("stage") == "opened" for kind, body in bodies),
        events_produced=sum(_produced(agent_dir, lane) for lane in lanes),
        events_acknowledged=sum(_acknowledged(central_db, lane) for lane in lanes),
    )


def _gives(kind: str, body: dict[str, Any]) -> bool:
    """Whether this event gave a permit, rather than telling what became of one."""
    return body.get("stage") == "released" if kind == "barrier" else body.get("stage") != "through"


def _bodies(db: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    connection = sqlite3.connect(f"file:{db}?mode=ro", uri=True)
    try:
        for kind, payload in connection.execute("SELECT kind, payload FROM event ORDER BY lane, seq"):
            yield kind, json.loads(payload)["body"]
    finally:
        connection.close()


def _produced(agent_dir: Path, lane: str) -> int:
    """How many events the gate ever numbered on this lane."""
    return _number(agent_dir / NAME, "SELECT next_seq - 1 FROM lane WHERE lane = ?", lane)


def _acknowledged(central_db: Path, lane: str) -> int:
    """Up to which number the centre has every event for good."""
    return _number(central_db, "SELECT acked FROM lane WHERE lane = ?", lane)


def _number(db: Path, question: str, lane: str) -> int:
    connection = sqlite3.connect(f"file:{db}?mode=ro", uri=True)
    try:
        row = connection.execute(question, (lane,)).fetchone()
        return int(row[0]) if row else 0
    finally:
        connection.close()
