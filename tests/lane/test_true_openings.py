"""Every opening names its vehicle, every shut gate says why: what was seen on the running product, line by line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from edge import clock
from edge.config import LawConfig, YardConfig
from edge.core.driver_sign import sign_of
from edge.core.model import Confirmation, Transfer, Vehicle
from edge.wire import Command
from tests.lane.test_agent_ways import form, on_paper, typed
from tests.lane.world import GUARD, OPERATOR, PLATE, World, ready
from tests.law.tools import stamp
from tests.panel.views import with_boom

OTHER, THIRD = "29H12345", "15C67890"
TWO = (Vehicle("vehicle", PLATE, "VN"), Vehicle("vehicle", OTHER, "VN"))


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with closing(World(tmp_path)) as one:
        yield one


@pytest.fixture
def yard(tmp_path: Path) -> Iterator[World]:
    with closing(World(tmp_path, "yard_in", yard=YardConfig(capacity=9))) as one:
        yield one


@pytest.fixture
def smart(tmp_path: Path) -> Iterator[World]:
    with closing(World(tmp_path, law=LawConfig(smart_lane="on"), smart=True)) as one:
        yield one


def stands_unread(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """On the loop for longer than a reading takes: the guard is asked."""
    world.run(world.notice("arrived"))
    now_s = clock.mono_s()
    monkeypatch.setattr(clock, "mono_s", lambda: now_s + 60.0)
    world.run(world.tick())


def backs_off(world: World) -> None:
    world.run(world.notice("left"))


def own(world: World, declaration_id: str = "CKS-2026-000001") -> list[tuple[str, str, str | None]]:
    kept = world.store.declaration(declaration_id)
    assert kept is not None
    return [(one.authority, one.act, one.plate) for one in kept.confirmations if one.via == "gate"]


def listed(world: World, plate: str, by: str | None = None) -> None:
    world.store.put_watchlist(json.dumps({"plates": [{"plate": plate, "reason": "xin dừng", "by": by}]}).encode())


def shut(world: World) -> list[str]:
    return [event["body"]["code"] for event in world.events("refusal") if event["body"]["stage"] == "stays_shut"]


# ---------------------------------------------------------------- 1. a press for one vehicle opens for another


def test_1_a_press_for_one_vehicle_of_a_declaration_never_opens_for_the_other(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.declares_ready(vehicles=TWO)
    stands_unread(world, monkeypatch)
    assert world.run(world.press("pick_declaration", value="CKS-2026-000001")).done
    assert world.verdict() == "unknown"
    assert world.codes()[0] == "which_vehicle"
    assert world.run(world.press("confirm")).code == "not_ready"
    assert world.passage()["vehicles"] == [[PLATE], [OTHER]]
    assert world.run(world.press("pick_vehicle", value=PLATE)).done
    assert world.verdict() == "ready"
    assert world.run(world.press("confirm")).done
    assert own(world) == [("BG", "pass", PLATE)]
    (event,) = world.events("confirmation")
    assert event["body"]["who"]["vehicle"] == [PLATE]
    assert (event["body"]["who"]["source"], event["body"]["who"]["by"]) == ("picked", GUARD.id)
    world.run(world.notice("permit_refused", "lane_not_clear"))
    backs_off(world)
    world.arrives(OTHER)
    assert world.verdict() == "ready", "nobody pressed for this one"
    assert len(world.barrier.offers) == 1


def test_1_the_first_vehicle_of_a_paper_form_driving_through_does_not_make_the_second_passed_already(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.declares_ready(vehicles=TWO)
    stands_unread(world, monkeypatch)
    world.run(world.press("pick_declaration", value="CKS-2026-000001"), world.press("pick_vehicle", value=PLATE))
    assert world.run(world.press("confirm")).done
    world.passes()
    assert own(world) == [("BG", "pass", PLATE), ("SYS", "passed", PLATE)]
    world.arrives(OTHER)
    assert world.verdict() == "ready"


def test_1_an_override_of_a_declaration_with_two_vehicles_leaves_no_passage_of_nobody(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.declares_ready(vehicles=TWO)
    stands_unread(world, monkeypatch)
    world.run(world.press("pick_declaration", value="CKS-2026-000001"))
    assert world.run(world.press("override", reason="other", words="đã xem giấy")).done
    world.passes()
    assert own(world) == [], "which of them went is not known, so neither is said to have gone"
    world.arrives(OTHER)
    assert world.verdict() == "ready"


def test_1_a_paper_form_with_two_vehicles_asks_which_of_them_and_opens_for_that_one_only(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_paper(world)
    stands_unread(world, monkeypatch)
    one = form()["vehicles"][0]
    paper = form(vehicles=[{**one, "plate": PLATE}, {**one, "plate": OTHER, "container": "", "seal": ""}])
    assert typed(world, paper).code == "paper_entered"
    assert world.codes()[0] == "which_vehicle"
    assert world.run(world.press("confirm")).code == "not_ready"
    world.run(world.press("pick_vehicle", value=PLATE))
    assert world.passage()["who"]["source"] == "paper"
    assert world.run(world.press("confirm")).done
    world.run(world.notice("permit_refused", "lane_not_clear"))
    backs_off(world)
    world.arrives(OTHER)
    assert world.verdict() == "ready"
    assert len(world.barrier.offers) == 1


def test_1_a_permit_that_a_gate_of_0_1_0_left_behind_is_taken_up_as_before(world: World) -> None:
    world.declares_ready()
    plate = {"text": PLATE, "raw": PLATE, "confidence": 0.99, "country": "VN", "kind": "vn_vehicle"}
    note = {"passage": "p1", "sights": [{"plate": plate, "decided": True}], "declaration": "CKS-2026-000001"}
    with world.store.transaction(world.config.id) as tx:
        tx.event("override", {"passage": "p1", "permit": 7})
        tx.keep("standing", world.config.id, {**note, "permit": 7})
    world.restart()
    world.run(world.notice("through", serial=7))
    assert own(world) == [("SYS", "passed", PLATE)]


@pytest.mark.parametrize(("act", "verdict"), [("pass", "ready"), ("passed", "refuse")])
def test_1_a_confirmation_of_an_older_record_that_names_no_vehicle_opens_for_none_of_several(
    world: World, act: str, verdict: str
) -> None:
    authority = "BG" if act == "pass" else "SYS"
    declaration = world.declares_ready(vehicles=TWO)
    nobodys = Confirmation("b1_out", authority, act, stamp(600), GUARD.id, "gate", None)
    with world.store.transaction(world.config.id) as tx:
        tx.event("confirmation", {"of": declaration.id})
        tx.confirmation(declaration.id, nobodys)
    world.arrives(OTHER)
    assert world.verdict() == verdict
    assert world.barrier.offers == []


# ---------------------------------------------------------------- 3. a fault is a permission only when it has lasted


def test_3_a_plate_that_was_read_and_is_undeclared_is_never_let_in_by_a_fault(
    yard: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for decided in (True, False):
        yard.run(yard.notice("arrived"), yard.reads(OTHER, decided=decided, track=7 + decided))
        yard.failed = lambda: True
        now_s = clock.mono_s()
        with monkeypatch.context() as later:
            later.setattr(clock, "mono_s", lambda now_s=now_s: now_s + 60.0)
            yard.run(yard.tick(), yard.tick())
        assert yard.barrier.offers == []
        assert yard.verdict() == "unknown"
        backs_off(yard)
        yard.run(yard.tick())
        yard.failed = lambda: False


def test_3_a_fault_ends_at_once_when_a_picture_comes_back(yard: World, monkeypatch: pytest.MonkeyPatch) -> None:
    failed = [True]
    yard.failed = lambda: failed[0]
    yard.barrier.now = replace(yard.barrier.now, held=True)
    stands_unread(yard, monkeypatch)
    assert yard.verdict() == "release"
    failed[0] = False
    yard.barrier.now = replace(yard.barrier.now, held=False)
    yard.run(yard.tick())
    assert yard.verdict() == "unknown"
    assert yard.barrier.offers == []


# ---------------------------------------------------------------- 4. what is typed


def test_4_a_typed_plate_opens_on_its_own_declaration_and_on_no_other(world: World) -> None:
    world.declares_ready(plate=OTHER, declared_at="2026-11-20T09:00:00+07:00", declaration_id="CKS-2026-000009")
    world.declares_ready(plate=PLATE)
    world.arrives(OTHER)
    assert world.run(world.press("type_plate", value=PLATE, reason="over_sure")).done
    shown = world.passage()
    assert shown["declaration"]["id"] == "CKS-2026-000001"
    assert (shown["plate"]["text"], shown["plate"]["typed"]) == (PLATE, True)
    assert (shown["who"]["source"], shown["who"]["by"], shown["who"]["over"]) == ("typed", GUARD.id, OTHER)


def test_4_a_typed_plate_that_finds_nothing_does_not_fall_back_on_what_was_read(world: World) -> None:
    world.declares_ready(plate=OTHER)
    world.arrives(OTHER)
    assert world.run(world.press("type_plate", value=PLATE, reason="over_sure")).done
    assert world.verdict() == "unknown"
    assert world.run(world.press("confirm")).code == "not_ready"


def test_4_a_text_over_a_sure_reading_asks_once_more_and_is_on_record(world: World) -> None:
    world.declares_ready()
    world.arrives(OTHER)
    answer = world.run(world.press("type_plate", value=PLATE))
    assert (answer.done, answer.code, answer.detail) == (False, "over_sure", OTHER)
    assert world.verdict() == "unknown"
    assert world.run(world.press("type_plate", value=PLATE, reason="over_sure")).done
    (typed,) = [event["body"] for event in world.events("passage") if event["body"]["stage"] == "plate_typed"]
    assert (typed["typed"], typed["over_sure"], typed["by"]) == (PLATE, OTHER, GUARD.id)


def test_4_an_unsure_reading_does_not_make_a_typed_plate_a_sure_one(world: World) -> None:
    world.declares_ready()
    world.run(world.notice("arrived"), world.reads(OTHER, decided=False))
    assert world.run(world.press("type_plate", value=PLATE)).done
    world.run(world.reads(PLATE, decided=False, track=2))
    assert world.passage()["plate"]["typed"]
    assert world.passage()["who"]["source"] == "typed"


# ---------------------------------------------------------------- 5. the plate in large letters


def test_5_the_plate_in_large_letters_is_the_one_that_matched(world: World) -> None:
    world.declares_ready()
    world.run(world.notice("arrived"), world.reads(OTHER, track=1), world.reads(PLATE, track=2))
    shown = world.passage()
    assert shown["plate"]["text"] == PLATE
    assert [plate["text"] for plate in shown["plates"]] == [PLATE, OTHER]
    assert shown["who"]["plate"] == PLATE
    assert shown["who"]["beside"] == [{"plate": OTHER, "standing": "none"}]
    reading = world.actor.best_reading()
    assert reading is not None
    assert reading.read.plate.text == PLATE, "and the photo is of it"


@pytest.mark.parametrize("standing", ["sibling", "other", "none", "held"])
def test_5_every_other_plate_in_view_is_told_with_its_own_standing(world: World, standing: str) -> None:
    vehicles = TWO if standing == "sibling" else TWO[:1]
    world.declares_ready(vehicles=vehicles)
    if standing == "other":
        world.declares_ready(plate=OTHER, declaration_id="CKS-2026-000002", declared_at="2026-11-19T08:00:00+07:00")
    if standing == "held":
        listed(world, OTHER)
    world.run(world.notice("arrived"), world.reads(PLATE, track=1), world.reads(OTHER, track=2))
    if standing == "sibling":
        assert world.codes()[0] == "which_vehicle"
        world.run(world.press("pick_vehicle", value=PLATE))
    assert world.passage()["who"]["beside"] == [{"plate": OTHER, "standing": standing}]


# ---------------------------------------------------------------- 6. an unsure plate is not an undeclared one


def test_6_an_unsure_plate_is_not_called_undeclared(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.declares_ready()
    world.run(world.reads(PLATE, decided=False))
    stands_unread(world, monkeypatch)
    assert world.codes() == ["plate_unread"]


def test_6_an_undeclared_plate_is(world: World) -> None:
    world.arrives(OTHER)
    assert world.codes() == ["no_declaration"]


# ---------------------------------------------------------------- 7. the one gate for what opens by itself


def test_7_a_smart_lane_opens_by_itself_where_nothing_is_outstanding(smart: World) -> None:
    smart.declares_ready()
    smart.arrives()
    assert len(smart.barrier.offers) == 1
    assert smart.events("barrier")[0]["body"]["who"]["plate"] == PLATE


def test_7_not_on_one_of_two_active_declarations(smart: World) -> None:
    smart.declares_ready()
    smart.declares_ready(declaration_id="CKS-2026-000002", declared_at="2026-11-20T09:00:00+07:00")
    smart.arrives()
    assert (smart.barrier.offers, shut(smart)) == ([], ["several_declarations"])


def test_7_two_way_carriage_opens_on_the_one_declaration_that_passes_here(smart: World) -> None:
    """Seen: a truck declared for both its trips needed a press at every smart road and every yard gate."""
    out = smart.declares_ready(declaration_id="CKS-2026-000001")
    home = ready("IM-IN", "b2_out", declaration_id="CKS-2026-000002", declared_at="2026-11-20T09:00:00+07:00")
    smart.declares(replace(home, confirmations=()))
    smart.arrives()
    assert (len(smart.barrier.offers), shut(smart)) == (1, [])
    assert smart.passage()["declaration"]["id"] == out.id


def test_7_two_way_carriage_opens_at_a_yard_gate(yard: World) -> None:
    """The first trip went through this yard already; the second has not come by B1 yet and does not pass here now."""
    first = yard.declares_ready(declaration_id="CKS-2026-000001")
    went = Confirmation(yard.gate, "SYS", "passed", stamp(30), "yard", "gate", PLATE)
    yard.declares(replace(first, version=2, confirmations=(*first.confirmations, went)))
    second = yard.declares_ready(declaration_id="CKS-2026-000002")
    yard.arrives()
    assert (len(yard.barrier.offers), shut(yard)) == (1, [])
    assert yard.passage()["declaration"]["id"] == second.id


def test_7_of_several_that_pass_here_the_one_that_is_ready(smart: World) -> None:
    whole = smart.declares_ready(declaration_id="CKS-2026-000001")
    smart.declares(replace(whole, id="CKS-2026-000002", confirmations=whole.confirmations[:-1]))
    smart.arrives()
    assert (len(smart.barrier.offers), shut(smart)) == (1, [])
    assert smart.passage()["declaration"]["id"] == whole.id


def test_7_not_beside_one_that_passes_here_and_is_held_for_a_cause(smart: World) -> None:
    """A declaration past its transfer's deadline passes this gate as well: which trip it is, a guard has to say."""
    whole = smart.declares_ready(declaration_id="CKS-2026-000001")
    late = Transfer("BB-17", "2026-11-20", "Chi cục A", "Chi cục B", ("S1",), deadline="2026-11-20T01:00:00+07:00")
    smart.declares(replace(whole, id="CKS-2026-000002", transfer=late))
    smart.arrives()
    assert (smart.barrier.offers, shut(smart)) == ([], ["several_declarations"])


