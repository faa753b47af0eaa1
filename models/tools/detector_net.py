"""The detector's network: at every eighth pixel, whether a plate's middle is there and where its four corners are.

A heat map with corner vectors rather than anchors or a pose head: one class, no overlap to speak of, hardly any
suppression step, and it trains in an hour on one core. Any input size that is a multiple of 32.
"""

from __future__ import annotations

import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

STRIDE = 8
REACH = 16.0
"""Corner vectors are given in units of this many pixels."""


def conv(cin: int, cout: int, stride: int = 1, kernel: int = 3) -> nn.Sequential:
    layers = [
        nn.Conv2d(cin, cout, kernel, stride, kernel // 2, bias=False),
        nn.BatchNorm2d(cout),
        nn.ReLU(inplace=True),
    ]
    return nn.Sequential(*layers)


class Residual(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.a = conv(width, width)
        self.b = nn.Sequential(nn.Conv2d(width, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width))

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x + self.b(self.a(x)), inplace=True)


class DetectorNet(nn.Module):
    """Takes (n, 3, h, w) BGR in 0..1; gives (n, 11, h/8, w/8): heat, eight corner offsets, two layouts."""

    def __init__(self) -> None:
        super().__init__()
        self.to4 = nn.Sequential(conv(3, 16, 2), conv(16, 32, 2), Residual(32))
        self.to8 = nn.Sequential(conv(32, 64, 2), Residual(64), Residual(64))
        self.to16 = nn.Sequential(conv(64, 96, 2), Residual(96), Residual(96))
        self.to32 = nn.Sequential(conv(96, 128, 2), Residual(128), Residual(128))
        self.lift32, self.lift16, self.lift8 = nn.Conv2d(128, 96, 1), nn.Conv2d(96, 64, 1), nn.Conv2d(64, 64, 1)
        self.join16, self.join8 = conv(96, 96), conv(64, 64)
        self.head = conv(64, 64)
        self.out = nn.Conv2d(64, 11, 1)
        nn.init.constant_(self.out.bias[:1], -4.0)  # most cells hold no plate

    def forward(self, x: Tensor) -> Tensor:
        at8 = self.to8(self.to4(x * 2 - 1))
        at16 = self.to16(at8)
        at32 = self.to32(at16)
        up16 = self.join16(at16 + F.interpolate(self.lift32(at32), scale_factor=2.0, mode="nearest"))
        up8 = self.join8(self.lift8(at8) + F.interpolate(self.lift16(up16), scale_factor=2.0, mode="nearest"))
        return self.out(self.head(up8))


class Exported(nn.Module):
    """uint8 (1, h, w, 3) in; (h/8, w/8) heat thinned to its peaks, (8, h/8, w/8) corners in px, (2, …) layout."""

    def __init__(self, net: DetectorNet) -> None:
        super().__init__()
        self.net = net.eval()

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        raw = self.net(pixels.permute(0, 3, 1, 2).float() / 255.0)
        heat = raw[:, :1].sigmoid()
        peak = (F.max_pool2d(heat, 3, 1, 1) <= heat).float()
        return (heat * peak)[0, 0], raw[0, 1:9] * REACH, raw[0, 9:].softmax(0)
