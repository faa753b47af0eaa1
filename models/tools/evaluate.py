"""Measures a reader on the real images: whole scene to text, exact match, by group; parts also apart.

    python -m models.tools.evaluate REAL_DEV [--models FOLDER] [--against rapidocr] [--misses OUT.png] [--json]
                                    [--night 300] [--roll 20]

REAL_DEV holds manifest.csv and img/. Prints figures only, never a plate. Labels write Đ as D; both are folded. The set
is split in two by source: choices are made on the half "chosen on", and the other half is what they are judged by.
`--night N` measures on N pictures composed from the scenes instead: dark, with headlights (`night.py`; by seed, so
always the same); `--roll DEG` on each scene turned both ways by so much.
"""

from __future__ import annotations

import argparse
import csv
import json
import statistics
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import cv2
import numpy as np

from edge.core.model import PlateRead
from edge.ports import Detection, Detector, Image, Reader
from edge.vision.geometry import as_corners
from edge.vision.models import build, plate_table
from edge.vision.own import OwnDetector, OwnReader
from models.tools.night import night

Row = dict[str, str]

CHOSEN_ON = frozenset(
    {
        "lchithanh/PhatHienBienSoXe",
        "buiquangmanhhp1999/License-Plate-Recognition",
        "mrzaizai2k/VIETNAMESE_LICENSE_PLATE",
        "we0091234/Chinese_license_plate_detection_recognition",
        "detectRecog/CCPD",
    }
)
"""Sources of the half that limits and sizes may be chosen on; the rest is looked at when they stand."""


@dataclass(slots=True)
class Count:
    right: int = 0
    total: int = 0

    def add(self, right: bool) -> None:
        self.right += right
        self.total += 1

    def __str__(self) -> str:
        return f"{self.right}/{self.total} = {self.right / max(1, self.total):.3f}"


@dataclass(slots=True)
class Tally:
    scenes: dict[str, Count] = field(default_factory=lambda: defaultdict(Count))
    boxes: dict[str, Count] = field(default_factory=lambda: defaultdict(Count))
    crops: dict[str, Count] = field(default_factory=lambda: defaultdict(Count))
    recall: dict[str, Count] = field(default_factory=lambda: defaultdict(Count))
    sure: list[tuple[float, bool]] = field(default_factory=list)
    extra: int = 0
    """Plates read, with a pattern's text, where the picture has none of that text."""
    times_ms: list[float] = field(default_factory=list)
    misses: list[tuple[Image, str, str]] = field(default_factory=list)


def folded(text: str) -> str:
    return text.replace("Đ", "D")


def groups(row: Row) -> list[str]:
    """Where a plate counts: the rows of the cards' table, its country with its layout and ground, its lines' height."""
    kinds = [f"{row['country']}, {row['layout']}", f"{row['country']}, {row['color']}"]
    if row["box_xyxy"]:
        _, top, _, bottom = box_of(row)
        tall = (bottom - top) / (2 if row["layout"] == "2line" else 1)
        kinds.append(f"a line {'under 24' if tall < 24 else '24 to 40' if tall < 40 else '40 and more'} px high")
    half = "chosen on" if row["repo"] in CHOSEN_ON else "not chosen on"
    if row["country"] == "VN":
        named = ["VN motorbikes" if row["vehicle"] == "motorbike" else "VN cars and trucks"]
    else:
        named = ["CN vehicles", *(["CN trucks"] if row["vehicle"] == "truck" else [])]
    return [*named, *(f"{name}, half {half}" for name in named), *kinds]


def box_of(row: Row) -> tuple[float, ...]:
    return tuple(float(v) for v in row["box_xyxy"].replace(",", " ").replace("[", " ").replace("]", " ").split())


def whole(image: Image) -> Detection:
    """The whole picture as one detection: for crops."""
    height, width = image.shape[:2]
    return boxed((0, 0, width, height))


