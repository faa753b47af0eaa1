"""What the pages beside the lane's own share: who may open them, their frame, and refusals in words."""

from __future__ import annotations

import zlib
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from edge.errors import StoreError
from edge.panel import pages, wording
from edge.panel.sessions import Session, signed_in
from edge.panel.settings import Panel
from edge.panel.tabs import tabs
from edge.ports import HasOffice, Office

Show = Callable[[Request, Session, Office], Awaitable[Response]]


def enter(request: Request, tab: str) -> tuple[Session, Office]:
    """Who looks, and what at. Raises HTTPException: 401, 403 not_your_role, 404 no_office."""
    panel: Panel = request.app.state.panel
    session = signed_in(request)
    if not isinstance(panel.desk, HasOffice):
        raise HTTPException(404, "no_office")
    if tab not in [name for name, _ in tabs(panel, session)]:
        raise HTTPException(403, "not_your_role")
    return session, panel.desk.office


def shown(tab: str, show: Show) -> Callable[[Request], Awaitable[Response]]:
    """A page's handler: strangers are led to the sign-in, refusals and a broken disk are told in words."""

    async def handler(request: Request) -> Response:
        session = request.app.state.panel.door.session(request)
        if session is None or session.locked:
            return RedirectResponse("/sign-in", 303)
        try:
            return await show(request, *enter(request, tab))
        except StoreError:
            code, status = "store_failed", 503
        except HTTPException as error:
            code, status = error.detail, error.status_code
        return page(request, "refused.html", session, tab, {"code": code}, status)

    return handler


def page(request: Request, name: str, session: Session, tab: str, more: dict[str, Any], status: int = 200) -> Response:
    """An office page in its frame. Opening one keeps the screen awake as a touch does; its own refreshing does not:
    that gets the page without what it has already, and 304 where nothing changed (office.js)."""
    panel: Panel = request.app.state.panel
    refreshing = "x-refresh" in request.headers
    if not refreshing:
        panel.door.touch(request)
    language = pages.language_of(request)
    lanes = {lane: desk.where.name for lane, desk in panel.desk.lanes.items()}
    context = {
        "frame": "part.html" if refreshing else "base.html",
        "tab": tab,
        "tabs": tabs(panel, session),
        "held": panel.rights.get(session.person.role, frozenset()),
        "lanes": lanes,
        "first_lane": next(iter(lanes)),
        "full_clock": lambda at: wording.full_clock(language, at),
        "short_clock": lambda at: wording.short_clock(language, at),
        "span": lambda seconds: wording.span(language, seconds),
        "day_of": lambda at: wording.day(language, at),
        **more,
    }
    response = pages.page(request, name, session, context, status)
    return _where_changed(request, response) if refreshing and status == 200 else response


def _where_changed(request: Request, response: Response) -> Response:
    """The answer with its tag, or 304 where the asking page has just this."""
    tag = {"ETag": f'"{zlib.crc32(response.body):08x}"'}
    if request.headers.get("if-none-match") == tag["ETag"]:
        return Response(status_code=304, headers=tag)
    response.headers.update(tag)
    return response
