"""Law as lived: the rows of docs/law.md, "Readings", each as cases written from the articles, answered by the command
line alone (`barie explain`)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from edge import cli
from tests.law.table import BACK, GATES, NONE, TABLE, asked_at, asked_back

NOW = "2026-11-21T12:00:00+07:00"
CN, VN = "桂A12345", "12C12345"
Row = dict[str, Any]


def yes(spec: str, minute: int = 0, plate: str | None = None, via: str = "platform") -> Row:
    """A confirmation from its step, authority and act, as in `b2_in CU pass`."""
    step, authority, act = spec.split()
    at = f"2026-11-20T{8 + minute // 60:02d}:{minute % 60:02d}:00+07:00"
    row = {"step": step, "authority": authority, "act": act, "at": at, "by": "X-1", "via": via}
    return row | ({"plate": plate} if plate else {})


def all_of(step: str, *who: str, minute: int = 0, plate: str | None = None) -> list[Row]:
    return [yes(f"{step} {one}", minute + n, plate) for n, one in enumerate(who)]


def paper(procedure: str, given: Sequence[Row], **changes: Any) -> Row:
    vehicle = {"role": "vehicle", "plate": VN, "country": "VN"}
    return {
        "id": "CKS-1", "version": 1, "state": "active", "procedure": procedure,
        "declared_at": "2026-11-20T07:00:00+07:00", "vehicles": [vehicle], "requires": NONE, "goods": [],
        "confirmations": list(given), **changes,
    }  # fmt: skip


Ask = Callable[..., Row]


@pytest.fixture
def ask(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Ask:
    def asked(declarations: Row | Sequence[Row], gate: str, *options: str) -> Row:
        files = []
        for n, row in enumerate([declarations] if isinstance(declarations, dict) else declarations):
            files.append(tmp_path / f"{n}.json")
            files[-1].write_text(json.dumps(row), encoding="utf-8")
        place, direction = GATES[gate]
        args = ["explain", "--place", place, "--direction", direction, "--now", NOW, *options]
        with pytest.raises(SystemExit) as ended:
            cli.main([*args, *(f"--declaration={file}" for file in files)])
        assert ended.value.code == 0
        verdict: Row = json.loads(capsys.readouterr().out)
        return verdict

    return asked


def short(verdict: Mapping[str, Any]) -> tuple[str, list[str]]:
    return verdict["verdict"], [f"{m['step']} {m['authority']}" for m in verdict["missing"]]


def said(verdict: Mapping[str, Any]) -> set[str]:
    return {reason["code"] for reason in verdict["reasons"]}


# ---------------------------------------------------------------- time


def test_a_late_goods_type_never_strands_the_truck(ask: Ask) -> None:
    """Seen: goods_type four minutes after the fee; the yard's own passage can never be given again."""
    asked = asked_at("IM-IN", "b2_out", NONE | {"fee": True})
    given = [yes(f"{one.step} {one.authority.split('|')[0]} {one.act}", n) for n, one in enumerate(asked[:-1])]
    late = [row | {"at": "2026-11-20T11:00:00+07:00"} if row["act"] == "goods_type" else row for row in given]
    verdict = ask(paper("IM-IN", late, requires=NONE | {"fee": True}), "b2_out")
    assert short(verdict) == ("ready", ["b2_out BG"])
    assert "odd_order" in said(verdict)


@pytest.mark.parametrize(
    ("at", "code"),
    [("2026-11-21T12:02:00+07:00", "future_stamp"), ("2026-11-20T09:00:00", "bad_time"), ("sáng nay", "bad_time")],
)
def test_an_odd_stamp_is_shown_and_opens_nothing_by_itself(at: str, code: str, ask: Ask) -> None:
    given = [yes("b2_in CU pass") | {"at": at}, yes("b2_in BG pass", 5)]
    verdict = ask(paper("EX-IN", given), "b2_in")
    assert short(verdict) == ("ready", ["b2_in BG"])
    assert code in said(verdict)
    at_yard = ask(paper("EX-IN", given), "yard_in")
    assert at_yard["verdict"] == "ready"
    smart = ask(paper("EX-IN", given[:1]), "b2_in", "--smart")
    assert smart["verdict"] == "ready"


def test_the_guards_early_pass_counts_later_and_opens_nothing_here(ask: Ask) -> None:
    given = [yes("b2_in BG pass", 0), yes("b2_in CU pass", 5)]
    assert short(ask(paper("EX-IN", given), "b2_in")) == ("ready", ["b2_in BG"])
    assert ask(paper("EX-IN", given), "yard_in")["verdict"] == "release"


