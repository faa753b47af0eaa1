"""Where frames come from: a camera over RTSP (newest frame wins, own thread) or a clip on its own time.

A camera's URL may hold a password, and FFmpeg puts the URL into its error texts: neither is ever logged or passed on.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from edge import clock
from edge.core.camera.stream import Arrived, Stream
from edge.errors import CameraError, ClipCutError
from edge.ports import Frame, Image
from edge.vision.pictures import PIXELS_MOST, decoded, edges, frame_of, luma_of, plain, prepare, same, turned

log = logging.getLogger(__name__)

SourceState = Literal["connecting", "up", "down", "frozen", "blind"]
"""`frozen`: pictures come, and the camera repeats itself. `blind`: they show nothing (covered, black, white)."""
Transport = Literal["tcp", "udp"]

OPEN_TIMEOUT_S = 8.0
"""A camera that has just got power takes callers long before it has a picture; meanwhile it is shown as down."""
READ_TIMEOUT_S = 4.0
SILENT_S = 2.4
"""Without a new frame for so long a camera is down, whatever its connection says: below the 3 s that are promised."""
LOOK_EVERY_S = 0.25
"""So often it is looked whether the picture shows anything at all."""
STARVED_S = 8.0
"""Packets without a picture for so long, and the connection is given up: longer than a camera's pause between two key
frames, without which no decoder can begin."""
BACKOFF_S = (0.2, 0.5, 1.0, 2.0)
REFUSED, REFUSED_S = "401", 30.0
"""Many cameras lock an account after a handful of wrong passwords: ours is tried again only so often."""
BAD_PACKETS_MOST = 50
"""Undecodable packets in a row before the connection is given up: about four seconds at 12.5 frames a second."""
CLIP_FPS = 25.0
"""Of a bare stream that says nothing about its rate."""
CUT_S = 1.0
"""A recording whose last picture comes so long before its stated end was cut short."""
FPS_MOST = 60.0
"""Faster than any gate camera. What sends more is slowed down to this, or one camera would take a core to itself."""
FLOOD_S = 1.0
BEHIND_S = 3.0
"""The next packet always there already, for so long: what is decoded has waited. A new connection starts afresh."""
WAITED_NS = 2_000_000


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

    def __init__(self, url: str, transport: Transport = "tcp", mono_ns: Callable[[], int] = clock.mono_ns) -> None:
        self._url, self._transport = url, transport
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
        self._stream = Stream.begun(mono_ns() / 1e9)
        self._looked_ns = 0
        self._last_luma: Image | None = None
        self._pace = Pace()
        self._thread = threading.Thread(target=self._run, name="capture", daemon=True)
        self._thread.start()

    def take(self, timeout_s: float) -> Frame | None:
        """The newest frame not yet taken, or None when none came in time."""
        with self._changed:
            self._changed.wait_for(lambda: self._slot is not None or self._closing.is_set(), timeout_s)
            held, self._slot = self._slot, None
        if held is None:
            return None
        picture, number, mono_ns, wall = held
        return frame_of(picture, number, mono_ns, wall)

    def health(self) -> SourceHealth:
        now_ns = self._mono_ns()
        with self._changed:
            age_ns = None if self._frame_ns is None else now_ns - self._frame_ns
            age_ms = None if age_ns is None else age_ns // 1_000_000
            return SourceHealth(self._state(now_ns, age_ns), self._frames, self._dropped, age_ms, self._why)

    def close(self) -> None:
        """Stop. A thread inside a call to a dead camera ends with that call's time-out and is not waited for."""
        self._closing.set()
        with self._changed:
            self._changed.notify_all()
        self._thread.join(timeout=0.5)

    def _state(self, now_ns: int, age_ns: int | None) -> SourceState:
        silent_ns = now_ns - self._started_ns if age_ns is None else age_ns
        if silent_ns > SILENT_S * 1e9:
            return "down"
        if not self._connected:
            return "connecting" if age_ns is None and not self._why else "down"
        return self._stream.sight

    def _run(self) -> None:
        failures = 0
        while not self._closing.is_set():
            before = self._frames
            try:
                self._read_stream()
            except CameraError as error:
                failures = 0 if self._frames > before else failures + 1
                self._lost(str(error))
            locked_out = REFUSED in self._why
            self._closing.wait(REFUSED_S if locked_out else BACKOFF_S[min(failures, len(BACKOFF_S) - 1)])

    def _lost(self, why: str) -> None:
        with self._changed:
            if self._connected or why != self._why:
                log.warning("camera: %s", why)
            self._connected, self._why = False, why

    def _read_stream(self) -> None:
        """Read until the stream ends or fails. Raises CameraError, always."""
        self._heard_ns, self._pace = self._mono_ns(), Pace()
        try:
            with _open_url(self._url, self._transport) as container:
                self._decode(container)
        except (av.FFmpegError, OSError, ValueError) as error:
            # Interrupted by its time-out, FFmpeg reports whatever it was doing ("invalid data").
            late = self._mono_ns() - self._heard_ns > 0.95e9 * min(OPEN_TIMEOUT_S, READ_TIMEOUT_S)
            raise CameraError("no answer in time" if late else plain(error)) from None
        raise CameraError("the stream ended")

    def _decode(self, container: InputContainer) -> None:
        if not container.streams.video:
            raise CameraError("the stream carries no video")
        stream = container.streams.video[0]
        prepare(stream.codec_context)
        bad, fed_ns = 0, self._mono_ns()
        done_ns = free_ns = fed_ns
        for packet in container.demux(stream):
            came_ns, wall = self._mono_ns(), clock.wall_iso()
            self._heard_ns = came_ns
            if self._closing.is_set():
                return
            free_ns = came_ns if came_ns - done_ns > WAITED_NS else free_ns
            pictures = decoded(packet)
            bad = bad + 1 if pictures is None else 0
            for picture in pictures or ():
                fed_ns = came_ns
                self._offer(picture, packet, came_ns, wall)
            if bad > BAD_PACKETS_MOST:
                raise CameraError("the stream cannot be decoded")
            if came_ns - fed_ns > STARVED_S * 1e9:
                raise CameraError("the stream brings no whole picture")
            if came_ns - free_ns > BEHIND_S * 1e9:
                raise CameraError("more comes than can be decoded here: pictures would be old")
            done_ns = self._mono_ns()

    def _offer(self, picture: av.VideoFrame, packet: av.Packet[VideoStream], came_ns: int, wall: str) -> None:
        luma, now_s = luma_of(picture), came_ns / 1e9
        again = self._connected and same(luma, self._last_luma)
        shows = None
        if came_ns - self._looked_ns >= LOOK_EVERY_S * 1e9:
            self._looked_ns, shows = came_ns, edges(luma)
        with self._changed:
            known = self._stream if self._connected else Stream.begun(now_s)
            stamp_s = None if packet.pts is None else float(packet.pts * packet.time_base)
            known = known.came(Arrived(now_s, stamp_s, packet.size, packet.is_keyframe, again))
            self._stream = known if shows is None else known.looked(shows, now_s)
            self._frames += 1
            self._dropped += self._slot is not None
            self._slot = (picture, self._frames, came_ns, wall)
            self._frame_ns = came_ns
            if not again:
                self._last_luma = luma
            self._connected, self._why = True, ""
            self._changed.notify_all()
        self._closing.wait(self._pace.wait_s(came_ns / 1e9))
        if self._pace.flooded:
            raise CameraError(f"more than {FPS_MOST:.0f} frames a second: set the camera to 10 to 25")


