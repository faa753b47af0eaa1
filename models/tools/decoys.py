"""What a detector took for plates on real pictures: lamps, spoked wheels, vents, kerb reflectors, hazard boards."""

from __future__ import annotations

from random import Random

import cv2
import numpy as np

from models.tools.backdrop import colour, phrase, write
from models.tools.draw import Picture


def any_of(r: Random, canvas: Picture) -> None:
    """One decoy anywhere in the picture."""
    height, width = canvas.shape[:2]
    at = (r.uniform(0, width), r.uniform(0.2 * height, height))
    r.choice([lamp, lamp, wheel, vents, kerb, board])(r, canvas, *at, r.uniform(14, 90))


def beside(r: Random, canvas: Picture, at: tuple[float, float], plate_w: float) -> None:
    """A decoy near a plate of that width, never on it: half a plate clear on either side, or well below or above."""
    wide = plate_w * r.uniform(0.4, 1.1)
    if r.random() < 0.7:
        x, y = at[0] + r.choice([-1, 1]) * (plate_w * 0.6 + wide), at[1] + r.uniform(-0.6, 0.3) * plate_w
    else:
        x, y = at[0] + r.uniform(-1, 1) * plate_w, at[1] + r.choice([-1, 1]) * (0.6 * plate_w + 0.6 * wide)
    r.choice([lamp, lamp, lamp, vents, board])(r, canvas, x, y, wide)


def lamp(r: Random, canvas: Picture, x: float, y: float, wide: float) -> None:
    """A lamp unit: a dark or chrome tray with round lamps, ribs and a bright spot, often slanted."""
    tall = wide * r.uniform(0.3, 0.8)
    unit = np.full((48, 96, 3), colour(r, 20, 190), np.uint8)
    for _ in range(r.randrange(1, 4)):
        centre, radius = (r.randrange(96), r.randrange(10, 38)), r.randrange(8, 24)
        cv2.circle(unit, centre, radius, [r.uniform(90, 255)] * 3, -1, cv2.LINE_AA)
        cv2.circle(unit, centre, radius, [r.uniform(0, 120)] * 3, 2, cv2.LINE_AA)
        cv2.circle(unit, centre, max(2, radius // 3), (255, 255, 255), -1, cv2.LINE_AA)
    for rib in range(0, 96, r.choice([5, 8, 12, 200])):
        cv2.line(unit, (rib, 0), (rib + r.randrange(-3, 4), 48), [r.uniform(60, 230)] * 3, 1, cv2.LINE_AA)
    if r.random() < 0.4:
        cv2.rectangle(unit, (r.choice([0, 66]), 0), (r.choice([30, 96]), 48), (20, r.uniform(90, 160), 240), -1)
    _lay(canvas, unit, x, y, wide, tall, r.uniform(-25, 25), r.uniform(-0.3, 0.3))


def wheel(r: Random, canvas: Picture, x: float, y: float, wide: float) -> None:
    middle, radius = (round(x), round(y)), max(6, round(wide * 0.6))
    cv2.circle(canvas, middle, radius, [r.uniform(10, 40)] * 3, -1, cv2.LINE_AA)
    cv2.circle(canvas, middle, round(radius * 0.68), [r.uniform(90, 230)] * 3, max(1, radius // 12), cv2.LINE_AA)
    spokes, start = r.choice([3, 5, 6, 8, 24]), r.random()
    thick = max(1, radius // (4 if spokes < 9 else 20))
    for i in range(spokes):
        angle = 2 * np.pi * (i + start) / spokes
        end = (round(x + np.cos(angle) * radius * 0.66), round(y + np.sin(angle) * radius * 0.66))
        cv2.line(canvas, middle, end, [r.uniform(90, 230)] * 3, thick, cv2.LINE_AA)


def vents(r: Random, canvas: Picture, x: float, y: float, wide: float) -> None:
    """Slits or holes in rows on a panel: as close to characters as a grille comes."""
    panel = np.full((48, 96, 3), colour(r, 20, 220), np.uint8)
    shade, step = [r.uniform(0, 70)] * 3, r.choice([8, 12, 16])
    for px in range(6, 92, step):
        for py in range(6, 42, r.choice([12, 40])):
            cv2.rectangle(panel, (px, py), (px + step // 2, py + r.choice([4, 8, 30])), shade, -1)
    _lay(canvas, panel, x, y, wide, wide * r.uniform(0.25, 0.7), r.uniform(-12, 12), 0.0)


def kerb(r: Random, canvas: Picture, x: float, y: float, wide: float) -> None:
    """A speed hump or kerb: yellow and black blocks with a reflector or a rib pattern in each."""
    for i in range(r.randrange(3, 9)):
        block = np.full((48, 96, 3), (20, 150, 200) if i % 2 else (35, 35, 38), np.uint8)
        for rib in range(0, 140, r.choice([6, 9])):
            cv2.line(block, (rib, 0), (rib - 40, 48), [r.uniform(20, 160)] * 3, 1)
        if r.random() < 0.5:
            cv2.ellipse(block, (48, 24), (12, 7), 0, 0, 360, (20, r.uniform(60, 140), 240), -1)
        _lay(canvas, block, x + i * wide, y + i * 2, wide, wide * 0.4, 0.0, 0.0)


def board(r: Random, canvas: Picture, x: float, y: float, wide: float) -> None:
    """A small board with words: danger goods, a maker's badge, a telephone number."""
    tall = wide * r.uniform(0.25, 0.5)
    shade = r.choice([(10, 170, 235), (240, 240, 240), (30, 30, 200), (160, 60, 20), (30, 30, 30)])
    box = (round(x - wide / 2), round(y - tall / 2)), (round(x + wide / 2), round(y + tall / 2))
    cv2.rectangle(canvas, *box, shade, -1)
    ink = (20, 20, 20) if sum(shade) > 380 else (240, 240, 240)
    write(r, canvas, phrase(r), box[0][0] + 2, box[0][1] + max(1, round(tall * 0.2)), max(5, round(tall * 0.6)), ink)


def _lay(
    canvas: Picture, part: Picture, x: float, y: float, wide: float, tall: float, angle_deg: float, skew: float
) -> None:
    """`part` drawn with its middle at (x, y), turned by `angle_deg` and skewed."""
    h, w = part.shape[:2]
    c, s = np.cos(np.radians(angle_deg)), np.sin(np.radians(angle_deg))
    turn = np.array([[c, -s + skew], [s, c]]) @ np.diag([wide / w, tall / h])
    matrix = np.hstack([turn, (np.array([[x], [y]]) - turn @ np.array([[w / 2], [h / 2]]))])
    size = (canvas.shape[1], canvas.shape[0])
    cv2.warpAffine(part, matrix, size, dst=canvas, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_TRANSPARENT)
