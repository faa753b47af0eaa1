"""Trains an ultralytics YOLO with a pose head (four key points: the plate's corners) on the detector's own scenes.

    python -m models.tools.yolo SCENES --work DIR --minutes 60 [--model yolo11n-pose.yaml]

From nothing: no weights are downloaded. Writes DIR/yolo-pose.onnx for `edge.vision.yolo`, to be measured beside the
project's own detector with `models.tools.detectors`. Wants `pip install ultralytics` beside requirements.txt.
"""

from __future__ import annotations

import argparse
import importlib
import os
import shutil
from pathlib import Path

import cv2
import numpy as np
import torch


def register_nms() -> None:
    """Torchvision's own kernels do not load beside every CPU torch; ultralytics needs these to be importable."""
    for name in ("nms", "qnms"):
        try:
            torch.library.define(f"torchvision::{name}", "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        except RuntimeError:
            return  # there are some already
        torch.library.impl(f"torchvision::{name}", "CPU")(_nms)
    boxes = importlib.import_module("torchvision.ops.boxes")
    boxes._assert_has_ops = lambda: None  # ours is there; the check asks for theirs


def _nms(boxes: torch.Tensor, scores: torch.Tensor, iou_threshold: float) -> torch.Tensor:
    order, kept = scores.argsort(descending=True), []
    area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    while len(order):
        best, rest = order[0], order[1:]
        kept.append(best)
        low, high = torch.maximum(boxes[best, :2], boxes[rest, :2]), torch.minimum(boxes[best, 2:], boxes[rest, 2:])
        common = (high - low).clamp_min(0).prod(1)
        order = rest[common / (area[best] + area[rest] - common) <= iou_threshold]
    return torch.stack(kept) if kept else torch.zeros(0, dtype=torch.long)


def write_set(scenes: Path, out: Path, chunks: int) -> Path:
    """The rendered scenes as pictures and label files; returns the data file that ultralytics wants."""
    for part in ("images", "labels"):
        (out / part / "train").mkdir(parents=True, exist_ok=True)
    for path in sorted(scenes.glob("scenes-*.npz"))[:chunks]:
        with np.load(path) as data:
            for i, (picture, corners) in enumerate(zip(data["pixels"], data["corners"], strict=True)):
                name = f"{path.stem}-{i:03d}"
                cv2.imwrite(str(out / "images/train" / f"{name}.jpg"), picture, [cv2.IMWRITE_JPEG_QUALITY, 95])
                (out / "labels/train" / f"{name}.txt").write_text(labels(corners, picture.shape[:2]), encoding="ascii")
    file = out / "data.yaml"
    file.write_text(
        f"path: {out.resolve()}\ntrain: images/train\nval: images/train\nkpt_shape: [4, 2]\n"
        "flip_idx: [1, 0, 3, 2]\nnames:\n  0: plate\n",
        encoding="ascii",
    )
    return file


def labels(corners: np.ndarray, size: tuple[int, int]) -> str:
    """One line a plate: class, box and four corners, in shares of width and height."""
    lines = []
    for quad in corners[~np.isnan(corners[:, 0, 0])]:
        shares = np.clip(quad / np.array([size[1], size[0]], np.float32), 0, 1)
        low, high = shares.min(0), shares.max(0)
        if (high - low).min() > 0:
            numbers = [*((low + high) / 2), *(high - low), *shares.ravel()]
            lines.append("0 " + " ".join(f"{v:.5f}" for v in numbers))
    return "\n".join(lines) + "\n"


def main() -> None:
    args = argparse.ArgumentParser(description=__doc__)
    args.add_argument("scenes", type=Path)
    args.add_argument("--work", type=Path, default=Path("models/work"))
    args.add_argument("--model", default="yolo11n-pose.yaml")
    args.add_argument("--chunks", type=int, default=8)
    args.add_argument("--minutes", type=float, default=60)
    args.add_argument("--epochs", type=int, default=30)
    args.add_argument("--size", type=int, default=416)
    args.add_argument("--seed", type=int, default=5)
    options = args.parse_args()
    os.environ.setdefault("YOLO_CONFIG_DIR", str(options.work.resolve()))
    register_nms()
    from ultralytics import YOLO

    data = write_set(options.scenes, options.work / "yolo-set", options.chunks)
    torch.set_num_threads(1)
    model = YOLO(options.model)
    model.train(
        data=str(data), imgsz=options.size, rect=False, epochs=options.epochs, time=options.minutes / 60, batch=16,
        device="cpu", workers=0, pretrained=False, val=False, plots=False, seed=options.seed, amp=False, fliplr=0.3,
        degrees=3, scale=0.5, mosaic=0.5, close_mosaic=2, project=str(options.work.resolve()), name="yolo-run",
        exist_ok=True, save=True, optimizer="AdamW", lr0=1.5e-3, warmup_epochs=0.3, cos_lr=True, verbose=False,
    )  # fmt: skip
    export(options.work / "yolo-run/weights/last.pt", options.work / "yolo-pose.onnx")


def export(checkpoint: Path, out: Path) -> None:
    """(1, 3, h, w) RGB in 0..1 to (1, 5 + 8, n): box, score and corners in model pixels. Any size: a multiple of 32."""
    register_nms()
    from ultralytics import YOLO

    written = YOLO(str(checkpoint)).export(format="onnx", dynamic=True, opset=17, simplify=False, device="cpu")
    shutil.copy(written, out)


if __name__ == "__main__":
    main()
