"""What the gate process asks of each camera's process, from the configuration."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from edge.config import CameraConfig, VisionConfig


def camera_settings(camera: CameraConfig, vision: VisionConfig) -> dict[str, Any]:
    """The fields of the `settings` message (edge.vision.settings)."""
    aim = camera.aim
    return {
        "camera": camera.id,
        "url": camera.address(),
        "transport": camera.transport,
        "region": aim.reads_in,
        "reader": vision.reader,
        "threads": vision.threads,
        "detector": vision.detector,
        "detector_file": vision.detector_file,
        "detector_sha256": vision.detector_sha256,
        "models_dir": vision.models_dir,
        "picture": asdict(aim.picture),
        "look_every_s": aim.look_every_s,
    }
