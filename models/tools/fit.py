"""What the trainings share: their time, the learning rate, the trailing mean of the weights, checkpoints, the log."""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from models.tools.device import DEVICE

KEEP = 0.998
"""Of the trailing mean, at each step: what is exported is the mean over the last five hundred or so."""
FADE = 0.99
"""Of the figures that are told, likewise."""


def arguments(
    text: str | None, data: str, *, minutes: float, batch: int, peak: float, seed: int
) -> argparse.ArgumentParser:
    """What every training takes; `data` names its renders."""
    args = argparse.ArgumentParser(description=text)
    args.add_argument(data, type=Path)
    args.add_argument("--also", type=Path, action="append", default=[], help=f"more {data}, as often as {data.upper()}")
    args.add_argument("--work", type=Path, default=Path("models/work"))
    args.add_argument("--start", type=Path, metavar="CHECKPOINT", help="go on from this one's weights")
    args.add_argument("--done", type=float, default=0.0, help="share of the time already spent, with --start")
    args.add_argument("--minutes", type=float, default=minutes)
    args.add_argument("--steps", type=int, default=10**9)
    args.add_argument("--batch", type=int, default=batch)
    args.add_argument("--peak", type=float, default=peak, help="highest learning rate")
    args.add_argument("--seed", type=int, default=seed)
    return args


def rate(done: float, peak: float) -> float:
    """Learning rate by the share of the time that is gone: short warm-up, cosine to nothing."""
    return peak * min(1.0, done / 0.015 + 0.02) * (0.5 + 0.5 * math.cos(math.pi * min(1.0, done)))


class Fit:
    """One net's training for the time that `options` give it; `name` is its checkpoint's in their work folder."""

    def __init__(
        self, net: nn.Module, options: argparse.Namespace, name: str, weights: list[dict[str, Any]], clip: float
    ) -> None:
        """`weights`: parameter groups, each with its decay. `clip`: the longest gradient that is followed."""
        self.net, self.options, self.path, self.clip = net, options, options.work / f"{name}.pt", clip
        if options.start:
            net.load_state_dict(torch.load(options.start, map_location=DEVICE)["ema"])
        self.ema = {k: v.clone() for k, v in net.state_dict().items()}
        self.optimiser = torch.optim.AdamW(weights, lr=options.peak)
        self.step = 0
        self.told: dict[str, float] = {}

    def steps(self, often: int, look: Callable[[], int]) -> Iterator[float]:
        """The share of the time that is gone, until it is. Tells its figures at every `often`th step; `look` finds
        what was rendered meanwhile and gives the number of chunks. The checkpoint is whole at any moment."""
        began, options = time.monotonic(), self.options
        while (done := options.done + (time.monotonic() - began) / (60 * options.minutes)) < 1:
            if self.step >= options.steps:
                break
            for group in self.optimiser.param_groups:
                group["lr"] = rate(done, options.peak)
            yield done
            if self.step % often == 0:
                shown = " ".join(f"{name} {value / (1 - FADE**self.step):.3f}" for name, value in self.told.items())
                print(f"{time.monotonic() - began:.0f}s step {self.step} chunks {look()} {shown}", flush=True)
            if self.step % 500 == 0:
                self._save()
        self._save()
        self.net.load_state_dict(self.ema)

    def learn(self, loss: Tensor, **figures: Tensor) -> None:
        """One step down `loss`; it and the `figures` are told as trailing means."""
        self.optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.net.parameters(), self.clip)
        self.optimiser.step()
        self.step += 1
        self._trail(min(KEEP, self.step / (self.step + 20)))
        for name, value in {"loss": loss, **figures}.items():
            self.told[name] = FADE * self.told.get(name, 0.0) + (1 - FADE) * value.item()

    def _trail(self, keep: float) -> None:
        for key, value in self.net.state_dict().items():
            if value.dtype.is_floating_point:
                self.ema[key].lerp_(value, 1 - keep)
            else:
                self.ema[key].copy_(value)

    def _save(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        part = self.path.with_suffix(".part")
        torch.save({"net": self.net.state_dict(), "ema": self.ema, "step": self.step}, part)
        part.rename(self.path)
