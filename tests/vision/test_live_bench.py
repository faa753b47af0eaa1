"""A technician before a live camera: `barie replay` and `barie calibrate` on real RTSP, in short form."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from edge.agent import config_file
from edge.config import load_config
from edge.demo.camera import RtspServer, cut
from edge.errors import CameraError
from edge.technician import calibrate, film, replay
from edge.technician.free_port import free_port
from tests.vision.world import SAMPLES

pytestmark = [pytest.mark.vision, pytest.mark.slow]
EXAMPLE = Path(__file__).parents[2] / "config" / "gate.example.toml"
CAMERA, PLATE = "b1-out-front", "桂FA6382"
PATIENCE = (2.0, 10.0, 30.0)
"""How long a stream is watched; longer again where a busy machine saw too little of it."""
LEFT = [[0.0, 0.0], [0.4, 0.0], [0.4, 1.0], [0.0, 1.0]]


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A camera before which a vehicle comes, again and again; the server takes any password, which must not be told."""
    folder = tmp_path_factory.mktemp("rtsp")
    cut(SAMPLES / "yard-in-cn-yellow.mp4", folder / "front.mp4", 2.88, 4.8)
    server = RtspServer(folder, free_port())
    server.start()
    yield server.url("front").replace("rtsp://", "rtsp://guard:s3cret@")
    server.stop()


def test_a_live_stream_is_replayed_on_a_time_that_begins_with_it(
    url: str, tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    report = tmp_path / "live.html"
    for seconds in PATIENCE:
        assert replay.run([url], options=replay.Options(seconds=2 * seconds, report=report)) == 0
        out = capfd.readouterr()
        passages = [json.loads(line) for line in out.out.splitlines()]
        if PLATE in [one["plate"] for one in passages if one["decided"]]:
            break
    assert PLATE in [one["plate"] for one in passages if one["decided"]]
    assert {one["clip"] for one in passages} == {"live"}
    assert all(0 <= one["first_s"] <= 2 * seconds + 1 for one in passages)
    page = report.read_text(encoding="utf-8")
    assert PLATE in page
    assert "extra" not in page, "nothing was expected of it"
    assert "s3cret" not in out.out + out.err + caplog.text + page


def test_a_live_camera_is_measured_told_what_to_turn_and_set_right(
    url: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    config, report = tmp_path / "gate.toml", tmp_path / "calibrated.html"
    text = EXAMPLE.read_text(encoding="utf-8")
    before = config_file.with_camera(text, "gate.toml", CAMERA, {"url": url, "region": LEFT})
    for seconds in PATIENCE:
        config.write_text(before, encoding="utf-8")
        options = calibrate.Options(CAMERA, seconds, report, tmp_path / "patch.toml", apply=True, as_json=True)
        assert calibrate.run("live", config, options) == 1
        out = capfd.readouterr()
        told = json.loads(out.out)
        if told["findings"][0]["code"] == "region_right":
            break
    assert told["source"] == "live"
    assert told["findings"][0]["code"] == "region_right"
    assert 8 < told["pace"]["fps"] < 16
    assert told["pace"]["delay_ms"] is not None
    assert told["proposal"]["after"][0] > told["proposal"]["before"][0]
    region = load_config(config).lane[0].camera[0].aim.region
    assert region is not None
    assert max(x for x, _ in region) > 0.4
    assert before in [path.read_text(encoding="utf-8") for path in config_file.olds(config)]
    page = report.read_text(encoding="utf-8")
    assert page.count("data:image/jpeg") >= 3
    assert PLATE in page
    assert "region = " in (tmp_path / "patch.toml").read_text(encoding="utf-8")
    assert "s3cret" not in out.out + out.err + page


def test_a_camera_that_is_not_there_is_told_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(film, "FIRST_WITHIN_S", 1.0)
    address = f"rtsp://guard:s3cret@127.0.0.1:{free_port()}/none"
    assert replay.run([address]) == 2
    err = capfd.readouterr().err
    assert "live stream: no picture within 1 s" in err
    assert "s3cret" not in err
    camera = load_config(EXAMPLE).lane[0].camera[0].model_copy(update={"url": address})
    never_asked: Any = None
    with pytest.raises(CameraError, match="no picture within 1 s"):
        calibrate.calibrate("live", camera, never_asked, never_asked)
