"""A gate backed up and put on another PC by the steps of docs/maintain.md; bundles only by the right key."""

from __future__ import annotations

import hashlib
import io
import json
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from edge.config import load_config
from edge.errors import BarieError, RefusedError
from edge.panel.accounts import Accounts, add_account
from edge.store import Store
from edge.store.keys import open_key
from edge.technician import bundle
from edge.technician.backup import JUMP, backup, restore

LANE = "b1-out"


@pytest.fixture
def gate(tmp_path: Path) -> Path:
    """A gate with ten events, a photo, an account, a secret. Returns its config."""
    config = tmp_path / "old" / "etc" / "gate.toml"
    config.parent.mkdir(parents=True)
    example = Path("config/gate.example.toml").read_text(encoding="utf-8")
    data = f'data_dir = "{tmp_path / "data"}"'
    secret = config.parent / "mqtt-password"
    text = example.replace('# data_dir = "/var/lib/barie"', data + " #")
    text = text.replace('# password_file = "/etc/barie/mqtt-password"', f'password_file = "{secret}" #')
    config.write_text(text, encoding="utf-8")
    secret.write_text("sesame\n")
    with_key = open_key(tmp_path / "data" / "keys")
    add_account(tmp_path / "data" / "accounts.db", "guard1", "Nguyễn Ví Dụ", "guard", "493817")
    store = Store.open(tmp_path / "data", site="huu-nghi", lanes=[LANE], signer=with_key.sign, check=with_key.check)
    photo = store.stage_evidence(b"\xff\xd8photo\xff\xd9")
    for number in range(10):
        with store.transaction(LANE) as tx:
            tx.permit_serial()
            tx.event("passage", {"n": number}, photos=[photo] if number == 5 else [])
    store.close()
    return config


def opened(data_dir: Path) -> Store:
    key = open_key(data_dir / "keys")
    return Store.open(data_dir, site="huu-nghi", lanes=[LANE], signer=key.sign, check=key.check)


def restored(gate: Path, archive: Path) -> tuple[str, Path]:
    """On another PC: the data folder of the old one is gone."""
    data_dir = Path(load_config(gate).site.data_dir)
    key = open_key(data_dir / "keys").public_hex
    data_dir.rename(data_dir.with_name("old-pc"))
    fresh = gate.parent.parent.parent / "new" / "gate.toml"
    return restore(archive, fresh, key, data_dir), data_dir


def test_a_gate_goes_on_on_another_pc_behind_a_jump(gate: Path, tmp_path: Path) -> None:
    archive = backup(gate, tmp_path / "usb")
    assert archive.stat().st_mode & 0o777 == 0o600
    said, data_dir = restored(gate, archive)
    assert "numbers jump" in said
    store = opened(data_dir)
    with store.transaction(LANE) as tx:
        assert tx.event("passage", {}).seq > 10 + JUMP
        assert tx.permit_serial() > 10 + JUMP
    assert store.verify() == []
    store.close()
    assert [one.id for one in Accounts(data_dir / "accounts.db").people()] == ["guard1"]
    assert (tmp_path / "new" / "mqtt-password").read_text() == "sesame\n"
    assert load_config(tmp_path / "new" / "gate.toml") == load_config(gate)


def test_a_backup_of_a_running_gate_uses_no_number_twice(gate: Path, tmp_path: Path) -> None:
    data_dir = Path(load_config(gate).site.data_dir)
    running = opened(data_dir)
    archive = backup(gate, tmp_path / "usb")
    with running.transaction(LANE) as tx:
        after = tx.event("passage", {"after": "the backup"}).seq
    running.close()
    said, data_dir = restored(gate, archive)
    assert "jump" in said
    store = opened(data_dir)
    events = [json.loads(event.payload) for event in store.pending(LANE, 0, 1000)]
    told = next(event for event in events if event["kind"] == "alarm")
    assert told["body"]["code"] == "record_set_aside"
    assert told["seq"] > after
    assert told["seq"] == 10 + JUMP + 1
    with store.transaction(LANE) as tx:
        assert tx.permit_serial() > 10 + JUMP
    assert store.verify() == []
    store.close()


