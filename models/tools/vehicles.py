"""Cars, trucks, trailers and motorbikes as a camera at a gate sees them, drawn in 2-D around the place of a plate."""

from __future__ import annotations

from random import Random

import cv2
import numpy as np

from models.tools.backdrop import colour, paint, painted_plate, phrase, stripes, write

Canvas = np.ndarray


def _rect(c: Canvas, x0: float, y0: float, x1: float, y1: float, shade: tuple[float, ...], thick: int = -1) -> None:
    cv2.rectangle(c, (round(x0), round(y0)), (round(x1), round(y1)), shade, thick)


def _poly(c: Canvas, points: list[tuple[float, float]], shade: tuple[float, ...]) -> None:
    cv2.fillPoly(c, [np.array(points, np.float32).round().astype(np.int32)], shade, cv2.LINE_AA)


def _darker(shade: tuple[float, ...], by: float) -> tuple[float, ...]:
    return tuple(min(255.0, v * by) for v in shade)


def _grille(r: Random, c: Canvas, x0: float, y0: float, x1: float, y1: float) -> None:
    """Slats or mesh in dark and chrome: close to the strokes of a plate."""
    _rect(c, x0, y0, x1, y1, colour(r, 5, 60))
    light = [r.uniform(60, 230)] * 3
    count = r.randrange(3, 9)
    if r.random() < 0.65:
        for i in range(1, count):
            y = y0 + (y1 - y0) * i / count
            cv2.line(
                c,
                (round(x0), round(y)),
                (round(x1), round(y)),
                light,
                max(1, round((y1 - y0) / count * r.uniform(0.15, 0.5))),
            )
    else:
        count *= 3
        for i in range(1, count):
            x = x0 + (x1 - x0) * i / count
            cv2.line(c, (round(x), round(y0)), (round(x + r.uniform(-3, 3)), round(y1)), light, 1)


def _lamps(r: Random, c: Canvas, cx: float, y: float, half: float, size: float, red: bool) -> None:
    shade = (r.uniform(20, 80), r.uniform(10, 60), r.uniform(130, 255)) if red else [r.uniform(120, 255)] * 3
    ratio, slant = r.uniform(0.35, 0.9), r.uniform(-25, 25)
    for side in (-1, 1):
        x = cx + side * half * r.uniform(0.78, 0.86)
        axes = (max(2, round(size)), max(2, round(size * ratio)))
        cv2.ellipse(c, (round(x), round(y)), axes, side * slant, 0, 360, shade, -1, cv2.LINE_AA)
        cv2.ellipse(c, (round(x), round(y)), axes, side * slant, 0, 360, [r.uniform(20, 120)] * 3, 1, cv2.LINE_AA)
        if r.random() < 0.4:
            cv2.circle(c, (round(x), round(y)), max(1, round(size * 0.35)), (255, 255, 255), -1, cv2.LINE_AA)


def car(r: Random, c: Canvas, cx: float, cy: float, plate_w: float, scale: float) -> None:
    """A car's front or rear; `scale` is px per plate width unit, (cx, cy) the plate's middle."""
    half = plate_w * r.uniform(1.55, 2.1)
    body, rear = paint(r), r.random() < 0.45
    roof, waist = cy - half * r.uniform(1.1, 1.6), cy - half * r.uniform(0.6, 0.85)
    low = cy + half * r.uniform(0.12, 0.35)
    _rect(c, cx - half * 1.05, low - half * 0.1, cx + half * 1.05, low + half * r.uniform(0.1, 0.25), colour(r, 5, 45))
    _cabin(r, c, cx, half, roof, waist, body)
    _poly(c, [(cx - half, waist), (cx + half, waist), (cx + half * 1.03, low), (cx - half * 1.03, low)], body)
    _rect(c, cx - half * 1.0, cy + half * 0.05, cx + half * 1.0, low, _darker(body, r.uniform(0.4, 1.0)))
    if not rear or r.random() < 0.3:
        width = half * r.uniform(0.35, 0.85)
        _grille(r, c, cx - width, cy - half * r.uniform(0.3, 0.5), cx + width, cy - half * r.uniform(0.0, 0.12))
        if r.random() < 0.5:
            _grille(r, c, cx - width, cy - plate_w * 0.2, cx + width, low)
    else:
        wide, tall = plate_w * 0.65, plate_w * 0.3
        _rect(c, cx - wide, cy - tall, cx + wide, cy + tall, _darker(body, r.uniform(0.5, 0.95)))
    _lamps(r, c, cx, cy - half * r.uniform(0.2, 0.45), half, half * r.uniform(0.1, 0.22), rear)
    _badges(r, c, cx, cy, half)


