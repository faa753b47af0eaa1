"""The lane as a screen shows it: one frozen value, from which the page's JSON and its schema are made (docs/screen.md).

Everything that looks at a lane from outside reads this: the guard's page, the driver's sign, the alarm list, the
shift's note, the metrics. Times are ISO 8601 with offset; names are for people.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from edge.core.automatic import Answer
from edge.core.identity import Identity
from edge.core.json_shape import PART
from edge.core.law.paper import Difference
from edge.core.law.yard import YardCount
from edge.core.model import Box, Declaration, Name, PlateText, VerdictName
from edge.core.passage import PassageState

# ---------------------------------------------------------------- around the passage


@dataclass(frozen=True, slots=True, kw_only=True)
class BoomView:
    """From the limit switches: `state` is closed, opening, open, lowering, stopped or unknown. `emergency`: up until
    somebody lowers it."""

    state: str
    faults: tuple[str, ...] = ()
    held: bool = False
    held_by: str | None = None
    held_at: str | None = None
    board_ok: bool = True
    present: bool | None = None
    emergency: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraView:
    """`state`: starting, up, down, frozen or blind. `age_ms`: of the newest picture, at the call."""

    id: str
    state: str
    detail: str = ""
    age_ms: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkView:
    """`state`: "up", "broker" (only the broker answers), "down", "refused" or "off". `centre`: "reached", "gone", or
    "untold" by one that does not say whether it is there; `silent_s`: since its last sign of life. `oldest_s`: age of
    the oldest of the `unacknowledged` events."""

    state: str
    detail: str = ""
    centre: str = "untold"
    silent_s: float | None = None
    unacknowledged: int = 0
    oldest_s: float | None = None


@dataclass(frozen=True, slots=True)
class RoomView:
    """Whether the record can be written: ok, low, full or failed."""

    state: str
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenView:
    """What the centre sent and this gate did not take: why the newest watch list, rows of it, declarations."""

    watchlist: str = ""
    watch_rows: int = 0
    declarations: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TrendView:
    """A camera that reads worse than it did: the code of what it looks like, and the figures."""

    camera: str
    code: str
    was: float
    now: float
    lights: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthView:
    """Everything around the passage. `copy_age_s` is 0 while the link is up, None where there never was a whole copy;
    `program`: a fault of this lane's own that nobody foresaw; `record`: codes of what is wrong with the record."""

    boom: BoomView
    cameras: tuple[CameraView, ...]
    link: LinkView
    clock: str
    store: RoomView
    copy_age_s: float | None
    taken: TakenView = TakenView()
    program: str = ""
    record: tuple[str, ...] = ()
    eyes: tuple[TrendView, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BoxView:
    """The PC itself; `care`: codes of what somebody should see to, the worst first."""

    temperature_c: float | None = None
    battery_percent: int | None = None
    care: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmSummary:
    """How many alarms wait for an answer, stand, are shelved; the worst priority and the newest time of those that
    wait."""

    waiting: int
    active: int
    shelved: int
    worst: int | None
    newest: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class GateView:
    """What every lane's view says of the whole gate. `handover_open`: a shift's note waits for its signature."""

    alarms: AlarmSummary
    box: BoxView
    handover_open: bool


# ---------------------------------------------------------------- beside the passage


@dataclass(frozen=True, slots=True)
class PaperSince:
    """Who put the lane on paper, when and why."""

    by: str
    at: str
    why: str


@dataclass(frozen=True, slots=True)
class Called:
    id: str
    name: Name


@dataclass(frozen=True, slots=True)
class Keyed:
    key: str
    name: Name


@dataclass(frozen=True, slots=True)
class Required:
    """An "if any" answer of a declaration, and what an absent one means."""

    key: str
    name: Name
    absent_means: bool


@dataclass(frozen=True, slots=True)
class PaperOptions:
    """What a paper form may choose here: the form itself names no procedure."""

    procedures: tuple[Called, ...]
    requires: tuple[Required, ...]
    signers: tuple[Keyed, ...]


@dataclass(frozen=True, slots=True)
class PaperTask:
    """A form that waits for a guard: still missing on the platform, or different from its `declaration`."""

    id: str
    plates: tuple[str, ...]
    outcome: str
    declaration: str | None
    differences: tuple[Difference, ...]


@dataclass(frozen=True, slots=True)
class Overstay:
    """A vehicle inside for longer than the site allows."""

    declaration: str
    plates: tuple[str, ...]
    since: str
    inside_s: float


@dataclass(frozen=True, slots=True)
class YardView:
    """How full the yard behind a yard gate is."""

    level: Annotated[YardCount, PART]
    full: bool


@dataclass(frozen=True, slots=True)
class EndedView:
    """One of the last passages: `outcome` is through, left, turned_away, or unseen (a restart lay between)."""

    plate: str | None
    at: str
    outcome: str
    verdict: VerdictName | None


# ---------------------------------------------------------------- the passage


@dataclass(frozen=True, slots=True, kw_only=True)
class PlateView:
    """A plate of the passage. `typed`: by a person, `over` a sure reading. `candidates`: the text itself and declared
    plates like it, where there are any: suggestions only."""

    plate: Annotated[PlateText, PART]
    decided: bool
    typed: bool = False
    over: str = ""
    candidates: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PairingView:
    """Customs' pairing of Chinese and Vietnamese vehicles for transshipment (Art. 10.2)."""

    chinese: tuple[str, ...]
    vietnamese: tuple[str, ...]
    confirmed_at: str | None


@dataclass(frozen=True, slots=True)
class OtherDeclaration:
    """Another declaration that fits."""

    id: str
    procedure: str
    state: str
    declared_at: str


@dataclass(frozen=True, slots=True)
class NeedView:
    authority: str
    authority_name: Name
    act: str
    act_name: Name
    article: str
    state: Literal["given", "missing", "early"]
    by: str | None = None
    at: str | None = None


@dataclass(frozen=True, slots=True)
class StepRow:
    """One place in the row of steps."""

    step: str
    name: Name
    state: Literal["done", "here", "open", "later"]
    article: str
    needs: tuple[NeedView, ...]


@dataclass(frozen=True, slots=True)
class MissingView:
    step: str
    authority: str
    act: str
    article: str
    authority_name: Name


@dataclass(frozen=True, slots=True)
class ReasonView:
    """Why, as a code for machines and a text for people."""

    code: str
    text: Name
    article: str


@dataclass(frozen=True, slots=True)
class VerdictView:
    verdict: VerdictName
    step: str | None
    missing: tuple[MissingView, ...]
    reasons: tuple[ReasonView, ...]


@dataclass(frozen=True, slots=True)
class Seals:
    """What a guard found on a vehicle under customs transfer; `seen` is None before anybody looked."""

    seen: tuple[str, ...] | None = None
    broken: bool = False
    off_route: bool = False
    condition: str = ""


UNSEEN = Seals()


@dataclass(frozen=True, slots=True)
class Pressed:
    """How the last press was answered."""

    code: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PassageView:
    """The vehicle at the barrier. `plate` is the one by which it is known. `photo`, `crop`: ids of the pictures, with
    the plate's `box` in pixels of that very frame. `vehicles`: the declaration's, each by its plates. `shut`: why
    nothing opened by itself. `needs_check`: the guard has to say to have looked; `two_people`: an override asks for
    two. `fault`: the barrier's code for why it did not open."""

    id: str
    state: PassageState
    plate: PlateView | None
    plates: tuple[PlateView, ...]
    photo: str | None
    crop: str | None
    box: Box | None
    frame_size: tuple[int, int] | None
    captured_at: str | None
    declaration: Declaration | None
    pairing: PairingView | None
    others: tuple[OtherDeclaration, ...]
    procedure: Called | None
    steps: tuple[StepRow, ...]
    verdict: VerdictView | None
    needs_check: bool
    two_people: bool
    who: Identity | None
    vehicles: tuple[tuple[str, ...], ...]
    shut: Answer | None
    seals: Seals | None
    actions: tuple[str, ...]
    fault: str
    result: Pressed | None


# ---------------------------------------------------------------- the lane


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneView:
    """One lane. `number` grows with every change of anything but ages. `not_lowered`: why the boom did not come down
    when a person last asked. `actions`: what may be asked of the lane itself, whoever stands there."""

    lane: str
    name: Name
    place: str
    direction: str
    mode: Literal["auto", "guard"]
    number: int
    passage: PassageView | None
    last: tuple[EndedView, ...]
    paper: PaperSince | None
    paper_options: PaperOptions | None
    paper_tasks: tuple[PaperTask, ...]
    overstays: tuple[Overstay, ...]
    yard: YardView | None
    not_lowered: str
    health: Annotated[HealthView, PART]
    gate: Annotated[GateView | None, PART]
    actions: tuple[str, ...]
