"""The plates of the clips, flat; every text is invented. Proportions as in `models/tools/kinds_*.py`.

`BARIE_FONTS` names the folder that `models/tools/fonts.sh` fills.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from models.tools.faces import glyph

Picture = NDArray[np.uint8]
Colour = tuple[int, int, int]

PX_PER_MM = 2.0
YELLOW, WHITE, GREEN, BLUE = (38, 178, 236), (232, 234, 234), (110, 190, 70), (150, 70, 20)
VN_FACE, CN_FACE, HANZI = "barlow-condensed-600", "barlow-semi-condensed-600", "noto-sans-bold"


@dataclass(frozen=True)
class Row:
    """Marks between x0 and x1 (mm), `height` tall from `y`; each mark at most `width` wide."""

    marks: str
    y: float
    height: float
    width: float
    x0: float
    x1: float
    gap: float = 9.0


@dataclass(frozen=True)
class Sheet:
    """`text`: as the reader is to give it. `size` in mm. `grounds`: colour at the top and at the bottom, BGR."""

    text: str
    country: str
    layout: str
    size: tuple[int, int]
    rows: tuple[Row, ...]
    grounds: tuple[Colour, Colour]
    ink: Colour = (22, 22, 24)


def vn_long(marks: str, ground: Colour = WHITE, ink: Colour = (22, 22, 24)) -> Sheet:
    rows = (Row(marks, 16, 78, 44, 18, 502),)
    return Sheet(_plain(marks), "VN", "one_line", (520, 110), rows, (ground, ground), ink)


def vn_short(top: str, low: str, ground: Colour = WHITE) -> Sheet:
    rows = (Row(top, 13, 64, 46, 30, 300), Row(low, 88, 64, 46, 14, 316))
    return Sheet(_plain(top + low), "VN", "two_line", (330, 165), rows, (ground, ground))


def cn_long(text: str, ground: Colour = YELLOW, ink: Colour = (22, 22, 24)) -> Sheet:
    marks = f"{text[:2]}·{text[2:]}"
    return Sheet(text, "CN", "one_line", (440, 140), (Row(marks, 25, 90, 45, 15, 425, 10),), (ground, ground), ink)


def cn_two(text: str, ground: Colour = YELLOW) -> Sheet:
    rows = (Row(f"{text[0]} · {text[1]}", 15, 60, 80, 100, 340, 12), Row(text[2:], 90, 110, 65, 18, 422, 15))
    return Sheet(text, "CN", "two_line", (440, 220), rows, (ground, ground))


def cn_energy(text: str) -> Sheet:
    rows = (Row(text[:2], 25, 90, 45, 15, 115, 9), Row(text[2:], 25, 90, 43, 160, 466, 9))
    return Sheet(text, "CN", "one_line", (480, 140), rows, ((225, 240, 225), GREEN))


def painted(marks: str) -> Sheet:
    """A number painted straight on a tailgate; its ground is never drawn."""
    return Sheet(
        _plain(marks),
        "",
        "painted",
        (1400, 300),
        (Row(marks, 30, 240, 130, 20, 1380, 22),),
        (WHITE, WHITE),
        (215, 218, 218),
    )


def _plain(marks: str) -> str:
    return "".join(mark for mark in marks if mark.isalnum())


def draw(sheet: Sheet) -> tuple[Picture, NDArray[np.float32]]:
    """The sheet from straight ahead (h, w, 3), and where it is opaque (h, w), 0..1."""
    width, height = (round(side * PX_PER_MM) for side in sheet.size)
    share = np.linspace(0, 1, height, dtype=np.float32)[:, None, None]
    top, low = (np.float32(colour) for colour in sheet.grounds)
    picture = np.repeat(top * (1 - share) + low * share, width, axis=1)
    ink = np.zeros((height, width), np.float32)
    for row in sheet.rows:
        _write(ink, row, VN_FACE if sheet.country != "CN" else CN_FACE)
    picture = picture * (1 - ink[..., None]) + np.float32(sheet.ink) * ink[..., None]
    if sheet.layout == "painted":
        return picture.astype(np.uint8), ink * 0.9
    flat = np.ascontiguousarray(picture).astype(np.uint8)
    cv2.rectangle(flat, (7, 7), (width - 8, height - 8), sheet.ink, 4, cv2.LINE_AA)
    for x in (width // 5, width - width // 5):
        cv2.circle(flat, (x, 15), 7, (140, 140, 140), cv2.FILLED, cv2.LINE_AA)
    return flat, np.ones((height, width), np.float32)


def _write(ink: NDArray[np.float32], row: Row, face: str) -> None:
    wide = {
        mark: 0.45 if mark in "1I" else 0.28 if mark in ".·" else 0.5 if mark in "- " else 1.0 for mark in row.marks
    }
    total = sum(wide[mark] for mark in row.marks) * row.width + row.gap * (len(row.marks) - 1)
    squeeze = min(1.0, (row.x1 - row.x0) / total)
    x = (row.x0 + row.x1 - total * squeeze) / 2
    for mark in row.marks:
        width = wide[mark] * row.width * squeeze
        _mark(ink, mark, (x, row.y, width, row.height), face)
        x += width + row.gap * squeeze


def _mark(ink: NDArray[np.float32], mark: str, place: tuple[float, float, float, float], face: str) -> None:
    x, y, w, h = (round(v * PX_PER_MM) for v in place)
    if mark in ".·-":
        middle = y + (h - w // 2 if mark == "." else h // 2)
        if mark == "-":
            cv2.rectangle(ink, (x, middle - h // 22), (x + w, middle + h // 22), 1.0, cv2.FILLED)
        else:
            cv2.circle(ink, (x + w // 2, middle), max(4, w // 2), 1.0, cv2.FILLED, cv2.LINE_AA)
    elif mark != " ":
        mask = glyph(HANZI if mark > "\u2e80" else face, mark)
        ink[y : y + h, x : x + w] = cv2.resize(mask, (w, h), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
