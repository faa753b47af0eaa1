"""Messages between a vision process and the gate process, cut anywhere, and what is refused."""

from __future__ import annotations

import json
import socket
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.core.model import PlateRead, PlateText, Reading
from edge.errors import BadMessageError
from edge.vision import messages

READING = Reading(
    camera="b1-front",
    track=3,
    frame=41,
    captured_mono_ns=123_456_789_012,
    captured_at="2026-11-20T09:10:00.123+07:00",
    read=PlateRead(
        PlateText("12C12345", "12C\n123.45", 0.97, "VN", "vn_vehicle", "two_line", None),
        (10.0, 20.0, 110.5, 90.0),
        ((10.0, 20.0), (110.5, 21.0), (110.0, 90.0), (11.0, 89.0)),
        whole=True,
    ),
    decided=True,
    votes=4,
    frame_size=(1280, 720),
)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(sorted(messages.KINDS)),
            st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=9), max_size=3),
            st.lists(st.binary(max_size=50), max_size=messages.ATTACHMENTS_MOST),
        ),
        max_size=5,
    ),
    st.integers(1, 40),
)
def test_messages_come_out_whole_however_they_are_cut(
    sent: list[tuple[str, dict[str, Any], list[bytes]]], cut: int
) -> None:
    data = b"".join(messages.encode(*message) for message in sent)
    decoder = messages.Decoder()
    got = [message for i in range(0, len(data), cut) for message in decoder.feed(data[i : i + cut])]
    assert got == [messages.Message(kind, fields, tuple(parts)) for kind, fields, parts in sent]


def test_send_over_a_socket() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        messages.send(ours, "frame", {"number": 1}, [b"jpeg"])
        assert messages.Decoder().feed(theirs.recv(4096)) == [messages.Message("frame", {"number": 1}, (b"jpeg",))]


def test_a_reading_survives_the_journey() -> None:
    data = messages.encode("reading", messages.reading_fields(READING))
    (message,) = messages.Decoder().feed(data)
    assert messages.reading_from_fields(message.fields) == READING


def _raw(header: object) -> bytes:
    text = json.dumps(header).encode()
    return struct.pack(">I", len(text)) + text


@pytest.mark.parametrize(
    ("data", "named"),
    [
        (struct.pack(">I", messages.HEADER_MOST_BYTES + 1), "header of"),
        (struct.pack(">I", 3) + b"{x}", "header is not"),
        (_raw([1]), "header is not"),
        (_raw({"kind": "frame", "fields": {}}), "sizes"),
        (_raw({"kind": "dance", "fields": {}, "sizes": []}), "dance"),
        (_raw({"kind": ["frame"], "fields": {}, "sizes": []}), "kind"),
        (_raw({"kind": "frame", "fields": [], "sizes": []}), "fields"),
        (_raw({"kind": "frame", "fields": {}, "sizes": [-1]}), "sizes"),
        (_raw({"kind": "frame", "fields": {}, "sizes": [True]}), "sizes"),
        (_raw({"kind": "frame", "fields": {}, "sizes": [messages.ATTACHMENT_MOST_BYTES + 1]}), "sizes"),
        (_raw({"kind": "frame", "fields": {}, "sizes": [0] * (messages.ATTACHMENTS_MOST + 1)}), "attachments"),
    ],
)
def test_a_bad_stream_is_refused_and_says_why(data: bytes, named: str) -> None:
    with pytest.raises(BadMessageError, match=named):
        messages.Decoder().feed(data)


def test_what_a_decoder_would_refuse_is_never_sent() -> None:
    with pytest.raises(BadMessageError, match="attachments"):
        messages.encode("frame", {}, [b""] * (messages.ATTACHMENTS_MOST + 1))
    with pytest.raises(BadMessageError, match="kind"):
        messages.encode("dance", {})


@pytest.mark.parametrize("key", ["read", "frame_size", "decided", "camera"])
def test_a_reading_without_a_field_is_refused(key: str) -> None:
    fields = messages.reading_fields(READING)
    del fields[key]
    with pytest.raises(BadMessageError, match="reading"):
        messages.reading_from_fields(fields)


def test_a_reading_with_three_corners_is_refused() -> None:
    fields = messages.reading_fields(READING)
    fields["read"]["corners"] = fields["read"]["corners"][:3]
    with pytest.raises(BadMessageError, match="four"):
        messages.reading_from_fields(fields)


@pytest.mark.parametrize("whole", [None, 1, "true"])
def test_a_reading_that_does_not_say_whether_it_was_whole_is_refused(whole: object) -> None:
    fields = messages.reading_fields(READING)
    fields["read"]["whole"] = whole
    with pytest.raises(BadMessageError, match="whole"):
        messages.reading_from_fields(fields)
