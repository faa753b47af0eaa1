"""Fixtures for the browser tests: a server thread for the screen, and Debian's own headless Chromium.

A machine without Chromium skips with a reason, but fails where BARIE_REQUIRE_BROWSER=1 says that it must be there.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import pytest
import uvicorn
from selenium import webdriver
from selenium.common.exceptions import NoSuchElementException, StaleElementReferenceException, TimeoutException
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait
from starlette.applications import Starlette

CHROMIUM, CHROMEDRIVER = "/usr/bin/chromium", "/usr/bin/chromedriver"
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
)
DEADLINE_S = 30.0
T = TypeVar("T")


class PanelServer:
    """The screen served by uvicorn in its own thread, on a free port of the loopback."""

    def __init__(self, app: Starlette, port: int = 0) -> None:
        self.app = app
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(("127.0.0.1", port))
        self.socket.listen(64)  # a browser may come before uvicorn does
        self.port: int = self.socket.getsockname()[1]
        config = uvicorn.Config(app, log_config=None, timeout_graceful_shutdown=1)
        self._server = uvicorn.Server(config)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._server.serve(sockets=[self.socket]))

    def stop(self) -> None:
        """Ends the server as a stopped gate process would: every stream breaks."""
        self._loop.call_soon_threadsafe(self.app.state.panel.closing.set)
        self._server.should_exit = True
        self._thread.join(10)
        self.socket.close()


def make_browser(
    profile: Path, width: int = 1280, height: int = 800, dark: bool = False, binary: str = CHROMIUM
) -> webdriver.Chrome:
    """A fresh Chromium whose page is exactly width x height."""
    options = Options()
    options.binary_location = binary
    for flag in (*FLAGS, f"--user-data-dir={profile}", f"--window-size={width},{height}"):
        options.add_argument(flag)
    browser = webdriver.Chrome(options=options, service=Service(CHROMEDRIVER))
    resize(browser, width, height)
    if dark:
        feature = {"features": [{"name": "prefers-color-scheme", "value": "dark"}]}
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", feature)
    return browser


def resize(browser: webdriver.Chrome, width: int, height: int) -> None:
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)


def until(browser: webdriver.Chrome, condition: Callable[[webdriver.Chrome], T], what: str) -> T:
    """Waits for a condition with a deadline; the failure says what was awaited."""
    # A page that loads again in between makes its old elements stale: that is a "not yet".
    passing = [NoSuchElementException, StaleElementReferenceException]
    wait = WebDriverWait(browser, DEADLINE_S, poll_frequency=0.1, ignored_exceptions=passing)
    return wait.until(condition, f"waited for: {what}")


def touch(page: webdriver.Chrome, found: WebElement) -> None:
    """A finger's tap in the middle of it; again where the browser took it for the end of the stroke before."""
    box = page.execute_script(
        "const e = arguments[0]; window.tapped = false; e.scrollIntoView({ block: 'center' });"
        "e.addEventListener('click', () => { window.tapped = true; }, { once: true });"
        "const b = e.getBoundingClientRect(); return [b.left + b.width / 2, b.top + b.height / 2]",
        found,
    )
    point = [{"x": box[0], "y": box[1]}]
    for _ in range(5):
        page.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": point})
        page.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        with suppress(TimeoutException):
            wait = WebDriverWait(page, 2, poll_frequency=0.03)
            wait.until(lambda it: it.execute_script("return window.tapped !== false"))
            return
    raise AssertionError(f"{found.id} was tapped five times and not once clicked")


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    """One Chromium for each module: a page that nobody watches any more would paint on until the end of the run."""
    missing = [path for path in (CHROMIUM, CHROMEDRIVER) if shutil.which(path) is None]
    if missing:
        why = f"no {' and no '.join(missing)}: apt-get install chromium chromium-driver"
        if os.environ.get("BARIE_REQUIRE_BROWSER") == "1":
            pytest.fail(why)
        pytest.skip(why)
    made = make_browser(tmp_path_factory.mktemp("chromium"))
    yield made
    made.quit()
