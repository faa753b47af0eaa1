"""How long this gate's certificate for MQTT over TLS still counts."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509


def days_left(cert_file: Path, now: datetime | None = None) -> float | None:
    """In days, negative where it is over; None where the file cannot be read or is no certificate."""
    try:
        certificate = x509.load_pem_x509_certificate(cert_file.read_bytes())
    except (OSError, ValueError):
        return None
    return (certificate.not_valid_after_utc - (now or datetime.now(UTC))).total_seconds() / 86_400
