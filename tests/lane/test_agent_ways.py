"""The other ways through a lane: two people, paper, seals, the yard, plates that were misread, a restart."""

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
from edge.agent.actions.similar_plates import near_plates, neighbours
from edge.agent.lane.receipts import received
from edge.agent.lane.yard import Yard
from edge.config import LawConfig, YardConfig
from edge.core.bodies import Commanded, OpenedByCommand
from edge.core.model import Confirmation, Transfer, Vehicle
from edge.ports import Person
from edge.wire import Command
from tests.lane.world import GUARD, OPERATOR, PLATE, World, plates, ready

LEADER = Person("BP-0001", "Trưởng ca Ví Dụ", "shift_leader")
OTHER = "12C67890"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with closing(World(tmp_path)) as one:
        yield one


@pytest.fixture
def yard(tmp_path: Path) -> Iterator[World]:
    with closing(World(tmp_path, "yard_in", yard=YardConfig(capacity=2))) as one:
        yield one


# ---------------------------------------------------------------- two people


def hold(world: World, by: str | None, plate: str = PLATE) -> None:
    world.store.put_watchlist(json.dumps({"plates": [{"plate": plate, "reason": "hồ sơ 17", "by": by}]}).encode())


def test_a_customs_hold_is_overridden_by_two_people_only_and_both_are_recorded(world: World) -> None:
    world.declares_ready()
    hold(world, "CU")
    world.arrives()
    assert (world.verdict(), world.codes()) == ("refuse", ["customs_hold"])
    assert world.passage()["two_people"]
    assert world.run(world.press("override", reason="ordered")).code == "two_people"
    assert world.run(world.press("override", reason="ordered", second=GUARD)).code == "two_people"
    assert world.barrier.offers == []
    assert world.run(world.press("override", reason="ordered", second=LEADER)).done
    body = world.events("override")[0]["body"]
    assert (body["by"], body["second"], body["second_role"]) == (GUARD.id, LEADER.id, "shift_leader")
    assert len(world.barrier.offers) == 1


def test_any_other_watched_plate_is_overridden_by_one(world: World) -> None:
    world.declares_ready()
    hold(world, None)
    world.arrives()
    assert (world.verdict(), world.passage()["two_people"]) == ("refuse", False)
    assert world.run(world.press("override", reason="ordered")).done


def test_a_customs_hold_that_comes_while_the_vehicle_stands_there_counts_for_the_press(world: World) -> None:
    world.declares_ready()
    world.arrives()
    hold(world, "CU")
    assert world.run(world.press("override", reason="ordered")).code == "two_people"
    assert world.run(world.press("confirm")).code == "not_ready"
    assert world.barrier.offers == []


# ---------------------------------------------------------------- paper mode


def today() -> str:
    return datetime.now(clock.VIETNAM).date().isoformat()


def form(plate: str = PLATE, **more: Any) -> dict[str, Any]:
    vehicle = {
        "vehicle_class": "from_18t",
        "plate": plate,
        "container": "MSKU1234565",
        "seal": "VN0012345",
        "driver": "Người lái Ví Dụ",
        "phone": "0900 000 000",
        "origin": "VN",
    }
    signers = ("DN", "CD", "CU", "HE", "BG", "GC")
    return {
        "organisation": "Công ty Ví Dụ",
        "tax_code": "0100000000",
        "address": "Lạng Sơn",
        "customs_number": "300000000000",
        "customs_date": today(),
        "border_gate": "Hữu Nghị",
        "movement": "ordinary",
        "goods_count": "1",
        "total_weight": "18,5",
        "weight_unit": "tấn",
        "goods": [{"name": "Sầu riêng", "origin": "VN", "quantity": "18,5", "unit": "tấn", "value": ""}],
        "vehicles": [vehicle],
        "signatures": {who: {"name": f"{who} Ví Dụ", "date": today()} for who in signers},
        **more,
    }


def typed(world: World, paper: dict[str, Any] | None = None, procedure: str = "EX-IN") -> Any:
    value = json.dumps({"form": paper or form(), "procedure": procedure, "requires": {"fee": False}})
    return world.run(world.press("paper_form", value=value))


def on_paper(world: World) -> None:
    world.link = "down"
    assert world.run(world.press("paper_mode", passage=None, value="on", reason="link")).code == "paper_on"


