"""One camera's process: `python -m edge.vision.worker --fd N`, N one end of a Unix socket pair (edge.vision.messages).

The first message in is `settings`; everything else goes out. The process ends when the socket does, so a gate process
that was killed leaves no orphan. On an installed gate systemd starts one for each connection, as a user of its own
(barie-camera@.service), with the socket as standard input. This module is the light way in; the work is in
edge.vision.loop.
"""

from __future__ import annotations

import argparse
import ipaddress
import logging
import os
import signal
import socket
import threading
import tomllib
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from edge import clock, resources
from edge.confine import NOWHERE, Reach, confine, readable
from edge.errors import BadMessageError
from edge.logs import of_process, start_child_log
from edge.vision import messages
from edge.vision.settings import Settings, Wishes, settings_from

log = logging.getLogger(__name__)

SETTINGS_WITHIN_S = 10.0
DEFAULT_PORTS, NAMES_PORT = {"rtsp": 554, "rtsps": 322}, 53


def first_settings(sock: socket.socket) -> Settings:
    """Wait for the `settings` message. Raises BadMessageError, or OSError when the socket ends first."""
    sock.settimeout(SETTINGS_WITHIN_S)
    decoder = messages.Decoder()
    while data := sock.recv(1 << 16):
        for message in decoder.feed(data):
            if message.kind != "settings":
                raise BadMessageError(f"vision settings: the first message was {message.kind!r}")
            sock.settimeout(None)
            return settings_from(message.fields)
    raise ConnectionError("the gate process closed the socket")


def _leave() -> None:
    """At once: FFmpeg or a model may be in the middle of a call that no thread can be woken from."""
    os._exit(0)


def _watch(sock: socket.socket, wishes: Wishes) -> None:
    """After the settings the gate process only asks for surveys and says which passage this is about; any end of this
    read is its end."""
    decoder = messages.Decoder()
    try:
        while data := sock.recv(1 << 12):
            for message in decoder.feed(data):
                if message.kind == "passage":
                    of_process(passage=str(message.fields.get("id", ""))[:64])
                if message.kind == "survey":
                    wishes.survey_until_s = clock.mono_s() + float(message.fields.get("seconds", 0.0))
    except (OSError, BadMessageError):
        pass
    _leave()


def _work(sock: socket.socket, settings: Settings, wishes: Wishes) -> None:
    """The camera is called first: it answers while numpy, OpenCV and the models are still being imported."""
    from edge.vision.capture import CameraSource

    source = CameraSource(settings.url, settings.transport)
    from edge.vision.loop import Worker

    Worker(sock, settings, source, wishes).run()


def reach_of(settings: Settings) -> Reach:
    """The camera's own port. Datagrams only where it sends by them, or its name must be asked for."""
    where = urlsplit(settings.url)
    if where.scheme not in DEFAULT_PORTS:
        return NOWHERE  # a file, in tests
    try:
        ipaddress.ip_address(where.hostname or "")
        named = False
    except ValueError:
        named = True
    port = where.port or DEFAULT_PORTS[where.scheme]
    ports = (port, NAMES_PORT) if named else (port,)
    return Reach(ports, datagrams=named or settings.transport == "udp")


def step_back() -> None:
    """Off the gate process's priority (Nice=-10 in its unit), which this process was born with: the record, the screen
    and the barrier come before pictures. Threads made from now on inherit it."""
    os.setpriority(os.PRIO_PROCESS, 0, max(0, os.getpriority(os.PRIO_PROCESS, 0)))


def end_where_a_thread_dies() -> None:
    """What nobody foresaw ends the process, and the gate process starts another: a camera that shows pictures but whose
    reader is dead would look as if no plate ever came."""

    def hook(died: threading.ExceptHookArgs) -> None:
        name = died.thread.name if died.thread is not None else "unknown"
        error = died.exc_value
        log.critical("thread %s died: %s", name, error, exc_info=error)
        os._exit(1)

    threading.excepthook = hook


def model_marks(settings: Settings) -> dict[str, str]:
    """Which models read here: the reader's name, and each file of its manifest with its SHA-256. A manifest that cannot
    be read is told by whoever loads it."""
    marks = {"reader": settings.reader}
    if settings.detector_sha256:
        marks[str(settings.detector)] = settings.detector_sha256
    if settings.reader == "own":
        folder = Path(settings.models_dir) if settings.models_dir else resources.models()
        with suppress(OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
            rows = tomllib.loads((folder / "manifest.toml").read_text(encoding="utf-8")).get("model", [])
            marks |= {str(row["name"]): str(row["sha256"]) for row in rows if "name" in row and "sha256" in row}
    return marks


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="edge.vision.worker")
    parser.add_argument("--fd", type=int, required=True, help="the inherited socket to the gate process")
    start_child_log()
    end_where_a_thread_dies()
    step_back()
    signal.signal(signal.SIGTERM, lambda *_: _leave())
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the gate process ends us
    sock = socket.socket(fileno=parser.parse_args(arguments).fd)
    try:
        settings = first_settings(sock)
        of_process(camera=settings.camera)
        confine(readable(settings.models_dir), reach_of(settings))  # before anything of the camera's is read
        wishes = Wishes()
        threading.Thread(target=_watch, args=(sock, wishes), name="watch", daemon=True).start()
        about = {"camera": settings.camera, "models": model_marks(settings), "pid": os.getpid()}
        messages.send(sock, "hello", about)
        _work(sock, settings, wishes)
    except BadMessageError as error:
        messages.send(sock, "error", {"part": "settings", "text": str(error)})
        return 2
    except OSError:
        _leave()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
