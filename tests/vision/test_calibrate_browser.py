"""The calibration page in a real Chromium, walked by touch: draw, see the read rate change, save into the real
configuration's file, undo."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By

from edge.agent.cameras.supervisor import CameraProcess
from edge.agent.cameras.workbench import GateWorkbench
from edge.config import load_config
from edge.core.model import Point
from edge.panel.accounts import Accounts
from edge.panel.app import create_app
from edge.panel.sessions import Session
from edge.panel.settings import PanelSettings
from edge.ports import Person
from tests.panel.browser import PanelServer, browser, resize, touch, until
from tests.panel.fakes import FakeDesk, FakeLane
from tests.vision.test_calibrate_core import sight

__all__ = ["browser"]
pytestmark = pytest.mark.browser
EXAMPLE = Path(__file__).parents[2] / "config" / "gate.example.toml"
CAMERA = "b1-out-front"
Chrome = webdriver.Chrome


class OpenDoor:
    """Everybody is this person."""

    def __init__(self, role: str) -> None:
        self.person = Person("tech", "Kỹ thuật", role)

    def session(self, request: object) -> Session | None:
        return Session(self.person, "token")

    def touch(self, request: object) -> None:
        pass


class Bench:
    """A real workbench over a real file; the camera's process is not started, its sights are given."""

    def __init__(self, path: Path) -> None:
        self.notes: list[tuple[str, Any, str]] = []
        self.reloads = 0
        self.path = path
        self.camera = CameraProcess(CAMERA, {}, lambda *_: None, lambda *_: None, lambda: None)
        # Ten plates: six on the left of the picture, four on the right, of which one was lost.
        self.camera.sights.extend(sight(x=0.25, y=0.3 + i / 20) for i in range(6))
        self.camera.sights.extend(sight(x=0.75, y=0.3 + i / 20) for i in range(3))
        self.camera.sights.append(sight(x=0.75, y=0.5, text="", kind="other", confidence=0.0))
        self.workbench = GateWorkbench(path, load_config(path), {CAMERA: self.camera}, self.reload, self.note)

    def reload(self) -> None:
        self.reloads += 1

    def note(self, lane: str, change: Any, by: Person) -> None:
        self.notes.append((lane, change, by.id))


class BenchDesk(FakeDesk):
    def __init__(self, bench: Bench) -> None:
        super().__init__(b1_out=FakeLane())
        self.workbench = bench.workbench


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    path = tmp_path / "gate.toml"
    path.write_text(EXAMPLE.read_text(encoding="utf-8"), encoding="utf-8")
    return Bench(path)


@pytest.fixture
def server(bench: Bench, tmp_path: Path) -> Iterator[PanelServer]:
    accounts = Accounts(tmp_path / "accounts.db")
    app = create_app(BenchDesk(bench), accounts, PanelSettings())
    app.state.panel.door = OpenDoor("technician")
    running = PanelServer(app)
    yield running
    running.stop()
    accounts.close()


@pytest.fixture
def page(browser: Chrome, server: PanelServer) -> Iterator[Chrome]:
    resize(browser, 1280, 800)
    browser.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": True})
    browser.get(f"{server.url}/calibrate")
    until(browser, lambda it: rate(it) == "9/10", "the sights to come")
    yield browser
    browser.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": False})
    browser.get("about:blank")


def rate(page: Chrome) -> str:
    shown = page.find_element(By.ID, "rate-region")
    return f"{shown.get_attribute('data-read')}/{shown.get_attribute('data-of')}"


def on_screen(page: Chrome, point: Point) -> dict[str, float]:
    box = page.execute_script("const b = document.getElementById('canvas').getBoundingClientRect();"
                              "return [b.left, b.top, b.width, b.height]")  # fmt: skip
    return {"x": box[0] + point[0] * box[2], "y": box[1] + point[1] * box[3]}


def finger(page: Chrome, path: Sequence[Point]) -> None:
    """One finger set down at the first point, drawn along the others, and lifted."""
    kinds = ["touchStart", *["touchMove"] * (len(path) - 1)]
    for kind, point in zip(kinds, path, strict=True):
        touch = {"type": kind, "touchPoints": [on_screen(page, point)]}
        page.execute_cdp_cmd("Input.dispatchTouchEvent", touch)
    page.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def tap(page: Chrome, id: str) -> None:
    touch(page, page.find_element(By.ID, id))


def said(page: Chrome, key: str) -> None:
    until(page, lambda it: it.find_element(By.ID, "said").get_attribute("data-t") == key, key)


def draw_left_half(page: Chrome) -> None:
    for corner in ((0.05, 0.1), (0.5, 0.1), (0.5, 0.9), (0.05, 0.9)):
        finger(page, [corner])


def aim_of(bench: Bench) -> Any:
    return load_config(bench.path).lane[0].camera[0].aim


def test_a_region_drawn_by_finger_changes_the_rate_and_is_saved_and_undone(page: Chrome, bench: Bench) -> None:
    before = bench.path.read_text(encoding="utf-8")
    draw_left_half(page)
    until(page, lambda it: rate(it) == "6/6", "the rate of the left half")
    finger(page, [(0.5, 0.1), (0.7, 0.1), (0.95, 0.1)])  # the upper right corner is drawn outwards
    finger(page, [(0.5, 0.9), (0.7, 0.9), (0.95, 0.9)])
    until(page, lambda it: rate(it) == "9/10", "the rate of nearly the whole picture")
    tap(page, "back")
    until(page, lambda it: rate(it) == "9/9", "one step back")
    tap(page, "back")
    until(page, lambda it: rate(it) == "6/6", "two steps back")
    tap(page, "save")
    said(page, "calibrate.saved")
    region = aim_of(bench).region
    assert [tuple(round(v, 1) for v in point) for point in region] in (
        [(0.1, 0.1), (0.5, 0.1), (0.5, 0.9), (0.1, 0.9)],
        [(0.0, 0.1), (0.5, 0.1), (0.5, 0.9), (0.0, 0.9)],
    )
    assert "# [mqtt]" in bench.path.read_text(encoding="utf-8") or "leave the whole table out" in before
    assert bench.notes[0][0] == "b1-out"
    assert bench.notes[0][2] == "tech"
    assert bench.reloads == 1
    tap(page, "undo")
    until(page, lambda it: rate(it) == "9/10", "the page as it was")
    assert bench.path.read_text(encoding="utf-8") == before
    assert bench.reloads == 2


def test_a_line_is_drawn_and_reads_on_its_right(page: Chrome, bench: Bench) -> None:
    tap(page, "tool-line")
    finger(page, [(0.5, 0.95), (0.5, 0.5), (0.5, 0.05)])  # upwards: the right half is read
    until(page, lambda it: rate(it) == "3/4", "the rate right of the line")
    tap(page, "save")
    said(page, "calibrate.saved")
    (x1, y1), (x2, y2) = aim_of(bench).line
    assert (round(x1, 1), round(x2, 1)) == (0.5, 0.5)
    assert y1 > y2


def test_what_makes_no_region_is_not_saved(page: Chrome, bench: Bench) -> None:
    finger(page, [(0.2, 0.2)])
    finger(page, [(0.4, 0.2)])
    tap(page, "save")
    said(page, "calibrate.three")
    assert aim_of(bench).region is None
    assert bench.reloads == 0


def test_only_a_technician_may(server: PanelServer, browser: Chrome) -> None:
    server.app.state.panel.door = OpenDoor("guard")
    browser.get(f"{server.url}/calibrate/{CAMERA}")
    assert "not_your_role" in browser.page_source