def test_nothing_is_written_over_and_nothing_changed_is_taken(gate: Path, tmp_path: Path) -> None:
    archive = backup(gate, tmp_path / "usb")
    data_dir = Path(load_config(gate).site.data_dir)
    key, fresh = open_key(data_dir / "keys").public_hex, tmp_path / "other" / "gate.toml"
    with pytest.raises(BarieError, match="there already"):
        restore(archive, gate, key, data_dir)
    with pytest.raises(BarieError, match="has a record already"):
        restore(archive, fresh, key, data_dir)
    data_dir.rename(data_dir.with_name("old-pc"))
    data = archive.read_bytes()
    archive.write_bytes(data.replace(b"sesame", b"SESAME"))
    with pytest.raises(BarieError, match="mqtt-password' is missing or was changed"):
        restore(archive, fresh, key, data_dir)
    archive.write_bytes(data[: len(data) // 2])
    with pytest.raises(BarieError, match=r"not a whole backup|claims more"):
        restore(archive, fresh, key, data_dir)
    assert not (tmp_path / "other").exists()
    assert not data_dir.exists()


# ---------------------------------------------------------------- an archive is never obeyed


def rewritten(archive: Path, **changed: bytes | None) -> Path:
    """The archive with other members, its manifest made to fit, unsigned as an outsider would have to."""
    target = archive.with_suffix(".evil")
    with tarfile.open(archive) as tar:
        members = {one.name: tar.extractfile(one).read() for one in tar}  # type: ignore[union-attr]
    members |= {name: data for name, data in changed.items() if data is not None}
    told = json.loads(members.pop("manifest.json"))
    signature = members.pop("manifest.sig")
    told["sha256"] = {name: hashlib.sha256(data).hexdigest() for name, data in members.items()}
    with tarfile.open(target, "w") as tar:
        for name, data in {**members, "manifest.json": json.dumps(told).encode(), "manifest.sig": signature}.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return target


def test_an_archive_of_another_key_is_not_taken(gate: Path, tmp_path: Path) -> None:
    archive = backup(gate, tmp_path / "usb")
    data_dir = Path(load_config(gate).site.data_dir)
    key = open_key(data_dir / "keys").public_hex
    data_dir.rename(data_dir.with_name("old-pc"))
    evil = rewritten(archive, **{"config/gate.toml": b"x = 1"})
    for asked, one in ((key, evil), ("00" * 32, archive), ("nonsense", archive)):
        with pytest.raises(BarieError, match=r"not signed by|not a whole backup"):
            restore(one, tmp_path / "new" / "gate.toml", asked, data_dir)
    assert not data_dir.exists()
    assert not (tmp_path / "new").exists()


def test_an_archive_does_not_say_where_it_goes(gate: Path, tmp_path: Path) -> None:
    """Seen: its own data_dir, written into a folder of the system."""
    archive = backup(gate, tmp_path / "usb")
    key = open_key(Path(load_config(gate).site.data_dir) / "keys").public_hex
    here = tmp_path / "here"
    with pytest.raises(BarieError, match="--data-dir"):
        restore(archive, tmp_path / "new" / "gate.toml", key, here)
    assert not here.exists()


@pytest.mark.parametrize(
    "name",
    ["data/../../evil", "config/bundle.pub.pem", "config/../x", "data/keys/other.pem", "data/x.sh", "/etc/cron.d/x"],
)
def test_an_archive_with_a_name_that_is_not_on_the_list_is_refused(tmp_path: Path, name: str) -> None:
    archive = tmp_path / "evil.tar"
    with tarfile.open(archive, "w") as tar:
        tar.addfile(tarfile.TarInfo(name), io.BytesIO())
    with pytest.raises(BarieError, match="has no place in a backup"):
        restore(archive, tmp_path / "etc" / "gate.toml", "00" * 32, tmp_path / "data")


def test_a_small_archive_that_claims_gigabytes_is_refused(tmp_path: Path) -> None:
    archive = tmp_path / "evil.tar"
    info = tarfile.TarInfo("data/barie.db")
    info.size = 3_000_000_000
    archive.write_bytes(info.tobuf() + bytes(1024))
    with pytest.raises(BarieError, match="claims more than the archive holds"):
        restore(archive, tmp_path / "etc" / "gate.toml", "00" * 32, tmp_path / "data")


def test_a_restore_that_fails_half_way_leaves_nothing(
    gate: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = backup(gate, tmp_path / "usb")
    data_dir = Path(load_config(gate).site.data_dir)
    key = open_key(data_dir / "keys").public_hex
    data_dir.rename(data_dir.with_name("old-pc"))
    moved = shutil.move

    def full(source: Path, target: Path) -> None:
        if target.name == "gate.toml":
            raise OSError(28, "No space left on device")
        moved(source, target)

    monkeypatch.setattr("shutil.move", full)
    with pytest.raises(BarieError, match="nothing of it was left"):
        restore(archive, tmp_path / "new" / "gate.toml", key, data_dir)
    assert list(data_dir.iterdir()) == []
    assert list((tmp_path / "new").iterdir()) == []


def test_a_restored_gate_lets_nobody_in_whom_this_console_did_not_open(gate: Path, tmp_path: Path) -> None:
    archive = backup(gate, tmp_path / "usb")
    said, data_dir = restored(gate, archive)
    assert "1 account(s) are locked" in said
    accounts = Accounts(data_dir / "accounts.db")
    with pytest.raises(RefusedError, match="shut"):
        accounts.check_pin("guard1", "493817")
    accounts.open_again("guard1", "console")
    assert accounts.check_pin("guard1", "493817").id == "guard1"
    accounts.close()


def test_the_highest_serial_survives_back(tmp_path: Path, keys: tuple[Path, Path]) -> None:
    home = tmp_path / "bundles"
    bundle.install(tables(tmp_path, 7, keys[0]), home, keys[1])
    bundle.back("tables", home)
    with pytest.raises(BarieError, match="not newer than 7"):
        bundle.install(tables(tmp_path, 6, keys[0]), home, keys[1])
    assert bundle.serial_in_use(home / "tables") == 0


def test_old_archives_go_beyond_the_number_to_keep(gate: Path, tmp_path: Path) -> None:
    for day in ("20260101T000000", "20260102T000000", "20260103T000000"):
        (tmp_path / f"barie-huu-nghi-{day}.tar").write_bytes(b"")
    newest = backup(gate, tmp_path, keep=2)
    assert sorted(path.name for path in tmp_path.glob("*.tar")) == ["barie-huu-nghi-20260103T000000.tar", newest.name]


# ---------------------------------------------------------------- bundles


@pytest.fixture
def keys(tmp_path: Path) -> tuple[Path, Path]:
    key = Ed25519PrivateKey.generate()
    private, public = tmp_path / "key.pem", tmp_path / "bundle.pub.pem"
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    public.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return private, public


def tables(tmp_path: Path, serial: int, key: Path, change: str = "") -> Path:
    folder, target = tmp_path / f"tables-{serial}", tmp_path / f"{serial}.bundle"
    folder.mkdir()
    for name in ("plates.toml", "procedures.toml"):
        (folder / name).write_text(Path("config", name).read_text(encoding="utf-8") + change, encoding="utf-8")
    bundle.make(folder, "tables", serial, key, target)
    return target


def test_a_signed_bundle_comes_into_use_and_an_older_one_does_not(tmp_path: Path, keys: tuple[Path, Path]) -> None:
    private, public = keys
    home = tmp_path / "home"
    assert "tables 2" in bundle.install(tables(tmp_path, 2, private), home, public)
    assert (home / "tables" / "current" / "procedures.toml").is_file()
    with pytest.raises(BarieError, match="not newer than 2"):
        bundle.install(tables(tmp_path, 1, private), home, public)
    with pytest.raises(BarieError, match="do not load, the ones before stay"):
        bundle.install(tables(tmp_path, 3, private, change="\nnonsense"), home, public)
    assert bundle.serial_in_use(home / "tables") == 2
    bundle.back("tables", home)
    assert bundle.serial_in_use(home / "tables") == 0


@pytest.mark.parametrize(
    ("key", "value"), [("rules_file", '"procedures.toml"'), ("models_dir", '"/var/lib/barie/models"')]
)
def test_a_bundle_that_the_config_would_shadow_is_refused(
    tmp_path: Path, gate: Path, keys: tuple[Path, Path], key: str, value: str
) -> None:
    private, public = keys
    shadows = key == "rules_file"
    text = gate.read_text(encoding="utf-8")
    gate.write_text(re.sub(f"# {key} = .*", f"{key} = {value}", text), encoding="utf-8")
    home, brought = tmp_path / "home", tables(tmp_path, 4, private)
    if shadows:
        with pytest.raises(BarieError, match=r"law\.rules_file = 'procedures\.toml' goes before every bundle"):
            bundle.install(brought, home, public, gate)
    else:
        bundle.install(brought, home, public, gate)
        with pytest.raises(BarieError, match=r"vision\.models_dir = .* goes before every bundle"):
            bundle.not_shadowed("models", gate)
    assert bundle.serial_in_use(home / "tables") == (0 if shadows else 4)


def test_a_bundle_of_another_key_or_with_a_changed_byte_is_refused(tmp_path: Path, keys: tuple[Path, Path]) -> None:
    private, public = keys
    good = tables(tmp_path, 1, private)
    data = good.read_bytes()
    assert data.count(b"version = 1") >= 1
    good.write_bytes(data.replace(b"version = 1", b"version = 9", 1))
    with pytest.raises(BarieError, match="is not what the manifest says"):
        bundle.install(good, tmp_path / "home", public)
    good.write_bytes(data.replace(b'"serial": 1', b'"serial": 9', 1))
    with pytest.raises(BarieError, match="not signed by the key"):
        bundle.install(good, tmp_path / "home", public)
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize(
    "name", ["data/\x1b]0;owned\x07", "\x1b[2J\x1b[1;31mbarie: restored", "data/\x9b31m", "a\r\nok: restored"]
)
def test_an_archives_names_send_nothing_to_the_terminal(tmp_path: Path, name: str) -> None:
    """Seen: escape codes of a foreign archive on the technician's terminal. By the program itself."""
    archive = tmp_path / "evil.tar"
    with tarfile.open(archive, "w") as tar:
        tar.addfile(tarfile.TarInfo(name), io.BytesIO())
    line = [sys.executable, "-m", "edge", "restore", str(archive), "--key", "00" * 32]
    line += ["--config", str(tmp_path / "etc" / "gate.toml"), "--data-dir", str(tmp_path / "data")]
    ran = subprocess.run(line, capture_output=True, text=True, check=False, timeout=120)
    assert ran.returncode == 2, ran.stderr
    assert "has no place in a backup" in ran.stderr
    assert [one for one in ran.stdout + ran.stderr if not one.isprintable() and one != "\n"] == []
    assert len((ran.stdout + ran.stderr).splitlines()) == 1
