"""Detector's scenes from Blender's vehicles: plates in true projection on rendered trucks, their tails, cars and buses.

    python -m models.tools.rendered OUT --sprites FOLDER [--chunks 24]

`FOLDER` is what `models/tools/world/sprites.py` renders. The chunks are of the same form as those of `scenes.py`, and
go to the detector beside them. One camera, one light: variety comes from the window, the paint, the plates and decoys.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from random import Random

import cv2
import numpy as np

from models.tools import decoys
from models.tools.alphabet import LAYOUTS
from models.tools.draw import Floats, draw_plate
from models.tools.kinds import draw_spec
from models.tools.scenes import HEIGHT, WIDTH, Made, arguments, finish, lay, width_px, write
from models.tools.spec import Spec
from models.tools.world import lens, stage
from models.tools.world.plan import FLEET

FRONTS = {"tractor": 4.0, "box": 2.0, "car": 2.0, "bus": 1.0}
REARS = {"rear": 3.0, "tail": 3.0}
NEAR_M, FAR_M = 4.2, 24.0
CLOSEST = 1.8
"""A window is never enlarged more: what was rendered has no more to show."""


def scene(r: Random, trays: stage.Trays) -> Made:
    spec = _spec(r)
    one, quad = _placed(r, spec)
    placed = [one]
    if r.random() < 0.3:
        behind = one.y + FLEET[one.name].length + r.uniform(2, 8)
        placed.append(stage.Placed(r.choice(list(FRONTS)), behind, {}, r.gauss(0, 0.3), _paint(r)))
    picture = stage.picture(trays, placed, None if one.y < stage.BOOM_Y or r.random() < 0.5 else 1.0)
    matrix = _window(r, quad, width_px(r, spec))
    canvas = cv2.warpAffine(
        np.clip(picture, 0, 255).astype(np.uint8), matrix, (WIDTH, HEIGHT), flags=cv2.INTER_AREA,
        borderMode=cv2.BORDER_REPLICATE,
    )  # fmt: skip
    quad = quad @ matrix[:, :2].T + matrix[:, 2]
    if r.random() < 0.3:
        middle = quad.mean(0)
        decoys.beside(r, canvas, (float(middle[0]), float(middle[1])), float(np.ptp(quad[:, 0])))
    lay(canvas, draw_plate(r, spec).picture, quad)
    return finish(r, canvas, [quad]), [quad], [LAYOUTS.index(spec.layout)]


def _placed(r: Random, spec: Spec) -> tuple[stage.Placed, Floats]:
    """A vehicle somewhere along the lane, and its plate's corners (4, 2), all on the picture."""
    names = REARS if spec.layout == "two_line" and r.random() < 0.7 else FRONTS
    while True:
        name = r.choices(list(names), list(names.values()))[0]
        one = stage.Placed(name, NEAR_M * (FAR_M / NEAR_M) ** r.random(), {}, r.gauss(0, 0.2), _paint(r))
        quad = stage.outline(one, r.choice(list(FLEET[name].plates)), spec.size)
        if quad is not None and (quad >= 0).all() and (quad < lens.SIZE).all():
            return one, quad.astype(np.float32)


def _spec(r: Random) -> Spec:
    """Any kind but those of motorbikes: none is among the vehicles with a plate."""
    while (spec := draw_spec(r)).size[0] <= 220:
        pass
    return spec


def _paint(r: Random) -> tuple[float, float, float]:
    return (r.uniform(0.3, 1.3), r.uniform(0.3, 1.3), r.uniform(0.3, 1.3)) if r.random() < 0.7 else stage.PLAIN


def _window(r: Random, quad: Floats, width: float) -> Floats:
    """(2, 3): the part of the picture in which the plate is about `width` px wide, at any place in the scene."""
    scale = min(CLOSEST, width / float(np.ptp(quad[:, 0])))
    half = np.ptp(quad, axis=0) * scale / 2 + 4
    at = np.array([r.uniform(half[0], WIDTH - half[0]), r.uniform(half[1], HEIGHT - half[1])])
    return np.column_stack([np.eye(2) * scale, at - scale * quad.mean(0)]).astype(np.float32)


def main() -> None:
    args = arguments(__doc__)
    args.add_argument("--sprites", type=Path, required=True)
    options = args.parse_args()
    write(options, partial(scene, trays=stage.Trays(options.sprites)))


if __name__ == "__main__":
    main()
