"""Alarm answers and the shift's handover at the agent: recorded first, once, and known after a restart."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edge import clock
from edge.agent.actions.alarm import AlarmPresses
from edge.agent.actions.press import Presses
from edge.agent.lane.lane_journal import LaneJournal
from edge.agent.lane.notes import ALARM
from edge.agent.office.alarms import AlarmDesk
from edge.agent.office.handover import HandoverDesk, HandoverPresses
from edge.agent.watch.pc import Pc, PcWatch, read_pc
from edge.core.alarm import alarms
from edge.core.alarm.alarms import OFF_DELAY_S, Condition
from edge.core.alarm.sources import Beside
from edge.core.view import BoomView, BoxView, GateView, HealthView, LaneView
from edge.errors import StoreFullError
from edge.ports import ActionResult, Person
from firmware_io.safety import Notice
from tests.lane.world import GUARD, World
from tests.panel.views import HEALTHY, with_boom

NEXT = Person("BP-0202", "Ca Sau Ví Dụ", "guard")
TORN = Condition("b1-out/boom/arm_torn", "arm_torn", 1, "b1-out")


class OfficeWorld(World):
    """A lane with the gate's alarm list and handover note."""

    def more_presses(self) -> Sequence[Presses]:
        journals = {self.config.id: self.actor.journal}
        self.alarms = AlarmDesk(self.store, journals, 3600.0, lambda: None)
        self.handover = HandoverDesk(self.store, self.views, self.alarms.listed)
        return AlarmPresses(self.actor, self.alarms), HandoverPresses(self.actor, self.handover)

    def of_gate(self) -> Callable[[], GateView]:
        return lambda: GateView(alarms=self.alarms.summary(), box=BoxView(), handover_open=False)

    def views(self) -> dict[str, LaneView | None]:
        return {self.config.id: with_boom(self.desk.view(), state="closed")}

    async def sees(self, *conditions: Condition, after_s: float = 0.0) -> None:
        self.alarms._take(alarms.observe(self.alarms.book, conditions, clock.mono_s() + after_s, clock.wall_iso()))
        await self.alarms._write_waiting()

    def answers(self, name: str, alarm: str = TORN.key, words: str = "", **more: int) -> ActionResult:
        return self.run(self.press(name, value=json.dumps({"alarm": alarm, **more}), words=words))

    def told(self) -> list[tuple[str, str | None]]:
        return [(one["body"]["stage"], one["body"].get("by")) for one in self.events("alarm")]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[OfficeWorld]:
    one = OfficeWorld(tmp_path)
    yield one
    one.close()


def state(world: OfficeWorld) -> str | None:
    rows = world.alarms.listed()
    return rows[0].state if rows else None


def test_an_answer_is_recorded_under_the_persons_name_and_the_list_survives_a_restart(world: OfficeWorld) -> None:
    world.run(world.sees(TORN))
    assert world.view()["alarms"]["waiting"] == 1
    assert world.answers("alarm_ack").code == "alarm_acknowledged"
    assert world.told() == [("raised", None), ("acknowledged", GUARD.id)]
    world.restart()
    assert state(world) == "acknowledged"
    world.run(world.sees(), world.sees(after_s=OFF_DELAY_S + 1))
    assert (state(world), world.told()[-1]) == (None, ("returned", None))
    world.restart()
    assert state(world) is None


def test_the_same_press_again_answers_the_same_and_does_nothing(world: OfficeWorld) -> None:
    world.run(world.sees(TORN))
    value = json.dumps({"alarm": TORN.key})
    first, again = (world.run(world.press("alarm_ack", value=value, key="key-00000001")) for _ in range(2))
    assert (again.done, again.code, again.seq) == (True, first.code, first.seq)
    assert len(world.told()) == 2


def test_nothing_that_does_not_wait_can_be_answered(world: OfficeWorld) -> None:
    assert world.answers("alarm_ack").code == "no_such_alarm"
    world.run(world.sees(TORN))
    world.answers("alarm_ack")
    assert world.answers("alarm_ack").code == "no_such_alarm"
    assert world.run(world.press("alarm_ack", value="[]")).code == "bad_value"


