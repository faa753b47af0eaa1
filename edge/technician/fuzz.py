"""Malformed input at every door of a gate, seeded: `scripts/fuzz [PART…] [--count N] [--seed S]`, one JSON line a part.

A door may refuse by its own error, or take what happens to be well-formed; anything else is a crash. `mqtt` is
edge.technician.fuzz_inbox: the real session and store. `http` speaks to a real agent, `rtsp` plays damaged video
through FFmpeg in a process that has locked itself in, as at a gate.
"""

from __future__ import annotations

import argparse
import json
import logging
import random
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edge import resources, wire
from edge.config import parse_config
from edge.errors import BadMessageError, BarieError, ConfigError
from edge.technician import discover, fuzz_inbox
from edge.vision import link
from firmware_io import framing

Draw = random.Random
COUNTS = {
    "mqtt": 100_000, "config": 20_000, "declaration": 100_000, "serial": 50_000, "link": 100_000,
    "discovery": 50_000, "jpeg": 10_000, "http": 5_000, "rtsp": 300,
}  # fmt: skip
"""How often each part is tried where nothing else is said."""
_DEEP = (b"[" * 2_000, b'{"a":' * 2_000, b"\x00", b"\xff\xfe", b"\xed\xa0\x80", b"9" * 400, b'"', b"\\u0000")


@dataclass(slots=True)
class Tally:
    part: str
    tries: int = 0
    refused: int = 0
    taken: int = 0
    crashes: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        return {
            "part": self.part, "tries": self.tries, "refused": self.refused, "taken": self.taken,
            "crashes": len(self.crashes), "first": self.crashes[:3],
        }  # fmt: skip


def mutated(draw: Draw, good: bytes) -> bytes:
    """One to six changes: bytes flipped, cut, doubled, moved, put in."""
    data = bytearray(good)
    for _ in range(draw.randrange(1, 7)):
        at = draw.randrange(len(data) + 1)
        to = min(len(data), at + draw.choice((1, 2, 4, 16, 200)))
        match draw.randrange(6):
            case 0 if at < len(data):
                data[at] ^= 1 << draw.randrange(8)
            case 1:
                del data[at:to]
            case 2:
                data[at:at] = data[at:to] * draw.choice((1, 2, 50))
            case 3:
                data[at:at] = draw.choice(_DEEP)
            case 4:
                data[at:to] = draw.randbytes(to - at)
            case _:
                del data[at:]
        del data[200_000:]
    return bytes(data)


def tried(part: str, count: int, seed: int, seeds: Sequence[bytes], door: Callable[[bytes], object]) -> Tally:
    """`door` takes each input, or refuses it with BarieError (its own word for bad input)."""
    draw, tally = Draw(seed), Tally(part)
    for _ in range(count):
        data = draw.randbytes(draw.randrange(64)) if draw.random() < 0.1 else mutated(draw, draw.choice(seeds))
        tally.tries += 1
        try:
            door(data)
            tally.taken += 1
        except BarieError:
            tally.refused += 1
        except Exception as error:  # noqa: BLE001 - whatever else comes out is what is looked for
            tally.crashes.append(f"{type(error).__name__}: {str(error)[:100]}; input {data[:60].hex()}")
    return tally


# ---------------------------------------------------------------- doors


def _config(data: bytes) -> None:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ConfigError("fuzz", [str(error)]) from error  # as load_config says it
    parse_config(text, "fuzz")


SERIAL_MOST = 600
"""More than a line brings between two looks at it."""


def _serial(data: bytes) -> None:
    """Both take what is whole and leave the rest: never more than came in."""
    for take in (framing.take_request, framing.lcus_take):
        rest, found = data[:SERIAL_MOST], True
        while found:
            before = len(rest)
            message, rest = take(rest)
            found = message is not None
            if len(rest) > before or (found and len(rest) == before):
                raise AssertionError("bytes came from nowhere")


