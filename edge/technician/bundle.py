"""Signed bundles: models or tables (procedures, plates) brought to a gate without a network, on a USB stick.

A bundle is an uncompressed tar: `manifest.json` (kind, serial, files with SHA-256), `manifest.sig` (Ed25519 over the
manifest's bytes), then the files. Only a bundle signed with the key whose public half is `/etc/barie/bundle.pub.pem` is
unpacked, only with a higher serial than the one in use, and it comes into use only after this program has loaded it.

One rule says what is used: what the config names (`vision.models_dir`, `law.rules_file`), else the newest bundle, else
the program's own. So a bundle that the config would shadow is refused.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any, cast

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from edge.config import load_config
from edge.errors import BarieError
from edge.files import write_whole

KINDS = {"models": "BARIE_MODELS_DIR", "tables": "BARIE_CONFIG_DIR"}
"""What a bundle may bring, and the variable that leads the program to it (barie.service)."""
TRUSTED = Path("/etc/barie/bundle.pub.pem")
HOME = Path("/var/lib/barie/bundles")
MOST_BYTES = 500_000_000
HIGHEST = "highest"
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,80}\.(?:onnx|toml|md)")
_LOADS = {
    "models": "from edge.vision.weights import FOLDER, find; import tomllib\n"
    "for row in tomllib.loads((FOLDER / 'manifest.toml').read_text())['model']: find(row['name'])",
    "tables": "from edge.core.plate.table import parse; from edge.agent.lane.law import Law\n"
    "from edge import resources; from edge.config import LawConfig\n"
    "parse(*resources.config_text('plates.toml')); Law.read(LawConfig())",
}


def make(folder: Path, kind: str, serial: int, key_file: Path, target: Path) -> None:
    """Raises BarieError where a file may not be in a bundle."""
    files = {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()}
    if kind not in KINDS or not files or not all(_NAME.fullmatch(name) for name in files):
        raise BarieError(f"{folder}: a bundle is {' or '.join(KINDS)}, of .onnx, .toml and .md files")
    key = load_pem_private_key(key_file.read_bytes(), password=None)
    if not isinstance(key, Ed25519PrivateKey):
        raise BarieError(f"{key_file} is no Ed25519 key")
    hashes = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    manifest = json.dumps({"kind": kind, "serial": serial, "files": hashes}, sort_keys=True).encode()
    with tarfile.open(target, "w") as tar:
        for name, data in {"manifest.json": manifest, "manifest.sig": key.sign(manifest), **files}.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))


def read(bundle: Path, trusted: Path = TRUSTED) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Manifest and files, signature and hashes checked before anything of it is used. Raises BarieError."""
    try:
        public = load_pem_public_key(trusted.read_bytes())
        with tarfile.open(bundle, "r:") as tar:
            signed = [_next(tar, name) for name in ("manifest.json", "manifest.sig")]
            cast(Ed25519PublicKey, public).verify(signed[1], signed[0])
            told = json.loads(signed[0])
            files = {name: _next(tar, name) for name in told["files"]}
    except InvalidSignature as error:
        raise BarieError(f"{bundle}: not signed by the key in {trusted}: nothing was taken from it") from error
    except (OSError, tarfile.TarError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BarieError(f"{bundle}: not a usable bundle: {error}") from error
    for name, data in files.items():
        if not _NAME.fullmatch(name) or hashlib.sha256(data).hexdigest() != told["files"][name]:
            raise BarieError(f"{bundle}: {name} is not what the manifest says")
    if told.get("kind") not in KINDS or type(told.get("serial")) is not int:
        raise BarieError(f"{bundle}: a bundle of an unknown kind")
    return told, files


def _next(tar: tarfile.TarFile, name: str) -> bytes:
    """The members in their one order, each a plain file of a bounded size."""
    member = tar.next()
    if member is None or member.name != name or not member.isreg() or member.issparse() or member.size > MOST_BYTES:
        raise ValueError(f"{name} is missing, too large, or not in its place")
    handle = tar.extractfile(member)
    assert handle is not None
    return handle.read()


def install(bundle: Path, home: Path = HOME, trusted: Path = TRUSTED, config_file: Path | None = None) -> str:
    """In use from the agent's next start; returns what happened. Raises BarieError, and then the one before stays."""
    told, files = read(bundle, trusted)
    kind, serial = str(told["kind"]), int(told["serial"])
    if config_file is not None and config_file.is_file():
        not_shadowed(kind, config_file)
    place = home / kind
    used = serial_highest(place)
    if serial <= used:
        raise BarieError(
            f"{bundle}: serial {serial} is not newer than {used}, the highest that was in use: an old bundle is refused"
        )
    folder = place / str(serial)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name, data in files.items():
        (folder / name).write_bytes(data)
    loads(kind, folder)
    write_whole(place / HIGHEST, f"{serial}\n".encode(), 0o644)
    _use(place, str(serial))
    return f"{kind} {serial} is in use from the next start: systemctl restart barie"


def not_shadowed(kind: str, config_file: Path) -> None:
    """Raises BarieError where this config names files of its own, which go before every bundle."""
    config = load_config(config_file)
    key, named = {
        "models": ("vision.models_dir", config.vision.models_dir),
        "tables": ("law.rules_file", config.law.rules_file),
    }[kind]
    if named is not None:
        raise BarieError(f"{config_file}: {key} = {named!r} goes before every bundle: take that key out first")


def back(kind: str, home: Path = HOME) -> str:
    """The program's own again."""
    place = home / kind
    if serial_highest(place):
        write_whole(place / HIGHEST, f"{serial_highest(place)}\n".encode(), 0o644)
    (place / "current").unlink(missing_ok=True)
    return f"{kind}: the program's own from the next start"


def serial_in_use(place: Path) -> int:
    """0 where none was installed."""
    name = (place / "current").readlink().name if (place / "current").is_symlink() else "0"
    return int(name) if name.isdecimal() else 0


def serial_highest(place: Path) -> int:
    """That was ever in use here, also after `back`. Raises BarieError where what is kept of it cannot be read."""
    try:
        kept = int((place / HIGHEST).read_text("ascii")) if (place / HIGHEST).exists() else 0
    except (OSError, ValueError) as error:
        raise BarieError(f"{place / HIGHEST} is no number: {error}") from error
    return max(kept, serial_in_use(place))


def loads(kind: str, folder: Path) -> None:
    """This program takes what is in `folder`. Raises BarieError."""
    environment = {**os.environ, KINDS[kind]: str(folder)}
    tried = subprocess.run(
        [sys.executable, "-c", _LOADS[kind]], env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    if tried.returncode != 0:
        why = (tried.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise BarieError(f"the bundle's {kind} do not load, the ones before stay in use: {why}")


def _use(place: Path, name: str) -> None:
    fresh = place / "current.new"
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(name)
    fresh.replace(place / "current")
