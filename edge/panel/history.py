"""The history at the screen: search, one passage, its printed forms, a day's figures. Every look is on record first."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from urllib.parse import urlencode

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from edge.clock import VIETNAM, wall_iso
from edge.core.bodies import LookedAt
from edge.core.record.dossier import Dossier
from edge.core.record.history import HOWS, OUTCOMES, PassageRow, Question
from edge.panel import feed, office, pages, plots, wording
from edge.panel.asked import cursor_of, day_of
from edge.panel.masked_photos import handed_out
from edge.panel.pdf import make_pdf
from edge.panel.sessions import Session
from edge.panel.settings import Panel
from edge.panel.sheet import Sheet, Words, entry, facts, make_sheet
from edge.ports import Office

VERDICTS = ("release", "ready", "await", "refuse", "unknown")
FIELDS = ("plate", "since", "until", "lane", "verdict", "outcome", "how", "person")
SHORTEST_PLATE = 3
WHOLE_PHOTOS = "whole_photos"
"""The right to hand photos out as they are, faces and all."""
_STYLE = re.compile(r"<style>(.*?)</style>", re.DOTALL)


async def search(request: Request, session: Session, desk: Office) -> Response:
    """`?plate=&since=&until=&lane=&verdict=&outcome=&how=&person=&before=`; days as YYYY-MM-DD."""
    asked = {name: request.query_params.get(name, "").strip()[:40] for name in FIELDS}
    question, why = question_of(asked, request.query_params.get("before", ""))
    rows: tuple[PassageRow, ...] = ()
    older = ""
    if question is not None:
        given = {key: value for key, value in asked.items() if value}
        await desk.looked(session.person, "search", LookedAt(asked=given))
        found = await desk.find(question)
        rows = found.rows
        if found.more:
            older = urlencode({**asked, "before": f"{rows[-1].began_ms}_{rows[-1].id}"})
    today = date.fromisoformat(wall_iso()[:10])
    days = {"today": (today, today), "yesterday": (today - timedelta(1),) * 2, "week": (today - timedelta(6), today)}
    more = {
        "asked": asked,
        "rows": rows,
        "older": older,
        "why": why,
        "people": await desk.people(),
        "verdicts": VERDICTS,
        "outcomes": OUTCOMES,
        "hows": HOWS,
        "days": [(key, urlencode({**asked, "since": str(a), "until": str(b)})) for key, (a, b) in days.items()],
    }
    return office.page(request, "history.html", session, "history", more)


def question_of(asked: Mapping[str, str], before: str = "") -> tuple[Question | None, str]:
    """What the form asks for, or the catalogue's key of why it cannot be asked."""
    try:
        since = midnight_ms(asked["since"]) if asked["since"] else None
        until = midnight_ms(asked["until"]) + 86_400_000 if asked["until"] else None
    except ValueError:
        return None, "history.bad_day"
    question = Question(
        asked["plate"], since, until, asked["lane"], asked["verdict"], asked["outcome"], asked["how"], asked["person"]
    )
    if asked["plate"] and len(question.plate_key) < SHORTEST_PLATE:
        return None, "history.short_plate"
    return replace(question, before=cursor_of(before)), ""


def midnight_ms(day: str) -> int:
    """When a day (YYYY-MM-DD) begins in Vietnam, in Unix ms. Raises ValueError."""
    begins = datetime.combine(day_of(day), datetime.min.time(), VIETNAM)
    return round(begins.timestamp() * 1000)


async def one(request: Request, session: Session, desk: Office) -> Response:
    """One passage: facts, photos, the chain."""
    told = await _told(request, session, desk, "passage")
    panel: Panel = request.app.state.panel
    words = Words(panel.catalogue, pages.language_of(request))
    photos = [(id, name) for id, name in told.photos if panel.desk.evidence_jpeg(id) is not None]
    feed.looks_at(panel, session.person, [id for id, _ in photos])
    more = {
        "told": told,
        "facts": facts(told, words, _lane_name(panel, told.row.lane, words.language)),
        "entries": [entry(line, words) for line in told.lines],
        "photos": photos,
    }
    return office.page(request, "passage.html", session, "history", more)


