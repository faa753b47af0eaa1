"""Hand-over records of goods under customs transfer (53/2003, I.5): those received here, for the list that the sending
customs unit gets, those that went from here, for the list that the other unit owes, and which lists went and came."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from edge import clock
from edge.core.bodies import TransferAtOnce
from edge.core.law.transfer import FiveDays, ListMark, Received, at_once, five_days, list_rows, sent_from
from edge.core.model import Declaration
from edge.store import Store, Transaction
from edge.wire import declaration_to_json, parse_declaration

RECEIPT, HANDED, LIST = "receipt", "handed", "five_day_list"


def keep_receipt(tx: Transaction, declaration: Declaration, condition: str) -> None:
    """In the transaction of the seal check. A monitored lot's list goes to the sending unit at once, as an event."""
    on = today()
    tx.keep(RECEIPT, declaration.id, _note(declaration, on, condition))
    for one in at_once([Received(declaration, on, condition)]):
        transfer = one.declaration.transfer
        assert transfer is not None  # at_once takes no other
        rows = list_rows([one], transfer.sent_by, on, date.max)
        tx.tell(TransferAtOnce(sent_by=transfer.sent_by, rows=rows))


def keep_passed(tx: Transaction, declaration: Declaration, unit: str | None, *, leaves: bool) -> None:
    """In the transaction of a passage: a hand-over record that passes is on the list by passing, whether or not anybody
    wrote the goods' condition down (53/2003, I.5). One of this gate's own customs `unit` is none received here: once it
    `leaves` the area, the other unit owes its list."""
    assert declaration.transfer is not None
    if sent_from(declaration.transfer, unit):
        if leaves:
            tx.keep(HANDED, declaration.id, _note(declaration, today(), ""))
    elif not tx.notes(RECEIPT, declaration.id):
        keep_receipt(tx, declaration, "")


def received(store: Store) -> list[Received]:
    """Every hand-over record kept, in the order of arrival. Reads the store: not on the event loop."""
    return [_received(body) for body in store.notes(RECEIPT).values()]


def lists(store: Store) -> list[FiveDays]:
    """Every list that is or was due, the newest first. Reads the store: not on the event loop."""
    handed = [_received(body) for body in store.notes(HANDED).values()]
    marks = {key: ListMark(**body) for key, body in store.notes(LIST).items()}
    return five_days(received(store), handed, marks)


def today() -> date:
    """In Vietnam."""
    return datetime.now(clock.VIETNAM).date()


def _note(declaration: Declaration, on: date, condition: str) -> dict[str, Any]:
    return {"declaration": declaration_to_json(declaration), "on": on.isoformat(), "condition": condition}


def _received(body: Mapping[str, Any]) -> Received:
    declaration = parse_declaration(json.dumps(body["declaration"]).encode())
    return Received(declaration, date.fromisoformat(body["on"]), body["condition"])
