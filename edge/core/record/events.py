"""The envelope of the record: canonical JSON, hash chain, UUIDv7. Pure: time, ids and signatures come in as arguments.

Every event of a lane carries the hash of the one before it, so that any later change, gap or reorder shows. `hash` is
SHA-256 over the canonical envelope without `hash` and `signature`; `signature` is the gate's Ed25519 signature of those
32 bytes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

GENESIS_HASH = "0" * 64
"""`prev_hash` of a lane's first event."""

KINDS = frozenset(
    "passage confirmation override refusal paper_form barrier yard_level alarm login config health".split()  # noqa: SIM905
)

_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)

Signer = Callable[[bytes], bytes]
"""The 32 hash bytes in, the 64 signature bytes out."""

SignatureCheck = Callable[[bytes, bytes], bool]
"""(hash bytes, signature bytes) to "this gate signed it"."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """One event as the outside sees it (docs/storage.md). `signature` is lower-case hex, "" where the gate has no key.

    `captured_at` is the frame's time, None where no camera was involved; `mono_ns` is CLOCK_MONOTONIC of `boot_id`.
    """

    event_id: str
    site: str
    lane: str
    seq: int
    kind: str
    captured_at: str | None
    recorded_at: str
    boot_id: str
    mono_ns: int
    clock: str
    prev_hash: str
    hash: str
    signature: str
    body: Mapping[str, Any]

    def to_bytes(self) -> bytes:
        """The canonical JSON that is stored, published and exported."""
        return canonical({f.name: getattr(self, f.name) for f in fields(self)})


@dataclass(frozen=True, slots=True)
class Anchor:
    """The last event before a stretch of the chain: where checking begins."""

    seq: int = 0
    hash: str = GENESIS_HASH


@dataclass(frozen=True, slots=True)
class ChainFault:
    """The first row of a lane that does not hold. `seq` is the number that should stand there."""

    lane: str
    seq: int
    why: str


def canonical(value: Mapping[str, Any]) -> bytes:
    """JSON with sorted keys, no spaces, UTF-8. Raises ValueError for NaN, infinities and anything that is not JSON."""
    try:
        return _ENCODER.encode(value).encode("utf-8")
    except (TypeError, ValueError, UnicodeEncodeError, RecursionError) as error:
        raise ValueError(f"not JSON: {error}") from error


def envelope_hash(envelope: Mapping[str, Any]) -> str:
    """SHA-256 in hex over the canonical envelope without `hash` and `signature`."""
    return hashlib.sha256(canonical({k: v for k, v in envelope.items() if k not in ("hash", "signature")})).hexdigest()


def raw_hash(payload: bytes) -> str:
    """The hash that an envelope must bear, over its own bytes as they are published, without `hash` and `signature`: no
    reader of numbers stands between, so every language gives the same, for every number that was ever written.

    The envelope's keys are sorted, so both stand behind `body`, and nothing behind them holds a quote that is not
    escaped. Raises ValueError where they do not.
    """
    at, sign = payload.rfind(b',"hash":"'), payload.rfind(b',"signature":"')
    end, signed = payload.find(b'",', at + 9), payload.find(b'",', sign + 14)
    if not 0 < at < end < sign < signed:
        raise ValueError("is not in canonical form")
    return hashlib.sha256(payload[:at] + payload[end + 1 : sign] + payload[signed + 1 :]).hexdigest()


def seal(
    *,
    event_id: str,
    site: str,
    lane: str,
    after: Anchor,
    kind: str,
    captured_at: str | None,
    recorded_at: str,
    boot_id: str,
    mono_ns: int,
    clock: str,
    body: Mapping[str, Any],
    sign: Signer | None,
) -> tuple[Envelope, bytes]:
    """The next event of a lane, chained to `after`, and its canonical JSON. Raises ValueError: unknown kind, or a body
    that is not JSON."""
    if kind not in KINDS:
        raise ValueError(f"unknown kind of event {kind!r}: one of {', '.join(sorted(KINDS))}")
    bare: dict[str, Any] = {
        "event_id": event_id,
        "site": site,
        "lane": lane,
        "seq": after.seq + 1,
        "kind": kind,
        "captured_at": captured_at,
        "recorded_at": recorded_at,
        "boot_id": boot_id,
        "mono_ns": mono_ns,
        "clock": clock,
        "prev_hash": after.hash,
        "body": dict(body),
    }
    text = canonical(bare)
    digest = hashlib.sha256(text)
    envelope = Envelope(**bare, hash=digest.hexdigest(), signature=sign(digest.digest()).hex() if sign else "")
    return envelope, _spliced(text, envelope)


def _spliced(bare: bytes, envelope: Envelope) -> bytes:
    """`Envelope.to_bytes` without encoding everything again. Keys are sorted, and no text holds a quote that is not
    escaped: the last `,"kind":"` and `,"site":"` are the envelope's own."""
    kind, site = bare.rfind(b',"kind":"'), bare.rfind(b',"site":"')
    digest, signature = f',"hash":"{envelope.hash}"'.encode(), f',"signature":"{envelope.signature}"'.encode()
    return b"".join((bare[:kind], digest, bare[kind:site], signature, bare[site:]))


