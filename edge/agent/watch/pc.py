"""The PC itself as a guard must know of it: too hot, on battery, battery nearly empty. Read from sysfs now and then."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from edge.agent.watch.metrics import THERMAL, temperatures
from edge.core.view import BoxView

POWER = Path("/sys/class/power_supply")
HOT_C = 85.0
"""Above this the box slows down or stops: fan, filter, sun (docs/troubleshoot.md)."""
LOW_PERCENT = 30
"""Below this a battery gives minutes, not hours."""
LOOK_S = 5.0


@dataclass(frozen=True, slots=True)
class Pc:
    """What the kernel shows of the machine; None where it shows nothing."""

    temperature_c: float | None = None
    on_battery: bool | None = None
    battery_percent: int | None = None

    @property
    def care(self) -> list[str]:
        """Codes of what somebody should see to, the worst first."""
        low = self.battery_percent is not None and self.battery_percent < LOW_PERCENT
        is_so = {
            "battery_low": self.on_battery is True and low,
            "on_battery": self.on_battery is True,
            "hot": self.temperature_c is not None and self.temperature_c > HOT_C,
        }
        return [code for code, so in is_so.items() if so]


def read_pc(thermal: Path = THERMAL, power: Path = POWER) -> Pc:
    """The hottest sensor, and the battery of a PC or UPS that the kernel knows (Documentation/ABI/testing/
    sysfs-class-power). A machine without one says nothing of its mains: that is the barrier's input `mains_ok`."""
    supplies = [_supply(folder) for folder in sorted(power.glob("*"))]
    batteries = [one for one in supplies if one["type"] in ("Battery", "UPS") and one["scope"] != "Device"]
    mains = [one["online"] for one in supplies if one["type"] == "Mains"]
    drains = any(one["status"] == "Discharging" for one in batteries) or (bool(mains) and set(mains) == {"0"})
    return Pc(
        temperature_c=max((degrees for degrees, _ in temperatures(thermal)), default=None),
        on_battery=drains if batteries else None,
        battery_percent=min((int(one["capacity"]) for one in batteries if one["capacity"].isdigit()), default=None),
    )


def _supply(folder: Path) -> dict[str, str]:
    return {name: _word(folder / name) for name in ("type", "online", "status", "capacity", "scope")}


def _word(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""


class PcWatch:
    """The newest look at the box, for every lane's view: some sensors answer slowly, and never on the event loop."""

    def __init__(self, touch: Callable[[], None], read: Callable[[], Pc] = read_pc, every_s: float = LOOK_S) -> None:
        self._touch, self._read, self._every_s = touch, read, every_s
        self._pc = Pc()

    def view(self) -> BoxView:
        box = self._pc
        return BoxView(temperature_c=box.temperature_c, battery_percent=box.battery_percent, care=tuple(box.care))

    async def run(self) -> None:
        """For ever."""
        while True:
            before = self._pc.care
            self._pc = await asyncio.to_thread(self._read)
            if self._pc.care != before:
                self._touch()
            await asyncio.sleep(self._every_s)
