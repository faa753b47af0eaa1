"""`barie kiosk`: the guard's touchscreen as one process tree, which is started anew once its page has died.

Starts Chromium in a compositor of one window (cage). A browser that ends ends this. A page whose own process crashed
stays on the glass as an error, so the page asks the gate for `/healthz?page` now and then, and the gate says how long
ago that was: while the gate answers and its page does not ask, the service manager's watchdog is not fed any more.

With a second screen the compositor is weston's kiosk shell, which gives each browser an output of its own: the guard's
page and the driver's sign (edge.technician.kiosk_sign).
"""

from __future__ import annotations

import json
import math
import os
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path

from edge.technician.kiosk_sign import SCREEN, SIGN, SignBrowser, TwoScreens, start, weston

ASK_EVERY_S = 5.0
PAGE_SILENT_S = 30.0
STARTS_WITHIN_S = 60.0
BROWSER = (
    "--kiosk",
    "--ozone-platform=wayland",
    "--no-first-run",
    "--noerrdialogs",
    "--disable-session-crashed-bubble",
    "--disable-pinch",
    "--overscroll-history-navigation=0",
    "--autoplay-policy=no-user-gesture-required",
    "--disable-features=Translate,TouchpadOverscrollHistoryNavigation",
    "--password-store=basic",
    "--lang=vi",
    "--accept-lang=vi,en",
)


def browser(url: str, profile: Path) -> list[str]:
    """`profile`'s name is the window's, by which a compositor tells one from another."""
    return ["chromium", *BROWSER, f"--class={profile.name}", f"--user-data-dir={profile}", url]


def run(url: str, two: TwoScreens | None = None) -> int:
    """Until the browser ends. Returns its status. Raises BarieError where a program that it takes is not there."""
    home = Path(os.environ.get("HOME", "/tmp"))  # noqa: S108 - the unit sets HOME
    profile = home / SCREEN
    forget_crash(profile)
    silent_s = partial(page_silent_s, url)
    if two is None:
        return watch(["cage", "-d", "-s", "--", *browser(url, profile)], silent_s, notify)
    beside = SignBrowser(two.sign, browser(two.url, home / SIGN), lambda: forget_crash(home / SIGN))
    with weston(home, two), closing(beside):
        return watch(browser(url, profile), silent_s, notify, beside.look)


def watch(
    line: Sequence[str],
    silent_s: Callable[[], float | None],
    tell: Callable[[str], None],
    look: Callable[[], None] = lambda: None,
) -> int:
    """Runs the browser and says "WATCHDOG=1" while its page lives. `silent_s`: None where the gate does not answer,
    which is not the page's fault and shown by the page itself. `look` is called now and then."""
    child = start(line)
    tell("READY=1")
    began_s = time.monotonic()
    try:
        while True:
            look()
            try:
                return child.wait(ASK_EVERY_S)
            except subprocess.TimeoutExpired:
                silent = silent_s()
                starting = time.monotonic() - began_s < STARTS_WITHIN_S
                if starting or silent is None or silent < PAGE_SILENT_S:
                    tell("WATCHDOG=1")
    finally:
        child.terminate()
        child.wait()


def page_silent_s(url: str) -> float | None:
    """How long ago a page of this machine asked the gate: for ever, where none did since the gate began. None where the
    gate does not answer."""
    try:
        with urllib.request.urlopen(f"{url.rstrip('/')}/healthz", timeout=3) as answer:  # noqa: S310 - a loopback address
            said = json.load(answer)["page_s"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return math.inf if said is None else float(said)


def forget_crash(profile: Path) -> None:
    """After a power cut Chromium asks whether to restore its pages; a kiosk has nobody to answer."""
    path = profile / "Default" / "Preferences"
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        kept.setdefault("profile", {}).update({"exit_type": "Normal", "exited_cleanly": True})
        path.write_text(json.dumps(kept), encoding="utf-8")
    except FileNotFoundError:
        pass
    except (OSError, ValueError, AttributeError):
        path.unlink(missing_ok=True)  # torn by the power cut: Chromium makes a fresh one


def notify(word: str) -> None:
    """sd_notify; nothing where no service manager listens."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        line.connect("\0" + address[1:] if address.startswith("@") else address)
        line.send(word.encode())
