"""What passed here, one row a passage, folded from the record's own events. Pure; the events stay the only truth.

A row is made anew from its events at any time, so nothing is decided here and nothing is kept that they do not say.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from edge.core.law.lookup import normal_plate
from edge.core.law.terms import SYSTEM

Outcome = Literal["through", "left", "turned_away", "unseen"]
How = Literal["", "confirmed", "overridden", "by_itself", "platform"]
Read = Literal["exact", "typed", "unsure", "none"]

OUTCOMES: tuple[Outcome, ...] = ("through", "left", "turned_away", "unseen")
HOWS: tuple[How, ...] = ("confirmed", "overridden", "by_itself", "platform")


@dataclass(frozen=True, slots=True)
class PassageRow:
    """One passage. `began_ms`: Unix ms of its arrival, a label. `wait_ms`: from its first event to the limit switch's
    "open", on one boot's monotonic clock; None where it did not open or a reboot lay between. `read`: how its plate
    became known. `people`: who pressed. `verdict`: the law's last word on it."""

    id: str
    lane: str
    first_seq: int
    last_seq: int
    began_ms: int
    boot: str
    first_mono_ns: int
    place: str = ""
    direction: str = ""
    plates: tuple[str, ...] = ()
    read: Read = "none"
    verdict: str | None = None
    declaration: str | None = None
    outcome: Outcome | None = None
    how: How = ""
    reason: str = ""
    opened: bool = False
    wait_ms: int | None = None
    people: tuple[str, ...] = ()


def fold(row: PassageRow | None, event: Mapping[str, Any]) -> PassageRow | None:
    """The row after one more envelope of its lane, in order; None where the event is about no passage. An event that
    the row has taken in already changes nothing."""
    body = event["body"]
    passage = body.get("passage")
    if not isinstance(passage, str) or not passage:
        return row
    if row is None:
        row = _begun(passage, event)
    elif event["seq"] <= row.last_seq:
        return row
    row = replace(row, last_seq=event["seq"])
    return _people(_moved(_about(row, body), event), body)


def _begun(passage: str, event: Mapping[str, Any]) -> PassageRow:
    seq = event["seq"]
    return PassageRow(passage, event["lane"], seq, seq, _began_ms(passage, event), event["boot_id"], event["mono_ns"])


def _began_ms(passage: str, event: Mapping[str, Any]) -> int:
    """A passage's id is a UUIDv7, made the moment it began; of any other id the first event's time."""
    digits = passage.replace("-", "")
    if len(digits) == 32 and digits[12] == "7":
        try:
            return int(digits[:12], 16)
        except ValueError:
            pass
    return stamp_ms(event["recorded_at"])


def stamp_ms(stamp: str) -> int:
    """ISO 8601 with an offset to Unix ms. Raises ValueError."""
    return round(datetime.fromisoformat(stamp).timestamp() * 1000)


def _about(row: PassageRow, body: Mapping[str, Any]) -> PassageRow:
    """Which vehicle it is, as the newest event says; a barrier's notice says nothing of that."""
    plates = body.get("plates")
    if plates is None:
        return row
    return replace(
        row,
        plates=tuple(dict.fromkeys([*_who(body), *(str(plate["text"]) for plate in plates)])) or row.plates,
        read=_read(plates) if plates else row.read,
        declaration=body.get("declaration") or row.declaration,
        verdict=_verdict(body) or row.verdict,
        place=body.get("place") or row.place,
        direction=body.get("direction") or row.direction,
    )


def _who(body: Mapping[str, Any]) -> list[str]:
    """The vehicle as it was known: by its plate, or as declared where a person chose it. Older events do not say."""
    who = body.get("who") or {}
    return [str(who["plate"])] if who.get("plate") else [str(plate) for plate in who.get("vehicle", ())]


def _read(plates: Iterable[Mapping[str, Any]]) -> Read:
    if any(plate.get("typed") for plate in plates):
        return "typed"
    return "exact" if any(plate.get("decided") for plate in plates) else "unsure"


def _verdict(body: Mapping[str, Any]) -> str | None:
    said = body.get("verdict")
    return said.get("verdict") if isinstance(said, Mapping) else said


def _moved(row: PassageRow, event: Mapping[str, Any]) -> PassageRow:
    """What became of it with this event."""
    kind, body = event["kind"], event["body"]
    stage = body.get("stage")
    match kind, stage:
        case "barrier", "opened" if not row.opened:
            same_boot = event["boot_id"] == row.boot
            wait_ms = (event["mono_ns"] - row.first_mono_ns) // 1_000_000 if same_boot else None
            return replace(row, opened=True, wait_ms=wait_ms)
        case "barrier", "released":
            return replace(row, how="by_itself")
        case "confirmation", None:
            return replace(row, how="confirmed")
        case "override", "command":
            return replace(row, how="platform", reason=str(body.get("reason") or ""))
        case "override", "emergency":
            return replace(row, how="overridden", reason="emergency")
        case "override", None:
            return replace(row, how="overridden", reason=str(body.get("reason") or ""))
        case "refusal", None:
            return replace(row, reason=str(body.get("reason") or ""), outcome="turned_away")
        case _, "through":
            return replace(row, outcome="through")
        case "passage", "ended":
            return replace(row, outcome=body.get("outcome"))
    return row


def _people(row: PassageRow, body: Mapping[str, Any]) -> PassageRow:
    named = [str(body[key]) for key in ("by", "second") if body.get(key) and body[key] != SYSTEM]
    return replace(row, people=tuple(dict.fromkeys([*row.people, *named]))) if named else row


# ---------------------------------------------------------------- asking


@dataclass(frozen=True, slots=True)
class Question:
    """What is looked for: every given part must hold. `plate`: the whole of it, its beginning or its end, as typed.

    `since_ms`, `until_ms` (without it): Unix ms of the arrival. `before`: (began_ms, id) of the last row of the page
    before.
    """

    plate: str = ""
    since_ms: int | None = None
    until_ms: int | None = None
    lane: str = ""
    verdict: str = ""
    outcome: str = ""
    how: str = ""
    person: str = ""
    before: tuple[int, str] | None = None
    limit: int = 40

    @property
    def plate_key(self) -> str:
        return normal_plate(self.plate)


@dataclass(frozen=True, slots=True)
class Found:
    """One page of rows, the newest first; `more`: there are others behind them."""

    rows: tuple[PassageRow, ...]
    more: bool


def matches(question: Question, row: PassageRow) -> bool:
    """What the index must agree with, said plainly."""
    plate = question.plate_key
    held = (
        not plate or any(p.startswith(plate) or p.endswith(plate) for p in map(normal_plate, row.plates)),
        question.since_ms is None or row.began_ms >= question.since_ms,
        question.until_ms is None or row.began_ms < question.until_ms,
        question.lane in ("", row.lane),
        question.verdict in ("", row.verdict),
        question.outcome in ("", row.outcome),
        question.how in ("", row.how),
        question.person == "" or question.person in row.people,
        question.before is None or (row.began_ms, row.id) < question.before,
    )
    return all(held)
