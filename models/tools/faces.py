"""Glyph masks, cut to their ink, from openly licensed faces (models/README.md names them and their licences)."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from models.tools.alphabet import PROVINCES, SUFFIXES

FOLDER = Path(os.environ.get("BARIE_FONTS", "models/work/fonts"))
NOTO = Path("/usr/share/fonts/opentype/noto")
VIETNAMESE = (
    "barlow-condensed-500", "barlow-condensed-600", "barlow-condensed-400", "barlow-condensed-700",
    "saira-condensed-500", "saira-condensed-600", "saira-extra-condensed-600", "bebas-neue-400", "oswald-400",
    "roboto-condensed-500",
    "fjalla-one-400", "antonio-500", "barlow-semi-condensed-500", "league-gothic-400", "big-shoulders-text-600",
    "fira-sans-extra-condensed-500", "ubuntu-condensed-400", "asap-condensed-600", "archivo-narrow-500",
    "ibm-plex-sans-condensed-500",
)  # fmt: skip
CHINESE = (
    "barlow-500", "barlow-600", "barlow-semi-condensed-500", "barlow-semi-condensed-600", "oswald-300", "oswald-400",
    "oswald-500", "barlow-condensed-500", "barlow-condensed-600", "roboto-condensed-500", "roboto-condensed-700",
    "saira-condensed-500", "saira-condensed-600", "bebas-neue-400", "fira-sans-condensed-500", "archivo-narrow-600",
    "share-tech-400", "ibm-plex-sans-condensed-500",
)  # fmt: skip
HANZI = {
    "noto-sans-bold": 3, "noto-sans-regular": 1.5, "wqy-zenhei": 3, "wqy-microhei": 2, "noto-sans-medium": 2,
    "noto-serif-bold": 0.6, "noto-sans-sc-500": 2, "noto-sans-sc-700": 3, "noto-sans-sc-900": 1.5,
    "zcool-qingke-huangyou-400": 1,
}  # fmt: skip
"""Faces of the Chinese characters, and how often each: mostly black-letter, as on the plates."""
WIDE_INK = frozenset(PROVINCES + SUFFIXES)
SIZE = 120


@dataclass(frozen=True, slots=True)
class Among:
    """Which faces a plate may be drawn with; hanzi with how often each."""

    vietnamese: tuple[str, ...]
    chinese: tuple[str, ...]
    hanzi: tuple[tuple[str, float], ...]


TRAINING = Among(VIETNAMESE, CHINESE, tuple(HANZI.items()))
HELD_OUT = Among(("held-encode", "held-sofia"), ("held-encode", "held-sofia"), (("held-droid", 1.0),))
"""Never trained on, kept as glyphs in `heldout.npz`: Encode Sans Condensed, Sofia Sans Condensed (OFL 1.1), Droid Sans
Fallback (Apache-2.0). The synthetic test world is drawn with these, and needs no font on the machine."""


@lru_cache(maxsize=1)
def _held_out() -> dict[tuple[str, str], NDArray[np.uint8]]:
    glyphs: dict[tuple[str, str], NDArray[np.uint8]] = {}
    with np.load(Path(__file__).with_name("heldout.npz")) as data:
        for face in (name for name in data if not name.endswith(("-widths", "-marks"))):
            ends = np.cumsum(data[f"{face}-widths"])
            for mark, end, width in zip(data[f"{face}-marks"], ends, data[f"{face}-widths"], strict=True):
                glyphs[face, str(mark)] = np.ascontiguousarray(data[face][:, end - width : end])
    return glyphs


@lru_cache(maxsize=64)
def _font(face: str) -> Any:
    from PIL import ImageFont  # only who renders with fonts needs it

    places = {
        "noto-sans-bold": (NOTO / "NotoSansCJK-Bold.ttc", 2),
        "noto-sans-regular": (NOTO / "NotoSansCJK-Regular.ttc", 2),
        "noto-sans-medium": (NOTO / "NotoSansCJK-Regular.ttc", 2),
        "noto-serif-bold": (NOTO / "NotoSerifCJK-Bold.ttc", 2),
        "wqy-zenhei": (FOLDER / "wqy-zenhei.ttc", 0),
        "wqy-microhei": (FOLDER / "wqy-microhei.ttc", 0),
    }
    path, index = places.get(face, (FOLDER / f"{face}.woff", 0))
    return ImageFont.truetype(str(path), SIZE, index=index)


@lru_cache(maxsize=4096)
def glyph(face: str, character: str) -> NDArray[np.uint8]:
    """The character's ink as an (h, w) mask, 0..255, cut to its bounding box. Đ is a D with a bar."""
    if character == "Đ":
        return _barred(glyph(face, "D"))
    if face.startswith("held-"):
        return _held_out()[face, character]
    from PIL import Image, ImageDraw

    image = Image.new("L", (SIZE * 2, SIZE * 2), 0)
    ImageDraw.Draw(image).text((SIZE // 2, SIZE // 3), character, fill=255, font=_font(face))
    mask = np.asarray(image)
    ys, xs = np.nonzero(mask > 40)
    if len(ys) == 0:
        raise ValueError(f"face {face} has no glyph for {character!r}")
    cut = mask[ys.min() : ys.max() + 1, xs.min() : xs.max() + 1]
    return cv2.dilate(cut, np.ones((3, 3), np.uint8)) if face == "noto-sans-medium" else cut.copy()


def _barred(mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = mask.shape
    grow = width // 6
    out = np.zeros((height, width + grow), np.uint8)
    out[:, grow:] = mask
    thick = max(6, height // 9)
    out[(height - thick) // 2 : (height + thick) // 2, : grow + width // 2] = 255
    return out
