"""The passage of one lane: what begins it, what it keeps for its own, what ends it."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.core import passage as passages
from edge.core.model import PlateRead, PlateText, Reading
from edge.core.passage import Lane, Timing

TIMING = Timing(match_after_s=6.0, forget_s=8.0, quiet_s=15.0)


def ids() -> Callable[[], str]:
    numbers = count(1)
    return lambda: f"p{next(numbers)}"


def reading(text: str = "12C12345", track: int = 1, *, decided: bool = False, confidence: float = 0.9) -> Reading:
    plate = PlateText(text, text, confidence, "VN", "truck", "two_line")
    corners = ((0.0, 0.0), (9.0, 0.0), (9.0, 9.0), (0.0, 9.0))
    return Reading(
        "front",
        track,
        1,
        0,
        "2026-11-20T08:00:00+07:00",
        PlateRead(plate, (0, 0, 9, 9), corners, whole=True),
        decided,
        3,
        (1280, 720),
    )


def test_the_first_reading_begins_a_passage_and_a_decided_one_asks_the_law() -> None:
    new_id = ids()
    lane, effects = passages.saw(Lane(), reading(), 0.0, TIMING, new_id)
    assert effects == ("begin",)
    lane, effects = passages.saw(lane, reading(decided=True), 1.0, TIMING, new_id)
    assert effects == ("evaluate",)
    assert [plate.text for plate in lane.passage.decided] == ["12C12345"] if lane.passage else False


def test_the_loop_alone_begins_a_passage_too() -> None:
    lane, effects = passages.arrived(Lane(), 0.0, ids())
    assert effects == ("begin", "evaluate")
    assert lane.present


def test_a_vehicle_that_stays_unread_is_put_to_the_guard_once() -> None:
    lane, _ = passages.arrived(Lane(), 0.0, ids())
    lane, effects = passages.tick(lane, 5.9, TIMING)
    assert effects == ()
    lane, effects = passages.tick(lane, 6.1, TIMING)
    assert effects == ("evaluate",)
    lane, effects = passages.tick(lane, 7.0, TIMING)
    assert effects == ()


def test_what_an_ended_passage_saw_never_begins_another() -> None:
    new_id = ids()
    lane, _ = passages.arrived(Lane(), 0.0, new_id)
    lane, _ = passages.saw(lane, reading(decided=True), 1.0, TIMING, new_id)
    lane, effects = passages.through(lane, 10.0)
    assert effects == ("end",)
    lane = passages.cleared(lane)
    lane, effects = passages.saw(lane, reading(decided=True), 10.5, TIMING, new_id)
    assert effects == ()
    assert lane.passage is None, "the same track, still in view behind the boom"
    lane, effects = passages.saw(lane, reading(track=7, decided=True), 11.0, TIMING, new_id)
    assert lane.passage is None, "the same text on a new track, nobody on the loop"


def test_a_vehicle_that_comes_straight_back_is_read_though_the_camera_saw_it_before_the_loop() -> None:
    new_id = ids()
    lane, _ = passages.arrived(Lane(), 0.0, new_id)
    lane, _ = passages.saw(lane, reading(decided=True), 1.0, TIMING, new_id)
    lane = passages.cleared(passages.through(lane, 10.0)[0])
    lane, effects = passages.saw(lane, reading(track=7, decided=True), 12.0, TIMING, new_id)
    assert effects == ()
    lane, effects = passages.arrived(lane, 14.0, new_id)
    assert effects == ("begin", "evaluate")
    assert lane.passage is not None
    assert [plate.text for plate in lane.passage.decided] == ["12C12345"]


def test_a_plate_seen_from_behind_that_went_out_of_view_is_not_the_next_vehicles() -> None:
    new_id = ids()
    lane, _ = passages.arrived(Lane(), 0.0, new_id)
    lane, _ = passages.saw(lane, reading(decided=True), 1.0, TIMING, new_id)
    lane = passages.cleared(passages.through(lane, 10.0)[0])
    lane, _ = passages.saw(lane, reading(track=7, decided=True), 11.0, TIMING, new_id)
    lane = passages.kept(lane, "front", frozenset(), 12.0)
    lane, _ = passages.arrived(lane, 13.0, new_id)
    assert lane.passage is not None
    assert lane.passage.sights == ()


def test_the_same_vehicle_on_the_loop_again_is_a_passage_of_its_own() -> None:
    new_id = ids()
    lane, _ = passages.arrived(Lane(), 0.0, new_id)
    lane, _ = passages.saw(lane, reading(decided=True), 1.0, TIMING, new_id)
    lane, effects = passages.left(lane, 5.0)
    assert effects == ("end",)
    lane, _ = passages.arrived(passages.cleared(lane), 8.0, new_id)
    lane, effects = passages.saw(lane, reading(track=9, decided=True), 9.0, TIMING, new_id)
    assert effects == ("evaluate",)
    assert lane.passage is not None
    assert lane.passage.id == "p2"


def test_a_vehicle_may_leave_the_loop_while_its_boom_is_up() -> None:
    lane, _ = passages.arrived(Lane(), 0.0, ids())
    lane = passages.permitted(lane, 7)
    lane = passages.boom(lane, "opened", 7)
    lane, effects = passages.left(lane, 5.0)
    assert effects == (), "only the barrier's own notices end it now"


@pytest.mark.parametrize("kind", ["opening", "opened", "refused", "not_opened"])
def test_answers_to_another_permit_are_not_about_this_passage(kind: str) -> None:
    lane, _ = passages.arrived(Lane(), 0.0, ids())
    lane = passages.permitted(lane, 7)
    assert passages.boom(lane, kind, 6, "x") == lane  # type: ignore[arg-type]


def test_a_refused_permit_gives_the_passage_back_to_the_guard_with_the_reason() -> None:
    lane, _ = passages.arrived(Lane(), 0.0, ids())
    lane = passages.boom(passages.permitted(lane, 7), "refused", 7, "held")
    assert lane.passage is not None
    assert (lane.passage.state, lane.passage.serial, lane.passage.fault) == ("not_opened", None, "held")


def test_boom_down_again_with_the_vehicle_still_there_waits_for_the_guard() -> None:
    lane, _ = passages.arrived(Lane(), 0.0, ids())
    lane = passages.boom(passages.permitted(lane, 7), "opened", 7)
    lane, effects = passages.lowered(lane, 30.0)
    assert lane.passage is not None
    assert (lane.passage.state, effects) == ("waiting", ("evaluate",))


def test_a_track_that_changes_its_mind_keeps_one_undecided_text() -> None:
    new_id = ids()
    lane, _ = passages.saw(Lane(), reading("12C12346"), 0.0, TIMING, new_id)
    lane, _ = passages.saw(lane, reading("12C12345", decided=True), 1.0, TIMING, new_id)
    assert lane.passage is not None
    assert [sight.plate.text for sight in lane.passage.sights] == ["12C12345"]


def test_tractor_and_trailer_stand_side_by_side() -> None:
    new_id = ids()
    lane, _ = passages.saw(Lane(), reading("12C12345", track=1, decided=True), 0.0, TIMING, new_id)
    lane, effects = passages.saw(lane, reading("12R01234", track=2, decided=True), 0.1, TIMING, new_id)
    assert effects == ("evaluate",)
    assert lane.passage is not None
    assert {plate.text for plate in lane.passage.decided} == {"12C12345", "12R01234"}


def test_a_plate_that_stands_in_view_keeps_a_passage_that_no_loop_tells_of() -> None:
    new_id = ids()
    lane, _ = passages.saw(Lane(), reading(decided=True), 0.0, TIMING, new_id)
    lane = passages.kept(lane, "front", frozenset({1}), 7.0)
    lane, effects = passages.tick(lane, 12.0, TIMING)
    assert effects == ()
    lane = passages.kept(lane, "front", frozenset({2}), 14.0)
    lane, effects = passages.tick(lane, 15.5, TIMING)
    assert effects == ("end",), "another track is another vehicle"


STEPS = st.lists(
    st.one_of(
        st.tuples(
            st.just("saw"), st.sampled_from(["12C12345", "12C12346", "12R01234"]), st.integers(1, 4), st.booleans()
        ),
        st.tuples(st.sampled_from(["arrived", "left", "through", "permit", "opened", "refused", "lowered", "tick"])),
    ),
    max_size=40,
)


@given(STEPS)
def test_whatever_happens_a_passage_ends_only_once_and_ids_never_repeat(steps: list[tuple[object, ...]]) -> None:
    lane, new_id, serial, ended = Lane(), ids(), 0, set()
    for number, one in enumerate(steps):
        now_s = float(number)
        effects: tuple[passages.Effect, ...] = ()
        match one:
            case ("saw", str(text), int(track), bool(decided)):
                lane, effects = passages.saw(lane, reading(text, track, decided=decided), now_s, TIMING, new_id)
            case ("arrived",):
                lane, effects = passages.arrived(lane, now_s, new_id)
            case ("left",):
                lane, effects = passages.left(lane, now_s)
            case ("through",):
                lane, effects = passages.through(lane, now_s)
            case ("permit",):
                serial += 1
                lane = passages.permitted(lane, serial)
            case ("opened",):
                lane = passages.boom(lane, "opened", serial)
            case ("refused",):
                lane = passages.boom(lane, "refused", serial, "x")
            case ("lowered",):
                lane, effects = passages.lowered(lane, now_s)
            case _:
                lane, effects = passages.tick(lane, now_s, TIMING)
        if "end" in effects:
            assert lane.passage is not None
            assert lane.passage.id not in ended
            ended.add(lane.passage.id)
            lane = passages.cleared(lane)
        if lane.passage is not None:
            texts = [sight.plate.text for sight in lane.passage.sights]
            assert len(texts) == len(set(texts))
