"""A taken-over camera process: everything it might try from inside, each by itself, on loopback and on its own files.

    python -m tests.site.attacks.camera

Prints one JSON object: what was tried, and "refused", "done" or the error; ends with 1 where anything was done that
should not be. The relay that it tries to reach is a listener of its own.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

from edge.confine import Reach, confine, readable

ALLOWED = frozenset(
    {
        "connect to the camera",
        "start a thread",
        "speak to the gate",
        "read a library",
        "ask its own limits",
        "nice itself",
    }
)
LIBC = ctypes.CDLL(None, use_errno=True)


def call(number: int, *arguments: object) -> None:
    """A system call as it is. Raises OSError."""
    if LIBC.syscall(number, *arguments) < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def listener() -> socket.socket:
    return socket.create_server(("127.0.0.1", 0))


def reach_tcp(port: int) -> None:
    """What a Modbus "coil on" takes: a connection."""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as sock:
        sock.sendall(bytes.fromhex("000100000006010500ffff00"))


def abstract(name: str) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        sock.connect("\0" + name)


def rows(
    folder: Path, victim: int, camera: int, relay: int, name: str, gate: socket.socket
) -> dict[str, Callable[[], object]]:
    """What is tried, in words, and how."""
    key = folder / "gate.pem"
    thread = threading.Thread(target=lambda: None)
    return {
        "read the key": key.read_bytes,
        "write the record": lambda: (folder / "barie.db").write_bytes(b""),
        "change the key's mode": lambda: key.chmod(0o644),
        "change the key's times": lambda: os.utime(key),
        "delete the key": key.unlink,
        "open a device": lambda: Path("/dev/ptmx").open("rb+", buffering=0).close(),
        "reach the relay by TCP": lambda: reach_tcp(relay),
        "listen for others": lambda: socket.create_server(("127.0.0.1", 0)),
        "send a datagram": lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", 9)),
        "an abstract socket": lambda: abstract(name),
        "a socket of another kind": lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW),
        "kill another process": lambda: os.kill(victim, signal.SIGKILL),
        "signal another process": lambda: os.kill(victim, signal.SIGSTOP),
        "signal by descriptor": lambda: signal.pidfd_send_signal(os.pidfd_open(victim), signal.SIGKILL),
        "renice another process": lambda: os.setpriority(os.PRIO_PROCESS, victim, 19),
        "pin another process": lambda: os.sched_setaffinity(victim, {0}),
        "schedule another process": lambda: os.sched_setscheduler(victim, os.SCHED_IDLE, os.sched_param(0)),
        "limit another process": lambda: resource.prlimit(victim, resource.RLIMIT_NOFILE, (3, 3)),
        "read another's memory": lambda: Path(f"/proc/{victim}/mem").open("rb").close(),
        "read another's environment": lambda: Path(f"/proc/{victim}/environ").read_bytes(),
        "start a program": lambda: os.execv("/bin/sh", ["sh", "-c", "exit 0"]),  # noqa: S606 - the attack
        "start a shell": lambda: subprocess.run(["/bin/sh", "-c", "true"], check=True),
        "start a process": lambda: os._exit(0) if os.fork() == 0 else None,
        "io_uring": lambda: call(425, 8, ctypes.create_string_buffer(120)),
        "a namespace": lambda: call(272 if os.uname().machine == "x86_64" else 97, 0x10000000),
        "connect to the camera": lambda: socket.create_connection(("127.0.0.1", camera), timeout=5).close(),
        "start a thread": thread.start,
        "speak to the gate": lambda: gate.sendall(b"x"),
        "read a library": lambda: Path("/usr/lib/os-release").read_bytes(),
        "ask its own limits": lambda: resource.getrlimit(resource.RLIMIT_NOFILE),
        "nice itself": lambda: os.setpriority(os.PRIO_PROCESS, 0, 10),
    }


def told(attempt: Callable[[], object]) -> str:
    try:
        attempt()
    except OSError as error:
        return "refused" if error.errno in (1, 13, 38) else f"{type(error).__name__} {error.errno}"
    return "done"


def inside(folder: Path, victim: int, camera: int, relay: int, name: str, gate: int) -> None:
    """In the process that was taken over: it has locked itself in as a camera's does."""
    tried = rows(folder, victim, camera, relay, name, socket.socket(fileno=gate))
    held = confine(readable(), Reach((camera,)))
    print(json.dumps({"held": held, **{what: told(attempt) for what, attempt in tried.items()}}), flush=True)
    os._exit(0)


def attack() -> dict[str, str | bool]:
    """What each attempt came to; {"held": False} where this kernel cannot hold it."""
    with contextlib.ExitStack() as ends:
        folder = Path(ends.enter_context(tempfile.TemporaryDirectory(prefix="barie-camera-")))
        for name in ("gate.pem", "barie.db"):
            (folder / name).write_bytes(b"secret")
        camera, relay = (ends.enter_context(listener()) for _ in range(2))
        ours, theirs = socket.socketpair()
        abstract_name = f"barie-{os.getpid()}"
        bus = ends.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
        bus.bind("\0" + abstract_name)
        bus.listen()
        victim = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
        ends.callback(victim.wait)
        ends.callback(victim.kill)
        ports = [str(sock.getsockname()[1]) for sock in (camera, relay)]
        line = [sys.executable, "-m", "tests.site.attacks.camera", "--inside", str(folder), str(victim.pid), *ports]
        line += [abstract_name, str(theirs.fileno())]
        ran = subprocess.run(line, pass_fds=(theirs.fileno(),), capture_output=True, text=True, timeout=60, check=False)
        ours.close()
        theirs.close()
        if ran.returncode != 0:
            return {"the process": f"ended with {ran.returncode}: {ran.stderr[-500:]}"}
        return dict(json.loads(ran.stdout))


def main(argv: list[str]) -> int:
    if argv[:1] == ["--inside"]:
        inside(Path(argv[1]), int(argv[2]), int(argv[3]), int(argv[4]), argv[5], int(argv[6]))
    seen = attack()
    print(json.dumps(seen, indent=1))
    return 0 if wrong(seen) == {} else 1


def wrong(seen: dict[str, str | bool]) -> dict[str, str | bool]:
    """What is not as it should be."""
    return {
        what: how for what, how in seen.items() if what != "held" and how != ("done" if what in ALLOWED else "refused")
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
