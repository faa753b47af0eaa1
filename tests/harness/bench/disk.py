"""What the disk itself takes to make a commit durable: the part of a press that no code of ours can shorten."""

from __future__ import annotations

import os
import time
from pathlib import Path

COMMIT_BYTES = 12_288
"""Three pages: about what the record of one opening adds to the log of the database."""
FILE_COMMITS = 400
PAUSE_S = 0.05
"""As a person's presses do, each sync finds the disk at rest from the one before."""


def sync_times_ms(folder: Path, count: int) -> list[float]:
    """Milliseconds of `count` syncs of a commit's size, one after the other into a file that has its room already."""
    handle = os.open(folder / "sync-probe", os.O_CREAT | os.O_WRONLY, 0o600)
    try:
        os.pwrite(handle, bytes(COMMIT_BYTES * FILE_COMMITS), 0)
        os.fsync(handle)
        return [_sync_ms(handle, number % FILE_COMMITS) for number in range(count)]
    finally:
        os.close(handle)


def _sync_ms(handle: int, place: int) -> float:
    time.sleep(PAUSE_S)
    os.pwrite(handle, b"\x5a" * COMMIT_BYTES, place * COMMIT_BYTES)
    began_ns = time.monotonic_ns()
    os.fdatasync(handle)
    return (time.monotonic_ns() - began_ns) / 1e6
