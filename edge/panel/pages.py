"""The pages: all lanes, one lane, sign-in."""

from __future__ import annotations

import json
import logging
import secrets
import sqlite3
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.templating import Jinja2Templates

from edge.actions import actions
from edge.clock import wall_iso
from edge.errors import RefusedError
from edge.panel.accounts import Accounts
from edge.panel.body import bytes_of
from edge.panel.feed import lane_of, overview, view_for
from edge.panel.messages import LANGUAGES, Catalogue, say, say_fault, say_input
from edge.panel.peer import at_screen
from edge.panel.sessions import COOKIE, AccountsDoor, Session, check_csrf, proven, signed_in, where
from edge.panel.settings import Panel
from edge.panel.tabs import tabs
from edge.ports import Person

log = logging.getLogger(__name__)
LANGUAGE_COOKIE, FORM_COOKIE = "barie_language", "barie_form"
LARGEST_FORM = 4096
HERE = Path(__file__).parent


def make_templates(catalogue: Catalogue) -> Jinja2Templates:
    """Templates where `t(language, key)` is the catalogue, `said_input` and `said_fault` put the barrier's own names
    and codes into words, and `json_block` may stand in a script element of data."""
    templates = Jinja2Templates(directory=HERE / "templates")
    templates.env.globals["t"] = lambda language, key, **places: say(catalogue, language, key, **places)
    templates.env.globals["said_input"] = partial(say_input, catalogue)
    templates.env.globals["said_fault"] = partial(say_fault, catalogue)
    templates.env.globals["json_block"] = json_block
    return templates


def json_block(value: Any) -> str:
    """JSON that cannot end the script element around it."""
    return json.dumps(value, ensure_ascii=False).replace("<", "\\u003c").replace("&", "\\u0026")


async def index(request: Request) -> Response:
    panel: Panel = request.app.state.panel
    session = panel.door.session(request)
    if session is None or session.locked:
        return RedirectResponse("/sign-in", 303)
    lanes = panel.desk.lanes
    if len(lanes) == 1:
        return RedirectResponse(f"/lane/{next(iter(lanes))}", 303)
    return page(request, "lanes.html", session, {"views": overview(panel, session), "tabs": tabs(panel, session)})


async def lane_page(request: Request) -> Response:
    panel: Panel = request.app.state.panel
    lane, session = lane_of(request), panel.door.session(request)
    if session is None or session.locked:
        return RedirectResponse(f"/sign-in?next=/lane/{request.path_params['lane']}", 303)
    panel.door.touch(request)
    view = view_for(panel, lane, session)
    lists = "transfer_list" in panel.rights.get(session.person.role, frozenset())
    more = {"view": view, "many": len(panel.desk.lanes) > 1, "lists": lists, "tabs": tabs(panel, session)}
    more["presses"] = {
        name: {"needs": sorted(row.needs), "shown": row.shown, "title": row.title or f"action_long.{name}"}
        for name, row in actions().items()
    }
    return page(request, "lane.html", session, more)


async def sign_in_page(request: Request) -> Response:
    panel: Panel = request.app.state.panel
    if not isinstance(panel.door, AccountsDoor):
        return RedirectResponse("/", 303)
    return await _sign_in(request, "")


async def sign_in(request: Request) -> Response:
    """The form's POST: id and PIN for a session cookie. A wrong one shows the form again, with why."""
    panel: Panel = request.app.state.panel
    if not isinstance(panel.door, AccountsDoor):
        raise HTTPException(404, "no_accounts")
    fields = await _fields(request)
    request.state.next = fields.get("next", "/")
    given, expected = fields.get("token", ""), request.cookies.get(FORM_COOKIE, "")
    if not expected or not secrets.compare_digest(given.encode(), expected.encode()):
        return await _sign_in(request, say(panel.catalogue, language_of(request), "signin.again"), 403)
    try:
        person, proven = await _person(request, fields)
        if not proven:
            return await _sign_in(request, "", badge_of=person)
        panel.door.end(request)  # whoever stood at this screen before
        session = panel.door.open(person)
    except RefusedError as error:
        text = say(panel.catalogue, language_of(request), f"signin.{error.code}", seconds=error.detail)
        return await _sign_in(request, text, 403)
    except sqlite3.OperationalError as error:
        log.error("a sign-in cannot be recorded: %s", error)
        return await _sign_in(request, say(panel.catalogue, language_of(request), "signin.disk"), 503)
    response = RedirectResponse(safe_next(fields.get("next", "/")), 303)
    response.set_cookie(COOKIE, session, httponly=True, samesite="strict", path="/")
    return response


