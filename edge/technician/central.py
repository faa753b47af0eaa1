"""`barie central`: the stand-in for the platform as a command. JSON lines on standard output until Ctrl-C."""

from __future__ import annotations

import gc
import signal
import threading
from pathlib import Path

from edge.errors import BarieError
from edge.uplink.central import run_central
from edge.uplink.connection import LinkSettings, Protocol


def run(settings: LinkSettings, site: str, folder: Path | None, db: Path, protocol: Protocol) -> int:
    """Raises BarieError where the folder is none."""
    if folder is not None and not folder.is_dir():
        raise BarieError(f"--declarations: {folder} is not a folder")
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    gc.set_threshold(50_000)  # every message is a handful of short-lived objects without cycles
    run_central(settings, folder, db, site, out=lambda line: print(line, flush=True), stop=stop, protocol=protocol)
    return 0
