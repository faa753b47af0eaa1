"""Finds the temperature at which the reader's stated certainty is the share that is right, on real scenes.

    python -m models.tools.calibrate REAL_DEV [--models FOLDER]

The models must have been exported with --temperature 1. Prints temperature and curve.
"""

from __future__ import annotations

import argparse
import csv
from collections import defaultdict
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np

from edge.vision.models import plate_table
from edge.vision.own import OwnDetector, OwnReader
from models.tools.alphabet import INDEX
from models.tools.reader_shape import SLOTS

Samples = list[tuple[np.ndarray, np.ndarray]]
"""(letters (slots, characters), wanted index per slot)"""


def gather(folder: Path, models: Path) -> Samples:
    """Every labelled plate that the detector found, with what the reader says of it."""
    detector, reader, table = OwnDetector(1, models), OwnReader(plate_table(), 1, models), plate_table()
    rows = defaultdict(list)
    with (folder / "manifest.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["kind"] == "scene" and row["plate_text"] and all(c in INDEX for c in row["plate_text"]):
                rows[row["file"]].append(row["plate_text"])
    samples: Samples = []
    for name, texts in rows.items():
        image = cv2.imread(str(folder / "img" / name), cv2.IMREAD_COLOR)
        found = detector.detect(image)
        if not found:
            continue
        reads = reader.read(image, found)
        for text in texts:
            near = [(table.distance(r.plate.text, text), d) for r, d in zip(reads, found, strict=True) if r]
            if near and min(near, key=lambda pair: pair[0])[0] <= 3:
                letters = reader.look(image, [min(near, key=lambda pair: pair[0])[1]])[0][0]
                samples.append((letters, np.array([INDEX[c] for c in text.ljust(SLOTS, "_")])))
    return samples


def at(letters: np.ndarray, temperature: float) -> np.ndarray:
    warm = np.maximum(letters, 1e-9) ** (1 / temperature)
    return warm / warm.sum(1, keepdims=True)


def loss(samples: Samples, temperature: float) -> float:
    total = [np.log(at(letters, temperature)[np.arange(SLOTS), wanted]).sum() for letters, wanted in samples]
    return -float(np.mean(total))


def curve(samples: Samples, temperature: float) -> None:
    """Stated certainty of whole texts against the share that is right."""
    warm = [(at(letters, temperature), wanted) for letters, wanted in samples]
    stated = np.array([letters.max(1).prod() for letters, _ in warm])
    right = np.array([(letters.argmax(1) == wanted).all() for letters, wanted in warm])
    edges = [0, 0.2, 0.4, 0.6, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 1.0001]
    for low, high in pairwise(edges):
        here = (stated >= low) & (stated < high)
        if here.any():
            print(f"  stated {low:.3f} to {min(high, 1):.3f}: {here.sum():4d} texts, right {right[here].mean():.3f}")


def main() -> None:
    args = argparse.ArgumentParser(description=__doc__)
    args.add_argument("folder", type=Path)
    args.add_argument("--models", type=Path, default=Path("models"))
    options = args.parse_args()
    samples = gather(options.folder, options.models)
    best = min(np.arange(0.5, 2.01, 0.05), key=lambda t: loss(samples, float(t)))
    losses = f"loss {loss(samples, float(best)):.3f}, at 1: {loss(samples, 1.0):.3f}"
    print(f"{len(samples)} plates; temperature {best:.2f} ({losses})")
    curve(samples, float(best))


if __name__ == "__main__":
    main()
