"""The life of one frame: something moves -> where a plate may stand -> tracks -> reading -> vote -> what to tell.

Shared by the live worker and by replay: it knows only the time that a frame carries, so the same frames give the same
answer. A look costs what the models cost, so none is made while nothing moves and every plate in view is settled.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import cv2
import numpy as np

from edge.core.model import Box, PlateRead, Point, Reading
from edge.core.plate.table import OTHER, PlateTable
from edge.core.plate.track import Tracks, overlap
from edge.core.plate.vote import USUAL, Tally, VoteRules
from edge.core.plate.wholeness import within
from edge.ports import Detection, Detector, Frame, Image, Reader
from edge.vision.motion import Evidence, MotionGate
from edge.vision.watch import Watch

ASIDE = ((0.0, 0.0, 0.05), (0.02, -0.04, 0.02), (-0.02, 0.04, 0.02), (0.0, 0.0, -0.02))
"""A plate that stands in the very same picture gives no second piece of evidence by being read again. Read from a
little aside it does: another grid of pixels, another share of its surroundings. Each: moved right and down, and made
larger, in shares of its width and height. A text that does not hold from there earns
nothing more from this picture."""

Window = tuple[int, int, int, int]
"""(x1, y1, x2, y2) in whole pixels of the frame."""


@dataclass(frozen=True, slots=True)
class PipelineRules:
    """When to look. Times in seconds on the frames' own clock; distances in widths of the plate."""

    look_every_s: float = 0.24
    settle_s: float = 1.5
    """Looks go on for so long after the last movement."""
    survey_s: float = 1.2
    """The whole region is looked at this often at least; between, only what surrounds known plates."""
    focus: float = 0.9
    """How far these surroundings reach beyond a plate on every side, in its widths."""
    tries_most: int = 15
    """Readings of an unmoved plate without a decision, after which it is left alone until it moves."""
    moved: float = 0.5
    """A settled plate that went this far is read again: it may be the next truck's."""
    stray_sure: float = 0.7
    """A text that fits no pattern starts a track only if it was read at least this surely."""
    conflicts: int = 2
    """Readings unlike a decided text, one after the other, that make the track another vehicle's."""
    unlike: float = 2.5
    vote: VoteRules = USUAL
    """When the readings of a track decide; how sure is sure depends on the reader."""


def rules_for(look_every_s: float | None, vote: VoteRules = USUAL) -> PipelineRules:
    """The rules at one camera's own pace, or at the usual one, and by the reader's own vote."""
    return PipelineRules(vote=vote) if look_every_s is None else PipelineRules(look_every_s=look_every_s, vote=vote)


@dataclass(frozen=True, slots=True)
class Seen:
    """A reading worth telling, with the very frame that it was read from."""

    reading: Reading
    image: Image


@dataclass(frozen=True, slots=True)
class Gone:
    """A track that ended."""

    track: int


@dataclass(slots=True)
class _Case:
    """What is known of one track beside its place. `tries` count since it last moved."""

    tally: Tally = field(default_factory=Tally)
    tries: int = 0
    conflicts: int = 0
    told: tuple[str, int, bool] | None = None
    whole: bool = False
    """Its last reading was of a plate seen whole."""
    evidence: Evidence | None = None
    """The picture that was read last."""
    text: str = ""
    """What was read in that picture first."""
    aside: int = 0
    """How many of ASIDE that picture was read from; after all of them the very same picture has nothing to teach."""

    def still(self, luma: Image) -> bool:
        return self.evidence is not None and self.evidence.still(luma)

    def learned(self, luma: Image) -> bool:
        return self.still(luma) and not (self.whole and self.aside < len(ASIDE))


