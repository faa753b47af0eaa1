"""Where and how one camera's picture is read: what calibration proposes and the configuration holds. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from edge.core.camera.region import Line, Polygon, reading_region


@dataclass(frozen=True, slots=True)
class Picture:
    """Corrections before plates are looked for. `gamma` below 1 brightens; `turn_deg` turns clockwise on the screen;
    `sharpen` is the weight of what blurring takes away; `enlarge` scales up."""

    gamma: float = 1.0
    turn_deg: float = 0.0
    sharpen: float = 0.0
    enlarge: float = 1.0


AS_IT_COMES = Picture()


@dataclass(frozen=True, slots=True)
class Aim:
    """`region` and `line` as core.region has them; `look_every_s` None keeps the pipeline's own pace."""

    region: Polygon | None = None
    line: Line | None = None
    picture: Picture = AS_IT_COMES
    look_every_s: float | None = None

    @property
    def reads_in(self) -> Polygon | None:
        """The region up to the line: where plates are read; None everywhere."""
        return reading_region(self.region, self.line)
