"""What a person reads of the passages that the reader misread: how much of the test world's gap can be closed at all.

    python -m models.tools.byeye show SHEET.png KEY.json [--first 4000] [--passages 240] [--models FOLDER]
    python -m models.tools.byeye score KEY.json ANSWERS.json

`show` writes two late frames of each misread passage, enlarged and numbered, without any text, and apart from it the
key. Whoever answers ({"0": "桂A12345", …}; what cannot be read is left out) has not seen the key.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import cv2
import numpy as np

from edge.core.plate.vote import VoteRules
from edge.ports import Image
from edge.vision.models import plate_table
from models.tools import testworld
from models.tools.draw import Floats
from models.tools.failures import TEXT_H, sheet, words

FRAMES = (3, 5)
TILE_W, TILE_H = 270, 150
ACROSS = 3
AROUND_PX = 5


def tile(frames: list[tuple[Image, Floats]], number: int) -> Image:
    shown = []
    for picture, corners in (frames[i] for i in FRAMES):
        (x1, y1), (x2, y2) = corners.min(0) - AROUND_PX, corners.max(0) + AROUND_PX
        cut = picture[max(0, int(y1)) : int(y2), max(0, int(x1)) : int(x2)]
        height = min(TILE_H, round(TILE_W * cut.shape[0] / cut.shape[1]))
        part = np.zeros((TILE_H, TILE_W, 3), np.uint8)
        part[:height] = cv2.resize(cut, (TILE_W, height), interpolation=cv2.INTER_CUBIC)
        shown.append(part)
    out = np.zeros((TILE_H + TEXT_H, 2 * TILE_W, 3), np.uint8)
    out[:TILE_H] = np.hstack(shown)
    ink = words(str(number))
    out[TILE_H:, : ink.shape[1]] = ink
    return out


def show(options: argparse.Namespace) -> None:
    cv2.setNumThreads(1)
    table = plate_table()
    detector, reader = testworld.eyes(options.models)
    tiles, key = [], {}
    for number in range(options.first, options.first + options.passages):
        for kind in testworld.KINDS:
            text, frames = testworld.passage_with_corners(kind, number)
            reads = (testworld.best(reader, picture, detector) for picture, _ in frames)
            leader = testworld.vote(reads, VoteRules(), table).leader
            if leader is None or leader.text != text:
                key[str(len(tiles))] = text
                tiles.append(tile(frames, len(tiles)))
    if not tiles:
        raise SystemExit("nothing was misread: no sheet")
    cv2.imwrite(str(options.sheet), sheet(tiles, ACROSS))
    options.key.write_text(json.dumps(key, ensure_ascii=False), encoding="utf-8")
    print(f"{len(key)} of {len(testworld.KINDS) * options.passages} passages are misread")


def score(options: argparse.Namespace) -> None:
    key, answers = (json.loads(path.read_text(encoding="utf-8")) for path in (options.key, options.answers))
    if strange := answers.keys() - key.keys():
        raise SystemExit(f"{options.answers}: no such number in the key: {', '.join(sorted(strange))}")
    right = sum(answers[number] == key[number] for number in answers)
    print(f"of {len(key)} misread passages {len(answers)} were answered by eye, {right} rightly")


def main() -> None:
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    what = args.add_subparsers(required=True)
    shown = what.add_parser("show")
    shown.add_argument("sheet", type=Path)
    shown.add_argument("key", type=Path)
    shown.add_argument("--first", type=int, default=4000)
    shown.add_argument("--passages", type=int, default=240, help="of each kind")
    shown.add_argument("--models", type=Path, default=Path("models"))
    shown.set_defaults(do=show)
    scored = what.add_parser("score")
    scored.add_argument("key", type=Path)
    scored.add_argument("answers", type=Path)
    scored.set_defaults(do=score)
    options = args.parse_args()
    options.do(options)


if __name__ == "__main__":
    main()
