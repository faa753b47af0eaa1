"""The vehicles, built in Blender: tractor with a container, box truck, their rears, car, bus, motorbike, a person."""

from __future__ import annotations

from collections.abc import Callable

from models.tools.world.solids import (
    AMBER,
    BLACK,
    LAMP,
    RED_LAMP,
    RUBBER,
    STEEL,
    WHITE,
    Colour,
    ball,
    box,
    drum,
    glass,
    paint,
    pane,
    post,
    profile,
)  # fmt: skip

BLUE: Colour = (0.03, 0.12, 0.36)
RED: Colour = (0.4, 0.03, 0.025)
GREEN: Colour = (0.05, 0.2, 0.1)
RUST: Colour = (0.28, 0.07, 0.035)
CREAM: Colour = (0.62, 0.56, 0.42)
SILVER: Colour = (0.5, 0.51, 0.53)


def wheels(ys: list[float], half: float, radius: float = 0.5, wide: float = 0.3) -> None:
    for y in ys:
        for x in (-half, half - wide):
            drum((x, x + wide), y, radius, radius, paint(RUBBER, 0.9))
            rim = (x - 0.01, x + 0.05) if x < 0 else (x + wide - 0.05, x + wide + 0.01)
            drum(rim, y, radius, radius * 0.55, paint(STEEL, 0.5, 0.6))


def cab(colour: Colour, half: float, high: float, deep: float, *, low: float = 0.45) -> None:
    """A flat-nosed cab: shell, windscreen with a driver behind it, grille, bumper, lamps, mirrors, wipers."""
    waist = low + (high - low) * 0.42
    shell = [(0.0, low + 0.3), (0.0, waist), (0.22, high - 0.22), (0.5, high), (deep, high), (deep, low + 0.25)]
    profile(shell, (-half, half), paint(colour, 0.28, dirt=0.25), 0.06)
    top = high - 0.3
    back = 0.22 * (top - waist) / (high - 0.22 - waist)
    pane([(-half + 0.1, -0.012, waist + 0.06), (half - 0.1, -0.012, waist + 0.06), (half - 0.16, back - 0.02, top),
          (-half + 0.16, back - 0.02, top)], glass())  # fmt: skip
    seen = paint((0.16, 0.1, 0.07), 0.8)
    shirt = paint((0.1, 0.14, 0.2), 0.9)
    ball((0.45, -0.0, waist + 0.42), 0.1, seen, (1, 0.3, 1.2))
    ball((0.45, -0.0, waist + 0.18), 0.2, shirt, (1, 0.15, 0.8))
    shine = [(-half + 0.25, -0.018, waist + 0.1), (-half + 0.75, -0.018, waist + 0.1)]
    shine += [(-half + 0.95, back * 0.8 - 0.03, top - 0.15), (-half + 0.55, back * 0.8 - 0.03, top - 0.15)]
    pane(shine, paint((0.16, 0.19, 0.22), 0.1))
    for side in (-1, 1):
        x = side * (half + 0.005)
        pane([(x, 0.3, waist + 0.08), (x, deep - 0.5, waist + 0.08), (x, deep - 0.5, top), (x, 0.5, top)], glass())
        box(
            sorted((side * (half + 0.08), side * (half + 0.26))),
            (0.05, 0.13),
            (waist + 0.1, waist + 0.65),
            paint(BLACK, 0.4),
            0.02,
        )
        box(sorted((side * half, side * (half + 0.12))), (0.08, 0.1), (waist + 0.6, waist + 0.64), paint(BLACK, 0.4))
    _nose(half, low, waist)
    for x in (-0.35, 0.2):
        box((x, x + 0.5), (-0.03, -0.015), (waist + 0.1, waist + 0.13), paint(BLACK, 0.5))


def _nose(half: float, low: float, waist: float) -> None:
    box((-half * 0.66, half * 0.66), (-0.02, 0.03), (low + 0.42, waist - 0.14), paint(BLACK, 0.5), 0.02)
    for i in range(4):
        z = low + 0.47 + i * 0.11
        if z < waist - 0.2:
            box((-half * 0.63, half * 0.63), (-0.035, 0.0), (z, z + 0.035), paint(STEEL, 0.3, 0.8))
    box(
        (-half - 0.01, half + 0.01),
        (-0.07, 0.25),
        (low - 0.08, low + 0.34),
        paint((0.12, 0.12, 0.125), 0.6, dirt=0.5),
        0.03,
    )
    for side in (-1, 1):
        x = side * half * 0.69
        box((x - 0.2, x + 0.2), (-0.03, 0.05), (low + 0.4, low + 0.62), paint(STEEL, 0.2, 0.5), 0.02)
        for k in (-0.09, 0.09):
            ball((x + k, -0.03, low + 0.51), 0.085, paint(LAMP, 0.05), (1, 0.35, 1))
        box(
            sorted((side * (half - 0.06), side * (half + 0.012))),
            (-0.03, 0.02),
            (low + 0.42, low + 0.6),
            paint(AMBER, 0.3),
            0.01,
        )
        ball((side * half * 0.72, -0.075, low + 0.08), 0.06, paint(LAMP, 0.1), (1, 0.3, 1))


