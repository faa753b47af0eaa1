"""The gate's certificate for MQTT over TLS: its key, and the request that an authority signs."""

from __future__ import annotations

import os
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from edge.errors import BarieError


def make_request(key_file: Path, request_file: Path, site: str) -> None:
    """A fresh P-256 key (mode 0600) and a PKCS #10 request with the site as its common name. Raises BarieError."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, site)])
    request = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    try:
        descriptor = os.open(key_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as handle:
            handle.write(pem)
        request_file.write_bytes(request.public_bytes(Encoding.PEM))
    except OSError as error:
        raise BarieError(f"{key_file}: the key cannot be written: {error}") from error
