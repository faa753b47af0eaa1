"""Every way through on the real gate process: a guard at a real Chromium, in both languages and at both sizes. Each
sheet that is met on the way is measured for gloves and looked at with axe-core."""

from __future__ import annotations

from typing import Any

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select

from edge.core.model import Transfer, Vehicle
from tests.panel.browser import browser, until
from tests.panel.guard import Guard
from tests.panel.shift import become, cookies, guard, leaves, misread, opened, with_every_view
from tests.panel.whole_gate import B1, LEADER, OPERATOR, PIN, YARD, House, house

__all__ = ["browser", "cookies", "guard", "house"]
pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(300)]

RECORD = Transfer("BB-17", "2026-11-20", "Chi cục Hải Phòng", "Chi cục Hữu Nghị", ("HQ001", "HQ002"))


@with_every_view
def test_an_unsure_plate_is_chosen_then_one_of_two_declarations_and_the_boom_opens(guard: Guard, house: House) -> None:
    plate = house.plate()
    first, second = house.declare(plate), house.declare(plate, procedure="VN-EMPTY-TO-CN")
    guard.check()
    house.arrive(misread(plate), unsure=True)
    guard.tap("#choose-plate")
    guard.check()
    guard.tap(f"[data-candidate='{plate}']")
    guard.tap("#send")
    guard.tap("#pick_declaration")
    guard.check()
    picked = guard.find("[data-declaration]:not([disabled])").get_attribute("data-declaration")
    assert picked in (first, second)
    guard.tap(f"[data-declaration='{picked}']")
    guard.sees("facts", str(picked))
    guard.tap(".step.here button")
    guard.check()
    guard.tap("#dialog-back")
    guard.check()
    guard.tap("#confirm")
    guard.done("confirm")
    opened(guard, house)
    guard.sees("facts", "state.through")


@with_every_view
def test_a_chinese_plate_is_typed_and_its_truck_turned_away_with_written_words(guard: Guard, house: House) -> None:
    plate = f"桂F{next(house.numbers):05d}"
    house.declare(plate, vehicles=(Vehicle("vehicle", plate, "CN"),))
    house.arrive("12C1", unsure=True)
    guard.tap("#type_plate")
    guard.check()
    for _ in "12C1":
        guard.key("⌫")
    guard.key(guard.word("dialog.province"))
    guard.check()
    guard.key("桂")
    guard.key(guard.word("dialog.letters"))
    guard.types(plate[1:])
    assert guard.text("typed").strip() == plate
    guard.tap("#send")
    guard.sees("plate-row", f"{plate[:2]}·{plate[2:]}")
    guard.sees("verdict", "verdict.ready")
    guard.tap("#turn_away")
    guard.tap(".choice:last-child")
    guard.types("Xe")
    guard.find("#dialog .key.wide").click()
    guard.types("hong")
    guard.key("âêô")
    guard.key("ả")
    guard.check()
    assert guard.find("#words").get_attribute("value") == "Xe hổng"
    guard.tap("#send")
    guard.done("turn_away")
    guard.sees("verdict", "state.turned_away")
    leaves(guard, house)
    guard.sees("facts", "state.turned_away")


@with_every_view
def test_a_truck_without_a_declaration_is_let_through_by_exception_with_a_reason(guard: Guard, house: House) -> None:
    house.arrive(house.plate())
    guard.sees("verdict", "verdict.unknown")
    guard.sees("confirm", "confirm_off.unknown")
    assert not guard.can("confirm")
    guard.check()
    guard.tap("#override")
    guard.check()
    assert not guard.can("send")
    guard.tap(".choice:nth-child(3)")
    guard.hold("#send", "override")
    opened(guard, house)


@with_every_view
def test_a_customs_hold_asks_for_two_people(guard: Guard, house: House) -> None:
    plate = house.plate()
    house.declare(plate)
    house.watch(plate)
    house.arrive(plate)
    guard.sees("verdict", "verdict.refuse")
    guard.sees("verdict", "Kiểm tra thực tế")
    guard.tap("#override")
    guard.tap(".choice:nth-child(2)")
    until(guard.page, lambda _: second_sheet(guard), "the second person's sheet")
    guard.check()
    guard.tap(f".choice:has([value='{LEADER}'])")
    guard.types(PIN)
    guard.tap("#send")
    guard.done("override")
    opened(guard, house)


