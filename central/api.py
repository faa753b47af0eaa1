"""The read API (OpenAPI at /openapi.json) and the province's page. Reads only; writes are the workers' and the
platform's own tables."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import date
from pathlib import Path as File
from typing import Annotated, Any

from fastapi import Depends, FastAPI, HTTPException, Path, Query, Request
from fastapi.responses import FileResponse, HTMLResponse, PlainTextResponse
from fastapi.security import HTTPBasic, HTTPBasicCredentials
from jinja2 import Environment, PackageLoader, select_autoescape

from central import report
from central.database import Connection
from edge import clock

PAGES = Environment(loader=PackageLoader("central"), autoescape=select_autoescape())
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
basic = HTTPBasic(auto_error=False)
Day = Annotated[date | None, Query(description="YYYY-MM-DD in Vietnam; without it, today")]


def allowed(request: Request, given: Annotated[HTTPBasicCredentials | None, Depends(basic)]) -> None:
    """Raises HTTPException where a password is asked and this is not it."""
    password = request.app.state.password
    if password is None:
        return
    if given is None or not hmac.compare_digest(given.password.encode(), password.encode()):
        raise HTTPException(401, "sign in", {"WWW-Authenticate": 'Basic realm="barie"'})


def reading(request: Request) -> Iterator[Connection]:
    """A connection of this request's own, that can write nothing."""
    with request.app.state.connect() as connection:
        connection.execute("SET default_transaction_read_only = on")
        yield connection


Database = Annotated[Any, Depends(reading)]


def make(connect: Callable[[], Connection], photos: File, password: str | None) -> FastAPI:
    """`connect` gives a fresh connection; `password`: asked of everybody (HTTP Basic, any user name), None asks nobody
    and is for this machine alone."""
    app = FastAPI(
        title="barie, reference centre", version="1", dependencies=[Depends(allowed)], docs_url=None, redoc_url=None
    )
    app.state.connect, app.state.password = connect, password

    @app.middleware("http")
    async def harden(request: Request, call_next: Any) -> Any:
        response = await call_next(request)
        response.headers.update(HEADERS)
        return response

    @app.get("/api/lanes", summary="Every lane: there or not, its queue, how far it is whole here")
    def lanes(db: Database) -> list[dict[str, Any]]:
        return report.lanes(db)

    @app.get("/api/waiting", summary="What waits for a person")
    def waiting(db: Database) -> dict[str, list[dict[str, Any]]]:
        return report.waiting(db)

    @app.get("/api/events/{site}/{lane}", summary="A lane's envelopes as they came, in order")
    def events(
        db: Database,
        site: Annotated[str, Path(max_length=64)],
        lane: Annotated[str, Path(max_length=64)],
        after: Annotated[int, Query(ge=0, le=1 << 62)] = 0,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    ) -> list[dict[str, Any]]:
        return report.events(db, site, lane, after, limit)

    @app.get("/api/photos/{sha256}", summary="A photo by its SHA-256", response_class=FileResponse)
    def photo(db: Database, sha256: Annotated[str, Path(pattern="^[0-9a-f]{64}$")]) -> FileResponse:
        file = report.photo(db, sha256)
        if file is None or not (photos / file).is_file():
            raise HTTPException(404, "no such photo")
        return FileResponse(photos / file, media_type="image/jpeg")

    _day_and_page(app)
    return app


def _day_and_page(app: FastAPI) -> None:
    """The daily report, as data and as the province's page."""

    @app.get("/api/daily", summary="The day's figures")
    def daily(db: Database, day: Day = None) -> dict[str, Any]:
        return asdict(report.daily(db, day or _today()))

    @app.get("/api/daily.csv", summary="The day's figures as CSV", response_class=PlainTextResponse)
    def daily_csv(db: Database, day: Day = None) -> PlainTextResponse:
        return PlainTextResponse(report.as_csv(report.daily(db, day or _today())), media_type="text/csv; charset=utf-8")

    @app.get("/style.css", include_in_schema=False)
    def style() -> FileResponse:
        return FileResponse(File(__file__).parent / "templates" / "style.css", media_type="text/css")

    @app.get("/", include_in_schema=False)
    def page(db: Database, day: Day = None) -> HTMLResponse:
        shown = report.daily(db, day or _today())
        text = PAGES.get_template("province.html").render(day=shown, lanes=report.lanes(db), waiting=report.waiting(db))
        return HTMLResponse(text)


def _today() -> date:
    return date.fromisoformat(clock.wall_iso()[:10])