def test_7_not_with_transfer_seals_that_nobody_looked_at(smart: World) -> None:
    record = Transfer("BB-17", "2026-11-20", "Chi cục Hải Phòng", "Chi cục Hữu Nghị", ("HQ001",))
    smart.declares_ready(transfer=record)
    smart.arrives()
    assert (smart.barrier.offers, shut(smart)) == ([], ["note_outstanding"])
    assert smart.passage()["shut"] == {"code": "note_outstanding", "detail": "seals_not_compared"}
    looked = json.dumps({"seen": ["HQ001"], "broken": False, "off_route": False})
    assert smart.run(smart.press("seals", value=looked)).done
    assert len(smart.barrier.offers) == 1


def test_7_not_with_a_stamp_a_year_ahead(smart: World) -> None:
    declaration = smart.declares_ready()
    last = replace(declaration.confirmations[-1], at="2099-01-01T00:00:00+07:00")
    smart.declares(replace(declaration, version=2, confirmations=(*declaration.confirmations[:-1], last)))
    smart.arrives()
    assert (smart.barrier.offers, shut(smart)) == ([], ["note_outstanding"])


def test_7_not_with_an_overstay_outstanding(tmp_path: Path) -> None:
    with closing(World(tmp_path, law=LawConfig(smart_lane="on", overstay_s=60), smart=True)) as world:
        declaration = world.declares_ready()
        came = Confirmation("b1_in", "SYS", "passed", stamp(0), "b1-in", "platform", PLATE)
        world.declares(replace(declaration, version=2, confirmations=(came, *declaration.confirmations)))
        world.arrives()
        assert "overstay" in world.codes()
        assert (world.barrier.offers, shut(world)) == ([], ["note_outstanding"])


