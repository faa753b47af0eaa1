"""One TOML file for one gate PC, checked strictly: an unknown key, a wrong type or a contradiction stops the start.

Every fault is found before anything starts and names its key (`lane.0.camera.1.url`). Durations and sizes carry their
unit in the key's name. `config/gate.example.toml` shows every key with its meaning.
"""

from __future__ import annotations

import ipaddress
import json
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from edge.camera_config import AimConfig
from edge.core.model import Direction, Place
from edge.errors import ConfigError
from edge.secret_path import SecretPath, names_a_user, url_with_password
from firmware_io.board import BoardSettings, sharing_faults, wiring_faults
from firmware_io.modbus import profile_faults
from firmware_io.terms import BarrierSettings

Identifier = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]
"""Short names that end up in topics and paths: lower case letters, digits, dashes."""

TOPIC_WORDS = frozenset({"declaration", "watchlist", "centre"})
"""What stands in a lane's place in the contract's topics (docs/protocol.md)."""


def _lane_id(text: str) -> str:
    if text in TOPIC_WORDS:
        raise ValueError(f"must be none of {', '.join(sorted(TOPIC_WORDS))}: the centre's topics have these names")
    return text


DIRECTIONS: dict[str, tuple[str, ...]] = {
    "b1": ("into_area", "out_of_area"),
    "b2": ("into_area", "out_of_area"),
    "yard_in": ("in",),
    "yard_out": ("out",),
}


class Section(BaseModel):
    """A table of the file: no key that is not written down here, nothing changed after the start."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Name(Section):
    """A name that people see, Vietnamese first."""

    vi: str
    en: str


class SiteConfig(Section):
    id: Identifier
    name: Name
    data_dir: Annotated[str, Field(min_length=1)] = "/var/lib/barie"


def _network(text: str) -> str:
    return str(ipaddress.ip_network(text))


class PanelConfig(Section):
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8080
    sign_in: Literal["accounts", "demo"] = "accounts"
    """`demo` signs every browser in as a demo guard; only allowed where every board is simulated and the host is
    loopback."""
    auto_lock_s: Annotated[int, Field(ge=30)] = 900
    screen_user: str = "barie-screen"
    """The user whose browser is the booth's own screen: it alone is shown names to sign in by."""
    allow: list[Annotated[str, AfterValidator(_network)]] = []
    """From which networks the screen may be asked where `host` is not loopback; none named: from any."""
    badge_alone: list[Literal["guard", "shift_leader", "customs", "yard_operator", "technician", "auditor"]] = []
    """Roles that sign in by their badge without a PIN; for all others a badge only says who they are."""


class MetricsConfig(Section):
    port: Annotated[int, Field(ge=0, le=65535)] | None = None
    """Prometheus metrics on 127.0.0.1; None: off."""


class MqttConfig(Section):
    host: str
    port: Annotated[int, Field(ge=1, le=65535)] = 1883
    protocol: Literal["5", "3.1.1"] = "5"
    client_id: str | None = None
    """Default: made of site and lanes, so that a broker takes a half-open connection over. "{random}" in it is drawn
    anew for each connection, for a broker that cannot do that (the demo's)."""
    username: str | None = None
    password_file: SecretPath | None = None
    tls: bool = False
    ca_file: str | None = None
    cert_file: SecretPath | None = None
    key_file: SecretPath | None = None
    in_flight: Annotated[int, Field(ge=1, le=1000)] = 20
    resend_s: Annotated[float, Field(gt=0)] = 30.0


class StoreConfig(Section):
    keep_acknowledged_s: Annotated[int, Field(ge=60)] = 30 * 86400
    """How long an acknowledged event stays here for the guard's history; 0 prunes at once."""
    evidence_budget_mb: Annotated[int, Field(ge=50)] = 20_000


class VisionConfig(Section):
    reader: str = "own"
    detector: Literal["ultralytics"] | None = None
    """In place of the detector that comes with reader "own": the site's own YOLO pose model."""
    detector_file: str | None = None
    detector_sha256: str | None = None
    models_dir: str | None = None
    """Where reader "own" finds its manifest and weights; None: those that came with the program."""
    threads: Annotated[int, Field(ge=1, le=16)] = 2


