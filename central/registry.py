"""Which keys may sign for a lane: rotation by numbers, revocation at once. Pure but for the reading of the table."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from central.database import Connection


@dataclass(frozen=True, slots=True)
class Key:
    """`from_seq` to `to_seq` (None: no end): the events that it may sign."""

    public: str
    from_seq: int
    to_seq: int | None
    revoked: bool

    def signs(self, digest: bytes, signature: bytes) -> bool:
        try:
            Ed25519PublicKey.from_public_bytes(bytes.fromhex(self.public)).verify(signature, digest)
        except InvalidSignature:
            return False
        return True


Registry = Mapping[str, tuple[Key, ...]]
"""A site's keys by lane."""


def read(connection: Connection, site: str) -> Registry:
    rows = connection.execute(
        "SELECT lane, public_key, from_seq, to_seq, revoked_at IS NOT NULL FROM gate_key WHERE site = %s", (site,)
    ).fetchall()
    found: dict[str, tuple[Key, ...]] = {}
    for lane, *key in rows:
        found[lane] = (*found.get(lane, ()), Key(*key))
    return found


def fault(keys: Iterable[Key], event: Mapping[str, Any]) -> str:
    """Why this event may not be taken, or "". `keys` are all of its lane, one at least."""
    digest = bytes.fromhex(event["hash"])
    try:
        signature = bytes.fromhex(event["signature"])
    except ValueError:
        return "signature: is no hexadecimal text"
    mine = [key for key in keys if key.signs(digest, signature)]
    if not mine:
        return "signature: by no key of the registry"
    if any(key.revoked for key in mine):
        return "signature: by a key that is revoked"
    if not any(key.from_seq <= event["seq"] <= (key.to_seq or event["seq"]) for key in mine):
        return "signature: by a key that is not for this number"
    return ""


def add(connection: Connection, site: str, lane: str, public: str, from_seq: int = 1, note: str = "") -> None:
    """A lane's new key; the one before may sign up to the event before."""
    with connection.transaction():
        if from_seq > 1:
            connection.execute(
                "UPDATE gate_key SET to_seq = %s WHERE site = %s AND lane = %s AND to_seq IS NULL AND public_key <> %s",
                (from_seq - 1, site, lane, public),
            )
        connection.execute(
            "INSERT INTO gate_key (site, lane, public_key, from_seq, note) VALUES (%s, %s, %s, %s, %s)"
            " ON CONFLICT (site, lane, public_key) DO UPDATE SET from_seq = excluded.from_seq, note = excluded.note",
            (site, lane, public, from_seq, note),
        )


def revoke(connection: Connection, public: str) -> int:
    """Of every lane; how many lanes that were."""
    return connection.execute(
        "UPDATE gate_key SET revoked_at = now() WHERE public_key = %s AND revoked_at IS NULL", (public,)
    ).rowcount


def as_json(connection: Connection) -> str:
    rows = connection.execute(
        "SELECT site, lane, public_key, from_seq, to_seq, revoked_at::text, note FROM gate_key ORDER BY 1, 2, 4"
    ).fetchall()
    names = ("site", "lane", "public_key", "from_seq", "to_seq", "revoked_at", "note")
    return json.dumps([dict(zip(names, row, strict=True)) for row in rows], ensure_ascii=False)