# ---------------------------------------------------------------- fee, yard passages


@pytest.mark.parametrize(
    ("procedure", "gate", "article", "absent"),
    [
        ("EX-IN", "yard_out", "4.2.đ", True), ("EX-OUT-FULL", "yard_out", "4.3.d", True),
        ("EX-OUT-PART", "b1_out", "4.4.g", True), ("IM-IN", "yard_out", "5.2.đ", True),
        ("IM-OUT-FULL", "yard_out", "5.3.e", False), ("IM-OUT-PART", "yard_out", "5.4.g", False),
    ],
)  # fmt: skip
def test_the_fee_is_asked_where_the_article_has_no_if_any(
    procedure: str, gate: str, article: str, absent: bool, ask: Ask
) -> None:
    def asks(requires: Row) -> list[str]:
        missing = ask(paper(procedure, [], requires=requires), gate)["missing"]
        return [m["article"] for m in missing if m["step"] == "fee"]

    wanted = [f"27/2025 Art. {article}"]
    assert asks({}) == (wanted if absent else [])
    assert (asks({"fee": True}), asks({"fee": False})) == (wanted, [])


@pytest.mark.parametrize(
    ("key", "who", "absent"),
    [
        ("storage", "CU storage", True), ("transshipment", "CU transshipment", False),
        ("plant_quarantine", "PQ quarantine", False), ("animal_quarantine", "AQ quarantine", False),
    ],
)  # fmt: skip
def test_every_other_if_any_absent_true_and_false(key: str, who: str, absent: bool, ask: Ask) -> None:
    def asks(requires: Row) -> bool:
        missing = ask(paper("EX-IN", [], requires=requires), "yard_out")["missing"]
        return who in [f"{m['authority']} {m['act']}" for m in missing if m["step"] == "in_yard"]

    assert [asks({}), asks({key: True}), asks({key: False})] == [absent, True, False]


def test_customs_in_the_area_is_asked_only_if_any(ask: Ask) -> None:
    def asks(requires: Row) -> bool:
        missing = ask(paper("IM-OUT-PART", [], requires=requires), "b2_out")["missing"]
        return "customs_procedure" in [m["act"] for m in missing]

    key = "customs_procedure_in_area"
    assert [asks({}), asks({key: True}), asks({key: False})] == [False, True, False]


def test_a_yard_without_devices_is_a_sites_choice(ask: Ask) -> None:
    asked = asked_at("IM-IN", "b2_out", NONE)
    given = [yes(f"{one.step} {one.authority} {one.act}", n) for n, one in enumerate(asked) if one.authority != "SYS"]
    lacking = ask(paper("IM-IN", given), "b2_out")
    assert short(lacking) == ("await", ["yard_in SYS", "yard_out SYS"])
    assert ask(paper("IM-IN", given), "b2_out", "--choice", "yard_passages=if_any")["verdict"] == "release"


# ---------------------------------------------------------------- pairs (Art. 10.2, 7.3, 6.3)

CHINESE = {"role": "vehicle", "plate": CN, "country": "CN"}
VIETNAMESE = {"role": "vehicle", "plate": VN, "country": "VN"}
B1_IN = all_of("b1_in", "CD permit", "CU pass", "HE pass", "BG pass")
B2_IN = all_of("b2_in", "CU pass", "BG pass")
YARD = all_of(
    "in_yard", "CU storage", "CU transshipment", "CU goods_type", "BG weight_class", "HE quarantine", minute=20
)
BOTH = {"vehicles": [CHINESE, VIETNAMESE], "requires": NONE | {"transshipment": True, "storage": True}}


def trips(brings: str, takes: str) -> Row:
    vehicles = [v | {"trip": "brings" if v["plate"] == brings else "takes"} for v in (CHINESE, VIETNAMESE)]
    assert takes in (CN, VN)
    return BOTH | {"vehicles": vehicles}


