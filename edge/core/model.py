"""The nouns of the house: frozen values that cross from one part to another. Imports nothing of ours.

Names of steps, authorities, acts, states and verdicts are those of the outside contract (docs/protocol.md); articles
are of Decision 27/2025/QĐ-UBND unless another decision is named. Wall times are ISO 8601 strings with an offset, as
labels only; durations are measured on the monotonic clock and say their unit in the name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Place = Literal["b1", "b2", "yard_in", "yard_out"]
Direction = Literal["into_area", "out_of_area", "in", "out"]
Trip = Literal["through", "brings", "takes"]
"""A vehicle's part in the goods' trip (Art. 10.2): goes through with them, brings them to a transshipment and goes back
empty, or takes them over and never came by the first barrier."""
Via = Literal["platform", "gate", "paper"]
DeclarationState = Literal["active", "withdrawn", "completed"]
VerdictName = Literal["release", "ready", "await", "refuse", "unknown"]
Layout = Literal["one_line", "two_line", "unknown"]
Country = Literal["VN", "CN", "unknown"]

Point = tuple[float, float]
Box = tuple[float, float, float, float]
"""(x1, y1, x2, y2) in pixels of the frame it was read from."""


@dataclass(frozen=True, slots=True)
class Name:
    """What people call a thing, or are told, in each language; never one text to be cut apart. `zh` is empty where no
    driver ever sees it."""

    vi: str
    en: str
    zh: str = ""

    @property
    def both(self) -> str:
        """Vietnamese first, English beside: where there is one line for all readers."""
        return f"{self.vi} / {self.en}"

    def format(self, **words: object) -> Name:
        """With its places filled in, the same in each language."""
        return Name(self.vi.format(**words), self.en.format(**words), self.zh.format(**words))


# ---------------------------------------------------------------- plates


@dataclass(frozen=True, slots=True)
class PlateText:
    """One reading of one plate, after the plate table (config/plates.toml) had its say.

    `text` is normalised (upper case, no spaces, dots or dashes, Đ kept). `raw` is what the reader saw before any
    correction.
    `kind` is the plate table's name of the pattern, or "other" where no pattern fits: shown to the guard, never
    matched. `ground`: the colour that was plainly seen, one of `core.plate.GROUNDS`, None where it was not;
    `ground_odd`: the table knows no plate of this text on that ground, so somebody has to look.
    """

    text: str
    raw: str
    confidence: float
    country: Country = "unknown"
    kind: str = "other"
    layout: Layout = "unknown"
    class_code: str | None = None
    ground: str | None = None
    ground_odd: bool = False


@dataclass(frozen=True, slots=True)
class PlateRead:
    """A plate text where it stands in one frame. `corners` run clockwise from the top left, in frame pixels.

    `whole`: both ends were in the picture and the region, with nothing over the outer characters (core.wholeness).
    False until somebody looked: what was not seen whole is never decided.
    """

    plate: PlateText
    box: Box
    corners: tuple[Point, Point, Point, Point]
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    """What one camera says of one track, after voting over its frames. Photo, plate, box and time are of one and the
    same frame.

    `decided` is true once the vote may be trusted for an automatic match; until then the text is a suggestion.
    `captured_mono_ns` is the host's monotonic clock (CLOCK_MONOTONIC, comparable between processes of one boot).
    """

    camera: str
    track: int
    frame: int
    captured_mono_ns: int
    captured_at: str
    read: PlateRead
    decided: bool
    votes: int
    frame_size: tuple[int, int]
    """(width, height) in pixels."""


# ---------------------------------------------------------------- declarations


@dataclass(frozen=True, slots=True)
class Vehicle:
    """`role`: vehicle, tractor, trailer, goods (on its own wheels as goods) or carrier (driverless; also igv).
    `vehicle_class` is the JSON key `class`: one of the paper form's six classes. `trip` is None where the platform does
    not send it. `permit_no`, `permit_until`: the international road transport permit (Art. 4.2.g, 5.2.a). Where
    there is no plate, the number it goes by stands there: `unit_no` (of an IGV), `chassis` or container."""

    role: str
    plate: str
    country: str
    vehicle_class: str | None = None
    container: str | None = None
    seal: str | None = None
    driver_name: str | None = None
    driver_phone: str | None = None
    trip: Trip | None = None
    permit_no: str | None = None
    permit_until: str | None = None
    chassis: str | None = None
    unit_no: str | None = None


PEER = "peer"
"""`Confirmation.via`: by another gate of this site."""


@dataclass(frozen=True, slots=True)
class Confirmation:
    """One authority's yes to one act of one step. `at` is ISO 8601 with an offset.

    `plate`: where a declaration has several vehicles, the one that this speaks of; None speaks of all of them.
    """

    step: str
    authority: str
    act: str
    at: str
    by: str
    via: str = "platform"
    """platform, gate (this one), paper, or peer: another gate of this site, while the centre does not carry it."""
    plate: str | None = None


@dataclass(frozen=True, slots=True)
class Transfer:
    """Goods under customs transfer, from the hand-over record (Decision 53/2003/QD-BTC)."""

    record_no: str
    record_date: str
    sent_by: str
    received_by: str
    seals: tuple[str, ...] = ()
    route: tuple[str, ...] = ()
    deadline: str | None = None
    monitored: bool = False


@dataclass(frozen=True, slots=True)
class Declaration:
    """A declaration on the platform (tờ khai), with every confirmation known here: the centre's and this gate's own.

    `requires` holds the "if any" (nếu có) answers, by key; what an absent key means is the rule table's to
    say, confirmation by confirmation.
    """

    id: str
    version: int
    state: str
    procedure: str
    declared_at: str
    vehicles: tuple[Vehicle, ...]
    requires: Mapping[str, bool] = field(default_factory=dict)
    confirmations: tuple[Confirmation, ...] = ()
    transfer: Transfer | None = None
    goods: tuple[Mapping[str, object], ...] = ()
    declarant: Mapping[str, object] = field(default_factory=dict)
    customs_declaration: Mapping[str, object] = field(default_factory=dict)


# ---------------------------------------------------------------- verdicts


@dataclass(frozen=True, slots=True)
class Missing:
    """A confirmation that the law still asks for. `authority` may be "A|B" where either one will do."""

    step: str
    authority: str
    act: str
    article: str


@dataclass(frozen=True, slots=True)
class Reason:
    """Why, as a code for machines, a text for people and the article it rests on ("" where none does). In the
    contract's JSON the text is one line, Vietnamese first."""

    code: str
    text: Name
    article: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the law says of this vehicle at this place, now. `missing` is in the legal order."""

    verdict: VerdictName
    step: str | None
    missing: tuple[Missing, ...] = ()
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class Need:
    """One confirmation of one step as the guard's screen shows it: "given", "missing", "early" (out of order, does
    not count)."""

    authority: str
    act: str
    article: str
    state: Literal["given", "missing", "early"]
    by: str | None = None
    at: str | None = None


@dataclass(frozen=True, slots=True)
class StepView:
    """One step of the procedure as a place in the row of steps. `passage` steps (yard gates) may have no needs of
    their own."""

    step: str
    state: Literal["done", "here", "open", "later"]
    needs: tuple[Need, ...]
    article: str
