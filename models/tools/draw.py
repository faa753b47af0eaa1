"""Draws one plate, clean or worn, as a flat picture with the centres of its characters."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

import cv2
import numpy as np
from numpy.typing import NDArray

from models.tools import faces
from models.tools.faces import TRAINING, Among
from models.tools.kinds import draw_spec
from models.tools.spec import Cell, Spec

Picture = NDArray[np.uint8]
Floats = NDArray[np.float32]

# BGR ranges, as cameras show them rather than as the standard says.
GROUNDS = {
    "white": ((190, 190, 190), (252, 252, 252)),
    "yellow": ((0, 130, 190), (90, 215, 255)),
    "blue": ((120, 30, 0), (235, 120, 60)),
    "green": ((60, 110, 10), (170, 200, 110)),
    "red": ((10, 10, 140), (70, 60, 235)),
    "black": ((10, 10, 10), (60, 55, 55)),
}
INKS = {"black": (25, 25, 25), "white": (235, 235, 235), "red": (40, 40, 200)}


@dataclass(slots=True)
class Plate:
    """`picture` is (h, w, 3) BGR; `centres` (n, 2) in 0..1 of its width and height, in reading order; `ink` (h, w) in
    0..1 is where the marks were before any wear."""

    spec: Spec
    picture: Picture
    centres: Floats
    ink: Floats

    def told(self) -> float:
        """How surely the worst character's ink is still told from its ground: take a pixel of each, and how often is
        that of the ink the darker one (the brighter one, where most of the plate's ink is)? 1: always; 0.75: half of
        the character has no ink left. Ink that is pale all over still counts as there."""
        grey, shares = self.picture.mean(2), []
        scale = self.picture.shape[1] / self.spec.size[0]
        for cell in (c for c in self.spec.cells if c.counts):
            x, y = max(0, round(cell.x * scale)), max(0, round(cell.y * scale))
            part = (slice(y, round((cell.y + cell.h) * scale)), slice(x, round((cell.x + cell.w) * scale)))
            ink, ground = grey[part][self.ink[part] > 0.8], np.sort(grey[part][self.ink[part] < 0.05])
            if len(ink) and len(ground):
                shares.append(1 - float(np.searchsorted(ground, ink).mean()) / len(ground))
        darker = float(np.median(shares)) > 0.5
        return min(shares) if darker else 1 - max(shares)


def draw_plate(r: Random, spec: Spec | None = None, height_px: int | None = None, among: Among = TRAINING) -> Plate:
    spec = spec or draw_spec(r)
    scale = (height_px or (84 if spec.layout == "one_line" else 128)) / spec.size[1]
    width, height = round(spec.size[0] * scale), round(spec.size[1] * scale)
    picture = _ground(r, spec, width, height)
    ink = _ink(r, spec)
    if r.random() < 0.1:  # paint bleached by years of sun, or a plate washed out by the light
        fade = r.uniform(0.25, 0.65)
        ink = tuple(a + (float(b) - a) * fade for a, b in zip(ink, picture.mean((0, 1)), strict=True))
    alpha, red = _ink_masks(r, spec, scale, (height, width), among)
    whole = np.maximum(alpha, red)
    if r.random() < 0.3:
        alpha = alpha * _patchy(r, height, width)
    if r.random() < 0.45:
        _emboss(r, picture, alpha)
    picture = picture * (1 - alpha[..., None]) + np.float32(ink) * alpha[..., None]
    picture = picture * (1 - red[..., None]) + np.float32(INKS["red"]) * red[..., None]
    picture = np.ascontiguousarray(picture)
    _border(r, picture, ink, spec)
    _extras(r, picture, spec)
    centres = [((c.x + c.w / 2) / spec.size[0], (c.y + c.h / 2) / spec.size[1]) for c in spec.cells if c.counts]
    return Plate(spec, np.clip(wear(r, picture), 0, 255).astype(np.uint8), np.array(centres, np.float32), whole)


def _ground(r: Random, spec: Spec, width: int, height: int) -> Floats:
    low, high = GROUNDS[spec.colour]
    t = r.random()
    base = [lo + (hi - lo) * min(1.0, max(0.0, t + r.uniform(-0.15, 0.15))) for lo, hi in zip(low, high, strict=True)]
    picture = np.full((height, width, 3), base, np.float32)
    if spec.gradient == "fade":
        t_rows = np.linspace(r.uniform(0.5, 1), r.uniform(0, 0.4), height, dtype=np.float32)[:, None, None]
        picture = picture * (1 - t_rows) + np.float32((235, 245, 235)) * t_rows
    elif spec.gradient == "split":
        picture[:, : int(width * 0.27)] = np.float32((20, 190, 230))
    return picture


def _ink(r: Random, spec: Spec) -> tuple[float, ...]:
    name = spec.ink
    if name == "contrast":
        name = "black" if spec.colour in ("white", "yellow") else "white"
    shift = r.uniform(-25, 45) if name == "black" else r.uniform(-45, 20)
    return tuple(min(255.0, max(0.0, v + shift + r.uniform(-6, 6))) for v in INKS[name])


def _ink_masks(r: Random, spec: Spec, scale: float, shape: tuple[int, int], among: Among) -> tuple[Floats, Floats]:
    face = _pick_face(r, spec.country, among)
    hanzi = r.choices([name for name, _ in among.hanzi], [often for _, often in among.hanzi])[0]
    stretch, weight = r.random() < (0.8 if spec.country == "CN" else 0.55), r.randrange(-1, 3)
    tall, wide = r.uniform(0.92, 1.04), r.uniform(0.86, 1.06)
    text, red = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    for cell in spec.cells:
        target = red if cell.tint == "red" else text
        if cell.mark in ".-":
            _mark(r, target, cell, scale)
            continue
        mask = faces.glyph(hanzi if cell.mark in faces.WIDE_INK else face, cell.mark)
        _stamp(target, mask, cell, scale, stretch or cell.mark in faces.WIDE_INK, tall, wide, weight)
    return text, red


def _pick_face(r: Random, country: str, among: Among) -> str:
    names = among.vietnamese if country == "VN" else among.chinese
    if r.random() < 0.2:
        names = among.chinese if country == "VN" else among.vietnamese
    return r.choice(names)


def _mark(r: Random, target: Floats, cell: Cell, scale: float) -> None:
    x, y, w, h = cell.x * scale, cell.y * scale, cell.w * scale, cell.h * scale
    if cell.mark == "-":
        thick = max(1.5, r.uniform(0.1, 0.16) * h)
        cv2.rectangle(
            target, (round(x), round(y + h / 2 - thick / 2)), (round(x + w), round(y + h / 2 + thick / 2)), 1.0, -1
        )
        return
    low = y + h - w * 0.7 if h > 3 * w and r.random() < 0.75 else y + h / 2
    radius = max(1, round(min(w, h) * r.uniform(0.35, 0.55)))
    cv2.circle(target, (round(x + w / 2), round(low)), radius, 1.0, -1, cv2.LINE_AA)


def _stamp(
    target: Floats, mask: Picture, cell: Cell, scale: float, stretch: bool, tall: float, wide: float, weight: int
) -> None:
    """The glyph into its cell: filling it, or keeping its own width. `weight` px thinner or bolder at mask size."""
    if weight:
        kernel = np.ones((abs(weight) * 2 + 1,) * 2, np.uint8)
        mask = cv2.dilate(mask, kernel) if weight > 0 else cv2.erode(mask, kernel)
    h = max(4, round(cell.h * scale * tall))
    own = mask.shape[1] / mask.shape[0] * h
    w = max(2, round(min(own, cell.w * scale * 1.15) if not stretch else cell.w * scale * wide))
    small = cv2.resize(mask, (w, h), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    x = round((cell.x + cell.w / 2) * scale - w / 2)
    y = round((cell.y + cell.h / 2) * scale - h / 2)
    x0, y0, x1, y1 = max(0, x), max(0, y), min(target.shape[1], x + w), min(target.shape[0], y + h)
    if x1 > x0 and y1 > y0:
        part = target[y0:y1, x0:x1]
        np.maximum(part, small[y0 - y : y1 - y, x0 - x : x1 - x], out=part)


def _emboss(r: Random, picture: Floats, alpha: Floats) -> None:
    shift = np.float32([[1, 0, r.choice([-1, 1])], [0, 1, r.choice([-1, 1, 2])]])
    moved = cv2.warpAffine(alpha, shift, (alpha.shape[1], alpha.shape[0]))
    edge = np.clip(moved - alpha, 0, 1)[..., None]
    picture *= 1 - edge * r.uniform(-0.25, 0.45)


def _border(r: Random, picture: Floats, ink: tuple[float, ...], spec: Spec) -> None:
    roll = r.random()
    if roll < 0.25:
        return
    h, w = picture.shape[:2]
    gap = round(r.uniform(0.01, 0.06) * h)
    thick = max(1, round(r.uniform(0.01, 0.03) * h))
    colour = ink if roll < 0.85 else tuple(float(v) for v in picture.mean((0, 1)) * 0.7)
    cv2.rectangle(picture, (gap, gap), (w - 1 - gap, h - 1 - gap), colour, thick, cv2.LINE_AA)
    if r.random() < 0.3:  # a frame of plastic or chrome around the plate
        shade = r.choice([20, 40, 150, 200])
        cv2.rectangle(picture, (0, 0), (w - 1, h - 1), (shade, shade, shade), max(1, round(r.uniform(0.03, 0.09) * h)))


def _extras(r: Random, picture: Floats, spec: Spec) -> None:
    """Bolts (over strokes too), the police stamp, a red-flag strip."""
    h, w = picture.shape[:2]
    if r.random() < 0.7:
        y = r.choice([0.1, 0.12, 0.5, 0.85]) * h
        x = r.uniform(0.06, 0.3) * w
        radius = max(1, round(r.uniform(0.02, 0.05) * h))
        shade = r.choice([60, 120, 190, 225])
        for cx in (x, w - x):
            cv2.circle(picture, (round(cx), round(y)), radius, (shade, shade, shade), -1, cv2.LINE_AA)
            cv2.circle(picture, (round(cx), round(y)), radius, (40, 40, 40), 1, cv2.LINE_AA)
    if spec.country == "VN" and r.random() < 0.25:
        cv2.circle(
            picture,
            (round(r.uniform(0.05, 0.95) * w), round(r.choice([0.5, 0.1, 0.9]) * h)),
            max(2, round(0.05 * h)),
            (130, 120, 150),
            1,
        )
    if r.random() < 0.05:
        x, wide = round(r.uniform(0, 0.85) * w), round(r.uniform(0.05, 0.12) * w)
        cv2.rectangle(
            picture, (x, round(r.uniform(0, 0.8) * h)), (x + wide, round(r.uniform(0.1, 1.0) * h)), (30, 30, 210), -1
        )


# ---------------------------------------------------------------- wear


def _patchy(r: Random, height: int, width: int) -> Floats:
    """A slow noise in 0..1, mostly 1: paint that has come off."""
    noise = _clouds(r, height, width, r.choice([8, 16, 30]))
    return np.clip(noise * 3 + r.uniform(0.3, 1.2), 0.25, 1).astype(np.float32)


def _clouds(r: Random, height: int, width: int, cells: int) -> Floats:
    seed = np.random.default_rng(r.getrandbits(32))
    small = seed.normal(0, 0.5, (max(2, height * cells // max(width, 1)) + 1, cells)).astype(np.float32)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)


def wear(r: Random, picture: Floats) -> Floats:
    h, w = picture.shape[:2]
    if r.random() < 0.4:  # mud and dust
        mud = np.float32([r.uniform(40, 130), r.uniform(60, 140), r.uniform(70, 160)])
        cover = np.clip(_clouds(r, h, w, r.choice([4, 9, 20])) + r.uniform(-0.7, 0.1), 0, 1) * r.uniform(0.3, 0.9)
        if r.random() < 0.5:
            cover *= np.linspace(r.uniform(0, 0.6), 1, h, dtype=np.float32)[:, None]
        picture = picture * (1 - cover[..., None]) + mud * cover[..., None]
    if r.random() < 0.15:  # rust runs from the bolts
        x = r.uniform(0.05, 0.95) * w
        cv2.line(
            picture,
            (round(x), round(r.uniform(0, 0.4) * h)),
            (round(x + r.uniform(-4, 4)), h),
            (40, 70, 120),
            r.choice([1, 2, 3]),
        )
    if r.random() < 0.3:  # a shadow's edge
        angle, offset = r.uniform(-1.2, 1.2), r.uniform(-0.3, 0.3)
        xs, ys = np.meshgrid(np.linspace(-0.5, 0.5, w, dtype=np.float32), np.linspace(-0.5, 0.5, h, dtype=np.float32))
        edge = np.clip((ys + xs * angle + offset) * r.choice([4, 15, 60]) + 0.5, 0, 1)
        picture = picture * (1 - edge[..., None] * r.uniform(0.2, 0.65))
    if r.random() < 0.12:  # glare
        xs, ys = np.meshgrid(np.arange(w, dtype=np.float32), np.arange(h, dtype=np.float32))
        d = ((xs - r.uniform(0, w)) / (w * r.uniform(0.08, 0.4))) ** 2 + (
            (ys - r.uniform(0, h)) / (h * r.uniform(0.2, 0.9))
        ) ** 2
        picture = picture + np.exp(-d)[..., None] * r.uniform(60, 190)
    return picture
