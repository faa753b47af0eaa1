"""Other people's readers, where this machine happens to have them: measured beside ours, never installed by us."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from edge.errors import BarieError
from edge.ports import Image

Look = Callable[[Image], object]
"""One whole look at one picture, text included."""

FAULTS = (ImportError, OSError, RuntimeError, ValueError, AttributeError, TypeError)
"""What a package of another version, or one that cannot fetch its weights, was seen to raise."""


def check(names: Sequence[str]) -> None:
    """Raises BarieError for a name that nobody here knows."""
    for name in names:
        if name not in RIVALS:
            raise BarieError(f"--against: {name!r} is not known; known are {', '.join(RIVALS)}")


def load(name: str, threads: int) -> Look:
    """The reader of that name, ready to look. Raises BarieError in one line: not installed, or no weights."""
    module, build = RIVALS[name]
    if importlib.util.find_spec(module) is None:
        raise BarieError(f"{name} is not installed: not compared")
    try:
        return build(importlib.import_module(module), threads)
    except FAULTS as error:
        raise BarieError(f"{name} is installed but cannot be used: {type(error).__name__}: {error}") from error


def _fast_alpr(module: Any, threads: int) -> Look:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    look: Look = module.ALPR(detector_sess_options=options, ocr_sess_options=options).predict
    return look


def _easyocr(module: Any, threads: int) -> Look:
    importlib.import_module("torch").set_num_threads(threads)
    look: Look = module.Reader(["en", "vi"], gpu=False, verbose=False).readtext
    return look


def _rapidocr(module: Any, threads: int) -> Look:
    """The package as its own documentation uses it, at its own picture size."""
    params = {"Global.log_level": "error", "EngineConfig.onnxruntime.intra_op_num_threads": threads}
    look: Look = module.RapidOCR(params=params)
    return look


RIVALS: Mapping[str, tuple[str, Callable[[Any, int], Look]]] = {
    "fast-alpr": ("fast_alpr", _fast_alpr),
    "easyocr": ("easyocr", _easyocr),
    "rapidocr": ("rapidocr", _rapidocr),
}
"""Name -> module, and how it is made ready."""
