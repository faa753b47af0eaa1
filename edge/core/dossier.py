"""One passage told from its events: who saw, said and pressed what, in order, with the law's reasons. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from edge.core.history import PassageRow

FACTS = (
    "reason", "words", "checked", "typed", "read", "raw", "picked", "seen", "differing", "broken", "off_route",
    "condition", "record_no", "code", "outcome", "permit", "form",
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
class Dossier:
    """`photos`: (evidence id, what it shows), in the order in which they were taken; `plates` as last on record."""

    row: PassageRow
    site: str
    lines: tuple[Line, ...]
    photos: tuple[tuple[str, str], ...]
    plates: tuple[Mapping[str, Any], ...]


def dossier(row: PassageRow, events: Sequence[Mapping[str, Any]]) -> Dossier:
    """From the row and its envelopes in order."""
    photos = [(photo["id"], photo["name"]) for event in events for photo in event["body"].get("evidence", ())]
    plates = [event["body"]["plates"] for event in events if event["body"].get("plates")]
    site = str(events[0]["site"]) if events else ""
    return Dossier(row, site, tuple(map(line, events)), tuple(photos), tuple(plates[-1]) if plates else ())


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
