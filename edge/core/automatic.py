"""The one gate for what opens without a press: smart lanes, yard gates, the platform's release, device faults. Pure.

Stands behind `procedures.decide`, which says what the law asks; this says whether a machine may act on it alone. It
opens on what it knows to be harmless and on nothing else: a reason that is not in its list, old or new, leaves the
opening to a guard. Every answer has a code; each has its words in the message catalogue, section `shut`.
"""

from __future__ import annotations

from dataclasses import dataclass

from edge.core.identity import Identity
from edge.core.model import Verdict

HARMLESS = frozenset(
    {
        "complete", "yard_auto", "yard_passage", "yard_exit_warned", "smart_lane", "device_fault", "copy_age",
        "smart_before", "overridden_before", "goes_back", "got_nothing", "odd_order",
    }
)  # fmt: skip
"""Reasons that say how a release came about, and ask nobody to look."""
WARNED = "yard_exit_warned"
"""The site chose that the yard's exit only warns of what is missing (Art. 23.2): then "missing" is said, not asked."""
BESIDE = frozenset({"beside_undeclared", "beside_other", "beside_sibling"})
"""Answered by the vehicle's own strangers, plate by plate."""
PRESS = "guard_opens"
"""Goes with "ready" and says nothing of what is left to look at."""
OPENABLE = frozenset({"release", "ready", "unknown"})
"""Where it is which declaration that is in question, not what one of them lacks."""
NOT_YET = frozenset({"not_waiting", "not_here"})
"""Nothing was refused yet: nobody stands there, or nothing was looked up."""


@dataclass(frozen=True, slots=True)
class Case:
    """All that the gate goes by. `declared`: a declaration was found; `candidates`: those that it may be here on
    (`choice`). `read`: some plate of it was read at all. `yard`: a yard gate, where no border guard stands to press.
    `barrier`: why the barrier would refuse, "" where nothing is known against it. `odd`: how the plate was not shown as
    a vehicle shows it. `again`: opened by itself for this vehicle before. `doubted`: the program itself had a fault
    over this vehicle.
    """

    verdict: Verdict
    who: Identity
    declared: bool
    candidates: int = 1
    read: bool = False
    yard: bool = False
    waiting: bool = True
    room: bool = True
    barrier: str = ""
    odd: str = ""
    again: bool = False
    doubted: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """`code` is "permit", or why not; `detail` is what of it: a plate, the codes of reasons, a fault."""

    code: str
    detail: str = ""

    @property
    def permit(self) -> bool:
        return self.code == "permit"


PERMIT = Answer("permit")


def automatic(case: Case) -> Answer:
    """May the boom rise for this vehicle without a press?"""
    return _law(case) or _vehicle(case) or _gate(case) or PERMIT


def _law(case: Case) -> Answer | None:
    verdict, codes = case.verdict.verdict, [reason.code for reason in case.verdict.reasons]
    harmless = HARMLESS | ({"missing"} if WARNED in codes else set())
    outstanding = [code for code in codes if code not in harmless | BESIDE | {PRESS}]
    if case.declared and verdict in OPENABLE and ("several" in outstanding or case.candidates != 1):
        return Answer("several_declarations", str(case.candidates))
    if verdict == "release" or (verdict == "ready" and outstanding):
        return Answer("note_outstanding", " ".join(outstanding)) if outstanding else None
    return Answer("not_released", " ".join([verdict, *codes]))


def _vehicle(case: Case) -> Answer | None:
    who = case.who
    if not case.declared:
        # Only a device fault releases an undeclared vehicle, and never one of which anything was read.
        return Answer("read_undeclared", who.plate or "") if case.read else None
    if who.asked or not who.vehicle:
        return Answer("which_vehicle")
    if who.source != "camera" and (who.over or not case.yard):
        return Answer("not_read_here", who.source)  # at a yard a person who names the vehicle has said enough
    if who.source == "camera" and not who.whole:
        return Answer("not_whole", who.plate or "")
    if who.strangers:
        return Answer("other_plate", " ".join(sorted(who.strangers)))
    return Answer("plate_odd", case.odd) if case.odd else None


def _gate(case: Case) -> Answer | None:
    if not case.waiting:
        return Answer("not_waiting")
    if case.doubted:
        return Answer("lane_failed")
    if not case.room:
        return Answer("disk_full")
    if case.barrier:
        code, _, detail = case.barrier.partition(" ")
        return Answer(code, detail)
    return Answer("opened_before") if case.again else None
