"""What belongs to the passage on the screen beside its own state: pictures, the verdict, the last answer."""

from __future__ import annotations

from dataclasses import dataclass, field

from edge.agent.lane.law import Assessment
from edge.core.automatic import Answer
from edge.core.model import Box, Reading
from edge.core.passage import Track
from edge.core.view import Pressed, Seals
from edge.store import StagedEvidence


@dataclass(frozen=True, slots=True)
class Picture:
    """The photo and crop on the screen, by their ids, and where the plate stands on that very frame."""

    photo: str | None = None
    crop: str | None = None
    box: Box | None = None
    frame_size: tuple[int, int] | None = None
    captured_at: str | None = None


@dataclass(slots=True)
class Shown:
    """What belongs to the passage on the screen beside its own state: pictures by plate text, the verdict, the last
    answer."""

    pictures: dict[str, tuple[Reading, bytes, bytes]] = field(default_factory=dict)
    staged: dict[str, tuple[Reading, StagedEvidence, StagedEvidence]] = field(default_factory=dict)
    """The reading on record, with its photo and crop."""
    first: dict[Track, Box] = field(default_factory=dict)
    """By track, where its plate was first read."""
    assessment: Assessment | None = None
    picked: str | None = None
    vehicle: str | None = None
    """A plate of the declared vehicle that a guard said stands here."""
    picked_by: str = ""
    seals: Seals = field(default_factory=Seals)
    permitted: bool = False
    """A permit was on record for it at some time, so the record must learn of its end."""
    restored: bool = False
    """Found in the record at the start: a permit was out for it when the process before this one ended."""
    near: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """By a text as read: declared plates so like it that the guard is offered them. Never a match."""
    checked: bool = False
    """The guard said "I have checked", which an old copy asks for."""
    looked_at: frozenset[str] = frozenset()
    """Plates of other vehicles in view, which the guard saw on the screen and said to have looked at."""
    shut: Answer | None = None
    """Why nothing opened by itself, as last on record; None where nothing was asked yet."""
    recorded: tuple[str, ...] | None = None
    """The decided texts that the record already tells of; None where it tells of nothing yet."""
    result: Pressed | None = None
    """How the last press was answered."""
    doubted: bool = False
    """A job about it had a fault that nobody foresaw: a guard opens, the system does not."""
    tried: bool = False
    """An opening by the system itself was tried since the barrier would last have accepted one."""
    released: bool = False
    """The system itself gave a permit to this passage."""
    refused: int = 0
    """How many of the system's own permits the barrier refused."""

    def picture(self, reading: Reading | None) -> Picture:
        """Photo, crop, box and time of one and the same frame: the one on record, else the newest in memory."""
        if reading is None:
            return Picture()
        on_record = self.staged.get(reading.read.plate.text)
        if on_record is not None:
            reading, photo, crop = on_record
            return _picture(reading, photo.id, crop.id)
        return _picture(reading, _now_id(reading, "photo"), _now_id(reading, "crop"))

    def picture_jpeg(self, picture_id: str) -> bytes | None:
        """A picture that is not on disk yet."""
        for reading, photo, crop in self.pictures.values():
            if picture_id == _now_id(reading, "photo"):
                return photo
            if picture_id == _now_id(reading, "crop"):
                return crop
        return None


def _picture(reading: Reading, photo: str, crop: str) -> Picture:
    return Picture(photo, crop, reading.read.box, reading.frame_size, reading.captured_at)


def _now_id(reading: Reading, what: str) -> str:
    """A picture's id before it has one on disk; plates stay out of addresses."""
    return f"now-{reading.camera}-{reading.frame}-{what}"
