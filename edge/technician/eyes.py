"""The models that a configuration names, as the camera's own process builds them."""

from __future__ import annotations

from edge.config import VisionConfig
from edge.core.plate.table import PlateTable
from edge.ports import Detector, Reader
from edge.vision import models

DEFAULT = VisionConfig()


def build(vision: VisionConfig, table: PlateTable) -> tuple[Detector, Reader]:
    """Raises ModelError."""
    other = models.other_detector(vision.detector, vision.detector_file, vision.detector_sha256)
    return models.build(vision.reader, table, vision.threads, other, vision.models_dir)
