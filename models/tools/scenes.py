"""Detector's scenes: plates set in perspective on drawn vehicles among words and boards that are no plates.

python -m models.tools.scenes OUT --chunks 24
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial
from pathlib import Path
from random import Random

import cv2
import numpy as np

from models.tools import backdrop, camera, chunks, decoys, kinds_cn, vehicles
from models.tools.alphabet import LAYOUTS
from models.tools.crops import found_box
from models.tools.draw import GROUNDS, Floats, Picture, draw_plate
from models.tools.kinds import draw_spec
from models.tools.spec import Spec

WIDTH, HEIGHT = 416, 320
MOST = 6
"""Plates kept for one scene."""
CHUNK = 512

Made = tuple[Picture, list[Floats], list[int]]
"""A scene, its plates' corners (4, 2) each, and their layouts."""


def _maker(r: Random, spec: Spec) -> object:
    if spec.size[0] <= 220:
        return r.choices([vehicles.bike, vehicles.bare], [0.85, 0.15])[0]
    if spec.text.endswith("挂") or (spec.layout == "two_line" and spec.country == "CN"):
        return r.choices([vehicles.tail, vehicles.truck, vehicles.bare], [0.75, 0.15, 0.1])[0]
    if spec.colour == "yellow":
        return r.choices([vehicles.truck, vehicles.tail, vehicles.car, vehicles.bare], [0.55, 0.2, 0.15, 0.1])[0]
    return r.choices([vehicles.car, vehicles.truck, vehicles.tail, vehicles.bare], [0.66, 0.14, 0.08, 0.12])[0]


def width_px(r: Random, spec: Spec) -> float:
    low, high = (20.0, 150.0) if spec.size[0] <= 220 else (26.0, 230.0)
    return low * (high / low) ** (r.random() ** 1.1)


def _set(r: Random, canvas: Picture, spec: Spec, at: tuple[float, float], width: float) -> Floats:
    """Warps one plate into the canvas with its middle at `at`; gives its corners (4, 2) in canvas pixels."""
    plate = draw_plate(r, spec).picture
    yaw, pitch, roll = camera.angles(r)
    quad = camera.project(r, spec.size, yaw, pitch, roll)
    quad *= width / (quad[:, 0].max() - quad[:, 0].min())
    if r.random() < 0.25:
        quad *= np.float32([r.uniform(0.75, 1.1), r.uniform(0.9, 1.35)])
    quad += np.float32(at) - (quad.min(0) + quad.max(0)) / 2
    if r.random() < 0.5:  # the holder's frame and the shadow in its recess
        shade, by = [r.uniform(0, 90)] * 3, r.uniform(1.02, 1.14)
        middle = quad.mean(0)
        cv2.fillPoly(canvas, [((quad - middle) * by + middle + [0, r.uniform(-1, 2)]).round().astype(np.int32)], shade)
    lay(canvas, plate, quad)
    return quad


