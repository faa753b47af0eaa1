"""What the events of a passage say: their bodies, built from what the lane knows. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

from edge import __version__
from edge.agent.lane.law import Assessment
from edge.config import LaneConfig
from edge.core.bodies import About, AlarmNotice, BarrierAlarm, BarrierSaid, BarrierStage, Eyes, Ground, Seen, SeenPlate
from edge.core.model import Reading
from edge.core.passage import Passage, outcome
from firmware_io.safety import Notice

BARRIER: tuple[BarrierStage, ...] = get_args(BarrierStage)
ALARM: tuple[AlarmNotice, ...] = get_args(AlarmNotice)


def about(
    lane: LaneConfig, passage: Passage, assessment: Assessment | None, readers: Mapping[str, Mapping[str, str]]
) -> About:
    """The part that says which vehicle an event is about, and what judged it. `readers`: each camera's models."""
    known = assessment.who.plate if assessment else None
    sights = sorted(passage.sights, key=lambda sight: sight.plate.text != known)
    return About(
        passage=passage.id,
        plates=tuple(SeenPlate(plate=one.plate, decided=one.decided, typed=one.typed) for one in sights),
        declaration=assessment.declaration.id if assessment and assessment.declaration else None,
        who=assessment.who if assessment else None,
        step=assessment.verdict.step if assessment else None,
        place=lane.place,
        direction=lane.direction,
        ground=None if assessment is None else _ground(assessment, readers),
    )


def _ground(assessment: Assessment, readers: Mapping[str, Mapping[str, str]]) -> Ground:
    return Ground(software=__version__, table=assessment.table, table_sha256=assessment.rules, reader=readers)


def seen(of: About, assessment: Assessment, reading: Reading | None, began_s: float | None = None) -> Seen:
    """What was read and what the law said of it."""
    return Seen(
        about=of,
        verdict=assessment.verdict,
        box=reading.read.box if reading else None,
        rules=assessment.rules,
        frame_size=reading.frame_size if reading else None,
        eyes=None if reading is None else eyes(reading, began_s),
    )


def eyes(reading: Reading, began_s: float | None) -> Eyes:
    """For its health over time."""
    waited_s = None if began_s is None else round(max(0.0, reading.captured_mono_ns / 1e9 - began_s), 3)
    return Eyes(
        camera=reading.camera,
        votes=reading.votes,
        waited_s=waited_s if reading.decided else None,
        photo_of=reading.read.plate.text,
    )


def noticed(notice: Notice, passage: Passage | None) -> BarrierSaid | BarrierAlarm | None:
    """The event that a barrier's notice becomes; None for what only moves the picture."""
    about = passage.id if passage else None
    for said in BARRIER:
        if notice.kind == said:
            return BarrierSaid(stage=said, permit=notice.serial, code=notice.code, passage=about)
    for wrong in ALARM:
        if notice.kind == wrong:
            return BarrierAlarm(stage=wrong, permit=notice.serial, code=notice.code, passage=about)
    return None


def how_ended(passage: Passage, *, unseen: bool) -> str:
    """`unseen`: a restart lay between; where no loop saw it through, nobody can say that it left either."""
    how = outcome(passage)
    return "unseen" if unseen and how == "left" else how
