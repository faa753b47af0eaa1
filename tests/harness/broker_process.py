"""A broker process for benches, the fault runner and tests: Debian's mosquitto where it is installed, else the
embedded one."""

from __future__ import annotations

import ctypes
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import Protocol

from edge.demo.broker import EmbeddedBroker
from edge.errors import BarieError
from edge.technician.free_port import free_port

MOSQUITTO = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
START_S = 30.0
SITE_SETTINGS = "max_inflight_messages 200\nmax_queued_messages 100000\nset_tcp_nodelay true\n"
"""What docs/fleet.md says that a site's mosquitto should have, for many events from many gates to one consumer."""


_LIBC, _PR_SET_PDEATHSIG = ctypes.CDLL(None), 1


def end_with_parent() -> None:
    """For a child between fork and exec: it is killed with the thread that started it, even by SIGKILL."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


class BrokerProcess(Protocol):
    port: int
    name: str

    def start(self) -> None: ...

    def stop(self) -> None: ...


class Mosquitto:
    """`extra` are further lines of its configuration. Persistence is on, in `folder`, saved on every change unless
    `autosave` is false."""

    name = "mosquitto"

    def __init__(
        self,
        folder: Path,
        *,
        extra: str = "allow_anonymous true\n",
        port: int | None = None,
        autosave: bool = True,
    ) -> None:
        self.port = port or free_port()
        self._folder, self._data, self._extra = folder, folder / "mosquitto", extra
        self._autosave = "autosave_interval 1\nautosave_on_changes true\n" if autosave else ""
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Returns when it accepts connections. Raises BarieError."""
        if MOSQUITTO is None:
            raise BarieError("mosquitto is not installed")
        self._data.mkdir(parents=True, exist_ok=True)
        config = self._folder / "mosquitto.conf"
        config.write_text(
            f"listener {self.port} 127.0.0.1\n{self._extra}persistence true\npersistence_location {self._data}/\n"
            f"{self._autosave}{SITE_SETTINGS}user root\nlog_dest none\n"
        )
        self._process = subprocess.Popen(
            [MOSQUITTO, "-c", str(config)],
            stderr=subprocess.DEVNULL,
            preexec_fn=end_with_parent,  # noqa: PLW1509 - one call into the C library, looked up before the fork
        )
        deadline_s = time.monotonic() + START_S
        while not self._accepts():
            if time.monotonic() > deadline_s or self._process.poll() is not None:
                raise BarieError(f"mosquitto does not start with {config}")
            time.sleep(0.02)

    def _accepts(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=0.2).close()
        except OSError:
            return False
        return True

    @property
    def pid(self) -> int:
        return self._process.pid if self._process is not None else 0

    def kill(self, *, wipe: bool = False) -> None:
        """SIGKILL; `wipe` takes its persistence too."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
        if wipe:
            shutil.rmtree(self._data, ignore_errors=True)

    def stop(self) -> None:
        self.kill()


class Iotcore(EmbeddedBroker):
    name = "iotcore"

    def __init__(self, folder: Path) -> None:
        super().__init__(free_port(), folder, port_v3=free_port())


def any_broker(folder: Path) -> BrokerProcess:
    """Not started yet."""
    return Mosquitto(folder, autosave=False) if MOSQUITTO else Iotcore(folder)
