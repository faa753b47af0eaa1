"""A seccomp filter: what a process that decodes foreign bytes may still ask of the kernel (seccomp(2), Linux 3.5).

Refused with EPERM: starting programs and processes, touching other processes (signals, priorities, limits, memory),
changing modes and owners, io_uring, namespaces, keys, sockets of other kinds than the reach allows. What decoding
itself asks (memory, threads, files that Landlock allows, time) is let through.
"""

from __future__ import annotations

import ctypes
import errno
import logging
import os
import platform
import struct

log = logging.getLogger(__name__)

_SET_SECCOMP, _MODE_FILTER = 22, 2
_KILL, _ALLOW, _ERRNO = 0x80000000, 0x7FFF0000, 0x00050000
_LD, _JEQ, _JGE, _JSET, _AND, _RET = 0x20, 0x15, 0x35, 0x45, 0x54, 0x06
_NR, _ARCH = 0, 4
_THREAD = 0x00010000
_INET, _INET6, _STREAM, _KIND = 2, 10, 1, 0xF
_X32 = 0x40000000

ARCHES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
REFUSED: dict[str, tuple[int | None, int | None]] = {
    "execve": (59, 221), "execveat": (322, 281), "fork": (57, None), "vfork": (58, None),
    "tkill": (200, 130), "rt_sigqueueinfo": (129, 138), "rt_tgsigqueueinfo": (297, 240),
    "pidfd_send_signal": (424, 424),
    "pidfd_open": (434, 434), "pidfd_getfd": (438, 438), "ptrace": (101, 117), "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271), "process_madvise": (440, 440), "process_mrelease": (448, 448), "kcmp": (312, 272),
    "setrlimit": (160, 164), "ioprio_set": (251, 30), "sched_setscheduler": (144, 119), "sched_setparam": (142, 118),
    "sched_setattr": (314, 274), "migrate_pages": (256, 238), "move_pages": (279, 239), "setpgid": (109, 154),
    "chmod": (90, None), "fchmod": (91, 52), "fchmodat": (268, 53), "fchmodat2": (452, 452), "chown": (92, None),
    "lchown": (94, None), "fchown": (93, 55), "fchownat": (260, 54), "utime": (132, None), "utimes": (235, None),
    "futimesat": (261, None), "utimensat": (280, 88), "setxattr": (188, 5), "lsetxattr": (189, 6),
    "fsetxattr": (190, 7),
    "removexattr": (197, 14), "lremovexattr": (198, 15), "fremovexattr": (199, 16), "truncate": (76, 45),
    "io_uring_setup": (425, 425), "io_uring_enter": (426, 426), "io_uring_register": (427, 427), "bpf": (321, 280),
    "perf_event_open": (298, 241), "userfaultfd": (323, 282), "unshare": (272, 97), "setns": (308, 268),
    "mount": (165, 40), "umount2": (166, 39), "move_mount": (429, 429), "fsopen": (430, 430), "open_tree": (428, 428),
    "pivot_root": (155, 41), "chroot": (161, 51), "add_key": (248, 217), "request_key": (249, 218),
    "keyctl": (250, 219),
    "open_by_handle_at": (304, 265), "name_to_handle_at": (303, 264), "personality": (135, 92), "listen": (50, 201),
    "mknod": (133, None), "mknodat": (259, 33), "inotify_init1": (294, 26), "fanotify_init": (300, 262),
    "setuid": (105, 146), "setgid": (106, 144), "setgroups": (116, 159), "capset": (126, 91), "reboot": (169, 142),
    "syslog": (103, 116), "clock_settime": (227, 112), "settimeofday": (164, 170),
}  # fmt: skip
"""Numbers on x86_64 and aarch64 (None: there is no such call)."""
_OWN = {"kill": (62, 129), "tgkill": (234, 131)}
"""Allowed to this very process: how a library aborts."""
_SELF = {"sched_setaffinity": (203, 122)}
"""Allowed where the first argument is 0: the calling thread."""
_SETPRIORITY, _PRLIMIT, _CLONE, _CLONE3 = (141, 140), (302, 261), (56, 220), (435, 435)
_SOCKET, _BIND = (41, 198), (49, 200)


