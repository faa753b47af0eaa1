"""One passage told from its events: who saw, said and pressed what, in order, with the law's reasons. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from edge.core.camera.privacy import shares
from edge.core.model import Box
from edge.core.record.history import PassageRow

FACTS = (
    "reason", "words", "checked", "typed", "read", "raw", "picked", "seen", "differing", "broken", "off_route",
    "condition", "record_no", "vehicle", "over_sure", "looked_at", "code", "detail", "outcome", "permit", "form",
)  # fmt: skip
"""Keys of an event's body that are told beside it, in this order."""


@dataclass(frozen=True, slots=True)
class Line:
    """One event. `code` is its kind and stage, `facts` what else it says, as (key, value); `verdict` as the law gave it
    then (docs/protocol.md). `hash` is the event's own, of the chain."""

    seq: int
    at: str
    code: str
    by: str
    second: str
    facts: tuple[tuple[str, Any], ...]
    verdict: Mapping[str, Any] | None
    hash: str


@dataclass(frozen=True, slots=True)
class Mark:
    """What a person says of a reading: right, or wrong and what the plate says ("": nobody can read it). `by` and `at`
    where it is on record."""

    right: bool
    truth: str = ""
    by: str = ""
    at: str = ""


@dataclass(frozen=True, slots=True)
class Shot:
    """A photo of the scene and the reading that it was taken with: `plate` as read then, "" where nothing was. `mark`:
    what somebody said of it last."""

    id: str
    at: str
    camera: str
    plate: str
    layout: str
    mark: Mark | None = None
    place: Box | None = None
    """Where the plate is, in shares of the picture; None where the record does not say."""


@dataclass(frozen=True, slots=True)
class Dossier:
    """`photos`: (evidence id, what it shows), in the order in which they were taken; `plates` as last on record;
    `shots`: the photos of the scene, each with its reading. `who`: as `core.identity.Identity`, the last that names a
    vehicle or a plate; None in records up to 0.1.0."""

    row: PassageRow
    site: str
    lines: tuple[Line, ...]
    photos: tuple[tuple[str, str], ...]
    plates: tuple[Mapping[str, Any], ...]
    shots: tuple[Shot, ...] = ()
    who: Mapping[str, Any] | None = None


def dossier(row: PassageRow, events: Sequence[Mapping[str, Any]]) -> Dossier:
    """From the row and its envelopes in order."""
    photos = [(photo["id"], photo["name"]) for event in events for photo in event["body"].get("evidence", ())]
    plates = [event["body"]["plates"] for event in events if event["body"].get("plates")]
    site = str(events[0]["site"]) if events else ""
    last = tuple(plates[-1]) if plates else ()
    return Dossier(row, site, tuple(map(line, events)), tuple(photos), last, shots(events), _who(events))


def _who(events: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    said: list[Mapping[str, Any]] = [event["body"]["who"] for event in events if event["body"].get("who")]
    named = [who for who in said if who.get("vehicle") or who.get("plate")]
    return named[-1] if named else said[-1] if said else None


def shots(events: Sequence[Mapping[str, Any]]) -> tuple[Shot, ...]:
    """From one passage's envelopes in order."""
    photos = [(photo, event) for event in events for photo in event["body"].get("evidence", ())]
    return tuple(_shot(str(photo["id"]), event) for photo, event in photos if photo["name"] == "photo")


def _shot(id: str, event: Mapping[str, Any]) -> Shot:
    """Older events do not say which of several plates their photo was taken with: the first then."""
    body = event["body"]
    plates = body.get("plates") or [{}]
    plate = next((one for one in plates if one.get("text") == body.get("photo_of")), plates[0])
    at = str(event.get("captured_at") or event["recorded_at"])
    read = str(plate.get("text", "")), str(plate.get("layout", "unknown"))
    return Shot(id, at, str(body.get("camera") or ""), *read, place=_place(body))


def _place(body: Mapping[str, Any]) -> Box | None:
    """Older events do not say how large the frame was."""
    box, size = body.get("box"), body.get("frame_size")
    return shares((box[0], box[1], box[2], box[3]), (size[0], size[1])) if box and size else None


def line(event: Mapping[str, Any]) -> Line:
    body = event["body"]
    said = body.get("verdict")
    return Line(
        event["seq"],
        event["captured_at"] or event["recorded_at"],
        code_of(event["kind"], body.get("stage")),
        str(body.get("by") or ""),
        str(body.get("second") or ""),
        tuple((key, body[key]) for key in FACTS if body.get(key) not in (None, "", [], False)),
        said if isinstance(said, Mapping) else None,
        event["hash"],
    )


def code_of(kind: str, stage: str | None) -> str:
    """A press has no stage: its kind says it all."""
    return f"{kind}_{stage}" if stage else kind
