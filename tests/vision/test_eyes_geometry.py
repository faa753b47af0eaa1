"""Rectifying a plate from its four corners."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from edge.vision.geometry import as_corners, grow, rectify

QUAD = np.array([[60, 40], [180, 70], [176, 130], [52, 96]], np.float32)


def test_corners_land_on_the_margins_of_the_crop() -> None:
    image = np.zeros((200, 240, 3), np.uint8)
    _, matrix = rectify(image, QUAD, (160, 48), 0.05, 0.1)
    moved = cv2.perspectiveTransform(grow(QUAD, 0.05, 0.1)[None], matrix)[0]
    assert np.allclose(moved, [[0, 0], [160, 0], [160, 48], [0, 48]], atol=0.01)


def test_a_slanted_plate_comes_out_upright() -> None:
    image = np.zeros((200, 240, 3), np.uint8)
    cv2.fillPoly(image, [QUAD.astype(np.int32)], (255, 255, 255))
    crop, _ = rectify(image, QUAD, (160, 48), 0.0, 0.0)
    assert crop.shape == (48, 160, 3)
    assert crop[4:-4, 4:-4].min() > 250


@pytest.mark.parametrize("scale", [4, 15])
def test_a_large_plate_is_averaged_not_sampled(scale: int) -> None:
    """One-pixel stripes, far finer than the crop, become an even grey."""
    image = np.zeros((60 * scale, 200 * scale, 3), np.uint8)
    image[:, ::2] = 255
    corners = as_corners((10 * scale, 6 * scale, 190 * scale, 54 * scale))
    crop, matrix = rectify(image, corners, (160, 48), 0.0, 0.0)
    assert crop.std() < 12
    moved = cv2.perspectiveTransform(corners[None], matrix)[0]
    assert np.allclose(moved, [[0, 0], [160, 0], [160, 48], [0, 48]], atol=0.01)


def test_corners_beyond_the_frame_repeat_its_edge() -> None:
    image = np.full((50, 50, 3), 90, np.uint8)
    crop, _ = rectify(image, as_corners((-40, -10, 80, 45)), (160, 48))
    assert (crop == 90).all()


def test_corners_wholly_outside_still_give_a_crop() -> None:
    crop, _ = rectify(np.full((50, 50, 3), 90, np.uint8), as_corners((300, 300, 380, 330)), (160, 48))
    assert crop.shape == (48, 160, 3)
