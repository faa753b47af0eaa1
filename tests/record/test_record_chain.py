"""The envelope and the hash chain: any changed byte, gap or reorder is found, and the first bad row is named."""

from __future__ import annotations

import json
import shutil
import subprocess
import uuid
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.core.record import events
from edge.core.record.events import GENESIS_HASH, Anchor, ChainFault, Envelope, canonical, uuid7, verify_chain
from edge.store import Clocks, Store
from edge.store.keys import open_key
from tests.record.world import SITE

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**9), 10**9)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def build(after: Anchor, body: dict[str, Any]) -> Envelope:
    envelope, payload = events.seal(
        event_id=uuid7(1_700_000_000_000 + after.seq, bytes(10)),
        site=SITE,
        lane="b1",
        after=after,
        kind="passage",
        captured_at=None,
        recorded_at="2026-11-20T09:10:00.000+07:00",
        boot_id="boot",
        mono_ns=after.seq,
        clock="synced",
        body=body,
        sign=lambda digest: bytes(reversed(digest)) * 2,
    )
    assert payload == envelope.to_bytes()
    return envelope


def chain(count: int) -> list[bytes]:
    rows, after = [], Anchor()
    for number in range(count):
        envelope = build(after, {"number": number, "text": "Đường"})
        after = Anchor(envelope.seq, envelope.hash)
        rows.append(envelope.to_bytes())
    return rows


def check(digest: bytes, signature: bytes) -> bool:
    return signature == bytes(reversed(digest)) * 2


def verify(rows: list[bytes], anchor: Anchor | None = None) -> ChainFault | Anchor:
    return verify_chain(rows, site=SITE, lane="b1", anchor=anchor or Anchor(), check=check)


ROWS = chain(6)


def test_a_whole_chain_ends_at_its_last_event() -> None:
    end = verify(ROWS)
    assert end == Anchor(6, json.loads(ROWS[-1])["hash"])
    assert json.loads(ROWS[0])["prev_hash"] == GENESIS_HASH


def test_a_chain_goes_on_from_an_anchor() -> None:
    third = json.loads(ROWS[2])
    assert isinstance(verify(ROWS[3:], Anchor(3, third["hash"])), Anchor)


@given(row=st.integers(0, 5), place=st.integers(0, 2000), value=st.integers(0, 255))
def test_any_changed_byte_is_found_in_its_row(row: int, place: int, value: int) -> None:
    changed = bytearray(ROWS[row])
    place %= len(changed)
    if changed[place] == value:
        value ^= 1
    changed[place] = value
    found = verify([*ROWS[:row], bytes(changed), *ROWS[row + 1 :]])
    assert isinstance(found, ChainFault)
    assert found.seq == row + 1


@given(row=st.integers(0, 5), place=st.integers(0, 2000))
def test_a_removed_byte_is_found(row: int, place: int) -> None:
    place %= len(ROWS[row])
    found = verify([*ROWS[:row], ROWS[row][:place] + ROWS[row][place + 1 :], *ROWS[row + 1 :]])
    assert isinstance(found, ChainFault)
    assert found.seq == row + 1


@pytest.mark.parametrize(("old", "new"), [(b'"seq":2', b'"seq": 2'), ("Đ".encode(), b"\\u0110")])
def test_another_spelling_of_the_same_content_is_found(old: bytes, new: bytes) -> None:
    found = verify([ROWS[0], ROWS[1].replace(old, new), *ROWS[2:]])
    assert found == ChainFault("b1", 2, "its content does not give its hash: changed after it was written")


@given(row=st.integers(0, 4))
def test_a_gap_is_found_where_it_begins(row: int) -> None:
    found = verify([*ROWS[:row], *ROWS[row + 1 :]])
    assert found == ChainFault("b1", row + 1, f"seq {row + 2} stands where {row + 1} should: gap, repeat or reorder")


@given(order=st.permutations(range(6)))
def test_a_reorder_is_found_at_its_first_row(order: list[int]) -> None:
    found = verify([ROWS[place] for place in order])
    first = next((place for place in range(6) if order[place] != place), None)
    assert isinstance(found, Anchor) if first is None else isinstance(found, ChainFault) and found.seq == first + 1


