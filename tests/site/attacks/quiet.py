"""Does a program call anybody? It runs in a network of its own, where every address is this machine, with a name server
and a sniffer that log each name and each packet, and without the variables that quieten libraries in a test run.

    python -m tests.site.attacks.quiet [--seconds S] -- COMMAND…

Prints one JSON line: the names asked for, the connections tried beyond loopback, the files made outside the program's
own folders (its home, the temporary folders and the working folder are empty file systems or watched). Ends with 1
where any was. Needs `unshare` and user namespaces (or root).
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import fcntl
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

QUIETENING = ("CI", "ORT_DISABLE_TELEMETRY", "GITHUB_ACTIONS", "DO_NOT_TRACK")
"""Variables that turn a library's calls off in a test run, and not at a gate."""
NAMED = "198.51.100.9"
"""What every name resolves to: a documentation address, answered by nobody (RFC 5737)."""
_MS_BIND, _MS_PRIVATE_REC = 4096, (1 << 18) | 16384


def can() -> bool:
    """This machine lets a process have a network of its own."""
    return subprocess.run(["unshare", "-rnm", "true"], capture_output=True, check=False).returncode == 0


def watched(command: list[str], seconds: float, home: Path) -> subprocess.Popen[str]:
    """`command` in such a network; its stdout ends with the JSON line."""
    line = ["unshare", "-rnm", "--propagation", "private", sys.executable, "-m", "tests.site.attacks.quiet", "--inside"]
    line += ["--seconds", str(seconds), "--home", str(home), "--", *command]
    environment = {name: value for name, value in os.environ.items() if name not in QUIETENING}
    return subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)


# ---------------------------------------------------------------- inside the network


def open_network() -> None:
    """Loopback up, and every address local: whatever is called lands here."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        fcntl.ioctl(sock, 0x8914, struct.pack("16sh14x", b"lo", 0x1 | 0x40))  # SIOCSIFFLAGS: up, running
    for family in (socket.AF_INET, socket.AF_INET6):
        _local_default(family)


def _local_default(family: int) -> None:
    """`ip route add local default dev lo` (rtnetlink(7)): RTM_NEWROUTE, create, table local, type local, by lo."""
    route = struct.pack("=BBBBBBBBI", family, 0, 0, 0, 255, 3, 254, 2, 0) + struct.pack("=HHI", 8, 4, 1)
    message = struct.pack("=IHHII", 16 + len(route), 24, 0x1 | 0x4 | 0x400, 1, 0) + route
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as netlink:
        netlink.bind((0, 0))
        netlink.send(message)
        (error,) = struct.unpack_from("=i", netlink.recv(4096), 16)
    if error:
        raise OSError(-error, f"a local route for family {family}: {os.strerror(-error)}")


def mount(source: str, target: str, kind: str | None, flags: int = 0) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(source.encode(), target.encode(), kind.encode() if kind else None, flags, None):
        raise OSError(ctypes.get_errno(), f"mount {target}: {os.strerror(ctypes.get_errno())}")


class Sink:
    """Logs each name asked for, and each first packet to anywhere but loopback."""

    def __init__(self) -> None:
        self.names: set[str] = set()
        self.calls: set[str] = set()
        self._server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._server.bind(("", 53))
        self._wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0003))
        self._wire.bind(("lo", 0))
        for work in (self._answer, self._listen):
            threading.Thread(target=work, daemon=True).start()

    def _answer(self) -> None:
        while True:
            asked, peer = self._server.recvfrom(4096)
            labels, at = [], 12
            while at < len(asked) and asked[at]:
                labels.append(asked[at + 1 : at + 1 + asked[at]].decode("ascii", "replace"))
                at += 1 + asked[at]
            self.names.add(".".join(labels))
            kind = asked[at + 1 : at + 3]
            found = struct.pack(">HHHIH4s", 0xC00C, 1, 1, 60, 4, socket.inet_aton(NAMED)) if kind == b"\0\1" else b""
            counts = struct.pack(">HHHHH", 0x8180, 1, 1 if found else 0, 0, 0)
            with contextlib.suppress(OSError):
                self._server.sendto(asked[:2] + counts + asked[12 : at + 5] + found, peer)

    def _listen(self) -> None:
        while True:
            frame = self._wire.recv(256)
            if (call := called(frame[14:])) is not None:
                self.calls.add(call)


def called(packet: bytes) -> str | None:
    """Where a packet goes, unless that is loopback, or it answers one."""
    version = packet[0] >> 4 if packet else 0
    if version == 4 and len(packet) > 20:
        to, protocol, rest = socket.inet_ntop(socket.AF_INET, packet[16:20]), packet[9], packet[(packet[0] & 15) * 4 :]
        inside = to.startswith(("0.", "127.", "224."))
    elif version == 6 and len(packet) > 40:
        to, protocol, rest = socket.inet_ntop(socket.AF_INET6, packet[24:40]), packet[6], packet[40:]
        inside = to == "::1" or to.startswith(("ff", "fe80"))
    else:
        return None
    if inside or protocol not in (6, 17) or len(rest) < 14:
        return None
    if protocol == 6 and rest[13] & 0x12 != 0x02:  # not the first packet of a connection
        return None
    if protocol == 17 and rest[:2] == b"\0\x35":  # the name server's own answer
        return None
    return f"{to}:{int.from_bytes(rest[2:4], 'big')}/{'tcp' if protocol == 6 else 'udp'}"


def inside(command: list[str], seconds: float, home: Path) -> int:
    open_network()
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as resolver:
        resolver.write("nameserver 198.51.100.53\noptions timeout:1 attempts:1\n")
        resolver.flush()
        mount(resolver.name, "/etc/resolv.conf", None, _MS_BIND)
        sink = Sink()
        data = home / "data"
        data.mkdir()
        for folder in ("/var/tmp", "/dev/shm"):
            mount("tmpfs", folder, "tmpfs")
        environment = {**os.environ, "HOME": str(home), "TMPDIR": str(data), "PYTHONDONTWRITEBYTECODE": "1"}
        environment |= {"XDG_CACHE_HOME": str(home / ".cache"), "XDG_CONFIG_HOME": str(home / ".config")}
        words = [word.replace("{data}", str(data)) for word in command]
        ran = subprocess.Popen(words, env=environment, stdout=sys.stderr, start_new_session=True)
        try:
            code = ran.wait(seconds)
        except subprocess.TimeoutExpired:
            os.killpg(ran.pid, signal.SIGTERM)
            try:
                code = ran.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(ran.pid, signal.SIGKILL)
                code = ran.wait()
    places = (home, Path("/var/tmp"), Path("/dev/shm"))
    files = [str(path) for place in places for path in place.rglob("*") if path.is_file() and data not in path.parents]
    told = {"code": code, "names": sorted(sink.names), "calls": sorted(sink.calls), "files": sorted(files)}
    print(json.dumps(told))
    return 1 if sink.names or sink.calls or files else 0


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="tests.site.attacks.quiet", description=__doc__)
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--home", type=Path, default=None)
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("command", nargs="+", help="{data} in it: a folder that it may write")
    args = parser.parse_args(argv)
    if args.inside:
        return inside(args.command, args.seconds, args.home)
    with tempfile.TemporaryDirectory(prefix="barie-quiet-") as name:
        out, said = watched(args.command, args.seconds, args.home or Path(name)).communicate()
    sys.stderr.write(said[-4000:])
    print(out, end="")
    return 1 if not out or any(json.loads(out)[key] for key in ("names", "calls", "files")) else 0


if __name__ == "__main__":
    sys.exit(main())
