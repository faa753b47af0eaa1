"""The synthetic test world: passages of trucks that nothing was trained on, read and voted as at a gate.

    python -m models.tools.testworld [--passages 40] [--kinds NAME,…] [--models FOLDER] [--json] [--sheet OUT.png]

Its own seeds, faces, road and vehicles. For each kind: texts right frame by frame, right after the vote, decided, and
decided wrongly. The last three kinds are plates whose end is not in the picture, plates with something over an end, and
plates half in shadow; of these it is told too how often a wrong lawful text was stated surely. The exit status is 1
where a decided text is wrong. `--passages 500` for all kinds is the long form.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random

import cv2
import numpy as np

from edge.core.model import PlateRead
from edge.core.plate.table import PlateTable
from edge.core.plate.vote import Tally, VoteRules
from edge.ports import Detector, Image, Reader
from edge.vision.models import plate_table
from edge.vision.own import OwnDetector, OwnReader
from edge.vision.weights import find
from edge.vision.wholeness import Ends, WholeReader
from models.tools import camera, kinds_cn, kinds_vn, testworld_scene
from models.tools.draw import Floats, Plate, draw_plate
from models.tools.faces import HELD_OUT
from models.tools.spec import Spec

SEED = 900_000_001
FRAMES = 6
WHOLE = 0.95
"""Of `Plate.told`: about four in five plates are as whole as that."""
KINDS = ("cn-truck-rear", "cn-trailer-rear", "vn-truck-two-line", "night", "rain")
PARTLY = ("cut", "covered", "half-shadowed")
"""Plates that are not all to be seen. Most are Vietnamese: four digits are as lawful as five."""
EVERY = (*KINDS, *PARTLY)
SHADES = ((128, 128, 128), (240, 240, 240), (15, 15, 15), (50, 75, 100))
"""Of a cover: grey, white, black, mud."""


@dataclass(slots=True)
class Score:
    kind: str
    frames: int = 0
    frames_right: int = 0
    frames_found: int = 0
    frames_sure: int = 0
    frames_sure_wrong: int = 0
    """Wrong texts at decision confidence; those of them that were said to be whole, and may decide."""
    frames_sure_wrong_whole: int = 0
    frames_whole: int = 0
    passages: int = 0
    voted_right: int = 0
    decided: int = 0
    decided_wrong: int = 0
    whole: int = 0
    """Passages with a plate that has lost next to nothing of its ink: wear, mud, a stamp or a shadow's edge take it."""
    whole_right: int = 0


def _spec(r: Random, kind: str) -> Spec:
    if kind in PARTLY:
        kind = r.choice(["vn-front", "vn-front", KINDS[2], KINDS[2], "cn-front"])
    if kind in ("night", "rain"):
        kind = r.choice([*KINDS[:3], "cn-front", "vn-front"])
    if kind == "cn-front":
        return kinds_cn.cn_large_front(r)
    if kind == "vn-front":
        return kinds_vn.vn_long(r)
    if kind == "cn-truck-rear":
        return kinds_cn.cn_large_rear(r)
    return kinds_cn.cn_trailer(r) if kind == "cn-trailer-rear" else kinds_vn.vn_short(r)


def passage(kind: str, number: int) -> tuple[str, list[Image]]:
    """The plate's text and the pictures (360x640) of one vehicle that comes nearer. The same for the same arguments."""
    text, frames = passage_with_corners(kind, number)
    return text, [picture for picture, _ in frames]


