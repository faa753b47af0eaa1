"""The technician's bench of a running gate: plates of the whole picture, and the region and line that are saved.

Saving writes the configuration's file (checked, whole, the old one kept) and reads it again, as `systemctl reload`
does: only this camera's process is started anew.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from edge.agent import config_file
from edge.agent.cameras.supervisor import CameraProcess
from edge.config import CameraConfig, Config, load_config
from edge.core.bodies import AimUndone, CameraAimed
from edge.core.camera.calibrate import findings
from edge.core.model import Point
from edge.errors import BarieError, ConfigError
from edge.ports import Person

log = logging.getLogger(__name__)

SURVEY_S = 6.0
"""A page that stops asking is closed: the survey ends by itself."""
Note = Callable[[str, CameraAimed | AimUndone, Person], None]
"""(lane, what was changed, by whom) for the record."""


class GateWorkbench:
    """`ports.Workbench`. `path` is the configuration's file; without one nothing is saved."""

    def __init__(
        self,
        path: Path | None,
        config: Config,
        cameras: Mapping[str, CameraProcess],
        reload: Callable[[], object],
        note: Note,
    ) -> None:
        self._path, self._config, self._cameras, self._reload, self._note = path, config, cameras, reload, note

    def cameras(self) -> Sequence[Mapping[str, Any]]:
        writable = self._path is not None and os.access(self._path.parent, os.W_OK) and os.access(self._path, os.W_OK)
        undo = self._path is not None and bool(config_file.olds(self._path))
        return [
            {
                "id": camera.id,
                "lane": lane.id,
                "region": camera.region,
                "line": camera.line,
                "writable": writable,
                "undo": undo,
            }
            for lane in self._config.lane
            for camera in lane.camera
        ]

    def watch(self, camera: str) -> Mapping[str, Any]:
        process = self._cameras[camera]
        process.survey(SURVEY_S)
        sights = list(process.sights)
        judged = findings(sights, self._camera(camera).aim.reads_in)
        return {
            "sights": [[*sight.middle, sight.read] for sight in sights],
            "findings": [{"code": one.code, "numbers": one.numbers} for one in judged] if sights else [],
        }

    async def save(self, camera: str, region: Sequence[Point] | None, line: Sequence[Point] | None, by: Person) -> str:
        if self._path is None:
            return "calibrate.no_file"
        keys = {"region": _points(region), "line": _points(line)}
        try:
            await asyncio.to_thread(self._write, self._path, camera, keys)
        except ConfigError as error:
            log.warning("calibration of %s not saved: %s", camera, error)
            return "calibrate.bad"
        except BarieError as error:
            log.error("calibration of %s not saved: %s", camera, error)
            return "calibrate.not_written"
        self._use(camera, CameraAimed(camera=camera, region=keys["region"], line=keys["line"]), by)
        return "calibrate.saved"

    async def undo(self, by: Person) -> str:
        if self._path is None or not config_file.olds(self._path):
            return "calibrate.nothing_to_undo"
        try:
            await asyncio.to_thread(config_file.undo, self._path)
        except BarieError as error:
            log.error("calibration not undone: %s", error)
            return "calibrate.not_written"
        self._use(None, AimUndone(), by)
        return "calibrate.undone"

    @staticmethod
    def _write(path: Path, camera: str, keys: config_file.Keys) -> None:
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise BarieError(f"{path} cannot be read: {error}") from error
        config_file.save(path, config_file.with_camera(text, str(path), camera, keys))

    def _use(self, camera: str | None, change: CameraAimed | AimUndone, by: Person) -> None:
        assert self._path is not None
        self._config = load_config(self._path)
        self._reload()
        lanes = [lane.id for lane in self._config.lane if camera is None or camera in [one.id for one in lane.camera]]
        for lane in lanes[:1]:
            self._note(lane, change, by)

    def _camera(self, camera: str) -> CameraConfig:
        return next(one for lane in self._config.lane for one in lane.camera if one.id == camera)


def _points(points: Sequence[Point] | None) -> list[list[float]] | None:
    """Three decimals are a pixel of a 1080p picture."""
    return None if points is None else [[round(x, 3), round(y, 3)] for x, y in points]
