"""One camera's process: `python -m edge.vision.worker --fd N`, N one end of a Unix socket pair (edge.vision.link).

The first message in is `settings`; everything else goes out. The process ends when the socket does, so a gate process
that was killed leaves no orphan. Pictures flow as soon as the camera answers; the models load meanwhile.

Threads: capture (edge.vision.capture), the main one for pictures and health, and one for the models, so that a slow
look never holds up the guard's live picture.
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import socket
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from edge import clock
from edge.core.model import Box, Point
from edge.errors import BadMessageError, BarieError
from edge.ports import Frame, Image
from edge.vision import link
from edge.vision.capture import CameraSource, SourceHealth
from edge.vision.pipeline import Gone, Pipeline, Seen

log = logging.getLogger(__name__)

LIVE_EVERY_S = 0.2
LIVE_WIDTH_PX = 640
PHOTO_WIDTH_PX = 1280
HEALTH_EVERY_S = 1.0
SETTINGS_WITHIN_S = 10.0


@dataclass(frozen=True, slots=True)
class Settings:
    """What the gate process asks of this camera. `region` is a polygon in fractions of width and height."""

    camera: str
    url: str
    region: tuple[Point, ...] | None = None
    reader: str = "rapidocr"
    threads: int = 1


def settings_from(fields: Mapping[str, Any]) -> Settings:
    """Raises BadMessageError that names the faulty key (never its value: the URL may hold a password)."""
    try:
        region = fields.get("region")
        points = None if region is None else tuple((float(x), float(y)) for x, y in region)
        settings = Settings(**{**fields, "region": points})
    except (TypeError, ValueError) as error:
        raise BadMessageError(f"vision settings: {error}") from error
    for key, kind in (("camera", str), ("url", str), ("reader", str), ("threads", int)):
        if not isinstance(getattr(settings, key), kind):
            raise BadMessageError(f"vision settings: {key} must be {kind.__name__}")
    return settings


def jpeg(image: Image, width_px: int, quality: int) -> bytes:
    """The picture as JPEG, at most `width_px` wide. Raises ValueError where it cannot be encoded."""
    if image.shape[1] > width_px:
        height = max(1, round(image.shape[0] * width_px / image.shape[1]))
        image = np.asarray(cv2.resize(image, (width_px, height), interpolation=cv2.INTER_AREA), np.uint8)
    done, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise ValueError(f"picture of shape {image.shape} cannot be encoded")
    return data.tobytes()


def crop_of(image: Image, box: Box) -> Image:
    """The plate with a little of what is around it."""
    margin_x, margin_y = (box[2] - box[0]) * 0.12, (box[3] - box[1]) * 0.18
    height, width = image.shape[:2]
    x1, y1 = max(0, int(box[0] - margin_x)), max(0, int(box[1] - margin_y))
    x2, y2 = min(width, round(box[2] + margin_x)), min(height, round(box[3] + margin_y))
    return image[y1 : max(y2, y1 + 1), x1 : max(x2, x1 + 1)]


class Worker:
    """Joins one camera, its pipeline and the socket to the gate process."""

    def __init__(self, sock: socket.socket, settings: Settings) -> None:
        self._sock = sock
        self._settings = settings
        self._sending = threading.Lock()
        self._source = CameraSource(settings.url)
        self._newest: Frame | None = None
        self._wanted = threading.Condition()
        self._reader = "loading"
        self._looks = 0
        self._tracks: list[int] = []
        self._before = (clock.mono_s(), 0, 0)
        self._skipped = 0
        self._bad = 0

    def run(self) -> None:
        """Until the socket ends. Raises OSError when it does."""
        self._say(
            "hello", {"camera": self._settings.camera, "models": {"reader": self._settings.reader}, "pid": os.getpid()}
        )
        threading.Thread(target=self._read, name="models", daemon=True).start()
        live_s = health_s = 0.0
        told = ""
        while True:
            frame = self._source.take(timeout_s=0.1)
            now_s = clock.mono_s()
            if frame is not None:
                self._hand_on(frame)
                if now_s - live_s >= LIVE_EVERY_S - 0.01:
                    live_s = now_s
                    self._send_live(frame)
            if now_s - health_s >= HEALTH_EVERY_S:
                health_s = now_s
                health = self._source.health()
                self._send_health(health, now_s)
                told = self._tell_lost(health, told)

    def _hand_on(self, frame: Frame) -> None:
        with self._wanted:
            self._skipped += self._newest is not None
            self._newest = frame
            self._wanted.notify()

    def _send_live(self, frame: Frame) -> None:
        height, width = frame.image.shape[:2]
        fields = {
            "captured_mono_ns": frame.captured_mono_ns,
            "captured_at": frame.captured_at,
            "size": [width, height],
            "number": frame.number,
        }
        try:
            picture = jpeg(frame.image, LIVE_WIDTH_PX, 70)
        except (ValueError, cv2.error):
            self._bad += 1
            return
        self._say("frame", fields, [picture])

    def _send_health(self, health: SourceHealth, now_s: float) -> None:
        """Rates are since the last one: frames off the wire, and frames that a model looked at."""
        before, self._before = self._before, (now_s, health.frames_in, self._looks)
        span_s = max(1e-3, now_s - before[0])
        fields = {
            "state": health.state,
            "why": health.why,
            "reader": self._reader,
            "fps_in": round((health.frames_in - before[1]) / span_s, 1),
            "fps_read": round((self._looks - before[2]) / span_s, 1),
            "dropped": health.dropped + self._skipped,
            "bad": self._bad,
            "age_ms": health.age_ms,
            "tracks": self._tracks,
        }
        self._say("health", fields)

    def _tell_lost(self, health: SourceHealth, told: str) -> str:
        """An `error` when the camera goes down or freezes, once for each reason."""
        lost = (
            "" if health.state in ("up", "connecting") else f"camera {health.state}: {health.why or 'no new picture'}"
        )
        if lost and lost != told:
            self._say("error", {"part": "camera", "text": lost})
        return lost

    # ------------------------------------------------------------ the models' thread

    def _read(self) -> None:
        """Load the models and look at the newest frame, for ever. A broken model is said, never shown as "no plate"."""
        try:
            pipeline = self._load()
            self._reader = "ready"
            while True:
                self._look(pipeline, self._next())
        except BarieError as error:
            self._reader = f"failed: {error}"
            log.error("reader: %s", error)
            self._say("error", {"part": "model", "text": str(error)})
        except OSError:
            _leave()

    def _load(self) -> Pipeline:
        from edge.vision import models

        table = models.plate_table()
        detector, reader = models.build(self._settings.reader, table, self._settings.threads)
        return Pipeline(self._settings.camera, detector, reader, table, self._settings.region)

    def _next(self) -> Frame:
        with self._wanted:
            while self._newest is None:
                self._wanted.wait()
            frame, self._newest = self._newest, None
            return frame

    def _look(self, pipeline: Pipeline, frame: Frame) -> None:
        try:
            told = pipeline.step(frame)
        except (ValueError, cv2.error) as error:
            self._bad += 1  # a bad frame costs one frame
            log.warning("frame %d could not be looked at: %s", frame.number, type(error).__name__)
            return
        self._looks, self._tracks = pipeline.looks, pipeline.tracks
        for item in told:
            if isinstance(item, Gone):
                self._say("gone", {"track": item.track})
            else:
                self._send_reading(item)

    def _send_reading(self, seen: Seen) -> None:
        photo = jpeg(seen.image, PHOTO_WIDTH_PX, 80)
        crop = jpeg(crop_of(seen.image, seen.reading.read.box), PHOTO_WIDTH_PX, 90)
        self._say("reading", link.reading_fields(seen.reading), [photo, crop])

    def _say(self, kind: str, fields: Mapping[str, Any], attachments: list[bytes] | None = None) -> None:
        with self._sending:
            link.send(self._sock, kind, fields, attachments or ())


def first_settings(sock: socket.socket) -> Settings:
    """Wait for the `settings` message. Raises BadMessageError, or OSError when the socket ends first."""
    sock.settimeout(SETTINGS_WITHIN_S)
    decoder = link.Decoder()
    while data := sock.recv(1 << 16):
        for message in decoder.feed(data):
            if message.kind != "settings":
                raise BadMessageError(f"vision settings: the first message was {message.kind!r}")
            sock.settimeout(None)
            return settings_from(message.fields)
    raise ConnectionError("the gate process closed the socket")


def _leave() -> None:
    """At once: FFmpeg or a model may be in the middle of a call that no thread can be woken from."""
    os._exit(0)


def _watch(sock: socket.socket) -> None:
    """The gate process says nothing after the settings, so any end of this read is its end."""
    try:
        while sock.recv(1 << 12):
            pass
    except OSError:
        pass
    _leave()


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="edge.vision.worker")
    parser.add_argument("--fd", type=int, required=True, help="the inherited socket to the gate process")
    logging.basicConfig(level=logging.INFO, format="%(asctime)s vision %(levelname)s %(message)s")
    signal.signal(signal.SIGTERM, lambda *_: _leave())
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the gate process ends us
    sock = socket.socket(fileno=parser.parse_args(arguments).fd)
    try:
        settings = first_settings(sock)
        cv2.setNumThreads(settings.threads)
        threading.Thread(target=_watch, args=(sock,), name="watch", daemon=True).start()
        Worker(sock, settings).run()
    except BadMessageError as error:
        link.send(sock, "error", {"part": "settings", "text": str(error)})
        return 2
    except OSError:
        _leave()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
