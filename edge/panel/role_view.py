"""From the desk's view to the screen's: plates get their look, actions are cut down to what this role allows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edge.panel.plate_look import look

STATUS_KEYS = ("number", "cameras", "link", "clock", "store", "copy_age_s", "alarms", "box")


def screen_view(view: Mapping[str, Any], allowed: frozenset[str]) -> dict[str, Any]:
    """The lane view (docs/screen.md) with `can`: what this person may press now, and a `look` in each plate."""
    shown = dict(view)
    shown["can"] = sorted(_can(view) & allowed)
    passage = view.get("passage")
    if passage is not None:
        plate = passage.get("plate")
        plates = [with_look(each) for each in passage.get("plates") or ()]
        shown["passage"] = {**passage, "plate": plate and with_look(plate), "plates": plates}
    return shown


def status_of(view: Mapping[str, Any]) -> dict[str, Any]:
    """What each heartbeat carries: the ages and states that go on changing while nothing happens at the lane."""
    return {key: view.get(key) for key in STATUS_KEYS}


def with_look(plate: Mapping[str, Any]) -> dict[str, Any]:
    return {**plate, "look": look(plate)}


def _can(view: Mapping[str, Any]) -> set[str]:
    """Stop is always there; the rest is as the desk says: of the passage, and of the lane whether or not a vehicle
    stands there."""
    passage = view.get("passage")
    return set(view.get("actions") or ()) | set((passage or {}).get("actions") or ()) | {"stop"}
