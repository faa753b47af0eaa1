"""Where a technician's frames come from: a clip, a photo that is held for a moment, a live camera."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from edge import clock
from edge.agent.cameras.site_clips import STILL
from edge.errors import CameraError
from edge.ports import Frame, Image
from edge.vision.capture import CameraSource, clip_frames

FPS, SECONDS = 12.5, 2.4
FIRST_WITHIN_S = 20.0
"""A camera that has just got power takes so long until its first picture."""
GRAIN = 2
"""Grey levels at most: without any, each look would be the very same one."""


def frames_of(path: Path) -> Iterator[Frame]:
    """Each on its own time; the same file gives the same frames. A photo is held with a camera's grain on it. Raises
    CameraError."""
    return _held(path) if path.name.endswith(STILL) else clip_frames(path)


def live_frames(source: CameraSource, seconds: float) -> Iterator[Frame]:
    """What a live camera shows for so long after its first picture, on a time that begins with it. Raises CameraError
    where none comes; never names its address, which may hold a password."""
    first_ns: int | None = None
    ends_s = clock.mono_s() + FIRST_WITHIN_S
    while clock.mono_s() < ends_s:
        frame = source.take(0.5)
        if frame is None:
            continue
        if first_ns is None:
            first_ns, ends_s = frame.captured_mono_ns, clock.mono_s() + seconds
        frame.captured_mono_ns -= first_ns
        yield frame
    if first_ns is None:
        why = source.health().why or "is the camera on?"
        raise CameraError(f"live stream: no picture within {FIRST_WITHIN_S:.0f} s: {why}")


def _held(path: Path) -> Iterator[Frame]:
    try:
        found = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_COLOR)
    except (OSError, cv2.error) as error:
        raise CameraError(f"{path}: cannot be read: {error}") from error
    if found is None:
        raise CameraError(f"{path}: is no picture, or a damaged one")
    noise = np.random.default_rng(1)
    for number in range(round(FPS * SECONDS)):
        at_ns = round(number / FPS * 1e9)
        yield Frame(_grainy(np.asarray(found, np.uint8), noise), number + 1, at_ns, clock.iso(at_ns))


def _grainy(image: Image, noise: np.random.Generator) -> Image:
    grain = noise.integers(-GRAIN, GRAIN + 1, (*image.shape[:2], 1), np.int16)
    return np.asarray(np.clip(image.astype(np.int16) + grain, 0, 255), np.uint8)
