"""The screen as a kiosk: dark while nothing is there to see, started anew once its page has died, no way out of it."""

from __future__ import annotations

import contextlib
import json
import math
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By

from edge.errors import BarieError
from edge.panel.accounts import Accounts
from edge.panel.app import create_app
from edge.panel.settings import PanelSettings
from edge.technician import kiosk
from edge.technician.kiosk_sign import SCREEN, SIGN, SignBrowser, TwoScreens, connected
from tests.panel.browser import CHROMIUM, PanelServer, browser, make_browser, resize, until
from tests.panel.fakes import FakeDesk, FakeLane, passage

__all__ = ["browser"]
KIOSK = Path(__file__).parents[2] / "config" / "kiosk"


@pytest.fixture
def lane() -> FakeLane:
    return FakeLane()


@pytest.fixture
def server(lane: FakeLane, tmp_path: Path) -> Iterator[PanelServer]:
    accounts = Accounts(tmp_path / "accounts.db")
    settings = PanelSettings(sign_in="demo", blank_s=1.0)
    running = PanelServer(create_app(FakeDesk(b1_out=lane), accounts, settings))
    yield running
    running.stop()
    accounts.close()


# ---------------------------------------------------------------- dark, and awake


def dark(page: webdriver.Chrome) -> bool:
    return page.find_element(By.ID, "dark").is_displayed()


@pytest.mark.browser
def test_an_empty_lane_goes_dark_and_an_arrival_wakes_it(
    browser: webdriver.Chrome, server: PanelServer, lane: FakeLane
) -> None:
    resize(browser, 1280, 800)
    browser.get(f"{server.url}/lane/b1-out")
    until(browser, dark, "the dark glass")
    lane.show(passage=passage("ready"))
    until(browser, lambda it: not dark(it), "the screen to wake")
    assert not browser.execute_script("return document.getElementById('dark').hidden === false")
    lane.show(passage=None)
    until(browser, dark, "the dark glass again")
    lane.show(boom={**lane.shown["boom"], "board_ok": False})
    until(browser, lambda it: not dark(it), "an alarm to wake it")
    browser.get("about:blank")


@pytest.mark.browser
def test_the_first_touch_only_wakes(browser: webdriver.Chrome, server: PanelServer, lane: FakeLane) -> None:
    resize(browser, 1280, 800)
    browser.get(f"{server.url}/lane/b1-out")
    until(browser, dark, "the dark glass")
    at = browser.find_element(By.ID, "stop").rect
    ActionChains(browser).move_by_offset(0, 0).perform()
    browser.execute_cdp_cmd(
        "Input.dispatchTouchEvent",
        {"type": "touchStart", "touchPoints": [{"x": at["x"] + 40, "y": at["y"] + 40}]},
    )
    browser.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    until(browser, lambda it: not dark(it), "the screen to wake")
    assert lane.acts == []
    browser.get("about:blank")


# ---------------------------------------------------------------- started anew


