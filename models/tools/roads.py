"""Detector's scenes from real photographs: their plates as they are, or a rendered plate hung in their place.

    python -m models.tools.roads OUT --photos FOLDER [--chunks 24]

`FOLDER` holds `manifest.csv` (file, box_xyxy) and the pictures in `img/` or beside it. A plate detector is
country-blind: foreign plates teach it real light and real vehicles; a rendered Vietnamese or Chinese plate, warped onto
the box of the one that hung there, with its light and its blur, teaches it the plates. Chunks are of
the form of those of `scenes.py`.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random

import cv2
import numpy as np

from edge.vision.geometry import as_corners
from edge.vision.own import OwnDetector
from models.tools import camera, decoys, kinds
from models.tools.alphabet import LAYOUTS
from models.tools.draw import GROUNDS, Floats, Picture, draw_plate
from models.tools.night import night
from models.tools.scenes import HEIGHT, WIDTH, Made, arguments, write
from models.tools.spec import Spec

NARROWEST_PX, WIDEST_PX = 12.0, 400.0
ROLL_DEG = 30.0
AGREE = 0.6
"""The shipped detector's corners are taken for a box where both overlap this much: boxes lie upright, plates do not."""


@dataclass(slots=True)
class Photo:
    picture: Picture
    quads: list[Floats]
    """Its plates' corners (4, 2), clockwise from the top left."""


