"""Keys of a camera that say where and how its picture is read: region, line, pace, corrections."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from edge.core.camera.region import past
from edge.core.camera.view_settings import Aim, Picture
from edge.core.plate.presentation import Usual


class PictureConfig(BaseModel):
    """Corrections of this camera's picture before plates are looked for; the photos stay as the camera gave them."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    gamma: Annotated[float, Field(ge=0.2, le=3.0)] = 1.0
    turn_deg: Annotated[float, Field(ge=-60, le=60)] = 0.0
    sharpen: Annotated[float, Field(ge=0, le=8)] = 0.0
    enlarge: Annotated[float, Field(ge=1, le=3)] = 1.0


class AimConfig(BaseModel):
    """Points are in fractions of width and height."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    region: list[tuple[float, float]] | None = None
    """Where plates are read, a polygon."""
    line: tuple[tuple[float, float], tuple[float, float]] | None = None
    """The trigger line: plates are read on its right-hand side, seen from its first point to its second."""
    look_every_s: Annotated[float, Field(ge=0.08, le=1.0)] | None = None
    picture: PictureConfig = PictureConfig()
    plate_width: tuple[float, float] | None = None
    """Of what opens by itself: the share of the picture's width that a plate has here, at least and at most."""
    plate_moves: Annotated[float, Field(gt=0, le=5)] | None = None
    """Of what opens by itself: how far a plate must have gone since it was first read, in its own widths."""

    @property
    def aim(self) -> Aim:
        region = None if self.region is None else tuple(self.region)
        return Aim(region, self.line, Picture(**self.picture.model_dump()), self.look_every_s)

    @property
    def usual(self) -> Usual:
        return Usual(self.plate_width, self.plate_moves)

    @field_validator("plate_width", mode="before")
    @classmethod
    def _pair(cls, value: object) -> object:
        return tuple(value) if isinstance(value, list) else value

    @field_validator("plate_width")
    @classmethod
    def _widths(cls, value: tuple[float, float] | None) -> tuple[float, float] | None:
        if value is not None and not 0 < value[0] < value[1] <= 1:
            raise ValueError("needs [least, most], in shares of the width between 0 and 1")
        return value

    @field_validator("region", mode="before")
    @classmethod
    def _points(cls, value: object) -> object:
        if isinstance(value, list):
            return [tuple(point) if isinstance(point, list) else point for point in value]
        return value

    @field_validator("region")
    @classmethod
    def _polygon(cls, value: list[tuple[float, float]] | None) -> list[tuple[float, float]] | None:
        if value is not None and (len(value) < 3 or any(not 0 <= part <= 1 for point in value for part in point)):
            raise ValueError("needs three points or more, each in fractions between 0 and 1")
        return value

    @model_validator(mode="after")
    def _line_fits(self) -> Self:
        if self.line is None:
            return self
        if any(not 0 <= part <= 1 for point in self.line for part in point) or self.line[0] == self.line[1]:
            raise ValueError("line: needs two different points, each in fractions between 0 and 1")
        if self.region is not None and not past(self.region, self.line):
            raise ValueError("line: all of the region lies left of it, nothing would be read: swap its points")
        return self
