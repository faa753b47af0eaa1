"""What the page is fed: the view, its changes as they happen, the live picture with its age, stored photos."""

from __future__ import annotations

import asyncio
import json
import logging
import zlib
from collections.abc import AsyncIterator, Iterable
from typing import Literal

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from edge import __version__
from edge.clock import mono_s, wall_iso
from edge.core.bodies import LookedAt
from edge.core.json_shape import Json, JsonObject, to_json
from edge.core.view import BoomView, LaneView, PassageView
from edge.errors import StoreError
from edge.panel.peer import at_screen
from edge.panel.rights import held_at
from edge.panel.role_view import STATUS_KEYS, screen_view
from edge.panel.sessions import Session, signed_in
from edge.panel.settings import Panel
from edge.ports import HasOffice, LaneDesk, Person

LOOKED_MOST = 1000
log = logging.getLogger(__name__)


def lane_of(request: Request) -> LaneDesk:
    """The lane named in the address. Raises HTTPException 404 "no_such_lane"."""
    panel: Panel = request.app.state.panel
    lane = panel.desk.lanes.get(request.path_params["lane"])
    if lane is None:
        raise HTTPException(404, "no_such_lane")
    return lane


def view_for(panel: Panel, lane: LaneDesk, session: Session) -> JsonObject:
    return shown_to(panel, lane.view(), session)


def shown_to(panel: Panel, view: LaneView, session: Session) -> JsonObject:
    return screen_view(view, held_at(panel.rights, session.person.role, view.place))


def overview(panel: Panel, session: Session) -> dict[str, JsonObject]:
    """Every lane's view; one that fails, or cannot be sent, is `{"unknown": true}` and takes no other with it."""
    return {id: _view_or_unknown(panel, id, lane, session) for id, lane in panel.desk.lanes.items()}


def _view_or_unknown(panel: Panel, id: str, lane: LaneDesk, session: Session) -> JsonObject:
    try:
        view = view_for(panel, lane, session)
        json.dumps(view, ensure_ascii=False, allow_nan=False).encode("utf-8")
    # One lane's own fault, whatever it is: it must not pass for the whole gate's.
    except Exception as error:
        log.error("lane %s cannot be shown", id, exc_info=error)
        return {"unknown": True, "name": to_json(lane.where.name)}
    return view


def _passage_or_unknown(id: str, lane: LaneDesk) -> PassageView | Literal["unknown"] | None:
    try:
        return lane.view().passage
    except Exception as error:  # as above
        log.error("lane %s cannot be looked at", id, exc_info=error)
        return "unknown"


async def view_json(request: Request) -> Response:
    session = signed_in(request)
    return JSONResponse(view_for(request.app.state.panel, lane_of(request), session))


async def lanes_json(request: Request) -> Response:
    """Every lane's view, for the page of all lanes."""
    session, panel = signed_in(request), request.app.state.panel
    return JSONResponse({"now": wall_iso(), "lanes": overview(panel, session)})


async def people_json(request: Request) -> Response:
    """Who may be the second person of an override at this screen: everybody whose role may, but who is signed in."""
    session, panel = signed_in(request), request.app.state.panel
    people = [one for one in request.app.state.accounts.people() if "second" in panel.rights.get(one.role, ())]
    rows = [{"id": one.id, "name": one.name, "role": one.role} for one in people if one.id != session.person.id]
    return JSONResponse({"people": rows})


async def events(request: Request) -> Response:
    """Server-sent events: `view` as soon as the lane changes, `beat` twice a second, `locked` when the session ends."""
    stream = _stream(request, lane_of(request), signed_in(request))
    return StreamingResponse(stream, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})


async def _stream(request: Request, lane: LaneDesk, first: Session) -> AsyncIterator[bytes]:
    panel: Panel = request.app.state.panel
    sent: tuple[int, BoomView, Json] | None = None
    # The token goes along because an open page outlives the start of the screen that it was made by.
    yield b"retry: 500\n" + _event("hello", {"boot": panel.boot, "csrf": first.csrf})
    while not panel.closing.is_set():
        session = panel.door.session(request)
        if session is None or session.locked:
            yield _event("locked", {"code": "signed_out" if session is None else "locked"})
            return
        view = lane.view()
        page = shown_to(panel, view, session)
        # The barrier's thread moves the boom without telling the lane: what it shows is a change all the same.
        shows = (view.number, view.health.boom, page["can"])
        if shows != sent:
            sent = shows
            yield _event("view", page)
        yield _event("beat", {"now": wall_iso(), **{key: page.get(key) for key in STATUS_KEYS}})
        await wait_for_change(panel, lane, view.number)


