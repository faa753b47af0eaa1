"""What the centre hears of what was not taken (`{lane}/refused`): a few a second, the rest as a number, so that a flood
of bad messages does not become a flood of answers."""

from __future__ import annotations

import json
from collections.abc import Sequence

from edge import clock
from edge.uplink.topics import Topics

BURST, PER_S, ROWS_NAMED = 20, 2.0, 50
OF_A_LANE = ("command", "ack", "evidence_ack")


class Refusals:
    """Of one connection."""

    def __init__(self, topics: Topics, lanes: Sequence[str]) -> None:
        self._topics, self._lanes = topics, lanes
        self._left, self._more, self._at_s = float(BURST), 0, clock.mono_s()

    def answer(self, topic: str, reason: str, rows: Sequence[str]) -> tuple[str, bytes] | None:
        """Topic and payload; None where this one is only counted (`not_told` of the next)."""
        now_s = clock.mono_s()
        self._left = min(BURST, self._left + (now_s - self._at_s) * PER_S)
        self._at_s = now_s
        if self._left < 1:
            self._more += 1
            return None
        self._left -= 1
        kind, name = self._topics.parse(topic)
        lane = name if kind in OF_A_LANE and name in self._lanes else self._lanes[0]
        body = {
            "topic": topic[:512], "reason": reason[:1024], "rows": list(rows[:ROWS_NAMED]),
            "rows_count": len(rows), "not_told": self._more, "at": clock.wall_iso(),
        }  # fmt: skip
        self._more = 0
        return self._topics.refused(lane), json.dumps(body, ensure_ascii=False).encode()