def chassis(start: float, end: float, axles: list[float]) -> None:
    for x in (-0.45, 0.37):
        box((x, x + 0.08), (start, end), (0.72, 0.95), paint(BLACK, 0.7))
    wheels(axles, 1.2)


def container(start: float, colour: Colour, *, long: float = 12.1, high: float = 2.6, floor: float = 1.2) -> None:
    """An ISO box, its corrugated sides, corner castings."""
    steel = paint(colour, 0.55, dirt=0.5)
    box((-1.2, 1.2), (start, start + long), (floor, floor + high), steel)
    for i in range(int(long / 0.28)):
        y = start + 0.15 + i * 0.28
        for side in (-1, 1):
            box(sorted((side * 1.2, side * 1.222)), (y, y + 0.14), (floor + 0.12, floor + high - 0.12), steel)
    for i in range(9):
        box((-1.12 + i * 0.26, -1.0 + i * 0.26), (start - 0.022, start), (floor + 0.12, floor + high - 0.12), steel)
    for x in (-1.22, 1.1):
        for z in (floor, floor + high - 0.13):
            box((x, x + 0.12), (start - 0.03, start + 0.1), (z, z + 0.13), paint(STEEL, 0.5, 0.5))


def tractor() -> None:
    cab(BLUE, 1.22, 2.95, 2.1)
    box((-1.0, 1.0), (0.75, 2.0), (2.95, 3.45), paint(BLUE, 0.3, dirt=0.25), 0.15)
    chassis(1.5, 15.4, [1.3, 4.2, 5.5, 12.0, 13.3, 14.6])
    drum((-1.15, -0.75), 2.75, 0.75, 0.3, paint(SILVER, 0.3, 0.8))
    container(3.1, RUST)
    for y in (2.4, 9.5):
        box((-1.24, 1.24), (y, y + 0.06), (0.6, 0.66), paint(AMBER, 0.4))


def box_truck() -> None:
    cab(CREAM, 1.1, 2.35, 1.75)
    chassis(1.4, 7.0, [1.15, 5.6])
    side = paint((0.55, 0.57, 0.58), 0.5, dirt=0.35)
    box((-1.14, 1.14), (1.95, 7.1), (1.0, 3.25), side, 0.02)
    for i in range(11):
        y = 2.1 + i * 0.45
        for s in (-1, 1):
            box(sorted((s * 1.14, s * 1.155)), (y, y + 0.05), (1.05, 3.2), side)
    box((-1.16, 1.16), (1.93, 7.12), (0.98, 1.08), paint(RED, 0.5))
    profile([(0.4, 2.35), (1.7, 2.35), (1.7, 3.05), (1.2, 2.95)], (-0.9, 0.9), paint(CREAM, 0.3, dirt=0.2), 0.05)


def trailer_rear() -> None:
    """A container on a skeleton trailer seen from behind: doors, rods, under-run bar, lamps."""
    chassis(0.1, 12.5, [1.1, 2.4, 3.7, 11.0, 12.3])
    container(0.12, GREEN)
    _doors(0.1, 1.2, 2.6, GREEN)
    box((-1.2, 1.2), (-0.03, 0.05), (0.98, 1.2), paint(BLACK, 0.7, dirt=0.3))
    box((-1.15, 1.15), (-0.02, 0.06), (0.44, 0.58), paint((0.5, 0.06, 0.04), 0.5, dirt=0.3))
    for i in range(5):
        box((-1.1 + i * 0.46, -0.87 + i * 0.46), (-0.025, 0.0), (0.45, 0.57), paint(WHITE, 0.4))
    box((-1.0, -0.25), (-0.03, 0.0), (0.6, 0.86), paint(BLACK, 0.7))
    for side in (-1, 1):
        box((side * 1.0 - 0.16, side * 1.0 + 0.16), (-0.05, 0.02), (0.8, 0.93), paint(RED_LAMP, 0.2), 0.01)
        box((side * 1.0 - 0.05, side * 1.0 + 0.06), (-0.055, 0.02), (0.82, 0.91), paint(AMBER, 0.2))
        box(sorted((side * 0.75, side * 1.2)), (0.6, 0.64), (0.3, 0.95), paint(RUBBER, 0.9))
    cab_behind(12.9, BLUE)


