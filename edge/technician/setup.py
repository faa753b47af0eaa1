"""`barie setup`: the few questions of a site, then a commented config, keys, a certificate request, and doctor.

`--answers FILE` holds the same answers as TOML: keys of the config itself, only those that differ from the defaults,
and beside them `language`. Both ways end in the same place: the config is checked before anything is written.
"""

from __future__ import annotations

import contextlib
import getpass
import ipaddress
import shutil
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from edge import clock
from edge.config import Config, parse_config
from edge.errors import BarieError, ConfigError
from edge.files import write_whole
from edge.store.keys import open_key
from edge.technician import config_keys, discover, network, wiring
from edge.technician.certificate import make_request
from edge.technician.setup_board import ask_board
from edge.technician.setup_words import say
from edge.technician.site_check import check_record

Ask = Callable[[str], str]
KINDS: dict[str, tuple[str, str, str, str, str]] = {
    "1": ("b1-in", "b1", "into_area", "Barie 01 – chiều vào", "Barrier 1 – inbound"),
    "2": ("b1-out", "b1", "out_of_area", "Barie 01 – chiều ra", "Barrier 1 – outbound"),
    "3": ("b2-in", "b2", "into_area", "Barie 02 – chiều vào", "Barrier 2 – inbound"),
    "4": ("b2-out", "b2", "out_of_area", "Barie 02 – chiều ra", "Barrier 2 – outbound"),
    "5": ("yard-in", "yard_in", "in", "Bãi – cổng vào", "Yard – entry"),
    "6": ("yard-out", "yard_out", "out", "Bãi – cổng ra", "Yard – exit"),
}
TLS_FILES = {"ca_file": "ca.pem", "cert_file": "gate.pem", "key_file": "gate.key"}
METRICS_PORT = 9464
USER = "barie"
_HEAD = """\
One gate PC, written by `barie setup` on {at}. Read strictly: barie config check FILE says what is wrong.
Keys that are commented out stand with their defaults; docs/configuration.md has them all."""


def run(target: Path, answers: Path | None, *, force: bool, doctor: bool) -> int:
    """Exit status of doctor (0 where nothing failed). Raises BarieError where it cannot go on; then nothing was
    written."""
    if target.exists() and not force:
        raise BarieError(f"{target} is there already: keep it, or run setup with --force (the old one stays beside it)")
    passwords: dict[str, str] = {}
    if answers is not None:
        given = read_answers(answers)
    else:
        given, passwords = asked(target.parent, input, getpass.getpass)
    language = str(given.pop("language", "vi"))
    config = write(target, given, passwords)
    print(say(language, "written", it=target))
    public = prepare(target.parent, config, language)
    print(say(language, "key", it=public))
    for lane in config.lane:
        print(say(language, "written", it=wiring.write(lane, target.parent, language)))
        print(say(language, "walk", lane=lane.id, file=target))
    _open(config)
    if not doctor:
        return 0
    from edge.technician.doctor import run as look

    print(say(language, "doctor"))
    status = look(config, language)
    print(say(language, "next", file=target))
    return status


def _open(config: Config) -> None:
    """The units' allow-list, where the package's units are. A name that nobody resolves yet stops no set-up: doctor
    says what is shut."""
    if network.installed():
        try:
            network.run(config)
        except (BarieError, OSError) as error:
            print(error)


def read_answers(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(str(path), [f"cannot be read: {error}"]) from error


def write(target: Path, given: Mapping[str, Any], passwords: Mapping[str, str]) -> Config:
    """The config file, checked first; an old one stays beside it as `.before`. Raises ConfigError."""
    text = config_keys.written(given, _HEAD.format(at=clock.wall_iso()[:16]))
    config = parse_config(text, str(target))
    record = check_record(Path(config.site.data_dir), config.site.id)
    if record.mark == "FAIL":
        raise BarieError(f"nothing was written: {record.words}")
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o750)
    for name, password in passwords.items():
        _put(target.parent / name, password + "\n")
    if target.exists():
        target.replace(target.with_suffix(".before"))
    _put(target, text)
    return config


