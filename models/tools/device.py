"""Where the trainings run: on the GPU where torch sees one, else on one thread of the CPU, or on OMP_NUM_THREADS."""

from __future__ import annotations

import os

import torch
from torch import Tensor

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


def start(seed: int) -> None:
    torch.manual_seed(seed)
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))


def onto(*parts: Tensor) -> tuple[Tensor, ...]:
    """The batch where the net is; nothing is copied on a machine without a GPU."""
    return tuple(part.to(DEVICE, non_blocking=True) for part in parts)