async def wait_for_change(panel: Panel, lane: LaneDesk, since: int) -> None:
    """Until the lane changed, the screen closes, or the next beat is due, whichever is first. The boom moves
    without a change of the lane's number: a beat shows it."""
    waits = [asyncio.ensure_future(lane.changed(since)), asyncio.ensure_future(panel.closing.wait())]
    try:
        await asyncio.wait(waits, timeout=panel.settings.beat_s, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()


async def live(request: Request) -> Response:
    """The newest picture, with its age in `X-Frame-Age-Ms` and the camera's state; 304 where the page has it."""
    signed_in(request)
    lane, camera = lane_of(request), request.path_params["camera"]
    known = next((each for each in lane.view().health.cameras if each.id == camera), None)
    if known is None:
        raise HTTPException(404, "no_such_camera")
    age_ms = "" if known.age_ms is None else str(round(known.age_ms))
    headers = {"X-Camera-State": known.state, "X-Frame-Age-Ms": age_ms}
    jpeg = lane.live_jpeg(camera)
    if jpeg is None:
        return Response(status_code=204, headers=headers)
    headers["ETag"] = f'"{zlib.crc32(jpeg):08x}-{len(jpeg)}"'
    if request.headers.get("if-none-match") == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    return Response(jpeg, media_type="image/jpeg", headers=headers)


async def evidence(request: Request) -> Response:
    """A photo by its id. Of the vehicle that stands there everybody sees it; an older one is history: for who may, and
    the look is on record before it is shown."""
    session, panel = signed_in(request), request.app.state.panel
    id = request.path_params["id"]
    passages = [_passage_or_unknown(name, lane) for name, lane in panel.desk.lanes.items()]
    if not any(isinstance(one, PassageView) and id in (one.photo, one.crop) for one in passages):
        await _look_back(panel, session.person, id)
    jpeg = panel.desk.evidence_jpeg(id)
    if jpeg is None:
        raise HTTPException(404, "no_such_photo")
    # Not kept: thousands of photos in a shift would stay in the memory of a page that is never left.
    return Response(jpeg, media_type="image/jpeg", headers={"Cache-Control": "no-store"})


def looks_at(panel: Panel, person: Person, photos: Iterable[str]) -> None:
    """A page that is on record as a look shows these photos."""
    for id in photos:
        panel.looked.pop((person.id, id), None)
        panel.looked[(person.id, id)] = None
    while len(panel.looked) > LOOKED_MOST:
        panel.looked.popitem(last=False)


async def _look_back(panel: Panel, person: Person, id: str) -> None:
    """Raises HTTPException 403 where the role may not, 503 where the look cannot be recorded."""
    if "history" not in panel.rights.get(person.role, frozenset()):
        raise HTTPException(403, "not_your_role")
    if (person.id, id) in panel.looked or panel.desk.evidence_jpeg(id) is None or not isinstance(panel.desk, HasOffice):
        return
    try:
        await panel.desk.office.looked(person, "photo", LookedAt(looked_at=id))
    except StoreError as error:
        raise HTTPException(503, "store_failed") from error
    looks_at(panel, person, [id])


async def healthz(request: Request) -> Response:
    """For anybody. `waiting`: a vehicle stands somewhere, or may, which wakes a dark screen; `page_s`: how long ago a
    page of this machine's own screen last asked (`?page`), null where none has yet (docs/kiosk.md)."""
    panel: Panel = request.app.state.panel
    if "page" in request.query_params and await at_screen(request):
        panel.page_at_s = mono_s()
    return JSONResponse(
        {
            "ok": True,
            "version": __version__,
            "boot": panel.boot,
            "lanes": sorted(panel.desk.lanes),
            "waiting": any(_passage_or_unknown(id, lane) is not None for id, lane in panel.desk.lanes.items()),
            "page_s": None if panel.page_at_s is None else round(mono_s() - panel.page_at_s, 1),
        }
    )


def _event(name: str, data: JsonObject) -> bytes:
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False, separators=(',', ':'))}\n\n".encode()
