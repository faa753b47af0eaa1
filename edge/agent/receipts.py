"""Hand-over records received at this gate: kept for the statistical list that the sending customs unit gets (53/2003,
I.5)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from edge import clock
from edge.core.bodies import TransferAtOnce
from edge.core.model import Declaration
from edge.core.transfer import Received, at_once, list_rows
from edge.store import Store, Transaction
from edge.wire import declaration_to_json, parse_declaration

RECEIPT = "receipt"


def keep_receipt(tx: Transaction, declaration: Declaration, condition: str) -> None:
    """In the transaction of the seal check. A monitored lot's list goes to the sending unit at once, as an event."""
    today = datetime.now(clock.VIETNAM).date()
    body = {"declaration": declaration_to_json(declaration), "on": today.isoformat(), "condition": condition}
    tx.keep(RECEIPT, declaration.id, body)
    for one in at_once([Received(declaration, today, condition)]):
        transfer = one.declaration.transfer
        assert transfer is not None  # at_once takes no other
        rows = list_rows([one], transfer.sent_by, today, date.max)
        tx.tell(TransferAtOnce(sent_by=transfer.sent_by, rows=rows))


def keep_passed(tx: Transaction, declaration: Declaration) -> None:
    """In the transaction of a passage: a hand-over record that passes is on the list by passing, whether or not anybody
    wrote the goods' condition down (53/2003, I.5)."""
    if not tx.notes(RECEIPT, declaration.id):
        keep_receipt(tx, declaration, "")


def received(store: Store) -> list[Received]:
    """Every hand-over record kept, in the order of arrival. Reads the store: not on the event loop."""
    return [_received(body) for body in store.notes(RECEIPT).values()]


def _received(body: Mapping[str, Any]) -> Received:
    declaration = parse_declaration(json.dumps(body["declaration"]).encode())
    return Received(declaration, date.fromisoformat(body["on"]), body["condition"])
