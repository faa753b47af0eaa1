"""The alarm list: its states (ISA-18.2), its sources, and what a restart keeps."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.core.alarm import alarms
from edge.core.alarm.alarms import OFF_DELAY_S, SHELF_MOST_S, Alarm, Book, Condition, Shelf
from edge.core.alarm.sources import Beside, gate_conditions, lane_conditions, notice_condition
from edge.core.json_shape import object_of, read
from edge.core.view import BoomView, BoxView, CameraView, LinkView, RoomView, TakenView
from tests.panel.views import HEALTHY

AT, BOOT = "2026-11-22T08:00:00+07:00", "boot-1"
CAMERA = Condition("b1-out/camera/front", "camera_down", 2, "b1-out", "front", on_delay_s=3.0)
TORN = Condition("b1-out/boom/arm_torn", "arm_torn", 1, "b1-out")
TAILGATE = Condition("b1-out/tailgate", "tailgate", 1, "b1-out", "second_entry")


def seen(book: Book, now_s: float, *conditions: Condition) -> Book:
    return alarms.observe(book, conditions, now_s, AT)[0]


def raised(condition: Condition = TORN, now_s: float = 10.0) -> Book:
    return seen(seen(Book(), now_s - condition.on_delay_s, condition), now_s, condition)


def shelf(until_s: float, by: str = "BP-1") -> Shelf:
    return Shelf(by, AT, 60.0, until_s, BOOT)


def state(book: Book, key: str = TORN.key) -> str | None:
    return book.alarms[key].state if key in book.alarms else None


def test_a_condition_must_last_before_it_is_an_alarm() -> None:
    book = seen(Book(), 10.0, CAMERA)
    assert not book.alarms
    assert not seen(seen(book, 11.0), 13.5, CAMERA).alarms, "it was gone in between, and counts from anew"
    assert state(seen(book, 13.0, CAMERA), CAMERA.key) == "unacknowledged"


def test_an_answered_alarm_leaves_the_list_only_when_its_cause_is_gone() -> None:
    book, changes = alarms.acknowledge(raised(), TORN.key, "BP-1", AT)
    assert (state(book), changes[0].stage, changes[0].by, changes[0].gone) == (
        "acknowledged",
        "acknowledged",
        "BP-1",
        False,
    )
    book = seen(book, 20.0)
    assert state(book) == "acknowledged", "a flicker is not gone yet"
    book, changes = alarms.observe(book, (), 20.0 + OFF_DELAY_S, AT)
    assert (state(book), changes[0].stage, changes[0].gone) == (None, "returned", True)


def test_an_alarm_whose_cause_is_gone_still_waits_for_its_answer() -> None:
    book = seen(seen(raised(), 20.0), 20.0 + OFF_DELAY_S)
    assert state(book) == "returned"
    assert book.alarms[TORN.key].waits
    book, changes = alarms.acknowledge(book, TORN.key, "BP-1", AT)
    assert (state(book), changes[0].gone) == (None, True)


def test_the_same_again_makes_no_second_alarm_but_asks_anew() -> None:
    book, _ = alarms.acknowledge(raised(), TORN.key, "BP-1", AT)
    book, _ = alarms.happened(book, TAILGATE, AT)
    book, changes = alarms.happened(book, TAILGATE, AT)
    assert changes[0].stage == "raised_again"
    assert (book.alarms[TAILGATE.key].count, state(book, TAILGATE.key), len(book.alarms)) == (2, "returned", 2)


def test_a_cause_that_grows_worse_asks_anew() -> None:
    low = Condition("gate/store", "store_low", 3)
    book, _ = alarms.acknowledge(raised(low), low.key, "BP-1", AT)
    book = seen(book, 30.0, replace(low, code="store_full", priority=1))
    assert (state(book, low.key), book.alarms[low.key].priority) == ("unacknowledged", 1)


def test_what_explains_another_keeps_it_from_the_list() -> None:
    board = Condition("b1-out/board", "board_lost", 1)
    stale = Condition("b1-out/boom/inputs_stale", "inputs_stale", 1, hidden_by=frozenset({board.key}))
    assert set(seen(Book(), 1.0, board, stale).alarms) == {board.key}
    assert set(seen(Book(), 1.0, stale).alarms) == {stale.key}


def test_a_shelved_alarm_comes_back_when_its_time_is_over_and_asks_anew() -> None:
    book, _ = alarms.acknowledge(raised(), TORN.key, "BP-1", AT)
    book, changes = alarms.shelve(book, TORN.key, shelf(70.0))
    assert (state(book), changes[0].stage) == ("shelved", "shelved")
    assert not alarms.acknowledge(book, TORN.key, "BP-2", AT)[1]
    assert state(seen(book, 69.9, TORN)) == "shelved"
    book, changes = alarms.observe(book, (TORN,), 70.0, AT)
    assert (state(book), changes[0].stage) == ("unacknowledged", "shelf_expired")


def test_a_shelved_alarm_that_was_answered_and_is_gone_leaves_the_list_with_its_shelf() -> None:
    book, _ = alarms.acknowledge(raised(), TORN.key, "BP-1", AT)
    book, _ = alarms.shelve(book, TORN.key, shelf(1000.0))
    book = seen(seen(book, 20.0), 30.0)
    assert state(book) == "shelved"
    book, changes = alarms.unshelve(book, TORN.key, "BP-1")
    assert (state(book), changes[0].gone) == (None, True)


@pytest.mark.parametrize("for_s", [0.0, -1.0, SHELF_MOST_S + 1])
def test_no_shelf_is_for_ever(for_s: float) -> None:
    with pytest.raises(ValueError, match="for_s"):
        alarms.shelve(raised(), TORN.key, replace(shelf(1.0), for_s=for_s))


def test_the_list_shows_what_waits_first_and_the_worst_of_it_on_top() -> None:
    book = seen(seen(Book(), 1.0, TORN, CAMERA), 5.0, TORN, CAMERA)
    assert [one.key for one in book.listed()] == [TORN.key, CAMERA.key]
    book, _ = alarms.acknowledge(book, TORN.key, "BP-1", AT)
    assert [one.key for one in book.listed()] == [CAMERA.key, TORN.key]
    book, _ = alarms.shelve(book, CAMERA.key, shelf(100.0))
    assert [one.key for one in book.listed()] == [TORN.key, CAMERA.key]


def test_a_shelf_ends_with_the_boot_that_its_clock_belongs_to() -> None:
    book, _ = alarms.shelve(raised(), TORN.key, shelf(100.0))
    kept = book.alarms[TORN.key]
    assert alarms.after_restart(kept, BOOT) == kept
    assert alarms.after_restart(kept, "boot-2").state == "unacknowledged"


# ---------------------------------------------------------------- whatever happens

KEYS = [TORN, CAMERA, TAILGATE]
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("see"), st.sets(st.sampled_from(KEYS)), st.floats(0.1, 10.0)),
        st.tuples(st.just("happen"), st.sampled_from(KEYS)),
        st.tuples(st.just("ack"), st.sampled_from(KEYS)),
        st.tuples(st.just("shelve"), st.sampled_from(KEYS), st.floats(1.0, 60.0)),
        st.tuples(st.just("unshelve"), st.sampled_from(KEYS)),
    ),
    max_size=40,
)


class Told:
    """What people and the record were told, kept beside the list."""

    def __init__(self) -> None:
        self.book, self.now_s = Book(), 0.0
        self.answered: set[str] = set()

    def take(self, moved: alarms.Moved) -> None:
        before, (self.book, changes) = self.book, moved
        for change in changes:
            key = change.alarm.key
            if change.stage in ("raised", "raised_again"):
                self.answered.discard(key)
            elif change.stage == "acknowledged":
                self.answered.add(key)
            elif change.stage in ("unshelved", "shelf_expired") and change.alarm.active:
                self.answered.discard(key)
            assert change.gone == (key not in self.book.alarms)
        for key in before.alarms.keys() - self.book.alarms.keys():
            assert key in self.answered, "nothing unanswered ever disappears"
            assert not any(change.alarm.active for change in changes if change.alarm.key == key)

    def step(self, what: Any) -> None:
        match what:
            case ("see", conditions, after_s):
                self.now_s += after_s
                self.take(alarms.observe(self.book, conditions, self.now_s, AT))
                assert alarms.observe(self.book, conditions, self.now_s, AT)[1] == (), "the same again changes nothing"
            case ("happen", condition):
                self.take(alarms.happened(self.book, condition, AT))
            case ("ack", condition):
                self.take(alarms.acknowledge(self.book, condition.key, "BP-1", AT))
            case ("shelve", condition, for_s):
                aside = Shelf("BP-1", AT, for_s, self.now_s + for_s, BOOT)
                self.take(alarms.shelve(self.book, condition.key, aside))
            case ("unshelve", condition):
                self.take(alarms.unshelve(self.book, condition.key, "BP-1"))


@settings(max_examples=300, deadline=None)
@given(STEPS)
def test_nothing_unanswered_disappears_and_no_shelf_outlives_its_time(steps: list[Any]) -> None:
    told = Told()
    for what in steps:
        told.step(what)
        for key, alarm in told.book.alarms.items():
            assert alarm.key == key
            assert alarm.waits == (key not in told.answered and alarm.shelf is None)
            if what[0] == "see" and alarm.shelf is not None:
                assert alarm.shelf.until_s > told.now_s
            assert read(Alarm, json.loads(json.dumps(object_of(alarm)))) == alarm


# ---------------------------------------------------------------- where they come from


def found(more: dict[str, Any]) -> dict[str, int]:
    beside = Beside(BoxView(care=tuple(more.pop("care", ()))))
    one = replace(HEALTHY, **more)
    both: Iterable[Condition] = [*lane_conditions("b1-out", one), *gate_conditions(one, beside, 3600.0)]
    return {condition.code: condition.priority for condition in both}


def boom(*faults: str, ok: bool = True) -> BoomView:
    return BoomView(state="closed", faults=faults, board_ok=ok)


def link(state: str, oldest_s: float | None = None) -> LinkView:
    return LinkView(state=state, oldest_s=oldest_s)


@pytest.mark.parametrize(
    ("more", "codes"),
    [
        ({}, {}),
        ({"boom": boom("board_lost", "inputs_stale", ok=False)}, {"board_lost": 1, "inputs_stale": 1}),
        ({"boom": boom("starting")}, {}),
        ({"boom": boom("input_stuck:presence")}, {"input_stuck": 2}),
        ({"cameras": (CameraView(id="front", state="frozen"),)}, {"camera_down": 2}),
        ({"link": link("off"), "copy_age_s": None}, {}),
        ({"link": link("down", 900.0)}, {"link_down": 3}),
        ({"link": link("broker", 900.0)}, {"centre_gone": 3}),
        ({"link": link("up", 900.0)}, {"backlog": 3}),
        ({"link": link("refused")}, {"link_refused": 2}),
        ({"clock": "unset"}, {"clock_unset": 1}),
        ({"clock": "holdover"}, {"clock_holdover": 3}),
        ({"store": RoomView("low")}, {"store_low": 3}),
        ({"store": RoomView("failed")}, {"store_failed": 1}),
        ({"copy_age_s": 3601.0}, {"copy_old": 2}),
        (
            {"taken": TakenView(watchlist="no JSON", watch_rows=2)},
            {"watchlist_refused": 1, "watch_rows": 2},
        ),
        ({"record": ("record_forked",)}, {"record_forked": 1}),
        ({"taken": TakenView(declarations=1)}, {"declarations_refused": 2}),
        ({"care": ["battery_low", "on_battery", "hot"]}, {"battery_low": 1, "on_battery": 2, "hot": 2}),
        ({"copy_age_s": None}, {"copy_none": 2}),
    ],
)
def test_what_is_an_alarm_and_how_bad(more: dict[str, Any], codes: dict[str, int]) -> None:
    assert found(dict(more)) == codes


def test_a_tailgater_is_an_alarm_and_a_closed_boom_is_none() -> None:
    told = notice_condition("b1-out", "tailgate", "second_entry")
    assert told is not None
    assert (told.code, told.about) == ("tailgate", "second_entry")
    assert notice_condition("b1-out", "closed", "") is None


def test_every_alarm_has_its_words_and_says_what_to_do() -> None:
    from edge.core.alarm.sources import BOX, FAULTS, ONCE
    from edge.panel.messages import load_catalogue

    catalogue = load_catalogue()
    others = "board_lost camera_down backlog store_low store_full store_failed clock_holdover clock_unset link_down"
    codes = {*FAULTS, *ONCE, *BOX, *others.split(), "link_refused", "copy_none", "copy_old"}
    codes |= {
        "record_forked",
        "record_set_aside",
        "record_gone",
        "lane_unknown",
        "record_counters_gone",
        "centre_gone",
        "photos_lost",
        "events_refused",
        "twin",
        "watchlist_refused",
        "watch_rows",
        "declarations_refused",
    }
    assert [code for code in sorted(codes) for part in ("alarm", "alarm_do") if f"{part}.{code}" not in catalogue] == []
