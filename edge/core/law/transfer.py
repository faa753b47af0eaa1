"""Goods under customs transfer (Decision 53/2003/QD-BTC): seal, route and deadline against the hand-over record. Pure.

Also the statistical list of hand-over records that the receiving customs unit sends the sending one (53/2003, I.5):
every five days, and at once for monitored lots.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Literal

from edge.core.csv_cell import plain
from edge.core.instant import Instant, deadline_instant
from edge.core.law.lookup import normal_plate
from edge.core.model import Declaration, Transfer

LIST_EVERY_DAYS = 5
"""53/2003, I.5."""
PERIODS_FROM = date(2026, 1, 1)
"""Periods of five days are counted from here, so that every gate's lists end on the same days."""
ListWay = Literal["sent", "received"]
"""A list that this gate's customs unit sends for what it received, or that it receives for what it sent."""

LIST_HEADER = (
    "STT",
    "Số biên bản bàn giao",
    "Ngày biên bản",
    "Số tờ khai hải quan",
    "Ngày tờ khai",
    "Chi cục làm thủ tục",
    "Tình trạng hàng hóa khi tiếp nhận",
)
"""The five items of 53/2003, I.5, with numbers and dates in columns of their own."""


@dataclass(frozen=True, slots=True)
class Received:
    """One hand-over record as it was received here: the goods' condition as the guard or customs officer wrote it
    down.
    """

    declaration: Declaration
    received_on: date
    condition: str


@dataclass(frozen=True, slots=True)
class ListMark:
    """A person's word that a list went out, or came."""

    by: str
    at: str


@dataclass(frozen=True, slots=True)
class FiveDays:
    """The list of hand-over records between this gate's customs unit and another, `unit`, for `since` up to and without
    `until`; of a monitored lot that went from here, for its one day. `records`: their numbers. `due`: the last day."""

    way: ListWay
    unit: str
    since: date
    until: date
    due: date
    records: tuple[str, ...]
    mark: ListMark | None = None

    @property
    def key(self) -> str:
        return f"{self.way}/{self.unit}/{self.since}/{self.until}"

    def overdue(self, today: date) -> bool:
        """Past its time: the sending unit tells the receiving one, and both look into it (53/2003, I.5)."""
        return self.mark is None and today > self.due


def norm_seal(seal: str) -> str:
    """Seal numbers are compared without spaces, dots, dashes and case, as plates are."""
    return "".join(letter for letter in seal.upper() if letter.isalnum())


def seal_differences(
    declaration: Declaration, seen: Sequence[str] | None, plates: Collection[str] = ()
) -> tuple[str, ...] | None:
    """Seal numbers that stand on one side only: on the vehicles (seen by a person or a camera) or in the record.

    None where nobody looked at the vehicle: the declaration repeating the record's number compares nothing. Where the
    two papers contradict each other, what stands on one of them only is told at once. A record without seals is one of
    goods that travel unsealed (53/2003, I.4). What the guard saw is compared with the record itself; of a record for
    several vehicles, only with what is declared for those at the gate (`plates`).
    """
    record = {norm_seal(seal) for seal in declaration.transfer.seals} if declaration.transfer is not None else set()
    if not record:
        return ()
    declared = {
        normal_plate(vehicle.plate): norm_seal(vehicle.seal) for vehicle in declaration.vehicles if vehicle.seal
    }
    if seen is None:
        return (tuple(sorted(record ^ set(declared.values()))) or None) if declared else None
    there = {norm_seal(seal) for seal in seen}
    at_gate = {normal_plate(plate) for plate in plates}
    here = {seal for plate, seal in declared.items() if plate in at_gate}
    due = record & here if here and len(declared) > 1 else record
    return tuple(sorted((there - record) | (due - there)))


def off_route(transfer: Transfer, gate: str | None) -> bool:
    """Whether this gate is not on the record's stated route. Unknown gate or unstated route: nothing to hold against
    it.
    """
    names = {stop.strip().casefold() for stop in transfer.route}
    return bool(names) and gate is not None and gate.strip().casefold() not in names


