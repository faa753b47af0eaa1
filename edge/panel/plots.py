"""Plots as inline SVG, drawn by the server: no script, no style attribute, colours by the style sheet's classes."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 720, 200, 44, 24, 16
"""User units; the picture scales with its place."""
BAR_HEIGHT, LABEL_WIDTH = 30, 330

Values = Sequence[float | None]


def hours(title: str, values: Values, hour_word: str, above: Values | None = None, most: float | None = None) -> str:
    """24 bars by hour; `above` is stacked on them. None is drawn as nothing, zero as a line on the ground."""
    top = most or _round_up(max([0.0, *(_sum(values, above, hour) or 0.0 for hour in range(len(values)))]))
    step = (WIDTH - LEFT) / len(values)
    parts = [_scale(top), _hour_marks(len(values), step, hour_word)]
    for hour, value in enumerate(values):
        parts.append(_bar(hour, step, value, 0.0, top, "column"))
        if above is not None:
            parts.append(_bar(hour, step, above[hour] or None, value or 0.0, top, "column above"))
        whole = _sum(values, above, hour)
        if whole:
            x, y = LEFT + (hour + 0.5) * step, _y(whole, top) - 3
            parts.append(f'<text class="value" x="{x:.1f}" y="{y:.1f}" text-anchor="middle">{whole:.0f}</text>')
    return _svg(title, WIDTH, HEIGHT, "".join(parts))


def ranks(title: str, rows: Sequence[tuple[str, int]]) -> str:
    """One bar a row, the name before it and the count behind it."""
    most = max((count for _, count in rows), default=1)
    room = WIDTH - LABEL_WIDTH - 60
    parts = []
    for number, (name, count) in enumerate(rows):
        y, width = number * BAR_HEIGHT, room * count / most
        parts.append(
            f'<text class="mark" x="{LABEL_WIDTH - 10}" y="{y + 20}" text-anchor="end">{escape(name)}</text>'
            f'<rect class="column" x="{LABEL_WIDTH}" y="{y + 5}" width="{width:.1f}" height="{BAR_HEIGHT - 10}"/>'
            f'<text class="value" x="{LABEL_WIDTH + width + 8:.1f}" y="{y + 20}">{count}</text>'
        )
    return _svg(title, WIDTH, max(1, len(rows)) * BAR_HEIGHT, "".join(parts))


def _svg(title: str, width: int, height: int, inner: str) -> str:
    name = escape(title, quote=True)
    return f'<svg class="plot" viewBox="0 0 {width} {height}" role="img" aria-label="{name}">{inner}</svg>'


def _bar(hour: int, step: float, value: float | None, base: float, top: float, kind: str) -> str:
    if value is None:
        return ""
    y, ground = _y(base + value, top), _y(base, top)
    x, height = LEFT + hour * step + 2, max(ground - y, 1.0)
    return f'<rect class="{kind}" x="{x:.1f}" y="{y:.1f}" width="{step - 4:.1f}" height="{height:.1f}"/>'


def _scale(top: float) -> str:
    """The ground, the middle and the top, with their values."""
    parts = []
    for value in (0.0, top / 2, top):
        y = _y(value, top)
        parts.append(
            f'<line class="grid" x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH}" y2="{y:.1f}"/>'
            f'<text class="mark" x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{value:g}</text>'
        )
    return "".join(parts)


def _hour_marks(count: int, step: float, hour_word: str) -> str:
    marks = [
        f'<text class="mark" x="{LEFT + (hour + 0.5) * step:.1f}" y="{HEIGHT - 6}" text-anchor="middle">{hour}</text>'
        for hour in range(0, count, 2)
    ]
    unit = f'<text class="mark" x="{LEFT - 6}" y="{HEIGHT - 6}" text-anchor="end">{escape(hour_word)}</text>'
    return "".join(marks) + unit


def _y(value: float, top: float) -> float:
    return HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * (value / top if top else 0.0)


def _sum(values: Values, above: Values | None, hour: int) -> float | None:
    if above is None:
        return values[hour]
    return (values[hour] or 0.0) + (above[hour] or 0.0)


def _round_up(value: float) -> float:
    """The next of 2, 4, 10, 20, 40, 100 …: an axis that people read at a glance."""
    top = 2.0
    while True:
        for factor in (1.0, 2.0, 5.0):
            if value <= top * factor:
                return top * factor
        top *= 10
