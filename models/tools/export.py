"""Writes the model folder from checkpoints: ONNX checked against torch, the training state, and the manifest.

    python -m models.tools.export --reader CHECKPOINT --detector CHECKPOINT [--closer CHECKPOINT --share 0.75]
                                  [--out models] [--temperature T] [--sure 0.9]

Weights are stored as 16-bit numbers (half the size) and worked with as 32-bit ones: the runtime widens them at load.
"""

from __future__ import annotations

import argparse
import hashlib
import tomllib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx
import onnxruntime as ort
import torch
from torch import nn

from edge.vision.geometry import MARGIN_X, MARGIN_Y, rectify
from edge.vision.weights import MANIFEST, find
from edge.vision.wholeness import MARGIN as ENDS_MARGIN
from edge.vision.wholeness import NAME as ENDS
from edge.vision.wholeness import SIZE as ENDS_SIZE
from models.tools import closer_net, detector_net, reader_net, testworld
from models.tools.alphabet import ALPHABET, COLOURS, COUNTRIES, LAYOUTS
from models.tools.reader_shape import HEIGHT, WIDTH

LICENCE = "AGPL-3.0-or-later"
NAMES = ("plate-detector", "plate-reader", "plate-ends")
READER, DETECTOR, STATE = "plate-reader.onnx", "plate-detector.onnx", "plate-reader.npz"
HEADING = "# The model files that this version may load. Written by models/tools/export.py.\n\nversion = 1\n"
EXACT, HALVED = 1e-3, 1e-2
"""How far the file may be from torch: as written, and with its weights rounded to 16 bits."""
SMALL = 256
"""Arrays of fewer numbers stay 32-bit: nothing to gain."""


def reader_of(checkpoint: Path) -> reader_net.ReaderNet:
    net = reader_net.ReaderNet(len(ALPHABET), len(LAYOUTS), len(COUNTRIES), len(COLOURS))
    net.load_state_dict(torch.load(checkpoint, map_location="cpu")["ema"])
    return net


def closer_of(checkpoint: Path | None) -> closer_net.CloserNet | None:
    if checkpoint is None:
        return None
    net = closer_net.CloserNet(len(ALPHABET))
    net.load_state_dict(torch.load(checkpoint, map_location="cpu")["ema"])
    return net


def load_state(models: Path) -> tuple[reader_net.ReaderNet, closer_net.CloserNet | None]:
    """The shipped reader as it can be trained on."""
    net = reader_net.ReaderNet(len(ALPHABET), len(LAYOUTS), len(COUNTRIES), len(COLOURS))
    closer = closer_net.CloserNet(len(ALPHABET))
    with np.load(models / STATE) as data:
        state = {k: torch.from_numpy(data[k].astype(np.float32)) for k in data}
    part = {
        prefix: {k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)}
        for prefix in ("reader.", "closer.")
    }
    net.load_state_dict(part["reader."], strict=False)
    if not part["closer."]:
        return net, None
    closer.load_state_dict(part["closer."], strict=False)
    return net, closer


def write_reader(net: nn.Module, closer: nn.Module | None, out: Path, settings: dict[str, Any]) -> None:
    """ONNX and training state. Of the settings `temperature` and `share` go into the file."""
    share = float(settings.get("share", 0.0)) if closer is not None else 0.0
    export_reader(net, out / READER, float(settings["temperature"]), closer, share)
    halves = {f"reader.{k}": v for k, v in net.state_dict().items()}
    halves |= {f"closer.{k}": v for k, v in closer.state_dict().items()} if closer is not None else {}
    kept = {k: v.numpy().astype(np.float16) for k, v in halves.items() if v.dtype.is_floating_point}
    np.savez_compressed(out / STATE, **kept)


def export_reader(
    net: nn.Module, out: Path, temperature: float, closer: nn.Module | None = None, share: float = 0.0
) -> None:
    sample = _plates()
    names = ["letters", "layout", "country", "colour", "rows"]
    axes = {name: {0: "n"} for name in ["pixels", *names]}
    _export(closer_net.Exported(net, temperature, closer, share), sample, out, names, axes)