def _cabin(r: Random, c: Canvas, cx: float, half: float, roof: float, waist: float, body: tuple[float, ...]) -> None:
    """Roof and window."""
    for top, low, y, shade in (
        (0.72, 0.95, roof, _darker(body, 0.9)),
        (0.62, 0.82, roof + half * 0.08, colour(r, 10, 90)),
    ):
        _taper(c, cx, half * top, y, half * low, waist, shade)


def _badges(r: Random, c: Canvas, cx: float, cy: float, half: float) -> None:
    """The maker's mark in the middle, the model's name beside it."""
    if r.random() < 0.6:
        at = (round(cx), round(cy - half * r.uniform(0.3, 0.5)))
        cv2.circle(c, at, max(1, round(half * 0.06)), [r.uniform(120, 240)] * 3, r.choice([-1, 1]))
    if r.random() < 0.3:
        name = r.choice(["CAMRY", "KIA", "HONDA", "VIOS", "MAZDA", "奇瑞", "长安", "2.0 AT"])
        at, tall = (round(cx + half * 0.3), round(cy - half * 0.5)), max(4, round(half * 0.07))
        write(r, c, name, *at, tall, [r.uniform(0, 255)] * 3)


def truck(r: Random, c: Canvas, cx: float, cy: float, plate_w: float, scale: float) -> None:
    """A cab's front, with lamps, steps and slogans; the plate hangs anywhere along the bumper."""
    half = plate_w * r.uniform(2.1, 3.4)
    mid = cx + r.uniform(-0.5, 0.5) * half
    body = paint(r)
    top, low = cy - half * r.uniform(1.6, 2.6), cy + half * r.uniform(0.1, 0.3)
    _rect(c, mid - half, top, mid + half, low, body)
    _rect(c, mid - half * 0.9, top + half * 0.2, mid + half * 0.9, top + half * r.uniform(0.8, 1.1), colour(r, 10, 90))
    if r.random() < 0.8:
        _grille(
            r,
            c,
            mid - half * r.uniform(0.4, 0.8),
            cy - half * r.uniform(0.55, 0.8),
            mid + half * r.uniform(0.4, 0.8),
            cy - half * r.uniform(0.2, 0.3),
        )
    bumper = _darker(body, r.uniform(0.5, 1.2)) if r.random() < 0.6 else tuple([r.uniform(30, 200)] * 3)
    _rect(c, mid - half * 1.02, cy - half * 0.18, mid + half * 1.02, low, bumper)
    _lamps(r, c, mid, cy - half * r.uniform(-0.05, 0.2), half, half * r.uniform(0.08, 0.17), False)
    _rect(c, mid - half, low, mid + half, low + half * 0.2, (15, 15, 15))
    for _ in range(r.randrange(0, 3)):
        text = painted_plate(r) if r.random() < 0.3 else phrase(r)
        write(
            r,
            c,
            text,
            round(mid - half * r.uniform(0.2, 0.9)),
            round(cy - half * r.uniform(0.3, 1.4)),
            max(5, round(half * r.uniform(0.06, 0.2))),
            colour(r),
        )


