"""What comes of plates whose ends are not seen: real scenes and the test world's, cut and covered step by step.

    python -m models.tools.cuts REAL_DEV [--world 8] [--every 1] [--half 0|1] [--models FOLDER] [--json]

Every plate that is stated at decision confidence is cut by the picture's edge at its right end, then at its left, by
4 to 32 % of its width, and covered there by grey, white, black and mud for 10 to 26 %, by a strip as high as the plate
and by a post. Told: texts other than the whole plate's that are stated at decision confidence, with and without the
judge of ends; and whole plates that are no longer decided because of it. Prints figures only, never a plate. The exit
status is 1 where a wrong text is stated. `--half`: only every second picture, so that a bound is chosen on one half and
told on the other. All of it takes an hour of one core.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import cv2
import numpy as np

from edge.core.model import PlateRead
from edge.core.plate.table import OTHER
from edge.core.plate.track import overlap
from edge.core.plate.wholeness import within
from edge.ports import Image
from edge.vision.models import plate_table, vote_rules
from edge.vision.own import OwnDetector, OwnReader
from edge.vision.wholeness import Ends
from models.tools import testworld
from models.tools.draw import Floats

CUTS = (0.04, 0.08, 0.12, 0.16, 0.20, 0.24, 0.28, 0.32)
COVERS = (0.10, 0.14, 0.18, 0.22, 0.26)
SHADES = {"grey": (128, 128, 128), "white": (240, 240, 240), "black": (15, 15, 15), "mud": (50, 75, 100)}
SIDES = ("right", "left")


@dataclass(slots=True)
class Count:
    tries: int = 0
    stated: int = 0
    """Wrong texts at decision confidence, were nobody to ask for the ends."""
    stated_whole: int = 0
    """The same, said to be whole: what may decide."""


@dataclass(slots=True)
class Figures:
    plates: int = 0
    refused: int = 0
    """Whole plates at decision confidence that are not said to be whole."""
    counts: dict[str, Count] = field(default_factory=dict)

    def told(self) -> dict[str, object]:
        figures: dict[str, object] = {
            f"{name}: wrong texts of {c.tries} (were the ends not judged)": f"{c.stated_whole} ({c.stated})"
            for name, c in sorted(self.counts.items())
        }
        figures["whole plates no longer decided"] = f"{self.refused} of {self.plates}"
        tries, stated = sum(c.tries for c in self.counts.values()), sum(c.stated for c in self.counts.values())
        wrong = sum(c.stated_whole for c in self.counts.values())
        figures["all: wrong texts (were the ends not judged)"] = f"{wrong} ({stated}) of {tries}"
        return figures


class Eyes:
    """Detector, reader and judge, with what the judge said of each reading beside it."""

    def __init__(self, folder: Path) -> None:
        self.detector, self.reader = OwnDetector(1, folder), OwnReader(plate_table(), 1, folder)
        self.ends, self.sure = Ends(1, folder), vote_rules("own", str(folder)).sure

    def stated(self, image: Image) -> list[tuple[PlateRead, bool]]:
        """What could decide: texts of a pattern at decision confidence, each with whether it is said to be whole."""
        reads = [read for read in self.reader.read(image, self.detector.detect(image)) if read is not None]
        sure = [read for read in reads if read.plate.kind != OTHER and read.plate.confidence >= self.sure]
        bounds = (0, 0, image.shape[1], image.shape[0])
        whole = self.ends.whole(image, sure)
        return [(read, yes and within(read.corners, bounds)) for read, yes in zip(sure, whole, strict=True)]


def variants(image: Image, read: PlateRead) -> Iterator[tuple[str, Image]]:
    """Every cut and cover of one plate: (what was done, picture)."""
    quad = np.array(read.corners, np.float32)
    low, high = float(quad[:, 0].min()), float(quad[:, 0].max())
    for side in SIDES:
        for share in CUTS:
            at = share * (high - low)
            part = image[:, : round(high - at)] if side == "right" else image[:, round(low + at) :]
            if part.shape[1] >= 32:
                yield f"cut, {side}", np.ascontiguousarray(part)
        for shade, colour in SHADES.items():
            for share in COVERS:
                for shape in ("strip", "post"):
                    yield f"covered by {shade}, {side}", covered(image, quad, side, share, shade, colour, shape)


def covered(
    image: Image, quad: Floats, side: str, share: float, shade: str, colour: tuple[int, ...], shape: str
) -> Image:
    """The picture with something over one end of the plate at `quad` (4, 2)."""
    beyond, up = (0.03, 0.04) if shape == "strip" else (0.12, 20.0)
    xs = (1 - share, 1 + beyond) if side == "right" else (share, -beyond)
    place = cv2.getPerspectiveTransform(np.float32([[0, 0], [1, 0], [1, 1], [0, 1]]), quad)
    flat = np.float32([[xs[0], -0.04], [xs[1], -0.04], [xs[1], 1.04], [xs[0], 1.04]])
    points = cv2.perspectiveTransform(flat[None], place)[0]
    if shape == "post":
        points[[0, 1], 1] -= up * (quad[3, 1] - quad[0, 1])
        points[[2, 3], 1] += up * (quad[3, 1] - quad[0, 1])
    mask = np.zeros(image.shape[:2], np.float32)
    cv2.fillPoly(mask, [points.round().astype(np.int32)], 1.0)
    paint = np.full(image.shape, colour, np.float32)
    if shade == "mud":
        mask, paint = _muddy(mask, paint, quad)
    soft = cv2.GaussianBlur(mask, (0, 0), 0.7)[..., None]
    return np.clip(image * (1 - soft) + paint * soft, 0, 255).astype(np.uint8)


def _muddy(mask: Floats, paint: Floats, quad: Floats) -> tuple[Floats, Floats]:
    """Edges that are not straight, and a colour that is not even."""
    height, width = mask.shape
    noise = np.random.default_rng(Random(int(quad.sum())).getrandbits(32))
    cell = max(2, round(0.05 * float(np.ptp(quad[:, 0]))))
    small = noise.random((height // cell + 2, width // cell + 2)).astype(np.float32)
    rough = cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)
    soft = cv2.GaussianBlur(mask, (0, 0), cell / 2)
    return ((soft + (rough - 0.5) * 0.6) > 0.5).astype(np.float32), paint + (rough[..., None] - 0.5) * 40


def sweep(eyes: Eyes, image: Image, figures: Figures) -> None:
    base = eyes.stated(image)
    texts = {read.plate.text for read, _ in base}
    height, width = image.shape[:2]
    for read, whole in base:
        if not within(read.corners, (0, 0, width, height)):
            continue  # the picture itself cuts it
        figures.plates += 1
        figures.refused += not whole
        for name, picture in variants(image, read):
            shift = picture.shape[1] - image.shape[1] if name == "cut, left" else 0
            count = figures.counts.setdefault(name, Count())
            count.tries += 1
            x1, y1, x2, y2 = read.box
            place = (x1 + shift, y1, x2 + shift, y2)
            for other, whole_too in eyes.stated(picture):
                if other.plate.text not in texts and overlap(other.box, place) > 0.3:
                    count.stated += 1
                    count.stated_whole += whole_too


def real_scenes(folder: Path) -> Iterator[Image]:
    with (folder / "manifest.csv").open(encoding="utf-8") as file:
        names = dict.fromkeys(row["file"] for row in csv.DictReader(file) if row["kind"] == "scene")
    for name in names:
        image = cv2.imread(str(folder / "img" / name), cv2.IMREAD_COLOR)
        if image is None:
            raise SystemExit(f"{name}: not readable as an image")
        yield np.asarray(image, np.uint8)


def world_scenes(passages: int) -> Iterator[Image]:
    """The nearest picture of so many passages of each kind."""
    for kind in testworld.KINDS:
        for number in range(passages):
            yield testworld.passage(kind, number)[1][-1]


def run(folder: Path, scenes: Iterator[Image], every: int, half: int | None) -> Figures:
    cv2.setNumThreads(1)
    eyes, figures = Eyes(folder), Figures()
    for number, image in enumerate(scenes):
        if number % every == 0 and (half is None or number // every % 2 == half):
            sweep(eyes, image, figures)
    return figures


def main() -> None:
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("folder", type=Path, nargs="?", help="real scenes (real-dev); without it the test world only")
    args.add_argument("--world", type=int, default=8, help="passages of each of the test world's kinds")
    args.add_argument("--every", type=int, default=1, help="only every so-manieth picture")
    args.add_argument("--half", type=int, choices=(0, 1))
    args.add_argument("--models", type=Path, default=Path("models"))
    args.add_argument("--json", action="store_true")
    options = args.parse_args()
    sources = {"real scenes": real_scenes(options.folder)} if options.folder else {}
    wrong = 0
    for name, scenes in {**sources, "test world": world_scenes(options.world)}.items():
        figures = run(options.models, scenes, options.every, options.half)
        wrong += sum(count.stated_whole for count in figures.counts.values())
        told = figures.told()
        print(
            json.dumps({"of": name, **told})
            if options.json
            else "\n".join([f"{name}:", *(f"  {k}: {v}" for k, v in told.items())]),
            flush=True,
        )
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
