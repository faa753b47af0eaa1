"""A record signed with the gate's own key: text, date and signature in one file that anybody can check with the public
key."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from edge.clock import wall_iso
from edge.config import load_config
from edge.errors import BarieError
from edge.store.keys import open_key, public_check

_SEAL = re.compile(
    r"<!-- barie-signature at=(\S+) key=([0-9a-f]{64}) sha256=([0-9a-f]{64}) sig=([0-9a-f]{128}) -->\n\Z"
)


def sign(text: str, data_dir: Path) -> str:
    """The text with a last line that seals all of it and the date. Raises StoreError."""
    key, at = open_key(data_dir / "keys"), wall_iso()
    digest = hashlib.sha256(text.encode()).hexdigest()
    signature = key.sign(_message(at, digest)).hex()
    return f"{text}<!-- barie-signature at={at} key={key.public_hex} sha256={digest} sig={signature} -->\n"


def check(text: str, data_dir: Path) -> str:
    """When it was signed, by this gate's key. Raises BarieError: not signed, changed since, or another key."""
    found = _SEAL.search(text)
    if found is None:
        raise BarieError("this record carries no signature")
    at, _, digest, signature = found.groups()
    if hashlib.sha256(text[: found.start()].encode()).hexdigest() != digest:
        raise BarieError("this record was changed after it was signed")
    proves = public_check(data_dir / "keys")
    if proves is None:
        raise BarieError(f"{data_dir}: no public key to check with")
    if not proves(_message(at, digest), bytes.fromhex(signature)):
        raise BarieError("the signature is not this gate's")
    return at


def verify(record: Path, config: Path) -> int:
    """Prints when the record was signed. Raises BarieError where it cannot be trusted."""
    try:
        text = record.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BarieError(f"{record}: cannot be read: {error}") from error
    print(f"{record}: signed by this gate at {check(text, Path(load_config(config).site.data_dir))}, unchanged since")
    return 0


def _message(at: str, digest: str) -> bytes:
    return f"barie record {at} {digest}".encode()
