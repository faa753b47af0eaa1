"""The alarm list's page: what needs an answer, with what to do. The answers are presses as any other (actions.act)."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from edge.clock import mono_s
from edge.panel import office
from edge.panel.sessions import Session
from edge.ports import Office

SHELVES_MIN = (15, 60, 480)


async def overview(request: Request, session: Session, desk: Office) -> Response:
    """Asked for again each second by the page itself."""
    now_s = mono_s()
    alarms = desk.alarms()
    left_s = {one.key: max(0.0, one.shelf.until_s - now_s) for one in alarms if one.shelf is not None}
    more = {"alarms": alarms, "left_s": left_s, "shelves": SHELVES_MIN}
    return office.page(request, "alarms.html", session, "alarms", more)
