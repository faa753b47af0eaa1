"""Whether the centre, not only the broker, is there, from what it says on its own topic. Pure: time is an argument.

A sign of life is a word that the centre has just said. What the broker kept says nothing of now, and a bridge hands
kept words on as if they were new; so a first word counts by its own time, where this gate's clock is trusted, and any
later one by being another than the one before.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Literal

from edge.core.instant import Instant, instant
from edge.wire import CentreWord

Reach = Literal["reached", "gone", "untold"]
"""The centre is there; it is not, though the broker may be; it is one that does not tell."""

GONE_S = 40.0
"""Renewed every 15 s: after two that did not come, and some for the way, the centre is gone."""
INSTANCES_MOST = 16


class CentreWatch:
    """Written by the uplink's thread, read by any. `tells`: this centre is known to say it (the record remembers)."""

    def __init__(self, *, tells: bool = False, gone_s: float = GONE_S) -> None:
        self._gone_s = gone_s
        self.tells = tells
        self.acks_photos = False
        self._said: Mapping[str, str] = {}
        """The last word's own time, by instance."""
        self._signs_s: Mapping[str, float] = {}
        """Instances that are there, as far as they said, and when they last did."""
        self.last_s: float | None = None
        """The last sign of life (monotonic); None: none since the process began."""

    def heard(self, word: CentreWord, now_s: float, now: Instant | None) -> None:
        """`now` is the wall clock, or None where it is not trusted."""
        before = self._said.get(word.instance)
        rest = {one: at for one, at in self._said.items() if one != word.instance}
        self._said = dict([*rest.items(), (word.instance, word.at)][-INSTANCES_MOST:])
        others = {one: at_s for one, at_s in self._signs_s.items() if one != word.instance}
        self.tells = True
        self.acks_photos = self.acks_photos or word.evidence_ack
        if not word.online:
            self._signs_s = others
            return
        age_s = self._age_s(word.at, now) if before is None else 0.0 if word.at != before else None
        if age_s is not None and age_s < self._gone_s:
            there = {one: at_s for one, at_s in others.items() if now_s - at_s < self._gone_s}
            self._signs_s = {**there, word.instance: now_s - age_s}
            self.last_s = max(now_s - age_s, self.last_s or -math.inf)

    @staticmethod
    def _age_s(at: str, now: Instant | None) -> float | None:
        """How old a first word is; None where nobody can say."""
        said = instant(at)
        return None if now is None or said is None else abs((now - said).total_seconds())

    def forget(self) -> None:
        """The topic was cleared: a centre that does not tell has taken over."""
        self.tells, self._said, self._signs_s = False, {}, {}

    def reach(self, now_s: float) -> Reach:
        if not self.tells:
            return "untold"
        return "reached" if any(now_s - at_s < self._gone_s for at_s in self._signs_s.values()) else "gone"
