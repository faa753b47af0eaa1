"""What a technician wants to know of a plate's picture, measured: size, tilt, sharpness, light, contrast, glare.

Works on the frame's own pixels, before any correction. Nothing here knows a model or a clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import atan2, degrees

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.core.camera.measured_plate import PlateSight
from edge.core.model import PlateRead, Point
from edge.core.plate.vote import USUAL
from edge.ports import Detection, Frame, Image

Floats = NDArray[np.float32]

FINE_PX, COARSE_PX = 0.8, 1.6
"""The two scales at which an edge's slope is looked at; their ratio tells how soft the edge was before."""
EDGES = 0.06
"""Share of the crop's pixels that count as edges: the steepest ones."""
SOFTEST_PX = 8.0
BURNT = 252


@dataclass(frozen=True, slots=True)
class Looks:
    """Of a crop: `blur_px` is the Gaussian sigma of the softer direction's edges, `smear` upright over level edges."""

    blur_px: float
    smear: float
    contrast: float
    light: float
    glare: float


def size_and_tilt(corners: Sequence[Point]) -> tuple[float, float]:
    """Height in px between the plate's upper and lower edge, and how far these are from level, in degrees (clockwise
    on the screen is positive). `corners` (4, 2) clockwise from the top left."""
    a, b, c, d = np.asarray(corners, np.float64)
    along = (b - a) + (c - d)
    down = (d - a) + (c - b)
    length = float(np.hypot(*along)) or 1.0
    height = abs(float(along[0] * down[1] - along[1] * down[0])) / length / 2
    return height, degrees(atan2(along[1], along[0]))


def edge_width(grey: Floats, axis: int) -> float:
    """Gaussian sigma in px of the steepest edges across one direction (axis 1: upright edges, seen along x).

    After Zhuo and Sim, "Defocus map estimation from a single image", Pattern Recognition 44 (2011): blurring an edge of
    width s once more by a known amount lowers its slope by a ratio that depends on s alone.
    """
    fine, coarse = (_slope(grey, axis, sigma) for sigma in (FINE_PX, COARSE_PX))
    least = float(np.quantile(fine, 1 - EDGES))
    edges = (fine >= max(least, 1e-3)) & (coarse > 1e-3)
    if not edges.any():
        return SOFTEST_PX
    ratio = float(np.median(fine[edges] / coarse[edges])) ** 2
    if ratio <= 1.0:
        return SOFTEST_PX
    squared = (COARSE_PX**2 - ratio * FINE_PX**2) / (ratio - 1)
    return float(min(SOFTEST_PX, np.sqrt(max(0.0, squared))))


def _slope(grey: Floats, axis: int, sigma: float) -> Floats:
    smooth = cv2.GaussianBlur(grey, (0, 0), sigma)
    along = (1, 0) if axis == 1 else (0, 1)
    return np.abs(np.asarray(cv2.Sobel(smooth, cv2.CV_32F, *along, ksize=1), np.float32))


def looks(crop: Image, around: Image) -> Looks:
    """`crop` (h, w, 3) BGR is the plate, `around` the plate with what surrounds it."""
    grey = np.asarray(cv2.cvtColor(crop, cv2.COLOR_BGR2GRAY), np.float32)
    upright, level = edge_width(grey, 1), edge_width(grey, 0)
    ink, ground = (float(value) for value in np.percentile(grey, (8, 90)))
    return Looks(
        blur_px=max(upright, level),
        smear=upright / max(level, 0.3),
        contrast=(ground - ink) / max(ground + ink, 1.0),
        light=ground,
        glare=float((around.min(axis=2) >= BURNT).mean()) if around.size else 0.0,
    )


def sight(frame: Frame, detection: Detection, read: PlateRead | None, sure: float = USUAL.sure) -> PlateSight:
    """Everything about one detection in the frame that it was found in. `sure`: what its reader's vote asks for."""
    corners = read.corners if read is not None else detection.corners
    height_px, tilt_deg = size_and_tilt(corners)
    seen = looks(_part(frame.image, corners, 0.0), _part(frame.image, corners, 0.6))
    plate = read.plate if read is not None else None
    height, width = frame.image.shape[:2]
    return PlateSight(
        at_s=round(frame.captured_mono_ns / 1e9, 3),
        size=(width, height),
        corners=corners,
        layout=plate.layout if plate is not None and plate.layout != "unknown" else detection.layout,
        height_px=round(height_px, 1),
        tilt_deg=round(tilt_deg, 1),
        blur_px=round(seen.blur_px, 2),
        smear=round(seen.smear, 2),
        contrast=round(seen.contrast, 3),
        light=round(seen.light, 1),
        glare=round(seen.glare, 3),
        text=plate.text if plate is not None else "",
        kind=plate.kind if plate is not None else "other",
        confidence=round(plate.confidence, 3) if plate is not None else 0.0,
        sure=sure,
    )


def _part(image: Image, corners: Sequence[Point], more: float) -> Image:
    """The upright hull of the corners, grown by `more` of its size on every side, inside the frame, 8 px at least."""
    points = np.asarray(corners, np.float64)
    low, high = points.min(0), points.max(0)
    grown = (high - low) * more
    limit = np.array([image.shape[1], image.shape[0]])
    x1, y1 = np.clip(np.floor(low - grown), 0, limit - 8).astype(int)
    x2, y2 = np.clip(np.ceil(high + grown), [x1 + 8, y1 + 8], limit).astype(int)
    return image[y1:y2, x1:x2]