async def _fields(request: Request) -> dict[str, str]:
    """Of the sign-in form: a stranger's bytes, so few of them. Raises HTTPException 400, 413, 415."""
    if request.headers.get("content-type", "").partition(";")[0] != "application/x-www-form-urlencoded":
        raise HTTPException(415, "bad_request")
    try:
        given = parse_qsl((await bytes_of(request, LARGEST_FORM)).decode(), max_num_fields=8, keep_blank_values=True)
    except ValueError as error:
        raise HTTPException(400, "bad_request") from error
    return dict(given)


async def _person(request: Request, fields: Mapping[str, str]) -> tuple[Person, bool]:
    """Who signs in, by badge or by id and PIN, and whether that is enough. Raises RefusedError."""
    accounts: Accounts = request.app.state.accounts
    panel: Panel = request.app.state.panel
    if code := fields.get("badge"):
        place, peer = await where(request)
        person = await panel.proofs.prove(place, lambda: accounts.badge_owner(code, place, peer))
        return person, person.role in panel.settings.badge_alone
    return await proven(request, fields.get("id", "").strip(), fields.get("pin", "")), True


async def sign_out(request: Request) -> Response:
    panel: Panel = request.app.state.panel
    check_csrf(request, signed_in(request, even_locked=True))
    if isinstance(panel.door, AccountsDoor):
        panel.door.end(request)
    response = Response(status_code=204)
    response.delete_cookie(COOKIE, path="/")
    return response


def safe_next(path: str) -> str:
    """Only a lane of this very screen may follow a sign-in."""
    name = path.removeprefix("/lane/")
    return path if path.startswith("/lane/") and name.replace("-", "").replace("_", "").isalnum() else "/"


def language_of(request: Request) -> str:
    chosen = request.cookies.get(LANGUAGE_COOKIE, "")
    default: str = request.app.state.panel.settings.language
    return chosen if chosen in LANGUAGES else default


async def _sign_in(request: Request, why: str, status: int = 200, badge_of: Person | None = None) -> Response:
    """`badge_of`: whose badge was just read; their PIN is asked for. Names are for the booth's own screen alone."""
    accounts: Accounts = request.app.state.accounts
    listed = await at_screen(request)
    token = secrets.token_urlsafe(16)
    more = {
        "people": accounts.people() if listed else [],
        "listed": listed,
        "why": why,
        "chosen": badge_of.id if badge_of else "",
        "token": token,
        "next": safe_next(getattr(request.state, "next", None) or request.query_params.get("next", "/")),
    }
    response = page(request, "signin.html", None, more, status)
    response.set_cookie(FORM_COOKIE, token, httponly=True, samesite="strict", path="/sign-in")
    return response


def page(request: Request, name: str, session: Session | None, more: dict[str, Any], status: int = 200) -> Response:
    panel: Panel = request.app.state.panel
    context: dict[str, Any] = {
        "language": language_of(request),
        "session": session,
        "demo": panel.settings.sign_in == "demo",
        "blank_ms": round(panel.settings.blank_s * 1000),
        "boot": {
            "boot": panel.boot,
            "csrf": session.csrf if session else "",
            "now": wall_iso(),
            "messages": panel.catalogue,
            "beat_s": panel.settings.beat_s,
            **{key: more[key] for key in ("view", "views", "presses") if key in more},
        },
        **more,
    }
    return panel.templates.TemplateResponse(request, name, context, status_code=status)
