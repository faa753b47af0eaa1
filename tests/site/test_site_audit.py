"""The bill of materials, and pins against advisories that were brought along."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from scripts import bill

LOCK = Path("requirements.lock").read_text(encoding="utf-8")


def test_the_bill_names_every_pin_with_its_hashes_and_is_the_same_each_time() -> None:
    found = bill.pins(LOCK)
    names = [pin.name for pin in found]
    assert len(names) == len(set(names))
    meant_elsewhere = {"colorama"}
    assert set(names) == set(re.findall(r"^([a-z0-9._-]+)==", LOCK, re.M)) - meant_elsewhere
    assert all(pin.hashes for pin in found)
    told = bill.bill(found)
    assert told == bill.bill(bill.pins(LOCK))
    assert (told["bomFormat"], told["specVersion"]) == ("CycloneDX", "1.5")
    assert {"pkg:pypi/cryptography@50.0.2"} <= {part["purl"] for part in told["components"]}


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
    pin = bill.Pin("cryptography", "50.0.2", ())
    assert [one.id for one in bill.known([pin], tmp_path)] == (["X-Cryptography"] if falls else [])


def test_a_known_fault_ends_the_command_with_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert bill.main(["--advisories", str(tmp_path), "--bill", str(tmp_path / "bill")]) == 0
    assert json.loads((tmp_path / "bill").read_text())["components"]
    (tmp_path / "bill").unlink()
    advisory(tmp_path, "starlette", versions=[pin.version for pin in bill.pins(LOCK) if pin.name == "starlette"])
    assert bill.main(["--advisories", str(tmp_path)]) == 1
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["not_argued"] == ["X-starlette"]
