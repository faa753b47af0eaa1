"""Health of the eyes over time: a dirty lens is seen as a trend, bad luck is not."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.core.eyesight import Sample, by_light, light_of, samples, share, table, trends

DAY, NIGHT = 10, 22


def weeks(
    rate: Callable[[int, int], float], days: int = 20, each: int = 12, wait: Callable[[int], float] = lambda _: 0.8
) -> list[Sample]:
    """Passages of `days` days, `each` by day and by night; `rate(day, hour)` of them are read."""
    made = []
    for day in range(days):
        for hour in (DAY, NIGHT):
            for i in range(each):
                read = i < rate(day, hour) * each
                made.append(Sample("front", f"2026-11-{day + 1:02}", hour, read, waited_s=wait(day) if read else None))
    return made


def test_a_lens_that_gets_dirty_is_seen_in_every_light() -> None:
    (trend,) = trends(weeks(lambda day, _: 0.95 if day < 17 else 0.7))
    assert (trend.camera, trend.reason, trend.lights) == ("front", "lens", ("day", "night"))
    assert trend.was > 0.9 > 0.8 > trend.now


def test_a_slow_decay_is_seen_before_half_is_lost() -> None:
    told = [day for day in range(4, 40) if trends(weeks(lambda d, _: max(0.0, 1.0 - 0.02 * d), days=day))]
    assert told
    assert 1.0 - 0.02 * told[0] > 0.6


@pytest.mark.parametrize(("bad", "reason"), [(NIGHT, "lamp"), (DAY, "sun")])
def test_a_fall_in_one_light_only_is_the_lamp_or_the_sun(bad: int, reason: str) -> None:
    (trend,) = trends(weeks(lambda day, hour: 0.6 if day >= 17 and hour == bad else 0.95))
    assert trend.reason == reason


def test_nights_that_were_always_bad_are_no_trend() -> None:
    assert trends(weeks(lambda _, hour: 0.6 if hour == NIGHT else 0.95)) == []


def test_one_day_of_fog_is_no_trend() -> None:
    assert trends(weeks(lambda day, _: 0.2 if day == 18 else 0.95)) == []


def test_too_few_passages_say_nothing() -> None:
    assert trends(weeks(lambda day, _: 0.95 if day < 17 else 0.3, each=2)) == []
    assert trends([]) == []


def test_as_many_are_read_but_it_takes_longer() -> None:
    (trend,) = trends(weeks(lambda *_: 0.95, wait=lambda day: 0.8 if day < 17 else 2.4))
    assert (trend.reason, trend.was, trend.now) == ("slow", 0.8, 2.4)


@settings(deadline=None, max_examples=30)
@given(st.floats(0.3, 1.0))
def test_a_camera_that_does_not_change_is_never_told_of(rate: float) -> None:
    assert trends(weeks(lambda *_: rate)) == []


def test_the_hours_of_the_day_have_their_light() -> None:
    assert [light_of(hour) for hour in (3, 6, 12, 18, 23)] == ["night", "dusk", "day", "dusk", "night"]


# ---------------------------------------------------------------- from the record


def event(
    passage: str, at: str = "2026-11-20T09:10:00.000+07:00", lane: str = "b1-out", **body: object
) -> dict[str, object]:
    return {"kind": "passage", "lane": lane, "captured_at": at, "recorded_at": at,
            "body": {"stage": "seen", "passage": passage, "plates": [], **body}}  # fmt: skip


def test_passages_of_the_record_become_samples_each_once() -> None:
    read = {"text": "12C12345", "decided": True, "typed": False}
    typed = {"text": "12C12346", "decided": True, "typed": True}
    made = samples(
        [
            event("a", plates=[{**read, "decided": False}]),
            event("a", plates=[read], camera="rear", waited_s=0.9),
            event("b", plates=[]),
            event("c", plates=[typed, {**read, "decided": False}], at="2026-11-20T22:10:00.000+07:00"),
            event("d", lane="nobody"),
            {"kind": "alarm", "body": {}},
        ],
        {"b1-out": "front"},
    )
    assert [(one.camera, one.hour, one.read, one.rejected) for one in made] == [
        ("rear", 9, True, False),
        ("front", 9, False, False),
        ("front", 22, False, True),
    ]
    assert table(made)[("rear", 9)] == share([made[0]])
    assert by_light(made)[("front", "night")].rejected == 1
