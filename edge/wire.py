"""Payloads from outside, checked and turned into the core's values; and declarations back into the contract's shape.

Strict: a wrong type, a duplicate key, a time without an offset or an empty plate is refused, and the message names the
field but never its value (plates, names and phones stay out of logs). Fields that are not known here are ignored,
because the contract may grow. Whether a procedure is known is the rule table's question: `check_procedure`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, Any, Literal, NoReturn, Self, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from edge.core.instant import deadline_instant, instant
from edge.core.law.declaration_json import confirmation_to_json, declaration_to_json
from edge.core.model import PEER, Confirmation, Declaration, Transfer, Vehicle
from edge.errors import BadMessageError

__all__ = [
    "MAX_BYTES",
    "WATCH_MAX_BYTES",
    "Ack",
    "CentreWord",
    "Command",
    "EvidenceAck",
    "WatchEntry",
    "WatchRows",
    "check_procedure",
    "confirmation_to_json",
    "declaration_to_json",
    "parse_ack",
    "parse_centre",
    "parse_command",
    "parse_declaration",
    "parse_evidence_ack",
    "parse_peer",
    "parse_watchlist",
    "watch_entries",
    "watch_rows",
]  # fmt: skip

MAX_BYTES = 1_000_000
WATCH_MAX_BYTES = 8_000_000
"""One message of the watch list: some 80,000 plates. A longer list comes in pieces."""
WATCH_PIECES_MOST = 1_000
MAX_INT = 2**63 - 1
"""What the store's integers hold."""
_FAULTS_SHOWN = 5


# ---------------------------------------------------------------- field types


def _stamp(text: str) -> str:
    if instant(text) is None:
        raise ValueError("must be an ISO 8601 time with an offset")
    return text


def _deadline(text: str) -> str:
    if deadline_instant(text) is None:
        raise ValueError("must be an ISO 8601 time with an offset, or a date")
    return text


def _plate(text: str) -> str:
    if not any(letter.isalnum() for letter in text):
        raise ValueError("must have letters or digits")
    return text


Text = Annotated[str, StringConstraints(max_length=2_000)]
Word = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f\ufffd]+$")]
Stamp = Annotated[str, StringConstraints(max_length=64), AfterValidator(_stamp)]
Deadline = Annotated[str, StringConstraints(max_length=64), AfterValidator(_deadline)]
Plate = Annotated[str, StringConstraints(min_length=1, max_length=32), AfterValidator(_plate)]
Version = Annotated[int, Field(ge=1, le=MAX_INT)]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class _Row(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)


class _Driver(_Row):
    name: Text | None = None
    phone: Text | None = None


class _Permit(_Row):
    number: Word | None = None
    valid_until: Deadline | None = None


class _Vehicle(_Row):
    role: Literal["vehicle", "tractor", "trailer", "goods", "carrier", "igv"]
    plate: Plate | None = None
    chassis: Word | None = None
    unit_no: Word | None = None
    trip: Literal["through", "brings", "takes"] | None = None
    permit: _Permit | None = None
    country: Word
    vehicle_class: Word | None = Field(default=None, alias="class")
    container: Text | None = None
    seal: Text | None = None
    driver: _Driver | None = None

    @model_validator(mode="after")
    def _known_by_something(self) -> Self:
        if not (self.plate or self.chassis or self.unit_no or self.container):
            raise ValueError("plate: a vehicle without one has a chassis, unit_no or container")
        return self

    def _goes_by(self) -> str:
        """The number that stands for the plate where there is none: a driverless carrier's, a chassis, a container."""
        return self.plate or self.unit_no or self.chassis or self.container or ""

    def value(self) -> Vehicle:
        name, phone = (self.driver.name, self.driver.phone) if self.driver else (None, None)
        permit = self.permit or _Permit()
        return Vehicle(
            self.role, self._goes_by(), self.country, self.vehicle_class, self.container, self.seal, name, phone,
            self.trip, permit.number, permit.valid_until, self.chassis, self.unit_no,
        )  # fmt: skip