def _link(data: bytes) -> None:
    for message in link.Decoder().feed(data):
        if message.kind == "reading":
            link.reading_from_fields(message.fields)


def _discovery(data: bytes) -> None:
    found = discover.camera_in(data)
    if found is not None and not found.host:
        raise AssertionError("a camera without an address")


def _jpeg(data: bytes) -> None:
    from edge.technician.read import ImageError, load

    with tempfile.NamedTemporaryFile(suffix=".jpg") as file:
        file.write(data)
        file.flush()
        try:
            load(Path(file.name))
        except ImageError as error:
            raise BadMessageError(str(error)) from error


# ---------------------------------------------------------------- parts


def config(count: int, seed: int) -> Tally:
    folder = resources.config_file("gate.example.toml").parent
    seeds = [
        path.read_bytes() for path in (folder / "gate.example.toml", *sorted((folder / "examples").glob("*.toml")))
    ]
    return tried("config", count, seed, seeds, _config)


def declaration(count: int, seed: int) -> Tally:
    seeds = [json.dumps(fuzz_inbox._declaration(version), ensure_ascii=False).encode() for version in (1, 7)]
    return tried("declaration", count, seed, seeds, wire.parse_declaration)


def serial(count: int, seed: int) -> Tally:
    seeds = [
        framing.request(1, 5, 0x0200, 7),
        framing.seal(bytes([1, 15, 0, 0, 0, 8, 1, 0xFF])),
        framing.lcus_frame(3, True),
    ]
    return tried("serial", count, seed, [*seeds, b"".join(seeds) * 3], _serial)


def vision_link(count: int, seed: int) -> Tally:
    fields = {"state": "up", "tracks": [1, 2], "reader": "ok"}
    seeds = [link.encode("health", fields), link.encode("frame", {"captured_mono_ns": 1}, [b"\xff\xd8\xff\xd9"])]
    return tried("link", count, seed, seeds, _link)


def discovery(count: int, seed: int) -> Tally:
    text = b"<a:XAddrs>http://192.0.2.1/onvif http://[fe80::1]/x</a:XAddrs>onvif://www.onvif.org/name/CAM"
    return tried("discovery", count, seed, [text], _discovery)


def jpeg(count: int, seed: int) -> Tally:
    import cv2

    whole = cv2.imread(str(next(resources.sample_videos().glob("*-line.jpg"))))
    assert whole is not None
    small = cv2.resize(whole, (64, 48))
    seeds = [cv2.imencode(kind, small)[1].tobytes() for kind in (".jpg", ".png", ".bmp", ".webp")]
    return tried("jpeg", count, seed, seeds, _jpeg)


def mqtt(count: int, seed: int) -> Tally:
    told = fuzz_inbox.run(count, seed)
    tally = Tally("mqtt", count, told["set_aside"])
    if told["changed"] or told["set_aside"] != told["counted"] or told["set_aside"] != count:
        tally.crashes.append(json.dumps(told))
    return tally


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

PARTS: dict[str, Callable[[int, int], Tally]] = {
    "mqtt": mqtt, "config": config, "declaration": declaration, "serial": serial, "link": vision_link,
    "discovery": discovery, "jpeg": jpeg, "http": http, "rtsp": rtsp,
}  # fmt: skip


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="scripts/fuzz", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"{', '.join(PARTS)}; all where none is named")
    parser.add_argument("--count", type=int, default=None)
    parser.add_argument("--seed", type=int, default=20_261_122)
    args = parser.parse_args(argv)
    logging.disable(logging.ERROR)
    good = True
    for part in args.parts or PARTS:
        if part not in PARTS:
            parser.error(f"{part} is none of {', '.join(PARTS)}")
        began_s = time.monotonic()
        tally = PARTS[part](args.count or COUNTS[part], args.seed)
        print(json.dumps({**tally.as_json(), "seconds": round(time.monotonic() - began_s, 1)}), flush=True)
        good = good and not tally.crashes
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
