"""One lane's passage: a vehicle arrives, is read, waits, is let through, is gone. Pure: readings, notices and time go
in.

A passage begins with the presence loop or with the first reading, whichever is first, and ends when the vehicle is
through, has left without passing, or was never more than a reading. What a passage has seen stays its own: the same
track, or the same text shortly after and with nobody on the loop, never begins another one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from edge.core.model import PlateText, Reading

PassageState = Literal[
    "reading", "waiting", "permitted", "opening", "open", "through", "not_opened", "turned_away", "left"
]
Outcome = Literal["through", "left", "turned_away"]
Effect = Literal["begin", "evaluate", "end"]

MOVING: frozenset[PassageState] = frozenset({"permitted", "opening", "open"})
"""A permit is out or the boom is up for this vehicle: only the barrier's own notices move the passage on."""

Track = tuple[str, int]

ASIDE_S = 4.0
"""What no camera has said to be in view for so long is not taken for whoever arrives."""


@dataclass(frozen=True, slots=True)
class Timing:
    """`match_after_s`: how long a vehicle on the loop may stay unread before the guard is asked. `forget_s`: how long
    a passage that is only a reading outlives its last frame. `quiet_s`: how long an ended passage's texts are not
    taken for a new one."""

    match_after_s: float = 6.0
    forget_s: float = 8.0
    quiet_s: float = 15.0


@dataclass(frozen=True, slots=True)
class Sight:
    """One plate of this passage: the best reading of its text, and whether its vote was decided. `reading` is None
    where a guard typed it: then `by` is the guard and `over` the sure reading that it was typed over."""

    plate: PlateText
    decided: bool
    reading: Reading | None
    by: str = ""
    over: str = ""

    @property
    def typed(self) -> bool:
        return self.reading is None


@dataclass(frozen=True, slots=True)
class Passage:
    id: str
    began_s: float
    last_seen_s: float
    state: PassageState = "reading"
    arrived_s: float | None = None
    sights: tuple[Sight, ...] = ()
    tracks: frozenset[Track] = frozenset()
    serial: int | None = None
    """The permit now out for this passage, by its serial."""
    asked: bool = False
    """The guard was asked without a decided plate."""
    fault: str = ""

    @property
    def decided(self) -> tuple[PlateText, ...]:
        """Texts that may be matched, best first: exact by the vote or typed by a guard."""
        return tuple(sight.plate for sight in self.sights if sight.decided)


@dataclass(frozen=True, slots=True)
class Lane:
    """`spent` are the tracks of the passage before, `recent` its texts; `ended_s` when it ended."""

    present: bool = False
    passage: Passage | None = None
    spent: frozenset[Track] = frozenset()
    recent: frozenset[str] = frozenset()
    ended_s: float = float("-inf")
    aside: tuple[Reading, ...] = ()
    """Readings of a text just gone, with nobody on the loop: the same vehicle seen from behind, or one that backed off
    and is still in view. The loop decides: they belong to whoever arrives next."""
    aside_s: float = float("-inf")
    """When a camera last had one of them in view."""


Stepped = tuple[Lane, tuple[Effect, ...]]
NewId = Callable[[], str]


def saw(lane: Lane, reading: Reading, now_s: float, timing: Timing, new_id: NewId) -> Stepped:
    """A camera's vote on one track changed."""
    track = (reading.camera, reading.track)
    if track in lane.spent:
        return lane, ()
    text = reading.read.plate.text
    if lane.passage is None:
        if text in lane.recent and not lane.present and now_s - lane.ended_s < timing.quiet_s:
            others = tuple(one for one in lane.aside if (one.camera, one.track) != track)
            return replace(lane, aside=(*others, reading), aside_s=now_s), ()
        lane, began = _begin(lane, now_s, new_id)
    else:
        began = ()
    assert lane.passage is not None
    before = lane.passage
    passage = replace(before, last_seen_s=now_s, tracks=before.tracks | {track}, sights=_merge(before.sights, reading))
    changed = [sight.plate.text for sight in passage.sights if sight.decided] != [
        plate.text for plate in before.decided
    ]
    return replace(lane, passage=passage), (*began, *(("evaluate",) if changed else ()))


def kept(lane: Lane, camera: str, tracks: frozenset[int], now_s: float) -> Lane:
    """These tracks of a camera are still in view, whether or not there was anything new to read."""
    aside = tuple(reading for reading in lane.aside if reading.camera != camera or reading.track in tracks)
    if len(aside) != len(lane.aside):  # what went out of view will not arrive
        lane = replace(lane, aside=aside)
    if any(reading.camera == camera for reading in aside):
        lane = replace(lane, aside_s=now_s)
    passage = lane.passage
    if passage is None or not any((camera, track) in passage.tracks for track in tracks):
        return lane
    return _update(lane, last_seen_s=now_s)


def typed(lane: Lane, plate: PlateText, by: str = "", over: str = "") -> Stepped:
    """A guard typed or chose the text: it counts as exact, under the guard's name, and stands over what was typed
    before."""
    if lane.passage is None:
        return lane, ()
    others = tuple(sight for sight in lane.passage.sights if not sight.typed and sight.plate.text != plate.text)
    passage = replace(lane.passage, sights=(Sight(plate, decided=True, reading=None, by=by, over=over), *others))
    return replace(lane, passage=passage), ("evaluate",)


