"""Where frames come from: a camera over RTSP (newest frame wins, own thread) or a clip on its own time.

A camera's URL may hold a password, and FFmpeg puts the URL into its error texts: neither is ever logged or passed on.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

import av
from av.codec.context import Flags
from av.container import InputContainer

from edge import clock
from edge.errors import CameraError
from edge.ports import Frame, Image

log = logging.getLogger(__name__)

SourceState = Literal["connecting", "up", "down", "frozen"]

OPEN_TIMEOUT_S = 2.5
READ_TIMEOUT_S = 2.0
SILENT_S = 2.5
"""Without a new frame for so long a camera is down, whatever its connection says: below the 3 s that are promised."""
FROZEN_S = 3.0
BACKOFF_S = (0.2, 0.5, 1.0, 2.0)
BAD_PACKETS_MOST = 50
"""Undecodable packets in a row before the connection is given up: about four seconds at 12.5 frames a second."""


@dataclass(frozen=True, slots=True)
class SourceHealth:
    """`age_ms`: of the newest frame, None when none ever came. `why`: where a state other than up comes from."""

    state: SourceState
    frames_in: int
    dropped: int
    age_ms: int | None
    why: str = ""


class CameraSource:
    """Frames of one RTSP camera (or any URL that FFmpeg reads), reconnecting for ever. One slot: the newest frame wins.

    Decoding runs in the source's own thread; the colour conversion is done only for frames that are taken.
    """

    def __init__(self, url: str, mono_ns: Callable[[], int] = clock.mono_ns) -> None:
        self._url = url
        self._mono_ns = mono_ns
        self._changed = threading.Condition()
        self._slot: tuple[av.VideoFrame, int, int, str] | None = None
        self._closing = threading.Event()
        self._connected = False
        self._frames = 0
        self._dropped = 0
        self._why = ""
        self._started_ns = self._heard_ns = mono_ns()
        self._frame_ns: int | None = None
        self._novel_ns = 0
        self._last_luma: bytes = b""
        self._thread = threading.Thread(target=self._run, name="capture", daemon=True)
        self._thread.start()

    def take(self, timeout_s: float) -> Frame | None:
        """The newest frame not yet taken, or None when none came in time (or the picture could not be converted)."""
        with self._changed:
            self._changed.wait_for(lambda: self._slot is not None or self._closing.is_set(), timeout_s)
            held, self._slot = self._slot, None
        if held is None:
            return None
        picture, number, mono_ns, wall = held
        try:
            return Frame(_bgr(picture), number, mono_ns, wall)
        except (av.FFmpegError, ValueError) as error:
            log.warning("frame %d could not be converted: %s", number, type(error).__name__)
            return None

    def health(self) -> SourceHealth:
        now_ns = self._mono_ns()
        with self._changed:
            age_ns = None if self._frame_ns is None else now_ns - self._frame_ns
            age_ms = None if age_ns is None else age_ns // 1_000_000
            return SourceHealth(self._state(now_ns, age_ns), self._frames, self._dropped, age_ms, self._why)

    def close(self) -> None:
        """Stop; the thread ends with its present packet or time-out and is not waited for beyond that."""
        self._closing.set()
        with self._changed:
            self._changed.notify_all()
        self._thread.join(timeout=READ_TIMEOUT_S + 0.5)

    def _state(self, now_ns: int, age_ns: int | None) -> SourceState:
        silent_ns = now_ns - self._started_ns if age_ns is None else age_ns
        if silent_ns > SILENT_S * 1e9:
            return "down"
        if not self._connected:
            return "connecting" if age_ns is None and not self._why else "down"
        return "frozen" if now_ns - self._novel_ns > FROZEN_S * 1e9 else "up"

    def _run(self) -> None:
        failures = 0
        while not self._closing.is_set():
            before = self._frames
            try:
                self._stream()
            except CameraError as error:
                failures = 0 if self._frames > before else failures + 1
                self._lost(str(error))
            self._closing.wait(BACKOFF_S[min(failures, len(BACKOFF_S) - 1)])

    def _lost(self, why: str) -> None:
        with self._changed:
            if self._connected or why != self._why:
                log.warning("camera: %s", why)
            self._connected, self._why = False, why

    def _stream(self) -> None:
        """Read until the stream ends or fails. Raises CameraError, always."""
        self._heard_ns = self._mono_ns()
        try:
            with _open_url(self._url) as container:
                self._decode(container)
        except (av.FFmpegError, OSError, ValueError) as error:
            # Interrupted by its time-out, FFmpeg reports whatever it was doing ("invalid data").
            late = self._mono_ns() - self._heard_ns > 0.95e9 * min(OPEN_TIMEOUT_S, READ_TIMEOUT_S)
            raise CameraError("no answer in time" if late else _plain(error)) from None
        raise CameraError("the stream ended")

    def _decode(self, container: InputContainer) -> None:
        if not container.streams.video:
            raise CameraError("the stream carries no video")
        stream = container.streams.video[0]
        stream.codec_context.thread_count = 1
        stream.codec_context.flags |= Flags.low_delay
        bad = 0
        for packet in container.demux(stream):
            came_ns, wall = self._mono_ns(), clock.wall_iso()
            self._heard_ns = came_ns
            if self._closing.is_set():
                return
            try:
                pictures = packet.decode()
            except av.FFmpegError as error:
                bad += 1
                if bad > BAD_PACKETS_MOST:
                    raise CameraError("the stream cannot be decoded") from error
                continue
            for picture in pictures:
                bad = 0
                self._offer(picture, came_ns, wall)

    def _offer(self, picture: av.VideoFrame, came_ns: int, wall: str) -> None:
        luma = _sparse_luma(picture)
        with self._changed:
            self._frames += 1
            self._dropped += self._slot is not None
            self._slot = (picture, self._frames, came_ns, wall)
            self._frame_ns = came_ns
            if luma != self._last_luma or not self._connected:
                self._novel_ns, self._last_luma = came_ns, luma
            self._connected, self._why = True, ""
            self._changed.notify_all()


def clip_frames(path: Path) -> Iterator[Frame]:
    """Every frame of a recorded clip on its own time: captured_mono_ns is its pts, the wall time counts from 1970.

    Raises CameraError where the file cannot be opened or its video cannot be read to the end.
    """
    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise CameraError(f"{path}: holds no video")
            for number, picture in enumerate(container.decode(container.streams.video[0]), start=1):
                pts_ns = round((picture.time or 0.0) * 1e9)
                yield Frame(_bgr(picture), number, pts_ns, clock.iso(pts_ns))
    except (av.FFmpegError, OSError, ValueError) as error:
        raise CameraError(f"{path}: {_plain(error)}") from error


def _open_url(url: str) -> InputContainer:
    """TCP only: lost UDP packets are torn pictures. No probing: FFmpeg would hold back seconds of video to guess a
    frame rate that nobody asks for; the first picture then comes after 0.1 s instead of 2.3 s."""
    options = {"probesize": "32", "analyzeduration": "0", "fpsprobesize": "0"}
    if url.startswith(("rtsp://", "rtsps://")):
        options["rtsp_transport"] = "tcp"
    return av.open(url, options=options, timeout=(OPEN_TIMEOUT_S, READ_TIMEOUT_S))


def _plain(error: Exception) -> str:
    """What FFmpeg says went wrong, without the file name that it adds: an RTSP URL may hold a password."""
    return str(getattr(error, "strerror", "") or type(error).__name__)


def _bgr(picture: av.VideoFrame) -> Image:
    return cast("Image", picture.to_ndarray(format="bgr24"))


def _sparse_luma(picture: av.VideoFrame) -> bytes:
    """Every seventeenth sample of the first plane: equal for equal pictures, and no live sensor repeats itself."""
    return bytes(memoryview(picture.planes[0])[::17])
