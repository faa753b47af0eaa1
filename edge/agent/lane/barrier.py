"""What a lane asks of its barrier: the seam between the gate process and `firmware_io.loop.BarrierLoop`."""

from __future__ import annotations

from typing import Protocol

from firmware_io.loop import Snapshot
from firmware_io.safety import Permit


class Barrier(Protocol):
    """Every method may be called from any thread and none of them waits; answers come as notices."""

    def offer(self, permit: Permit) -> None: ...

    def stop_boom(self) -> None: ...

    def lower_boom(self) -> None: ...

    def reset_faults(self) -> None: ...

    def hold(self, on: bool) -> None: ...

    def snapshot(self) -> Snapshot: ...
