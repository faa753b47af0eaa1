"""Which detector and reader a name in the configuration stands for. Adapters are imported only when asked for."""

from __future__ import annotations

from collections.abc import Callable

from edge import resources
from edge.core.plate import PlateTable, parse
from edge.errors import ModelError
from edge.ports import Detector, Reader


def plate_table() -> PlateTable:
    """The plate table of this installation (config/plates.toml). Raises ConfigError."""
    return parse(*resources.config_text("plates.toml"))


def _rapidocr(table: PlateTable, threads: int) -> tuple[Detector, Reader]:
    from edge.vision.rapid import RapidDetector, RapidReader

    return RapidDetector(threads), RapidReader(table, threads)


def _own(table: PlateTable, threads: int) -> tuple[Detector, Reader]:
    from edge.vision.own import OwnDetector, OwnReader

    return OwnDetector(threads), OwnReader(table, threads)


BUILDERS: dict[str, Callable[[PlateTable, int], tuple[Detector, Reader]]] = {"own": _own, "rapidocr": _rapidocr}


def build(name: str, table: PlateTable | None = None, threads: int = 1) -> tuple[Detector, Reader]:
    """Detector and reader by name, their models loaded. Raises ModelError: unknown name, missing or unusable model."""
    builder = BUILDERS.get(name)
    if builder is None:
        raise ModelError(f'reader "{name}" is not known; known are {", ".join(sorted(BUILDERS))}')
    return builder(table or plate_table(), threads)
