"""The program's log: words for a person or JSON lines for a machine on standard error, or entries of journald with
fields of their own; the passage in each.

The passage's id goes with the context it was set in (contextvars): tasks and threads started from a lane's job carry it
on, so one id runs through lane, law, record and screen. A camera's process is told it by the gate process
(`of_process`), the link to the centre takes it from each event. Plates, names and phones are never logged.
"""

from __future__ import annotations

import json
import logging
import os
import re
import socket
import struct
import sys
from collections.abc import Callable, Mapping
from contextvars import ContextVar

from edge import clock

passage: ContextVar[str] = ContextVar("passage", default="")
"""The passage that this job is about; empty where it is about none."""
FORMAT_ENV, LEVEL_ENV = "BARIE_LOG_FORMAT", "BARIE_LOG_LEVEL"
"""Tell a camera's process how its parent logs."""
_TEXT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
_PRIORITIES = ((logging.CRITICAL, 2), (logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 6), (0, 7))
"""From which level on which of syslog's priorities."""
_QUIET = ("uvicorn.error",)
JOURNAL = "/run/systemd/journal/socket"
MESSAGE_CHARS = 30_000
"""Of one entry: a datagram has an end, and no line of ours is that long."""


class _Process:
    """What every line of this process says beside: its camera, and the passage of its lane."""

    fields: Mapping[str, str] = {}


def of_process(**fields: str) -> None:
    """From now on every line has these, where its own context says nothing else; "" takes one away."""
    _Process.fields = {name: text for name, text in (dict(_Process.fields) | fields).items() if text}


def start_child_log() -> None:
    """In a process that this program started: as its parent does."""
    start_log(os.environ.get(LEVEL_ENV, "info"), as_json=os.environ.get(FORMAT_ENV) == "json")


def start_log(level: str, *, as_json: bool = False) -> None:
    """Once, at the start of a program."""
    lines = JsonLines() if as_json else logging.Formatter(_TEXT)
    journald = to_journal(os.environ)
    handler = Journal.found() if journald else None
    if handler is None:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(WithPriority(lines) if journald else lines)
    handler.addFilter(Flood())
    logging.basicConfig(level=level.upper(), handlers=[handler])
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    os.environ[FORMAT_ENV], os.environ[LEVEL_ENV] = "json" if as_json else "text", level


class Flood(logging.Filter):
    """So many lines of one kind in a while; the next one let through says how many were left out. Whoever makes the
    gate log, from a port or by a broken part, fills no disk and pushes nothing else out of the journal."""

    MOST, WITHIN_S, KINDS = 30, 60.0, 500

    def __init__(self, now_s: Callable[[], float] = clock.mono_s) -> None:
        super().__init__()
        self._now_s = now_s
        self._seen: dict[tuple[str, int, str], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        kind, now_s = (record.name, record.levelno, str(record.msg)[:200]), self._now_s()
        since_s, count = self._seen.get(kind, (now_s, 0))
        if now_s - since_s >= self.WITHIN_S:
            if count > self.MOST:
                record.msg = f"{record.getMessage()} (and {count - self.MOST} more like it left out before)"
                record.args = None
            since_s, count = now_s, 0
        if kind not in self._seen and len(self._seen) >= self.KINDS:
            self._seen.pop(next(iter(self._seen)))
        self._seen[kind] = (since_s, count + 1)
        return count < self.MOST


def to_journal(environ: Mapping[str, str]) -> bool:
    """True where standard error is journald's own stream: $JOURNAL_STREAM names its device and inode (systemd.exec(5)),
    and a program started with its output elsewhere has inherited the name only."""
    try:
        about = os.fstat(sys.stderr.fileno())
    except (OSError, ValueError, AttributeError):
        return False
    return environ.get("JOURNAL_STREAM") == f"{about.st_dev}:{about.st_ino}"


class Journal(logging.Handler):
    """Records as journald's own entries (systemd's Journal Native Protocol): `journalctl -p warning` shows warnings,
    `journalctl BARIE_PASSAGE=…` one vehicle's way through every part.

    Its socket is opened once: a camera's process opens nothing any more after it has locked itself in.
    """

    def __init__(self, place: str) -> None:
        """Raises OSError where nobody listens there."""
        super().__init__()
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.connect(place)

    @classmethod
    def found(cls) -> logging.Handler | None:
        """None where this machine's journal has no such door: the lines then go by its stream."""
        try:
            return cls(JOURNAL)
        except OSError:
            return None

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._socket.send(entry(record))
        except OSError:
            self.handleError(record)


def entry(record: logging.LogRecord) -> bytes:
    """One datagram. What a line has beside its words are fields of their own."""
    text = record.getMessage()
    if record.exc_info:  # the one line that says it first, what helps to mend it below
        text += "\n" + logging.Formatter().formatException(record.exc_info)
    fields: dict[str, object] = {
        "MESSAGE": text if len(text) <= MESSAGE_CHARS else text[:MESSAGE_CHARS] + " …",
        "PRIORITY": _priority(record),
        "SYSLOG_IDENTIFIER": "barie",
        "CODE_FILE": record.pathname,
        "CODE_LINE": record.lineno,
        "CODE_FUNC": record.funcName,
        "BARIE_PART": record.name,
        "BARIE_THREAD": record.threadName,
    }
    own = getattr(record, "fields", None)
    more = {**_Process.fields, **(own if isinstance(own, dict) else {})}
    if about := passage.get():
        more["passage"] = about
    fields |= {f"BARIE_{re.sub('[^A-Z0-9_]', '_', name.upper())}": value for name, value in more.items()}
    return b"".join(_field(name, str(value).encode("utf-8", "backslashreplace")) for name, value in fields.items())


def _field(name: str, value: bytes) -> bytes:
    if b"\n" not in value:
        return b"%s=%s\n" % (name.encode(), value)
    return b"%s\n%s%s\n" % (name.encode(), struct.pack("<Q", len(value)), value)


def _priority(record: logging.LogRecord) -> int:
    return next(number for least, number in _PRIORITIES if record.levelno >= least)


class WithPriority(logging.Formatter):
    """Lines that carry their priority as journald takes it from a stream (sd-daemon(3)), where its socket is not to be
    had."""

    def __init__(self, lines: logging.Formatter) -> None:
        super().__init__()
        self._lines = lines

    def format(self, record: logging.LogRecord) -> str:
        return "\n".join(f"<{_priority(record)}>{line}" for line in self._lines.format(record).splitlines())


class JsonLines(logging.Formatter):
    """One object a line: `at`, `level`, `part`, `text`, `passage` and `thread`, `error` where there is one, and what
    `extra={"fields": {…}}` adds."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "at": clock.iso(int(record.created * 1e9)),
            "level": record.levelname.lower(),
            "part": record.name,
            "thread": record.threadName,
            "text": record.getMessage(),
        }
        if about := passage.get():
            line["passage"] = about
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        fields = getattr(record, "fields", None)
        if isinstance(fields, dict):
            line |= {name: value for name, value in fields.items() if name not in line}
        line |= {name: text for name, text in _Process.fields.items() if name not in line}
        return json.dumps(line, ensure_ascii=False, default=str)
