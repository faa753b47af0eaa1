"""The little world of the sample clips: a lane, a kerb, a booth, a boom and a box truck, projected with a true camera.

Metres; x to the right, y away from the camera, z up. Everything is drawn at twice the size and shrunk: soft edges.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont

Image = NDArray[np.uint8]
Floats = NDArray[np.float64]
Colour = tuple[int, int, int]

SIZE = (1280, 720)
FINE = 2
NEAR_M = 0.4
EYE = np.array([-1.75, 0.0, 2.5])
TARGET = np.array([0.12, 8.6, 1.08])
FOCAL_PX = 2600.0
STOP_M = 8.6
FAR_M = 34.0
LENGTH_M = 6.2


@dataclass(frozen=True)
class PlateLook:
    """`rows` as painted; `size_mm` of the sheet; colours BGR."""

    rows: tuple[str, ...]
    size_mm: tuple[int, int]
    ground: Colour
    ink: Colour = (20, 20, 20)


@dataclass(frozen=True)
class TruckLook:
    plate: PlateLook
    paint: Colour
    box: Colour


class Camera:
    """A pinhole. `project` gives pixels of the fine picture, (N, 2)."""

    def __init__(self) -> None:
        forward = (TARGET - EYE) / np.linalg.norm(TARGET - EYE)
        right = np.cross(forward, [0.0, 0.0, 1.0])
        right /= np.linalg.norm(right)
        self._axes = np.stack([right, np.cross(forward, right), forward])
        self.aside_m = 0.0
        """How far to the right of where it is said to be everything stands that is drawn next."""

    def project(self, points: Sequence[Sequence[float]]) -> Floats | None:
        """The polygon's corners on the picture, cut at the near plane; None where nothing of it is in front."""
        seen = (np.asarray(points, float) + np.array([self.aside_m, 0.0, 0.0]) - EYE) @ self._axes.T
        kept = _clipped(seen)
        if len(kept) < 3:
            return None
        return kept[:, :2] / kept[:, 2:] * FOCAL_PX * FINE + np.array(SIZE) * FINE / 2


def _clipped(points: Floats) -> Floats:
    """Sutherland-Hodgman against z = NEAR_M."""
    kept = []
    for a, b in zip(points, np.roll(points, -1, axis=0), strict=True):
        if a[2] >= NEAR_M:
            kept.append(a)
        if (a[2] >= NEAR_M) != (b[2] >= NEAR_M):
            kept.append(a + (b - a) * (NEAR_M - a[2]) / (b[2] - a[2]))
    return np.array(kept).reshape(-1, 3)


CAMERA = Camera()


def polygon(canvas: Image, points: Sequence[Sequence[float]], colour: Colour) -> None:
    seen = CAMERA.project(points)
    if seen is not None:
        limited = np.clip(seen, -20_000, 20_000)
        cv2.fillPoly(canvas, [np.round(limited * 16).astype(np.int32)], colour, cv2.LINE_AA, shift=4)


def facing(x: tuple[float, float], y: float, z: tuple[float, float]) -> list[list[float]]:
    """An upright rectangle that faces the camera."""
    return [[x[0], y, z[1]], [x[1], y, z[1]], [x[1], y, z[0]], [x[0], y, z[0]]]


def side(x: float, y: tuple[float, float], z: tuple[float, float]) -> list[list[float]]:
    return [[x, y[0], z[1]], [x, y[1], z[1]], [x, y[1], z[0]], [x, y[0], z[0]]]


def ground(x: tuple[float, float], y: tuple[float, float], z: float = 0.0) -> list[list[float]]:
    return [[x[0], y[1], z], [x[1], y[1], z], [x[1], y[0], z], [x[0], y[0], z]]


def disc(x: float, y: float, z: float, radius: float) -> list[list[float]]:
    turn = np.linspace(0, 2 * np.pi, 28, endpoint=False)
    return [[x, y + radius * float(np.cos(t)), z + radius * float(np.sin(t))] for t in turn]


