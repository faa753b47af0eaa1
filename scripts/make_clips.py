#!/usr/bin/env python3
"""Makes the first sample clips: a truck drives up, stands at the stop line, and drives off. Every plate is invented.

    python -m scripts.make_clips --latin FONT --hanzi FONT [--out sample_videos]

1280x720 H.264, 12.5 frames a second, a key frame every 12 frames (closed groups), beside each its `.expected.json`, and
a contact sheet of all. The same fonts give the same pictures. The fonts are not needed to run anything.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

from scripts.clip_scene import (
    CAMERA,
    FAR_M,
    FINE,
    LENGTH_M,
    SIZE,
    STOP_M,
    Fonts,
    Image,
    PlateLook,
    TruckLook,
    boom,
    empty_lane,
    plate_picture,
    truck,
)

RATE = Fraction(25, 2)
GROUP = 12
# Frame numbers where phases begin; all on key frames.
APPROACH, STAND, DEPART, LEFT, END = 12, 48, 84, 132, 144
LOOP = (48, 72)
"""Two groups of pictures: a loop of a single one would show the very same picture again and again."""
READABLE_PX = 40
"""A plate narrower than this is not counted as having appeared."""

YELLOW, WHITE = (40, 188, 246), (238, 240, 240)


@dataclass(frozen=True)
class Clip:
    name: str
    place: str
    direction: str
    plate: str
    country: str
    layout: str
    look: TruckLook
    starts: str
    """The camera's clock on the picture at the first frame, HH:MM:SS."""
    turns_in: bool = False
    """It comes round a corner and stands with the end of its plate outside the picture, then rolls on."""


CLIPS = (
    Clip(
        "b1-out-vn-two-line", "b1", "out_of_area", "12C12345", "VN", "two_line",
        TruckLook(PlateLook(("12C", "123.45"), (330, 165), YELLOW), (176, 120, 52), (196, 200, 204)), "09:10:04",
    ),
    Clip(
        "yard-in-cn-yellow", "yard_in", "in", "桂FA6382", "CN", "one_line",
        TruckLook(PlateLook(("桂F·A6382",), (440, 140), YELLOW), (58, 56, 186), (92, 132, 84)), "10:42:31",
    ),
    Clip(
        "b1-out-undeclared", "b1", "out_of_area", "29H67893", "VN", "one_line",
        TruckLook(PlateLook(("29H-678.93",), (520, 110), WHITE), (205, 208, 210), (158, 112, 60)), "14:05:17",
    ),
    Clip(
        "b1-out-cut-then-whole", "b1", "out_of_area", "29H51862", "VN", "one_line",
        TruckLook(PlateLook(("29H-518.62",), (520, 110), WHITE), (120, 96, 60), (190, 192, 196)), "15:20:41", True,
    ),
)  # fmt: skip


def bumper_y(number: int) -> float | None:
    """Where the bumper stands at a frame, in metres from the camera; None while there is no truck."""
    if number < APPROACH or number >= LEFT:
        return None
    if number < STAND:
        left = 1 - (number - APPROACH) / (STAND - APPROACH)
        return STOP_M + (FAR_M - STOP_M) * left * left
    if number < DEPART:
        return STOP_M
    share = (number - DEPART) / (LEFT - DEPART)
    return STOP_M - (STOP_M + LENGTH_M + 1.5) * share * share


CUT_M, WHOLE_M = 2.29, 1.75
"""How far aside the truck stands with a sixth of its plate, the last digit, outside the picture, and with all in."""
CUT_UNTIL, ROLLED = 84, 92


def turning_in(number: int) -> tuple[float, float] | None:
    """(metres from the camera, metres aside) of the bumper of a truck that turns in; None while there is none. It is on
    the picture with its plate cut, stands so for three seconds, rolls on by the width of a hand and stands whole."""
    if number < APPROACH or number >= END:
        return None
    if number < STAND:
        left = (1 - (number - APPROACH) / (STAND - APPROACH)) ** 2
        return STOP_M + 12.0 * left, CUT_M + 6.5 * left
    share = np.clip((number - CUT_UNTIL) / (ROLLED - CUT_UNTIL), 0, 1)
    return STOP_M, CUT_M + (WHOLE_M - CUT_M) * float(share)


def raised(number: int) -> float:
    """How far up the boom is, 0..1: it rises before the truck moves off and comes down on the empty lane."""
    up = np.clip((number - LOOP[1]) / (DEPART - LOOP[1]), 0, 1)
    down = np.clip((number - LEFT) / (END - LEFT - 2), 0, 1)
    return float(up - down)


def pictures(clip: Clip, fonts: Fonts) -> Iterator[tuple[Image, float, bool]]:
    """Every frame, with the plate's width in pixels (0 without one) and whether all of it is on the picture."""
    lane, sheet = empty_lane(), plate_picture(clip.look.plate, fonts)
    noise = np.random.default_rng(len(clip.name))
    for number in range(END):
        canvas, y, aside = lane.copy(), bumper_y(number), 0.0
        if clip.turns_in:
            y, aside = turning_in(number) or (None, 0.0)
        up = 0.0 if clip.turns_in else raised(number)
        if y is None or y < 5.0:
            boom(canvas, up)
        CAMERA.aside_m = aside
        corners = None if y is None else truck(canvas, clip.look, sheet, y)
        seen = None if corners is None else CAMERA.project(corners)
        CAMERA.aside_m = 0.0
        if y is not None and y >= 5.0:
            boom(canvas, up)
        width, whole = 0.0, False
        if seen is not None and len(seen) == 4:
            seen = seen / FINE
            width = float(np.linalg.norm(seen[1] - seen[0]))
            whole = bool((seen >= 0).all() and (seen < SIZE).all())
        yield finished(canvas, clip.starts, number, noise), width, whole


