"""The calibration page (technicians): region and line drawn by finger on the live picture, the read rate they give."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from edge.panel import pages
from edge.panel.body import body_of, checked
from edge.panel.sessions import Session, check_csrf, signed_in
from edge.panel.settings import Panel
from edge.ports import HasWorkbench, Workbench

RIGHT = "calibrate"
Fraction = Annotated[float, Field(ge=0, le=1)]
Corner = tuple[Fraction, Fraction]


class Drawn(BaseModel):
    """The body of POST /calibrate/{camera}/save: points in fractions of the picture, null for none."""

    model_config = ConfigDict(extra="forbid")
    region: Annotated[list[Corner], Field(min_length=3, max_length=12)] | None
    line: tuple[Corner, Corner] | None


async def overview(request: Request) -> Response:
    """The first camera's page."""
    panel: Panel = request.app.state.panel
    session = panel.door.session(request)
    if session is None or session.locked:
        return RedirectResponse("/sign-in", 303)
    cameras = _bench(request, session).cameras()
    return RedirectResponse(f"/calibrate/{cameras[0]['id']}", 303)


async def camera_page(request: Request) -> Response:
    panel: Panel = request.app.state.panel
    session = panel.door.session(request)
    if session is None or session.locked:
        return RedirectResponse("/sign-in", 303)
    bench = _bench(request, session)
    panel.door.touch(request)
    cameras = list(bench.cameras())
    camera = next((one for one in cameras if one["id"] == request.path_params["camera"]), None)
    if camera is None:
        raise HTTPException(404, "no_such_camera")
    return pages.page(request, "calibrate.html", session, {"camera": camera, "cameras": cameras, "view": camera})


async def sights(request: Request) -> Response:
    """Asked for twice a second while the page is open; a page that stops asking ends the survey."""
    session = signed_in(request)
    bench = _bench(request, session)
    try:
        seen = bench.watch(request.path_params["camera"])
    except KeyError as error:
        raise HTTPException(404, "no_such_camera") from error
    return JSONResponse(seen)


async def save(request: Request) -> Response:
    session, bench, body = await _pressed(request)
    drawn = checked(Drawn, body)
    known = {one["id"] for one in bench.cameras()}
    if request.path_params["camera"] not in known:
        raise HTTPException(404, "no_such_camera")
    code = await bench.save(request.path_params["camera"], drawn.region, drawn.line, session.person)
    return JSONResponse({"done": code == "calibrate.saved", "code": code})


async def undo(request: Request) -> Response:
    session, bench, _ = await _pressed(request)
    code = await bench.undo(session.person)
    return JSONResponse({"done": code == "calibrate.undone", "code": code})


async def _pressed(request: Request) -> tuple[Session, Workbench, dict[str, object]]:
    session = signed_in(request)
    check_csrf(request, session)
    body = await body_of(request)
    bench = _bench(request, session)
    request.app.state.panel.door.touch(request)
    return session, bench, body


def _bench(request: Request, session: Session) -> Workbench:
    """Raises HTTPException: 403 not_your_role, 404 no_workbench."""
    panel: Panel = request.app.state.panel
    if RIGHT not in panel.rights.get(session.person.role, frozenset()):
        raise HTTPException(403, "not_your_role")
    if not isinstance(panel.desk, HasWorkbench):
        raise HTTPException(404, "no_workbench")
    return panel.desk.workbench
