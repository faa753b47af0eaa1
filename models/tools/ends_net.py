"""The judge of ends: a small net that says of a plate's crop, with room around it, whether each end is in the picture
and uncovered."""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from models.tools.reader_net import Residual, conv, levelled


class EndsNet(nn.Module):
    """Takes (n, 3, 48, 160) BGR in 0..1; gives (n, 2) logits that the left and the right end were seen."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            conv(3, 16, 2), conv(16, 32, 2), Residual(32), conv(32, 48, 2), Residual(48), conv(48, 64, (2, 1)),
            nn.Conv2d(64, 24, 1), nn.ReLU(inplace=True), nn.Flatten(),
        )  # fmt: skip
        self.drop = nn.Dropout(0.2)
        self.hidden, self.out = nn.Linear(24 * 3 * 20, 64), nn.Linear(64, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(F.relu(self.hidden(self.drop(self.body(levelled(x))))))


class Exported(nn.Module):
    """As the gate runs it: (n, 48, 160, 3) uint8 BGR to (n, 2) probabilities."""

    def __init__(self, net: EndsNet) -> None:
        super().__init__()
        self.net = net

    def forward(self, pixels: Tensor) -> tuple[Tensor]:
        return (torch.sigmoid(self.net(pixels.permute(0, 3, 1, 2).float() / 255)),)