@pytest.mark.parametrize("declared", [BOTH, trips(CN, VN)], ids=["inferred", "as sent"])
def test_the_commonest_import_passes_at_every_gate_for_both_trucks(declared: Row, ask: Ask) -> None:
    came = [*B1_IN, yes("yard_in SYS auto", 10, CN), *YARD]
    back = [yes("b1_out CD permit", 40, CN), yes("b1_out CU pass", 41, CN)]
    whole = paper("IM-IN", [*came, *back], **declared)
    assert ask(whole, "yard_out", "--plate", CN)["verdict"] == "release"
    verdict = ask(whole, "b1_out", "--plate", CN)
    assert short(verdict) == ("ready", ["b1_out BG"])
    assert {m["article"] for m in verdict["missing"]} == {"27/2025 Art. 7.3"}
    assert "goes_back" in said(verdict)
    inland = ask(whole, "b2_out", "--plate", CN)
    assert (inland["verdict"], said(inland)) == ("refuse", {"emptied"})
    assert ask(whole, "yard_out", "--plate", VN)["verdict"] == "release"
    on = paper("IM-IN", [*came, yes("yard_out SYS auto", 50, VN), yes("b2_out CU pass", 55, VN)], **declared)
    assert short(ask(on, "b2_out", "--plate", VN)) == ("ready", ["b2_out BG"])
    assert ask(on, "b1_in", "--plate", VN)["verdict"] == "refuse"


def test_what_the_one_that_brings_passed_before_is_asked(ask: Ask) -> None:
    some = [row for row in B1_IN if row["authority"] != "HE"]
    verdict = ask(paper("IM-IN", some, **trips(CN, VN)), "b1_out", "--plate", CN)
    steps = [f"{m['step']} {m['authority']}" for m in verdict["missing"]]
    assert steps == ["b1_in HE", "yard_in SYS", "in_yard CU", "b1_out CD", "b1_out CU", "b1_out BG"]


def test_before_customs_confirmed_the_transshipment_the_truck_goes_on(ask: Ask) -> None:
    came = [*B1_IN, yes("yard_in SYS auto", 10, CN)]
    assert ask(paper("IM-IN", came, **BOTH), "b2_out", "--plate", CN)["verdict"] == "await"
    assert "never_passes" in said(ask(paper("IM-IN", came, **BOTH), "b1_out", "--plate", CN))


@pytest.mark.parametrize("declared", [BOTH, trips(VN, CN)], ids=["inferred", "as sent"])
def test_export_is_the_other_way_round(declared: Row, ask: Ask) -> None:
    came = [*B2_IN, yes("yard_in SYS auto", 10, VN), *YARD]
    back = paper("EX-IN", [*came, yes("b2_out CU pass", 40, VN)], **declared)
    verdict = ask(back, "b2_out", "--plate", VN)
    assert short(verdict) == ("ready", ["b2_out BG"])
    assert verdict["missing"][0]["article"] == "27/2025 Art. 6.3.c"
    assert said(ask(back, "b1_out", "--plate", VN)) == {"emptied"}
    out = [yes("yard_out SYS auto", 50, CN), *all_of("b1_out", "CD permit", "CU pass", "HE pass", minute=60, plate=CN)]
    on = paper("EX-IN", [*came, *out], **declared)
    assert short(ask(on, "b1_out", "--plate", CN)) == ("ready", ["b1_out BG"])


# ---------------------------------------------------------------- branches known late


@pytest.mark.parametrize(("procedure", "gate"), [(p, gate) for p, gates in BACK.items() for gate in gates])
def test_an_empty_that_got_nothing_goes_back_the_way_that_began_the_same(procedure: str, gate: str, ask: Ask) -> None:
    asked = asked_back(procedure, gate)
    own = [yes(f"{one.step} {one.authority} {one.act}", n) for n, one in enumerate(asked)]
    assert ask(paper(procedure, own), gate)["verdict"] == "release"
    if gate != "yard_out":
        verdict = ask(paper(procedure, own[:-1]), gate)
        assert (verdict["verdict"], verdict["missing"][0]["article"]) == ("ready", asked[-1].article)
        assert "got_nothing" in said(verdict)
    registered = ask(paper(procedure, [*own, yes("register CU transshipment", 30)]), gate)
    assert registered["verdict"] in ("await", "refuse")


def test_without_registration_goods_that_customs_confirmed_still_need_it(ask: Ask) -> None:
    for procedure in BACK:
        gate = TABLE[procedure][-1][0]
        asked = [one for one in asked_at(procedure, gate, NONE) if one.step != "register"]
        given = [yes(f"{one.step} {one.authority} {one.act}", n) for n, one in enumerate(asked)]
        assert short(ask(paper(procedure, given), gate)) == ("await", ["register CU"])


