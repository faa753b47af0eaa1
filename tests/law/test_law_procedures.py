"""Every procedure at every gate, against the table written out by hand from the Decision."""

from __future__ import annotations

import random
from collections.abc import Iterable
from itertools import combinations, pairwise
from typing import Any

import pytest
from hypothesis import given as examples
from hypothesis import settings
from hypothesis import strategies as st

from edge.core.law.terms import Choices
from edge.core.model import Confirmation, Declaration
from tests.law.table import ALL, BACK, CASES, GATES, LISTED, NONE, TABLE, YARDS, Asked, asked_at
from tests.law.tools import EXACT, as_missing, at_gate, codes, given, missing, rules
from tests.law.tools import declared as bare

CAME_IN = Confirmation("b1_in", "SYS", "passed", "2026-11-20T08:00:00+07:00", "b1", "gate")


def declared(procedure: str, confirmations: Iterable[Confirmation] = (), *args: Any, **kwargs: Any) -> Declaration:
    """With the trace of having come in that Art. 7.3 takes for granted."""
    trace = [CAME_IN] if procedure == "CN-EMPTY-FROM-YARD" else []
    return bare(procedure, [*confirmations, *trace], *args, **kwargs)


EXHAUSTIVE_UP_TO = 9
SAMPLES = 60


def _subsets(asked: list[Asked]) -> list[tuple[Asked, ...]]:
    """Every proper subset of a short list; of a long one those that lack or have one or two, and a seeded sample."""
    if len(asked) <= EXHAUSTIVE_UP_TO:
        return [subset for size in range(len(asked)) for subset in combinations(asked, size)]
    draw = random.Random(len(asked))  # noqa: S311 (a fixed seed, no secret)
    sampled = [tuple(one for one in asked if draw.random() < 0.5) for _ in range(SAMPLES)]
    near = [subset for size in (0, 1, len(asked) - 2, len(asked) - 1) for subset in combinations(asked, size)]
    return near + [subset for subset in sampled if len(subset) < len(asked)]


def _lacking(asked: list[Asked], given_ones: tuple[Asked, ...]) -> list[Asked]:
    """What is not there, and in a listed group what was given while something listed before it is absent."""
    lacking = {one for one in asked if one not in given_ones}
    broken: set[str] = set()
    for one in asked:
        if one.step in LISTED and (one in lacking or (one.step in broken and one.authority != "BG")):
            broken.add(one.step)
            lacking.add(one)
    return [one for one in asked if one in lacking]


def _got_nothing(procedure: str, gate: str, given_ones: tuple[Asked, ...]) -> bool:
    yard = any(one.authority == "CU" and one.step in ("register", "in_yard") for one in given_ones)
    return gate in BACK.get(procedure, {}) and not yard


def test_the_table_has_exactly_the_fifteen_procedures_step_by_step() -> None:
    read = {
        procedure.id: [
            (step.step, step.article.removeprefix("27/2025 ").removeprefix("Art. ")) for step in procedure.steps
        ]
        for procedure in rules().procedures.values()
    }
    assert read == {procedure: [(step, article) for step, article, _ in rows] for procedure, rows in TABLE.items()}
    assert len(read) == 15


@pytest.mark.parametrize("requires", [ALL, NONE, {}], ids=["every if-any", "no if-any", "silent"])
@pytest.mark.parametrize(("procedure", "gate"), CASES)
def test_the_full_set_in_order_releases(procedure: str, gate: str, requires: dict[str, bool]) -> None:
    asked = asked_at(procedure, gate, requires)
    verdict = at_gate(declared(procedure, [given(one, n) for n, one in enumerate(asked)], requires), gate)
    assert (verdict.verdict, verdict.step, verdict.missing) == ("release", gate, ())


@pytest.mark.parametrize("requires", [ALL, NONE], ids=["every if-any", "no if-any"])
@pytest.mark.parametrize(("procedure", "gate"), CASES)
def test_each_proper_subset_asks_for_exactly_what_it_lacks(
    procedure: str, gate: str, requires: dict[str, bool]
) -> None:
    asked = asked_at(procedure, gate, requires)
    for subset in _subsets(asked):
        verdict = at_gate(declared(procedure, [given(one, asked.index(one)) for one in subset], requires), gate)
        if _got_nothing(procedure, gate, subset):
            continue  # it goes back: tests/law/test_law_lived.py
        lacking = _lacking(asked, subset)
        only_the_opener = lacking == asked[-1:] and gate not in YARDS
        assert verdict.verdict == ("ready" if only_the_opener else "await")
        assert missing(verdict) == as_missing(lacking)