def test_a_centre_that_is_silent_behind_its_broker_is_out_of_reach(world: World) -> None:
    """Seen: the broker answered, the centre was gone, and nobody could go on paper."""
    world.oldest_s = 30.0
    assert world.run(world.press("paper_mode", passage=None, value="on")).code == "link_is_up"
    world.oldest_s = 121.0
    assert "paper_mode" in world.view()["actions"]
    assert world.run(world.press("paper_mode", passage=None, value="on", reason="link")).code == "paper_on"


def test_a_guard_enters_paper_mode_only_while_the_link_is_down_and_it_outlives_a_restart(world: World) -> None:
    assert world.run(world.press("paper_mode", passage=None, value="on")).code == "link_is_up"
    on_paper(world)
    assert world.view()["paper"]["by"] == GUARD.id
    world.restart()
    assert world.view()["paper"]["by"] == GUARD.id
    world.run(world.press("paper_mode", passage=None, value="off"))
    assert world.view()["paper"] is None
    assert world.stages() == [("paper_form", "paper_on"), ("paper_form", "paper_off")]


def test_the_centre_declares_paper_mode_by_a_command(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "state", lambda: "synced")
    now = datetime.now(clock.VIETNAM)
    command = Command(id="C-9", issued_at=now, action="paper_on", by="TT-0003", reason="nền tảng hỏng")

    async def sent() -> None:
        world.commands.put(command, False)

    world.run(sent())
    assert world.view()["paper"]["by"] == "TT-0003"


def test_a_complete_form_makes_the_vehicle_ready_and_the_guards_press_opens_on_it(world: World) -> None:
    on_paper(world)
    world.arrives()
    assert world.verdict() == "unknown"
    answer = typed(world)
    assert (answer.done, answer.code) == (True, "paper_entered")
    assert world.verdict() == "ready"
    assert {need["state"] for step in world.passage()["steps"] for need in step["needs"]} == {"given", "missing"}
    event = world.events("paper_form")[-1]
    assert (event["body"]["stage"], event["body"]["form"]["organisation"]) == ("entered", "Công ty Ví Dụ")
    assert world.barrier.offers == []
    assert world.run(world.press("confirm")).done
    assert len(world.barrier.offers) == 1
    confirmation = world.events("confirmation")[-1]["body"]
    assert confirmation["declaration"] == event["body"]["declaration"]
    world.passes()
    world.run(world.notice("arrived"), world.reads(track=2))
    assert "passed_already" in world.codes()


def test_an_old_copy_asks_nothing_of_a_form_that_is_in_the_guards_hand(tmp_path: Path) -> None:
    with closing(World(tmp_path, law=LawConfig(copy_age_limit_s=60))) as world:
        world.age_s = 7200.0
        on_paper(world)
        world.arrives()
        assert typed(world).done
        assert (world.verdict(), world.passage()["needs_check"]) == ("ready", False)
        assert world.run(world.press("confirm")).done


def test_a_form_without_a_signature_awaits_it(world: World) -> None:
    on_paper(world)
    world.arrives()
    paper = form()
    del paper["signatures"]["HE"]
    assert typed(world, paper).done
    assert world.verdict() == "await"
    assert ("HE", "pass") in [(one["authority"], one["act"]) for one in world.passage()["verdict"]["missing"]]
    assert world.run(world.press("confirm")).code == "not_ready"


def test_every_fault_of_a_form_is_told_by_its_field_and_nothing_is_recorded(world: World) -> None:
    on_paper(world)
    world.arrives()
    before = len(world.events())
    answer = typed(world, form(plate=OTHER, tax_code="12", organisation=" ", customs_date="2099-01-01"))
    assert answer.code == "paper_faults"
    faults = dict(json.loads(answer.detail))
    assert faults == {"organisation": "empty", "tax_code": "tax_code", "customs_date": "future"}
    assert dict(json.loads(typed(world, form(plate=OTHER)).detail)) == {"vehicles.0.plate": "not_here"}
    assert dict(json.loads(typed(world, procedure="VN-EMPTY-RETURN").detail)) == {"procedure": "procedure"}
    assert len(world.events()) == before


@pytest.mark.parametrize("value", ["", "[]", "{", '{"form": 1, "procedure": "EX-IN"}'])
def test_what_is_no_form_is_refused(world: World, value: str) -> None:
    on_paper(world)
    world.arrives()
    assert world.run(world.press("paper_form", value=value)).code == "bad_value"


