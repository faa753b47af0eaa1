"""The first reader: RapidOCR's PP-OCRv6 text models (Apache-2.0, from its wheel) behind `Detector` and `Reader`.

Only the two ONNX files of the wheel are used, run by onnxruntime here: its own package takes 1.4 s to import and would
fetch what it misses from the network. Nothing is ever downloaded. The plate grammar picks the plates among the texts.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from edge.core.plate.table import PlateTable
from edge.errors import ModelError
from edge.ports import Detection, Image
from edge.vision.linereader import ALPHABET, LINE_HEIGHT_PX, LINE_WIDTH_PX, LineReader, Quad, cut
from edge.vision.textlines import Floats, candidates, lines_of
from edge.vision.weights import FAULTS

DETECTOR_FILE, READER_FILE = "PP-OCRv6_det_small.onnx", "PP-OCRv6_rec_small.onnx"
LONG_SIDE_PX = 704
"""The detector's picture is shrunk to this long side: 0.3 s on one thread, where 1280 px takes 1.1 s."""


def model_folder() -> Path:
    """Where the wheel keeps its models, found without importing it. Raises ModelError."""
    spec = importlib.util.find_spec("rapidocr")
    if spec is None or not spec.submodule_search_locations:
        raise ModelError('reader "rapidocr": its models are not installed; docs/maintain.md says how they are set up')
    return Path(spec.submodule_search_locations[0]) / "models"


def session(path: Path, threads: int) -> ort.InferenceSession:
    """A model on `threads` CPU threads. Raises ModelError that names the file."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # Spinning threads would burn a whole core between two frames.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if not path.is_file():
        raise ModelError(f"model file {path.name} is missing from {path.parent}")
    try:
        return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except FAULTS as error:
        raise ModelError(f"model file {path.name} cannot be loaded: {type(error).__name__}") from error


def _run(model: ort.InferenceSession, batch: Floats) -> Floats:
    try:
        return np.asarray(model.run(None, {model.get_inputs()[0].name: batch})[0], np.float32)
    except FAULTS as error:
        raise ModelError(f"model failed on input {batch.shape}: {type(error).__name__}") from error


def _normalised(image: Image) -> Floats:
    """(3, height, width), -1..1."""
    return np.ascontiguousarray(image.transpose(2, 0, 1), np.float32) / 127.5 - 1


class RapidDetector:
    """Text lines of a picture, grouped into places where a plate may stand."""

    def __init__(self, threads: int = 1, folder: Path | None = None, long_side_px: int = LONG_SIDE_PX) -> None:
        self._model = session((folder or model_folder()) / DETECTOR_FILE, threads)
        self._long_side_px = long_side_px

    def detect(self, image: Image) -> list[Detection]:
        height, width = image.shape[:2]
        if min(height, width) < 8:
            return []
        shrink = min(1.0, self._long_side_px / max(height, width))
        size = tuple(max(32, round(side * shrink / 32) * 32) for side in (width, height))
        small = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
        scores = _run(self._model, _normalised(small)[None])[0, 0]
        return candidates(lines_of(scores, (width / size[0], height / size[1])))


class RapidReader(LineReader):
    """Recognition of text lines, and the grammar's word on which of them are plates."""

    def __init__(self, table: PlateTable, threads: int = 1, folder: Path | None = None) -> None:
        super().__init__(table, self._lines)
        self._model = session((folder or model_folder()) / READER_FILE, threads)
        characters = self._model.get_modelmeta().custom_metadata_map.get("character", "").splitlines()
        missing = [c for c in ALPHABET if c not in characters]
        if missing:
            raise ModelError(f"model file {READER_FILE} cannot read {''.join(missing)!r}: not the expected model")
        # Column 0 is CTC's blank. Reading only what plates are made of costs nothing and keeps 18,700 characters out.
        self._columns = np.array([0, *(characters.index(c) + 1 for c in ALPHABET)])

    def _lines(self, image: Image, quads: Sequence[Quad]) -> list[tuple[str, float]]:
        """Text and confidence of each line, one run each: batches would pad all to the widest."""
        return [self._line(cut(image, quad)) for quad in quads]

    def _line(self, crop: Image) -> tuple[str, float]:
        canvas = np.zeros((1, 3, LINE_HEIGHT_PX, max(LINE_WIDTH_PX[0], crop.shape[1])), np.float32)
        canvas[0, :, :, : crop.shape[1]] = _normalised(crop)
        return _ctc(_run(self._model, canvas)[0][:, self._columns])


def _ctc(steps: NDArray[np.float32]) -> tuple[str, float]:
    """The best path through (steps, columns): repeats and blanks fall away. The least sure character counts."""
    best = steps.argmax(axis=1)
    starts = [i for i, column in enumerate(best) if column and (i == 0 or best[i - 1] != column)]
    text = "".join(ALPHABET[best[i] - 1] for i in starts)
    # A character may peak later in its run of steps than where it starts.
    sure = [float(steps[i : _run_end(best, i), best[i]].max()) for i in starts if ALPHABET[best[i] - 1].isalnum()]
    return text, min(sure, default=0.0)


def _run_end(best: NDArray[np.intp], start: int) -> int:
    end = start
    while end < len(best) and best[end] == best[start]:
        end += 1
    return end