def boxed(box: tuple[float, ...]) -> Detection:
    a, b, c, d = ((float(x), float(y)) for x, y in as_corners(box))
    return Detection((a, b, c, d), 1.0, lines=((a, b, c, d),))


def overlap(read: PlateRead | Detection, box: tuple[float, ...]) -> float:
    xs, ys = [x for x, _ in read.corners], [y for _, y in read.corners]
    w = min(max(xs), box[2]) - max(min(xs), box[0])
    h = min(max(ys), box[3]) - max(min(ys), box[1])
    common = max(0.0, w) * max(0.0, h)
    return common / ((max(xs) - min(xs)) * (max(ys) - min(ys)) + (box[2] - box[0]) * (box[3] - box[1]) - common)


def judge_scene(detector: Detector, reader: Reader, image: Image, rows: list[Row], tally: Tally) -> None:
    began = time.perf_counter()
    detections = detector.detect(image)
    reads = [read for read in reader.read(image, detections) if read is not None]
    tally.times_ms.append(1000 * (time.perf_counter() - began))
    wanted = {row["plate_text"] for row in rows}
    for read in reads:
        right = folded(read.plate.text) in wanted
        if read.plate.kind != "other":
            tally.sure.append((read.plate.confidence, right))
            tally.extra += not right
    texts = {folded(read.plate.text) for read in reads}
    for row in rows:
        if not row["plate_text"]:
            continue
        right = row["plate_text"] in texts
        for name in groups(row):
            tally.scenes[name].add(right)
        _apart(reader, image, row, detections, tally)
        if not right:
            tally.misses.append((_drawn(image, detections), row["plate_text"], " ".join(sorted(texts))))


def _apart(reader: Reader, image: Image, row: Row, detections: list[Detection], tally: Tally) -> None:
    if not row["box_xyxy"]:
        return
    box = box_of(row)
    read = reader.read(image, [boxed(box)])[0]
    for name in groups(row):
        tally.boxes[name].add(read is not None and folded(read.plate.text) == row["plate_text"])
        tally.recall[name].add(any(overlap(d, box) > 0.5 for d in detections))


def _drawn(image: Image, detections: list[Detection]) -> Image:
    picture = image.copy()
    for detection in detections:
        cv2.polylines(picture, [np.array(detection.corners).round().astype(np.int32)], True, (0, 255, 0), 1)
    return picture


def pictures(folder: Path) -> Iterator[tuple[Image, list[Row]]]:
    by_file: dict[str, list[Row]] = defaultdict(list)
    with (folder / "manifest.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            by_file[row["file"]].append(row)
    for name, rows in by_file.items():
        image = cv2.imread(str(folder / "img" / name), cv2.IMREAD_COLOR)
        if image is None:
            raise SystemExit(f"{name}: not readable as an image")
        yield np.asarray(image, np.uint8), rows


def by_night(folder: Path, count: int) -> Iterator[tuple[Image, list[Row]]]:
    """`count` scenes made dark, with headlights beside their plates; the same ones at every call."""
    r, made = Random(300), 0
    lit = [(image, rows) for image, rows in pictures(folder) if rows[0]["kind"] == "scene" and rows[0]["box_xyxy"]]
    while made < count and lit:
        for image, rows in lit[: count - made]:
            quads = [as_corners(box_of(row)) for row in rows if row["box_xyxy"]]
            yield night(r, image, quads, headlights=True), rows
            made += 1


def rolled(folder: Path, angle_deg: float) -> Iterator[tuple[Image, list[Row]]]:
    """Each scene turned by so much one way and the other, nothing cut off; boxes do not survive it."""
    for image, rows in pictures(folder):
        if rows[0]["kind"] == "scene":
            for angle in (angle_deg, -angle_deg):
                yield turned(image, angle), [{**row, "box_xyxy": ""} for row in rows]


def turned(image: Image, angle_deg: float) -> Image:
    height, width = image.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), angle_deg, 1.0)
    wide = round(height * abs(matrix[0, 1]) + width * abs(matrix[0, 0]))
    tall = round(height * abs(matrix[0, 0]) + width * abs(matrix[0, 1]))
    matrix[:, 2] += [(wide - width) / 2, (tall - height) / 2]
    return np.asarray(cv2.warpAffine(image, matrix, (wide, tall), borderValue=(114, 114, 114)), np.uint8)