def test_back_from_the_yard_with_no_trace_of_having_come_in(ask: Ask) -> None:
    out = all_of("b1_out", "CD permit", "CU pass", minute=10)
    row = paper("CN-EMPTY-FROM-YARD", out, vehicles=[CHINESE])
    verdict = ask(row, "b1_out")
    assert (verdict["verdict"], "no_trace" in said(verdict)) == ("await", True)
    traced = row | {"confirmations": [yes("b1_in SYS passed"), *out]}
    assert short(ask(traced, "b1_out")) == ("ready", ["b1_out BG"])
    goods = paper("IM-IN", [*B1_IN, yes("b1_in SYS passed", 9, CN)], id="CKS-2", **BOTH)
    assert short(ask([row, goods], "b1_out", "--plate", CN)) == ("ready", ["b1_out BG"])


# ---------------------------------------------------------------- two-way carriage, several declarations


def test_the_declaration_that_passes_here_is_taken_before_one_that_does_not(ask: Ask) -> None:
    out = paper("EX-IN", [], id="CKS-1", declared_at="2026-11-20T09:00:00+07:00")
    home = paper("IM-IN", B1_IN[:3], id="CKS-2")
    assert short(ask([out, home], "b1_in", "--plate", VN)) == ("ready", ["b1_in BG"])
    assert ask([home, out], "b2_in", "--plate", VN)["verdict"] == "await"


def test_of_several_the_one_that_is_ready_and_of_several_still_the_guard(ask: Ask) -> None:
    ready = [paper("IM-IN", B1_IN[:3], id=f"CKS-{n}") for n in range(2)]
    waits = paper("VN-EMPTY-FROM-CN", [], id="CKS-9", declared_at="2026-11-20T09:00:00+07:00")
    assert short(ask([waits, ready[0]], "b1_in", "--plate", VN)) == ("ready", ["b1_in BG"])
    both = ask([*ready, waits], "b1_in", "--plate", VN)
    assert (both["verdict"], "several_ready" in said(both)) == ("unknown", True)


# ---------------------------------------------------------------- override, smart lane


def test_an_override_completes_the_step_for_later_gates_and_is_named_there(ask: Ask) -> None:
    over = yes("b2_in BG override", via="gate")
    verdict = ask(paper("EX-IN", [over]), "yard_in")
    assert (verdict["verdict"], "overridden_before" in said(verdict)) == ("release", True)
    assert ask(paper("EX-IN", [over]), "b2_in")["verdict"] == "await"


def test_a_smart_lanes_release_is_that_gates_step(ask: Ask) -> None:
    given = [yes("b2_in CU pass"), yes("b2_in SYS pass", 1, via="gate")]
    assert ask(paper("EX-IN", given[:1]), "b2_in", "--smart")["verdict"] == "release"
    verdict = ask(paper("EX-IN", given), "yard_in")
    assert verdict["verdict"] == "release"
    assert [r["article"] for r in verdict["reasons"] if r["code"] == "smart_before"] == ["865/QĐ-TTg"]


# ---------------------------------------------------------------- no plate, seals, watch list, age, paper


def test_a_driverless_carrier_and_a_vehicle_as_goods_have_their_way(ask: Ask) -> None:
    carrier = {"role": "carrier", "unit_no": "IGV-07", "country": "CN"}
    chassis = {"role": "goods", "chassis": "LZZ1BBBB0CC123456", "country": "CN"}
    row = paper("IM-IN", B1_IN[:3], vehicles=[carrier])
    assert short(ask(row, "b1_in", "--plate", "IGV 07")) == ("ready", ["b1_in BG"])
    row = paper("IM-IN", B1_IN[:3], vehicles=[chassis])
    assert short(ask(row, "b1_in", "--plate", "LZZ1BBBB0CC123456")) == ("ready", ["b1_in BG"])
    assert ask(row, "b1_in", "--plate", VN)["verdict"] == "unknown"


def test_seals_watch_list_and_age(ask: Ask, tmp_path: Path) -> None:
    transfer = {"record_no": "1", "record_date": "2026-11-19", "sent_by": "a", "received_by": "b", "seals": ["S1"]}
    row = paper("EX-IN", [yes("b2_in CU pass")], transfer=transfer)
    assert "seals_not_compared" in said(ask(row, "b2_in"))
    assert ask(row, "b2_in", "--smart")["verdict"] == "ready"
    assert "seals_not_compared" not in said(ask(row, "b2_in", "--seals-seen", "S1"))
    assert ask(row, "b2_in", "--seals-seen", "S2")["verdict"] == "refuse"
    watched = tmp_path / "watch.json"
    watched.write_text(json.dumps({"plates": [{"plate": VN, "reason": "x"}, {"plate": CN, "reason": "y", "by": "CU"}]}))
    assert said(ask(row, "b2_in", "--watch", str(watched))) == {"watch"}
    other = row | {"vehicles": [CHINESE]}
    assert said(ask(other, "b2_in", "--watch", str(watched))) == {"customs_hold"}
    assert "check_needed" in said(ask(row, "b2_in", "--copy-age", "7300"))


