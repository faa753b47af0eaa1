"""Weeks of traffic in an hour: the real lane, law, record and link, a clock that runs fast, and one line a day.

`scripts/soak [--passages 20000] [--days 24] [--folder F]`: every passage moves the wall clock on; days bring midnight,
the end of a month, pruning, a log that is rotated, a clock that the time service sets back and forth, and a renewed
certificate. Memory, disk, handles and threads have to be flat from day 4 on, and every count right, at the centre too.
"""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import json
import logging
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from edge import clock, resources
from edge.agent.lane.law import Law
from edge.config import CameraConfig, LaneConfig, LawConfig, MqttConfig, Name
from edge.core.model import PlateRead, Reading
from edge.core.plate.table import parse as parse_plates
from edge.demo.platform import Visit, declare, visit
from edge.errors import ConfigError
from edge.logs import start_log
from edge.ports import Action, Person
from edge.store import Store, StoreInbox
from edge.store.keys import open_key
from edge.uplink.mqtt import Uplink
from firmware_io.board import BoardSettings
from firmware_io.safety import Notice
from tests.harness.broker_process import MOSQUITTO, Iotcore, Mosquitto
from tests.harness.lone_lane import lone_lane
from tests.harness.soak.count import counts, growth, is_flat
from tests.harness.soak.world import Authority, FastTime, ObedientBarrier, usage

SITE, LANE = "soak", "b1-out"
START = datetime(2026, 11, 15, 6, 0, tzinfo=clock.VIETNAM)
"""24 days from here have an end of month in them."""
KEEP_S, PHOTOS_MB, PHOTO_BYTES = 2 * 86_400, 50, 12_000
BEHIND_MOST = 400
"""Events on their way before the next vehicle may come: a gate is never this fast."""
GUARD = Person("guard1", "Người gác", "guard")
STEPPED = {8: -3_600.0, 9: 3_600.0, 13: 120.0, 15: -120.0}
"""By day: how far the time service sets the clock, in seconds."""
log = logging.getLogger(__name__)