def test_a_shelf_is_kept_over_a_restart_and_not_over_a_reboot(world: OfficeWorld) -> None:
    world.run(world.sees(TORN))
    assert world.answers("alarm_shelve", minutes=481).code == "bad_value"
    assert world.answers("alarm_shelve", minutes=60, words="đang sửa").done
    world.restart()
    assert state(world) == "shelved"
    shelved = world.events("alarm")[-1]["body"]
    assert (shelved["by"], shelved["for_s"], shelved["words"]) == (GUARD.id, 3600.0, "đang sửa")
    kept = ALARM.all(world.store)[TORN.key]
    assert alarms.after_restart(kept, "another boot").state == "unacknowledged"
    assert world.answers("alarm_unshelve").done
    assert state(world) == "unacknowledged"


def test_a_tailgater_waits_for_an_answer_though_it_is_over(world: OfficeWorld) -> None:
    world.alarms.on_notice("b1-out", Notice("tailgate", 7, "second_entry", clock.mono_s()))
    world.alarms.on_notice("b1-out", Notice("opened", 7, "", clock.mono_s()))
    assert [row.state for row in world.alarms.listed()] == ["returned"]
    assert world.answers("alarm_ack", "b1-out/tailgate").done
    assert world.alarms.listed() == []


def full(monkeypatch: pytest.MonkeyPatch) -> None:
    async def write(*_: Any, **__: Any) -> None:
        raise StoreFullError("no room left")

    monkeypatch.setattr(LaneJournal, "write", write)