class _Confirmation(_Row):
    step: Word
    authority: Word
    act: Word
    at: Annotated[str, StringConstraints(max_length=64)]
    """As it came: one that cannot be read is shown, and orders and opens nothing (docs/law.md)."""
    by: Text
    via: Literal["platform", "gate", "paper"] = "platform"
    plate: Plate | None = None

    def value(self) -> Confirmation:
        return Confirmation(self.step, self.authority, self.act, self.at, self.by, self.via, self.plate)


class _PeerWord(_Row):
    """What another gate of this site confirmed of one declaration."""

    declaration: Word
    confirmations: Annotated[list[_Confirmation], Field(max_length=500)]


class _Transfer(_Row):
    record_no: Word
    record_date: Word
    sent_by: Word
    received_by: Word
    seals: list[Word] = Field(default_factory=list)
    route: list[Word] = Field(default_factory=list)
    deadline: Deadline | None = None
    monitored: bool = False

    def value(self) -> Transfer:
        return Transfer(
            self.record_no, self.record_date, self.sent_by, self.received_by,
            tuple(self.seals), tuple(self.route), self.deadline, self.monitored,
        )  # fmt: skip


class _Declaration(_Row):
    id: Word
    version: Version
    state: Literal["active", "withdrawn", "completed"]
    procedure: Word
    declared_at: Stamp
    vehicles: list[_Vehicle] = Field(min_length=1)
    requires: dict[str, bool] = Field(default_factory=dict)
    confirmations: list[_Confirmation] = Field(default_factory=list)
    transfer: _Transfer | None = None
    goods: list[dict[str, Any]] = Field(default_factory=list)
    declarant: dict[str, Any] = Field(default_factory=dict)
    customs_declaration: dict[str, Any] = Field(default_factory=dict)

    def value(self) -> Declaration:
        return Declaration(
            id=self.id,
            version=self.version,
            state=self.state,
            procedure=self.procedure,
            declared_at=self.declared_at,
            vehicles=tuple(vehicle.value() for vehicle in self.vehicles),
            requires=self.requires,
            confirmations=tuple(confirmation.value() for confirmation in self.confirmations),
            transfer=self.transfer.value() if self.transfer else None,
            goods=tuple(self.goods),
            declarant=self.declarant,
            customs_declaration=self.customs_declaration,
        )


# ---------------------------------------------------------------- what crosses to the rest of the house


class Command(_Row):
    """One command to one lane. `issued_at` is aware; how old it may be is the lane's question."""

    id: Word
    issued_at: datetime
    action: Literal["open", "hold", "stop", "paper_on", "paper_off"]
    by: Word
    reason: Text


class WatchEntry(_Row):
    """A plate that must be held. `by`: the authority that asks for it, where the centre says so. People write more
    than a plate there (two of them, a word behind it): it is longer than a plate."""

    plate: Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(_plate)]
    reason: Text
    by: Word | None = None


class Ack(_Row):
    """`hash`: of event `seq`, as the centre has it; None from an older centre."""

    seq: Annotated[int, Field(ge=0, le=MAX_INT)]
    hash: Sha256 | None = None


class CentreWord(_Row):
    """`at` and `instance` only ever change when the centre speaks anew. `evidence_ack`: it acknowledges photos."""

    online: bool
    at: Stamp
    instance: Text = ""
    evidence_ack: bool = False


class EvidenceAck(_Row):
    """`sha256`: photos that the centre has for good; `want`: events whose photos it asks for again."""

    sha256: Annotated[list[Sha256], Field(max_length=10_000)] = []
    want: Annotated[list[Word], Field(max_length=10_000)] = []


class _Watchlist(_Row):
    plates: list[WatchEntry]


class _WatchContents(_Row):
    version: Word
    pieces: Annotated[int, Field(ge=1, le=WATCH_PIECES_MOST)]


