"""What a master asks and which answer fits: the protocol's own examples, and anything that a line may carry."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_io import questions
from firmware_io.framing import seal
from firmware_io.questions import Heard, Question, take_answer, take_packet

READS = st.builds(
    questions.read, st.integers(1, 247), st.sampled_from([1, 2, 3, 4]), st.integers(0, 0xFFFF), st.integers(1, 125)
)
WRITES = st.builds(
    questions.write,
    st.integers(1, 247),
    st.sampled_from([5, 6, 15, 16]),
    st.integers(0, 0xFFFF),
    st.integers(0, 0xFFFF),
)


def answer_to(asked: Question, fill: int = 0) -> bytes:
    """A right one, in the protocol's words."""
    if asked.function in (5, 6, 15, 16):
        return asked.body[:5]
    count = asked.body[3] << 8 | asked.body[4]
    size = (count + 7) // 8 if asked.function < 3 else 2 * count
    return bytes([asked.function, size]) + bytes([fill]) * size


@pytest.mark.parametrize(
    ("asked", "unit", "answer"),
    [
        (questions.read(1, 2, 0, 8), 2, b"\x02\x01\x00"),
        (questions.read(1, 2, 0, 8), 1, b"\x01\x01\x00"),
        (questions.read(1, 2, 0, 8), 1, b"\x02\x02\x00\x00"),
        (questions.read(1, 2, 0, 8), 1, b"\x82"),
        (questions.read(1, 3, 0, 2), 1, b"\x03\x02\x00\x00"),
        (questions.write(1, 5, 0, 0xFF00), 1, bytes.fromhex("050001ff00")),
        (questions.write(1, 5, 0, 0xFF00), 1, bytes.fromhex("0500000000")),
        (questions.write(1, 5, 0, 0xFF00), 1, bytes.fromhex("060000ff00")),
        (questions.write(1, 15, 0, 1), 1, bytes.fromhex("0f00000002")),
        (questions.write(1, 16, 7, 1), 1, bytes.fromhex("1000080001")),
    ],
)
def test_an_answer_that_does_not_fit_is_none(asked: questions.Question, unit: int, answer: bytes) -> None:
    assert not asked.fits(unit, answer)


def test_requests_and_their_answers_as_the_protocol_prints_them() -> None:
    """Modbus application protocol 1.1b3, 6.1 to 6.12; the CRC of 6.5's is Waveshare's manual's."""
    assert questions.read(1, 1, 0x13, 0x13).body == bytes.fromhex("0100130013")
    assert questions.read(1, 1, 0x13, 0x13).fits(1, bytes.fromhex("0103cd6b05"))
    assert questions.bits(bytes.fromhex("0103cd6b05"), 19)[:8] == [True, False, True, True, False, False, True, True]
    assert questions.words(bytes.fromhex("0306022b00000064")) == [555, 0, 100]
    assert questions.write(1, 5, 0, 0xFF00).frame() == bytes.fromhex("01050000ff008c3a")
    assert questions.write(1, 16, 1, 10).body == bytes.fromhex("100001000102000a")
    assert questions.write(1, 15, 0x13, 1).body == bytes.fromhex("0f001300010101")
    assert questions.write(17, 6, 1, 3).packet(0x1501) == bytes.fromhex("150100000006110600010003")
    with pytest.raises(ValueError, match="header"):
        questions.take_packet(bytes.fromhex("1501beef0006110600010003"))


@given(st.one_of(READS, WRITES), st.integers(0, 255))
def test_the_answer_and_the_refusal_fit(asked: Question, fill: int) -> None:
    assert asked.fits(asked.unit, answer_to(asked, fill))
    assert asked.fits(asked.unit, bytes([asked.function + 128, 2]))
    assert not asked.fits(asked.unit % 247 + 1, answer_to(asked))
    assert not asked.fits(asked.unit, b"")
    assert not asked.fits(asked.unit, answer_to(asked) + b"\x00")
    assert not asked.fits(asked.unit, answer_to(asked)[:-1])


