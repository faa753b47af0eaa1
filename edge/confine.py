"""A process that locks itself in: afterwards it reads programs and libraries, writes no file and opens no device.

A camera's process decodes whatever the network sends it. Should a hostile stream take it over, the gate's key, the
record, the accounts and the relay board are out of its reach, by the kernel's own word (Landlock, Linux 5.13 and newer,
landlock(7)). What is open already stays open: the socket to the gate process, and sockets opened later to the camera.
"""

from __future__ import annotations

import contextlib
import ctypes
import logging
import os
import struct
import sys
from collections.abc import Iterable
from pathlib import Path

log = logging.getLogger(__name__)

_CREATE, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
"""System calls, the same numbers on every architecture."""
_VERSION_FLAG, _PATH_BENEATH, _NO_NEW_PRIVS = 1, 1, 38
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1, 2, 4, 8
_RIGHTS_BY_ABI = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}
"""How many file rights each version of Landlock knows."""
_READ = _EXECUTE | _READ_FILE | _READ_DIR
_HOUSE = Path(__file__).resolve().parent.parent
READABLE = (
    "/usr", "/lib", "/lib64", "/bin", "/proc", "/sys/devices/system/cpu", "/sys/fs/cgroup",
    "/etc/ssl", "/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf", "/etc/host.conf", "/etc/gai.conf",
    "/etc/localtime", "/etc/ld.so.cache", "/run/systemd/resolve",
    "/dev/null", "/dev/zero", "/dev/random", "/dev/urandom",
)  # fmt: skip


def readable(models_dir: str | None = None) -> list[Path]:
    """What a camera's process may read: the system's libraries, this program, its tables, its models or the site's."""
    own = [_HOUSE, Path(sys.prefix), Path(sys.base_prefix), Path("/opt/barie")]
    folders = (models_dir, os.environ.get("BARIE_CONFIG_DIR"), os.environ.get("BARIE_MODELS_DIR"))
    return [*map(Path, READABLE), *own, *(Path(folder) for folder in folders if folder)]


def confine(paths: Iterable[Path] | None = None) -> bool:
    """Only reading, and only below `paths`, for this thread and every one it starts; it cannot be undone.

    False, and a line in the log, where this kernel cannot: the service's own limits still hold then.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    version = libc.syscall(_CREATE, None, 0, _VERSION_FLAG)
    if version < 1:
        log.warning("this kernel has no Landlock: a camera's process is only held by the service's own limits")
        return False
    handled = struct.pack("Q", (1 << _RIGHTS_BY_ABI.get(version, 16)) - 1)
    rules = libc.syscall(_CREATE, handled, len(handled), 0)
    if rules < 0:
        log.warning("Landlock refused: %s", os.strerror(ctypes.get_errno()))
        return False
    try:
        for path in readable() if paths is None else paths:
            _allow(libc, rules, path)
        done = libc.prctl(_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 and libc.syscall(_RESTRICT_SELF, rules, 0) == 0
    finally:
        os.close(rules)
    if not done:
        log.warning("Landlock refused: %s", os.strerror(ctypes.get_errno()))
    return bool(done)


def _allow(libc: ctypes.CDLL, rules: int, path: Path) -> None:
    """What is not there needs no rule."""
    with contextlib.suppress(OSError):
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
        try:
            rights = _READ if path.is_dir() else _READ & ~_READ_DIR
            rights |= _WRITE_FILE if path == Path("/dev/null") else 0
            libc.syscall(_ADD_RULE, rules, _PATH_BENEATH, struct.pack("=Qi", rights, descriptor), 0)
        finally:
            os.close(descriptor)
