"""Lane views for the screen's tests, written as the page's JSON and read into the gate's own types."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from edge.core.json_shape import read
from edge.core.model import Declaration, PlateText
from edge.core.view import BoomView, CameraView, HealthView, LaneView, LinkView, RoomView
from edge.wire import parse_declaration

QUIET: dict[str, Any] = {
    "paper": None, "paper_options": None, "paper_tasks": [], "overstays": [], "yard": None, "not_lowered": "",
    "actions": [], "last": [], "passage": None,
}  # fmt: skip
STANDING: dict[str, Any] = {
    "pairing": None, "needs_check": False, "two_people": False, "who": None, "vehicles": [], "shut": None,
    "seals": None, "fault": "", "result": None, "declaration": None, "procedure": None,
}  # fmt: skip
NO_ALARMS = {"waiting": 0, "active": 0, "shelved": 0, "worst": None, "newest": None}
HEALTHY = HealthView(
    boom=BoomView(state="closed"),
    cameras=(CameraView(id="front", state="up"),),
    link=LinkView(state="up"),
    clock="synced",
    store=RoomView("ok"),
    copy_age_s=0.0,
)


def lane_view_of(shown: Mapping[str, Any]) -> LaneView:
    """What is left out is as it is where nothing is wrong."""
    passage = shown.get("passage")
    gate = {"alarms": NO_ALARMS, "handover_open": False} if "box" in shown else {}
    full = {**QUIET, **gate, **shown, "passage": passage and _passage(passage)}
    view: LaneView = read(LaneView, full, {Declaration: _declaration})
    return view


def with_boom(view: LaneView, **boom: Any) -> LaneView:
    return replace(view, health=replace(view.health, boom=BoomView(**boom)))


def plate_text(text: str, **more: Any) -> PlateText:
    return PlateText(text, text, 0.99, **more)


def _passage(passage: Mapping[str, Any]) -> dict[str, Any]:
    full = {**STANDING, **passage}
    if full["verdict"]:
        missing = [{"authority_name": _both(one["authority"]), **one} for one in full["verdict"]["missing"]]
        reasons = [{**one, "text": _both(one["text"])} for one in full["verdict"]["reasons"]]
        full["verdict"] = {**full["verdict"], "missing": missing, "reasons": reasons}
    return full


def _both(text: str | Mapping[str, str]) -> Mapping[str, str]:
    return {"vi": text, "en": text} if isinstance(text, str) else text


def _declaration(row: Mapping[str, Any]) -> Declaration:
    return parse_declaration(json.dumps(row).encode())
