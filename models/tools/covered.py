"""Crops of plates whose ends are in the picture, cut off by its edge, or covered: what `ends` learns from.

    python -m models.tools.covered OUT [--scenes TRAIN_SCENES] [--chunks 24]

The cover is laid on before the camera's blur, light and noise. An end is seen where no ink of its outer characters is
hidden and the plate's border is there; half of the covers and cuts begin just between two characters, where the rest
reads best.
With --scenes some of the rendered plates hang in place of real ones on real vehicles, and some of those real plates are
cut and covered themselves: their characters are not known, so only a clear cut counts there.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from random import Random

import cv2
import numpy as np

from edge.vision.geometry import as_corners, rectify
from edge.vision.wholeness import MARGIN, SIZE
from models.tools import camera, chunks
from models.tools.crops import found, found_box, surround
from models.tools.draw import Floats, Picture, Plate, draw_plate
from models.tools.kinds import draw_spec

CHUNK, VARIANTS = 2048, 6
HIDDEN, SEEN = 0.2, 0.03
"""Of an outer character's ink: from so much hidden on the end is not seen, up to so much it is; between, no lesson."""
CLEAR_CUT = 0.05
"""Of a plate's width: a cover that hides so much hides its border, whatever else."""
VIETNAMESE = 0.6
"""Share of Vietnamese plates: a number of four digits is as lawful as one of five."""
LEAST_TOLD = 0.85
"""Of `Plate.told`: worn off, an outer character is as good as covered, and that is the reader's to say."""
UNKNOWN = -1

Labels = tuple[int, int]


@dataclass(slots=True)
class Stage:
    """A plate in a picture, before anything hides it. `plate` None: a real one, of which only the box is known."""

    picture: Picture
    quad: Floats
    plate: Plate | None


# ---------------------------------------------------------------- stages