def _doors(y: float, floor: float, high: float, colour: Colour) -> None:
    steel = paint(colour, 0.5, dirt=0.45)
    for x1, x2 in ((-1.14, -0.02), (0.02, 1.14)):
        box((x1, x2), (y - 0.04, y), (floor + 0.08, floor + high - 0.08), steel)
        for k in range(5):
            z = floor + 0.2 + k * 0.48
            box((x1 + 0.06, x2 - 0.06), (y - 0.055, y), (z, z + 0.2), steel)
    for x in (-0.85, -0.35, 0.35, 0.85):
        box((x - 0.02, x + 0.02), (y - 0.1, y - 0.06), (floor + 0.1, floor + high - 0.1), paint(SILVER, 0.4, 0.7))
        box((x - 0.06, x + 0.26), (y - 0.12, y - 0.09), (floor + 0.98, floor + 1.03), paint(SILVER, 0.4, 0.7))


def cab_behind(y: float, colour: Colour) -> None:
    box((-1.22, 1.22), (y, y + 2.0), (0.8, 2.95), paint(colour, 0.3), 0.05)
    wheels([y + 0.9], 1.2)


def tipper_tail() -> None:
    """A high-sided truck from behind: a plain tailgate on which a number may be painted."""
    chassis(0.2, 8.2, [1.5, 2.8, 7.2])
    side = paint((0.12, 0.2, 0.32), 0.5, dirt=0.55)
    box((-1.2, 1.2), (0.02, 6.2), (1.05, 2.75), side, 0.02)
    for x in (-1.2, -0.02, 1.08):
        box((x, x + 0.12), (-0.02, 0.02), (1.0, 2.8), side, 0.01)
    box((-1.2, 1.2), (-0.02, 0.02), (2.68, 2.8), side, 0.01)
    box((-1.2, 1.2), (-0.03, 0.03), (0.98, 1.1), paint(BLACK, 0.6, dirt=0.4))
    box((-0.32, 0.32), (-0.03, 0.0), (0.58, 0.92), paint(BLACK, 0.7))
    box((-1.1, 1.1), (-0.01, 0.07), (0.42, 0.54), paint(STEEL, 0.6, dirt=0.6))
    for s in (-1, 1):
        box((s * 0.95 - 0.2, s * 0.95 + 0.2), (-0.04, 0.02), (0.65, 0.8), paint(RED_LAMP, 0.2), 0.01)
        box((s * 0.95 - 0.05, s * 0.95 + 0.05), (-0.045, 0.02), (0.66, 0.79), paint(AMBER, 0.2))
        box(sorted((s * 0.7, s * 1.2)), (0.85, 0.89), (0.25, 0.95), paint(RUBBER, 0.9))
    box((-1.1, 1.1), (6.3, 8.3), (0.8, 2.5), paint((0.12, 0.2, 0.32), 0.3), 0.05)


def car() -> None:
    shell = paint(WHITE, 0.2)
    side = [
        (0.02, 0.35),
        (0.0, 0.62),
        (0.1, 0.86),
        (0.95, 1.02),
        (1.65, 1.6),
        (3.3, 1.66),
        (4.2, 1.12),
        (4.45, 1.0),
        (4.48, 0.35),
    ]
    profile(side, (-0.9, 0.9), shell, 0.025)
    profile([(1.02, 1.05), (1.66, 1.56), (3.25, 1.6), (3.95, 1.15)], (-0.915, 0.915), glass(), 0.0)
    pane([(-0.74, 0.985, 1.06), (0.74, 0.985, 1.06), (0.64, 1.6, 1.57), (-0.64, 1.6, 1.57)], glass())
    ball((0.36, 1.35, 1.28), 0.11, paint((0.2, 0.13, 0.09), 0.8), (1, 0.3, 1.2))
    box((-0.5, 0.5), (-0.02, 0.06), (0.66, 0.8), paint(BLACK, 0.4), 0.02)
    box((-0.62, 0.62), (-0.015, 0.05), (0.36, 0.48), paint(BLACK, 0.6), 0.02)
    for s in (-1, 1):
        ball((s * 0.66, 0.1, 0.78), 0.15, paint(LAMP, 0.05), (1.2, 0.6, 0.55))
        box(sorted((s * 0.9, s * 1.08)), (1.3, 1.42), (1.02, 1.16), shell, 0.03)
    wheels([0.95, 3.6], 0.93, 0.34, 0.22)