def passage_with_corners(kind: str, number: int) -> tuple[str, list[tuple[Image, Floats]]]:
    """The same, each picture with its plate's corners (4, 2)."""
    r, flat = _plate(kind, number)
    spec, plate = flat.spec, flat.picture
    back, body = testworld_scene.road(r), r.getrandbits(32)
    yaw, pitch, roll = r.gauss(0, 9), r.uniform(3, 22), r.gauss(0, 2.5)
    least = {"one_line": 72.0, "two_line": 62.0}[spec.layout]
    near, x = least * r.uniform(1.25, 2.1), r.uniform(250, 390)
    front = spec.layout == "one_line"
    pictures: list[tuple[Image, Floats]] = []
    hide = _hidden(r) if kind in PARTLY else None
    for i in range(FRAMES):
        width = least + (near - least) * i / (FRAMES - 1)
        at = (x + r.gauss(0, 3), 190 + 60 * width / near + r.gauss(0, 2))
        if kind == "cut" and hide is not None:
            at = (hide.aside(width), at[1])
        picture = back.copy()
        (testworld_scene.cab if front else testworld_scene.rear)(Random(body), picture, at, width)
        turn = (yaw + r.gauss(0, 1), pitch + r.gauss(0, 1), roll + r.gauss(0, 0.5))
        quad = _set(r, picture, plate, spec, at, width, turn)
        if hide is not None and kind != "cut":
            picture = hide.laid(picture, quad, shadow=kind == "half-shadowed")
        pictures.append((_weather(r, kind, picture, quad, width), quad))
    return spec.text, pictures


@dataclass(frozen=True, slots=True)
class Hidden:
    """What is not to be seen of a plate: `share` of its width at one end."""

    right: bool
    share: float
    shade: tuple[int, int, int]
    post: bool
    dark: float
    """How much light a shadow leaves."""

    def aside(self, width: float) -> float:
        """The column of the plate's middle at which the picture's edge hides that share."""
        beyond = (0.5 - self.share) * width
        return testworld_scene.WIDTH - beyond if self.right else beyond

    def laid(self, picture: Image, quad: Floats, *, shadow: bool) -> Image:
        """A cover over that end; or a shadow over that half and whatever lies beyond it."""
        inner = 0.5 if shadow else self.share
        up, beyond = (8.0, 12.0) if shadow else (8.0, 0.1) if self.post else (0.03, 0.03)
        xs = (1 - inner, 1 + beyond) if self.right else (inner, -beyond)
        onto = cv2.getPerspectiveTransform(np.float32([[0, 0], [1, 0], [1, 1], [0, 1]]), quad)
        shape = np.float32([[xs[0], -up], [xs[1], -up], [xs[1], 1 + up], [xs[0], 1 + up]])
        points = cv2.perspectiveTransform(shape[None], onto)[0]
        mask = np.zeros(picture.shape[:2], np.float32)
        cv2.fillPoly(mask, [np.clip(points, -9000, 9000).round().astype(np.int32)], 1.0)
        soft = cv2.GaussianBlur(mask, (0, 0), 0.7)[..., None]
        under = picture * self.dark if shadow else np.full(picture.shape, self.shade, np.float32)
        return np.clip(picture * (1 - soft) + under * soft, 0, 255).astype(np.uint8)


def _hidden(r: Random) -> Hidden:
    """The right end three times in four."""
    return Hidden(r.random() < 0.75, r.uniform(0.08, 0.3), r.choice(SHADES), r.random() < 0.5, r.uniform(0.3, 0.6))


def _plate(kind: str, number: int) -> tuple[Random, Plate]:
    """The passage's plate, and what its other chances are drawn from."""
    r = Random(SEED + 7919 * EVERY.index(kind) + 104_729 * number)
    return r, draw_plate(r, _spec(r, kind), among=HELD_OUT)


def _set(
    r: Random, picture: Image, plate: Image, spec: Spec, at: tuple[float, float], width: float, turn: tuple[float, ...]
) -> Floats:
    quad = camera.project(r, spec.size, *turn)
    quad *= width / (quad[:, 0].max() - quad[:, 0].min())
    quad += np.float32(at) - (quad.min(0) + quad.max(0)) / 2
    shrink = 1.2 * width / plate.shape[1]
    small = cv2.resize(plate, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA) if shrink < 0.8 else plate
    h, w = small.shape[:2]
    matrix = cv2.getPerspectiveTransform(np.float32([[0, 0], [w, 0], [w, h], [0, h]]), quad)
    size = (picture.shape[1], picture.shape[0])
    cv2.warpPerspective(small, matrix, size, dst=picture, borderMode=cv2.BORDER_TRANSPARENT)
    return quad


