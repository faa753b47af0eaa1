"""Tunes the shipped reader on a site's own crops, without forgetting: few steps, small ones, tied to where they began.

    python -m models.tools.tune SET --models models --out FOLDER [--steps 300] [--also RENDERED]

SET holds `set.json` ([{file, text, corners}]) and its pictures, as `barie learn` writes them. Starts from the training
state beside the shipped weights (`plate-reader.npz`), writes a whole model folder with its manifest to `--out`.
"""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path
from random import Random

import cv2
import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from edge.vision.geometry import rectify
from edge.vision.weights import find
from models.tools import camera, export
from models.tools.alphabet import INDEX
from models.tools.crops import found
from models.tools.reader import Crops, loss_of
from models.tools.reader_net import ReaderNet
from models.tools.reader_shape import HEIGHT, SLOTS, WIDTH

TIES = 30.0
"""How strongly each weight is held to where it began."""
KEPT = 0.5
"""How far the tuned weights go back to where they began: the net half-way reads the site's plates nearly as well as the
tuned one, and the rest of the world nearly as well as the first (Wortsman and others, 2022: robust fine-tuning)."""


def site_batch(r: Random, rows: list[dict], folder: Path, size: int) -> list[np.ndarray]:
    """(pixels, text) of crops drawn anew: other corners, other light each time."""
    pixels, text = np.empty((size, HEIGHT, WIDTH, 3), np.uint8), np.zeros((size, SLOTS), np.int64)
    for i in range(size):
        row = r.choice(rows)
        image = cv2.imread(str(folder / row["file"]), cv2.IMREAD_COLOR)
        cut = rectify(image, found(r, np.float32(row["corners"])), (WIDTH, HEIGHT))[0]
        pixels[i] = camera.light(r, cut) if r.random() < 0.5 else cut
        text[i, : len(row["text"])] = [INDEX[c] for c in row["text"]]
    return [pixels, text]


def site_loss(net: ReaderNet, pixels: np.ndarray, text: np.ndarray) -> Tensor:
    letters, _, _ = net(torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255)
    return F.cross_entropy(letters.flatten(0, 1), torch.from_numpy(text).flatten(), label_smoothing=0.02)


def tune(options: argparse.Namespace) -> None:
    torch.manual_seed(options.seed)
    torch.set_num_threads(1)
    rows = json.loads((options.set / "set.json").read_text(encoding="utf-8"))
    if not rows:
        raise SystemExit(f"{options.set}: no crops to tune on")
    r = Random(options.seed)
    net, closer = export.load_state(options.models)
    began = {name: p.detach().clone() for name, p in net.named_parameters()}
    net.train()
    for module in net.modules():  # a few crops say nothing about the averages of the world
        if isinstance(module, torch.nn.BatchNorm2d):
            module.eval()
    pool = Crops([options.also], options.seed) if options.also else None
    optimiser = torch.optim.AdamW(net.parameters(), lr=options.peak, weight_decay=0.0)
    for step in range(options.steps):
        for group in optimiser.param_groups:
            group["lr"] = options.peak * min(1.0, (step + 1) / 20) * (1 - step / options.steps)
        loss = site_loss(net, *site_batch(r, rows, options.set, options.batch))
        ties = sum((p - began[name]).square().sum() for name, p in net.named_parameters())
        if pool is not None:
            a, b, c, d = (torch.from_numpy(x) for x in pool.take(options.batch))
            loss = loss + loss_of(net, (a, b.long(), c, d.long(), torch.ones(b.shape)), 0.15)[0]
        optimiser.zero_grad()
        (loss + TIES * ties / options.batch).backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimiser.step()
    with torch.no_grad():
        for name, p in net.named_parameters():
            p.lerp_(began[name], options.kept)
    write(net, closer, options)


def write(net: ReaderNet, closer: torch.nn.Module | None, options: argparse.Namespace) -> None:
    """A whole model folder: the detector as it was, the tuned reader, and a manifest with its hashes."""
    options.out.mkdir(parents=True, exist_ok=True)
    shutil.copy(find("plate-detector", options.models).path, options.out)
    settings = find("plate-reader", options.models).settings
    export.write_reader(net.eval(), closer, options.out, settings)
    export.write_manifest(options.models, options.out)


def main() -> None:
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("set", type=Path)
    args.add_argument("--models", type=Path, default=Path("models"))
    args.add_argument("--out", type=Path, required=True)
    args.add_argument("--also", type=Path, help="rendered crops, so that nothing is forgotten")
    args.add_argument("--steps", type=int, default=300)
    args.add_argument("--batch", type=int, default=32)
    args.add_argument("--peak", type=float, default=2e-4)
    args.add_argument("--kept", type=float, default=KEPT)
    args.add_argument("--seed", type=int, default=1)
    tune(args.parse_args())


if __name__ == "__main__":
    main()
