"""A config read again while the gate runs (SIGHUP, `systemctl reload barie`): what is safe changes at once, all else
waits for a restart and is named; a faulty file changes nothing."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from edge.agent.cameras.supervisor import CameraProcess
from edge.agent.cameras.worker_settings import camera_settings
from edge.config import Config, VisionConfig, load_config
from edge.errors import BarieError, ConfigError
from edge.store import Store

log = logging.getLogger(__name__)

STORE_KEYS = ("store.keep_acknowledged_s", "store.evidence_budget_mb")
CAMERA_KEYS = ("url", "transport", "user", "password_file", "region", "line", "look_every_s", "picture")
"""A camera's process is started anew for these; the lane goes on meanwhile."""


class Reload:
    def __init__(self, path: Path | None, config: Config, store: Store, cameras: Mapping[str, CameraProcess]) -> None:
        self._path, self._config, self._store, self._cameras = path, config, store, cameras
        self._in_force = config.model_dump()
        """What the gate runs on now: the start's values and what reloads changed since."""

    def __call__(self) -> list[str]:
        """Returns the keys that wait for a restart. Nothing is raised: the running config stays where the new one is
        bad."""
        if self._path is None:
            return []
        try:
            fresh = load_config(self._path)
            settings = dict(_cameras(fresh, self._config.vision))
        except ConfigError as error:
            log.error("reload refused, the config from before stays in force: %s", error)
            return []
        except BarieError as error:
            log.error("reload refused: %s", error)
            return []
        wanted = fresh.model_dump()
        changed = sorted(changes(self._in_force, wanted))
        same = _names(fresh) == _names(self._config)
        taken = [key for key in changes_taken(changed) if same or key in STORE_KEYS]
        if set(taken) & set(STORE_KEYS):
            self._store.keep(fresh.store.keep_acknowledged_s, fresh.store.evidence_budget_mb)
        if same:
            for camera, values in settings.items():
                self._cameras[camera].use(values)
        for key in taken:
            put(self._in_force, key, value_at(wanted, key))
        waiting = [key for key in changed if key not in taken]
        now, later = ", ".join(taken) or "nothing", ", ".join(waiting) or "nothing"
        log.info("reloaded: in force: %s; after a restart: %s", now, later)
        return waiting


def _names(config: Config) -> list[tuple[str, list[str]]]:
    return [(lane.id, [camera.id for camera in lane.camera]) for lane in config.lane]


def _cameras(config: Config, vision: VisionConfig) -> Iterator[tuple[str, dict[str, Any]]]:
    """`vision` is that of the start: its keys wait for a restart."""
    for lane in config.lane:
        for camera in lane.camera:
            yield camera.id, camera_settings(camera, vision)


def changes_taken(keys: list[str]) -> Iterator[str]:
    """Those that are in force at once."""
    for key in keys:
        parts = key.split(".")
        if key in STORE_KEYS or (parts[0] == "lane" and "camera" in parts and set(parts) & set(CAMERA_KEYS)):
            yield key


def value_at(tree: Any, key: str) -> Any:
    """The value under a path of `changes`."""
    for part in key.split("."):
        tree = tree[int(part)] if isinstance(tree, list) else tree[part]
    return tree


def put(tree: Any, key: str, value: Any) -> None:
    """Sets what `value_at` gives."""
    above, _, last = key.rpartition(".")
    at = value_at(tree, above)
    at[int(last) if isinstance(at, list) else last] = value


def changes(old: Any, new: Any, at: str = "") -> Iterator[str]:
    """Keys whose values differ, by their path."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in sorted({*old, *new}):
            yield from changes(old.get(key), new.get(key), f"{at}.{key}" if at else str(key))
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for number, (one, other) in enumerate(zip(old, new, strict=True)):
            yield from changes(one, other, f"{at}.{number}")
    elif old != new:
        yield at