def _weather(r: Random, kind: str, picture: Image, quad: Floats, width: float) -> Image:
    if kind == "night":
        picture = testworld_scene.night(r, picture, quad)
    elif kind == "rain":
        picture = testworld_scene.rain(r, picture)
    picture = cv2.GaussianBlur(picture, (0, 0), r.uniform(0.3, 0.75) * max(0.7, width / 110))
    return camera.sensor(r, picture)


def judge(kind: str, passages: int, detector: Detector, reader: Reader, rules: VoteRules, first: int = 0) -> Score:
    table, score = plate_table(), Score(kind)
    for number in range(first, first + passages):
        text, pictures = passage(kind, number)
        reads = [best(reader, picture, detector) for picture in pictures]
        score.frames += len(reads)
        for read in (read for read in reads if read is not None):
            score.frames_found += 1
            score.frames_right += read.plate.text == text
            score.frames_sure += read.plate.confidence >= rules.sure
            wrong = read.plate.confidence >= rules.sure and read.plate.text != text
            score.frames_sure_wrong += wrong
            score.frames_sure_wrong_whole += wrong and read.whole
            score.frames_whole += read.whole
        tally = vote(reads, rules, table)
        score.passages += 1
        whole = _plate(kind, number)[1].told() >= WHOLE
        score.whole += whole
        if tally.leader is not None:
            score.voted_right += tally.leader.text == text
            score.whole_right += whole and tally.leader.text == text
            score.decided += tally.decided
            score.decided_wrong += tally.decided and tally.leader.text != text
    return score


def eyes(folder: Path) -> tuple[Detector, Reader]:
    """Detector and reader of a folder of models, and the judge of ends that is shipped."""
    return OwnDetector(1, folder), WholeReader(OwnReader(plate_table(), 1, folder), Ends(1))


def vote(reads: Iterable[PlateRead | None], rules: VoteRules, table: PlateTable) -> Tally:
    """The votes of one passage's frames."""
    tally = Tally(rules)
    for read in reads:
        if read is not None:
            tally = tally.add(read.plate, table.normalise(read.plate.raw), whole=read.whole)
    return tally


def best(reader: Reader, picture: Image, detector: Detector) -> PlateRead | None:
    reads = [read for read in reader.read(picture, detector.detect(picture)) if read is not None]
    return max(reads, key=lambda read: (read.plate.kind != "other", read.plate.confidence), default=None)


def scores(kinds: list[str], passages: int, folder: Path, first: int = 0, sure: float | None = None) -> Iterator[Score]:
    """`sure`: another than the manifest's."""
    cv2.setNumThreads(1)
    rules = VoteRules(sure=float(find("plate-reader", folder).setting("sure", float)) if sure is None else sure)
    detector, reader = eyes(folder)
    for kind in kinds:
        yield judge(kind, passages, detector, reader, rules, first)


def sheet(out: Path) -> None:
    """Three frames of two passages of each kind, to look at."""
    rows = [np.hstack(passage(kind, n)[1][::2]) for kind in EVERY for n in range(2)]
    cv2.imwrite(str(out), np.vstack(rows))


def main() -> None:
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--passages", type=int, default=40)
    args.add_argument("--first", type=int, default=0)
    args.add_argument("--sure", type=float, help="decide at this confidence instead of the manifest's")
    args.add_argument("--kinds", default=",".join(EVERY))
    args.add_argument("--models", type=Path, default=Path("models"))
    args.add_argument("--json", action="store_true")
    args.add_argument("--sheet", type=Path)
    options = args.parse_args()
    if options.sheet:
        sheet(options.sheet)
        return
    wrong = 0
    for score in scores(options.kinds.split(","), options.passages, options.models, options.first, options.sure):
        wrong += score.decided_wrong
        said = (
            f"{score.kind}: frames {score.frames_right}/{score.frames} = {score.frames_right / score.frames:.3f}, "
            f"voted {score.voted_right}/{score.passages} = {score.voted_right / score.passages:.3f} "
            f"(whole plates {score.whole_right}/{score.whole}), "
            f"decided {score.decided}, of these wrong {score.decided_wrong}; "
            f"frames surely wrong {score.frames_sure_wrong}, of these said to be whole {score.frames_sure_wrong_whole}"
        )
        print(json.dumps(asdict(score)) if options.json else said, flush=True)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