class Pace:
    """Slows a camera down that floods: what is not read off the wire stops its sender. One that goes on is given up,
    for what waits on the wire then is old."""

    def __init__(self) -> None:
        self._next_s = 0.0
        self._calm_s = 0.0
        self.flooded = False

    def wait_s(self, now_s: float) -> float:
        """How long to wait before the next frame, given one that came now."""
        if now_s >= self._next_s:
            self._calm_s = now_s
        self._next_s = max(self._next_s, now_s) + 1 / FPS_MOST
        self.flooded = now_s - self._calm_s > FLOOD_S
        return max(0.0, self._next_s - now_s - 1 / FPS_MOST)


def clip_frames(path: Path) -> Iterator[Frame]:
    """Every frame of a recorded clip on its own time: captured_mono_ns counts from its first picture (a recorder's
    clock may begin anywhere), or by its rate where it has no timestamps; the wall time counts from 1970. Upright.

    Raises CameraError where the file cannot be opened; ClipCutError, after all that decodes, where it ends too early.
    """
    number, at_ns, lasts_s = 0, 0, 0.0
    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise CameraError(f"{path}: holds no video")
            stream = container.streams.video[0]
            rate = float(stream.average_rate or stream.guessed_rate or CLIP_FPS)
            lasts_s, first_s = _lasts_s(stream), None
            for number, picture in enumerate(container.decode(stream), start=1):
                if picture.time is not None and first_s is None:
                    first_s = picture.time
                at_s = (number - 1) / rate if picture.time is None or first_s is None else picture.time - first_s
                at_ns = round(at_s * 1e9)
                yield turned(frame_of(picture, number, at_ns, clock.iso(at_ns)), picture.rotation)
    except (av.FFmpegError, OSError, ValueError) as error:
        if number == 0:
            raise CameraError(f"{path}: {plain(error)}") from error
        raise ClipCutError(f"{path}: cut short or damaged after {at_ns / 1e9:.1f} s: {plain(error)}") from error
    if number and at_ns / 1e9 < lasts_s - CUT_S:
        raise ClipCutError(f"{path}: cut short: {at_ns / 1e9:.1f} s of {lasts_s:.1f} s can be decoded")


def _lasts_s(stream: VideoStream) -> float:
    """What the file says of its video's length; 0 where it says nothing."""
    return float(stream.duration * stream.time_base) if stream.duration and stream.time_base else 0.0


def _open_url(url: str, transport: Transport) -> InputContainer:
    """No probing: FFmpeg would hold back seconds of video to guess a frame rate that nobody asks for; the first
    picture then comes after 0.1 s instead of 2.3 s. Where the camera does not describe its stream FFmpeg decodes one
    packet all the same: that decoder too is told how much is enough. Over UDP it waits 0.1 s at most for packets out
    of turn."""
    options = {"probesize": "32", "analyzeduration": "0", "fpsprobesize": "0", "max_pixels": str(PIXELS_MOST)}
    if url.startswith(("rtsp://", "rtsps://")):
        options["rtsp_transport"] = transport
        options["max_delay"] = "100000"
    return av.open(url, options=options, timeout=(OPEN_TIMEOUT_S, READ_TIMEOUT_S))
