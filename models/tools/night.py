"""Night from day: exposure, gain noise, headlights with bloom and ghosts, infrared, sodium and purple tints."""

from __future__ import annotations

from random import Random

import cv2
import numpy as np

from models.tools.draw import Floats, Picture

TINTS = ((0.45, 0.75, 1.25), (1.2, 0.7, 1.1), (1.25, 0.95, 0.8), (0.7, 1.0, 1.15), (1.0, 1.0, 1.0))
"""Sodium, purple (infrared that leaks into the colours), a cold lamp, a warm one, none: factors of blue, green, red."""


def night(r: Random, picture: Picture, quads: list[Floats], headlights: bool | None = None) -> Picture:
    """`picture` (h, w, 3) by night; `quads` (4, 2) are its plates: they shine back some or none of the light."""
    x = picture.astype(np.float32) / 255
    x = np.power(x, r.uniform(1.1, 1.9)) * r.uniform(0.08, 0.45)
    if r.random() < 0.35:
        x = np.repeat((x @ np.float32([0.3, 0.35, 0.35]))[..., None], 3, axis=2)
        x = x * r.uniform(1.2, 2.0)
    else:
        x *= np.float32(r.choice(TINTS))
    for quad in quads:
        _shine(r, x, picture, quad)
    if headlights if headlights is not None else r.random() < 0.6:
        for quad in quads[:1]:
            _lamps(r, x, quad)
    if not quads and r.random() < 0.7:
        h, w = x.shape[:2]
        wide = r.uniform(30, 120)
        at = np.float32([r.uniform(0.1, 0.9) * w, r.uniform(0.3, 0.9) * h])
        _lamps(r, x, at + np.float32([[-1, -0.2], [1, -0.2], [1, 0.2], [-1, 0.2]]) * wide / 2)
    return _gained(r, x)


def _shine(r: Random, x: Floats, picture: Picture, quad: Floats) -> None:
    """The plate's own answer to the light: a retroreflecting ground from as dark as its car to burnt out."""
    mask = np.zeros(x.shape[:2], np.float32)
    cv2.fillPoly(mask, [quad.round().astype(np.int32)], 1.0)
    mask = cv2.GaussianBlur(mask, (0, 0), 0.7)[..., None]
    lit = np.power(picture.astype(np.float32) / 255, 1.2) * r.choice([0.15, 0.3, 0.6, 1.0, r.uniform(1.0, 1.7)])
    np.copyto(x, x * (1 - mask) + np.maximum(lit, x) * mask)


def _lamps(r: Random, x: Floats, quad: Floats) -> None:
    """Two lamps beside and above the plate, with a burnt core, a wide glow, rays, and a ghost through the middle."""
    h, w = x.shape[:2]
    wide, middle = float(np.ptp(quad[:, 0])), quad.mean(0)
    out, up = r.uniform(0.8, 1.9) * wide, r.uniform(-0.1, 0.9) * wide
    tint = np.float32([r.uniform(0.7, 1.1), r.uniform(0.9, 1.0), r.uniform(0.85, 1.1)])
    core, ghost = np.zeros((h, w), np.float32), np.zeros((h, w), np.float32)
    for side in (-1, 1):
        at = (round(float(middle[0]) + side * out), round(float(middle[1]) - up + r.gauss(0, 0.03) * wide))
        size = max(2, round(r.uniform(0.12, 0.4) * wide))
        cv2.circle(core, at, size, r.uniform(1.5, 6.0), -1, cv2.LINE_AA)
        if r.random() < 0.4:  # rays of the lens
            for _ in range(r.choice([2, 4, 6])):
                angle, long = r.uniform(0, 2 * np.pi), size * r.uniform(2, 5)
                end = (round(at[0] + np.cos(angle) * long), round(at[1] + np.sin(angle) * long))
                cv2.line(core, at, end, r.uniform(0.4, 1.2), max(1, size // 6), cv2.LINE_AA)
        if r.random() < 0.5:
            turned = (round(w - at[0] + r.gauss(0, 4)), round(h - at[1] + r.gauss(0, 4)))
            cv2.circle(ghost, turned, max(2, round(size * r.uniform(0.3, 1.2))), r.uniform(0.05, 0.3), -1)
    small = cv2.resize(core, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    near = cv2.GaussianBlur(small, (0, 0), max(1.0, wide * r.uniform(0.02, 0.07)))
    far = cv2.GaussianBlur(small, (0, 0), max(2.0, wide * r.uniform(0.1, 0.3)))
    glow = cv2.resize(near * r.uniform(0.4, 1.1) + far * r.uniform(0.3, 1.4), (w, h))
    x += (np.minimum(core, 3) + glow)[..., None] * tint
    x += ghost[..., None] * np.float32([r.uniform(0.2, 1), r.uniform(0.5, 1), r.uniform(0.2, 1)])


def _gained(r: Random, x: Floats) -> Picture:
    """What the camera makes of so little light: more gain, its noise (shot and read), and a softer picture."""
    gain = r.choice([1.0, 1.5, 2.2, 3.0])
    draw = np.random.default_rng(r.getrandbits(32))
    noise = draw.standard_normal(x.shape[:2] if r.random() < 0.5 else x.shape, np.float32)
    noise = noise if noise.ndim == 3 else noise[..., None]
    x = x * r.uniform(0.8, 1.0) * gain ** r.uniform(0.2, 0.9)
    x = x + noise * (0.004 + 0.02 * np.sqrt(np.maximum(x, 0.0) + 0.02)) * gain
    if r.random() < 0.4:
        x = cv2.GaussianBlur(x, (0, 0), r.uniform(0.4, 0.9))
    return np.clip(x * 255 + r.uniform(0, 12), 0, 255).astype(np.uint8)
