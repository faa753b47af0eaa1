"""What one shift leaves to the next: passages at the barrier, holds, paper, alarms, overstays. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

WORDS_MOST = 2000


def note(
    lanes: Iterable[Mapping[str, Any]],
    alarms: Sequence[Mapping[str, Any]],
    tips: Iterable[tuple[str, int, str]] = (),
) -> dict[str, Any]:
    """The note as it stands now, from the lanes' views (docs/screen.md) and the alarm list: everything that is open,
    nothing that is as it should be. `tips` are each lane's last event, number and hash: on paper they are the record's
    second anchor (docs/security.md)."""
    views = list(lanes)
    return {
        "lanes": [_lane(view) for view in views],
        "paper_tasks": [
            {"lane": view["lane"], "id": task["id"], "plates": task["plates"], "outcome": task["outcome"]}
            for view in views
            for task in view.get("paper_tasks", ())
        ],
        "overstays": _overstays(views),
        "alarms": [_alarm(one) for one in alarms if one["state"] != "shelved"],
        "shelved": [_alarm(one) for one in alarms if one["state"] == "shelved"],
        "record": [{"lane": lane, "seq": seq, "hash": digest} for lane, seq, digest in tips],
    }


def _lane(view: Mapping[str, Any]) -> dict[str, Any]:
    passage, boom, paper = view["passage"], view["boom"], view.get("paper")
    return {
        "lane": view["lane"],
        "name": view["name"],
        "boom": boom["state"],
        "faults": list(boom["faults"]),
        "held": bool(boom["held"]),
        "paper": paper and {"by": paper["by"], "at": paper["at"]},
        "passage": passage and _passage(passage),
        "unsent": view["link"]["unacknowledged"],
    }


def _passage(passage: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": passage["id"],
        "plates": [plate["text"] for plate in passage["plates"]],
        "state": passage["state"],
        "verdict": (passage["verdict"] or {}).get("verdict"),
    }


def _overstays(views: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Of the whole gate, so they are the same at each lane: each once."""
    by_plates = {tuple(one["plates"]): one for view in views for one in view.get("overstays", ())}
    return [
        {"plates": list(one["plates"]), "since": one["since"], "declaration": one["declaration"]}
        for one in by_plates.values()
    ]


def _alarm(one: Mapping[str, Any]) -> dict[str, Any]:
    keys = ("key", "code", "about", "lane", "priority", "state", "raised_at", "acknowledged_by")
    return {key: one[key] for key in keys}


def open_points(written: Mapping[str, Any]) -> int:
    """How much the next shift takes over."""
    lanes = sum(bool(one["passage"] or one["held"] or one["paper"] or one["faults"]) for one in written["lanes"])
    return lanes + sum(len(written[key]) for key in ("paper_tasks", "overstays", "alarms", "shelved"))