def test_7_a_yard_gate_beside_a_second_undeclared_plate_says_so_once_on_screen_and_record(yard: World) -> None:
    yard.declares_ready()
    yard.run(yard.notice("arrived"), yard.reads(OTHER, track=2), yard.reads(PLATE, track=1))
    assert yard.barrier.offers == []
    assert yard.passage()["shut"] == {"code": "other_plate", "detail": OTHER}
    yard.run(yard.tick(), yard.tick(), yard.copy_changed())
    assert shut(yard).count("other_plate") == 1
    (event,) = [e["body"] for e in yard.events("refusal") if e["body"]["code"] == "other_plate"]
    assert event["who"]["plate"] == PLATE
    assert event["verdict"]["verdict"] == "release"


@pytest.mark.parametrize(("boom", "code"), [({"held": True}, "held_shut"), ({"board_ok": False}, "board_down")])
def test_7_what_the_barrier_would_refuse_is_said_too(yard: World, boom: dict[str, Any], code: str) -> None:
    yard.declares_ready()
    yard.barrier.now = replace(yard.barrier.now, **boom)
    yard.arrives()
    yard.run(yard.tick(), yard.tick())
    assert (yard.barrier.offers, shut(yard)) == ([], [code])


def test_7_a_typed_plate_opens_no_smart_lane(smart: World) -> None:
    smart.declares_ready()
    smart.run(smart.notice("arrived"), smart.reads(OTHER, decided=False), smart.press("type_plate", value=PLATE))
    assert (smart.barrier.offers, shut(smart)[-1]) == ([], "not_read_here")
    assert smart.run(smart.press("confirm")).done


