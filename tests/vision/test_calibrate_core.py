"""Measuring and judging plates: pure rules by properties, measuring against pictures of known faults."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.core.camera.calibrate import Pace, findings, heat, near, pace_of, rate
from edge.core.camera.measured_plate import PlateSight, cause, shortfalls
from edge.core.camera.proposal import changes, region_around, travel, trigger_line
from edge.core.camera.region import WHOLE, area, around, beyond, inside, past, reading_region
from edge.core.camera.view_settings import Aim, Picture
from edge.ports import Image
from edge.vision.adjust import corrected
from edge.vision.measure import looks, size_and_tilt

FRACTION = st.floats(0.0, 1.0)
POINT = st.tuples(FRACTION, FRACTION)


def sight(x: float = 0.5, y: float = 0.5, width: float = 160, at_s: float = 1.0, **more: object) -> PlateSight:
    """A good, surely read one-line plate; `x`, `y` its middle in fractions of a 1280x720 frame."""
    left, top, height = x * 1280 - width / 2, y * 720 - width / 8, width / 4
    corners = ((left, top), (left + width, top), (left + width, top + height), (left, top + height))
    made = PlateSight(
        at_s, (1280, 720), corners, "one_line", height, 0.0, 0.4, 1.0, 0.6, 180.0, 0.0, "12C12345", "vn_vehicle", 0.99
    )
    return replace(made, **more)  # type: ignore[arg-type]


# ---------------------------------------------------------------- region and line


@settings(deadline=None)
@given(POINT, st.tuples(POINT, POINT))
def test_what_is_past_a_line_is_on_its_right(point: tuple[float, float], line: tuple[tuple[float, float], ...]) -> None:
    a, b = line
    if abs(a[0] - b[0]) + abs(a[1] - b[1]) < 0.01:
        return
    cut = past(WHOLE, (a, b))
    side = beyond(point, (a, b))
    if abs(side) > 1e-6 and all(1e-6 < part < 1 - 1e-6 for part in point):
        assert (bool(cut) and inside(point, cut)) == (side > 0)
    assert area(cut) + area(past(WHOLE, (b, a))) == pytest.approx(1.0) if cut else True


def test_a_line_from_left_to_right_reads_below_it_and_never_closes_the_eye() -> None:
    assert reading_region(None, ((0.0, 0.4), (1.0, 0.4))) == ((1.0, 0.4), (1.0, 1.0), (0.0, 1.0), (0.0, 0.4))
    region = ((0.1, 0.1), (0.9, 0.1), (0.9, 0.3))
    assert reading_region(region, ((0.0, 0.4), (1.0, 0.4))) == region
    assert reading_region(None, None) is None


@settings(deadline=None)
@given(st.lists(POINT, min_size=1, max_size=8), st.tuples(st.floats(0, 0.3), st.floats(0, 0.3)))
def test_a_rectangle_around_points_holds_them_and_stays_in_the_picture(
    points: list[tuple[float, float]], margin: tuple[float, float]
) -> None:
    (left, top), _, (right, bottom), _ = around(points, margin)
    assert 0 <= left < right <= 1
    assert 0 <= top < bottom <= 1
    for x, y in points:
        assert left - 0.001 <= x <= right + 0.001
        assert top - 0.001 <= y <= bottom + 0.001


# ---------------------------------------------------------------- judging


@pytest.mark.parametrize(
    ("spoilt", "code"),
    [
        ({"height_px": 11.0}, "small"),
        ({"blur_px": 3.0}, "blurred"),
        ({"blur_px": 3.0, "smear": 2.5}, "smeared"),
        ({"light": 12.0}, "dark"),
        ({"glare": 0.7}, "glare"),
        ({"tilt_deg": 25.0}, "tilted_right"),
        ({"tilt_deg": -25.0}, "tilted_left"),
        ({"contrast": 0.08}, "flat"),
    ],
)
def test_each_fault_is_named_first_and_alone(spoilt: dict[str, float], code: str) -> None:
    sights = [sight(x=0.4 + i / 50, **spoilt) for i in range(6)]
    assert [finding.code for finding in findings(sights, None)] == [code]
    assert findings([sight(x=0.4 + i / 50) for i in range(6)], None) == []


@settings(deadline=None)
@given(st.floats(1.0, 60.0), st.floats(1.0, 60.0))
def test_a_larger_plate_is_never_the_smaller_problem_the_wrong_way_round(a: float, b: float) -> None:
    low, high = sorted((a, b))
    assert shortfalls(replace(sight(), height_px=low))["small"] >= shortfalls(replace(sight(), height_px=high))["small"]


def test_a_vehicle_that_is_still_far_away_is_no_fault() -> None:
    far = [sight(width=40, height_px=10.0, text="", kind="other", confidence=0.0) for _ in range(20)]
    close = [sight(width=160) for _ in range(4)]
    assert near(far + close) == close
    assert findings(far + close, None) == []
    assert [one.code for one in findings(far, None)] == ["small"]


def test_each_edge_of_a_region_that_good_plates_lie_beyond_is_named_with_where_it_should_be() -> None:
    region = ((0.4, 0.2), (0.6, 0.2), (0.6, 0.8), (0.4, 0.8))
    sights = [sight(x=x, y=0.5) for x in (0.2, 0.25, 0.5, 0.5)]
    (found,) = findings(sights, region)
    assert (found.code, found.numbers) == ("region_left", {"now": 40, "to": 20})
    assert {one.code for one in findings([sight(y=0.9), sight(y=0.1)], region)} == {"region_top", "region_bottom"}
    assert rate(sights, region) == (2, 2)
    assert rate(sights) == (4, 4)


def test_nothing_seen_and_a_bad_stream_are_findings_too() -> None:
    assert [one.code for one in findings([], None)] == ["unseen"]
    codes = [one.code for one in findings([sight()], None, Pace(2.0, 900.0, 700.0))]
    assert codes == ["jitter", "slow", "delay"]


def test_pace_from_times() -> None:
    even = [i * 0.08 for i in range(100)]
    assert pace_of(even) == Pace(12.5, 0.0)
    uneven = pace_of([t + (0.3 if i % 10 == 0 else 0.0) for i, t in enumerate(even)], even)
    assert uneven is not None
    assert uneven.jitter_ms > 200
    assert pace_of([0.0, 1.0]) is None


def test_where_nothing_falls_short_and_nothing_is_read_the_nearest_cause_is_named() -> None:
    soft = [replace(sight(), blur_px=1.3, confidence=0.9, sure=0.97) for _ in range(4)]
    assert 0.6 < shortfalls(soft[0])["blurred"] < 1
    (found,) = findings(soft, None)
    assert (found.code, found.numbers) == ("blurred", {"now": 1.3, "need": 1.2})
    assert findings([replace(one, confidence=0.99) for one in soft], None) == [], "it is read: nothing to turn"
    fine = [replace(one, confidence=0.0) for one in [sight()] * 4]
    assert findings(fine, None) == [], "nothing is anywhere near its limit"


def test_why_a_plate_was_not_read() -> None:
    lost = replace(sight(), text="", kind="other", confidence=0.0)
    assert cause(sight()) is None
    assert cause(replace(sight(), confidence=0.9)) is None
    assert cause(replace(sight(), confidence=0.9, sure=0.97)) == "unsure", "this reader's vote would not count it"
    assert cause(lost) == "unsure"
    assert cause(replace(lost, text="ABC")) == "grammar"
    assert cause(replace(lost, light=10.0, height_px=18.0)) == "dark"
    assert heat([sight(), lost])[4][8] == (1, 1)


# ---------------------------------------------------------------- proposing


def test_the_worst_findings_cure_is_tried_first() -> None:
    dark = [replace(sight(), light=8.0) for _ in range(5)]
    first = changes(dark, findings(dark, None))[0](Aim())
    assert first.region is None
    assert first.picture.gamma < 0.4
    left = [replace(sight(), tilt_deg=-20.0) for _ in range(5)]
    assert changes(left, findings(left, None))[0](Aim()).picture == Picture(turn_deg=20.0)
    small = [sight(width=40) for _ in range(5)]
    region = changes(small, findings(small, None))[0](Aim()).region
    assert region == region_around(small)
    assert region is not None
    assert area(region) < 0.1


def test_direction_and_the_line_from_which_on_plates_are_read() -> None:
    coming = [
        sight(y=0.3 + i / 20, width=60 + 10 * i, at_s=float(i), confidence=0.3 if i < 4 else 0.9) for i in range(10)
    ]
    way = travel([coming])
    assert way is not None
    assert way.direction == "towards"
    line = trigger_line(coming, way, None)
    assert line is not None
    assert [beyond(one.middle, line) > 0 for one in coming] == [one.read for one in coming]
    going = travel([[replace(one, at_s=10.0 - one.at_s) for one in reversed(coming)]])
    assert going is not None
    assert going.direction == "away"
    assert trigger_line(coming[4:], way, None) is None
    assert travel([[sight(), sight(at_s=2.0)]]) is None


# ---------------------------------------------------------------- measuring


def drawn(blur: float = 0.0, light: float = 1.0, turn_deg: float = 0.0) -> Image:
    image = np.full((120, 260, 3), 235, np.uint8)
    cv2.putText(image, "12C-345", (20, 82), cv2.FONT_HERSHEY_SIMPLEX, 1.9, (15, 15, 15), 6, cv2.LINE_AA)
    if blur:
        image = np.asarray(cv2.GaussianBlur(image, (0, 0), blur), np.uint8)
    if turn_deg:
        image = corrected(image, Picture(turn_deg=turn_deg))[0]
    return (image * np.float32(light)).astype(np.uint8)


def test_blur_is_measured_in_pixels_whatever_the_light() -> None:
    widths = [looks(drawn(blur), drawn(blur)).blur_px for blur in (0.0, 1.5, 2.5, 3.5)]
    assert widths == sorted(widths)
    assert widths[0] < 1.0
    for blur, width in zip((1.5, 2.5, 3.5), widths[1:], strict=True):
        assert width == pytest.approx(blur, rel=0.35)
    dim = looks(drawn(2.5, 0.2), drawn(2.5, 0.2)).blur_px
    assert dim == pytest.approx(widths[2], rel=0.25)


def test_movement_smears_one_direction() -> None:
    kernel = np.full((1, 13), 1 / 13, np.float32)
    moved = np.asarray(cv2.filter2D(drawn(0.8), -1, kernel), np.uint8)
    assert looks(moved, moved).smear > 1.6 > looks(drawn(2.0), drawn(2.0)).smear


@settings(deadline=None)
@given(st.floats(0.05, 1.0))
def test_light_and_contrast_follow_the_exposure(light: float) -> None:
    bright, seen = looks(drawn(), drawn()), looks(drawn(light=light), drawn(light=light))
    assert seen.light == pytest.approx(bright.light * light, abs=1.5)
    assert seen.contrast == pytest.approx(bright.contrast, abs=0.15)


def test_burnt_out_pixels_are_glare() -> None:
    burnt = np.full((60, 60, 3), 255, np.uint8)
    assert looks(burnt, burnt).glare == 1.0
    assert looks(drawn(), drawn()).glare == 0.0


@settings(deadline=None)
@given(st.floats(-40, 40), st.floats(10, 60), st.floats(2.0, 6.0))
def test_height_and_tilt_from_corners(angle: float, height: float, shape: float) -> None:
    turn = np.deg2rad(angle)
    along, down = np.array([np.cos(turn), np.sin(turn)]), np.array([-np.sin(turn), np.cos(turn)])
    width = height * shape
    corners = [tuple(np.array([300.0, 200.0]) + a * along + b * down) for a, b in
               ((0, 0), (width, 0), (width, height), (0, height))]  # fmt: skip
    measured, tilt = size_and_tilt(corners)
    assert measured == pytest.approx(height, rel=1e-6)
    assert tilt == pytest.approx(angle, abs=1e-6)


@settings(deadline=None)
@given(st.floats(-35, 35), st.floats(1.0, 2.0))
def test_a_corrected_picture_leads_back_to_the_same_point(turn_deg: float, enlarge: float) -> None:
    image = np.zeros((90, 160, 3), np.uint8)
    pixels, there = corrected(image, Picture(turn_deg=turn_deg, enlarge=enlarge))
    corners = np.array([[0, 0, 1], [160, 0, 1], [160, 90, 1], [0, 90, 1]], float) @ there.T
    assert corners[:, :2].min() > -1.0
    assert corners[:, 0].max() < pixels.shape[1] + 1
    assert corners[:, 1].max() < pixels.shape[0] + 1
    back = corners @ np.linalg.inv(there).T
    assert back[2, :2] == pytest.approx([160, 90], abs=1e-6)
