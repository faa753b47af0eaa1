"""The sample clips are what their README promises: format, length, size, and an expectation that the law and the plate
table can live with; some are read here, all of them by `barie replay sample_videos`."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import av
import pytest

from edge.technician import expected
from edge.technician.replay import Eye, replay
from edge.vision import models
from edge.vision.capture import clip_frames
from edge.vision.pipeline import Pipeline, Seen, rules_for
from tests.vision.world import SAMPLES

CLIPS = sorted(SAMPLES.glob("*.mp4"))
VERDICTS = {"ready", "release", "unknown", "await", "refuse"}
DIRECTIONS = {"b1": {"out_of_area", "into_area"}, "b2": {"out_of_area", "into_area"}, "yard_in": {"in"}}


def told(clip: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(clip.with_suffix(".expected.json").read_text(encoding="utf-8"))
    return loaded


@pytest.mark.parametrize("clip", CLIPS, ids=lambda clip: clip.stem)
def test_a_clip_is_small_h264_and_says_what_must_be_found(clip: Path) -> None:
    assert clip.stat().st_size < 3_000_000
    with av.open(str(clip)) as container:
        stream = container.streams.video[0]
        assert stream.codec_context.name == "h264"
        assert (stream.width, stream.height) == (1280, 720)
        assert stream.duration is not None
        assert stream.time_base is not None
        length_s = float(stream.duration * stream.time_base)
    assert 8 <= length_s <= 30
    about = told(clip)
    assert about["clip"] == clip.name
    assert about["direction"] in DIRECTIONS[about["lane_place"]]
    for passage in about["passages"]:
        assert models.plate_table().fits(passage["plate"]), passage["plate"]
        assert passage["verdict"] in VERDICTS
        assert 0 <= passage["appears_s"] <= passage["stands_s"][1] <= passage["gone_s"] <= length_s + 0.1


def test_only_what_was_declared_is_known() -> None:
    with (SAMPLES / "declared.toml").open("rb") as file:
        declared = set(tomllib.load(file))
    known = {clip.stem for clip in CLIPS if any(one["verdict"] != "unknown" for one in told(clip)["passages"])}
    assert known == declared


def test_the_readme_names_every_clip() -> None:
    words = (SAMPLES / "README.md").read_text(encoding="utf-8")
    assert [clip.name for clip in CLIPS if f"`{clip.name}`" not in words] == []


SHORT = ("b1-out-tractor-rear", "b1-in-new-energy", "b1-out-two-plates", "b1-out-night")
"""Two lines, eight characters, two plates at once, the dark."""


@pytest.fixture(scope="module")
def eye() -> Eye:
    table = models.plate_table()
    return Eye(*models.build("own", table, 2), table, vote=models.vote_rules("own"))


@pytest.mark.vision
@pytest.mark.slow
@pytest.mark.parametrize("name", SHORT)
def test_the_projects_own_models_read_what_is_expected(eye: Eye, name: str) -> None:
    clip = SAMPLES / f"{name}.mp4"
    wanted = expected.load(clip)
    assert wanted
    assert expected.differences(wanted, replay(clip, eye)) == []


@pytest.mark.vision
def test_a_truck_that_stands_cut_and_then_whole_is_undecided_and_then_right() -> None:
    """While its last digit is outside the picture the plate reads as a lawful one of four digits, surely."""
    clip = SAMPLES / "b1-out-cut-then-whole.mp4"
    (wanted,) = expected.load(clip) or [{}]
    table = models.plate_table()
    pipeline = Pipeline("front", *models.build("own", table, 2), table, rules=rules_for(None, models.vote_rules("own")))
    told = [item.reading for frame in clip_frames(clip) for item in pipeline.step(frame) if isinstance(item, Seen)]
    cut = [one for one in told if one.captured_mono_ns / 1e9 < wanted["appears_s"]]
    assert wanted["plate"][:-1] in {one.read.plate.text for one in cut}
    assert [one for one in cut if one.decided or one.read.whole] == []
    decided = [one for one in told if one.decided]
    assert {one.read.plate.text for one in decided} == {wanted["plate"]}
    assert all(one.read.whole for one in decided)
