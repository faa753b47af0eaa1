"""The project's own model files: found through models/manifest.toml, refused unless their hash is the one there."""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray
from onnxruntime.capi import onnxruntime_pybind11_state as runtime

from edge import resources
from edge.errors import ModelError

FOLDER = resources.models()
MANIFEST = "manifest.toml"
# The runtime's own exceptions (Fail, InvalidProtobuf, NoSuchFile …) have no common base but Exception itself.
FAULTS: tuple[type[Exception], ...] = (
    RuntimeError,
    ValueError,
    *(kind for kind in vars(runtime).values() if isinstance(kind, type) and issubclass(kind, Exception)),
)


@dataclass(frozen=True)
class Weights:
    """One entry of the manifest. `settings` holds what only this kind of model needs (alphabet, threshold …)."""

    name: str
    path: Path
    sha256: str
    settings: dict[str, Any] = field(default_factory=dict)

    def setting(self, key: str, kind: type) -> Any:
        value = self.settings.get(key)
        if not isinstance(value, kind):
            raise ModelError(
                f"{MANIFEST}: {self.name}: {key} must be {kind.__name__}; write the manifest again with export"
            )
        return value


def find(name: str, folder: Path = FOLDER, *, checked: bool = True) -> Weights:
    """The manifest's entry of that name, its file's hash checked. Raises ModelError that says what to do."""
    path = folder / MANIFEST
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ModelError(f"{path}: the manifest of models cannot be read: {error}; take it from the release") from error
    rows = data.get("model")
    row = (
        next((r for r in rows if isinstance(r, dict) and r.get("name") == name), None)
        if isinstance(rows, list)
        else None
    )
    if row is None or not isinstance(row.get("file"), str) or not isinstance(row.get("sha256"), str):
        raise ModelError(f'{path}: no model "{name}" with file and sha256; take the manifest from the release')
    weights = Weights(name, folder / row["file"], row["sha256"], row)
    if checked:
        _check(weights)
    return weights


def _check(weights: Weights) -> None:
    try:
        digest = hashlib.sha256(weights.path.read_bytes()).hexdigest()
    except OSError as error:
        raise ModelError(f"{weights.path}: the model file cannot be read: {error.strerror}; put it back") from error
    if digest != weights.sha256:
        raise ModelError(
            f"{weights.path}: sha256 {digest[:12]}… is not the manifest's {weights.sha256[:12]}…: "
            "the file was changed or belongs to another version; put the released file back"
        )


class Model:
    """An ONNX model on `threads` CPU threads. Every failure is a ModelError, never an empty answer."""

    def __init__(self, weights: Weights, threads: int) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        # Spinning threads would burn a whole core between two frames.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._name = weights.path.name
        try:
            self._session = ort.InferenceSession(str(weights.path), options, providers=["CPUExecutionProvider"])
        except FAULTS as error:
            raise ModelError(f"{self._name}: cannot be loaded: {type(error).__name__}") from error
        self._input = self._session.get_inputs()[0].name

    def run(self, pixels: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
        try:
            outputs = self._session.run(None, {self._input: pixels})
        except FAULTS as error:
            raise ModelError(f"{self._name}: failed on input {pixels.shape}: {type(error).__name__}") from error
        return [np.asarray(output, np.float32) for output in outputs]
