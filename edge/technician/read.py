"""`barie read`: the plates on still images, one JSON line for each image; a bad file costs its own line only."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import av
import cv2
import numpy as np
import PIL.Image
from av.video.codeccontext import VideoCodecContext

from edge.core.model import PlateRead
from edge.errors import BarieError
from edge.ports import Detector, Image, Reader
from edge.vision import models

READER = "own"
LARGEST_BYTES = 64 * 1024 * 1024
LARGEST_PIXELS = 60_000_000
ORIENTATION = 0x0112
"""EXIF's tag of how the camera was held."""


class ImageError(BarieError):
    """A file that is not a usable image; says what it is instead."""


def run(images: Sequence[Path], reader: str | None = None, threads: int = 2) -> int:
    """Print one line for each image, in order. Returns 0, or 1 where an image could not be read. Raises ModelError."""
    detector, plate_reader = models.build(reader or READER, threads=threads)
    failed = False
    for path in images:
        line = read_one(path, detector, plate_reader)
        failed = failed or "error" in line
        print(json.dumps(line, ensure_ascii=False), flush=True)
    return 1 if failed else 0


def read_one(path: Path, detector: Detector, reader: Reader) -> dict[str, Any]:
    """The image's line: `image`, `ms` (of the models, not of decoding) and `plates`; or `image` and `error`."""
    try:
        image = load(path)
    except ImageError as error:
        return {"image": str(path), "error": str(error)}
    began_s = time.perf_counter()
    reads = reader.read(image, detector.detect(image))
    took_ms = round((time.perf_counter() - began_s) * 1000, 1)
    return {"image": str(path), "ms": took_ms, "plates": [_plate(read) for read in reads if read is not None]}


def load(path: Path) -> Image:
    """The image in BGR as a person sees it: turned as its EXIF says, grey and 16-bit made colour, alpha laid on white.

    Raises ImageError for a file that is missing, empty, too large, truncated or no image.
    """
    try:
        if path.stat().st_size > LARGEST_BYTES:
            raise ImageError(f"larger than {LARGEST_BYTES // 2**20} MiB")
        data = path.read_bytes()
    except OSError as error:
        raise ImageError(f"cannot be read: {error.strerror}") from error
    if not data:
        raise ImageError("the file is empty")
    _check_whole(data)
    buffer = np.frombuffer(data, np.uint8)
    try:
        # IMREAD_UNCHANGED keeps alpha, but not the EXIF turn; the colour decoder turns, but drops alpha.
        found = cv2.imdecode(buffer, cv2.IMREAD_UNCHANGED)
        if found is not None and found.ndim == 3 and found.shape[2] == 4:
            found = _upright(data, found)
        elif found is not None:
            found = cv2.imdecode(buffer, cv2.IMREAD_COLOR)
    except cv2.error as error:
        raise ImageError(f"cannot be decoded: {str(error.err).strip() or 'damaged'}") from error
    if found is None:
        raise ImageError("not an image, or a damaged one")
    if found.shape[0] * found.shape[1] > LARGEST_PIXELS:
        raise ImageError(f"{found.shape[1]}x{found.shape[0]} pixels are more than {LARGEST_PIXELS // 10**6} million")
    return _bgr(np.asarray(found))


def _check_whole(data: bytes) -> None:
    """Decoders fill what is missing with grey and say nothing: half a picture would look like "no plate". FFmpeg's
    tells where it is asked to; what a phone writes behind the end does not disturb it. The last bytes prove nothing."""
    for start, name, codec in ((b"\xff\xd8", "JPEG", "mjpeg"), (b"\x89PNG\r\n\x1a\n", "PNG", "png")):
        if data.startswith(start) and not _decodes(data, codec):
            raise ImageError(f"truncated {name}, or a damaged one: it cannot be decoded to its end")


def _decodes(data: bytes, codec: str) -> bool:
    decoder = cast("VideoCodecContext", av.CodecContext.create(codec, "r"))
    decoder.options = {"err_detect": "explode"}
    try:
        pictures = [*decoder.decode(av.Packet(data)), *decoder.decode(None)]
    except av.FFmpegError:
        return False
    return any(isinstance(picture, av.VideoFrame) and not picture.is_corrupt for picture in pictures)


def _upright(data: bytes, image: np.ndarray[Any, np.dtype[Any]]) -> np.ndarray[Any, np.dtype[Any]]:
    """An image decoded with its alpha, turned as its EXIF says (orientations 2 to 8 of the EXIF standard)."""
    try:
        with PIL.Image.open(io.BytesIO(data)) as opened:
            way = opened.getexif().get(ORIENTATION, 1)
    except (OSError, ValueError, SyntaxError):  # a kind that Pillow does not know, or EXIF that is none
        return image
    if way in (5, 6, 7, 8):
        image = image.transpose(1, 0, 2)
    if way in (2, 3, 6, 7):
        image = image[:, ::-1]
    if way in (3, 4, 7, 8):
        image = image[::-1]
    return np.ascontiguousarray(image)


def _bgr(image: np.ndarray[Any, Any]) -> Image:
    if image.dtype != np.uint8:
        image = (image.astype(np.float32) / np.iinfo(image.dtype).max * 255).astype(np.uint8)
    if image.ndim == 2:
        return np.asarray(cv2.cvtColor(image, cv2.COLOR_GRAY2BGR), np.uint8)
    if image.shape[2] == 4:
        alpha = image[..., 3:].astype(np.float32) / 255
        return np.asarray(image[..., :3] * alpha + 255 * (1 - alpha), np.uint8)
    return np.asarray(image, np.uint8)


def _plate(read: PlateRead) -> dict[str, Any]:
    plate = read.plate
    return {
        "text": plate.text,
        "raw": plate.raw,
        "confidence": round(plate.confidence, 4),
        "country": plate.country,
        "kind": plate.kind,
        "layout": plate.layout,
        "ground": plate.ground,
        "box": [round(v, 1) for v in read.box],
        "whole": read.whole,
        "corners": [[round(x, 1), round(y, 1)] for x, y in read.corners],
    }