def test_a_row_made_anew_without_the_key_is_found_by_its_signature() -> None:
    forged = json.loads(ROWS[5])
    forged["body"]["number"] = 99
    forged["hash"] = events.envelope_hash(forged)
    found = verify([*ROWS[:5], canonical(forged)])
    assert found == ChainFault("b1", 6, "its signature is not this gate's")


def test_an_event_of_another_lane_is_found() -> None:
    found = verify_chain(ROWS, site=SITE, lane="b2", anchor=Anchor(), check=None)
    assert isinstance(found, ChainFault)
    assert "belongs to" in found.why


@given(body=st.dictionaries(st.text(), JSON, max_size=4))
def test_an_envelope_reads_back_as_it_was_hashed(body: dict[str, Any]) -> None:
    try:
        envelope = build(Anchor(), body)
    except ValueError:
        assert "\\ud" in json.dumps(body)  # lone surrogates are not text
        return
    row = json.loads(envelope.to_bytes())
    assert canonical(row) == envelope.to_bytes()
    assert events.envelope_hash(row) == envelope.hash
    assert isinstance(verify([envelope.to_bytes()]), Anchor)


@pytest.mark.parametrize(
    "body", [{"x": float("nan")}, {"x": float("inf")}, {"x": b"bytes"}, {"x": {1, 2}}, {"x": "\ud800"}]
)
def test_what_is_not_json_is_refused(body: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="not JSON"):
        build(Anchor(), body)


def test_what_is_stored_is_the_canonical_envelope_whatever_a_text_says() -> None:
    text = '","kind":"x","site":"y","hash":"z"'
    parts = dict.fromkeys(("event_id", "site", "lane", "recorded_at", "boot_id", "clock"), text)
    envelope, payload = events.seal(
        **parts, after=Anchor(), kind="passage", captured_at=text, mono_ns=0, body={text: text}, sign=lambda one: one
    )
    assert payload == envelope.to_bytes()
    assert verify_chain([payload], site=text, lane=text, anchor=Anchor()) == Anchor(1, envelope.hash)


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown kind"):
        events.seal(
            event_id="", site="", lane="", after=Anchor(), kind="gossip", captured_at=None, recorded_at="", boot_id="",
            mono_ns=0, clock="synced", body={}, sign=None,
        )  # fmt: skip


@given(unix_ms=st.integers(0, (1 << 48) - 1), random=st.binary(min_size=10, max_size=16))
def test_uuid7_is_one_by_the_standard(unix_ms: int, random: bytes) -> None:
    made = uuid.UUID(uuid7(unix_ms, random))
    assert (made.version, made.variant) == (7, uuid.RFC_4122)
    assert made.int >> 80 == unix_ms


@given(first=st.integers(0, (1 << 48) - 2), later=st.integers(1, 1000), random=st.binary(min_size=10, max_size=10))
def test_uuid7_sorts_by_time(first: int, later: int, random: bytes) -> None:
    assert uuid7(first, random) < uuid7(min(first + later, (1 << 48) - 1), bytes(10))


# ---------------------------------------------------------------- in another language

NODE = shutil.which("node")


@pytest.mark.skipif(NODE is None, reason="needs nodejs")
def test_a_verifier_in_javascript_agrees_on_every_number(tmp_path: Path) -> None:
    """1.0, 1e-05 and a monotonic clock after 104 days: what two languages write differently is never read at all."""
    key = open_key(tmp_path / "keys")
    clocks = Clocks(mono_ns=lambda: 2**53 + 1)
    store = Store.open(tmp_path, site="testsite", lanes=["b1"], signer=key.sign, clocks=clocks)
    for number in (1.0, 1e-05, 1e21, 0.1 + 0.2, -0.0, 2**63, 5e-324):
        with store.transaction("b1") as tx:
            tx.event("passage", {"number": number, "text": ',"hash":"x" Đ 桂 \u2028'})
    lines = b"\n".join(event.payload for event in store.pending("b1", 0, 100))
    store.close()

    def said(stream: bytes) -> tuple[int, str]:
        command = [str(NODE), str(Path(__file__).parent / "verify_chain.mjs"), key.public_hex]
        done = subprocess.run(command, input=stream, capture_output=True, check=False)
        return done.returncode, done.stdout.decode().strip()

    assert said(lines) == (0, "7 hold")
    assert said(lines.replace(b"1e-05", b"1e-06")) == (1, "event 2 does not hold")