def test_a_form_outside_paper_mode_is_refused(world: World) -> None:
    world.arrives()
    assert typed(world).code == "not_now"


def platform(world: World, **vehicle: str) -> None:
    """The declaration that the platform publishes once it is back."""
    line = form()["vehicles"][0]
    one = Vehicle("vehicle", PLATE, "VN", "from_18t", line["container"], line["seal"], line["driver"], line["phone"])
    declaration = ready("EX-IN", "b1_out", vehicles=(replace(one, **vehicle),))  # type: ignore[arg-type]
    world.declares(
        replace(
            declaration,
            declarant={"name": "Công ty Ví Dụ", "tax_code": "0100000000", "address": "Lạng Sơn"},
            customs_declaration={"number": "300000000000", "date": today()},
            goods=({"name": "Sầu riêng", "origin": "VN", "quantity": "18,5", "unit": "tấn"},),
        )
    )


def reconciled(world: World) -> list[str]:
    return [event["body"]["outcome"] for event in world.events("paper_form") if event["body"]["stage"] == "reconciled"]


def by_paper(world: World) -> None:
    on_paper(world)
    world.arrives()
    typed(world)
    world.run(world.press("confirm"))
    world.passes()


def test_a_form_like_the_platforms_declaration_is_the_same_and_its_passage_stands_there(world: World) -> None:
    by_paper(world)
    platform(world)
    world.link = "up"
    world.run(world.copy_changed())
    assert reconciled(world) == ["same"]
    assert world.view()["paper_tasks"] == []
    kept = world.store.declaration("CKS-2026-000001")
    assert kept is not None
    assert ("b1_out", "SYS", "passed") in [(one.step, one.authority, one.act) for one in kept.confirmations]
    assert [one.id for one in world.store.declarations_for_plate(PLATE)] == ["CKS-2026-000001"]


def test_a_form_that_differs_is_a_task_with_both_sides_until_a_guard_settles_it(world: World) -> None:
    by_paper(world)
    platform(world, seal="VN9999999")
    world.run(world.copy_changed())
    assert reconciled(world) == ["different"]
    (task,) = world.view()["paper_tasks"]
    assert task["differences"] == [{"field": f"vehicles.{PLATE}.seal", "paper": "VN0012345", "platform": "VN9999999"}]
    world.run(world.copy_changed())
    assert reconciled(world) == ["different"], "told once"
    world.restart()
    assert len(world.view()["paper_tasks"]) == 1
    assert world.run(world.press("paper_settle", passage=None, value=task["id"])).code == "reason_needed"
    assert world.run(world.press("paper_settle", passage=None, value=task["id"], reason="paper_wrong")).done
    assert world.view()["paper_tasks"] == []
    kept = world.store.declaration("CKS-2026-000001")
    assert kept is not None
    assert "passed" in [one.act for one in kept.confirmations]


def test_a_form_that_the_platform_does_not_have_is_shown_as_missing_until_it_has(world: World) -> None:
    by_paper(world)
    world.run(world.copy_changed())
    assert reconciled(world) == ["missing"]
    assert [task["outcome"] for task in world.view()["paper_tasks"]] == ["missing"]
    platform(world)
    world.run(world.copy_changed())
    assert reconciled(world) == ["missing", "same"]
    assert world.view()["paper_tasks"] == []


# ---------------------------------------------------------------- goods under customs transfer


RECORD = Transfer("BB-17", "2026-11-20", "Chi cục Hải Phòng", "Chi cục Hữu Nghị", ("HQ001", "HQ002"))


def look(world: World, *seen: str, **more: Any) -> Any:
    value = {"seen": list(seen), "broken": False, "off_route": False, **more}
    return world.run(world.press("seals", value=json.dumps(value), words="nguyên vẹn"))


