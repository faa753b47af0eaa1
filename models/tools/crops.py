"""Reader's crops: a plate before a camera, found by a detector that is a little off, rectified to 160x48.

python -m models.tools.crops OUT --chunks 40
"""

from __future__ import annotations

from random import Random

import cv2
import numpy as np

from edge.vision.geometry import MARGIN_X, MARGIN_Y, rectify
from models.tools import camera, chunks, spec
from models.tools.alphabet import COLOURS, COUNTRIES, INDEX, LAYOUTS
from models.tools.draw import Floats, Picture, draw_plate
from models.tools.reader_shape import HEIGHT, SLOTS, WIDTH
from models.tools.spec import Spec

CHUNK = 2048


def surround(r: Random, height: int, width: int) -> Picture:
    """What stands around a plate: bumper paint, grille slats, chrome, shadow."""
    base = np.full((height, width, 3), [r.uniform(5, 230)] * 3, np.float32)
    base += np.float32([r.uniform(-40, 40) for _ in range(3)])
    kind = r.randrange(4)
    if kind == 0:
        step = r.randrange(4, 18)
        for y in range(0, height, step):
            cv2.line(
                base,
                (0, y),
                (width, y + r.randrange(-3, 4)),
                tuple(r.uniform(0, 255) for _ in range(3)),
                r.randrange(1, max(2, step // 2)),
            )
    elif kind == 1:
        for _ in range(r.randrange(2, 8)):
            p, q = (r.randrange(width), r.randrange(height)), (r.randrange(width), r.randrange(height))
            cv2.rectangle(base, p, q, tuple(r.uniform(0, 255) for _ in range(3)), r.choice([-1, 2, 5]))
    elif kind == 2:
        base *= np.linspace(r.uniform(0.3, 1.5), r.uniform(0.3, 1.5), height, dtype=np.float32)[:, None, None]
    return np.clip(base, 0, 255).astype(np.uint8)


def photographed(r: Random) -> tuple[Picture, Floats, Floats, Spec]:
    """(picture, corners (4, 2), character centres (n, 2), spec): one plate in a small photo, in its pixels."""
    plate = draw_plate(r)
    spec = plate.spec
    quad = camera.project(r, spec.size, *camera.angles(r))
    if r.random() < 0.3:
        quad *= np.float32([1, r.uniform(0.7, 1.5)])  # cameras and old recorders squeeze pictures
    width = _width_px(r, spec)
    quad *= width / (quad[:, 0].max() - quad[:, 0].min())
    pad = np.float32([0.28 * width, 0.28 * width])
    quad += pad - quad.min(0)
    size = tuple(int(v) for v in np.ceil(quad.max(0) + pad))
    h, w = plate.picture.shape[:2]
    source = np.float32([[0, 0], [w, 0], [w, h], [0, h]])
    matrix = cv2.getPerspectiveTransform(source, quad)
    picture = surround(r, size[1], size[0])
    small = _shrink_first(plate.picture, width)
    scaled = matrix @ np.diag([w / small.shape[1], h / small.shape[0], 1])
    cv2.warpPerspective(small, scaled, size, dst=picture, borderMode=cv2.BORDER_TRANSPARENT, flags=cv2.INTER_LINEAR)
    picture = camera.light(r, camera.blur(r, picture, width / 100))
    if r.random() < 0.12:
        found_box(r, picture, quad)
    picture = camera.sensor(r, picture)
    centres = cv2.perspectiveTransform((plate.centres * np.float32([w, h]))[None], matrix)[0]
    return picture, quad, centres, spec


def found_box(r: Random, picture: Picture, quad: Floats) -> None:
    """The rectangle that some recorders draw round a plate that they found, at times with a label above."""
    span = quad.max(0) - quad.min(0)
    low = quad.min(0) - span * np.float32([r.uniform(-0.02, 0.3), r.uniform(-0.05, 0.6)])
    high = quad.max(0) + span * np.float32([r.uniform(-0.02, 0.3), r.uniform(-0.05, 0.6)])
    shade = r.choice([(0, 0, 255), (20, 20, 235), (0, 255, 0), (0, 220, 255)])
    cv2.rectangle(picture, low.astype(int).tolist(), high.astype(int).tolist(), shade, r.choice([1, 2, 2, 3]))
    if r.random() < 0.5:
        corner = low + span * np.float32([r.uniform(0.3, 0.8), -0.22])
        cv2.rectangle(picture, low.astype(int).tolist(), corner.astype(int).tolist(), shade, -1)


def _width_px(r: Random, spec: Spec) -> float:
    """From the smallest width at which a person still reads the kind, to a near plate; most are small."""
    if spec.layout == "one_line":
        least = 50.0 if spec.country == "CN" else 62.0
    else:
        least = 52.0 if spec.country == "CN" else 32.0 if spec.size[0] == 190 else 42.0
    return least * (220 / least) ** r.random()


def _shrink_first(picture: Picture, width: float) -> Picture:
    """Area averaging before the warp, so that small plates alias no more than a sensor does."""
    if picture.shape[1] <= 1.6 * width:
        return picture
    scale = 1.3 * width / picture.shape[1]
    return cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)


def found(r: Random, quad: Floats) -> Floats:
    """The corners as a detector gives them: a few hundredths off, sometimes only an upright box."""
    if r.random() < 0.2:
        low, high = quad.min(0), quad.max(0)
        quad = np.float32([low, [high[0], low[1]], high, [low[0], high[1]]])
    w, h = np.linalg.norm(quad[1] - quad[0]), np.linalg.norm(quad[3] - quad[0])
    loose = r.choice([0.5, 1.0, 1.0, 1.7])
    along = (quad[1] - quad[0]) / w
    down = (quad[3] - quad[0]) / h
    shift = along * r.gauss(0, 0.015 * w * loose) + down * r.gauss(0, 0.03 * h * loose)
    out = quad + shift
    for i in range(4):
        out[i] += along * r.gauss(0, 0.012 * w * loose) + down * r.gauss(0, 0.028 * h * loose)
    grow = np.float32([1 + r.gauss(0, 0.02 * loose), 1 + r.gauss(0, 0.045 * loose)])
    middle = out.mean(0)
    return ((out - middle) * grow + middle).astype(np.float32)


def crop(r: Random) -> tuple[Picture, Floats, Spec]:
    """(crop (48, 160, 3), centres (n, 2) in 0..1 of the crop, spec)"""
    picture, quad, centres, spec = photographed(r)
    cut, matrix = rectify(picture, found(r, quad), (WIDTH, HEIGHT), MARGIN_X, MARGIN_Y)
    moved = cv2.perspectiveTransform(centres[None], matrix)[0] / np.float32([WIDTH, HEIGHT])
    return cut, moved, spec


def chunk(seed: int, count: int = CHUNK) -> dict[str, np.ndarray]:
    r = Random(seed)
    pixels = np.empty((count, HEIGHT, WIDTH, 3), np.uint8)
    text = np.zeros((count, SLOTS), np.int16)
    centres = np.full((count, SLOTS, 2), -1, np.float32)
    heads = np.zeros((count, 3), np.int16)
    for i in range(count):
        pixels[i], where, spec = crop(r)
        text[i, : len(spec.text)] = [INDEX[c] for c in spec.text]
        centres[i, : len(where)] = np.clip(where, 0.001, 0.999)
        heads[i] = LAYOUTS.index(spec.layout), COUNTRIES.index(spec.country), COLOURS.index(spec.colour)
    return {"pixels": pixels, "text": text, "centres": centres, "heads": heads}


def main() -> None:
    args = chunks.arguments(__doc__, 40, CHUNK)
    args.add_argument("--runs", type=float, default=spec.RUNS, help="share of numbers with a run of one digit")
    args.add_argument("--heads-alike", type=float, default=spec.HEADS_ALIKE, help="share of city letters like others")
    options = args.parse_args()
    spec.RUNS, spec.HEADS_ALIKE = options.runs, options.heads_alike
    chunks.write(options, "chunk", 1_000_003, chunk)


if __name__ == "__main__":
    main()