@pytest.mark.parametrize(("procedure", "gate"), CASES)
def test_the_last_thing_asked_at_a_barrier_is_the_border_guards_pass(procedure: str, gate: str) -> None:
    if gate not in YARDS:
        last = at_gate(declared(procedure, requires=ALL), gate).missing[-1]
        assert (last.step, last.authority, last.act) == (gate, "BG", "pass")


@pytest.mark.parametrize(("procedure", "gate"), CASES)
def test_a_swap_matters_only_where_the_decision_lists_the_order(procedure: str, gate: str) -> None:
    asked = asked_at(procedure, gate, ALL)
    for index, (one, other) in enumerate(pairwise(asked)):
        minutes = {one: index + 1, other: index}
        confirmations = [given(each, minutes.get(each, n)) for n, each in enumerate(asked)]
        verdict = at_gate(declared(procedure, confirmations, ALL), gate)
        if one.step == other.step and one.step in LISTED:
            assert verdict.verdict in ("await", "ready")
            assert as_missing([other])[0] in missing(verdict)
            assert "out_of_order" in codes(verdict)
        elif other is asked[-1] and one.step == gate and gate not in YARDS:
            assert (verdict.verdict, missing(verdict)) == ("ready", as_missing([other]))
            assert "opener_early" in codes(verdict)
        else:
            assert verdict.verdict == "release"


LONG = [case for case in CASES if len(asked_at(*case, ALL)) > 1]


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@examples(data=st.data(), case=st.sampled_from(LONG))
def test_no_order_of_arrival_changes_the_verdict_outside_the_listed_groups(
    data: st.DataObject, case: tuple[str, str]
) -> None:
    """Any stamps at all: released exactly where the listed groups are in order and the opener of this gate is last."""
    procedure, gate = case
    asked = asked_at(procedure, gate, ALL)
    minutes = data.draw(st.lists(st.integers(0, len(asked)), min_size=len(asked), max_size=len(asked)))
    at = dict(zip(asked, minutes, strict=True))
    listed = [[one for one in asked if one.step == step] for step in LISTED]
    legal = all(at[one] <= at[other] for group in listed for one, other in pairwise(group))
    if gate not in YARDS:
        legal = legal and all(at[one] <= at[asked[-1]] for one in asked if one.step == gate)
    confirmations = [given(one, minute) for one, minute in at.items()]
    data.draw(st.randoms(use_true_random=False)).shuffle(confirmations)
    assert (at_gate(declared(procedure, confirmations, ALL), gate).verdict == "release") == legal


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@examples(data=st.data(), case=st.sampled_from(LONG))
def test_giving_any_asked_confirmation_never_increases_what_is_missing(
    data: st.DataObject, case: tuple[str, str]
) -> None:
    """Seen: goods_type four minutes after the fee voided fee and yard exit, which can never be given again."""
    procedure, gate = case
    asked = asked_at(procedure, gate, ALL)
    at_hand = data.draw(st.lists(st.tuples(st.sampled_from(asked), st.integers(0, 20)), max_size=len(asked)))
    confirmations = [given(one, minute) for one, minute in at_hand]
    before = at_gate(declared(procedure, confirmations, ALL), gate)
    minute = 21
    while before.missing:
        wanted = data.draw(st.sampled_from(before.missing))
        one = next(a for a in asked if (a.step, a.authority, a.act) == (wanted.step, wanted.authority, wanted.act))
        confirmations.append(given(one, minute))
        minute += 1
        after = at_gate(declared(procedure, confirmations, ALL), gate)
        assert {m for m in set(after.missing) - set(before.missing) if (m.authority, m.act) != ("BG", "pass")} == set()
        assert len(after.missing) <= len(before.missing)
        first = before.missing[0]
        assert wanted != first or wanted not in after.missing
        before = after
        if minute > 60:
            break
    if minute <= 60:
        assert before.verdict == "release"


@settings(max_examples=150, deadline=None)
@examples(data=st.data(), case=st.sampled_from(CASES))
def test_one_confirmation_more_never_takes_a_release_back(data: st.DataObject, case: tuple[str, str]) -> None:
    procedure, gate = case
    asked = asked_at(procedure, gate, ALL)
    confirmations = [given(one, n) for n, one in enumerate(asked)]
    if asked:
        confirmations.append(given(data.draw(st.sampled_from(asked)), data.draw(st.integers(-5, 40))))
    assert at_gate(declared(procedure, confirmations, ALL), gate).verdict == "release"


@pytest.mark.parametrize("procedure", TABLE)
def test_a_gate_that_the_procedure_never_passes_refuses(procedure: str) -> None:
    own = {step for step, _, _ in TABLE[procedure]} | BACK.get(procedure, {}).keys()
    for gate in GATES.keys() - own:
        verdict = at_gate(declared(procedure, requires=NONE), gate)
        assert (verdict.verdict, codes(verdict), verdict.missing) == ("refuse", ["never_passes"], ())