SIGNED_YESTERDAY = {"name": "a", "date": "2026-11-20"}
FORM: Row = {
    "organisation": "Công ty A", "border_gate": "Hữu Nghị", "movement": "ordinary",
    "goods": [{"name": "vải", "quantity": "1", "unit": "t"}],
    "vehicles": [{"vehicle_class": "from_18t", "plate": VN, "driver": "A", "phone": "0912345678", "origin": "VN"}],
    "signatures": {"DN": SIGNED_YESTERDAY},
}  # fmt: skip


def test_a_form_signed_yesterday_counts_beside_what_was_confirmed_online(ask: Ask, tmp_path: Path) -> None:
    form = tmp_path / "form.json"
    signed = FORM["signatures"] | dict.fromkeys(("CD", "HE"), SIGNED_YESTERDAY)
    form.write_text(json.dumps(FORM | {"signatures": signed}), encoding="utf-8")
    online = [*B2_IN, yes("b1_out CU pass", 30)]
    verdict = ask(paper("VN-EMPTY-TO-CN", online), "b1_out", "--paper", str(form))
    assert short(verdict) == ("ready", ["b1_out BG"])


# ---------------------------------------------------------------- pairs on a real day: two declarations, convoys

GOODS_IN = [*B1_IN, yes("yard_in SYS auto", 10, CN), *YARD]
OWN_WAY = {"VN-EMPTY-IMPORT": "yard_out", "VN-EMPTY-EXPORT": "yard_out"}


@pytest.mark.parametrize("declared", [BOTH, trips(CN, VN)], ids=["inferred", "as sent"])
def test_the_one_that_takes_goes_by_the_goods_and_not_by_its_own_empty_declaration(declared: Row, ask: Ask) -> None:
    """An empty comes on its own declaration (6.2) and takes import goods: at the yard's exit the goods' declaration is
    complete, and its own says "got nothing"."""
    own = paper("VN-EMPTY-IMPORT", B2_IN, id="CKS-OWN", declared_at="2026-11-20T09:00:00+07:00")
    goods = paper("IM-IN", GOODS_IN, **declared)
    out = ask([own, goods], "yard_out", "--plate", VN)
    assert (out["verdict"], said(out) & {"several_ready", "got_nothing", "several"}) == ("release", set())
    unpaid = goods | {"requires": goods["requires"] | {"fee": True}}
    assert short(ask([own, unpaid], "yard_out", "--plate", VN)) == ("await", ["fee GC|TX"])
    on = goods | {"confirmations": [*GOODS_IN, yes("yard_out SYS auto", 50, VN), yes("b2_out CU pass", 55, VN)]}
    assert short(ask([own, on], "b2_out", "--plate", VN)) == ("ready", ["b2_out BG"])


def test_an_emptied_truck_that_took_other_goods_goes_by_those(ask: Ask) -> None:
    """The Chinese truck hands its import over and takes export goods: it may not leave as an empty one (7.3)."""
    emptied = paper("IM-IN", GOODS_IN, id="CKS-IN", declared_at="2026-11-20T09:00:00+07:00", **trips(CN, VN))
    other = {"role": "vehicle", "plate": "12C54321", "country": "VN"}
    both = {"vehicles": [other, CHINESE], "requires": NONE | {"transshipment": True, "storage": True}}
    out = paper("EX-IN", [*B2_IN, yes("yard_in SYS auto", 10, "12C54321"), *YARD], **both)
    unpaid = out | {"requires": out["requires"] | {"fee": True}}
    assert short(ask([emptied, unpaid], "yard_out", "--plate", CN)) == ("await", ["fee GC|TX"])
    back = [yes("b1_out CD permit", 40), yes("b1_out CU pass", 41)]
    left = [yes("yard_out SYS auto", 39, CN)]
    emptied_back = emptied | {"confirmations": [*GOODS_IN, *back]}
    loaded = out | {"confirmations": [*out["confirmations"], *left, *back]}
    assert short(ask([emptied_back, loaded], "b1_out", "--plate", CN)) == ("await", ["b1_out HE", "b1_out BG"])
    gone = loaded | {"confirmations": [*loaded["confirmations"], yes("b1_out SYS passed", 60, CN)]}
    again = ask([emptied_back, gone], "b1_out", "--plate", CN)
    assert short(again) == ("ready", ["b1_out BG"])  # those goods are out: it came again, and brought


