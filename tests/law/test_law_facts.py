"""What the gate knows beside the declaration: watch list, states, seals, old copies, smart lanes, clocks, several
vehicles.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from edge.core.instant import instant, stamp_after
from edge.core.law.procedures import Facts, decide, needs_check, needs_two_people
from edge.core.model import Confirmation, Transfer, Vehicle
from tests.law.table import GATES, NONE, Asked, asked_at
from tests.law.tools import EXACT, LEGAL, NOW, at_gate, codes, declared, given, missing, rules, stamp

SMART = "on"


def almost(
    procedure: str = "EX-IN", gate: str = "b1_out", lacking: int = 1, via: str = "platform"
) -> list[Confirmation]:
    """Everything asked at a gate but the last `lacking`."""
    asked = asked_at(procedure, gate, NONE)
    return [given(one, n, via=via) for n, one in enumerate(asked[: len(asked) - lacking])]


# ---------------------------------------------------------------- unknown, held, refused


def test_nothing_known_is_unknown_and_the_default_facts_release_nothing() -> None:
    full = declared("EX-IN", almost(lacking=0), NONE)
    assert codes(at_gate(None, "b1_out")) == ["no_declaration"]
    assert codes(at_gate(full, "b1_out", facts=Facts())) == ["plate_not_exact"]
    assert at_gate(full, "b1_out", facts=Facts()).verdict == "unknown"


def test_a_procedure_that_the_table_does_not_have_is_unknown() -> None:
    verdict = at_gate(declared("NO-SUCH"), "b1_out")
    assert (verdict.verdict, codes(verdict)) == ("unknown", ["procedure_unknown"])
    assert "NO-SUCH" in verdict.reasons[0].text.both


@pytest.mark.parametrize("declaration", [None, declared("EX-IN", almost(lacking=0), NONE)])
def test_a_watched_plate_is_held_whatever_else_is_known(declaration: None) -> None:
    held = at_gate(declaration, "b1_out", facts=replace(EXACT, watch="đang xác minh"))
    assert (held.verdict, codes(held)) == ("refuse", ["watch"])
    assert "đang xác minh" in held.reasons[0].text.both
    assert not needs_two_people(rules(), held)
    for_customs = at_gate(declaration, "b1_out", facts=replace(EXACT, customs_hold="kiểm tra lại"))
    assert (for_customs.verdict, codes(for_customs)) == ("refuse", ["customs_hold"])
    assert needs_two_people(rules(), for_customs)
    for_both = at_gate(declaration, "b1_out", facts=replace(EXACT, customs_hold="a", watch="b"))
    assert (codes(for_both), needs_two_people(rules(), for_both)) == (["customs_hold", "watch"], True)


@pytest.mark.parametrize("state", ["withdrawn", "completed"])
def test_a_declaration_that_is_not_active_opens_nothing(state: str) -> None:
    for gate in ("b2_in", "yard_in", "b1_out"):
        verdict = at_gate(declared("EX-IN", almost(lacking=0), NONE, state=state), gate)
        assert (verdict.verdict, codes(verdict)) == ("refuse", [state])


def test_withdrawn_cites_the_declarants_own_duty() -> None:
    assert at_gate(declared("EX-IN", state="withdrawn"), "b2_in").reasons[0].article == "27/2025 Art. 21.1"


# ---------------------------------------------------------------- order and clocks


def test_a_confirmation_that_came_too_early_counts_once_given_again() -> None:
    asked = asked_at("VN-EMPTY-TO-CN", "b1_out", NONE)
    early = next(one for one in asked if one.authority == "HE")
    others = [given(one, 10 + n) for n, one in enumerate(asked) if one is not early and one.authority != "BG"]
    others.append(given(asked[1], 10))
    tried = at_gate(declared("VN-EMPTY-TO-CN", [*others, given(early, 0)]), "b1_out")
    assert [m[1] for m in missing(tried)] == ["HE", "BG"]
    assert "out_of_order" in codes(tried)
    again = at_gate(declared("VN-EMPTY-TO-CN", [*others, given(early, 0), given(early, 30)]), "b1_out")
    assert (again.verdict, [m[1] for m in missing(again)]) == ("ready", ["BG"])
    assert "out_of_order" not in codes(again)


def test_in_a_listed_group_what_stands_behind_something_absent_is_asked_for_too() -> None:
    """So that the absent one, given now, never makes more missing than was said before."""
    asked = asked_at("VN-EMPTY-TO-CN", "b1_out", NONE)
    without_permit = [given(one, n) for n, one in enumerate(asked) if one.authority not in ("CD", "HE")]
    verdict = at_gate(declared("VN-EMPTY-TO-CN", without_permit), "b1_out")
    assert [m[1] for m in missing(verdict)] == ["CD", "CU", "HE"]
    assert "out_of_order" in codes(verdict)
    late = [*without_permit, given(Asked("b1_out", "CD", "permit", "", 0), 30)]
    assert [m[1] for m in missing(at_gate(declared("VN-EMPTY-TO-CN", late), "b1_out"))] == ["CU", "HE"]
    older = [*without_permit, given(Asked("b1_out", "CD", "permit", "", 0), 0)]
    assert [m[1] for m in missing(at_gate(declared("VN-EMPTY-TO-CN", older), "b1_out"))] == ["HE"]


def test_stamps_are_compared_as_instants_not_as_texts() -> None:
    def at_b2(customs: str, guard: str) -> str:
        confirmations = [
            Confirmation("b2_in", "CU", "pass", customs, "a"),
            Confirmation("b2_in", "BG", "pass", guard, "b"),
        ]
        return at_gate(declared("EX-IN", confirmations), "b2_in").verdict

    assert at_b2("2026-11-20T09:00:00+07:00", "2026-11-20T02:00:00Z") == "release"
    assert at_b2("2026-11-20T09:00:00+07:00", "2026-11-20T10:00:00+08:00") == "release"
    assert at_b2("2026-11-20T09:00:00+07:00", "2026-11-20T01:59:59.999Z") == "ready"
    assert at_b2("2026-11-20T09:00:00.001+07:00", "2026-11-20T09:00:00+07:00") == "ready"
    assert at_b2("0001-01-01T00:00:00+14:00", "2026-11-20T09:00:00+07:00") == "release"
    assert at_b2("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00") == "ready"


def test_a_site_may_allow_for_the_skew_of_clocks() -> None:
    confirmations = [
        Confirmation("b2_in", "CU", "pass", "2026-11-20T09:00:03+07:00", "a"),
        Confirmation("b2_in", "BG", "pass", "2026-11-20T09:00:00+07:00", "b"),
    ]
    declaration = declared("EX-IN", confirmations)
    assert at_gate(declaration, "b2_in").verdict == "ready"
    assert at_gate(declaration, "b2_in", rules().choose({}, clock_skew_s=3)).verdict == "release"
    assert at_gate(declaration, "b2_in", rules().choose({}, clock_skew_s=2.9)).verdict == "ready"


@pytest.mark.parametrize("at", ["yesterday", "2026-11-20T09:00:00", ""])
def test_a_time_that_cannot_be_read_is_shown_orders_nothing_and_opens_nothing(at: str) -> None:
    odd, guard = Confirmation("b2_in", "CU", "pass", at, "a"), Confirmation("b2_in", "BG", "pass", stamp(5), "b")
    verdict = at_gate(declared("EX-IN", [odd]), "b2_in")
    assert (verdict.verdict, codes(verdict)) == ("ready", ["guard_opens", "bad_time"])
    verdict = at_gate(declared("EX-IN", [odd, guard]), "b2_in")
    assert (verdict.verdict, [m[1] for m in missing(verdict)]) == ("ready", ["BG"])
    smart = rules().choose({"smart_lane": SMART})
    assert at_gate(declared("EX-IN", [odd]), "b2_in", smart, replace(EXACT, smart_lane=True)).verdict == "ready"
    again = [odd, guard, replace(odd, at=stamp(4))]
    assert at_gate(declared("EX-IN", again), "b2_in").verdict == "release"
    assert at_gate(declared("EX-IN", [odd, guard]), "yard_in").verdict == "ready"


def test_a_stamp_from_the_future_is_told() -> None:
    ahead = [Confirmation("b2_in", "CU", "pass", "2026-11-21T12:02:00+07:00", "a")]
    assert codes(at_gate(declared("EX-IN", ahead), "b2_in")) == ["guard_opens", "future_stamp"]
    soon = [replace(ahead[0], at="2026-11-21T12:01:00+07:00")]
    assert codes(at_gate(declared("EX-IN", soon), "b2_in")) == ["guard_opens"]


def test_now_may_be_a_datetime_and_must_have_an_offset() -> None:
    moment = datetime.fromisoformat(NOW)
    declaration = declared("EX-IN")
    verdict = decide(rules(), LEGAL, declaration, "b2", "into_area", now=moment, facts=EXACT)
    assert verdict == at_gate(declaration, "b2_in")
    with pytest.raises(ValueError, match="offset"):
        decide(rules(), LEGAL, declaration, "b2", "into_area", now="2026-11-20T09:00:00")


def test_a_press_here_is_never_stamped_before_what_was_seen() -> None:
    assert stamp_after("2026-11-20T09:00:00+07:00", "2026-11-20T02:00:05Z", "nonsense") == "2026-11-20T02:00:05Z"
    assert stamp_after("2026-11-20T09:00:00+07:00", "2026-11-20T01:00:00Z") == "2026-11-20T09:00:00+07:00"
    assert instant("2026-11-20T09:00:00+07:00") == instant("2026-11-20T02:00:00Z")


# ---------------------------------------------------------------- old copies (offline truth)


def old(checked: bool = False, age_s: float = 7_300.0) -> Facts:
    return replace(EXACT, copy_age_s=age_s, copy_limit_s=7_200.0, guard_checked=checked)


def test_past_the_limit_ready_needs_the_guards_word() -> None:
    declaration = declared("EX-IN", almost(), NONE)
    verdict = at_gate(declaration, "b1_out", facts=old())
    assert (verdict.verdict, needs_check(verdict)) == ("ready", True)
    assert codes(verdict) == ["guard_opens", "check_needed", "copy_age"]
    assert "2 h 01 min" in verdict.reasons[1].text.both
    checked = at_gate(declaration, "b1_out", facts=old(checked=True))
    assert (checked.verdict, needs_check(checked), codes(checked)) == ("ready", False, ["guard_opens", "copy_old"])


def test_within_the_limit_only_the_age_is_told() -> None:
    declaration = declared("EX-IN", almost(), NONE)
    assert codes(at_gate(declaration, "b1_out", facts=old(age_s=7_200.0))) == ["guard_opens", "copy_age"]
    assert codes(at_gate(declaration, "b1_out", facts=old(checked=True, age_s=60.0))) == ["guard_opens", "copy_age"]
    assert codes(at_gate(declaration, "b1_out", facts=old(age_s=59.0))) == ["guard_opens"]
    assert codes(at_gate(declaration, "b1_out", facts=replace(old(), copy_limit_s=None))) == ["guard_opens", "copy_age"]
    assert codes(at_gate(declaration, "b1_out", facts=replace(old(), copy_age_s=None))) == ["guard_opens"]
    young_site = replace(old(), copy_age_s=20.0, copy_limit_s=10.0)
    assert codes(at_gate(declaration, "b1_out", facts=young_site)) == ["guard_opens", "check_needed", "copy_age"]


def test_on_an_old_copy_nothing_opens_by_itself_but_what_was_pressed_here() -> None:
    asked = asked_at("EX-IN", "b1_out", NONE)
    elsewhere = declared("EX-IN", almost(lacking=0), NONE)
    verdict = at_gate(elsewhere, "b1_out", facts=old())
    assert (verdict.verdict, needs_check(verdict)) == ("ready", True)
    assert [m[1] for m in missing(verdict)] == ["BG"]
    pressed = declared("EX-IN", [*almost(), given(asked[-1], 60, via="gate")], NONE)
    assert at_gate(pressed, "b1_out", facts=old()).verdict == "release"
    assert at_gate(elsewhere, "b1_out", facts=old(checked=True)).verdict == "release"


def test_confirmations_stay_facts_on_an_old_copy() -> None:
    lacking_two = declared("EX-IN", almost(lacking=2), NONE)
    verdict = at_gate(lacking_two, "b1_out", facts=old())
    assert (verdict.verdict, [m[1] for m in missing(verdict)]) == ("await", ["HE", "BG"])
    assert not needs_check(verdict)
    yard = declared("EX-IN", almost("EX-IN", "yard_in", 0), NONE)
    assert at_gate(yard, "yard_in", facts=old()).verdict == "release"


# ---------------------------------------------------------------- smart lanes, yard devices


def test_a_smart_lane_releases_all_but_the_guard_only_where_the_site_has_one() -> None:
    declaration, smart = declared("EX-IN", almost(), NONE), rules().choose({"smart_lane": SMART})
    lane = replace(EXACT, smart_lane=True)
    verdict = at_gate(declaration, "b1_out", smart, lane)
    assert (verdict.verdict, verdict.missing, codes(verdict)) == ("release", (), ["smart_lane"])
    assert verdict.reasons[0].article == "865/QĐ-TTg"
    assert at_gate(declaration, "b1_out", LEGAL, lane).verdict == "ready"
    assert at_gate(declaration, "b1_out", smart).verdict == "ready"
    assert at_gate(declared("EX-IN", almost(lacking=2), NONE), "b1_out", smart, lane).verdict == "await"
    assert at_gate(declaration, "b1_out", smart, replace(lane, exact_plate=False)).verdict == "unknown"
    assert at_gate(declaration, "b1_out", smart, replace(lane, watch="x")).verdict == "refuse"
    assert at_gate(declaration, "b1_out", smart, replace(old(), smart_lane=True)).verdict == "ready"


def test_with_a_device_fault_vehicles_pass_the_yard_gate_and_only_that() -> None:
    fault = Facts(device_fault=True)
    verdict = at_gate(None, "yard_in", facts=fault)
    assert (verdict.verdict, codes(verdict)) == ("release", ["device_fault"])
    assert verdict.reasons[0].article == "27/2025 Art. 23.2"
    assert at_gate(None, "b1_out", facts=fault).verdict == "unknown"
    assert at_gate(None, "yard_in").verdict == "unknown"
    assert decide(rules(), LEGAL, None, "yard_in", "out", now=NOW, facts=fault).verdict == "unknown"
    withdrawn = declared("EX-IN", state="withdrawn")
    assert at_gate(withdrawn, "yard_in", facts=replace(fault, exact_plate=True)).verdict == "refuse"


def test_a_passage_of_the_yard_gate_that_this_gate_recorded_is_passed_already() -> None:
    through = Confirmation("yard_in", "SYS", "auto", stamp(40), "yard-in", "gate")
    earlier = almost("EX-IN", "yard_in", 0)
    assert codes(at_gate(declared("EX-IN", [*earlier, through]), "yard_in")) == ["passed_already"]
    from_yard = replace(through, via="platform")
    assert at_gate(declared("EX-IN", [*earlier, from_yard]), "yard_in").verdict == "release"


def test_other_notes_reach_the_guard() -> None:
    facts = replace(EXACT, candidates=2, overstay_s=90_000.0)
    verdict = at_gate(declared("EX-IN", almost(), NONE), "b1_out", facts=facts)
    assert codes(verdict) == ["guard_opens", "several", "overstay"]
    assert "25 h 00 min" in verdict.reasons[2].text.both


# ---------------------------------------------------------------- several vehicles in one declaration


def test_one_vehicles_passage_does_not_speak_of_another_of_the_same_declaration() -> None:
    vehicles = (Vehicle("vehicle", "12C11111", "VN"), Vehicle("vehicle", "12C22222", "VN"))
    first = [replace(c, plate="12C11111") for c in almost("EX-IN", "b2_in", 0) if c.authority == "BG"]
    through = Confirmation("b2_in", "SYS", "passed", stamp(9), "b2", "gate", "12C11111")
    declaration = declared("EX-IN", [*almost("EX-IN", "b2_in", 1), *first, through], vehicles=vehicles)
    assert codes(at_gate(declaration, "b2_in", facts=replace(EXACT, plates=("12C11111",)))) == ["passed_already"]
    assert codes(at_gate(declaration, "b2_in", facts=replace(EXACT, plates=("12c-111.11",)))) == ["passed_already"]
    assert at_gate(declaration, "b2_in", facts=replace(EXACT, plates=("12C22222",))).verdict == "ready"
    assert codes(at_gate(declaration, "b2_in")) == ["passed_already"]
    for_all = replace(through, plate=None)
    declaration = declared("EX-IN", [*almost("EX-IN", "b2_in", 0), for_all], vehicles=vehicles)
    assert at_gate(declaration, "b2_in", facts=replace(EXACT, plates=("12C22222",))).verdict == "refuse"


# ---------------------------------------------------------------- goods under customs transfer (53/2003)

RECORD = Transfer("BB-01", "2026-11-19", "HQ-A", "HQ-B", ("VN0012345",), ("Hữu Nghị",), "2026-11-22", False)


def sealed(seal: str | None, transfer: Transfer = RECORD) -> Vehicle:
    return Vehicle("vehicle", "12C12345", "VN", seal=seal)


@pytest.mark.parametrize(
    ("seal", "transfer", "facts", "code"),
    [
        ("VN0012346", RECORD, EXACT, "seal_differs"),
        ("VN0012345", RECORD, replace(EXACT, seals_seen=("VN0012346",)), "seal_differs"),
        ("VN0012345", RECORD, replace(EXACT, seals_seen=()), "seal_differs"),
        ("VN0012345", RECORD, replace(EXACT, seal_broken=True), "seal_broken"),
        ("VN0012345", RECORD, replace(EXACT, off_route=True), "route_wrong"),
        ("VN0012345", RECORD, replace(EXACT, gate="Chi Ma"), "route_wrong"),
        ("VN0012345", replace(RECORD, deadline="2026-11-20"), EXACT, "deadline_passed"),
        ("VN0012345", replace(RECORD, deadline="2026-11-21T11:59:59+07:00"), EXACT, "deadline_passed"),
        ("VN0012345", replace(RECORD, deadline="soon"), EXACT, "deadline_passed"),
    ],
)
def test_a_broken_transfer_stops_the_vehicle(seal: str, transfer: Transfer, facts: Facts, code: str) -> None:
    declaration = declared("EX-IN", almost(lacking=0), NONE, vehicles=(sealed(seal),), transfer=transfer)
    verdict = at_gate(declaration, "b1_out", facts=facts)
    assert (verdict.verdict, codes(verdict)) == ("refuse", [code])
    assert verdict.reasons[0].article.startswith("53/2003")
    assert needs_two_people(rules(), verdict)


@pytest.mark.parametrize(
    ("seal", "transfer", "facts"),
    [
        ("vn 0012345", RECORD, EXACT),
        ("VN0012345", RECORD, replace(EXACT, seals_seen=("VN-0012345",), gate="hữu nghị ")),
        ("OTHER", replace(RECORD, seals=()), EXACT),
        ("VN0012345", replace(RECORD, deadline="2026-11-21"), EXACT),
        ("VN0012345", replace(RECORD, deadline="2026-11-21T12:00:00+07:00", route=()), replace(EXACT, gate="Chi Ma")),
        ("VN0012345", replace(RECORD, deadline=None), EXACT),
    ],
)
def test_a_sound_transfer_changes_nothing(seal: str, transfer: Transfer, facts: Facts) -> None:
    declaration = declared("EX-IN", almost(lacking=0), NONE, vehicles=(sealed(seal),), transfer=transfer)
    looked = facts.seals_seen is not None or not transfer.seals
    told = codes(at_gate(declaration, "b1_out", facts=facts))
    assert told == ["complete"] + ([] if looked else ["seals_not_compared"])


def test_differing_seals_are_named_and_every_fault_is_told() -> None:
    facts = replace(EXACT, seals_seen=("VN0012346",), seal_broken=True)
    declaration = declared("EX-IN", vehicles=(sealed("VN0012345"),), transfer=replace(RECORD, deadline="2026-11-20"))
    verdict = at_gate(declaration, "b2_in", facts=facts)
    assert codes(verdict) == ["seal_broken", "seal_differs", "deadline_passed"]
    assert ": VN0012345, VN0012346 / " in verdict.reasons[1].text.both
    assert (verdict.reasons[2].text.vi[-12:], verdict.reasons[2].text.en[-13:]) == ("(20/11/2026)", "(20 Nov 2026)")


def test_seals_that_nobody_compared_are_told() -> None:
    declaration = declared("EX-IN", almost(), NONE, vehicles=(sealed(None),), transfer=RECORD)
    assert codes(at_gate(declaration, "b1_out")) == ["guard_opens", "seals_not_compared"]
    looked = replace(EXACT, seals_seen=("VN0012345",))
    assert codes(at_gate(declaration, "b1_out", facts=looked)) == ["guard_opens"]


def test_paper_against_paper_compares_nothing() -> None:
    """Seen: the declaration repeated the record's number, and the seals counted as compared. 53/2003 I.4, II.2.3.a2."""
    declaration = declared("EX-IN", almost(), NONE, vehicles=(sealed("VN0012345"),), transfer=RECORD)
    assert codes(at_gate(declaration, "b1_out")) == ["guard_opens", "seals_not_compared"]
    smart, lane = rules().choose({"smart_lane": SMART}), replace(EXACT, smart_lane=True)
    assert at_gate(declaration, "b1_out", smart, lane).verdict == "ready"
    assert at_gate(declaration, "b1_out", smart, replace(lane, seals_seen=("VN0012345",))).verdict == "release"


def test_a_record_for_several_vehicles_is_compared_with_those_at_the_gate() -> None:
    vehicles = (Vehicle("vehicle", "A1", "VN", seal="S1"), Vehicle("vehicle", "A2", "VN", seal="S2"))
    declaration = declared("EX-IN", vehicles=vehicles, transfer=replace(RECORD, seals=("S1", "S2")))

    def seen(*seals: str) -> str:
        return at_gate(declaration, "b2_in", facts=replace(EXACT, plates=("A1",), seals_seen=seals)).verdict

    assert (seen("S1"), seen("S2"), seen(), seen("S1", "S9")) == ("await", "refuse", "refuse", "refuse")


# ---------------------------------------------------------------- every text


def test_every_reason_is_vietnamese_first_with_english_beside() -> None:
    for code, text in rules().reasons.items():
        vi, _, en = text.name.both.partition(" / ")
        assert vi == text.name.vi, code
        assert en == text.name.en, code


def test_gates_of_the_table_are_those_of_the_contract() -> None:
    assert rules().passages == {pair: step for step, pair in GATES.items()}
