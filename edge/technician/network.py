"""`barie network`: the addresses that the gate's units may exchange anything with, written from the config.

The units of the package deny every address but this machine's own (IPAddressDeny=any, systemd.resource-control(5)). Two
drop-ins open what the config names and nothing else: to the gate its broker, its boards on Modbus TCP and, where the
screen listens for others, their networks; to the camera processes their cameras. Names are resolved as the file is
written, so it is written anew where an address changed; `barie doctor` says so.
"""

from __future__ import annotations

import ipaddress
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from edge.config import Config, is_loopback
from edge.errors import BarieError
from edge.files import write_whole

FOLDER, RESOLVER = Path("/etc/systemd/system"), Path("/etc/resolv.conf")
UNITS = {"gate": "barie.service", "camera": "barie-camera@.service"}
NAME = "addresses.conf"
Resolve = Callable[[str], Iterable[str]]


@dataclass(frozen=True, slots=True)
class Named:
    """A host that the config names, under which key."""

    key: str
    host: str


def named(config: Config, unit: str) -> Iterator[Named]:
    """What this unit ("gate", "camera") must reach."""
    for lane in config.lane:
        if unit == "camera":
            for camera in lane.camera:
                yield Named(f"lane {lane.id}, camera {camera.id}", urlsplit(camera.url).hostname or "")
        elif lane.board.host:
            yield Named(f"lane {lane.id}, board", lane.board.host)
    if unit == "gate" and config.mqtt is not None:
        yield Named("mqtt.host", config.mqtt.host)


def addresses(config: Config, unit: str, resolve: Resolve | None = None, resolver: Path = RESOLVER) -> list[str]:
    """Addresses and networks, this machine's own first. Raises BarieError naming the key of a name nobody knows."""
    found, names = ["localhost"], False
    for one in named(config, unit):
        if not one.host:
            continue  # a recording, in tests
        names = names or not _is_address(one.host)
        try:
            found += sorted(set((resolve or _resolved)(one.host)))
        except OSError as error:
            raise BarieError(
                f"{one.key}: {one.host} is not resolved ({error}): run barie network once it can, or give its address"
            ) from error
    found += _name_servers(resolver) if names else []
    if unit == "gate" and not is_loopback(config.panel.host):
        found += config.panel.allow or ["any"]
    return list(dict.fromkeys(one for one in found if one == "localhost" or not _is_loopback(one)))


def dropin(allowed: Iterable[str]) -> str:
    lines = "".join(f"IPAddressAllow={one}\n" for one in allowed)
    return (
        f"# Written by `barie network` from the config: whom this unit may exchange anything with.\n[Service]\n{lines}"
    )


def write(config: Config, folder: Path = FOLDER, resolve: Resolve | None = None) -> list[Path]:
    """Both drop-ins; those that changed. Raises BarieError, and then neither is touched."""
    texts = {UNITS[unit]: dropin(addresses(config, unit, resolve)) for unit in UNITS}
    changed = []
    for unit, text in texts.items():
        path = folder / f"{unit}.d" / NAME
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, text.encode(), 0o644)
            changed.append(path)
    return changed


def lacking(config: Config, folder: Path = FOLDER, resolve: Resolve | None = None) -> list[str]:
    """Addresses that the config asks for and a drop-in does not open. Raises BarieError."""
    found = []
    for unit, service in UNITS.items():
        path = folder / f"{service}.d" / NAME
        text = path.read_text(encoding="utf-8") if path.is_file() else ""
        opened = {line.partition("=")[2] for line in text.splitlines()} | {"localhost"}
        found += [f"{unit}: {one}" for one in addresses(config, unit, resolve) if one not in opened]
    return found


def installed(folder: Path = Path("/usr/lib/systemd/system")) -> bool:
    """Whether the package's units are here: elsewhere nothing denies anything."""
    return (folder / UNITS["camera"]).is_file()


def run(config: Config, folder: Path = FOLDER) -> int:
    """Writes, tells the service manager, says what is left to do. Raises BarieError."""
    changed = write(config, folder)
    for path in changed:
        print(f"wrote {path}")
    if changed and folder == FOLDER and Path("/run/systemd/system").is_dir() and shutil.which("systemctl"):
        subprocess.run(["systemctl", "daemon-reload"], check=False)
        print("in force from the next start: systemctl restart barie")
    return 0


def _resolved(host: str) -> list[str]:
    return [str(row[4][0]) for row in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)]


def _name_servers(path: Path) -> list[str]:
    text = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
    told = [line.split() for line in text.splitlines()]
    return [words[1] for words in told if len(words) > 1 and words[0] == "nameserver" and _is_address(words[1])]


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _is_loopback(text: str) -> bool:
    try:
        return ipaddress.ip_network(text, strict=False).is_loopback
    except ValueError:
        return False
