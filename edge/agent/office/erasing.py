"""Photos deleted because somebody asked (docs/security.md): the agent takes the requests that `barie evidence delete`
puts into its folder, since only one process may write the record."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from edge.agent.cameras import site_clips
from edge.errors import StoreError
from edge.files import write_whole
from edge.store import Store

log = logging.getLogger(__name__)

FOLDER = "requests"
REQUEST, ANSWER = ".request", ".answer"
MODE = 0o600


@dataclass(frozen=True, slots=True)
class Request:
    """Whose photos go: all of these passages. `by` and `reason` as they come to stand in the record."""

    passages: tuple[str, ...]
    by: str
    reason: str


def erase(store: Store, data_dir: Path, request: Request) -> int:
    """How many photos went, the copies among the site's own test pictures not counted. Raises StoreError."""
    ids = store.erase(request.passages, request.by, request.reason)
    for one in ids:
        for still in (data_dir / site_clips.FOLDER).glob(f"*-{one}{site_clips.STILL}"):
            site_clips.forget(still)
    return len(ids)


def put(data_dir: Path, name: str, request: Request) -> Path:
    """Where the answer will be. Raises OSError."""
    folder = data_dir / FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    write_whole(folder / f"{name}{REQUEST}", json.dumps(asdict(request), ensure_ascii=False).encode(), MODE)
    return folder / f"{name}{ANSWER}"


def take(store: Store, data_dir: Path) -> None:
    """Every request that waits, each answered once. Not on an event loop."""
    for path in sorted((data_dir / FOLDER).glob(f"*{REQUEST}")):
        try:
            answer: dict[str, Any] = {"deleted": erase(store, data_dir, read(path))}
        except (StoreError, OSError, ValueError) as error:
            log.error("a request to delete photos was refused: %s", error)
            answer = {"refused": str(error)}
        try:
            write_whole(path.with_suffix(ANSWER), json.dumps(answer).encode(), MODE)
            path.unlink()
        except OSError as error:  # done once more with the next look, when there is nothing left to delete
            log.error("a request to delete photos cannot be answered: %s", error)


def read(path: Path) -> Request:
    """Raises OSError, ValueError."""
    row: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    try:
        passages, by, reason = row["passages"], row["by"], row["reason"]
        if not isinstance(passages, list) or not all(isinstance(one, str) for one in (*passages, by, reason)):
            raise TypeError("passages is a list of texts, by and reason are texts")
    except (KeyError, TypeError) as error:
        raise ValueError(f"{path.name}: not a request: {error}") from error
    return Request(tuple(passages), by, reason)
