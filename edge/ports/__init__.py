"""The seams: one-method (or nearly) interfaces that parts are joined by. Imports only the core's values."""

from edge.ports.centre import EvidenceOutbox, Inbox, Outbox, OutgoingEvent, OutgoingEvidence, PeerOutbox
from edge.ports.desk import (
    KEY_REUSED,
    VOID,
    Action,
    ActionMemory,
    ActionResult,
    Desk,
    HasOffice,
    HasWorkbench,
    LaneDesk,
    LanePlace,
    Office,
    Person,
    TransferRecords,
    Workbench,
)
from edge.ports.eyes import Detection, Detector, Frame, Image, Reader

__all__ = [
    "KEY_REUSED",
    "VOID",
    "Action",
    "ActionMemory",
    "ActionResult",
    "Desk",
    "Detection",
    "Detector",
    "EvidenceOutbox",
    "Frame",
    "HasOffice",
    "HasWorkbench",
    "Image",
    "Inbox",
    "LaneDesk",
    "LanePlace",
    "Office",
    "Outbox",
    "OutgoingEvent",
    "OutgoingEvidence",
    "PeerOutbox",
    "Person",
    "Reader",
    "TransferRecords",
    "Workbench",
]
