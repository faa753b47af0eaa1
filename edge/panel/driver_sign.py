"""The driver's sign: a page for a second screen that faces the road. Nobody signs in there, and nothing is shown that
every driver could not see from his seat."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from edge.core.driver_sign import sign_of
from edge.panel import feed
from edge.panel.settings import Panel
from edge.ports import LaneDesk


async def sign_page(request: Request) -> Response:
    """`/sign/{lane}`: says stop until it hears from the gate, and again within two seconds of hearing nothing."""
    feed.lane_of(request)
    panel: Panel = request.app.state.panel
    words = {name: panel.catalogue[f"sign.{name}"] for name in ("stop", "wait", "drive", "booth")}
    context = {"lane": request.path_params["lane"], "words": words}
    return panel.templates.TemplateResponse(request, "sign.html", context)


async def sign_events(request: Request) -> Response:
    """Server-sent events: `sign` with one of four words, at each change and twice a second."""
    stream = _stream(request.app.state.panel, feed.lane_of(request))
    return StreamingResponse(stream, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})


async def _stream(panel: Panel, lane: LaneDesk) -> AsyncIterator[bytes]:
    yield b"retry: 500\n"
    while not panel.closing.is_set():
        view = lane.view()
        yield f"event: sign\ndata: {json.dumps({'sign': sign_of(view), 'boot': panel.boot})}\n\n".encode()
        await feed.wait_for_change(panel, lane, view.number)
