"""Malformed input at every door of a gate, seeded: `scripts/fuzz [PART…] [--count N] [--seed S]`, one JSON line a part.

A door may refuse by its own error, or take what happens to be well-formed; anything else is a crash. `mqtt` is
tests.harness.fuzz.inbox: the real session and store. `http` speaks to a real agent, `rtsp` plays damaged video
through FFmpeg in a process that has locked itself in, as at a gate (tests.harness.fuzz.live).
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from edge import resources, wire
from edge.config import parse_config
from edge.errors import BadMessageError, ConfigError
from edge.technician import discover
from edge.vision import messages
from firmware_io import framing
from tests.harness.fuzz import inbox
from tests.harness.fuzz import live as fuzz_live
from tests.harness.fuzz.tries import Tally, tried

COUNTS = {
    "mqtt": 100_000, "config": 20_000, "declaration": 100_000, "serial": 50_000, "link": 100_000,
    "discovery": 50_000, "jpeg": 10_000, "http": 5_000, "rtsp": 300,
}  # fmt: skip
"""How often each part is tried where nothing else is said."""


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
    for message in messages.Decoder().feed(data):
        if message.kind == "reading":
            messages.reading_from_fields(message.fields)


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
    seeds = [json.dumps(inbox._declaration(version), ensure_ascii=False).encode() for version in (1, 7)]
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
    seeds = [
        messages.encode("health", fields),
        messages.encode("frame", {"captured_mono_ns": 1}, [b"\xff\xd8\xff\xd9"]),
    ]
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
    told = inbox.run(count, seed)
    tally = Tally("mqtt", count, told["set_aside"])
    if told["changed"] or told["set_aside"] != told["counted"] or told["set_aside"] != count:
        tally.crashes.append(json.dumps(told))
    return tally


PARTS: dict[str, Callable[[int, int], Tally]] = {
    "mqtt": mqtt, "config": config, "declaration": declaration, "serial": serial, "link": vision_link,
    "discovery": discovery, "jpeg": jpeg, "http": fuzz_live.http, "rtsp": fuzz_live.rtsp,
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
