"""The two nets on every runtime that is here: onnxruntime fp32 and int8, OpenVINO fp32 and int8-quantised ONNX.

    python -m models.tools.runtimes [--models models] [--threads 2]

Prints median milliseconds for one 640x384 frame and one crop, and how far each output lies from fp32's. int8 is static,
per channel, calibrated on rendered pictures of the test world. Wants onnxruntime's quantiser (`onnx`), OpenVINO if it
is to be measured.
"""

from __future__ import annotations

import argparse
import importlib.util
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnxruntime as ort
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

from edge.vision.geometry import as_corners, rectify
from edge.vision.weights import find
from models.tools import testworld

FRAME = (384, 640)
Run = Callable[[np.ndarray], list[np.ndarray]]


def pictures(count: int) -> list[np.ndarray]:
    """Frames of the test world on grey up to 640x384."""
    frames = []
    for number in range(count):
        for picture in testworld.passage(testworld.KINDS[number % 5], 1000 + number)[1][::3]:
            padded = np.full((*FRAME, 3), 114, np.uint8)
            padded[: picture.shape[0]] = picture
            frames.append(padded)
    return frames


def crops(frames: list[np.ndarray]) -> list[np.ndarray]:
    middle = as_corners((250, 180, 390, 260))
    return [rectify(frame, middle, (160, 48))[0] for frame in frames]


class Samples(CalibrationDataReader):
    def __init__(self, batches: list[np.ndarray]) -> None:
        self.rows: Iterator[dict[str, np.ndarray]] = iter([{"pixels": batch} for batch in batches])

    def get_next(self) -> dict[str, np.ndarray] | None:
        return next(self.rows, None)


def onnx_run(path: Path, threads: int) -> Run:
    options = ort.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = threads, 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return lambda batch: session.run(None, {"pixels": batch})


def openvino_run(path: Path, threads: int, shape: tuple[int, ...]) -> Run:
    import openvino

    core = openvino.Core()
    model = core.read_model(str(path))
    model.reshape(list(shape))
    settings: dict[str, Any] = {"INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY"}
    compiled = core.compile_model(model, "CPU", {**settings, "INFERENCE_PRECISION_HINT": "f32"})
    return lambda batch: [np.asarray(v) for v in compiled([batch]).values()]


def quantised(path: Path, batches: list[np.ndarray], folder: Path) -> Path:
    ready, out = folder / f"ready-{path.name}", folder / f"int8-{path.name}"
    quant_pre_process(str(path), str(ready), skip_symbolic_shape=True)
    quantize_static(
        str(ready), str(out), Samples(batches), quant_format=QuantFormat.QDQ, per_channel=True,
        activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8, op_types_to_quantize=["Conv", "MatMul", "Gemm"],
    )  # fmt: skip
    return out


def measure(name: str, runs: dict[str, Run], batches: list[np.ndarray], rounds: int) -> None:
    """All variants in turn on the same pictures, so that what else the machine does meets each of them."""
    times: dict[str, list[float]] = {key: [] for key in runs}
    far: dict[str, float] = {}
    plain = [runs["onnxruntime fp32"](batch) for batch in batches[:8]]
    for key, run in runs.items():
        outputs = [run(batch) for batch in batches[:8]]
        far[key] = max(float(np.abs(a[0] - b[0]).max()) for a, b in zip(plain, outputs, strict=True))
    for i in range(rounds):
        for key, run in runs.items():
            began = time.perf_counter()
            run(batches[i % len(batches)])
            times[key].append(1000 * (time.perf_counter() - began))
    for key in runs:
        print(f"{name}, {key}: {statistics.median(times[key]):.1f} ms, first output off by {far[key]:.3f}", flush=True)


def main() -> None:
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--models", type=Path, default=Path("models"))
    args.add_argument("--threads", type=int, default=2)
    args.add_argument("--rounds", type=int, default=60)
    options = args.parse_args()
    cv2.setNumThreads(1)
    frames = pictures(10)
    sets = {"plate-detector": [f[None] for f in frames], "plate-reader": [c[None] for c in crops(frames)]}
    with tempfile.TemporaryDirectory() as name:
        for model, batches in sets.items():
            path = find(model, options.models).path
            runs = {"onnxruntime fp32": onnx_run(path, options.threads)}
            int8 = quantised(path, batches, Path(name))
            runs["onnxruntime int8"] = onnx_run(int8, options.threads)
            if importlib.util.find_spec("openvino"):
                runs["OpenVINO fp32"] = openvino_run(path, options.threads, batches[0].shape)
                runs["OpenVINO int8"] = openvino_run(int8, options.threads, batches[0].shape)
            measure(model, runs, batches, options.rounds)


if __name__ == "__main__":
    main()