def past_deadline(transfer: Transfer, now: Instant) -> bool:
    """Whether the record's stated time is over. A deadline that cannot be read counts as over: a person must look."""
    if transfer.deadline is None:
        return False
    last = deadline_instant(transfer.deadline)
    return last is None or now > last


# ---------------------------------------------------------------- the statistical list


def list_rows(received: Iterable[Received], sent_by: str, since: date, until: date) -> list[tuple[str, ...]]:
    """Rows of the list for one sending unit, for `since` up to and without `until`, by record date and number."""
    chosen = [r for r in received if _sender(r) == sent_by and since <= r.received_on < until]
    chosen.sort(key=lambda r: _record_key(r.declaration.transfer))
    return [_row(number, r) for number, r in enumerate(chosen, 1)]


def at_once(received: Iterable[Received]) -> list[Received]:
    """Monitored lots: their hand-over records go to the sending unit at once, not with the next list (53/2003, I.5)."""
    return [r for r in received if r.declaration.transfer is not None and r.declaration.transfer.monitored]


def period(day: date, start: date) -> tuple[date, date]:
    """The five-day period of a day, counted from the site's start day: first day, and the day after its last."""
    first = start + timedelta(days=(day - start).days // LIST_EVERY_DAYS * LIST_EVERY_DAYS)
    return first, first + timedelta(days=LIST_EVERY_DAYS)


def sent_from(transfer: Transfer, unit: str | None) -> bool:
    """Whether a hand-over record went from this customs unit; False where nobody said what records call it."""
    return unit is not None and _name(transfer.sent_by) == _name(unit)


def five_days(
    received: Iterable[Received], handed: Iterable[Received], marks: Mapping[str, ListMark]
) -> list[FiveDays]:
    """Every list that is or was due, the newest first: for what was `received` here, and for what was `handed` from
    here (`received_on`: the day it left). `marks` by `FiveDays.key`."""
    found: dict[tuple[ListWay, str, date, date, date], list[str]] = {}
    kept_by_way: tuple[tuple[ListWay, Iterable[Received]], ...] = (("sent", received), ("received", handed))
    for way, kept in kept_by_way:
        for one in kept:
            transfer = one.declaration.transfer
            if transfer is None:
                continue
            unit, alone = (transfer.sent_by, False) if way == "sent" else (transfer.received_by, transfer.monitored)
            day = one.received_on
            since, until = (day, day + timedelta(days=1)) if alone else period(day, PERIODS_FROM)
            key = (way, unit, since, until, day if alone else until)
            found.setdefault(key, []).append(transfer.record_no)
    lists = [FiveDays(*key, tuple(sorted(numbers))) for key, numbers in found.items()]
    lists.sort(key=lambda one: (one.way, one.unit))
    lists.sort(key=lambda one: one.until, reverse=True)
    return [replace(one, mark=marks.get(one.key)) for one in lists]


def _name(unit: str) -> str:
    return " ".join(unit.split()).casefold()


def senders(received: Iterable[Received]) -> list[str]:
    """The sending units that are owed a list."""
    return sorted({sender for r in received if (sender := _sender(r)) is not None})


def list_csv(rows: Collection[tuple[str, ...]]) -> str:
    """The list as CSV text with its header, lines ending as RFC 4180 has it. A cell never starts a spreadsheet
    formula.
    """
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(LIST_HEADER)
    writer.writerows([[plain(cell) for cell in row] for row in rows])
    return text.getvalue()


def _sender(received: Received) -> str | None:
    return received.declaration.transfer.sent_by if received.declaration.transfer is not None else None


def _record_key(transfer: Transfer | None) -> tuple[str, str]:
    return (transfer.record_date, transfer.record_no) if transfer is not None else ("", "")


def _row(number: int, received: Received) -> tuple[str, ...]:
    transfer, customs = received.declaration.transfer, received.declaration.customs_declaration
    record_date, record_no = _record_key(transfer)
    sent_by = transfer.sent_by if transfer is not None else ""
    declared = (str(customs.get("number", "")), str(customs.get("date", "")))
    return (str(number), record_no, record_date, *declared, sent_by, received.condition)
