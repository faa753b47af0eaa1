"""Which detector and reader a name in the configuration stands for. Adapters are imported only when asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from edge import resources
from edge.core.plate.table import PlateTable, parse
from edge.core.plate.vote import VoteRules
from edge.errors import ModelError
from edge.ports import Detector, Reader
from edge.vision.wholeness import Ends, WholeReader


def plate_table() -> PlateTable:
    """The plate table of this installation (config/plates.toml). Raises ConfigError."""
    return parse(*resources.config_text("plates.toml"))


def _rapidocr(table: PlateTable, threads: int, _folder: Path | None) -> tuple[Detector, Reader]:
    from edge.vision.rapid import RapidDetector, RapidReader

    return RapidDetector(threads), RapidReader(table, threads)


def _own(table: PlateTable, threads: int, folder: Path | None) -> tuple[Detector, Reader]:
    from edge.vision.own import OwnDetector, OwnReader
    from edge.vision.weights import FOLDER

    return OwnDetector(threads, folder or FOLDER), OwnReader(table, threads, folder or FOLDER)


def _easyocr(table: PlateTable, threads: int, _folder: Path | None) -> tuple[Detector, Reader]:
    from edge.vision.easy import EasyDetector, EasyReader, engine

    found = engine(threads)
    return EasyDetector(found), EasyReader(table, found)


BUILDERS: dict[str, Callable[[PlateTable, int, Path | None], tuple[Detector, Reader]]] = {
    "easyocr": _easyocr,
    "own": _own,
    "rapidocr": _rapidocr,
}


@dataclass(frozen=True, slots=True)
class OtherDetector:
    """A detector in place of the reader's own: today an ultralytics pose model of the site's, a file with its hash."""

    name: str
    file: str | None = None
    sha256: str | None = None


def build(
    name: str,
    table: PlateTable | None = None,
    threads: int = 1,
    other: OtherDetector | None = None,
    folder: str | None = None,
) -> tuple[Detector, Reader]:
    """Detector and reader by name, their models loaded; `folder`: where the site's own weights lie.

    Raises ModelError: unknown name, missing or unusable model.
    """
    builder = BUILDERS.get(name)
    if builder is None:
        raise ModelError(f'reader "{name}" is not known; known are {", ".join(sorted(BUILDERS))}')
    if other is not None and name != "own":
        raise ModelError(f'detector "{other.name}" finds whole plates: it goes with reader "own", not "{name}"')
    detector, plate_reader = builder(table or plate_table(), threads, Path(folder) if folder else None)
    return (_other(other, threads) if other else detector), WholeReader(plate_reader, Ends(threads))


def other_detector(name: str | None, file: str | None, sha256: str | None) -> OtherDetector | None:
    return OtherDetector(name, file, sha256) if name else None


def vote_rules(name: str, folder: str | None = None) -> VoteRules:
    """When the readings of a track decide: each reader's confidence means something else. Raises ModelError."""
    if name != "own":
        return VoteRules()
    from edge.vision.weights import FOLDER, find

    weights = find("plate-reader", Path(folder) if folder else FOLDER)
    return VoteRules(sure=float(weights.setting("sure", float)))


def _other(other: OtherDetector, threads: int) -> Detector:
    if other.name != "ultralytics":
        raise ModelError(f'detector "{other.name}" is not known; known is ultralytics')
    from edge.vision.yolo import detector

    return detector(other.file, other.sha256, threads)
