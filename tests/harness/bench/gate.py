"""The gate process for benchmarks: the real one, told over stdin what its camera is to have read.

`python -m tests.harness.bench.gate CONFIG`: one JSON object a line in, one out. `photo.jpg` and `crop.jpg` lie beside
the config. Ends with its stdin, so a bench that was killed leaves nothing behind.
"""

from __future__ import annotations

import asyncio
import json
import sys
import threading
from pathlib import Path
from typing import Any

from edge import clock
from edge.agent.cameras.supervisor import OnReading
from edge.agent.gate import Gate
from edge.config import LaneConfig, load_config
from edge.core.model import PlateRead, Reading
from edge.vision import models
from firmware_io.safety import Notice

BOX = (600.0, 480.0, 700.0, 540.0)
CORNERS = ((600.0, 480.0), (700.0, 480.0), (700.0, 540.0), (600.0, 540.0))
FRAME_SIZE = (1280, 720)
FIRST_TRACK = 900_000_000
"""Far from what the lane's own camera counts."""


class BenchGate:
    """Does what a line says, on the gate's own event loop."""

    def __init__(self, config_path: Path) -> None:
        config = load_config(config_path)
        self.gate = Gate(config)
        self._lane = config.lane[0]
        self._table = models.plate_table()
        self._photo, self._crop = ((config_path.parent / f"{name}.jpg").read_bytes() for name in ("photo", "crop"))
        self._tracks = FIRST_TRACK
        self._ages_ms: list[float] = []
        for camera in self.gate.cameras.values():
            # Nothing else stands where a reading has just come in: the way on is the supervisor's own.
            camera._on_reading = self._timed(camera._on_reading)

    def _timed(self, pass_on: OnReading) -> OnReading:
        def on_reading(reading: Reading, photo: bytes, crop: bytes) -> None:
            self._ages_ms.append((clock.mono_ns() - reading.captured_mono_ns) / 1e6)
            pass_on(reading, photo, crop)

        return on_reading

    def do(self, asked: dict[str, Any]) -> dict[str, Any]:
        """`declare` (a file), `knows` (a declaration's id), `read` (a plate; the answer's `at_ms` is the wall clock
        as it arrives; with `unsure` the vote has not decided it), `gone`, and `ages`: how old the frames of the
        cameras' own readings were when these came, in ms, since last asked. Of the first lane without a `lane`.
        `copy_age_s`: how old the law shall hold the copy to be from now on; empty: as it is. `centre_gone_s`: as if
        the centre, which is gone, had gone so much earlier."""
        lane = next((one for one in self.gate.config.lane if one.id == asked.get("lane")), self._lane)
        actor = self.gate.actors[lane.id]
        if "declare" in asked:
            payload = Path(asked["declare"]).read_bytes()
            self.gate.store.put_declaration(str(json.loads(payload)["id"]), payload)
        elif "read" in asked:
            reading = self._reading(lane, str(asked["read"]), decided="unsure" not in asked)
            at_ms = clock.wall_ms()
            actor.on_reading(reading, self._photo, self._crop)
            return {"at_ms": at_ms}
        elif "knows" in asked:
            return {"knows": self.gate.store.declaration(str(asked["knows"])) is not None}
        elif "copy_age_s" in asked:
            age_s = float(asked["copy_age_s"] or 0)
            self.gate.law._copy_age_s = (lambda: age_s) if age_s else self.gate.copy_age
        elif "centre_gone_s" in asked:
            assert self.gate.copy_age._up_s is not None
            self.gate.copy_age._up_s -= float(asked["centre_gone_s"])
        elif "gone" in asked:
            actor.on_notice(Notice("left", 0, "", clock.mono_s()))
        elif "ages" in asked:
            told, self._ages_ms = self._ages_ms, []
            return {"ages_ms": told}
        return {}

    def _reading(self, lane: LaneConfig, plate: str, *, decided: bool) -> Reading:
        self._tracks += 1
        return Reading(
            camera=lane.camera[0].id,
            track=self._tracks,
            frame=self._tracks,
            captured_mono_ns=clock.mono_ns(),
            captured_at=clock.wall_iso(),
            read=PlateRead(self._table.read(plate, "two_line", 0.98), BOX, CORNERS, whole=True),
            decided=decided,
            votes=3,
            frame_size=FRAME_SIZE,
        )


def _listen(loop: asyncio.AbstractEventLoop, bench: BenchGate, stop: asyncio.Event) -> None:
    def answer(asked: dict[str, Any]) -> None:
        print(json.dumps(bench.do(asked)), flush=True)

    for line in sys.stdin:
        loop.call_soon_threadsafe(answer, json.loads(line))
    loop.call_soon_threadsafe(stop.set)


async def main(config_path: Path) -> None:
    stop = asyncio.Event()
    bench = BenchGate(config_path)
    loop = asyncio.get_running_loop()
    threading.Thread(target=_listen, args=(loop, bench, stop), daemon=True).start()
    await bench.gate.run(stop)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