@pytest.mark.parametrize(("procedure", "gate"), CASES)
def test_a_second_arrival_is_refused_as_passed_already(procedure: str, gate: str) -> None:
    asked = asked_at(procedure, gate, NONE)
    through = Asked(gate, "SYS", "passed", "", 0)
    confirmations = [*(given(one, n) for n, one in enumerate(asked)), given(through, 50)]
    verdict = at_gate(declared(procedure, confirmations, NONE), gate)
    assert (verdict.verdict, codes(verdict)) == ("refuse", ["passed_already"])


@pytest.mark.parametrize("procedure", ["EX-IN", "EX-OUT-FULL"])
def test_a_site_may_choose_the_appendix_at_b1_out(procedure: str) -> None:
    appendix = rules().choose({"he_at_b1_out": "appendix"})
    without = [one for one in asked_at(procedure, "b1_out", NONE) if (one.step, one.authority) != ("b1_out", "HE")]
    confirmations = [given(one, n) for n, one in enumerate(without)]
    assert at_gate(declared(procedure, confirmations, NONE), "b1_out", appendix).verdict == "release"
    assert missing(at_gate(declared(procedure, confirmations, NONE), "b1_out")) == [
        ("b1_out", "HE", "pass", "27/2025 Art. 4.2.g" if procedure == "EX-IN" else "27/2025 Art. 4.3.g")
    ]


@pytest.mark.parametrize("procedure", ["EX-OUT-PART", "VN-EMPTY-TO-CN", "CN-EMPTY-FROM-INLAND"])
def test_the_appendix_changes_nothing_where_it_has_health_at_b1_out_too(procedure: str) -> None:
    appendix = rules().choose({"he_at_b1_out": "appendix"})
    asked = asked_at(procedure, "b1_out", NONE)
    assert missing(at_gate(declared(procedure, requires=NONE), "b1_out", appendix)) == as_missing(asked)


@pytest.mark.parametrize("procedure", ["IM-IN", "IM-OUT-FULL", "IM-OUT-PART"])
def test_a_site_may_choose_the_appendix_at_b1_in(procedure: str) -> None:
    appendix = rules().choose({"he_at_b1_in": "appendix"})
    without = [one for one in asked_at(procedure, "b1_in", NONE) if one.authority != "HE"]
    confirmations = [given(one, n) for n, one in enumerate(without)]
    assert at_gate(declared(procedure, confirmations, NONE), "b1_in", appendix).verdict == "release"
    assert at_gate(declared(procedure, confirmations, NONE), "b1_in").verdict == "await"


@pytest.mark.parametrize("procedure", ["VN-EMPTY-FROM-CN", "VN-EMPTY-FROM-CN-IMPORT", "CN-EMPTY-EXPORT"])
def test_the_appendix_changes_nothing_where_it_has_health_at_b1_in_too(procedure: str) -> None:
    appendix = rules().choose({"he_at_b1_in": "appendix"})
    assert missing(at_gate(declared(procedure), "b1_in", appendix)) == as_missing(asked_at(procedure, "b1_in", NONE))


@pytest.mark.parametrize("authority", ["GC", "TX"])
def test_either_the_centre_or_the_tax_office_confirms_the_fee(authority: str) -> None:
    requires = {**NONE, "fee": True}
    asked = asked_at("EX-IN", "yard_out", requires)
    confirmations = [given(one, n, authority if one.act == "fee" else None) for n, one in enumerate(asked)]
    assert at_gate(declared("EX-IN", confirmations, requires), "yard_out").verdict == "release"
    without = [one for one in confirmations if one.act != "fee"]
    assert missing(at_gate(declared("EX-IN", without, requires), "yard_out")) == [
        ("fee", "GC|TX", "fee", "27/2025 Art. 4.2.đ")
    ]


@pytest.mark.parametrize(
    "procedure", ["VN-EMPTY-IMPORT", "VN-EMPTY-FROM-CN-IMPORT", "VN-EMPTY-EXPORT", "CN-EMPTY-EXPORT"]
)
def test_without_a_registration_an_empty_vehicle_cannot_go_on(procedure: str) -> None:
    gate = next(step for step, _, _ in reversed(TABLE[procedure]))
    asked = asked_at(procedure, gate, NONE)
    confirmations = [given(one, n) for n, one in enumerate(asked) if one.step != "register"]
    verdict = at_gate(declared(procedure, confirmations, NONE), gate)
    assert verdict.verdict == "await"
    assert [m[0] for m in missing(verdict)] == ["register"]
    assert codes(verdict)[:2] == ["not_registered", "missing"]
    registered = at_gate(declared(procedure, [given(one, n) for n, one in enumerate(asked)], NONE), gate)
    assert codes(registered) == ["complete"]


