"""What a camera and its stream do to a picture: turn in space, blur, night, noise, scaling, JPEG."""

from __future__ import annotations

from math import cos, radians, sin
from random import Random

import cv2
import numpy as np

from models.tools.draw import Floats, Picture


def project(r: Random, size_mm: tuple[float, float], yaw_deg: float, pitch_deg: float, roll_deg: float) -> Floats:
    """Corners (4, 2), clockwise from the top left, of a plate turned in space before a camera; unit: plate widths."""
    w, h = 1.0, size_mm[1] / size_mm[0]
    flat = np.float32([[-w, -h, 0], [w, -h, 0], [w, h, 0], [-w, h, 0]]) / 2
    a, b, c = radians(yaw_deg), radians(pitch_deg), radians(roll_deg)
    yaw = np.float32([[cos(a), 0, sin(a)], [0, 1, 0], [-sin(a), 0, cos(a)]])
    pitch = np.float32([[1, 0, 0], [0, cos(b), -sin(b)], [0, sin(b), cos(b)]])
    roll = np.float32([[cos(c), -sin(c), 0], [sin(c), cos(c), 0], [0, 0, 1]])
    turned = flat @ (roll @ pitch @ yaw).T
    depth = r.uniform(3.0, 14.0)
    return (turned[:, :2] * depth / (depth + turned[:, 2:])).astype(np.float32)


def angles(r: Random) -> tuple[float, float, float]:
    """(yaw, pitch, roll) in degrees: mostly mild, to 45 at the end."""
    hard = r.random() < 0.25
    yaw = r.uniform(-45, 45) if hard else r.gauss(0, 14)
    pitch = r.uniform(-5, 40) if hard else r.gauss(10, 10)
    return max(-48.0, min(48.0, yaw)), max(-30.0, min(42.0, pitch)), max(-20.0, min(20.0, r.gauss(0, 4.5)))


def blur(r: Random, picture: Picture, strength: float) -> Picture:
    """`strength` scales the blur with the plate's size in the picture (1: about 100 px wide)."""
    roll = r.random()
    if roll < 0.25:
        return picture
    if roll < 0.75:
        return cv2.GaussianBlur(picture, (0, 0), max(0.25, r.uniform(0.3, 1.0) * strength))
    length = max(2, round(r.uniform(2, 4.5) * strength))
    kernel = np.zeros((length, length), np.float32)
    angle = r.choice([0.0, 90.0, r.uniform(0, 180)])
    dx, dy = cos(radians(angle)) * length / 2, sin(radians(angle)) * length / 2
    mid = (length - 1) / 2
    cv2.line(kernel, (round(mid - dx), round(mid - dy)), (round(mid + dx), round(mid + dy)), 1.0)
    return cv2.filter2D(picture, -1, kernel / max(kernel.sum(), 1e-6))


def light(r: Random, picture: Picture) -> Picture:
    """Exposure, contrast, colour cast, night infrared."""
    x = picture.astype(np.float32)
    if r.random() < 0.14:
        weights = np.float32([r.uniform(0.05, 0.4), r.uniform(0.2, 0.6), r.uniform(0.1, 0.6)])
        x = np.repeat((x @ (weights / weights.sum()))[..., None], 3, axis=2)
    elif r.random() < 0.6:
        x *= np.float32([r.uniform(0.78, 1.25), r.uniform(0.85, 1.15), r.uniform(0.78, 1.25)])
    gain = r.uniform(0.35, 0.75) if r.random() < 0.2 else r.uniform(0.75, 1.35)
    x = (x - 128) * r.uniform(0.65, 1.25) + 128
    x = x * gain + r.uniform(-18, 28)
    if r.random() < 0.3:
        x = 255 * np.power(np.clip(x, 0, 255) / 255, r.uniform(0.6, 1.7))
    return np.clip(x, 0, 255).astype(np.uint8)


def sensor(r: Random, picture: Picture) -> Picture:
    """Noise, over-sharpening and JPEG blocks (H.264 stills look alike at this size)."""
    if r.random() < 0.55:
        seed = np.random.default_rng(r.getrandbits(32))
        sigma = r.choice([1.5, 3.0, 5.0, 9.0])
        noise = seed.standard_normal(picture.shape if r.random() < 0.5 else (*picture.shape[:2], 1), np.float32)
        picture = np.clip(picture + noise * sigma, 0, 255).astype(np.uint8)
    if r.random() < 0.2:
        soft = cv2.GaussianBlur(picture, (0, 0), 1.0)
        picture = cv2.addWeighted(picture, 1.8, soft, -0.8, 0)
    if r.random() < 0.65:
        quality = r.choice([30, 42, 55, 70, 85, 93])
        picture = cv2.imdecode(cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], cv2.IMREAD_COLOR)
    return picture
