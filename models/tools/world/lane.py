"""The empty lane and its boom, built in Blender: road, kerb, lines, stop line, booth, hills, trees, lamp posts."""

from __future__ import annotations

import math

from models.tools.world.solids import BLACK, STEEL, WHITE, ball, body, box, glass, paint, post

STOP_Y = 7.9
BOOM_Y, BOOM_X, BOOM_Z = 5.0, 1.75, 0.95
ARM_M = 3.7


def lane() -> None:
    box((-70, 70), (-6, 170), (-0.4, -0.03), paint((0.085, 0.105, 0.055), 0.95, dirt=0.4))
    box((-2.3, 5.8), (-6, 170), (-0.03, 0.0), paint((0.125, 0.125, 0.125), 0.85, dirt=0.35))
    box((-2.75, -2.3), (-6, 170), (-0.02, 0.16), paint((0.3, 0.3, 0.29), 0.8, dirt=0.4), 0.02)
    for i in range(34):
        box((2.15, 2.28), (i * 3.2 - 3, i * 3.2 - 1.3), (0.0, 0.004), paint((0.6, 0.6, 0.57), 0.7, dirt=0.4))
    box((-2.2, 2.1), (STOP_Y - 0.75, STOP_Y - 0.45), (0.0, 0.004), paint((0.62, 0.62, 0.6), 0.7, dirt=0.5))
    booth()
    for x, y, wide, high in ((-60, 150, 42, 24), (-8, 165, 36, 15), (34, 160, 40, 27), (75, 150, 40, 18)):
        ball((x, y, -2), 1.0, paint((0.1, 0.15, 0.1), 1.0), (wide, 8, high))
    for i, y in enumerate((17, 24, 33, 45, 60)):
        tree(-6.2 - (i % 2), y, 3.4 + (i % 3) * 0.6)
        tree(10.5 + (i % 2) * 1.4, y + 4, 3.0 + (i % 3) * 0.9)
    for y in (14, 38, 62):
        post(-3.6, y, (0, 7.0), 0.07, paint(STEEL, 0.5, 0.6))
        box((-3.6, -2.3), (y - 0.05, y + 0.05), (6.9, 7.0), paint(STEEL, 0.5, 0.6))
    box((6.3, 6.4), (9, 60), (0.4, 1.2), paint((0.35, 0.36, 0.36), 0.7, dirt=0.4))


def booth() -> None:
    wall = paint((0.5, 0.53, 0.5), 0.7, dirt=0.25)
    box((3.0, 4.7), (8.8, 11.2), (0, 0.16), paint((0.3, 0.3, 0.29), 0.8))
    box((3.1, 4.6), (9.0, 11.0), (0.16, 1.1), wall)
    box((3.12, 4.58), (9.02, 10.98), (1.1, 2.15), glass())
    for x in (3.1, 4.54):
        for y in (9.0, 10.94):
            box((x, x + 0.06), (y, y + 0.06), (1.1, 2.2), wall)
    box((3.1, 4.6), (9.0, 11.0), (2.15, 2.35), wall)
    box((2.85, 4.85), (8.7, 11.3), (2.35, 2.52), paint((0.3, 0.05, 0.04), 0.5))


def tree(x: float, y: float, high: float) -> None:
    post(x, y, (0, high * 0.5), 0.12, paint((0.08, 0.055, 0.035), 0.9))
    for k in range(7):
        turn = k * 2.4
        place = (x + 0.7 * math.cos(turn), y + 0.7 * math.sin(turn), high * (0.55 + 0.06 * k))
        ball(place, 0.9, paint((0.035, 0.085, 0.03), 0.95), (1, 1, 0.8))


def stand() -> None:
    """The boom's post."""
    box(
        (BOOM_X - 0.18, BOOM_X + 0.18),
        (BOOM_Y - 0.16, BOOM_Y + 0.16),
        (0, 1.15),
        paint((0.75, 0.28, 0.02), 0.4, dirt=0.2),
        0.03,
    )
    box((BOOM_X - 0.19, BOOM_X + 0.19), (BOOM_Y - 0.17, BOOM_Y + 0.17), (0.5, 0.6), paint(BLACK, 0.5))


def boom(raised: float) -> None:
    """The arm, `raised` 0..1 of 83 degrees."""
    turn = raised * math.radians(83)
    pieces = 9
    for i in range(pieces):
        a, b = ARM_M * i / pieces, ARM_M * (i + 1) / pieces
        _piece(a, b, turn, paint((0.6, 0.04, 0.03), 0.4) if i % 2 == 0 else paint(WHITE, 0.4))


def _piece(a: float, b: float, turn: float, colour: object) -> None:
    up, along = (math.sin(turn), math.cos(turn)), (-math.cos(turn), math.sin(turn))
    points = []
    for reach in (a, b):
        for side in (-0.055, 0.055):
            for y in (-0.03, 0.03):
                x = BOOM_X + along[0] * reach + up[0] * side
                points.append((x, BOOM_Y + y, BOOM_Z + along[1] * reach + up[1] * side))
    faces = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    body(points, faces, colour)
