"""What the driver's sign shows: one of four words, and nothing of who he is or what is known of him. Pure.

A watched vehicle's driver sees what any driver sees who waits for the guard.
"""

from __future__ import annotations

from typing import Literal

from edge.core.view import LaneView, PassageView

Sign = Literal["stop", "wait", "drive", "booth"]

QUIET = frozenset({"watch", "customs_hold"})
"""Reasons that a driver must not be able to guess from the sign."""


def sign_of(view: LaneView) -> Sign:
    """ "drive" only while the limit switch says open, for the vehicle that stands there; whatever is not known says
    stop."""
    boom, passage = view.health.boom, view.passage
    if not boom.board_ok or boom.faults or boom.held:
        return "stop"
    if passage is None:
        return "stop"
    if passage.state == "open":
        return "drive" if boom.state == "open" else "stop"
    if boom.emergency and boom.state == "open":
        held = passage.verdict is not None and passage.verdict.verdict == "refuse"
        return "stop" if held or passage.state == "turned_away" else "drive"
    if boom.state in ("lowering", "stopped", "unknown", "open"):
        return "stop"
    return _before_the_boom(passage)


def _before_the_boom(passage: PassageView) -> Sign:
    if passage.state in ("turned_away", "not_opened"):
        return "booth"
    if passage.verdict is None or any(reason.code in QUIET for reason in passage.verdict.reasons):
        return "wait"
    return "booth" if passage.verdict.verdict in ("await", "refuse", "unknown") else "wait"
