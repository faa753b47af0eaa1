"""Makes the sample clips from the rendered sprites: picture by picture, then H.264, what must be found in each, stills.

BARIE_FONTS=FONTS python -m models.tools.world.shoot SPRITES OUT [--only NAME…]
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from models.tools.world import lens, stage
from models.tools.world.films import Actor, Film, Track
from models.tools.world.programme import FILMS
from models.tools.world.sheets import Sheet
from models.tools.world.stage import Placed, Trays
from models.tools.world.weather import shown

Pictures = NDArray[np.uint8]

RATE = Fraction(25, 2)
GROUP = 12
READABLE_PX = 45
"""A plate narrower than this is not counted as having appeared."""
MOST_BYTES = 3_000_000
FROZEN_S, DROPPED_S, SMALL_S = (6.4, 7.6), (1.9, 3.4), (7.68, 9.6)
"""What goes wrong in a film with a fault: a picture stands, two of three are missing, the stream is smaller."""
SMALL = (960, 540)
OPTIONS = {
    "crf": "26", "preset": "medium", "bf": "0", "sc_threshold": "0", "threads": "1",
    "maxrate": "1800k", "bufsize": "1800k", "x264-params": "repeat-headers=1",
}  # fmt: skip


def along(track: Track, at_s: float) -> float | None:
    """The value of a track, smooth between its points; None before the first one and after the last one."""
    if not track[0][0] - 1e-9 <= at_s <= track[-1][0] + 1e-9:
        return None
    for (t1, a), (t2, b) in pairwise(track):
        if at_s <= t2 + 1e-9:
            share = (at_s - t1) / (t2 - t1)
            return a + (b - a) * (share * share * (3 - 2 * share))
    return track[-1][1]


def held(track: Track, at_s: float) -> float:
    """The same for a boom, which is always somewhere."""
    value = along(track, min(max(at_s, track[0][0]), track[-1][0]))
    assert value is not None
    return value


def cast(film: Film, at_s: float) -> list[Placed]:
    found = []
    for actor in film.actors:
        y = along(actor.track, at_s)
        if y is not None:
            found.append(Placed(actor.name, y, actor.plates, actor.dx, actor.tint))
    return found


def pictures(film: Film, trays: Trays) -> Iterator[tuple[Pictures, float]]:
    """Every picture with its time. Whole frames are computed once while nothing in them moves."""
    before: tuple[object, NDArray[np.float32]] | None = None
    for number in range(round(film.seconds * RATE)):
        at_s = float(number / RATE)
        placed = cast(film, at_s)
        raised = None if film.boom is None else round(held(film.boom, at_s), 2)
        key = (tuple((one.name, round(one.y, 3)) for one in placed), raised)
        if before is None or before[0] != key:
            before = key, stage.picture(trays, placed, raised)
        yield shown(before[1].copy(), placed, film.look, number, at_s), at_s


# ---------------------------------------------------------------- what must be found


def seen(film: Film, actor: Actor, slot: str, sheet: Sheet) -> dict[str, Any] | None:
    """When a plate is in view and wide enough to be read, and when its vehicle stands."""
    times = [number / float(RATE) for number in range(round(film.seconds * RATE))]
    clear = [at_s for at_s in times if _readable(film, actor, slot, sheet, at_s)]
    if not clear:
        return None
    stands = _stands(actor.track)
    return {
        "plate": sheet.text,
        "country": sheet.country,
        "layout": sheet.layout,
        "verdict": actor.verdict,
        "appears_s": round(clear[0], 2),
        "stands_s": [round(t, 2) for t in (stands or (clear[0], clear[-1]))],
        "gone_s": round(clear[-1] + 1 / float(RATE), 2),
    }


def _readable(film: Film, actor: Actor, slot: str, sheet: Sheet, at_s: float) -> bool:
    """Wide enough, whole, inside the region, and not hidden behind a nearer vehicle."""
    y = along(actor.track, at_s)
    flat = None if y is None else stage.corners(Placed(actor.name, y, actor.plates, actor.dx), slot, sheet)
    if y is None or flat is None or (flat < 0).any() or (flat >= lens.SIZE).any():
        return False
    if film.region is not None:
        polygon = np.float32([(x * lens.SIZE[0], z * lens.SIZE[1]) for x, z in film.region])
        x, z = flat.mean(0)
        if cv2.pointPolygonTest(polygon, (float(x), float(z)), False) < 0:
            return False
    hidden = any(other.y < y and _covers(other, flat) for other in cast(film, at_s) if other.name != actor.name)
    return float(np.linalg.norm(flat[1] - flat[0])) >= READABLE_PX and not hidden


def _covers(other: Placed, flat: NDArray[np.float64]) -> bool:
    from models.tools.world.plan import FLEET, span

    box = span(other.name, other.y)
    x, y = flat.mean(0)
    if other.dx or other.name == "walker" or box is None:
        return False
    room = 0 if FLEET[other.name].half < 0.5 else 20
    return box[0] - room < x < box[2] + room and box[1] < y < box[3]


def _stands(track: Track) -> tuple[float, float] | None:
    """The longest stand nearest to the camera."""
    still = [(a[0], b[0]) for a, b in pairwise(track) if abs(a[1] - b[1]) < 1e-6]
    return still[-1] if still else None


def expected(film: Film) -> dict[str, Any]:
    found = [
        one
        for actor in film.actors
        for slot, sheet in actor.plates.items()
        if sheet.layout != "painted" and (one := seen(film, actor, slot, sheet)) is not None
    ]
    told: dict[str, Any] = {
        "clip": f"{film.name}.mp4",
        "lane_place": film.place,
        "direction": film.direction,
        "camera": film.role,
        "shows": film.says,
        "passages": sorted(found, key=lambda one: float(one["appears_s"])),
    }
    if film.region is not None:
        told["region"] = [list(point) for point in film.region]
    return told


# ---------------------------------------------------------------- the files


def encode(path: Path, shots: Iterator[tuple[Pictures, float]], fault: str) -> list[Pictures]:
    """Write the clip; returns its pictures. Headers stand in the stream itself, so that its size may change."""
    stills: list[Pictures] = []
    with av.open(str(path), "w", options={"movflags": "+faststart"}) as container:
        stream = container.add_stream("libx264", rate=RATE)
        stream.width, stream.height, stream.pix_fmt = *lens.SIZE, "yuv420p"
        stream.codec_context.gop_size = GROUP
        stream.codec_context.options = OPTIONS
        codec, size = stream.codec_context, lens.SIZE
        for number, (picture, at_s) in enumerate(shots):
            stills.append(picture)
            if fault and number % 3 and DROPPED_S[0] <= at_s < DROPPED_S[1]:
                continue
            shown_now = stills[round(FROZEN_S[0] * RATE)] if fault and FROZEN_S[0] <= at_s < FROZEN_S[1] else picture
            wanted = SMALL if fault and SMALL_S[0] <= at_s < SMALL_S[1] else lens.SIZE
            if wanted != size:
                _mux(container, stream, codec.encode(None))
                codec, size = encoder(wanted), wanted
            _mux(container, stream, codec.encode(_frame(shown_now, size, number)))
        _mux(container, stream, codec.encode(None))
    return stills


def encoder(size: tuple[int, int]) -> av.VideoCodecContext:
    codec = av.CodecContext.create("libx264", "w")
    codec.width, codec.height, codec.pix_fmt = *size, "yuv420p"
    codec.framerate, codec.time_base, codec.gop_size = RATE, 1 / RATE, GROUP
    codec.options = OPTIONS
    return codec


def _frame(picture: Pictures, size: tuple[int, int], number: int) -> av.VideoFrame:
    smaller = picture if size == lens.SIZE else cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    frame = av.VideoFrame.from_ndarray(smaller, format="bgr24")
    frame.pts, frame.time_base = number, 1 / RATE
    return frame


def _mux(container: av.container.OutputContainer, stream: av.VideoStream, packets: list[av.Packet]) -> None:
    for packet in packets:
        packet.stream = stream
        container.mux(packet)


def make(film: Film, trays: Trays, out: Path) -> None:
    path = out / f"{film.name}.mp4"
    stills = encode(path, pictures(film, trays), film.fault)
    if path.stat().st_size > MOST_BYTES:
        raise SystemExit(f"{path}: {path.stat().st_size} bytes, more than {MOST_BYTES}")
    told = json.dumps(expected(film), ensure_ascii=False, indent=1) + "\n"
    (out / f"{film.name}.expected.json").write_text(told, encoding="utf-8")
    few = [
        cv2.resize(stills[i], (320, 180), interpolation=cv2.INTER_AREA)
        for i in np.linspace(0, len(stills) - 1, 7)[1:6].astype(int)
    ]
    cv2.imwrite(str(out / f"{film.name}.jpg"), np.hstack(few), [cv2.IMWRITE_JPEG_QUALITY, 80])


def sheet(out: Path) -> None:
    """One contact sheet of all strips that are there."""
    strips = [cv2.imread(str(out / f"{film.name}.jpg")) for film in FILMS if (out / f"{film.name}.jpg").is_file()]
    for strip, film in zip(strips, [film for film in FILMS if (out / f"{film.name}.jpg").is_file()], strict=True):
        cv2.putText(strip, film.name, (6, 174), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (255, 255, 255), 1, cv2.LINE_AA)
    if strips:
        small = [cv2.resize(strip, (1000, 112), interpolation=cv2.INTER_AREA) for strip in strips]
        cv2.imwrite(str(out / "rendered-clips.jpg"), np.vstack(small), [cv2.IMWRITE_JPEG_QUALITY, 80])


def main() -> None:
    parser = argparse.ArgumentParser(description="Make the sample clips from rendered sprites.")
    parser.add_argument("sprites", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--only", nargs="*", default=[film.name for film in FILMS])
    parser.add_argument("--keep", action="store_true", help="make only what is not there yet")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    trays = Trays(options.sprites)
    for film in FILMS:
        made = (options.out / f"{film.name}.jpg").is_file()
        if (
            film.name in options.only
            and not (made and options.keep)
            and trays.ready([actor.name for actor in film.actors])
        ):
            print(film.name, flush=True)
            make(film, trays, options.out)
    sheet(options.out)


if __name__ == "__main__":
    main()
