"""From plates to declarations, this gate's own confirmations over the centre's copy, and who is inside too long."""

from __future__ import annotations

from dataclasses import asdict, replace

import pytest
from hypothesis import given as examples
from hypothesis import strategies as st

from edge.core.law import overstay, yard
from edge.core.law.lookup import candidates, choose, normal_plate, overlay, pairing, unit, units, vehicle_by_plate
from edge.core.model import Confirmation, Declaration, Vehicle
from tests.law.tools import declared, rules, stamp

TRACTOR = Vehicle("tractor", "12C-123.45", "VN")
TRAILER = Vehicle("trailer", "桂FA123挂", "CN")
PASS = Confirmation("b2_in", "BG", "pass", "2026-11-20T09:00:00+07:00", "BP-1", "gate")


# ---------------------------------------------------------------- overlay


def test_a_gates_own_confirmation_counts_until_the_centre_carries_it() -> None:
    bare = declared("EX-IN")
    assert overlay(bare, []) is bare
    assert overlay(bare, [PASS]).confirmations == (PASS,)
    echoed = replace(PASS, at="2026-11-20T02:00:00Z", via="platform")
    carried = declared("EX-IN", [echoed])
    assert overlay(carried, [PASS]).confirmations == (echoed,)


def test_another_time_or_act_is_another_confirmation() -> None:
    for other in (
        replace(PASS, at="2026-11-20T09:00:01+07:00"),
        replace(PASS, act="weight_class"),
        replace(PASS, step="b1_out"),
    ):
        assert overlay(declared("EX-IN", [other]), [PASS]).confirmations == (other, PASS)


def test_a_plate_that_the_centre_left_out_is_kept() -> None:
    ours, theirs = replace(PASS, plate="12C12345"), PASS
    assert overlay(declared("EX-IN", [theirs]), [ours]).confirmations == (ours,)
    other_vehicle = replace(PASS, plate="12C99999")
    assert overlay(declared("EX-IN", [other_vehicle]), [ours]).confirmations == (other_vehicle, ours)
    written_otherwise = replace(PASS, plate="12c-123.45")
    assert overlay(declared("EX-IN", [written_otherwise]), [ours]).confirmations == (written_otherwise,)


@examples(
    local=st.lists(st.sampled_from([PASS, replace(PASS, plate="A1"), replace(PASS, act="x"), replace(PASS, at="bad")]))
)
def test_laying_over_twice_changes_nothing_more(local: list[Confirmation]) -> None:
    once = overlay(declared("EX-IN", [PASS]), local)
    assert overlay(once, local) == once
    assert len(once.confirmations) == len(set(once.confirmations))


# ---------------------------------------------------------------- choosing


def numbered(number: int, at: str, state: str = "active", version: int = 1) -> Declaration:
    return declared("EX-IN", state=state, declared_at=at, declaration_id=f"D{number}", version=version)


def test_active_ones_first_newest_of_them_first_by_instant() -> None:
    oldest = numbered(1, "2026-11-20T08:00:00+07:00")
    newest = numbered(2, "2026-11-20T02:00:00Z")
    gone = numbered(3, "2026-11-21T08:00:00+07:00", "withdrawn")
    assert [d.id for d in choose([gone, oldest, newest])] == ["D2", "D1", "D3"]
    assert choose([]) == []


def test_of_two_versions_only_the_newer_is_a_candidate() -> None:
    old, new = (
        numbered(1, "2026-11-20T08:00:00Z", version=2),
        numbered(1, "2026-11-20T07:00:00Z", "withdrawn", version=3),
    )
    assert choose([old, new]) == choose([new, old]) == [new]


def test_any_one_of_several_plates_finds_the_declaration() -> None:
    both = replace(numbered(1, "2026-11-20T08:00:00Z"), vehicles=(TRACTOR, TRAILER))
    other = numbered(2, "2026-11-20T09:00:00Z")
    found = candidates([both, other], ["12C12345", "桂fa123挂", "99Z99999"])
    assert [(c.declaration.id, c.plates) for c in found] == [("D2", ("12C12345",)), ("D1", ("12C12345", "桂fa123挂"))]
    assert [c.declaration.id for c in candidates([both, other], ["桂FA123挂"])] == ["D1"]
    assert candidates([both, other], ["12C1234", "12C123456", ""]) == []


@pytest.mark.parametrize(
    ("written", "compared"),
    [(" 12c-123.45 ", "12C12345"), ("đ1·2", "Đ12"), ("\u00d012", "Đ12"), ("桂Ｆ·A123挂", "桂FA123挂"), ("-.", "")],
)
def test_plates_are_compared_whole_and_normalised(written: str, compared: str) -> None:
    assert normal_plate(written) == compared


def test_a_plate_without_letters_or_digits_is_nobodys() -> None:
    assert vehicle_by_plate(declared("EX-IN", vehicles=(Vehicle("vehicle", "--", "VN"),)), "..") is None