def test_an_alarm_is_shown_though_the_disk_is_full_and_recorded_when_there_is_room(
    world: OfficeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        full(broken)
        world.run(world.sees(TORN))
        assert state(world) == "unacknowledged"
        assert world.answers("alarm_ack").code == "store_full"
        assert state(world) == "unacknowledged", "an answer that is not on record is none"
    assert world.told() == []
    world.run(world.sees(TORN))
    assert world.told() == [("raised", None)]
    assert world.answers("alarm_ack").done


# ---------------------------------------------------------------- the shift


def sign(world: OfficeWorld, second: Person | None) -> ActionResult:
    return world.run(world.press("handover_sign", second=second))


def test_a_note_is_written_by_one_and_signed_by_the_next(world: OfficeWorld) -> None:
    world.run(world.sees(TORN))
    world.arrives("29A99999")
    assert sign(world, NEXT).code == "no_handover"
    assert world.run(world.press("handover_write", words="Xe 29A chờ hải quan")).code == "handover_written"
    assert sign(world, None).code == "second_needed"
    assert sign(world, GUARD).code == "same_person"
    world.restart()
    assert world.handover.open is not None, "a note that nobody signed stays"
    assert sign(world, NEXT).code == "handover_signed"
    assert sign(world, NEXT).code == "no_handover"
    written, signed = [one["body"] for one in world.events("login")]
    tip = written["note"]["record"][0]
    before = {one["seq"]: one["hash"] for one in world.store.recent(world.config.id, 100)}
    assert before[tip["seq"]] == tip["hash"], "the record's second anchor, on paper"
    assert written["note"]["lanes"][0]["passage"]["plates"] == ["29A99999"]
    assert written["note"]["alarms"][0]["code"] == "arm_torn"
    assert (written["by"], written["words"]) == (GUARD.id, "Xe 29A chờ hải quan")
    assert (signed["by"], signed["written_by"], signed["open_points"]) == (NEXT.id, GUARD.id, 2)
    assert "passage" not in signed
    last = world.handover.last
    assert last is not None
    assert (last.name, last.signed_name) == (GUARD.name, NEXT.name)


def test_a_note_written_anew_replaces_the_one_that_waits_and_both_stay_on_record(world: OfficeWorld) -> None:
    world.run(world.press("handover_write", words="một"))
    world.run(world.press("handover_write", words="hai"))
    assert world.handover.open is not None
    assert world.handover.open.words == "hai"
    assert [one["body"]["words"] for one in world.events("login")] == ["một", "hai"]


# ---------------------------------------------------------------- the box


def supply(folder: Path, **words: str) -> None:
    folder.mkdir(parents=True)
    for name, word in words.items():
        (folder / name).write_text(word + "\n")


@pytest.mark.parametrize(
    ("supplies", "percent", "care"),
    [
        ({}, None, []),
        ({"AC": {"type": "Mains", "online": "0"}}, None, []),
        ({"ucsi": {"type": "USB", "online": "0"}}, None, []),
        ({"ups": {"type": "UPS", "status": "Full", "capacity": "100"}}, 100, []),
        ({"ups": {"type": "UPS", "status": "Discharging", "capacity": "80"}}, 80, ["on_battery"]),
        ({"ups": {"type": "UPS", "status": "Discharging", "capacity": "29"}}, 29, ["battery_low", "on_battery"]),
        ({"ups": {"type": "UPS", "status": "Charging", "capacity": "9"}}, 9, []),
        (
            {"AC": {"type": "Mains", "online": "0"}, "bat": {"type": "Battery", "status": "?", "capacity": "90"}},
            90,
            ["on_battery"],
        ),
        ({"mouse": {"type": "Battery", "scope": "Device", "status": "Discharging", "capacity": "5"}}, None, []),
    ],
)
def test_the_box_says_when_it_lives_on_its_battery(
    tmp_path: Path, supplies: dict[str, dict[str, str]], percent: int | None, care: list[str]
) -> None:
    for name, words in supplies.items():
        supply(tmp_path / name, **words)
    box = read_pc(tmp_path / "none", tmp_path)
    assert (box.battery_percent, box.care) == (percent, care)


def test_a_hot_box_is_told(tmp_path: Path) -> None:
    supply(tmp_path / "thermal_zone0", temp="85001", type="x86_pkg_temp")
    supply(tmp_path / "thermal_zone1", temp="40000", type="acpitz")
    assert read_pc(tmp_path, tmp_path / "none") == Pc(temperature_c=85.001)
    assert read_pc(tmp_path, tmp_path / "none").care == ["hot"]


def test_the_lanes_are_told_of_the_box_as_soon_as_it_needs_somebody() -> None:
    boxes = [Pc(91.0), Pc(41.0), Pc(40.0)]
    touched: list[BoxView] = []

    async def look() -> BoxView:
        watch = PcWatch(lambda: touched.append(watch.view()), boxes.pop, every_s=0.0)
        with contextlib.suppress(IndexError):
            await watch.run()
        return watch.view()

    assert asyncio.run(look()) == BoxView(temperature_c=91.0, care=("hot",))
    assert [view.care for view in touched] == [("hot",)]


# ---------------------------------------------------------------- one lane's own fault

WELL = replace(HEALTHY, cameras=())
BESIDE = Beside(BoxView())


def faulty(fault: str) -> HealthView:
    return replace(WELL, boom=BoomView(state="closed", faults=(fault,)))


TWO = {"b1-out": faulty("arm_torn"), "b2-out": WELL}


@pytest.fixture
def clockwork(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now_s = [1_000.0]
    monkeypatch.setattr(clock, "mono_s", lambda: now_s[0])
    return now_s


def test_a_lane_that_cannot_be_looked_at_is_an_alarm_and_keeps_its_own(
    world: OfficeWorld, clockwork: list[float]
) -> None:
    desk, broken = world.alarms, {**TWO, "b1-out": None}
    desk.look(TWO, BESIDE)
    for _ in range(2):
        clockwork[0] += 60.0
        desk.look(broken, BESIDE)
    listed = {one.key: one.state for one in desk.book.listed()}
    assert listed == {TORN.key: "unacknowledged", "b1-out/unknown": "unacknowledged"}
    desk.look({**broken, "b2-out": faulty("tamper")}, BESIDE)
    assert "b2-out/boom/tamper" in desk.book.alarms, "the other lane is looked at all the same"
    for _ in range(2):
        clockwork[0] += OFF_DELAY_S
        desk.look({"b1-out": WELL, "b2-out": WELL}, BESIDE)
    assert not any(one.active for one in desk.book.alarms.values())


def test_where_no_lane_can_be_looked_at_the_gates_alarms_stand(world: OfficeWorld, clockwork: list[float]) -> None:
    desk = world.alarms
    desk.look({"b1-out": replace(WELL, clock="unset")}, BESIDE)
    for _ in range(2):
        clockwork[0] += 60.0
        desk.look({"b1-out": None}, BESIDE)
    assert desk.book.alarms["gate/clock"].active


def test_the_handover_note_names_a_lane_that_cannot_be_looked_at(world: OfficeWorld) -> None:
    desk = HandoverDesk(world.store, lambda: {**world.views(), "b1-out": None}, world.alarms.listed)
    (lane,) = desk.draft().lanes
    assert (lane.lane, lane.boom, lane.faults) == ("b1-out", "unknown", ("lane_unknown",))
    assert desk.draft().record, "its last event all the same"
