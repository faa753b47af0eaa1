"""The row of steps on the guard's screen."""

from __future__ import annotations

from edge.core.law.procedures import outline
from edge.core.model import Confirmation, Declaration, StepView
from tests.law.table import GATES, NONE, asked_at
from tests.law.tools import LEGAL, declared, given, rules, stamp


def row(declaration: Declaration | None, gate: str) -> tuple[StepView, ...]:
    return outline(rules(), LEGAL, declaration, *GATES[gate])


def states(views: tuple[StepView, ...]) -> dict[str, str]:
    return {view.step: view.state for view in views}


def test_no_declaration_or_an_unknown_procedure_has_no_steps() -> None:
    assert row(None, "b1_out") == ()
    assert row(declared("NO-SUCH"), "b1_out") == ()


def test_earlier_steps_are_done_or_open_and_later_ones_later() -> None:
    asked = asked_at("EX-IN", "b1_out", NONE)
    confirmations = [given(one, n) for n, one in enumerate(asked) if one.authority != "HE"]
    assert states(row(declared("EX-IN", confirmations, NONE), "yard_out")) == {
        "b2_in": "done", "yard_in": "done", "in_yard": "open", "fee": "done", "yard_out": "here", "b1_out": "later",
    }  # fmt: skip


def test_a_step_is_done_once_the_vehicle_is_through() -> None:
    through = Confirmation("b2_in", "SYS", "passed", stamp(9), "b2", "gate")
    asked = asked_at("EX-IN", "b2_in", NONE)
    confirmations = [given(one, n) for n, one in enumerate(asked)]
    assert states(row(declared("EX-IN", confirmations), "b2_in"))["b2_in"] == "here"
    assert states(row(declared("EX-IN", [*confirmations, through]), "b2_in"))["b2_in"] == "done"


def test_at_a_gate_that_the_procedure_never_passes_the_first_open_step_is_shown() -> None:
    at_b2 = [given(one, 0) for one in asked_at("VN-EMPTY-TO-CN", "b2_in", NONE)]
    assert states(row(declared("VN-EMPTY-TO-CN", at_b2), "yard_in")) == {"b2_in": "done", "b1_out": "open"}
    assert states(row(declared("VN-EMPTY-TO-CN"), "yard_in")) == {"b2_in": "open", "b1_out": "later"}


def test_needs_say_who_gave_what_when_and_what_came_too_early() -> None:
    confirmations = [
        Confirmation("b2_in", "BG", "pass", stamp(0), "BP-1"),
        Confirmation("b2_in", "CU", "pass", stamp(1), "HQ-1"),
        Confirmation("fee", "TX", "fee", stamp(2), "TX-1"),
    ]
    views = {view.step: view.needs for view in row(declared("EX-IN", confirmations, {"fee": True}), "b2_in")}
    assert [(n.authority, n.state, n.by, n.at) for n in views["b2_in"]] == [
        ("CU", "given", "HQ-1", stamp(1)), ("BG", "early", "BP-1", stamp(0)),
    ]  # fmt: skip
    assert [(n.authority, n.state, n.by) for n in views["fee"]] == [("TX", "given", "TX-1")]
    permit = views["b1_out"][0]
    assert (permit.authority, permit.state, permit.article) == ("CD", "missing", "27/2025 Art. 4.2.g")
    empty = {view.step: view.needs for view in row(declared("EX-IN", requires={"fee": True}), "b2_in")}
    assert [n.authority for n in empty["fee"]] == ["GC|TX"]


def test_a_bracketed_passage_has_no_needs() -> None:
    views = row(declared("VN-EMPTY-RETURN"), "b2_out")
    assert [(view.step, view.needs) for view in views][1:3] == [("yard_in", ()), ("yard_out", ())]


def test_every_earlier_step_that_lacks_something_is_open() -> None:
    views = states(row(declared("EX-IN", requires=NONE), "b1_out"))
    assert views == {
        "b2_in": "open", "yard_in": "open", "in_yard": "open", "fee": "done", "yard_out": "open", "b1_out": "here",
    }  # fmt: skip


def test_between_steps_presence_counts_and_in_a_listed_group_order() -> None:
    asked = asked_at("EX-IN", "b1_out", NONE)
    confirmations = [given(one, n) for n, one in enumerate(asked) if (one.step, one.authority) != ("b2_in", "BG")]
    views = row(declared("EX-IN", confirmations, NONE), "b1_out")
    assert [view.state for view in views if view.step in ("b2_in", "yard_in", "in_yard")] == ["open", "done", "done"]
    behind = [given(one, n) for n, one in enumerate(asked) if one.authority != "CD"]
    needs = row(declared("EX-IN", behind, NONE), "b1_out")[-1].needs
    assert [(n.authority, n.state) for n in needs][:3] == [("CD", "missing"), ("CU", "early"), ("HE", "early")]
