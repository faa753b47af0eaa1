"""What the events of a passage say: their bodies, built from what the lane knows. Pure."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from edge.agent.law import Assessment
from edge.config import LaneConfig
from edge.core.model import Reading
from edge.core.passage import Passage, outcome
from firmware_io.safety import Notice

BARRIER = frozenset(
    {
        "opened",
        "not_opened",
        "permit_refused",
        "closed",
        "reopening",
        "reopened",
        "stopping",
        "stopped",
        "opened_unasked",
        "lower_refused",
    }
)
ALARM = frozenset({"fault", "fault_cleared", "tailgate", "not_closed", "still_open", "unproven"})


def about(lane: LaneConfig, passage: Passage, assessment: Assessment | None) -> dict[str, Any]:
    """The part that says which vehicle an event is about."""
    known = assessment.who.plate if assessment else None
    sights = sorted(passage.sights, key=lambda sight: sight.plate.text != known)
    plates = [{**asdict(sight.plate), "decided": sight.decided, "typed": sight.typed} for sight in sights]
    return {
        "passage": passage.id,
        "plates": plates,
        "declaration": assessment.declaration.id if assessment and assessment.declaration else None,
        "who": asdict(assessment.who) if assessment else None,
        "step": assessment.verdict.step if assessment else None,
        "place": lane.place,
        "direction": lane.direction,
    }


def seen(assessment: Assessment, reading: Reading | None, began_s: float | None = None) -> dict[str, Any]:
    """What was read and what the law said of it."""
    told = {"stage": "seen", "verdict": asdict(assessment.verdict), "box": reading.read.box if reading else None}
    told["rules"] = assessment.rules
    return told | ({"frame_size": reading.frame_size} if reading else {}) | eyes(reading, began_s)


def eyes(reading: Reading | None, began_s: float | None) -> dict[str, Any]:
    """Which camera read it, with how many votes, and how long that took from the passage's begin: for its health over
    time; and which of the passage's plates photo and crop show."""
    if reading is None:
        return {}
    waited = None if began_s is None else round(max(0.0, reading.captured_mono_ns / 1e9 - began_s), 3)
    told = {"camera": reading.camera, "votes": reading.votes, "waited_s": waited if reading.decided else None}
    return {**told, "photo_of": reading.read.plate.text}


def notice_kind(notice: Notice) -> str | None:
    """The kind of event that a barrier's notice becomes; None for what only moves the picture."""
    if notice.kind in BARRIER:
        return "barrier"
    return "alarm" if notice.kind in ALARM else None


def noticed(notice: Notice, passage: Passage | None) -> dict[str, Any]:
    return {
        "stage": notice.kind,
        "permit": notice.serial,
        "code": notice.code,
        "passage": passage.id if passage else None,
    }


def ended(passage: Passage, assessment: Assessment | None, *, unseen: bool = False) -> dict[str, Any]:
    """`unseen`: a restart lay between; where no loop saw it through, nobody can say that it left either."""
    how = outcome(passage)
    how_seen = "unseen" if unseen and how == "left" else how
    return {"outcome": how_seen, "verdict": assessment.verdict.verdict if assessment else None}
