"""Detectors beside each other on the same pictures in the same run: recall, corner error, milliseconds.

    python -m models.tools.detectors [--models FOLDER]… [--yolo FILE.onnx]… [--yolo-threshold 0.25]
                                     [--passages 8] [--real REAL_DEV]

Recall and corner error on the test world, where corners are known exactly; recall on real scenes whose box is known.
"""

from __future__ import annotations

import argparse
import csv
import statistics
import time
from collections import defaultdict
from pathlib import Path

import cv2
import numpy as np

from edge.ports import Detection, Detector
from edge.vision.own import OwnDetector
from edge.vision.yolo import THRESHOLD, OnnxPose
from models.tools import testworld
from models.tools.evaluate import overlap


def on_world(detector: Detector, passages: int) -> tuple[int, int, list[float]]:
    """(found, shown, corner error of each found plate in hundredths of its width)"""
    found, shown, errors = 0, 0, []
    for kind in testworld.KINDS:
        for number in range(passages):
            for picture, quad in testworld.passage_with_corners(kind, 5000 + number)[1]:
                shown += 1
                box = (*quad.min(0), *quad.max(0))
                same = [d for d in detector.detect(picture) if overlap(d, box) > 0.5]
                if same:
                    found += 1
                    errors.append(_error(same[0], quad))
    return found, shown, errors


def _error(detection: Detection, quad: np.ndarray) -> float:
    off = np.linalg.norm(np.array(detection.corners) - quad, axis=1).mean()
    return float(100 * off / np.linalg.norm(quad[1] - quad[0]))


def on_real(detector: Detector, folder: Path) -> dict[str, tuple[int, int]]:
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    with (folder / "manifest.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["kind"] == "scene" and row["box_xyxy"]]
    for row in rows:
        image = cv2.imread(str(folder / "img" / row["file"]), cv2.IMREAD_COLOR)
        box = tuple(float(v) for v in row["box_xyxy"].replace(",", " ").strip("[]").split())
        counts[row["country"]][1] += 1
        counts[row["country"]][0] += any(overlap(d, box) > 0.5 for d in detector.detect(image))
    return {country: (hit, total) for country, (hit, total) in counts.items()}


def milliseconds(detectors: dict[str, Detector], rounds: int = 20) -> dict[str, float]:
    """Median for one 1280x720 frame, all in turn."""
    picture = cv2.resize(testworld.passage("vn-truck-two-line", 1)[1][-1], (1280, 720))
    times: dict[str, list[float]] = {name: [] for name in detectors}
    for _ in range(rounds):
        for name, detector in detectors.items():
            began = time.perf_counter()
            detector.detect(picture)
            times[name].append(1000 * (time.perf_counter() - began))
    return {name: statistics.median(values[1:]) for name, values in times.items()}


def main() -> None:
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--models", type=Path, action="append", default=[])
    args.add_argument("--yolo", type=Path, action="append", default=[])
    args.add_argument("--yolo-threshold", type=float, default=THRESHOLD)
    args.add_argument("--passages", type=int, default=8)
    args.add_argument("--real", type=Path)
    args.add_argument("--threads", type=int, default=2)
    options = args.parse_args()
    detectors: dict[str, Detector] = {str(f): OwnDetector(options.threads, f) for f in options.models}
    detectors |= {path.name: OnnxPose(path, options.threads, threshold=options.yolo_threshold) for path in options.yolo}
    took = milliseconds(detectors)
    for name, detector in detectors.items():
        found, shown, errors = on_world(detector, options.passages)
        error = statistics.median(errors) if errors else float("nan")
        real = on_real(detector, options.real) if options.real else {}
        print(f"{name}: {took[name]:.1f} ms, test world {found}/{shown}, corners {error:.1f} % of a width, real {real}")


if __name__ == "__main__":
    main()
