"""What a soak run stands on: a clock that runs fast, a barrier that does as it is told, a broker with certificates."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from edge import clock
from firmware_io.loop import Snapshot
from firmware_io.safety import Notice, Permit
from firmware_io.terms import NoticeKind

OPENS: tuple[NoticeKind, ...] = ("permit_accepted", "opening", "opened", "through", "closed")


class FastTime:
    """Stands in for the module `time` in `edge.clock`: the wall clock can be moved, the monotonic one is the real
    one."""

    def __init__(self, start: datetime) -> None:
        self._ahead_ns = int(start.timestamp() * 1e9) - time.time_ns()

    def install(self) -> None:
        setattr(clock, "time", self)  # noqa: B010 - the one place that reads clocks is told another one

    def move(self, seconds: float) -> None:
        """Forwards or, as a time service may, backwards."""
        self._ahead_ns += int(seconds * 1e9)

    def time_ns(self) -> int:
        return time.time_ns() + self._ahead_ns

    def time(self) -> float:
        return self.time_ns() / 1e9

    @staticmethod
    def monotonic() -> float:
        return time.monotonic()

    @staticmethod
    def monotonic_ns() -> int:
        return time.monotonic_ns()


class ObedientBarrier:
    """Opens for every permit, and the vehicle drives through at once."""

    def __init__(self, notify: Callable[[Notice], None]) -> None:
        self._notify = notify
        self.serials: list[int] = []

    def offer(self, permit: Permit) -> None:
        self.serials = [*self.serials[-1:], permit.serial]
        for kind in OPENS:
            self._notify(Notice(kind, permit.serial, "", clock.mono_s()))

    def snapshot(self) -> Snapshot:
        return Snapshot("closed", (), False, {"presence": True}, 0.0, True, "obedient")

    def stop_boom(self) -> None: ...

    def lower_boom(self) -> None: ...

    def reset_faults(self) -> None: ...

    def hold(self, on: bool) -> None: ...


class Authority:
    """Signs what broker and gate show each other, for some days of real time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "soak authority")])
        self._name = name
        ca = self._builder(name, self._key.public_key(), 60).add_extension(x509.BasicConstraints(True, 0), True)
        (folder / "ca.pem").write_bytes(ca.sign(self._key, hashes.SHA256()).public_bytes(Encoding.PEM))

    def issue(self, name: str, days: float) -> None:
        """name.pem and name.key, in place of the ones before."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        names = x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))])
        built = self._builder(subject, key.public_key(), days).add_extension(names, False)
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        for path, data in (
            (self._folder / f"{name}.key", pem),
            (self._folder / f"{name}.pem", built.sign(self._key, hashes.SHA256()).public_bytes(Encoding.PEM)),
        ):
            fresh = path.with_suffix(".new")
            fresh.write_bytes(data)
            fresh.replace(path)

    def _builder(self, subject: x509.Name, public: ec.EllipticCurvePublicKey, days: float) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(minutes=5))
            .not_valid_after(now + timedelta(days=days))
        )


def usage(folder: Path) -> dict[str, float]:
    """Of this process and of the folder: memory, file handles, threads, disk."""
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text("ascii").splitlines())
    disk = 0
    for path in folder.rglob("*"):
        try:
            disk += path.lstat().st_blocks * 512
        except FileNotFoundError:
            continue
    return {
        "rss_mb": round(int(status["VmRSS"].split()[0]) / 1024, 1),
        "handles": len(os.listdir("/proc/self/fd")),  # noqa: PTH208 - names only, no open directory counted
        "threads": int(status["Threads"]),
        "disk_mb": round(disk / 1e6, 1),
    }
