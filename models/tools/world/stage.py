"""Puts one picture together: the lane, vehicles at any place along it, their plates by true projection, shadows, boom.

A vehicle is the nearest rendered sprite bent into place by the homography of its face (of its side, once the face has
passed the camera): between two sprites lie six percent of size, so what is not on that plane is off by a pixel or two.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from models.tools.world import lens, sheets
from models.tools.world.plan import FLEET, Plan
from models.tools.world.sheets import Sheet

Floats = NDArray[np.float32]

BOOM_Y = 5.0
FACE_FROM_Y = 3.3
NEAR_Y = 1.3
FINE = 3
PLAIN = (1.0, 1.0, 1.0)


@dataclass(frozen=True)
class Placed:
    """A vehicle in one picture: its face stands at `y`."""

    name: str
    y: float
    plates: Mapping[str, Sheet]
    dx: float = 0.0
    tint: tuple[float, float, float] = PLAIN


class Trays:
    """The rendered sprites of a folder (see sprites.py)."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.lane = np.asarray(cv2.imread(str(folder / "lane" / "lane.png")), np.float32)
        self._index = {
            path.parent.name: json.loads(path.read_text(encoding="utf-8")) for path in folder.glob("*/index.json")
        }

    def nearest(self, name: str, y: float) -> tuple[float, Floats]:
        """The y that the best sprite was rendered at, and the sprite on a whole picture, premultiplied BGRA 0..255."""
        rows = self._index[name]
        # Never a nearer one: what the picture's edge has cut off there is in view here.
        one = min((row for row in rows if row["y"] >= y - 1e-3), key=lambda row: row["y"], default=rows[0])
        return float(one["y"]), self._picture(name, one["file"], tuple(one["box"]))

    def ready(self, film_names: Sequence[str]) -> bool:
        """True where every vehicle named was rendered whole."""
        return all((self._folder / name / "whole").is_file() for name in film_names)

    def boom(self, raised: float) -> Floats:
        rows = self._index["boom"]
        one = min(rows, key=lambda row: abs(row["raised"] - raised))
        return self._picture("boom", one["file"], tuple(one["box"]))

    @lru_cache(maxsize=24)  # noqa: B019 - one Trays lives as long as the program
    def _picture(self, name: str, file: str, box: tuple[int, int, int, int]) -> Floats:
        x1, y1, x2, y2 = box
        cut = cv2.imread(str(self._folder / name / file), cv2.IMREAD_UNCHANGED)
        if cut is None:
            raise FileNotFoundError(self._folder / name / file)
        cut = np.asarray(cut, np.float32)
        cut[..., :3] *= cut[..., 3:] / 255
        whole = np.zeros((lens.SIZE[1], lens.SIZE[0], 4), np.float32)
        whole[y1:y2, x1:x2] = cv2.resize(cut, (x2 - x1, y2 - y1), interpolation=cv2.INTER_CUBIC)
        return np.clip(whole, 0, 255)


def picture(trays: Trays, placed: Sequence[Placed], raised: float | None) -> Floats:
    """(720, 1280, 3) BGR 0..255. `raised`: how far up the boom is, None where no boom is in view."""
    canvas = trays.lane.copy()
    for one in placed:
        shadow(canvas, FLEET[one.name], one.y, one.dx)
    waiting = sorted(placed, key=lambda one: -one.y)
    done = False
    for one in waiting:
        if raised is not None and not done and one.y < BOOM_Y:
            over(canvas, trays.boom(raised))
            done = True
        vehicle(canvas, trays, one)
    if raised is not None and not done:
        over(canvas, trays.boom(raised))
    return canvas


def over(canvas: Floats, layer: Floats, at: tuple[int, int] = (0, 0)) -> None:
    """Lay premultiplied BGRA over the canvas, its top left corner at `at`."""
    part = canvas[at[1] : at[1] + layer.shape[0], at[0] : at[0] + layer.shape[1]]
    part *= 1 - layer[..., 3:] * np.float32(1 / 255)
    part += layer[..., :3]