def test_a_bracketed_passage_is_never_required_later() -> None:
    asked = asked_at("VN-EMPTY-RETURN", "b2_out", NONE)
    confirmations = [given(one, n) for n, one in enumerate(asked)]
    assert at_gate(declared("VN-EMPTY-RETURN", confirmations), "b2_out").verdict == "release"
    verdict = at_gate(declared("VN-EMPTY-RETURN", confirmations[:2]), "yard_in")
    assert (verdict.verdict, codes(verdict)) == ("release", ["yard_passage"])


def test_release_at_a_yard_gate_says_that_the_system_confirms() -> None:
    asked = asked_at("EX-IN", "yard_in", NONE)
    verdict = at_gate(declared("EX-IN", [given(one, n) for n, one in enumerate(asked)]), "yard_in")
    assert (codes(verdict), verdict.reasons[0].article) == (["yard_auto"], "27/2025 Art. 4.2.c")


def test_a_yard_exit_may_only_warn_and_the_next_barrier_still_holds() -> None:
    warn = rules().choose({"yard_exit": "warn"})
    asked = asked_at("IM-IN", "yard_out", NONE)
    early = [given(one, n) for n, one in enumerate(asked) if one.authority != "HE" or one.step != "in_yard"]
    held = at_gate(declared("IM-IN", early, NONE), "yard_out")
    assert held.verdict == "await"
    warned = at_gate(declared("IM-IN", early, NONE), "yard_out", warn)
    assert (warned.verdict, missing(warned)) == ("release", missing(held))
    assert codes(warned)[0] == "yard_exit_warned"
    out = Asked("yard_out", "SYS", "auto", "", 0)
    health = next(one for one in asked if (one.step, one.authority) == ("in_yard", "HE"))
    at_b2 = [*early, given(out, 40), given(Asked("b2_out", "CU", "pass", "", 0), 60)]
    lacking = at_gate(declared("IM-IN", at_b2, NONE), "b2_out", warn)
    assert [m[1] for m in missing(lacking)] == ["HE", "BG"]
    for choices in (warn, rules().choose({})):
        late = at_gate(declared("IM-IN", [*at_b2, given(health, 50)], NONE), "b2_out", choices)
        assert (late.verdict, [m[1] for m in missing(late)]) == ("ready", ["BG"])
    assert "odd_order" in codes(late)


def test_warning_at_the_exit_loosens_nothing_else() -> None:
    warn = rules().choose({"yard_exit": "warn"})
    customs, guard = asked_at("EX-IN", "b2_in", NONE)
    assert at_gate(declared("EX-IN", [given(customs, 1), given(guard, 0)]), "b2_in", warn).verdict == "ready"
    assert at_gate(declared("IM-IN", requires=NONE), "yard_in", warn).verdict == "await"


def test_a_place_and_direction_that_do_not_go_together_refuse() -> None:
    from edge.core.law.procedures import decide
    from tests.law.tools import LEGAL, NOW

    verdict = decide(rules(), LEGAL, declared("EX-IN"), "b1", "in", now=NOW, facts=EXACT)
    assert (verdict.verdict, verdict.step) == ("refuse", None)
    assert decide(rules(), Choices(), None, "b1", "in", now=NOW).verdict == "unknown"


def test_a_passage_speaks_of_its_own_step_and_only_the_system_gives_it() -> None:
    asked = asked_at("EX-IN", "b1_out", NONE)
    confirmations = [given(one, n) for n, one in enumerate(asked)]
    for other in (
        given(Asked("b2_in", "SYS", "passed", "", 0), 20),
        given(Asked("b1_out", "CU", "passed", "", 0), 20),
        given(Asked("b1_out", "SYS", "noted", "", 0), 20, via="gate"),
    ):
        assert at_gate(declared("EX-IN", [*confirmations, other], NONE), "b1_out").verdict == "release"


def test_of_several_the_earliest_in_order_counts_however_they_are_listed() -> None:
    customs, guard = asked_at("EX-IN", "b2_in", NONE)
    confirmations = [given(customs, 30), given(customs, 1), given(guard, 5), given(guard, 0)]
    assert at_gate(declared("EX-IN", confirmations), "b2_in").verdict == "release"


def test_of_an_either_or_the_earlier_one_counts_whoever_gave_it() -> None:
    requires = {**NONE, "fee": True}
    asked = asked_at("EX-IN", "b1_out", requires)
    confirmations = [given(one, n, "TX" if one.act == "fee" else None) for n, one in enumerate(asked)]
    fee = next(one for one in asked if one.act == "fee")
    again = [given(fee, 50, "GC"), *confirmations, given(fee, 60, "TX")]
    assert at_gate(declared("EX-IN", again, requires), "b1_out").verdict == "release"