class LawConfig(Section):
    """A site's choices where the Decision leaves one; every default is the article's own rule."""

    rules_file: str | None = None
    pilot_rules_files: list[str] = []
    """Rule tables beside it, each in force on its own days and pilot roads ([table] valid_from, valid_until, roads)."""
    he_at_b1_in: Literal["article", "appendix"] = "article"
    he_at_b1_out: Literal["article", "appendix"] = "article"
    yard_exit: Literal["hold", "warn"] = "hold"
    yard_passages: Literal["required", "if_any"] = "required"
    """"if_any": a yard without devices, or whose data are not shared (Art. 4.2.c, "nếu có")."""
    smart_lane: Literal["off", "on"] = "off"
    clock_skew_s: Annotated[float, Field(ge=0, le=60)] = 0.0
    """In the groups that the Decision lists in order, how much earlier than its predecessor a stamp may be."""
    copy_age_limit_s: Annotated[int, Field(ge=60)] = 3600
    overstay_s: Annotated[int, Field(ge=60)] | None = None
    """A vehicle inside the gate area for longer is shown; None: no limit."""
    route_name: Annotated[str, Field(min_length=1)] | None = None
    """What hand-over records call this gate in their routes (53/2003); None: the guard compares the route alone."""

    customs_unit: Annotated[str, Field(min_length=1)] | None = None
    """What hand-over records call the customs unit of this gate: of records that it sent, the other unit owes a list
    every five days (53/2003, I.5); None: no list is awaited."""

    def choices(self) -> dict[str, str]:
        """The choices that this site made, by the rule table's names; of the others the table's own default holds."""
        names = {"he_at_b1_in", "he_at_b1_out", "yard_exit", "yard_passages", "smart_lane"}
        return self.model_dump(include=names & self.model_fields_set)


class YardConfig(Section):
    """The yard behind this gate PC's yard gates (Art. 20.1)."""

    id: Identifier = "yard"
    capacity: Annotated[int, Field(ge=1)]


class CameraConfig(Section, AimConfig):
    id: Identifier
    url: Annotated[str, Field(pattern=r"^rtsps?://")]
    role: Literal["front", "rear"] = "front"
    transport: Literal["tcp", "udp"] = "tcp"
    user: str | None = None
    password_file: SecretPath | None = None

    def address(self) -> str:
        """The URL as the camera's process calls it, password and all. Raises ConfigError."""
        return url_with_password(self.url, self.user, self.password_file, f"camera {self.id}")

    @model_validator(mode="after")
    def _one_name(self) -> Self:
        if self.user is not None and names_a_user(self.url):
            raise ValueError("url: it names a user already, and so does user: leave one of them out")
        if self.password_file is not None and self.user is None:
            raise ValueError("password_file: a password needs its user")
        return self