def test_7_a_yard_operator_names_an_unread_vehicle_and_it_passes_under_that_name(yard: World) -> None:
    yard.declares_ready()
    yard.run(yard.notice("arrived"), yard.reads(OTHER, decided=False), yard.press("type_plate", value=PLATE))
    assert len(yard.barrier.offers) == 1
    (released,) = [e["body"] for e in yard.events("barrier") if e["body"]["stage"] == "released"]
    assert (released["who"]["source"], released["who"]["by"]) == ("typed", GUARD.id)


def test_7_but_not_over_what_the_camera_read_surely(yard: World) -> None:
    yard.declares_ready()
    yard.run(yard.notice("arrived"), yard.reads(OTHER))
    yard.run(yard.press("type_plate", value=PLATE, reason="over_sure"))
    assert (yard.barrier.offers, shut(yard)[-1]) == ([], "not_read_here")


# ---------------------------------------------------------------- 8. an undeclared tractor with a declared trailer


def test_8_an_undeclared_tractor_with_a_declared_trailer_is_told_and_asks_for_a_look(world: World) -> None:
    world.declares_ready(vehicles=(Vehicle("tractor", THIRD, "VN"), Vehicle("trailer", "12R01234", "VN")))
    world.run(world.notice("arrived"), world.reads(OTHER, track=1), world.reads("12R01234", track=2))
    assert "beside_undeclared" in world.codes()
    assert world.passage()["needs_check"]
    assert world.run(world.press("confirm")).code == "look_needed"
    assert world.barrier.offers == []
    assert world.run(world.press("confirm", value="checked")).done
    (event,) = world.events("confirmation")
    assert event["body"]["looked_at"] == [OTHER]
    assert event["body"]["who"]["vehicle"] == [THIRD, "12R01234"]