class Pipeline:
    """One camera's eye. `region`: a polygon in fractions of width and height, None for the whole picture."""

    def __init__(
        self,
        camera: str,
        detector: Detector,
        reader: Reader,
        table: PlateTable,
        region: Sequence[Point] | None = None,
        rules: PipelineRules = PipelineRules(),
        watch: Watch | None = None,
    ) -> None:
        self._camera = camera
        self._detector, self._reader, self._table = detector, reader, table
        self._region, self._rules, self._watch = region, rules, watch
        self._gate = MotionGate()
        self._tracks = Tracks()
        self._cases: dict[int, _Case] = {}
        self._awake_until_s = 0.0
        self._looked_s = self._surveyed_s = float("-inf")
        self.looks = 0

    def step(self, frame: Frame) -> list[Seen | Gone]:
        """What this frame tells. Raises ModelError; ValueError or cv2.error where the picture itself is unusable."""
        now_s = frame.captured_mono_ns / 1e9
        x1, y1, x2, y2 = self._window(frame.luma)
        if self._gate.moving(frame.luma[y1:y2, x1:x2], now_s):
            self._awake_until_s = now_s + self._rules.settle_s
            for case in self._cases.values():  # a plate that was not seen whole may be now
                case.tries = case.tries if case.whole else 0
        if now_s - self._looked_s < self._rules.look_every_s:
            return []
        if now_s > self._awake_until_s and not self._unsettled(frame.luma):
            return []
        self._looked_s = now_s
        self.looks += 1
        return self._look(frame, now_s)

    @property
    def tracks(self) -> list[int]:
        """Ids of the plates now in view, a still one included. May be asked from another thread."""
        return sorted(self._tracks.live)

    def _unsettled(self, luma: Image) -> bool:
        """True where a plate in view may be read anew, though nothing moves."""
        return any(
            track.missed or not (self._settled(i, track.box) or self._cases[i].learned(luma))
            for i, track in self._tracks.live.items()
        )

    def _settled(self, track_id: int, box: Box) -> bool:
        """True where reading the plate again at `box` would teach nothing."""
        case, track = self._cases[track_id], self._tracks.live[track_id]
        done = (case.tally.decided and not case.conflicts) or case.tries >= self._rules.tries_most
        return done and replace(track, box=box).moved() < self._rules.moved

    def _look(self, frame: Frame, now_s: float) -> list[Seen | Gone]:
        view = self._view(frame.image, now_s)
        detections = self._detect(frame, view)
        boxes = [_box(detection) for detection in detections]
        near = {i: track_id for i, track_id in enumerate(self._tracks.match(boxes, now_s)) if track_id is not None}
        kept = {i: track_id for i, track_id in near.items() if self._settled(track_id, boxes[i])}
        for i, track_id in kept.items():
            self._tracks = self._tracks.seen(track_id, boxes[i], now_s, read=False)
        rest = [i for i in range(len(boxes)) if i not in kept and not _within(boxes[i], [boxes[k] for k in kept])]
        asked = [self._asked(detections[i], near.get(i), frame.luma) for i in rest]
        found = zip(rest, self._reader.read(frame.image, asked), strict=True)
        reads = [_bounded(_put_back(read, detections[i]), view) for i, read in found]
        if self._watch is not None:
            self._watch.read(frame, [detections[i] for i in rest], reads)
        told, seen = self._take([read for read in reads if read is not None], frame, now_s, set(kept.values()))
        seen |= self._seen_unread([boxes[i] for i in rest], now_s, seen)
        self._tracks, gone = self._tracks.missed(seen, now_s)
        return told + [self._close(track_id) for track_id in gone]

    def _asked(self, detection: Detection, track_id: int | None, luma: Image) -> Detection:
        """The place to read: a plate that stands in the very same picture is read from a little aside."""
        case = self._cases[track_id] if track_id is not None else None
        if case is None or not case.whole or case.aside >= len(ASIDE) or not case.still(luma):
            return detection
        return _moved_aside(detection, *ASIDE[case.aside])

    def _take(
        self, reads: list[PlateRead], frame: Frame, now_s: float, seen: set[int]
    ) -> tuple[list[Seen | Gone], set[int]]:
        """Give each reading to its track; tracks in `seen` were found already and take none."""
        told: list[Seen | Gone] = []
        open_tracks = replace(self._tracks, live={i: t for i, t in self._tracks.live.items() if i not in seen})
        matches = open_tracks.match([read.box for read in reads], now_s)
        for read, near in zip(reads, matches, strict=True):
            found = near if near is not None else self._same_text(read, seen | {m for m in matches if m is not None})
            another = found is not None and self._is_another(found, read)
            if found is not None and another:
                self._tracks = self._tracks.without(found)
                told.append(self._close(found))
            track_id = self._placed(None if another else found, read, now_s)
            if track_id is not None:
                seen = seen | {track_id}
                told += self._vote(track_id, read, frame)
        return told, seen

    def _same_text(self, read: PlateRead, taken: set[int]) -> int | None:
        """A track that already reads as this very plate, wherever it was last: after a slow look it has moved far."""
        for track_id in self._tracks.live:
            leader = self._cases[track_id].tally.leader
            if track_id not in taken and leader is not None and leader.kind != OTHER and leader.text == read.plate.text:
                return track_id
        return None

    def _is_another(self, track_id: int, read: PlateRead) -> bool:
        """A decided track that again and again reads as something quite different has become another vehicle's."""
        case = self._cases[track_id]
        leader = case.tally.leader
        if leader is None or not case.tally.decided or read.plate.kind == OTHER:
            return False
        unlike = self._table.distance(read.plate.text, leader.text) >= self._rules.unlike
        case.conflicts = case.conflicts + 1 if unlike else 0
        return case.conflicts >= self._rules.conflicts

    def _placed(self, found: int | None, read: PlateRead, now_s: float) -> int | None:
        if found is not None:
            if self._tracks.live[found].moved() >= self._rules.moved:
                self._cases[found].tries = 0
            self._tracks = self._tracks.seen(found, read.box, now_s, read=True)
            return found
        if read.plate.kind == OTHER and read.plate.confidence < self._rules.stray_sure:
            return None
        self._tracks, born = self._tracks.born(read.box, now_s)
        self._cases[born] = _Case(Tally(self._rules.vote))
        return born

    def _vote(self, track_id: int, read: PlateRead, frame: Frame) -> list[Seen | Gone]:
        case = self._cases[track_id]
        same = case.whole and case.still(frame.luma)
        holds = same and read.plate.text == case.text
        anew = not same or (holds and case.aside < len(ASIDE))
        case.aside = 0 if not same else min(case.aside + 1, len(ASIDE)) if holds else len(ASIDE)
        case.tries += anew
        if not case.conflicts:
            seen_as = self._table.normalise(read.plate.raw)
            case.tally = case.tally.add(read.plate, seen_as, whole=read.whole, anew=anew)
        case.whole, case.evidence = read.whole, case.evidence if same else Evidence.of(frame.luma, read.box)
        case.text = case.text if same else read.plate.text
        if self._watch is not None:
            self._watch.voted(frame, track_id, read, case.tally)
        leader, decided = case.tally.leader, case.tally.decided
        if leader is None or leader.text != read.plate.text:
            return []  # photo, plate and box must be of one frame: told when a frame reads as the leader
        news = (leader.text, 0 if decided else case.tally.votes, decided)
        if news == case.told:
            return []
        case.told = news
        return [Seen(self._reading(track_id, read, frame, case.tally), frame.image)]

    def _reading(self, track_id: int, read: PlateRead, frame: Frame, tally: Tally) -> Reading:
        height, width = frame.image.shape[:2]
        return Reading(
            camera=self._camera,
            track=track_id,
            frame=frame.number,
            captured_mono_ns=frame.captured_mono_ns,
            captured_at=frame.captured_at,
            read=read,
            decided=tally.decided,
            votes=tally.votes,
            frame_size=(width, height),
        )

    def _seen_unread(self, boxes: list[Box], now_s: float, seen: set[int]) -> set[int]:
        """Tracks whose plate was found but could not be read this time. They keep their place and count a try."""
        rest = replace(self._tracks, live={i: t for i, t in self._tracks.live.items() if i not in seen})
        found = {t: boxes[i] for i, t in enumerate(rest.match(boxes, now_s)) if t is not None}
        for track_id, box in found.items():
            self._tracks = self._tracks.seen(track_id, box, now_s, read=False)
            self._cases[track_id].tries += 1
        return set(found)

    def _close(self, track_id: int) -> Gone:
        del self._cases[track_id]
        return Gone(track_id)

    def _view(self, image: Image, now_s: float) -> Window:
        """Where to look now: close around known plates, or at the whole region when one was missed or it is time."""
        tracks = self._tracks.live.values()
        whole = self._window(image)
        if not tracks or any(track.missed for track in tracks) or now_s - self._surveyed_s >= self._rules.survey_s:
            self._surveyed_s = now_s
            return whole
        reach = [(track.box, (track.box[2] - track.box[0]) * self._rules.focus) for track in tracks]
        return (
            max(whole[0], int(min(box[0] - far for box, far in reach))),
            max(whole[1], int(min(box[1] - far for box, far in reach))),
            min(whole[2], round(max(box[2] + far for box, far in reach))),
            min(whole[3], round(max(box[3] + far for box, far in reach))),
        )

    def _detect(self, frame: Frame, view: Window) -> list[Detection]:
        x1, y1, x2, y2 = view
        found = self._detector.detect(np.ascontiguousarray(frame.image[y1:y2, x1:x2]))
        moved = [_shifted(detection, x1, y1) for detection in found]
        inside = [detection for detection in moved if self._inside(_box(detection), frame.image)]
        if self._watch is not None:
            self._watch.looked(frame, inside, [detection for detection in moved if detection not in inside])
        return inside

    def _window(self, image: Image) -> Window:
        """The region's upright hull in pixels."""
        height, width = image.shape[:2]
        if self._region is None:
            return 0, 0, width, height
        xs, ys = [x for x, _ in self._region], [y for _, y in self._region]
        x1, y1 = int(min(xs) * width), int(min(ys) * height)
        return x1, y1, max(x1 + 8, round(max(xs) * width)), max(y1 + 8, round(max(ys) * height))

    def _inside(self, box: Box, image: Image) -> bool:
        if self._region is None:
            return True
        height, width = image.shape[:2]
        polygon = np.array([(x * width, y * height) for x, y in self._region], np.float32)
        return cv2.pointPolygonTest(polygon, ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2), False) >= 0