@given(st.one_of(READS, WRITES))
def test_a_question_looks_like_its_answer(asked: Question) -> None:
    """As line._looks has it, of what was heard."""
    answer = answer_to(asked)
    told = bytes([asked.function, len(answer)]) if asked.function < 5 else answer
    assert asked.looks() == bytes([asked.unit]) + told


def test_many_coils_and_functions_that_are_none() -> None:
    assert questions.read(1, 1, 0, 2000).answer_length() == 252
    assert questions.read(1, 3, 0, 125).answer_length() == 252
    assert take_answer(seal(bytes([1, 7, 0, 0, 0])))[0] is None


@given(READS, READS)
def test_two_questions_look_the_same_only_where_one_s_answer_fits_the_other(one: Question, other: Question) -> None:
    fits = one.unit == other.unit and one.fits(other.unit, answer_to(other))
    assert (one.looks() == other.looks()) is fits


@given(WRITES, WRITES)
def test_two_orders_look_the_same_only_where_they_say_the_same_in_their_answer(one: Question, other: Question) -> None:
    fits = one.unit == other.unit and one.fits(other.unit, answer_to(other))
    assert (one.looks() == other.looks()) is fits


@given(st.one_of(READS, WRITES), st.integers(0, 40))
def test_an_answer_is_taken_whole_and_what_follows_is_kept(asked: Question, cut: int) -> None:
    frame = seal(bytes([asked.unit]) + answer_to(asked, 0x55))
    assert take_answer(frame + frame[:4]) == (Heard(asked.unit, answer_to(asked, 0x55)), frame[:4], 0)
    short = frame[: min(cut, len(frame) - 1)]
    assert take_answer(short) == (None, short, 0)


def test_a_refusal_is_five_bytes_and_rubbish_before_an_answer_is_skipped() -> None:
    refusal = seal(bytes([1, 0x82, 2]))
    assert take_answer(refusal) == (Heard(1, b"\x82\x02"), b"", 0)
    found, rest, skipped = take_answer(b"\x00\xff\x00" + refusal)
    assert (found, rest, skipped) == (Heard(1, b"\x82\x02"), b"", 3)
    assert take_answer(bytes([1, 7, 0, 0, 0, 0]))[0] is None
    assert take_answer(bytes([1, 7, 0, 0, 0]))[1:] == (bytes([7, 0, 0, 0]), 1)


def test_a_spoilt_answer_is_none() -> None:
    frame = bytearray(seal(bytes([1]) + answer_to(questions.read(1, 2, 0, 8))))
    for byte in range(len(frame)):
        for bit in range(8):
            spoilt = bytearray(frame)
            spoilt[byte] ^= 1 << bit
            assert take_answer(bytes(spoilt))[0] is None


def test_packets_of_modbus_tcp() -> None:
    packet = bytes.fromhex("15010000000411020100")
    assert take_packet(packet + b"\x15") == ((0x1501, Heard(0x11, b"\x02\x01\x00")), b"\x15")
    for cut in range(len(packet)):
        assert take_packet(packet[:cut]) == (None, packet[:cut])
    for wrong in ("1501000000011102", "150100000100110201", "1501000100041102", "15010100000411020100"):
        with pytest.raises(ValueError, match="header"):
            take_packet(bytes.fromhex(wrong))
    longest = bytes.fromhex("1501000000fe") + bytes(254)
    assert take_packet(longest) == ((0x1501, Heard(0, bytes(253))), b"")
    shortest = bytes.fromhex("1501000000021183")
    assert take_packet(shortest) == ((0x1501, Heard(0x11, b"\x83")), b"")


def test_bits_and_words_are_read_where_they_stand() -> None:
    assert questions.bits(b"\x01\x02\x01\x80", 16) == [True] + [False] * 14 + [True]
    assert questions.words(b"\x03\x04\x12\x34\xff\xff") == [0x1234, 0xFFFF]
    assert questions.words(b"\x03\x00") == []
    assert questions.write(1, 15, 2, 0).body == bytes.fromhex("0f000200010100")
    assert questions.write(1, 15, 2, 0xFF00).body == bytes.fromhex("0f000200010101")
    assert questions.COIL_ON == 0xFF00
