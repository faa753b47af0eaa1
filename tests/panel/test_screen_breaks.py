"""What breaks around the screen, on the real gate process: each is said in words that tell what to do; a press is done
once or not at all, and told as which."""

from __future__ import annotations

from typing import Any

import pytest
from selenium.webdriver.common.by import By

from tests.panel.browser import browser, until
from tests.panel.guard import Guard
from tests.panel.shift import cookies, guard, leaves, opened, with_every_view
from tests.panel.whole_gate import B1, GUARD, PIN, TRUCK, House, house

__all__ = ["browser", "cookies", "guard", "house"]
pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(300)]


def test_a_boom_that_does_not_rise_says_so_until_a_person_has_looked(guard: Guard, house: House) -> None:
    plate = house.plate()
    house.declare(plate)
    house.arrive(plate)
    house.worlds[B1].knobs.jam = True
    try:
        guard.confirms()
        guard.sees("verdict", "state.not_opened")
        guard.sees("verdict", "state_help.not_opened")
        assert guard.script("return document.body.dataset.sound") == "boom"
        guard.check()
    finally:
        house.worlds[B1].knobs.jam = False
    fault = guard.word("fault.not_opened")
    until(guard.page, lambda _: fault not in guard.text("boom"), "the fault to pass: the arm is seen at rest again")
    guard.tap("#confirm")
    guard.done("confirm")
    opened(guard, house)


@with_every_view
def test_a_pulled_cable_is_said_and_the_guard_works_on(guard: Guard, house: House) -> None:
    plate = house.plate()
    house.declare(plate)
    house.broker.stop()
    try:
        house.arrive(plate)
        guard.sees("status", guard.word("status.link_down").partition(":")[0])
        guard.check()
        guard.tap("#confirm")
        guard.done("confirm")
        opened(guard, house)
    finally:
        house.broker.start()


def line(guard: Guard, key: str) -> str:
    """The beginning of a line of the catalogue, before its numbers."""
    return guard.word(key).partition("{")[0].strip()


@with_every_view
def test_the_centre_dies_behind_its_broker_and_the_guard_goes_on_paper_alone(guard: Guard, house: House) -> None:
    """Art. 23.1. Seen: link up, copy of now, no word of it, paper mode refused; what was withdrawn meanwhile stayed
    ready. Walked: centre reached, broker only, nothing, and back."""
    plate = house.plate()
    house.declare(plate)
    until(guard.page, lambda _: line(guard, "status.link_broker") not in guard.text("status"), "the centre")
    assert line(guard, "status.centre_untold") not in guard.text("status")
    house.centre_dies()
    try:
        guard.sees("status", line(guard, "status.link_broker"))
        guard.check()
        guard.tap("#more")
        guard.tap("#paper-on")
        guard.done("paper_mode")
        guard.sees("paper-band", "paper.band")
        house.do(centre_gone_s="7200")
        house.arrive(plate)
        guard.tap("#confirm")
        guard.sees("dialog", "checked.title")
        guard.check()
        guard.hold("#send", "confirm")
        opened(guard, house)
        house.broker.stop()
        guard.sees("status", line(guard, "status.link_down"))
        house.broker.start()
        guard.sees("status", line(guard, "status.link_broker"))
    finally:
        house.centre_returns()
    until(guard.page, lambda _: line(guard, "status.link_broker") not in guard.text("status"), "the centre")
    guard.tap("#more")
    guard.tap("#paper-off")
    guard.done("paper_mode")
    plate = house.plate()
    house.declare(plate)
    house.arrive(plate)
    guard.confirms()
    opened(guard, house)


@with_every_view
def test_a_session_that_ends_in_mid_press_does_nothing_and_says_what_to_do(
    guard: Guard, house: House, cookies: dict[str, Any]
) -> None:
    house.arrive(house.plate())
    openings = house.worlds[B1].state().counters.openings
    guard.tap("#override")
    guard.tap(".choice:nth-child(2)")
    guard.script(WAITS)
    until(guard.page, lambda _: held_back(guard), "the press to be on its way")
    guard.script("fetch('/sign-out', {method: 'POST', headers: {'X-CSRF-Token': TOKEN()}}).then(() => window.go())")
    guard.is_told("pressed.refused", "override")
    guard.sees("message", "result.signed_out")
    guard.sees("locked", "locked.text")
    assert house.worlds[B1].state().counters.openings == openings
    guard.check()
    guard.tap("#sign-in-again")
    guard.tap(f"label:has(input[value='{GUARD}'])")
    for digit in PIN:
        guard.key(digit, "#keypad")
    guard.tap("#enter")
    until(guard.page, lambda it: it.find_elements(By.ID, "confirm"), "the lane's page")
    cookies[GUARD] = guard.page.get_cookie("barie_session")
    guard.sees("verdict", "verdict.unknown")
    leaves(guard, house)


