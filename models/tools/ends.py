"""Trains the judge of ends on crops of whole, cut and covered plates (`covered`), and writes its file.

python -m models.tools.ends RENDERS [--minutes 20] [--held 4]       trains; tells the held-back chunks' figures
python -m models.tools.ends RENDERS --export models [--least 0.9]   writes plate-ends.onnx and the manifest
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from edge.vision.wholeness import NAME
from models.tools import fit
from models.tools.chunks import Chunk, Pool
from models.tools.device import DEVICE, onto, start
from models.tools.ends_net import EndsNet, Exported

COVERED_WEIGHT = 1.0
"""Of an end that is not seen, against one that is."""


class Ends(Pool):
    """The chunks of `covered`; the first `held` of them are never learned from."""

    def __init__(self, folder: Path, seed: int, held: int) -> None:
        self.held = held
        super().__init__([folder], seed, "ends", ("pixels", "ends"))

    def parts(self) -> tuple[list[Chunk], list[Chunk]]:
        """(held back, to learn from)"""
        (chunks,) = self.chunks.values()
        return chunks[: self.held], chunks[self.held :]

    def take(self, count: int) -> tuple[Tensor, Tensor]:
        """A batch from four chunks: pixels (n, h, w, 3) uint8 and ends (n, 2) 1, 0 or -1."""
        chunks, parts = self.parts()[1], []
        for _ in range(4):
            chunk = chunks[self.draw.integers(len(chunks))]
            rows = self.draw.integers(0, len(chunk["ends"]), count // 4)
            parts.append((chunk["pixels"][rows], chunk["ends"][rows]))
        pixels, ends = (np.concatenate(column) for column in zip(*parts, strict=True))
        return torch.from_numpy(pixels), torch.from_numpy(ends)


def loss_of(net: EndsNet, pixels: Tensor, ends: Tensor) -> tuple[Tensor, Tensor]:
    """(loss, share of known ends that are told right)"""
    x = (pixels.float() / 255).permute(0, 3, 1, 2)
    x = torch.where(torch.rand(len(x), 1, 1, 1, device=x.device) < 0.15, x.mean(1, keepdim=True).expand_as(x), x)
    given, known, wanted = net(x), (ends >= 0).float(), ends.clamp_min(0).float()
    weight = known * torch.where(wanted > 0, 1.0, COVERED_WEIGHT)
    loss = F.binary_cross_entropy_with_logits(given, wanted * 0.98 + 0.01, reduction="none")
    right = ((given > 0) == (wanted > 0)).float()
    return (loss * weight).sum() / weight.sum(), (right * known).sum() / known.sum()


def train(options: argparse.Namespace) -> EndsNet:
    start(options.seed)
    net = EndsNet().to(DEVICE, memory_format=torch.channels_last)
    pool = Ends(options.renders, options.seed, options.held)
    course = fit.Fit(net, options, "ends", [{"params": net.parameters(), "weight_decay": 0.03}], clip=2.0)
    for _ in course.steps(100, pool.look):
        loss, right = loss_of(net, *onto(*pool.take(options.batch)))
        course.learn(loss, right=right)
    return net


def judge(net: EndsNet, chunks: list[Chunk]) -> None:
    """Of the held-back ends: how many of those not seen pass at each bound, and how many of those seen do not."""
    net.eval()
    with torch.no_grad():
        parts = [Exported(net)(torch.from_numpy(p))[0].numpy() for c in chunks for p in np.split(c["pixels"], 8)]
    given, ends = np.concatenate(parts).ravel(), np.concatenate([c["ends"] for c in chunks]).ravel()
    for least in (0.1, 0.3, 0.5, 0.7, 0.9):
        passed, lost = (given[ends == 0] >= least).mean(), (given[ends == 1] < least).mean()
        print(f"at {least}: of ends not seen {passed:.4f} pass, of ends seen {lost:.4f} do not", flush=True)


def main() -> None:
    args = fit.arguments(__doc__, "renders", minutes=20, batch=128, peak=2.5e-3, seed=11)
    args.add_argument("--held", type=int, default=4, help="chunks that are only measured on")
    args.add_argument("--export", type=Path, metavar="MODELS")
    args.add_argument("--least", type=float, default=0.9, help="probability from which an end counts as seen")
    args.add_argument("--least-short", type=float, default=0.98, help="the same of a number that may have lost a digit")
    options = args.parse_args()
    if options.export:
        from models.tools.export import write_ends

        net = EndsNet()
        net.load_state_dict(torch.load(options.work / "ends.pt", map_location="cpu")["ema"])
        write_ends(Exported(net), options.export, options.least, options.least_short)
        print(f"{NAME}: written to {options.export}")
        return
    judge(train(options).to("cpu"), Ends(options.renders, 0, options.held).parts()[0])


if __name__ == "__main__":
    main()
