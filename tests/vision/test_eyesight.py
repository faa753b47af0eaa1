"""Health of the eyes over time: a dirty lens is seen as a trend, bad luck is not."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.agent.cameras.eyesight import seen_trends, trend_view
from edge.clock import new_id
from edge.config import parse_config
from edge.core.alarm.sources import lane_conditions
from edge.core.camera.eyesight import Reason, Sample, by_light, light_of, samples, share, table, trends
from edge.core.camera.measured_plate import Cause
from edge.panel.messages import load_catalogue
from edge.store import Store
from edge.technician import eyesight
from tests.panel.views import HEALTHY

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


# ---------------------------------------------------------------- the gate's health


def test_the_gate_finds_it_in_its_own_record_and_raises_an_alarm_with_its_reason(tmp_path: Path) -> None:
    store = Store.open(tmp_path, site="test", lanes=["b1-out"])
    plate = {"text": "12C12345", "decided": True, "typed": False}
    with store.transaction("b1-out") as tx:
        for one in weeks(lambda day, _: 0.95 if day < 17 else 0.6, each=8):
            at = f"{one.day}T{one.hour:02}:10:00.000+07:00"
            body = {"stage": "seen", "passage": new_id(), "plates": [{**plate, "decided": one.read}], "camera": "front"}
            tx.event("passage", {**body, "waited_s": 0.8 if one.read else None}, captured_at=at)
    (trend,) = seen_trends(store, "b1-out", "front")
    store.close()
    told = trend_view(trend)
    assert told.code == "eyes_lens"
    (alarm,) = lane_conditions("b1-out", replace(HEALTHY, eyes=(told,)))
    assert (alarm.code, alarm.about) == ("eyes_lens", "front")


def test_every_reason_has_its_words() -> None:
    catalogue = load_catalogue()
    for reason in get_args(Reason):
        assert f"eyes.{reason}" in catalogue
        assert f"alarm.eyes_{reason}" in catalogue
        assert f"alarm_do.eyes_{reason}" in catalogue
    codes = (
        "unseen small blurred smeared dark glare tilted_left tilted_right flat slow jitter delay role region"
        " region_left region_right region_top region_bottom"
    )
    assert {code for code in codes.split() if f"calibrate.{code}" not in catalogue} == set()
    assert {cause for cause in get_args(Cause) if f"cause.{cause}" not in catalogue} == set()


def test_the_command_prints_the_table_and_says_no_where_a_camera_got_worse(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (Path(__file__).parents[2] / "config" / "gate.example.toml").read_text(encoding="utf-8")
    config = parse_config(text.replace("# data_dir", "data_dir").replace("/var/lib/barie", str(tmp_path)), "test")
    store = Store.open(tmp_path, site=config.site.id, lanes=["b1-out"])
    with store.transaction("b1-out") as tx:
        tx.event("passage", event("a")["body"], captured_at="2026-11-20T09:10:00.000+07:00")  # type: ignore[arg-type]
    store.close()
    assert eyesight.run(config) == 0
    assert "b1-out-front 09:00" in capsys.readouterr().out
    assert eyesight.run(config, as_json=True) == 0
    assert json.loads(capsys.readouterr().out)["shares"]["b1-out-front day"]["passages"] == 1
