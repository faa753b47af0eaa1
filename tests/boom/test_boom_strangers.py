"""The whole driving side against modules, a line and a boom written from the vendors' and makers' words alone."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import pytest

from tests.boom.strangers import BOARDS, SAFE_DEG, Post, run_passages
from tests.boom.vendors.boom import PERSON, TRUCK, Boom, Truck, touches_deg


@pytest.fixture(params=BOARDS)
def post(request: pytest.FixtureRequest) -> Iterator[Post]:
    post = Post(request.param)
    yield post
    post.close()


@pytest.fixture
def one() -> Iterator[Post]:
    post = Post()
    yield post
    post.close()


def relays(post: Post) -> list[bool]:
    return [post.module.relay(n) for n in range(3)]


def test_the_witness_sees_who_is_touched_and_that_an_arm_has_inertia() -> None:
    boom = Boom(angle_deg=90.0, person=True)
    boom.press({"close"})
    boom.go_on(0.05)
    assert -90.0 / boom.close_s < boom.rate < 0, "it does not start at once"
    boom.go_on(3.0)
    assert [name for _, name in boom.contacts] == ["person"]
    assert 25 < touches_deg(PERSON) < SAFE_DEG < touches_deg(TRUCK)


def test_a_whole_passage(post: Post) -> None:
    post.comes()
    post.until(lambda: post.boom.through == 1)
    post.until(lambda: post.loop.snapshot().boom == "closed")
    post.run(1.0)
    assert (post.boom.opened, post.boom.through, post.boom.contacts) == (1, 1, [])
    assert relays(post) == [False] * 3


@pytest.mark.parametrize("at_deg", [85.0, 70.0, 60.0, SAFE_DEG])
def test_a_person_under_a_falling_arm_is_not_touched(post: Post, at_deg: float) -> None:
    post.coming_down(at_deg)
    post.boom.person = True
    post.until(lambda: post.boom.angle_deg >= 89.0, within_s=4.0)
    assert post.boom.contacts == []
    post.run(20.0)
    assert post.boom.contacts == []


@pytest.mark.parametrize("how", ["silent", "dumb", "busy", "short"])
def test_a_board_that_fails_as_the_arm_comes_down_is_told_to_open_once_it_answers(post: Post, how: str) -> None:
    post.coming_down(85.0)
    setattr(post.line, how, True)
    post.boom.person = True
    post.run(0.45)
    setattr(post.line, how, False)
    assert "reopened" not in post.kinds(), "asked is not done"
    post.until(lambda: post.boom.wants == "open", within_s=0.4)  # looked for each 0.25 s, and told at once
    post.until(lambda: post.boom.angle_deg >= 89.0, within_s=4.0)
    assert relays(post)[1] is False


def test_a_connection_that_breaks_as_the_arm_comes_down(post: Post) -> None:
    post.coming_down(80.0)
    post.line.reset = True
    post.boom.person = True
    post.until(lambda: post.boom.angle_deg >= 89.0, within_s=4.0)
    assert post.boom.contacts == []


@pytest.mark.parametrize("at_deg", [80.0, 60.0])
def test_a_process_killed_as_the_arm_comes_down(post: Post, at_deg: float) -> None:
    post.coming_down(at_deg)
    post.restart()
    post.boom.person = True
    post.until(lambda: post.boom.angle_deg >= 89.0, within_s=4.0)
    assert post.boom.contacts == []
    post.boom.person = False
    post.run(3.0)
    assert relays(post) == [False] * 3


@pytest.mark.parametrize("stop", [True, False])
def test_stop_and_then_somebody(stop: bool) -> None:
    post = Post(stop=stop)
    post.coming_down(75.0)
    post.loop.stop_boom()
    post.boom.deaf = {"stop"}
    post.turn()
    post.boom.person = True
    post.until(lambda: post.boom.angle_deg >= 89.0, within_s=5.0)
    assert post.boom.contacts == []
    assert ("stopped" in post.kinds()) is stop
    post.close()


def test_a_controller_that_does_not_hear_the_first_openings_is_asked_each_half_second(one: Post) -> None:
    one.coming_down(85.0)
    one.boom.deaf = {"open"}
    one.boom.person = True
    presses: list[float] = []
    for _ in range(30):
        was = one.module.relay(0)
        one.turn()
        if one.module.relay(0) and not was:
            presses.append(one.clock.now_s)
    assert len(presses) >= 3
    assert all(0.4 < later - sooner < 0.65 for sooner, later in pairwise(presses))
    one.boom.deaf = set()
    one.until(lambda: one.boom.wants == "open", within_s=0.7)


def test_two_sensors_on_one_dead_supply_lower_the_arm_onto_no_truck(one: Post) -> None:
    for _ in range(3):
        one.stuck = {"safety_loop": False, "photocell": False}
        one.boom.trucks.append(Truck(12.0, 1.0, stops=(3.0, 25.0)))
        one.until(lambda: one.loop.state.here)
        one.permit()
        one.until(lambda: not one.boom.trucks)
        one.stuck = {}
        assert one.boom.contacts == []
        one.run(5.0)
        one.loop.reset_faults()
        one.loop.lower_boom()
        one.until(lambda: one.loop.snapshot().boom == "closed")


def test_a_chassis_whose_gap_stops_under_the_arm(one: Post) -> None:
    one.comes(Truck(14.0, 1.5, gap=(4.0, 9.5), stops=(6.5, 8.0)))
    one.until(lambda: one.boom.through == 1)
    one.until(lambda: one.loop.snapshot().boom == "closed")
    assert one.boom.contacts == []
    assert "tailgate" not in one.kinds()


def test_a_rattling_limit_opens_no_closed_boom(one: Post) -> None:
    one.loop.hold(True)
    one.boom.person = True
    for number in range(40):
        one.stuck = {"limit_open": number % 2 == 0, "limit_closed": number % 3 == 0}
        one.run(0.2)
    assert one.boom.opened == 0


def test_a_relay_switched_on_by_somebody_else_is_released_and_told(one: Post) -> None:
    one.module.switch(1, True)
    one.until(lambda: "output_on:close" in one.loop.snapshot().faults, within_s=2.0)
    one.until(lambda: not one.module.relay(1), within_s=1.5)


@pytest.mark.slow
def test_random_passages_with_faults_as_the_arm_moves_touch_nobody() -> None:
    counts = run_passages(12, seed=3)
    assert {name: counts[name] for name in ("touched", "opened_without_permit", "left_on")} == {
        "touched": 0, "opened_without_permit": 0, "left_on": 0,
    }  # fmt: skip
    assert counts["through"] + counts.get("at_guard", 0) == counts["passages"] == 12