WAITS = """
window.TOKEN = () => JSON.parse(document.getElementById("boot").textContent).csrf;
const real = window.fetch, open = new Promise((go) => { window.go = go; });
window.fetch = async (path, options) => {
  if (String(path).endsWith("/action")) { window.underway = true; await open; }
  return real(path, options);
};
"""
"""A press that is on its way stays there until `window.go()`."""


def held_back(guard: Guard) -> bool:
    if not guard.script("return window.underway === true"):
        guard.hold_once("#send")
    return bool(guard.script("return window.underway === true"))


@with_every_view
def test_a_full_disk_is_said_and_a_press_that_finds_no_room_is_not_done(guard: Guard, house: House) -> None:
    if not house.mounted:
        pytest.skip("this user may not mount a file system of its own")
    openings = house.worlds[B1].state().counters.openings
    house.arrive(house.plate())
    guard.sees("verdict", "verdict.unknown")
    try:
        house.room(20_000)
        guard.sees("status", "status.store_full")
        guard.check()
        (house.data / "reserve").unlink(missing_ok=True)
        house.room(0)
        assert guard.page.execute_async_script(FILL) >= 0, "the disk never was full"
        guard.tap("#turn_away")
        guard.tap(".choice:nth-child(1)")
        guard.tap("#send")
        guard.is_told("pressed.refused", "turn_away")
        guard.sees("message", "result.store_full")
        guard.tap("#stop")
        guard.is_told("pressed.unrecorded", "stop")
    finally:
        house.room(None)
    assert house.worlds[B1].state().counters.openings == openings
    guard.tap("#turn_away")
    guard.tap(".choice:nth-child(1)")
    guard.tap("#send")
    guard.done("turn_away")
    leaves(guard, house)


FILL = """
const done = arguments[0], csrf = JSON.parse(document.getElementById("boot").textContent).csrf;
const headers = { "Content-Type": "application/json", "X-CSRF-Token": csrf };
const press = async () => {
  const body = JSON.stringify({ key: crypto.randomUUID(), name: "stop", passage: null });
  return (await (await fetch(`${location.pathname}/action`, { method: "POST", headers, body })).json()).code;
};
(async () => {
  for (let n = 0; n < 2000; n += 1) if (["store_full", "stopped_unrecorded"].includes(await press())) return done(n);
  done(-1);
})();
"""
"""Presses until the record finds no room: what SQLite had set aside for itself goes first."""


@with_every_view
def test_a_stopped_gate_process_shows_and_a_press_meanwhile_is_told_as_not_done(guard: Guard, house: House) -> None:
    house.arrive(house.plate())
    guard.tap("#turn_away")
    guard.tap(".choice:nth-child(1)")
    house.kill()
    guard.tap("#send")
    until(guard.page, lambda _: guard.find("#gone").is_displayed(), "the band")
    guard.sees("gone", "gone.title")
    guard.sees("message", guard.word("pressed.asking").partition("{")[0])
    assert guard.script("return document.body.dataset.sound") == "alarm"
    house.start()
    until(guard.page, lambda _: not guard.find("#gone").is_displayed(), "the band to go")
    guard.sees("message", guard.word("pressed.refused").partition(":")[0])
    guard.sees("message", "result.not_arrived")
    leaves(guard, house)


@with_every_view
def test_a_dead_camera_is_said_and_its_plate_typed(guard: Guard, house: House) -> None:
    house.rtsp.stop()
    guard.sees("live-alarm", "picture.down")
    guard.sees("status", guard.word("status.camera_down", id=f"{B1}-front"))
    guard.check()
    plate = house.plate()
    house.declare(plate)
    house.worlds[B1].arrive(TRUCK)
    guard.tap("#type_plate")
    guard.types(plate)
    guard.tap("#send")
    guard.sees("verdict", "verdict.ready")
    guard.tap("#confirm")
    guard.done("confirm")
    opened(guard, house)
