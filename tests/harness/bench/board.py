"""The bench's barrier: the simulated board as a process of its own, that tells when a relay was asked for.

`python -m tests.harness.bench.board LINK`: one line for each motion relay that comes on, with the monotonic
nanoseconds at which its frame was whole; ends with its standard input.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from firmware_io.pace import be_realtime
from firmware_io.sim import SimBoard
from firmware_io.sim_world import World, WorldSettings
from firmware_io.terms import OutputName


class TellingWorld(World):
    """A quick boom with a vehicle that stands on the presence loop for ever."""

    def __init__(self) -> None:
        super().__init__(WorldSettings(open_s=0.1, close_s=0.1))
        self.knobs.stuck = {"presence": True}

    def set_relay(self, output: OutputName, on: bool) -> None:
        if on and output in ("open", "close", "stop"):
            print(output, time.monotonic_ns(), flush=True)
        super().set_relay(output, on)


def main(link: Path) -> None:
    be_realtime()  # a real board has a processor of its own; its threads take this over
    board = SimBoard(TellingWorld(), link=link)
    board.start()
    print("ready", time.monotonic_ns(), flush=True)
    sys.stdin.read()
    board.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
