"""Grounds, clutter and words for the detector's scenes: all that looks like a plate and is none."""

from __future__ import annotations

from itertools import pairwise
from random import Random

import cv2
import numpy as np

from models.tools import faces
from models.tools.draw import Picture, _clouds
from models.tools.kinds_cn import CN_LETTER
from models.tools.kinds_vn import VN_SERIES
from models.tools.spec import digits

Colour = tuple[float, float, float]
SLOGANS = (
    "安全第一", "严禁超载", "保持车距", "注意安全", "大吨小标", "货运", "危险", "请勿靠近", "DONGFENG", "HOWO", "FAW",
    "ISUZU", "HINO", "THACO",
    "HYUNDAI", "XE TAI", "STOP", "CHU Y",
    "LIMIT 60", "TAXI", "BARRIE 1", "CUA KHAU", "TRAM THU PHI", "POLICE", "INTERCOOLER", "TURBO",
)  # fmt: skip


def colour(r: Random, low: float = 0, high: float = 255) -> Colour:
    return (r.uniform(low, high), r.uniform(low, high), r.uniform(low, high))


def _dull(r: Random) -> Colour:
    """Asphalt, concrete, soil, sky: a grey with a little colour."""
    grey = r.uniform(15, 225)
    return (grey + r.uniform(-25, 25), grey + r.uniform(-15, 15), grey + r.uniform(-25, 25))


def paint(r: Random) -> Colour:
    """A vehicle's colour: mostly white, black, grey, red, blue."""
    base = r.choice(
        [
            (235, 235, 235),
            (25, 25, 25),
            (120, 120, 125),
            (180, 180, 180),
            (30, 30, 170),
            (150, 60, 20),
            (30, 140, 200),
            (40, 110, 40),
            (60, 70, 90),
        ]
    )
    return tuple(min(255.0, max(0.0, v + r.uniform(-30, 30))) for v in base)  # type: ignore[return-value]


def ground(r: Random, width: int, height: int) -> Picture:
    """Road, wall, sky, foliage, tiles, or plain noise, in bands."""
    picture = np.empty((height, width, 3), np.float32)
    cuts = sorted([0, height] + [r.randrange(height) for _ in range(r.randrange(0, 4))])
    for top, low in pairwise(cuts):
        if low > top:
            picture[top:low] = _band(r, width, low - top)
    for _ in range(r.randrange(0, 14)):
        _clutter(r, picture)
    return np.clip(picture, 0, 255).astype(np.uint8)


def _band(r: Random, width: int, height: int) -> np.ndarray:
    base = np.full((height, width, 3), colour(r, 20, 235) if r.random() < 0.15 else _dull(r), np.float32)
    for cells in r.sample([3, 10, 30, 90, 200], r.randrange(1, 4)):
        base += _clouds(r, height, width, cells)[..., None] * np.float32(colour(r, 0, 60))
    roll = r.random()
    if roll < 0.15:  # bricks, tiles, slats
        step_x, step_y, shade = r.randrange(8, 60), r.randrange(5, 40), colour(r, 0, 200)
        for y in range(0, height, step_y):
            cv2.line(base, (0, y), (width, y), shade, r.choice([1, 1, 2]))
        for x in range(0, width, step_x):
            cv2.line(base, (x, 0), (x + r.randrange(-9, 10), height), shade, 1)
    elif roll < 0.25:  # foliage
        for _ in range(120):
            green = (r.uniform(10, 80), r.uniform(50, 190), r.uniform(20, 110))
            cv2.circle(base, (r.randrange(width), r.randrange(height)), r.randrange(1, 7), green, -1)
    return base


