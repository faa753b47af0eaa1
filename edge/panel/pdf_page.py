"""How a sheet is laid out on A4. Runs in the PDF's own process only: ReportLab takes a second to import.

The fonts lie beside (scripts/make-fonts): Latin with every Vietnamese letter, and Han for what comes from the other
side. A character that neither has is drawn as an empty box, and the foot says so.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.lib.utils import ImageReader
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import Flowable, Image, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

FONTS = Path(__file__).parent / "fonts"
LATIN, BOLD, HAN = "latin", "latin-bold", "han"
BOX = "□"
MARGIN = 15 * mm
WIDTH = A4[0] - 2 * MARGIN
PHOTO_HEIGHT = 70 * mm

TEXT = ParagraphStyle("text", fontName=LATIN, fontSize=9, leading=12)
SMALL = ParagraphStyle("small", parent=TEXT, fontSize=7.5, leading=10, textColor=colors.HexColor("#444444"))
HEAD = ParagraphStyle("head", parent=TEXT, fontName=BOLD, fontSize=15, leading=20)
SECTION = ParagraphStyle("section", parent=TEXT, fontName=BOLD, fontSize=11, leading=16, spaceBefore=6)
LINES = TableStyle(
    [
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LINEBELOW", (0, 0), (-1, -1), 0.4, colors.HexColor("#999999")),
        ("LEFTPADDING", (0, 0), (-1, -1), 2),
        ("RIGHTPADDING", (0, 0), (-1, -1), 4),
    ]
)


def set_page(row: Mapping[str, Any]) -> bytes:
    """The PDF of one sheet (`edge.panel.sheet.Sheet` as JSON, photos as base64)."""
    for name in (LATIN, BOLD, HAN):
        if name not in pdfmetrics.getRegisteredFontNames():
            pdfmetrics.registerFont(TTFont(name, FONTS / f"{name}.ttf"))
    out = io.BytesIO()
    page = SimpleDocTemplate(
        out, pagesize=A4, leftMargin=MARGIN, rightMargin=MARGIN, topMargin=MARGIN, bottomMargin=MARGIN,
        title=row["title"], author="barie", lang="vi-VN" if row["language"] == "vi" else "en-GB",
    )  # fmt: skip
    page.build([*_head(row), *_photos(row), *_chain(row), *_foot(row)], onFirstPage=_number, onLaterPages=_number)
    return out.getvalue()


def _head(row: Mapping[str, Any]) -> list[Flowable]:
    cells = [[_paragraph(label, SMALL), _paragraph(value, TEXT)] for label, value in row["head"]]
    return [_paragraph(row["title"], HEAD), Table(cells, colWidths=[38 * mm, WIDTH - 38 * mm], style=LINES)]


def _photos(row: Mapping[str, Any]) -> list[Flowable]:
    if not row["photos"]:
        return [Spacer(0, 4 * mm), _paragraph(row["no_photos"], TEXT)]
    cells = [[_picture(base64.b64decode(jpeg)), _paragraph(name, SMALL)] for name, jpeg in row["photos"]]
    pairs = [cells[at : at + 2] for at in range(0, len(cells), 2)]
    return [Spacer(0, 4 * mm), *(Table([pair], colWidths=[WIDTH / 2] * len(pair), hAlign="LEFT") for pair in pairs)]


def _picture(jpeg: bytes) -> Image:
    width, height = ImageReader(io.BytesIO(jpeg)).getSize()
    scale = min((WIDTH / 2 - 12) / width, PHOTO_HEIGHT / height)
    return Image(io.BytesIO(jpeg), width * scale, height * scale)


def _chain(row: Mapping[str, Any]) -> list[Flowable]:
    cells = [[_paragraph(title, SMALL) for title in row["columns"]]]
    for entry in row["entries"]:
        told = [_paragraph(entry["what"], TEXT)]
        told += [_paragraph(text, SMALL) for text in (*entry["facts"], *entry["why"])]
        told.append(_paragraph(entry["hash"], SMALL))
        cells.append(
            [_paragraph(entry["number"], SMALL), _paragraph(entry["when"], SMALL), told, _paragraph(entry["who"], TEXT)]
        )
    widths = [12 * mm, 34 * mm, WIDTH - 76 * mm, 30 * mm]
    return [_paragraph(row["chain"], SECTION), Table(cells, colWidths=widths, style=LINES, repeatRows=1)]


def _foot(row: Mapping[str, Any]) -> list[Flowable]:
    texts = [row["foot"], *([row["blank"]] if _lacks(row) else [])]
    return [Spacer(0, 4 * mm), *(_paragraph(text, SMALL) for text in texts)]


def _number(canvas: Any, page: Any) -> None:
    canvas.setFont(LATIN, 7.5)
    canvas.drawRightString(A4[0] - MARGIN, MARGIN / 2, str(page.page))


def _paragraph(text: str, style: ParagraphStyle) -> Paragraph:
    """Each run of characters in the font that has them."""
    runs = groupby(text, key=lambda letter: _font(letter, style.fontName))
    parts = []
    for font, letters in runs:
        run = "".join(letters)
        parts.append(
            f'<font name="{font}">{escape(run)}</font>' if font else f'<font name="{LATIN}">{BOX * len(run)}</font>'
        )
    return Paragraph("".join(parts), style)


def _lacks(row: Mapping[str, Any]) -> bool:
    texts = [value for _, value in row["head"]]
    texts += [text for entry in row["entries"] for text in (*entry["facts"], *entry["why"], entry["what"])]
    return any(_font(letter, LATIN) is None for text in texts for letter in text)


@lru_cache(maxsize=8192)
def _font(letter: str, wanted: str) -> str | None:
    """The font that draws this character, the wanted one first; None where no font has it."""
    fonts = (wanted, LATIN, HAN)
    return next((name for name in fonts if ord(letter) in pdfmetrics.getFont(name).face.charToGlyph), None)
