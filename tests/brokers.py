"""Real broker processes for the tests: Debian's mosquitto where it is installed, iotcore (pip) always. Fixtures say
which."""

from __future__ import annotations

import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import pytest

from edge.technician.embedded_broker import EmbeddedBroker

MOSQUITTO = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")


class Broker(Protocol):
    port: int
    name: str

    def start(self) -> None: ...

    def stop(self) -> None: ...


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(condition: Callable[[], bool], what: str, timeout_s: float = 20.0) -> None:
    """Wait for a condition; fails the test, saying what never came."""
    deadline_s = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline_s:
            pytest.fail(f"{what}: not within {timeout_s:g} s")
        time.sleep(0.02)


class Mosquitto:
    """`extra` are further lines of its configuration. Persistence is on, in `folder`, saved on every change."""

    name = "mosquitto"

    def __init__(self, folder: Path, *, extra: str = "allow_anonymous true\n", port: int | None = None) -> None:
        self.port = port or free_port()
        self._folder = folder
        self._data = folder / "mosquitto"
        self._extra = extra
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        assert MOSQUITTO is not None
        self._data.mkdir(parents=True, exist_ok=True)
        config = self._folder / "mosquitto.conf"
        config.write_text(
            f"listener {self.port} 127.0.0.1\n{self._extra}persistence true\npersistence_location {self._data}/\n"
            "autosave_interval 1\nautosave_on_changes true\nuser root\nlog_dest none\n"
        )
        self._process = subprocess.Popen([MOSQUITTO, "-c", str(config)], stderr=subprocess.DEVNULL)
        until(self._accepts, "mosquitto listens", 10.0)

    def _accepts(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=0.2).close()
        except OSError:
            return False
        return True

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


@pytest.fixture(params=["mosquitto", "iotcore"])
def broker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Broker]:
    """Both brokers in turn; mosquitto is left out where it is not installed."""
    if request.param == "mosquitto" and MOSQUITTO is None:
        pytest.skip("mosquitto is not installed")
    one: Broker = Mosquitto(tmp_path) if request.param == "mosquitto" else Iotcore(tmp_path)
    one.start()
    yield one
    one.stop()


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    """mosquitto only: for tests that kill it or need its access control."""
    if MOSQUITTO is None:
        pytest.skip("mosquitto is not installed")
    one = Mosquitto(tmp_path)
    one.start()
    yield one
    one.stop()


class Stopper:
    """Runs a function of a stop event on a thread, and ends it again."""

    def __init__(self, work: Callable[[threading.Event], None]) -> None:
        self.event = threading.Event()
        self._thread = threading.Thread(target=work, args=(self.event,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self.event.set()
        self._thread.join(10.0)
        assert not self._thread.is_alive()
