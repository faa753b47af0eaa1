"""Whether a decision is being written just now, so that what can wait gives way to it."""

from __future__ import annotations

import threading

WAY_S = 0.05


class Deciding:
    """A context manager around each decision, from any thread; several may be under way."""

    def __init__(self) -> None:
        self._lock, self._count = threading.Lock(), 0
        self._none = threading.Event()
        self._none.set()

    def __enter__(self) -> None:
        with self._lock:
            self._count += 1
            self._none.clear()

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._count -= 1
            if self._count == 0:
                self._none.set()

    def give_way(self) -> None:
        """Wait until none is under way, at most WAY_S: a disk that hangs must not stop the link for ever."""
        self._none.wait(WAY_S)
