"""`barie replay` and `barie read`: the real pipeline on recorded pictures, the same answer each time."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image as Pillow

from edge.core.camera.view_settings import Aim, Picture
from edge.core.plate.vote import VoteRules
from edge.demo.camera import cut
from edge.errors import BarieError, CameraError
from edge.store import keys
from edge.technician import expected, read, replay, report, signed
from edge.technician.trace import Trace, why_decided
from edge.vision import models
from edge.vision.capture import clip_frames
from tests.vision import fault_clips
from tests.vision.world import SAMPLES

pytestmark = [pytest.mark.vision, pytest.mark.slow]
CLIP = SAMPLES / "yard-in-cn-yellow.mp4"


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_a_sample_clip_reads_as_expected(capsys: pytest.CaptureFixture[str]) -> None:
    assert replay.run([str(SAMPLES / "b1-out-vn-two-line.mp4")]) == 0
    out = capsys.readouterr()
    assert out.err == ""
    (passage,) = lines(out.out)
    assert (passage["plate"], passage["decided"], passage["layout"]) == ("12C12345", True, "two_line")
    assert passage["decided_s"] < 6.7 < passage["gone_s"]


def test_the_same_clip_gives_the_same_bytes_and_a_difference_is_status_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    short = tmp_path / "short.mp4"
    cut(CLIP, short, 2.88, 4.8)
    assert replay.run([str(tmp_path)]) == 0
    first = capsys.readouterr().out
    wanted = json.loads(CLIP.with_suffix(".expected.json").read_text(encoding="utf-8"))["passages"]
    wanted[0] |= {"plate": "桂FA6383", "appears_s": 0.0, "stands_s": [0.9, 1.92]}
    short.with_suffix(".expected.json").write_text(json.dumps({"passages": wanted}), encoding="utf-8")
    assert replay.run([str(short)]) == 1
    again = capsys.readouterr()
    assert again.out == first
    assert "桂FA6383" in again.err
    assert lines(first)[0]["plate"] == "桂FA6382"


def test_expected_times_count() -> None:
    wanted = [{"plate": "A", "country": "VN", "layout": "one_line", "appears_s": 2.0, "stands_s": [3.0, 6.0]}]
    got = {"plate": "A", "country": "VN", "layout": "one_line", "decided": True}
    assert replay.differences(wanted, [got | {"decided_s": 4.0}]) == []
    assert "decided at 7.0" in replay.differences(wanted, [got | {"decided_s": 7.0}])[0]
    assert replay.differences(wanted, [got | {"decided": False, "decided_s": None}]) != []


def test_clips_that_are_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(CameraError, match=r"nowhere\.mp4: no such clip"):
        replay.run([str(tmp_path / "nowhere.mp4")])
    with pytest.raises(CameraError, match="no clip in this folder"):
        replay.run([str(tmp_path)])
    (tmp_path / "torn.mp4").write_bytes(CLIP.read_bytes()[:5000])
    assert replay.run([str(tmp_path / "torn.mp4")]) == 2
    assert "torn.mp4" in capsys.readouterr().err


# ---------------------------------------------------------------- read


@pytest.fixture(scope="module")
def still() -> np.ndarray[Any, np.dtype[np.uint8]]:
    return next(frame.image for frame in clip_frames(CLIP) if frame.number == 60)


def write_kinds(folder: Path, still: np.ndarray[Any, np.dtype[np.uint8]]) -> list[Path]:
    """The same picture in every way that a phone or a camera may hand it over."""
    rgb = Pillow.fromarray(np.ascontiguousarray(still[..., ::-1]))
    turned = rgb.transpose(Pillow.Transpose.ROTATE_90)
    exif = Pillow.Exif()
    exif[0x0112] = 6  # turn right to see it upright
    turned.save(folder / "turned.jpg", quality=95, exif=exif)
    rgb.convert("L").save(folder / "grey.png")
    rgb.convert("RGBA").save(folder / "alpha.png")
    large = cv2.resize(still, (5504, 3096), interpolation=cv2.INTER_CUBIC)
    cv2.imwrite(str(folder / "large.jpg"), large)
    return [folder / name for name in ("turned.jpg", "grey.png", "alpha.png", "large.jpg")]


def test_every_kind_of_picture_is_read(
    tmp_path: Path, still: np.ndarray[Any, np.dtype[np.uint8]], capsys: pytest.CaptureFixture[str]
) -> None:
    paths = write_kinds(tmp_path, still)
    assert read.run(paths) == 0
    found = lines(capsys.readouterr().out)
    assert [line["image"] for line in found] == [str(path) for path in paths]
    assert [[plate["text"] for plate in line["plates"]] for line in found] == [["桂FA6382"]] * 4
    plate = found[0]["plates"][0]
    assert set(plate) == {"text", "raw", "confidence", "country", "kind", "layout", "ground", "box", "whole", "corners"}
    assert 480 < plate["box"][0] < plate["box"][2] < 720  # in pixels of the upright picture
    assert found[3]["plates"][0]["box"][0] > 4 * 480


def test_bad_pictures_cost_their_own_line_only(
    tmp_path: Path, still: np.ndarray[Any, np.dtype[np.uint8]], capsys: pytest.CaptureFixture[str]
) -> None:
    good = tmp_path / "good.jpg"
    cv2.imwrite(str(good), still)
    bad = {
        "missing.jpg": None,
        "empty.jpg": b"",
        "text.jpg": b"not a picture",
        "torn.jpg": good.read_bytes()[:20_000],
    }
    for name, content in bad.items():
        if content is not None:
            (tmp_path / name).write_bytes(content)
    (tmp_path / "folder.jpg").mkdir()
    cv2.imwrite(str(tmp_path / "dot.png"), np.zeros((1, 1, 3), np.uint8))
    names = [*bad, "folder.jpg", "dot.png", "good.jpg"]
    assert read.run([tmp_path / name for name in names]) == 1
    found = lines(capsys.readouterr().out)
    assert [Path(line["image"]).name for line in found] == names
    errors = [line.get("error", "") for line in found]
    assert [bool(error) for error in errors] == [True] * 5 + [False] * 2
    for error, word in zip(errors, ["No such file", "empty", "not an image", "truncated", "directory"], strict=False):
        assert word in error
    assert found[-2]["plates"] == []
    assert found[-1]["plates"][0]["text"] == "桂FA6382"


# ---------------------------------------------------------------- report, comparison, record


@pytest.fixture(scope="module")
def eye() -> replay.Eye:
    table = models.plate_table()
    return replay.Eye(*models.build("own", table, threads=2), table)


@pytest.fixture(scope="module")
def short(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seconds of a standing truck."""
    path = tmp_path_factory.mktemp("short") / "short.mp4"
    cut(CLIP, path, 2.88, 4.8)
    return path


