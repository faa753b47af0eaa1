"""The test world's own road and vehicles, drawn apart from those that the detector was trained on."""

from __future__ import annotations

from random import Random

import cv2
import numpy as np

from models.tools.draw import Floats, Picture

WIDTH, HEIGHT = 640, 360


def road(r: Random) -> Picture:
    """A lane that runs away from the camera between kerbs, a booth at one side, hills and sky behind."""
    picture = np.zeros((HEIGHT, WIDTH, 3), np.float32)
    horizon = r.randrange(60, 130)
    sky, tar = np.float32([r.uniform(150, 235)] * 3), np.float32([r.uniform(70, 130)] * 3)
    picture[:horizon] = sky * np.linspace(1.05, 0.85, horizon, dtype=np.float32)[:, None, None]
    picture[horizon:] = tar * np.linspace(0.8, 1.1, HEIGHT - horizon, dtype=np.float32)[:, None, None]
    hills = [(0, horizon), *((x, horizon - r.randrange(5, 40)) for x in range(40, WIDTH, 80)), (WIDTH, horizon)]
    cv2.fillPoly(picture, [np.array(hills, np.int32)], (r.uniform(60, 90), r.uniform(90, 120), r.uniform(60, 90)))
    middle = WIDTH // 2 + r.randrange(-80, 81)
    for side, shade in ((-1, (60, 200, 230)), (1, (230, 230, 230))):
        foot = middle + side * r.randrange(260, 420)
        kerb = [
            (middle + side * 14, horizon),
            (middle + side * 18, horizon),
            (foot + side * 40, HEIGHT),
            (foot, HEIGHT),
        ]
        cv2.fillPoly(picture, [np.array(kerb, np.int32)], shade, cv2.LINE_AA)
    if r.random() < 0.7:
        x = r.choice([r.randrange(0, 60), r.randrange(540, 600)])
        cv2.rectangle(picture, (x, horizon - 50), (x + r.randrange(40, 90), 300), (r.uniform(120, 210),) * 3, -1)
        cv2.rectangle(picture, (x + 8, horizon - 30), (x + 36, horizon + 40), (70, 60, 50), -1)
    grain = np.random.default_rng(r.getrandbits(32)).standard_normal((HEIGHT // 2, WIDTH // 2, 1)).astype(np.float32)
    picture += cv2.resize(grain, (WIDTH, HEIGHT))[..., None] * r.uniform(2, 7)
    return np.clip(picture, 0, 255).astype(np.uint8)


def rear(r: Random, picture: Picture, at: tuple[float, float], plate_w: float) -> None:
    """A box body from behind: doors with bars, underrun guard, lamps, wheels, a phone number."""
    x, y = at
    half, k = plate_w * r.uniform(2.3, 2.9), plate_w / 100
    x += r.uniform(-0.35, 0.35) * half
    paint = r.choice([(200, 200, 205), (150, 90, 40), (60, 60, 170), (90, 130, 90), (110, 110, 115), (40, 150, 190)])
    top, floor = y - half * r.uniform(1.1, 1.7), y - 48 * k
    _box(picture, x - half, top, x + half, floor, paint)
    _box(picture, x - half, floor, x + half, floor + 16 * k, (60, 60, 62))
    _box(picture, x - 2, top, x + 2, floor, tuple(v * 0.6 for v in paint))
    for side in (-1, 1):
        for bar in (0.35, 0.6):
            _box(picture, x + side * half * bar - 2 * k, top, x + side * half * bar + 2 * k, floor, (170, 170, 172))
        _box(
            picture,
            x + side * half * 0.86 - 22 * k,
            y - 16 * k,
            x + side * half * 0.86 + 22 * k,
            y + 8 * k,
            (30, 30, 190),
        )
        _box(
            picture,
            x + side * half * 0.72 - 30 * k,
            y + 30 * k,
            x + side * half * 0.72 + 30 * k,
            y + 130 * k,
            (22, 22, 24),
        )
    _box(picture, x - half * 0.95, y + 34 * k, x + half * 0.95, y + 50 * k, (190, 190, 190))
    _box(picture, at[0] - 62 * k, at[1] - 40 * k, at[0] + 62 * k, at[1] + 40 * k, (48, 48, 50))
    number = f"0{r.randrange(10**8, 10**9)}"
    ink, place = (
        (235,) * 3 if sum(paint) < 380 else (40,) * 3,
        (round(x - half * 0.7), round(top + (floor - top) * 0.4)),
    )
    thick = max(1, round(2 * k))
    cv2.putText(picture, number, place, cv2.FONT_HERSHEY_DUPLEX, 0.9 * k + 0.2, ink, thick, cv2.LINE_AA)


def cab(r: Random, picture: Picture, at: tuple[float, float], plate_w: float) -> None:
    """A cab from the front: windscreen, mirrors, grille of three bars, bumper with lamps in it."""
    x, y = at
    half, k = plate_w * r.uniform(1.9, 2.5), plate_w / 100
    paint = r.choice([(40, 40, 165), (170, 80, 30), (215, 215, 218), (40, 160, 205), (70, 110, 70)])
    top = y - half * 1.5
    _box(picture, x - half, top, x + half, y + 40 * k, paint)
    _box(picture, x - half * 0.9, top + half * 0.15, x + half * 0.9, top + half * 0.75, (60, 50, 45))
    for i in range(3):
        low = y - half * (0.62 - 0.14 * i)
        _box(picture, x - half * 0.6, low, x + half * 0.6, low + 7 * k, (150, 150, 152))
    _box(picture, x - half * 1.02, y - 45 * k, x + half * 1.02, y + 45 * k, tuple(v * 0.75 for v in paint))
    for side in (-1, 1):
        _box(
            picture,
            x + side * half * 1.15 - 8 * k,
            top + half * 0.2,
            x + side * half * 1.15 + 8 * k,
            top + half * 0.7,
            (30,) * 3,
        )
        cv2.ellipse(
            picture, (round(x + side * half * 0.75), round(y - 4 * k)), (round(26 * k), round(18 * k)), 0, 0, 360,
            (225, 225, 220), -1, cv2.LINE_AA,
        )  # fmt: skip


def _box(picture: Picture, x0: float, y0: float, x1: float, y1: float, shade: tuple[float, ...]) -> None:
    cv2.rectangle(picture, (round(x0), round(y0)), (round(x1), round(y1)), shade, -1)


def night(r: Random, picture: Picture, quad: Floats) -> Picture:
    """Dark but for the lamps of the gate: the plate throws light back; often the camera sees infrared, in grey."""
    x = picture.astype(np.float32) * r.uniform(0.16, 0.34)
    lit = np.zeros(picture.shape[:2], np.float32)
    cv2.fillPoly(lit, [quad.round().astype(np.int32)], 1.0)
    spread = cv2.GaussianBlur(lit, (0, 0), r.uniform(20, 50))
    x += picture * np.clip(lit * r.uniform(0.35, 0.6) + spread * 0.4, 0, 1)[..., None]
    if r.random() < 0.5:
        x = np.repeat(x.mean(2, keepdims=True), 3, axis=2)
    glow = np.zeros(picture.shape[:2], np.float32)
    for _ in range(r.randrange(0, 3)):
        cv2.circle(glow, (r.randrange(WIDTH), r.randrange(HEIGHT)), r.randrange(3, 9), 255.0, -1)
    x += cv2.GaussianBlur(glow, (0, 0), 9)[..., None] * 1.5
    seed = np.random.default_rng(r.getrandbits(32))
    return np.clip(x + seed.normal(0, r.uniform(2, 6), picture.shape), 0, 255).astype(np.uint8)


def rain(r: Random, picture: Picture) -> Picture:
    """Streaks, spray that takes the contrast, and drops on the housing's glass."""
    x = picture.astype(np.float32)
    x = x * r.uniform(0.6, 0.85) + r.uniform(25, 55)
    for _ in range(r.randrange(80, 240)):
        px, py, long = r.randrange(WIDTH), r.randrange(HEIGHT), r.randrange(6, 22)
        cv2.line(x, (px, py), (px + r.randrange(-2, 3), py + long), (205, 205, 205), 1, cv2.LINE_AA)
    soft = cv2.GaussianBlur(x, (0, 0), 3.0)
    drops = np.zeros(picture.shape[:2], np.float32)
    for _ in range(r.randrange(2, 9)):
        cv2.circle(drops, (r.randrange(WIDTH), r.randrange(HEIGHT)), r.randrange(4, 14), 1.0, -1)
    share = cv2.GaussianBlur(drops, (0, 0), 2.0)[..., None]
    return np.clip(x * (1 - share) + soft * share, 0, 255).astype(np.uint8)
