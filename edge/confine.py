"""A process that locks itself in: afterwards it reads programs and libraries, writes no file and opens no device.

A camera's process decodes whatever the network sends it. Should a hostile stream take it over, the gate's key, the
record, the accounts and the relay board are out of its reach, by the kernel's own word: files, TCP ports and other
processes by Landlock (Linux 5.13; ports from 6.7, signals and abstract sockets from 6.12; landlock(7)), and system
calls by a seccomp filter (edge.syscalls). What is open already stays open: the socket to the gate process. What this
kernel cannot hold is told in the log.
"""

from __future__ import annotations

import contextlib
import ctypes
import logging
import os
import struct
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from edge import syscalls

log = logging.getLogger(__name__)

_CREATE, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
"""System calls, the same numbers on every architecture."""
_VERSION_FLAG, _PATH_BENEATH, _NO_NEW_PRIVS = 1, 1, 38
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1, 2, 4, 8
_RIGHTS_BY_ABI = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}
"""How many file rights each version of Landlock knows."""
_BIND_TCP, _CONNECT_TCP, _PORT = 1, 2, 2
_ABSTRACT_SOCKETS, _SIGNALS = 1, 2
NET_ABI, SCOPE_ABI = 4, 6
_READ = _EXECUTE | _READ_FILE | _READ_DIR
_HOUSE = Path(__file__).resolve().parent.parent
READABLE = (
    "/usr", "/lib", "/lib64", "/bin", "/proc/self", "/proc/cpuinfo",
    "/proc/meminfo", "/proc/stat", "/proc/sys/kernel", "/sys/devices/system/cpu", "/sys/fs/cgroup",
    "/etc/ssl", "/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf", "/etc/host.conf", "/etc/gai.conf",
    "/etc/localtime", "/etc/ld.so.cache", "/run/systemd/resolve",
    "/dev/null", "/dev/zero", "/dev/random", "/dev/urandom",
)  # fmt: skip


def readable(models_dir: str | None = None) -> list[Path]:
    """What a camera's process may read: the system's libraries, this program, its tables, its models or the site's."""
    own = [_HOUSE, Path(sys.prefix), Path(sys.base_prefix), Path("/opt/barie")]
    folders = (models_dir, os.environ.get("BARIE_CONFIG_DIR"), os.environ.get("BARIE_MODELS_DIR"))
    return [*map(Path, READABLE), *own, *(Path(folder) for folder in folders if folder)]


@dataclass(frozen=True, slots=True)
class Reach:
    """What the network is for: TCP to these ports, and datagrams or not."""

    ports: tuple[int, ...] = ()
    datagrams: bool = False


NOWHERE = Reach()


def confine(paths: Iterable[Path] | None = None, reach: Reach = NOWHERE) -> bool:
    """Only reading, and only below `paths`; the network as far as `reach`; no other process touched and no program
    started, for this thread and every one it starts. It cannot be undone.

    False, and a line in the log, where this kernel cannot: the service's own limits still hold then.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    version = libc.syscall(_CREATE, None, 0, _VERSION_FLAG)
    if version < 1:
        log.warning("this kernel has no Landlock: a camera's process is only held by the service's own limits")
        return False
    for needs, what in ((NET_ABI, "to which ports it may connect"), (SCOPE_ABI, "whom it may signal")):
        if version < needs:
            log.warning("this kernel's Landlock (version %d) does not hold a camera's process in %s", version, what)
    rules = _ruleset(libc, version)
    if rules < 0:
        log.warning("Landlock refused: %s", os.strerror(ctypes.get_errno()))
        return False
    try:
        for path in readable() if paths is None else paths:
            _allow(libc, rules, path)
        for port in reach.ports if version >= NET_ABI else ():
            libc.syscall(_ADD_RULE, rules, _PORT, struct.pack("QQ", _CONNECT_TCP, port), 0)
        done = libc.prctl(_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 and libc.syscall(_RESTRICT_SELF, rules, 0) == 0
    finally:
        os.close(rules)
    if not done:
        log.warning("Landlock refused: %s", os.strerror(ctypes.get_errno()))
    return bool(done) and syscalls.hold(datagrams=reach.datagrams)


def _ruleset(libc: ctypes.CDLL, version: int) -> int:
    """Struct landlock_ruleset_attr, as much of it as this kernel knows."""
    handled = struct.pack("Q", (1 << _RIGHTS_BY_ABI.get(version, 16)) - 1)
    handled += struct.pack("Q", _BIND_TCP | _CONNECT_TCP) if version >= NET_ABI else b""
    handled += struct.pack("Q", _ABSTRACT_SOCKETS | _SIGNALS) if version >= SCOPE_ABI else b""
    return int(libc.syscall(_CREATE, handled, len(handled), 0))


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