def drawn(r: Random, plate: Plate, back: Picture | None = None, box: Floats | None = None) -> Stage:
    """The plate before a drawn surround, or over the real plate in `box` (4, 2) of a photo."""
    quad = camera.project(r, plate.spec.size, *camera.angles(r))
    wide = quad[:, 0].max() - quad[:, 0].min()
    if back is None or box is None:
        width = 60.0 * (220 / 60) ** r.random()
        quad *= width / wide
        pad = np.float32([1.0 * width, 0.5 * width])
        quad += pad - quad.min(0)
        size = np.ceil(quad.max(0) + pad).astype(int)
        picture = surround(r, int(size[1]), int(size[0]))
    else:
        picture = back.copy()
        span = box.max(0) - box.min(0)
        width = float(max(span[0], 1.25 * span[1])) * r.uniform(1.0, 1.25)
        quad *= width / wide
        quad += box.mean(0) - (quad.min(0) + quad.max(0)) / 2
        inner = picture[
            int(box[:, 1].min()) : int(box[:, 1].max()) + 1, int(box[:, 0].min()) : int(box[:, 0].max()) + 1
        ]
        cv2.fillPoly(picture, [_grown(box, 1.12).astype(np.int32)], inner.mean((0, 1)).tolist())
    small = plate.picture
    shrink = 1.3 * width / small.shape[1]
    if shrink < 0.8:
        small = cv2.resize(small, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
    matrix = _onto(quad, small.shape[1], small.shape[0])
    size_px = (picture.shape[1], picture.shape[0])
    cv2.warpPerspective(small, matrix, size_px, dst=picture, borderMode=cv2.BORDER_TRANSPARENT)
    return Stage(picture, quad, plate)


def _onto(quad: Floats, width: float, height: float) -> Floats:
    return cv2.getPerspectiveTransform(np.float32([[0, 0], [width, 0], [width, height], [0, height]]), quad)


def _grown(quad: Floats, by: float) -> Floats:
    middle = quad.mean(0)
    return (quad - middle) * by + middle


@lru_cache(maxsize=1)
def _rows(folder: Path) -> list[tuple[bytes, Floats]]:
    """(JPEG, corners (4, 2)) of every real plate of 50 px and more."""
    found_rows = []
    with next(folder.glob("*.csv")).open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            box = as_corners([float(v) for v in row["box_xyxy"].split()]) if row["box_xyxy"] else None
            path = next((p for p in (folder / row["file"], folder / "img" / row["file"]) if p.exists()), None)
            if box is not None and path is not None and box[1, 0] - box[0, 0] >= 50:
                found_rows.append((path.read_bytes(), box))
    return found_rows


def real(r: Random, folder: Path) -> tuple[Picture, Floats]:
    """A real plate with what is around it, at a chance size; the picture and the corners of its box."""
    data, box = r.choice(_rows(folder))
    photo = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    width = float(box[1, 0] - box[0, 0])
    low = np.maximum(0, box.min(0) - np.float32([1.2, 0.9]) * width).astype(int)
    high = np.minimum([photo.shape[1], photo.shape[0]], box.max(0) + np.float32([1.2, 0.9]) * width).astype(int)
    part = photo[low[1] : high[1], low[0] : high[0]]
    scale = 60.0 * (220 / 60) ** r.random() / width
    part = cv2.resize(part, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    return part, (box - low.astype(np.float32)) * np.float32(scale)


# ---------------------------------------------------------------- what hides an end


def _shade(r: Random, stage: Stage) -> tuple[float, ...]:
    """A cover's colour: grey, white, black, mud, the plate's own ground, what stands beside it, or any."""
    kind = r.randrange(7)
    if kind < 3:
        level = (r.uniform(70, 190), r.uniform(200, 255), r.uniform(0, 45))[kind]
        return tuple(level + r.uniform(-8, 8) for _ in range(3))
    if kind == 3:
        return r.uniform(30, 90), r.uniform(50, 110), r.uniform(70, 140)
    if kind == 4:
        return tuple(_sample(stage, stage.quad).max(0).tolist())
    if kind == 5:
        x, y = _grown(stage.quad, 1.25)[r.randrange(4)]
        h, w = stage.picture.shape[:2]
        return tuple(float(v) for v in stage.picture[min(h - 1, max(0, int(y))), min(w - 1, max(0, int(x)))])
    return tuple(r.uniform(0, 255) for _ in range(3))


def _sample(stage: Stage, quad: Floats) -> Picture:
    """Colours from inside the plate, near its middle."""
    flat, _ = rectify(stage.picture, quad, (24, 12), 0.0, 0.0)
    pixels = flat.reshape(-1, 3)
    return pixels[np.argsort(pixels.sum(1))[-len(pixels) // 3 :]][:1]


def _place(quad: Floats, points: list[tuple[float, float]]) -> Floats:
    """Points in widths and heights of the plate as points of the picture."""
    return cv2.perspectiveTransform(np.float32(points)[None], _onto(quad, 1.0, 1.0))[0]


def cover(r: Random, stage: Stage, side: int, share: float) -> Floats:
    """Lays something over one end (0 left, 1 right) of the picture's plate; gives how much of each pixel it hides."""
    height, width = stage.picture.shape[:2]
    up, down = (
        (r.uniform(0.5, 3.0), r.uniform(0.5, 3.0)) if r.random() < 0.5 else (r.uniform(0, 0.1), r.uniform(0, 0.1))
    )
    beyond = r.choice([0.0, r.uniform(0.0, 0.06), r.uniform(0.06, 0.8)])
    lean = r.choice([0.0, r.gauss(0, 0.03)])
    shape = [
        (1 - share + lean, -up),
        (1 + beyond + lean, -up),
        (1 + beyond - lean, 1 + down),
        (1 - share - lean, 1 + down),
    ]
    points = _place(stage.quad, shape if side else [(1 - x, y) for x, y in shape])
    mask = np.zeros((height, width), np.float32)
    cv2.fillPoly(mask, [(points * 16).round().astype(np.int32)], 1.0, cv2.LINE_8, 4)
    if r.random() < 0.3:  # mud, a leaf, a rag: no straight edge
        cells = max(3, int(r.uniform(0.06, 0.25) * width))
        noise = (
            np.random.default_rng(r.getrandbits(32))
            .random((height // cells + 2, width // cells + 2))
            .astype(np.float32)
        )
        noise = cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)
        soft = cv2.GaussianBlur(mask, (0, 0), max(0.5, 0.04 * share * width))
        mask = ((soft + (noise - 0.5) * 0.5) > 0.5).astype(np.float32)
    colour = np.full(stage.picture.shape, _shade(r, stage), np.float32)
    if r.random() < 0.5:
        colour *= np.linspace(r.uniform(0.6, 1.2), r.uniform(0.6, 1.2), width, dtype=np.float32)[None, :, None]
    if r.random() < 0.5:
        grain = np.random.default_rng(r.getrandbits(32)).normal(0, r.uniform(2, 14), (height, width, 1))
        colour += grain.astype(np.float32)
    edge = cv2.GaussianBlur(mask, (0, 0), r.uniform(0.3, 1.2))[..., None]
    stage.picture = np.clip(stage.picture * (1 - edge) + colour * edge, 0, 255).astype(np.uint8)
    return mask


def half_shadow(r: Random, stage: Stage) -> None:
    """A hard shadow over part of the plate: what lies in it is darker and still there."""
    height, width = stage.picture.shape[:2]
    at = r.uniform(0.15, 0.85)
    lean = r.gauss(0, 0.3)
    shape = [(at + lean, -4.0), (6.0, -4.0), (6.0, 5.0), (at - lean, 5.0)]
    points = _place(stage.quad, shape if r.random() < 0.5 else [(1 - x, y) for x, y in shape])
    mask = np.zeros((height, width), np.float32)
    cv2.fillPoly(mask, [np.clip(points, -30000, 30000).astype(np.int32)], 1.0)
    soft = cv2.GaussianBlur(mask, (0, 0), r.choice([0.5, 1.5, 5.0]))[..., None]
    stage.picture = (stage.picture * (1 - soft * r.uniform(0.35, 0.7))).astype(np.uint8)


def labels(stage: Stage, hidden: Floats, share: float, side: int | None) -> Labels:
    """(left, right): 1 seen, 0 not, UNKNOWN between. `hidden` (h, w) says of each pixel how much of it is hidden."""
    state = 1 if share <= 0 else UNKNOWN if share < CLEAR_CUT else 0
    border = (1, 1) if side is None else (1, state) if side else (state, 1)
    if stage.plate is None:
        return border
    ink, spec = stage.plate.ink, stage.plate.spec
    height, width = ink.shape
    flat = cv2.warpPerspective(hidden, _onto(stage.quad, width, height), (width, height), flags=cv2.WARP_INVERSE_MAP)
    scale = width / spec.size[0]
    worst = [0.0, 0.0]
    lines: dict[int, list[tuple[float, float]]] = {}
    for cell in (c for c in spec.cells if c.counts):
        x, y = max(0, round(cell.x * scale)), max(0, round(cell.y * scale))
        part = (slice(y, round((cell.y + cell.h) * scale)), slice(x, round((cell.x + cell.w) * scale)))
        marks = ink[part] > 0.5
        gone = float(flat[part][marks].mean()) if marks.any() else 0.0
        lines.setdefault(round((cell.y + cell.h / 2) / spec.size[1] * 2.2), []).append((cell.x, gone))
    for line in lines.values():
        line.sort()
        worst = [max(worst[0], line[0][1]), max(worst[1], line[-1][1])]
    first, last = (
        0 if w >= HIDDEN else b if w <= SEEN else min(b, UNKNOWN) if b else 0
        for w, b in zip(worst, border, strict=True)
    )
    return first, last


# ---------------------------------------------------------------- one crop


def crop(r: Random, stage: Stage) -> tuple[Picture, Labels]:
    """(crop as the judge of ends takes it, labels) of one chance view of the stage."""
    roll, side = r.random(), r.randrange(2)
    share = r.uniform(0.03, 0.36)
    if stage.plate is not None and r.random() < 0.5:
        share = _between(r, stage.plate, side)
    hidden = np.zeros(stage.picture.shape[:2], np.float32)
    end: float | None = None
    if roll < 0.36:
        hidden = cover(r, stage, side, share)
    elif roll < 0.66:
        end = _cut_at(stage, side, share)
    elif roll < 0.78:  # something stands beside the plate and hides nothing of it
        share = r.uniform(-0.3, -0.015)
        beside = Stage(stage.picture, stage.quad, None)
        hidden = cover(r, beside, side, share) if share > -0.2 else hidden
        stage.picture = beside.picture
    if r.random() < 0.25:
        half_shadow(r, stage)
    touched = roll < 0.66
    picture = stage.picture
    if stage.plate is not None or r.random() < 0.4:
        width = float(stage.quad[:, 0].max() - stage.quad[:, 0].min())
        picture = camera.light(r, camera.blur(r, picture, width / 110))
        if r.random() < 0.08:
            found_box(r, picture, stage.quad)
        picture = camera.sensor(r, picture)
    if end is not None:
        hidden[:, int(end) :] = side
        hidden[:, : int(end)] = 1 - side
    told = labels(stage, hidden, share, side if touched else None)
    quad = stage.quad
    if touched:
        quad = _seen_quad(r, quad, side, share)
    if end is not None:
        picture, quad = _sliced(picture, quad, side, end)
    cut, _ = rectify(np.ascontiguousarray(picture), found(r, quad), SIZE, *MARGIN)
    return cut, told


def _between(r: Random, plate: Plate, side: int) -> float:
    """A share of the plate's width that ends in the gap before one of the last two characters of its longest line, or
    after one of the first two at its left."""
    lines: dict[int, list[tuple[float, float]]] = {}
    for cell in plate.spec.cells:
        if cell.counts:
            line = round((cell.y + cell.h / 2) / plate.spec.size[1] * 2.2)
            lines.setdefault(line, []).append((cell.x, cell.x + cell.w))
    line = sorted(max(lines.values(), key=len))
    at = r.randrange(1, min(3, len(line)))
    low, high = (line[-at - 1][1], line[-at][0]) if side else (line[at - 1][1], line[at][0])
    x = (low + (high - low) * r.uniform(0.0, 1.0)) / plate.spec.size[0]
    return 1 - x if side else x


def _cut_at(stage: Stage, side: int, share: float) -> float:
    """The column of the picture at which so much of the plate is lost."""
    low, high = float(stage.quad[:, 0].min()), float(stage.quad[:, 0].max())
    return round(high - share * (high - low)) if side else round(low + share * (high - low))


def _seen_quad(r: Random, quad: Floats, side: int, share: float) -> Floats:
    """The corners as a detector may give them: of what is seen, of the whole plate, or in between."""
    lost = share * r.choice([1.0, 1.0, r.random(), 0.0])
    ends = [(0.0, 0.0), (1 - lost, 0.0), (1 - lost, 1.0), (0.0, 1.0)]
    return _place(quad, ends if side else [(lost, 0.0), (1.0, 0.0), (1.0, 1.0), (lost, 1.0)])


def _sliced(picture: Picture, quad: Floats, side: int, end: float) -> tuple[Picture, Floats]:
    at = int(end)
    return (picture[:, :at], quad) if side else (picture[:, at:], quad - np.float32([at, 0]))


def stage_of(r: Random, scenes: Path | None) -> list[Stage]:
    """VARIANTS stages that share their plate."""
    roll = r.random()
    if scenes is not None and roll < 0.25:
        return [Stage(*real(r, scenes), None) for _ in range(VARIANTS)]
    plate = _plate(r)
    while plate.told() < LEAST_TOLD:
        plate = _plate(r)
    if scenes is not None and roll < 0.6:
        return [drawn(r, plate, *real(r, scenes)) for _ in range(VARIANTS)]
    return [drawn(r, plate) for _ in range(VARIANTS)]


def _plate(r: Random) -> Plate:
    country = "VN" if r.random() < VIETNAMESE else "CN"
    spec = draw_spec(r)
    while spec.country != country:
        spec = draw_spec(r)
    return draw_plate(r, spec)


def chunk(scenes: Path | None, seed: int, count: int = CHUNK) -> dict[str, np.ndarray]:
    r = Random(seed)
    pixels, told = np.empty((count, SIZE[1], SIZE[0], 3), np.uint8), np.empty((count, 2), np.int8)
    done = 0
    while done < count:
        for stage in stage_of(r, scenes)[: count - done]:
            pixels[done], told[done] = crop(r, stage)
            done += 1
    return {"pixels": pixels, "ends": told}


def main() -> None:
    args = chunks.arguments(__doc__, 24, CHUNK)
    args.add_argument("--scenes", type=Path, help="real scenes with plate boxes (train-scenes)")
    options = args.parse_args()
    chunks.write(options, "ends", 1_000_033, partial(chunk, options.scenes))


if __name__ == "__main__":
    main()