NO_REASON = "không ghi rõ lý do / no readable reason"


def parse_declaration(payload: bytes, max_bytes: int = MAX_BYTES) -> Declaration:
    """A declaration as the centre publishes it. Raises BadMessageError naming the field."""
    return _checked("declaration", _Declaration, _object("declaration", payload, max_bytes)).value()


def check_procedure(declaration: Declaration, known: Callable[[str], bool]) -> None:
    """Raises BadMessageError where the rule table has no such procedure."""
    if not known(declaration.procedure):
        raise BadMessageError("declaration: procedure: not one of the table of procedures (config/procedures.toml)")


def parse_command(payload: bytes) -> Command:
    """A command to a lane. Raises BadMessageError naming the field."""
    row = _object("command", payload, MAX_BYTES)
    if isinstance(stamp := row.get("issued_at"), str):
        if instant(stamp) is None:
            raise BadMessageError("command: issued_at: must be an ISO 8601 time with an offset")
        row["issued_at"] = datetime.fromisoformat(stamp)
    return _checked("command", Command, row)


def parse_ack(payload: bytes) -> Ack:
    """The centre has every event up to this number for good. Raises BadMessageError naming the field."""
    return _checked("ack", Ack, _object("ack", payload, MAX_BYTES))


def parse_centre(payload: bytes) -> CentreWord:
    """What the centre says of itself. Raises BadMessageError naming the field."""
    return _checked("centre", CentreWord, _object("centre", payload, MAX_BYTES))


def parse_evidence_ack(payload: bytes) -> EvidenceAck:
    """Photos that the centre has, or wants again. Raises BadMessageError naming the field."""
    return _checked("evidence_ack", EvidenceAck, _object("evidence_ack", payload, MAX_BYTES))


def parse_peer(payload: bytes) -> tuple[str, tuple[Confirmation, ...]]:
    """(declaration, what another gate of this site confirmed of it). Raises BadMessageError naming the field."""
    word = _checked("peer", _PeerWord, _object("peer", payload, MAX_BYTES))
    return word.declaration, tuple(replace(one.value(), via=PEER) for one in word.confirmations)


def parse_watchlist(payload: bytes) -> dict[str, str]:
    """Plates that must be held, as written, each with its reasons. Raises BadMessageError naming the entry."""
    reasons: dict[str, str] = {}
    for entry in watch_entries(payload):
        reasons[entry.plate] = f"{reasons[entry.plate]}; {entry.reason}" if entry.plate in reasons else entry.reason
    return reasons


def watch_entries(payload: bytes) -> tuple[WatchEntry, ...]:
    """The watch list's entries: `{"plates": [{"plate", "reason"}]}`, or the bare list. An empty payload is an empty
    list.
    """
    if not payload:
        return ()
    data = _json("watchlist", payload, WATCH_MAX_BYTES)
    return tuple(_checked("watchlist", _Watchlist, {"plates": data} if isinstance(data, list) else data).plates)


@dataclass(frozen=True, slots=True)
class WatchRows:
    """One message of the watch list, row by row: good rows count, whatever stands beside them.

    `faults` names each bad row by its number and never its content. A row whose plate can be read holds it even where
    the rest of the row is bad. `version` and `pieces` are of a list that comes in pieces; `pieces` only in its
    contents.
    """

    entries: tuple[WatchEntry, ...]
    faults: tuple[str, ...] = ()
    version: str | None = None
    pieces: int | None = None


