"""`barie backup` and `barie restore`: one gate in one file, and back on another PC (docs/maintain.md).

The archive holds the record (taken whole while the agent runs, by SQLite's own backup), photos, keys, accounts, the
config and the secrets that it names; a manifest with every file's SHA-256 comes last. It is as secret as the gate.

The manifest is signed with the gate's own key; only an archive of the key that the technician brings along is restored
(set-up printed it, the centre keeps it). Nothing that an archive says is obeyed: its files have names from a list, go
where this PC keeps them, replace nothing, and come all or not at all. Nobody knows what happened after it was made: the
numbers always jump, so that none is used twice, and an alarm tells the centre which gap will never be filled; and every
account is locked until somebody at this console opens it, so that it brings nobody back who was removed since.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import shutil
import sqlite3
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from edge import __version__, clock
from edge.config import Config, load_config
from edge.core.record.events import GENESIS_HASH, Anchor
from edge.errors import BarieError
from edge.panel.accounts import Accounts
from edge.store import db
from edge.store.counter import CounterFile, Counters
from edge.store.keys import open_key

MANIFEST, SIGNATURE = "manifest.json", "manifest.sig"
_SEALED = b"barie backup "
DATABASES = (db.NAME, "accounts.db")
DATA_DIR = Path("/var/lib/barie")
JUMP = 100_000
"""More events than a gate has between two backups."""
_NAMES = re.compile(
    r"data/(?:barie\.db|accounts\.db|counters)|data/keys/gate(?:\.pub)?\.pem|data/evidence/[0-9A-Za-z_-]+(?:[./][0-9A-Za-z_-]+){0,6}"
    r"|config/[0-9A-Za-z][0-9A-Za-z._-]{0,80}|manifest\.(?:json|sig)"
)
_ANCHORS = frozenset({"config/bundle.pub.pem", "config/kiosk.env"})
"""What this PC trusts, or is told by its owner: never taken from an archive."""
_SITE, _AT = re.compile(r"[a-z0-9][a-z0-9-]{0,39}"), re.compile(r"[0-9T:.+-]{10,40}")


def backup(config_file: Path, folder: Path, keep: int = 0) -> Path:
    """Writes FOLDER/barie-SITE-TIME.tar (mode 0600) and, with `keep`, deletes older ones beyond that many. Raises
    BarieError; then no half archive is left."""
    config = load_config(config_file)
    data_dir = Path(config.site.data_dir)
    if not (data_dir / db.NAME).exists():
        raise BarieError(f"{data_dir}: there is no record to back up")
    stamp = clock.wall_iso()[:19].replace(":", "").replace("-", "")
    target = folder / f"barie-{config.site.id}-{stamp}.tar"
    fresh = target.with_suffix(".new")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as handle:
            _write(handle, config_file, config, data_dir)
            handle.flush()
            os.fsync(handle.fileno())
        fresh.replace(target)
    except (OSError, sqlite3.Error, tarfile.TarError) as error:
        fresh.unlink(missing_ok=True)
        raise BarieError(f"backup to {folder}: {error}") from error
    for old in sorted(folder.glob(f"barie-{config.site.id}-*.tar"))[: -keep if keep else 0]:
        old.unlink()
    return target


def _write(handle: Any, config_file: Path, config: Config, data_dir: Path) -> None:
    hashes: dict[str, str] = {}
    live = db.is_held(data_dir)
    with tempfile.TemporaryDirectory(prefix="barie-backup-") as name, tarfile.open(fileobj=handle, mode="w") as tar:
        for source, inside in _files(config_file, config, data_dir, Path(name)):
            hashes[inside] = _sha256(source)
            tar.add(source, inside, recursive=False)
        told = {"site": config.site.id, "version": __version__, "at": clock.wall_iso(), "live": live, "sha256": hashes}
        text = json.dumps(told, indent=1).encode()
        info = tarfile.TarInfo(MANIFEST)
        info.size = len(text)
        tar.addfile(info, io.BytesIO(text))
        signature = open_key(data_dir / "keys").sign(_SEALED + text).hex().encode()
        info = tarfile.TarInfo(SIGNATURE)
        info.size = len(signature)
        tar.addfile(info, io.BytesIO(signature))


def _files(config_file: Path, config: Config, data_dir: Path, spare: Path) -> Iterator[tuple[Path, str]]:
    """(file, name in the archive). Photos after the database that names them: none is missing, one too many is none."""
    for name in DATABASES:
        if (data_dir / name).exists():
            with closing(sqlite3.connect(data_dir / name)) as source, closing(sqlite3.connect(spare / name)) as copy:
                source.backup(copy)
            yield spare / name, f"data/{name}"
    if (data_dir / "counters").exists():
        yield data_dir / "counters", "data/counters"
    for path in sorted((data_dir / "keys").glob("gate*.pem")):
        yield path, f"data/keys/{path.name}"
    with closing(sqlite3.connect(spare / db.NAME)) as copy:
        photos = [str(row[0]) for row in copy.execute("SELECT path FROM evidence ORDER BY path")]
    for photo in photos:
        if (data_dir / "evidence" / photo).is_file():
            yield data_dir / "evidence" / photo, f"data/evidence/{photo}"
    yield config_file, "config/gate.toml"
    for path in sorted(_secrets(config)):
        if path.is_file() and path.parent == config_file.parent:
            yield path, f"config/{path.name}"


def _secrets(config: Config) -> set[Path]:
    """The files that the config names."""
    mqtt = config.mqtt
    named = [mqtt.password_file, mqtt.ca_file, mqtt.cert_file, mqtt.key_file] if mqtt else []
    named += [camera.password_file for lane in config.lane for camera in lane.camera]
    return {Path(name) for name in named if name is not None}


def _sha256(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


# ---------------------------------------------------------------- back


def restore(archive: Path, config_file: Path, key: str, data_dir: Path = DATA_DIR) -> str:
    """The gate of `archive` on this PC; returns what there is to know, in words. `key`: the gate's public key in hex.
    Raises BarieError where anything is not as the signed manifest says, or a record is here already; then nothing is
    changed."""
    if config_file.exists():
        raise BarieError(f"{config_file} is there already: this PC has a gate; move it away first")
    if (data_dir / db.NAME).exists():
        raise BarieError(f"{data_dir} has a record already: it is never written over; move it away first")
    data_dir.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".barie-restore-", dir=data_dir.parent) as name:
        unpacked = Path(name)
        told = _unpack(archive, unpacked, key)
        config = load_config(unpacked / "config" / "gate.toml")
        if Path(config.site.data_dir) != data_dir:
            raise BarieError(
                f"{archive}: its config keeps the record in {config.site.data_dir!r}, this PC in {data_dir}:"
                " where that is meant, say so (--data-dir)"
            )
        _jump(unpacked / "data")
        locked = _lock_accounts(unpacked / "data" / "accounts.db")
        _put(unpacked, data_dir, config_file)
    _give(data_dir, config_file.parent)
    return (
        f"site {told['site']} as of {told['at']}; numbers jump. The old PC must not run again."
        f" {locked} account(s) are locked: barie account unlock ID, for each that may still sign in."
    )


def _put(unpacked: Path, data_dir: Path, config_file: Path) -> None:
    """Everything, or nothing. Raises BarieError."""
    moves = [(path, data_dir / path.name) for path in sorted((unpacked / "data").iterdir())]
    for path in sorted((unpacked / "config").iterdir()):
        path.chmod(0o640)
        moves.append((path, config_file if path.name == "gate.toml" else config_file.parent / path.name))
    taken = [str(target) for _, target in moves if target.exists()]
    if taken:
        raise BarieError(f"there already, and never written over: {', '.join(taken)}; move them away first")
    done: list[Path] = []
    try:
        data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        config_file.parent.mkdir(parents=True, exist_ok=True, mode=0o750)
        for source, target in moves:
            done.append(target)
            shutil.move(source, target)
    except OSError as error:
        for target in done:
            if target.is_dir():
                shutil.rmtree(target, ignore_errors=True)
            else:
                target.unlink(missing_ok=True)
        raise BarieError(f"restore to {data_dir}: {error}; nothing of it was left") from error


def _lock_accounts(path: Path) -> int:
    """How many."""
    if not path.exists():
        return 0
    accounts = Accounts(path)
    people = accounts.people()
    for person in people:
        accounts.lock_out(person.id, by="restore")
    accounts.close()
    return len(people)


def _unpack(archive: Path, into: Path, key: str) -> dict[str, Any]:
    """Only plain files with names from a list, no larger together than the archive, each with the hash of the manifest
    that the gate's key signed."""
    try:
        public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(key))
        left = archive.stat().st_size
        with tarfile.open(archive, "r:") as tar:
            for member in tar:
                name = member.name
                if not member.isreg() or member.issparse() or not _NAMES.fullmatch(name) or name in _ANCHORS:
                    raise BarieError(f"{archive}: {name[:80]!r} has no place in a backup")
                left -= member.size
                if left < 0:
                    raise BarieError(f"{archive}: {name!r} claims more than the archive holds")
                _extract(tar, member, into / name)
        manifest = (into / MANIFEST).read_bytes()
        public.verify(bytes.fromhex((into / SIGNATURE).read_text("ascii")), _SEALED + manifest)
        told = json.loads(manifest)
        expected = {str(name): str(digest) for name, digest in told["sha256"].items()}
        if not _SITE.fullmatch(str(told["site"])) or not _AT.fullmatch(str(told["at"])):
            raise ValueError("the manifest's site or time is none")
    except InvalidSignature as error:
        raise BarieError(f"{archive}: not signed by the key {key[:16]}…: nothing was taken from it") from error
    except (OSError, tarfile.TarError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise BarieError(f"{archive}: not a whole backup of that key: {error!r:.200}") from error
    found = {path.relative_to(into).as_posix(): path for path in into.rglob("*") if path.is_file()}
    del found[MANIFEST], found[SIGNATURE]
    for inside in sorted(expected.keys() | found.keys()):
        if inside not in found or inside not in expected or _sha256(found[inside]) != expected[inside]:
            raise BarieError(f"{archive}: {inside[:80]!r} is missing or was changed")
    return dict(told)


def _extract(tar: tarfile.TarFile, member: tarfile.TarInfo, target: Path) -> None:
    """A plain file, for its owner alone; each name once. (Debian 12's tarfile knows no filters.)"""
    target.parent.mkdir(parents=True, exist_ok=True)
    source = tar.extractfile(member)
    assert source is not None, "a plain file"
    with source, os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as handle:
        shutil.copyfileobj(source, handle)


def _jump(data_dir: Path) -> None:
    """The second copy of the counters says that more was recorded than this database has: the next start sets it aside
    by its own rule (edge/store/recovery.py) and goes on behind the gap."""
    with closing(sqlite3.connect(data_dir / db.NAME)) as connection:
        rows = connection.execute("SELECT lane, next_seq - 1, acked_seq FROM lane").fetchall()
        (serial,) = connection.execute("SELECT value FROM counter WHERE name = 'permit_serial'").fetchone()
    (data_dir / "counters").unlink(missing_ok=True)
    counters = CounterFile(data_dir / "counters")
    lanes = {lane: Anchor(seq + JUMP, GENESIS_HASH) for lane, seq, _ in rows}
    counters.write(Counters(lanes, {lane: acked for lane, _, acked in rows}, serial + JUMP))
    counters.sync()
    counters.close()


def _give(*folders: Path) -> None:
    """To the service's user, where there is one."""
    for folder in folders:
        for path in (folder, *folder.rglob("*")):
            try:
                if folder == folders[0]:
                    shutil.chown(path, "barie", "barie")
                else:
                    shutil.chown(path, group="barie")
            except (LookupError, PermissionError):
                return


def run_backup(config_file: Path, folder: Path, keep: int) -> int:
    print(f"written: {backup(config_file, folder, keep)}")
    key = open_key(Path(load_config(config_file).site.data_dir) / "keys").public_hex
    print(f"signed by: {key} (keep it apart from the archive: barie restore asks for it)")
    return 0


def run_restore(archive: Path, config_file: Path, key: str, data_dir: Path) -> int:
    print(f"restored: {restore(archive, config_file, key, data_dir)}")
    return 0
