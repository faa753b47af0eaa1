"""What of a photo may be handed out as it is: the plate and a little around it. Pure geometry.

No model here finds faces. So nothing is looked for: everything but the plate's own surroundings is made coarse,
wherever a face might be: behind the windscreen, on a motorbike, in the booth, on the road. Real sizes do the rest: a
plate is 11 cm high (one line) or 14 to 20 cm (two lines; Circular 79/2024, annexes), a face some 15 cm wide, so cells
as large as the plate is high leave about one cell of a face that is as far away as the plate.
"""

from __future__ import annotations

from edge.core.model import Box

UP, DOWN, SIDE = 1.0, 1.5, 0.5
"""How far around the plate stays as it is: in its heights above and below, in its widths on either side. A windscreen
begins three heights above, or more."""
CELLS_ACROSS = 40
"""At most so many cells from the left edge to the right one, for faces nearer than the plate."""
CELLS_UNKNOWN = 24
"""The same where nobody knows where the plate is."""


def shares(box: Box, frame_size: tuple[float, float]) -> Box:
    """A box in pixels of a frame of (width, height) as shares of them: what a photo of any size is cut by."""
    width, height = frame_size
    return box[0] / width, box[1] / height, box[2] / width, box[3] / height


def kept(plate: Box) -> Box:
    """What stays as it is around a plate; both in shares of the picture."""
    x1, y1, x2, y2 = plate
    width, height = x2 - x1, y2 - y1
    return (
        max(0.0, x1 - SIDE * width),
        max(0.0, y1 - UP * height),
        min(1.0, x2 + SIDE * width),
        min(1.0, y2 + DOWN * height),
    )


def cell_px(plate: Box | None, size: tuple[int, int]) -> int:
    """How large a cell is in a picture of (width, height) in pixels."""
    width, height = size
    if plate is None:
        return max(1, -(-width // CELLS_UNKNOWN))
    return max(1, -(-width // CELLS_ACROSS), round((plate[3] - plate[1]) * height))