def test_8_a_plate_that_came_after_the_look_asks_for_another(world: World) -> None:
    world.declares_ready()
    world.run(world.notice("arrived"), world.reads(PLATE, track=1), world.reads(OTHER, track=2))
    world.actor.shown.looked_at = frozenset({OTHER})
    world.run(world.reads(THIRD, track=3))
    assert world.run(world.press("confirm")).code == "look_needed"


# ---------------------------------------------------------------- 9. an emergency


def test_9_an_emergency_keeps_the_refusal_of_who_stands_there_and_his_sign_is_not_green(world: World) -> None:
    listed(world, PLATE)
    world.declares_ready()
    world.arrives()
    assert world.verdict() == "refuse"
    assert world.run(world.press("emergency_open", reason="people")).done
    world.run(world.notice("opening"), world.notice("opened"))
    world.barrier.now = replace(world.barrier.now, boom="open", cause="emergency")
    shown = world.passage()
    assert (shown["state"], shown["verdict"]["verdict"]) == ("waiting", "refuse")
    assert sign_of(with_boom(world.desk.view(), state="open", emergency=True)) == "stop"


def test_9_for_anybody_else_the_sign_says_drive_in_an_emergency(world: World) -> None:
    world.arrives(OTHER)
    world.run(world.press("emergency_open", reason="people"))
    assert sign_of(with_boom(world.desk.view(), state="open", emergency=True)) == "drive"