def _clutter(r: Random, picture: np.ndarray) -> None:
    """Rectangles, posts, kerb stripes, lamps: pieces with the edges that plates have."""
    height, width = picture.shape[:2]
    x, y = r.randrange(width), r.randrange(height)
    kind = r.randrange(7)
    if kind == 0:
        w, h = r.randrange(4, 120), r.randrange(4, 60)
        cv2.rectangle(picture, (x, y), (x + w, y + h), colour(r), r.choice([-1, -1, 1, 3]))
    elif kind == 1:
        cv2.line(picture, (x, y), (r.randrange(width), r.randrange(height)), colour(r), r.randrange(1, 9))
    elif kind == 2:
        stripes(r, picture, x, y, r.randrange(20, 200), r.randrange(4, 22))
    elif kind == 3:
        cv2.circle(picture, (x, y), r.randrange(2, 26), colour(r), r.choice([-1, 2]))
    elif kind == 4:
        sign(r, picture)
    elif kind == 5:
        shape = np.array([[r.randrange(width), r.randrange(height)] for _ in range(4)], np.int32)
        cv2.fillPoly(picture, [shape], colour(r))
    else:
        step = r.randrange(3, 9)
        for i in range(r.randrange(4, 20)):
            cv2.line(picture, (x, y + i * step), (x + 90, y + i * step), colour(r, 0, 90), 1 + step // 3)


def stripes(r: Random, picture: np.ndarray, x: int, y: int, width: int, height: int) -> None:
    """Yellow-black or red-white warning stripes: kerbs, boom arms, reflective tape."""
    a, b = r.choice([((20, 20, 20), (30, 190, 230)), ((230, 230, 230), (40, 40, 200)), ((240, 240, 240), (50, 50, 60))])
    slant, step = r.randrange(-12, 13), r.randrange(6, 30)
    for i, left in enumerate(range(x, x + width, step)):
        quad = np.array(
            [[left, y], [left + step, y], [left + step + slant, y + height], [left + slant, y + height]], np.int32
        )
        cv2.fillPoly(picture, [quad], a if i % 2 else b)


# ---------------------------------------------------------------- words


def phrase(r: Random) -> str:
    """Texts seen near plates that are none: phone numbers, container codes, clocks, slogans, tonnage."""
    kind = r.randrange(7)
    if kind == 0:
        return "0" + r.choice("3579") + digits(r, 8)
    if kind == 1:
        return "".join(r.choice(CN_LETTER) for _ in range(3)) + "U " + digits(r, 6) + " " + digits(r, 1)
    if kind == 2:
        day = f"{digits(r, 2)}/{r.randrange(1, 13):02d}/20{digits(r, 2)}"
        return f"{day} {r.randrange(24):02d}:{r.randrange(60):02d}:{r.randrange(60):02d}"
    if kind == 3:
        return f"{r.randrange(1, 60)}.{digits(r, 1)} TAN"
    if kind == 4:
        return "13" + digits(r, 9)
    return r.choice(SLOGANS)


def painted_plate(r: Random) -> str:
    """A plate number painted large on tailgate or door: to be left alone by the detector."""
    if r.random() < 0.5:
        return r.choice("桂粤云湘鄂豫冀鲁苏") + r.choice(CN_LETTER) + "." + digits(r, 5)
    return f"{r.randrange(11, 99)}{r.choice(VN_SERIES)}-{digits(r, 3)}.{digits(r, 2)}"


def words_mask(r: Random, text: str, height: int) -> np.ndarray:
    """The text as one (h, w) mask, 0..1."""
    face, hanzi = r.choice(faces.VIETNAMESE + faces.CHINESE), r.choice(list(faces.HANZI))
    parts = []
    for mark in text:
        if mark in " ":
            parts.append(np.zeros((height, max(1, height // 3)), np.uint8))
            continue
        try:
            mask = faces.glyph(face if mark.isascii() else hanzi, mark)
        except ValueError:
            continue
        tall = height if mark.isalnum() else max(2, height // 5)
        width = max(1, round(mask.shape[1] * tall / mask.shape[0]))
        small = cv2.resize(mask, (min(width, 3 * height), tall), interpolation=cv2.INTER_AREA)
        cell = np.zeros((height, small.shape[1] + max(1, height // 9)), np.uint8)
        cell[height - tall :, : small.shape[1]] = small
        parts.append(cell)
    return np.concatenate(parts, axis=1).astype(np.float32) / 255 if parts else np.zeros((height, 4), np.float32)


def write(r: Random, picture: np.ndarray, text: str, x: int, y: int, height: int, ink: Colour) -> None:
    mask = words_mask(r, text, height)
    top, left = max(0, y), max(0, x)
    low, right = min(picture.shape[0], y + mask.shape[0]), min(picture.shape[1], x + mask.shape[1])
    if low <= top or right <= left:
        return
    part = mask[top - y : low - y, left - x : right - x, None]
    picture[top:low, left:right] = (picture[top:low, left:right] * (1 - part) + np.float32(ink) * part).astype(
        picture.dtype
    )


def sign(r: Random, picture: np.ndarray) -> None:
    """A board with words: wrong text, wrong proportions, no plate."""
    height, width = picture.shape[:2]
    tall = r.randrange(6, 34)
    text = phrase(r)
    long = round(tall * len(text) * r.uniform(0.5, 1.1)) + tall
    x, y = r.randrange(-20, width), r.randrange(-10, height)
    ground_colour = r.choice([(240, 240, 240), (180, 80, 20), (40, 160, 220), (60, 120, 30), (40, 40, 190), colour(r)])
    cv2.rectangle(picture, (x, y), (x + long, y + round(tall * r.uniform(1.3, 3))), ground_colour, -1)
    dark = sum(ground_colour) > 380
    write(r, picture, text, x + tall // 3, y + tall // 4, tall, (20, 20, 20) if dark else (240, 240, 240))


def clock(r: Random, picture: np.ndarray) -> None:
    """The camera's own timestamp and name, burnt in."""
    height, width = picture.shape[:2]
    tall = r.randrange(7, 15)
    ink = r.choice([(255, 255, 255), (0, 255, 255), (60, 255, 60), (10, 10, 10)])
    day = f"20{digits(r, 2)}-{r.randrange(1, 13):02d}-{r.randrange(1, 29):02d}"
    if r.random() < 0.5:
        day = f"{digits(r, 2)}/{r.randrange(1, 13):02d}/20{digits(r, 2)}"
    text = f"{day} {r.randrange(24):02d}:{digits(r, 2)}:{digits(r, 2)}"
    write(r, picture, text, r.choice([4, width // 2]), r.choice([4, height - tall - 4]), tall, ink)
