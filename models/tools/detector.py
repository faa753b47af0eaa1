"""Trains the detector on rendered scenes for a given time.

python -m models.tools.detector SCENES --work DIR --minutes 60
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from models.tools import fit
from models.tools.chunks import Pool
from models.tools.detector_net import REACH, STRIDE, DetectorNet
from models.tools.device import DEVICE, onto, start

FLIPPED = [1, 0, 3, 2]
"""Corner order after a mirror: clockwise from the top left again."""

ROLL_DEG = 25.0
"""Some pictures are rolled by up to this at each use, beside what the renderers roll."""


class Scenes(Pool):
    """The detector's chunks."""

    def __init__(self, folders: list[Path], seed: int) -> None:
        super().__init__(folders, seed, "scenes", ("pixels", "corners", "layout"))

    def one(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """A scene moved, scaled, squeezed, tinted and perhaps mirrored, so that one rendering serves many times."""
        full = self.full()
        chunks = full[self.draw.integers(len(full))]
        chunk = chunks[self.draw.integers(len(chunks))]
        row = self.draw.integers(len(chunk["pixels"]))
        image, corners, layout = chunk["pixels"][row], chunk["corners"][row].copy(), chunk["layout"][row]
        height, width = image.shape[:2]
        if self.draw.random() < 0.7:
            near = self.draw.random() < 0.12  # plates that fill the picture
            sx = float(np.exp(self.draw.uniform(0.3, 0.9) if near else self.draw.normal(0, 0.22)))
            sy = sx * float(np.exp(self.draw.normal(0, 0.12)))
            shear = float(self.draw.normal(0, 0.04))
            middle = np.array([width / 2, height / 2])
            focus = corners[0].mean(0) if near and not np.isnan(corners[0, 0, 0]) else middle
            at = focus + self.draw.normal(0, 30, 2)
            matrix = np.array([[sx, shear, 0], [shear, sy, 0]], np.float32)
            if self.draw.random() < 0.3:
                c, s = np.cos(turn := np.radians(self.draw.uniform(-ROLL_DEG, ROLL_DEG))), np.sin(turn)
                matrix[:, :2] = np.array([[c, -s], [s, c]], np.float32) @ matrix[:, :2]
            matrix[:, 2] = middle - matrix[:, :2] @ at
            border = cv2.BORDER_REFLECT_101 if self.draw.random() < 0.3 else cv2.BORDER_CONSTANT
            if border == cv2.BORDER_REFLECT_101 and (sx < 1 or sy < 1):
                border = cv2.BORDER_REPLICATE
            image = cv2.warpAffine(
                image, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=border, borderValue=(114, 114, 114)
            )
            corners = corners @ matrix[:, :2].T + matrix[:, 2]
        if self.draw.random() < 0.3:
            image = image[:, ::-1]
            corners[..., 0] = width - corners[..., 0]
            corners = corners[:, FLIPPED]
        return self._tinted(np.ascontiguousarray(image)), corners, layout

    def _tinted(self, image: np.ndarray) -> np.ndarray:
        """Brightness, hue and grey: a plate is known by its marks and its edge, not by its colour alone."""
        if self.draw.random() < 0.5:
            image = cv2.convertScaleAbs(image, alpha=self.draw.uniform(0.6, 1.4), beta=self.draw.uniform(-25, 25))
        roll = self.draw.random()
        if roll < 0.12:
            return cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
        if roll < 0.3:
            hsv = cv2.cvtColor(image, cv2.COLOR_BGR2HSV)
            hsv[..., 0] = (hsv[..., 0].astype(np.int16) + self.draw.integers(-30, 31)) % 180
            hsv[..., 1] = cv2.convertScaleAbs(hsv[..., 1], alpha=self.draw.uniform(0.3, 1.3))
            return cv2.cvtColor(hsv, cv2.COLOR_HSV2BGR)
        return image

    def batch(self, size: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Pixels (n, 3, h, w) in 0..1, heat (n, gh, gw), vectors (n, 8, gh, gw) in REACH, layout (n, gh, gw)"""
        rows = [self.one() for _ in range(size)]
        maps = [targets(corners, layout, image.shape[:2]) for image, corners, layout in rows]
        pixels = torch.from_numpy(np.stack([r[0] for r in rows])).permute(0, 3, 1, 2).float() / 255
        heat, vectors, kinds = (torch.from_numpy(np.stack(column)) for column in zip(*maps, strict=True))
        return pixels.contiguous(memory_format=torch.channels_last), heat, vectors, kinds


def targets(
    corners: np.ndarray, layout: np.ndarray, size: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Heat is 1 at the cell of the plate's middle and falls off with the plate's shape; vectors where it is high."""
    gh, gw = size[0] // STRIDE, size[1] // STRIDE
    heat, best = np.zeros((gh, gw), np.float32), np.zeros((gh, gw), np.float32)
    vectors, kinds = np.zeros((8, gh, gw), np.float32), np.full((gh, gw), -1, np.int64)
    xs, ys = np.meshgrid((np.arange(gw) + 0.5) * STRIDE, (np.arange(gh) + 0.5) * STRIDE)
    for quad, kind in zip(corners, layout, strict=True):
        if np.isnan(quad[0, 0]):
            continue
        middle = quad.mean(0)
        if not (0 <= middle[0] < size[1] and 0 <= middle[1] < size[0]):
            continue
        span = quad.max(0) - quad.min(0)
        sx, sy = max(4.0, 0.09 * span[0]), max(4.0, 0.14 * span[1])
        hill = np.exp(-((xs - middle[0]) ** 2) / (2 * sx**2) - (ys - middle[1]) ** 2 / (2 * sy**2)).astype(np.float32)
        gy, gx = int(middle[1] // STRIDE), int(middle[0] // STRIDE)
        hill[gy, gx] = 1.0
        heat = np.maximum(heat, hill)
        mine = (hill > 0.4) & (hill > best)
        best = np.maximum(best, hill)
        kinds[mine] = kind
        for k in range(4):
            vectors[2 * k][mine] = ((quad[k, 0] - xs) / REACH)[mine]
            vectors[2 * k + 1][mine] = ((quad[k, 1] - ys) / REACH)[mine]
    return heat, vectors, kinds


def loss_of(net: DetectorNet, given: tuple[Tensor, ...]) -> tuple[Tensor, Tensor, Tensor]:
    """(loss, heat part, mean corner error in pixels)"""
    pixels, heat, vectors, kinds = given
    with torch.autocast(pixels.device.type, dtype=torch.bfloat16):
        raw = net(pixels)
    raw = raw.float()
    p = raw[:, 0].sigmoid().clamp(1e-4, 1 - 1e-4)
    peak = (heat == 1).float()
    focal = -(peak * (1 - p).square() * p.log() + (1 - peak) * (1 - heat).pow(4) * p.square() * (1 - p).log())
    heat_loss = focal.sum() / peak.sum().clamp_min(1)
    here = kinds >= 0
    off = (raw[:, 1:9].permute(0, 2, 3, 1)[here] - vectors.permute(0, 2, 3, 1)[here]).abs()
    spread = vectors.permute(0, 2, 3, 1)[here]
    span = (
        ((spread[:, 0::2].amax(1) - spread[:, 0::2].amin(1)) * (spread[:, 1::2].amax(1) - spread[:, 1::2].amin(1)))
        .sqrt()
        .clamp_min(0.5)
    )
    corner = (off.mean(1) / span).mean() if len(off) else heat_loss * 0
    kind = F.cross_entropy(raw[:, 9:].permute(0, 2, 3, 1)[here], kinds[here]) if len(off) else heat_loss * 0
    error = off.mean().detach() * REACH if len(off) else torch.zeros(())
    return heat_loss + 4.0 * corner + 0.1 * kind, heat_loss.detach(), error


def train(options: argparse.Namespace) -> DetectorNet:
    start(options.seed)
    cv2.setNumThreads(1)
    net = DetectorNet().to(DEVICE, memory_format=torch.channels_last)
    scenes = Scenes([options.scenes, *options.also], options.seed)
    course = fit.Fit(net, options, "detector", [{"params": net.parameters(), "weight_decay": 0.02}], clip=5.0)
    for _ in course.steps(50, scenes.look):
        loss, heat, error = loss_of(net, onto(*scenes.batch(options.batch)))
        course.learn(loss, heat=heat, corner=error)
    return net


def arguments() -> argparse.ArgumentParser:
    return fit.arguments(__doc__, "scenes", minutes=60, batch=16, peak=2e-3, seed=5)


if __name__ == "__main__":
    train(arguments().parse_args())
