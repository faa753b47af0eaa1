"""The driver's sign on a second screen of the kiosk: weston's kiosk shell, which puts a window on the output that its
name belongs to, and a browser of its own, which is there only while that output is.

An output that is not connected must have no window: the shell would put it over the guard's page.
"""

from __future__ import annotations

import logging
import os
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from edge.errors import BarieError

log = logging.getLogger(__name__)

SCREEN, SIGN, SOCKET = "barie-screen", "barie-sign", "barie-screens"
DRM = Path("/sys/class/drm")
STARTS_WITHIN_S = 20.0
WESTON = """\
[core]
shell=kiosk-shell.so
idle-time=0
[output]
name={screen}
app-ids=barie-screen
[output]
name={sign}
app-ids=barie-sign
"""


@dataclass(frozen=True, slots=True)
class TwoScreens:
    """The guard's output and the sign's, as the kernel names them (HDMI-A-1), and the sign's page."""

    screen: str
    sign: str
    url: str


def start(line: Sequence[str]) -> subprocess.Popen[bytes]:
    """Raises BarieError where there is no such program."""
    try:
        return subprocess.Popen(line)
    except FileNotFoundError as error:
        raise BarieError(f"{line[0]} is not installed: apt-get install {line[0]}") from error


@contextmanager
def weston(home: Path, two: TwoScreens) -> Iterator[None]:
    """The compositor, and both browsers' way to it. Raises BarieError where it does not come up."""
    config = home / "weston.ini"
    config.write_text(WESTON.format(screen=two.screen, sign=two.sign), encoding="utf-8")
    socket = Path(os.environ.get("XDG_RUNTIME_DIR", "/run")) / SOCKET
    socket.unlink(missing_ok=True)  # of a crash before
    child = start(["weston", f"--config={config}", f"--socket={SOCKET}"])
    deadline_s = time.monotonic() + STARTS_WITHIN_S
    try:
        while not socket.exists():
            if child.poll() is not None or time.monotonic() > deadline_s:
                raise BarieError("weston does not come up: journalctl -u barie-kiosk")
            time.sleep(0.1)
        os.environ["WAYLAND_DISPLAY"] = SOCKET
        yield
    finally:
        child.terminate()
        child.wait()


def connected(output: str, drm: Path = DRM) -> bool:
    """A screen hangs on it (kernel: Documentation/ABI, drm connector status)."""
    return any(_word(path) == "connected" for path in drm.glob(f"card*-{output}/status"))


def _word(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except OSError:
        return ""


class SignBrowser:
    """Started with its screen, ended without it, started anew where it ended by itself."""

    def __init__(
        self, output: str, line: Sequence[str], before: Callable[[], None], there: Callable[[str], bool] = connected
    ) -> None:
        self._output, self._line, self._before, self._there = output, line, before, there
        self._child: subprocess.Popen[bytes] | None = None

    def look(self) -> None:
        if self._child is not None and self._child.poll() is not None:
            log.warning("the sign's browser ended with %d", self._child.returncode)
            self._child = None
        is_there = self._there(self._output)
        if is_there and self._child is None:
            self._before()
            self._child = start(self._line)
        elif not is_there:
            self.close()

    def close(self) -> None:
        if self._child is not None:
            self._child.terminate()
            self._child.wait()
            self._child = None
