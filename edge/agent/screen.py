"""The guard's screen as the gate process serves it: the web application under uvicorn, on a socket of its own."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path

import uvicorn
from starlette.applications import Starlette

from edge.agent.entrance import AT_ONCE, BACKLOG, Entrance, protocol
from edge.config import Config
from edge.errors import BarieError
from edge.panel.accounts import Accounts
from edge.panel.app import create_app
from edge.panel.peer import screen_uids
from edge.panel.settings import PanelSettings
from edge.ports import Desk


def make_screen(desk: Desk, config: Config) -> tuple[Starlette, uvicorn.Server]:
    """The application over `desk`, and the server that runs it on the caller's event loop."""
    panel = config.panel
    accounts = Accounts(Path(config.site.data_dir) / "accounts.db")
    settings = PanelSettings(
        sign_in=panel.sign_in,
        badge_alone=frozenset(panel.badge_alone),
        auto_lock_s=panel.auto_lock_s,
        hosts=_hosts(panel.host),
        screen_uids=screen_uids(panel.screen_user),
    )
    app = create_app(desk, accounts, settings)
    served = uvicorn.Config(
        app,
        http=protocol(Entrance()),
        ws="none",
        log_config=None,
        access_log=False,
        lifespan="off",
        backlog=AT_ONCE,
        timeout_graceful_shutdown=1,
    )
    return app, _QuietServer(served)


def bind(host: str, port: int) -> socket.socket:
    """The listening socket. Raises BarieError where it cannot be had."""
    try:
        return socket.create_server((host, port), backlog=BACKLOG)
    except OSError as error:
        raise BarieError(
            f"panel.port: {host}:{port} cannot be used ({error.strerror}): in use? choose another port"
        ) from error


class _QuietServer(uvicorn.Server):
    """Signals are the gate's own matter."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Asyncio takes as many connections in one turn as the kernel may hold: few in a turn, many held."""
        await super().startup(sockets)
        for sock in sockets or ():
            sock.listen(BACKLOG)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _hosts(host: str) -> tuple[str, ...]:
    """Under which names the page may be asked for: loopback always, and the address that the config listens on."""
    return tuple(dict.fromkeys((*PanelSettings().hosts, host)))
