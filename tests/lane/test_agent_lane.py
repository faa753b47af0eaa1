"""A lane and its desk at their ports: what is recorded, what is offered to the barrier, and what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from edge import clock
from edge.config import LawConfig
from edge.core.model import Vehicle
from edge.errors import StoreError, StoreFullError
from edge.store import Transaction
from edge.wire import Command
from tests.lane.world import CROP, GUARD, PHOTO, PLATE, World, ready


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with closing(World(tmp_path)) as one:
        yield one


@pytest.fixture
def yard(tmp_path: Path) -> Iterator[World]:
    with closing(World(tmp_path, "yard_in")) as one:
        yield one


# ---------------------------------------------------------------- a guard's confirmation


def test_a_confirmation_and_its_permit_are_recorded_together_and_only_then_offered(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    declaration = world.declares_ready()
    world.arrives()
    assert world.verdict() == "ready"
    offered_at_commit: list[int] = []
    real = Transaction.event

    def spied(self: Transaction, kind: str, *args: Any, **more: Any) -> Any:
        offered_at_commit.append(len(world.barrier.offers))
        return real(self, kind, *args, **more)

    monkeypatch.setattr(Transaction, "event", spied)
    answer = world.run(world.press("confirm"))
    assert (answer.done, answer.code) == (True, "confirmed")
    assert offered_at_commit[0] == 0
    assert len(world.barrier.offers) == 1
    event = world.events("confirmation")[-1]
    assert answer.seq == event["seq"]
    assert event["body"]["permit"] == world.barrier.offers[0].serial
    assert event["body"]["by"] == GUARD.id
    own = world.store.declaration(declaration.id)
    assert own is not None
    assert [(one.authority, one.act, one.by) for one in own.confirmations][-1] == ("BG", "pass", GUARD.id)


def test_a_permit_lives_two_seconds_from_the_moment_it_is_offered(world: World) -> None:
    world.declares_ready()
    world.arrives()
    before_s = clock.mono_s()
    world.run(world.press("confirm"))
    (permit,) = world.barrier.offers
    assert before_s <= permit.offered_s <= clock.mono_s()
    assert permit.expires_s - permit.offered_s == pytest.approx(2.0)


def test_the_passage_is_recorded_with_the_photo_of_its_own_frame(world: World) -> None:
    world.declares_ready()
    world.arrives()
    (seen,) = [event for event in world.events("passage") if event["body"]["stage"] == "seen"]
    assert [photo["name"] for photo in seen["body"]["evidence"]] == ["photo", "crop"]
    paths = [world.store.evidence_path(photo["id"]) for photo in seen["body"]["evidence"]]
    assert [path.read_bytes() for path in paths if path] == [PHOTO, CROP]


def test_a_passage_through_the_boom_stands_at_its_step(world: World) -> None:
    declaration = world.declares_ready()
    world.arrives()
    world.run(world.press("confirm"))
    world.passes()
    kept = world.store.declaration(declaration.id)
    assert kept is not None
    assert [(one.step, one.authority, one.act) for one in kept.confirmations][-1] == ("b1_out", "SYS", "passed")
    assert world.view()["passage"] is None
    assert world.view()["last"][0]["outcome"] == "through"


def test_a_second_arrival_is_shown_as_passed_already_and_refused(world: World) -> None:
    world.declares_ready()
    world.arrives()
    world.run(world.press("confirm"))
    world.passes()
    world.run(world.notice("arrived"), world.reads(track=2))
    assert world.verdict() == "refuse"
    assert "passed_already" in world.codes()
    assert world.run(world.press("confirm")).code == "not_ready"


def test_a_press_for_a_passage_that_is_gone_is_refused(world: World) -> None:
    world.declares_ready()
    world.arrives()
    old = world.passage()["id"]
    world.run(world.notice("left"), world.notice("arrived"), world.reads(track=2))
    assert world.passage()["id"] != old
    assert world.run(world.press("confirm", passage=old)).code == "other_passage"
    assert world.barrier.offers == []


def test_a_press_with_nobody_there_is_refused(world: World) -> None:
    assert world.run(world.press("confirm")).code == "no_passage"


def test_the_same_key_twice_gets_the_first_answer_and_no_second_permit(world: World) -> None:
    world.declares_ready()
    world.arrives()
    key = clock.new_id()
    first = world.run(world.press("confirm", key=key))
    assert world.run(world.press("confirm", key=key)) == first
    assert len(world.barrier.offers) == 1


def test_the_same_key_after_a_restart_gets_the_first_answer_too(world: World) -> None:
    world.declares_ready()
    world.arrives()
    key = clock.new_id()
    first = world.run(world.press("confirm", key=key))
    world.restart()
    assert world.run(world.desk.settle(GUARD, key)) == first
    world.arrives()
    assert world.run(world.press("confirm", key=key)) == first
    assert world.barrier.offers == []


def test_a_withdrawal_while_the_vehicle_stands_there_refuses_the_confirmation(world: World) -> None:
    declaration = world.declares_ready()
    world.arrives()
    assert world.verdict() == "ready"
    world.declares(replace(declaration, version=2, state="withdrawn"))
    world.run(world.copy_changed())
    assert world.verdict() == "refuse"
    assert world.run(world.press("confirm")).code == "not_ready"
    assert world.barrier.offers == []


def test_a_withdrawal_that_the_screen_does_not_show_yet_refuses_all_the_same(world: World) -> None:
    declaration = world.declares_ready()
    world.arrives()
    world.declares(replace(declaration, version=2, state="withdrawn"))
    assert world.verdict() == "ready"
    assert world.run(world.press("confirm")).code == "not_ready"
    assert world.barrier.offers == []


def test_a_confirmation_after_a_permit_is_out_is_refused(world: World) -> None:
    world.declares_ready()
    world.arrives()
    world.run(world.press("confirm"))
    assert world.run(world.press("confirm")).code == "not_now"
    assert len(world.barrier.offers) == 1


def test_what_did_not_open_may_be_pressed_for_again_and_is_one_confirmation(world: World) -> None:
    declaration = world.declares_ready()
    world.arrives()
    world.run(world.press("confirm"), world.notice("permit_refused", "fault:tamper"))
    assert world.passage()["state"] == "not_opened"
    assert world.passage()["fault"] == "fault:tamper"
    answer = world.run(world.press("confirm"))
    assert answer.done
    assert len(world.barrier.offers) == 2
    kept = world.store.declaration(declaration.id)
    assert kept is not None
    assert len([one for one in kept.confirmations if one.authority == "BG" and one.step == "b1_out"]) == 1


def test_an_old_copy_asks_for_i_have_checked_and_the_record_says_who_checked(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    world = World(tmp_path, law=LawConfig(copy_age_limit_s=60))
    request.addfinalizer(world.close)
    world.declares_ready()
    world.age_s = 7200.0
    world.arrives()
    assert world.passage()["needs_check"]
    assert world.run(world.press("confirm")).code == "check_needed"
    assert world.barrier.offers == []
    answer = world.run(world.press("confirm", value="checked"))
    assert answer.done
    body = world.events("confirmation")[-1]["body"]
    assert (body["checked"], body["by"]) == (True, GUARD.id)


# ---------------------------------------------------------------- other ways through


def test_an_override_needs_a_reason_and_records_it_with_the_verdict(world: World) -> None:
    world.arrives()
    assert world.run(world.press("override")).code == "reason_needed"
    assert world.barrier.offers == []
    assert world.run(world.press("override", reason="ordered", words="theo lệnh")).done
    (event,) = world.events("override")
    assert (event["body"]["reason"], event["body"]["words"]) == ("ordered", "theo lệnh")
    assert event["body"]["verdict"]["verdict"] == "unknown"
    assert event["body"]["permit"] == world.barrier.offers[0].serial


@pytest.mark.parametrize(
    ("boom", "code", "detail"),
    [
        ({"faults": ("not_opened",)}, "boom_fault", "not_opened"),
        ({"held": True}, "held_shut", ""),
        ({"board_ok": False}, "board_down", ""),
    ],
)
def test_what_the_barrier_is_sure_to_refuse_is_not_offered_until_it_has_passed(
    world: World, boom: dict[str, Any], code: str, detail: str
) -> None:
    world.declares_ready()
    world.arrives()
    fine = world.barrier.now
    world.barrier.now = replace(fine, **boom)
    assert not {"confirm", "override"} & set(world.passage()["actions"])
    for name in ("confirm", "override"):
        answer = world.run(world.press(name, reason="ordered"))
        assert (answer.done, answer.code, answer.detail) == (False, code, detail)
    assert world.barrier.offers == []
    world.barrier.now = fine
    assert {"confirm", "override"} <= set(world.passage()["actions"])
    assert world.run(world.press("confirm")).done


def test_turning_away_is_recorded_and_opens_nothing(world: World) -> None:
    world.arrives()
    assert world.run(world.press("turn_away", reason="no_declaration")).done
    assert [event["body"]["reason"] for event in world.events("refusal")] == ["no_declaration"]
    assert world.passage()["state"] == "turned_away"
    assert world.barrier.offers == []


def test_of_two_declarations_the_newest_active_is_shown_and_the_other_may_be_picked(world: World) -> None:
    old = ready("EX-IN", "b1_out", declaration_id="CKS-2026-000001")
    world.declares(old)
    world.declares(replace(old, id="CKS-2026-000002", declared_at="2026-11-20T09:00:00+07:00"))
    world.arrives()
    assert world.passage()["declaration"]["id"] == "CKS-2026-000002"
    assert "several" in world.codes()
    assert world.run(world.press("pick_declaration", value="CKS-2026-000001")).done
    assert world.passage()["declaration"]["id"] == "CKS-2026-000001"


@pytest.mark.parametrize("asked", ["IGV07", "MSKU1234565", "DANGVANA", "CKS2026000007"])
def test_without_a_plate_a_declaration_is_found_by_what_else_it_goes_by(world: World, asked: str) -> None:
    """Seen: a driverless carrier has no plate, and nothing that a guard could type found it."""
    carrier = Vehicle("carrier", "IGV07", "CN", container="MSKU 123456-5", driver_name="Đặng Văn A", unit_no="IGV07")
    world.declares_ready(declaration_id="CKS-2026-000007", vehicles=(carrier,))
    world.declares_ready()
    world.run(world.notice("arrived"))
    assert world.run(world.press("type_plate", value="IGV0")).code == "bad_plate"
    assert world.run(world.press("type_plate", value=asked)).code == "declaration_picked"
    assert world.passage()["declaration"]["id"] == "CKS-2026-000007"
    assert world.run(world.press("confirm")).done
    assert world.events("confirmation")[-1]["body"]["confirmation"]["plate"] == "IGV07"


def test_a_search_that_finds_several_picks_none_and_none_stands_over_a_sure_reading(world: World) -> None:
    for n in (1, 2):
        one = Vehicle("vehicle", f"12C2000{n}", "VN", driver_name="Đặng Văn A")
        world.declares_ready(declaration_id=f"CKS-2026-00000{n}", vehicles=(one,))
    world.run(world.notice("arrived"))
    refused = world.run(world.press("type_plate", value="DANGVANA"))
    assert (refused.code, refused.detail.count("CKS")) == ("several_found", 2)
    world.run(world.reads("12C20001"))
    refused = world.run(world.press("type_plate", value="CKS2026000002"))
    assert (refused.code, refused.detail) == ("over_sure", "12C20001")


def test_a_tractor_and_its_trailer_find_one_declaration_and_pass_as_one(world: World) -> None:
    unit = (Vehicle("tractor", PLATE, "VN"), Vehicle("trailer", "12R01234", "VN"))
    world.declares_ready(vehicles=unit)
    world.run(world.notice("arrived"), world.reads(), world.reads("12R01234", track=2))
    assert world.verdict() == "ready"
    assert [plate["text"] for plate in world.passage()["plates"]] == [PLATE, "12R01234"]
    world.run(world.press("confirm"))
    assert len(world.barrier.offers) == 1


# ---------------------------------------------------------------- opening by itself


def released(world: World) -> list[dict[str, Any]]:
    return [event for event in world.events("barrier") if event["body"]["stage"] == "released"]


def test_a_yard_gate_opens_once_by_itself_and_only_with_the_vehicle_on_the_loop(yard: World) -> None:
    yard.declares_ready()
    yard.run(yard.reads())
    assert yard.barrier.offers == []
    yard.run(yard.notice("arrived"))
    assert len(yard.barrier.offers) == 1
    yard.run(yard.copy_changed(), yard.tick(), yard.tick())
    assert len(yard.barrier.offers) == 1
    assert [event["body"]["by"] for event in released(yard)] == ["SYS"]


def test_a_restart_repeats_no_opening(yard: World) -> None:
    yard.declares_ready()
    yard.arrives()
    assert len(yard.barrier.offers) == 1
    yard.restart()
    yard.arrives()
    yard.run(yard.tick(), yard.tick())
    assert yard.barrier.offers == []
    assert len(released(yard)) == 1


def test_a_barrier_without_a_board_is_offered_nothing_until_it_would_accept(yard: World) -> None:
    yard.declares_ready()
    yard.barrier.now = replace(yard.barrier.now, board_ok=False)
    yard.arrives()
    assert yard.barrier.offers == []
    yard.barrier.now = replace(yard.barrier.now, board_ok=True)
    yard.run(yard.tick())
    assert len(yard.barrier.offers) == 1


def test_a_held_lane_is_offered_nothing(yard: World) -> None:
    yard.declares_ready()
    yard.run(yard.press("hold", passage=None))
    assert set(yard.barrier.asked) == {"hold"}, "at once, and again when its turn came"
    yard.arrives()
    yard.run(yard.tick())
    assert yard.barrier.offers == []


def test_the_systems_own_permit_when_refused_is_tried_again_three_times_and_then_left_to_a_person(yard: World) -> None:
    yard.declares_ready()
    yard.arrives()
    for _ in range(6):
        yard.run(yard.notice("permit_refused", "busy"), yard.tick(), yard.tick())
    assert len(yard.barrier.offers) == 4  # the first, and three more
    assert len({permit.serial for permit in yard.barrier.offers}) == 4
    assert yard.passage()["state"] == "not_opened"


def test_a_withdrawal_between_two_tries_ends_them(yard: World) -> None:
    declaration = yard.declares_ready()
    yard.arrives()
    yard.declares(replace(declaration, version=2, state="withdrawn"))
    yard.run(yard.notice("permit_refused", "busy"), yard.tick(), yard.tick())
    assert len(yard.barrier.offers) == 1


def test_customs_pairing_of_two_countries_vehicles_is_shown(world: World) -> None:
    declaration = world.declares_ready()
    world.arrives()
    assert world.passage()["pairing"] is None
    vehicles = (*declaration.vehicles, Vehicle("vehicle", "桂FA6382", "CN"))
    world.declares(replace(declaration, version=2, vehicles=vehicles, requires={"transshipment": True}))
    world.run(world.copy_changed())
    shown = world.passage()["pairing"]
    assert (shown["chinese"], shown["vietnamese"]) == (["桂FA6382"], [PLATE])
    assert shown["confirmed_at"] is None


def test_on_a_full_disk_nothing_opens_by_itself_and_the_passage_is_recorded_without_photos(
    yard: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise StoreFullError("no room for photos")

    monkeypatch.setattr(yard.store, "room", lambda: "full")
    monkeypatch.setattr(yard.store, "stage_evidence", full)
    yard.declares_ready()
    yard.arrives()
    yard.run(yard.tick())
    assert yard.barrier.offers == []
    seen = [event for event in yard.events() if event["body"].get("stage") == "seen"]
    assert len(seen) == 1
    assert "evidence" not in seen[0]["body"]
    monkeypatch.setattr(yard.store, "room", lambda: "low")
    yard.run(yard.tick())
    assert len(yard.barrier.offers) == 1, "once there is room again"


# ---------------------------------------------------------------- a record that cannot be written


@pytest.mark.parametrize(
    ("error", "code"), [(StoreFullError("no room"), "store_full"), (StoreError("broken"), "store_failed")]
)
@pytest.mark.parametrize("name", ["confirm", "override"])
def test_what_cannot_be_recorded_is_not_done(
    world: World, monkeypatch: pytest.MonkeyPatch, error: StoreError, code: str, name: str
) -> None:
    world.declares_ready()
    world.arrives()

    def fails(self: Transaction, *args: Any, **more: Any) -> Any:
        raise error

    with monkeypatch.context() as broken:
        broken.setattr(Transaction, "event", fails)
        answer = world.run(world.press(name, reason="ordered"))
    assert (answer.done, answer.code) == (False, code)
    assert world.barrier.offers == []
    assert world.passage()["state"] == "waiting"
    assert world.run(world.press("confirm")).done, "and once there is room again it is done"


def test_a_yard_gate_that_cannot_record_opens_nothing_and_says_so(yard: World, monkeypatch: pytest.MonkeyPatch) -> None:
    yard.declares_ready()

    def fails(self: Transaction, *args: Any, **more: Any) -> Any:
        raise StoreFullError("no room")

    with monkeypatch.context() as broken:
        broken.setattr(Transaction, "event", fails)
        yard.arrives()
        assert yard.barrier.offers == []
        assert "no room" in yard.actor.trouble
    yard.run(yard.tick(), yard.tick())
    assert len(yard.barrier.offers) == 1
    assert yard.actor.trouble == ""


# ---------------------------------------------------------------- the boom itself


def test_a_stop_reaches_the_barrier_before_it_is_recorded(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(self: Transaction, *args: Any, **more: Any) -> Any:
        raise StoreFullError("no room")

    monkeypatch.setattr(Transaction, "event", fails)
    assert world.run(world.press("stop", passage=None)).code == "stopped_unrecorded"
    assert world.barrier.asked == ["stop"]


# ---------------------------------------------------------------- commands from the centre


def command(action: str = "open", age_s: float = 0.0, id: str = "C-1") -> Command:
    issued = datetime.now(clock.VIETNAM) - timedelta(seconds=age_s)
    return Command(id=id, issued_at=issued, action=action, by="TT-0003", reason="lệnh")  # type: ignore[arg-type]


async def sends(world: World, one: Command, retained: bool = False) -> None:
    world.commands.put(one, retained)


def refused(world: World) -> list[str]:
    return [event["body"]["code"] for event in world.events("refusal")]


@pytest.fixture
def trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "state", lambda: "synced")


@pytest.mark.usefixtures("trusted")
def test_a_fresh_command_opens_once_and_its_repetition_is_refused(world: World) -> None:
    world.run(sends(world, command()))
    assert len(world.barrier.offers) == 1
    assert world.events("override")[0]["body"]["by"] == "TT-0003"
    world.run(sends(world, command()))
    assert len(world.barrier.offers) == 1
    assert refused(world) == ["repeated"]


@pytest.mark.usefixtures("trusted")
def test_a_repetition_after_a_restart_is_refused_too(world: World) -> None:
    world.run(sends(world, command()))
    world.restart()
    world.run(sends(world, command()))
    assert world.barrier.offers == []
    assert refused(world) == ["repeated"]


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize(
    ("age_s", "retained", "code"), [(0.0, True, "retained"), (3.0, False, "expired"), (-5.0, False, "expired")]
)
def test_a_retained_or_expired_command_is_refused_and_recorded(
    world: World, age_s: float, retained: bool, code: str
) -> None:
    world.run(sends(world, command(age_s=age_s), retained))
    assert world.barrier.offers == []
    assert refused(world) == [code]


@pytest.mark.parametrize("state", ["holdover", "unset"])
def test_a_clock_that_is_not_trusted_refuses_to_open_but_not_to_stop(
    world: World, monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    monkeypatch.setattr(clock, "state", lambda: state)
    world.run(sends(world, command()), sends(world, command("stop", id="C-2")))
    assert world.barrier.offers == []
    assert world.barrier.asked == ["stop"]
    assert refused(world) == ["clock_untrusted"]


@pytest.mark.usefixtures("trusted")
def test_a_retained_stop_stops_nothing(world: World) -> None:
    world.run(sends(world, command("stop"), True))
    assert world.barrier.asked == []
    assert refused(world) == ["retained"]
