"""Self-contained HTML records: one file, pictures inside, no script, readable in ten years and printable."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from html import escape

import cv2
import numpy as np

from edge.ports import Image

STYLE = """
:root { color-scheme: light }
body { font: 15px/1.45 system-ui, "Noto Sans", sans-serif; margin: 2rem auto; max-width: 72rem; padding: 0 1rem;
  color: #16202a; background: #fff }
h1 { font-size: 1.5rem } h2 { font-size: 1.2rem; margin-top: 2.2rem; border-bottom: 1px solid #ccd5dd }
h3 { font-size: 1rem; margin: 1.2rem 0 .3rem }
table { border-collapse: collapse; margin: .5rem 0 } th, td { padding: .25rem .6rem; border: 1px solid #ccd5dd;
  text-align: left; vertical-align: top } th { background: #eef2f5 }
.good { color: #0a6b2d } .bad { color: #a11616 } .soft { color: #5a6875 } .en { color: #5a6875 }
.side { display: flex; gap: 1rem; flex-wrap: wrap } .side > * { flex: 1 1 30rem }
img { max-width: 100%; display: block } img.crop { height: 6rem; width: auto; flex: none }
.passage { border-left: 4px solid #ccd5dd; padding-left: 1rem; margin: 1.2rem 0 }
.passage.miss { border-color: #a11616 } .passage.ok { border-color: #0a6b2d }
pre { background: #eef2f5; padding: .7rem; overflow: auto }
ol.findings li { margin: .6rem 0 } code { background: #eef2f5; padding: 0 .2rem }
@media print { body { margin: 0 } .passage, table { break-inside: avoid } }
"""


def document(title: str, parts: Iterable[str]) -> str:
    """One whole page; `parts` are HTML already, the title is text."""
    head = f'<meta charset="utf-8"><title>{escape(title)}</title><style>{STYLE}</style>'
    policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
    meta = f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
    body = "\n".join(parts)
    start = f'<!doctype html>\n<html lang="vi"><head>{head}{meta}</head><body>\n<h1>{escape(title)}</h1>\n'
    return f"{start}{body}\n</body></html>\n"


def table(head: Sequence[str], rows: Iterable[Sequence[str]], classes: Sequence[str] = ()) -> str:
    """Cells are text. `classes`: one class for each row, as far as they reach."""
    top = "".join(f"<th>{escape(cell)}</th>" for cell in head)
    lines = []
    for i, row in enumerate(rows):
        cells = "".join(f"<td>{escape(cell)}</td>" for cell in row)
        lines.append(f'<tr class="{classes[i] if i < len(classes) else ""}">{cells}</tr>')
    return f"<table><tr>{top}</tr>{''.join(lines)}</table>"


def picture(image: Image, width_px: int = 640, about: str = "", kind: str = "") -> str:
    """The picture inside the page; `about` is what it shows, in words."""
    return jpeg_picture(jpeg(image, width_px), about, kind)


def jpeg_picture(data: bytes, about: str = "", kind: str = "") -> str:
    source = base64.b64encode(data).decode()
    return f'<img class="{kind}" alt="{escape(about)}" src="data:image/jpeg;base64,{source}">'


def jpeg(image: Image, width_px: int) -> bytes:
    if image.shape[1] > width_px:
        height = max(1, round(image.shape[0] * width_px / image.shape[1]))
        image = np.asarray(cv2.resize(image, (width_px, height), interpolation=cv2.INTER_AREA), np.uint8)
    _, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 80])
    return data.tobytes()


def both(vi: str, en: str) -> str:
    """Vietnamese first, English beside it."""
    return f'<b>{escape(vi)}</b> <span class="en">/ {escape(en)}</span>'
