"""A sheet of what the shipped reader gets wrong in the synthetic test world, for the model cards: invented plates only.

    python -m models.tools.failures OUT.png [--passages 40] [--first 2000] [--models FOLDER]

Each tile: the plate as it stood in the frame, what it says, and what was read with which confidence ("-": nothing).
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from edge.ports import Detector, Image, Reader
from edge.vision.geometry import rectify
from edge.vision.models import plate_table
from edge.vision.own import OwnDetector, OwnReader
from models.tools import testworld
from models.tools.draw import Floats
from models.tools.faces import glyph

TILE_W, PLATE_H, TEXT_H = 240, 84, 20
ACROSS = 5
AROUND = (0.08, 0.12)
"""What is shown around the plate, in shares of its width and height."""


def words(text: str, height: int = TEXT_H) -> Image:
    """The text in ink of the test world's own faces, white on black: hanzi too, and no font is needed."""
    cells = []
    for mark in text:
        wide = ord(mark) > 0x2E00
        if mark in " .-=":
            ink = np.zeros((height - 6, height // 3), np.uint8)
            ink[height - 10 :, 2:4] = 255 if mark == "." else 0
            ink[height // 2 - 2 : height // 2, :] = 255 if mark in "-=" else 0
        else:
            mask = glyph("held-droid" if wide else "held-encode", mark)
            width = height - 6 if wide else max(3, round(mask.shape[1] * (height - 6) / mask.shape[0]))
            ink = cv2.resize(mask, (width, height - 6), interpolation=cv2.INTER_AREA)
        cells.append(np.pad(ink, ((3, 3), (1, 1))))
    return np.repeat(np.hstack(cells)[..., None], 3, axis=2)


def failure(kind: str, number: int, detector: Detector, reader: Reader) -> tuple[float, Image] | None:
    """The most confident misreading of one passage as (confidence, tile); None where all its frames are read right."""
    text, frames = testworld.passage_with_corners(kind, number)
    worst: tuple[float, Image] | None = None
    for picture, corners in frames:
        read = testworld.best(reader, picture, detector)
        sure = read.plate.confidence if read is not None else 0.0
        if (read is None or read.plate.text != text) and (worst is None or sure > worst[0]):
            said = f"{read.plate.text} {100 * sure:.0f}" if read is not None else "-"
            worst = sure, tile(picture, corners, text, said)
    return worst


def tile(picture: Image, corners: Floats, text: str, said: str) -> Image:
    width, height = np.linalg.norm(corners[1] - corners[0]), np.linalg.norm(corners[3] - corners[0])
    size = (min(TILE_W - 8, round(PLATE_H * float(width / height))), PLATE_H)
    out = np.zeros((PLATE_H + 2 * TEXT_H + 8, TILE_W, 3), np.uint8)
    out[2 : 2 + PLATE_H, 4 : 4 + size[0]] = rectify(picture, corners, size, *AROUND)[0]
    for line, shown in enumerate((text, said)):
        ink = words(shown)[:, : TILE_W - 8]
        top = PLATE_H + 4 + line * TEXT_H
        out[top : top + TEXT_H, 4 : 4 + ink.shape[1]] = ink
    return out


def failures(models: Path, passages: int, first: int) -> Iterator[tuple[float, Image]]:
    detector, reader = OwnDetector(1, models), OwnReader(plate_table(), 1, models)
    for number in range(first, first + passages):
        for kind in testworld.KINDS:
            found = failure(kind, number, detector, reader)
            if found is not None:
                yield found


def sheet(tiles: list[Image], across: int = ACROSS) -> Image:
    """Tiles of one size in rows; the last row is filled up with black."""
    tiles = tiles + [np.zeros_like(tiles[0])] * (-len(tiles) % across)
    return np.vstack([np.hstack(tiles[i : i + across]) for i in range(0, len(tiles), across)])


def main() -> None:
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("out", type=Path)
    args.add_argument("--passages", type=int, default=40, help="of each kind")
    args.add_argument("--first", type=int, default=2000)
    args.add_argument("--models", type=Path, default=Path("models"))
    args.add_argument("--most", type=int, default=20, help="tiles: the surest misreadings first")
    options = args.parse_args()
    cv2.setNumThreads(1)
    found = sorted(failures(options.models, options.passages, options.first), key=lambda pair: -pair[0])
    if found:
        cv2.imwrite(str(options.out), sheet([image for _, image in found[: options.most]]))
    print(f"{len(found)} of {5 * options.passages} passages have a frame that is misread or not read")


if __name__ == "__main__":
    main()