def test_a_tractor_goes_with_the_trailers_after_it() -> None:
    single = Vehicle("vehicle", "12C55555", "VN")
    second = Vehicle("tractor", "12C77777", "VN")
    declaration = declared("EX-IN", vehicles=(TRACTOR, TRAILER, single, second))
    assert unit(declaration, ["桂FA123挂"]) == ("12C-123.45", "桂FA123挂")
    assert unit(declaration, ["12C12345"]) == ("12C-123.45", "桂FA123挂")
    assert (unit(declaration, ["12C55555"]), unit(declaration, ["X"]), unit(declaration, [])) == (("12C55555",), (), ())
    assert [len(group) for group in units(declared("EX-IN", vehicles=(TRAILER, TRACTOR, single)))] == [2, 1]


def test_customs_pairs_a_chinese_and_a_vietnamese_vehicle() -> None:
    vehicles = (Vehicle("vehicle", "桂FA1234", "CN"), Vehicle("vehicle", "12C12345", "VN"))
    asked = declared("IM-IN", requires={"transshipment": True}, vehicles=vehicles)
    pair = pairing(asked)
    assert pair is not None
    assert (pair.chinese, pair.vietnamese, pair.confirmed_at) == (vehicles[:1], vehicles[1:], None)
    given = Confirmation("in_yard", "CU", "transshipment", stamp(5), "HQ-1")
    confirmed = pairing(declared("IM-IN", [given], vehicles=vehicles))
    assert confirmed is not None
    assert confirmed.confirmed_at == stamp(5)
    assert pairing(declared("IM-IN", vehicles=vehicles)) is None
    assert pairing(declared("IM-IN", requires={"transshipment": True}, vehicles=vehicles[:1])) is None


# ---------------------------------------------------------------- overstays


def passed(step: str, minutes: float, plate: str | None = None) -> Confirmation:
    return Confirmation(step, "SYS", "passed", stamp(minutes), "gate", "gate", plate)


def test_a_vehicle_is_inside_from_its_barrier_in_until_its_barrier_out() -> None:
    def since(*passages: Confirmation) -> str | None:
        return overstay.inside_since(rules(), declared("EX-IN", passages))

    assert since() is None
    assert since(passed("b2_in", 10)) == stamp(10)
    assert since(passed("b1_out", 50), passed("b2_in", 10)) is None
    assert since(passed("b2_in", 10), Confirmation("b1_out", "BG", "pass", stamp(20), "x")) == stamp(10)
    assert since(passed("yard_in", 10)) is None
    assert since(replace(passed("b2_in", 10), at="bad")) is None


def test_overstays_are_listed_longest_first_vehicle_by_vehicle() -> None:
    now = stamp(60 * 24)
    vehicles = (Vehicle("vehicle", "A1", "VN"), Vehicle("vehicle", "A2", "VN"))
    long = declared(
        "EX-IN", [passed("b2_in", 0, "A1"), passed("b2_in", 60, "A2"), passed("b1_out", 90, "A2")], vehicles=vehicles
    )
    short = declared("EX-IN", [passed("b2_in", 60 * 20)])
    middle = declared("EX-IN", [passed("b2_in", 60 * 10)])
    found = overstay.overstays(lambda _: rules(), [short, middle, long], now, 8 * 3600.0)
    assert [(s.plates, s.inside_s) for s in found] == [(("A1",), 24 * 3600.0), (("12C12345",), 14 * 3600.0)]
    assert overstay.overstays(lambda _: rules(), [middle], now, 14 * 3600.0) == []
    with pytest.raises(ValueError, match="offset"):
        overstay.overstays(lambda _: rules(), [], "now", 1.0)


# ---------------------------------------------------------------- the yard


def test_a_yard_is_counted_at_its_gates_and_put_right_by_hand() -> None:
    level = yard.entered(yard.entered(yard.YardLevel(capacity=2)))
    assert (level.count, level.full, level.fraction) == (2, True, 1.0)
    assert yard.left(level).count == 1
    assert not yard.left(level).full
    fixed = yard.corrected(level, 7, "BB-1", stamp(0))
    assert asdict(yard.told("A", fixed)) == {
        "yard": "A", "count": 7, "capacity": 2, "percent": 350.0, "doubtful": False,
        "corrected_by": "BB-1", "corrected_at": stamp(0),
    }  # fmt: skip


def test_a_count_that_cannot_be_is_doubtful_until_a_person_counts() -> None:
    empty = yard.YardLevel(capacity=2)
    wrong = yard.left(empty)
    assert (wrong.count, wrong.doubtful) == (0, True)
    assert yard.entered(wrong).doubtful
    assert yard.device_failed(empty).doubtful
    assert not yard.corrected(wrong, 0, "BB-1", stamp(0)).doubtful


def test_impossible_yards_and_nameless_corrections_are_refused() -> None:
    with pytest.raises(ValueError, match="capacity"):
        yard.YardLevel(capacity=0)
    with pytest.raises(ValueError, match="below zero"):
        yard.corrected(yard.YardLevel(capacity=1), -1, "BB-1", stamp(0))
    with pytest.raises(ValueError, match="names who"):
        yard.corrected(yard.YardLevel(capacity=1), 1, " ", stamp(0))
