"""When the readings of one plate over many frames may be trusted. "No decision" is an answer.

Frames of one vehicle are not independent: the same dirt deceives each of them. So a decision asks for several exactly
equal, sure readings and a clear lead over every other text, and it never averages characters of different readings.
A plate that was not seen whole may read as another lawful one, again and again and surely: such readings are kept
apart. They are a suggestion while there is nothing better, and never stand against a plate that was seen whole.
Readings of one and the same picture are one piece of evidence, however many there are.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from edge.core.model import PlateText
from edge.core.plate.table import OTHER


@dataclass(frozen=True, slots=True)
class VoteRules:
    """`agreeing`: equal readings needed, each at least `sure` (0..1). `lead`: the winner's weight over the next."""

    agreeing: int = 3
    sure: float = 0.6
    lead: float = 3.0
    corrected_weight: float = 0.5
    """A reading that look-alikes had to be changed in counts for less."""


USUAL = VoteRules()


@dataclass(frozen=True, slots=True)
class Tally:
    """Votes of one track so far. Immutable: `add` gives the next one."""

    rules: VoteRules = VoteRules()
    weights: dict[str, float] = field(default_factory=dict)
    sure_votes: dict[str, int] = field(default_factory=dict)
    best: dict[str, PlateText] = field(default_factory=dict)
    """Text -> its most confident reading."""
    reads: int = 0
    parts: dict[str, PlateText] = field(default_factory=dict)
    """Text -> its most confident reading of a plate that was not seen whole."""

    def add(self, plate: PlateText, seen_as: str, *, whole: bool = True, anew: bool = True) -> Tally:
        """One more reading; `seen_as` is its raw text normalised, other than the text where it was corrected.

        `whole`: the plate was seen whole. `anew`: its picture is not that of the last whole reading again.
        """
        if not whole:
            known = self.parts.get(plate.text)
            best = plate if known is None or plate.confidence > known.confidence else known
            return replace(self, parts={**self.parts, plate.text: best}, reads=self.reads + 1)
        if not anew:
            return replace(self, reads=self.reads + 1)
        rules, text = self.rules, plate.text
        weight = plate.confidence * (1.0 if seen_as == text else rules.corrected_weight)
        known = self.best.get(text)
        return replace(
            self,
            weights={**self.weights, text: self.weights.get(text, 0.0) + weight},
            sure_votes={**self.sure_votes, text: self.sure_votes.get(text, 0) + (plate.confidence >= rules.sure)},
            best={**self.best, text: plate if known is None or plate.confidence > known.confidence else known},
            reads=self.reads + 1,
        )

    @property
    def leader(self) -> PlateText | None:
        """The text with the most weight; a text of some pattern before any that fits none. Where no plate was seen
        whole, the surest of what was. None without readings."""
        if not self.weights:
            parts = self.parts.values()
            return max(parts, key=lambda plate: (plate.kind != OTHER, plate.confidence, plate.text), default=None)
        return self.best[max(self.weights, key=lambda text: (self.best[text].kind != OTHER, self.weights[text], text))]

    @property
    def votes(self) -> int:
        """Sure readings of the leader."""
        leader = self.leader
        return self.sure_votes.get(leader.text, 0) if leader else 0

    @property
    def decided(self) -> bool:
        """True where the leader may be trusted for an automatic match. A text that fits no pattern never may."""
        leader = self.leader
        if leader is None or leader.kind == OTHER or self.votes < self.rules.agreeing:
            return False
        others = [weight for text, weight in self.weights.items() if text != leader.text]
        return self.weights[leader.text] >= self.rules.lead * max(others, default=0.0)
