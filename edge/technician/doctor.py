"""`barie doctor`: cameras, boards, broker, clock, disk and models looked at one after the other, each with a verdict
in one line."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from edge import clock
from edge.config import Config, LaneConfig, MqttConfig
from edge.errors import BarieError
from edge.technician.board_check import check_board
from edge.technician.eyes import build
from edge.vision.capture import CameraSource
from edge.vision.models import plate_table

CAMERA_WITHIN_S = 6.0
FREE_LOW_BYTES = 2_000_000_000

Mark = Literal["ok", "warn", "FAIL"]


@dataclass(frozen=True, slots=True)
class Finding:
    mark: Mark
    what: str
    detail: str


def run(config: Config) -> int:
    """Exit 0 where nothing failed; a warning is no failure."""
    failed = False
    for finding in examine(config):
        print(f"{finding.mark:4}  {finding.what}: {finding.detail}", flush=True)
        failed = failed or finding.mark == "FAIL"
    return 1 if failed else 0


def examine(config: Config) -> Iterator[Finding]:
    """Every finding, as soon as it is made."""
    yield Finding("ok", "config", f"site {config.site.id}, {len(config.lane)} lane(s)")
    yield _models(config)
    for lane in config.lane:
        yield from _board(lane)
        for camera in lane.camera:
            yield _camera(camera.id, camera.address())
    yield _broker(config.mqtt)
    yield _clock()
    yield _disk(Path(config.site.data_dir))


def _judged(what: str, look: Callable[[], str], *errors: type[Exception]) -> Finding:
    try:
        return Finding("ok", what, look())
    except errors as error:
        return Finding("FAIL", what, str(error))


def _models(config: Config) -> Finding:
    def look() -> str:
        build(config.vision, plate_table())
        return f"reader {config.vision.reader} loads"

    return _judged("models", look, BarieError)


def _board(lane: LaneConfig) -> Iterator[Finding]:
    for mark, words in check_board(lane.board, lane.barrier):
        yield Finding(mark, f"board of {lane.id}", words)


def _camera(name: str, url: str) -> Finding:
    source = CameraSource(url)
    try:
        frame = source.take(CAMERA_WITHIN_S)
        if frame is None:
            return Finding(
                "FAIL",
                f"camera {name}",
                f"no picture within {CAMERA_WITHIN_S:.0f} s: is it on, reachable, and the address right?",
            )
        height, width = frame.image.shape[:2]
        return Finding("ok", f"camera {name}", f"{width}x{height}")
    finally:
        source.close()


def _broker(mqtt: MqttConfig | None) -> Finding:
    if mqtt is None:
        return Finding("warn", "broker", "none in the config: this gate stands alone")

    def look() -> str:
        with socket.create_connection((mqtt.host, mqtt.port), timeout=3):
            return f"{mqtt.host}:{mqtt.port} accepts connections"

    return _judged("broker", look, OSError)


def _clock() -> Finding:
    state = clock.state()
    if state == "synced":
        return Finding("ok", "clock", "synchronised")
    return Finding(
        "warn", "clock", f"{state}: remote commands will be refused; start a time service (chrony or systemd-timesyncd)"
    )


def _disk(data_dir: Path) -> Finding:
    place = next(path for path in (data_dir, *data_dir.parents) if path.exists())
    free = shutil.disk_usage(place).free
    mark: Mark = "ok" if free > FREE_LOW_BYTES else "warn"
    return Finding(mark, "disk", f"{free / 1e9:.0f} GB free at {place}")