def second_sheet(guard: Guard) -> bool:
    if not guard.page.find_elements(By.ID, "second-pin"):
        guard.hold_once("#send")
    return bool(guard.page.find_elements(By.ID, "second-pin"))


@with_every_view
def test_seals_of_goods_under_transfer_are_compared_and_a_driver_may_reverse_out(guard: Guard, house: House) -> None:
    plate = house.plate()
    house.declare(plate, transfer=RECORD)
    house.arrive(plate)
    guard.tap("#seals")
    guard.check()
    guard.tap("#seals-seen")
    guard.types("HQ")
    guard.key("123")
    guard.types("001")
    guard.tap("#send")
    guard.done("seals")
    guard.sees("verdict", "verdict.refuse")
    assert not guard.can("confirm")
    guard.tap("#seals")
    guard.find("#seals-seen").send_keys(", HQ002")
    guard.tap("#send")
    guard.sees("verdict", "verdict.ready")
    until(guard.page, lambda _: guard.can("confirm"), "the way to open")
    leaves(guard, house)
    guard.sees("facts", "state.left")


@with_every_view
def test_the_boom_is_held_stopped_and_lowered(guard: Guard, house: House) -> None:
    guard.hold("#hold", "hold")
    guard.sees("boom", "boom.held")
    guard.check()
    guard.hold("#release_hold", "release_hold")
    plate = house.plate()
    house.declare(plate)
    house.arrive(plate)
    guard.sees("verdict", "verdict.ready")
    house.worlds[B1].knobs.slow = 0.1
    guard.tap("#confirm")
    guard.sees("boom", "boom.opening")
    until(guard.page, lambda _: house.worlds[B1].state().boom_position > 0.15, "the arm is off its lower limit")
    guard.tap("#stop")
    guard.sees("boom", "boom.stopped")
    guard.check()
    house.worlds[B1].knobs.slow = 1.0
    house.leave()
    guard.hold("#close", "close")
    guard.sees("boom", "boom.closed")
    guard.passage("none")


@with_every_view
def test_in_an_emergency_the_boom_is_opened_for_nobody_and_stays_up_until_a_guard_lowers_it(
    guard: Guard, house: House
) -> None:
    guard.tap("#more")
    guard.tap("#emergency-open")
    guard.check()
    guard.tap(".choice:nth-child(2)")
    guard.hold("#send", "emergency_open")
    guard.sees("boom", "boom.emergency")
    guard.sees("boom", "boom.open")
    guard.check()
    guard.hold("#close", "close")
    guard.sees("boom", "boom.closed")
    assert guard.word("boom.emergency") not in guard.text("boom")


def test_an_old_copy_asks_the_guard_to_say_that_it_was_checked(guard: Guard, house: House) -> None:
    house.do(copy_age_s="7200")
    try:
        plate = house.plate()
        house.declare(plate)
        house.arrive(plate)
        guard.tap("#confirm")
        guard.sees("dialog", "checked.title")
        guard.check()
        guard.hold("#send", "confirm")
        opened(guard, house)
    finally:
        house.do(copy_age_s="")


def test_a_fault_that_stays_waits_for_a_person_who_has_looked(guard: Guard, house: House) -> None:
    knobs = house.worlds[B1].knobs
    knobs.stuck = {"limit_open": True}
    try:
        guard.sees("boom", "fault.both_limits")
        guard.check()
    finally:
        knobs.stuck = {}
    guard.hold("#reset", "reset")
    until(guard.page, lambda _: guard.word("fault.both_limits") not in guard.text("boom"), "the fault to be gone")


# ---------------------------------------------------------------- on paper: the cable to the centre is out


def field(guard: Guard, name: str) -> Any:
    return guard.find(f"[data-field='{name}']")