def test_seals_like_the_record_pass_and_one_that_differs_holds_for_two_people(world: World) -> None:
    world.declares_ready(transfer=RECORD)
    world.arrives()
    assert "seals_not_compared" in world.codes()
    assert look(world, "HQ001", "hq-002").done
    assert world.verdict() == "ready"
    assert look(world, "HQ001", "HQ009").done
    assert (world.verdict(), world.codes()[0], world.passage()["two_people"]) == ("refuse", "seal_differs", True)
    assert world.run(world.press("confirm")).code == "not_ready"
    body = [event["body"] for event in world.events("passage") if event["body"]["stage"] == "seals"][-1]
    assert (body["differing"], body["record_no"], body["by"]) == (["HQ002", "HQ009"], "BB-17", GUARD.id)


@pytest.mark.parametrize(("found", "code"), [({"broken": True}, "seal_broken"), ({"off_route": True}, "route_wrong")])
def test_a_broken_seal_or_a_wrong_route_holds(world: World, found: dict[str, bool], code: str) -> None:
    world.declares_ready(transfer=RECORD)
    world.arrives()
    look(world, "HQ001", "HQ002", **found)
    assert (world.verdict(), code in world.codes()) == ("refuse", True)


def test_a_gate_that_knows_its_name_holds_what_is_off_its_route(tmp_path: Path) -> None:
    with closing(World(tmp_path, law=LawConfig(route_name="Hữu Nghị"))) as world:
        world.declares_ready(transfer=replace(RECORD, route=("Hải Phòng", "Chi Ma")))
        world.arrives()
        assert "route_wrong" in world.codes()


def test_a_passed_deadline_holds_without_anybody_looking(world: World) -> None:
    world.declares_ready(transfer=replace(RECORD, deadline="2026-01-01"))
    world.arrives()
    assert (world.verdict(), world.codes()[0]) == ("refuse", "deadline_passed")


def test_what_was_received_is_kept_for_the_list_and_a_monitored_lot_is_told_at_once(world: World) -> None:
    world.declares_ready(transfer=replace(RECORD, monitored=True))
    world.arrives()
    look(world, "HQ001", "HQ002")
    (one,) = received(world.store)
    assert one.declaration.transfer is not None
    assert (one.declaration.transfer.record_no, one.condition) == ("BB-17", "nguyên vẹn")
    (told,) = [event["body"] for event in world.events() if event["body"].get("stage") == "transfer_at_once"]
    assert told["sent_by"] == "Chi cục Hải Phòng"
    assert told["rows"][0][1] == "BB-17"


def test_seals_are_asked_of_goods_under_transfer_only(world: World) -> None:
    world.declares_ready()
    world.arrives()
    assert look(world, "HQ001").code == "not_now"


@pytest.mark.parametrize("value", ["", "{}", '{"seen": [""], "broken": false, "off_route": false}', '{"seen": 3}'])
def test_seals_that_are_none_are_refused(world: World, value: str) -> None:
    world.declares_ready(transfer=RECORD)
    world.arrives()
    assert world.run(world.press("seals", value=value)).code == "bad_value"


# ---------------------------------------------------------------- the yard


def level(world: World) -> tuple[int, bool, bool]:
    shown = world.view()["yard"]
    return shown["count"], shown["full"], shown["doubtful"]


