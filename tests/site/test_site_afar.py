"""Seen from afar: metrics, status of the box, JSON logs with one passage id, a config read again."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge import logs
from edge.agent.reload import changes, changes_taken
from edge.agent.watch import metrics as figures
from edge.demo import lane
from edge.demo.lane import LaneWorld
from edge.technician.free_port import free_port
from firmware_io.sim_world import SimVehicle
from tests.uplink.brokers import until

WITHIN_S = 60.0


class Site:
    """A real agent with metrics and JSON logs, a simulated boom, no camera and no broker."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port, self.metrics_port = folder, free_port(), free_port()
        self.lane = LaneWorld(lane.SHOWS[0], folder)
        self.config = lane.write_config(folder, [self.lane], self.port, free_port(), free_port())
        text = self.config.read_text(encoding="utf-8").replace("match_after_s = 20.0", "match_after_s = 0.5")
        self.config.write_text(text.replace("[store]", f"[metrics]\nport = {self.metrics_port}\n\n[store]"))
        line = [sys.executable, "-m", "edge", "--log-format", "json", "run", "--config", str(self.config)]
        with (folder / "log").open("wb") as log:
            self.agent = subprocess.Popen(line, stderr=log)
        until(lambda: "barie_board_ok{" in self.metrics(), "metrics are served", WITHIN_S)

    def metrics(self) -> str:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.metrics_port}/metrics", timeout=5) as answer:
                return str(answer.read().decode())
        except OSError:
            return ""

    def value(self, series: str) -> float | None:
        rows = [line for line in self.metrics().splitlines() if line.startswith(series + " ")]
        return float(rows[0].rpartition(" ")[2]) if rows else None

    def lines(self) -> list[dict[str, str]]:
        return [json.loads(line) for line in (self.folder / "log").read_text().splitlines() if line.startswith("{")]

    def said(self, text: str) -> bool:
        return any(text in line["text"] for line in self.lines())

    def close(self) -> None:
        self.agent.terminate()
        self.agent.wait(20)
        self.lane.close()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    made = Site(tmp_path_factory.mktemp("afar"))
    yield made
    made.close()


def test_a_passage_is_counted_and_one_id_goes_through_its_log(site: Site) -> None:
    until(lambda: site.value('barie_board_ok{lane="b1-out"}') == 1.0, "the board answers", WITHIN_S)
    site.lane.world.arrive(SimVehicle())
    until(lambda: site.value('barie_verdicts_total{lane="b1-out",verdict="ask"}') is not None or
          "barie_verdicts_total{" in site.metrics(), "the verdict is counted", WITHIN_S)  # fmt: skip
    site.lane.world.leave()
    until(lambda: site.value('barie_passages_total{lane="b1-out",outcome="left"}') == 1.0, "it is counted", WITHIN_S)
    assert site.value('barie_reads_total{how="unread",lane="b1-out"}') == 1.0
    ids = {line["passage"] for line in site.lines() if line["text"].startswith("recorded passage")}
    assert len(ids) == 1
    assert len(ids.pop()) == 36


def test_states_are_told_with_their_lane_and_camera_and_nothing_of_a_vehicle(site: Site) -> None:
    text = site.metrics()
    for series in (
        'barie_outbox_age_seconds{lane="b1-out"}',
        'barie_camera_up{camera="b1-out-front",lane="b1-out"} 0.0',
        'barie_loop_late_p99_seconds{lane="b1-out"}',
        "barie_disk_free_bytes",
        'barie_boom_cycles_total{lane="b1-out"}',
        'barie_store_room{state="ok"} 1.0',
        "process_open_fds",
    ):
        assert series in text, series
    assert 'plate="' not in text


def test_a_faulty_config_is_refused_and_a_good_one_taken_as_far_as_it_is_safe(site: Site) -> None:
    good = site.config.read_text()
    site.config.write_text(good + "\n[nonsense]\nkey = 1\n")
    os.kill(site.agent.pid, signal.SIGHUP)
    until(lambda: site.said("reload refused"), "it is refused", WITHIN_S)
    changed = good.replace("keep_acknowledged_s = 3600", "keep_acknowledged_s = 60").replace(
        "[panel]", "[panel]\nauto_lock_s = 99"
    )
    site.config.write_text(changed)
    os.kill(site.agent.pid, signal.SIGHUP)
    until(
        lambda: site.said("in force: store.keep_acknowledged_s; after a restart: panel.auto_lock_s"), "taken", WITHIN_S
    )
    assert site.agent.poll() is None


def test_changes_are_named_by_their_path() -> None:
    old = {"lane": [{"camera": [{"url": "a", "role": "front"}]}], "store": {"evidence_budget_mb": 1}, "law": {"x": 1}}
    new = {"lane": [{"camera": [{"url": "b", "role": "rear"}]}], "store": {"evidence_budget_mb": 2}, "law": {"x": 2}}
    found = sorted(changes(old, new))
    assert found == ["lane.0.camera.0.role", "lane.0.camera.0.url", "law.x", "store.evidence_budget_mb"]
    assert list(changes_taken(found)) == ["lane.0.camera.0.url", "store.evidence_budget_mb"]


def test_boom_cycles_outlive_a_restart(tmp_path: Path) -> None:
    import asyncio

    from edge.agent.lane.lane_journal import LaneJournal
    from edge.agent.lane.notes import CYCLES, Cycles
    from edge.core.bodies import BarrierSaid
    from edge.store import Store

    opened = BarrierSaid(stage="opened", permit=1, code="", passage=None)
    for expected in (1, 2):
        store = Store.open(tmp_path, site="s", lanes=["l"])
        asyncio.run(LaneJournal(store, "l", lambda: None).write(opened))
        assert CYCLES.all(store) == {"l": Cycles(expected)}
        store.close()


def test_temperatures_of_sensors_that_answer(tmp_path: Path) -> None:
    for name, text in (("thermal_zone0", "61500"), ("thermal_zone1", "nonsense")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "temp").write_text(text)
        (tmp_path / name / "type").write_text("x86_pkg_temp\n")
    assert figures.temperatures(tmp_path) == [(61.5, {"zone": "thermal_zone0", "kind": "x86_pkg_temp"})]


def test_a_json_line_holds_passage_fields_and_error() -> None:
    record = logging.LogRecord("edge.x", logging.ERROR, "f", 1, "bad %s", ("thing",), None)
    record.fields = {"seq": 7, "text": "never over what is there"}
    token = logs.passage.set("p-1")
    line = json.loads(logs.JsonLines().format(record))
    logs.passage.reset(token)
    assert (line["text"], line["passage"], line["seq"], line["level"]) == ("bad thing", "p-1", 7, "error")