def prepare(folder: Path, config: Config, language: str) -> str:
    """The gate's keys and, for TLS, a certificate request. Returns the public key of the events in hex."""
    data_dir = Path(config.site.data_dir)
    data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    public = open_key(data_dir / "keys").public_hex
    _owned(data_dir, data_dir / "keys", *(data_dir / "keys").iterdir())
    if config.mqtt is not None and config.mqtt.tls and config.mqtt.key_file is not None:
        key = Path(config.mqtt.key_file)
        request = key.with_suffix(".csr")
        if not key.exists():
            make_request(key, request, config.site.id)
            _readable(key)
            print(say(language, "written", it=f"{key}, {request}"))
    return public


def _put(path: Path, text: str) -> None:
    """Whole or not at all, for the service's group to read and nobody else."""
    write_whole(path, text.encode(), 0o640)
    _readable(path)


def _readable(path: Path) -> None:
    path.chmod(0o640)
    with contextlib.suppress(LookupError, PermissionError):  # no such group: not installed as a package
        shutil.chown(path, group=USER)


def _owned(*paths: Path) -> None:
    with contextlib.suppress(LookupError, PermissionError):
        for path in paths:
            shutil.chown(path, USER, USER)


# ---------------------------------------------------------------- asking


def asked(folder: Path, ask: Ask, ask_unseen: Ask) -> tuple[dict[str, Any], dict[str, str]]:
    """The answers of a person, and the passwords by the name of their file."""
    language = "en" if ask("Tiếng Việt [vi] / English [en]: ").strip().lower().startswith("en") else "vi"

    def question(what: str, default: str = "", good: Callable[[str], bool] = bool, **values: object) -> str:
        while True:
            answer = ask(f"{say(language, what, **values)}{f' [{default}]' if default else ''}: ").strip() or default
            if good(answer):
                return answer
            print(say(language, "again"))

    given: dict[str, Any] = {"language": language}
    given["site"] = {
        "id": question(
            "site", good=lambda text: bool(text) and text.replace("-", "").isalnum() and text == text.lower()
        ),
        "name": {"vi": question("name_vi"), "en": question("name_en")},
    }
    given["metrics"] = {"port": METRICS_PORT}
    count = int(question("lanes", "1", lambda text: text in ("1", "2", "3", "4")))
    print(say(language, "looking"))
    cameras, boards = discover.cameras(), discover.boards()
    for line in [*(f"  {one.host}  {one.name}" for one in cameras), *(f"  {device}" for _, device in boards)]:
        print(line)
    passwords: dict[str, str] = {}
    given["lane"] = []
    for n in range(1, count + 1):
        lane, password = _lane(n, question, cameras, boards, ask_unseen, language, folder)
        given["lane"].append(lane)
        passwords |= password
    if any(lane["place"].startswith("yard") for lane in given["lane"]):
        given["yard"] = {"capacity": int(question("capacity", "100", str.isdecimal))}
    if broker := question("broker", good=lambda text: True):
        given["mqtt"] = _broker(broker, question("tls", "y").lower()[:1] in ("y", "c"), folder)
    return given, passwords


def _lane(
    n: int, question: Callable[..., str], cameras: list[discover.FoundCamera], boards: list[tuple[str, str]],
    ask_unseen: Ask, language: str, folder: Path,
) -> tuple[dict[str, Any], dict[str, str]]:  # fmt: skip
    id, place, direction, vi, en = KINDS[question("kind", str(n), KINDS.__contains__, n=n)]
    found = f"rtsp://{cameras[n - 1].host}/" if len(cameras) >= n else ""
    camera = {"id": f"{id}-front", "url": question("camera", found, lambda text: text.startswith("rtsp"), n=n)}
    passwords: dict[str, str] = {}
    if user := question("user", good=lambda text: True):
        name = f"camera-{id}.password"
        passwords[name] = ask_unseen(f"{say(language, 'password')}: ")
        camera |= {"user": user, "password_file": str(folder / name)}
    wired = ask_board(question, n, boards[n - 1][1] if len(boards) >= n else "", language)
    lane = {"id": id, "name": {"vi": vi, "en": en}, "place": place, "direction": direction}
    return {**lane, "camera": [camera], **wired}, passwords


def _broker(where: str, tls: bool, folder: Path) -> dict[str, Any]:
    host, _, port = where.rpartition(":")
    given = {"host": host or where, "port": int(port) if host and port.isdecimal() else 8883 if tls else 1883}
    with contextlib.suppress(ValueError):
        ipaddress.ip_address(where)
        given["host"] = where
    return {**given, "tls": True, **{k: str(folder / v) for k, v in TLS_FILES.items()}} if tls else given