def expect(clip: Path, plate: str, appears_s: float = 0.0) -> None:
    passage = {"plate": plate, "country": "CN", "layout": "one_line", "appears_s": appears_s, "stands_s": [0.9, 1.9]}
    file = clip.with_suffix(".expected.json")
    file.write_text(json.dumps({"passages": [passage | {"gone_s": 2.0}]}), encoding="utf-8")


def traced(clip: Path, eye: replay.Eye) -> tuple[report.ClipReport, Trace]:
    trace = Trace()
    passages = replay.replay(clip, eye, trace)
    one = report.ClipReport(clip.name, passages, expected.load(clip), trace, eye.aim)
    one.explain(lambda: clip_frames(clip), eye.detector, eye.reader)
    return one, trace


def test_two_processes_give_the_same_bytes(short: Path) -> None:
    """Also of a clip that has other files beside it, and with another seed for hashing."""
    runs = [
        subprocess.run(
            [sys.executable, "-m", "edge", "replay", str(short)],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert runs[0] == runs[1]
    assert "桂FA6382" in runs[0].decode()


def test_the_report_is_one_file_that_shows_votes_pictures_and_why_it_decided(short: Path, eye: replay.Eye) -> None:
    expect(short, "桂FA6382")
    one, trace = traced(short, eye)
    (votes,) = trace.votes.values()
    first = next(vote for vote in votes if vote.decided)
    assert one.passages[0]["decided_s"] == first.at_s
    assert f"at {first.at_s:.2f} s: 3 equal readings" in why_decided(votes, VoteRules())
    page = report.page([one])
    assert page.count("<tr") > len(votes)
    assert page.count("data:image/jpeg;base64,") == 2
    assert not re.search(r"""(?:src|href)=(?!["']?data:)""", page)
    assert "<script" not in page
    assert report.table_lines([one])[1].split()[:2] == ["ok", "short.mp4"]


@pytest.mark.parametrize(
    ("aim", "cause"),
    [
        (Aim(region=((0.0, 0.0), (0.2, 0.0), (0.2, 0.4), (0.0, 0.4))), "outside"),
        (Aim(picture=Picture(gamma=3.0)), None),
    ],
)
def test_a_miss_has_its_cause(short: Path, eye: replay.Eye, aim: Aim, cause: str | None) -> None:
    expect(short, "桂FA6382")
    one, _ = traced(short, replace(eye, aim=aim))
    assert one.causes == ({} if cause is None else {"桂FA6382": cause})
    if cause is not None:
        assert "ngoài vùng đọc" in report.page([one])


def test_a_dark_clip_is_missed_for_want_of_light(tmp_path: Path, eye: replay.Eye) -> None:
    clip = fault_clips.spoilt("yard-in-cn-yellow", tmp_path / "dark.mp4", fault_clips.dark)
    expect(clip, "桂FA6382")
    one, _ = traced(clip, eye)
    assert one.rows[0].mark == "missed"
    assert one.causes == {"桂FA6382": "dark"}


def test_two_runs_are_compared_side_by_side(short: Path, eye: replay.Eye) -> None:
    expect(short, "桂FA6382")
    one, _ = traced(short, eye)
    before = [{**passage, "decided": False, "decided_s": None, "votes": 1} for passage in one.passages]
    (line,) = report.compared(before, [one])
    assert line.startswith("short.mp4: 桂FA6382: undecided, 1 vote(s) -> decided at")
    assert report.compared(one.passages, [one]) == []
    assert "Before and after" in report.page([one], before)


def test_a_signed_record_shows_any_change(tmp_path: Path) -> None:
    text = signed.sign("<html>record</html>\n", tmp_path)
    assert signed.check(text, tmp_path).startswith("20")
    with pytest.raises(BarieError, match="changed after"):
        signed.check(text.replace("record", "rekord"), tmp_path)
    with pytest.raises(BarieError, match="not this gate's"):
        signed.check(text.replace(" at=20", " at=19"), tmp_path)
    with pytest.raises(BarieError, match="no signature"):
        signed.check("<html>record</html>\n", tmp_path)
    keys.open_key(tmp_path / "other" / "keys")
    with pytest.raises(BarieError, match="not this gate's"):
        signed.check(text, tmp_path / "other")