def bus() -> None:
    shell = paint((0.55, 0.5, 0.12), 0.3, dirt=0.15)
    side = [(0.0, 0.35), (0.0, 1.25), (0.18, 3.0), (0.4, 3.22), (10.5, 3.25), (10.6, 0.4)]
    profile(side, (-1.22, 1.22), shell, 0.08)
    pane([(-1.1, 0.0, 1.32), (1.1, 0.0, 1.32), (1.05, 0.14, 2.75), (-1.05, 0.14, 2.75)], glass())
    pane([(-0.8, -0.01, 1.4), (-0.3, -0.01, 1.4), (-0.1, 0.11, 2.6), (-0.5, 0.11, 2.6)], paint((0.12, 0.15, 0.18), 0.1))
    box((-0.9, 0.9), (0.1, 0.2), (2.8, 3.0), paint(BLACK, 0.3), 0.02)
    for s in (-1, 1):
        pane([(s * 1.226, 0.6, 1.45), (s * 1.226, 10.2, 1.45), (s * 1.226, 10.2, 2.6), (s * 1.226, 0.8, 2.6)], glass())
        for k in range(6):
            box(sorted((s * 1.22, s * 1.235)), (1.9 + k * 1.5, 2.0 + k * 1.5), (1.4, 2.65), shell)
        ball((s * 0.92, 0.0, 0.82), 0.14, paint(LAMP, 0.05), (1.4, 0.3, 0.8))
        box(sorted((s * 1.25, s * 1.42)), (-0.05, 0.03), (1.9, 2.4), paint(BLACK, 0.4), 0.03)
    box((-1.23, 1.23), (-0.04, 0.2), (0.3, 0.68), paint((0.35, 0.3, 0.07), 0.4, dirt=0.3), 0.04)
    box((-0.6, 0.6), (-0.02, 0.0), (0.85, 1.15), paint(BLACK, 0.5), 0.02)
    wheels([2.4, 8.0], 1.2)


def bike() -> None:
    x = -1.55
    for y in (0.3, 1.5):
        drum((x - 0.05, x + 0.05), y, 0.3, 0.3, paint(RUBBER, 0.9))
    box((x - 0.12, x + 0.12), (0.35, 0.6), (0.45, 0.95), paint(RED, 0.3), 0.04)
    box((x - 0.14, x + 0.14), (0.5, 1.6), (0.55, 0.78), paint(RED, 0.3), 0.06)
    ball((x, 0.25, 0.98), 0.1, paint(LAMP, 0.05), (1, 0.6, 1))
    box((x - 0.34, x + 0.34), (0.38, 0.42), (1.02, 1.06), paint(BLACK, 0.5))
    _person(x, 0.95, 0.62, seated=True)


def walker() -> None:
    _person(1.9, 0.3, 0.0, seated=False)


def _person(x: float, y: float, z: float, *, seated: bool) -> None:
    shirt, trousers, skin = (
        paint((0.05, 0.14, 0.1), 0.9),
        paint((0.03, 0.035, 0.05), 0.9),
        paint((0.35, 0.2, 0.13), 0.7),
    )
    hip = z + (0.2 if seated else 0.9)
    ball((x, y, hip + 0.3), 0.24, shirt, (0.85, 0.6, 1.35))
    ball((x, y - 0.03, hip + 0.76), 0.125, paint(WHITE, 0.3) if seated else skin, (1, 1.05, 1.15))
    for s in (-1, 1):
        if seated:
            box((x + s * 0.14 - 0.07, x + s * 0.14 + 0.07), (y - 0.5, y), (hip - 0.05, hip + 0.1), trousers, 0.04)
            box((x + s * 0.26 - 0.05, x + s * 0.26 + 0.05), (y - 0.5, y), (hip + 0.38, hip + 0.48), shirt, 0.03)
        else:
            post(x + s * 0.1, y + s * 0.08, (0.0, hip), 0.085, trousers)
            post(x + s * 0.25, y, (hip - 0.05, hip + 0.55), 0.055, shirt)


BUILD: dict[str, Callable[[], None]] = {
    "tractor": tractor, "box": box_truck, "rear": trailer_rear, "tail": tipper_tail,
    "car": car, "bus": bus, "bike": bike, "walker": walker,
}  # fmt: skip
