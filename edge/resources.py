"""Where the files live that belong to the product but not to the code: the tables under `config/`, the sample clips."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from edge.errors import ConfigError

_BESIDE = Path(__file__).resolve().parent.parent
_SHARED = Path(sys.prefix) / "share" / "barie"
"""Where a wheel puts them (pipx, uv tool)."""
_INSTALLED = (Path("/usr/share/barie"), Path("/etc/barie"))


def config_file(name: str | Path) -> Path:
    """A table's file: an existing path as it is; else by name in $BARIE_CONFIG_DIR, in `config/` beside the package, in
    /usr/share/barie/config, in /etc/barie. Raises ConfigError naming every place that was looked at."""
    if Path(name).is_absolute():
        places = [Path(name)]
    else:
        own = os.environ.get("BARIE_CONFIG_DIR")
        places = [*([Path(own) / name] if own else []), *_shipped(name), _INSTALLED[1] / name]
    for place in places:
        if place.is_file():
            return place
    looked = ", ".join(str(place.parent) for place in places)
    raise ConfigError(str(name), [f"not found in {looked}; set BARIE_CONFIG_DIR to the folder that has it"])


def config_text(name: str | Path) -> tuple[str, str]:
    """A table's text, and its path for messages. Raises ConfigError where it is missing, unreadable or no UTF-8."""
    return _text(config_file(name))


def shipped_text(name: str) -> tuple[str, str]:
    """As `config_text`, of the table that came with this program, whatever a bundle brought since."""
    return _text(next(place for place in _shipped(name) if place.is_file() or place == _shipped(name)[-1]))


def _shipped(name: str | Path) -> list[Path]:
    return [_BESIDE / "config" / name, _SHARED / "config" / name, _INSTALLED[0] / "config" / name]


def _text(path: Path) -> tuple[str, str]:
    try:
        data = path.read_bytes()
        if data.startswith((b"\xff\xfe", b"\xfe\xff")):
            raise ConfigError(
                str(path), ["cannot be read: tệp dạng UTF-16; lưu lại dạng UTF-8 / UTF-16: save it as UTF-8"]
            )
        return data.decode("utf-8"), str(path)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(str(path), [f"cannot be read: {error}"]) from error


def checkout() -> Path | None:
    """The checkout that this program runs from; None where it is installed."""
    return _BESIDE if (_BESIDE / "tests" / "harness").is_dir() else None


def models() -> Path:
    """The folder of the project's own models: a bundle's ($BARIE_MODELS_DIR), else the program's own."""
    brought = os.environ.get("BARIE_MODELS_DIR")
    places = [*([Path(brought)] if brought else []), _BESIDE / "models", _SHARED / "models"]
    return next((place for place in places if (place / "manifest.toml").is_file()), places[-2])


def sample_videos() -> Path:
    """The folder of sample clips. Raises ConfigError where this installation has none."""
    for place in (_BESIDE / "sample_videos", _SHARED / "sample_videos", _INSTALLED[0] / "sample_videos"):
        if place.is_dir():
            return place
    raise ConfigError("sample_videos", ["no sample clips beside the package or in /usr/share/barie"])
