"""Writes the ONNX files and the manifest from two checkpoints, and checks that ONNX says what torch says.

python -m models.tools.export --reader CHECKPOINT --detector CHECKPOINT [--out models] [--temperature T]
"""

from __future__ import annotations

import argparse
import hashlib
from pathlib import Path

import numpy as np
import onnxruntime as ort
import torch
from torch import nn

from edge.vision.geometry import MARGIN_X, MARGIN_Y
from models.tools import detector_net, reader_net
from models.tools.alphabet import ALPHABET, COLOURS, COUNTRIES, LAYOUTS
from models.tools.reader_shape import HEIGHT, WIDTH

LICENCE = "AGPL-3.0-or-later"


def export_reader(checkpoint: Path, out: Path, temperature: float) -> None:
    net = reader_net.ReaderNet(len(ALPHABET), len(LAYOUTS), len(COUNTRIES), len(COLOURS))
    net.load_state_dict(torch.load(checkpoint, map_location="cpu")["ema"])
    sample = torch.randint(0, 255, (2, HEIGHT, WIDTH, 3), dtype=torch.uint8)
    names = ["letters", "layout", "country", "colour", "rows"]
    axes = {name: {0: "n"} for name in ["pixels", *names]}
    _export(reader_net.Exported(net, temperature), sample, out, names, axes)


def export_detector(checkpoint: Path, out: Path) -> None:
    net = detector_net.DetectorNet()
    net.load_state_dict(torch.load(checkpoint, map_location="cpu")["ema"])
    sample = torch.randint(0, 255, (1, 96, 160, 3), dtype=torch.uint8)
    axes = {
        "pixels": {1: "h", 2: "w"},
        "heat": {0: "gh", 1: "gw"},
        "corners": {1: "gh", 2: "gw"},
        "layout": {1: "gh", 2: "gw"},
    }
    _export(detector_net.Exported(net), sample, out, ["heat", "corners", "layout"], axes)


def _export(net: nn.Module, sample: torch.Tensor, out: Path, names: list[str], axes: dict[str, dict[int, str]]) -> None:
    net.eval()
    torch.onnx.export(
        net,
        (sample,),
        str(out),
        input_names=["pixels"],
        output_names=names,
        dynamic_axes=axes,
        opset_version=17,
        dynamo=False,
    )
    with torch.no_grad():
        wanted = net(sample)
    given = ort.InferenceSession(str(out), providers=["CPUExecutionProvider"]).run(None, {"pixels": sample.numpy()})
    for name, a, b in zip(names, wanted, given, strict=True):
        gap = float(np.abs(a.numpy() - b).max())
        if gap > 2e-3 * max(1.0, float(a.abs().max())):
            raise SystemExit(f"{out.name}: ONNX output {name} differs from torch by {gap}")


def _entry(path: Path, name: str, settings: dict[str, str]) -> str:
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    rows = {
        "name": f'"{name}"',
        "file": f'"{path.name}"',
        "sha256": f'"{digest}"',
        "licence": f'"{LICENCE}"',
        **settings,
    }
    return "[[model]]\n" + "".join(f"{key} = {value}\n" for key, value in rows.items())


def main() -> None:
    args = argparse.ArgumentParser(description=__doc__)
    args.add_argument("--reader", type=Path, required=True)
    args.add_argument("--detector", type=Path, required=True)
    args.add_argument("--out", type=Path, default=Path("models"))
    args.add_argument("--temperature", type=float, default=1.0)
    args.add_argument("--views", type=int, choices=(1, 2), default=1)
    args.add_argument("--long-side", type=int, default=640)
    args.add_argument("--threshold", type=float, default=0.3)
    options = args.parse_args()
    reader, detector = options.out / "plate-reader.onnx", options.out / "plate-detector.onnx"
    export_reader(options.reader, reader, options.temperature)
    export_detector(options.detector, detector)
    heading = "# The model files that this version may load. Written by models/tools/export.py.\n\nversion = 1\n\n"
    detector_settings = {
        "input": '"uint8 (1, h, w, 3) BGR, h and w multiples of 32"',
        "trained_on": '"scenes rendered by models/tools/scenes.py, with real Chinese crops (Apache-2.0) in some"',
        "long_side_px": str(options.long_side),
        "threshold": str(options.threshold),
    }
    view = f"[{MARGIN_X}, {MARGIN_Y}]"
    reader_settings = {
        "input": f'"uint8 (n, {HEIGHT}, {WIDTH}, 3) BGR, rectified from four corners"',
        "trained_on": '"crops rendered by models/tools/crops.py; 881 real Chinese crops (train-cn-crops, Apache-2.0)"',
        "views": f"[{view}]" if options.views == 1 else f"[{view}, [{2 * MARGIN_X}, {2.4 * MARGIN_Y:.3f}]]",
        "temperature": str(options.temperature),
        "alphabet": f'"{ALPHABET}"',
    }
    text = (
        heading
        + _entry(detector, "plate-detector", detector_settings)
        + "\n"
        + _entry(reader, "plate-reader", reader_settings)
    )
    (options.out / "manifest.toml").write_text(text, encoding="utf-8")
    print(f"{reader.stat().st_size} B reader, {detector.stat().st_size} B detector")


if __name__ == "__main__":
    main()
