"""The disk between a gate process and a power failure: builds the shim and takes back what was not fsynced."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from edge.errors import BarieError


@dataclass(frozen=True, slots=True)
class Change:
    """One record of the shim's log: W(rite), C(reate), R(ename), S(ynced file), D (synced folder)."""

    op: str
    path: str
    offset: int
    size: int
    data: bytes


class Shim:
    """`root` is the gate's data folder; the log and the library stand in `folder`, which must not be below it."""

    def __init__(self, folder: Path, root: Path) -> None:
        self._log, self._library, self._root = folder / "shim.log", folder / "shim.so", root
        compiler = shutil.which("gcc") or shutil.which("cc")
        if compiler is None:
            raise BarieError("no C compiler: the faults of the disk need one (Debian: apt install gcc)")
        with resources.as_file(resources.files(__package__) / "shim.c") as source:
            command = [compiler, "-O1", "-shared", "-fPIC", "-o", str(self._library), str(source), "-ldl"]
            built = subprocess.run(command, capture_output=True, text=True, check=False)
        if built.returncode != 0:
            raise BarieError(f"the shim does not build: {built.stderr[:500]}")

    @property
    def environment(self) -> dict[str, str]:
        places = {"BARIE_SHIM_ROOT": str(self._root), "BARIE_SHIM_LOG": str(self._log)}
        return {**os.environ, "LD_PRELOAD": str(self._library), **places}

    def slow_environment(self, sync_us: int) -> dict[str, str]:
        """Nothing but a disk whose every fsync takes this much longer."""
        return {**os.environ, "LD_PRELOAD": str(self._library), "BARIE_SHIM_SYNC_US": str(sync_us)}

    def power_failure(self, draw: random.Random) -> int:
        """After the process is dead: of each file only a part of what was not fsynced, from the front, stays. How many
        operations were taken back."""
        taken = lost(list(self._changes()), draw)
        for change in reversed(taken):
            _undo(change)
        for index in self._root.glob("*-shm"):
            index.unlink()
        self._log.unlink(missing_ok=True)
        return len(taken)

    def _changes(self) -> Iterator[Change]:
        """Oldest first. A torn last record is a kill in the middle of noting it: nobody was told of the operation."""
        raw, at = self._log.read_bytes() if self._log.exists() else b"", 0
        while at < len(raw):
            end = raw.find(b"\n", at)
            if end < 0:
                return
            op, offset, size, path_length, length = raw[at:end].decode().split(" ")
            at = end + 1 + int(path_length)
            path, data = raw[end + 1 : at].decode(), raw[at : at + int(length)]
            at += int(length)
            if at > len(raw):
                return
            yield Change(op, path, int(offset), int(size), data)


def lost(changes: list[Change], draw: random.Random) -> list[Change]:
    """What a power failure takes back, oldest first."""
    waiting: dict[str, list[int]] = {}
    for number, change in enumerate(changes):
        if change.op == "S":
            waiting.pop(change.path, None)
        elif change.op == "D":
            waiting.pop(_names(change.path), None)
        else:
            place = change.path if change.op == "W" else _names(os.path.dirname(change.path))  # noqa: PTH120
            waiting.setdefault(place, []).append(number)
    gone = [number for numbers in waiting.values() for number in numbers[draw.randint(0, len(numbers)) :]]
    return [changes[number] for number in sorted(gone)]


def _names(folder: str) -> str:
    return f"names in {folder.rstrip('/')}"


def _undo(change: Change) -> None:
    path = Path(change.path)
    if change.op == "C":
        path.unlink(missing_ok=True)
    elif change.op == "R":
        if path.exists() and not change.size:
            path.replace(change.data.decode())
    elif path.exists():
        with path.open("r+b") as handle:
            handle.seek(change.offset)
            handle.write(change.data)
            handle.truncate(change.size)