async def as_page(request: Request, session: Session, desk: Office) -> Response:
    """Self-contained, to keep or to print; its one style is allowed by its hash, its pictures are its own."""
    sheet = await _sheet(request, session, desk, "print")
    panel: Panel = request.app.state.panel
    photos = [(name, base64.b64encode(jpeg).decode()) for name, jpeg in sheet.photos]
    html = panel.templates.get_template("sheet.html").render(sheet=sheet, photos=photos)
    style = _STYLE.search(html)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; frame-ancestors 'none'"
    headers = {"Content-Security-Policy": policy}
    if "save" in request.query_params:
        headers["Content-Disposition"] = f'attachment; filename="luot-xe-{request.path_params["id"]}.html"'
    return HTMLResponse(html, headers=headers)


async def as_pdf(request: Request, session: Session, desk: Office) -> Response:
    """The same as PDF. Raises StoreError where it cannot be made."""
    sheet = await _sheet(request, session, desk, "pdf")
    pdf = await make_pdf(sheet)
    name = f"luot-xe-{request.path_params['id']}.pdf"
    return Response(
        pdf, media_type="application/pdf", headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )


async def figures(request: Request, session: Session, desk: Office) -> Response:
    """A day's figures: `?day=YYYY-MM-DD&lane=`; today and the whole gate where not given."""
    today = wall_iso()[:10]
    day, lane = request.query_params.get("day") or today, request.query_params.get("lane", "")
    try:
        midnight = midnight_ms(day)
    except ValueError as error:
        raise HTTPException(400, "bad_day") from error
    await desk.looked(session.person, "figures", LookedAt(asked={"day": day, "lane": lane}))
    told = await desk.day(midnight, lane)
    panel: Panel = request.app.state.panel
    words = Words(panel.catalogue, pages.language_of(request))
    when = day_of(day)
    rates = [None if rate is None else 100 * rate for rate in told.read_rates]
    hour = words("figures.hour")
    more = {
        "told": told,
        "day": day,
        "lane": lane,
        "before": str(when - timedelta(1)),
        "after": str(when + timedelta(1)) if day < today else "",
        "traffic": plots.hours(words("figures.traffic"), told.through, hour, told.others),
        "waits": plots.hours(words("figures.waits"), told.waits_s, hour),
        "reads": plots.hours(words("figures.reads"), rates, hour, most=100.0),
        "overrides": _ranks(words, "overrides", "override_reason", told.overrides),
        "refusals": _ranks(words, "refusals", "turn_away_reason", told.refusals),
        "percent": None if told.read_rate is None else wording.amount(words.language, 100 * told.read_rate, 1),
    }
    return office.page(request, "figures.html", session, "figures", more)


def _ranks(words: Words, title: str, section: str, rows: tuple[tuple[str, int], ...]) -> str:
    named = [(words.of(section, reason), count) for reason, count in rows]
    return plots.ranks(words(f"figures.{title}"), named) if named else ""


async def _told(request: Request, session: Session, desk: Office, what: str, photos: str | None = None) -> Dossier:
    """Raises HTTPException 404."""
    passage = request.path_params["id"]
    await desk.looked(session.person, what, LookedAt(looked_at=passage, photos=photos))
    told = await desk.dossier(passage)
    if told is None:
        raise HTTPException(404, "unknown_passage")
    return told


async def _sheet(request: Request, session: Session, desk: Office, what: str) -> Sheet:
    """With photos that show nobody's face, unless somebody who may asks for them as they are (`?photos=whole`), which
    stands in the record. Raises HTTPException 403, 404; StoreError."""
    panel: Panel = request.app.state.panel
    whole = request.query_params.get("photos") == "whole"
    if whole and WHOLE_PHOTOS not in panel.rights.get(session.person.role, ()):
        raise HTTPException(403, "not_your_role")
    told = await _told(request, session, desk, what, "whole" if whole else None)
    words = Words(panel.catalogue, pages.language_of(request))
    lane = _lane_name(panel, told.row.lane, words.language)
    printed = (wall_iso(), f"{session.person.name} ({session.person.id})")
    if whole:
        return make_sheet(told, words, lane, printed, panel.desk.evidence_jpeg)
    photos = await handed_out(told, panel.desk.evidence_jpeg)
    sheet = make_sheet(told, words, lane, printed, photos.get)
    return replace(sheet, foot=f"{sheet.foot} {words('passage_page.coarse')}") if photos else sheet


def _lane_name(panel: Panel, lane: str, language: str) -> str:
    desk = panel.desk.lanes.get(lane)
    return lane if desk is None else getattr(desk.where.name, language)
