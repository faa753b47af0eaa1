"""Chinese plates of every kind. Patterns follow config/plates.toml, proportions GA 36-2018 as quoted by vendors."""

from __future__ import annotations

from random import Random

from models.tools import spec
from models.tools.alphabet import PROVINCES
from models.tools.spec import Cell, Spec, digits

CN_LETTER = "ABCDEFGHJKLMNPQRSTUVWXYZ"
CN_ANY = CN_LETTER + "0123456789"
ALIKE_MARKS = ("G6", "G6C0", "Q0D", "B8", "S5", "Z2", "17T", "A4", "UV", "MNH", "XKY")
ALIKE_HEADS = ("GC", "GC", "GC", "GCQ", "JT", "JT", "JLU", "EF", "PFR", "RKX", "BSE", "DUQ", "VUW", "MNH", "XKY", "TLZ")
ALIKE_PROVINCES = ("浙渝沪湘津", "苏藏鲁", "粤鄂豫", "皖晋", "琼京", "赣贵", "川云", "吉青", "闽新", "辽冀黑蒙")


def _serial(r: Random, n: int) -> str:
    """`n` marks with at least two digits among them; mostly digits, as on the road."""
    marks, plain = ("0123456789", 0.68) if r.random() < 0.8 else (r.choice(ALIKE_MARKS), 0.0)
    while True:
        text = "".join(r.choice(marks) if r.random() < max(plain, 0.5) else r.choice(CN_ANY) for _ in range(n))
        if sum(c.isdigit() for c in text) >= min(2, n):
            return text


def _cn_row(
    text: str, size: tuple[float, float], w: float, h: float, left: float, gap: float, dot_gap: float, tint: str
) -> list[Cell]:
    cells, x, y = [], left, (size[1] - h) / 2
    for i, mark in enumerate(text):
        last = i == len(text) - 1
        width = w * 0.42 if mark == "1" else w
        cells.append(Cell(mark, x + (w - width) / 2, y, width, h, tint if last else "text"))
        x += w + (dot_gap if i == 1 else gap)
        if i == 1 and dot_gap > 20:
            cells.append(Cell(".", x - dot_gap / 2 - 5, size[1] / 2 - 5, 10, 10, "text", False))
    return cells


def _cn_two(text: str, ground: str, ink: str, bike: bool = False, tint: str = "text") -> Spec:
    k = 0.5 if bike else 1.0
    top = [Cell(text[0], 110, 15, 80, 60), Cell(text[1], 250, 15, 80, 60), Cell(".", 215, 40, 10, 10, "text", False)]
    low = []
    count = len(text) - 2
    for i, mark in enumerate(text[2:]):
        w = 28 if mark == "1" else 65
        x = 220 - (count * 80 - 15) / 2 + i * 80
        low.append(Cell(mark, x + (65 - w) / 2, 90, w, 110, tint if i == count - 1 else "text"))
    for cell in top + low:
        cell.x, cell.y, cell.w, cell.h = (
            cell.x * k,
            cell.y * k * (1.27 if bike else 1),
            cell.w * k,
            cell.h * k * (1.27 if bike else 1),
        )
    order = [*top[:2], *low, top[2]]
    return Spec(text, "CN", "two_line", ground, (440 * k, 140 if bike else 220), order, ink)


def _one(text: str, ground: str, ink: str, tint: str = "text") -> Spec:
    cells = _fit(_cn_row(text, (440, 140), 45, 90, 15.5, 12, 34, tint), 424.5)
    return Spec(text, "CN", "one_line", ground, (440, 140), cells, ink)


def _fit(cells: list[Cell], right: float) -> list[Cell]:
    """Squeeze a row so that it ends at `right` mm."""
    left, end = cells[0].x, max(c.x + c.w for c in cells)
    scale = min(1.0, (right - left) / (end - left))
    for cell in cells:
        cell.x, cell.w = left + (cell.x - left) * scale, cell.w * scale
    return cells


def cn_small(r: Random) -> Spec:
    return _one(_head(r) + _serial(r, 5), "blue", "white")


