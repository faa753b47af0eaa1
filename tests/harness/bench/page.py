"""The guard's page in a real Chromium, for benchmarks: when does a plate stand on the screen?"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from edge.errors import BarieError

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

WITHIN_S = 30
SIZE = (1280, 800)
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-sync",
)

WATCH = """
const shown = new Map();
const plate = () => document.querySelector("#plate-row [data-plate]")?.dataset.plate ?? "";
let waiting = null;
const answer = () => {
  if (waiting && shown.has(waiting.plate)) { waiting.done(shown.get(waiting.plate)); waiting = null; }
};
const painted = (then) => requestAnimationFrame(() => {
  const after = new MessageChannel();
  after.port1.onmessage = then;
  after.port2.postMessage(0);
});
new MutationObserver(() => {
  const now = plate();
  painted(() => { if (!shown.has(now)) shown.set(now, performance.timeOrigin + performance.now()); answer(); });
}).observe(document.querySelector("#plate-row"), { childList: true, subtree: true });
window.benchShown = (text, done) => { waiting = { plate: text, done }; answer(); };
window.benchEmpty = (done) => (plate() === "" ? done(true) : setTimeout(() => window.benchEmpty(done), 10));
"""
"""Keeps, for each plate, the time just after the first frame that shows it: a task after the animation frame is run
once that frame was handed to be painted."""


class Page:
    """A lane's page that is being watched."""

    def __init__(self, browser: Chrome) -> None:
        self._browser = browser

    def shown_ms(self, plate: str) -> float:
        """Unix milliseconds at which the plate first stood on the screen, waiting for it. Raises BarieError."""
        return float(self._ask("window.benchShown(arguments[0], arguments[1])", plate))

    def empty(self) -> None:
        """Wait until no plate stands there."""
        self._ask("window.benchEmpty(arguments[1])", "")

    def _ask(self, script: str, plate: str) -> Any:
        from selenium.common.exceptions import WebDriverException

        try:
            return self._browser.execute_async_script(script, plate)
        except WebDriverException as error:
            raise BarieError(f"bench panel: the page did not follow within {WITHIN_S} s: {error.msg}") from error


@contextmanager
def page(url: str) -> Iterator[Page]:
    """Raises BarieError where selenium or Chromium is missing, or does not start."""
    try:
        from selenium import webdriver
        from selenium.common.exceptions import WebDriverException
    except ImportError as error:
        raise BarieError(
            "bench panel: panel.reading_to_pixels_ms_p95 needs the package selenium (dev extra)"
        ) from error
    binary, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if binary is None or driver is None:
        raise BarieError("bench panel: panel.reading_to_pixels_ms_p95 needs chromium and chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = binary
    with tempfile.TemporaryDirectory(prefix="barie-chromium-", ignore_cleanup_errors=True) as profile:
        for flag in (*FLAGS, f"--user-data-dir={profile}", "--window-size={},{}".format(*SIZE)):
            options.add_argument(flag)
        try:
            browser = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
        except WebDriverException as error:
            raise BarieError(f"bench panel: chromium does not start: {error.msg}") from error
        try:
            browser.set_script_timeout(WITHIN_S)
            browser.get(url)
            browser.execute_script(WATCH)
            yield Page(browser)
        finally:
            browser.quit()