def export_detector(checkpoint: Path, out: Path) -> None:
    net = detector_net.DetectorNet()
    net.load_state_dict(torch.load(checkpoint, map_location="cpu")["ema"])
    sample = _blots(1, 96, 160)
    axes = {
        "pixels": {1: "h", 2: "w"},
        "heat": {0: "gh", 1: "gw"},
        "corners": {1: "gh", 2: "gw"},
        "layout": {1: "gh", 2: "gw"},
    }
    _export(detector_net.Exported(net), sample, out, ["heat", "corners", "layout"], axes)


def _plates() -> torch.Tensor:
    """Crops of the test world (n, 48, 160, 3): where there is no text the reader is in doubt, and rounding sways it."""
    frames = [frame for kind in testworld.KINDS for frame in testworld.passage_with_corners(kind, 1)[1][::3]]
    return torch.from_numpy(np.stack([rectify(picture, quad, (WIDTH, HEIGHT))[0] for picture, quad in frames]))


def _blots(count: int, height: int, width: int) -> torch.Tensor:
    """Soft blots (n, h, w, 3), the same at every export: on white noise a look may jump for next to nothing."""
    noise = torch.rand((count, 3, height // 8, width // 8), generator=torch.Generator().manual_seed(1))
    smooth = torch.nn.functional.interpolate(noise, size=(height, width), mode="bilinear")
    return (smooth * 255).round().to(torch.uint8).permute(0, 2, 3, 1).contiguous()


def _export(net: nn.Module, sample: torch.Tensor, out: Path, names: list[str], axes: dict[str, dict[int, str]]) -> None:
    net.eval()
    torch.onnx.export(
        net, (sample,), str(out), input_names=["pixels"], output_names=names, dynamic_axes=axes, opset_version=17,
        dynamo=False,
    )  # fmt: skip
    with torch.no_grad():
        wanted = dict(zip(names, (part.numpy() for part in net(sample)), strict=True))
    _check(out, sample, wanted, EXACT)
    halve(out)
    _check(out, sample, wanted, HALVED)


def _check(path: Path, sample: torch.Tensor, wanted: dict[str, np.ndarray], bound: float) -> None:
    """Raises SystemExit where the file's answer is further from torch's than `bound` of its largest number."""
    session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    given = session.run(list(wanted), {"pixels": sample.numpy()})
    for (name, a), b in zip(wanted.items(), given, strict=True):
        gap = _gap_of_peaks(a, b) if name == "heat" else float(np.abs(a - b).max())
        if gap > bound * max(1.0, float(np.abs(a).max())):
            raise SystemExit(f"{path.name}: ONNX output {name} differs from torch by {gap}")


def _gap_of_peaks(a: np.ndarray, b: np.ndarray) -> float:
    """How far any peak of one map stands above all that the other has within two cells of it.

    Where two neighbours are as good as equal, rounding decides which of them is the peak: no error of either map.
    """
    around = np.ones((5, 5), np.uint8)
    return float(max((one - cv2.dilate(other, around)).max() for one, other in ((a, b), (b, a))))


def halve(path: Path) -> None:
    """Every large weight as a 16-bit initialiser with a cast behind it, which the runtime folds when it loads."""
    model = onnx.load(str(path))
    casts = []
    for tensor in model.graph.initializer:
        if tensor.data_type != onnx.TensorProto.FLOAT or np.prod(tensor.dims) < SMALL:
            continue
        values, name = onnx.numpy_helper.to_array(tensor).astype(np.float16), tensor.name
        tensor.CopyFrom(onnx.numpy_helper.from_array(values, f"{name}.half"))
        casts.append(onnx.helper.make_node("Cast", [f"{name}.half"], [name], to=onnx.TensorProto.FLOAT))
    for node in reversed(casts):
        model.graph.node.insert(0, node)
    onnx.save(model, str(path))


def write_manifest(models: Path, out: Path, changes: dict[str, dict[str, Any]] | None = None) -> None:
    """The manifest of `out`: as that of `models`, with `changes` by model name, and the hashes of the files there."""
    text = HEADING
    for name in (name for name in NAMES if (out / f"{name}.onnx").exists()):
        known = (
            {} if name in (changes or {}) and not _listed(name, models) else find(name, models, checked=False).settings
        )
        settings = {**known, **(changes or {}).get(name, {})}
        settings["sha256"] = hashlib.sha256((out / settings["file"]).read_bytes()).hexdigest()
        text += "\n[[model]]\n" + "".join(f"{key} = {_toml(value)}\n" for key, value in settings.items())
    (out / MANIFEST).write_text(text, encoding="utf-8")


def _listed(name: str, models: Path) -> bool:
    rows = tomllib.loads((models / MANIFEST).read_text(encoding="utf-8"))["model"]
    return any(row["name"] == name for row in rows)


def write_ends(net: nn.Module, out: Path, least: float, least_short: float) -> None:
    """The judge of ends into the folder of models, with its entry in the manifest there."""
    axes = {"pixels": {0: "n"}, "ends": {0: "n"}}
    frames = [frame for kind in testworld.KINDS for frame in testworld.passage_with_corners(kind, 1)[1][::3]]
    sample = torch.from_numpy(
        np.stack([rectify(picture, quad, ENDS_SIZE, *ENDS_MARGIN)[0] for picture, quad in frames])
    )
    _export(net, sample, out / f"{ENDS}.onnx", ["ends"], axes)
    entry: dict[str, Any] = {
        "name": ENDS,
        "file": f"{ENDS}.onnx",
        "licence": LICENCE,
        "input": f"uint8 (n, {HEIGHT}, {WIDTH}, 3) BGR, rectified from four corners with room around them",
        "trained_on": "crops rendered by models/tools/covered.py; real vehicles and plates of train-scenes (card)",
        "least": least,
        "least_short": least_short,
    }
    write_manifest(out, out, {ENDS: entry})


def _toml(value: Any) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else str(value)


def main() -> None:
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--reader", type=Path, required=True)
    args.add_argument("--detector", type=Path, required=True)
    args.add_argument("--closer", type=Path)
    args.add_argument("--share", type=float, default=0.75)
    args.add_argument("--out", type=Path, default=Path("models"))
    args.add_argument("--like", type=Path, default=Path("models"), help="the folder whose manifest is carried on")
    args.add_argument("--temperature", type=float, default=1.0)
    args.add_argument("--sure", type=float, default=0.9)
    args.add_argument("--views", type=int, choices=(1, 2, 3), default=2)
    args.add_argument("--long-side", type=int, default=512)
    args.add_argument("--threshold", type=float, default=0.3)
    options = args.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    export_detector(options.detector, options.out / DETECTOR)
    near, wide = [MARGIN_X, MARGIN_Y], [2 * MARGIN_X, 2.4 * MARGIN_Y]
    views = {1: [near], 2: [near, wide], 3: [[0.01, 0.02], near, [0.06, 0.12]]}[options.views]
    reader: dict[str, Any] = {
        "licence": LICENCE,
        "input": f"uint8 (n, {HEIGHT}, {WIDTH}, 3) BGR, rectified from four corners",
        "trained_on": "crops rendered by models/tools/crops.py; 881 real Chinese crops (train-cn-crops, Apache-2.0)",
        "views": [[round(v, 3) for v in view] for view in views],
        "temperature": options.temperature,
        "share": options.share if options.closer else 0.0,
        "sure": options.sure,
        "alphabet": ALPHABET,
    }
    write_reader(reader_of(options.reader), closer_of(options.closer), options.out, reader)
    detector = {
        "licence": LICENCE,
        "input": "uint8 (1, h, w, 3) BGR, h and w multiples of 32",
        "trained_on": "scenes rendered by models/tools/scenes.py, with real Chinese crops (Apache-2.0) in some, "
        "and real photographs with rendered plates in some (roads.py; openalpr benchmarks, Open Images)",
        "long_side_px": options.long_side,
        "threshold": options.threshold,
        "second_side_px": 800,
        "second_threshold": 0.2,
        "unsure": 0.75,
        "faint": 0.06,
    }
    write_manifest(options.like, options.out, {"plate-reader": reader, "plate-detector": detector})
    for path in sorted(options.out.glob("plate-*.[on]*")):
        print(f"{path.name}: {path.stat().st_size} B")


if __name__ == "__main__":
    main()