@pytest.mark.parametrize(
    ("procedure", "declared", "mine", "gate", "back"),
    [
        ("IM-IN", trips(CN, VN), CN, "b1_out", ["b1_out CD permit", "b1_out CU pass"]),
        ("IM-IN", BOTH, CN, "b1_out", ["b1_out CD permit", "b1_out CU pass"]),
        ("EX-IN", trips(VN, CN), VN, "b2_out", ["b2_out CU pass"]),
        ("EX-IN", BOTH, VN, "b2_out", ["b2_out CU pass"]),
    ],
)
def test_the_goods_are_out_and_their_declaration_complete_the_emptied_truck_still_goes_back(
    procedure: str, declared: Row, mine: str, gate: str, back: list[str], ask: Ask
) -> None:
    came = [*(B1_IN if procedure == "IM-IN" else B2_IN), yes("yard_in SYS auto", 10, mine), *YARD]
    row = paper(procedure, came, state="completed", **declared)
    assert ask(row, "yard_out", "--plate", mine)["verdict"] == "release"
    assert ask(row, gate, "--plate", mine)["verdict"] == "await"
    own = row | {"confirmations": [*came, *(yes(one, 40 + n, mine) for n, one in enumerate(back))]}
    assert short(ask(own, gate, "--plate", mine)) == ("ready", [f"{gate} BG"])
    through = own | {"confirmations": [*own["confirmations"], yes(f"{gate} SYS passed", 50, mine)]}
    assert said(ask(through, gate, "--plate", mine)) == {"passed_already"}
    for state in ("completed", "withdrawn"):
        other = VN if mine == CN else CN
        last = "b2_out" if procedure == "IM-IN" else "b1_out"
        assert said(ask(own | {"state": state}, last, "--plate", other)) == {state}
    assert said(ask(own | {"state": "withdrawn"}, gate, "--plate", mine)) == {"withdrawn"}


def test_the_hand_over_record_holds_the_goods_and_not_the_emptied_truck(ask: Ask) -> None:
    transfer = {
        "record_no": "1", "record_date": "2026-11-19", "sent_by": "a", "received_by": "b", "seals": ["S1"],
        "deadline": "2026-11-20T20:00:00+07:00",
    }  # fmt: skip
    back = [yes("b1_out CD permit", 40, CN), yes("b1_out CU pass", 41, CN)]
    row = paper("IM-IN", [*GOODS_IN, *back], transfer=transfer, **trips(CN, VN))
    emptied = ask(row, "b1_out", "--plate", CN)
    assert short(emptied) == ("ready", ["b1_out BG"])
    assert said(emptied) & {"deadline_passed", "seals_not_compared"} == set()
    assert "deadline_passed" in said(ask(row, "yard_out", "--plate", VN))


def test_in_a_convoy_only_the_truck_whose_goods_were_moved_is_emptied(ask: Ask) -> None:
    second = {"role": "vehicle", "plate": "桂A54321", "country": "CN"}
    convoy = BOTH | {"vehicles": [CHINESE, second, VIETNAMESE]}
    moved = [row | ({"plate": CN} if row["act"] == "transshipment" else {}) for row in YARD]
    ins = [yes("yard_in SYS auto", 10, plate) for plate in (CN, "桂A54321")]
    row = paper("IM-IN", [*B1_IN, *ins, *moved, yes("yard_out SYS auto", 30), yes("b2_out CU pass", 50)], **convoy)
    assert said(ask(row, "b2_out", "--plate", CN)) == {"emptied"}
    drives_on = row | {"requires": NONE | {"storage": True}}
    assert short(ask(drives_on, "b2_out", "--plate", "桂A54321")) == ("ready", ["b2_out BG"])
    assert short(ask(row, "b2_out", "--plate", VN)) == ("ready", ["b2_out BG"])


def test_a_part_that_the_platform_sends_of_one_truck_leaves_the_other_to_be_inferred(ask: Ask) -> None:
    half = BOTH | {"vehicles": [CHINESE | {"trip": "brings"}, VIETNAMESE]}
    on = [*GOODS_IN, yes("yard_out SYS auto", 50, VN), yes("b2_out CU pass", 55, VN)]
    assert short(ask(paper("IM-IN", on, **half), "b2_out", "--plate", VN)) == ("ready", ["b2_out BG"])


# ---------------------------------------------------------------- paper: empties and pairs


