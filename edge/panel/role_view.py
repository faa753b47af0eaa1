"""From the lane's view to the page's JSON: plates get their look, actions are cut down to what this role allows."""

from __future__ import annotations

from edge.core.json_shape import JsonObject, object_of
from edge.core.view import LaneView, PlateView
from edge.panel.plate_look import look

STATUS_KEYS = ("number", "cameras", "link", "clock", "store", "copy_age_s", "alarms", "box")
"""What each heartbeat carries: the ages and states that go on changing while nothing happens at the lane."""


def screen_view(view: LaneView, allowed: frozenset[str]) -> JsonObject:
    """The view as JSON (docs/screen.md) with `can`: what this person may press now, and a `look` in each plate."""
    shown = object_of(view)
    shown["can"] = [*sorted(can_press(view) & allowed)]
    if view.passage is not None:
        passage = object_of(view.passage)
        known = view.passage.plate
        plates = [with_look(each) for each in view.passage.plates]
        shown["passage"] = {**passage, "plate": None if known is None else with_look(known), "plates": [*plates]}
    return shown


def with_look(plate: PlateView) -> JsonObject:
    return {**object_of(plate), "look": object_of(look(plate.plate))}


def can_press(view: LaneView) -> set[str]:
    """Stop is always there; the rest is as the desk says: of the passage, and of the lane whether or not a vehicle
    stands there."""
    return {*view.actions, *(view.passage.actions if view.passage else ()), "stop"}