def tail(r: Random, c: Canvas, cx: float, cy: float, plate_w: float, scale: float) -> None:
    """The rear of a truck or trailer: doors, tape, a plate number painted large, wheels, lamps."""
    half = plate_w * r.uniform(2.2, 3.2)
    mid, body = cx + r.uniform(-0.6, 0.6) * half, paint(r)
    top, low = cy - half * r.uniform(1.5, 2.8), cy - half * r.uniform(0.1, 0.25)
    _rect(c, mid - half, top, mid + half, low, body)
    for i in range(r.randrange(2, 9)):
        x = mid - half + 2 * half * i / 8
        cv2.line(
            c, (round(x), round(top)), (round(x), round(low)), _darker(body, r.uniform(0.6, 1.2)), r.choice([1, 2])
        )
    _rect(c, mid - half, low, mid + half, cy + half * 0.35, colour(r, 10, 70))
    for side in (-1, 1):
        _rect(
            c,
            mid + side * half * 0.9 - half * 0.12,
            cy + half * 0.1,
            mid + side * half * 0.9 + half * 0.12,
            cy + half * 0.6,
            (18, 18, 18),
        )
    _lamps(r, c, mid, cy, half, half * r.uniform(0.06, 0.12), True)
    if r.random() < 0.6:
        stripes(r, c, round(mid - half), round(low - half * 0.12), round(2 * half), max(2, round(half * 0.07)))
    if r.random() < 0.75:
        tall = max(6, round(half * r.uniform(0.15, 0.35)))
        write(
            r,
            c,
            painted_plate(r),
            round(mid - half * 0.8),
            round(top + (low - top) * r.uniform(0.1, 0.7)),
            tall,
            colour(r),
        )
    for _ in range(r.randrange(0, 3)):
        write(
            r,
            c,
            phrase(r),
            round(mid - half * 0.9),
            round(top + (low - top) * r.random()),
            max(5, round(half * r.uniform(0.06, 0.14))),
            colour(r),
        )


def bike(r: Random, c: Canvas, cx: float, cy: float, plate_w: float, scale: float) -> None:
    """A motorbike's rear: lamp above, mudguard and wheel below, exhaust beside, legs of the rider."""
    unit = plate_w
    body = paint(r)
    _rect(c, cx - unit * 0.25, cy + unit * 0.2, cx + unit * 0.25, cy + unit * r.uniform(1.2, 2.2), (20, 20, 22))
    _taper(c, cx, unit * 0.9, cy - unit * 1.7, unit * 0.55, cy - unit * 0.3, body)
    red = (r.uniform(20, 160), r.uniform(20, 120), r.uniform(170, 255))
    lamp = (round(cx), round(cy - unit * r.uniform(0.8, 1.2)))
    cv2.ellipse(c, lamp, (max(2, round(unit * 0.4)), max(2, round(unit * 0.2))), 0, 0, 360, red, -1, cv2.LINE_AA)
    for side in (-1, 1):
        _beside(r, c, cx, cy, unit, side)
    start, end = (round(cx + unit * 0.6), round(cy + unit * 0.1)), (round(cx + unit * 1.0), round(cy + unit * 1.0))
    cv2.line(c, start, end, [r.uniform(30, 190)] * 3, max(2, round(unit * 0.3)))
    _rect(c, cx - unit * 0.3, cy - unit * 0.5, cx + unit * 0.3, cy + unit * 0.6, (25, 25, 28))
    if r.random() < 0.3:
        _taper(c, cx, unit * 0.15, cy + unit * 0.7, unit * 0.2, cy + unit * 1.0, (235, 235, 235))


def _taper(
    c: Canvas, cx: float, top_half: float, top: float, low_half: float, low: float, shade: tuple[float, ...]
) -> None:
    _poly(c, [(cx - top_half, top), (cx + top_half, top), (cx + low_half, low), (cx - low_half, low)], shade)


def _beside(r: Random, c: Canvas, cx: float, cy: float, unit: float, side: int) -> None:
    """On one side of the bike: the indicator, at times the rider's leg."""
    lamp = (round(cx + side * unit * 0.75), round(cy - unit * 0.9))
    cv2.circle(c, lamp, max(2, round(unit * 0.15)), (40, r.uniform(90, 190), 240), -1)
    if r.random() < 0.6:
        hip = (round(cx + side * unit), round(cy - unit * 2.2))
        foot = (round(cx + side * unit * 1.2), round(cy + unit * 0.4))
        cv2.line(c, hip, foot, colour(r, 10, 140), max(2, round(unit * 0.4)))


def bare(r: Random, c: Canvas, cx: float, cy: float, plate_w: float, scale: float) -> None:
    """No vehicle to be made out: a plate on something."""
    if r.random() < 0.5:
        w, h = plate_w * r.uniform(0.6, 2.5), plate_w * r.uniform(0.4, 1.6)
        _rect(c, cx - w, cy - h, cx + w, cy + h, paint(r))
