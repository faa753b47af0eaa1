"""A truck on video drives up, is read, decided on, and the barrier opens; and what a killed process costs: nothing."""

from __future__ import annotations

import os
import signal
import time

import cv2
import numpy as np
import pytest

from edge.core.record.events import Anchor, verify_chain
from edge.store.keys import public_check
from tests.lane.chain import LANE, PLATE, Chain, chain

__all__ = ["chain"]

pytestmark = [pytest.mark.slow, pytest.mark.vision, pytest.mark.broker, pytest.mark.timeout(300)]


def whole(chain: Chain) -> list[dict[str, object]]:
    """The centre has every event once, without a gap, and the chain holds. Returns the events."""
    events = chain.at_centre()
    assert [event["seq"] for event in events] == list(range(1, chain.next_seq()))
    assert len({event["event_id"] for event in events}) == len(events)
    return events


def test_a_truck_is_read_confirmed_opened_for_recorded_and_acknowledged(chain: Chain) -> None:
    openings = chain.world.state().counters.openings
    chain.arrive()
    passage = chain.ready()
    assert passage["plate"]["text"] == PLATE
    assert [(one["authority"], one["act"]) for one in passage["verdict"]["missing"]] == [("BG", "pass")]

    answer = chain.press("confirm")
    assert (answer["done"], answer["code"]) == (True, "confirmed")
    chain.wait(lambda: chain.view()["boom"]["state"] == "open", "the limit switch says open")
    chain.gone()

    assert chain.world.state().counters.openings == openings + 1
    events = whole(chain)
    assert answer["seq"] in [event["seq"] for event in events]
    stages = [(event["kind"], event["body"].get("stage")) for event in events]  # type: ignore[attr-defined]
    told = [
        ("passage", "seen"),
        ("confirmation", None),
        ("barrier", "opened"),
        ("confirmation", "through"),
        ("passage", "ended"),
    ]
    assert [one for one in stages if one in told] == told
    chain.wait(lambda: chain.view()["link"]["unacknowledged"] == 0, "the gate knows that the centre has everything")


def test_photo_plate_box_and_time_are_of_one_frame(chain: Chain) -> None:
    seen = next(
        event for event in chain.at_centre() if event["body"].get("stage") == "seen" and event["body"]["plates"]
    )
    files = {photo["name"]: photo["id"] for photo in seen["body"]["evidence"]}
    photo, crop = (chain.panel.fetch(f"/evidence/{files[name]}.jpg") for name in ("photo", "crop"))
    picture = cv2.imdecode(np.frombuffer(photo, np.uint8), cv2.IMREAD_COLOR)
    plate = cv2.imdecode(np.frombuffer(crop, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    assert plate is not None
    x1, y1, x2, y2 = (round(value) for value in seen["body"]["box"])
    there = picture[y1:y2, x1:x2]
    assert abs(float(there.mean()) - float(plate.mean())) < 25, "the box of this very picture shows the crop"
    assert seen["captured_at"] < seen["recorded_at"]


def test_a_killed_vision_process_leaves_the_screen_and_the_barrier_working(chain: Chain) -> None:
    before = chain.vision_pid()
    os.kill(before, signal.SIGKILL)
    killed_s = time.monotonic()
    chain.wait(lambda: chain.camera_state() in ("down", "starting"), "the guard is shown that the camera is down")
    assert chain.view()["boom"]["board_ok"]
    assert chain.press("stop")["done"], "the screen answers and the barrier obeys without the camera"
    chain.wait(lambda: chain.camera_state() == "up", "the camera is back")
    print(f"camera back {time.monotonic() - killed_s:.1f} s after SIGKILL")
    assert chain.vision_pid() != before


def test_a_killed_gate_process_opens_nothing_twice_and_loses_nothing(chain: Chain) -> None:
    openings = chain.world.state().counters.openings
    chain.arrive()
    chain.ready()
    answer = chain.press("confirm")
    assert answer["done"]
    chain.wait(lambda: chain.world.state().counters.openings == openings + 1, "the boom rises")
    chain.kill(chain.agent)
    chain.start_agent()
    chain.wait(lambda: chain.phase() == "gone", "the truck is through the boom that was up for it")
    chain.camera.show("empty")
    if chain.view()["boom"]["state"] != "closed":
        # After a restart the barrier lowers nothing that it did not raise itself: a person asks for it, and asks again
        # where the barrier is not ready for it yet, and says so.
        answer = chain.press("close")
        assert answer["done"], answer
        chain.wait(lambda: lowers(chain), "the boom comes down")
    chain.gone()
    counters = chain.world.state().counters
    assert counters.openings == openings + 1, "a restart repeats no opening"
    assert counters.lowered_onto_something == 0
    assert counters.opened_without_command == 0
    assert answer["seq"] in [event["seq"] for event in whole(chain)], "what the guard was told is at the centre"
    bodies = {event["seq"]: event["body"] for event in chain.at_centre()}
    ended = [body for body in bodies.values() if body.get("stage") == "ended"][-1]
    assert ended["declaration"] == bodies[answer["seq"]]["declaration"], "the passage is still of its declaration"
    assert ended["outcome"] in ("through", "unseen"), "seen by the loops, or gone before the new process looked"


def lowers(chain: Chain) -> bool:
    if chain.view()["not_lowered"]:
        assert chain.press("close")["done"]
    return bool(chain.view()["boom"]["state"] in ("lowering", "closed"))


def test_a_killed_broker_delays_and_loses_nothing(chain: Chain) -> None:
    chain.broker.stop()
    chain.wait(lambda: chain.view()["link"]["state"] == "down", "the guard is shown that the link is down")
    chain.arrive(declared=False)
    chain.wait(lambda: "override" in chain.view()["can"], "the truck waits, read without a broker")
    assert chain.press("override", reason="ordered")["done"]
    chain.wait(lambda: chain.phase() in ("passing", "gone"), "the truck drives off")
    assert chain.view()["link"]["unacknowledged"] > 0
    chain.broker.start()
    chain.gone()
    whole(chain)
    chain.wait(lambda: chain.view()["link"]["unacknowledged"] == 0, "the gate knows that the centre has everything")


def test_the_record_of_all_this_is_one_unbroken_chain(chain: Chain) -> None:
    payloads = [row[0] for row in chain.rows(chain.central_db, "SELECT payload FROM event ORDER BY seq")]
    check = public_check(chain.folder / "agent" / "keys")
    end = verify_chain(payloads, site="demo", lane=LANE, anchor=Anchor(), check=check)
    assert isinstance(end, Anchor), str(end)
    assert end.seq == len(payloads) > 0
