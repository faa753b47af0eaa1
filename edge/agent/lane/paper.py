"""The lane's paper mode and the forms of App. V typed in here, as the record keeps them (Art. 23)."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from datetime import datetime

from edge import clock
from edge.agent.lane.law import PAPER_ID
from edge.agent.lane.notes import PAPER, Typed
from edge.core.law.lookup import normal_plate
from edge.core.law.paper import PaperForm, Reconciled, counterpart, reconcile
from edge.core.law.paper_read import PaperError, read_form
from edge.core.model import Declaration
from edge.core.view import PaperTask
from edge.store import Store, Transaction
from edge.wire import declaration_to_json

FAULTS = (
    ("is empty", "empty"),
    ("must be one of", "one_of"),
    ("must be 10, 12", "tax_code"),
    ("must be a phone", "phone"),
    ("must be a country", "country"),
    ("must be a number", "number"),
    ("must be a date", "date"),
    ("lies in the future", "future"),
    ("stands on the form twice", "twice"),
    ("the declarant has not", "unsigned"),
    ("must have letters", "plate"),
    ("must have one line", "no_lines"),
    ("is longer", "long"),
    ("more than", "long"),
    ("not at the barrier", "not_here"),
    ("no such procedure", "procedure"),
)
"""What `edge.core.law.paper_read` says of a field, and the message catalogue's word for it (section paper_fault)."""


def read(form: Mapping[str, object], signers: Collection[str]) -> PaperForm:
    """Raises PaperError with every fault."""
    return read_form(form, datetime.now(clock.VIETNAM).date(), signers)


def fault_list(error: PaperError) -> str:
    """`[[field, code]]` as JSON, for the screen."""
    return json.dumps([[field, _code(what)] for field, what in error.faults])


def _code(what: str) -> str:
    return next((code for start, code in FAULTS if what.startswith(start)), "bad")


def typed(form: PaperForm, declaration: Declaration, lane: str) -> Typed:
    """What is kept until the platform's own declaration was compared."""
    text = json.dumps(declaration_to_json(declaration), ensure_ascii=False)
    return Typed(text, tuple(normal_plate(vehicle.plate) for vehicle in declaration.vehicles), form, lane)


def compare(store: Store, kept: Typed) -> tuple[Reconciled, Declaration | None]:
    """A kept form against the platform's newest active declaration of its vehicles."""
    found = [one for plate in kept.plates for one in store.declarations_for_plate(plate)]
    best = counterpart(one for one in found if not one.id.startswith(PAPER_ID))
    procedure = str(json.loads(kept.declaration)["procedure"])
    return reconcile(kept.form, best, procedure), best


def settle(tx: Transaction, form_id: str, platform_id: str | None) -> None:
    """The form stands for no declaration any more; what this gate confirmed of it is of the platform's one now."""
    PAPER.keep(tx, form_id, None)
    if platform_id is not None:
        tx.move_confirmations(form_id, platform_id)


def task(form_id: str, kept: Typed) -> PaperTask:
    """One line of the guard's list: still missing on the platform, or different from it."""
    return PaperTask(form_id, kept.plates, str(kept.outcome), kept.platform, kept.differences)
