"""Frames: against published bytes, and against anything a line may carry."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from firmware_io import framing
from firmware_io.framing import Request

WORDS = st.integers(0, 0xFFFF)
REQUESTS = st.builds(Request, st.integers(1, 247), st.sampled_from([1, 2, 5]), WORDS, WORDS)


def encode(asked: Request) -> bytes:
    return framing.request(asked.unit, asked.function, asked.address, asked.word)


@pytest.mark.parametrize(
    ("body", "frame"),
    [
        ("010502000007", "0105020000078db0"),  # Waveshare's manual: relay 0 on for 700 ms
        ("010200000008", "01020000000879cc"),  # and: read the eight inputs
        ("01050000ff00", "01050000ff008c3a"),
    ],
)
def test_published_frames(body: str, frame: str) -> None:
    assert framing.seal(bytes.fromhex(body)).hex() == frame


def test_crc_of_the_check_string() -> None:
    assert framing.crc16(b"123456789") == 0x4B37


@given(REQUESTS)
def test_what_is_sent_is_what_is_taken(asked: Request) -> None:
    assert framing.take_request(encode(asked)) == (asked, b"")


@given(REQUESTS, st.integers(0, 7))
def test_a_part_of_a_frame_is_kept_until_the_rest_comes(asked: Request, cut: int) -> None:
    frame = encode(asked)
    assert framing.take_request(frame[:cut]) == (None, frame[:cut])
    assert framing.take_request(frame + frame[:cut]) == (asked, frame[:cut])


@given(REQUESTS, st.integers(0, 7), st.integers(0, 7))
def test_a_flipped_bit_is_never_taken_for_the_frame(asked: Request, byte: int, bit: int) -> None:
    frame = bytearray(encode(asked))
    frame[byte] ^= 1 << bit
    assert framing.take_request(bytes(frame))[0] is None


@given(st.binary(max_size=5), REQUESTS)
def test_it_resynchronises_after_rubbish(rubbish: bytes, asked: Request) -> None:
    assume(framing.WRITE_COILS not in rubbish + encode(asked))  # looks like a longer frame, and waits for its rest
    buffer = rubbish + encode(asked) + encode(asked)
    taken = []
    for _ in range(4):
        found, buffer = framing.take_request(buffer)
        taken += [found] if found else []
    assert asked in taken


def test_write_coils_carries_its_data() -> None:
    frame = framing.seal(bytes.fromhex("010f0000000801ff"))
    assert framing.take_request(frame + b"\x01") == (Request(1, 15, 0, 8, b"\xff"), b"\x01")
    assert framing.take_request(frame[:9]) == (None, frame[:9])
    many = framing.seal(bytes.fromhex("010f0000010821") + bytes(33))
    assert framing.take_request(many) == (Request(1, 15, 0, 264, bytes(33)), b"")


def test_a_byte_count_that_does_not_fit_its_coils_begins_no_frame() -> None:
    asked = Request(1, 1, 0, 8)
    assert framing.take_request(bytes.fromhex("010f00000008") + encode(asked)) == (asked, b"")


def test_bits_go_lowest_first() -> None:
    asked = Request(1, 2, 0, 9)
    reply = framing.bits_reply(asked, [True, False, False, False, False, False, False, True, True])
    assert reply == framing.seal(bytes([1, 2, 2, 0x81, 0x01]))
    assert framing.bits_reply(asked, [True] * 8) == framing.seal(bytes([1, 2, 1, 0xFF]))


def test_replies() -> None:
    asked = Request(17, 5, 0x0200, 7)
    assert framing.echo_reply(asked) == encode(asked)
    assert framing.error_reply(asked, framing.ILLEGAL_ADDRESS) == framing.seal(bytes([17, 0x85, 2]))
    assert framing.error_reply(Request(17, 2, 0, 8), framing.ILLEGAL_VALUE) == framing.seal(bytes([17, 0x82, 3]))


@pytest.mark.parametrize(
    ("channel", "on", "frame"), [(1, True, "a00101a2"), (1, False, "a00100a1"), (8, True, "a00801a9")]
)
def test_lcus_frames(channel: int, on: bool, frame: str) -> None:
    assert framing.lcus_frame(channel, on).hex() == frame
    assert framing.lcus_take(bytes.fromhex("ff") + bytes.fromhex(frame)) == ((channel, on), b"")


def test_lcus_frames_follow_each_other() -> None:
    both = framing.lcus_frame(1, True) + framing.lcus_frame(2, False)
    assert framing.lcus_take(both) == ((1, True), framing.lcus_frame(2, False))


@pytest.mark.parametrize("channel", [0, 9, -1])
def test_lcus_has_eight_channels(channel: int) -> None:
    with pytest.raises(ValueError, match="1 to 8"):
        framing.lcus_frame(channel, True)


@pytest.mark.parametrize("frame", ["a00101a3", "a10101a2", "a00102a3", "a001"])
def test_what_is_no_lcus_frame_is_none(frame: str) -> None:
    assert framing.lcus_take(bytes.fromhex(frame))[0] is None