def lay(canvas: Picture, plate: Picture, quad: Floats) -> None:
    """Warps a flat plate into the canvas so that its corners come to lie on `quad` (4, 2), clockwise."""
    shrink = 1.3 * float(quad[:, 0].max() - quad[:, 0].min()) / plate.shape[1]
    if shrink < 0.8:
        plate = cv2.resize(plate, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
    h, w = plate.shape[:2]
    matrix = cv2.getPerspectiveTransform(np.float32([[0, 0], [w, 0], [w, h], [0, h]]), quad)
    cv2.warpPerspective(
        plate, matrix, (canvas.shape[1], canvas.shape[0]), dst=canvas, borderMode=cv2.BORDER_TRANSPARENT
    )


def _one(r: Random, canvas: Picture, real: list[Picture]) -> tuple[Floats, int]:
    spec = draw_spec(r)
    if r.random() < 0.12:  # other years, other countries: a plate is one in any colour
        spec.colour, spec.ink, spec.gradient = r.choice(list(GROUNDS)), "contrast", ""
    width = width_px(r, spec)
    edge_x, edge_y = max(0.05 * WIDTH, 0.45 * width), max(0.06 * HEIGHT, 0.45 * width * spec.size[1] / spec.size[0])
    at = (r.uniform(edge_x, WIDTH - edge_x), r.uniform(edge_y, HEIGHT - edge_y))
    _maker(r, spec)(r, canvas, *at, width, 1.0)  # type: ignore[operator]
    if r.random() < 0.3:
        decoys.beside(r, canvas, at, width)
    quad = _set(r, canvas, spec, at, width)
    if real and spec.layout == "one_line" and spec.country == "CN" and spec.size[0] == 440 and r.random() < 0.35:
        _overlay(canvas, quad, r.choice(real))
    return quad, LAYOUTS.index(spec.layout)


def _neighbour(r: Random, canvas: Picture, first: Floats) -> tuple[Floats, int] | None:
    """A second plate on the same bumper (two countries, two regions), or a board close to the plate that is none."""
    span, at = first.max(0) - first.min(0), first.mean(0)
    if r.random() < 0.35:
        wide, gap = span[0] * r.uniform(0.6, 1.1), r.uniform(1.0, 1.3)
        down = r.choice([-1, 1, 1, 1]) * (span[1] + 0.35 * wide) / 2 * gap
        decoys.board(r, canvas, at[0] + r.gauss(0, 0.08) * span[0], at[1] + down, wide)
        return None
    spec = kinds_cn.cn_hong_kong(r) if r.random() < 0.3 else draw_spec(r)
    width = span[0] * r.uniform(0.75, 1.2)
    clear = np.float32([span[0] + width, span[1] + width * spec.size[1] / spec.size[0]]) / 2 * r.uniform(1.04, 1.5)
    way = r.choice([(0, 1), (0, 1), (0, -1), (1, 0), (-1, 0)])
    middle = at + clear * np.float32(way) + np.float32([r.gauss(0, 0.05), r.gauss(0, 0.02)]) * span
    if not (0 < middle[0] < WIDTH and 0 < middle[1] < HEIGHT):
        return None
    return _set(r, canvas, spec, (float(middle[0]), float(middle[1])), width), LAYOUTS.index(spec.layout)


def _overlay(canvas: Picture, quad: Floats, crop: Picture) -> None:
    """A real crop in place of the drawn plate."""
    h, w = crop.shape[:2]
    matrix = cv2.getPerspectiveTransform(np.float32([[0, 0], [w, 0], [w, h], [0, h]]), quad)
    cv2.warpPerspective(crop, matrix, (canvas.shape[1], canvas.shape[0]), dst=canvas, borderMode=cv2.BORDER_TRANSPARENT)


def finish(r: Random, canvas: Picture, quads: list[Floats]) -> Picture:
    if r.random() < 0.35:
        backdrop.clock(r, canvas)
    if quads and r.random() < 0.1:
        found_box(r, canvas, quads[0])
    if r.random() < 0.15:  # headlight bloom
        glow = np.zeros(canvas.shape[:2], np.float32)
        for _ in range(2):
            cv2.circle(glow, (r.randrange(WIDTH), r.randrange(HEIGHT)), r.randrange(4, 20), r.uniform(120, 255), -1)
        glow = cv2.resize(cv2.GaussianBlur(cv2.resize(glow, None, fx=0.25, fy=0.25), (0, 0), 6), (WIDTH, HEIGHT)) * 2.5
        canvas = np.clip(canvas + glow[..., None], 0, 255).astype(np.uint8)
    if r.random() < 0.08:  # rain
        for _ in range(r.randrange(30, 150)):
            x, y, long = r.randrange(WIDTH), r.randrange(HEIGHT), r.randrange(4, 16)
            cv2.line(canvas, (x, y), (x + 1, y + long), (200, 200, 200), 1)
    return camera.sensor(r, camera.light(r, camera.blur(r, canvas, r.choice([0.6, 0.9, 1.2]))))


def scene(r: Random, real: list[Picture]) -> Made:
    canvas = backdrop.ground(r, WIDTH, HEIGHT)
    for _ in range(r.choice([0, 0, 1, 2, 4])):
        decoys.any_of(r, canvas)
    quads: list[Floats] = []
    layouts: list[int] = []
    wanted = r.choices([0, 1, 2, 3], [0.07, 0.66, 0.2, 0.07])[0]
    if wanted == 0 and r.random() < 0.7:
        at = (r.uniform(0.2, 0.8) * WIDTH, r.uniform(0.3, 0.9) * HEIGHT)
        r.choice([vehicles.car, vehicles.truck, vehicles.tail, vehicles.bike])(r, canvas, *at, r.uniform(30, 120), 1.0)
    for _ in range(wanted):
        before = canvas.copy()
        quad, layout = _one(r, canvas, real)
        if any(_covers(quad, old) for old in quads):
            canvas = before
            continue
        quads.append(quad)
        layouts.append(layout)
        beside = _neighbour(r, canvas, quad) if r.random() < 0.25 else None
        if beside is not None:
            quads.append(beside[0])
            layouts.append(beside[1])
        if wanted > 1 and max(quad[:, 0]) - min(quad[:, 0]) > 140:
            break
    return finish(r, canvas, quads), quads, layouts


def _covers(new: Floats, old: Floats) -> bool:
    """A later vehicle would hide an earlier plate: its drawing reaches about four plate widths around it."""
    reach = 3.2 * (new[:, 0].max() - new[:, 0].min())
    return bool(np.abs(new.mean(0) - old.mean(0)).max() < reach)


def chunk(seed: int, make: Callable[[Random], Made], count: int = CHUNK) -> dict[str, np.ndarray]:
    """`count` scenes of `make`: pixels (n, 320, 416, 3), corners (n, 6, 4, 2; NaN: none), layout (n, 6)."""
    r = Random(seed)
    pixels = np.empty((count, HEIGHT, WIDTH, 3), np.uint8)
    corners = np.full((count, MOST, 4, 2), np.nan, np.float32)
    layout = np.zeros((count, MOST), np.int8)
    for i in range(count):
        pixels[i], quads, layouts = make(r)
        for k, (quad, kind) in enumerate(zip(quads[:MOST], layouts, strict=False)):
            corners[i, k], layout[i, k] = quad, kind
    return {"pixels": pixels, "corners": corners, "layout": layout}


def arguments(text: str | None) -> argparse.ArgumentParser:
    return chunks.arguments(text, 24, CHUNK)


def write(options: argparse.Namespace, make: Callable[[Random], Made]) -> None:
    """The chunks that are not there yet."""
    chunks.write(options, "scenes", 7_000_003, lambda seed, count: chunk(seed, make, count))


def main() -> None:
    args = arguments(__doc__)
    args.add_argument("--real", type=Path, help="folder of real plate crops to set into some scenes")
    options = args.parse_args()
    paths = sorted(options.real.glob("*.jpg")) if options.real else []
    real = [cv2.imdecode(np.fromfile(p, np.uint8), cv2.IMREAD_COLOR) for p in paths]
    write(options, partial(scene, real=real))


if __name__ == "__main__":
    main()
