"""The stand-in's declarations: one JSON file each in a folder, `watchlist.json` beside them, looked at again and
again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edge import wire
from edge.errors import BadMessageError

WATCHLIST = "watchlist.json"


@dataclass(frozen=True, slots=True)
class Change:
    """A file that is new or changed (`payload`), gone (None), or bad (`fault`)."""

    name: str
    payload: bytes | None
    fault: str = ""

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.payload or b"").hexdigest()


@dataclass(slots=True)
class Folder:
    """Looks at names, sizes and times first, and reads only what changed."""

    path: Path
    _seen: dict[str, tuple[int, int]] = field(default_factory=dict)

    def changes(self) -> Iterator[Change]:
        here = {
            entry.name: (entry.stat().st_mtime_ns, entry.stat().st_size) for entry in sorted(self.path.glob("*.json"))
        }
        for name in [name for name in self._seen if name not in here]:
            del self._seen[name]
            yield Change(name, None)
        for name, mark in here.items():
            if self._seen.get(name) != mark:
                self._seen[name] = mark
                yield self._read(name)

    def _read(self, name: str) -> Change:
        try:
            payload = (self.path / name).read_bytes()
            if name == WATCHLIST:
                wire.parse_watchlist(payload)
            else:
                wire.parse_declaration(payload)
        except (OSError, BadMessageError) as error:
            return Change(name, None, str(error))
        return Change(name, payload)


def merged(fresh: Mapping[str, Any], held: Mapping[str, Any] | None, version: int) -> dict[str, Any]:
    """A file's declaration as the next version after `version`: confirmations that came from the gates stay."""
    if held is None:
        return {**fresh, "version": max(fresh["version"], version + 1)}
    kept = list(fresh.get("confirmations") or [])
    kept += [one for one in held.get("confirmations") or [] if not _has(kept, one)]
    return {**fresh, "confirmations": kept, "version": max(fresh["version"], version + 1)}


def folded(held: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any] | None:
    """The next version with a gate's confirmation in it; None where it stands there already. Raises BadMessageError."""
    confirmations = list(held.get("confirmations") or [])
    if _has(confirmations, given):
        return None
    fresh = {**held, "version": held["version"] + 1, "confirmations": [*confirmations, dict(given)]}
    wire.parse_declaration(json.dumps(fresh).encode("utf-8"))
    return fresh


def _has(confirmations: list[Any], given: Mapping[str, Any]) -> bool:
    marks = ("step", "authority", "act", "at")
    return any(all(one.get(mark) == given.get(mark) for mark in marks) for one in confirmations)
