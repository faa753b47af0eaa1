"""Sample clips spoilt in a known way: what a badly set camera would have shown of the same vehicle."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import partial
from pathlib import Path

import av
import cv2
import numpy as np

from edge.ports import Image
from edge.vision.capture import clip_frames
from tests.vision.world import SAMPLES

Spoil = Callable[[Image], Image]
FIRST, LAST = 40, 64
"""Frames of the sample clips: the vehicle comes near and stands. 2 s."""
WIDE = (2560, 1440)
NOISE = np.random.default_rng(7).normal(0, 0.7, (720, 1280, 3)).astype(np.float32)


def good(image: Image) -> Image:
    return image


def too_small(image: Image, share: float = 0.31) -> Image:
    """The same lane far away in a wide view."""
    view = cv2.resize(cv2.resize(image, (32, 18), interpolation=cv2.INTER_AREA), WIDE)
    far = cv2.resize(image, None, fx=share, fy=share, interpolation=cv2.INTER_AREA)
    y, x = 700, 1500
    view[y : y + far.shape[0], x : x + far.shape[1]] = far
    return np.asarray(view, np.uint8)


def blurred(image: Image, sigma_px: float = 2.2) -> Image:
    return np.asarray(cv2.GaussianBlur(image, (0, 0), sigma_px), np.uint8)


def dark(image: Image, light: float = 0.022) -> Image:
    return np.clip(np.round(image * np.float32(light) + NOISE), 0, 255).astype(np.uint8)


def tilted(image: Image, angle_deg: float = 32.0) -> Image:
    height, width = image.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), angle_deg, 1)
    return np.asarray(cv2.warpAffine(image, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE), np.uint8)


WORSE: Mapping[str, tuple[Spoil, ...]] = {
    "good": (good,),
    "too_small": tuple(partial(too_small, share=share) for share in (0.42, 0.4, 0.38, 0.36, 0.34, 0.31, 0.29)),
    "blurred": tuple(partial(blurred, sigma_px=sigma_px) for sigma_px in (2.1, 2.2, 2.4, 2.8)),
    "dark": tuple(partial(dark, light=light) for light in (0.04, 0.033, 0.027, 0.022, 0.016)),
    "tilted": tuple(partial(tilted, angle_deg=angle_deg) for angle_deg in (32.0, 38.0, 44.0)),
}
"""Each fault, worse and worse: a better reader needs a worse camera to fail."""


def spoilt(clip: str, into: Path, spoil: Spoil) -> Path:
    """A clip of its own, H.264 at 12.5 frames a second."""
    frames = [frame.image for frame in clip_frames(SAMPLES / f"{clip}.mp4") if FIRST <= frame.number <= LAST]
    with av.open(str(into), "w") as container:
        stream = container.add_stream("libx264", rate=Fraction(25, 2))
        stream.options = {"crf": "14", "preset": "ultrafast"}
        stream.pix_fmt = "yuv420p"
        stream.height, stream.width = spoil(frames[0]).shape[:2]
        for image in frames:
            picture = spoil(image)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
        container.mux(stream.encode(None))
    return into
