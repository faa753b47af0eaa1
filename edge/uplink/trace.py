"""What leaves for the centre, in the log, with the passage that it is about."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence

from edge.ports import OutgoingEvent, OutgoingEvidence

log = logging.getLogger(__name__)

LIVE = 3
"""So many events at once are of now; of a backlog only a debug log has each: thousands of lines cost as much as
sending."""
_PASSAGE = re.compile(rb'"passage":"([0-9A-Za-z-]{1,64})"')
"""In the envelope's canonical JSON; inside a text its quotes would be escaped."""


def sent(batch: Sequence[OutgoingEvent]) -> None:
    level = logging.INFO if len(batch) <= LIVE else logging.DEBUG
    if log.isEnabledFor(level):
        for event in batch:
            fields = {"lane": event.lane, "seq": event.seq, **_about(passage_of(event.payload))}
            log.log(level, "sent event %d", event.seq, extra={"fields": fields})


def sent_photo(photo: OutgoingEvidence) -> None:
    fields = {"lane": photo.lane, "event": photo.event_id, **_about(photo.passage)}
    log.info("sent photo %s", photo.id, extra={"fields": fields})


def passage_of(payload: bytes) -> str:
    """The passage that an event is about, "" for none."""
    found = _PASSAGE.search(payload)
    return found[1].decode() if found else ""


def _about(passage: str) -> dict[str, str]:
    return {"passage": passage} if passage else {}
