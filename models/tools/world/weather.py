"""Light, weather and the camera itself, laid over a finished picture (720, 1280, 3), BGR floats 0..255."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from models.tools.world import lens
from models.tools.world.plan import FLEET
from models.tools.world.stage import Placed

Floats = NDArray[np.float32]
Pictures = NDArray[np.uint8]

WIDE, HIGH = lens.SIZE


@dataclass(frozen=True)
class Look:
    """`light`: day, night, rain or backlight. `shake_px`: how far a camera on a bad pole swings. `noise`: grey levels.
    `blur_px`: of the lens."""

    light: str = "day"
    shake_px: float = 0.0
    noise: float = 2.5
    blur_px: float = 0.55
    starts: str = "09:10:04"


def shown(picture: Floats, placed: Sequence[Placed], look: Look, number: int, at_s: float) -> Pictures:
    """What the camera delivers. The same number gives the same picture."""
    r = np.random.default_rng(1000 + number)
    dx, dy = (int(v) for v in r.integers(0, 64, 2))
    if look.light == "night":
        picture = night(picture, placed)
    elif look.light == "rain":
        picture = rain(picture, r)
    elif look.light == "backlight":
        picture = backlight(picture)
    if look.shake_px:
        picture = shaken(picture, look.shake_px, at_s)
    picture = cv2.GaussianBlur(picture, (0, 0), look.blur_px)
    picture += _grain()[dy : dy + HIGH, dx : dx + WIDE] * np.float32(look.noise)
    final = np.clip(picture, 0, 255, out=picture).astype(np.uint8)
    stamp(final, look.starts, at_s)
    return final


@lru_cache(maxsize=1)
def _grain() -> Floats:
    """A sensor's noise, one grey level strong, a little larger than the picture: each picture takes another part."""
    size = (WIDE + 64, HIGH + 64)
    fine = np.random.default_rng(5).normal(0, 1, (size[1] // 2, size[0] // 2)).astype(np.float32)
    return np.repeat(cv2.resize(fine, size)[..., None], 3, axis=2)


def stamp(picture: Pictures, starts: str, at_s: float) -> None:
    hours, minutes, seconds = (int(part) for part in starts.split(":"))
    now = hours * 3600 + minutes * 60 + seconds + int(at_s + 1e-6)
    text = f"20-11-2026 {now // 3600 % 24:02}:{now // 60 % 60:02}:{now % 60:02}"
    for colour, shift in (((20, 20, 20), 2), ((245, 245, 245), 0)):
        place = (24 + shift, 44 + shift)
        cv2.putText(picture, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.9, colour, 2, cv2.LINE_AA)


def _pool(x: float, y: float, wide: float, high: float) -> Floats:
    """A soft spot of light, 0..1, (720, 1280, 1)."""
    xs, ys = np.arange(WIDE, dtype=np.float32)[None], np.arange(HIGH, dtype=np.float32)[:, None]
    return np.exp(-(((xs - x) / wide) ** 2) - ((ys - y) / high) ** 2)[..., None]


def night(picture: Floats, placed: Sequence[Placed]) -> Floats:
    """Little light but the gate's own flood over the stop line; headlights that look into the lens."""
    flood = 0.1 + 0.42 * _pool(620, 470, 420, 300)
    dark = picture * flood * np.float32((1.0, 0.95, 0.9)) * 0.95
    dark += 26 * _pool(1060, 300, 150, 130) * np.float32((0.5, 0.85, 1.0))  # the booth's window
    for one in placed:
        plan = FLEET[one.name]
        for x, y, z in plan.lamps:
            spot = lens.project([x + plan.x + one.dx, one.y + y, z])
            if spot is not None and -200 < spot[0, 0] < WIDE + 200:
                dark += _lamp(spot[0], one.y, rear=plan.rear)
    return dark


def _lamp(spot: NDArray[np.float64], y: float, *, rear: bool) -> Floats:
    size = 2050 / max(3.0, y) / 26
    colour = np.float32((30, 35, 220)) if rear else np.float32((225, 240, 255))
    strong = 0.55 if rear else 1.0
    core = 1.1 * _pool(spot[0], spot[1], size * 1.5, size * 1.5)
    halo = 0.34 * _pool(spot[0], spot[1], size * 7, size * 6)
    streak = 0.22 * _pool(spot[0], spot[1], size * 26, size * 0.7)
    made: Floats = (core + halo + streak) * colour * strong
    return made


def rain(picture: Floats, r: np.random.Generator) -> Floats:
    """A dull wet road that mirrors what stands on it, falling streaks, haze."""
    grey = picture.mean(axis=2, keepdims=True)
    wet = (picture * 0.55 + grey * 0.45) * 0.62 + 22
    mirrored = cv2.GaussianBlur(np.ascontiguousarray(wet[::-1]), (0, 0), 9)
    depth = np.clip((np.arange(HIGH, dtype=np.float32) - 420) / 500, 0, 0.35)[:, None, None]
    wet = wet * (1 - depth) + np.roll(mirrored, 250, axis=0) * depth
    streaks = np.zeros((HIGH, WIDE), np.float32)
    for _ in range(420):
        x, y, long = r.integers(0, WIDE), r.integers(-40, HIGH), int(r.integers(12, 46))
        cv2.line(
            streaks, (int(x), int(y)), (int(x - long // 6), int(y + long)), float(r.uniform(0.15, 0.5)), 1, cv2.LINE_AA
        )
    streaks = cv2.GaussianBlur(streaks, (0, 0), 0.8)[..., None]
    made: Floats = wet * (1 - streaks) + 205 * streaks
    return made


def backlight(picture: Floats) -> Floats:
    """A low sun before the camera: faces in shade, the sky burnt out, a veil over everything."""
    shade = np.clip((np.arange(HIGH, dtype=np.float32) - 60) / 420, 0, 1)[:, None, None]
    dark = picture * (0.95 - 0.5 * shade) * np.float32((0.92, 0.97, 1.0))
    glow = 210 * _pool(820, -60, 620, 260) + 58
    made: Floats = dark + glow * np.float32((0.82, 0.94, 1.0))
    return made


def shaken(picture: Floats, far_px: float, at_s: float) -> Floats:
    """Wind and passing lorries: the picture swings at two frequencies and turns a little."""
    dx = far_px * (0.7 * np.sin(2 * np.pi * 1.7 * at_s) + 0.3 * np.sin(2 * np.pi * 4.3 * at_s + 1))
    dy = far_px * (0.6 * np.sin(2 * np.pi * 2.3 * at_s + 2) + 0.4 * np.sin(2 * np.pi * 5.1 * at_s))
    turn = cv2.getRotationMatrix2D(
        (WIDE / 2, HIGH / 2), 0.05 * far_px * float(np.sin(2 * np.pi * 1.3 * at_s)) / 3, 1.012
    )
    turn[:, 2] += (dx, dy)
    return np.asarray(cv2.warpAffine(picture, turn, lens.SIZE, borderMode=cv2.BORDER_REFLECT), np.float32)