def measure(detector: Detector, reader: Reader, shown: Iterable[tuple[Image, list[Row]]]) -> Tally:
    tally = Tally()
    for image, rows in shown:
        if rows[0]["kind"] == "crop":
            read = reader.read(image, [whole(image)])[0]
            right = read is not None and folded(read.plate.text) == rows[0]["plate_text"]
            tally.crops[rows[0]["country"]].add(right)
        else:
            judge_scene(detector, reader, image, rows, tally)
    return tally


def report(tally: Tally) -> dict[str, object]:
    figures: dict[str, object] = {f"scenes, {k}": str(v) for k, v in tally.scenes.items()}
    figures |= {f"given box, {k}": str(v) for k, v in tally.boxes.items()}
    figures |= {f"detector recall, {k}": str(v) for k, v in tally.recall.items()}
    figures |= {f"crops, {k}": str(v) for k, v in tally.crops.items()}
    figures["pattern texts that are wrong"] = tally.extra
    for level in (0.02, 0.05, 0.1, 0.2, 0.5, 0.8, 0.9, 0.95, 0.99, 0.995):
        over = [right for sure, right in tally.sure if sure >= level]
        figures[f"wrong of those at confidence {level}"] = f"{len(over) - sum(over)} of {len(over)}"
    figures["ms a scene, median"] = round(statistics.median(tally.times_ms), 1)
    return figures


def sheet(tally: Tally, path: Path) -> None:
    """The misses side by side, to be looked at on this machine only."""
    tiles = []
    for image, wanted, given in tally.misses[:64]:
        scale = min(360 / image.shape[1], 270 / image.shape[0])
        small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        tile = np.zeros((310, 360, 3), np.uint8)
        tile[: small.shape[0], : small.shape[1]] = small
        for y, text in ((288, wanted), (306, given[:40])):
            safe = text.encode("ascii", "replace").decode()
            cv2.putText(tile, safe, (4, y), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (0, 255, 255), 1)
        tiles.append(tile)
    while len(tiles) % 8 or not tiles:
        tiles.append(np.zeros((310, 360, 3), np.uint8))
    cv2.imwrite(str(path), np.vstack([np.hstack(tiles[i : i + 8]) for i in range(0, len(tiles), 8)]))


def main() -> None:
    args = argparse.ArgumentParser(description=__doc__)
    args.add_argument("folder", type=Path)
    args.add_argument("--models", type=Path, default=Path("models"))
    args.add_argument("--against", help="another reader's name, measured instead")
    args.add_argument("--misses", type=Path)
    args.add_argument("--json", action="store_true")
    args.add_argument("--threads", type=int, default=2)
    args.add_argument("--long-side", type=int)
    args.add_argument("--threshold", type=float)
    args.add_argument("--night", type=int, metavar="N", help="N scenes made dark, with headlights")
    args.add_argument("--roll", type=float, metavar="DEG", help="every scene turned both ways")
    options = args.parse_args()
    if options.against:
        detector, reader = build(options.against, threads=options.threads)
    else:
        detector = OwnDetector(options.threads, options.models, options.long_side, options.threshold)
        reader = OwnReader(plate_table(), options.threads, options.models)
    shown = pictures(options.folder)
    if options.night or options.roll:
        shown = by_night(options.folder, options.night) if options.night else rolled(options.folder, options.roll)
    tally = measure(detector, reader, shown)
    figures = report(tally)
    print(
        json.dumps(figures, ensure_ascii=False) if options.json else "\n".join(f"{k}: {v}" for k, v in figures.items())
    )
    if options.misses:
        sheet(tally, options.misses)


if __name__ == "__main__":
    main()
