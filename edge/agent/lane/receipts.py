"""Hand-over records of goods under customs transfer (53/2003, I.5): those received here, for the list that the sending
customs unit gets, those that went from here, for the list that the other unit owes, and which lists went and came."""

from __future__ import annotations

from datetime import date, datetime

from edge import clock
from edge.agent.lane.notes import FIVE_DAY_LIST, HANDED, RECEIPT, Receipt
from edge.core.bodies import TransferAtOnce
from edge.core.law.transfer import FiveDays, Received, at_once, five_days, list_rows, sent_from
from edge.core.model import Declaration
from edge.store import Store, Transaction


def keep_receipt(tx: Transaction, declaration: Declaration, condition: str) -> None:
    """In the transaction of the seal check. A monitored lot's list goes to the sending unit at once, as an event."""
    on = today()
    RECEIPT.keep(tx, declaration.id, Receipt(declaration, on.isoformat(), condition))
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
            HANDED.keep(tx, declaration.id, Receipt(declaration, today().isoformat(), ""))
    elif RECEIPT.now(tx, declaration.id) is None:
        keep_receipt(tx, declaration, "")


def received(store: Store) -> list[Received]:
    """Every hand-over record kept, in the order of arrival. Reads the store: not on the event loop."""
    return [_received(one) for one in RECEIPT.all(store).values()]


def lists(store: Store) -> list[FiveDays]:
    """Every list that is or was due, the newest first. Reads the store: not on the event loop."""
    handed = [_received(one) for one in HANDED.all(store).values()]
    marks = FIVE_DAY_LIST.all(store)
    return five_days(received(store), handed, marks)


def today() -> date:
    """In Vietnam."""
    return datetime.now(clock.VIETNAM).date()


def _received(one: Receipt) -> Received:
    return Received(one.declaration, date.fromisoformat(one.on), one.condition)
