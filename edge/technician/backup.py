"""`barie backup` and `barie restore`: one gate in one file, and back on another PC (docs/maintain.md).

The archive holds the record (taken whole while the agent runs, by SQLite's own backup), photos, keys, accounts, the
config and the secrets that it names; a manifest with every file's SHA-256 comes last. It is as secret as the gate.

A backup of a stopped agent goes on where it ended. One that was taken while the agent ran is behind what happened
since: then the numbers jump, so that none is used twice, and an alarm tells the centre which gap will never be filled.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import sqlite3
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from edge import __version__, clock
from edge.config import Config, load_config
from edge.core.events import GENESIS_HASH, Anchor
from edge.errors import BarieError
from edge.store import db
from edge.store.counter import CounterFile, Counters

MANIFEST = "manifest.json"
DATABASES = (db.NAME, "accounts.db")
JUMP = 100_000
"""More events than a gate has between two backups."""
_MOST_BYTES = 1 << 40


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


def _files(config_file: Path, config: Config, data_dir: Path, spare: Path) -> Iterator[tuple[Path, str]]:
    """(file, name in the archive). Photos after the database that names them: none is missing, one too many is none."""
    for name in DATABASES:
        if (data_dir / name).exists():
            with closing(sqlite3.connect(data_dir / name)) as source, closing(sqlite3.connect(spare / name)) as copy:
                source.backup(copy)
            yield spare / name, f"data/{name}"
    if (data_dir / "counters").exists():
        yield data_dir / "counters", "data/counters"
    for path in sorted((data_dir / "keys").glob("*.pem")):
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


def restore(archive: Path, config_file: Path, data_dir: Path | None = None) -> str:
    """The gate of `archive` on this PC; returns what there is to know, in words. Raises BarieError where anything is
    not as the manifest says, or a record is here already; then nothing is changed."""
    if config_file.exists():
        raise BarieError(f"{config_file} is there already: this PC has a gate; move it away first")
    with tempfile.TemporaryDirectory(prefix="barie-restore-") as name:
        unpacked = Path(name)
        told = _unpack(archive, unpacked)
        config = load_config(unpacked / "config" / "gate.toml")
        target = data_dir or Path(config.site.data_dir)
        if (target / db.NAME).exists():
            raise BarieError(f"{target} has a record already: it is never written over; move it away first")
        try:
            target.mkdir(parents=True, exist_ok=True, mode=0o700)
            shutil.copytree(unpacked / "data", target, dirs_exist_ok=True)
            config_file.parent.mkdir(parents=True, exist_ok=True, mode=0o750)
            for path in (unpacked / "config").iterdir():
                aim = config_file if path.name == "gate.toml" else config_file.parent / path.name
                shutil.copyfile(path, aim)
                aim.chmod(0o640)
            for key in (target / "keys").glob("gate.pem"):
                key.chmod(0o600)
            if told["live"]:
                _jump(target)
        except OSError as error:
            raise BarieError(f"restore to {target}: {error}") from error
        _give(target, config_file.parent)
    ends = "numbers jump: it was taken while the agent ran" if told["live"] else "numbers go on where it stopped"
    return f"site {told['site']} as of {told['at']}; {ends}. The old PC must not run again."


def _unpack(archive: Path, into: Path) -> dict[str, Any]:
    """Only plain files below data/ and config/, each with the hash of the manifest."""
    try:
        with tarfile.open(archive, "r:") as tar:
            for member in tar:
                name = Path(member.name)
                good = (
                    member.isfile() and not name.is_absolute() and ".." not in name.parts and member.size < _MOST_BYTES
                )
                if not good or (name.parts[0] not in ("data", "config") and member.name != MANIFEST):
                    raise BarieError(f"{archive}: {member.name!r} has no place in a backup")
                _extract(tar, member, into / name)
        told = json.loads((into / MANIFEST).read_text("utf-8"))
        expected = dict(told["sha256"])
    except (OSError, tarfile.TarError, ValueError, KeyError, TypeError) as error:
        raise BarieError(f"{archive}: not a whole backup: {error}") from error
    found = {path.relative_to(into).as_posix(): path for path in into.rglob("*") if path.is_file()}
    del found[MANIFEST]
    for inside in sorted(expected.keys() | found.keys()):
        if inside not in found or inside not in expected or _sha256(found[inside]) != expected[inside]:
            raise BarieError(f"{archive}: {inside} is missing or was changed")
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
    return 0


def run_restore(archive: Path, config_file: Path) -> int:
    print(f"restored: {restore(archive, config_file)}")
    return 0
