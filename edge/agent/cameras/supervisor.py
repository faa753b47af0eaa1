"""One vision process per camera, watched: a dead one is seen at once (its socket ends) and another is started.

The gate process never decodes video; what it knows of a camera is what this supervisor last heard, and how long ago.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket
import sys
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from edge import clock
from edge.core.camera.measured_plate import PlateSight, sight_from
from edge.core.model import Reading
from edge.errors import BadMessageError
from edge.vision import messages

log = logging.getLogger(__name__)

SOCKET_ENV = "BARIE_CAMERA_SOCKET"
"""Where a connection starts a camera's process; set by the gate's unit."""
FROZEN_AFTER_S = 2.0
"""No picture for this long, and the guard is told that the picture is old."""
RESTART_S = (0.0, 0.5, 1.0, 2.0, 5.0)
"""Waits before the n-th restart in a row; the first is immediate. A camera process that lived a minute starts the row
anew."""
LIVED_S = 60.0
TRACKS_PER_LIFE = 1_000_000
SIGHTS_KEPT = 300

CameraState = Literal["starting", "up", "down", "frozen", "blind"]
FAILED: frozenset[CameraState] = frozenset({"down", "frozen", "blind"})
"""A camera in one of these shows nobody anything, though it ran before or should by now."""
OnReading = Callable[[Reading, bytes, bytes], None]
OnTracks = Callable[[str, frozenset[int]], None]
"""Camera, and its tracks in view."""


@dataclass(slots=True)
class CameraView:
    """What the supervisor last heard. Times are monotonic seconds."""

    state: CameraState = "starting"
    detail: str = ""
    jpeg: bytes | None = None
    heard_s: float = field(default_factory=clock.mono_s)
    picture_s: float | None = None
    models: Mapping[str, Any] = field(default_factory=dict)
    health: Mapping[str, Any] = field(default_factory=dict)
    fault: str = ""
    restarts: int = 0
    failed_since_s: float | None = None
    """Since when it has failed without a break, whatever the failure was called; None while it gives pictures."""

    def seen(self, now_s: float) -> tuple[CameraState, float | None]:
        """State and picture age in ms as of now."""
        age_ms = None if self.picture_s is None else (now_s - self.picture_s) * 1000
        if self.state == "up" and age_ms is not None and age_ms > FROZEN_AFTER_S * 1000:
            return "frozen", age_ms
        return self.state, age_ms

    def failed_s(self, now_s: float) -> float:
        """For how long it has been down, frozen or blind without a break; 0 while it is not. Over with the first
        picture."""
        if self.seen(now_s)[0] not in FAILED:
            return 0.0
        since_s = self.failed_since_s if self.failed_since_s is not None else self.picture_s
        return 0.0 if since_s is None else max(0.0, now_s - since_s)


class CameraProcess:
    """Keeps one vision process alive. Everything happens on the gate's event loop."""

    def __init__(
        self,
        camera: str,
        settings: dict[str, Any],
        on_reading: OnReading,
        on_tracks: OnTracks,
        on_change: Callable[[], None],
    ) -> None:
        self.camera = camera
        self.view = CameraView()
        self._settings = settings
        self._on_reading = on_reading
        self._on_tracks = on_tracks
        self._on_change = on_change
        self._process: asyncio.subprocess.Process | None = None
        self._writer: asyncio.StreamWriter | None = None
        self.sights: deque[PlateSight] = deque(maxlen=SIGHTS_KEPT)
        """Of the survey that a technician asked for, newest last."""
        self.hello: Mapping[str, Any] = {}
        """What its newest process said of itself: its models, its pid."""
        self._stopping = False
        self._passage, self._greeted = "", False

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process and self._process.returncode is None else None

    async def run(self) -> None:
        """Start, watch, start again; ends with `stop`."""
        row = 0
        while not self._stopping:
            began_s = clock.mono_s()
            await self._one_life()
            if self.stopped():
                return
            self.view.restarts += 1
            self.view.picture_s = None
            self._set("down", self.view.detail or "camera process ended; starting it again")
            row = 0 if clock.mono_s() - began_s > LIVED_S else row + 1
            await asyncio.sleep(RESTART_S[min(row, len(RESTART_S) - 1)] if row > 1 else 0)

    def stopped(self) -> bool:
        return self._stopping

    def use(self, settings: dict[str, Any]) -> None:
        """Other settings from now on; the process is started anew where they differ."""
        if settings != self._settings:
            self._settings = settings
            if self._process is not None:
                _signal(self._process, signal.SIGTERM)
            elif self._writer is not None:
                self._writer.close()  # its process ends with it

    def survey(self, seconds: float) -> None:
        """Ask for `sights` of the whole picture for so long; asking again prolongs it. A camera that is down gives
        none."""
        if self._writer is not None and not self._writer.is_closing():
            self._writer.write(messages.encode("survey", {"seconds": seconds}))

    def about(self, passage: str) -> None:
        """Which passage this camera's lane has now ("": none), for its process's log."""
        self._passage = passage
        if self._greeted and self._writer is not None and not self._writer.is_closing():
            self._writer.write(messages.encode("passage", {"id": passage}))

    async def stop(self) -> None:
        self._stopping = True
        if self._process is None and self._writer is not None:
            self._writer.close()
        process = self._process
        if process is None or process.returncode is not None:
            return
        _signal(process, signal.SIGTERM)
        try:
            await asyncio.wait_for(process.wait(), 1.0)
        except TimeoutError:
            _signal(process, signal.SIGKILL)

    async def _one_life(self) -> None:
        try:
            reader, writer = await self._called() or await self._started()
        except OSError as error:
            self._set("down", f"cannot start the camera process: {error}")
            await asyncio.sleep(RESTART_S[-1])
            return
        self.view.detail = self.view.fault = ""
        try:
            writer.write(messages.encode("settings", self._settings))
            await writer.drain()
            self._writer, self._greeted = writer, False
            await self._listen(reader)
        except (ConnectionError, BadMessageError) as error:
            if not self._stopping:
                log.warning("camera %s: link broken: %s", self.camera, error)
        finally:
            self._writer = None
            writer.close()
            if self._process is not None:
                _signal(self._process, signal.SIGKILL)
                await self._process.wait()

    async def _called(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        """A process that the service manager starts for this connection, as a user of its own (barie-camera@.service);
        it ends with the connection. None where this gate has none: then the process is this gate's own child."""
        self._process = None
        if not (place := os.environ.get(SOCKET_ENV)):
            return None
        try:
            return await asyncio.open_unix_connection(place)
        except OSError as error:
            log.warning("camera %s: %s: %s; its process runs as the gate's own user", self.camera, place, error)
            return None

    async def _started(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A child of this process, over an inherited socket. Raises OSError."""
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                self._process = await asyncio.create_subprocess_exec(
                    *(sys.executable, "-m", "edge.vision.worker", "--fd", str(theirs.fileno())),
                    pass_fds=(theirs.fileno(),),
                )
            except OSError:
                ours.close()
                raise
        return await asyncio.open_connection(sock=ours)

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        decoder = messages.Decoder()
        while data := await reader.read(1 << 16):
            for message in decoder.feed(data):
                self._take(message)

    def _take(self, message: messages.Message) -> None:
        now_s = clock.mono_s()
        self.view.heard_s = now_s
        fields = message.fields
        if message.kind == "frame":
            # The picture's age counts from when it came off the wire, not from when it reached us.
            self.view.picture_s = fields["captured_mono_ns"] / 1e9
            self.view.jpeg = message.attachments[0]
            shows: CameraState = "blind" if fields.get("state") == "blind" else "up"
            self._set("down" if self.view.fault else shows, self.view.fault)
        elif message.kind == "reading":
            photo, crop = message.attachments
            reading = messages.reading_from_fields(fields)
            # Every process counts its tracks from 1; what the one before saw must not be taken for the same vehicle.
            self._on_reading(replace(reading, track=self._unique(reading.track)), photo, crop)
        elif message.kind == "sights":
            self.sights.extend(sight_from(one) for one in fields.get("sights", ()))
        elif message.kind == "hello":
            self.hello = fields
            self.view.models = fields.get("models", {})
            self._greeted = True  # it has its settings, and listens for what else there is
            self.about(self._passage)
        elif message.kind == "health":
            self._health(fields)
        elif message.kind == "error":
            self._fault(str(fields.get("part")), str(fields.get("text", "unknown fault")))

    def _unique(self, track: int) -> int:
        return track + self.view.restarts * TRACKS_PER_LIFE

    def _health(self, fields: Mapping[str, Any]) -> None:
        self.view.health = fields
        reader = str(fields.get("reader", ""))
        self.view.fault = reader if reader.startswith("failed") else ""
        if fields.get("state") in FAILED:
            self._set(fields["state"], self.view.detail)
        self._on_tracks(self.camera, frozenset(self._unique(track) for track in fields.get("tracks", ())))

    def _fault(self, part: str, text: str) -> None:
        """A broken model stays said until the process is new; a broken camera until its next picture; a bad frame
        costs one."""
        if part == "model":
            self.view.fault = text
        if part == "frame":
            log.warning("camera %s: bad frame: %s", self.camera, text)
        else:
            self._set(self.view.state if part == "camera" and self.view.state in FAILED else "down", text)

    def _set(self, state: CameraState, detail: str) -> None:
        if (self.view.state, self.view.detail) != (state, detail):
            log.log(logging.INFO if state == "up" else logging.WARNING, "camera %s: %s %s", self.camera, state, detail)
            self.view.state, self.view.detail = state, detail
            if state not in FAILED:
                self.view.failed_since_s = None
            elif self.view.failed_since_s is None:
                self.view.failed_since_s = clock.mono_s()
            self._on_change()


def tell(cameras: Iterable[CameraProcess]) -> Callable[[str], None]:
    """Which passage their lane has, to all of them that there are by then."""

    def about(passage: str) -> None:
        for camera in cameras:
            camera.about(passage)

    return about


def _signal(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    """Not by the process object: its own way polls, and so takes the exit status away from the loop's watcher."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, number)
