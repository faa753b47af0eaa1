"""Which of the gate's troubles are alarms: boom faults, boards, cameras, clock, record, link, copy. Pure.

An alarm is what a person must answer; what only should be known stays a word on the quiet line (ISA-18.2). Priorities:
1 somebody may be hurt or the record is at stake, 2 the gate works worse, 3 it will if nobody sees to it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from edge.core.alarm.alarms import Condition, Priority
from edge.core.law.transfer import FiveDays
from edge.core.view import BoxView, HealthView, LinkView

FAULTS: Mapping[str, tuple[Priority, float]] = {
    "arm_torn": (1, 0.0),
    "both_limits": (1, 0.0),
    "not_closed": (1, 0.0),
    "loop_ended": (1, 0.0),
    "loop_dead": (1, 0.0),
    "tick_late": (1, 5.0),
    "host_lost": (1, 5.0),
    "inputs_stale": (1, 5.0),
    "not_opened": (2, 0.0),
    "repeated_reversal": (2, 0.0),
    "input_stuck": (2, 0.0),
    "input_unproven": (1, 0.0),
    "test_failed": (1, 0.0),
    "input_unknown": (2, 5.0),
    "write_failed": (2, 5.0),
    "output_on": (1, 0.0),
    "line_bad": (2, 5.0),
    "mains_lost": (2, 5.0),
    "tamper": (2, 0.0),
}
"""The barrier's fault codes (docs/safety.md), before any colon: priority, and seconds that it must last."""
NO_ALARM = frozenset({"starting", "board_lost"})
"""Passes by itself, or is said by the board's own condition."""
ONCE: Mapping[str, Priority] = {"tailgate": 1, "opened_unasked": 1, "still_open": 2}
"""Notices of the barrier that are over when they come."""

BOX: Mapping[str, tuple[Priority, float]] = {
    "battery_low": (1, 5.0),
    "on_battery": (2, 5.0),
    "hot": (2, 30.0),
    "part_failed": (2, 5.0),
}
"""What the PC itself may ask for (agent/box.py): priority, and seconds that it must last."""
LINK_S, BACKLOG_S, CLOCK_S, CAMERA_S, BOARD_S, CAMERA_START_S = 60.0, 600.0, 60.0, 3.0, 3.0, 45.0
COPY_NONE_S = 120.0
CENTRE_S = 20.0
"""It says itself that it goes when it is started anew; and until it is missed otherwise, 40 s have gone."""


@dataclass(frozen=True, slots=True)
class Beside:
    """Of the whole gate, beside its lanes: the PC, and lists of hand-over records whose day has passed."""

    box: BoxView
    lists: Sequence[FiveDays] = ()


def lane_conditions(lane: str, health: HealthView) -> Iterator[Condition]:
    """Of one lane."""
    board = f"{lane}/board"
    if not health.boom.board_ok:
        yield Condition(board, "board_lost", 1, lane, on_delay_s=BOARD_S)
    for fault in health.boom.faults:
        code, _, about = fault.partition(":")
        if code not in NO_ALARM:
            priority, lasts_s = FAULTS.get(code, (2, 0.0))
            # A board that does not answer explains every input that nobody knows.
            yield Condition(f"{lane}/boom/{fault}", code, priority, lane, about, lasts_s, frozenset({board}))
    if health.program:
        yield Condition(f"{lane}/program", "lane_failed", 1, lane, health.program)
    for camera in health.cameras:
        if camera.state != "up":
            lasts_s = CAMERA_START_S if camera.state == "starting" else CAMERA_S
            yield Condition(f"{lane}/camera/{camera.id}", "camera_down", 2, lane, camera.id, lasts_s)
    for fall in health.eyes:  # a lens that gets dirty, told before the guard complains
        yield Condition(f"{lane}/eyes/{fall.camera}", fall.code, 3, lane, fall.camera)
    oldest_s = health.link.oldest_s
    if health.link.state == "up" and oldest_s is not None and oldest_s > BACKLOG_S:
        yield Condition(f"{lane}/backlog", "backlog", 3, lane)


def gate_conditions(health: HealthView, beside: Beside, copy_limit_s: float) -> Iterator[Condition]:
    """Of the whole gate: box, record, clock, link and copy are the same at each of its lanes."""
    for code in beside.box.care:
        priority, lasts_s = BOX[code]
        yield Condition(f"gate/box/{code}", code, priority, on_delay_s=lasts_s)
    store = health.store.state
    if store != "ok":
        yield Condition("gate/store", f"store_{store}", 3 if store == "low" else 1)
    if health.clock != "synced":
        unset = health.clock == "unset"
        yield Condition("gate/clock", f"clock_{health.clock}", 1 if unset else 3, on_delay_s=0 if unset else CLOCK_S)
    yield from _of_the_link(health.link)
    copy_s = health.copy_age_s
    if copy_s is None and health.link.state != "off":
        yield Condition("gate/copy", "copy_none", 2, on_delay_s=COPY_NONE_S)
    elif copy_s is not None and copy_s > copy_limit_s:
        yield Condition("gate/copy", "copy_old", 2)
    for one in beside.lists:
        code = "list_overdue" if one.way == "received" else "list_unsent"
        yield Condition(f"gate/list/{one.key}", code, 3, about=f"{one.unit}, {one.due:%d/%m/%Y}")
    for code in health.record:
        yield Condition(f"gate/record/{code}", code, 1)
    if health.taken.watchlist:  # a listed truck may read ready: nobody may find that out at the barrier
        yield Condition("gate/watchlist", "watchlist_refused", 1)
    if health.taken.watch_rows:
        yield Condition("gate/watch_rows", "watch_rows", 2)
    if health.taken.declarations:
        yield Condition("gate/declarations", "declarations_refused", 2)


def lane_unknown(lane: str) -> Condition:
    """Nobody could look at this lane: a fault of the program's own."""
    return Condition(f"{lane}/unknown", "lane_unknown", 1, lane, on_delay_s=3.0)


def _of_the_link(link: LinkView) -> Iterator[Condition]:
    if "broker refused event" in link.detail:
        yield Condition("gate/events", "events_refused", 1, on_delay_s=5.0)
    if "with this gate's id" in link.detail:
        yield Condition("gate/twin", "twin", 1)
    if link.state == "refused":
        yield Condition("gate/link", "link_refused", 2, on_delay_s=5.0)
    elif link.state == "down":
        yield Condition("gate/link", "link_down", 3, on_delay_s=LINK_S)
    elif link.state == "broker":
        yield Condition("gate/link", "centre_gone", 3, on_delay_s=CENTRE_S)


def notice_condition(lane: str, kind: str, code: str) -> Condition | None:
    """What the barrier told of as it happened, where that asks for an answer; None where it does not."""
    priority = ONCE.get(kind)
    return None if priority is None else Condition(f"{lane}/{kind}", kind, priority, lane, code)
