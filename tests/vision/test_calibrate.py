"""`barie calibrate` is right: on a clip with a known fault it names that fault first, and what it proposes reads more
of a second clip of the same camera. Its config patch is put into the file with comments kept, and undone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edge.agent import config_file
from edge.config import CameraConfig, load_config
from edge.core.camera.view_settings import Aim
from edge.errors import BarieError, ConfigError
from edge.ports import Detector, Reader
from edge.technician import calibrate
from edge.technician.calibrate_words import changed_keys, lines
from edge.vision import models
from edge.vision.capture import clip_frames
from edge.vision.survey import Aimed
from tests.vision import fault_clips

EXAMPLE = Path(__file__).parents[2] / "config" / "gate.example.toml"
CAMERA = "b1-out-front"
SURE = models.vote_rules("own").sure
LOOKED_AT = 4
"""Frames of a spoilt clip, one in six of its two seconds."""


@pytest.fixture(scope="module")
def eye() -> tuple[Detector, Reader]:
    return models.build("own", threads=2)


def camera(**keys: object) -> CameraConfig:
    return CameraConfig.model_validate({"id": "front", "url": "rtsp://192.0.2.1/s", **keys}, strict=False)


def frames_read(clip: Path, aim: Aim, eye: tuple[Detector, Reader]) -> int:
    looker = Aimed(*eye, aim, SURE)
    frames = [frame for frame in clip_frames(clip) if frame.number % 6 == 0]
    return sum(any(sight.read for sight in looker.look(frame)) for frame in frames)


@pytest.mark.vision
@pytest.mark.slow
@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("too_small", "small"),
        ("blurred", "blurred"),
        ("dark", "dark"),
        ("tilted", "tilted_left"),
        ("good", "region_right"),
    ],
)
def test_the_fault_is_named_first_and_the_patch_reads_more_of_a_second_clip(
    fault: str, code: str, eye: tuple[Detector, Reader], tmp_path: Path
) -> None:
    """Worse and worse, until the reader fails; the worst that can still be helped shows the gain."""
    wrong = {"region": [[0.0, 0.0], [0.4, 0.0], [0.4, 1.0], [0.0, 1.0]]} if code == "region_right" else {}
    other = {"small": "b1-out-undeclared", "blurred": "b1-out-tractor-front"}.get(code, "b1-out-vn-two-line")
    told = []
    for spoil in fault_clips.WORSE[fault]:
        first = fault_clips.spoilt("yard-in-cn-yellow", tmp_path / "first.mp4", spoil)
        if frames_read(first, camera(**wrong).aim, eye) == LOOKED_AT:
            continue  # not bad enough for this reader
        result = calibrate.calibrate(str(first), camera(**wrong), *eye, sure=SURE)
        assert result.findings[0].code == code, lines(result)
        second = fault_clips.spoilt(other, tmp_path / "second.mp4", spoil)
        before, after = (frames_read(second, aim, eye) for aim in (result.aim, result.proposal.aim))
        told.append((result.proposal.gains, before, after, result.keys))
        if result.proposal.gains > 0 and after > before:
            return
    raise AssertionError(told)


# ---------------------------------------------------------------- the configuration's file


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "gate.toml"
    path.write_text(EXAMPLE.read_text(encoding="utf-8"), encoding="utf-8")
    return path


KEYS = {"region": [[0.1, 0.2], [0.9, 0.2], [0.9, 1.0]], "line": [[0.1, 0.4], [0.9, 0.4]], "picture": {"gamma": 0.5}}


def test_keys_of_one_camera_are_written_with_every_comment_kept_and_undone(config: Path) -> None:
    before = config.read_text(encoding="utf-8")
    changed = config_file.with_camera(before, "gate.toml", CAMERA, KEYS)
    kept = config_file.save(config, changed)
    after = config.read_text(encoding="utf-8")
    assert [line for line in before.splitlines() if line not in after.splitlines()] == []
    assert kept.read_text(encoding="utf-8") == before
    aim = load_config(config).lane[0].camera[0].aim
    assert aim.region == ((0.1, 0.2), (0.9, 0.2), (0.9, 1.0))
    assert aim.line == ((0.1, 0.4), (0.9, 0.4))
    assert aim.picture.gamma == 0.5
    config_file.undo(config)
    assert config.read_text(encoding="utf-8") == before
    assert config_file.olds(config) == []
    with pytest.raises(BarieError, match="no older version"):
        config_file.undo(config)


def test_a_key_that_goes_away_takes_its_default_again(config: Path) -> None:
    text = config_file.with_camera(config.read_text(encoding="utf-8"), "gate.toml", CAMERA, KEYS)
    again = config_file.with_camera(text, "gate.toml", CAMERA, dict.fromkeys(KEYS))
    config_file.save(config, again)
    assert load_config(config).lane[0].camera[0].aim == Aim()


def test_nothing_bad_is_ever_written(config: Path) -> None:
    before = config.read_text(encoding="utf-8")
    with pytest.raises(ConfigError, match="fractions"):
        config_file.with_camera(before, "gate.toml", CAMERA, {"region": [[0, 0], [2, 0], [1, 1]]})
    with pytest.raises(ConfigError, match="no camera with id"):
        config_file.with_camera(before, "gate.toml", "nobody", KEYS)
    with pytest.raises(ConfigError):
        config_file.save(config, "[site]")
    config.chmod(0o444)
    config.parent.chmod(0o555)
    try:
        if not _root():
            with pytest.raises(BarieError, match="nothing was changed"):
                config_file.save(config, before)
    finally:
        config.parent.chmod(0o755)
    assert config.read_text(encoding="utf-8") == before


def _root() -> bool:
    import os

    return os.geteuid() == 0


def test_only_the_newest_old_versions_are_kept(config: Path) -> None:
    text = config.read_text(encoding="utf-8")
    for _ in range(config_file.KEPT + 3):
        config_file.save(config, text)
    assert [path.name[-4:] for path in config_file.olds(config)] == [f"{i:04}" for i in range(4, config_file.KEPT + 4)]


def test_what_changed_between_two_aims_is_what_is_written() -> None:
    one = camera(**KEYS).aim
    assert json.loads(json.dumps(changed_keys(Aim(), one))) == KEYS
    assert changed_keys(one, one) == {}
    assert changed_keys(one, Aim()) == {"region": None, "line": None, "picture": None}
