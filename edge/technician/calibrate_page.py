"""The calibration as one HTML page: what to turn, pictures, heat map, before and after on the same clip."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.clock import wall_iso
from edge.core.camera.calibrate import heat, rate
from edge.core.camera.measured_plate import PlateSight
from edge.core.camera.view_settings import Aim
from edge.core.model import Point
from edge.ports import Detector, Frame, Image, Reader
from edge.technician import html
from edge.technician.calibrate_words import Result, patch, words
from edge.vision.adjust import corrected
from edge.vision.survey import Aimed

GREEN, RED, BLUE = (60, 170, 40), (40, 40, 210), (220, 130, 20)
"""BGR."""


def page(result: Result, detector: Detector, reader: Reader) -> str:
    def both(code: str, **numbers: object) -> str:
        return html.both(words(code, "vi", numbers), words(code, "en", numbers))

    found = (
        "".join(f"<li>{both(one.code, **one.numbers)}</li>" for one in result.findings) or f"<li>{both('good')}</li>"
    )
    read, of = rate(result.study.sights)
    parts = [
        f"<p>{escape(result.camera)} · {escape(result.source)} · {wall_iso()[:19]}</p>",
        f"<p>{both('rate', read=read, of=of)}</p>",
        f'<ol class="findings">{found}</ol>',
        _way(result, both("way", way=result.study.way.direction) if result.study.way else ""),
        f"<h2>{both('heat_read')}</h2>",
        _heat(result),
        f"<p>{_key(RED)} {both('before')} · {_key(BLUE)} {both('after')}</p>",
        _numbers(result.study.sights),
        f"<h2>{both('patch')}</h2><pre>{escape(patch(result))}</pre>",
        f"<h2>{both('before')} · {both('after')}</h2>",
        *_compared(result, detector, reader, (both("before"), both("after"))),
    ]
    return html.document(f"{words('title', 'vi')} / {words('title', 'en')}", parts)


def _key(colour: tuple[int, int, int]) -> str:
    """What the region is drawn in."""
    blue, green, red = colour
    return f'<b style="color: rgb({red}, {green}, {blue})">▭</b>'


def _way(result: Result, text: str) -> str:
    pace = result.study.pace
    rows = [text]
    if pace is not None:
        delay = "" if pace.delay_ms is None else f", delay {pace.delay_ms:.0f} ms"
        rows.append(f"{pace.fps:.1f} fps, jitter {pace.jitter_ms:.0f} ms{delay}")
    return f"<p>{'<br>'.join(row for row in rows if row)}</p>"


def _heat(result: Result) -> str:
    """Green where plates were read, red where they were lost, over a frame of the film; region and line on it."""
    if not result.study.shown:
        return ""
    canvas = result.study.shown[-1][0].image.copy()
    fields = heat(result.study.sights)
    height, width = canvas.shape[:2]
    over = canvas.copy()
    for row, cells in enumerate(fields):
        for column, (read, lost) in enumerate(cells):
            if read + lost:
                x1, y1 = column * width // len(cells), row * height // len(fields)
                x2, y2 = (column + 1) * width // len(cells), (row + 1) * height // len(fields)
                share = read / (read + lost)
                colour = tuple(round(g * share + r * (1 - share)) for g, r in zip(GREEN, RED, strict=True))
                cv2.rectangle(over, (x1, y1), (x2, y2), colour, -1)
    mixed = np.asarray(cv2.addWeighted(over, 0.55, canvas, 0.45, 0), np.uint8)
    aimed(mixed, result.aim, RED)
    aimed(mixed, result.proposal.aim, BLUE)
    return html.picture(mixed, 960, "heat map")


def aimed(image: Image, aim: Aim, colour: tuple[int, int, int]) -> None:
    """Draws region and line into the picture."""
    if aim.region is not None:
        cv2.polylines(image, [_pixels(aim.region, image)], True, colour, 3)
    if aim.line is not None:
        a, b = _pixels(aim.line, image)
        cv2.line(image, tuple(int(v) for v in a), tuple(int(v) for v in b), colour, 5)


def _pixels(points: Sequence[Point], image: Image) -> NDArray[np.int32]:
    scale = np.array([image.shape[1], image.shape[0]])
    return np.asarray(np.round(np.asarray(points, np.float64) * scale), np.int32)


def _numbers(sights: Sequence[PlateSight]) -> str:
    head = ("s", "px", "°", "blur px", "contrast", "light", "glare", "text", "conf", "aid")
    rows = [
        (
            f"{s.at_s:.2f}", f"{s.height_px:.0f}", f"{s.tilt_deg:.0f}", f"{s.blur_px:.1f}", f"{s.contrast:.2f}",
            f"{s.light:.0f}", f"{100 * s.glare:.0f} %", s.text, f"{s.confidence:.2f}", s.aid,
        )
        for s in sights[:200]
    ]  # fmt: skip
    classes = ["good" if s.read else "bad" for s in sights]
    return f"<details><summary>{len(sights)}</summary>{html.table(head, rows, classes)}</details>"


def _compared(result: Result, detector: Detector, reader: Reader, titles: tuple[str, str]) -> list[str]:
    """The same frames under the old and the new aim, side by side: the ones that changed first."""
    eyes = [(aim, Aimed(detector, reader, aim, result.study.sure)) for aim in (result.aim, result.proposal.aim)]
    shown = []
    for frame, _ in result.study.shown[-6:]:
        old, new = ([s for s in eye.look(frame) if s.text] for _, eye in eyes)
        changed = any(s.read for s in new) != any(s.read for s in old)
        columns = [
            f"<figure>{_frame(frame, aim, sights)}<figcaption>{title} {frame.captured_mono_ns / 1e9:.2f} s: "
            f"{escape(', '.join(f'{s.text} {s.confidence:.2f}' for s in sights) or '–')}</figcaption></figure>"
            for (aim, _), sights, title in zip(eyes, (old, new), titles, strict=True)
        ]
        shown.append((not changed, f'<div class="side">{"".join(columns)}</div>'))
    return [text for _, text in sorted(shown, key=lambda one: one[0])]


def _frame(frame: Frame, aim: Aim, sights: Sequence[PlateSight]) -> str:
    image, there = corrected(frame.image, aim.picture)
    drawn = image.copy()
    if np.allclose(there, np.eye(3)):
        aimed(drawn, aim, BLUE)
    for sight in sights:
        corners = np.column_stack([np.asarray(sight.corners), np.ones(4)]) @ there[:2].T
        cv2.polylines(drawn, [np.round(corners).astype(np.int32)], True, GREEN if sight.read else RED, 2)
    return html.picture(drawn, 560)