def shadow(canvas: Floats, plan: Plan, y: float, dx: float) -> None:
    """The sun stands behind the camera's left; under a vehicle it is dark whatever the weather."""
    near, far = max(NEAR_Y, y + 0.1), max(NEAR_Y + 0.1, y + plan.length)
    if y + plan.length < NEAR_Y:
        return
    mask = np.zeros((canvas.shape[0] // 4, canvas.shape[1] // 4), np.float32)
    for x1, x2, deep in ((-plan.half, plan.half, 0.55), (-plan.half, plan.half + plan.height * 0.3, 0.35)):
        base = plan.x + dx
        spot = lens.project([[base + x1, near, 0], [base + x2, near, 0], [base + x2, far, 0], [base + x1, far, 0]])
        if spot is not None:
            one = np.zeros_like(mask)
            cv2.fillPoly(one, [np.clip(spot / 4, -4000, 4000).astype(np.int32)], deep, cv2.LINE_AA)
            mask = np.maximum(mask, one)
    soft = 0.5 + 15.0 / max(4.0, y + 6)
    canvas *= 1 - cv2.resize(cv2.GaussianBlur(mask, (0, 0), soft), lens.SIZE)[..., None]


def vehicle(canvas: Floats, trays: Trays, one: Placed) -> None:
    plan = FLEET[one.name]
    room = plan.half + 0.45
    middle = plan.x + one.dx
    box = lens.hull(((middle - room, middle + room), (one.y - 0.3, one.y + plan.length), (0.0, plan.height)))
    from_y, sprite = trays.nearest(one.name, one.y)
    matrix = bend(plan, from_y, one.y, one.dx)
    if matrix is None or box is None:
        return
    x1, y1, x2, y2 = box
    shift = np.array([[1, 0, -x1], [0, 1, -y1], [0, 0, 1]], float)
    layer = cv2.warpPerspective(sprite, shift @ matrix, (x2 - x1, y2 - y1), flags=cv2.INTER_LINEAR)
    if one.tint != PLAIN:
        dye(layer, one.tint)
    for slot, sheet in one.plates.items():
        seen = corners(one, slot, sheet)
        if seen is not None:
            hang(layer, sheet, seen - np.array([x1, y1]))
    over(canvas, layer, (x1, y1))


def dye(layer: Floats, tint: tuple[float, float, float]) -> None:
    """Another paint: what is grey (glass, rubber, steel) stays grey."""
    high, low = layer[..., :3].max(2), layer[..., :3].min(2)
    share = np.clip(1.6 * (high - low) / np.maximum(high, 8) - 0.2, 0, 1)[..., None]
    layer[..., :3] *= 1 + share * (np.float32(tint) - 1)
    np.minimum(layer[..., :3], layer[..., 3:], out=layer[..., :3])


def bend(plan: Plan, from_y: float, to_y: float, dx: float) -> NDArray[np.float64] | None:
    """The homography that carries the picture of a plane of the vehicle from one place to the other."""
    if min(from_y, to_y) > FACE_FROM_Y:
        local = [[x, 0.0, z] for x, z in ((-1.0, 0.3), (1.0, 0.3), (1.0, 1.6), (-1.0, 1.6))]
    else:
        start = max(0.0, 1.6 - min(from_y, to_y))
        end = max(start + 1.0, plan.length)
        local = [[-plan.half, y, z] for y, z in ((start, 0.3), (end, 0.3), (end, 2.2), (start, 2.2))]
    base = np.array(local) + np.array([plan.x, 0, 0])
    a, b = lens.project(base + np.array([0, from_y, 0])), lens.project(base + np.array([dx, to_y, 0]))
    if a is None or b is None:
        return None
    return np.asarray(cv2.getPerspectiveTransform(a.astype(np.float32), b.astype(np.float32)))


def corners(one: Placed, slot: str, sheet: Sheet) -> NDArray[np.float64] | None:
    """The plate's corners on the picture, clockwise from its top left; None where it is beside or behind the camera."""
    return outline(one, slot, sheet.size)


def outline(one: Placed, slot: str, size_mm: tuple[float, float]) -> NDArray[np.float64] | None:
    """The same for a plate of any size, width and height."""
    plan = FLEET[one.name]
    x, y, z = plan.plates[slot]
    half, tall = size_mm[0] / 2000, size_mm[1] / 2000
    x += plan.x + one.dx
    return lens.project([[x - half, one.y + y, z + tall], [x + half, one.y + y, z + tall],
                         [x + half, one.y + y, z - tall], [x - half, one.y + y, z - tall]])  # fmt: skip


@lru_cache(maxsize=64)
def _drawn(sheet: Sheet) -> tuple[Floats, Floats]:
    flat, opaque = sheets.draw(sheet)
    return flat.astype(np.float32), opaque


def hang(layer: Floats, sheet: Sheet, seen: NDArray[np.float64]) -> None:
    """Draw the sheet on a vehicle's layer, three times as fine as the picture and averaged down: as a sensor does."""
    x1, y1 = np.maximum(np.floor(seen.min(0)).astype(int) - 3, 0)
    x2, y2 = np.minimum(np.ceil(seen.max(0)).astype(int) + 4, layer.shape[1::-1])
    if x2 - x1 < 4 or y2 - y1 < 4:
        return
    flat, opaque = _drawn(sheet)
    shrink = min(1.0, FINE * 1.2 * float(np.linalg.norm(seen[1] - seen[0])) / flat.shape[1])
    size = (max(4, round(flat.shape[1] * shrink)), max(4, round(flat.shape[0] * shrink)))
    flat, opaque = (cv2.resize(one, size, interpolation=cv2.INTER_AREA) for one in (flat, opaque))
    source = np.float32([[0, 0], [size[0], 0], [size[0], size[1]], [0, size[1]]])
    target = ((seen - [x1, y1]) * FINE).astype(np.float32)
    matrix = cv2.getPerspectiveTransform(source, target)
    room = (int(x2 - x1) * FINE, int(y2 - y1) * FINE)
    colour = cv2.warpPerspective(flat, matrix, room, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    alpha = cv2.warpPerspective(opaque, matrix, room, flags=cv2.INTER_LINEAR)
    small = (int(x2 - x1), int(y2 - y1))
    colour, alpha = (cv2.resize(one, small, interpolation=cv2.INTER_AREA) for one in (colour, alpha))
    part = layer[y1:y2, x1:x2]
    alpha = (alpha * (part[..., 3] / 255))[..., None]
    part[..., :3] = part[..., :3] * (1 - alpha) + colour * SHADE * alpha


SHADE = 0.88
"""How bright a plate that faces the camera stands in this light."""
