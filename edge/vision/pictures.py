"""From packets to pictures: what FFmpeg gives, as frames; grey at once, colour when asked for."""

from __future__ import annotations

from typing import cast

import av
import cv2
import numpy as np
from av.codec.context import Flags
from av.video.codeccontext import VideoCodecContext
from av.video.stream import VideoStream

from edge.ports import Frame, Image

PIXELS_MOST = 9_000_000
"""A little over 3840 x 2160. A stream that claims more is damaged, or wants our memory."""


def prepare(codec: VideoCodecContext) -> None:
    codec.thread_count = 1
    codec.flags |= Flags.low_delay
    codec.options = {"max_pixels": str(PIXELS_MOST)}


def decoded(packet: av.Packet[VideoStream]) -> list[av.VideoFrame] | None:
    """The packet's whole pictures; None where it holds none and never will: undecodable, or torn by what was lost."""
    try:
        pictures = packet.decode()
    except av.FFmpegError:
        return None
    whole = [picture for picture in pictures if isinstance(picture, av.VideoFrame) and not picture.is_corrupt]
    return whole if whole or not pictures else None


def plain(error: Exception) -> str:
    """What FFmpeg says went wrong, without the file name that it adds: an RTSP URL may hold a password."""
    return str(getattr(error, "strerror", "") or type(error).__name__)


def frame_of(picture: av.VideoFrame, number: int, mono_ns: int, wall: str) -> Frame:
    return Frame(lambda: _bgr(picture), number, mono_ns, wall, luma_of(picture))


def turned(frame: Frame, degrees: int) -> Frame:
    """The frame as its recorder's display matrix wants it shown: `degrees` counter-clockwise, in quarter turns."""
    quarters = round(degrees / 90) % 4
    if not quarters:
        return frame
    upright = np.ascontiguousarray(np.rot90(frame.image, quarters))
    return Frame(upright, frame.number, frame.captured_mono_ns, frame.captured_at)


def _bgr(picture: av.VideoFrame) -> Image:
    try:
        return cast("Image", picture.to_ndarray(format="bgr24"))
    except av.FFmpegError as error:
        raise ValueError(f"picture cannot be converted: {plain(error)}") from None


def luma_of(picture: av.VideoFrame) -> Image:
    """How bright the picture is, (height, width), as it lies in the decoder's own memory where that has 8 bits."""
    if picture.format.components[0].bits != 8 or picture.format.is_rgb:
        return cast("Image", picture.to_ndarray(format="gray"))
    plane = picture.planes[0]
    rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
    return rows[: picture.height, : picture.width]


def same(luma: Image, other: Image | None) -> bool:
    """Every fourth row, sample by sample: equal only for equal pictures."""
    return other is not None and np.array_equal(luma[::4], other[::4])


GRID = (64, 27)
OSD_SHARE = 1 / 8
EDGE_STEP = 4
"""Grey levels, of 255: noise averaged over a cell of the grid stays far below."""


def edges(luma: Image) -> float:
    """The share of the picture that holds some edge, 0..1, without the strips at the top and the bottom where cameras
    write the time: next to nothing where the lens is covered, or all is black or white."""
    height = luma.shape[0]
    strip = int(height * OSD_SHARE)
    small = cv2.resize(luma[strip : height - strip : 2, ::2], GRID, interpolation=cv2.INTER_AREA).astype(np.int16)
    across, down = np.abs(np.diff(small, axis=1))[:-1], np.abs(np.diff(small, axis=0))[:, :-1]
    return float((np.maximum(across, down) > EDGE_STEP).mean())
