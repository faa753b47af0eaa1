"""The gate's own Ed25519 key: made at the first start, never leaves the data folder. It signs the hash of every
event."""

from __future__ import annotations

import logging
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from edge import errors
from edge.core.record.events import SignatureCheck, Signer
from edge.files import write_whole
from edge.store import db

log = logging.getLogger(__name__)

KEY = Path("keys") / "gate.pem"
"""In the data folder."""


class GateKey:
    """Signs; `public_hex` (32 bytes as hex) is what the centre is told once, on paper or at set-up."""

    def __init__(self, private: Ed25519PrivateKey) -> None:
        self._private = private
        self.public_hex = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()

    def sign(self, message: bytes) -> bytes:
        return self._private.sign(message)

    def check(self, message: bytes, signature: bytes) -> bool:
        return check_with(self._private.public_key())(message, signature)


def without_key(data_dir: Path) -> str:
    """Why no key may be made for this folder, or "": a record is here, and the key that signed it is not. A new one
    would be another gate's."""
    path = data_dir / KEY
    if path.exists() or not (data_dir / db.NAME).exists():
        return ""
    return f"{path} is gone, the record that it signed is here: put it back from a backup (barie restore)"


def open_key(folder: Path) -> GateKey:
    """The key in `folder`, made there (mode 0600, fsynced) where there is none: with a word in the log, and never
    beside a record. Raises StoreError."""
    path = folder / KEY.name
    if why := without_key(folder.parent):
        raise errors.StoreError(why)
    with db.translated(f"opening the gate's key {path}"):
        if made := not path.exists():
            _make(path)
        pem = path.read_bytes()
    try:
        private = load_pem_private_key(pem, password=None)
    except ValueError as error:
        raise errors.StoreError(f"{path} is not a key: put the right one back, or move it away") from error
    if not isinstance(private, Ed25519PrivateKey):
        raise errors.StoreError(f"{path} is not an Ed25519 key")
    key = GateKey(private)
    if made:
        log.warning("a new signing key was made in %s; tell the centre its public half: %s", folder, key.public_hex)
    return key


def load_or_create_signer(folder: Path) -> Signer:
    """The signing function of the key in `folder`; makes the key at the first start. Raises StoreError."""
    return open_key(folder).sign


def public_check(folder: Path) -> SignatureCheck | None:
    """The check with the public key beside the private one; None where this folder has none."""
    path = folder / "gate.pub.pem"
    if not path.exists():
        return None
    with db.translated(f"reading {path}"):
        key = load_pem_public_key(path.read_bytes())
    if not isinstance(key, Ed25519PublicKey):
        raise errors.StoreError(f"{path} is not an Ed25519 key")
    return check_with(key)


def check_with(key: Ed25519PublicKey) -> SignatureCheck:
    def check(message: bytes, signature: bytes) -> bool:
        try:
            key.verify(signature, message)
        except InvalidSignature:
            return False
        return True

    return check


def _make(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    private = Ed25519PrivateKey.generate()
    public_pem = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    write_whole(path.with_name("gate.pub.pem"), public_pem, 0o644)
    write_whole(path, private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), 0o600)