def hold(*, datagrams: bool) -> bool:
    """From now on, for this thread and every one it starts; False, and a line in the log, where it cannot be.
    `datagrams`: names are asked for, or the camera sends by UDP. No privileges may be had any more before."""
    arch = ARCHES.get(platform.machine())
    if arch is None:
        log.warning("no filter of system calls for %s: a camera's process is held by Landlock only", platform.machine())
        return False
    code = program(arch, list(ARCHES.values()).index(arch), os.getpid(), datagrams=datagrams)
    held = ctypes.create_string_buffer(code, len(code))
    fprog = struct.pack("HxxxxxxP", len(code) // 8, ctypes.addressof(held))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_SET_SECCOMP, _MODE_FILTER, ctypes.c_char_p(fprog), 0, 0) != 0:
        log.warning("seccomp refused: %s", os.strerror(ctypes.get_errno()))
        return False
    return True


def program(arch: int, column: int, pid: int, *, datagrams: bool) -> bytes:
    """The filter as struct sock_filter, one after the other. `column`: of the tables above."""
    refuse = _op(_RET, _ERRNO | errno.EPERM)
    code = [_op(_LD, _ARCH), _op(_JEQ, arch, 1, 0), _op(_RET, _KILL), _op(_LD, _NR), _op(_JGE, _X32, 0, 1), refuse]
    for numbers in REFUSED.values():
        if numbers[column] is not None:
            code += [_op(_JEQ, int(numbers[column] or 0), 0, 1), refuse]
    for own in _OWN.values():
        code += _only(own[column], [_op(_LD, _argument(0)), _op(_JEQ, pid, 1, 0), refuse])
    for own in _SELF.values():
        code += _only(own[column], [_op(_LD, _argument(0)), _op(_JEQ, 0, 1, 0), refuse])
    # Its own priority, and to ask for its own limits.
    code += _only(_SETPRIORITY[column], [_op(_LD, _argument(1)), _op(_JEQ, 0, 1, 0), refuse])
    asks = [_op(_LD, _argument(at, half)) for at, half in ((0, 0), (2, 0), (2, 4))]
    code += _only(_PRLIMIT[column], [part for ask in asks for part in (ask, _op(_JEQ, 0, 1, 0), refuse)])
    # Threads, no processes. clone3's flags cannot be seen: the C library goes on with clone where it is not there.
    code += _only(_CLONE[column], [_op(_LD, _argument(0)), _op(_JSET, _THREAD, 1, 0), refuse])
    code += [_op(_JEQ, _CLONE3[column], 0, 1), _op(_RET, _ERRNO | errno.ENOSYS)]
    internet = [_op(_LD, _argument(0)), _op(_JEQ, _INET, 2, 0), _op(_JEQ, _INET6, 1, 0), refuse]
    stream = [_op(_LD, _argument(1)), _op(_AND, _KIND), _op(_JEQ, _STREAM, 1, 0), refuse]
    code += _only(_SOCKET[column], internet + ([] if datagrams else stream))
    if not datagrams:
        code += [_op(_JEQ, _BIND[column], 0, 1), refuse]
    return b"".join([*code, _op(_RET, _ALLOW)])


def _only(number: int, checks: list[bytes]) -> list[bytes]:
    """`checks` for this call, which refuse or fall through; then it is allowed. Others go on to the next rule."""
    return [_op(_JEQ, number, 0, len(checks) + 1), *checks, _op(_RET, _ALLOW)]


def _argument(at: int, half: int = 0) -> int:
    """Where a call's argument stands, its lower four bytes (`half` 4: the upper ones; both machines are little
    endian)."""
    return 16 + 8 * at + half


def _op(code: int, value: int, yes: int = 0, no: int = 0) -> bytes:
    return struct.pack("HBBI", code, yes, no, value)