class Soak:
    def __init__(self, folder: Path, passages: int, days: int) -> None:
        self._folder, self._passages, self._days = folder, passages, days
        self._time = FastTime(START)
        self._time.install()
        self._counted: Counter[str] = Counter()
        self._plates = parse_plates(*resources.config_text("plates.toml"))
        self._frame = 0
        declared = visit("b1-out-vn-two-line")
        if declared is None:
            raise ConfigError("sample_videos/declared.toml", ["b1-out-vn-two-line is not declared"])
        self._visit: Visit = declared

    async def run(self) -> dict[str, Any]:
        folder = self._folder / "gate"
        folder.mkdir()
        key = open_key(folder / "keys")
        self._store = Store.open(
            folder, site=SITE, lanes=[LANE], signer=key.sign, check=key.check,
            keep_acknowledged_s=KEEP_S, evidence_budget_mb=PHOTOS_MB,
        )  # fmt: skip
        self._loop = asyncio.get_running_loop()
        self._start_link()
        barrier = ObedientBarrier(self._notified)
        law = Law.load(LawConfig(), self._store, lambda: None)
        self._actor, self._desk = lone_lane(_lane(), self._store, law, barrier, self._plates, self._uplink.wake)
        task = asyncio.create_task(self._actor.run())
        try:
            rows = [await self._day(day) for day in range(self._days)]
            await self._drained(0)
        finally:
            task.cancel()
            await asyncio.to_thread(self._uplink.stop)
            self._central.terminate()
            self._central.wait(20)
            self._broker.stop()
        faults = self._store.verify()
        self._store.close()
        found, grown = counts(self._folder / "central.db", self._counted, [str(one) for one in faults]), growth(rows)
        end = (START + timedelta(days=self._days)).date().isoformat()
        good = all(found["right"].values()) and is_flat(grown)
        return {"passages": self._passages, "days": self._days, "until": end, **found, "growth": grown, "good": good}

    # ------------------------------------------------------------ the way to the centre

    def _start_link(self) -> None:
        tls = self._folder / "tls"
        tls.mkdir()
        self._authority = Authority(tls)
        self._authority.issue("broker", 60)
        self._authority.issue("gate", 20)
        extra = f"cafile {tls}/ca.pem\ncertfile {tls}/broker.pem\nkeyfile {tls}/broker.key\nallow_anonymous true\n"
        self._broker = Mosquitto(self._folder, extra=extra, autosave=False) if MOSQUITTO else Iotcore(self._folder)
        self._broker.start()
        files = {"tls": True, "ca_file": f"{tls}/ca.pem", "cert_file": f"{tls}/gate.pem", "key_file": f"{tls}/gate.key"}
        config = MqttConfig(host="127.0.0.1", port=self._broker.port, resend_s=5.0, **(files if MOSQUITTO else {}))  # type: ignore[arg-type]
        inbox = StoreInbox(self._store, lambda lane, payload, retained: None)
        self._uplink = Uplink(SITE, config, self._store, inbox, lambda lane: {})
        self._uplink.start()
        self._central = self._start_central(tls if MOSQUITTO else None)

    def _start_central(self, tls: Path | None) -> subprocess.Popen[bytes]:
        line = [sys.executable, "-m", "tests.harness.soak.centre", str(self._broker.port), SITE]
        return subprocess.Popen([*line, str(self._folder / "central.db"), str(tls or "")], stdout=subprocess.DEVNULL)

    async def _drained(self, most: int) -> None:
        while self._store.unacknowledged(LANE)[0] > most:
            if self._central.poll() is not None:
                raise RuntimeError("the centre's stand-in ended")
            await asyncio.sleep(0.05)

    # ------------------------------------------------------------ one day

    async def _day(self, day: int) -> dict[str, Any]:
        first, last = (self._passages * n // self._days for n in (day, day + 1))
        step_s = 86_400 / max(1, last - first)
        self._time.move(STEPPED.get(day, 0.0))
        if day == self._days // 2:
            await self._renew()
        for number in range(first, last):
            await self._passage(number)
            self._time.move(step_s)
            if number % 20 == 0:
                await asyncio.to_thread(self._store.prune)
                await self._drained(BEHIND_MOST)
        self._rotate()
        row = {"day": day, "at": clock.wall_iso()[:10], "passages": last, **usage(self._folder / "gate")}
        print(json.dumps(row), file=sys.stderr, flush=True)
        return row

    async def _renew(self) -> None:
        """The site's authority signed a new certificate; the link takes it with its next connection."""
        self._authority.issue("gate", 40)
        await asyncio.to_thread(self._broker.stop)
        await asyncio.to_thread(self._broker.start)

    def _rotate(self) -> None:
        """As logrotate does with copytruncate."""
        path = self._folder / "log"
        if path.exists():
            self._counted["log_lines"] += path.read_text("utf-8").count("\n")
            with path.open("r+b") as handle:
                handle.truncate(0)

    async def _passage(self, number: int) -> None:
        """Of ten vehicles seven are declared and confirmed, one is let through by override, one turned away, one never
        read."""
        kind = number % 10
        plate = f"12C{10_000 + number % 80_000:05d}"
        self._notified(Notice("arrived", 0, "", clock.mono_s()))
        if kind < 7:
            self._declare(plate, number)
        if kind != 9:
            self._read(plate, number)
        await self._settled()
        if kind < 7:
            action = "confirm"
            # At this speed the one that was turned away was in view a moment ago: the guard has looked at it.
            await self._press("confirm", value="checked")
        elif kind == 7:
            action = "override"
            await self._press("override", reason="other", words="soak")
        elif kind == 8:
            action = "turn_away"
            await self._press("turn_away", reason="other", words="soak")
        else:
            action = "unread"
        if kind >= 8:
            self._notified(Notice("left", 0, "", clock.mono_s()))
        await self._settled()
        while self._actor.lane.passage is not None:
            self._actor.on_tick()
            await self._settled()
            await asyncio.sleep(0.01)
        self._counted[action] += 1

    def _declare(self, plate: str, number: int) -> None:
        """The centre's declaration, as the link would put it here; gone again a thousand vehicles later."""
        folder = self._folder / "declared"
        folder.mkdir(exist_ok=True)
        path = declare(dataclasses.replace(self._visit, plate=plate), folder, number)
        self._store.put_declaration(path.stem, path.read_bytes())
        path.unlink()
        old = f"{path.stem[:-6]}{number - 1_000:06d}"
        if self._store.declaration(old) is not None:
            self._store.put_declaration(old, b"")

    def _read(self, plate: str, number: int) -> None:
        self._frame += 1
        text = self._plates.read(plate, "one_line", 0.97)
        read = PlateRead(text, (10.0, 10.0, 90.0, 30.0), ((10.0, 10.0), (90.0, 10.0), (90.0, 30.0), (10.0, 30.0)), True)
        at = (clock.mono_ns(), clock.wall_iso())
        reading = Reading("front", number, self._frame, *at, read, True, 5, (640, 360))
        photo = b"\xff\xd8" + number.to_bytes(8, "big") * (PHOTO_BYTES // 8) + b"\xff\xd9"
        self._actor.on_reading(reading, photo, photo[:1_000])

    async def _press(self, name: str, **more: str) -> None:
        passage = self._actor.lane.passage
        action = Action(key=clock.new_id(), name=name, passage=passage.id if passage else None, person=GUARD, **more)  # type: ignore[arg-type]
        result = await self._desk.act(action)
        if not result.done:
            raise RuntimeError(f"{name} was refused: {result.code} {result.detail}")

    def _notified(self, notice: Notice) -> None:
        self._actor.on_notice(notice)

    async def _settled(self) -> None:
        done = asyncio.Event()

        async def last() -> bool:
            done.set()
            return False

        self._actor.put(last)
        await done.wait()


def _lane() -> LaneConfig:
    wires = {"presence": 1, "safety_loop": 2, "photocell": 3, "limit_open": 4, "limit_closed": 5}
    return LaneConfig(
        id=LANE, name=Name(vi="Làn", en="Lane"), place="b1", direction="out_of_area", simulated=True,
        camera=[CameraConfig(id="front", url="rtsp://127.0.0.1/x")],
        board=BoardSettings(port="/dev/null", inputs=wires, outputs={"open": 1, "close": 2}),  # type: ignore[arg-type]
    )  # fmt: skip


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="scripts/soak", description=__doc__)
    parser.add_argument("--passages", type=int, default=20_000)
    parser.add_argument("--days", type=int, default=24)
    parser.add_argument("--folder", type=Path, default=None)
    args = parser.parse_args(argv)
    start_log("info", as_json=True)
    with tempfile.TemporaryDirectory(prefix="barie-soak-") as name:
        folder = args.folder or Path(name)
        folder.mkdir(parents=True, exist_ok=True)
        root = logging.getLogger()
        file = logging.FileHandler(folder / "log", encoding="utf-8")
        file.setFormatter(root.handlers[0].formatter)
        root.handlers[:] = [file]
        result = asyncio.run(Soak(folder, args.passages, args.days).run())
    print(json.dumps(result), flush=True)
    return 0 if result["good"] else 1


if __name__ == "__main__":
    sys.exit(main())