def test_a_yard_whose_board_is_lost_counts_no_more_until_a_person_has(
    yard: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge.agent.lane.lane.DEVICE_FAILED_S", 0.0)
    yard.run(yard.tick())
    assert level(yard) == (0, False, False)
    yard.barrier.now = replace(yard.barrier.now, board_ok=False)
    yard.run(yard.tick(), yard.tick())
    assert level(yard) == (0, False, True)
    told = [event["body"]["stage"] for event in yard.events("alarm")]
    assert told == ["device_failed"], "said once"


def test_the_yard_is_counted_with_each_passage_and_every_change_is_an_event(yard: World) -> None:
    yard.declares_ready()
    yard.arrives()
    yard.passes()
    assert level(yard) == (1, False, False)
    assert [event["body"]["count"] for event in yard.events("yard_level")] == [1]


def test_the_operator_puts_the_level_right_under_their_name(yard: World) -> None:
    answer = yard.run(yard.press("yard_count", passage=None, person=OPERATOR, value="2", words="đếm lại"))
    assert answer.code == "yard_corrected"
    assert level(yard) == (2, True, False)
    assert yard.events("yard_level")[-1]["body"]["corrected_by"] == OPERATOR.id
    for bad in ("-1", "x", "", "²", "1000000"):
        assert yard.run(yard.press("yard_count", passage=None, person=OPERATOR, value=bad)).code == "bad_value"


def test_the_level_outlives_a_restart(yard: World) -> None:
    yard.run(yard.press("yard_count", passage=None, person=OPERATOR, value="2"))
    yard.restart()
    assert Yard(YardConfig(capacity=5), yard.store).level.count == 2


def test_a_vehicle_that_passed_a_broken_gate_is_recorded_by_hand(yard: World) -> None:
    declaration = yard.declares_ready()
    answer = yard.run(yard.press("yard_entry", passage=None, person=OPERATOR, value=PLATE, words="camera hỏng"))
    assert answer.code == "entered_by_hand"
    assert level(yard)[0] == 1
    kept = yard.store.declaration(declaration.id)
    assert kept is not None
    assert (kept.confirmations[-1].step, kept.confirmations[-1].act, kept.confirmations[-1].by) == (
        "yard_in",
        "auto",
        OPERATOR.id,
    )
    assert yard.run(yard.press("yard_entry", passage=None, person=OPERATOR, value="???")).code == "bad_plate"
    assert yard.barrier.offers == []


def test_an_undeclared_vehicle_recorded_by_hand_counts_too(yard: World) -> None:
    assert yard.run(yard.press("yard_entry", passage=None, person=OPERATOR, value=OTHER)).done
    assert level(yard)[0] == 1


def test_where_the_cameras_failed_a_vehicle_passes_as_normal_and_only_once(
    yard: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    yard.failed = lambda: True
    yard.run(yard.notice("arrived"))
    assert yard.barrier.offers == []
    now_s = clock.mono_s()
    monkeypatch.setattr(clock, "mono_s", lambda: now_s + 60.0)
    yard.run(yard.tick())
    assert yard.codes() == ["device_fault"]
    assert len(yard.barrier.offers) == 1
    yard.run(yard.copy_changed(), yard.tick())
    assert len(yard.barrier.offers) == 1
    yard.passes()
    assert level(yard)[0] == 1


def test_a_lane_at_a_barrier_has_no_yard(world: World) -> None:
    assert world.view()["yard"] is None
    assert world.run(world.press("yard_count", passage=None, value="3")).code == "no_yard"


# ---------------------------------------------------------------- plates that were misread


def test_a_misread_plate_offers_the_declared_one_like_it_and_the_choice_is_recorded_with_both(world: World) -> None:
    world.declares_ready(plate="12C12346")
    world.declares_ready(plate=OTHER, declaration_id="CKS-2026-000002")
    world.run(world.notice("arrived"), world.reads("12C12345", decided=False, raw="12C1Z345"))
    assert world.passage()["plate"]["candidates"] == ["12C12345", "12C12346"]
    assert world.barrier.offers == []
    assert world.run(world.press("type_plate", value="12C12346")).done
    assert world.verdict() == "ready"
    (body,) = [event["body"] for event in world.events() if event["body"].get("stage") == "plate_typed"]
    assert (body["typed"], body["read"], body["raw"], body["by"]) == ("12C12346", "12C12345", "12C1Z345", GUARD.id)
    assert body["offered"] == ["12C12346"]


def test_a_decided_plate_that_finds_nothing_offers_too_but_never_matches(world: World) -> None:
    world.declares_ready(plate="12C12346")
    world.arrives()
    assert world.verdict() == "unknown"
    assert "12C12346" in world.passage()["plate"]["candidates"]
    assert world.run(world.press("confirm")).code == "not_ready"


def test_a_withdrawn_declarations_plate_is_not_offered(world: World) -> None:
    world.declares_ready(plate="12C12346", state="withdrawn")
    world.arrives()
    assert world.passage()["plate"]["candidates"] == []


def test_what_is_near_is_found_among_many_and_the_nearest_first() -> None:
    table = plates()
    declared = {"12C12346", "12C1234", "12C123455", "12CI2345", "12C54321", "桂F12345"}
    asked: list[int] = []

    def known(texts: Any) -> list[str]:
        asked.append(len(texts))
        return [text for text in texts if text in declared]

    found = near_plates(table, "12C12345", known)
    assert all(table.near("12C12345", plate) for plate in found)
    assert set(found) == {plate for plate in declared if table.near("12C12345", plate)}
    assert asked[0] < 5000
    assert "12C12345" not in neighbours(table, "12C12345")


# ---------------------------------------------------------------- overstays


def test_a_vehicle_inside_for_longer_than_the_site_allows_is_shown(tmp_path: Path) -> None:
    with closing(World(tmp_path, law=LawConfig(overstay_s=3600))) as world:
        declaration = ready("EX-IN", "b1_out")
        came = Confirmation("b2_in", "SYS", "passed", "2026-11-01T08:00:00+07:00", "cks")
        world.declares(replace(declaration, confirmations=(*declaration.confirmations, came)))
        world.declares_ready(plate=OTHER, declaration_id="CKS-2026-000002")
        (stay,) = world.actor.law.overstays()
        assert (stay.declaration.id, stay.plates) == (declaration.id, (PLATE,))
        world.actor.beside.overstays = [stay]
        assert world.view()["overstays"][0]["plates"] == [PLATE]
        world.arrives()
        assert "overstay" in world.codes()


# ---------------------------------------------------------------- a restart while the boom is up


def test_a_passage_that_a_restart_cut_in_two_is_still_of_its_declaration(world: World) -> None:
    declaration = world.declares_ready()
    world.arrives()
    world.run(world.press("confirm"), world.notice("opening"), world.notice("opened"))
    before = world.passage()["id"]
    world.restart()
    assert (world.passage()["id"], world.passage()["state"]) == (before, "open")
    world.run(world.notice("observed", "open", 0), world.notice("arrived", serial=0), world.tick())
    world.run(world.notice("through", serial=0), world.notice("closed", serial=0))
    kept = world.store.declaration(declaration.id)
    assert kept is not None
    assert [(one.step, one.authority, one.act) for one in kept.confirmations][-1] == ("b1_out", "SYS", "passed")
    assert world.barrier.offers == []
    assert world.view()["last"][0]["outcome"] == "through"
    world.restart()
    assert world.view()["passage"] is None, "what is over is not found again"


def test_a_vehicle_whose_boom_is_down_after_the_restart_waits_for_a_guard(world: World) -> None:
    world.declares_ready()
    world.arrives()
    world.run(world.press("confirm"))
    world.restart()
    world.run(world.notice("arrived", serial=0), world.notice("observed", "closed", 0))
    assert world.passage()["state"] == "waiting"
    assert world.barrier.offers == []
    assert world.run(world.press("confirm")).done
    assert len(world.barrier.offers) == 1


def test_a_vehicle_that_left_during_the_restart_is_not_said_to_be_through(world: World) -> None:
    declaration = world.declares_ready()
    world.arrives()
    world.run(world.press("confirm"))
    world.restart()
    world.run(world.notice("observed", "closed", 0))
    assert world.view()["passage"] is None
    kept = world.store.declaration(declaration.id)
    assert kept is not None
    assert "passed" not in [one.act for one in kept.confirmations]
    (ended,) = [event["body"] for event in world.events("passage") if event["body"]["stage"] == "ended"]
    assert (ended["outcome"], ended["restarted"], ended["declaration"]) == ("unseen", True, declaration.id)


def test_a_vehicle_that_left_after_a_refused_permit_is_not_found_again(world: World) -> None:
    world.declares_ready()
    world.arrives()
    world.run(world.press("confirm"), world.notice("permit_refused", "busy"), world.notice("left"))
    assert world.view()["passage"] is None
    world.restart()
    assert world.view()["passage"] is None


def test_an_unread_vehicle_that_was_overridden_and_left_is_not_found_again(world: World) -> None:
    told = Commanded(command="c-1", action="open", by="TT-1", reason="ordered")
    world.run(world.notice("arrived"))
    world.run(world.actor.open_after_record(OpenedByCommand(about=None, commanded=told)))
    world.run(world.notice("not_opened"), world.notice("left"))
    world.restart()
    assert world.view()["passage"] is None


def test_a_yard_gates_own_opening_survives_a_restart_too(yard: World) -> None:
    declaration = yard.declares_ready()
    yard.arrives()
    yard.run(yard.notice("opening"), yard.notice("opened"))
    yard.restart()
    yard.run(yard.notice("observed", "open", 0), yard.notice("through", serial=0))
    kept = yard.store.declaration(declaration.id)
    assert kept is not None
    assert kept.confirmations[-1].act == "auto"
    assert yard.barrier.offers == []
    assert level(yard)[0] == 1
