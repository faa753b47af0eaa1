"""The camera of the sample clips: one pinhole that Blender and the 2-D stage share.

Metres; x to the right, y away from the camera, z up. Pixels of the 1280x720 picture.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

SIZE = (1280, 720)
EYE = np.array([-2.35, 0.0, 2.9])
TARGET = np.array([0.0, 8.6, 1.25])
FOCAL_PX = 2050.0
NEAR_M = 0.3


def axes() -> Floats:
    """Rows: right, down, forward."""
    forward = (TARGET - EYE) / np.linalg.norm(TARGET - EYE)
    right = np.cross(forward, [0.0, 0.0, 1.0])
    right /= np.linalg.norm(right)
    return np.stack([right, np.cross(forward, right), forward])


def project(points: object) -> Floats | None:
    """Pixels (N, 2) of world points (N, 3); None where one of them is not in front of the camera."""
    seen = (np.asarray(points, float).reshape(-1, 3) - EYE) @ axes().T
    if (seen[:, 2] < NEAR_M).any():
        return None
    flat: Floats = seen[:, :2] / seen[:, 2:] * FOCAL_PX + np.array(SIZE) / 2
    return flat


def hull(corners: object) -> tuple[int, int, int, int] | None:
    """The pixel box on the picture of a solid given by the corners of its own box ((x, x), (y, y), (z, z)), cut at the
    near plane; None where none of it is on the picture."""
    (x1, x2), (y1, y2), (z1, z2) = corners  # type: ignore[misc]
    steps = np.linspace(0, 1, 60)
    edges = [[x, y1 + (y2 - y1) * step, z] for x in (x1, x2) for z in (z1, z2) for step in steps]
    seen = (np.array(edges) - EYE) @ axes().T
    seen = seen[seen[:, 2] >= NEAR_M]
    if not len(seen):
        return None
    flat = seen[:, :2] / seen[:, 2:] * FOCAL_PX + np.array(SIZE) / 2
    low, high = np.floor(flat.min(0)).astype(int) - 4, np.ceil(flat.max(0)).astype(int) + 4
    x1, y1 = max(0, int(low[0])), max(0, int(low[1]))
    x2, y2 = min(SIZE[0], int(high[0])), min(SIZE[1], int(high[1]))
    return (x1, y1, x2, y2) if x2 - x1 > 4 and y2 - y1 > 4 else None