def watch_rows(payload: bytes) -> WatchRows:
    """`{"plates": [..]}`, the bare list, `{"version", "plates": [..]}` of a piece, or `{"version", "pieces": n}`, the
    contents. Raises BadMessageError only where nothing of it can be read."""
    if not payload:
        return WatchRows(())
    data = _json("watchlist", payload, WATCH_MAX_BYTES)
    row = {"plates": data} if isinstance(data, list) else data
    if not isinstance(row, dict):
        raise BadMessageError("watchlist: must be a list or an object")
    if "pieces" in row:
        contents = _checked("watchlist", _WatchContents, row)
        return WatchRows((), version=contents.version, pieces=contents.pieces)
    version, plates = row.get("version"), row.get("plates")
    if version is not None and not (isinstance(version, str) and 0 < len(version) <= 200):
        raise BadMessageError("watchlist: version: must be a text")
    if not isinstance(plates, list):
        raise BadMessageError("watchlist: plates: must be a list")
    with suppress(ValidationError):
        return WatchRows(tuple(_Watchlist.model_validate({"plates": plates}).plates), version=version)
    entries, faults = [], []
    for number, one in enumerate(plates):
        entry, fault = _watch_row(one)
        entries += [entry] if entry else []
        faults += [f"plates.{number}: {fault}"] if fault else []
    return WatchRows(tuple(entries), tuple(faults), version)


def _watch_row(row: Any) -> tuple[WatchEntry | None, str]:
    """The entry, as far as it holds a plate, and what is wrong with it."""
    try:
        return WatchEntry.model_validate(row), ""
    except ValidationError as error:
        why = "; ".join(_fault(fault) for fault in error.errors(include_url=False, include_input=False)[:_FAULTS_SHOWN])
    with suppress(ValidationError, AttributeError):
        return WatchEntry(plate=row.get("plate"), reason=NO_REASON), why
    return None, why


# ---------------------------------------------------------------- reading


_Model = TypeVar("_Model", bound=_Row)


def _object(what: str, payload: bytes, max_bytes: int) -> dict[str, Any]:
    data = _json(what, payload, max_bytes)
    if not isinstance(data, dict):
        raise BadMessageError(f"{what}: must be a JSON object")
    return data


def _json(what: str, payload: bytes, max_bytes: int) -> Any:
    """Strict JSON: UTF-8, no duplicate keys, no NaN. Every way to fail is a BadMessageError."""
    if len(payload) > max_bytes:
        raise BadMessageError(f"{what}: {len(payload)} bytes, {max_bytes} are allowed")
    try:
        value = json.loads(
            payload.decode("utf-8"), object_pairs_hook=_no_duplicates, parse_constant=_no_constant, parse_float=_number
        )
        return repaired(value) if _ESCAPED.search(payload) else value
    except RecursionError as error:
        raise BadMessageError(f"{what}: nested too deeply") from error
    except ValueError as error:  # JSON and Unicode errors are ValueErrors
        raise BadMessageError(f"{what}: no JSON: {str(error)[:200]}") from error


_ESCAPED = re.compile(rb"\\u(?:[dD][89a-fA-F]|0000)")
"""The only ways by which JSON in UTF-8 can say half a character, or a NUL."""


def repaired(value: Any) -> Any:
    """Every text in it valid Unicode: half a surrogate pair becomes U+FFFD, here at the edge and nowhere else."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace").replace("\x00", "\ufffd")
    if isinstance(value, dict):
        return {repaired(key): repaired(one) for key, one in value.items()}
    return [repaired(one) for one in value] if isinstance(value, list) else value


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    row = dict(pairs)
    if len(row) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise ValueError(f"key {twice[:100]!r} stands twice")
    return row


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


def _number(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise ValueError("a number is too large")
    return number


def _checked(what: str, model: type[_Model], row: Any) -> _Model:
    try:
        return model.model_validate(row)
    except ValidationError as error:
        faults = [_fault(fault) for fault in error.errors(include_url=False, include_input=False)[:_FAULTS_SHOWN]]
        more = error.error_count() - len(faults)
        raise BadMessageError(f"{what}: " + "; ".join(faults) + (f"; and {more} more" if more > 0 else "")) from None


def _fault(fault: Mapping[str, Any]) -> str:
    where = ".".join(str(part)[:60] for part in fault["loc"]) or "payload"
    return f"{where}: {fault['msg'].removeprefix('Value error, ')}"
