"""`barie calibrate`: what to turn at a camera, worst first, and a setting that reads more, with the measured gain."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path

from edge.agent import config_file
from edge.config import CameraConfig, Config, load_config
from edge.core.camera.calibrate import Finding
from edge.core.plate.vote import USUAL
from edge.errors import BarieError, ConfigError
from edge.ports import Detector, Reader
from edge.technician import calibrate_page
from edge.technician.calibrate_words import Result, as_json, lines, patch
from edge.technician.eyes import build
from edge.technician.film import frames_of, live_frames
from edge.technician.study import Study, judge, live_pace, propose, study
from edge.vision import models
from edge.vision.capture import CameraSource

LIVE, LIVE_S, PACE_S = "live", 60.0, 4.0


@dataclass(frozen=True, slots=True)
class Options:
    """`patch`: write the proposal there; `apply`: put it into the config itself, the old one kept."""

    camera: str | None = None
    seconds: float = LIVE_S
    report: Path | None = None
    patch: Path | None = None
    apply: bool = False
    as_json: bool = False


def run(source: str, config: Path, options: Options) -> int:
    """Returns 0 where nothing needs turning, else 1. Raises BarieError for anything that cannot be read or written."""
    loaded = load_config(config)
    camera = chosen(loaded, options.camera)
    detector, reader = build(loaded.vision, models.plate_table())
    sure = models.vote_rules(loaded.vision.reader, loaded.vision.models_dir).sure
    result = calibrate(source, camera, detector, reader, options.seconds, sure)
    if options.as_json:
        print(json.dumps(as_json(result), ensure_ascii=False))
    else:
        print("\n".join(lines(result)))
    if options.report is not None:
        page = calibrate_page.page(result, detector, reader)
        _write(options.report, page)
    if options.patch is not None:
        _write(options.patch, patch(result))
    if options.apply and result.keys:
        text = config_file.with_camera(config.read_text(encoding="utf-8"), str(config), camera.id, result.keys)
        kept = config_file.save(config, text)
        print(f"{config}: changed, the old one is {kept.name}; systemctl reload barie takes it", file=sys.stderr)
    return 1 if result.findings else 0


def calibrate(
    source: str,
    camera: CameraConfig,
    detector: Detector,
    reader: Reader,
    seconds: float = LIVE_S,
    sure: float = USUAL.sure,
) -> Result:
    """Studies a clip, or for `seconds` a live stream: an address, or "live" for the configured one. `sure` is what the
    reader's vote asks of a reading. Raises CameraError, ModelError, ConfigError."""
    if source == LIVE or source.startswith(("rtsp://", "rtsps://")):
        stream = CameraSource(camera.address() if source == LIVE else source, camera.transport)
        found, label = _live(stream, detector, reader, seconds, sure), LIVE
    else:
        found, label = study(frames_of(Path(source)), detector, reader, sure), Path(source).name
    judged = judge(found, camera.aim) + _role(found, camera)
    return Result(camera.id, label, camera.aim, found, judged, propose(found, camera.aim, judged, detector, reader))


def chosen(config: Config, camera: str | None) -> CameraConfig:
    """The camera by its id, or the only one. Raises ConfigError."""
    cameras = [one for lane in config.lane for one in lane.camera]
    if camera is None and len(cameras) == 1:
        return cameras[0]
    known = ", ".join(one.id for one in cameras)
    if camera is None:
        raise ConfigError("--camera", [f"this config has several cameras, choose one of: {known}"])
    for one in cameras:
        if one.id == camera:
            return one
    raise ConfigError("--camera", [f"no camera {camera!r} in this config; there are: {known}"])


def _live(camera: CameraSource, detector: Detector, reader: Reader, seconds: float, sure: float) -> Study:
    try:
        pace = live_pace(camera, min(PACE_S, seconds))
        found = study(live_frames(camera, seconds), detector, reader, sure)
    finally:
        camera.close()
    found.live_pace = pace
    return found


def _role(found: Study, camera: CameraConfig) -> list[Finding]:
    """A front camera sees vehicles come, a rear one sees them go."""
    way = found.way
    wrong = {("front", "away"), ("rear", "towards")}
    if way is None or (camera.role, way.direction) not in wrong:
        return []
    return [Finding("role", 1.05, {"way": way.direction, "role": camera.role})]


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise BarieError(f"{path} cannot be written: {error.strerror}") from error
