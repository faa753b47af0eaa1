"""Trains the reader on rendered crops (and the real Chinese ones) for a given time, and exports it.

python -m models.tools.reader CROPS --work DIR --minutes 70 [--real FOLDER] [--from CHECKPOINT]
"""

from __future__ import annotations

import argparse
from pathlib import Path
from random import Random

import cv2
import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from edge.vision.geometry import as_corners, rectify
from models.tools import camera, fit
from models.tools.alphabet import ALPHABET, COLOURS, COUNTRIES, INDEX, LAYOUTS
from models.tools.chunks import Pool
from models.tools.crops import found
from models.tools.device import DEVICE, onto, start
from models.tools.reader_net import ReaderNet
from models.tools.reader_shape import GRID_H, GRID_W, HEIGHT, SLOTS, WIDTH

PROVINCE_WEIGHT = 2.5
"""Provinces are the hardest characters by far: small, dense, and 31 of them."""

Batch = tuple[Tensor, ...]
"""pixels (n, h, w, 3) uint8, text (n, slots), centres (n, slots, 2; < 0: unknown), heads (n, 3), weight (n, slots)"""


class Crops(Pool):
    """The reader's chunks."""

    def __init__(self, folders: list[Path], seed: int) -> None:
        super().__init__(folders, seed, "chunk", ("pixels", "text", "centres", "heads"))

    def take(self, count: int) -> list[np.ndarray]:
        """A batch from four chunks, the folders in turn: random enough, and kind to the cache."""
        parts = []
        full = self.full()
        for part in range(4):
            chunks = full[part % len(full)]
            chunk = chunks[self.draw.integers(len(chunks))]
            rows = self.draw.integers(0, len(chunk["text"]), count // 4)
            parts.append([chunk[column][rows] for column in self.columns])
        return [np.concatenate(columns) for columns in zip(*parts, strict=True)]


def real_crops(folder: Path, seed: int, times: int = 16) -> list[np.ndarray]:
    """The real Chinese crops, each cut and lit `times` ways. File names are texts; 95 in 100 are of one province."""
    r = Random(seed)
    pixels, text, weight = [], [], []
    for path in sorted(folder.glob("*.jpg")):
        name = path.stem.split("_")[0]
        if any(c not in INDEX for c in name) or len(name) > SLOTS:
            continue
        image = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_COLOR)
        row = [INDEX[c] for c in name] + [0] * (SLOTS - len(name))
        for _ in range(times):
            corners = found(r, as_corners((0, 0, image.shape[1], image.shape[0])))
            cut, _matrix = rectify(image, corners, (WIDTH, HEIGHT))
            pixels.append(camera.light(r, cut) if r.random() < 0.5 else cut)
            text.append(row)
            weight.append([real_province_weight(name)] + [1.0] * (SLOTS - 1))
    count = len(pixels)
    heads = np.tile(np.array([[0, 1, 2]], np.int16), (count, 1))
    centres = np.full((count, SLOTS, 2), -1, np.float32)
    return [np.stack(pixels), np.array(text, np.int16), centres, heads, np.array(weight, np.float32)]


def real_province_weight(text: str) -> float:
    """Little is learned from the province that nearly all real crops share: it would answer every blur."""
    return 0.25 if text[0] == "皖" else 1.0


def real_rows(draw: np.random.Generator, text: np.ndarray, size: int) -> np.ndarray:
    """Rows of the real crops, each province as often as the root of its share: 95 in 100 are of one."""
    _, inverse, counts = np.unique(text[:, 0], return_inverse=True, return_counts=True)
    often = 1 / np.sqrt(counts)[inverse]
    return draw.choice(len(text), size, p=often / often.sum())


def batch(pool: Crops, real: list[np.ndarray] | None, size: int, share: float) -> Batch:
    columns = pool.take(size)
    columns.append(np.ones(columns[1].shape, np.float32))
    if real is not None and share > 0:
        rows = real_rows(pool.draw, real[1], max(1, round(size * share)))
        columns = [np.concatenate([a, b[rows]]) for a, b in zip(columns, real, strict=True)]
    a, b, c, d, e = (torch.from_numpy(x) for x in columns)
    return a, b.long(), c, d.long(), e


def looks(centres: Tensor) -> Tensor:
    """Where each slot should look, (n, slots, cells): a small hill on the character's centre; zero if unknown."""
    xs = (torch.arange(GRID_W, device=centres.device) + 0.5).repeat(GRID_H)
    ys = (torch.arange(GRID_H, device=centres.device) + 0.5).repeat_interleave(GRID_W)
    dx = xs - centres[..., :1] * GRID_W
    dy = ys - centres[..., 1:] * GRID_H
    hill = torch.exp(-(dx.square() / (2 * 0.8**2)) - dy.square() / (2 * 0.7**2))
    known = (centres[..., :1] >= 0).float()
    return known * hill / hill.sum(2, keepdim=True).clamp_min(1e-6)


def loss_of(net: ReaderNet, given: Batch, look_weight: float) -> tuple[Tensor, Tensor]:
    """(loss, share of texts wholly right)"""
    pixels, text, centres, heads, weight = given
    x = (pixels.float() / 255).permute(0, 3, 1, 2)
    x = torch.where(torch.rand(len(x), 1, 1, 1, device=x.device) < 0.12, x.mean(1, keepdim=True).expand_as(x), x)
    with torch.autocast(x.device.type, dtype=torch.bfloat16):
        letters, look, sides = net(x)
    letters, look, sides = letters.float(), look.float(), sides.float()
    spell = F.cross_entropy(letters.flatten(0, 1), text.flatten(), reduction="none").view_as(weight)
    weight = weight * torch.where(text == 0, 0.35, 1.0) * torch.where(text >= INDEX["京"], PROVINCE_WEIGHT, 1.0)
    loss = (spell * weight).sum() / weight.sum()
    target = looks(centres)
    loss = loss - look_weight * (target * look.log_softmax(2)).sum() / target.sum().clamp_min(1)
    for part, column in zip(torch.split(sides, net.sizes, dim=1), heads.unbind(1), strict=True):
        loss = loss + 0.06 * F.cross_entropy(part, column)
    return loss, (letters.argmax(2) == text).all(1).float().mean()


def train(options: argparse.Namespace) -> ReaderNet:
    start(options.seed)
    net = ReaderNet(len(ALPHABET), len(LAYOUTS), len(COUNTRIES), len(COLOURS))
    net = net.to(DEVICE, memory_format=torch.channels_last)
    pool = Crops([options.crops, *options.also], options.seed)
    real = real_crops(options.real, options.seed) if options.real else None
    plain = {"params": [p for p in net.parameters() if p.ndim < 2], "weight_decay": 0.0}
    heavy = {"params": [p for p in net.parameters() if p.ndim >= 2], "weight_decay": 0.03}
    course = fit.Fit(net, options, "reader", [heavy, plain], clip=2.0)
    for done in course.steps(100, pool.look):
        share = options.real_share if done > options.real_after else 0.0
        given = onto(*batch(pool, real, options.batch, share))
        loss, exact = loss_of(net, given, 0.5 if done < 0.3 else 0.15)
        course.learn(loss, exact=exact)
    return net


def arguments() -> argparse.ArgumentParser:
    args = fit.arguments(__doc__, "crops", minutes=70, batch=96, peak=2.5e-3, seed=3)
    args.add_argument("--real", type=Path)
    args.add_argument("--real-share", type=float, default=0.08)
    args.add_argument("--real-after", type=float, default=0.25)
    return args


if __name__ == "__main__":
    train(arguments().parse_args())
