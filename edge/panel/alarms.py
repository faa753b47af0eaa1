"""The alarm list's page: what needs an answer, with what to do. The answers are presses as any other (actions.act)."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from edge.panel import office
from edge.panel.sessions import Session
from edge.ports import Office

SHELVES_MIN = (15, 60, 480)


async def overview(request: Request, session: Session, desk: Office) -> Response:
    """Asked for again each second by the page itself."""
    more = {"alarms": desk.alarms(), "shelves": SHELVES_MIN}
    return office.page(request, "alarms.html", session, "alarms", more)
