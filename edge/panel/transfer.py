"""The statistical list of hand-over records (53/2003, I.5): every five days for each sending unit, as CSV and to
print."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence
from datetime import date, timedelta
from urllib.parse import urlencode

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from edge.clock import wall_iso
from edge.core.law.transfer import PERIODS_FROM, FiveDays, Received, list_csv, list_rows, period
from edge.core.law.transfer_page import list_page
from edge.panel import office
from edge.panel.asked import day_of
from edge.panel.sessions import Session, signed_in
from edge.panel.settings import Panel
from edge.ports import TransferRecords

LISTS_SHOWN = 60
_STYLE = re.compile(r"<style>(.*?)</style>", re.DOTALL)


async def overview(request: Request) -> Response:
    """The lists that this gate owes, each as CSV and as a page, and those that other units owe it."""
    panel: Panel = request.app.state.panel
    session = panel.door.session(request)
    if session is None or session.locked:
        return RedirectResponse("/sign-in", 303)
    desk = _desk(request, session)
    today = date.fromisoformat(wall_iso()[:10])
    shown = [_entry(one, today) for one in (await desk.lists())[:LISTS_SHOWN]]
    return office.page(request, "transfer.html", session, "transfer", {"lists": shown})


async def as_csv(request: Request) -> Response:
    rows, _, _, since, until = await _asked(request)
    name = f"bien-ban-{since:%Y%m%d}-{until - timedelta(days=1):%Y%m%d}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    # With a byte order mark, or the office's spreadsheet reads Vietnamese as something else.
    return Response("\ufeff" + list_csv(rows), media_type="text/csv; charset=utf-8", headers=headers)


async def as_page(request: Request) -> Response:
    """Self-contained, to print and sign; its one style is allowed by its hash, and nothing else."""
    rows, received_by, sent_by, since, until = await _asked(request)
    html = list_page(rows, sent_by, received_by, since, until)
    style = _STYLE.search(html)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; frame-ancestors 'none'"
    return HTMLResponse(html, headers={"Content-Security-Policy": policy})


def _entry(one: FiveDays, today: date) -> dict[str, object]:
    return {
        "key": one.key,
        "way": one.way,
        "unit": one.unit,
        "since": f"{one.since:%d/%m/%Y}",
        "last": f"{one.until - timedelta(days=1):%d/%m/%Y}",
        "due": f"{one.due:%d/%m/%Y}",
        "count": len(one.records),
        "over": one.until <= today,
        "overdue": one.overdue(today),
        "mark": one.mark,
        "query": urlencode({"sent_by": one.unit, "since": one.since.isoformat()}),
    }


async def _asked(request: Request) -> tuple[list[tuple[str, ...]], str, str, date, date]:
    """Rows, receiving unit, sending unit, first day and the day after the last. Raises HTTPException 400."""
    records = await _records(request, signed_in(request))
    sent_by = request.query_params.get("sent_by", "")
    try:
        day = day_of(request.query_params.get("since", ""))
    except ValueError as error:
        raise HTTPException(400, "bad_request") from error
    since, until = period(day, PERIODS_FROM)
    units = [r.declaration.transfer.received_by for r in records if r.declaration.transfer]
    return list_rows(records, sent_by, since, until), next(iter(units), ""), sent_by, since, until


async def _records(request: Request, session: Session) -> Sequence[Received]:
    """Raises HTTPException 403, 404."""
    return await _desk(request, session).received()


def _desk(request: Request, session: Session) -> TransferRecords:
    """Raises HTTPException 403 where the role may not, 404 where this gate keeps none."""
    panel: Panel = request.app.state.panel
    if "transfer_list" not in panel.rights.get(session.person.role, frozenset()):
        raise HTTPException(403, "not_your_role")
    if not isinstance(panel.desk, TransferRecords):
        raise HTTPException(404, "no_lists")
    return panel.desk
