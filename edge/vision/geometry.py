"""From four corners in a frame to an upright crop. Pure geometry on numpy arrays; knows no model."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Image = NDArray[np.uint8]

MARGIN_X, MARGIN_Y = 0.035, 0.07
"""How much wider and taller than the plate the reader's crop is, on each side: part of the reader's weights."""


def grow(corners: Floats, margin_x: float, margin_y: float) -> Floats:
    """Corners (4, 2), clockwise from the top left, moved outwards along its sides by shares of width and height."""
    top_left, top_right, low_right, low_left = corners
    along_top, along_low = (top_right - top_left) * margin_x, (low_right - low_left) * margin_x
    down_left, down_right = (low_left - top_left) * margin_y, (low_right - top_right) * margin_y
    return np.array(
        [
            top_left - along_top - down_left,
            top_right + along_top - down_right,
            low_right + along_low + down_right,
            low_left - along_low + down_left,
        ],
        np.float32,
    )


def rectify(
    image: Image, corners: Floats, size: tuple[int, int], margin_x: float = MARGIN_X, margin_y: float = MARGIN_Y
) -> tuple[Image, NDArray[np.float64]]:
    """The plate as seen from straight ahead, `size` = (width, height) px, and the 3x3 matrix from frame to crop pixels.

    `corners` (4, 2) in frame pixels, clockwise from the top left. What lies beyond the frame repeats its edge.
    """
    quad = grow(np.asarray(corners, np.float32), margin_x, margin_y)
    width, height = size
    target = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    source, offset, scale = _near(image, quad, size)
    matrix = cv2.getPerspectiveTransform((quad - offset) * scale, target)
    crop = cv2.warpPerspective(source, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    move = np.array([[scale, 0, -offset[0] * scale], [0, scale, -offset[1] * scale], [0, 0, 1]], np.float64)
    return np.asarray(crop, np.uint8), matrix @ move


def _near(image: Image, quad: Floats, size: tuple[int, int]) -> tuple[Image, Floats, float]:
    """The part of the frame around the quad, averaged down where it is far larger than the crop, against aliasing."""
    height, width = image.shape[:2]
    low = np.clip(np.floor(quad.min(0)) - 2, 0, [width - 1, height - 1]).astype(int)
    high = np.clip(np.ceil(quad.max(0)) + 2, low + 1, [width, height]).astype(int)
    part = image[low[1] : high[1], low[0] : high[0]]
    scale = size[0] / max(1.0, float(np.linalg.norm(quad[1] - quad[0])))
    if scale > 0.6:
        return part, low.astype(np.float32), 1.0
    scale = max(scale * 1.25, 2.0 / min(part.shape[:2]))
    small = cv2.resize(part, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8), low.astype(np.float32), scale


def as_corners(box: Sequence[float]) -> Floats:
    """An upright box (x1, y1, x2, y2) as four corners, clockwise from the top left."""
    x1, y1, x2, y2 = box
    return np.array([[x1, y1], [x2, y1], [x2, y2], [x1, y2]], np.float32)
