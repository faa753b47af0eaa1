"""Other people's readers, where this machine happens to have them: measured beside ours, never installed by us."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from edge.errors import BarieError
from edge.ports import Image

Look = Callable[[Image], object]
"""One whole look at one picture, text included."""

FAULTS = (ImportError, OSError, RuntimeError, ValueError, AttributeError, TypeError)
"""What a package of another version, or one that cannot fetch its weights, was seen to raise."""


FAST_ALPR = ("detector.onnx", "ocr.onnx", "ocr.yaml")
"""What a folder of its models holds: a detector and a reader of its two libraries' hubs, and the reader's config."""


def check(wanted: Sequence[str]) -> None:
    """`wanted`: NAME, or NAME=FOLDER where its models lie. Raises BarieError for a name that nobody here knows."""
    for name in map(name_of, wanted):
        if name not in RIVALS:
            raise BarieError(f"--against: {name!r} is not known; known are {', '.join(RIVALS)}")


def name_of(wanted: str) -> str:
    return wanted.partition("=")[0]


def load(wanted: str, threads: int) -> Look:
    """The reader of that name, ready to look. Raises BarieError in one line: not installed, or no weights."""
    name, _, folder = wanted.partition("=")
    module, build = RIVALS[name]
    if importlib.util.find_spec(module) is None:
        raise BarieError(f"{name} is not installed: not compared")
    if folder and build is not _fast_alpr:
        raise BarieError(f"--against {wanted}: only fast-alpr takes its models from a folder")
    try:
        return build(importlib.import_module(module), threads, Path(folder) if folder else None)
    except FAULTS as error:
        raise BarieError(f"{name} is installed but cannot be used: {type(error).__name__}: {error}") from error


def _fast_alpr(module: Any, threads: int, folder: Path | None) -> Look:
    """With the hub's models, fetched by itself; or with those of `folder`, where nothing can be fetched."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    where: dict[str, Any] = {}
    if folder is not None:
        detector, reader, config = (folder / name for name in FAST_ALPR)
        for path in (detector, reader, config):
            if not path.is_file():
                raise BarieError(f"{path}: not there; --against fast-alpr=FOLDER wants {', '.join(FAST_ALPR)} in it")
        yolo = importlib.import_module("open_image_models.detection.core.yolo_v9.inference").YoloV9ObjectDetector
        found = yolo(detector, ("License Plate",), conf_thresh=0.4, sess_options=options)
        where = {"detector": found, "ocr_model": None, "ocr_model_path": reader, "ocr_config_path": config}
    look: Look = module.ALPR(detector_sess_options=options, ocr_sess_options=options, **where).predict
    return look


def _easyocr(module: Any, threads: int, _folder: Path | None) -> Look:
    importlib.import_module("torch").set_num_threads(threads)
    look: Look = module.Reader(["en", "vi"], gpu=False, verbose=False).readtext
    return look


def _rapidocr(module: Any, threads: int, _folder: Path | None) -> Look:
    """The package as its own documentation uses it, at its own picture size."""
    params = {"Global.log_level": "error", "EngineConfig.onnxruntime.intra_op_num_threads": threads}
    look: Look = module.RapidOCR(params=params)
    return look


RIVALS: Mapping[str, tuple[str, Callable[[Any, int, Path | None], Look]]] = {
    "fast-alpr": ("fast_alpr", _fast_alpr),
    "easyocr": ("easyocr", _easyocr),
    "rapidocr": ("rapidocr", _rapidocr),
}
"""Name -> module, and how it is made ready."""
