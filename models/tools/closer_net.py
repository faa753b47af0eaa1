"""A second, closer look at every character: a small network on the patch where a slot of the reader looked.

The reader knows where each character stands but sees it on a grid a quarter as fine as the crop. This one sees the
pixels of one character only; it is trained on single characters, of which every rendered crop holds eight, and so
learns hanzi and look-alikes (G and 6, 1 and 7) from a hundred times as many samples a minute.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from models.tools.reader_net import ReaderNet, Residual, conv, levelled, where
from models.tools.reader_shape import HEIGHT, SLOTS, WIDTH

PATCH_W, PATCH_H = 24, 32
WIDE_PX = 26.0
"""How much of the crop one patch shows; the height depends on the layout: one line or two."""
TALL_PX = (42.0, 25.0)


class CloserNet(nn.Module):
    """Patches (n, 3, 32, 24) of levelled pixels to logits (n, characters)."""

    def __init__(self, characters: int) -> None:
        super().__init__()
        self.body = nn.Sequential(conv(3, 32, 2), conv(32, 64, 2), Residual(64), conv(64, 128))
        self.drop = nn.Dropout(0.1)
        self.out = nn.Sequential(nn.Linear(128 * (PATCH_H // 8) * (PATCH_W // 8), 192), nn.SiLU())
        self.letter = nn.Linear(192, characters)

    def forward(self, patches: Tensor) -> Tensor:
        seen = F.max_pool2d(self.body(patches), 2).flatten(1)
        return self.letter(self.drop(self.out(seen)))


def patches(pixels: Tensor, centres: Tensor, two_line: Tensor) -> Tensor:
    """(n, 3, h, w) levelled crops, (n, s, 2) centres in 0..1, (n,) share of two lines: (n * s, 3, 32, 24)."""
    slots = centres.shape[1]
    ys = torch.linspace(-0.5, 0.5, PATCH_H, dtype=pixels.dtype, device=pixels.device).view(1, 1, PATCH_H, 1)
    xs = torch.linspace(-0.5, 0.5, PATCH_W, dtype=pixels.dtype, device=pixels.device).view(1, 1, 1, PATCH_W)
    tall = (TALL_PX[0] + (TALL_PX[1] - TALL_PX[0]) * two_line).reshape(-1, 1, 1, 1) / HEIGHT
    gx = (centres[:, :, None, None, 0] + xs * (WIDE_PX / WIDTH)).expand(-1, -1, PATCH_H, -1)
    gy = (centres[:, :, None, None, 1] + ys * tall).expand(-1, -1, -1, PATCH_W)
    grid = (torch.stack([gx, gy], dim=4) * 2 - 1).reshape(-1, slots * PATCH_H, PATCH_W, 2)
    seen = F.grid_sample(pixels, grid, mode="bilinear", padding_mode="border", align_corners=False)
    return seen.reshape(-1, 3, slots, PATCH_H, PATCH_W).transpose(1, 2).reshape(-1, 3, PATCH_H, PATCH_W)


def joined(letters: Tensor, closer: Tensor, share: float) -> Tensor:
    """Probabilities of both looks (n, s, characters) as one. Whether a slot holds one, the first says."""
    blank = letters.softmax(-1)[..., :1]
    first, second = letters[..., 1:].log_softmax(-1), closer[..., 1:].log_softmax(-1)
    both = ((1 - share) * first + share * second).softmax(-1)
    return torch.cat([blank, both * (1 - blank)], dim=-1)


class Exported(nn.Module):
    """What goes into the ONNX file: uint8 crops (n, 48, 160, 3) BGR in, probabilities out.

    Gives letters (n, 12, characters), layout (n, 2), country (n, 2), colour (n, 6), rows (n, 12): the height that each
    slot looked at, 0 at the top and 1 at the bottom of the crop. `temperature` calibrates the letters; `share` is the
    closer look's say in which character it is (none without one).
    """

    def __init__(
        self, net: ReaderNet, temperature: float = 1.0, closer: CloserNet | None = None, share: float = 0.0
    ) -> None:
        super().__init__()
        self.net, self.temperature, self.share = net.eval(), temperature, share
        self.closer = closer.eval() if closer is not None and share > 0 else None

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        x = pixels.permute(0, 3, 1, 2).float() / 255.0
        letters, look, heads = self.net(x)
        layout, country, colour = (part.softmax(1) for part in torch.split(heads, self.net.sizes, dim=1))
        places = where(look)
        if self.closer is None:
            sure = (letters / self.temperature).softmax(2)
        else:
            again = self.closer(patches(levelled(x), places, layout[:, 1])).reshape(-1, SLOTS, letters.shape[2])
            sure = joined(letters / self.temperature, again / self.temperature, self.share)
        return sure, layout, country, colour, places[..., 1]