def form_file(folder: Path, signed: Sequence[str], **changes: Any) -> str:
    file = folder / "form.json"
    signatures = FORM["signatures"] | dict.fromkeys(signed, SIGNED_YESTERDAY)
    file.write_text(json.dumps(FORM | {"signatures": signatures} | changes), encoding="utf-8")
    return str(file)


@pytest.mark.parametrize(("procedure", "gate"), [(p, gate) for p, gates in BACK.items() for gate in gates])
def test_on_paper_too_an_empty_without_goods_goes_back(procedure: str, gate: str, ask: Ask, tmp_path: Path) -> None:
    """Customs signs one form: for the empty truck's pass, not for goods that it never got."""
    form = form_file(tmp_path, ("CU", "CD", "HE", "BG"), goods=[], procedure=procedure)
    verdict = ask([], gate, "--paper", form)
    assert verdict["verdict"] == ("release" if gate == "yard_out" else "ready"), verdict
    assert {m["step"] for m in verdict["missing"]} <= {gate}


def test_on_paper_two_trucks_of_two_countries_are_a_pair_only_where_the_form_says_so(ask: Ask, tmp_path: Path) -> None:
    chinese = {"vehicle_class": "from_18t", "plate": CN, "driver": "A", "phone": "0912345678", "origin": "CN"}
    signed = ("CU", "CD", "HE", "BG", "GC")
    two = {"vehicles": [chinese, *FORM["vehicles"]], "procedure": "IM-IN", "requires": NONE}
    ordinary = form_file(tmp_path, signed, **two)
    assert short(ask([], "b2_out", "--plate", CN, "--paper", ordinary)) == ("ready", ["b2_out BG"])
    moved = form_file(tmp_path, signed, movement="transshipment", **two)
    assert said(ask([], "b2_out", "--plate", CN, "--paper", moved)) == {"emptied"}
    assert short(ask([], "b1_out", "--plate", CN, "--paper", moved)) == ("ready", ["b1_out BG"])
    assert short(ask([], "b2_out", "--plate", VN, "--paper", moved)) == ("ready", ["b2_out BG"])


def test_a_part_sent_on_an_empty_trucks_own_declaration_says_nothing_there(ask: Ask) -> None:
    own = paper("VN-EMPTY-IMPORT", [*B2_IN, yes("b2_out CU pass", 30)], vehicles=[VIETNAMESE | {"trip": "takes"}])
    assert short(ask(own, "b2_out", "--plate", VN)) == ("ready", ["b2_out BG"])
    other = paper("VN-EMPTY-RETURN", [], id="CKS-2")
    assert short(ask([own, other], "b2_out", "--plate", VN)) == ("ready", ["b2_out BG"])


def test_work_in_the_area_is_no_handing_over(ask: Ask) -> None:
    """5.4: weight and quarantine are confirmed in the area, then the truck drives on to the yard with its goods."""
    asked = [one for one in asked_at("IM-OUT-PART", "yard_out", NONE) if one.act != "transshipment"]
    given = [yes(f"{one.step} {one.authority.split('|')[0]} {one.act}", n) for n, one in enumerate(asked)]
    row = paper("IM-OUT-PART", given, vehicles=[CHINESE, VIETNAMESE])
    assert ask(row, "yard_out", "--plate", CN)["verdict"] == "release"


# ---------------------------------------------------------------- paper against platform, hand-over records and lists


PLATFORM_SAYS: Row = {
    "declarant": {"name": "CÔNG TY  A"}, "goods": [{"name": "Vải", "quantity": 1.0, "unit": "T"}],
    "vehicles": [
        {
            "role": "vehicle", "plate": "12C-123.45", "country": "VN", "class": "from_18t",
            "driver": {"name": "a", "phone": "+84 912 345 678"},
        }
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "differing"),
    [
        ({}, []),
        ({"goods": [{"name": "Vải", "quantity": "1,00", "unit": "t"}]}, []),
        ({"goods": [{"name": "Vải", "quantity": 2, "unit": "t"}]}, ["goods.0.quantity"]),
        ({"goods": [{"name": "Vải", "origin": "CN", "quantity": 1, "unit": "t"}]}, ["goods.0.origin"]),
        ({"state": "withdrawn"}, ["state"]),
        ({"procedure": "EX-IN"}, ["procedure"]),
        ({"declarant": {"name": "Công ty B"}}, ["organisation"]),
    ],
)
def test_a_form_is_held_against_the_platforms_declaration(
    changes: Row, differing: list[str], ask: Ask, tmp_path: Path
) -> None:
    """Art. 23.3, each field as what it is."""
    form = form_file(tmp_path, ("CD", "HE", "CU"), procedure="VN-EMPTY-TO-CN")
    told = ask(paper("VN-EMPTY-TO-CN", []) | PLATFORM_SAYS | changes, "b1_out", "--paper", form)["paper"]
    assert [one["field"] for one in told["differences"]] == differing
    assert (told["outcome"], told["declaration"]) == ("different" if differing else "same", "CKS-1")