def uuid7(unix_ms: int, random_bytes: bytes) -> str:
    """UUIDv7 (RFC 9562): 48 bits of Unix milliseconds, then 74 bits taken from at least 10 random bytes."""
    if len(random_bytes) < 10:
        raise ValueError("uuid7 needs 10 random bytes")
    raw = bytearray((unix_ms & (1 << 48) - 1).to_bytes(6, "big") + random_bytes[:10])
    raw[6] = 0x70 | raw[6] & 0x0F
    raw[8] = 0x80 | raw[8] & 0x3F
    text = raw.hex()
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


# ---------------------------------------------------------------- checking a chain


def verify_chain(
    rows: Iterable[bytes],
    *,
    site: str,
    lane: str,
    anchor: Anchor,
    check: SignatureCheck | None = None,
    holes: Sequence[tuple[int, int]] = (),
) -> ChainFault | Anchor:
    """Walk a lane's stored events as they stand: the first fault, or the anchor where the walk ended.

    With `check`, every event must bear a valid signature; without it signatures are not looked at. `holes`: numbers,
    from and to, that a later event of the same chain says are gone: the chain may go on behind them.
    """
    for payload in rows:
        found = _next_anchor(payload, site, lane, _behind_holes(payload, anchor, holes), check)
        if isinstance(found, str):
            return ChainFault(lane, anchor.seq + 1, found)
        anchor = found
    return anchor


def _behind_holes(payload: bytes, after: Anchor, holes: Sequence[tuple[int, int]]) -> Anchor:
    """Where the walk goes on: behind what is told to be gone, by the next row's own word for what hung there."""
    if not holes:
        return after
    try:
        row = json.loads(payload)
        seq, before = row["seq"], row["prev_hash"]
        gone = seq > after.seq + 1 and all(
            any(first <= edge <= last for first, last in holes) for edge in (after.seq + 1, seq - 1)
        )
    except (ValueError, KeyError, TypeError, RecursionError):
        return after
    return Anchor(seq - 1, before) if gone else after


def _next_anchor(payload: bytes, site: str, lane: str, after: Anchor, check: SignatureCheck | None) -> Anchor | str:
    """The anchor behind this row, or why the row does not hold."""
    try:
        row = json.loads(payload)
    except (ValueError, RecursionError) as error:
        return f"is not JSON: {error}"
    if not isinstance(row, dict) or set(row) != {f.name for f in fields(Envelope)}:
        return "does not have the fields of an envelope"
    if row["seq"] != after.seq + 1:
        return f"seq {row['seq']!r} stands where {after.seq + 1} should: gap, repeat or reorder"
    if (row["site"], row["lane"]) != (site, lane):
        return f"belongs to {row['site']!r} {row['lane']!r}, not to {site!r} {lane!r}"
    if row["prev_hash"] != after.hash:
        return "prev_hash is not the hash of the event before it"
    return _check_content(payload, row, check)


def _check_content(payload: bytes, row: Mapping[str, Any], check: SignatureCheck | None) -> Anchor | str:
    try:
        digest = raw_hash(payload)
        if digest != row["hash"]:
            return "its content does not give its hash: changed after it was written"
        if check is not None and not check(bytes.fromhex(digest), bytes.fromhex(row["signature"])):
            return "its signature is not this gate's"
    except (ValueError, TypeError) as error:
        return f"cannot be checked: {error}"
    return Anchor(row["seq"], digest)
