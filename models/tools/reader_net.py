"""The reader's network: a small convolutional body, two token mixers that see the whole plate, one look per slot.

Slot i looks for the i-th character of the plate, whichever line it stands on. Where each slot looks is supervised with
the rendered character centres: without that the slots do not start to learn.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from models.tools.reader_shape import GRID_H, GRID_W, SLOTS


def conv(cin: int, cout: int, stride: int | tuple[int, int] = 1) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(cin, cout, 3, stride, 1, bias=False), nn.BatchNorm2d(cout), nn.ReLU(inplace=True))


class Residual(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.a = conv(width, width)
        self.b = nn.Sequential(nn.Conv2d(width, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width))

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x + self.b(self.a(x)), inplace=True)


class Mixer(nn.Module):
    """MLP-mixer block over the fixed grid: every cell may learn how many characters stand before it."""

    def __init__(self, width: int, cells: int) -> None:
        super().__init__()
        self.norm_a, self.norm_b = nn.LayerNorm(width), nn.LayerNorm(width)
        self.cells_mix = nn.Linear(cells, cells)
        self.up, self.down = nn.Linear(width, 2 * width), nn.Linear(2 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        x = x + F.relu(self.cells_mix(self.norm_a(x).transpose(1, 2))).transpose(1, 2)
        return x + self.down(F.relu(self.up(self.norm_b(x))))


def levelled(x: Tensor) -> Tensor:
    """Each crop to mean 0 and deviation 1 over all its pixels: dusk and glare cost no capacity."""
    mean = x.mean((1, 2, 3), keepdim=True)
    deviation = (x - mean).square().mean((1, 2, 3), keepdim=True).sqrt()
    return (x - mean) / (deviation + 0.02)


class ReaderNet(nn.Module):
    """Takes (n, 3, 48, 160) BGR in 0..1; gives slot logits (n, 12, characters), looks (n, 12, 240), heads."""

    def __init__(self, characters: int, layouts: int = 2, countries: int = 2, colours: int = 6) -> None:
        super().__init__()
        self.body = nn.Sequential(
            conv(3, 24, 2), conv(24, 48, 2), Residual(48), conv(48, 96, (2, 1)), Residual(96), Residual(96),
            nn.Conv2d(96, 128, 1),
        )  # fmt: skip
        cells = GRID_W * GRID_H
        self.place = nn.Parameter(torch.randn(1, cells, 128) * 0.02)
        self.mixers = nn.Sequential(Mixer(128, cells), Mixer(128, cells))
        self.norm = nn.LayerNorm(128)
        self.look = nn.Linear(128, SLOTS)
        self.slot = nn.Parameter(torch.randn(1, SLOTS, 128) * 0.02)
        self.letter = nn.Sequential(nn.LayerNorm(128), nn.Linear(128, 192), nn.SiLU(), nn.Linear(192, characters))
        self.sizes = (layouts, countries, colours)
        self.heads = nn.Linear(128, sum(self.sizes))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        cells = self.body(levelled(x)).flatten(2).transpose(1, 2)
        mixed = self.norm(self.mixers(cells + self.place.to(cells.dtype)))
        look = self.look(mixed).transpose(1, 2)
        seen = torch.softmax(look, dim=2) @ (mixed + cells)
        return self.letter(seen + self.slot), look, self.heads(mixed.mean(1))


def where(look: Tensor) -> Tensor:
    """The places (n, slots, 2) in 0..1 of the crop that each slot looked at, from its attention (n, slots, cells)."""
    xs = (torch.arange(GRID_W, device=look.device) + 0.5).repeat(GRID_H) / GRID_W
    ys = (torch.arange(GRID_H, device=look.device) + 0.5).repeat_interleave(GRID_W) / GRID_H
    return look.softmax(2) @ torch.stack([xs, ys], dim=1)
