"""The driver's sign, who is expected, the handover note, plots: the pure parts of the pages beside the lane."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge import resources
from edge.core.alarm.alarms import Alarm, Shelf
from edge.core.driver_sign import sign_of
from edge.core.law.rules import parse_rules
from edge.core.model import Confirmation, Vehicle
from edge.core.record import handover
from edge.core.record.expected import expected
from edge.panel import plots, wording
from edge.panel.messages import load_catalogue
from tests.law.tools import declared
from tests.panel.fakes import BOOM, lane_view, passage
from tests.panel.views import lane_view_of

RULES = parse_rules(*resources.config_text("procedures.toml"))
NOW = "2026-11-20T12:00:00+07:00"


# ---------------------------------------------------------------- the driver's sign


def sign(boom: dict[str, Any] | None = None, **more: Any) -> str:
    return sign_of(lane_view_of(lane_view(boom={**BOOM, **(boom or {})}, **more)))


def refused(code: str) -> dict[str, Any]:
    told = passage("refuse")
    return {**told, "verdict": {**told["verdict"], "reasons": [{"code": code, "text": "", "article": ""}]}}


@pytest.mark.parametrize(
    ("boom", "standing", "word"),
    [
        ({}, None, "stop"),
        ({}, passage("ready"), "wait"),
        ({}, {**passage("ready", state="reading"), "verdict": None}, "wait"),
        ({}, passage("await"), "booth"),
        ({}, passage("unknown"), "booth"),
        ({}, refused("withdrawn"), "booth"),
        ({"state": "opening"}, passage("ready", state="opening"), "wait"),
        ({"state": "open"}, passage("ready", state="open"), "drive"),
        ({"state": "opening"}, passage("ready", state="open"), "stop"),
        ({"state": "open"}, passage("ready"), "stop"),
        ({"state": "open"}, None, "stop"),
        ({"state": "lowering"}, passage("ready"), "stop"),
        ({}, passage("ready", state="turned_away"), "booth"),
        ({}, passage("ready", state="not_opened"), "booth"),
        ({"state": "open", "faults": ["tamper"]}, passage("ready", state="open"), "stop"),
        ({"state": "open", "board_ok": False}, passage("ready", state="open"), "stop"),
        ({"held": True}, passage("ready"), "stop"),
    ],
)
def test_the_sign_says_one_of_four_words(boom: dict[str, Any], standing: dict[str, Any] | None, word: str) -> None:
    assert sign(boom, passage=standing) == word


def test_a_driver_whose_vehicle_of_the_declaration_is_not_known_is_asked_to_the_booth() -> None:
    told = passage("unknown", who={"declaration": "CKS-1", "vehicle": [], "plate": None, "asked": True})
    told["verdict"]["reasons"] = [{"code": "which_vehicle", "text": "", "article": ""}]
    assert sign(passage=told) == "booth"


@pytest.mark.parametrize("code", ["watch", "customs_hold"])
def test_a_watched_drivers_sign_is_that_of_any_driver_who_waits_for_the_guard(code: str) -> None:
    assert sign(passage=refused(code)) == sign(passage=passage("ready")) == "wait"


STATES = st.sampled_from(
    ["reading", "waiting", "permitted", "opening", "open", "through", "not_opened", "turned_away", "left"]
)
BOOMS = st.sampled_from(["closed", "opening", "open", "lowering", "stopped", "unknown"])


@given(BOOMS, STATES, st.booleans(), st.booleans(), st.booleans())
def test_nobody_is_told_to_drive_unless_the_limit_switch_says_open(
    boom: str, state: str, board_ok: bool, held: bool, fault: bool
) -> None:
    faults = ["tamper"] if fault else []
    told = sign(
        {"state": boom, "board_ok": board_ok, "held": held, "faults": faults}, passage=passage("ready", state=state)
    )
    assert (told == "drive") == (boom == "open" and state == "open" and board_ok and not held and not fault)


def test_the_sign_speaks_vietnamese_and_chinese() -> None:
    catalogue = load_catalogue()
    for word in ("stop", "wait", "drive", "booth"):
        assert re.fullmatch(r"[\u4e00-\u9fff]+", catalogue[f"sign.{word}"]["zh"])


# ---------------------------------------------------------------- who is on the way


def passed(step: str, hour: int, plate: str | None = None, act: str = "passed") -> Confirmation:
    return Confirmation(step, "SYS", act, f"2026-11-20T{hour:02d}:00:00+07:00", "b1-in", "gate", plate)


def test_who_was_let_in_is_expected_at_the_next_gate_since_then() -> None:
    one = declared("IM-IN", [passed("b1_in", 9)], vehicles=(Vehicle("vehicle", "桂FA1234", "CN"),))
    (found,) = expected(lambda _: RULES, [one], NOW, None)
    assert (found.plates, found.came_by, found.next_step, found.for_s) == (
        ("桂FA1234",),
        "b1_in",
        "yard_in",
        3 * 3600.0,
    )
    assert not found.overstayed


def test_the_newest_gate_counts_and_after_the_last_nobody_is_expected() -> None:
    way = [passed("b1_in", 8), passed("yard_in", 9, act="auto"), passed("yard_out", 10, act="auto")]
    (found,) = expected(lambda _: RULES, [declared("IM-IN", way)], NOW, 3600.0)
    assert (found.next_step, found.overstayed) == ("b2_out", True)
    assert expected(lambda _: RULES, [declared("IM-IN", [*way, passed("b2_out", 11)])], NOW, None) == []


def test_each_vehicle_of_a_declaration_is_on_its_own_way() -> None:
    two = (Vehicle("vehicle", "12C12345", "VN"), Vehicle("vehicle", "12C54321", "VN"))
    one = declared("EX-IN", [passed("b2_in", 9, "12C12345"), passed("b2_in", 11, "12C54321")], vehicles=two)
    found = expected(lambda _: RULES, [one], NOW, None)
    assert [(one.plates, one.for_s) for one in found] == [(("12C12345",), 10800.0), (("12C54321",), 3600.0)]


def test_nobody_is_expected_who_has_not_come_or_whose_declaration_is_no_more() -> None:
    other = Confirmation("b2_in", "CU", "pass", "2026-11-20T09:00:00+07:00", "HQ-1")
    assert expected(lambda _: RULES, [declared("EX-IN", [other])], NOW, None) == []
    assert expected(lambda _: RULES, [declared("EX-IN", [passed("b2_in", 9)], state="withdrawn")], NOW, None) == []
    with pytest.raises(ValueError, match="offset"):
        expected(lambda _: RULES, [], "2026-11-20T12:00:00", None)


# ---------------------------------------------------------------- the handover note


def test_the_note_holds_everything_that_is_open_and_each_overstay_once() -> None:
    stay = {"declaration": "CKS-9", "plates": ["12C67890"], "since": NOW, "inside_s": 9.0}
    task = {"id": "PAPER-1", "plates": ["12C12345"], "outcome": "missing", "declaration": None, "differences": []}
    busy = lane_view(
        passage=passage("await"), boom={**BOOM, "held": True, "faults": ["tamper"]}, overstays=[stay],
        paper={"by": "BP-1", "at": NOW, "why": "link"}, paper_tasks=[task],
    )  # fmt: skip
    alarm = Alarm("k", "tamper", 2, "b1-out", "", NOW, acknowledged=True, acknowledged_by="BP-1")
    shelved = replace(alarm, shelf=Shelf("BP-1", NOW, 60.0, 60.0, "boot"))
    quiet = lane_view(lane="b1-in", overstays=[stay])
    note = handover.note({"b1-out": lane_view_of(busy), "b1-in": lane_view_of(quiet)}, [alarm, shelved])
    first, second = note.lanes
    assert first.passage is not None
    assert first.paper is not None
    assert (first.passage.plates, first.paper.by) == (("12C12345",), "BP-1")
    assert (first.held, first.faults) == (True, ("tamper",))
    assert second.passage is None
    assert [len(one) for one in (note.paper_tasks, note.overstays, note.alarms, note.shelved)] == [1, 1, 1, 1]
    assert note.open_points == 5
    assert handover.note({"b1-out": lane_view_of(lane_view())}, []).open_points == 0


# ---------------------------------------------------------------- plots and words


@given(st.lists(st.one_of(st.none(), st.floats(0, 1e6)), min_size=24, max_size=24))
def test_a_plot_is_sound_svg_without_style_or_script_and_within_its_frame(values: list[float | None]) -> None:
    drawn = plots.hours('Lượt "xe" <giờ>', values, "giờ", [1] * 24)
    root = ElementTree.fromstring(drawn)  # noqa: S314 - our own
    assert root.attrib["aria-label"] == 'Lượt "xe" <giờ>'
    assert "style" not in drawn.replace("stylesheet", "")
    for bar in root.iter("rect"):
        assert float(bar.attrib["y"]) >= 0
        assert float(bar.attrib["y"]) + float(bar.attrib["height"]) <= plots.HEIGHT - plots.BOTTOM + 1.01


def test_ranks_have_one_bar_a_reason_and_escape_its_words() -> None:
    root = ElementTree.fromstring(plots.ranks("a", [("A & B", 4), ("C", 1)]))  # noqa: S314 - our own
    widths = [float(bar.attrib["width"]) for bar in root.iter("rect")]
    assert widths[0] == pytest.approx(4 * widths[1], rel=0.01)


def test_times_and_waits_are_written_as_people_there_do() -> None:
    at = "2026-11-20T02:10:05+00:00"
    assert (wording.full_clock("vi", at), wording.full_clock("en", at)) == (
        "20/11/2026 09:10:05",
        "20 Nov 2026 09:10:05",
    )
    assert wording.short_clock("vi", 1_795_140_605_000) == "20/11 09:10"
    assert [wording.span("vi", s) for s in (5, 65, 3725, None)] == ["5 giây", "1 phút 05 giây", "1 giờ 02 phút", ""]
    assert (wording.amount("vi", 1234.5, 1), wording.amount("en", 1234.5, 1)) == ("1.234,5", "1,234.5")
