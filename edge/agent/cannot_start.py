"""Why the gate does not start, where its screen would be: without it a guard sees a browser's error and a service that
is started for ever.

Only under a service manager ($NOTIFY_SOCKET); at a terminal the error itself is enough. The process ends after
`SHOWN_S` and is started once more, so a reason that has gone is not shown for long.
"""

from __future__ import annotations

import contextlib
import html
import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from edge import __version__
from edge.errors import BarieError, ConfigError
from edge.panel.messages import LANGUAGES, load_catalogue, say

HOST = "127.0.0.1"
"""The booth's own screen, whatever the config says: the reason may name paths."""
PORT = 8080
SHOWN_S = 20.0
_PAGE = """<!doctype html><html lang="vi"><meta charset="utf-8"><meta http-equiv="refresh" content="3">
<title>Barie</title><style>body{{font:24px sans-serif;margin:2em;background:#fff;color:#111}}h1{{color:#a00}}
pre{{white-space:pre-wrap;font-size:18px}}@media(prefers-color-scheme:dark){{body{{background:#111;color:#eee}}h1{{color:#f88}}}}
</style>{texts}<pre>{reason}</pre></html>"""


def words(error: BarieError) -> str:
    """The reason as the log has it, a line for each fault."""
    return (
        "\n".join(f"{error.source}: {fault}" for fault in error.faults)
        if isinstance(error, ConfigError)
        else str(error)
    )


def tell(
    error: BarieError, port: int = PORT, *, environ: dict[str, str] | None = None, shown_s: float = SHOWN_S
) -> None:
    """Shows the reason for `shown_s` and returns; at once without a service manager or where the port is taken."""
    if not (os.environ if environ is None else environ).get("NOTIFY_SOCKET"):
        return
    with (
        contextlib.suppress(OSError),
        showing(words(error), port),
    ):  # taken: by the gate that runs, which is what counts
        threading.Event().wait(shown_s)


@contextmanager
def showing(reason: str, port: int) -> Iterator[int]:
    """The page is there meanwhile; yields its port. Raises OSError."""
    server = ThreadingHTTPServer((HOST, port), _handler(reason))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, name="cannot start", daemon=True)
    thread.start()
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()
        server.server_close()


def _handler(reason: str) -> type[BaseHTTPRequestHandler]:
    catalogue = load_catalogue()
    texts = "".join(
        f"<section lang={language}><h1>{html.escape(say(catalogue, language, 'start.refused'))}</h1>"
        f"<p>{html.escape(say(catalogue, language, 'start.what_now'))}</p></section>"
        for language in LANGUAGES
    )
    page = _PAGE.format(texts=texts, reason=html.escape(reason)).encode()
    health = json.dumps({"ok": False, "version": __version__, "why": reason}, ensure_ascii=False).encode()

    class Handler(BaseHTTPRequestHandler):
        timeout = 5.0

        def do_GET(self) -> None:
            body, kind = (health, "application/json") if self.path == "/healthz" else (page, "text/html; charset=utf-8")
            self.send_response(503)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Every look of a waiting browser is no news."""

    return Handler
