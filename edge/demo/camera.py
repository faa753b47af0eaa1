"""The demo's camera: one RTSP address whose picture follows the story. For demo and tests; never on a barrier PC.

The server plays a file in a loop and opens its path anew for every round, so replacing the file between two rounds
changes what comes next, without a gap and without a new connection: segments are cut from one clip, never re-encoded.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import av

from edge.errors import CameraError

Segment = Literal["empty", "approach", "stand", "depart"]
SEGMENTS: tuple[Segment, ...] = ("empty", "approach", "stand", "depart")
THEN: Mapping[Segment, Segment] = {"empty": "empty", "approach": "stand", "stand": "stand", "depart": "empty"}
SURE_S = 0.35
"""The server opens the next round's file within this time of a round's end."""
START_WITHIN_S = 15.0


class DemoCamera:
    """One clip's segments, and which of them plays next at `rtsp://…/{name}.mp4` in `directory`.

    Several clips may share a name: the last one told to show something wins.
    """

    def __init__(self, clip: Path, directory: Path, name: str) -> None:
        self._clip = clip
        self._directory = directory
        self._name = name
        self._lengths: dict[Segment, float] = {}

    def prepare(self) -> None:
        """Cut the segments. Raises CameraError where the clip or its `.expected.json` is unusable."""
        try:
            cuts = json.loads(self._clip.with_suffix(".expected.json").read_text(encoding="utf-8"))["segments_s"]
            spans = {segment: (float(cuts[segment][0]), float(cuts[segment][1])) for segment in SEGMENTS}
        except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
            raise CameraError(f"{self._clip}: no usable segments_s in its .expected.json: {error!r}") from error
        self._folder.mkdir(parents=True, exist_ok=True)
        for segment, (start_s, end_s) in spans.items():
            cut(self._clip, self._folder / f"{segment}.mp4", start_s, end_s)
            self._lengths[segment] = end_s - start_s

    def show(self, segment: Segment) -> None:
        """The server's next round plays this segment, and every round after it until told otherwise."""
        staged = self._folder / f"next-{self._name}"
        shutil.copyfile(self._folder / f"{segment}.mp4", staged)
        staged.replace(self._directory / f"{self._name}.mp4")  # atomic: a round opens the old file or the new one

    async def play(self, segment: Segment) -> None:
        """Play the segment once, after it what follows by nature (`THEN`); returns when it has surely been played.

        The round now running must be a short one (`empty` or `stand`).
        """
        waits_s = max(self._lengths["empty"], self._lengths["stand"]) + SURE_S
        self.show(segment)
        await asyncio.sleep(waits_s)
        self.show(THEN[segment])
        await asyncio.sleep(max(0.0, self._lengths[segment] - SURE_S))

    @property
    def _folder(self) -> Path:
        return self._directory / "segments" / self._clip.stem


def cut(clip: Path, into: Path, start_s: float, end_s: float) -> None:
    """Copy the packets of a span that begins on a key frame into a clip of its own. Raises CameraError."""
    try:
        with av.open(str(clip)) as source, av.open(str(into), "w", options={"movflags": "+faststart"}) as target:
            stream = source.streams.video[0]
            copied = target.add_stream_from_template(stream)
            offset: int | None = None
            for packet in source.demux(stream):
                if packet.pts is None or packet.dts is None or packet.time_base is None:
                    continue
                at_s = float(packet.pts * packet.time_base)
                if not start_s - 1e-3 <= at_s < end_s - 1e-3:
                    continue
                if offset is None and not packet.is_keyframe:
                    raise CameraError(f"{clip}: no key frame at {start_s} s")
                offset = packet.dts if offset is None else offset
                packet.pts, packet.dts, packet.stream = packet.pts - offset, packet.dts - offset, copied
                target.mux(packet)
            if offset is None:
                raise CameraError(f"{clip}: nothing between {start_s} s and {end_s} s")
    except (av.FFmpegError, OSError, IndexError) as error:
        raise CameraError(f"{clip}: cannot be cut: {error}") from error


# ---------------------------------------------------------------- the server


class RtspServer:
    """Serves the `.mp4` files of a folder at `rtsp://127.0.0.1:{port}/…`, in a process that ends with this one."""

    def __init__(self, directory: Path, port: int) -> None:
        self._directory = directory
        self._port = port
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def url(self, name: str) -> str:
        return f"rtsp://127.0.0.1:{self._port}/{name}.mp4"

    def start(self) -> None:
        """Returns when it takes connections. Raises CameraError: port taken, package missing, no start in time."""
        if _answers(self._port):
            raise CameraError(f"port {self._port} is taken by another program: free it or choose another one")
        self._directory.mkdir(parents=True, exist_ok=True)
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__, str(self._directory), str(self._port)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is this process's to handle; the server ends when its stdin does
        )
        deadline_s = time.monotonic() + START_WITHIN_S
        while not _answers(self._port):
            if self._process.poll() is not None:
                raise CameraError(
                    f"the RTSP server ended at once (status {self._process.returncode}): is the demo extra in?"
                )
            if time.monotonic() > deadline_s:
                self.stop()
                raise CameraError(f"the RTSP server does not answer on port {self._port}")
            time.sleep(0.05)

    def stop(self) -> None:
        """At once; calling it again does nothing."""
        if self._process is None:
            return
        self._process.kill()
        self._process.wait()
        if self._process.stdin:
            self._process.stdin.close()
        self._process = None


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _end_with_stdin() -> None:
    while sys.stdin.buffer.read(1):
        pass
    os._exit(0)


def serve(directory: str, port: int) -> None:
    """The server process's whole life."""
    from aio_rtsp_toolkit import server

    class Looping(server.RtspServer):  # type: ignore[misc]
        """Plays for ever whatever the URL says; the package's own default is one round."""

        def parse_play_count(self, uri: str) -> int:
            return 0

    threading.Thread(target=_end_with_stdin, daemon=True).start()
    asyncio.run(Looping(directory=directory, host="127.0.0.1", port=port).serve_forever())


if __name__ == "__main__":
    serve(sys.argv[1], int(sys.argv[2]))
