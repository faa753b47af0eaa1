"""What every centre of ours does alike, on SQLite or on PostgreSQL: batches of letters, its word, its acknowledgements,
photos onto the disk."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge import clock
from edge.errors import BadMessageError
from edge.files import fsync_directory, write_whole
from edge.uplink.central_store import Progress
from edge.uplink.connection import LinkError
from edge.uplink.mailbox import Letter, Lost, Mailbox

IDLE_S = 0.5
ANSWER_S = 10.0
BATCH = 300
WORD_S = 15.0
"""How often the centre says that it is there."""
WORD_AGAIN_S = 1.0
"""A gate that has just come hears it anew; but not more often than this."""
WANT_FIRST_S, WANT_S, WANT_MOST = 5.0, 60.0, 50
"""When photos are asked for that never came: after a start, and again and again."""
_NAME = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def gather(mailbox: Mailbox) -> list[Letter]:
    """Everything that is there, up to BATCH or a little more: one commit for all of it."""
    letters: list[Letter] = []
    letter = mailbox.take(IDLE_S)
    while letter is not None:
        letters.append(letter)
        letters += mailbox.take_all(BATCH)
        letter = mailbox.take(0.0) if len(letters) < BATCH else None
    return letters


def answer(mailbox: Mailbox, kind: type[Any]) -> Any:
    """The broker's answer of this kind. Raises LinkError."""
    deadline_s = clock.mono_s() + ANSWER_S
    while (left_s := deadline_s - clock.mono_s()) > 0:
        letter = mailbox.take(left_s)
        if isinstance(letter, kind):
            return letter
        if isinstance(letter, Lost):
            raise LinkError(f"connection lost: {letter.why}")
    raise LinkError(f"broker did not answer within {ANSWER_S:g} s")


def is_event(topic: str) -> bool:
    """Of these the broker hears at once that they came: what is lost here the gate sends again."""
    return topic.endswith("/event")


def word(instance: str, *, online: bool) -> bytes:
    """What a centre says on its topic."""
    said = {"online": online, "at": clock.wall_iso(), "instance": instance, "evidence_ack": True}
    return json.dumps(said).encode()


def ack(progress: Progress) -> bytes:
    return json.dumps({"seq": progress.acked, **({"hash": progress.hash} if progress.hash else {})}).encode()


@dataclass(frozen=True, slots=True)
class StoredPhoto:
    """One that is on disk; `file` is relative to the photos' folder."""

    lane: str
    event_id: str
    sha256: str
    file: str
    size: int


def photo_of(lane: str, topic: str, jpeg: bytes, folder: str = "") -> StoredPhoto:
    """Not written yet. Raises BadMessageError."""
    name = topic.rsplit("/", 1)[1]
    if not _NAME.fullmatch(name):
        raise BadMessageError("evidence: the topic does not end in an event's id")
    digest = hashlib.sha256(jpeg).hexdigest()
    return StoredPhoto(lane, name, digest, f"{folder}{name}-{digest[:12]}.jpg", len(jpeg))


def write_photo(root: Path, photo: StoredPhoto, jpeg: bytes) -> None:
    """Whole and fsynced, its folder too. Raises OSError."""
    path = root / photo.file
    missing = [one for one in (path.parent, *path.parent.parents) if not one.is_dir()]
    path.parent.mkdir(parents=True, exist_ok=True)
    for one in missing:
        fsync_directory(one.parent)
    write_whole(path, jpeg, 0o640)


def told(payload: bytes) -> tuple[str, str, list[str]]:
    """(topic, reason, rows) of what a gate did not take. Raises BadMessageError."""
    try:
        body = json.loads(payload)
        return str(body["topic"]), str(body["reason"]), [str(one) for one in body["rows"]]
    except (ValueError, KeyError, TypeError) as error:
        raise BadMessageError("refused: no such message") from error