def test_a_browser_that_ends_ends_the_kiosk(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    line = [sys.executable, "-c", "raise SystemExit(7)"]
    assert kiosk.watch(line, lambda: 0.0, told.append) == 7
    assert told[0] == "READY=1"


@pytest.mark.parametrize(
    ("silent_s", "fed"), [(1.0, True), (None, True), (kiosk.PAGE_SILENT_S + 1, False), (math.inf, False)]
)
def test_the_watchdog_is_fed_only_while_the_page_lives_or_the_gate_is_away(
    monkeypatch: pytest.MonkeyPatch, silent_s: float | None, fed: bool
) -> None:
    monkeypatch.setattr(kiosk, "ASK_EVERY_S", 0.01)
    monkeypatch.setattr(kiosk, "STARTS_WITHIN_S", 0.0)
    told: list[str] = []
    asked: list[None] = []

    def ask() -> float | None:
        asked.append(None)
        if len(asked) > 5:
            raise KeyboardInterrupt
        return silent_s

    with pytest.raises(KeyboardInterrupt):
        kiosk.watch([sys.executable, "-c", "import time; time.sleep(600)"], ask, told.append)
    assert ("WATCHDOG=1" in told) == fed


@pytest.mark.browser
def test_a_page_gives_the_gate_signs_of_life_and_a_dead_one_none(
    browser: webdriver.Chrome, server: PanelServer, lane: FakeLane
) -> None:
    assert kiosk.page_silent_s(server.url) == math.inf
    browser.get(f"{server.url}/lane/b1-out")
    until(browser, lambda _: (kiosk.page_silent_s(server.url) or math.inf) < 5.0, "a sign of life")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        assert kiosk.page_silent_s(f"http://127.0.0.1:{taken.getsockname()[1]}") is None
    browser.get("about:blank")


def test_a_power_cut_leaves_no_question_to_answer(tmp_path: Path) -> None:
    path = tmp_path / "Default" / "Preferences"
    kiosk.forget_crash(tmp_path)
    path.parent.mkdir()
    path.write_text('{"profile": {"exit_type": "Crashed", "name": "x"}, "other": 1}')
    kiosk.forget_crash(tmp_path)
    assert json.loads(path.read_text()) == {
        "profile": {"exit_type": "Normal", "exited_cleanly": True, "name": "x"},
        "other": 1,
    }
    path.write_text('{"profile": {"exit_ty')
    kiosk.forget_crash(tmp_path)
    assert not path.exists()


# ---------------------------------------------------------------- the unit, and what the browser may not


def test_the_unit_is_one_that_systemd_takes(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("no systemd-analyze on this machine")
    text = (KIOSK / "barie-kiosk.service").read_text(encoding="utf-8")
    unit = tmp_path / "barie-kiosk.service"
    # The command itself is the package's; everything else is checked as it stands.
    unit.write_text(re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", text, flags=re.M), encoding="utf-8")
    done = subprocess.run(["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, check=False)
    said = [line for line in done.stderr.splitlines() if "barie-kiosk" in line]
    assert (done.returncode, said) == (0, [])


@pytest.fixture
def locked_browser(server: PanelServer, tmp_path: Path) -> Iterator[webdriver.Chrome]:
    """Chromium under the kiosk's own policies, which it reads from /etc: laid over it for this process alone."""
    etc = tmp_path / "etc"
    (etc / "policies" / "managed").mkdir(parents=True)
    policies = json.loads((KIOSK / "policies" / "barie-kiosk.json").read_text(encoding="utf-8"))
    assert policies.pop("DeveloperToolsAvailability") == 2, "no developer tools; but this test drives it by them"
    policies["URLAllowlist"] = [each.replace(":8080", f":{server.port}") for each in policies["URLAllowlist"]]
    (etc / "policies" / "managed" / "kiosk.json").write_text(json.dumps(policies))
    wrapper = tmp_path / "chromium"
    wrapper.write_text(f'#!/bin/sh\nmount --bind {etc} /etc/chromium && exec {CHROMIUM} "$@"\n')
    outer = tmp_path / "outer"
    # The driver switches the guard against second windows off; a kiosk has no driver.
    no_popups = 'for each; do shift; [ "$each" = --disable-popup-blocking ] || set -- "$@" "$each"; done'
    outer.write_text(f'#!/bin/sh\n{no_popups}\nexec unshare --mount {wrapper} "$@"\n')
    for script in (wrapper, outer):
        script.chmod(0o755)
    may = subprocess.run(
        ["unshare", "--mount", "sh", "-c", f"mount --bind {etc} /etc/chromium"], capture_output=True, check=False
    )
    if may.returncode != 0 or os.geteuid() != 0:
        pytest.skip("this user may not lay policies over /etc/chromium")
    made = make_browser(tmp_path / "profile", binary=str(outer))
    yield made
    made.quit()


@pytest.mark.browser
def test_the_policies_leave_no_way_out_of_the_gates_own_page(
    locked_browser: webdriver.Chrome, server: PanelServer
) -> None:
    page = locked_browser
    page.get(f"{server.url}/lane/b1-out")
    until(page, lambda it: it.find_elements(By.ID, "stop"), "the gate's page")
    page.execute_script("window.open('https://example.org/')")
    until(page, lambda it: len(it.window_handles) >= 1, "windows")
    assert len(page.window_handles) == 1, "no second window"
    for elsewhere in ("https://example.org/", "file:///etc/passwd", "chrome://settings/", "http://127.0.0.1:1/"):
        with contextlib.suppress(WebDriverException):  # blocked: there is no page to load
            page.get(elsewhere)
        until(page, lambda it: "blocked" in it.execute_script("return document.body?.innerText ?? ''"), elsewhere)
        assert "root:" not in page.page_source
        assert page.find_elements(By.CSS_SELECTOR, "settings-ui") == []


# ---------------------------------------------------------------- the driver's sign on a second screen


def test_each_browser_has_its_own_window_profile_and_language() -> None:
    screen, sign = (kiosk.browser("http://127.0.0.1:8080/", Path("/home") / name) for name in (SCREEN, SIGN))
    assert "--class=barie-screen" in screen
    assert "--user-data-dir=/home/barie-screen" in screen
    assert {"--class=barie-sign", "--user-data-dir=/home/barie-sign", "--lang=vi", "--kiosk"} <= set(sign)


@pytest.mark.parametrize(("status", "there"), [("connected", True), ("disconnected", False), (None, False)])
def test_a_screen_is_there_where_the_kernel_says_that_it_is_connected(
    tmp_path: Path, status: str | None, there: bool
) -> None:
    if status is not None:
        (tmp_path / "card0-HDMI-A-2").mkdir()
        (tmp_path / "card0-HDMI-A-2" / "status").write_text(f"{status}\n")
    assert connected("HDMI-A-2", tmp_path) == there


def test_the_signs_browser_comes_and_goes_with_its_screen_and_is_started_anew(tmp_path: Path) -> None:
    there = {"HDMI-A-2": True}
    began = tmp_path / "began"
    line = [sys.executable, "-c", f"import time; open({str(began)!r}, 'a').write('x'); time.sleep(600)"]
    sign = SignBrowser("HDMI-A-2", line, lambda: None, lambda output: there[output])

    def begun(times: int) -> None:
        deadline_s = time.monotonic() + 60
        while not (began.exists() and len(began.read_text()) >= times):
            assert time.monotonic() < deadline_s
            time.sleep(0.02)

    with contextlib.closing(sign):
        sign.look()
        begun(1)
        sign.look()
        child = sign._child
        assert child is not None
        child.kill()
        child.wait()
        sign.look()
        begun(2)
        there["HDMI-A-2"] = False
        again = sign._child
        sign.look()
        assert again is not None
        assert again.poll() is not None, "over the guard's page it must not stay"
        sign.look()
        assert sign._child is None
    assert began.read_text() == "xx"


def test_with_two_screens_the_guards_browser_and_the_compositor_live_and_end_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Programs that stand for weston and chromium: the one makes its socket, the other ends when told so."""
    makes_socket = 'for each; do case $each in --socket=*) touch "$XDG_RUNTIME_DIR/${each#*=}";; esac; done'
    programs = {
        "weston": f"{makes_socket}; exec sleep 600",
        "chromium": 'echo "$WAYLAND_DISPLAY $*" >>"$HOME/browsers"; exit 7',
    }
    for name, text in programs.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setenv("WAYLAND_DISPLAY", "")
    two = TwoScreens("HDMI-A-1", "HDMI-A-2", "http://127.0.0.1:1/sign/b1-out")
    assert kiosk.run("http://127.0.0.1:1/", two) == 7
    assert (
        "name=HDMI-A-1\napp-ids=barie-screen\n[output]\nname=HDMI-A-2\napp-ids=barie-sign"
        in (tmp_path / "weston.ini").read_text()
    )
    (guards,) = (tmp_path / "browsers").read_text().splitlines()
    assert guards.startswith("barie-screens --kiosk")
    assert guards.endswith("http://127.0.0.1:1/")


def test_a_program_that_is_missing_is_named_with_the_package_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(BarieError, match="apt-get install cage"):
        kiosk.run("http://127.0.0.1:1/")
    with pytest.raises(BarieError, match="apt-get install weston"):
        kiosk.run("http://127.0.0.1:1/", TwoScreens("HDMI-A-1", "HDMI-A-2", "http://127.0.0.1:1/sign/b1-out"))
