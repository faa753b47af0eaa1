"""An RTSP camera that misbehaves on command: hangs, freezes, floods, changes size, sends garbage, closes, starts late.

For tests and `scripts/cameras`; never on a barrier PC. RTSP 1.0 with RTP inside its TCP connection, one thread for each
caller; the pictures are encoded once, small.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import count
from typing import Any, Literal

import av
import numpy as np

Mood = Literal[
    "good", "hang", "freeze", "flood", "resize", "garbage", "noise", "close", "mute", "slow", "lossy", "clock", "huge",
    "covered", "white", "still", "stuck",
]  # fmt: skip
"""`still`: a smart codec before an empty lane by night, well and alive. `stuck`: a live encoder, a dead sensor."""
PERIOD_S = 0.08
GROUP = 6
STILL_GROUP = 40
"""Pictures between two key frames of a smart codec: 3.2 s."""
SIZES = {"main": (320, 180), "other": (480, 272), "huge": (320, 180)}
PAYLOAD_BYTES = 1200
SLOW_S = 4.0
CLOCK = 90_000
Unit = tuple[bytes, ...]
"""The NAL units of one picture."""


def encoded(size: tuple[int, int], seed: int, pictures: int = 2 * GROUP) -> list[Unit]:
    """Pictures of a test pattern, each with something in it that moves; a key frame with its headers every GROUP."""
    noise = np.random.default_rng(seed)
    base = noise.integers(0, 255, (size[1] // 8, size[0] // 8, 3), np.uint8).repeat(8, 0).repeat(8, 1)
    images = []
    for number in range(pictures):
        image = np.zeros((size[1], size[0], 3), np.uint8)
        image[: base.shape[0], : base.shape[1]] = base
        image[:, (number * 16) % size[0] :][:, :12] = 255
        images.append(image)
    return _coded(images, GROUP)


def blank(size: tuple[int, int], level: int) -> list[Unit]:
    """What a covered lens gives (level 6), or one that a lamp shines into (250): a sensor's noise, and the clock that
    the camera writes at the top."""
    noise = np.random.default_rng(level)
    images = [noise.normal(level, 4, (size[1], size[0], 3)).clip(0, 255).astype(np.uint8) for _ in range(2 * GROUP)]
    for image in images:
        image[4:12, 8:90:4] = 255 - level
    return _coded(images, GROUP)


def unmoved(size: tuple[int, int], *, live: bool) -> list[Unit]:
    """A dark lane on which nothing moves, from a codec that skips what has not changed: packets of a few bytes that
    decode to the very same picture, for 3.2 s. `live`: the key frames between them carry the sensor's noise."""
    noise = np.random.default_rng(3)
    base = noise.integers(0, 60, (size[1] // 20, size[0] // 20, 3), np.uint8).repeat(20, 0).repeat(20, 1)
    images = []
    for number in range(2 * STILL_GROUP):
        if number == 0 or (live and number % STILL_GROUP == 0):
            image = (base + noise.normal(0, 3, base.shape)).clip(0, 255).astype(np.uint8)
        images.append(image)
    return _coded(images, STILL_GROUP, ":qp=30:ipratio=1")


def _coded(images: Sequence[np.ndarray[Any, Any]], group: int, how: str = "") -> list[Unit]:
    codec = av.CodecContext.create("libx264", "w")
    assert isinstance(codec, av.VideoCodecContext)
    height, width = images[0].shape[:2]
    codec.width, codec.height, codec.pix_fmt, codec.framerate = width, height, "yuv420p", Fraction(25)
    codec.gop_size = group
    codec.options = {
        "preset": "ultrafast",
        "tune": "zerolatency",
        "x264-params": "repeat-headers=1:threads=1:scenecut=0" + how,
    }
    return [
        _units(bytes(packet))
        for image in images
        for packet in codec.encode(av.VideoFrame.from_ndarray(image, format="rgb24"))
    ]


def _units(stream: bytes) -> Unit:
    """The NAL units of an Annex B byte stream."""
    return tuple(part.rstrip(b"\0") for part in stream.replace(b"\0\0\0\1", b"\0\0\1").split(b"\0\0\1") if part)


class HostileCamera:
    """Serves `rtsp://127.0.0.1:{port}/{name}` for any name; `moods[name]` says how that camera behaves, at once and for
    the callers that it has already."""

    def __init__(self) -> None:
        self.moods: dict[str, Mood] = {}
        self.sent: dict[str, int] = {}
        """Pictures sent by each camera so far."""
        self._pictures: Mapping[str, Sequence[Unit]] = {
            **{name: encoded(size, seed) for seed, (name, size) in enumerate(SIZES.items())},
            "covered": blank(SIZES["main"], 6),
            "white": blank(SIZES["main"], 250),
            "still": unmoved(SIZES["main"], live=True),
            "stuck": unmoved(SIZES["main"], live=False),
        }
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._closed = threading.Event()
        threading.Thread(target=self._take, name="hostile", daemon=True).start()

    def url(self, name: str, user: str = "") -> str:
        return f"rtsp://{user}{'@' if user else ''}127.0.0.1:{self.port}/{name}"

    def close(self) -> None:
        self._closed.set()
        self._listener.close()

    def mood(self, name: str) -> Mood:
        return self.moods.get(name, "good")

    def _take(self) -> None:
        while not self._closed.is_set():
            try:
                caller = self._listener.accept()[0]
            except OSError:
                return
            threading.Thread(target=self._serve, args=(caller,), daemon=True).start()

    def _serve(self, caller: socket.socket) -> None:
        with caller:
            caller.settimeout(10.0)
            try:
                name = self._greet(caller)
                if name:
                    self._play(caller, name)
            except OSError:
                pass  # the caller has had enough

    # ------------------------------------------------------------ RTSP

    def _greet(self, caller: socket.socket) -> str:
        """Answer until PLAY; the camera's name, or nothing where the caller went away."""
        waiting = b""
        while not self._closed.is_set():
            while b"\r\n\r\n" not in waiting:
                data = caller.recv(4096)
                if not data:
                    return ""
                waiting += data
            head, _, waiting = waiting.partition(b"\r\n\r\n")
            lines = head.decode(errors="replace").split("\r\n")
            method, url = lines[0].split(" ")[:2]
            name = url.rpartition(f":{self.port}/")[2].split("/")[0].split("?")[0]
            sequence = next((line.split(":")[1].strip() for line in lines if line.lower().startswith("cseq")), "0")
            if not self._answer(caller, method, name, sequence):
                return ""
            if method == "PLAY":
                return name
        return ""

    def _answer(self, caller: socket.socket, method: str, name: str, sequence: str) -> bool:
        """False where this camera does not answer at all."""
        mood = self.mood(name)
        if mood == "mute":
            while self.mood(name) == "mute" and not self._closed.wait(0.05):
                pass
            return False
        if mood == "noise":
            caller.sendall(os.urandom(4096))
            return False
        if mood == "slow" and method == "DESCRIBE":
            self._closed.wait(SLOW_S)
        extra, body = {"SETUP": "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\nSession: 7\r\n"}.get(method, ""), ""
        if method == "DESCRIBE":
            body = (
                "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n"
            )
            body += "a=fmtp:96 packetization-mode=1\r\na=control:track1\r\n"
            extra = f"Content-Type: application/sdp\r\nContent-Length: {len(body)}\r\n"
        caller.sendall(f"RTSP/1.0 200 OK\r\nCSeq: {sequence}\r\n{extra}\r\n{body}".encode())
        return True

    # ------------------------------------------------------------ RTP

    def _play(self, caller: socket.socket, name: str) -> None:
        numbers, stamp = count(), 0
        for at in count():
            mood = self.mood(name)
            if self._closed.is_set() or mood == "close":
                return
            unit = self._picture(mood, at)
            stamp += round(CLOCK * PERIOD_S) if mood != "clock" else (-7 if at % 2 else 11) * CLOCK * 3600
            if mood == "noise":
                caller.sendall(os.urandom(2000))
            elif mood not in ("hang", "mute"):
                for i, packet in enumerate(packets(unit, numbers, stamp & 0xFFFFFFFF)):
                    if mood != "lossy" or (i + at) % 3:
                        caller.sendall(packet)
                self.sent[name] = self.sent.get(name, 0) + 1
            if mood != "flood":
                self._wait(caller, PERIOD_S)

    def _wait(self, caller: socket.socket, seconds: float) -> None:
        """And throw away what the caller says meanwhile."""
        until_s = time.monotonic() + seconds
        while (left_s := until_s - time.monotonic()) > 0:
            caller.settimeout(left_s)
            try:
                if not caller.recv(4096):
                    raise ConnectionError("the caller left")
            except TimeoutError:
                break
        caller.settimeout(10.0)

    def _picture(self, mood: Mood, at: int) -> Unit:
        if mood == "freeze":
            return self._pictures["main"][0]
        if mood == "garbage":
            return (bytes([0x65]) + os.urandom(900), os.urandom(300))
        if mood == "huge":
            return (huge_header(), *self._pictures["main"][0][1:])
        pictures = self._pictures["other" if mood == "resize" else mood if mood in self._pictures else "main"]
        return pictures[at % len(pictures)]


def packets(unit: Unit, numbers: Iterator[int], stamp: int) -> Iterator[bytes]:
    """RTP packets of one picture in RTSP's own framing (RFC 6184: single units, and FU-A for long ones)."""
    for i, nal in enumerate(unit):
        last = i == len(unit) - 1
        if len(nal) <= PAYLOAD_BYTES:
            yield _framed(nal, numbers, stamp, last)
            continue
        pieces = [nal[k : k + PAYLOAD_BYTES] for k in range(1, len(nal), PAYLOAD_BYTES)]
        for k, piece in enumerate(pieces):
            edge = (0x80 if k == 0 else 0) | (0x40 if k == len(pieces) - 1 else 0)
            head = bytes([(nal[0] & 0xE0) | 28, edge | (nal[0] & 0x1F)])
            yield _framed(head + piece, numbers, stamp, last and k == len(pieces) - 1)


def _framed(payload: bytes, numbers: Iterator[int], stamp: int, last: bool) -> bytes:
    number = next(numbers) & 0xFFFF
    head = bytes([0x80, 96 | (0x80 if last else 0)]) + number.to_bytes(2, "big") + stamp.to_bytes(4, "big")
    packet = head + b"\0\0\0\7" + payload
    return b"$\0" + len(packet).to_bytes(2, "big") + packet


def huge_header(side_px: int = 8192) -> bytes:
    """A sequence header that claims so many pixels each way (H.264, 7.3.2.1.1, baseline profile, level 6.2): few enough
    for a decoder to believe, if nobody told it how many are too many."""
    bits = "1" + "1" + "1" + "1"  # ids and orders of 0: exp-Golomb
    bits += _golomb(1) + "0"  # one reference frame, no gaps
    bits += 2 * _golomb(side_px // 16 - 1) + "1" + "1" + "0" + "0" + "1"
    bits += "0" * (-len(bits) % 8)
    return bytes([0x67, 66, 0, 62]) + int(bits, 2).to_bytes(len(bits) // 8, "big")


def _golomb(value: int) -> str:
    code = f"{value + 1:b}"
    return "0" * (len(code) - 1) + code
