"""Pins against advisories that were brought along."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from scripts import opens, pins

LOCK = Path("requirements.lock").read_text(encoding="utf-8")


def test_every_pin_is_found_with_its_hashes() -> None:
    found = pins.pins(LOCK)
    names = [pin.name for pin in found]
    assert len(names) == len(set(names))
    assert set(names) == set(re.findall(r"^([a-z0-9._-]+)==", LOCK, re.M)) - {"colorama"}
    assert all(pin.hashes for pin in found)


def test_the_pins_of_another_python_are_its_own() -> None:
    """Debian 13 has the newest PyAV and numpy, Debian 12 the last that know its Python."""
    lists = [{pin.name: pin.version for pin in pins.pins(LOCK, {"python_full_version": f"3.{n}.0"})} for n in (11, 13)]
    for name in ("av", "numpy"):
        old, new = (tuple(map(int, one[name].split("."))) for one in lists)
        assert old < new


def advisory(folder: Path, name: str, *events: dict[str, str], versions: list[str] | None = None) -> None:
    ranges = [{"type": "ECOSYSTEM", "events": list(events)}]
    affected = {"package": {"ecosystem": "PyPI", "name": name}, "ranges": ranges, "versions": versions or []}
    (folder / f"{len(list(folder.iterdir()))}.json").write_text(
        json.dumps({"id": f"X-{name}", "summary": "bad", "affected": [affected]})
    )


@pytest.mark.parametrize(
    ("events", "falls"),
    [
        (({"introduced": "0"}, {"fixed": "51"}), True),
        (({"introduced": "0"}, {"fixed": "50.0.2"}), False),
        (({"introduced": "50"}, {"last_affected": "50.0.2"}), True),
        (({"introduced": "60"},), False),
        (({"introduced": "0"}, {"fixed": "1"}, {"introduced": "50.0.1"}, {"fixed": "50.0.3"}), True),
    ],
)
def test_a_pin_falls_under_an_advisory_by_its_range(tmp_path: Path, events: tuple[dict[str, str]], falls: bool) -> None:
    advisory(tmp_path, "Cryptography", *events)
    advisory(tmp_path, "unheard-of", {"introduced": "0"})
    pin = pins.Pin("cryptography", "50.0.2", ())
    assert [one.id for one in pins.known([pin], tmp_path)] == (["X-Cryptography"] if falls else [])


def test_a_known_fault_ends_the_command_with_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert pins.main(["--advisories", str(tmp_path)]) == 0
    advisory(tmp_path, "starlette", versions=[pin.version for pin in pins.pins(LOCK) if pin.name == "starlette"])
    assert pins.main(["--advisories", str(tmp_path)]) == 1
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["not_argued"] == ["X-starlette"]


IMPORTED = {"paho-mqtt", "onnxruntime", "uvicorn"}
"""Of these the import is watched as well; `scripts/audit` watches all of them."""


def test_every_package_does_no_more_than_is_known_of_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = pins.pins(LOCK)
    looked, more = pins.opened([pin for pin in found if pin.name in IMPORTED])
    assert (looked, more) == (len(IMPORTED), [])
    said = "paho-mqtt: could network; at import nothing (MQTT to the broker of the config)"
    assert said in capsys.readouterr().out
    monkeypatch.setattr(opens, "_imported", lambda modules: {})
    looked, more = pins.opened(found)
    assert (looked > 20, more) == (True, [])


@pytest.mark.parametrize(
    ("source", "kind", "could"),
    [
        (
            "import socket\ns = socket.socket()\ntry: s.connect(('127.0.0.1', 9))\nexcept OSError: pass",
            "connections",
            "network",
        ),
        ("import subprocess\nsubprocess.run(['true'])", "programs", "programs"),
        ("import os\nopen(os.path.expanduser('~/.telemetry'), 'w').close()", "writes", None),
        ("import os\nos.fork() or os._exit(0)", "programs", None),
    ],
)
def test_a_package_that_calls_starts_or_writes_as_it_is_imported_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, kind: str, could: str | None
) -> None:
    (tmp_path / "phones_home.py").write_text(source)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    one = opens.Opens(
        "phones-home", opens._imported(["phones_home"]), frozenset(opens._abilities([tmp_path / "phones_home.py"]))
    )
    assert one.busy == [kind]
    assert opens.more_than(one, {}) == ([could] if could else []) + [f"{kind} at import"]


def test_a_new_version_that_could_do_more_is_told() -> None:
    one = opens.Opens("tabulate", {}, frozenset({"network", "native"}))
    assert opens.more_than(one, {"tabulate": ["native"]}) == ["network"]