def photos(folder: Path) -> list[Photo]:
    boxes: dict[str, list[tuple[float, ...]]] = defaultdict(list)
    with (folder / "manifest.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            boxes[row["file"]].append(tuple(float(v) for v in row["box_xyxy"].split()) if row["box_xyxy"] else ())
    detector, found = OwnDetector(1), []
    for name, rows in sorted(boxes.items()):
        path = folder / "img" / name
        picture = cv2.imread(str(path if path.exists() else folder / name), cv2.IMREAD_COLOR)
        if picture is None:
            raise SystemExit(f"{folder / name}: not readable as an image")
        seen = [np.array(d.corners, np.float32) for d in detector.detect(picture)]
        found.append(Photo(picture, [_finer(as_corners(box), seen) for box in rows if box]))
    return found


def _finer(quad: Floats, seen: list[Floats]) -> Floats:
    return max([q for q in seen if _iou(q, quad) > AGREE], key=lambda q: _iou(q, quad), default=quad)


def _iou(a: Floats, b: Floats) -> float:
    low, high = np.maximum(a.min(0), b.min(0)), np.minimum(a.max(0), b.max(0))
    common = float(np.prod(np.maximum(0, high - low)))
    return common / max(1e-6, float(np.prod(np.ptp(a, 0)) + np.prod(np.ptp(b, 0))) - common)


def scene(r: Random, taken: list[Photo]) -> Made:
    photo = r.choice(taken)
    picture, quads = photo.picture, [q.copy() for q in photo.quads]
    width = float(np.ptp(quads[0][:, 0])) if quads else 100.0
    wanted = NARROWEST_PX * (WIDEST_PX / NARROWEST_PX) ** (r.random() ** 0.9)
    scale = min(wanted / max(8.0, width), 3.0)
    scale = max(scale, 0.5 * WIDTH / picture.shape[1])
    roll = r.uniform(-ROLL_DEG, ROLL_DEG) if r.random() < 0.35 else r.gauss(0, 3)
    focus = (
        quads[0].mean(0) if quads and r.random() < 0.9 else np.float32([r.random(), r.random()]) * picture.shape[1::-1]
    )
    matrix = _window(r, focus, scale, roll, width * scale)
    canvas = cv2.warpAffine(
        picture, matrix, (WIDTH, HEIGHT), flags=cv2.INTER_AREA if scale > 0.6 else cv2.INTER_LINEAR,
        borderMode=r.choice([cv2.BORDER_CONSTANT, cv2.BORDER_REPLICATE]), borderValue=(114, 114, 114),
    ) if scale > 0.6 else _shrunk(picture, matrix, scale)  # fmt: skip
    quads = [(q @ matrix[:, :2].T + matrix[:, 2]).astype(np.float32) for q in quads]
    layouts = [0] * len(quads)
    if r.random() < 0.6:
        for i, quad in enumerate(quads):
            quads[i], layouts[i] = hang(r, canvas, quad)
    for _ in range(r.choice([0, 0, 0, 1])):
        if quads:
            middle = quads[0].mean(0)
            decoys.beside(r, canvas, (float(middle[0]), float(middle[1])), float(np.ptp(quads[0][:, 0])))
    inside = [(q, k) for q, k in zip(quads, layouts, strict=True) if _shown(q)]
    if r.random() < 0.4:
        canvas = night(r, canvas, [q for q, _ in inside])
    elif r.random() < 0.4:
        canvas = weather(r, canvas)
    canvas = camera.sensor(r, camera.light(r, canvas)) if r.random() < 0.6 else canvas
    return canvas, [q for q, _ in inside], [k for _, k in inside]


def _shrunk(picture: Picture, matrix: Floats, scale: float) -> Picture:
    """Averaged down first: a warp alone would alias."""
    small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    ratio = np.float32([small.shape[1] / picture.shape[1], small.shape[0] / picture.shape[0]])
    moved = matrix.copy()
    moved[:, :2] /= ratio
    return cv2.warpAffine(small, moved, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR, borderValue=(114, 114, 114))


def _window(r: Random, focus: Floats, scale: float, roll_deg: float, wide: float) -> Floats:
    c, s = np.cos(np.radians(roll_deg)) * scale, np.sin(np.radians(roll_deg)) * scale
    turn = np.float32([[c, -s], [s, c]])
    if r.random() < 0.2:  # squeezed or stretched, as some recorders store
        turn = np.diag(np.float32([r.uniform(0.75, 1.1), r.uniform(0.9, 1.3)])) @ turn
    room = np.minimum(0.45, np.float32([wide / WIDTH, wide * 0.5 / HEIGHT]) / 2 + 0.02)
    at = np.float32([r.uniform(room[0], 1 - room[0]) * WIDTH, r.uniform(room[1], 1 - room[1]) * HEIGHT])
    return np.column_stack([turn, at - turn @ focus]).astype(np.float32)


def _shown(quad: Floats) -> bool:
    middle = quad.mean(0)
    inside = bool((middle > 2).all() and middle[0] < WIDTH - 2 and middle[1] < HEIGHT - 2)
    return inside and float(np.ptp(quad[:, 0])) >= 8


def hang(r: Random, canvas: Picture, quad: Floats, spec: Spec | None = None) -> tuple[Floats, int]:
    """A rendered plate over the one at `quad`, in its plane, with its light and blur; gives its corners and layout."""
    spec = spec or kinds.draw_spec(r)
    if r.random() < 0.2:
        spec.colour, spec.ink, spec.gradient = r.choice(list(GROUNDS)), "contrast", ""
    plate = draw_plate(r, spec).picture
    new = _fitted(quad, spec.size[0] / spec.size[1])
    light, patch_blur = _surroundings(canvas, quad)
    plate = np.clip(plate.astype(np.float32) * light * r.uniform(0.85, 1.15), 0, 255).astype(np.uint8)
    h, w = plate.shape[:2]
    shrink = 1.2 * float(np.linalg.norm(new[1] - new[0])) / w
    if shrink < 0.9:
        plate = cv2.resize(plate, None, fx=max(shrink, 4 / h), fy=max(shrink, 4 / h), interpolation=cv2.INTER_AREA)
        h, w = plate.shape[:2]
    matrix = cv2.getPerspectiveTransform(np.float32([[0, 0], [w, 0], [w, h], [0, h]]), new)
    size = (canvas.shape[1], canvas.shape[0])
    laid = cv2.warpPerspective(plate, matrix, size, flags=cv2.INTER_LINEAR)
    mask = cv2.warpPerspective(np.full((h, w), 255, np.uint8), matrix, size).astype(np.float32)[..., None] / 255
    if patch_blur > 0.3:
        laid = cv2.GaussianBlur(laid, (0, 0), patch_blur)
    if spec.layout == "one_line" or r.random() < 0.3:
        _cover(canvas, quad)
    np.copyto(canvas, (canvas * (1 - mask) + laid * mask).astype(np.uint8))
    return new, LAYOUTS.index(spec.layout)


def _fitted(quad: Floats, aspect: float) -> Floats:
    """A plate of width over height `aspect` in the plane of `quad`, round its middle, covering what hung there."""
    wide = float(np.linalg.norm(quad[1] - quad[0]) + np.linalg.norm(quad[2] - quad[3])) / 2
    tall = max(1.0, float(np.linalg.norm(quad[3] - quad[0]) + np.linalg.norm(quad[2] - quad[1])) / 2)
    if wide / tall > aspect:  # as wide, taller
        sx, sy = 1.0, wide / tall / aspect
        if sy > 1.5:
            sx, sy = 1.5 / sy, 1.5
    else:
        sx, sy = aspect * tall / wide, 1.0
    matrix = cv2.getPerspectiveTransform(np.float32([[-1, -1], [1, -1], [1, 1], [-1, 1]]), quad.astype(np.float32))
    flat = np.float32([[[-sx, -sy], [sx, -sy], [sx, sy], [-sx, sy]]])
    return cv2.perspectiveTransform(flat, matrix)[0].astype(np.float32)


def _cover(canvas: Picture, quad: Floats) -> None:
    """The old plate filled in from its edge, so that nothing of it peeps out beside the new one."""
    low = np.clip(np.floor(quad.min(0)) - 4, 0, [WIDTH - 2, HEIGHT - 2]).astype(int)
    high = np.clip(np.ceil(quad.max(0)) + 4, low + 2, [WIDTH, HEIGHT]).astype(int)
    part = canvas[low[1] : high[1], low[0] : high[0]]
    mask = np.zeros(part.shape[:2], np.uint8)
    middle = quad.mean(0)
    cv2.fillPoly(mask, [((quad - middle) * 1.06 + middle - low).round().astype(np.int32)], 255)
    edge = part[mask == 0]
    if len(edge):
        part[mask > 0] = np.median(edge, axis=0)


def _surroundings(canvas: Picture, quad: Floats) -> tuple[Floats, float]:
    """(light per channel from the brightest of the old plate, blur in px from the sharpest edge there)."""
    low = np.clip(np.floor(quad.min(0)), 0, [WIDTH - 3, HEIGHT - 3]).astype(int)
    high = np.clip(np.ceil(quad.max(0)), low + 3, [WIDTH, HEIGHT]).astype(int)
    part = canvas[low[1] : high[1], low[0] : high[0]]
    bright = np.percentile(part.reshape(-1, 3).astype(np.float32), 85, axis=0)
    light = np.clip(bright / 225, 0.12, 1.15).astype(np.float32)
    grey = part.mean(2)
    steep = float(np.percentile(np.abs(np.diff(grey, axis=1)), 98)) if grey.shape[1] > 3 else 0.0
    step = max(20.0, float(np.ptp(np.percentile(grey, [8, 92]))))
    return light, float(np.clip(0.4 * step / max(steep, 1.0) - 0.15, 0, 2.5))


def weather(r: Random, canvas: Picture) -> Picture:
    """Sun stripes, haze or drops on the glass."""
    kind, (h, w) = r.randrange(3), canvas.shape[:2]
    x = canvas.astype(np.float32)
    xs, ys = np.meshgrid(np.arange(w, dtype=np.float32), np.arange(h, dtype=np.float32))
    if kind == 0:
        wave = np.sin((xs * r.uniform(-1, 1) + ys * r.uniform(0.2, 1)) / r.uniform(5, 40) + r.uniform(0, 6))
        x *= np.where(wave > r.uniform(-0.6, 0.6), r.uniform(1.1, 1.6), r.uniform(0.4, 0.8))[..., None]
    elif kind == 1:
        x = x * r.uniform(0.4, 0.8) + r.uniform(60, 120)
    else:
        soft = cv2.GaussianBlur(x, (0, 0), r.uniform(2, 5))
        mask = np.zeros((h, w), np.float32)
        for _ in range(r.randrange(8, 60)):
            cv2.circle(mask, (r.randrange(w), r.randrange(h)), r.randrange(2, 14), r.uniform(0.5, 1), -1)
        mask = cv2.GaussianBlur(mask, (0, 0), 1.2)[..., None]
        x = x * (1 - mask) + soft * r.uniform(0.9, 1.2) * mask
    return np.clip(x, 0, 255).astype(np.uint8)


def main() -> None:
    args = arguments(__doc__)
    args.add_argument("--photos", type=Path, required=True)
    options = args.parse_args()
    write(options, partial(scene, taken=photos(options.photos)))


if __name__ == "__main__":
    main()
