"""The guard's screen as one web application: named routes, nothing else."""

from __future__ import annotations

import secrets
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from edge.panel import (
    actions,
    alarms,
    calibrate,
    driver_sign,
    feed,
    history,
    label,
    office,
    pages,
    people,
    shift,
    transfer,
)
from edge.panel.accounts import Accounts
from edge.panel.headers import SafeHeaders
from edge.panel.messages import load_catalogue
from edge.panel.press_log import PressLog
from edge.panel.rights import load_rights
from edge.panel.sessions import AccountsDoor, DemoDoor, Door
from edge.panel.settings import Panel, PanelSettings
from edge.ports import Desk

ROUTES = [
    Route("/", pages.index),
    Route("/lanes.json", feed.lanes_json),
    Route("/people.json", feed.people_json),
    Route("/transfer", transfer.overview),
    Route("/transfer/list.csv", transfer.as_csv),
    Route("/transfer/list.html", transfer.as_page),
    Route("/lane/{lane}", pages.lane_page),
    Route("/lane/{lane}/view.json", feed.view_json),
    Route("/lane/{lane}/events", feed.events),
    Route("/lane/{lane}/live/{camera}.jpg", feed.live),
    Route("/lane/{lane}/action", actions.act, methods=["POST"]),
    Route("/lane/{lane}/settle", actions.settle, methods=["POST"]),
    Route("/evidence/{id}.jpg", feed.evidence),
    Route("/touch", actions.touch, methods=["POST"]),
    Route("/sign-in", pages.sign_in_page),
    Route("/sign-in", pages.sign_in, methods=["POST"]),
    Route("/sign-out", pages.sign_out, methods=["POST"]),
    Route("/alarms", office.shown("alarms", alarms.overview)),
    Route("/history", office.shown("history", history.search)),
    Route("/history/{id}", office.shown("history", history.one)),
    Route("/history/{id}/label", label.label, methods=["POST"]),
    Route("/history/{id}/print.html", office.shown("history", history.as_page)),
    Route("/history/{id}/passage.pdf", office.shown("history", history.as_pdf)),
    Route("/figures", office.shown("figures", history.figures)),
    Route("/expected", office.shown("expected", shift.expected)),
    Route("/handover", office.shown("handover", shift.handover)),
    Route("/people", office.shown("people", people.overview)),
    Route("/people", people.change, methods=["POST"]),
    Route("/calibrate", calibrate.overview),
    Route("/calibrate/undo", calibrate.undo, methods=["POST"]),
    Route("/calibrate/{camera}", calibrate.camera_page),
    Route("/calibrate/{camera}/sights.json", calibrate.sights),
    Route("/calibrate/{camera}/save", calibrate.save, methods=["POST"]),
    Route("/sign/{lane}", driver_sign.sign_page),
    Route("/sign/{lane}/events", driver_sign.sign_events),
    Route("/healthz", feed.healthz),
]


def create_app(desk: Desk, accounts: Accounts, settings: PanelSettings) -> Starlette:
    """The screen over a desk. Everything runs on the event loop that serves it, except checking a PIN.

    Set `app.state.panel.closing` before stopping the server: open event streams end at once instead of holding it.
    """
    catalogue = load_catalogue()
    app = Starlette(
        routes=[*ROUTES, Mount("/static", StaticFiles(directory=Path(__file__).parent / "static"), name="static")],
        middleware=[Middleware(SafeHeaders, hosts=settings.hosts)],
        exception_handlers={HTTPException: _refused},
    )
    app.state.accounts = accounts
    app.state.panel = Panel(
        desk=desk,
        door=_door(accounts, settings),
        settings=settings,
        catalogue=catalogue,
        rights=load_rights(),
        press_log=PressLog(),
        templates=pages.make_templates(catalogue),
        boot=secrets.token_hex(8),
    )
    return app


def _door(accounts: Accounts, settings: PanelSettings) -> Door:
    if settings.sign_in == "demo":
        return DemoDoor()
    return AccountsDoor(accounts, settings.auto_lock_s, settings.shift_s)


async def _refused(request: Request, error: Exception) -> Response:
    """Every refusal is JSON with a code of the message catalogue; the page puts it into words."""
    if not isinstance(error, HTTPException):
        raise error
    return JSONResponse({"done": False, "code": error.detail}, status_code=error.status_code, headers=error.headers)
