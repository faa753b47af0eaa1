"""Trains the closer look on single characters of the rendered crops, and of the real ones where the reader looked.

python -m models.tools.closer CROPS --reader CHECKPOINT --work DIR --minutes 30 [--also MORE] [--real FOLDER]
                               [--start CLOSER]
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from models.tools import fit
from models.tools.alphabet import ALPHABET, COLOURS, COUNTRIES, INDEX, LAYOUTS
from models.tools.closer_net import CloserNet, patches
from models.tools.device import DEVICE, onto, start
from models.tools.reader import Crops, real_crops, real_rows
from models.tools.reader_net import ReaderNet, levelled, where
from models.tools.reader_shape import HEIGHT, WIDTH

HANZI_WEIGHT = 2.0
"""In the loss, against letters and digits."""


OTHERS = 0.35
"""Share of the letters and digits that are looked at: hanzi are what the first look lacks."""


def real_looks(folder: Path, reader: Path, seed: int) -> list[np.ndarray]:
    """The real crops with the places where the trained reader looked, for want of better labels."""
    net = ReaderNet(len(ALPHABET), len(LAYOUTS), len(COUNTRIES), len(COLOURS))
    net.load_state_dict(torch.load(reader, map_location="cpu")["ema"])
    net.eval()
    pixels, text, _, heads, weight = real_crops(folder, seed, times=3)
    found = []
    with torch.no_grad():
        for start in range(0, len(pixels), 64):
            part = torch.from_numpy(pixels[start : start + 64]).permute(0, 3, 1, 2).float() / 255
            found.append(where(net(part)[1]).numpy())
    return [pixels, text, np.concatenate(found).astype(np.float32), heads, weight]


def batch(pool: Crops, real: list[np.ndarray] | None, size: int, share: float) -> tuple[Tensor, Tensor, Tensor]:
    """Patches (n, 3, 32, 24), characters (n,), weight (n,)"""
    columns = [*pool.take(size), np.ones((size, 12), np.float32)]
    if real is not None:
        rows = real_rows(pool.draw, real[1], round(size * share))
        columns = [np.concatenate([a, b[rows]]) for a, b in zip(columns, real, strict=True)]
    pixels, text, centres, heads, weight = onto(*(torch.from_numpy(c) for c in columns))
    x = levelled(pixels.permute(0, 3, 1, 2).float() / 255)
    x = torch.where(torch.rand(len(x), 1, 1, 1, device=x.device) < 0.15, x.mean(1, keepdim=True).expand_as(x), x)
    x = x * (1 + 0.2 * torch.randn(len(x), 1, 1, 1, device=x.device))
    off = torch.randn_like(centres) * torch.tensor([1.3 / WIDTH, 1.1 / HEIGHT], device=x.device)
    seen = patches(x, centres + off, (heads[:, 0] == 1).float())
    chosen = (text >= INDEX["京"]) | (torch.rand(text.shape, device=x.device) < OTHERS)
    known = ((text > 0) & (centres[..., 0] >= 0) & chosen).flatten()
    weight = weight * torch.where(text >= INDEX["京"], HANZI_WEIGHT, 1.0)
    return seen[known], text.flatten()[known].long(), weight.flatten()[known]


def train(options: argparse.Namespace) -> None:
    start(options.seed)
    net = CloserNet(len(ALPHABET)).to(DEVICE, memory_format=torch.channels_last)
    pool = Crops([options.crops, *options.also], options.seed)
    real = real_looks(options.real, options.reader, options.seed) if options.real else None
    course = fit.Fit(net, options, "closer", [{"params": net.parameters(), "weight_decay": 0.03}], clip=5.0)
    for _ in course.steps(100, pool.look):
        seen, text, weight = batch(pool, real, options.batch, 0.08)
        with torch.autocast(DEVICE, dtype=torch.bfloat16):
            letters = net(seen.contiguous(memory_format=torch.channels_last))
        spell = F.cross_entropy(letters.float(), text, reduction="none", label_smoothing=0.03)
        right, hanzi = (letters.argmax(1) == text).float(), text >= INDEX["京"]
        course.learn(
            (spell * weight).sum() / weight.sum(),
            right=right.mean(),
            hanzi=right[hanzi].sum() / hanzi.sum().clamp_min(1),
        )


def arguments() -> argparse.ArgumentParser:
    args = fit.arguments(__doc__, "crops", minutes=30, batch=64, peak=2.5e-3, seed=7)
    args.add_argument("--reader", type=Path)
    args.add_argument("--real", type=Path)
    return args


if __name__ == "__main__":
    train(arguments().parse_args())
