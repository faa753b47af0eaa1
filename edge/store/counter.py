"""The second copy of the counters, outside the database: where a lane's sequence and the permit serials had got to.

If the database is ever damaged or gone, a fresh one goes on from here instead of using numbers twice. Written after
every commit into the slot that is not the newest (a torn write leaves the other one), without an fsync of its own: a
process killed loses nothing, and a power failure would have to meet a damaged database to matter. `sync` is called
now and then.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from edge.core.record.events import Anchor

SLOT_BYTES = 16_384


@dataclass(frozen=True, slots=True)
class Counters:
    """Last event of each lane, the last one of it that the centre has, and the last permit serial."""

    lanes: Mapping[str, Anchor] = field(default_factory=dict)
    acked: Mapping[str, int] = field(default_factory=dict)
    permit_serial: int = 0


class CounterFile:
    """Raises OSError; the caller translates."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._generation, self._slot, self.found = self._read()

    def write(self, counters: Counters) -> None:
        self._generation += 1
        self._slot = 1 - self._slot
        lanes = {lane: [anchor.seq, anchor.hash] for lane, anchor in counters.lanes.items()}
        value = {
            "generation": self._generation,
            "lanes": lanes,
            "acked": dict(counters.acked),
            "permit_serial": counters.permit_serial,
        }
        text = json.dumps(value).encode()
        line = hashlib.sha256(text).hexdigest().encode() + b" " + text + b"\n"
        if len(line) > SLOT_BYTES:
            raise ValueError("too many lanes for the counter file")
        os.pwrite(self._descriptor, line, self._slot * SLOT_BYTES)

    def sync(self) -> None:
        os.fdatasync(self._descriptor)

    def close(self) -> None:
        os.close(self._descriptor)

    def _read(self) -> tuple[int, int, Counters | None]:
        """(generation, slot, counters) of the newest whole slot; (0, 1, None) where there is none."""
        slots = [self._parse(os.pread(self._descriptor, SLOT_BYTES, slot * SLOT_BYTES)) for slot in (0, 1)]
        whole = [(generation, slot, counters) for slot, (generation, counters) in enumerate(slots) if counters]
        return max(whole, key=lambda one: one[0], default=(0, 1, None))

    @staticmethod
    def _parse(raw: bytes) -> tuple[int, Counters | None]:
        digest, _, text = raw.partition(b"\n")[0].partition(b" ")
        if hashlib.sha256(text).hexdigest().encode() != digest:
            return 0, None
        value = json.loads(text)
        lanes = {lane: Anchor(seq, last) for lane, (seq, last) in value["lanes"].items()}
        return value["generation"], Counters(lanes, value["acked"], value["permit_serial"])
