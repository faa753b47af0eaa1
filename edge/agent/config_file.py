"""The configuration's file changed by a program: comments and order kept, checked before, the old one kept beside it.

Written whole or not at all: a fresh file beside it, fsynced, then renamed over it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import AoT, Array, Table

from edge.config import Config, parse_config
from edge.errors import BarieError, ConfigError
from edge.files import write_whole

KEPT = 20
"""Old versions that stay beside the file, the newest: `gate.toml.old-0007`."""

Keys = Mapping[str, Any]
"""Key of a camera's table -> its new value; None takes the key away, so that its default holds again."""


def with_camera(text: str, source: str, camera: str, keys: Keys) -> str:
    """The file's text with these keys of one camera. Raises ConfigError: no such camera, or no longer a good config."""
    try:
        document = tomlkit.parse(text)
    except TOMLKitError as error:
        raise ConfigError(source, [f"not valid TOML: {error}"]) from error
    table = _camera(document, camera)
    if table is None:
        raise ConfigError(source, [f"lane.camera: no camera with id {camera!r}"])
    for key, value in keys.items():
        if value is None:
            table.pop(key, None)
        else:
            table[key] = _item(value)
    changed = tomlkit.dumps(document)
    parse_config(changed, source)
    return changed


def save(path: Path, text: str) -> Path:
    """Put `text` in the file's place and keep what was there; returns where. Raises ConfigError for a text that is no
    good config, BarieError where the disk or its rights refuse."""
    parse_config(text, str(path))
    try:
        old = _old_name(path)
        write_whole(old, path.read_bytes(), path.stat().st_mode & 0o777)
        write_whole(path, text.encode(), path.stat().st_mode & 0o777)
        for gone in olds(path)[:-KEPT]:
            gone.unlink(missing_ok=True)
    except OSError as error:
        raise BarieError(f"{path} cannot be written ({error.strerror}): nothing was changed") from error
    return old


def undo(path: Path) -> Config:
    """The newest kept version put back, and taken from the kept ones. Raises BarieError: there is none, or the disk."""
    kept = olds(path)
    if not kept:
        raise BarieError(f"{path}: no older version is kept beside it")
    try:
        text = kept[-1].read_text(encoding="utf-8")
        config = parse_config(text, str(kept[-1]))
        write_whole(path, text.encode(), path.stat().st_mode & 0o777)
        kept[-1].unlink()
    except OSError as error:
        raise BarieError(f"{path} cannot be written ({error.strerror}): nothing was changed") from error
    return config


def olds(path: Path) -> list[Path]:
    """The kept versions, oldest first."""
    return sorted(path.parent.glob(f"{path.name}.old-[0-9][0-9][0-9][0-9]"))


def toml_of(keys: Keys) -> str:
    """The keys as lines of a camera's table, for a person to copy."""
    table = tomlkit.table()
    for key, value in keys.items():
        if value is not None:
            table[key] = _item(value)
    return tomlkit.dumps(table)


def _camera(document: tomlkit.TOMLDocument, camera: str) -> Table | None:
    lanes = document.get("lane")
    for lane in lanes if isinstance(lanes, AoT) else ():
        cameras = lane.get("camera")
        for table in cameras if isinstance(cameras, AoT) else ():
            if isinstance(table, Table) and table.get("id") == camera:
                return table
    return None


def _item(value: Any) -> Any:
    """Points and corrections on one line, as a person would write them."""
    if isinstance(value, Mapping):
        table = tomlkit.inline_table()
        table.update(dict(value))
        return table
    if isinstance(value, (list, tuple)):
        array: Array = tomlkit.array()
        array.extend([_item(one) for one in value])
        return array
    return tomlkit.item(value)


def _old_name(path: Path) -> Path:
    kept = olds(path)
    number = int(kept[-1].name[-4:]) + 1 if kept else 1
    return path.with_name(f"{path.name}.old-{number % 10_000:04}")