class LaneConfig(Section):
    id: Annotated[Identifier, AfterValidator(_lane_id)]
    name: Name
    place: Place
    direction: Direction
    smart_lane: bool = False
    """A pilot lane of Decision 865/QĐ-TTg: a complete, exact, unflagged match may release without a guard."""
    road: Annotated[str, Field(min_length=1)] | None = None
    """The pilot road that this lane is on, as rule tables name it; None: no pilot."""
    simulated: bool = False
    """Says that the board is the simulator's, so that demo sign-in may be used; it changes nothing else."""
    match_after_s: Annotated[float, Field(gt=0)] = 6.0
    """How long after arrival an undecided plate is left to the guard as "unknown"."""
    device_fault_after_s: Annotated[float, Field(ge=10, le=3600)] = 60.0
    """A yard gate: how long no camera may have given a picture before vehicles pass as normal (Art. 23.2)."""
    walk_every_days: Annotated[int, Field(ge=1, le=366)] = 180
    """How often the boom has to be tested by a person (`barie walk`): EN 12635 wants power-operated gates looked at in
    intervals that the manufacturer sets, half a year in the trade."""
    camera: Annotated[list[CameraConfig], Field(min_length=1, max_length=4)]
    board: BoardSettings
    barrier: BarrierSettings = Field(default_factory=BarrierSettings)

    @property
    def opens_by_itself(self) -> bool:
        """Yard gates (Art. 4.2.c and its kin) and smart lanes; everywhere else a guard's confirmation opens."""
        return self.smart_lane or self.place.startswith("yard")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.direction not in DIRECTIONS[self.place]:
            raise ValueError(
                f"direction: {self.direction!r} is not a way through {self.place}: use {DIRECTIONS[self.place]}"
            )
        if self.smart_lane and self.place.startswith("yard"):
            raise ValueError("smart_lane: only B1 and B2 can be smart lanes; a yard gate confirms by itself anyway")
        faults = [f"board: {fault}" for fault in self.board.faults()] + [
            f"barrier: {fault}" for fault in self.barrier.faults()
        ]
        faults += wiring_faults(self.board, self.barrier) or profile_faults(self.board)
        if faults:
            raise ValueError("; ".join(faults))
        return self


class Config(Section):
    site: SiteConfig
    panel: PanelConfig = PanelConfig()
    metrics: MetricsConfig = MetricsConfig()
    mqtt: MqttConfig | None = None
    store: StoreConfig = StoreConfig()
    vision: VisionConfig = VisionConfig()
    law: LawConfig = LawConfig()
    yard: YardConfig | None = None
    lane: Annotated[list[LaneConfig], Field(min_length=1)]

    @model_validator(mode="after")
    def _no_overlap(self) -> Self:
        faults = [
            *_repeated("lane.id", [lane.id for lane in self.lane]),
            *_repeated("lane.camera.id", [camera.id for lane in self.lane for camera in lane.camera]),
            *_repeated("lane.camera.url", [camera.url for lane in self.lane for camera in lane.camera], secret=True),
            *sharing_faults({lane.id: lane.board for lane in self.lane}),
        ]
        if self.panel.sign_in == "demo":
            if not all(lane.simulated for lane in self.lane):
                faults.append("panel.sign_in: 'demo' is only allowed where every lane says simulated = true")
            if not is_loopback(self.panel.host):
                faults.append("panel.sign_in: 'demo' is only allowed on a loopback panel.host")
        if faults:
            raise ValueError("; ".join(faults))
        return self


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _repeated(key: str, values: list[str], *, secret: bool = False) -> list[str]:
    """Two lanes that share a board, a camera or a name overlap: neither could be trusted."""
    seen = sorted({value for value in values if values.count(value) > 1})
    return [
        f"{key}: {'a value' if secret else repr(value)} is used by more than one lane: lanes overlap" for value in seen
    ]


def parse_config(text: str, source: str) -> Config:
    """The checked configuration. Raises ConfigError with every fault found, each naming its key (or line, for bad
    TOML)."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(source, [f"not valid TOML: {error}"]) from error
    except RecursionError as error:
        raise ConfigError(source, ["tables or lists nested too deeply: nothing here needs that"]) from error
    try:
        # Through JSON, where strict mode still takes a list for a tuple and a table for a dataclass.
        return Config.model_validate_json(json.dumps(data, default=str))
    except ValidationError as error:
        raise ConfigError(source, [_fault(item) for item in error.errors(include_url=False)]) from error


def load_config(path: Path) -> Config:
    """Read and check one file. Raises ConfigError, also where the file cannot be read."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(str(path), [f"cannot be read: {error}"]) from error
    return parse_config(text, str(path))


def _fault(item: Any) -> str:
    key = ".".join(str(part) for part in item["loc"]) or "file"
    if item["type"] == "extra_forbidden":
        return f"{key}: unknown key; see config/gate.example.toml for every key there is"
    if item["type"] == "missing":
        return f"{key}: missing"
    message = str(item["msg"]).removeprefix("Value error, ")
    return f"{key}: {message}"
