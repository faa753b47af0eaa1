"""Why a gate opened, or did not: told from the record's own events. Pure.

Everything said here stands in an event; nothing is judged anew, for the question is what the gate knew then.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from edge.core.instant import Instant, instant
from edge.core.law.lookup import normal_plate
from edge.core.record.dossier import FACTS, code_of

Event = Mapping[str, Any]
OPENINGS = frozenset({"barrier_released", "confirmation", "override", "override_command", "override_emergency"})
"""Codes of events that gave a permit: by the gate itself, by a press, from the centre."""


@dataclass(frozen=True, slots=True)
class Told:
    """One event of the passage. `code`: its kind and stage; `facts`: what else it says."""

    seq: int
    at: str
    code: str
    by: str
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Why:
    """What this gate knew of one vehicle up to a moment, what it decided, and what it still asked.

    `who`: as `core.identity.Identity`; None in records up to 0.1.0. `verdict`: the last on record. `shut`: why it did
    not open by itself, the last on record, as (code, detail); None where it did, or was not asked.
    `opened_by`: who or what gave the permit, as (event's code, person). `ended`: how it ended, "" before that.
    """

    lane: str
    passage: str
    began_at: str
    plates: tuple[str, ...]
    who: Mapping[str, Any] | None
    declaration: str | None
    verdict: Mapping[str, Any] | None
    copy_age_s: float | None = None
    shut: tuple[str, str] | None = None
    opened_by: tuple[str, str] | None = None
    ended: str = ""
    lines: tuple[Told, ...] = field(default=())


def why(events: Iterable[Event], *, lane: str = "", until: Instant | None = None, plate: str = "") -> Why | None:
    """Of the last passage that had begun by `until`, at this lane, with this plate; None where there is none. Events
    come in the order of their lane; what was recorded after `until` is not looked at.
    """
    groups: dict[str, list[Event]] = {}
    permits: dict[tuple[str, int | None], str] = {}  # whose it was: the boom comes down when the passage is long over
    for event in events:
        if (lane and event["lane"] != lane) or (until is not None and _later(event, until)):
            continue
        permit = (event["lane"], event["body"].get("permit"))
        key = event["body"].get("passage") or permits.get(permit) or (permit[1] and f"permit {permit[1]}")
        if key:
            groups.setdefault(f"{event['lane']} {key}", []).append(event)
            if permit[1]:
                permits.setdefault(permit, str(key))
    wanted = normal_plate(plate)
    fitting = [group for group in groups.values() if not wanted or wanted in _plates(group)]
    newest = max(fitting, key=lambda group: (_at(group[0]), group[0]["seq"]), default=None)
    return None if newest is None else _told(newest)


def _at(event: Event) -> str:
    moment = instant(str(event["recorded_at"]))
    return "" if moment is None else f"{moment.total_seconds():020.6f}"


def _later(event: Event, until: Instant) -> bool:
    moment = instant(str(event["recorded_at"]))
    return moment is not None and moment > until


def _plates(group: Sequence[Event]) -> set[str]:
    found = set()
    for event in group:
        body = event["body"]
        found |= {normal_plate(str(one["text"])) for one in body.get("plates") or ()}
        found |= {normal_plate(str(one)) for one in (body.get("who") or {}).get("vehicle", ())}
        found |= {normal_plate(str(body["plate"]))} if body.get("plate") else set()
    return found


def _told(group: Sequence[Event]) -> Why:
    first, bodies = group[0], [event["body"] for event in group]
    plates = next((body["plates"] for body in reversed(bodies) if body.get("plates")), ())
    lines = tuple(_line(event) for event in group)
    shut: tuple[str, str] | None = None
    opened: tuple[str, str] | None = None
    for line, body in zip(lines, bodies, strict=True):
        if line.code == "refusal_stays_shut":
            shut = str(body.get("code", "")), str(body.get("detail", ""))
        elif line.code in OPENINGS:
            opened, shut = (line.code, line.by), None
    return Why(
        lane=str(first["lane"]),
        passage=str(bodies[0].get("passage") or ""),
        began_at=str(first["recorded_at"]),
        plates=tuple(str(one["text"]) for one in plates),
        who=_last(bodies, "who"),
        declaration=_last(bodies, "declaration"),
        verdict=next((body["verdict"] for body in reversed(bodies) if isinstance(body.get("verdict"), Mapping)), None),
        copy_age_s=_last(bodies, "copy_age_s"),
        shut=shut,
        opened_by=opened,
        ended=str(_last(bodies, "outcome") or ""),
        lines=lines,
    )


def _last(bodies: Sequence[Mapping[str, Any]], key: str) -> Any:
    return next((body[key] for body in reversed(bodies) if body.get(key) is not None), None)


def _line(event: Event) -> Told:
    body = event["body"]
    facts = {key: body[key] for key in FACTS if body.get(key) not in (None, "", [], False)}
    by = " + ".join(str(body[key]) for key in ("by", "second") if body.get(key))
    return Told(event["seq"], str(event["recorded_at"]), code_of(event["kind"], body.get("stage")), by, facts)
