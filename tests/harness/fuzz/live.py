"""Malformed input at what runs: raw requests at a real agent's screen, damaged video through FFmpeg."""

from __future__ import annotations

import socket
import subprocess
import sys
import tempfile
from pathlib import Path

from edge import resources
from tests.harness.fuzz.tries import Draw, Tally, mutated


def http(count: int, seed: int) -> Tally:
    """Raw requests at a real agent's screen: it answers the next good one, and never with a 5xx."""
    from edge.technician.health import running_trial

    draw, tally = Draw(seed), Tally("http")
    heads = [f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(body)}\r\n{more}\r\n{body}".encode()
             for method, path, more, body in _REQUESTS]  # fmt: skip
    with running_trial() as port:
        for number in range(count):
            data = mutated(draw, draw.choice(heads))
            status = _asked(port, data)
            tally.tries += 1
            tally.taken += status.startswith(b"2")
            tally.refused += not status.startswith(b"2")
            if status.startswith(b"5"):
                tally.crashes.append(f"status {status!r}; input {data[:80]!r}")
            if number % 100 == 99 and _asked(port, b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n") != b"200":
                tally.crashes.append(f"no answer after {number + 1} requests")
                break
    return tally


_REQUESTS = (
    ("GET", "/lane/trial", "Cookie: barie=x\r\n", ""),
    ("GET", "/lane/trial/view.json", "", ""),
    ("GET", "/static/panel.js", "Range: bytes=0-10\r\n", ""),
    ("GET", "/evidence/..%2f..%2fkeys%2fgate.pem.jpg", "", ""),
    ("POST", "/sign-in", "Content-Type: application/x-www-form-urlencoded\r\n", "id=a&pin=1"),
    ("POST", "/lane/trial/action", "Content-Type: application/json\r\n", '{"key":"k","name":"confirm","passage":"p"}'),
)  # fmt: skip


def _asked(port: int, data: bytes) -> bytes:
    """The status of the answer, b"" where the connection was only closed."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=10) as line:
            line.sendall(data)
            line.shutdown(socket.SHUT_WR)
            line.settimeout(10)
            return line.recv(4_096)[9:12]
    except (ConnectionError, TimeoutError):
        return b""


def rtsp(count: int, seed: int) -> Tally:
    """Damaged streams through FFmpeg, a batch in one process: it may give nothing, it may not die or hang."""
    tally, clip = Tally("rtsp"), next(resources.sample_videos().glob("*-line.mp4")).read_bytes()
    draw = Draw(seed)
    with tempfile.TemporaryDirectory(prefix="barie-fuzz-") as name:
        while tally.tries < count:
            batch = []
            for number in range(min(20, count - tally.tries)):
                path = Path(name) / f"{number}.mp4"
                path.write_bytes(_damaged(draw, clip))
                batch.append(str(path))
            tally.tries += len(batch)
            try:
                line = [sys.executable, "-c", _PLAY, *batch]
                ran = subprocess.run(line, capture_output=True, timeout=300, check=False)
                tally.taken += ran.stdout.count(b"played")
                tally.refused += ran.stdout.count(b"refused")
                if ran.returncode != 0:
                    tally.crashes.append(f"ended with {ran.returncode}: {ran.stderr[-200:]!r}")
            except subprocess.TimeoutExpired:
                tally.crashes.append("hung")
    return tally


def _damaged(draw: Draw, clip: bytes) -> bytes:
    """Mostly in the pictures' data: a damaged head only ends the story sooner."""
    data = bytearray(clip)
    first = draw.choice((0, len(data) // 50, len(data) // 10))
    for _ in range(draw.choice((1, 10, 200, 2_000))):
        data[draw.randrange(first, len(data))] = draw.randrange(256)
    return bytes(data if draw.random() < 0.9 else data[: draw.randrange(len(data))])


_PLAY = """
import sys, av
from edge.confine import confine, readable
from pathlib import Path
confine([*readable(), Path(sys.argv[1]).parent])
for name in sys.argv[1:]:
    try:
        with av.open(name) as clip:
            for number, frame in enumerate(clip.decode(video=0)):
                frame.to_ndarray(format="bgr24")
                if number > 25:
                    break
        print("played")
    except (av.FFmpegError, IndexError, ValueError):
        print("refused")
"""