def test_a_form_without_a_declaration_is_still_to_be_entered(ask: Ask, tmp_path: Path) -> None:
    form = form_file(tmp_path, ("CD", "HE", "CU"), procedure="VN-EMPTY-TO-CN")
    assert ask([], "b1_out", "--paper", form)["paper"] == {"outcome": "missing", "declaration": None, "differences": []}


def test_goods_in_another_order_are_the_same_goods(ask: Ask, tmp_path: Path) -> None:
    lines = [{"name": "vải", "quantity": "1", "unit": "t"}, {"name": "nhãn", "quantity": "2", "unit": "t"}]
    form = form_file(tmp_path, ("CU",), procedure="VN-EMPTY-TO-CN", goods=lines)
    told = ask(paper("VN-EMPTY-TO-CN", [], **(PLATFORM_SAYS | {"goods": lines[::-1]})), "b1_out", "--paper", form)[
        "paper"
    ]
    assert told["outcome"] == "same"


HAND_OVER = {"record_no": "BB-17", "record_date": "2026-11-19", "sent_by": "Chi cục A", "received_by": "Chi cục B"}


def test_a_hand_over_record_that_passes_is_on_the_five_day_list_at_once_where_it_is_monitored(ask: Ask) -> None:
    row = paper("EX-IN", [yes("b2_in CU pass")], transfer=HAND_OVER)
    told = ask(row, "b2_in")["list"]
    assert (told["way"], told["unit"], told["records"], told["at_once"]) == ("sent", "Chi cục A", ["BB-17"], False)
    assert told["since"] <= NOW[:10] < told["until"] == told["due"]
    assert ask(row | {"transfer": HAND_OVER | {"monitored": True}}, "b2_in")["list"]["at_once"] is True
    assert "list" not in ask(paper("EX-IN", [yes("b2_in CU pass")]), "b2_in")


def test_a_record_of_this_gates_own_unit_is_a_list_that_the_other_owes(ask: Ask, tmp_path: Path) -> None:
    config = tmp_path / "gate.toml"
    text = (Path(__file__).parents[2] / "config" / "gate.example.toml").read_text(encoding="utf-8")
    own = 'customs_unit = "CHI CỤC A"'
    config.write_text(re.sub("# customs_unit.*", own, text), encoding="utf-8")
    row = paper("IM-IN", [], transfer=HAND_OVER)
    told = ask(row, "b2_out", "--config", str(config))["list"]
    assert (told["way"], told["unit"]) == ("received", "Chi cục B")
    assert "list" not in ask(row, "b1_in", "--config", str(config))


def test_what_a_guard_finds_on_the_vehicle_and_says(ask: Ask, tmp_path: Path) -> None:
    row = paper("EX-IN", [yes("b2_in CU pass")], transfer=HAND_OVER | {"seals": ["S1"]})
    assert said(ask(row, "b2_in", "--seals-seen", "S1", "--seal-broken")) == {"seal_broken"}
    assert said(ask(row, "b2_in", "--seals-seen", "S1", "--off-route")) == {"route_wrong"}
    old = ("--copy-age", "7300")
    assert "check_needed" in said(ask(row, "b2_in", *old))
    assert "check_needed" not in said(ask(row, "b2_in", *old, "--checked"))
    form = form_file(tmp_path, ("CU", "CD", "HE"), procedure="VN-EMPTY-TO-CN")
    on_paper = ask([], "b1_out", "--paper", form, *old)
    assert (on_paper["verdict"], "check_needed" in said(on_paper)) == ("await", False)  # B2's guard did not sign


def test_a_vehicle_inside_for_too_long_is_told(ask: Ask, tmp_path: Path) -> None:
    config = tmp_path / "gate.toml"
    text = (Path(__file__).parents[2] / "config" / "gate.example.toml").read_text(encoding="utf-8")
    config.write_text(re.sub("# overstay_s.*", "overstay_s = 3600", text), encoding="utf-8")
    came = paper("VN-EMPTY-TO-CN", [*B2_IN, yes("b2_in SYS passed", 5)])
    assert "overstay" in said(ask(came, "b1_out", "--config", str(config)))