def arrived(lane: Lane, now_s: float, new_id: NewId) -> Stepped:
    """The presence loop is covered."""
    began: tuple[Effect, ...] = ()
    if lane.passage is None:
        lane, began = _begin(lane, now_s, new_id)
    passage = lane.passage
    assert passage is not None
    for reading in lane.aside if now_s - lane.aside_s < ASIDE_S else ():
        track = (reading.camera, reading.track)
        passage = replace(passage, tracks=passage.tracks | {track}, sights=_merge(passage.sights, reading))
    passage = replace(passage, arrived_s=now_s)
    return replace(lane, present=True, passage=passage, aside=()), (*began, "evaluate")


def left(lane: Lane, now_s: float) -> Stepped:
    """The presence loop is free and nobody passed: reversed out, unless the boom is moving or up for this vehicle."""
    lane = replace(lane, present=False)
    if lane.passage is None or lane.passage.state in MOVING:
        return lane, ()
    return _end(lane, now_s)


def through(lane: Lane, now_s: float) -> Stepped:
    """The vehicle is through, its trailer included: the barrier's own loops said so."""
    lane = replace(lane, present=False)
    if lane.passage is None:
        return lane, ()
    return _end(replace(lane, passage=replace(lane.passage, state="through")), now_s)


def permitted(lane: Lane, serial: int) -> Lane:
    """A permit of this serial is about to be offered."""
    return _update(lane, state="permitted", serial=serial, fault="")


def boom(
    lane: Lane, kind: Literal["opening", "opened", "refused", "not_opened"], serial: int | None, code: str = ""
) -> Lane:
    """What the barrier answered to this passage's permit; answers to any other serial are not about this passage."""
    passage = lane.passage
    if passage is None or serial is None or passage.serial != serial:
        return lane
    if kind == "opening":
        return _update(lane, state="opening")
    if kind == "opened":
        return _update(lane, state="open")
    return _update(lane, state="not_opened", serial=None, fault=code)


def lowered(lane: Lane, now_s: float) -> Stepped:
    """The boom is down again and nobody passed: the vehicle still stands there, or it went away while the boom was
    up."""
    if lane.passage is None or lane.passage.state not in MOVING:
        return lane, ()
    if not lane.present:
        return _end(lane, now_s)
    return _update(lane, state="waiting", serial=None), ("evaluate",)


def waiting(lane: Lane, *, again: bool = False) -> Lane:
    """The verdict is on the screen. `again`: so is it after a permit that moved nothing."""
    states = ("reading", "not_opened") if again else ("reading",)
    return lane if lane.passage is None or lane.passage.state not in states else _update(lane, state="waiting")


def turned_away(lane: Lane) -> Lane:
    return _update(lane, state="turned_away")


def tick(lane: Lane, now_s: float, timing: Timing) -> Stepped:
    """Time went on: ask the guard about an unread vehicle, forget what was only ever a reading."""
    passage = lane.passage
    if passage is None or passage.state in MOVING:
        return lane, ()
    if not lane.present and now_s - max(passage.last_seen_s, passage.arrived_s or passage.began_s) > timing.forget_s:
        return _end(lane, now_s)
    unread = passage.arrived_s is not None and now_s - passage.arrived_s > timing.match_after_s and not passage.decided
    if unread and not passage.asked:
        return _update(lane, asked=True), ("evaluate",)
    return lane, ()


def outcome(passage: Passage) -> Outcome:
    if passage.state == "through":
        return "through"
    return "turned_away" if passage.state == "turned_away" else "left"


def _begin(lane: Lane, now_s: float, new_id: NewId) -> Stepped:
    return replace(lane, passage=Passage(new_id(), now_s, now_s)), ("begin",)


def _end(lane: Lane, now_s: float) -> Stepped:
    passage = lane.passage
    assert passage is not None
    texts = frozenset(sight.plate.text for sight in passage.sights)
    lane = replace(lane, recent=texts, ended_s=now_s)
    if passage.state == "through":
        return replace(lane, spent=passage.tracks, aside=()), ("end",)
    # It backed off, and may stand in view still: what was read of it waits for the loop to say that it is here again.
    waits = tuple(replace(s.reading, decided=s.decided) for s in passage.sights if s.reading is not None)
    return replace(lane, spent=frozenset(), aside=waits, aside_s=passage.last_seen_s), ("end",)


def cleared(lane: Lane) -> Lane:
    """The ended passage was recorded: the lane is free for the next."""
    return replace(lane, passage=None)


def _update(lane: Lane, **changes: object) -> Lane:
    if lane.passage is None:
        return lane
    return replace(lane, passage=replace(lane.passage, **changes))  # type: ignore[arg-type]  # keys are this module's own


def _merge(sights: tuple[Sight, ...], reading: Reading) -> tuple[Sight, ...]:
    """One sight for each text; a track that changed its mind drops its undecided text. Decided first, then by
    confidence."""
    plate = reading.read.plate
    track = (reading.camera, reading.track)
    kept = []
    decided = reading.decided
    for sight in sights:
        same_track = sight.reading is not None and (sight.reading.camera, sight.reading.track) == track
        if sight.plate.text == plate.text:
            if sight.typed and not reading.decided:
                return sights  # what a person typed is not made a sure reading by an unsure one
            decided = decided or sight.decided
            if sight.reading is not None and sight.decided and not reading.decided:
                reading, plate = sight.reading, sight.plate
        elif not (same_track and not sight.decided):
            kept.append(sight)
    kept.append(Sight(plate, decided, reading))
    return tuple(sorted(kept, key=lambda sight: (not sight.decided, -sight.plate.confidence)))
