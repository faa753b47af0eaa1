"""`scripts/audit`: the pins of what a gate runs (requirements.lock) against known faults.

It asks pip-audit where it is there and the advisories can be
reached; `--advisories FOLDER` reads them from OSV's own JSON files instead, on a machine without a network. A fault
that does not concern a gate is argued in docs/audit.toml; anything else ends with 1.

It says of each package, too, what it opens, reads and starts (scripts/opens.py), and ends with 1 where one could do
more than docs/audit.toml knows of it.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.markers import Marker
from packaging.version import InvalidVersion, Version

from scripts import opens

LOCK, ARGUED = Path("requirements.lock"), Path("docs/audit.toml")
TOOL = Path("build/audit-env/bin/python")
"""Where scripts/audit puts pip-audit."""
_PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)(?:\s*;\s*([^\\]+?))?\s*\\?$")
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class Pin:
    name: str
    version: str
    hashes: tuple[str, ...]

    @property
    def purl(self) -> str:
        return f"pkg:pypi/{self.name}@{self.version}"


@dataclass(frozen=True, slots=True)
class Known:
    """An advisory that one of the pins falls under."""

    pin: Pin
    id: str
    summary: str


def pins(text: str, there: Mapping[str, str] | None = None) -> list[Pin]:
    """What the lock installs on this kind of machine, or on one whose environment markers (PEP 508) differ so."""
    found: list[Pin] = []
    lines: list[str] = []
    name, version = "", ""
    for line in [*text.splitlines(), "end==0"]:
        match = _PIN.match(line)
        if match is None:
            lines.append(line)
            continue
        if name:
            found.append(Pin(name, version, tuple(_HASH.findall("\n".join(lines)))))
        meant = match[3] is None or Marker(match[3]).evaluate(dict(there or {}))
        name, version, lines = (match[1].lower(), match[2], []) if meant else ("", "", [])
    return found


def known(found: Sequence[Pin], advisories: Path) -> Iterator[Known]:
    """Advisories (OSV JSON, one a file) that a pin falls under. Raises ValueError for a file that is none."""
    by_name = {pin.name.replace("_", "-").replace(".", "-"): pin for pin in found}
    for path in sorted(advisories.rglob("*.json")):
        told = json.loads(path.read_text("utf-8"))
        for affected in told.get("affected", ()):
            package = affected.get("package", {})
            pin = by_name.get(str(package.get("name", "")).lower().replace("_", "-").replace(".", "-"))
            if pin is not None and package.get("ecosystem") == "PyPI" and _falls(pin.version, affected):
                yield Known(pin, str(told["id"]), str(told.get("summary", ""))[:200])


def _falls(version: str, affected: dict[str, Any]) -> bool:
    if version in affected.get("versions", ()):
        return True
    return any(
        _within(version, one.get("events", ())) for one in affected.get("ranges", ()) if one.get("type") == "ECOSYSTEM"
    )


def _within(version: str, events: Sequence[dict[str, str]]) -> bool:
    """OSV's ranges: introduced, then fixed (not affected) or last_affected (still affected)."""
    at, inside = Version(version), False
    for event in events:
        for what, when in event.items():
            try:
                border = Version(when)
            except InvalidVersion:
                continue
            if what == "introduced" and at >= border:
                inside = True
            elif (what == "fixed" and at >= border) or (what == "last_affected" and at > border):
                inside = False
    return inside


def asked(lock: Path) -> list[Known] | None:
    """By pip-audit; None where it is not installed or could not ask about every pin: a pin that it skipped is not a
    good one."""
    python = str(TOOL) if TOOL.exists() else sys.executable
    line = [python, "-m", "pip_audit", "--require-hashes", "--disable-pip", "-r", str(lock), "-f", "json"]
    ran = subprocess.run(line, capture_output=True, text=True, timeout=300, check=False)
    try:
        rows = json.loads(ran.stdout)["dependencies"]
    except (ValueError, KeyError):
        return None
    skipped = [row["name"] for row in rows if "skip_reason" in row]
    if not rows or skipped:
        print(f"audit: nobody could be asked about {len(skipped)} of {len(rows)} pins", file=sys.stderr)
        return None
    return [
        Known(Pin(row["name"], row["version"], ()), fault["id"], fault["description"][:200])
        for row in rows
        for fault in row.get("vulns", ())
    ]


def opened(found: Sequence[Pin]) -> tuple[int, list[str]]:
    """Says of each package that is here what it opens, reads and starts: how many, and what nobody knows of them."""
    table = tomllib.loads(ARGUED.read_text("utf-8")).get("could", {})
    known = {name: row["could"] for name, row in table.items()}
    here = [one for pin in found if (one := opens.looked_at(pin.name)) is not None]
    for one in here:
        print(f"{opens.told(one)} ({table[one.name]['why']})" if one.name in table else opens.told(one))
    return len(here), [f"{one.name}: {more}" for one in here for more in opens.more_than(one, known)]


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="scripts/audit", description=__doc__)
    parser.add_argument(
        "--list", nargs=2, metavar=("PYTHON", "MACHINE"), help="only the pins for these, as 3.13 aarch64"
    )
    parser.add_argument("--advisories", type=Path, default=None, metavar="FOLDER", help="OSV's JSON files")
    args = parser.parse_args(argv)
    if args.list is not None:
        version, machine = args.list
        there = {"python_version": version, "python_full_version": f"{version}.0", "platform_machine": machine}
        print("\n".join(f"{pin.name}=={pin.version}" for pin in pins(LOCK.read_text("utf-8"), there)))
        return 0
    found = pins(LOCK.read_text("utf-8"))
    faults = asked(LOCK) if args.advisories is None else list(known(found, args.advisories))
    argued = tomllib.loads(ARGUED.read_text("utf-8")).get("argued", {})
    for fault in faults or ():
        print(f"{fault.pin.purl}: {fault.id}: {argued.get(fault.id, fault.summary)}")
    open_ones = [fault.id for fault in faults or () if fault.id not in argued]
    checked = faults is not None
    looked, more = opened(found)
    counts = {"pins": len(found), "checked": checked, "known": len(faults or ()), "not_argued": open_ones}
    print(json.dumps({**counts, "looked_at": looked, "could_more": more}))
    if not checked:
        print("audit: not checked: pip-audit has no answer; --advisories reads OSV's files", file=sys.stderr)
    return 1 if open_ones or more or not checked else 0


if __name__ == "__main__":
    sys.exit(main())