# ---------------------------------------------------------------- 10. backs off and comes again


def test_10_a_vehicle_that_backs_off_and_comes_again_in_view_keeps_its_plate(world: World) -> None:
    world.declares_ready()
    world.arrives()
    first = world.passage()["id"]
    backs_off(world)
    world.run(world.tracks(1), world.notice("arrived"))
    assert world.passage()["id"] != first
    assert world.passage()["plate"]["text"] == PLATE
    assert world.verdict() == "ready"


def test_10_one_that_went_out_of_view_does_not(world: World) -> None:
    world.declares_ready()
    world.arrives()
    backs_off(world)
    world.run(world.tracks(), world.notice("arrived"))
    assert world.passage()["plate"] is None


def test_10_one_that_no_camera_has_seen_since_does_not(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.declares_ready()
    world.arrives()
    backs_off(world)
    now_s = clock.mono_s()
    monkeypatch.setattr(clock, "mono_s", lambda: now_s + 30.0)
    world.run(world.notice("arrived"))
    assert world.passage()["plate"] is None


# ---------------------------------------------------------------- 11. a remote open


def test_11_a_remote_open_does_not_pass_a_customs_hold_with_one_person(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "state", lambda: "synced")
    listed(world, PLATE, by="CU")
    world.declares_ready()
    world.arrives()
    world.run(commanded(world))
    assert world.barrier.offers == []
    (event,) = [e["body"] for e in world.events("refusal") if e["body"]["stage"] == "command_refused"]
    assert (event["code"], event["by"]) == ("two_people", "TTDH-01")


async def commanded(world: World) -> None:
    now = datetime.now(clock.VIETNAM)
    one = Command(id=clock.new_id(), issued_at=now, action="open", by="TTDH-01", reason="lệnh")
    world.commands.put(one, retained=False)


# ---------------------------------------------------------------- 12. counted twice


def level(world: World) -> int:
    return int(world.view()["yard"]["count"])


async def by_hand(world: World, plate: str) -> Any:
    return await world.press("yard_entry", passage=None, person=OPERATOR, value=plate)


def test_12_a_passage_recorded_by_hand_while_the_vehicle_stands_there_is_counted_once(yard: World) -> None:
    yard.declares_ready()
    yard.run(yard.notice("arrived"))
    assert yard.run(by_hand(yard, PLATE)).done
    assert level(yard) == 1
    yard.passes()
    assert level(yard) == 1
    assert [act for _, act, _ in own(yard)] == ["auto"], "and confirmed once"


def test_12_one_that_the_loop_counted_already_is_not_counted_by_hand_again(yard: World) -> None:
    yard.declares_ready()
    yard.arrives()
    yard.passes()
    assert yard.run(by_hand(yard, PLATE)).code == "counted_already"
    assert level(yard) == 1


def test_12_an_unread_vehicle_that_the_loop_counted_gets_its_name_by_hand_and_no_second_count(
    yard: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    declaration = yard.declares_ready()
    yard.failed = lambda: True
    stands_unread(yard, monkeypatch)
    yard.passes()
    assert level(yard) == 1
    assert yard.run(by_hand(yard, PLATE)).done
    assert level(yard) == 1
    assert own(yard, declaration.id) == [("SYS", "auto", PLATE)]


def test_12_another_vehicle_recorded_by_hand_beside_the_one_at_the_gate_counts(yard: World) -> None:
    yard.declares_ready()
    yard.arrives()
    assert yard.run(by_hand(yard, OTHER)).done
    yard.passes()
    assert level(yard) == 2
