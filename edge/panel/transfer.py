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
from edge.core.transfer import LIST_EVERY_DAYS, Received, list_csv, list_rows, period, senders
from edge.core.transfer_page import list_page
from edge.panel import pages
from edge.panel.asked import day_of
from edge.panel.door import Session, signed_in
from edge.panel.settings import Panel
from edge.ports import TransferRecords

START = date(2026, 1, 1)
"""Periods of five days are counted from here, so that every gate's lists end on the same days."""
PERIODS_SHOWN = 6
_STYLE = re.compile(r"<style>(.*?)</style>", re.DOTALL)


async def overview(request: Request) -> Response:
    """The newest periods of every sending unit, each as CSV and as a page."""
    panel: Panel = request.app.state.panel
    session = panel.door.session(request)
    if session is None or session.locked:
        return RedirectResponse("/sign-in", 303)
    records = await _records(request, session)
    today = date.fromisoformat(wall_iso()[:10])
    first, _ = period(today, START)
    starts = [first - timedelta(days=LIST_EVERY_DAYS * n) for n in range(PERIODS_SHOWN)]
    lists = [_entry(records, sender, since) for sender in senders(records) for since in starts]
    return pages.page(request, "transfer.html", session, {"lists": [one for one in lists if one["count"]]})


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


def _entry(records: Sequence[Received], sender: str, since: date) -> dict[str, object]:
    until = since + timedelta(days=LIST_EVERY_DAYS)
    query = urlencode({"sent_by": sender, "since": since.isoformat()})
    return {
        "sent_by": sender,
        "since": f"{since:%d/%m/%Y}",
        "last": f"{until - timedelta(days=1):%d/%m/%Y}",
        "count": len(list_rows(records, sender, since, until)),
        "query": query,
    }


async def _asked(request: Request) -> tuple[list[tuple[str, ...]], str, str, date, date]:
    """Rows, receiving unit, sending unit, first day and the day after the last. Raises HTTPException 400."""
    records = await _records(request, signed_in(request))
    sent_by = request.query_params.get("sent_by", "")
    try:
        day = day_of(request.query_params.get("since", ""))
    except ValueError as error:
        raise HTTPException(400, "bad_request") from error
    since, until = period(day, START)
    units = [r.declaration.transfer.received_by for r in records if r.declaration.transfer]
    return list_rows(records, sent_by, since, until), next(iter(units), ""), sent_by, since, until


async def _records(request: Request, session: Session) -> Sequence[Received]:
    """Raises HTTPException 403 where the role may not, 404 where this gate keeps none."""
    panel: Panel = request.app.state.panel
    if "transfer_list" not in panel.rights.get(session.person.role, frozenset()):
        raise HTTPException(403, "not_your_role")
    if not isinstance(panel.desk, TransferRecords):
        raise HTTPException(404, "no_lists")
    return await panel.desk.received()