def _box(detection: Detection) -> Box:
    xs, ys = [x for x, _ in detection.corners], [y for _, y in detection.corners]
    return min(xs), min(ys), max(xs), max(ys)


def _shifted(detection: Detection, dx: int, dy: int) -> Detection:
    def quad(corners: tuple[Point, Point, Point, Point]) -> tuple[Point, Point, Point, Point]:
        a, b, c, d = ((x + dx, y + dy) for x, y in corners)
        return a, b, c, d

    return replace(detection, corners=quad(detection.corners), lines=tuple(quad(line) for line in detection.lines))


def _moved_aside(detection: Detection, right: float, down: float, larger: float) -> Detection:
    x1, y1, x2, y2 = _box(detection)
    width, height = x2 - x1, y2 - y1
    middle_x, middle_y = (x1 + x2) / 2, (y1 + y2) / 2

    def point(at: Point) -> Point:
        x, y = at[0] + (at[0] - middle_x) * larger, at[1] + (at[1] - middle_y) * larger
        return x + right * width, y + down * height

    def quad(corners: tuple[Point, Point, Point, Point]) -> tuple[Point, Point, Point, Point]:
        a, b, c, d = (point(corner) for corner in corners)
        return a, b, c, d

    return replace(detection, corners=quad(detection.corners), lines=tuple(quad(line) for line in detection.lines))


def _put_back(read: PlateRead | None, detection: Detection) -> PlateRead | None:
    """Where the plate stands is what the detector said, from wherever it was read."""
    return read if read is None else replace(read, box=_box(detection), corners=detection.corners)


def _bounded(read: PlateRead | None, view: Window) -> PlateRead | None:
    """Whole only if it lies within what the detector was shown: a plate across the region's edge ends there."""
    return read if read is None or not read.whole else replace(read, whole=within(read.corners, view))


def _within(box: Box, others: Sequence[Box]) -> bool:
    """True where the box is a fragment of another one."""
    return any(overlap(box, other) > 0.6 for other in others)
