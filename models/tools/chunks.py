"""Rendered pictures lie in folders of numbered chunks (.npz): written one by one, read by a training as they come."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

Chunk = dict[str, np.ndarray]


def arguments(text: str | None, chunks: int, count: int) -> argparse.ArgumentParser:
    """What every renderer takes; `chunks` and `count` (pictures in one) are what it writes unless told."""
    args = argparse.ArgumentParser(description=text)
    args.add_argument("out", type=Path)
    args.add_argument("--chunks", type=int, default=chunks)
    args.add_argument("--first", type=int, default=0)
    args.add_argument("--step", type=int, default=1)
    args.add_argument("--count", type=int, default=count, help="pictures in a chunk")
    return args


def write(options: argparse.Namespace, name: str, seed: int, make: Callable[[int, int], Chunk]) -> None:
    """The chunks that are not there yet, `make(seed x (number + 1), pictures)` each; one that is there is whole."""
    cv2.setNumThreads(1)
    options.out.mkdir(parents=True, exist_ok=True)
    for number in range(options.first, options.chunks, options.step):
        path = options.out / f"{name}-{number:04d}.npz"
        if not path.exists():
            part = path.with_suffix(".part")
            with part.open("wb") as file:
                np.savez(file, **make(seed * (number + 1), options.count))
            part.rename(path)
            print(path.name, flush=True)


class Pool:
    """Every chunk written so far; a training looks for new ones, so it need not wait for the rendering."""

    def __init__(self, folders: list[Path], seed: int, name: str, columns: tuple[str, ...]) -> None:
        self.name, self.columns = name, columns
        self.seen = set[Path]()
        self.chunks = {folder: list[Chunk]() for folder in folders}
        self.draw = np.random.default_rng(seed)
        self.look()

    def look(self) -> int:
        """Reads what is new; gives the number of chunks there are."""
        for folder, chunks in self.chunks.items():
            for path in sorted(folder.glob(f"{self.name}-*.npz")):
                if path not in self.seen:
                    self.seen.add(path)
                    with np.load(path) as data:
                        chunks.append({column: data[column] for column in self.columns})
        return len(self.seen)

    def full(self) -> list[list[Chunk]]:
        """The folders that hold something, each as its chunks."""
        return [chunks for chunks in self.chunks.values() if chunks]
