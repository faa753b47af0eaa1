"""Pages of the shift: the handover note, and who is on the way from one gate to the next."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from edge.panel import office
from edge.panel.sessions import Session
from edge.panel.settings import Panel
from edge.ports import LanePlace, Office

SIGN = "handover_sign"


async def handover(request: Request, session: Session, desk: Office) -> Response:
    """The note that waits for its signature, else the one that would be written now; and who may sign."""
    told = desk.handover()
    written = told.open
    panel: Panel = request.app.state.panel
    people = [] if written is None else [one for one in request.app.state.accounts.people() if one.id != written.by]
    may = [one for one in people if SIGN in panel.rights.get(one.role, frozenset())]
    more = {"written": written, "last": told.last, "note": written.note if written else told.draft}
    return office.page(request, "handover.html", session, "handover", {**more, "may_sign": may})


async def expected(request: Request, session: Session, desk: Office) -> Response:
    """By the gate that they are to come to, this gate's own first."""
    panel: Panel = request.app.state.panel
    here = {_step(lane.where) for lane in panel.desk.lanes.values()}
    found = await desk.expected()
    steps = sorted({one.next_step for one in found}, key=lambda step: (step not in here, step))
    groups = [(step, step in here, [one for one in found if one.next_step == step]) for step in steps]
    return office.page(request, "expected.html", session, "expected", {"groups": groups})


def _step(where: LanePlace) -> str:
    """The procedure's step that passing this lane is: b1_out, yard_in …"""
    into = where.direction == "into_area"
    return where.place if where.place.startswith("yard") else f"{where.place}_{'in' if into else 'out'}"
