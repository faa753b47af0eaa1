"""One camera's work: live pictures and health from the main thread, readings from the models' thread.

The models have a thread of their own so that a slow look never holds up the guard's live picture.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import cv2
import numpy as np

from edge import clock
from edge.core.model import Box
from edge.errors import BarieError
from edge.ports import Frame, Image
from edge.vision import messages, models
from edge.vision.adjust import adjusted
from edge.vision.capture import CameraSource, SourceHealth, SourceState
from edge.vision.pipeline import Gone, Pipeline, Seen, rules_for
from edge.vision.settings import Settings, Wishes
from edge.vision.survey import Surveyor

log = logging.getLogger(__name__)

MODELS_NICE = 10
LIVE_EVERY_S = 0.2
LIVE_WIDTH_PX = 640
PHOTO_WIDTH_PX = 1280
HEALTH_EVERY_S = 1.0
SURVEY_EVERY_S = 0.5


def leave() -> None:
    """At once: FFmpeg or a model may be in the middle of a call that no thread can be woken from."""
    os._exit(0)


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

    def __init__(
        self, sock: socket.socket, settings: Settings, source: CameraSource, wishes: Wishes | None = None
    ) -> None:
        cv2.setNumThreads(settings.threads)
        self._sock = sock
        self._settings = settings
        self._sending = threading.Lock()
        self._source = source
        self._wishes = wishes or Wishes()
        self._surveyor: Surveyor | None = None
        self._surveyed_s = 0.0
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
        threading.Thread(target=self._read, name="models", daemon=True).start()
        live_s = health_s = 0.0
        told = state = ""
        while True:
            frame = self._source.take(timeout_s=0.1)
            now_s = clock.mono_s()
            health = self._source.health()
            if frame is not None and health.state != "frozen":  # a picture that stands still is not shown as live
                self._hand_on(frame)
                if now_s - live_s >= LIVE_EVERY_S - 0.01:
                    live_s = now_s
                    self._send_live(frame, health.state)
            if now_s - health_s >= HEALTH_EVERY_S or health.state != state:
                health_s, state = now_s, health.state
                self._send_health(health, now_s)
                told = self._tell_lost(health, told)

    def _hand_on(self, frame: Frame) -> None:
        with self._wanted:
            self._skipped += self._newest is not None
            self._newest = frame
            self._wanted.notify()

    def _send_live(self, frame: Frame, state: SourceState) -> None:
        height, width = frame.image.shape[:2]
        fields = {
            "captured_mono_ns": frame.captured_mono_ns,
            "captured_at": frame.captured_at,
            "size": [width, height],
            "number": frame.number,
            "state": state,
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
        # The models' threads, made from this one, step back behind the barrier loop, the record and the screen; whoever
        # started all of this further back may not be overtaken.
        now = os.getpriority(os.PRIO_PROCESS, 0)
        os.setpriority(os.PRIO_PROCESS, 0, max(now, MODELS_NICE))
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
            leave()

    def _load(self) -> Pipeline:
        table = models.plate_table()
        settings = self._settings
        other = models.other_detector(settings.detector, settings.detector_file, settings.detector_sha256)
        both = models.build(settings.reader, table, settings.threads, other, settings.models_dir)
        detector, reader = adjusted(*both, settings.picture)
        vote = models.vote_rules(settings.reader, settings.models_dir)
        self._surveyor = Surveyor(detector, reader, vote.sure)
        rules = rules_for(settings.look_every_s, vote)
        return Pipeline(settings.camera, detector, reader, table, settings.region, rules)

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
                if item.reading.decided:
                    log.info("track %d decided with %d votes", item.reading.track, item.reading.votes)
        self._survey(frame)

    def _survey(self, frame: Frame) -> None:
        """While a technician calibrates: every plate of the whole picture, read or not."""
        now_s = clock.mono_s()
        if self._surveyor is None or now_s > self._wishes.survey_until_s or now_s - self._surveyed_s < SURVEY_EVERY_S:
            return
        self._surveyed_s = now_s
        sights = [asdict(sight) for sight in self._surveyor.look(frame)]
        height, width = frame.image.shape[:2]
        self._say("sights", {"at_s": frame.captured_mono_ns / 1e9, "size": [width, height], "sights": sights})

    def _send_reading(self, seen: Seen) -> None:
        photo = jpeg(seen.image, PHOTO_WIDTH_PX, 80)
        crop = jpeg(crop_of(seen.image, seen.reading.read.box), PHOTO_WIDTH_PX, 90)
        self._say("reading", messages.reading_fields(seen.reading), [photo, crop])

    def _say(self, kind: str, fields: Mapping[str, Any], attachments: list[bytes] | None = None) -> None:
        with self._sending:
            messages.send(self._sock, kind, fields, attachments or ())
