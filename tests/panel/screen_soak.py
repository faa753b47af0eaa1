"""A guard's page through many passages: the states go over its real feed as fast as it draws them, and its memory is
measured. `scripts/screen-soak` is the long form, tests/panel/test_panel_soak.py the short one."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from selenium import webdriver

from edge.panel.app import create_app
from edge.panel.settings import PanelSettings
from tests.panel.browser import PanelServer
from tests.panel.fakes import BOOM, FakeDesk, FakeLane, passage, picture

MOST_TIMES = 1.5
"""So many times its memory after the warm-up a page may take at the end."""
STALLS_S = 120.0
PLATES = ("12C{:05d}", "29H{:05d}", "桂F{:05d}")
OPENS_SHEETS = """
setInterval(() => {
  const way = document.getElementById(["override", "turn_away", "type_plate"][Math.floor(performance.now() / 700) % 3]);
  if (!way.disabled) way.click();
}, 700);
"""
"""Now and then a sheet is open as the vehicle changes; that closes it."""


class Road(FakeLane):
    """Trucks one after the other, five changes each. The next change comes once the one before went down the page's
    stream, the next truck once the page asked for the photo of the one before: it has drawn it."""

    def __init__(self) -> None:
        super().__init__()
        self.done = self.allowed = 0
        self.drawn = threading.Event()
        self._live = [picture("live"), picture("photo")]
        self._changes = self._all_changes()

    async def changed(self, since: int) -> int:
        while self.shown["number"] <= since:
            if self.done >= self.allowed or not next(self._changes):
                await asyncio.sleep(0.005)
        return int(self.shown["number"])

    def live_jpeg(self, camera: str) -> bytes:
        return self._live[self.done % 2]

    def _all_changes(self) -> Iterator[bool]:
        """Each truck's changes for ever; False where the page has still to draw."""
        while True:
            here = self._truck(self.done + 1)
            self.show(passage={**here, "state": "reading", "plate": None, "plates": [], "verdict": None, "steps": []})
            yield True
            self.drawn.clear()
            self.show(passage=here)
            yield True
            while not self.drawn.is_set():
                yield False
            for state in ("opening", "open"):
                up = {**here, "state": state, "actions": ["stop"]}
                self.show(boom={**BOOM, "state": state}, passage=up)
                yield True
            last = {"plate": here["plate"]["text"], "at": "2026-11-20T11:38:20+07:00", "outcome": "through"}
            self.show(boom=dict(BOOM), passage=None, last=[{**last, "verdict": "ready"}, *self.shown["last"]][:8])
            self.done += 1
            yield True

    @staticmethod
    def _truck(number: int) -> dict[str, Any]:
        text = PLATES[number % len(PLATES)].format(number % 100_000)
        plate = {**passage()["plate"], "text": text, "raw": text, "candidates": [text]}
        mine = {"id": f"p-{number}", "photo": f"photo-{number}", "crop": f"crop-{number}"}
        return {
            **passage(("ready", "await", "unknown", "refuse")[number % 4], **mine),
            "plate": plate,
            "plates": [plate],
        }


class Photos(FakeDesk):
    """Every truck has photos of its own."""

    def __init__(self, road: Road) -> None:
        super().__init__(b1_out=road)
        self._road, self._photo, self._crop = road, picture("photo"), picture("crop")

    def evidence_jpeg(self, evidence_id: str) -> bytes:
        if evidence_id == f"crop-{self._road.done + 1}":
            self._road.drawn.set()
        return self._crop if evidence_id.startswith("crop") else self._photo


class Soak:
    """One page of `browser` at one road; `accounts` as for `create_app`."""

    def __init__(self, browser: webdriver.Chrome, accounts: Any) -> None:
        self.road, self.browser = Road(), browser
        self._server = PanelServer(create_app(Photos(self.road), accounts, PanelSettings(sign_in="demo")))
        browser.get(f"{self._server.url}/lane/b1-out")
        browser.execute_script(OPENS_SHEETS)

    def close(self) -> None:
        self.browser.get("about:blank")
        self._server.stop()

    def until(self, passages: int) -> dict[str, float]:
        """Lets the road go on until so many have passed; what the page takes then. Raises RuntimeError where it does
        not go on. Counted in looks, not by the clock: a run may be stopped and go on."""
        self.road.allowed, before, looks = passages, -1, 0
        while self.road.done < passages:
            looks = looks + 1 if self.road.done == before else 0
            before = self.road.done
            if looks > STALLS_S / 0.05:
                raise RuntimeError(f"the page did not draw truck {before + 1} within {STALLS_S:.0f} s")
            time.sleep(0.05)
        return {"passages": float(passages), **measured(self.browser)}


def grown(first: dict[str, float], last: dict[str, float]) -> dict[str, float]:
    """How many times what it took at first the page takes at last."""
    return {key: round(last[key] / first[key], 3) for key in ("heap_mb", "process_mb", "nodes")}


def holds(grew: dict[str, float]) -> bool:
    return all(times <= MOST_TIMES for times in grew.values())


def measured(browser: webdriver.Chrome) -> dict[str, float]:
    """The page's heap after a collection, its elements, and what its process holds for itself."""
    for _ in range(2):
        browser.execute_cdp_cmd("HeapProfiler.collectGarbage", {})
    browser.execute_cdp_cmd("Performance.enable", {})
    told = browser.execute_cdp_cmd("Performance.getMetrics", {})["metrics"]
    metrics = {each["name"]: each["value"] for each in told}
    return {
        "heap_mb": round(metrics["JSHeapUsedSize"] / 1e6, 2),
        "nodes": metrics["Nodes"],
        "process_mb": round(page_process_mb(browser), 1),
    }


def page_process_mb(browser: webdriver.Chrome) -> float:
    """Of the process that draws this page."""
    return max(pss_mb(pid) for pid in below(browser.service.process.pid) if "--type=renderer" in command(pid))


def below(pid: int) -> list[int]:
    """Every process that stems from this one."""
    found = [pid]
    for each in found:
        for children in Path(f"/proc/{each}/task").glob("*/children"):
            found += [int(child) for child in children.read_text().split()]
    return found


def command(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_text(errors="replace")


def pss_mb(pid: int) -> float:
    """What it holds of the machine's memory for itself: not the program's own files, which every process shares."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith(("Pss_Anon:", "Pss_Shmem:"))) / 1024


def run(browser: webdriver.Chrome, accounts: Any, passages: int, warm_up: int, say_every: int) -> dict[str, Any]:
    """The whole of it; says a line of JSON now and then."""
    began_s, told = time.monotonic(), []
    soak = Soak(browser, accounts)
    try:
        for number in sorted({warm_up, passages, *range(warm_up + say_every, passages, say_every)}):
            told.append(soak.until(number))
            print(json.dumps(told[-1]), flush=True)
    finally:
        soak.close()
    grew = grown(told[0], told[-1])
    minutes = round((time.monotonic() - began_s) / 60, 1)
    return {"passages": passages, "first": told[0], "last": told[-1], "grew": grew, "minutes": minutes}