def cn_large_front(r: Random) -> Spec:
    return _one(_head(r) + _serial(r, 5), "yellow", "black")


def cn_large_rear(r: Random) -> Spec:
    return _cn_two(_head(r) + _serial(r, 5), "yellow", "black")


def cn_trailer(r: Random) -> Spec:
    return _cn_two(_head(r) + _serial(r, 4) + "挂", "yellow", "black")


def cn_new_energy(r: Random) -> Spec:
    small = r.random() < 0.65
    tail = (
        r.choice("DFDFABCEGHJK") + r.choice(CN_ANY if r.random() < 0.3 else "0123456789") + digits(r, 4)
        if small
        else digits(r, 5) + r.choice("DFDFABCEGHJK")
    )
    text = _head(r) + tail
    cells = _cn_row(text, (480, 140), 43, 90, 15.5, 9, 49 if r.random() < 0.5 else 20, "text")
    return Spec(text, "CN", "one_line", "green", (480, 140), _fit(cells, 464.5), "black", "fade" if small else "split")


def cn_special(r: Random) -> Spec:
    kind = r.randrange(9)
    head = _head(r)
    if kind == 7:
        return _forces(_letters(r, 2) + digits(r, 5), 2)
    if kind == 8:
        return _forces("WJ" + digits(r, 2) + r.choice("XBTSHJD0123456789") + digits(r, 4), 2)
    if kind == 0:
        return _one(head + _serial(r, 4) + "学", "yellow", "black")
    if kind == 1:
        return _one(head + _serial(r, 4) + "警", "white", "black", "red")
    if kind == 2:
        return cn_hong_kong(r)
    if kind == 3:
        return _one(head + digits(r, 4) + "领", "black", "white", "red")
    if kind == 4:
        return _one(digits(r, 6) + "使" if r.random() < 0.5 else "使" + digits(r, 6), "black", "white", "red")
    if kind == 5:
        return (
            _one(head + _serial(r, 4) + "应急", "white", "black", "red")
            if r.random() < 0.5
            else _cn_two(head + _serial(r, 4) + "学", "yellow", "black")
        )
    return _one(head + _serial(r, 5), r.choice(["black", "black", "white"]), "contrast")


def cn_hong_kong(r: Random) -> Spec:
    """Vehicles of Hong Kong and Macao on the mainland: white on black, below or above their plate of home."""
    return _one("粤Z" + _serial(r, 4) + r.choice("港澳"), "black", "white")


def _letters(r: Random, n: int) -> str:
    return "".join(r.choice(CN_LETTER) for _ in range(n))


def _forces(text: str, red: int) -> Spec:
    """Army and armed police: white ground, the first marks red."""
    spec = _one(text, "white", "black")
    for cell in [c for c in spec.cells if c.counts][:red]:
        cell.tint = "red"
    return spec


def cn_bike(r: Random) -> Spec:
    return _cn_two(_head(r) + _serial(r, 5), r.choice(["yellow", "blue"]), "contrast", bike=True)


def cn_farm(r: Random) -> Spec:
    head = r.choice(PROVINCES) + digits(r, 2)
    spec = _cn_two(head[0] + head[1] + head[2] + digits(r, 5), "green", "white")
    top = [Cell(head[0], 95, 15, 70, 60), Cell(head[1], 215, 15, 55, 60), Cell(head[2], 290, 15, 55, 60)]
    low = [Cell(m, 27.5 + i * 80, 90, 65, 110) for i, m in enumerate(spec.text[3:])]
    spec.cells = top + low
    return spec


def _head(r: Random) -> str:
    roll = r.random()
    province = "桂" if roll < 0.05 else r.choice(r.choice(ALIKE_PROVINCES)) if roll < 0.45 else r.choice(PROVINCES)
    if spec.HEADS_ALIKE and r.random() < spec.HEADS_ALIKE:
        return province + r.choice(r.choice(ALIKE_HEADS))
    return province + (r.choice("ABCDEF") if r.random() < 0.4 else r.choice(CN_LETTER))
