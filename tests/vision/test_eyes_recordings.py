"""Recordings as they are handed over: turned, without timestamps, on another clock, in other boxes, cut short."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from edge.errors import ClipCutError
from edge.technician import replay
from edge.vision.capture import clip_frames
from edge.vision.pictures import turned
from tests.vision.world import SAMPLES

pytestmark = pytest.mark.vision
CLIP = SAMPLES / "yard-in-cn-yellow.mp4"
COUNT = 20


def boxed(path: Path, offset_s: float = 0.0, container: str | None = None) -> Path:
    """The first pictures of a sample clip in another box, untouched, their clock moved on."""
    with av.open(str(CLIP)) as source, av.open(str(path), "w", format=container) as out:
        video = source.streams.video[0]
        stream = out.add_stream_from_template(video)
        for number, packet in enumerate(source.demux(video)):
            if packet.dts is None or number >= COUNT:
                break
            move = round(offset_s / (packet.time_base or Fraction(1)))
            packet.pts, packet.dts = (packet.pts or 0) + move, packet.dts + move
            packet.stream = stream
            out.mux(packet)
    return path


def halved(path: Path) -> Path:
    """A sample clip that tells its length first, and of which only the first half was copied."""
    with av.open(str(CLIP)) as source, av.open(str(path), "w", options={"movflags": "faststart"}) as out:
        stream = out.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(source.streams.video[0]):
            if packet.dts is not None:
                packet.stream = stream
                out.mux(packet)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    return path


@pytest.mark.parametrize(("name", "container"), [("a.ts", "mpegts"), ("a.m4v", "mp4"), ("a.mkv", None)])
def test_a_recorder_s_clock_that_begins_anywhere_is_counted_from_the_first_picture(
    tmp_path: Path, name: str, container: str | None
) -> None:
    frames = list(clip_frames(boxed(tmp_path / name, 3600.0, container)))
    assert frames[0].captured_mono_ns == 0
    times = [frame.captured_mono_ns for frame in frames]
    assert times == sorted(set(times))
    assert times[-1] < 3e9


def test_a_bare_stream_without_timestamps_runs_at_its_rate(tmp_path: Path) -> None:
    frames = list(clip_frames(boxed(tmp_path / "a.h264", container="h264")))
    times = np.array([frame.captured_mono_ns for frame in frames])
    assert len(set(np.diff(times).round(-6))) == 1, "even steps"
    assert times[-1] > 0


def test_of_a_file_cut_short_all_that_decodes_is_given_and_then_the_cut_is_said(tmp_path: Path) -> None:
    short = halved(tmp_path / "short.mp4")
    frames = clip_frames(short)
    for _ in range(COUNT):
        next(frames)
    with pytest.raises(ClipCutError, match=r"short\.mp4: cut short"):
        list(frames)


def test_a_replay_judges_what_decodes_and_says_that_the_file_was_cut(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert replay.run([str(halved(tmp_path / "short.mp4"))]) == 2
    told = capsys.readouterr()
    assert "cut short" in told.err
    assert json.loads(told.out.splitlines()[0])["plate"] == "桂FA6382"


def test_a_turned_recording_is_shown_upright() -> None:
    frame = next(iter(clip_frames(CLIP)))
    assert turned(frame, 0) is frame
    for degrees, quarters in ((90, 1), (-90, 3), (180, 2)):
        assert np.array_equal(turned(frame, degrees).image, np.rot90(frame.image, quarters))
