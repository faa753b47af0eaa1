"""What stands where on each vehicle, and where sprites of it are rendered. Blender and the 2-D stage share it.

A vehicle's face (the side with the plate) stands at y = 0 and looks at the camera; its length runs along +y.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from models.tools.world.lens import hull

Slot = tuple[float, float, float]
"""Centre x, y, and the middle's z of a plate, in metres from the middle of the face on the ground."""

STEP = 1.12
"""Between two sprites the nearer one is so much larger; the stage bends the nearest one into place."""
PASSING_M = 2.5
FAR_Y, NEAR_Y = 40.0, 3.6


@dataclass(frozen=True)
class Plan:
    length: float
    half: float
    height: float
    plates: Mapping[str, Slot]
    lamps: tuple[Slot, ...] = ()
    """Headlights, or tail lights where `rear`."""
    rear: bool = False
    x: float = 0.0
    face: tuple[float, float] = (0.9, 0.0)
    """Height of the face's middle, and how far behind y = 0 it lies: the plane that sprites are bent by."""
    far: float = FAR_Y
    near: float = NEAR_Y
    """Sprites are rendered from `far` to `near`, and beyond it while anything is in view."""


FLEET: dict[str, Plan] = {
    "tractor": Plan(
        15.6, 1.28, 3.95, {"main": (0.0, -0.07, 0.62), "left": (-0.34, -0.07, 0.62), "right": (0.34, -0.07, 0.62)},
        ((-0.88, -0.02, 0.95), (0.88, -0.02, 0.95)),
    ),
    "box": Plan(7.2, 1.16, 3.3, {"main": (0.0, -0.09, 0.6)}, ((-0.8, -0.02, 0.98), (0.8, -0.02, 0.98))),
    "rear": Plan(
        15.6, 1.26, 3.95, {"main": (-0.62, -0.05, 0.72), "middle": (0.0, -0.05, 0.62)},
        ((-1.0, -0.06, 0.86), (1.0, -0.06, 0.86)), rear=True,
    ),
    "tail": Plan(
        8.4, 1.22, 3.1, {"main": (0.0, -0.05, 0.74), "gate": (0.0, -0.045, 1.75)},
        ((-0.95, -0.04, 0.72), (0.95, -0.04, 0.72)), rear=True,
    ),
    "car": Plan(4.5, 0.92, 1.68, {"main": (0.0, -0.03, 0.55)}, ((-0.66, 0.12, 0.78), (0.66, 0.12, 0.78))),
    "bus": Plan(10.6, 1.24, 3.3, {"main": (0.0, -0.05, 0.58)}, ((-0.92, -0.02, 0.82), (0.92, -0.02, 0.82))),
    "bike": Plan(2.0, 0.4, 1.75, {}, ((0.0, -0.02, 1.0),), x=-1.55),
    "walker": Plan(0.6, 0.35, 1.8, {}, x=1.9, far=10.0, near=8.6),
}  # fmt: skip
ORDER = ("tractor", "rear", "box", "car", "tail", "walker", "bike", "bus")


def stations(name: str) -> list[float]:
    """Where sprites of a vehicle are rendered: y of its face, far ones first."""
    plan = FLEET[name]
    ys, y = [], plan.far
    while y > plan.near:
        if span(name, y) is not None:
            ys.append(round(y, 3))
        y /= STEP
    while y > -plan.length and plan.near == NEAR_Y:
        if span(name, y) is not None:
            ys.append(round(y, 3))
        y -= PASSING_M
    return ys


def span(name: str, y: float) -> tuple[int, int, int, int] | None:
    """The pixel box of a vehicle whose face stands at y."""
    plan = FLEET[name]
    room = 0.35  # mirrors, bumper
    return hull(
        ((plan.x - plan.half - room, plan.x + plan.half + room), (y - 0.2, y + plan.length), (0.0, plan.height))
    )
