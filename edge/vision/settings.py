"""What the gate process asks of one camera's process. Light to import."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from edge.core.camera.view_settings import AS_IT_COMES, Picture
from edge.core.model import Point
from edge.errors import BadMessageError


@dataclass(frozen=True, slots=True)
class Settings:
    """What the gate process asks of this camera. `region` is a polygon in fractions of width and height."""

    camera: str
    url: str
    region: tuple[Point, ...] | None = None
    reader: str = "own"
    threads: int = 1
    picture: Picture = AS_IT_COMES
    """Corrections before plates are looked for."""
    look_every_s: float | None = None
    transport: Literal["tcp", "udp"] = "tcp"
    detector: str | None = None
    detector_file: str | None = None
    detector_sha256: str | None = None
    models_dir: str | None = None


@dataclass(slots=True)
class Wishes:
    """What the gate process asks for while the camera runs: set by the thread that listens, read by the models'."""

    survey_until_s: float = 0.0
    """Until then (monotonic) the whole picture is surveyed for calibration, beside the usual work."""


def settings_from(fields: Mapping[str, Any]) -> Settings:
    """Raises BadMessageError that names the faulty key (never its value: the URL may hold a password)."""
    try:
        region = fields.get("region")
        points = None if region is None else tuple((float(x), float(y)) for x, y in region)
        picture = Picture(**fields.get("picture", {}))
        settings = Settings(**{**fields, "region": points, "picture": picture})
    except (TypeError, ValueError) as error:
        raise BadMessageError(f"vision settings: {error}") from error
    for key, kind in (("camera", str), ("url", str), ("reader", str), ("threads", int)):
        if not isinstance(getattr(settings, key), kind):
            raise BadMessageError(f"vision settings: {key} must be {kind.__name__}")
    if settings.transport not in ("tcp", "udp"):
        raise BadMessageError("vision settings: transport must be tcp or udp")
    return settings
