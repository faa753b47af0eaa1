"""What the pipeline saw, read and voted on one film, look by look: for the report, and for why a plate was missed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from edge.core.camera.measured_plate import Cause, PlateSight, cause
from edge.core.model import Box, PlateRead
from edge.core.plate.table import OTHER
from edge.core.plate.vote import USUAL, Tally, VoteRules
from edge.ports import Detection, Frame, Image
from edge.technician import html
from edge.vision import measure
from edge.vision.loop import crop_of

PHOTO_PX, CROP_PX = 560, 280
AIDED_MOST = 6


@dataclass(frozen=True, slots=True)
class Vote:
    """One reading of one track: what it said, and how the vote stood after it."""

    at_s: float
    frame: int
    text: str
    raw: str
    kind: str
    confidence: float
    box: Box
    leader: str
    votes: int
    decided: bool


@dataclass(frozen=True, slots=True)
class Best:
    """The surest reading's frame and crop, as JPEG."""

    confidence: float
    at_s: float
    photo: bytes
    crop: bytes


PLAIN = 0.2
"""A place of less heat is only proposed to the reader: that it read nothing there is no plate lost."""


@dataclass(frozen=True, slots=True)
class Look:
    at_s: float
    inside: int
    outside: int


@dataclass(slots=True)
class Trace:
    """`edge.vision.watch.Watch`. `lost` are plates that were found and not read, measured."""

    looks: list[Look] = field(default_factory=list)
    votes: dict[int, list[Vote]] = field(default_factory=dict)
    best: dict[int, Best] = field(default_factory=dict)
    lost: list[PlateSight] = field(default_factory=list)
    sure: float = USUAL.sure
    """What this reader's vote asks of a reading."""

    def looked(self, frame: Frame, inside: Sequence[Detection], outside: Sequence[Detection]) -> None:
        self.looks.append(Look(_at_s(frame), len(inside), len(outside)))

    def read(self, frame: Frame, detections: Sequence[Detection], reads: Sequence[PlateRead | None]) -> None:
        for detection, read in zip(detections, reads, strict=True):
            sight = measure.sight(frame, detection, read, self.sure)
            if not sight.read and detection.score >= PLAIN:
                self.lost.append(sight)

    def voted(self, frame: Frame, track: int, read: PlateRead, tally: Tally) -> None:
        plate, leader = read.plate, tally.leader
        vote = Vote(
            at_s=_at_s(frame),
            frame=frame.number,
            text=plate.text,
            raw=plate.raw,
            kind=plate.kind,
            confidence=round(plate.confidence, 3),
            box=read.box,
            leader=leader.text if leader else "",
            votes=tally.votes,
            decided=tally.decided,
        )
        self.votes.setdefault(track, []).append(vote)
        known = self.best.get(track)
        if known is None or plate.confidence > known.confidence:
            self.best[track] = Best(plate.confidence, vote.at_s, *_pictures(frame.image, read.box))


def _at_s(frame: Frame) -> float:
    return round(frame.captured_mono_ns / 1e9, 3)


def _pictures(image: Image, box: Box) -> tuple[bytes, bytes]:
    return html.jpeg(image, PHOTO_PX), html.jpeg(crop_of(image, box), CROP_PX)


# ---------------------------------------------------------------- why


def why_decided(votes: Sequence[Vote], rules: VoteRules) -> str:
    """In words, for the technician: at which reading the vote could be trusted, or what was still missing."""
    first = next((vote for vote in votes if vote.decided), None)
    if first is not None:
        before = [vote for vote in votes if vote.at_s <= first.at_s]
        wrong = sum(vote.text != first.leader for vote in before)
        return (
            f"at {first.at_s:.2f} s: {first.votes} equal readings of {rules.sure:.0%} or more "
            f"({rules.agreeing} needed), {wrong} other reading(s) before it"
        )
    if not votes:
        return "no reading"
    last = votes[-1]
    if last.votes < rules.agreeing:
        return f"not decided: {last.votes} sure equal reading(s) of the {rules.agreeing} needed"
    return f"not decided: another text has more than 1/{rules.lead:.0f} of the leader's weight"


def miss_cause(trace: Trace, from_s: float, to_s: float, plate: str = "") -> Cause:
    """Why the plate that was in view from `from_s` to `to_s` was not decided, from the trace alone. "unseen" where
    nothing was found: a survey of the whole picture may know more."""
    votes = [v for row in trace.votes.values() for v in row if from_s <= v.at_s <= to_s]
    lost = [one for one in trace.lost if from_s <= one.at_s <= to_s]
    causes = most_common(cause(one) for one in lost)
    if plate and any(v.text == plate and v.confidence >= trace.sure for v in votes):
        others = sum(v.text != plate for v in votes)
        return "unsure" if others else "few"
    if causes is not None:
        return causes
    if votes:
        return "grammar" if all(v.kind == OTHER for v in votes) else "unsure"
    outside = sum(look.outside for look in trace.looks if from_s <= look.at_s <= to_s)
    return "outside" if outside else "unseen"


def survey_cause(sights: Sequence[PlateSight], inside: Sequence[bool]) -> Cause:
    """Why, from sights of the whole picture with aids; `inside`: whether each lies in the region."""
    if any(sight.text and not within for sight, within in zip(sights, inside, strict=True)):
        return "outside"
    return most_common(cause(sight) for sight in sights) or "unseen"


def most_common(causes: Iterable[Cause | None]) -> Cause | None:
    """The most frequent one; of equally frequent ones the first."""
    counted = Counter(one for one in causes if one is not None)
    return counted.most_common(1)[0][0] if counted else None
