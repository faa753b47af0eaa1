"""The gate's record: declarations, journal, evidence, outbox, in one SQLite file with one writer (docs/storage.md)."""

from edge.store.clocks import Clocks
from edge.store.evidence import StagedEvidence
from edge.store.inbox import StoreInbox
from edge.store.journal import Unacknowledged
from edge.store.room import Limits
from edge.store.store import Store
from edge.store.transaction import Transaction

__all__ = [
    "Clocks",
    "Limits",
    "StagedEvidence",
    "Store",
    "StoreInbox",
    "Transaction",
    "Unacknowledged",
]