# ---------------------------------------------------------------- the plate


class Fonts:
    """Faces for the sheet: Latin and digits, and hanzi. Both must be openly licensed; see sample_videos/README.md."""

    def __init__(self, latin: Path, hanzi: Path) -> None:
        self._latin = ImageFont.truetype(str(latin), 300)
        self._hanzi = ImageFont.truetype(str(hanzi), 300, index=2 if hanzi.suffix == ".ttc" else 0)

    def cell(self, character: str, size: tuple[int, int]) -> NDArray[np.float64]:
        """The character stretched to a cell of (width, height) px, 0..1."""
        face = self._hanzi if character > "\u2e80" else self._latin
        left, top, right, low = face.getbbox(character)
        drawn = Pillow.new("L", (int(right - left), int(low - top)))
        ImageDraw.Draw(drawn).text((-left, -top), character, font=face, fill=255)
        return np.asarray(drawn.resize(size, Pillow.Resampling.LANCZOS), float) / 255


def plate_picture(look: PlateLook, fonts: Fonts) -> Image:
    """The sheet seen from straight ahead, two pixels a millimetre."""
    width, height = look.size_mm[0] * 2, look.size_mm[1] * 2
    sheet = np.full((height, width, 3), look.ground, np.uint8)
    cv2.rectangle(sheet, (8, 8), (width - 9, height - 9), look.ink, 5, cv2.LINE_AA)
    tall, gap = (round(height * 0.62), 0) if len(look.rows) == 1 else (round(height * 0.36), round(height * 0.09))
    top = (height - tall * len(look.rows) - gap * (len(look.rows) - 1)) // 2
    wide = min(tall * (0.62 if len(look.rows) == 1 else 0.74), *(_cell_width(row, width) for row in look.rows))
    for i, row in enumerate(look.rows):
        _paint_row(sheet, row, (top + i * (tall + gap), tall, round(wide)), look.ink, fonts)
    for x in (width // 5, width - width // 5):
        cv2.circle(sheet, (x, 16), 7, (150, 150, 150), cv2.FILLED, cv2.LINE_AA)
    return sheet


def _cell_width(row: str, sheet_width: int) -> float:
    """The widest cell with which the row still fits; a dot takes 0.3 of a cell and a gap 0.2."""
    dots = sum(c in ".·-" for c in row)
    return (sheet_width - 64) / (len(row) - dots + 0.3 * dots + 0.2 * (len(row) - 1))


def _paint_row(sheet: Image, row: str, place: tuple[int, int, int], ink: Colour, fonts: Fonts) -> None:
    """`place`: top of the row, height and width of its cells, in pixels of the sheet."""
    top, height, wide = place
    narrow, gap = round(wide * 0.3), round(wide * 0.2)
    widths = [narrow if c in ".·-" else wide for c in row]
    x = (sheet.shape[1] - sum(widths) - gap * (len(row) - 1)) // 2
    for character, width in zip(row, widths, strict=True):
        if character in ".·-":
            middle = top + (height - narrow // 2 if character == "." else height // 2)
            cv2.circle(sheet, (x + width // 2, middle), narrow // 2, ink, cv2.FILLED, cv2.LINE_AA)
        else:
            wide_now = round(width * 0.45) if character in "1I" else width
            start = x + (width - wide_now) // 2
            mask = fonts.cell(character, (wide_now, height))[..., None]
            part = sheet[top : top + height, start : start + wide_now]
            part[:] = (part * (1 - mask) + np.array(ink) * mask).astype(np.uint8)
        x += width + gap


def paste_plate(canvas: Image, sheet: Image, points: list[list[float]]) -> None:
    seen = CAMERA.project(points)
    if seen is None or len(seen) != 4:
        return
    width = float(np.linalg.norm(seen[1] - seen[0]))
    size = (
        max(8, min(sheet.shape[1], round(width))),
        max(4, min(sheet.shape[0], round(width * sheet.shape[0] / sheet.shape[1]))),
    )
    small = cv2.resize(sheet, size, interpolation=cv2.INTER_AREA)
    source = np.array([[0, 0], [size[0], 0], [size[0], size[1]], [0, size[1]]], np.float32)
    matrix = cv2.getPerspectiveTransform(source, seen.astype(np.float32))
    cv2.warpPerspective(
        small, matrix, (canvas.shape[1], canvas.shape[0]), canvas, cv2.INTER_LINEAR, cv2.BORDER_TRANSPARENT
    )


# ---------------------------------------------------------------- lane, truck, boom


def empty_lane() -> Image:
    canvas = np.zeros((SIZE[1] * FINE, SIZE[0] * FINE, 3), np.uint8)
    for row in range(canvas.shape[0]):
        share = row / canvas.shape[0]
        canvas[row] = (225 - 40 * share, 205 - 30 * share, 188 - 20 * share)
    polygon(canvas, [[-90, 160, 0], [-40, 160, 26], [10, 160, 12], [50, 160, 30], [95, 160, 0]], (120, 138, 112))
    polygon(canvas, ground((-60, 60), (1, 160)), (104, 122, 108))
    polygon(canvas, ground((-2.0, 2.3), (0.5, 160)), (96, 98, 99))
    for y in range(2, 60, 3):
        polygon(canvas, ground((2.05, 2.17), (y, y + 1.6), 0.005), (205, 210, 212))
    polygon(canvas, ground((-2.35, -2.0), (0.5, 160), 0.14), (150, 155, 158))
    polygon(canvas, side(-2.0, (0.5, 160), (0, 0.14)), (118, 122, 125))
    polygon(canvas, ground((-2.0, 2.3), (STOP_M - 0.7, STOP_M - 0.4), 0.005), (215, 218, 220))
    booth(canvas)
    return canvas


def booth(canvas: Image) -> None:
    polygon(canvas, side(2.9, (11.0, 14.0), (0, 2.9)), (150, 158, 150))
    polygon(canvas, side(2.9, (11.5, 13.5), (1.1, 2.2)), (96, 86, 70))
    polygon(canvas, facing((2.9, 5.2), 11.0, (0, 2.9)), (172, 180, 172))
    polygon(canvas, facing((3.2, 4.8), 11.0, (1.1, 2.2)), (110, 100, 84))
    polygon(canvas, facing((2.7, 5.4), 10.9, (2.9, 3.15)), (60, 66, 150))


def boom(canvas: Image, raised: float) -> None:
    """`raised` 0..1; the post stands on the right kerb, the arm reaches over the lane."""
    y, turn = 5.0, raised * np.pi / 2 * 0.96
    for i in range(8):
        a, b = 0.45 * i, 0.45 * (i + 1)
        ends = [(1.75 - r * np.cos(turn), 0.92 + r * np.sin(turn)) for r in (a, b)]
        normal = (0.045 * np.sin(turn), 0.045 * np.cos(turn))
        (ax, az), (bx, bz) = ends
        corners = [
            [ax + normal[0], y, az + normal[1]],
            [bx + normal[0], y, bz + normal[1]],
            [bx - normal[0], y, bz - normal[1]],
            [ax - normal[0], y, az - normal[1]],
        ]
        polygon(canvas, corners, (235, 238, 240) if i % 2 else (45, 50, 200))
    polygon(canvas, facing((1.62, 1.95), y - 0.05, (0, 1.15)), (40, 150, 225))


def truck(canvas: Image, look: TruckLook, sheet: Image, y: float) -> list[list[float]]:
    """A box truck whose bumper stands at `y`. Returns the plate's corners in the world, clockwise from the top left."""
    paint, dark = look.paint, tuple(int(c * 0.72) for c in look.paint)
    dim: Colour = (dark[0], dark[1], dark[2])
    polygon(canvas, ground((-1.5, 1.5), (y - 0.25, y + LENGTH_M), 0.004), (62, 63, 64))
    cargo(canvas, look, y)
    for wheel in (y + 1.0, y + LENGTH_M - 1.2):
        polygon(canvas, disc(-1.12, wheel, 0.48, 0.48), (28, 28, 30))
        polygon(canvas, disc(-1.13, wheel, 0.48, 0.24), (128, 130, 132))
    polygon(
        canvas,
        [[-1.15, y, 1.5], [-1.12, y + 0.3, 2.5], [-1.12, y + 1.7, 2.55], [-1.15, y + 1.7, 0.9], [-1.15, y, 0.75]],
        dim,
    )
    polygon(canvas, side(-1.16, (y + 0.35, y + 1.2), (1.55, 2.25)), (72, 62, 50))
    polygon(canvas, [[-1.12, y + 0.3, 2.5], [1.12, y + 0.3, 2.5], [1.15, y, 1.5], [-1.15, y, 1.5]], paint)
    polygon(
        canvas,
        [[-1.02, y + 0.26, 2.4], [1.02, y + 0.26, 2.4], [1.06, y + 0.02, 1.58], [-1.06, y + 0.02, 1.58]],
        (78, 66, 52),
    )
    polygon(
        canvas,
        [[-0.7, y + 0.24, 2.3], [-0.2, y + 0.24, 2.3], [-0.45, y + 0.03, 1.62], [-0.95, y + 0.03, 1.62]],
        (108, 98, 86),
    )
    polygon(canvas, facing((-1.15, 1.15), y, (0.75, 1.5)), paint)
    front(canvas, y)
    half, tall = look.plate.size_mm[0] / 2000, look.plate.size_mm[1] / 1000
    corners = facing((-half, half), y - 0.10, (0.56, 0.56 + tall))
    paste_plate(canvas, sheet, corners)
    return corners


def front(canvas: Image, y: float) -> None:
    """Grille, headlights and bumper."""
    polygon(canvas, facing((-0.72, 0.72), y - 0.01, (0.98, 1.38)), (46, 46, 48))
    for z in (1.05, 1.15, 1.25):
        polygon(canvas, facing((-0.70, 0.70), y - 0.015, (z, z + 0.03)), (148, 150, 152))
    polygon(canvas, facing((-1.15, 1.15), y - 0.06, (0.42, 0.86)), (84, 86, 88))
    polygon(canvas, facing((-1.15, 1.15), y - 0.065, (0.42, 0.5)), (52, 53, 54))
    for x in (-0.92, 0.92):
        polygon(canvas, facing((x - 0.19, x + 0.19), y - 0.012, (0.98, 1.3)), (200, 208, 212))
        polygon(canvas, facing((x - 0.12, x + 0.12), y - 0.02, (1.03, 1.25)), (238, 244, 248))
    for x in (-1.33, 1.33):
        polygon(canvas, facing((x - 0.1, x + 0.1), y + 0.2, (1.65, 2.1)), (36, 36, 38))


def cargo(canvas: Image, look: TruckLook, y: float) -> None:
    low, high, start, end = 0.95, 3.3, y + 1.9, y + LENGTH_M
    shade: Colour = (int(look.box[0] * 0.8), int(look.box[1] * 0.8), int(look.box[2] * 0.8))
    polygon(canvas, side(-1.22, (start, end), (low, high)), shade)
    for rib in np.arange(start + 0.3, end, 0.45):
        polygon(canvas, side(-1.225, (rib, rib + 0.06), (low, high)), look.box)
    polygon(canvas, facing((-1.22, 1.22), start, (low, high)), look.box)
    polygon(canvas, side(-1.0, (y + 1.7, end), (0.55, 0.95)), (44, 45, 46))
