"""Vietnamese plates of every kind. Patterns as in config/plates.toml, proportions of Circulars 58/2020 and 24/2023."""

from __future__ import annotations

from random import Random

from models.tools.spec import Cell, Spec, digits

CODES = [c for c in range(11, 100) if c not in (13, 42, 44, 45, 46, 80, 87, 91, 96)] + [80]
VN_SERIES = "ABCDEFGHKLMNPSTUVXYZ"


def _flow(
    marks: str, width: float, height: float, x0: float, x1: float, y: float, gap: float, tints: dict[int, str]
) -> list[Cell]:
    """Marks set one after the other and centred between x0 and x1; a dash is half a character wide, a dot a quarter."""
    widths = [
        width * (0.5 if m == "-" else 0.2 if m == "." else 0.45 if m in "1I" else 0.55 if m == " " else 1)
        for m in marks
    ]
    total = sum(widths) + gap * (len(marks) - 1)
    squeeze = min(1.0, (x1 - x0) / total)
    x = (x0 + x1 - total * squeeze) / 2
    cells = []
    for i, (mark, own) in enumerate(zip(marks, widths, strict=True)):
        w = own * squeeze
        if mark != " ":
            cells.append(Cell(mark, x, y, w, height, tints.get(i, "text"), mark not in "-."))
        x += w + gap * squeeze
    return cells


def _number(r: Random) -> str:
    n = r.random()
    if n < 0.68:
        d = digits(r, 5)
        return d[:3] + ("." if r.random() < 0.93 else "") + d[3:]
    return digits(r, 4)


def _vn_head(r: Random, bike: bool) -> tuple[str, str, str]:
    """(code and series, ground colour, ink)"""
    code = (
        f"{r.choice(CODES):02d}"
        if r.random() < 0.7
        else r.choice(["12", "29", "30", "51", "59", "15", "43", "61", "50", "99"])
    )
    roll = r.random()
    if bike:
        if roll < 0.84:
            return f"{code}-{r.choice(VN_SERIES)}{r.choice('123456789')}", "white", "black"
        if roll < 0.94:
            return f"{code}-{r.choice(VN_SERIES)}{r.choice(VN_SERIES)}", "white", "black"
        return f"{code}-M{r.choice('ĐD')}{r.choice('123456789')}", "white", "black"
    if roll < 0.80:
        series = r.choice(VN_SERIES) if r.random() < 0.6 else r.choice("ACDHRFBG")
        ground = r.choices(["white", "yellow", "blue"], [0.66, 0.29, 0.05])[0]
        return code + series, ground, "white" if ground == "blue" else "black"
    if roll < 0.88:
        return code + r.choice(["R", "RM"]), r.choice(["white", "yellow"]), "black"
    if roll < 0.94:
        return code + r.choice(["KT", "LD", "DA", "CD", "HC", "TĐ", "LD"]), "white", "black"
    if roll < 0.97:
        return code + r.choice(["LB", "CT", "KL", "LA"]), "yellow", "red"
    return code + r.choice(["MK", "XA", "SA", "MA"]), "white", "black"


def vn_long(r: Random) -> Spec:
    width = r.choice([520.0, 520.0, 470.0, 490.0])
    head, ground, ink = _vn_head(r, bike=False)
    tail = _number(r)
    marks = head + r.choices(["-", " ", ""], [0.85, 0.12, 0.03])[0] + tail
    if r.random() < 0.06 and width == 520:
        marks = head[:2] + "-" + head[2:] + " " + tail
    cells = _flow(marks, r.uniform(36, 48), r.uniform(72, 84), 18, width - 18, 110 / 2 - 39, r.uniform(7, 13), {})
    return Spec(_plain(marks), "VN", "one_line", ground, (width, 110), cells, ink)


def vn_short(r: Random) -> Spec:
    width, height = r.choice([(330.0, 165.0), (330.0, 165.0), (280.0, 200.0), (330.0, 200.0)])
    head, ground, ink = _vn_head(r, bike=False)
    return _two_lines(r, head + ("-" if r.random() < 0.12 else ""), _number(r), width, height, ground, ink, 0.55)


def vn_bike(r: Random) -> Spec:
    head, ground, ink = _vn_head(r, bike=True)
    if r.random() < 0.06:
        ground, ink = "blue", "white"
    return _two_lines(
        r,
        head if r.random() < 0.93 else head.replace("-", ""),
        _number(r),
        190,
        r.choice([140.0, 140.0, 150.0]),
        ground,
        ink,
        0.5,
    )


def _two_lines(
    r: Random, top: str, low: str, width: float, height: float, ground: str, ink: str, aspect: float
) -> Spec:
    line = height * r.uniform(0.35, 0.43)
    gap = (height - 2 * line) / 3
    wide = line * aspect * r.uniform(0.85, 1.12)
    inset = width * r.uniform(0.04, 0.09)
    spacing = r.uniform(0.1, 0.24) * wide
    cells = _flow(top, wide, line, inset, width - inset, gap, spacing, {})
    cells += _flow(low, wide, line, inset, width - inset, 2 * gap + line, spacing, {})
    return Spec(_plain(top + low), "VN", "two_line", ground, (width, height), cells, ink)


def vn_military(r: Random) -> Spec:
    head, a, b = r.choice("ABCDHKPQTV") + r.choice("ABCDEGHKLMNPQRSTUVX"), digits(r, 2), digits(r, 2)
    if r.random() < 0.5:
        cells = _flow(f"{head} {a}-{b}", r.uniform(38, 48), r.uniform(70, 84), 18, 502, 16, r.uniform(9, 16), {})
        return Spec(head + a + b, "VN", "one_line", "red", (520, 110), cells, "white")
    return _two_lines(
        r, head, f"{a}-{b}", *r.choice([(330.0, 165.0), (280.0, 200.0), (190.0, 140.0)]), "red", "white", 0.55
    )


def vn_foreign(r: Random) -> Spec:
    kind = r.choice(["NG", "QT", "NN", "CV"])
    code, country, number = f"{r.choice(CODES):02d}", digits(r, 3), digits(r, r.choice([2, 2, 3]))
    red = {7: "red", 8: "red"} if kind in ("NG", "QT") else {}
    if r.random() < 0.6:
        cells = _flow(f"{code}-{country}-{kind}-{number}", 38, r.uniform(70, 82), 12, 508, 16, 6, red)
        return Spec(code + country + kind + number, "VN", "one_line", "white", (520, 110), cells)
    return _two_lines(r, f"{code}-{country}", f"{kind}-{number}", 330, 165, "white", "black", 0.5)


def vn_temporary(r: Random) -> Spec:
    code, number = f"{r.choice(CODES):02d}", digits(r, r.choice([4, 5, 6]))
    if r.random() < 0.5:
        cells = _flow(f"T{code}-{number}", 40, r.uniform(70, 82), 15, 505, 16, 9, {})
        return Spec(f"T{code}{number}", "VN", "one_line", "white", (520, 110), cells, r.choice(["black", "red"]))
    return _two_lines(r, f"T{code}", number, 330, 165, "white", r.choice(["black", "red"]), 0.55)


def _plain(marks: str) -> str:
    return "".join(m for m in marks if m not in "-. ")
