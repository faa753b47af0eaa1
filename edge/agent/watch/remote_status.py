"""What others learn of this gate from afar: metrics for Prometheus, and the part of the retained status on the box."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from edge.agent.lane.notes import CYCLES, Cycles
from edge.agent.watch import metrics as figures
from edge.agent.watch.metrics import LaneFigures
from edge.agent.watch.pc import read_pc
from edge.config import Config
from edge.core.view import HealthView
from edge.store import Store
from edge.uplink.certificate import days_left
from firmware_io.loop import BarrierLoop

View = Callable[[], HealthView]
DUE_DAYS = 30.0
"""A certificate that ends sooner is due."""


class Afar:
    """Metrics and status of one gate. Everything here only looks."""

    def __init__(self, config: Config, store: Store) -> None:
        self._config, self._store = config, store
        self._lanes: dict[str, tuple[View, BarrierLoop]] = {}
        self._end: Callable[[], None] = lambda: None

    def add(self, lane: str, view: View, barrier: BarrierLoop) -> None:
        """`view`: `GateHealth.view`."""
        self._lanes[lane] = (view, barrier)

    def start(self) -> None:
        """Raises BarieError where the port is taken."""
        if self._config.metrics.port is not None:
            self._end = figures.serve(self._config.metrics.port, self, self.cert_days)

    def stop(self) -> None:
        self._end()

    def figures(self) -> Iterator[LaneFigures]:
        """`figures.Watched`."""
        cycles = CYCLES.all(self._store)
        for lane, (view, barrier) in self._lanes.items():
            count = cycles.get(lane, Cycles()).count
            yield LaneFigures(lane, view(), barrier.snapshot(), count)

    def room(self) -> tuple[str, Path]:
        """`figures.Watched`."""
        return self._store.room(), Path(self._config.site.data_dir)

    def cert_days(self) -> float | None:
        """Until this gate's certificate ends; None where there is none. An unreadable one counts as ended."""
        mqtt = self._config.mqtt
        if mqtt is None or mqtt.cert_file is None:
            return None
        days = days_left(Path(mqtt.cert_file))
        return 0.0 if days is None else days

    def box(self, lane: str) -> dict[str, Any]:
        """Of the PC, for the retained status; `care` holds the codes of what a person should look at."""
        box = read_pc()
        free = shutil.disk_usage(self._config.site.data_dir).free
        mains = self._lanes[lane][1].snapshot().inputs.get("mains_ok") if lane in self._lanes else None
        days, room = self.cert_days(), self._store.room()
        cycles = (CYCLES.of(self._store, lane) or Cycles()).count
        care = {
            "hot": "hot" in box.care,
            "disk_low": room != "ok",
            "on_battery": mains is False or box.on_battery is True,
            "battery_low": "battery_low" in box.care,
            "certificate_due": days is not None and days < DUE_DAYS,
        }
        return {
            "temperature_c": box.temperature_c,
            "disk_free_mb": free // 1_000_000,
            "mains_ok": mains,
            "certificate_days": days,
            "boom_cycles": cycles,
            "care": [code for code, is_so in care.items() if is_so],
        }