def fill(guard: Guard, *, declarant: str) -> None:
    """App. V page by page; each page is looked at."""
    if declarant:
        field(guard, "organisation").send_keys(declarant)
    field(guard, "tax_code").send_keys("0100000000")
    field(guard, "border_gate").send_keys("Hữu Nghị")
    Select(field(guard, "movement")).select_by_value("ordinary")
    guard.check()
    guard.tap("#page-goods")
    for key, value in {"name": "Sầu riêng", "quantity": "18,5", "unit": "tấn"}.items():
        field(guard, f"goods.0.{key}").send_keys(value)
    guard.check()
    guard.tap("#page-vehicles")
    for key, value in {"driver": "Người lái Ví Dụ", "container": "MSKU1234565", "seal": "VN1"}.items():
        field(guard, f"vehicles.0.{key}").send_keys(value)
    Select(field(guard, "vehicles.0.vehicle_class")).select_by_value("from_18t")
    guard.check()
    guard.tap("#page-signatures")
    for signer in ("DN", "CD", "CU", "HE", "BG", "GC"):
        field(guard, f"signatures.{signer}.name").send_keys("Ví Dụ")
    guard.check()
    guard.tap("#page-procedure")
    guard.find("input[value='EX-IN']").find_element(By.XPATH, "..").click()
    guard.check()


@with_every_view
def test_without_link_and_platform_a_paper_form_lets_a_truck_through(guard: Guard, house: House) -> None:
    house.broker.stop()
    guard.sees("status", guard.word("status.link_down").partition("{")[0].strip())
    if not guard.find("#paper-band").is_displayed():
        guard.tap("#more")
        guard.check()
        guard.tap("#paper-on")
        guard.done("paper_mode")
    guard.sees("paper-band", "paper.band")
    plate = house.plate()
    house.papers.append(plate)
    house.arrive(plate)
    guard.tap("#paper_form")
    fill(guard, declarant="")
    guard.tap("#send")
    guard.is_told("pressed.refused", "paper_form")
    until(guard.page, lambda it: it.find_elements(By.CSS_SELECTOR, ".field.wrong [aria-invalid]"), "the fault")
    guard.sees("dialog", "paper_fault.empty")
    guard.check()
    field(guard, "organisation").send_keys("Công ty Ví Dụ")
    guard.tap("#send")
    guard.done("paper_form")
    guard.sees("verdict", "verdict.ready")
    guard.tap("#confirm")
    opened(guard, house)


@with_every_view
def test_a_form_that_the_platform_has_otherwise_waits_for_a_guards_reason(guard: Guard, house: House) -> None:
    if house.papers:  # typed while the cable was out; the platform has their seals otherwise
        house.broker.start()
        for plate in house.papers:
            house.declare(plate)
        house.papers.clear()
    if guard.find("#paper-band").is_displayed():
        guard.tap("#more")
        guard.tap("#paper-off")
        guard.done("paper_mode")
    until(guard.page, lambda _: "(" in guard.text("more"), "something to settle")
    guard.tap("#more")
    guard.sees("dialog", "paper_task.different")
    guard.sees("dialog", "VN0012345")
    guard.check()
    guard.tap("[data-settle='paper_wrong']")
    guard.done("paper_settle")


# ---------------------------------------------------------------- the yard


@with_every_view
def test_a_yards_operator_sees_the_level_counts_and_records_by_hand(
    guard: Guard, house: House, cookies: dict[str, Any]
) -> None:
    become(guard, cookies[OPERATOR])
    guard.go(f"/lane/{YARD}")
    guard.check()
    guard.tap("#more")
    guard.check()
    guard.tap("#yard-count")
    guard.check()
    for _ in guard.find("#count").get_attribute("value") or "":
        guard.key("⌫")
    guard.types("7")
    guard.tap("#send")
    guard.done("yard_count")
    guard.sees("lane-place", "7/20")
    guard.tap("#more")
    guard.tap("#yard-entry")
    guard.check()
    guard.types(house.plate())
    guard.tap("#send")
    guard.done("yard_entry")
    guard.sees("lane-place", "8/20")


@with_every_view
def test_all_lanes_and_the_lists_are_pages_like_the_others(guard: Guard, house: House, cookies: dict[str, Any]) -> None:
    guard.go("/")
    until(guard.page, lambda it: it.find_elements(By.CSS_SELECTOR, ".lane-card .boom-state"), "the lanes")
    guard.check()
