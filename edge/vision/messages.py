"""The joint between a vision process and the gate process: framed messages over a stream socket. Light to import.

A message is a 4-byte big-endian length, a JSON header of that length, then the binary attachments whose sizes the
header lists: `{"kind": …, "fields": {…}, "sizes": [n, …]}`. Kinds, with fields and attachments:

- `settings` (gate to vision, first): `edge.vision.settings.Settings`
- `passage` (gate to vision, any time): id of the passage at this camera's lane, "" for none: for the log
- `survey` (gate to vision, any time): seconds; for so long `sights` come beside the usual messages
- `sights`: of one surveyed frame: at_s, size [w, h], sights (each as `edge.core.camera.measured_plate.PlateSight`)
- `hello`: camera, models (name -> version or hash), pid
- `frame`: captured_mono_ns, captured_at, size [w, h] of the full frame, number, state (as in `health`); [JPEG for the
  live picture]
- `reading`: a `Reading` as `reading_fields` gives it; [JPEG of that very frame, JPEG of its crop]
- `gone`: track
- `health`, every second: state of the camera (connecting, up, down, frozen, blind), why, reader (loading, ready,
  failed: …), fps_in, fps_read, dropped, bad, age_ms, tracks (ids of the plates in view, told or not)
- `error`: part (camera, model, settings), text
"""

from __future__ import annotations

import json
import socket
import struct
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from edge.core.model import PlateRead, PlateText, Reading
from edge.errors import BadMessageError

KINDS = frozenset({"settings", "passage", "survey", "sights", "hello", "frame", "reading", "gone", "health", "error"})
HEADER_MOST_BYTES = 64 * 1024
ATTACHMENT_MOST_BYTES = 4 * 1024 * 1024
ATTACHMENTS_MOST = 4
_LENGTH = struct.Struct(">I")


@dataclass(frozen=True, slots=True)
class Message:
    kind: str
    fields: Mapping[str, Any] = field(default_factory=dict)
    attachments: tuple[bytes, ...] = ()


def encode(kind: str, fields: Mapping[str, Any], attachments: Sequence[bytes] = ()) -> bytes:
    """One message as bytes. Raises BadMessageError where it would break the limits that `Decoder` keeps."""
    sizes = [len(part) for part in attachments]
    header = json.dumps({"kind": kind, "fields": fields, "sizes": sizes}, ensure_ascii=False, allow_nan=False).encode()
    _check(kind, sizes, len(header))
    return b"".join([_LENGTH.pack(len(header)), header, *attachments])


def send(
    sock: socket.socket, kind: str, fields: Mapping[str, Any] | None = None, attachments: Sequence[bytes] = ()
) -> None:
    """Write one whole message to a blocking socket. Raises OSError when the other side is gone."""
    sock.sendall(encode(kind, fields or {}, attachments))


class Decoder:
    """Bytes in, messages out, however they were cut. After a BadMessageError the stream is lost: close it."""

    def __init__(self) -> None:
        self._held = bytearray()
        self._header: tuple[str, Mapping[str, Any], list[int]] | None = None

    def feed(self, data: bytes) -> list[Message]:
        """Messages that `data` completes, in order. Raises BadMessageError naming what is wrong."""
        self._held += data
        messages = []
        while (message := self._next()) is not None:
            messages.append(message)
        return messages

    def _next(self) -> Message | None:
        if self._header is None:
            self._header = self._take_header()
        if self._header is None:
            return None
        kind, fields, sizes = self._header
        if len(self._held) < sum(sizes):
            return None
        self._header = None
        return Message(kind, fields, tuple(self._take(size) for size in sizes))

    def _take(self, size: int) -> bytes:
        taken = bytes(self._held[:size])
        del self._held[:size]
        return taken

    def _take_header(self) -> tuple[str, Mapping[str, Any], list[int]] | None:
        if len(self._held) < _LENGTH.size:
            return None
        (length,) = _LENGTH.unpack_from(self._held)
        if length > HEADER_MOST_BYTES:
            raise BadMessageError(f"vision link: header of {length} bytes, at most {HEADER_MOST_BYTES} allowed")
        if len(self._held) < _LENGTH.size + length:
            return None
        self._take(_LENGTH.size)
        return _parse_header(self._take(length))


def _parse_header(raw: bytes) -> tuple[str, Mapping[str, Any], list[int]]:
    try:
        header = json.loads(raw)
        kind, fields, sizes = header["kind"], header["fields"], header["sizes"]
    except (ValueError, KeyError, TypeError) as error:
        raise BadMessageError(f"vision link: header is not what it must be: {error}") from error
    if not isinstance(fields, dict) or not isinstance(sizes, list):
        raise BadMessageError("vision link: fields must be an object and sizes a list")
    _check(kind, sizes, len(raw))
    return kind, fields, sizes


def _check(kind: object, sizes: Sequence[object], header_bytes: int) -> None:
    if not isinstance(kind, str) or kind not in KINDS:
        raise BadMessageError(f"vision link: kind {str(kind)[:40]!r} is not known")
    if header_bytes > HEADER_MOST_BYTES:
        raise BadMessageError(f"vision link: header of {header_bytes} bytes, at most {HEADER_MOST_BYTES} allowed")
    if len(sizes) > ATTACHMENTS_MOST:
        raise BadMessageError(f"vision link: {len(sizes)} attachments, at most {ATTACHMENTS_MOST} allowed")
    if not all(type(size) is int and 0 <= size <= ATTACHMENT_MOST_BYTES for size in sizes):
        raise BadMessageError(f"vision link: sizes {sizes} must be 0 to {ATTACHMENT_MOST_BYTES} bytes each")


# ---------------------------------------------------------------- a Reading as JSON and back


def reading_fields(reading: Reading) -> dict[str, Any]:
    """The reading as a JSON object with the names of `edge.core.model`."""
    return asdict(reading)


def reading_from_fields(fields: Mapping[str, Any]) -> Reading:
    """The reading that `reading_fields` gave. Raises BadMessageError where a field is missing, extra or unusable."""
    try:
        read = fields["read"]
        box: tuple[float, ...] = tuple(float(v) for v in read["box"])
        corners = tuple((float(x), float(y)) for x, y in read["corners"])
        width, height = fields["frame_size"]
        whole = read["whole"]
        if not isinstance(whole, bool):
            raise ValueError("whole must be true or false")
        if len(box) != 4 or len(corners) != 4:
            raise ValueError("box and corners must have four entries")
        plain = {key: value for key, value in fields.items() if key not in ("read", "frame_size")}
        plate_read = PlateRead(PlateText(**read["plate"]), (box[0], box[1], box[2], box[3]), corners, whole)
        return Reading(**plain, read=plate_read, frame_size=(int(width), int(height)))
    except (KeyError, TypeError, ValueError) as error:
        raise BadMessageError(f"vision link: reading: {error}") from error
