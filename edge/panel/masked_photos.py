"""Photos as they may be handed out: coarse but for the plate (edge.core.camera.privacy), so that no face is on them.

`python -m edge.panel.masked_photos` decodes them in a process of its own that has locked itself in: what a hostile
camera wrote meets no decoder in the gate process. It reads {"photos": [{"jpeg", "plate"}]} from stdin, JPEGs as base64,
plates as shares of the picture or null, and writes {"photos": [base64 or null]} to stdout.
"""

from __future__ import annotations

import base64
import io
import json
import sys
from collections.abc import Callable, Mapping
from typing import Any

from edge.core.camera.privacy import cell_px, kept
from edge.core.model import Box
from edge.core.record.dossier import Dossier
from edge.panel.own_process import aside

WITHIN_S = 30.0
CROP = "crop"
"""The photo that shows the plate and nothing else."""
LARGEST_PX = 50_000_000
QUALITY = 85


async def handed_out(told: Dossier, photo: Callable[[str], bytes | None]) -> dict[str, bytes]:
    """A passage's photos by their ids, coarse but for the plate; one that cannot be made so is left out. Raises
    StoreError."""
    here = {id: (name, jpeg) for id, name in told.photos if (jpeg := photo(id)) is not None}
    places: Mapping[str, Box | None] = {shot.id: shot.place for shot in told.shots}
    scenes = [id for id, (name, _) in here.items() if name != CROP]
    done: dict[str, bytes] = {id: jpeg for id, (name, jpeg) in here.items() if name == CROP}
    if scenes:
        photos = [{"jpeg": base64.b64encode(here[id][1]).decode(), "plate": places.get(id)} for id in scenes]
        answer = await aside(__name__, json.dumps({"photos": photos}).encode(), WITHIN_S, "photos to hand out")
        made = zip(scenes, json.loads(answer)["photos"], strict=True)
        done |= {id: base64.b64decode(jpeg) for id, jpeg in made if jpeg is not None}
    return done


def coarse(jpeg: bytes, plate: Box | None) -> bytes | None:
    """The JPEG in cells, sharp only around `plate` (shares of the picture); None where it cannot be decoded."""
    from PIL import Image, UnidentifiedImageError  # for the process of its own only

    try:
        with Image.open(io.BytesIO(jpeg), formats=["JPEG"]) as file:
            if file.width * file.height > LARGEST_PX:
                return None
            picture = file.convert("RGB")
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError):
        return None
    size, cell = picture.size, cell_px(plate, picture.size)
    cells = (max(1, size[0] // cell), max(1, size[1] // cell))
    shown = picture.resize(cells, Image.Resampling.BOX).resize(size, Image.Resampling.NEAREST)
    if plate is not None:
        x1, y1, x2, y2 = kept(plate)
        part = (int(x1 * size[0]), int(y1 * size[1]), round(x2 * size[0]), round(y2 * size[1]))
        shown.paste(picture.crop(part), part[:2])
    out = io.BytesIO()
    shown.save(out, "JPEG", quality=QUALITY)
    return out.getvalue()


def main() -> None:
    """Make coarse what comes from stdin."""
    import PIL.Image
    import PIL.JpegImagePlugin  # noqa: F401 - from here on nothing else can be read

    from edge.confine import confine

    confine()
    row: dict[str, Any] = json.load(sys.stdin)
    made = [coarse(base64.b64decode(one["jpeg"]), _box(one["plate"])) for one in row["photos"]]
    photos = [None if jpeg is None else base64.b64encode(jpeg).decode() for jpeg in made]
    json.dump({"photos": photos}, sys.stdout)


def _box(plate: list[float] | None) -> Box | None:
    return None if plate is None else (plate[0], plate[1], plate[2], plate[3])


if __name__ == "__main__":
    main()