def finished(canvas: Image, starts: str, number: int, noise: np.random.Generator) -> Image:
    """What the lens, the sensor and the camera's own clock make of it."""
    small = np.asarray(cv2.GaussianBlur(cv2.resize(canvas, SIZE, interpolation=cv2.INTER_AREA), (0, 0), 0.6), np.int16)
    grain = cv2.resize(noise.normal(0, 3.0, (SIZE[1] // 2, SIZE[0] // 2)).astype(np.float32), SIZE)
    picture = np.clip(small + np.asarray(grain)[..., None].astype(np.int16), 0, 255).astype(np.uint8)
    hours, minutes, seconds = (int(part) for part in starts.split(":"))
    now = hours * 3600 + minutes * 60 + seconds + int(number / RATE)
    stamp = f"20-11-2026 {now // 3600:02}:{now // 60 % 60:02}:{now % 60:02}"
    for colour, shift in (((20, 20, 20), 2), ((245, 245, 245), 0)):
        cv2.putText(picture, stamp, (24 + shift, 44 + shift), cv2.FONT_HERSHEY_SIMPLEX, 0.9, colour, 2, cv2.LINE_AA)
    return picture


def encode(path: Path, clip: Clip, fonts: Fonts) -> tuple[dict[str, Any], list[Image]]:
    """Write the clip; returns what a replay must find in it, and pictures for the contact sheet."""
    shown: list[int] = []
    sheet: list[Image] = []
    with av.open(str(path), "w", options={"movflags": "+faststart"}) as container:
        stream = container.add_stream("libx264", rate=RATE)
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        stream.codec_context.gop_size = GROUP
        stream.codec_context.max_b_frames = 0
        stream.options = {
            "crf": "27",
            "preset": "slow",
            "x264-params": f"keyint={GROUP}:min-keyint={GROUP}:scenecut=0:open-gop=0:threads=1",
        }
        for number, (picture, width, whole) in enumerate(pictures(clip, fonts)):
            if width >= READABLE_PX and whole:
                shown.append(number)
            if number in (6, 36, 66, 104):
                sheet.append(picture)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
        container.mux(stream.encode(None))
    return expected(clip, shown), sheet


def expected(clip: Clip, shown: list[int]) -> dict[str, Any]:
    def at(number: int) -> float:
        return round(float(number / RATE), 2)

    if clip.turns_in:
        return {
            "clip": f"{clip.name}.mp4",
            "lane_place": clip.place,
            "direction": clip.direction,
            "shows": "a truck turns in, stands with its last digit outside the picture, rolls on and stands whole",
            "passages": [
                {
                    "plate": clip.plate,
                    "country": clip.country,
                    "layout": clip.layout,
                    "verdict": "unknown",
                    "appears_s": at(shown[0]),
                    "stands_s": [at(ROLLED), at(END)],
                    "gone_s": at(END),
                }
            ],
        }
    return {
        "clip": f"{clip.name}.mp4",
        "lane_place": clip.place,
        "direction": clip.direction,
        "passages": [
            {
                "plate": clip.plate,
                "country": clip.country,
                "layout": clip.layout,
                "appears_s": at(shown[0]),
                "stands_s": [at(STAND), at(DEPART)],
                "gone_s": at(shown[-1] + 1),
            }
        ],
        "stand_loop_s": [at(LOOP[0]), at(LOOP[1])],
        "segments_s": {
            "empty": [at(0), at(APPROACH)],
            "approach": [at(APPROACH), at(LOOP[0])],
            "stand": [at(LOOP[0]), at(LOOP[1])],
            "depart": [at(LOOP[1]), at(END)],
        },
    }


def main() -> int:
    parser = argparse.ArgumentParser(description="Make the sample clips.")
    parser.add_argument("--latin", type=Path, required=True, help="Barlow Condensed SemiBold (OFL), .ttf or .woff")
    parser.add_argument("--hanzi", type=Path, required=True, help="Noto Sans CJK Bold (OFL), .ttc or .otf")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent.parent / "sample_videos")
    options = parser.parse_args()
    missing = [str(path) for path in (options.latin, options.hanzi) if not path.is_file()]
    if missing:
        parser.error(f"no such font file: {', '.join(missing)}; sample_videos/README.md says where to get them")
    fonts = Fonts(options.latin, options.hanzi)
    options.out.mkdir(parents=True, exist_ok=True)
    rows = []
    for clip in CLIPS:
        print(f"{clip.name} …", flush=True)
        found, shown = encode(options.out / f"{clip.name}.mp4", clip, fonts)
        text = json.dumps(found, ensure_ascii=False, indent=1) + "\n"
        (options.out / f"{clip.name}.expected.json").write_text(text, encoding="utf-8")
        cv2.imwrite(str(options.out / f"{clip.name}.jpg"), shown[2], [cv2.IMWRITE_JPEG_QUALITY, 88])
        rows.append(np.hstack([cv2.resize(picture, (320, 180), interpolation=cv2.INTER_AREA) for picture in shown]))
    cv2.imwrite(str(options.out / "contact-sheet.jpg"), np.vstack(rows), [cv2.IMWRITE_JPEG_QUALITY, 82])
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
