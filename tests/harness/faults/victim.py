"""The gate process that the fault runner kills: real store, uplink, agent's journal; a headless guard at a pipe.

`python -m tests.harness.faults.victim FOLDER PORT` (port 0: no uplink) reads lines: `start` forks a gate, which then
answers `press KEY`, `waiting`, `verify`, `clock SECONDS`, `arm N ERRNO STICKY`, `hits`, and writes `open KEY` where the
agent would offer the permit. The parent process only saves the imports of the next gate.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

from edge import clock
from edge.agent.lane.lane_journal import LaneJournal
from edge.config import MqttConfig
from edge.core.bodies import Kind, Opens
from edge.errors import StoreError
from edge.store import Clocks, Store, StoreInbox, db
from edge.store.keys import load_or_create_signer
from edge.uplink.mqtt import Uplink
from edge.uplink.parts import Pace

SITE, LANE = "faults", "b1"
PHOTO = b"\xff\xd8 photo \xff\xd9" * 500
PACE = Pace(quiet_s=0.3, poll_s=0.3, settle_s=0.2, torn_s=1.0, backoff_min_s=0.05, backoff_max_s=0.2)


def say(text: str) -> None:
    """In one write: whole, even when the next instruction is the last."""
    os.write(1, f"{text}\n".encode())


def hear() -> list[str]:
    """The next line, byte by byte: what a killed gate did not read belongs to the next one. Empty at the end."""
    line = b""
    while (byte := os.read(0, 1)) not in (b"", b"\n"):
        line += byte
    return line.decode().split(" ") if line or byte else []


@dataclass(frozen=True, slots=True, kw_only=True)
class Press(Opens):
    """What the trial counts of a press."""

    KIND: ClassVar[Kind] = "override"
    key: str
    declaration: str


class Gate:
    def __init__(self, folder: Path, port: int) -> None:
        self._ahead_s = 0
        clocks = replace(Clocks(), wall_ms=lambda: clock.wall_ms() + self._ahead_s * 1000)
        if os.environ.get("BARIE_VICTIM_SYNC") == "OFF":  # the fault that the shim must catch
            db.set_durable = lambda connection, durable: None
        signer = load_or_create_signer(folder / "keys")
        self.store = Store.open(folder, site=SITE, lanes=[LANE], signer=signer, clocks=clocks, keep_acknowledged_s=0)
        if os.environ.get("BARIE_VICTIM_SYNC") == "OFF":
            self.store._db.execute("PRAGMA synchronous = OFF")
        self._uplink = self._connect(port) if port else None
        self._journal = LaneJournal(self.store, LANE, self._uplink.wake if self._uplink else lambda: None)

    def _connect(self, port: int) -> Uplink:
        config = MqttConfig(host="127.0.0.1", port=port, resend_s=1.0)
        inbox = StoreInbox(self.store, lambda *_: None)
        uplink = Uplink(SITE, config, self.store, inbox, lambda lane: {}, pace=PACE)
        uplink.start()
        return uplink

    async def press(self, key: str) -> str:
        """As the agent's lane does it: the first answer again, or record, and only then the permit."""
        try:
            known = await self._journal.known(key)
            if known is not None:
                return f"done {key} {known['seq']}"
            photos = await self._journal.stage(PHOTO, PHOTO[:500])
            answer = {key: {"code": "done"}}
            done = await self._journal.write(Press(key=key, declaration="CKS-1"), keys=answer, photos=photos)
        except StoreError as error:
            return f"failed {key} {error}"
        say(f"open {key} {done.serial}")
        return f"done {key} {done.seq}"

    async def answer(self, words: list[str]) -> str:
        match words:
            case ["press", key]:
                return await self.press(key)
            case ["waiting"]:
                return f"waiting {self.store.unacknowledged(LANE).waiting}"
            case ["verify"]:
                return f"verify {len(self.store.verify())}"
            case ["clock", seconds]:
                self._ahead_s = int(seconds)
            case ["arm", at, error, sticky]:
                ctypes.CDLL(None).barie_fault_arm(int(at), int(error), int(sticky))
            case ["hits"]:
                return f"hits {ctypes.CDLL(None).barie_fault_hits()}"
        return "well"


async def live(folder: Path, port: int) -> None:
    try:
        gate = Gate(folder, port)
    except StoreError as error:
        say(f"not_ready {error}")
        return
    say("ready")
    while words := hear():
        say(await gate.answer(words))


def main() -> None:
    folder, port = Path(sys.argv[1]), int(sys.argv[2])
    while words := hear():
        if words != ["start"]:
            continue
        child = os.fork()
        if child == 0:
            asyncio.run(live(folder, port))
            os._exit(0)
        say(f"pid {child}")
        os.waitpid(child, 0)
        say("ended")


if __name__ == "__main__":
    main()
