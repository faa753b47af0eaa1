"""What a sample clip is made of: who drives where and when, with which plates, in which light.

A track is a list of (second, metres from the camera to the vehicle's face); between two points it runs smoothly, so a
vehicle that has the same place twice stands still.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from models.tools.world.sheets import Sheet
from models.tools.world.weather import Look

Track = tuple[tuple[float, float], ...]
STOP = 7.9
FAR = 40.0


@dataclass(frozen=True)
class Actor:
    name: str
    track: Track
    plates: Mapping[str, Sheet] = field(default_factory=dict)
    verdict: str = "unknown"
    dx: float = 0.0
    tint: tuple[float, float, float] = (1.0, 1.0, 1.0)


@dataclass(frozen=True)
class Film:
    """`boom`: (second, raised 0..1); None where no boom is in view. `region`: where plates are read, fractions."""

    name: str
    place: str
    direction: str
    seconds: float
    actors: tuple[Actor, ...]
    says: str
    boom: Track | None = ((0, 0),)
    look: Look = field(default_factory=Look)
    region: tuple[tuple[float, float], ...] | None = None
    role: str = "front"
    fault: str = ""


def through(start: float, stand: float, go: float, gone: float, last: float = -17.0, far: float = FAR) -> Track:
    """Comes from afar, stands at the stop line, drives off past the camera."""
    return ((start, far), (stand, STOP), (go, STOP), (gone, last))


def opening(go: float, shut: float) -> Track:
    return ((go - 1.9, 0), (go - 0.2, 1), (shut, 1), (shut + 1.7, 0))
