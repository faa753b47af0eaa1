"""What the vision tests share: a real RTSP camera that plays a sample clip, and the gate's end of a worker's socket."""

from __future__ import annotations

import os
import select
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

from edge.vision import messages

SAMPLES = Path(__file__).parents[2] / "sample_videos"


class WorkerProcess:
    """A real vision process, as the gate process starts it."""

    def __init__(self, url: str, born: int | None = None, **settings: Any) -> None:
        """`born`: the priority (nice value) that the gate process has and hands down."""
        self.sock, theirs = socket.socketpair()
        self.started_s = time.monotonic()
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "edge.vision.worker", "--fd", str(theirs.fileno())],
                pass_fds=(theirs.fileno(),),
                stderr=subprocess.PIPE,
                preexec_fn=None if born is None else lambda: os.setpriority(os.PRIO_PROCESS, 0, born),  # noqa: PLW1509
            )
        self._decoder = messages.Decoder()
        self.messages: list[messages.Message] = []
        messages.send(
            self.sock, "settings", {"camera": "front", "url": url, "reader": "rapidocr", "threads": 2, **settings}
        )

    def until(self, wanted: Callable[[messages.Message], bool], within_s: float) -> messages.Message:
        """The first message from now on that is wanted. Fails with what came instead."""
        deadline_s = time.monotonic() + within_s
        kinds: list[str] = []
        while (left_s := deadline_s - time.monotonic()) > 0:
            if not select.select([self.sock], [], [], left_s)[0]:
                break
            data = self.sock.recv(1 << 16)
            if not data:
                raise AssertionError(f"the worker ended; got {kinds}")
            new = self._decoder.feed(data)
            self.messages += new
            kinds += [message.kind for message in new]
            for message in new:
                if wanted(message):
                    return message
        raise AssertionError(f"not within {within_s} s; got {kinds}")

    def log(self) -> str:
        """Everything the ended process wrote."""
        assert self.process.stderr is not None
        return self.process.stderr.read().decode()

    def __enter__(self) -> WorkerProcess:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.sock.close()
        self.process.kill()
        self.process.wait()
        if self.process.stderr:
            self.process.stderr.close()
